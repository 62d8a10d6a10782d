"""The load balancer: the specs that desired and observed share, and the observed state with its ids.

A difference between the two worlds is `!=` on these values after `over` filled the gaps of the desired side. Field
names are ours; the wire names stand only in `adapters/clb`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LocationId, RuleKey, RuleRef
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.site import Family


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A rule's health check; times in seconds (RuleInput.HealthCheck)."""

    enabled: Maybe[bool] = UNSET
    timeout_s: Maybe[int] = UNSET
    interval_s: Maybe[int] = UNSET
    healthy_num: Maybe[int] = UNSET
    unhealthy_num: Maybe[int] = UNSET
    http_code: Maybe[int] = UNSET
    """Bit sum: 1=1xx 2=2xx 4=3xx 8=4xx 16=5xx."""
    path: Maybe[str] = UNSET
    host: Maybe[str] = UNSET
    method: Maybe[str] = UNSET
    check_type: Maybe[str] = UNSET
    source_ip_type: Maybe[int] = UNSET
    port: Maybe[int] = UNSET


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an HTTPS host shows. Two server ids mean two key algorithms; a CA id means mutual TLS."""

    ids: frozenset[str]
    ca_id: str | None = None

    @property
    def mutual(self) -> bool:
        """Whether clients must show a certificate of their own."""
        return self.ca_id is not None


class Presence(Enum):
    """What is wanted of a target."""

    REQUIRED = "required"
    """It is bound, or will be."""
    TOLERATED = "tolerated"
    """Not added; left alone while it is bound (a cordoned, excluded or shortly NotReady node). With a weight of 0: a
    pod that terminates or is not ready."""
    GONE = "gone"
    """Nobody is there any more, or somebody else: taken off before anything else happens."""


@dataclass(frozen=True, slots=True, order=True)
class TargetKey:
    """Where traffic goes: (private IP, port), however it was bound."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a rule. On the observed side `presence` is always REQUIRED and `weight` a number."""

    key: TargetKey
    instance_id: str | None = None
    """CVM id (`ins-...`) through which it is bound; None: bound by address (EniIp)."""
    weight: Maybe[int] = UNSET
    """0-100. UNSET: our 10 at creation, then whatever it is, only that a REQUIRED one comes back from 0."""
    presence: Presence = Presence.REQUIRED
    suspect: bool = False
    """Desired only: weight 0, unless the cloud's own check calls it healthy or it is the rule's last."""
    steady: bool = False
    """Desired only: what its weight should be cannot be read, so it stays as it is, also at 0."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a rule sends its clients instead of forwarding; target listener and rule may be unknown (None)."""

    listener: ListenerId
    location: LocationId
    code: int | None = None
    automatic: bool = False
    """Made by AutoRewrite. Not compared: it decides which call can add another one to the host."""


@dataclass(frozen=True, slots=True)
class RedirectSpec:
    """One redirect that an annotation declares: clients of `source` are sent to `target`."""

    source: RuleRef
    target: RuleRef
    code: Maybe[int] = UNSET
    """301, 302 or 307 (ManualRewrite page). UNSET: 302 at creation, then whatever it is."""
    mirrored: bool = False
    """Declared by `auto-rewrite`: the same host and path on HTTPS:443; AutoRewrite may make it."""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One forwarding rule without its targets' order: targets are sorted by key."""

    key: RuleKey
    targets: tuple[Target, ...] = ()
    targets_known: bool = True
    """False: the right targets cannot be told now (failed read, unsynced cache); they are frozen."""
    endpointless: bool = False
    """Its Service has no endpoint, seen in synced slices: to have no target is right. Only the guard asks."""
    health_check: HealthCheck = HealthCheck()
    scheduler: Maybe[str] = UNSET
    session_s: Maybe[int] = UNSET
    """Sticky sessions, seconds; 0: none."""
    sticky: Maybe[bool] = UNSET
    """Desired only: with `session_s` UNSET, sessions are on, as long as they are now, and 30 s where there are none."""
    forward_type: Maybe[str] = UNSET


@dataclass(frozen=True, slots=True)
class HostSpec:
    """What belongs to a host as a whole on one listener."""

    host: str
    certificate: Maybe[Certificate | None] = UNSET
    """The *effective* certificate, wherever it is bound. None: none (HTTP)."""
    http2: Maybe[bool] = UNSET
    default: Maybe[bool] = UNSET
    """Whether unknown hosts are served by this one. Only enforced where it is declared."""


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """One listener. `certificate` is its own (SNI off, or the SNI default); hosts carry the effective one."""

    key: ListenerKey
    name: Maybe[str] = UNSET
    certificate: Maybe[Certificate | None] = UNSET
    sni: Maybe[bool] = UNSET
    """Desired True: on from its creation, although one certificate may do. Never compared: it cannot be undone."""
    keepalive: Maybe[bool] = UNSET
    snat: Maybe[bool] = UNSET
    hosts: tuple[HostSpec, ...] = ()
    rules: tuple[RuleSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateSpec:
    """What goes into the create call and is never compared again (`NotApplied` when edited later)."""

    internal_subnet: str | None = None
    """Subnet id: an internal load balancer; None: a public one."""
    region: str = ""
    """Empty: the cluster's."""
    vpc_id: str = ""
    name: str = ""
    charge_type: str | None = None
    bandwidth_mbps: int | None = None
    extensive: tuple[tuple[str, str], ...] = ()
    """`extensiveParameters` field by field, sorted: (API field, its value as JSON text)."""
    tags: tuple[tuple[str, str], ...] = ()
    """Tags of the user; those of the ledger are added by the planner's caller and win."""
    snat_ips: tuple[tuple[str, str], ...] = ()
    """SNAT Pro: (subnet, address or empty: any) each; none: it is off."""


@dataclass(frozen=True, slots=True)
class DesiredLoadBalancer:
    """What the members of a binding ask for, complete with creation parameters."""

    create: CreateSpec = CreateSpec()
    listeners: tuple[ListenerSpec, ...] = ()
    redirects: Maybe[tuple[RedirectSpec, ...]] = UNSET
    """All redirects from listeners of ours, sorted by source; their sources are no `rules`. UNSET: no annotation asks,
    so redirects are left alone."""
    security_groups: Maybe[frozenset[str]] = UNSET
    pass_to_target: Maybe[bool] = UNSET
    delete_protection: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class LoadBalancerHead:
    """A load balancer without its listeners: one entry of `DescribeLoadBalancers`."""

    ref: CloudRef
    name: str
    running: bool
    """False while it is being created."""
    application: bool = True
    """False: a classic one, which cannot carry HTTP listeners."""
    vips: tuple[str, ...] = ()
    """IPv4 VIPs; the IPv6 one is in `ipv6`."""
    ipv6: str = ""
    hostname: str = ""
    """The name of a domain-based load balancer, else empty."""
    family: Family = Family.IPV4
    vpc_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    security_groups: frozenset[str] = frozenset()
    pass_to_target: bool = False
    snat_pro: bool = False
    delete_protection: bool = False
    modification_protection: Maybe[bool] = UNSET
    """UNSET: not asked for, it takes a call of its own (DescribeLBOperateProtect)."""
    private_link: bool = False
    isolated: bool = False
    created: str = ""


@dataclass(frozen=True, slots=True)
class ObservedListener:
    """A listener as read back: its spec and the ids behind the keys."""

    id: ListenerId
    spec: ListenerSpec
    locations: Mapping[RuleKey, LocationId] = field(default_factory=dict)
    redirects: Mapping[RuleKey, Redirect] = field(default_factory=dict)
    """Rules of this listener that redirect."""


@dataclass(frozen=True, slots=True)
class ObservedLoadBalancer:
    """All that was read of one load balancer; `listeners` is everything on it, ours or not."""

    head: LoadBalancerHead
    listeners: tuple[ObservedListener, ...] = ()
