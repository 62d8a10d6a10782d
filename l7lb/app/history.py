"""What was planned lately, and what became of it: a bounded ring in memory, filled by what the reconciler tells.

It stands between the reconciler and its telemetry and hands everything on. Steps are kept as their lines: what they
carry, up to hundreds of targets each, is not worth the memory.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, TypeVar

from l7lb import planner
from l7lb.errors import LostLeadership, RetryableError, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.outcome import Again, Outcome
from l7lb.model.plan import Plan, Step
from l7lb.model.portrait import Fate, PlanView, StepView
from l7lb.reconciler.flights import Flight
from l7lb.reconciler.ports import Telemetry

K = TypeVar("K")
T = TypeVar("T")

PLANS_MAX: Final = 20
"""Of one key."""
KEYS_MAX: Final = 2000
"""So many keys that wait or fail; which was heard of longest ago is forgotten first."""
LATEST_MAX: Final = 100
"""Listed of all keys."""
KEPT_MAX: Final = 4000
"""Of all keys together, in memory."""
QUIET_MAX: Final = 4
"""So many failures in a row are no trouble yet, where a later try may succeed."""
STEPS_MAX: Final = 30
"""Of one plan; the rest is counted."""


@dataclass(slots=True)
class _Entry:
    number: int
    about: ObjectKey | None
    begun: float
    digest: str
    texts: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    more: int = 0
    tries: int = 1
    fate: Fate = Fate.RUNNING
    ended: float | None = None
    reason: str = ""
    done: dict[int, float] = field(default_factory=dict)
    unlisted: int = 0
    """Steps beyond the listed ones that have ended well."""

    def end(self, fate: Fate, at: float, reason: str = "") -> None:
        if self.fate is Fate.RUNNING:
            self.fate, self.ended, self.reason = fate, at, reason

    def again(self, digest: str, at: float) -> bool:
        """The same plan once more, after it did not get to its end; whether it is the same."""
        if self.digest != digest or self.fate in (Fate.DONE, Fate.REFUSED):
            return False
        self.fate, self.begun, self.ended, self.reason = Fate.RUNNING, at, None, ""
        self.tries, self.unlisted = self.tries + 1, 0
        self.done.clear()
        return True

    def tick(self, names: tuple[str, ...], name: str, at: float) -> bool:
        """Mark the first step of this name that has not ended; whether there was one."""
        for number, known in enumerate(names):
            if known == name and number not in self.done:
                self.done[number] = at
                return True
        if len(self.done) == len(self.texts) and self.unlisted < self.more:
            self.unlisted += 1
            return True
        return False

    @property
    def complete(self) -> bool:
        return len(self.done) + self.unlisted >= len(self.texts) + self.more


@dataclass(frozen=True, slots=True)
class Stumble:
    """The last pass over a key that failed, while none has succeeded since."""

    at: float
    message: str
    times: int = 1
    lasting: bool = True
    """False: the next try may well succeed."""


@dataclass(frozen=True, slots=True)
class Pause:
    """What a key waits for, and since when."""

    since: float
    message: str


class History:
    """Implements the reconciler's `Telemetry`; safe for several workers."""

    def __init__(self, inner: Telemetry, wall: Callable[[], float]) -> None:
        self._inner = inner
        self._wall = wall
        self._lock = threading.Lock()
        self._count = 0
        self._plans: dict[BindingKey, deque[_Entry]] = {}
        self._order: deque[tuple[BindingKey, _Entry]] = deque()
        """All that is kept, as it came."""
        self._running: dict[ObjectKey, _Entry] = {}
        """The last plan of each Ingress, until a pass has ended with nothing left to plan."""
        self._stumbles: dict[BindingKey, Stumble] = {}
        self._waits: dict[BindingKey, Pause] = {}

    def planned(self, key: BindingKey, ingress: ObjectKey, plan: Plan) -> None:
        """What runs for the same Ingress ends here: its rest was planned anew."""
        self._inner.planned(key, ingress, plan)
        texts = tuple(planner.describe(step) for step in plan.steps[:STEPS_MAX])
        kinds = tuple(type(step).__name__ for step in plan.steps[:STEPS_MAX])
        digest, now = planner.digest(plan), self._wall()
        with self._lock:
            if ingress in self._running:
                self._running[ingress].end(Fate.REPLACED, now)
            plans = self._plans.get(key)
            if plans and plans[-1].about == ingress and plans[-1].again(digest, now):
                self._running[ingress] = plans[-1]
                return
            entry = _Entry(0, ingress, now, digest, texts, kinds, max(0, len(plan.steps) - STEPS_MAX))
            self._running[ingress] = entry
            self._enter(key, entry)

    def drifted(self, key: BindingKey, plan: Plan) -> None:
        """Handed on."""
        self._inner.drifted(key, plan)

    def left_out(self, key: BindingKey, fields: int) -> None:
        """Handed on."""
        self._inner.left_out(key, fields)

    def performed(self, key: BindingKey, step: Step) -> None:
        """The oldest plan on its way that has such a step still to come.

        Members of a group hear each of its own part, and their steps are performed together: then it counts for all.
        """
        self._inner.performed(key, step)
        text, kind, now = planner.describe(step), type(step).__name__, self._wall()
        with self._lock:
            running = [entry for entry in self._plans.get(key, ()) if entry.fate is Fate.RUNNING]
            if not any(entry.tick(entry.texts, text, now) for entry in running):
                for entry in running:
                    entry.tick(entry.kinds, kind, now)
            for entry in running:
                if entry.complete:
                    entry.end(Fate.DONE, now)

    def refused(self, key: BindingKey, ingress: ObjectKey, rule: str, message: str) -> None:
        """The same refusal again is the same entry."""
        self._inner.refused(key, ingress, rule, message)
        now = self._wall()
        with self._lock:
            plans = self._plans.get(key)
            last = plans[-1] if plans else None
            if last is not None and (last.fate, last.about, last.reason) == (Fate.REFUSED, ingress, message):
                last.ended = now
                return
            self._enter(key, _Entry(0, ingress, now, "", (), fate=Fate.REFUSED, ended=now, reason=message))

    def isolated(self, key: BindingKey, step: Step, *, found: bool) -> None:
        """The plan around the refused step is made anew."""
        self._inner.isolated(key, step, found=found)
        reason = f"the cloud refused: {planner.describe(step)}; what remains is planned without it"
        self._end(key, Fate.REPLACED, reason)

    def observed(self, source: str) -> None:
        """Handed on."""
        self._inner.observed(source)

    def settled(self, ingress: Ingress, ready: bool, deleting: bool) -> None:
        """Whatever was on its way for this Ingress has ended, one way or the other."""
        self._inner.settled(ingress, ready, deleting)
        with self._lock:
            entry = self._running.pop(ingress.key, None)
            if entry is not None:
                entry.end(Fate.REPLACED, self._wall())

    def ended(self, key: BindingKey, outcome: Outcome) -> None:
        """A pass has ended without an error."""
        now = self._wall()
        with self._lock:
            self._stumbles.pop(key, None)
            if isinstance(outcome, Again) and outcome.after_s > 0:
                _wait(self._waits, key, Pause(now, outcome.reason))
            else:
                self._waits.pop(key, None)

    def failed(self, key: BindingKey, error: Exception) -> None:
        """A pass has failed. A budget that is used up, or a lease renewed late, is a wait and no failure."""
        message, now = str(error) or type(error).__name__, self._wall()
        if isinstance(error, Throttled | LostLeadership):
            with self._lock:
                if key not in self._stumbles:
                    _wait(self._waits, key, Pause(now, message))
            return
        self._end(key, Fate.FAILED, message)
        with self._lock:
            known = self._stumbles.pop(key, None)
            times = known.times + 1 if known is not None else 1
            lasting = times > QUIET_MAX or not isinstance(error, RetryableError)
            self._stumbles[key] = Stumble(now, message, times, lasting)
            self._waits.pop(key, None)
            _shorten(self._stumbles)

    def lately(self, key: BindingKey) -> tuple[Pause | None, Stumble | None]:
        """What the last pass over a key waits for, and what it failed for; at most one of the two."""
        with self._lock:
            return self._waits.get(key), self._stumbles.get(key)

    def of(self, key: BindingKey | None, flights: Iterable[Flight] = ()) -> tuple[PlanView, ...]:
        """The plans of a key, or the latest of all, newest first; `flights` are those that are on their way now."""
        with self._lock:
            if key is None:
                newest = [entry for _, entry in islice(reversed(self._order), LATEST_MAX)]
            else:
                newest = list(reversed(self._plans.get(key, ())))
            views = tuple(_view(entry) for entry in newest)
        return with_flights(views, flights)

    def _enter(self, key: BindingKey, entry: _Entry) -> None:
        self._count += 1
        entry.number = self._count
        self._order.append((key, entry))
        self._plans.setdefault(key, deque(maxlen=PLANS_MAX)).append(entry)
        _shorten(self._running)
        while len(self._order) > KEPT_MAX:
            old_key, old = self._order.popleft()
            plans = self._plans.get(old_key)
            if plans and plans[0] is old:
                plans.popleft()
            if not plans:
                self._plans.pop(old_key, None)

    def _end(self, key: BindingKey, fate: Fate, reason: str) -> None:
        now = self._wall()
        with self._lock:
            for entry in self._plans.get(key, ()):
                entry.end(fate, now, reason)


def _wait(waits: dict[BindingKey, Pause], key: BindingKey, pause: Pause) -> None:
    """Keep it, with the time since when the same was waited for."""
    known = waits.pop(key, None)
    waits[key] = known if known is not None and known.message == pause.message else pause
    _shorten(waits)


def _shorten(memory: dict[K, T]) -> None:
    """The oldest go first."""
    while len(memory) > KEYS_MAX:
        del memory[next(iter(memory))]


def with_flights(views: tuple[PlanView, ...], flights: Iterable[Flight]) -> tuple[PlanView, ...]:
    """The same with what each plan on its way waits for."""
    for flight in flights:
        task = flight.task
        if task is None:
            continue
        text = planner.describe(task.step)
        views = tuple(
            replace(view, waiting=f"the cloud works on: {text}", task=task.id)
            if view.fate is Fate.RUNNING and any(step.text == text and step.done is None for step in view.steps)
            else view
            for view in views
        )
    return views


def _view(entry: _Entry) -> PlanView:
    return PlanView(
        number=entry.number,
        about=entry.about,
        begun=entry.begun,
        fate=entry.fate,
        digest=entry.digest,
        ended=entry.ended,
        steps=tuple(StepView(text, entry.done.get(number)) for number, text in enumerate(entry.texts)),
        more=entry.more,
        reason=entry.reason,
        tries=entry.tries,
    )
