"""All budgets, in one place, by what they are about. A figure without a budget is for reading only.

`margin` is what a noisy machine may take away: a figure is good up to limit x (1 - margin) where more is better, and
limit x (1 + margin) where less is. Counts have none.
"""

from dataclasses import dataclass
from typing import Final

from tests.bench.rows import Better, Figure


@dataclass(frozen=True, slots=True)
class Budget:
    """The limit of one figure."""

    row: str
    limit: float
    better: Better
    margin: float = 0.0

    @property
    def bound(self) -> float:
        """The limit with the margin."""
        return self.limit * (1 - self.margin if self.better is Better.HIGHER else 1 + self.margin)

    def holds(self, value: float) -> bool:
        """Whether a figure is good."""
        return value >= self.bound if self.better is Better.HIGHER else value <= self.bound


@dataclass(frozen=True, slots=True)
class Subject:
    """One line of what was promised, with the figures that stand for it."""

    what: str
    budgets: tuple[Budget, ...] = ()
    elsewhere: str = ""
    """The test that holds it, where it is a count that costs nothing to hold."""


def _least(row: str, limit: float, margin: float = 0.0) -> Budget:
    return Budget(row, limit, Better.HIGHER, margin)


def _most(row: str, limit: float, margin: float = 0.0) -> Budget:
    return Budget(row, limit, Better.LOWER, margin)


LINEAR: Final = 1.0
GROWTH_MARGIN: Final = 0.15
"""Of an exponent: fitted through three points that are not exact."""
TIME_MARGIN: Final = 0.15
"""Of a ratio of times within one run on a machine with neighbours."""

SUBJECTS: Final = (
    Subject("calls to build a load balancer from nothing"),
    Subject("calls for an event that changes nothing"),
    Subject("calls for an endpoint change"),
    Subject("full verification of N load balancers"),
    Subject(
        "N new load balancers at the documented quotas",
        (
            *(_least(f"converging/{count}", 0.9) for count in (10, 100, 1_000)),
            _most("converging/growth-cpu", LINEAR, GROWTH_MARGIN),
            _most("converging/growth-calls", LINEAR),
        ),
    ),
    Subject("one node joins or leaves, N load balancers in NodePort mode"),
    Subject("deleting N load balancers"),
    Subject("from an endpoint change to the call"),
    Subject("failover"),
    Subject("watch: the whole informer against the typed watch of the kubernetes package"),
    Subject("list of 10,000 Ingresses into the store with its indexes"),
    Subject("memory of the caches of a large cluster, and of the whole process"),
    Subject("import and start up to the first list"),
    Subject("queue operations", (_most("queue/growth", LINEAR, GROWTH_MARGIN),)),
)

BUDGETS: Final = {budget.row: budget for subject in SUBJECTS for budget in subject.budgets}


def judge(figure: Figure) -> bool:
    """Whether a figure is within its budget; without one it is."""
    budget = BUDGETS.get(figure.name)
    return budget is None or budget.holds(figure.value)
