"""Answers of the cloud -> the model: every field becomes a value, defaults of the cloud are filled in, order is fixed.

The other direction is `steps`. No call is made here, and nothing is decided.
"""

from collections.abc import Iterable, Mapping

from l7lb.adapters.clb import wire, wire_targets
from l7lb.errors import Unavailable
from l7lb.model.cloud import Health, TargetHealth, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LoadBalancerId, LocationId, RuleKey
from l7lb.model.loadbalancer import (
    Certificate,
    HealthCheck,
    HostSpec,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    Redirect,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.quotas import Quota
from l7lb.model.site import Family
from l7lb.model.snapshot import Limits

LocationTargets = Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]
LocationHealth = Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]

_WEIGHT = 10
"""What a target has when nothing was said (Target.Weight)."""


def head(region: str, entry: wire.LoadBalancer) -> LoadBalancerHead:
    """One entry of DescribeLoadBalancers."""
    flags = entry.attribute_flags or ()
    return LoadBalancerHead(
        ref=CloudRef(region, LoadBalancerId(entry.load_balancer_id)),
        name=entry.load_balancer_name or "",
        running=entry.status == 1,
        application=entry.forward != 0,
        vips=entry.load_balancer_vips or (),
        ipv6=entry.address_ipv6 or "",
        hostname=entry.load_balancer_domain or entry.domain or "",
        family=_family(entry),
        vpc_id=entry.vpc_id or "",
        tags={tag.tag_key: tag.tag_value or "" for tag in entry.tags or ()},
        security_groups=frozenset(entry.secure_groups or ()),
        pass_to_target=bool(entry.load_balancer_pass_to_target),
        snat_pro=bool(entry.snat_pro),
        delete_protection="DeleteProtect" in flags,
        private_link=bool(entry.associate_endpoint),
        isolated=entry.isolation == 1,
        created=entry.create_time or "",
    )


def _family(entry: wire.LoadBalancer) -> Family:
    """AddressIPVersion says ipv4 or ipv6, IPv6Mode which of the two kinds of ipv6."""
    if (entry.address_ip_version or "ipv4").lower() == "ipv4":
        return Family.IPV4
    full_chain = (entry.ipv6_mode or "").lower() == Family.FULL_CHAIN.value
    return Family.FULL_CHAIN if full_chain else Family.NAT64


def listener(owner: LoadBalancerHead, entry: wire.Listener) -> ObservedListener:
    """One entry of DescribeListeners; a rule of several domains gives one rule a domain, with one id."""
    sni = entry.sni_switch == 1
    own = certificate(entry.certificate)
    key = ListenerKey(entry.protocol, entry.port)
    keyed = sorted(_keyed(owner, entry.rules or ()), key=lambda pair: pair[0])
    spec = ListenerSpec(
        key=key,
        name=entry.listener_name or "",
        certificate=own,
        sni=sni,
        keepalive=entry.keepalive_enable == 1,
        snat="SnatEnable" in (entry.attr_flags or ()),
        hosts=_hosts(keyed, own, sni=sni),
        rules=tuple(_rule(key, rule) for key, rule in keyed),
    )
    redirects = {key: _redirect(rule.rewrite_target) for key, rule in keyed}
    return ObservedListener(
        id=ListenerId(entry.listener_id),
        spec=spec,
        locations={key: LocationId(rule.location_id) for key, rule in keyed},
        redirects={key: redirect for key, redirect in redirects.items() if redirect is not None},
    )


def certificate(entry: wire.Certificate | None) -> Certificate | None:
    """What is bound; None when there is no server certificate."""
    if entry is None or not entry.cert_id:
        return None
    ids = frozenset((entry.cert_id, *(entry.ext_cert_ids or ())))
    return Certificate(ids, entry.cert_ca_id or None if entry.ssl_mode == "MUTUAL" else None)


def health_check(entry: wire.HealthCheck | None) -> HealthCheck:
    """A rule's check; a null reads as the documented default."""
    shown = entry or wire.HealthCheck()
    return HealthCheck(
        enabled=shown.health_switch != 0,
        timeout_s=_or(shown.time_out, 2),
        interval_s=_or(shown.interval_time, 5),
        healthy_num=_or(shown.health_num, 3),
        unhealthy_num=_or(shown.un_health_num, 3),
        http_code=_or(shown.http_code, 31),
        path=shown.http_check_path or "/",
        host=shown.http_check_domain or "",
        method=(shown.http_check_method or "HEAD").upper(),
        check_type=(shown.check_type or "HTTP").upper(),
        source_ip_type=_or(shown.source_ip_type, 0),
        port=_or(shown.check_port, 0),
    )


def targets(answer: wire_targets.Targets) -> LocationTargets:
    """DescribeTargets, bound to rules only; sorted by key. Raises Unavailable for a target without an address."""
    return {
        (ListenerId(listener.listener_id), LocationId(rule.location_id)): tuple(
            sorted((_target(backend) for backend in rule.targets or ()), key=lambda target: target.key)
        )
        for listener in answer.listeners or ()
        for rule in listener.rules or ()
    }


def health(region: str, answer: wire_targets.Health) -> LocationHealth:
    """DescribeTargetHealth by load balancer, listener and rule; sorted by key."""
    return {
        (
            CloudRef(region, LoadBalancerId(balancer.load_balancer_id)),
            ListenerId(listener.listener_id),
            LocationId(rule.location_id),
        ): tuple(sorted(map(_target_health, rule.targets or ()), key=lambda target: target.key))
        for balancer in answer.load_balancers or ()
        for listener in balancer.listeners or ()
        for rule in listener.rules or ()
    }


def limits(answer: wire.Quotas) -> Limits:
    """DescribeQuota; a quota that is not named is the documented one."""
    rows = {row.quota_id: row for row in answer.quota_set or ()}
    default = Limits()

    def limit(quota: Quota, otherwise: int) -> int:
        return _or(rows[quota].quota_limit if quota in rows else None, otherwise)

    return Limits(
        listeners_per_load_balancer=limit(Quota.LISTENERS, default.listeners_per_load_balancer),
        rules_per_listener=limit(Quota.RULES, default.rules_per_listener),
        targets_per_rule=limit(Quota.TARGETS, default.targets_per_rule),
        public_load_balancers=limit(Quota.PUBLIC, default.public_load_balancers),
        internal_load_balancers=limit(Quota.INTERNAL, default.internal_load_balancers),
        public_used=rows[Quota.PUBLIC].quota_current if Quota.PUBLIC in rows else None,
        internal_used=rows[Quota.INTERNAL].quota_current if Quota.INTERNAL in rows else None,
    )


def task(answer: wire.Task) -> TaskState:
    """DescribeTaskStatus; raises Unavailable for a status that its page does not name."""
    if answer.status not in (0, 1, 2):
        raise Unavailable(f"DescribeTaskStatus: status {answer.status} is not described")
    ids = tuple(LoadBalancerId(found) for found in answer.load_balancer_ids or ())
    return TaskState(TaskStatus(answer.status), answer.message or "", ids)


def _keyed(owner: LoadBalancerHead, rules: Iterable[wire.Rule]) -> list[tuple[RuleKey, wire.Rule]]:
    own_names = {*owner.vips, owner.hostname}
    found: list[tuple[RuleKey, wire.Rule]] = []
    for rule in rules:
        hosts = rule.domains or (rule.domain or "",)
        found += [(RuleKey("" if host in own_names else host, rule.url or "/"), rule) for host in dict.fromkeys(hosts)]
    return found


def _hosts(keyed: Iterable[tuple[RuleKey, wire.Rule]], own: Certificate | None, *, sni: bool) -> tuple[HostSpec, ...]:
    """One entry a host. Its certificate is the rules' under SNI, else (or when they have none) the listener's."""
    by_host: dict[str, list[wire.Rule]] = {}
    for key, rule in keyed:
        by_host.setdefault(key.host, []).append(rule)
    return tuple(
        HostSpec(
            host=host,
            certificate=next(filter(None, (certificate(rule.certificate) for rule in rules if sni)), own),
            http2=any(rule.http2 for rule in rules),
            default=any(rule.default_server for rule in rules),
        )
        for host, rules in sorted(by_host.items())
    )


def _rule(key: RuleKey, entry: wire.Rule) -> RuleSpec:
    return RuleSpec(
        key=key,
        health_check=health_check(entry.health_check),
        scheduler=(entry.scheduler or "WRR").upper(),
        session_s=_or(entry.session_expire_time, 0),
        forward_type=(entry.forward_type or "HTTP").upper(),
    )


def _redirect(entry: wire.RewriteTarget | None) -> Redirect | None:
    if entry is None or not (entry.target_listener_id or entry.target_location_id):
        return None
    return Redirect(
        ListenerId(entry.target_listener_id or ""),
        LocationId(entry.target_location_id or ""),
        entry.rewrite_code or None,
        automatic=(entry.rewrite_type or "").upper() == "AUTO",
    )


def _target(entry: wire_targets.Backend) -> Target:
    if not entry.private_ip_addresses:
        # Skipping it would make it look unbound, and its key is its address: better no observation than that.
        raise Unavailable(f"DescribeTargets: a target without an address ({entry.instance_id or entry.type})")
    by_instance = (entry.type or "").upper() == "CVM" and (entry.instance_id or "").startswith("ins-")
    return Target(
        key=TargetKey(entry.private_ip_addresses[0], entry.port),
        instance_id=entry.instance_id if by_instance else None,
        weight=_or(entry.weight, _WEIGHT),
    )


def _target_health(entry: wire_targets.TargetHealth) -> TargetHealth:
    known = {status.value.lower(): status for status in Health}
    said = known.get((entry.health_status_detail or "").lower())
    if said is None:
        said = Health.ALIVE if entry.health_status else Health.UNKNOWN
    return TargetHealth(TargetKey(entry.ip, entry.port), said, entry.weight)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
