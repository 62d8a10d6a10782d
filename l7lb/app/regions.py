"""In which regions the load balancers of the cluster are: its own, those that Ingresses and their records name, more.

Of a load balancer whose Ingress is gone nothing says where it is. So there may be regions that nobody looks at, unless
`--more-regions` names them.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from l7lb import translator
from l7lb.app.caches import record_of
from l7lb.errors import RetryableError, TerminalError, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import Cluster
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.reconciler.ports import LoadBalancers

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in the regions that answered."""

    heads: tuple[LoadBalancerHead, ...]
    regions: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    """Region -> why it was left out."""
    silent: Mapping[str, RetryableError] = field(default_factory=dict)
    """Regions among those that were left out that may answer later."""


def regions(ingresses: Iterable[Ingress], cluster: Cluster, home: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """The cluster's own first."""
    named = {translator.region_of(one, record_of(one, cluster), home) for one in ingresses}
    return (home, *sorted((named | set(more)) - {home}))


def look(
    cloud: LoadBalancers,
    tags: Mapping[str, str],
    wanted: tuple[str, ...],
    again: Callable[[Throttled], bool] = lambda _: False,
) -> Look:
    """Those with these tags in all regions. The first must answer; one that does not elsewhere is left out.

    `again` waits when one has no budget, and says whether to ask that one again.

    An annotation may name a region that does not exist, or in which our keys have no right: then nothing can be there
    on our behalf, and its Ingress hears of it in its own pass. A region that is down is no reason to leave the others.
    """
    found = list(_found(cloud, tags, wanted[0], again))
    refused: dict[str, str] = {}
    silent: dict[str, RetryableError] = {}
    for region in wanted[1:]:
        try:
            found += _found(cloud, tags, region, again)
        except (TerminalError, RetryableError) as refusal:
            refused[region] = str(refusal)
            if isinstance(refusal, RetryableError):
                silent[region] = refusal
            _logger.warning("region %s is left out: %s", region, refusal)
    return Look(tuple(found), tuple(region for region in wanted if region not in refused), refused, silent)


def _found(
    cloud: LoadBalancers, tags: Mapping[str, str], region: str, again: Callable[[Throttled], bool]
) -> tuple[LoadBalancerHead, ...]:
    while True:
        try:
            return cloud.find(region, tags)
        except Throttled as refusal:
            if not again(refusal):
                raise


def find_all(cloud: LoadBalancers, tags: Mapping[str, str], wanted: tuple[str, ...]) -> tuple[LoadBalancerHead, ...]:
    """The heads alone. Raises what a region says that may answer later."""
    found = look(cloud, tags, wanted)
    if found.silent:
        raise next(iter(found.silent.values()))
    return found.heads
