"""Bindings and health of many load balancers in one call, also where some of them are gone.

A record may name anything: one id that the cloud does not know spoils the whole answer, and thirty of them must not
cost sixty calls.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from l7lb.errors import NotFound, TerminalError
from l7lb.model.cloud import TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LocationId
from l7lb.reconciler.ports import LoadBalancers

LISTED_PER_CALL: Final = 20
"""DescribeLoadBalancers page: ids in one call."""

Healths: TypeAlias = Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]


def checkup(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> Healths:
    """Of those of `refs` (one region, at most 30) that are there. Raises what a retry may cure."""
    try:
        return cloud.health(refs)
    except (NotFound, TerminalError):
        there = _listed(cloud, refs)
    return _divided(cloud, there)


def _listed(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> tuple[CloudRef, ...]:
    """Those that are listed; all of them where the list is refused too."""
    found: list[CloudRef] = []
    for start in range(0, len(refs), LISTED_PER_CALL):
        few = refs[start : start + LISTED_PER_CALL]
        try:
            heads = cloud.heads(few)
        except (NotFound, TerminalError):
            found += few
            continue
        found += (ref for ref in few if ref in heads)
    return tuple(found)


def _divided(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> Healths:
    """What still spoils an answer is found by halves."""
    if not refs:
        return {}
    try:
        return cloud.health(refs)
    except (NotFound, TerminalError):
        if len(refs) == 1:
            return {}
    middle = len(refs) // 2
    return {**_divided(cloud, refs[:middle]), **_divided(cloud, refs[middle:])}
