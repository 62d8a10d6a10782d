"""What a pass over one key returns to the worker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do until something changes."""


@dataclass(frozen=True, slots=True)
class Again:
    """An expected wait, not an error: come back after so many seconds."""

    after_s: float
    reason: str


Outcome = Done | Again
