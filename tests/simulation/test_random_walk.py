"""Random walks: some new ones in every run of the suite, and for ever those that once failed."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.walk import Walk

SEEDS = 120
"""From 1 on; `python -m tests.simulation --seed N --count M` walks others."""
KEPT = Path(__file__).with_name("seeds.txt")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A walk logs thousands of lines."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def _kept() -> list[tuple[int, str]]:
    lines = (line for line in KEPT.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [(int(seed), why) for seed, _, why in (line.split(maxsplit=2) for line in lines)]


def _walk(seed: int) -> None:
    walk = Walk(seed)
    try:
        walk.run()
    except BaseException as error:
        raise AssertionError(f"seed {seed}: {error}\n" + "\n".join(walk.log)) from error


@pytest.mark.parametrize("tenth", range(10))
def test_all_promises_hold_at_every_step_of_a_random_walk_and_it_comes_to_rest(tenth: int) -> None:
    for seed in range(tenth * SEEDS // 10 + 1, (tenth + 1) * SEEDS // 10 + 1):
        _walk(seed)


@pytest.mark.parametrize(("seed", "why"), _kept(), ids=[str(seed) for seed, _ in _kept()])
def test_a_seed_that_once_failed_fails_no_more(seed: int, why: str) -> None:
    assert why
    _walk(seed)


def test_a_seed_gives_the_same_walk_every_time() -> None:
    first, second = Walk(11), Walk(11)
    first.run()
    second.run()
    assert first.log == second.log
    assert [(one.at, one.key) for one in first.world.passes] == [(one.at, one.key) for one in second.world.passes]
