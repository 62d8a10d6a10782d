"""Where a process can be made to die: right before or right after any cloud call and any Kubernetes write."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


UNSTOPPABLE = ("ModifyResourceTags", "DeleteLoadBalancer")
"""Nothing makes good what these do when they arrive after somebody else has decided otherwise: a process that freezes
at one of them has not sent it."""


class Died(BaseException):
    """The process is dead: nobody in it may catch this and go on."""


class Death(Enum):
    """How it dies at a call."""

    BEFORE = "before"
    """The call never leaves."""
    AFTER = "after"
    """The call has its effect; its answer is never read."""
    FROZEN = "frozen"
    """The call is on its way when the process freezes: it arrives when the world lets it."""


@dataclass(slots=True)
class Toll:
    """Every call of one process passes here, and is numbered from 1."""

    passed: list[str] = field(default_factory=list)
    """What was called, in order: `clb CreateListener`, `PATCH ingresses/shop`."""
    at: int = 0
    death: Death = Death.BEFORE
    late: list[Callable[[], object]] = field(default_factory=list)
    """Calls that were on their way when the process froze."""
    only: str = ""
    """Die at `at` or at the first call after it that bears this name; empty: any."""
    dead: bool = False
    on_begin: Callable[[str], None] = lambda _name: None
    """Told of each call right before it leaves."""
    on_frozen: "Callable[[str, Callable[[], Any]], Any] | None" = None
    """Freezes the process at this call and thaws it: the call's answer, or what became of it. None: it never thaws."""

    def arm(self, at: int, death: Death, *, only: str = "") -> None:
        """Die at call number `at`; 0: never."""
        self.at, self.death, self.only = at, death, only

    def through(self, name: str, call: Callable[[], T]) -> T:
        """Make the call, or die."""
        if self.dead:
            raise Died(f"{name} by a dead process")
        self.on_begin(name)
        self.passed.append(name)
        if not self.at or len(self.passed) < self.at or (self.only and name != self.only):
            return self._alive(name, call())
        if self.death is Death.FROZEN and self.on_frozen is not None:
            self.at = 0
            answer: T = self.on_frozen(name, call)
            return self._alive(name, answer)
        self.dead = True
        if self.death is Death.AFTER:
            with contextlib.suppress(Exception):  # whatever it came to, nobody hears of it
                call()
        elif self.death is Death.FROZEN and not name.endswith(UNSTOPPABLE):
            self.late.append(call)
        raise Died(f"{self.death.value} call {self.at}: {name}")

    def _alive(self, name: str, answer: T) -> T:
        """Others ran while this call was on its way: the process may be no more."""
        if self.dead:
            raise Died(f"{name}: nobody is there for the answer")
        return answer
