"""What of a load balancer decides how an Ingress that uses it is read: where it is, and which addresses it has."""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Which addresses a load balancer has, and of which its targets are (CreateLoadBalancer, AddressIPVersion)."""

    IPV4 = "ipv4"
    NAT64 = "ipv6"
    """An IPv6 address in front of IPv4 targets."""
    FULL_CHAIN = "ipv6fullchain"
    """IPv6 from client to target."""


@dataclass(frozen=True, slots=True)
class Site:
    """One load balancer's."""

    family: Family = Family.IPV4
    remote: bool = False
    """In another region or VPC than the cluster: targets are bound by their addresses (Target.EniIp)."""
