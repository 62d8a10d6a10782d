"""What the account says when a command begins: quotas, and all load balancers with the cluster's id.

Who is to act needs an answer of every region. Who only looks is told which did not answer, and sees the rest.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from l7lb import ledger
from l7lb.app.identifying import confirm_identity, with_limits
from l7lb.app.planning import patiently
from l7lb.app.regions import find_all, look
from l7lb.errors import RetryableError, TerminalError
from l7lb.model.identity import Cluster
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.snapshot import Settings
from l7lb.reconciler.ports import LoadBalancers

_logger = logging.getLogger(__name__)


class Care(Enum):
    """What a command cannot go on without."""

    IDENTITY = "no load balancer with the cluster's id bears another cluster's identity"
    ANSWERS = "every region answers, whatever is there"
    NOTHING = "whatever answers is shown"


@dataclass(frozen=True, slots=True)
class Account:
    """What it has said."""

    settings: Settings
    """With its quotas, where they could be read."""
    heads: tuple[LoadBalancerHead, ...]
    unanswered: Mapping[str, str] = field(default_factory=dict)
    """Region -> why nothing of it is known."""


def account(cloud: LoadBalancers, cluster: Cluster, settings: Settings, places: tuple[str, ...], care: Care) -> Account:
    """`places`: regions, the cluster's own first. Raises what the cloud says, unless nothing is needed of it."""
    if care is Care.NOTHING:
        return _whatever(cloud, cluster, settings, places)
    limited = patiently(lambda: with_limits(settings, cloud))
    if care is Care.IDENTITY:
        return Account(limited, patiently(partial(confirm_identity, cloud, cluster=cluster, regions=places)))
    return Account(limited, patiently(partial(find_all, cloud, tags=ledger.of_cluster(cluster), wanted=places)))


def _whatever(cloud: LoadBalancers, cluster: Cluster, settings: Settings, places: tuple[str, ...]) -> Account:
    heads: list[LoadBalancerHead] = []
    unanswered: dict[str, str] = {}
    for place in places:
        try:
            heads += patiently(partial(look, cloud, ledger.of_cluster(cluster), (place,))).heads
        except (RetryableError, TerminalError) as error:
            unanswered[place] = str(error)
    if settings.region not in unanswered:
        try:
            settings = patiently(lambda: with_limits(settings, cloud))
        except (RetryableError, TerminalError) as error:
            _logger.warning("quotas are not known: %s", error)
    return Account(settings, tuple(heads), unanswered)
