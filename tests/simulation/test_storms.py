"""Random walks in which everything goes wrong around a Deployment of replicas, and that a seed means one such walk."""

import pytest

from tests.simulation.kept import go
from tests.simulation.walk import Walk

SEEDS = 24
"""From 1 on; `python -m tests.simulation --profile storm --seed N --count M` walks others."""


@pytest.mark.parametrize("sixth", range(6))
def test_all_promises_hold_in_a_storm_and_it_comes_to_rest(sixth: int) -> None:
    for seed in range(sixth * SEEDS // 6 + 1, (sixth + 1) * SEEDS // 6 + 1):
        go(Walk(seed, profile="storm"))


@pytest.mark.parametrize("seed", [3, 317, 346])
def test_a_seed_gives_the_same_storm_every_time(seed: int) -> None:
    first, second = Walk(seed, profile="storm"), Walk(seed, profile="storm")
    go(first)
    go(second)
    assert first.log == second.log
    assert [(one.at, one.key) for one in first.world.passes] == [(one.at, one.key) for one in second.world.passes]
    assert first.world.account.emulator.calls.counts == second.world.account.emulator.calls.counts
