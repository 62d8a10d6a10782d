"""Targets of rules: on before off, in the fewest calls, and in slices where the quota of a rule is short.

What takes traffic away from pods that are dying waits for nothing: targets where nobody is any more go off first of
all, and weights are changed before new targets come, unless a rule would be left without any that serves.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from l7lb.model.identity import RuleRef
from l7lb.model.loadbalancer import Presence, Target, TargetKey
from l7lb.model.maybe import Unset
from l7lb.model.plan import DeregisterTargets, ModifyWeights, Placement, RegisterTargets
from l7lb.model.quotas import Quota, shortage
from l7lb.planner.defaults import WEIGHT, new_target
from l7lb.planner.order import Draft, Phase, chunks
from l7lb.planner.rules import Bed

PLACEMENTS_PER_CALL: Final = 500
"""BatchRegisterTargets, BatchDeregisterTargets and BatchModifyTargetWeight pages."""
RULES_PER_WEIGHT_CALL: Final = 100
WEIGHTS_PER_RULE: Final = 50

ON: Final = 0
WEIGHTS: Final = 1
OFF: Final = 2
"""Parts of one turn."""

FIRST: Final = 0
"""The turn before all others: what must not wait, and what nobody misses."""
DEAD: Final = 0
DRAIN: Final = 1
IDLE: Final = 2
"""Its parts."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one rule's targets need."""

    ref: RuleRef
    bound: int
    """Bindings when the turns begin; the cloud counts each, also two of one address."""
    stale: tuple[Target, ...] = ()
    """Bound through an instance that the address has left."""
    adds: tuple[Target, ...] = ()
    weights: tuple[Target, ...] = ()
    idle: tuple[Target, ...] = ()
    """Not wanted, and without traffic."""
    dead: tuple[Target, ...] = ()
    """Nobody is there, and traffic still goes there."""
    leaving: tuple[Target, ...] = ()
    """Not wanted any more, and serving."""
    serves: bool = True
    """Whether bound targets go on serving when all this is done, without those that come."""

    @property
    def removes(self) -> tuple[Target, ...]:
        """All that goes off, in order."""
        return tuple(sorted((*self.idle, *self.dead, *self.leaving), key=_order))


@dataclass(frozen=True, slots=True)
class Turn:
    """What goes on and then what goes off, in one rule."""

    adds: tuple[Target, ...] = ()
    removes: tuple[Target, ...] = ()


def plan_targets(beds: Iterable[Bed], limit: int, draft: Draft) -> None:
    """Steps for the targets of all rules together, since one call serves many rules."""
    beds = tuple(beds)
    _former(beds, draft)
    changes = [change for bed in beds if not bed.redirects and (change := compare(bed)) is not None]
    for part in chunks([Placement(c.ref, target) for c in changes for target in c.stale], PLACEMENTS_PER_CALL):
        draft.add(Phase.STALE, DeregisterTargets(part))
    changes = _first(changes, draft)
    turns = {change.ref: _turns(change, limit, draft) for change in changes}
    last = max((len(of_rule) for of_rule in turns.values()), default=0)
    for turn in range(last):
        here = [(ref, of_rule[turn]) for ref, of_rule in turns.items() if turn < len(of_rule)]
        on = [Placement(ref, target) for ref, step in here for target in step.adds]
        off = [Placement(ref, target) for ref, step in here for target in step.removes]
        for part in chunks(on, PLACEMENTS_PER_CALL):
            draft.add(Phase.TARGETS, RegisterTargets(part), turn=FIRST + 1 + turn, part=ON)
        for part in chunks(off, PLACEMENTS_PER_CALL):
            draft.add(Phase.TARGETS, DeregisterTargets(part), turn=FIRST + 1 + turn, part=OFF)
    # Where nothing else serves, weights change when all that can be on is on, and before the last ones go.
    for packed in _pack(changes):
        draft.add(Phase.TARGETS, ModifyWeights(packed), turn=FIRST + max(last, 1), part=WEIGHTS)


def _first(changes: Sequence[Changes], draft: Draft) -> list[Changes]:
    """Steps for what goes before everything else; answers with what is left to do."""
    left = list(changes)
    # One call less when the idle ones can go with those that must wait; nobody misses them in the meantime.
    if any(change.dead for change in left) or not any(change.leaving for change in left):
        part = DEAD if any(change.dead for change in left) else IDLE
        off = [
            Placement(change.ref, target) for change in left for target in change.removes if _is_done(change, target)
        ]
        for some in chunks(off, PLACEMENTS_PER_CALL):
            draft.add(Phase.TARGETS, DeregisterTargets(some), turn=FIRST, part=part)
        left = [replace(c, bound=c.bound - len(c.idle) - len(c.dead), idle=(), dead=()) for c in left]
    if all(change.serves for change in left if change.weights):
        for packed in _pack(left):
            draft.add(Phase.TARGETS, ModifyWeights(packed), turn=FIRST, part=DRAIN)
        left = [replace(change, weights=()) for change in left]
    return left


def _is_done(change: Changes, target: Target) -> bool:
    return target in change.idle or target in change.dead


def _former(beds: Iterable[Bed], draft: Draft) -> None:
    """What is bound to a rule that redirects gets no traffic, and would be forgotten there."""
    bound = [
        Placement(bed.ref, target)
        for bed in beds
        if bed.redirects and bed.observed is not None
        for target in sorted(bed.observed.targets, key=_order)
    ]
    for part in chunks(bound, PLACEMENTS_PER_CALL):
        draft.add(Phase.FORMER_TARGETS, DeregisterTargets(part))


def compare(bed: Bed) -> Changes | None:
    """Desired against observed targets of one rule; None: nothing to do, or nothing is known."""
    if not bed.desired.targets_known:
        return None
    said = dict(sorted((target.key, target) for target in bed.desired.targets))
    wanted = {key: target for key, target in said.items() if target.presence is not Presence.GONE}
    bound = sorted(bed.observed.targets if bed.observed is not None else (), key=_order)
    stale = tuple(target for target in bound if _left(wanted.get(target.key), target))
    there = [target for target in bound if target not in stale]
    keys = {target.key for target in there}
    removes = [target for target in there if target.key not in wanted]
    idle = tuple(target for target in removes if target.weight == 0)
    dead = tuple(target for target in removes if target.weight != 0 and target.key in said)
    weights = tuple(change for target in there if (change := _reweighed(wanted.get(target.key), target)) is not None)
    then = {target.key: target.weight for target in there if target.key in wanted}
    then |= {target.key: target.weight for target in weights}
    changes = Changes(
        ref=bed.ref,
        bound=len(there),
        stale=stale,
        adds=tuple(
            new_target(want) for key, want in wanted.items() if key not in keys and want.presence is Presence.REQUIRED
        ),
        weights=weights,
        idle=idle,
        dead=dead,
        leaving=tuple(target for target in removes if target not in idle and target not in dead),
        serves=any(weight != 0 for weight in then.values()),
    )
    untouched = Changes(bed.ref, len(there), serves=changes.serves)
    return changes if changes != untouched else None


def _order(target: Target) -> tuple[TargetKey, str]:
    return target.key, target.instance_id or ""


def _left(want: Target | None, bound: Target) -> bool:
    """Whether the address is bound through an instance that is not its node's any more."""
    return (
        want is not None
        and want.presence is Presence.REQUIRED
        and want.instance_id is not None
        and bound.instance_id is not None
        and want.instance_id != bound.instance_id
    )


def _reweighed(want: Target | None, bound: Target) -> Target | None:
    """The bound target with the weight that it is to have; None: it has it, or nobody says."""
    if want is None:
        return None
    weight = want.weight
    if isinstance(weight, Unset):
        # Draining is over: what came back takes traffic again. What is only tolerated is left as it is.
        if want.presence is not Presence.REQUIRED or bound.weight != 0 or want.steady:
            return None
        weight = WEIGHT
    return replace(bound, weight=weight) if weight != bound.weight else None


def _turns(change: Changes, limit: int, draft: Draft) -> list[Turn]:
    """Slices that fit: first what does not serve anyway, then adds, each slice followed by as many removals."""
    adds, room = change.adds, limit - change.bound
    if len(adds) <= room:
        return [Turn(adds, change.removes)] if adds or change.removes else []
    idle, serving = (*change.idle, *change.dead), change.leaving
    turns = [Turn(removes=idle)] if idle else []
    room += len(idle)
    while adds and (room > 0 or serving):
        if room <= 0:
            # Not one more fits: a small slice has to make room, or the rule would never move.
            first = max(1, limit // 10, 1 - room)
            turns.append(Turn(removes=serving[:first]))
            room += len(serving[:first])
            serving = serving[first:]
            continue
        on, adds = adds[:room], adds[room:]
        off, serving = serving[: len(on)], serving[len(on) :]
        turns.append(Turn(on, off))
        room += len(off) - len(on)
    if adds:
        words = shortage(Quota.TARGETS, used=limit - room, limit=limit, wanted=len(adds))
        draft.note(f"E4054: {change.ref} has its most targets, {len(adds)} left out: {words}")
    return [*turns, Turn(removes=serving)] if serving else turns


def _pack(changes: Sequence[Changes]) -> Iterator[tuple[Placement, ...]]:
    """The fewest weight calls: each takes from the rules with most left."""
    left = {change.ref: list(change.weights) for change in changes if change.weights}
    while left:
        taken: list[Placement] = []
        fullest = sorted(left, key=lambda ref: (-len(left[ref]), ref))[:RULES_PER_WEIGHT_CALL]
        for ref in fullest:
            count = min(WEIGHTS_PER_RULE, PLACEMENTS_PER_CALL - len(taken))
            taken += [Placement(ref, target) for target in left[ref][:count]]
            left[ref] = left[ref][count:]
        left = {ref: weights for ref, weights in left.items() if weights}
        yield tuple(taken)
