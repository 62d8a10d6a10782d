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
    only_full: bool = False
    """With the small sizes of `--quick` the figure says nothing: who keeps garbage pays for how much of it there is."""

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


def _least(row: str, limit: float, margin: float = 0.0, *, only_full: bool = False) -> Budget:
    return Budget(row, limit, Better.HIGHER, margin, only_full)


def _most(row: str, limit: float, margin: float = 0.0, *, only_full: bool = False) -> Budget:
    return Budget(row, limit, Better.LOWER, margin, only_full)


LINEAR: Final = 1.0
GROWTH_MARGIN: Final = 0.15
"""Of an exponent: fitted through three points that are not exact."""
TIME_MARGIN: Final = 0.15
"""Of a ratio of times within one run on a machine with neighbours."""
READS_ONCE: Final = 1.05
"""Each load balancer is read once: beside that there are the list that a term begins with, the look at health, and what
the user's own change takes. A head that is read alone for each would make it 1.5."""

SUBJECTS: Final = (
    Subject("calls to build a load balancer from nothing", elsewhere="tests/system/test_budgets.py"),
    Subject("calls for an event that changes nothing", elsewhere="tests/system/test_budgets.py"),
    Subject(
        "calls for an endpoint change",
        (
            _most("churning/calls", 1.0),
            _most("churning/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("churning/growth-calls", LINEAR),
        ),
        elsewhere="tests/system/test_pods.py",
    ),
    Subject(
        "full verification of N load balancers",
        (
            _most("verifying/reads", 1.0),
            _most("verifying/part", 0.25),
            _most("verifying/writes", 0),
            _most("verifying/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("verifying/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "N new load balancers at the documented quotas",
        (
            *(_least(f"converging/{count}", 0.9, only_full=True) for count in (10, 100, 1_000)),
            _least("serving/100", 0.9, TIME_MARGIN, only_full=True),
            _most("converging/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("converging/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "one node joins or leaves, N load balancers in NodePort mode",
        (
            _least("joining/rate", 0.9, only_full=True),
            _most("joining/calls", 1.0),
            _most("joining/cpu", 5, TIME_MARGIN, only_full=True),
            _most("joining/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("joining/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "deleting N load balancers",
        (
            _most("removing/time", 1.0),
            _most("removing/finalizer", 15),
            _most("removing/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("removing/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "from an endpoint change to the call",
        tuple(_most(f"churning/{scene}", 1.0) for scene in ("verifying", "building", "joining", "removals")),
    ),
    Subject(
        "failover",
        (
            _most("failover/planned", 3),
            _most("failover/crash", 32),
            _most("failover/first-change", 5),
            _most("failover/reads", READS_ONCE, only_full=True),
            _most("failover/part", 0.25),
            _most("failover/writes", 0),
            _most("failover/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("failover/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "three replicas that divide the load balancers",
        (
            _most("dividing/held-up", 1 / 3, 0.15, only_full=True),
            _most("dividing/part", 0.25),
            _most("dividing/writes", 0),
            _most("dividing/growth-cpu", LINEAR, GROWTH_MARGIN, only_full=True),
            _most("dividing/growth-calls", LINEAR),
        ),
    ),
    Subject(
        "watch: the whole informer against the typed watch of the kubernetes package",
        (
            _least("watch/ingresses/ratio", 10, TIME_MARGIN, only_full=True),
            _least("watch/slices/ratio", 20, TIME_MARGIN, only_full=True),
            _most("watch/growth", LINEAR, GROWTH_MARGIN),
        ),
    ),
    Subject(
        "list of 10,000 Ingresses into the store with its indexes",
        (
            _least("list/ratio", 15, TIME_MARGIN, only_full=True),
            _most("list/ingresses/stall", 25, TIME_MARGIN),
            _most("list/slices/stall", 25, TIME_MARGIN),
            _most("list/growth", LINEAR, GROWTH_MARGIN),
        ),
    ),
    Subject(
        "memory of the caches of a large cluster, and of the whole process",
        (
            _most("memory/caches", 130),
            _most("memory/process", 250),
            _most("memory/growth", LINEAR, GROWTH_MARGIN),
            _most("memory/growth-known", LINEAR, GROWTH_MARGIN),
        ),
    ),
    Subject(
        "import and start up to the first list",
        (_most("start/cpu", 1, TIME_MARGIN), _most("start/growth", LINEAR, GROWTH_MARGIN)),
    ),
    Subject(
        "nothing grows faster than what it is about",
        tuple(
            _most(f"{name}/growth", LINEAR, GROWTH_MARGIN)
            for name in ("translate", "plan", "plan-again", "idle-pass", "queue", "call")
        ),
    ),
)

BUDGETS: Final = {budget.row: budget for subject in SUBJECTS for budget in subject.budgets}


def budget_of(figure: Figure, *, quick: bool) -> Budget | None:
    """What it has to keep; None: nothing, or nothing with these sizes."""
    budget = BUDGETS.get(figure.name)
    return None if budget is None or (quick and budget.only_full) else budget


def promise_of(budget: Budget) -> str:
    """What it stands for."""
    return next(subject.what for subject in SUBJECTS if budget in subject.budgets)


def judge(figure: Figure, *, quick: bool) -> bool:
    """Whether a figure is within its budget; without one it is."""
    budget = budget_of(figure, quick=quick)
    return budget is None or budget.holds(figure.value)
