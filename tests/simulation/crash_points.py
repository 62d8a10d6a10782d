"""`python -m tests.simulation.crash_points`: every crash point of every golden case, or a share of them, or one.

Exit code 0: all came to the end of the undisturbed run; 1: something did not, and is told with what repeats it.
"""

import argparse
import gc
import logging
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

from tests.golden.case_file import load, paths
from tests.simulation.forks import Point
from tests.simulation.golden_deeds import REST_S
from tests.simulation.golden_points import BRANCHES, Exploration, Failure, Report
from tests.simulation.golden_world import loaded
from tests.simulation.toll import Death

LEFT_OUT: Final = {
    "config-out-of-range": "the API server refuses its TkeServiceConfig",
    "path-regular-expression": "the API server refuses its paths",
    "identity-of-another-cluster": "`run` refuses to start",
}
"""Cases that are not explored, and why."""
FORGIVEN: Final = {
    "manifest-14-ipv6-direct-access": (
        r"/finalizers$|/record$",
        "its order is refused; after a death an earlier one may have been taken, so its marks stay",
    ),
    "record-tags-tampered": (
        r"^<new",
        "once released nothing names the load balancer that it had, and a new one is bought",
    ),
    "guard-most-rules": (
        r"HTTP:80/h\d.example.com/",
        "once released it has no record, and without one an Ingress counts as changed, so the guard lets its rules go",
    ),
}
"""Where an end need not be that of the undisturbed run, and why."""
FREEZING: Final = ("serve", "edit", "delete", "after-release")
FROZEN_OF: Final = 8
"""Of so many calls one is also tried as the one that is on its way when its process freezes."""
TOLD_EVERY: Final = 20
PRODUCT: Final = Path(__file__).parents[2] / "l7lb"


@dataclass(frozen=True, slots=True)
class Task:
    """One case, and which of its points: those whose hash leaves `share` over `shares`; with `at` only that one."""

    path: Path
    share: int = 0
    shares: int = 1
    at: str = ""

    def chooses(self, point: Point) -> bool:
        """Whether this point is tried. Of the first two calls of a case, which every start makes, one always is."""
        if point.death is Death.FROZEN and not self._freezes(point):
            return False
        if self.at:
            return str(point).startswith(self.at)
        if self.shares > 1 and point.phase == "serve" and point.number == 1 + self.share % 2:
            return point.death.value == ("before", "after")[self.share // 2 % 2]
        return self._hash(point) % self.shares == self.share

    def _freezes(self, point: Point) -> bool:
        """Of the points where a successor of the same kind follows, some."""
        return point.phase in FREEZING and (bool(self.at) or self._hash(point) // self.shares % FROZEN_OF == 0)

    def _hash(self, point: Point) -> int:
        return crc32(f"{self.path.stem} {point.phase} {point.number} {point.death.value}".encode())

    def branches(self) -> tuple[str, ...]:
        """Of a share only one, of which the next share has another."""
        if self.shares == 1:
            return BRANCHES
        return (BRANCHES[(crc32(self.path.stem.encode()) + self.share) % len(BRANCHES)],)

    def run(self) -> Report:
        """Explore; what breaks is a failure as well."""
        logging.disable(logging.CRITICAL)
        gc.collect()
        gc.freeze()  # what children do not sweep stays shared with them
        try:
            case, forgiven = load(self.path), FORGIVEN.get(self.path.stem)
            pattern = re.compile(forgiven[0]) if forgiven is not None else None
            thorough = self.shares == 1
            return Exploration(case, self.chooses, self.branches(), thorough=thorough, forgiven=pattern).run()
        except Exception:  # noqa: BLE001 - one case must not keep the others from being tried
            return Report(failures=[Failure(self.path.stem, "", traceback.format_exc(limit=-4))])


def share_of_today(shares: int) -> int:
    """Another one after each change of the product, the same one for the same product."""
    code = 0
    for file in sorted(PRODUCT.rglob("*.py")):
        code = crc32(file.read_bytes(), code)
    return code % shares


def tasks(given: argparse.Namespace) -> Iterator[Task]:
    """What is asked for."""
    number, _, parts = given.part.partition("/")
    share, _, shares = given.share.partition("/")
    chosen = share_of_today(int(shares)) if share == "auto" else int(share)
    for index, path in enumerate(path for path in paths() if path.stem not in LEFT_OUT):
        if given.cases and path.stem not in given.cases:
            continue
        if index % int(parts) == int(number):
            yield Task(path, chosen, int(shares), given.at)


def main() -> int:
    """Explore and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.crash_points", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--share", default="0/1", help="K/N: every Nth point; auto/N: which, by the product's code")
    parser.add_argument("--part", default="0/1", help="K/N: every Nth case")
    parser.add_argument("--at", default="", help="one point, as a failure names it: serve:7:after")
    parser.add_argument("--calls", action="store_true", help="nobody dies: name the calls that a first serving makes")
    parser.add_argument("cases", nargs="*", help="names of cases; none: all")
    given = parser.parse_args()
    asked = list(tasks(given))
    if given.calls:
        return _name_calls(asked)
    began, total, cases = time.monotonic(), Report(), 0
    with ProcessPoolExecutor(given.jobs) as pool:
        for number, report in enumerate(pool.map(Task.run, asked), 1):
            if number % TOLD_EVERY == 0:
                print(f"{number} of {len(asked)} cases", file=sys.stderr, flush=True)
            cases += bool(sum(report.points.values()))
            total.add(report)
            for failure in report.failures:
                _tell(failure)
    whole = not given.at and all(task.shares == 1 for task in asked)
    idle = {task.path.stem for task in asked if whole} & FORGIVEN.keys() - total.forgiven
    for name in sorted(idle):
        print(f"{name} needs no forgiving any more")
    points = ", ".join(f"{name} {count}" for name, count in total.points.items())
    print(f"{cases} of {len(asked)} cases, {sum(total.points.values())} points ({points})")
    print(f"{len(total.failures)} failures, {time.monotonic() - began:.0f} s, share {asked[0].share if asked else 0}")
    return int(bool(total.failures or idle) or (not given.at and cases < len(asked)))


def _name_calls(asked: list[Task]) -> int:
    logging.disable(logging.CRITICAL)
    for task in asked:
        world = loaded(load(task.path))
        world.start()
        world.settle(REST_S)
        print(task.path.stem, *world.live().toll.passed, sep="\n  ")
    return 0


def _tell(failure: Failure) -> None:
    at = failure.point.partition(" ")[0]
    print(f"{failure.case}: {failure.point}: {failure.text}")
    print(f"  again: python -m tests.simulation.crash_points {failure.case} --at {at}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
