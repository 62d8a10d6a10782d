"""Order of start and stop, signals, deaths, and what is left alone when something does not stop."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType

import pytest

from l7lb.errors import ConfigurationError, Unavailable
from l7lb.runtime.lifecycle import Bell, Died, Lifecycle, Service, Threads

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


def test_a_bell_wakes_who_waits_now_and_later() -> None:
    bell = Bell()
    assert not bell.wait(0.0)
    threading.Timer(0.01, bell.ring).start()
    assert bell.wait(30.0)
    assert bell.wait(0.0)
    assert bell.rung


def test_a_bell_may_be_rung_by_a_signal_at_any_moment_of_a_wait() -> None:
    for _ in range(200):
        bell = Bell()
        before = signal.signal(signal.SIGALRM, ringing(bell))
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        assert bell.wait(30.0)
        signal.signal(signal.SIGALRM, before)


def ringing(bell: Bell) -> Callable[[int, FrameType | None], None]:
    def handler(_number: int, _frame: FrameType | None) -> None:
        bell.ring()

    return handler


def test_a_part_that_waits_while_it_starts_is_woken_by_the_end(diary: list[str]) -> None:
    waits: list[bool] = []
    lifecycle = Lifecycle(
        [Service("waits", lambda: waits.append(lifecycle.pause(30.0)), lambda: None), Part(diary, "b")]
    )
    threading.Timer(0.02, lifecycle.request_stop, ("test",)).start()
    assert lifecycle.run(signals=()) == 0
    assert (waits, diary) == ([False], [])


def test_an_expected_error_is_one_line_and_a_bug_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    for error, level in ((Unavailable("the cloud is away"), "ERROR"), (ZeroDivisionError("bug"), "CRITICAL")):
        caplog.clear()
        assert Lifecycle([Threads("part", {"part": _raise(error)}, lambda: None)]).run(signals=()) == 1
        (record,) = [one for one in caplog.records if "stopping" not in one.message]
        assert (record.levelname, record.exc_info is not None) == (level, level == "CRITICAL")


def test_a_configuration_error_counts_even_if_another_thread_has_died_before(diary: list[str]) -> None:
    lifecycle = Lifecycle([Part(diary, "a")])
    lifecycle.died("watchdog", None)
    lifecycle.died("lease", ConfigurationError("--no-leader-elect: held"))
    with pytest.raises(ConfigurationError, match="--no-leader-elect"):
        lifecycle.run(signals=())


def _raise(error: Exception) -> Callable[[], None]:
    def loop() -> None:
        raise error

    return loop


ENDING = """
import logging, sys, threading
from l7lb.runtime.lifecycle import end_process
logging.basicConfig(level="INFO")
{before}
threading.Thread(target=end_process, args=("the lease was lost",)).start()
threading.Event().wait(30)
"""


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [("", 1, True), ("logging.getLogger().handlers[0].emit = lambda _record: threading.Event().wait(30)", -14, False)],
    ids=["its last words are heard", "nobody reads its log"],
)
def test_who_has_lost_the_lease_ends_at_once_whatever_hangs(before: str, code: int, said: bool) -> None:
    process = subprocess.run(
        [sys.executable, "-c", ENDING.format(before=before)], capture_output=True, text=True, timeout=20, check=False
    )
    assert process.returncode == code
    assert ("the lease was lost" in process.stderr) is said
