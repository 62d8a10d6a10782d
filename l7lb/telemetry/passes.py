"""Measures passes: who works on what, since when, and what was sent meanwhile. Hands on values; says nothing itself.

A pass is worked on by one thread from its beginning to its end, so what that thread does belongs to it. Times and ids
come from arguments. Without observers nothing is kept at all.
"""

import threading
from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Done
from l7lb.model.phases import Call, Pass, Phase, Stage, TaskEnd

PHASES_MAX: Final = 500
"""A pass has some twenty; what is more than this is told as it happens, but not kept."""
TASKS_MAX: Final = 10_000


class Taken(Protocol):
    """A key that was handed to a worker."""

    @property
    def key(self) -> str:
        """The key."""
        ...

    @property
    def lane(self) -> Lane:
        """Why."""
        ...

    @property
    def waited_s(self) -> float:
        """Since it was ready."""
        ...


class Observer(Protocol):
    """Hears of phases and passes as they end, on the thread that worked on them: it must neither block nor raise."""

    def phase(self, phase: Phase, pass_id: str) -> None:
        """One phase has ended; `pass_id` is empty for a call outside of all passes."""
        ...

    def passed(self, done: Pass) -> None:
        """One pass has ended."""
        ...


@dataclass(slots=True)
class _Open:
    """A stage that has not ended."""

    stage: Stage
    started: float
    number: int


@dataclass(slots=True)
class _Running:
    """The pass of one thread."""

    id: str
    taken: Taken
    owner: "Passes"
    at: float
    started: float
    ingress: str = ""
    load_balancer: str = ""
    ingresses: dict[str, None] = field(default_factory=dict)
    phases: list[Phase] = field(default_factory=list)
    numbers: int = 0
    open: _Open | None = None
    sent: list[str] = field(default_factory=list)
    performed: list[str] = field(default_factory=list)
    left_out: int = 0
    token: "Token[_Running | None] | None" = None


_running: ContextVar[_Running | None] = ContextVar("l7lb_pass", default=None)


def context() -> dict[str, str]:
    """What the pass of this thread is about, as fields of a log line; empty outside of passes."""
    running = _running.get()
    if running is None:
        return {}
    fields = {"reconcile_id": running.id, "key": running.taken.key}
    if running.ingress:
        fields["ingress"] = running.ingress
    if running.load_balancer:
        fields["load_balancer"] = running.load_balancer
    return fields


class Passes:
    """Has the shapes of what the controller, the reconciler and the clients tell. Safe for several threads."""

    def __init__(
        self,
        observers: tuple[Observer, ...] = (),
        *,
        monotonic: Callable[[], float] = lambda: 0.0,
        wall: Callable[[], float] = lambda: 0.0,
        ids: Callable[[], str] = lambda: "",
    ) -> None:
        """`ids` gives each pass an id of its own: 16 hexadecimal digits."""
        self._observers = observers
        self._monotonic = monotonic
        self._wall = wall
        self._ids = ids
        self._lock = threading.Lock()
        self._tasks: dict[str, tuple[str, int, str]] = {}

    def began(self, taken: Taken) -> None:
        """The key is worked on by this thread from now on."""
        if not self._observers:
            return
        now = self._monotonic()
        running = _Running(self._ids(), taken, self, self._wall(), now)
        running.token = _running.set(running)
        self._tell(running, Phase(Stage.QUEUE, now - taken.waited_s, taken.waited_s))

    def ended(self, result: str, outcome: Done | Again | Exception | None) -> None:
        """It is done with it."""
        running = self._mine()
        if running is None:
            return
        self._close(running)
        if running.token is not None:
            _running.reset(running.token)
        done = self._ended(running, result, outcome)
        for observer in self._observers:
            observer.passed(done)

    def about(self, ingresses: tuple[str, ...]) -> None:
        """The turn of these begins."""
        running = self._mine()
        if running is not None:
            self._close(running)
            running.ingress = ",".join(ingresses)
            running.ingresses |= dict.fromkeys(ingresses)

    def enter(self, stage: Stage, load_balancer: str = "") -> None:
        """The stage before has ended, this one begins."""
        running = self._mine()
        if running is None:
            return
        running.load_balancer = load_balancer or running.load_balancer
        if running.open is not None and running.open.stage is stage:
            return
        self._close(running)
        running.numbers += 1
        running.open = _Open(stage, self._monotonic(), running.numbers)

    def called(self, call: Call, seconds: float) -> None:
        """A request was answered, or not."""
        if self._observers:
            self._tell(self._mine(), Phase(Stage.CALL, self._monotonic() - seconds, seconds, detail=call))

    def sent(self, words: str, task: str = "", load_balancer: str = "") -> None:
        """A step was sent and accepted; `task`: it has ended only when this has."""
        running = self._mine()
        if running is not None:
            running.sent.append(words)
        if task and self._observers:
            which = (running.id, running.numbers, load_balancer) if running is not None else ("", 0, load_balancer)
            with self._lock:
                self._tasks[task] = which
                while len(self._tasks) > TASKS_MAX:
                    del self._tasks[next(iter(self._tasks))]

    def task_ended(self, task: str, step: str, status: str, seconds: float) -> None:
        """A task was found ended so long after it was accepted."""
        if not self._observers:
            return
        with self._lock:
            pass_id, number, load_balancer = self._tasks.pop(task, ("", 0, ""))
        running = self._mine()
        if running is not None and load_balancer:
            running.load_balancer = load_balancer
        end = TaskEnd(task, step, status, pass_id, number)
        self._tell(running, Phase(Stage.TASK, self._monotonic() - seconds, seconds, detail=end))

    def performed(self, words: str) -> None:
        """A step has ended well."""
        running = self._mine()
        if running is not None:
            running.performed.append(words)

    def _mine(self) -> _Running | None:
        running = _running.get()
        return running if running is not None and running.owner is self else None

    def _close(self, running: _Running) -> None:
        stage, running.open = running.open, None
        if stage is not None:
            seconds = self._monotonic() - stage.started
            self._keep(running, Phase(stage.stage, stage.started, seconds, stage.number, 0, *_about(running)))

    def _tell(self, running: _Running | None, phase: Phase) -> None:
        """What lies within the stage that is open, or outside of all passes."""
        if running is None:
            for observer in self._observers:
                observer.phase(phase, "")
            return
        running.numbers += 1
        within = running.open.number if running.open is not None else 0
        ingress, load_balancer = _about(running)
        self._keep(
            running,
            replace(phase, number=running.numbers, within=within, ingress=ingress, load_balancer=load_balancer),
        )

    def _keep(self, running: _Running, phase: Phase) -> None:
        if len(running.phases) < PHASES_MAX:
            running.phases.append(phase)
        else:
            running.left_out += 1
        for observer in self._observers:
            observer.phase(phase, running.id)

    def _ended(self, running: _Running, result: str, outcome: Done | Again | Exception | None) -> Pass:
        failed = isinstance(outcome, Exception)
        reason = outcome.reason if isinstance(outcome, Again) else str(outcome) if failed else ""
        return Pass(
            id=running.id,
            key=running.taken.key,
            lane=str(running.taken.lane),
            at=running.at,
            started=running.started,
            queued_s=running.taken.waited_s,
            seconds=self._monotonic() - running.started,
            result=str(result),
            phases=tuple(running.phases),
            left_out=running.left_out,
            ingress=",".join(running.ingresses),
            load_balancer=running.load_balancer,
            sent=tuple(running.sent),
            performed=tuple(running.performed),
            error=type(outcome).__name__ if failed else "",
            reason=reason,
            again_s=outcome.after_s if isinstance(outcome, Again) else None,
        )


def _about(running: _Running) -> tuple[str, str]:
    return running.ingress, running.load_balancer
