"""The form of a TkeServiceConfig's spec: names, ranges and words, once for reading and for the cluster's definition.

Ranges are the cloud's (CreateRule and CreateListener pages), which are TKE's or wider: what is read back from a load
balancer can always be written down. Both spellings, `enable` and `enabled`, are known to whoever reads a form. Nothing
is checked in here.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

ALIASES: Final = {"enabled": "enable"}
"""Spelling of the first edition -> the one of today (contract, section 6.2)."""
GRPC: Final = frozenset({"GRPC", "GRPCS"})

Port = Annotated[int, Meta(ge=1, le=65535)]
Host = Annotated[str, Meta(max_length=80)]
Flag = Literal[0, 1]


class Part(msgspec.Struct, frozen=True, gc=False, rename="camel", kw_only=True):
    """Base: camelCase in the object. None means that nobody says anything; a field without a default is required."""


class Session(Part, frozen=True):
    """Sticky sessions by cookie."""

    enable: Annotated[bool, Meta(description="Whether a client comes back to the same target.")]
    session_expire_time: Annotated[int, Meta(ge=30, le=86400, description="Seconds; 30 when left out.")] | None = None


class HealthCheck(Part, frozen=True):
    """The rule's health check. A field that is left out stays as it is on the load balancer."""

    enable: Annotated[bool, Meta(description="Whether targets are checked.")]
    interval_time: Annotated[int, Meta(ge=2, le=300, description="Seconds from one check to the next.")] | None = None
    timeout: Annotated[int, Meta(ge=2, le=60, description="Seconds; not more than intervalTime.")] | None = None
    health_num: Annotated[int, Meta(ge=2, le=10, description="Good checks until a target is healthy.")] | None = None
    un_health_num: Annotated[int, Meta(ge=2, le=10, description="Bad checks until it is not.")] | None = None
    http_code: (
        Annotated[int, Meta(ge=1, le=31, description="Good codes: 1 for 1xx, 2 for 2xx, 4, 8, 16; added up.")] | None
    ) = None
    http_check_path: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^/[a-zA-Z0-9.\-_/=?:]*$")] | None = (
        None
    )
    http_check_domain: (
        Annotated[
            str,
            Meta(
                max_length=80,
                pattern=r"^[a-zA-Z0-9.\-_]*$",
                description="Host that is asked for; needed where the rule's own has a wildcard.",
            ),
        ]
        | None
    ) = None
    http_check_method: Literal["HEAD", "GET"] | None = None
    check_type: Literal["HTTP", "HTTPS", "TCP", "GRPC"] | None = None
    check_port: Annotated[int, Meta(ge=1, le=65535, description="Port, if not the target's own.")] | None = None
    source_ip_type: Annotated[Flag, Meta(description="0: checks come from the VIP; 1: from 100.64.0.0/10.")] | None = (
        None
    )


class Rule(Part, frozen=True):
    """Settings of one forwarding rule."""

    url: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="Path of the rule; of an Exact one also with = before it."),
    ]
    forward_type: (
        Annotated[
            Literal["HTTP", "HTTPS", "GRPC", "GRPCS"],
            Meta(description="Protocol from the load balancer to its targets."),
        ]
        | None
    ) = None
    scheduler: Literal["WRR", "LEAST_CONN", "IP_HASH"] | None = None
    session: Session | None = None
    health_check: HealthCheck | None = None


class Domain(Part, frozen=True):
    """Settings of one host."""

    domain: Annotated[Host, Meta(description="The host; empty for rules without one.")]
    http2: Annotated[bool, Meta(description="HTTP/2 for clients; HTTPS only.")] | None = None
    rules: tuple[Rule, ...] | None = None


class Listener(Part, frozen=True):
    """Settings of one HTTP or HTTPS listener."""

    protocol: Literal["HTTP", "HTTPS"]
    port: Port
    listener_name: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    default_server: Annotated[Host, Meta(description="The host that serves unknown ones.")] | None = None
    keepalive_enable: (
        Annotated[Flag, Meta(description="1: connections to targets are kept. Only for some accounts.")] | None
    ) = None
    snat_enable: Annotated[bool, Meta(description="Source addresses are replaced. Only for some accounts.")] | None = (
        None
    )
    domains: tuple[Domain, ...] | None = None


class Layer4Listener(Part, frozen=True):
    """Of Services only; TKE's Service controller reads it."""

    protocol: Annotated[str, Meta(max_length=20)]
    port: Port


class LoadBalancer(Part, frozen=True):
    """Settings of a load balancer and of what is on it."""

    internet_max_bandwidth_out: Annotated[int, Meta(ge=0, le=2048, description="Mbps.")] | None = None
    l4_listeners: tuple[Layer4Listener, ...] | None = None
    l7_listeners: tuple[Listener, ...] | None = None


class Spec(Part, frozen=True):
    """What a TkeServiceConfig declares."""

    load_balancer: LoadBalancer | None = None
