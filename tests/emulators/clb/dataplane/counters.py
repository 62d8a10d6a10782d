"""Counts of requests, as values that a test can ask about while traffic runs. Nothing here decides anything."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.emulators.clb.dataplane.balancing import TargetKey

Origin: TypeAlias = Literal["target", "plane"]
"""Who made the answer: a target, or the load balancer itself (redirect, 404, 502, 503 ...)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended; ``rule_id`` and ``target`` are None when it did not get that far."""

    lb_id: str
    listener_id: str
    rule_id: str | None
    target: TargetKey | None
    status: int
    origin: Origin


class Counters:
    """Counts by outcome. Written by the event loop's thread, read from any."""

    def __init__(self) -> None:
        self._counts: Counter[Outcome] = Counter()

    def record(self, outcome: Outcome, instead_of: Outcome | None = None) -> None:
        """Count one request, or set right how a counted one ended."""
        self._counts[outcome] += 1
        if instead_of is not None:
            self._counts[instead_of] -= 1

    def outcomes(self) -> dict[Outcome, int]:
        """A copy of everything counted so far."""
        return {outcome: count for outcome, count in self._counts.copy().items() if count}

    def requests(
        self,
        lb_id: str | None = None,
        rule_id: str | None = None,
        target: TargetKey | None = None,
        status: int | None = None,
    ) -> int:
        """How many requests ended in a way that fits every argument given."""
        return sum(
            count
            for outcome, count in self.outcomes().items()
            if lb_id in (None, outcome.lb_id)
            and rule_id in (None, outcome.rule_id)
            and target in (None, outcome.target)
            and status in (None, outcome.status)
        )

    def failed(self, lb_id: str | None = None) -> int:
        """How many requests the load balancer itself answered with 5xx or broke off: no target did its part."""
        return sum(
            count
            for outcome, count in self.outcomes().items()
            if outcome.origin == "plane" and outcome.status >= 500 and lb_id in (None, outcome.lb_id)
        )

    def by_target(self, lb_id: str) -> dict[TargetKey, int]:
        """Requests of a load balancer per target that was asked, whatever came of it."""
        total: Counter[TargetKey] = Counter()
        for outcome, count in self.outcomes().items():
            if outcome.lb_id == lb_id and outcome.target is not None:
                total[outcome.target] += count
        return dict(total)
