"""What cannot be done faster or with fewer calls: from the formula of a build, the documented quotas and the latencies.

Nothing of the product is known here. The formula is that of the API's own limits: batch sizes of the pages of each
action, 20 calls a second for each action and region (every API page), 30 deletions in 5 minutes (DeleteLoadBalancer
page), of which 25 are planned with. A poll of many load balancers at once counts as a part of a call.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

QUOTA: Final = 20.0
"""Calls a second, for each action and region; so many may come at once after a pause."""
POLL: Final = "DescribeTaskStatus"
LOOK: Final = "DescribeLoadBalancers"
_IDS_MAX: Final = 20
"""Load balancers that one DescribeLoadBalancers names."""
_PAGE: Final = 100
_TARGETS_MAX: Final = 500
_DELETIONS, _SPAN_S, _SLACK_S = 25, 300.0, 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One call of a build, and the seconds that the cloud then works on it."""

    action: str
    task_s: float = 0.0
    bulk: bool = False
    """The end of its task is seen in a look at twenty load balancers, which is made anyway."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds: of tasks by action (`*`: all others), and of a call on its way."""

    tasks: Mapping[str, float]
    call_s: float

    def task(self, action: str) -> float:
        """How long the cloud works on one."""
        return self.tasks.get(action, self.tasks["*"])


def build(latencies: Latencies, *, bulk: bool) -> tuple[Stage, ...]:
    """One listener with up to 50 rules and 500 targets: four writes, three of them with a task, and three looks.

    `bulk`: the look that shows tags and address of the new one also says that its creation has ended, for twenty at
    once; else each has a poll and a look of its own.
    """
    return (
        Stage(LOOK),
        Stage("CreateLoadBalancer", latencies.task("CreateLoadBalancer"), bulk),
        *(() if bulk else (Stage(LOOK),)),
        Stage("CreateListener", latencies.task("CreateListener")),
        Stage("CreateRule", latencies.task("CreateRule")),
        Stage("DescribeListeners"),
        Stage("BatchRegisterTargets"),
    )


def calls(stages: tuple[Stage, ...], count: int) -> Counter[str]:
    """The least calls by action for so many load balancers."""
    found: Counter[str] = Counter()
    for stage in stages:
        found[stage.action] += count
        if stage.task_s and not stage.bulk:
            found[POLL] += count
    bulk = sum(stage.bulk for stage in stages)
    found[LOOK] += bulk * ceil(count / _IDS_MAX)
    return +found


def sequence(stages: tuple[Stage, ...], call_s: float) -> tuple[tuple[str, float], ...]:
    """The calls of one load balancer in order, each with its seconds and those of the task behind it.

    A poll is a call like any other: nobody knows that a task has ended before an answer says so.
    """
    found: list[tuple[str, float]] = []
    for stage in stages:
        found.append((stage.action, call_s + stage.task_s))
        if stage.task_s:
            found.append((LOOK if stage.bulk else POLL, call_s))
    return tuple(found)


def chain_s(stages: tuple[Stage, ...], call_s: float) -> float:
    """One load balancer, alone: its calls one after the other."""
    return sum(seconds for _, seconds in sequence(stages, call_s))


def plain_s(stages: tuple[Stage, ...], count: int, call_s: float) -> float:
    """The greater of the calls of the busiest action at the quota, and one chain (DESIGN: budgets)."""
    return max(max(calls(stages, count).values()) / QUOTA, chain_s(stages, call_s))


def converged_s(stages: tuple[Stage, ...], count: int, call_s: float) -> float:
    """As `plain_s`, and no less than what an action takes with what comes before its first and after its last call.

    No poll can be sent before the first task has ended, and after the last one a load balancer is not complete yet.
    """
    least, row = plain_s(stages, count, call_s), sequence(stages, call_s)
    for action, made in calls(stages, count).items():
        places = [at for at, (called, _) in enumerate(row) if called == action]
        before = sum(seconds for _, seconds in row[: places[0]])
        after = sum(seconds for _, seconds in row[places[-1] :])
        least = max(least, before + max(0.0, made - QUOTA) / QUOTA + after)
    return least


def node_s(count: int) -> float:
    """A node joins or leaves so many load balancers: one call each."""
    return count / QUOTA


def deleted_s(count: int) -> float:
    """So many deletions, in groups of 25; what is asked of the product, since less would be refused."""
    return count / _DELETIONS * _SPAN_S + _SLACK_S


def verification_reads(count: int) -> int:
    """Pages of all, then listeners and targets of each."""
    return ceil(count / _PAGE) + 2 * count


def endpoint_calls(adds: int, removes: int) -> int:
    """Registrations and removals of one load balancer."""
    return ceil(adds / _TARGETS_MAX) + ceil(removes / _TARGETS_MAX)


def failed_over_s(lease_s: float, *, planned: bool) -> float:
    """Until somebody leads again."""
    return 3.0 if planned else lease_s + 2.0
