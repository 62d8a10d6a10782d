"""What an Ingress says about itself beyond its rules: its annotations, what it names, where it stands."""

from dataclasses import dataclass
from enum import Enum

from l7lb.model.identity import ObjectKey
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Options:
    """Annotations that decide about the load balancer as a whole."""

    exist_lb_id: str = ""
    """`existLbId`; empty when absent or malformed."""
    group: bool = False
    """`enable-group`: the load balancer is shared with other Ingresses."""
    skip: bool = False
    """`mode: skip`: not one write."""
    retain: bool = False
    """`loadbalance-retain`; also true when its value cannot be read, because keeping can be made good later."""
    approve: str = ""
    """Digest of the one plan that the guard may let pass."""
    matching: str = ""
    """`tke`, `kubernetes`, or empty: nothing said."""
    cross_region: str = ""
    cross_vpc: str = ""
    direct: bool = False
    """Pods are the targets, not nodes."""
    security_groups: Maybe[frozenset[str]] = UNSET
    pass_to_target: Maybe[bool] = UNSET
    delete_protection: Maybe[bool] = UNSET
    modification_protection: Maybe[bool] = UNSET
    """What it is to be; only compared."""
    snat_pro: bool = False
    """`snat-pro-info` asks for addresses of SNAT Pro."""
    problems: tuple[Problem, ...] = ()
    """Findings about annotations; a translation repeats them."""
    refusal: Problem | None = None
    """An annotation without which the routing would be wrong is not supported or cannot be read."""


@dataclass(frozen=True, slots=True)
class References:
    """Objects that an Ingress names, whether they exist or not."""

    services: frozenset[ObjectKey] = frozenset()
    secrets: frozenset[ObjectKey] = frozenset()
    configs: frozenset[ObjectKey] = frozenset()


class Standing(Enum):
    """Where an Ingress stands with us by its class and its record."""

    OURS = "ours"
    NOT_OURS = "not ours"
    """Never taken by us: left alone."""
    LEFT = "left"
    """Taken by us, then edited to something that is not ours."""
    UNCLEAR = "unclear"
    """Cannot be told, or changed without a change of the Ingress: everything is held."""
