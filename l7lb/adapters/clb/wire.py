"""The answers of the CLB API about load balancers, listeners and rules, as typed structs.

Only members that are read are named, and all but the ids may be null. Names are the API's (schema of 2018-03-17). No
meaning is given to them here; that is `codec`.
"""

from typing import Any, TypeVar

import msgspec

from l7lb.errors import Unavailable
from l7lb.model.shapes import converted

_T = TypeVar("_T")


class Wire(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    """Members are named in snake case and come in Pascal case."""


class _Tag(Wire, frozen=True):
    """TagInfo."""

    tag_key: str
    tag_value: str | None = None


class LoadBalancer(Wire, frozen=True):
    """One entry of LoadBalancerSet."""

    load_balancer_id: str
    load_balancer_name: str | None = None
    status: int | None = None
    forward: int | None = None
    load_balancer_vips: tuple[str, ...] | None = None
    load_balancer_domain: str | None = None
    domain: str | None = None
    address_ip_version: str | None = msgspec.field(name="AddressIPVersion", default=None)
    address_ipv6: str | None = msgspec.field(name="AddressIPv6", default=None)
    ipv6_mode: str | None = msgspec.field(name="IPv6Mode", default=None)
    snat_pro: bool | None = None
    vpc_id: str | None = None
    tags: tuple[_Tag, ...] | None = None
    secure_groups: tuple[str, ...] | None = None
    attribute_flags: tuple[str, ...] | None = None
    load_balancer_pass_to_target: bool | None = None
    associate_endpoint: str | None = None
    isolation: int | None = None
    create_time: str | None = None


class LoadBalancers(Wire, frozen=True):
    """DescribeLoadBalancers."""

    total_count: int
    load_balancer_set: tuple[LoadBalancer, ...] | None = None


class Certificate(Wire, frozen=True):
    """CertificateOutput."""

    ssl_mode: str | None = msgspec.field(name="SSLMode", default=None)
    cert_id: str | None = None
    cert_ca_id: str | None = None
    ext_cert_ids: tuple[str, ...] | None = None


class HealthCheck(Wire, frozen=True):
    """HealthCheck."""

    health_switch: int | None = None
    time_out: int | None = None
    interval_time: int | None = None
    health_num: int | None = None
    un_health_num: int | None = None
    http_code: int | None = None
    http_check_path: str | None = None
    http_check_domain: str | None = None
    http_check_method: str | None = None
    check_type: str | None = None
    source_ip_type: int | None = None
    check_port: int | None = None


class RewriteTarget(Wire, frozen=True):
    """RewriteTarget; an object of nulls means the same as null."""

    target_listener_id: str | None = None
    target_location_id: str | None = None
    rewrite_code: int | None = None
    rewrite_type: str | None = None


class Rule(Wire, frozen=True):
    """RuleOutput."""

    location_id: str
    domain: str | None = None
    domains: tuple[str, ...] | None = None
    url: str | None = None
    session_expire_time: int | None = None
    health_check: HealthCheck | None = None
    certificate: Certificate | None = None
    scheduler: str | None = None
    rewrite_target: RewriteTarget | None = None
    default_server: bool | None = None
    http2: bool | None = None
    forward_type: str | None = None


class Listener(Wire, frozen=True):
    """Listener."""

    listener_id: str
    protocol: str
    port: int
    listener_name: str | None = None
    certificate: Certificate | None = None
    sni_switch: int | None = None
    keepalive_enable: int | None = None
    attr_flags: tuple[str, ...] | None = None
    rules: tuple[Rule, ...] | None = None


class Listeners(Wire, frozen=True):
    """DescribeListeners."""

    listeners: tuple[Listener, ...] | None = None


class _Protection(Wire, frozen=True):
    """LBOperateProtectInfo."""

    load_balancer_id: str = ""
    protect_state: bool | None = None


class Protections(Wire, frozen=True):
    """DescribeLBOperateProtect."""

    load_balancer_set: tuple[_Protection, ...] | None = None


class _Quota(Wire, frozen=True):
    """Quota."""

    quota_id: str
    quota_limit: int | None = None
    quota_current: int | None = None


class Quotas(Wire, frozen=True):
    """DescribeQuota."""

    quota_set: tuple[_Quota, ...] | None = None


class Task(Wire, frozen=True):
    """DescribeTaskStatus."""

    status: int
    load_balancer_ids: tuple[str, ...] | None = None
    message: str | None = None


def read(answer: dict[str, Any], shape: type[_T]) -> _T:
    """The typed answer; raises Unavailable when a mandatory member is missing or of another type."""
    try:
        return converted(answer, shape)
    except msgspec.ValidationError as error:
        request_id = answer.get("RequestId")
        raise Unavailable(f"an answer that does not fit its description: {error} (RequestId {request_id})") from None
