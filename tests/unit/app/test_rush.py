"""All at once: a verification, new Ingresses, a node that joins every load balancer. Nobody who is urgent waits."""

import random
from collections import Counter
from math import ceil

import pytest

from l7lb.adapters.clb.ratelimit import Pace
from l7lb.model.lane import Lane
from tests.unit.app.rush import ADD, BUILD, CHANGE, REMOVE, WORKERS, Rush

LOAD_BALANCERS, LASTS_S = 1_000, 45.0
TERMS = {
    "in the middle of a term, 500 new Ingresses": (True, 500),
    "right after a failover, 500 new Ingresses": (False, 500),
    "right after a failover": (False, 0),
}


def p99(waits: list[float]) -> float:
    return waits[ceil(0.99 * len(waits)) - 1]


@pytest.fixture(scope="module", params=list(TERMS))
def rush(request: pytest.FixtureRequest) -> Rush:
    known, new = TERMS[request.param]
    rush = Rush(LOAD_BALANCERS, known=known)
    dice = random.Random(5)

    def world() -> None:
        if rush.known:
            rush.verifier.round()
        else:
            rush.verifier.enqueue()
        rush.hands.sleep(0.5)
        for number in range(new):
            rush.ask(f"new-{number:04}", "build", BUILD, Lane.CHANGE)
        for name in rush.names:
            rush.ask(name, "join", ADD, Lane.ARRIVALS)
        while True:
            for _ in range(4):
                rush.hands.sleep(0.25)
                rush.ask(dice.choice(rush.names), "removal", REMOVE, Lane.ENDPOINTS, urgent=True)
            rush.ask(dice.choice(rush.names), "change", CHANGE, Lane.CHANGE)

    rush.hands.start(world)
    rush.run(LASTS_S)
    return rush


def test_targets_are_taken_off_within_a_second(rush: Rush) -> None:
    waits = rush.waits("removal")
    assert len(waits) >= 4 * (LASTS_S - 2.0)
    assert p99(waits) <= 1.0


def test_a_users_change_is_behind_neither_the_verification_nor_the_node(rush: Rush) -> None:
    """It may be behind other users' changes.

    The first passes of 500 new Ingresses take the interpreter seconds, and their first looks are of the same sort as
    the one that a change needs after a failover.
    """
    waits = rush.waits("change")
    assert len(waits) >= LASTS_S - 2.0
    if rush.known:
        assert waits[len(waits) // 2] <= 0.2
        assert p99(waits) <= 5.0
    elif not rush.waits("build"):
        assert p99(waits) <= 1.0
    else:
        assert waits[len(waits) // 2] <= 1.0


def test_new_ingresses_and_the_node_get_their_parts_of_the_budget(rush: Rush) -> None:
    at_full_quota = LASTS_S * 15.0
    bound = [lane for _, action, lane in rush.calls if action == "BatchRegisterTargets"]
    assert len(bound) >= (0.9 if rush.known else 0.5) * at_full_quota
    looked = [lane for _, action, lane in rush.calls if action == "DescribeLoadBalancers"]
    assert len(looked) >= 0.9 * at_full_quota
    if rush.waits("build"):
        assert looked.count(Lane.CHANGE) >= 0.4 * at_full_quota


def test_the_verifier_keeps_to_a_quarter_of_the_workers_and_of_each_budget(rush: Rush) -> None:
    assert rush.verifying_most <= WORKERS // 4
    verified = Counter(action for _, action, lane in rush.calls if lane is Lane.VERIFY)
    pages = LOAD_BALANCERS / 100
    for action, count in verified.items():
        borrowed = pages if action == "DescribeLoadBalancers" else 0
        assert count <= LASTS_S * 15.0 * Pace().verify_share + 2 + borrowed


def test_the_quota_is_never_exceeded(rush: Rush) -> None:
    for action in {action for _, action, _ in rush.calls}:
        times = sorted(at for at, called, _ in rush.calls if called == action)
        assert all(later - earlier >= 1.0 - 1e-6 for earlier, later in zip(times, times[20:], strict=False))
