"""Quotas of an account: what the API calls them, and how a shortage is told. Raising one is for people."""

from enum import StrEnum


class Quota(StrEnum):
    """QuotaId (DescribeQuota page)."""

    PUBLIC = "TOTAL_OPEN_CLB_QUOTA"
    """Public load balancers of a region."""
    INTERNAL = "TOTAL_INTERNAL_CLB_QUOTA"
    """Internal load balancers of a region."""
    LISTENERS = "TOTAL_LISTENER_QUOTA"
    """Listeners of one load balancer."""
    RULES = "TOTAL_LISTENER_RULE_QUOTA"
    """Rules of one listener; those that redirect count."""
    TARGETS = "TOTAL_TARGET_BIND_QUOTA"
    """Targets of one rule; two bindings of one address count twice."""


def shortage(quota: Quota, *, used: int, limit: int, wanted: int) -> str:
    """`quota X: 50 of 50 in use, 10 more wanted; ...`. `used`: once all that fits is done."""
    return (
        f"quota {quota}: {used} of {limit} in use, {wanted} more wanted; ask Tencent Cloud for a higher quota, or need"
        " less"
    )
