"""The forms of call that l7lb promises never to make (calls never made).

Each is answered with HTTP 500, whatever else may be said about it, and stays in the state so that a test can fail.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.emulators.clb.world import World

OUR_TAGS = frozenset({"tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid", "l7lb-cluster-uid"})

Verdict = str | None
Judge = Callable[[Mapping[str, Any], World], Verdict]


def _create_load_balancer(params: Mapping[str, Any], _: World) -> Verdict:
    if params.get("Number", 1) != 1:
        return "CreateLoadBalancer with Number other than 1"
    if not params.get("ClientToken"):
        return "CreateLoadBalancer without a ClientToken"
    tags = params.get("Tags")
    named = {tag.get("TagKey") for tag in tags if isinstance(tag, dict)} if isinstance(tags, list) else set()
    if absent := OUR_TAGS - named:
        return f"CreateLoadBalancer without the tags {', '.join(sorted(absent))}"
    return None


def _delete_load_balancer(params: Mapping[str, Any], _: World) -> Verdict:
    ids = params.get("LoadBalancerIds")
    if not isinstance(ids, list) or len(ids) != 1:
        return "DeleteLoadBalancer with other than one load balancer"
    return None


def _delete_listeners(params: Mapping[str, Any], world: World) -> Verdict:
    ids = params.get("ListenerIds")
    if not isinstance(ids, list) or not ids:
        return "DeleteLoadBalancerListeners with an empty list, which deletes every listener"
    here = params.get("LoadBalancerId")
    for lb in world.load_balancers.values():
        if lb.id != here and any(listener_id in lb.listeners for listener_id in ids):
            return "DeleteLoadBalancerListeners with listeners of another load balancer"
    return None


def _auto_rewrite(params: Mapping[str, Any], _: World) -> Verdict:
    return None if params.get("Domains") else "AutoRewrite without Domains"


def _delete_rule(params: Mapping[str, Any], _: World) -> Verdict:
    if params.get("LocationIds") or (params.get("Domain") and params.get("Url")):
        return None
    return "DeleteRule by domain only"


def _security_groups(params: Mapping[str, Any], _: World) -> Verdict:
    if isinstance(params.get("SecurityGroups"), list):
        return None
    return "SetLoadBalancerSecurityGroups without an explicit list, which unbinds all"


def _never(params: Mapping[str, Any], _: World) -> Verdict:
    return "an action that is never called"


JUDGES: Mapping[str, Judge] = {
    "CreateLoadBalancer": _create_load_balancer,
    "DeleteLoadBalancer": _delete_load_balancer,
    "DeleteLoadBalancerListeners": _delete_listeners,
    "AutoRewrite": _auto_rewrite,
    "DeleteRule": _delete_rule,
    "SetLoadBalancerSecurityGroups": _security_groups,
    "ReplaceCertForLoadBalancers": _never,
    "CloneLoadBalancer": _never,
    "SetLoadBalancerStartStatus": _never,
}


def verdict(action: str, params: Any, world: World) -> Verdict:
    """Why this call is forbidden, or ``None``."""
    judge = JUDGES.get(action)
    if judge is None:
        return None
    return judge(params if isinstance(params, dict) else {}, world)
