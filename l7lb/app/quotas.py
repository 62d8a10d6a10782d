"""How much of each quota is in use, for whoever looks at /metrics: from what is known, without a call."""

from collections.abc import Iterable, Mapping

from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.quotas import Quota
from l7lb.model.snapshot import Limits

Ratios = dict[tuple[str, ...], float]
"""By region and quota."""


def ratios(known: Mapping[str, Limits], observed: Iterable[ObservedLoadBalancer]) -> Ratios:
    """Of the account by region, and of the one of our load balancers, listeners and rules that has most."""
    found: Ratios = {}
    for region, limits in known.items():
        for quota, used, limit in (
            (Quota.PUBLIC, limits.public_used, limits.public_load_balancers),
            (Quota.INTERNAL, limits.internal_used, limits.internal_load_balancers),
        ):
            if used is not None:
                _raise(found, region, quota, used, limit)
    for one in observed:
        region = one.head.ref.region
        if (limits_there := known.get(region)) is None:
            continue
        _raise(found, region, Quota.LISTENERS, len(one.listeners), limits_there.listeners_per_load_balancer)
        for listener in one.listeners:
            _raise(found, region, Quota.RULES, len(listener.spec.rules), limits_there.rules_per_listener)
            most = max((len(rule.targets) for rule in listener.spec.rules), default=0)
            _raise(found, region, Quota.TARGETS, most, limits_there.targets_per_rule)
    return found


def together(many: Iterable[Ratios]) -> Ratios:
    """Each as whoever has most of it in use knows it."""
    found: Ratios = {}
    for one in many:
        for labels, ratio in one.items():
            found[labels] = max(ratio, found.get(labels, 0.0))
    return found


def _raise(found: Ratios, region: str, quota: Quota, used: int, limit: int) -> None:
    ratio = used / limit if limit > 0 else float(used > 0)
    found[region, quota] = max(found.get((region, quota), 0.0), ratio)
