"""Bindings and health of many load balancers in one call, also where some of them are gone.

A record may name anything: one id that the cloud does not know spoils the whole answer, and thirty of them must not
cost sixty calls.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from l7lb.errors import AccessDenied, NotFound, TerminalError
from l7lb.model.cloud import TargetHealth
from l7lb.model.identity import CloudRef, ListenerId, LocationId
from l7lb.reconciler.ports import LoadBalancers

LISTED_PER_CALL: Final = 20
"""DescribeLoadBalancers page: ids in one call."""

Healths: TypeAlias = Mapping[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What of several load balancers is certain."""

    healths: Healths
    unseen: frozenset[CloudRef] = field(default_factory=frozenset)
    """They are there, and what is bound to them is not told."""


def look(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> Seen:
    """As `checkup`, for whom nothing bound is another answer than none. Raises every refusal of the whole as well."""
    try:
        return Seen(cloud.health(refs))
    except AccessDenied:
        raise
    except (NotFound, TerminalError):
        listed = {ref for few in _twenty(refs) for ref in cloud.heads(few)}
    there = tuple(ref for ref in refs if ref in listed)
    found: dict[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]] = {}
    unseen: set[CloudRef] = set()
    _divide(cloud, there, found, unseen)
    return Seen(found, frozenset(unseen))


def checkup(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> Healths:
    """Of those of `refs` (one region, at most 30) that are there. Raises what a retry may cure."""
    try:
        return cloud.health(refs)
    except (NotFound, TerminalError):
        there = _listed(cloud, refs)
    found: dict[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]] = {}
    with contextlib.suppress(AccessDenied):  # of what is not told here its own turn will hear
        _divide(cloud, there, found, set())
    return found


def _listed(cloud: LoadBalancers, refs: tuple[CloudRef, ...]) -> tuple[CloudRef, ...]:
    """Those that are listed; all of them where the list is refused too."""
    found: list[CloudRef] = []
    for few in _twenty(refs):
        try:
            heads = cloud.heads(few)
        except (NotFound, TerminalError):
            found += few
            continue
        found += (ref for ref in few if ref in heads)
    return tuple(found)


def _twenty(refs: tuple[CloudRef, ...]) -> Iterator[tuple[CloudRef, ...]]:
    for start in range(0, len(refs), LISTED_PER_CALL):
        yield refs[start : start + LISTED_PER_CALL]


def _divide(
    cloud: LoadBalancers,
    refs: tuple[CloudRef, ...],
    found: dict[tuple[CloudRef, ListenerId, LocationId], tuple[TargetHealth, ...]],
    unseen: set[CloudRef],
) -> None:
    """What still spoils an answer is found by halves."""
    if not refs:
        return
    try:
        found |= cloud.health(refs)
        return
    except AccessDenied:
        raise
    except (NotFound, TerminalError):
        if len(refs) == 1:
            unseen.update(refs)
            return
    middle = len(refs) // 2
    _divide(cloud, refs[:middle], found, unseen)
    _divide(cloud, refs[middle:], found, unseen)
