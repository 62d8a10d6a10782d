"""What a round of verification asks the cloud, and how fast. Virtual time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.bounds import QUOTA
from tests.bench.fleet import Fleet

READS: Final = ("DescribeLoadBalancers", "DescribeListeners", "DescribeTargets")
WINDOW_S: Final = 10.0
"""The part of the quota is that of so long: single calls come in ones."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One round."""

    seconds: float
    reads: int
    writes: int
    part: float
    """Of the quota of the busiest action, in the busiest `WINDOW_S`."""
    cpu_s: float


def verified(fleet: Fleet, within_s: float) -> Verified:
    """Let the leader look at everything once."""
    term = fleet.lead_now().term
    assert term is not None
    fleet.account.forget_calls()
    begun, cpu_s = fleet.clock.now(), fleet.spent_s()
    fleet.verify()
    fleet.crew.pass_time(1.0)
    fleet.crew.run(lambda: not term.verifier._due, within_s)
    return Verified(
        fleet.clock.now() - begun,
        sum(len(fleet.issued(action)) for action in READS),
        sum(fleet.account.writes().values()),
        part_of_quota(fleet),
        fleet.spent_s() - cpu_s,
    )


def part_of_quota(fleet: Fleet) -> float:
    """Of the busiest action, in the busiest `WINDOW_S` since the calls were forgotten."""
    return busiest([at for at, _ in fleet.issued(action)] for action in fleet.account.calls())


def busiest(actions: Iterable[Sequence[float]]) -> float:
    """The same of times in order, by action."""
    most = 0
    for times in actions:
        first = 0
        for number, at in enumerate(times):
            while times[first] <= at - WINDOW_S:
                first += 1
            most = max(most, number - first + 1)
    return most / (QUOTA * WINDOW_S)
