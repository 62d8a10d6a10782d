"""A second pass plans nothing; where one does all the same, the step is left out for an hour (promise 9)."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from l7lb import planner
from l7lb.model.identity import CloudRef
from l7lb.model.plan import (
    ModifyHost,
    ModifyListener,
    ModifyLoadBalancer,
    ModifyRule,
    Plan,
    SetSecurityGroups,
    Step,
)
from l7lb.model.problems import Problem, Severity
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects

TIMES_MAX: Final = 3
WINDOW_S: Final = 3600.0

_ATTRIBUTES = (ModifyHost, ModifyListener, ModifyLoadBalancer, ModifyRule, SetSecurityGroups)


class Stability:
    """Counts equal attribute writes to one load balancer.

    The words of a step carry the declared value, so a change of that value clears the count.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._ran: dict[tuple[CloudRef, str], deque[float]] = {}

    def ran(self, ref: CloudRef, plan: Plan) -> None:
        """A plan has ended well."""
        now = self._monotonic()
        with self._lock:
            for text in dict.fromkeys(_words(plan).values()):
                self._ran.setdefault((ref, text), deque(maxlen=TIMES_MAX)).append(now)
            for name in [name for name, times in self._ran.items() if now - times[-1] > WINDOW_S]:
                del self._ran[name]

    def filter(self, ref: CloudRef, plan: Plan) -> tuple[Plan, tuple[Problem, ...]]:
        """The plan without steps that the cloud has undone again and again, and a word about each."""
        words = _words(plan)
        unstable = [text for text in dict.fromkeys(words.values()) if self._unstable(ref, text)]
        if not unstable:
            return plan, ()
        kept = tuple(step for step in plan.steps if words.get(step) not in unstable)
        return replace(plan, steps=kept), tuple(
            Problem(
                code="",
                reason="UnstableField",
                message=f"{ref.id}: {text}: done {TIMES_MAX} times within an hour and found undone each time; "
                "left alone for an hour",
                severity=Severity.WARNING,
            )
            for text in unstable
        )

    def _unstable(self, ref: CloudRef, text: str) -> bool:
        with self._lock:
            times = self._ran.get((ref, text))
            return times is not None and len(times) == TIMES_MAX and self._monotonic() - times[0] < WINDOW_S


def is_unstable(finding: Problem) -> bool:
    """Whether it is a word about a field that is left alone."""
    return finding.reason == "UnstableField"


def _words(plan: Plan) -> dict[Step, str]:
    """What is declared anew by each step that changes what is there.

    A redirect is changed by being taken off and made again: these steps stay together, or its rule would end without.
    """
    words: dict[Step, str] = {step: planner.describe(step) for step in plan.steps if isinstance(step, _ATTRIBUTES)}
    again = [step for step in plan.steps if isinstance(step, CreateRedirects | DeleteRedirects) and step.again]
    declared = "; ".join(planner.describe(step) for step in again if isinstance(step, CreateRedirects))
    return words | dict.fromkeys(again, declared)
