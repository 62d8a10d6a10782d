"""Targets that the cloud refuses: found by taking a call apart, left out for a while, tried again by themselves.

Memory of one term, by load balancer. A call that is refused makes a *cell* of its placements; the next plan sends each
cell by itself and everything else together. A cell that is refused again is divided, and one that cannot be is
*condemned*: left out, for longer each time, and the longer the more there are. So many refusals in a while are enough:
what is refused beyond them is left out undivided, and divided later. Another address, port, instance or weight is
another placement, and a new try. Rules, hosts and attributes are the business of `refusals`.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final, TypeAlias

from l7lb import planner
from l7lb.errors import AlreadyExists, L7lbError, NotFound, Rejected, TerminalError, TokenRefused, Unavailable
from l7lb.model.identity import CloudRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.plan import DeregisterTargets, ModifyWeights, Placement, Plan, RegisterTargets, Step
from l7lb.reconciler.recent import Recent

FIRST_S: Final = 5.0
"""A pod's address may be refused only until the network knows it: so soon the first new try."""
MOST_S: Final = 600.0
FORGET_S: Final = 3600.0
"""A condemned cell that no plan has had for so long is forgotten."""
SUSPECT_S: Final = 0.001
"""One that is only suspected: it was in the last plan, or it is done."""
DOUBT_S: Final = 600.0
"""So long a refusal that may pass by itself is remembered; the second one within it counts."""
REFUSALS_MAX: Final = 64
WINDOW_S: Final = 600.0
"""So many refusals of one load balancer's targets within so long are taken apart."""
FEW: Final = 8
SPACING_S: Final = 30.0
"""Where more than a few cells are left out, they are tried again one by one, so long after each other."""
UNDIVIDED_S: Final = 10.0
"""The same for those that have not been divided yet: there are good ones among them."""

TargetStep: TypeAlias = RegisterTargets | DeregisterTargets | ModifyWeights
_TARGETS = (RegisterTargets, DeregisterTargets, ModifyWeights)
Kind: TypeAlias = type[RegisterTargets] | type[DeregisterTargets] | type[ModifyWeights]
Name: TypeAlias = tuple[Kind, frozenset[Placement]]


class Blamed(IntEnum):
    """What was made of a refusal."""

    NOTHING = 0
    """It is not about the content of the call."""
    DIVIDED = 1
    """It was one of several: they are tried in smaller calls."""
    FOUND = 2
    """It is known which, and left out."""


@dataclass(slots=True)
class _Cell:
    """What was refused together."""

    placements: tuple[Placement, ...]
    seen: float
    until: float = 0.0
    """Not tried before."""
    delay_s: float = 0.0
    why: L7lbError | None = None
    """With what it was condemned."""

    @property
    def kept_s(self) -> float:
        """How long it is remembered after the last plan that has it. What is not planned any more is done."""
        return FORGET_S if self.why is not None else SUSPECT_S


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a plan that is not tried now."""

    kind: Kind
    placements: tuple[Placement, ...]
    code: str
    reason: str
    """Empty: the code says nothing of its own."""
    why: str
    again_s: float


@dataclass(slots=True)
class _Known:
    """Of one load balancer."""

    cells: dict[Name, _Cell] = field(default_factory=dict)
    doubts: dict[tuple[Kind, Placement], float] = field(default_factory=dict)
    refusals: list[float] = field(default_factory=list)
    """When calls were taken apart of late."""
    turn: float = 0.0
    """When the last of the cells that are left out is to be tried again."""
    turn_undivided: float = 0.0
    """When the last of those that are to be divided is."""

    def condemn(self, kind: Kind, cell: _Cell, now: float, *, found: bool) -> None:
        """Leave it out for a while: the longer, the longer it has been left out, and the more others are.

        Unless it is `found`, there may be good ones in it: it is divided when its turn comes.
        """
        if not found:
            self.turn_undivided = max(self.turn_undivided, now) + UNDIVIDED_S
            cell.until = self.turn_undivided
            self.cells[kind, frozenset(cell.placements)] = cell
            return
        count = 1 + sum(other.why is not None for other in self.cells.values())
        cell.delay_s = min(MOST_S, 2 * cell.delay_s) if cell.delay_s else FIRST_S
        cell.until = now + cell.delay_s
        if count > FEW:
            cell.until = max(cell.until, min(self.turn, now + SPACING_S * count) + SPACING_S)
        self.turn = max(self.turn, cell.until)
        self.cells[kind, frozenset(cell.placements)] = cell

    def may_divide(self, now: float) -> bool:
        """Whether one more refusal is worth smaller calls; it counts then."""
        self.refusals = [at for at in self.refusals if now - at < WINDOW_S]
        if len(self.refusals) >= REFUSALS_MAX:
            return False
        self.refusals.append(now)
        return True


class Culprits:
    """One pass at a time over each load balancer."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: Recent[CloudRef, _Known] = Recent()

    def blame(self, observed: ObservedLoadBalancer | None, step: Step | None, error: L7lbError) -> Blamed:
        """Take a refusal down; unless it is nothing, plan anew at once: without it, or in smaller calls."""
        if observed is None or not isinstance(step, _TARGETS):
            return Blamed.NOTHING
        parts = _refused(observed, step, error)
        if not parts:
            return Blamed.NOTHING
        with self._lock:
            known = self._known.setdefault(observed.head.ref, _Known())
            if not isinstance(error, Rejected) and self._is_first(known, type(step), parts):
                return Blamed.NOTHING
            return self._divide(known, type(step), parts, error)

    def left_out(self, ref: CloudRef, plan: Plan) -> tuple[LeftOut, ...]:
        """What of this plan is not tried now. A cell that is not condemned and has no part in it is done."""
        with self._lock:
            known = self._known.get(ref)
            if known is None:
                return ()
            now = self._monotonic()
            found: list[LeftOut] = []
            for (kind, _), cell in tuple(known.cells.items()):
                part = tuple(one for step in plan.steps if type(step) is kind for one in _within(cell, step))
                cell.seen = now if part else cell.seen
                if part and cell.why is not None and cell.until > now:
                    code, reason = _meaning(cell.why)
                    found.append(LeftOut(kind, part, code, reason, str(cell.why), cell.until - now))
            known.cells = {name: cell for name, cell in known.cells.items() if now - cell.seen < cell.kept_s}
        return tuple(found)

    def apart(self, ref: CloudRef, plan: Plan) -> Plan:
        """The plan without what is left out, in the calls that are worth trying."""
        with self._lock:
            known = self._known.get(ref)
            if known is None or not known.cells:
                return plan
            kept = _condemned(known, DeregisterTargets, self._monotonic())
            there = {(one.rule, one.target.key) for one in kept}
            steps: list[Step] = []
            for step in plan.steps:
                if isinstance(step, RegisterTargets):
                    # What is still bound through an instance that it left cannot be bound through another.
                    free = [one for one in step.placements if (one.rule, one.target.key) not in there]
                    rest = planner.narrowed(step, free)
                    steps += self._taken_apart(known, rest) if rest is not None else ()
                else:
                    steps += self._taken_apart(known, step) if isinstance(step, _TARGETS) else (step,)
        return replace(plan, steps=tuple(steps))

    def _is_first(self, known: _Known, kind: Kind, parts: tuple[Placement, ...]) -> bool:
        """Whether none of them has been doubted before; all of them are from now on."""
        now = self._monotonic()
        if any(cell.why is not None and cell.placements == parts for cell in known.cells.values()):
            return False
        known.doubts = {name: until for name, until in known.doubts.items() if until > now}
        fresh = not any((kind, one) in known.doubts for one in parts)
        known.doubts |= {(kind, one): now + DOUBT_S for one in parts}
        return fresh

    def _divide(self, known: _Known, kind: Kind, parts: tuple[Placement, ...], error: L7lbError) -> Blamed:
        now = self._monotonic()
        met = [name for name in known.cells if name[0] is kind and name[1] & frozenset(parts)]
        before = [known.cells.pop(name) for name in met]
        delay = max((cell.delay_s for cell in before), default=0.0)
        blamed = {
            one.target.key.address
            for (other, _), cell in known.cells.items()
            if other is kind and cell.why is not None
            for one in cell.placements
        }
        addresses = {one.target.key.address for one in parts}
        is_found = len(parts) == 1 or (len(addresses) == 1 and addresses <= blamed)
        in_turn = any(cell.why is not None for cell in before)
        if is_found or not (in_turn or known.may_divide(now)):
            first = next((cell.why for cell in before if cell.why is not None), _plain(error))
            known.condemn(kind, _Cell(parts, now, delay_s=delay, why=first), now, found=is_found)
            return Blamed.FOUND
        for half in planner.divided(parts, blamed):
            known.cells[kind, frozenset(half)] = _Cell(half, now)
        return Blamed.DIVIDED

    def _taken_apart(self, known: _Known, step: TargetStep) -> Iterator[Step]:
        """First what nobody suspects, then each cell, the condemned ones last."""
        now = self._monotonic()
        cells = [cell for (kind, _), cell in known.cells.items() if kind is type(step)]
        suspects = {one for cell in cells for one in cell.placements}
        rest = planner.narrowed(step, [one for one in step.placements if one not in suspects])
        yield from (rest,) if rest is not None else ()
        for cell in sorted(cells, key=lambda cell: cell.why is not None):
            part = planner.narrowed(step, cell.placements)
            if part is not None and cell.until <= now:
                yield part


def _plain(error: L7lbError) -> L7lbError:
    """Without its traceback."""
    return error.anew() if isinstance(error, TerminalError) else type(error)(str(error))


def _within(cell: _Cell, step: Step) -> Iterator[Placement]:
    if isinstance(step, _TARGETS):
        yield from (one for one in step.placements if one in cell.placements)


def _condemned(known: _Known, kind: Kind, now: float) -> Iterator[Placement]:
    for (other, _), cell in known.cells.items():
        if other is kind and cell.until > now:
            yield from cell.placements


def _meaning(why: L7lbError) -> tuple[str, str]:
    return (why.code, why.reason) if isinstance(why, Rejected) and why.code else ("", "")


def _refused(observed: ObservedLoadBalancer, step: TargetStep, error: L7lbError) -> tuple[Placement, ...]:
    """What the answer may mean; none: it is not about the content of the call."""
    match error:
        case Unavailable(declined=True, failed=failed):
            listeners = {item.spec.key for item in observed.listeners if item.id in failed}
            return tuple(one for one in step.placements if one.rule.listener in listeners) or step.placements
        case TokenRefused():
            return ()
        case Rejected() | AlreadyExists() | NotFound(what="target"):
            return step.placements
        case _:
            return ()
