"""The things that the cloud holds, as mutable records. No rules: those are in the actions and in ``cloud``."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Target:
    """A bound backend: its natural key in a rule is (ip, port)."""

    ip: str
    port: int
    weight: int
    instance_id: str = ""
    eni_id: str = ""
    name: str = ""
    tag: str = ""
    registered_at: float = 0.0


@dataclass(slots=True)
class Redirect:
    listener_id: str
    location_id: str
    code: int
    take_url: bool
    kind: str
    """``Manual`` or ``Auto``."""


@dataclass(frozen=True, slots=True)
class CertificateSet:
    """What is bound to a listener or a host: the first server id, ids of other algorithms, and the client CA."""

    server_ids: tuple[str, ...]
    mutual: bool = False
    verify_client: str = "ON"
    ca_id: str = ""


@dataclass(slots=True)
class Rule:
    id: str
    domains: tuple[str, ...]
    url: str
    health: dict[str, Any]
    scheduler: str = "WRR"
    session_s: int = 0
    forward_type: str = "HTTP"
    http2: bool = False
    quic: bool = False
    certificate: CertificateSet | None = None
    cookie_name: str = ""
    oauth: dict[str, Any] | None = None
    target_type: str = "NODE"
    auto_created: bool = False
    gzip: bool = True
    """Set in the console only, as the next one: no action of the API changes them (RuleOutput: HttpGzip)."""
    waf_domain: str = ""
    """RuleOutput: WafDomainId."""
    created_at: float = 0.0
    redirect: Redirect | None = None
    targets: list[Target] = field(default_factory=list)

    def target(self, ip: str, port: int) -> Target | None:
        return next((item for item in self.targets if item.ip == ip and item.port == port), None)


@dataclass(slots=True)
class Listener:
    id: str
    name: str
    protocol: str
    port: int
    end_port: int = 0
    certificate: CertificateSet | None = None
    sni: bool = False
    keepalive: int = 0
    health: dict[str, Any] | None = None
    scheduler: str = "WRR"
    session_s: int = 0
    default_domain: str = ""
    attributes: list[str] = field(default_factory=list)
    compress_mode: str = "transparent"
    created_at: float = 0.0
    rules: dict[str, Rule] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    """Only of listeners on layer 4, which have no rules."""

    @property
    def layer7(self) -> bool:
        return self.protocol in ("HTTP", "HTTPS", "QUIC")

    def rule_of(self, domain: str, url: str) -> Rule | None:
        return next((rule for rule in self.rules.values() if domain in rule.domains and rule.url == url), None)

    def rules_of(self, domain: str) -> list[Rule]:
        return [rule for rule in self.rules.values() if domain in rule.domains]

    def bound(self) -> int:
        return len(self.targets) + sum(len(rule.targets) for rule in self.rules.values())


@dataclass(frozen=True, slots=True)
class TagsSeen:
    """Tags as they became visible: inline in answers about the load balancer, and to filters (both may lag)."""

    inline_from: float
    filter_from: float
    tags: dict[str, str]


@dataclass(slots=True)
class LoadBalancer:
    id: str
    region: str
    name: str
    kind: str
    """``OPEN`` or ``INTERNAL``."""
    created_at: float
    vip: str
    """The loopback address that stands for the VIP; a domain-based load balancer has one, but does not show it."""
    serial: int = 0
    status: int = 0
    status_at: float = 0.0
    forward: int = 1
    domain: str = ""
    ipv6: str = ""
    ipv6_mode: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    zone: str = ""
    charge_type: str = "POSTPAID_BY_HOUR"
    internet: dict[str, Any] = field(default_factory=dict)
    isp: str = "BGP"
    sla: str = ""
    project_id: int = 0
    pass_to_target: bool = False
    snat_pro: bool = False
    delete_protect: bool = False
    operate_protect: str = ""
    """Who switched modification protection on; ``""``: it is off."""
    endpoint: str = ""
    """The PrivateLink endpoint that uses it."""
    security_groups: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    tags_seen: list[TagsSeen] = field(default_factory=list)
    traffic_mbps: float = 0.0
    eip_traffic_mbps: float = 0.0
    log_set: str = ""
    """Access logs, by their owner (LoadBalancer: LogSetId, LogTopicId)."""
    log_topic: str = ""
    config_id: str = ""
    """Customised configuration, by its owner (LoadBalancer: ConfigId)."""
    free_at: float = 0.0
    """Until then busy without a task that anybody could poll (Batch calls: open point)."""
    listeners: dict[str, Listener] = field(default_factory=dict)

    def bound(self) -> int:
        return sum(listener.bound() for listener in self.listeners.values())

    def tags_at(self, now: float, *, for_filter: bool) -> dict[str, str]:
        """The tags that a reader sees at ``now``."""
        seen: dict[str, str] = {}
        for entry in self.tags_seen:
            if (entry.filter_from if for_filter else entry.inline_from) <= now:
                seen = entry.tags
        return seen


@dataclass(frozen=True, slots=True)
class Certificate:
    """An entry of the certificate store. ``pem`` and ``key_pem`` are what the data plane serves, and may be absent."""

    id: str
    kind: str = "SVR"
    algorithm: str = "RSA"
    domain: str = "example.com"
    names: tuple[str, ...] = ()
    status: int = 1
    """1 issued, 3 expired (ssl DescribeCertificateDetail page)."""
    alias: str = ""
    end_time: str = "2036-01-01 00:00:00"
    pem: str = ""
    key_pem: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    id: str
    ip: str
    name: str = "node"
    region: str = "ap-guangzhou"
    zone: str = "ap-guangzhou-3"
    vpc_id: str = "vpc-00000001"
    state: str = "RUNNING"


@dataclass(slots=True)
class Subnet:
    id: str
    vpc_id: str = "vpc-00000001"
    cidr: str = "10.0.0.0/16"
    region: str = "ap-guangzhou"
    zone: str = "ap-guangzhou-3"
    free_addresses: int = 250
