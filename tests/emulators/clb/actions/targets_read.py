"""Reads of bindings: targets with their weights, and their health."""

from tests.emulators.clb import render
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, missing
from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule, Target
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import listener_of


def describe_targets(cloud: Cloud, call: Call) -> Json:
    """Without ListenerIds every binding of the load balancer; no paging."""
    lb = cloud.load_balancer(call)
    ids = call.ids("ListenerIds", 20)
    for listener_id in ids:
        listener_of(lb, listener_id)
    filters = _filters(call)
    shown = []
    for listener in lb.listeners.values():
        if ids and listener.id not in ids:
            continue
        if listener.protocol != call.params.get("Protocol", listener.protocol):
            continue
        if listener.port != call.params.get("Port", listener.port):
            continue
        shown.append(_listener_backend(cloud, listener, filters))
    return {"Listeners": shown}


def _filters(call: Call) -> dict[str, set[str]]:
    found = {item["Name"]: set(item["Values"]) for item in call.params.get("Filters", [])}
    if unknown := set(found) - {"location-id", "private-ip-address", "tag"}:
        raise ApiError("InvalidParameter.InvalidFilter", f"Filter '{min(unknown)}' is not valid.")
    return found


def _listener_backend(cloud: Cloud, listener: Listener, filters: dict[str, set[str]]) -> Json:
    def shown(targets: list[Target]) -> list[Json]:
        addresses, tags = filters.get("private-ip-address"), filters.get("tag")
        return [
            render.backend(cloud, target)
            for target in targets
            if (addresses is None or target.ip in addresses) and (tags is None or target.tag in tags)
        ]

    wanted = filters.get("location-id")
    rules = [
        {
            "LocationId": rule.id, "Domain": rule.domains[0], "Url": rule.url, "Targets": shown(rule.targets),
            "FunctionTargets": [],
        }
        for rule in listener.rules.values()
        if wanted is None or rule.id in wanted
    ]  # fmt: skip
    return {
        "ListenerId": listener.id, "Protocol": listener.protocol, "Port": listener.port,
        "Rules": rules if listener.layer7 else None, "EndPort": listener.end_port,
        "Targets": None if listener.layer7 else shown(listener.targets),
    }  # fmt: skip


def describe_target_health(cloud: Cloud, call: Call) -> Json:
    """Bindings, weights and health of up to 30 load balancers."""
    ids = call.ids("LoadBalancerIds", 30)
    if not ids:
        raise missing("LoadBalancerIds")
    return {"LoadBalancers": [_balancer_health(cloud, call, cloud.load_balancer(call, lb_id)) for lb_id in ids]}


def _balancer_health(cloud: Cloud, call: Call, lb: LoadBalancer) -> Json:
    listener_ids, location_ids = call.ids("ListenerIds", 100), call.ids("LocationIds", 100)
    listeners = []
    for listener in lb.listeners.values():
        if listener_ids and listener.id not in listener_ids:
            continue
        rules: list[Rule | None] = list(listener.rules.values()) if listener.layer7 else [None]
        rows = [
            _rule_health(cloud, lb, listener, rule)
            for rule in rules
            if not location_ids or (rule is not None and rule.id in location_ids)
        ]
        listeners.append(
            {
                "ListenerId": listener.id, "ListenerName": listener.name, "Protocol": listener.protocol,
                "Port": listener.port, "Rules": rows,
            }
        )  # fmt: skip
    return {"LoadBalancerId": lb.id, "LoadBalancerName": lb.name, "Listeners": listeners}


def _rule_health(cloud: Cloud, lb: LoadBalancer, listener: Listener, rule: Rule | None) -> Json:
    targets = listener.targets if rule is None else rule.targets
    rows = []
    for target in targets:
        word = cloud.health(lb, listener, rule, target)
        rows.append(
            {
                "IP": target.ip, "Port": target.port, "HealthStatus": word in ("Alive", "Close"),
                "TargetId": target.instance_id or target.eni_id, "HealthStatusDetail": word, "HealthStatusDetial": word,
                "TargetGroupId": "", "Weight": target.weight,
            }
        )  # fmt: skip
    return {
        "LocationId": "" if rule is None else rule.id, "Domain": None if rule is None else rule.domains[0],
        "Url": None if rule is None else rule.url, "RuleId": "", "Targets": rows,
    }  # fmt: skip
