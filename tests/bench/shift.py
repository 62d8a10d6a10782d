"""One replica on the virtual clock: each of its threads is a hand, and its passes take time and are measured."""

from collections.abc import Callable
from typing import Final

from l7lb.model.identity import BindingKey
from l7lb.model.lane import Lane
from l7lb.model.outcome import Outcome
from l7lb.reconciler.passes import Workshop
from l7lb.reconciler.reconciler import Reconciler
from l7lb.runtime.reflector import Wait
from tests.bench.crew import Crew
from tests.bench.meters import Cpu
from tests.simulation.loops import FOREVER, Thread, body_of
from tests.simulation.replica import Replica
from tests.simulation.toll import Died

CPU_S: Final = 0.004
"""So long a pass holds the interpreter."""
_LOOK_S: Final = 0.1
"""So often a replica looks whether it can lead (l7lb.app.leadership)."""


class Paced(Reconciler):
    """The reconciler, whose passes take time and are measured."""

    def __init__(self, shop: Workshop, crew: Crew, cpu: Cpu) -> None:
        super().__init__(shop)
        self._crew = crew
        self._cpu = cpu

    def reconcile(self, key: BindingKey, lane: Lane = Lane.CHANGE) -> Outcome:
        """The same."""
        self._crew.think(CPU_S)
        with self._cpu.a_pass():
            return super().reconcile(key, lane)


def begin(one: Replica, crew: Crew, cpu: Cpu) -> None:
    """All its threads, and the verifier's."""
    shift = _Shift(one, crew, cpu)
    for thread in one.threads:
        crew.start(f"{one.name} {thread.name}", lambda thread=thread: shift.live(thread))  # type: ignore[misc]  # bound now
    crew.start(f"{one.name} verifier", shift.verify)


class _Shift:
    def __init__(self, one: Replica, crew: Crew, cpu: Cpu) -> None:
        self._one = one
        self._crew = crew
        self._cpu = cpu

    def live(self, thread: Thread) -> None:
        one, due = self._one, _due(self._one, thread)
        try:
            while not one.over:
                self._adopt()
                thread.running = True
                did = thread.step()
                thread.running = False
                if did:
                    continue
                if thread.name == "leadership" and one.term is None:
                    self._crew.sleep(_LOOK_S)
                else:
                    self._crew.park(due)
        except Died:
            one.end("died")

    def _adopt(self) -> None:
        """The term's reconciler is the one that is measured."""
        term = self._one.term
        if term is not None and not isinstance(term._reconciler, Paced):
            term._reconciler = Paced(term._workshop(), self._crew, self._cpu)

    def verify(self) -> None:
        """What the thread of the verifier does when the term has begun (`Verifier.run`)."""
        one = self._one
        try:
            self._crew.park(lambda: 0.0 if one.leads or one.over else FOREVER)
            term = one.term
            if term is None:
                return
            wait_s = term.verifier._pause(len(term.verifier._due))
            while one.around.config.verify_interval > 0 and not one.over:
                self._crew.sleep(wait_s)
                wait_s = term.verifier._pause(term.verifier.round(self._wait))
        except Died:
            one.end("died")

    def _wait(self, seconds: float) -> bool:
        self._crew.sleep(seconds)
        return bool(self._one.over)


def _due(one: Replica, thread: Thread) -> Callable[[], float]:
    if thread.name.startswith("worker"):
        return lambda: _work_due(one)
    if thread.name.startswith("informer"):
        informer = one.informer(thread.name.removeprefix("informer-"))

        def heard() -> float:
            body = body_of(informer)
            if isinstance(informer._reflector.next(one.now()), Wait):
                return min(thread.due())
            if body is None:
                return 0.0
            return 0.0 if body.ready() else min(body.news_due() or FOREVER, body.chore_due())

        return heard
    if thread.name == "leadership":
        return lambda: 0.0 if one.leaving and not _works(one) else min(thread.due())
    return lambda: min(thread.due())


def _works(one: Replica) -> bool:
    return any(thread.running for thread in one.threads if thread.name.startswith("worker"))


def _work_due(one: Replica) -> float:
    term = one.term
    if one.over:
        return 0.0
    if term is None:
        return FOREVER
    queue = term.queue
    verifying = sum(running.row.name == "VERIFY" for running in queue._running.values())
    if queue._ready.choose(one.now(), may_verify=verifying < queue._verify_max) is not None:
        return 0.0
    due = queue._delays.next_due()
    return FOREVER if due is None else one.true(due)
