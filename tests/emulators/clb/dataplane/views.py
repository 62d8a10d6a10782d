"""What the control plane hands to the data plane: frozen, comparable values in the cloud's own words.

No behaviour belongs here. Defaults are those of the CreateRule page, so that a test names only what matters.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TargetView:
    """One bound target; weight 0-100, 0 takes no new requests (RegisterTargets page)."""

    ip: str
    port: int
    weight: int


@dataclass(frozen=True, slots=True)
class HealthView:
    """Health check of a rule (HealthCheck structure).

    Seconds for ``interval`` and ``timeout``; ``http_code`` is the bit mask 1=1xx, 2=2xx, 4=3xx, 8=4xx, 16=5xx.
    An empty ``domain`` means the domain of the rule.
    """

    enabled: bool = True
    interval: float = 5
    timeout: float = 2
    healthy_num: int = 3
    unhealthy_num: int = 3
    path: str = "/"
    domain: str = ""
    method: str = "HEAD"
    http_code: int = 31
    check_type: str = "HTTP"


@dataclass(frozen=True, slots=True)
class RedirectView:
    """Where a redirect rule points: protocol, port, domain and URL are those of the target rule.

    With ``take_url`` the request's own path and query are kept; else the target rule's URL is used.
    """

    code: int
    protocol: str
    port: int
    domain: str
    url: str
    take_url: bool


@dataclass(frozen=True, slots=True)
class RuleView:
    """One forwarding rule. A rule with several domains is several views with one id."""

    id: str
    domain: str
    url: str
    default_server: bool = False
    certificate_id: str | None = None
    scheduler: str = "WRR"
    session_seconds: int = 0
    http2: bool = False
    forward_type: str = "HTTP"
    health: HealthView = HealthView()
    redirect: RedirectView | None = None
    targets: tuple[TargetView, ...] = ()


@dataclass(frozen=True, slots=True)
class ListenerView:
    """One layer-7 listener. ``rules`` are in order of creation: regular expressions are tried in that order."""

    id: str
    protocol: str
    port: int
    certificate_id: str | None = None
    sni: bool = False
    rules: tuple[RuleView, ...] = ()


@dataclass(frozen=True, slots=True)
class LbView:
    """One load balancer and the address it is served on."""

    id: str
    vip: str
    listeners: tuple[ListenerView, ...] = ()
