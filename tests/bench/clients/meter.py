"""The clock of a client, and the one line that it ends with. Knows no client.

`cpu` is that of the whole process, so that neighbours on the machine do not count; `seconds` is what the wall says.
"""

import argparse
import ctypes
import gc
import resource
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

MIB: Final = 1024 * 1024
TICK_S: Final = 0.001


class Reading(msgspec.Struct, frozen=True):
    """What a client has measured."""

    handled: int
    seconds: float
    cpu: float
    stall_cpu_ms: float = 0.0
    """The most CPU time that the process used while its other thread waited for a turn."""
    stall_ms: float = 0.0
    """The longest wait of that thread by the wall."""
    kept_mib: float = 0.0
    """What the process holds more than before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client is to do."""

    url: str
    path: str
    watch: bool
    count: int
    ticking: bool


def asked() -> Asked:
    """From the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("list", "watch"))
    parser.add_argument("kind", choices=("ingresses", "endpointslices"))
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("--ticking", action="store_true")
    said = parser.parse_args()
    return Asked(said.url, said.kind, said.what == "watch", said.count, said.ticking)


def resident_mib() -> float:
    """Now, of what is really used: free memory goes back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / MIB


@dataclass(slots=True)
class Ticker:
    """Another thread of the same process that only wants a turn each millisecond."""

    stall_cpu: float = 0.0
    stall: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _tick(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        while not self._ended.wait(TICK_S):
            wall_now, cpu_now = time.perf_counter(), time.process_time()
            self.stall = max(self.stall, wall_now - wall)
            self.stall_cpu = max(self.stall_cpu, cpu_now - cpu)
            wall, cpu = wall_now, cpu_now


@dataclass(slots=True)
class Meter:
    """From `start` to `stop`. What is to be counted as kept must still be referred to at `stop`."""

    ticking: bool = False
    _ticker: Ticker = field(default_factory=Ticker)
    _before_mib: float = 0.0
    _cpu: float = 0.0
    _wall: float = 0.0

    def start(self) -> None:
        """Everything is imported and connected."""
        self._before_mib = resident_mib()
        if self.ticking:
            self._ticker.start()
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self, handled: int) -> None:
        """Print what was measured."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        if self.ticking:
            self._ticker.stop()
        kept = resident_mib() - self._before_mib
        stall = self._ticker.stall_cpu * 1000, self._ticker.stall * 1000
        print(msgspec.json.encode(Reading(handled, wall, cpu, *stall, kept)).decode(), flush=True)
