"""`python -m tests.bench [--quick] [--only NAME...]`: each benchmark in a fresh process.

A JSON line for each figure, the last line sums up; the same in build/bench.json. Exit code 1: a figure is beyond its
budget, or a benchmark failed.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import groupby
from math import inf
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from tests.bench import page
from tests.bench.registry import NAMES, benchmark
from tests.bench.results import Ran, document, last_line, line, summed
from tests.bench.rows import Benchmark, Figure

ROOT: Final = Path(__file__).parents[2]
OUT: Final = ROOT / "build/bench.json"
NEEDED: Final = ("kubernetes", "kopf", "lightkube", "tencentcloud.clb")
DRAWING: Final = ("matplotlib",)
AT_ONCE: Final = 2
WHOLE_S_MAX: Final = 600.0
QUICK_S_MAX: Final = 60.0
"""All of it, on two cores: who waits longer for figures stops asking for them."""
_CHILDREN: Final[set["subprocess.Popen[bytes]"]] = set()
"""That run now."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write down, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, in a minute: to see that all of it works")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=NAMES, default=[], help="these benchmarks")
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures go")
    parser.add_argument("--write-docs", action="store_true", help="make docs/performance.md of this run")
    asked = parser.parse_args(arguments)
    if asked.write_docs and (asked.quick or asked.only):
        parser.error("--write-docs: the page is made of all figures in full size, not with --quick or --only")
    if asked.list:
        for name in NAMES:
            print(f"{name}: {benchmark(name).about}")
        return 0
    if lacking := missing((*NEEDED, *(DRAWING if asked.write_docs else ()))):
        print(
            f"not installed: {', '.join(lacking)}. What is compared, and what draws: pip install -e '.[bench]', "
            "which `make bench` does by itself.",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, _end_in_order)
    begun = time.monotonic()
    ran = []
    for one in _run_all(asked.only or NAMES, quick=asked.quick):
        ran.append(one)
        _tell(one, quick=asked.quick)
    limit_s = inf if asked.only else QUICK_S_MAX if asked.quick else WHOLE_S_MAX
    results = summed(ran, quick=asked.quick, seconds=time.monotonic() - begun, limit_s=limit_s)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    made = document(results)
    asked.out.write_bytes(made)
    if asked.write_docs:
        page.write(made)
    _print(last_line(results))
    return 0 if results.ok else 1


def missing(packages: Sequence[str]) -> list[str]:
    """Those that cannot be imported here: found out before anything is measured, not after minutes."""
    return [name for name in packages if find_spec(name) is None]


def _run_all(names: Sequence[str], *, quick: bool) -> Iterator[Ran]:
    """In order. Two at a time where no figure is of the wall clock, or all sizes are small and say little anyway.

    What a neighbour adds to a CPU second is on the side that is worse.
    """
    for together, some in groupby(names, key=lambda name: quick or benchmark(name).virtual):
        with ThreadPoolExecutor(AT_ONCE if together else 1) as pool:
            try:
                yield from pool.map(lambda name: run(benchmark(name), quick=quick), some)
            finally:
                for child in tuple(_CHILDREN):  # there are any only when we are told to end
                    _end(child)


def run(one: Benchmark, *, quick: bool) -> Ran:
    """In a process of its own, which leaves none behind."""
    with tempfile.TemporaryDirectory(prefix="l7lb-bench-") as folder:
        out = Path(folder) / "figures.json"
        words = [sys.executable, "-m", "tests.bench.one", one.name, str(out), *(["--quick"] if quick else [])]
        begun = time.monotonic()
        child = subprocess.Popen(words, cwd=ROOT, stdout=sys.stderr, start_new_session=True)
        _CHILDREN.add(child)
        try:
            code: int | None = child.wait(one.limit_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(child)
            _CHILDREN.discard(child)
        seconds = time.monotonic() - begun
        if code is None:
            return Ran(one.name, one.about, seconds, f"took longer than {one.limit_s:.0f} s")
        if code or not out.exists():
            return Ran(one.name, one.about, seconds, f"ended with {code}")
        figures = msgspec.json.decode(out.read_bytes(), type=tuple[Figure, ...])
        return Ran(one.name, one.about, seconds, "", figures)


def _end_in_order(number: int, _frame: FrameType | None) -> None:
    """As Ctrl-C does: children are ended on the way out."""
    sys.exit(128 + number)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """The child's session is its own: whatever it has started goes with it."""
    with contextlib.suppress(ProcessLookupError):  # all of it has ended
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tell(ran: Ran, *, quick: bool) -> None:
    for figure in ran.figures:
        _print(line(figure, quick=quick))
    if ran.failure:
        _print({"name": ran.name, "ok": False, "failure": ran.failure})


def _print(row: dict[str, object]) -> None:
    print(msgspec.json.encode(row).decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
