"""Walks that once failed, and the slices in which the suite walks new ones."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.simulation.walk import Step, Walk

SEEDS: Final = 300
"""From 1 on, in every run of the suite; `make simulate` walks others."""
TOGETHER: Final = 10
SLICES: Final = 6
"""Files `test_walks_*.py`: a worker takes whole files."""
KEPT: Final = Path(__file__).with_name("seeds.txt")


@dataclass(frozen=True)
class Kept:
    """One line: `profile seed day why`, and behind a bar the script, where the profile still grows."""

    profile: str
    seed: int
    day: str
    why: str
    script: tuple[Step, ...] | None

    @property
    def name(self) -> str:
        """For the name of its test."""
        return f"{self.profile}-{self.seed}"

    def walk(self) -> Walk:
        """To be run."""
        return Walk(self.seed, profile=self.profile, script=self.script)


def kept() -> list[Kept]:
    """All lines."""
    lines = (line for line in KEPT.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [_kept(line) for line in lines]


def _kept(line: str) -> Kept:
    head, _, deeds = line.partition("|")
    profile, seed, day, why = head.split(maxsplit=3)
    return Kept(profile, int(seed), day, why.strip(), tuple(map(Step.parse, deeds.split())) or None)


def go(walk: Walk) -> None:
    """Run it; what is broken is told with all that happened."""
    with quiet():
        try:
            walk.run()
        except BaseException as error:
            about = f"profile {walk.profile}, seed {walk.seed}: {error}\n"
            raise AssertionError(about + "\n".join(walk.log)) from error


def go_new(seed: int) -> None:
    """One of the new seeds."""
    go(Walk(seed))


def seeds_of(number: int) -> list[list[int]]:
    """The seeds of one file, a few for each test: a test has two minutes, on a busy machine too."""
    mine = list(range(1 + (number - 1) * SEEDS // SLICES, 1 + number * SEEDS // SLICES))
    return [mine[at : at + TOGETHER] for at in range(0, len(mine), TOGETHER)]


@contextmanager
def quiet() -> Iterator[None]:
    """A walk logs thousands of lines."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
