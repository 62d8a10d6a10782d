"""Forks of this very process: a run is made once, and right before each of its calls a child goes off and dies there.

What came before the call is therefore the same to the last byte, and is not made again. A child answers through a pipe.
"""

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from tests.simulation.toll import Death, Died, Toll

PATIENCE_S: Final = 120
"""Real seconds after which a child is taken for hung."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a process dies: at which call of which phase, and how."""

    phase: str
    number: int
    death: Death
    name: str

    def __str__(self) -> str:
        return f"{self.phase}:{self.number}:{self.death.value} ({self.name})"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a child broke on."""

    text: str


@dataclass
class Forks:
    """Choose points, then `explore`; `hear` is the witness of all tolls."""

    choose: Callable[[Point], bool]
    deaths: tuple[Death, ...] = (Death.BEFORE, Death.AFTER)
    calls: int = 0
    """Of the phase that is explored."""
    died_at: Point | None = None
    """In a child: where."""
    _phase: str = ""
    _pipe: int = -1
    _answers: list[tuple[Point, Any]] = field(default_factory=list)

    def hear(self, toll: Toll, name: str) -> None:
        """A call is about to be made."""
        if not self._phase:
            return
        self.calls += 1
        for death in self.deaths:
            point = Point(self._phase, self.calls, death, name)
            if self.choose(point) and self._go_off(point):
                toll.arm(len(toll.passed) + 1, death)
                return

    def explore(
        self, phase: str, act: Callable[[], None], judge: Callable[[bool], Any], *, always: bool = True
    ) -> tuple[Any, list[tuple[Point, Any]]]:
        """Act once; what `judge(False)` says of it, and for each point where a child died what `judge(True)` says.

        Unless `always`, the first is None when nobody died.
        Nothing that `judge` does to the world is seen here. Calls are counted in `act` only.
        """
        self._phase, self.calls, self._answers = phase, 0, []
        try:
            act()
        except Died:
            if self._pipe < 0:
                raise
        except BaseException:
            if self._pipe < 0:
                raise
            _deliver(self._pipe, lambda: Trouble(traceback.format_exc()))
        if self._pipe >= 0:
            _deliver(self._pipe, lambda: judge(True))
        self._phase = ""
        answers = self._answers
        return (self.aside(lambda: judge(False)) if answers or always else None), answers

    def aside(self, work: Callable[[], Any]) -> Any:
        """What the work comes to in a child: here nothing has happened."""
        with _channel() as (reader, writer):
            child = os.fork()
            if child == 0:
                self._phase, self._answers = "", []
                _deliver(writer, work)
            return _heard(child, reader, writer)

    def _go_off(self, point: Point) -> bool:
        """True in the child that is to die there."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            self._phase, self._pipe, self._answers, self.died_at = "", writer, [], point
            return True
        try:
            self._answers.append((point, _heard(child, reader, writer)))
        finally:
            os.close(reader)
        return False


@contextmanager
def _channel() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(reader)


def _heard(child: int, reader: int, writer: int) -> Any:
    """Wait for the end of a child."""
    os.close(writer)
    parts = []
    while part := os.read(reader, 1 << 16):
        parts.append(part)
    _, status = os.waitpid(child, 0)
    if status != 0 or not parts:
        return Trouble(f"the child gave no answer, status {status}")
    return pickle.loads(b"".join(parts))  # noqa: S301 - our own child's


def _deliver(writer: int, work: Callable[[], Any]) -> NoReturn:
    """Do it, answer, end: nothing of the parent's may run after this in the child."""
    signal.alarm(PATIENCE_S)
    try:
        try:
            answer = work()
        except BaseException:  # noqa: BLE001 - whatever it is, the parent has to know
            answer = Trouble(traceback.format_exc())
        rest = memoryview(pickle.dumps(answer))
        while rest:
            rest = rest[os.write(writer, rest) :]
    finally:
        os._exit(0)
