"""Order of start and stop, signals, deaths, and what is left alone when something does not stop."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from l7lb.errors import ConfigurationError
from l7lb.runtime.lifecycle import Died, Lifecycle, Service, Threads

pytestmark = pytest.mark.system


class Part:
    """A component that writes down what happens to it, and does `then` once it has started."""

    def __init__(self, diary: list[str], name: str, *, stops: bool = True, only_after_drain: bool = False) -> None:
        self.name = name
        self.only_after_drain = only_after_drain
        self.then: Callable[[Died], None] = lambda _died: None
        self._diary = diary
        self._stops = stops

    def start(self, died: Died) -> None:
        self._diary.append(f"start {self.name}")
        self.then(died)

    def stop(self, timeout_s: float) -> bool:
        self._diary.append(f"stop {self.name}")
        return self._stops


@pytest.fixture
def diary() -> list[str]:
    return []


def run_and_stop(*parts: Part, stop_order: list[Part] | None = None) -> int:
    """Stop as soon as the last part has started."""
    lifecycle = Lifecycle(parts, stop_order=stop_order)
    parts[-1].then = lambda _died: lifecycle.request_stop("all are started")
    return lifecycle.run(signals=())


def raising(error: BaseException) -> Callable[[Died], None]:
    def start(_died: Died) -> None:
        raise error

    return start


def test_parts_stop_in_the_reverse_order(diary: list[str]) -> None:
    assert run_and_stop(Part(diary, "a"), Part(diary, "b")) == 0
    assert diary == ["start a", "start b", "stop b", "stop a"]


def test_another_stop_order_is_kept(diary: list[str]) -> None:
    a, b, c = (Part(diary, name) for name in "abc")
    assert run_and_stop(a, b, c, stop_order=[b, c, a]) == 0
    assert diary[3:] == ["stop b", "stop c", "stop a"]


def test_a_stop_order_that_leaves_something_out_is_a_bug(diary: list[str]) -> None:
    a, b = Part(diary, "a"), Part(diary, "b")
    with pytest.raises(ValueError, match="must be stopped"):
        Lifecycle([a, b], stop_order=[a])


def test_the_lease_is_not_let_go_while_a_worker_still_runs(diary: list[str]) -> None:
    elector = Part(diary, "elector", only_after_drain=True)
    workers = Part(diary, "workers", stops=False)
    assert run_and_stop(elector, workers) == 1
    assert diary == ["start elector", "start workers", "stop workers"]


def test_a_part_that_cannot_start_stops_those_before_it(diary: list[str]) -> None:
    broken = Part(diary, "broken")
    broken.then = raising(OSError("no"))
    assert Lifecycle([Part(diary, "a"), broken, Part(diary, "never")]).run(signals=()) == 1
    assert diary == ["start a", "start broken", "stop broken", "stop a"]


def test_a_configuration_error_reaches_the_command_line_after_all_is_stopped(diary: list[str]) -> None:
    broken = Part(diary, "broken")
    broken.then = raising(ConfigurationError("--port: taken"))
    with pytest.raises(ConfigurationError, match="--port"):
        Lifecycle([Part(diary, "a"), broken]).run(signals=())
    assert diary[-1] == "stop a"


def test_a_stop_that_raises_does_not_keep_the_others_from_stopping(diary: list[str]) -> None:
    def broken() -> None:
        raise RuntimeError("bug")

    a, last = Part(diary, "a"), Part(diary, "last")
    lifecycle = Lifecycle([a, Service("broken", lambda: None, broken), last])
    last.then = lambda _died: lifecycle.request_stop("test")
    assert lifecycle.run(signals=()) == 1
    assert diary[-1] == "stop a"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_threads_and_the_exit_code_is_0(number: signal.Signals, diary: list[str]) -> None:
    stop = threading.Event()
    part = Part(diary, "part")
    part.then = lambda _died: os.kill(os.getpid(), number)
    before = signal.getsignal(number)
    assert Lifecycle([Threads("workers", {"worker-0": stop.wait}, stop.set), part]).run() == 0
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("error", [None, ZeroDivisionError("bug"), MemoryError()], ids=repr)
def test_a_thread_that_ends_unasked_ends_the_process(error: BaseException | None, diary: list[str]) -> None:
    def loop() -> None:
        if error is not None:
            raise error

    lifecycle = Lifecycle([Part(diary, "a"), Threads("informers", {"ingresses": loop}, lambda: None)])
    assert lifecycle.run(signals=()) == 1
    assert diary == ["start a", "stop a"]


def test_a_thread_that_does_not_end_is_not_waited_for_longer_than_agreed() -> None:
    forever = threading.Event()
    threads = Threads("workers", {"worker-0": forever.wait}, lambda: None)
    threads.start(lambda _name, _error: None)
    assert not threads.stop(0.01)
    forever.set()
    assert threads.stop(5.0)
