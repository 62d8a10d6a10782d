"""A step of a plan -> the one API call that does it, in the one form that is allowed.

A form that could do more than the step says (an empty list that means "all", a number that buys two) cannot be written:
it raises UnauthorizedPlan before anything leaves. A key without an id raises Conflict: read back first.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from l7lb.adapters.clb.calls import Request
from l7lb.adapters.clb.fields import certificate_fields, given_fields, health_fields, target_fields
from l7lb.errors import Conflict, Rejected, UnauthorizedPlan
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import Certificate, HostSpec, ListenerSpec, RuleSpec
from l7lb.model.maybe import UNSET
from l7lb.model.plan import (
    AddTags,
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    ModifyWeights,
    Placement,
    RegisterTargets,
    RemoveTags,
    SetSecurityGroups,
    Step,
)
from l7lb.model.redirecting import MIRROR_TARGET, CreateRedirects, DeleteRedirects, MirrorHosts

Params = dict[str, Any]


def request(region: str, step: Step, bindings: Bindings) -> Request:
    """The call for a step. Raises Conflict for an id that is not known, UnauthorizedPlan for a forbidden form."""
    match step:
        case CreateLoadBalancer():
            return _clb("CreateLoadBalancer", _create_load_balancer(step))
        case DeleteLoadBalancer():
            return _clb("DeleteLoadBalancer", _delete_load_balancer(step))
        case AddTags() | RemoveTags():
            return Request("tag", "ModifyResourceTags", _tags(region, step, bindings), write=True)
        case ModifyLoadBalancer() | SetSecurityGroups():
            return _attributes(step, bindings)
        case CreateListeners() | ModifyListener() | DeleteListeners():
            return _listener_call(step, bindings)
        case CreateRules() | ModifyRule() | ModifyHost() | DeleteRules():
            return _rule_call(step, bindings)
        case MirrorHosts() | CreateRedirects() | DeleteRedirects():
            return _redirect_call(step, bindings)
        case RegisterTargets() | DeregisterTargets() | ModifyWeights():
            return _target_call(step, bindings)
        case _:
            assert_never(step)


def _clb(action: str, params: Params) -> Request:
    return Request("clb", action, params, write=True)


def _on(bindings: Bindings) -> Params:
    """Every call names its load balancer by id."""
    return {"LoadBalancerId": _allowed(bindings.load_balancer, "a call without a load balancer")}


def _allowed(value: Any, form: str) -> Any:
    if not value:
        raise UnauthorizedPlan(f"a call that is never made: {form}")
    return value


def _create_load_balancer(step: CreateLoadBalancer) -> Params:
    create = step.create
    extra: Params = {name: json.loads(text) for name, text in create.extensive}
    internet = given_fields(
        {"InternetChargeType": create.charge_type, "InternetMaxBandwidthOut": create.bandwidth_mbps}
    )
    params: Params = given_fields({"VpcId": create.vpc_id or None, "LoadBalancerName": create.name or None}) | extra
    if internet or "InternetAccessible" in extra:
        params["InternetAccessible"] = internet | (extra.get("InternetAccessible") or {})
    theirs = {tag["TagKey"]: tag["TagValue"] for tag in extra.get("Tags") or ()}
    ours = dict(_allowed(step.tags, "CreateLoadBalancer without tags"))
    params |= {
        "LoadBalancerType": "INTERNAL" if create.internal_subnet else "OPEN",
        "Forward": 1,
        "Number": 1,
        "Tags": _tag_list(theirs | dict(create.tags) | ours),
        "ClientToken": _allowed(step.client_token, "CreateLoadBalancer without a ClientToken"),
    }
    if create.snat_ips:
        params["SnatPro"] = True
        params["SnatIps"] = [given_fields({"SubnetId": subnet, "Ip": ip or None}) for subnet, ip in create.snat_ips]
    if create.internal_subnet:
        params["SubnetId"] = create.internal_subnet
    return params | given_fields({"LoadBalancerPassToTarget": step.pass_to_target})


def _delete_load_balancer(step: DeleteLoadBalancer) -> Params:
    params: Params = {"LoadBalancerIds": [_allowed(step.id, "DeleteLoadBalancer without an id")]}
    return params | ({"ForceDelete": True} if step.force else {})


def _tags(region: str, step: AddTags | RemoveTags, bindings: Bindings) -> Params:
    # The account may be left out of the six-segment name of a resource.
    resource = {"Resource": f"qcs::clb:{region}:uin/:clb/{_on(bindings)['LoadBalancerId']}"}
    if isinstance(step, AddTags):
        return resource | {"ReplaceTags": _tag_list(_allowed(dict(step.tags), "a change of no tags"))}
    return resource | {"DeleteTags": [{"TagKey": key} for key in sorted(_allowed(step.keys, "a change of no tags"))]}


def _tag_list(tags: Mapping[str, str]) -> list[Params]:
    return [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())]


def _attributes(step: ModifyLoadBalancer | SetSecurityGroups, bindings: Bindings) -> Request:
    if isinstance(step, SetSecurityGroups):
        return _clb("SetLoadBalancerSecurityGroups", _on(bindings) | {"SecurityGroups": sorted(step.groups)})
    changes = {"LoadBalancerPassToTarget": step.pass_to_target, "DeleteProtect": step.delete_protection}
    changed = _allowed(given_fields(changes), "ModifyLoadBalancerAttributes of nothing")
    return _clb("ModifyLoadBalancerAttributes", _on(bindings) | changed)


def _listener_call(step: CreateListeners | ModifyListener | DeleteListeners, bindings: Bindings) -> Request:
    params = _on(bindings)
    match step:
        case CreateListeners():
            params |= {"Ports": list(_allowed(step.ports, "CreateListener without ports")), "Protocol": step.protocol}
            if step.name:
                params["ListenerNames"] = [step.name] * len(step.ports)
            if step.sni:  # then certificates belong to the rules and are refused here (CreateListener page)
                params["SniSwitch"] = 1
            else:
                params |= certificate_fields(step.certificate)
            return _clb("CreateListener", params | _connection_fields(step))
        case ModifyListener():
            after = step.after
            changed = given_fields({"ListenerName": after.name}) | _connection_fields(after)
            if isinstance(after.certificate, Certificate):
                changed |= certificate_fields(after.certificate)
            if after.sni is True:  # it can be switched on, never off (ModifyListener page)
                changed["SniSwitch"] = 1
            params["ListenerId"] = _listener_id(step.key, bindings)
            return _clb("ModifyListener", params | _allowed(changed, "ModifyListener of nothing"))
        case DeleteListeners():
            ids = [_listener_id(key, bindings) for key in step.keys]
            params["ListenerIds"] = _allowed(ids, "DeleteLoadBalancerListeners without ids, which deletes all")
            return _clb("DeleteLoadBalancerListeners", params)


def _connection_fields(said: CreateListeners | ListenerSpec) -> Params:
    """One is a number and the other a boolean (CreateListener page)."""
    return given_fields({"KeepaliveEnable": said.keepalive}, number=True) | given_fields({"SnatEnable": said.snat})


def _rule_call(step: CreateRules | ModifyRule | ModifyHost | DeleteRules, bindings: Bindings) -> Request:
    params = _on(bindings) | {"ListenerId": _listener_id(step.listener, bindings)}
    match step:
        case CreateRules():
            params["Rules"] = _rules(step, bindings)
            return _clb("CreateRule", params)
        case ModifyRule():
            params["LocationId"] = _location_id(RuleRef(step.listener, step.after.key), bindings)
            changed = _allowed(_rule_attributes(step.after), "ModifyRule of nothing")
            return _clb("ModifyRule", params | changed)
        case ModifyHost():
            params["Domain"] = _domain(step.after.host, bindings)
            changed = _allowed(_host_attributes(step.after), "ModifyDomainAttributes of nothing")
            return _clb("ModifyDomainAttributes", params | changed)
        case DeleteRules():
            params["LocationIds"] = _doomed(step, bindings)
            if step.new_default is not None:
                params["NewDefaultServerDomain"] = _domain(step.new_default, bindings)
            return _clb("DeleteRule", params)


def _rules(step: CreateRules, bindings: Bindings) -> list[Params]:
    hosts = {host.host: host for host in step.hosts}
    made: list[Params] = []
    for rule in _allowed(step.rules, "CreateRule without rules"):
        params: Params = {"Domain": _domain(rule.key.host, bindings), "Url": rule.key.path}
        host = hosts.get(rule.key.host)
        if host is not None:
            params |= _host_attributes(host)
            # One default a listener: its other rules must not ask for it again.
            hosts[host.host] = HostSpec(host.host, host.certificate, host.http2, UNSET)
        made.append(params | _rule_attributes(rule))
    return made


def _rule_attributes(rule: RuleSpec) -> Params:
    params = given_fields(
        {"Scheduler": rule.scheduler, "SessionExpireTime": rule.session_s, "ForwardType": rule.forward_type}
    )
    check = health_fields(rule.health_check)
    return params | ({"HealthCheck": check} if check else {})


def _host_attributes(host: HostSpec) -> Params:
    """A certificate here means SNI: without it a host has none of its own, and the planner leaves the field UNSET."""
    params = certificate_fields(host.certificate) if isinstance(host.certificate, Certificate) else {}
    params |= given_fields({"Http2": host.http2})
    return params | ({"DefaultServer": True} if host.default is True else {})


def _doomed(step: DeleteRules, bindings: Bindings) -> list[str]:
    """Ids without doubles. A rule of several hosts goes only when all of them are to go."""
    ids = dict.fromkeys(_location_id(RuleRef(step.listener, key), bindings) for key in step.rules)
    doomed = {RuleRef(step.listener, key) for key in step.rules}
    for ref, location in bindings.locations.items():
        if location in ids and ref not in doomed:
            raise Rejected(f"the rule {location} also serves {ref}, which is to stay", reason="RuleServesSeveralHosts")
    return list(_allowed(list(ids), "DeleteRule without ids"))


def _redirect_call(step: MirrorHosts | CreateRedirects | DeleteRedirects, bindings: Bindings) -> Request:
    params = _on(bindings)
    match step:
        case MirrorHosts(hosts):
            _allowed(hosts, "AutoRewrite without domains, which redirects all")
            params |= {
                "ListenerId": _listener_id(MIRROR_TARGET, bindings),
                "Domains": [_domain(host, bindings) for host, _ in hosts],
                "RewriteCodes": [code for _, code in hosts],
                "TakeUrls": [True for _ in hosts],
            }
            return _clb("AutoRewrite", params)
        case CreateRedirects(source, target, pairs):
            params["SourceListenerId"] = _listener_id(source, bindings)
            params["TargetListenerId"] = _listener_id(target, bindings)
            params["RewriteInfos"] = [
                {
                    "SourceLocationId": _location_id(RuleRef(source, pair.source), bindings),
                    "TargetLocationId": _location_id(RuleRef(target, pair.target), bindings),
                    "RewriteCode": pair.code,
                    # Both are mandatory beside a code (RewriteLocationMap).
                    "TakeUrl": pair.keeps_url,
                    "SourceDomain": _domain(pair.source.host, bindings),
                }
                for pair in _allowed(pairs, "ManualRewrite of nothing")
            ]
            return _clb("ManualRewrite", params)
        case DeleteRedirects(source, to, former):
            params["SourceListenerId"] = _listener_id(source, bindings)
            params["TargetListenerId"] = _allowed(to, "DeleteRewrite without its target")
            # A rule of several hosts is one location: it is named once.
            ends = dict.fromkeys(
                (_location_id(RuleRef(source, one.source), bindings), one.location)
                for one in _allowed(former, "DeleteRewrite of nothing")
            )
            params["RewriteInfos"] = [
                {"SourceLocationId": begin, "TargetLocationId": _allowed(end, "DeleteRewrite without its target")}
                for begin, end in ends
            ]
            return _clb("DeleteRewrite", params)


def _target_call(step: RegisterTargets | DeregisterTargets | ModifyWeights, bindings: Bindings) -> Request:
    params = _on(bindings)
    _allowed(step.placements, "a call for no targets")
    match step:
        case RegisterTargets():
            params["Targets"] = [_batched(placement, bindings, weighted=True) for placement in step.placements]
            return _clb("BatchRegisterTargets", params)
        case DeregisterTargets():
            params["Targets"] = [_batched(placement, bindings, weighted=False) for placement in step.placements]
            return _clb("BatchDeregisterTargets", params)
        case ModifyWeights():
            params["ModifyList"] = _weights(step.placements, bindings)
            return _clb("BatchModifyTargetWeight", params)


def _batched(placement: Placement, bindings: Bindings, *, weighted: bool) -> Params:
    return _place(placement.rule, bindings) | target_fields(placement.target, weighted=weighted)


def _weights(placements: Iterable[Placement], bindings: Bindings) -> list[Params]:
    by_rule: dict[RuleRef, list[Params]] = {}
    for placement in placements:
        by_rule.setdefault(placement.rule, []).append(target_fields(placement.target, weighted=True))
    return [_place(rule, bindings) | {"Targets": targets} for rule, targets in by_rule.items()]


def _place(rule: RuleRef, bindings: Bindings) -> Params:
    return {"ListenerId": _listener_id(rule.listener, bindings), "LocationId": _location_id(rule, bindings)}


def _domain(host: str, bindings: Bindings) -> str:
    if host or bindings.default_host:
        return host or bindings.default_host
    raise Conflict("the load balancer's own address is not known: read back first")


def _listener_id(key: ListenerKey, bindings: Bindings) -> str:
    if found := bindings.listeners.get(key):
        return found
    raise Conflict(f"the id of listener {key} is not known: read back first")


def _location_id(ref: RuleRef, bindings: Bindings) -> str:
    if found := bindings.locations.get(ref):
        return found
    raise Conflict(f"the id of rule {ref} is not known: read back first")
