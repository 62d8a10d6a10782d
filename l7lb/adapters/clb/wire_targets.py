"""The answers of the CLB API about targets and their health, as typed structs like those in `wire`."""

import msgspec

from l7lb.adapters.clb.wire import Wire


class Backend(Wire, frozen=True):
    """Backend."""

    port: int
    type: str | None = None
    instance_id: str | None = None
    weight: int | None = None
    private_ip_addresses: tuple[str, ...] | None = None


class RuleTargets(Wire, frozen=True):
    """RuleTargets."""

    location_id: str
    targets: tuple[Backend, ...] | None = None


class ListenerBackend(Wire, frozen=True):
    """ListenerBackend."""

    listener_id: str
    rules: tuple[RuleTargets, ...] | None = None


class Targets(Wire, frozen=True):
    """DescribeTargets."""

    listeners: tuple[ListenerBackend, ...] | None = None


class TargetHealth(Wire, frozen=True):
    """TargetHealth."""

    ip: str = msgspec.field(name="IP")
    port: int
    weight: int | None = None
    health_status: bool | None = None
    health_status_detail: str | None = None


class RuleHealth(Wire, frozen=True):
    """RuleHealth."""

    location_id: str
    targets: tuple[TargetHealth, ...] | None = None


class ListenerHealth(Wire, frozen=True):
    """ListenerHealth."""

    listener_id: str
    rules: tuple[RuleHealth, ...] | None = None


class LoadBalancerHealth(Wire, frozen=True):
    """LoadBalancerHealth."""

    load_balancer_id: str
    listeners: tuple[ListenerHealth, ...] | None = None


class Health(Wire, frozen=True):
    """DescribeTargetHealth."""

    load_balancers: tuple[LoadBalancerHealth, ...] | None = None
