"""What a pass was in time, as values. Log lines, metrics and traces are all made from these, so that they agree.

Nothing is measured here, and nothing said.
"""

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a stretch of time was spent on."""

    QUEUE = "queue"
    """Ready, until a worker took it."""
    TRANSLATE = "translate"
    """Reading the caches, and making of them what is asked for."""
    OBSERVE = "observe"
    """Finding the load balancer and reading what is on it."""
    PLAN = "plan"
    """From the two to the steps, with what is looked up for them."""
    APPLY = "apply"
    """Writing down what will be done, and doing it as far as it goes without waiting."""
    REPORT = "report"
    """Record, conditions, status."""
    CALL = "call"
    """One request to the cloud, or to the API server."""
    TASK = "task"
    """The cloud worked on what it had accepted; as a rule over several passes, and no worker was held."""


STEADY = frozenset({Stage.TRANSLATE, Stage.OBSERVE, Stage.PLAN, Stage.APPLY, Stage.REPORT})
"""Those that follow one another in a pass; the others lie within them, before them, or across passes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its answer. `code` is `OK`, the code of a refusal, or `NoAnswer`."""

    service: str
    """`clb`, `tag`, ..., or `kubernetes`."""
    action: str
    """Of the cloud's API, or the HTTP method."""
    code: str
    region: str = ""
    request_id: str = ""
    """What the cloud calls this request; its support asks for it. Of an asynchronous write it is the task's id too."""
    write: bool = False


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """A task of the cloud that was found ended."""

    id: str
    step: str
    """Which kind of step had started it."""
    status: str
    """`succeeded`, `failed` or `unknown`."""
    pass_id: str = ""
    """The pass that had started it; empty when it was started outside of one."""
    number: int = 0
    """Of the phase within that pass which sent the write."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of time of a pass. Times in seconds, by the monotonic clock."""

    stage: Stage
    started: float
    seconds: float
    number: int = 0
    """Within its pass, from 1; 0 outside of a pass."""
    within: int = 0
    """Number of the phase that it is a part of; 0: of the pass itself."""
    ingress: str = ""
    """`namespace/name`; those of a group joined by commas."""
    load_balancer: str = ""
    detail: Call | TaskEnd | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over one key, when it has ended."""

    id: str
    key: str
    lane: str
    at: float
    """When a worker took it, in seconds since 1970."""
    started: float
    """The same by the monotonic clock."""
    queued_s: float
    seconds: float
    result: str
    """One of the controller's."""
    phases: tuple[Phase, ...]
    """In the order of their ends."""
    left_out: int = 0
    """Phases that were too many to be kept."""
    ingress: str = ""
    """All that had a turn, joined by commas."""
    load_balancer: str = ""
    sent: tuple[str, ...] = ()
    """Steps that were sent to the cloud, in words."""
    performed: tuple[str, ...] = ()
    """Steps that have ended well, in words."""
    error: str = ""
    """Class of the error that it ended in."""
    reason: str = ""
    """What the error says, or what is waited for."""
    again_s: float | None = None
    """After so many seconds it is looked at again, where the pass has said so itself."""

    @property
    def calls(self) -> int:
        """Requests to the cloud."""
        return sum(1 for phase in self.phases if isinstance(phase.detail, Call) and phase.detail.region)

    @property
    def changed(self) -> bool:
        """Whether something was changed in the cloud, or is being changed."""
        return bool(self.sent or self.performed)
