"""Where a process can be made to die: right before or right after any cloud call and any Kubernetes write."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


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
    dead: bool = False

    def arm(self, at: int, death: Death) -> None:
        """Die at call number `at`; 0: never."""
        self.at, self.death = at, death

    def through(self, name: str, call: Callable[[], T]) -> T:
        """Make the call, or die."""
        if self.dead:
            raise Died(f"{name} by a dead process")
        self.passed.append(name)
        if len(self.passed) != self.at:
            return call()
        self.dead = True
        if self.death is Death.AFTER:
            with contextlib.suppress(Exception):  # whatever it came to, nobody hears of it
                call()
        elif self.death is Death.FROZEN:
            self.late.append(call)
        raise Died(f"{self.death.value} call {self.at}: {name}")
