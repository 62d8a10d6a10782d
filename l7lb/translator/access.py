"""The way to the pods, from the annotations: nodes or pods, which address family, which weights."""

from dataclasses import dataclass, field

from l7lb.translator import create
from l7lb.translator.names import Name
from l7lb.translator.options import Reading
from l7lb.translator.weights import Weights


@dataclass(frozen=True, slots=True)
class Access:
    """What the annotations say about the way to the pods."""

    direct: bool = False
    """Pods are the targets, not nodes."""
    ipv6: bool = False
    """Nodes are bound by their IPv6 addresses."""
    pods_ipv6: bool = False
    """Pods are."""
    weights: Weights = field(default_factory=Weights)


def access(reading: Reading) -> Access:
    """An IPv6 load balancer takes IPv6 targets, unless `mix-target-prefer` says otherwise; NAT64 takes IPv4.

    Of a load balancer that is lent only the annotations are known: there `mix-target-prefer` alone decides.
    """
    full_chain = create.address_version(reading) == create.FULL_CHAIN
    prefer = reading.text(Name.MIX_TARGET_PREFER)
    mixed = full_chain or bool(reading.text(Name.EXIST_LB_ID))
    return Access(
        direct=reading.flag(Name.DIRECT_ACCESS) is True,
        ipv6=full_chain,
        pods_ipv6=prefer == "ipv6" if mixed and prefer else full_chain,
        weights=_weights(reading),
    )


def _weights(reading: Reading) -> Weights:
    found = reading.values.get(Name.WEIGHTS)
    if isinstance(found, Weights):
        return found
    return Weights(readable=Name.WEIGHTS not in reading.unreadable)
