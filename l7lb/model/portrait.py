"""What people are shown of a running fleet: load balancers as trees, whose each part is, what is wrong, what was done.

Values only, and none of them says how it was come by: the console fills them from the caches of its own process, a
command from what it reads from outside. Words are finished English sentences; what is not known is None, never a guess.
Times are seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from l7lb.model.branches import ListenerView, Mark
from l7lb.model.identity import CloudRef, ObjectKey, TaskId


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, in the words that the author of the Ingress has heard."""

    about: ObjectKey
    """The Ingress."""
    mark: Mark
    reason: str
    message: str
    code: str = ""
    """TKE's code, or empty."""
    since: float | None = None
    advice: str = ""
    """What to do; empty: the message says it."""


class Fate(Enum):
    """What has become of a plan."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REPLACED = "replaced"
    """Something changed on the way: what was left of it was planned anew."""
    REFUSED = "refused"
    """The guard or the ledger stopped it before its first step."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of a plan; `done` None: not yet, or never."""

    text: str
    done: float | None = None


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan and what became of it."""

    number: int
    """Counts all plans of this process, so that a page can name one."""
    about: ObjectKey | None
    """The Ingress for which it was made; None: for all members of a group."""
    begun: float
    """Of the last try."""
    fate: Fate
    digest: str = ""
    ended: float | None = None
    steps: tuple[StepView, ...] = ()
    more: int = 0
    """Steps that are not listed."""
    waiting: str = ""
    """What it waits for now."""
    task: TaskId | None = None
    reason: str = ""
    """Why it was refused, or how it failed."""
    tries: int = 1
    """How often in a row just this plan was begun."""

    @property
    def done(self) -> int:
        """Listed steps that have ended well."""
        return sum(step.done is not None for step in self.steps)


@dataclass(frozen=True, slots=True)
class Balancer:
    """One load balancer in a list. Counts are of what was last seen there, and 0 where nothing was."""

    ref: CloudRef
    name: str = ""
    addresses: tuple[str, ...] = ()
    claim: str = ""
    """`created`, `adopted`, `shared` and so on: the word of the record."""
    owners: tuple[ObjectKey, ...] = ()
    """The Ingresses that use it."""
    hosts: tuple[str, ...] = ()
    listeners: int = 0
    rules: int = 0
    targets: int = 0
    seen: float | None = None
    """When it was last read, or written by us; None: not by this process."""
    mark: Mark = Mark.UNKNOWN
    busy: str = ""
    """What is being done to it, or empty."""
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One Ingress in a list."""

    key: ObjectKey
    mark: Mark
    says: str
    """The state in one sentence."""
    ref: CloudRef | None = None
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    since: float | None = None
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """The process that is looked at, and what it may do."""

    cluster: str
    region: str
    version: str
    leading: bool
    leader: str = ""
    """Who has the lease, as far as this process knows; empty: not known."""
    gate_open: bool = True
    gate: str = ""
    """Why the gate is open, or not."""
    doubt: str = ""
    """Why nothing is taken away (the cluster may be a copy); empty: nothing is held."""
    lacking: str = ""
    """What it waits for before it can work; empty: nothing."""
    waiting: int = 0
    """Keys that are due and that no worker has taken."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything at one moment, without what hangs below each load balancer."""

    drawn: float
    standing: Standing
    balancers: tuple[Balancer, ...] = ()
    members: tuple[Member, ...] = ()
    """Ingresses that are ours, or may be."""
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """One load balancer with all that hangs below it."""

    drawn: float
    balancer: Balancer
    listeners: tuple[ListenerView, ...] = ()
    ownership: str = ""
    """Whose it is and what becomes of it, in one sentence."""
    tags: Mapping[str, str] = field(default_factory=dict)
    checked: float | None = None
    """When the cloud was asked for the health of the targets; None: never."""
    unchecked: str = ""
    """Why their health is not known; empty: it is."""
    plans: tuple[PlanView, ...] = ()
    """Newest first."""


WORK: Final = "Work"
"""The name of the link that says what is being done."""


@dataclass(frozen=True, slots=True)
class Check:
    """One link in the chain from an Ingress to traffic that flows."""

    name: str
    mark: Mark
    says: str
    hint: str = ""
    """What to do about it; empty: nothing, or nothing more than it says."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why an Ingress works or does not: the chain, in the order in which a link can break."""

    drawn: float
    member: Member
    checks: tuple[Check, ...]
    troubles: tuple[Trouble, ...] = ()
    tree: Tree | None = None
    """Of the load balancer that it uses, with what is this Ingress's alone."""
    plans: tuple[PlanView, ...] = ()
