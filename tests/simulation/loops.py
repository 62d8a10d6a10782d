"""What are threads in `l7lb run`, as loops that are stepped by hand: the lease, an informer, leading, a worker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from l7lb.app.connections import Connections
from l7lb.app.leadership import Leadership
from l7lb.app.leading import QueueSink, Term
from l7lb.app.patience import RETRY_S, START_S_MAX
from l7lb.app.watching import Watching
from l7lb.errors import ConfigurationError, L7lbError
from l7lb.runtime.election import Elector
from l7lb.runtime.informer import Informer
from l7lb.runtime.reflector import Read, Wait
from l7lb.runtime.workqueue import Taken
from tests.simulation.process import Pass, Watched
from tests.simulation.streams import Body

FOREVER: Final = float("inf")


class Due(NamedTuple):
    """True times: when there is news to act on, and when a chore (a renewal, a bookmark) has to be done."""

    news: float = FOREVER
    chore: float = FOREVER


@dataclass(slots=True)
class Thread:
    """`step` does one thing and says whether there was one to do."""

    name: str
    step: Callable[[], bool]
    due: Callable[[], Due]
    running: bool = False


class Host(Protocol):
    """A replica as its loops see it."""

    over: str
    leaving: bool
    term: Term | None
    sink: QueueSink
    elector: Elector
    connections: Connections
    watching: Watching
    leadership: Leadership
    passes: list[Pass]
    threads: tuple[Thread, ...]
    uid: str

    def now(self) -> float:
        """By the clock of its machine."""
        ...

    def true(self, monotonic: float) -> float:
        """The true time when its own clock will show this."""
        ...

    def end(self, why: str) -> None:
        """It is no more."""
        ...

    def elapse(self, seconds: float) -> None:
        """One of its threads waits."""
        ...


@dataclass(slots=True)
class Holding:
    """Who the cluster is, and then the lease."""

    replica: Host
    _at: float = 0.0
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.replica.now() + START_S_MAX

    def step(self) -> bool:
        """Renew, or campaign; and give the lease up when its time is over."""
        replica = self.replica
        if self.replica.uid:
            replica.elector.watch_over()
        if replica.over or replica.now() < self._at:
            return False
        if not self.replica.uid:
            self._meet()
            return True
        wait_s = replica.elector.step().wait_s
        self._at = replica.now() + wait_s
        return True

    def due(self) -> Due:
        """A renewal is a chore."""
        at = self.replica.true(max(self._at, self.replica.now()))
        return Due(chore=at) if self.replica.uid else Due(news=at)

    def _meet(self) -> None:
        replica = self.replica
        try:
            self.replica.uid = replica.connections.cluster.uid()
        except L7lbError as error:
            self._at = replica.now() + RETRY_S
            if replica.now() >= self._deadline:
                replica.end(f"the API server: {error}")


@dataclass(slots=True)
class Leading:
    """From the lease to a term, and on a signal back."""

    replica: Host
    trusts: bool = False
    """What is read counts: nothing of a leader before us can arrive any more."""
    _at: float = 0.0
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = self.replica.now() + START_S_MAX

    def step(self) -> bool:
        """The next thing on that way."""
        replica, now = self.replica, self.replica.now()
        if replica.leaving:
            return self._go()
        if replica.term is not None:
            return self._trust(replica.term)
        if not replica.watching.informers.synced():
            if now > self._deadline:
                replica.end("the cluster cannot be read")
            return bool(replica.over)
        if not replica.uid or not replica.elector.holds(now) or now < self._at:
            return False
        try:
            self._lead()
        except ConfigurationError:
            raise
        except L7lbError as error:
            self._at = replica.now() + RETRY_S
            if replica.now() >= self._deadline:
                replica.end(f"the cloud: {error}")
        return True

    def due(self) -> Due:
        """When it asks again."""
        waits = self.replica.term is None and self._at > self.replica.now()
        if waits or (self.replica.term is not None and not self.trusts):
            return Due(news=self.replica.true(self._at))
        return Due()

    def _lead(self) -> None:
        replica = self.replica
        stage = replica.leadership.stage()
        term = replica.term = replica.sink.term = Term(stage)
        term._reconciler = Watched(term._workshop(), replica.passes)
        self._at = max(stage.trusted_from, replica.now())
        self.trusts = stage.trusted_from == 0
        term.confirm()
        term.enqueue()
        term.verifier.promote(self._pass_time)

    def _pass_time(self, seconds: float) -> bool:
        """What the verifier's thread waits for."""
        self.replica.elapse(seconds)
        return False

    def _trust(self, term: Term) -> bool:
        if self.trusts or self.replica.now() < self._at:
            return False
        self.trusts = True
        term.observations.clear()
        term.verifier._look(self._pass_time)
        return True

    def _go(self) -> bool:
        if any(thread.running for thread in self.replica.threads if thread.name.startswith("worker")):
            return False
        self.replica.elector.release()
        self.replica.end("stopped")
        return True


@dataclass(slots=True)
class Working:
    """One worker."""

    replica: Host

    def step(self) -> bool:
        """One pass if a key is ready."""
        term = self.replica.term
        if term is None:
            return False
        came = term.controller.process_next()
        if came is None and term.queue._closed and not self.replica.leaving:
            self.replica.end("the workers have ended")
        return isinstance(came, Taken)

    def due(self) -> Due:
        """When a key is ready."""
        term = self.replica.term
        if term is None:
            return Due()
        due = term.queue._delays.next_due()
        return Due() if due is None else Due(news=self.replica.true(due))


@dataclass(slots=True)
class Listening:
    """One informer."""

    replica: Host
    informer: "Informer[Any]"

    def step(self) -> bool:
        """One request, or one event that has arrived."""
        informer = self.informer
        request = informer._reflector.next(self.replica.now())
        if isinstance(request, Wait):
            return False
        if isinstance(request, Read) and getattr(informer._stream, "_looked", True):
            body = body_of(informer)
            if body is not None and not body.ready():
                return False
        informer.step()
        return True

    def due(self) -> Due:
        """When the next event arrives; bookmarks and ends are chores, as is a look for a kind that is not there."""
        request = self.informer._reflector.next(self.replica.now())
        if isinstance(request, Wait):
            at = self.replica.true(self.replica.now() + request.after_s)
            return Due(chore=at) if self.informer._reflector.absent else Due(news=at)
        body = body_of(self.informer)
        assert body is not None, f"{self.informer.name} has something to do: {request}"
        news = body.news_due()
        return Due(FOREVER if news is None else news, body.chore_due())


def body_of(informer: "Informer[Any]") -> Body | None:
    """Its open stream; that of a single object is wrapped once more."""
    stream: Any = informer._stream
    return getattr(getattr(stream, "_inner", stream), "_stream", None)
