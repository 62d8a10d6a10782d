"""Everything the cloud holds, with its look-ups and its counters. What may be done to it is elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.emulators.clb.errors import ApiError, listener_not_found, location_not_found
from tests.emulators.clb.nouns import Certificate, Instance, Listener, LoadBalancer, Rule, Subnet, TagsSeen

REGIONS = frozenset(
    {
        "ap-guangzhou", "ap-shanghai", "ap-nanjing", "ap-beijing", "ap-chengdu", "ap-chongqing", "ap-hongkong",
        "ap-singapore", "ap-jakarta", "ap-seoul", "ap-tokyo", "ap-bangkok", "ap-mumbai", "na-siliconvalley",
        "na-ashburn", "sa-saopaulo", "eu-frankfurt", "ap-taipei", "ap-shenzhen-fsi", "ap-shanghai-fsi",
        "ap-beijing-fsi",
    }
)  # fmt: skip

DEFAULT_VPC = "vpc-00000001"

QUOTAS: Mapping[str, int] = {
    "TOTAL_OPEN_CLB_QUOTA": 100,
    "TOTAL_INTERNAL_CLB_QUOTA": 100,
    "TOTAL_LISTENER_QUOTA": 50,
    "TOTAL_LISTENER_RULE_QUOTA": 50,
    "TOTAL_TARGET_BIND_QUOTA": 100,
    "TOTAL_SNAT_IP_QUOTA": 10,
    "TOTAL_ISP_CLB_QUOTA": 3,
    "TOTAL_FULL_PORT_RANGE_LISTENER_QUOTA": 1,
}
"""Defaults of the limits page, names of the DescribeQuota page."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def default_certificates() -> dict[str, Certificate]:
    """One certificate of each sort that matters: usable RSA and ECC ones, an expired one and a CA."""
    shelf = (
        Certificate("certrsa1", alias="rsa", names=("*.example.com",)),
        Certificate("certrsa2", alias="rsa, a second one", domain="shop.example.com"),
        Certificate("certecc1", alias="ecc", algorithm="ECC", names=("*.example.com",)),
        Certificate("certexp1", alias="expired", status=3, end_time="2020-01-01 00:00:00"),
        Certificate("certca01", alias="client CA", kind="CA", domain="ca.example.com"),
    )
    return {certificate.id: certificate for certificate in shelf}


def default_subnets() -> dict[str, Subnet]:
    """One with room and one that is full."""
    return {item.id: item for item in (Subnet("subnet-00000001"), Subnet("subnet-00000002", free_addresses=0))}


@dataclass(slots=True)
class Order:
    """What a ClientToken stands for. ``dead``: its order failed or its load balancer is gone."""

    request: str
    load_balancer_id: str
    deal_name: str
    task_id: str
    dead: bool = False


@dataclass(slots=True)
class World:
    """One account's resources in all regions."""

    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=default_certificates)
    instances: dict[str, Instance] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=default_subnets)
    quotas: dict[str, int] = field(default_factory=lambda: dict(QUOTAS))
    orders: dict[str, Order] = field(default_factory=dict)
    """By ClientToken."""
    deletions: dict[str, list[float]] = field(default_factory=dict)
    """Times of deletions by region, for the guard of 30 in 5 minutes."""
    health: dict[str, str] = field(default_factory=dict)
    """``ip:port`` to ``Alive``/``Dead``/``Unknown``, asked when there is no data plane; ``*`` is the default."""
    refused: dict[str, str] = field(default_factory=dict)
    """``ip`` or ``ip:port`` that is not to be had, and how a Batch call says so: ``call`` (refused as a whole,
    InvalidParameterValue), ``listener`` (FailListenerIdSet) or ``task`` (of BatchModifyTargetWeight)."""
    counters: dict[str, int] = field(default_factory=dict)

    def refusal(self, ip: str, port: int) -> str:
        """How a target is refused; empty: it is not."""
        return self.refused.get(f"{ip}:{port}", "") or self.refused.get(ip, "")

    def next(self, kind: str) -> int:
        """The next number of a kind, from 1: ids are counters, so that a run can be repeated."""
        self.counters[kind] = self.counters.get(kind, 0) + 1
        return self.counters[kind]

    def new_id(self, prefix: str) -> str:
        """``lb-0000000a``: eight characters of base 36, as all published samples."""
        number, text = self.next(prefix), ""
        while number:
            number, digit = divmod(number, 36)
            text = _DIGITS[digit] + text
        return f"{prefix}-{text.rjust(8, '0')}"

    def request_id(self) -> str:
        number = self.next("request")
        return f"{number:08x}-c1b0-4e30-8000-{number:012x}"

    def new_vip(self) -> str:
        """A loopback address for each load balancer, never given twice: 127.80.0.1 and up, last octet 1 to 254."""
        block, last = divmod(self.next("vip") - 1, 254)
        return f"127.{80 + block // 256}.{block % 256}.{last + 1}"

    def in_region(self, region: str) -> Iterator[LoadBalancer]:
        return (lb for lb in self.load_balancers.values() if lb.region == region)

    def find(self, region: str, lb_id: str) -> LoadBalancer | None:
        lb = self.load_balancers.get(lb_id)
        return lb if lb is not None and lb.region == region else None


def set_tags(lb: LoadBalancer, tags: dict[str, str], inline_from: float, filter_from: float) -> None:
    """Change the tags; readers see the change from the times given."""
    lb.tags = dict(tags)
    del lb.tags_seen[:-8]
    lb.tags_seen.append(TagsSeen(inline_from, filter_from, dict(tags)))


def listener_of(lb: LoadBalancer, listener_id: str) -> Listener:
    listener = lb.listeners.get(listener_id)
    if listener is None:
        raise listener_not_found(listener_id)
    return listener


def layer7_listener_of(lb: LoadBalancer, listener_id: str) -> Listener:
    listener = listener_of(lb, listener_id)
    if not listener.layer7:
        raise ApiError("InvalidParameterValue", "This interface only support HTTP/HTTPS listener.")
    return listener


def rule_of(listener: Listener, location_id: str) -> Rule:
    rule = listener.rules.get(location_id)
    if rule is None:
        raise location_not_found(location_id)
    return rule
