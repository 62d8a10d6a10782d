"""All that the translator may look at for one binding: a frozen cut through the stores, and the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.cluster import Ingress, IngressClass, Node, Secret, Service, TkeServiceConfig
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import DesiredLoadBalancer
from l7lb.model.pods import Pod
from l7lb.model.problems import Held, Problem
from l7lb.model.site import Site


class Verdict(Enum):
    """Whether an Ingress is ours by its class."""

    OURS = "ours"
    NOT_OURS = "not ours"
    UNKNOWN = "unknown"
    """Cannot be told: hold everything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas of the account, from DescribeQuota; the defaults are the documented ones."""

    listeners_per_load_balancer: int = 50
    rules_per_listener: int = 50
    targets_per_rule: int = 100
    public_load_balancers: int = 100
    internal_load_balancers: int = 100
    """Of a region."""
    public_used: int | None = None
    internal_used: int | None = None
    """How many there are, whoever made them, as of the last look and with what we have ordered since; None: the cloud
    does not say."""
    rules_per_call: int = 50
    """Rules in one CreateRule or DeleteRule, redirects in one ManualRewrite or DeleteRewrite; no page names a bound, so
    it shrinks when the cloud refuses a list."""


@dataclass(frozen=True, slots=True)
class Switches:
    """TKE's cluster-wide switches: ConfigMap `kube-system/tke-service-controller-config` (contract, section 8.9)."""

    global_route_direct_access: bool = False
    default_direct_access: bool = False
    pod_graceful_deletion: bool = False
    node_graceful_deletion: bool = False
    default_modification_protection: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of the configuration that decides how an Ingress is read."""

    cluster_id: str
    region: str
    vpc_id: str = ""
    manage_classless: bool = True
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Objects that the Ingress names, as far as they exist. A name that is in none of the mappings does not exist.

    `unread` lists kinds (`Service`, `Node`, `Secret`, ...) whose cache is not synced or whose read failed: what they
    would say is unknown, which is never the same as gone.
    """

    ingress: Ingress
    now: float
    """Wall clock, seconds since the epoch (compared with lastTransitionTime only)."""
    services: Mapping[ObjectKey, Service] = field(default_factory=dict)
    slices: Mapping[ObjectKey, tuple[EndpointSlice, ...]] = field(default_factory=dict)
    pods: Mapping[ObjectKey, Pod] = field(default_factory=dict)
    """Pods behind the endpoints of `slices`, as far as they exist, and those of the namespace that terminate; only
    where pods are targets."""
    reused: frozenset[str] = frozenset()
    """Addresses of terminating pods that another pod has been given already."""
    nodes: tuple[Node, ...] = ()
    secrets: Mapping[ObjectKey, Secret] = field(default_factory=dict)
    configs: Mapping[ObjectKey, TkeServiceConfig] = field(default_factory=dict)
    classes: Mapping[str, IngressClass] = field(default_factory=dict)
    services_gone_since: Mapping[ObjectKey, float] = field(default_factory=dict)
    """Services proven deleted (live 404, caches synced), by the wall clock when they were seen to go."""
    proof_in_s: float | None = None
    """Seconds until one more that is missing may be proven so; None: there is none."""
    unread: frozenset[str] = frozenset()
    switches: Switches = Switches()
    site: Site | None = None
    """Of the load balancer in use; None: not known yet, then the annotations tell what one made for them is like."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What an Ingress asks for, what is held, and what its author should hear.

    `refusal`: the whole Ingress is refused; `desired` is then None and everything is held.
    """

    desired: DesiredLoadBalancer | None
    held: Held = field(default_factory=Held)
    problems: tuple[Problem, ...] = ()
    refusal: Problem | None = None
    site: Site = field(default_factory=Site)
    """Of which load balancer this is true."""
    again_s: float | None = None
    """Seconds until time alone changes the answer (a grace of a node or Service ends); None: only a change does."""
    create_refusal: Problem | None = None
    """The creation parameters are bad: nothing is bought or adopted while it stands; a load balancer that is there goes
    on with `desired`. It is one of `problems` too."""
