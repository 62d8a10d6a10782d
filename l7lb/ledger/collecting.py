"""When an orphan may be deleted: the one deletion that no Ingress asks for. Pure: memory and clock are arguments.

The strategy. Nobody has said that the load balancer may go; what speaks for it is only that nobody is there. So that
has to be seen often, over a long time, and each time by a whole list: a cluster that was restored from a backup lacks
Ingresses for hours, until somebody applies them again. A look that shows anything else forgets all that was seen
before, and so does a clock that has gone backwards. Few are deleted in an hour, so that somebody can notice.

`authorize` for plans on behalf of an Ingress refuses such a deletion, and `authorize_collection` everything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from l7lb.errors import UnauthorizedPlan
from l7lb.ledger.orphans import inventory
from l7lb.model.identity import CloudRef
from l7lb.model.inventory import Entry, Memory, Sighting, Use, Warrant
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.plan import DeleteLoadBalancer, Plan

SIGHTINGS_MIN: Final = 3
AGE_S_MIN: Final = 24 * 3600.0
APART_S: Final = 8 * 3600.0
"""Sightings that follow sooner do not count: three within a minute are one."""
HOUR_S: Final = 3600.0
PER_HOUR_MAX: Final = 5


def remember(memory: Memory, entries: Iterable[Entry], regions: frozenset[str], now: float) -> Memory:
    """The memory after one look at these regions, held against a whole list of Ingresses.

    What was not seen to be an orphan this time is forgotten, except in regions that were not looked at.
    """
    orphans = {entry.head.ref: entry.ingress_uid for entry in entries if entry.use is Use.ORPHAN}
    kept = {ref: seen for ref, seen in memory.sightings.items() if ref.region not in regions}
    seen = {ref: _seen(memory.sightings.get(ref), uid, now) for ref, uid in orphans.items()}
    return Memory(kept | seen, lately(memory, now))


def forget(memory: Memory, ref: CloudRef) -> Memory:
    """It is gone, or is no orphan after all, or may not be deleted yet: it begins anew."""
    return replace(memory, sightings={one: seen for one, seen in memory.sightings.items() if one != ref})


def lately(memory: Memory, now: float) -> tuple[float, ...]:
    """Deletions of the last hour; those of a future that a wrong clock has made up count as well."""
    return tuple(at for at in memory.collected if at > now - HOUR_S)


def is_due(sighting: Sighting, now: float) -> bool:
    """Whether it was seen often and long enough."""
    return sighting.count >= SIGHTINGS_MIN and now - sighting.first >= AGE_S_MIN


def due(sightings: Mapping[CloudRef, Sighting], now: float) -> tuple[CloudRef, ...]:
    """Those that were seen often and long enough, the longest first."""
    ripe = [ref for ref, seen in sightings.items() if is_due(seen, now)]
    return tuple(sorted(ripe, key=lambda ref: (sightings[ref].first, ref)))


def objection(warrant: Warrant) -> str:
    """Why it may not be deleted, in words; empty: it may."""
    (entry,) = inventory((warrant.head,), warrant.cluster, warrant.census)
    if entry.use is not Use.ORPHAN:
        return f"it is {entry.use.value}: {entry.reason}"
    if warrant.sighting.ingress_uid != entry.ingress_uid:
        return "its tag names another Ingress than the one that was missing"
    if not warrant.sighting.first <= warrant.sighting.last <= warrant.now:
        return "it was seen in the future: a clock is wrong"
    if not is_due(warrant.sighting, warrant.now):
        return "it was not seen to be an orphan often and long enough"
    if len(warrant.collected) >= PER_HOUR_MAX:
        return f"{len(warrant.collected)} were deleted within an hour already"
    return ""


def proof(warrant: Warrant) -> str:
    """What speaks for deleting it, for log, Event and plan."""
    seen = warrant.sighting
    hours = (warrant.now - seen.first) / HOUR_S
    return (
        f"orphan: this cluster made it for Ingress {seen.ingress_uid}, which no list of all Ingresses shows; seen "
        f"{seen.count} times over {hours:.1f} h, and once more now"
    )


def authorize_collection(plan: Plan, warrant: Warrant, observed: ObservedLoadBalancer) -> None:
    """Raise UnauthorizedPlan unless the plan deletes exactly this orphan, unforced, and nothing objects."""
    (step, *more) = plan.steps or (None,)
    if not isinstance(step, DeleteLoadBalancer) or more:
        raise _refused("an orphan is deleted as a whole, by a plan of its own")
    ref = warrant.head.ref
    if step.id != ref.id or observed.head.ref != ref or not step.id:
        raise _refused("another load balancer")
    if step.force:
        raise _refused("the deletion of an orphan is never forced")
    if step.proof != proof(warrant):
        raise _refused("a deletion without its proof")
    if why := objection(warrant):
        raise _refused(f"{ref.id}: {why}")


def _seen(before: Sighting | None, uid: str, now: float) -> Sighting:
    fresh = Sighting(uid, now, now)
    if before is None or before.ingress_uid != uid or not before.first <= before.last <= now or before.count < 1:
        return fresh
    if now - before.last < APART_S:
        return before
    return replace(before, last=now, count=before.count + 1)


def _refused(why: str) -> UnauthorizedPlan:
    return UnauthorizedPlan(f"refused by the ledger: {why}")
