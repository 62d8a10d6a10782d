"""Builders of model values for the unit tests: short words for what a case is about, defaults for all the rest."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from l7lb.model import marks
from l7lb.model.identity import (
    CloudRef,
    Cluster,
    ListenerId,
    ListenerKey,
    LoadBalancerId,
    LocationId,
    Owner,
    RuleKey,
    RuleRef,
)
from l7lb.model.loadbalancer import (
    Certificate,
    DesiredLoadBalancer,
    HealthCheck,
    HostSpec,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
    Presence,
    Redirect,
    RedirectSpec,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET, Maybe, given
from l7lb.model.ownership import Claim, Disposal, Ownership

CLUSTER = Cluster("cls-1", "kube-system-uid")
OWNER = Owner(CLUSTER, "uid-1")
LB = LoadBalancerId("lb-1")
OUR_TAGS: Mapping[str, str] = {
    "tke-createdBy-flag": "yes",
    "tke-clusterId": "cls-1",
    "tke-lb-ingress-uuid": "uid-1",
    "tke-lifecycle-owner": "tke",
    "l7lb-cluster-uid": "kube-system-uid",
}
LENT_TAGS: Mapping[str, str] = {"tke-clusterId": "cls-1", "tke-lb-ingress-uuid": "uid-1"}


def certificate(text: str) -> Certificate:
    """`one`, `rsa+ecc` or `one/ca`."""
    ids, _, ca_id = text.partition("/")
    return Certificate(frozenset(ids.split("+")), ca_id or None)


def target(text: str = "10.0.0.1:30080") -> Target:
    """`10.0.0.1:30080 weight=5 tolerated via=ins-1`, or `gone`, or `steady`; all but the address may be left out."""
    where, *words = text.split()
    address, _, port = where.rpartition(":")
    said = dict(word.partition("=")[::2] for word in words)
    return Target(
        TargetKey(address, int(port)),
        instance_id=said.get("via"),
        weight=int(said["weight"]) if "weight" in said else UNSET,
        presence=next((one for one in Presence if one.value in said), Presence.REQUIRED),
        steady="steady" in said,
    )


def key(text: str) -> RuleKey:
    """`a.example.com/api`, `a.example.com=/exact`, `/` for the nameless host."""
    cut = min(position for mark in "=/" if (position := text.find(mark)) >= 0)
    return RuleKey(text[:cut], text[cut:])


def ref(listener_key: str, rule_key: str) -> RuleRef:
    """A rule of a listener."""
    return RuleRef(ListenerKey.parse(listener_key), key(rule_key))


def rule(
    text: str = "a.example.com/",
    *targets: str | Target,
    known: bool = True,
    endpointless: bool = False,
    check: HealthCheck | None = None,
    scheduler: Maybe[str] = UNSET,
) -> RuleSpec:
    """A rule with its targets in any order."""
    return RuleSpec(
        key(text),
        tuple(target(item) if isinstance(item, str) else item for item in targets),
        targets_known=known,
        endpointless=endpointless,
        health_check=check or HealthCheck(),
        scheduler=scheduler,
    )


def host(name: str, shown: str | None = None, *, default: Maybe[bool] = UNSET, http2: Maybe[bool] = UNSET) -> HostSpec:
    """A host; `shown` is its certificate, None says nothing of it."""
    return HostSpec(name, certificate(shown) if shown else UNSET, http2=http2, default=default)


def listener(
    text: str = "HTTP:80",
    *rules: RuleSpec,
    hosts: Iterable[HostSpec] = (),
    shown: str | None = None,
    name: Maybe[str] = UNSET,
    sni: Maybe[bool] = UNSET,
    keepalive: Maybe[bool] = UNSET,
) -> ListenerSpec:
    """A desired listener; hosts that are not given come from the rules, each with the certificate `shown`."""
    said = {item.host: item for item in hosts}
    for item in rules:
        said.setdefault(item.key.host, host(item.key.host, shown if text.startswith("HTTPS") else None))
    return ListenerSpec(
        ListenerKey.parse(text),
        name=name,
        sni=sni,
        keepalive=keepalive,
        hosts=tuple(said.values()),
        rules=rules,
    )


def desired(*listeners: ListenerSpec, **attributes: object) -> DesiredLoadBalancer:
    """What an Ingress asks for."""
    return replace(DesiredLoadBalancer(listeners=listeners), **attributes)  # type: ignore[arg-type]  # a builder


def head(
    load_balancer: str = LB,
    tags: Mapping[str, str] | None = None,
    *,
    application: bool = True,
    security_groups: Iterable[str] = (),
    pass_to_target: bool = False,
    delete_protection: bool = False,
) -> LoadBalancerHead:
    """A running public load balancer, created by us unless `tags` says something else."""
    return LoadBalancerHead(
        CloudRef("ap-guangzhou", LoadBalancerId(load_balancer)),
        name="demo",
        running=True,
        application=application,
        vips=("203.0.113.10",),
        vpc_id="vpc-1",
        tags=OUR_TAGS if tags is None else tags,
        security_groups=frozenset(security_groups),
        pass_to_target=pass_to_target,
        delete_protection=delete_protection,
    )


def redirect(text: str) -> RedirectSpec:
    """`HTTP:80 a.example.com/ -> HTTPS:443 a.example.com/ 301 mirrored`; code and `mirrored` may be left out."""
    source, _, rest = text.partition(" -> ")
    listener_key, rule_key, *words = rest.split()
    codes = [int(word) for word in words if word.isdigit()]
    return RedirectSpec(
        ref(*source.split(" ", 1)),
        ref(listener_key, rule_key),
        code=codes[0] if codes else UNSET,
        mirrored="mirrored" in words,
    )


def _leads(text: str) -> Redirect:
    to, to_rule, *words = text.split()
    codes = [int(word) for word in words if word.isdigit()]
    return Redirect(
        listener_id(ListenerKey.parse(to)),
        location_id(ref(to, to_rule)),
        codes[0] if codes else None,
        automatic="auto" in words,
    )


def there(spec: ListenerSpec, redirects: Mapping[str, str] | None = None) -> ObservedListener:
    """The listener as the cloud shows it: ids given, nothing UNSET that the cloud has a value for.

    `redirects`: rule -> `HTTPS:443 a.example.com/ 301 auto`; code and `auto` may be left out.
    """
    own = given(spec.certificate, None) or next((c for h in spec.hosts if (c := given(h.certificate, None))), None)
    default = next((item.host for item in spec.hosts if item.default is True), spec.hosts[0].host if spec.hosts else "")
    hosts = tuple(
        replace(
            item,
            certificate=given(item.certificate, own),
            http2=given(item.http2, False),
            default=item.host == default,
        )
        for item in spec.hosts
    )
    rules = tuple(
        replace(item, targets=tuple(sorted((_bound(t) for t in item.targets), key=lambda t: t.key)))
        for item in spec.rules
    )
    return ObservedListener(
        listener_id(spec.key),
        replace(
            spec,
            name=given(spec.name, marks.LISTENER_NAME),
            certificate=own,
            sni=given(spec.sni, False),
            keepalive=given(spec.keepalive, False),
            hosts=hosts,
            rules=rules,
        ),
        locations={item.key: location_id(RuleRef(spec.key, item.key)) for item in rules},
        redirects={key(source): _leads(text) for source, text in (redirects or {}).items()},
    )


def observed(*listeners: ListenerSpec | ObservedListener, on: LoadBalancerHead | None = None) -> ObservedLoadBalancer:
    """A load balancer as it was read."""
    return ObservedLoadBalancer(
        on or head(), tuple(item if isinstance(item, ObservedListener) else there(item) for item in listeners)
    )


def claim(
    ownership: Ownership = Ownership.CREATED, *listeners: str, native: bool = True, load_balancer: str = LB
) -> Claim:
    """A claim on the listeners that are named."""
    disposals = {Ownership.CREATED: Disposal.DELETE_LOAD_BALANCER}
    release = {Ownership.KEPT, Ownership.ADOPTED}
    return Claim(
        LoadBalancerId(load_balancer),
        ownership,
        reason=f"{ownership.value}, says the test",
        disposal=disposals.get(ownership, Disposal.RELEASE_LISTENERS if ownership in release else Disposal.LEAVE),
        listeners=frozenset(ListenerKey.parse(text) for text in listeners),
        native=native,
    )


def listener_id(of: ListenerKey) -> ListenerId:
    """The id that these builders give a listener."""
    return ListenerId(f"lbl-{of}")


def location_id(of: RuleRef) -> LocationId:
    """The id that these builders give a rule."""
    return LocationId(f"loc-{of}")


def _bound(item: Target) -> Target:
    return replace(item, weight=given(item.weight, 10), presence=Presence.REQUIRED)
