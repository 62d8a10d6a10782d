"""The way to the pods, from the annotations: nodes or pods, which address family, which weights."""

from dataclasses import dataclass, field

from l7lb.model.site import Family, Site
from l7lb.translator.names import Name
from l7lb.translator.nodes import HERE
from l7lb.translator.options import Reading
from l7lb.translator.weights import Weights


@dataclass(frozen=True, slots=True)
class Access:
    """What the annotations say about the way to the pods."""

    direct: bool = False
    """Pods are the targets, not nodes."""
    site: Site = HERE
    """Of the load balancer: which addresses of nodes are bound, and how."""
    registered: bool = False
    """Nodes outside of the cloud are targets too (`hybrid-type`)."""
    pods_ipv6: bool = False
    """Pods are."""
    weights: Weights = field(default_factory=Weights)


def access(reading: Reading, site: Site) -> Access:
    """An IPv6 load balancer takes IPv6 targets, unless `mix-target-prefer` says otherwise; NAT64 takes IPv4."""
    full_chain = site.family is Family.FULL_CHAIN
    return Access(
        direct=reading.flag(Name.DIRECT_ACCESS) is True,
        site=site,
        registered=bool(reading.text(Name.HYBRID_TYPE)),
        pods_ipv6=full_chain and reading.text(Name.MIX_TARGET_PREFER) != "ipv4",
        weights=_weights(reading),
    )


def _weights(reading: Reading) -> Weights:
    found = reading.values.get(Name.WEIGHTS)
    if isinstance(found, Weights):
        return found
    return Weights(readable=Name.WEIGHTS not in reading.unreadable)
