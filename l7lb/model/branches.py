"""The branches of a load balancer as people are shown them: listener, host, rule, target, and how each stands.

Values only. What is not known is None, never a guess. The trees that they hang on are in `portrait`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from l7lb.model.cloud import Health
from l7lb.model.identity import ListenerKey, ObjectKey
from l7lb.model.loadbalancer import TargetKey


class Mark(Enum):
    """How something stands, worst first."""

    BAD = "bad"
    """Does not work, or is refused, until somebody does something."""
    WAITING = "waiting"
    """On its way: nobody has to do anything."""
    WARNING = "warning"
    """Works, and something should be looked at."""
    UNKNOWN = "unknown"
    """Cannot be told from here and now."""
    OK = "ok"


class Part(Enum):
    """A listener, rule or target as what is asked for and what is there have it."""

    THERE = "there"
    MISSING = "missing"
    """Asked for and not there."""
    SURPLUS = "surplus"
    """There, ours, and not asked for any more."""
    OTHERS = "others"
    """There, and not ours: never touched."""
    UNSEEN = "unseen"
    """Asked for; nobody has looked whether it is there."""


_BY_PART: Final = {
    Part.MISSING: Mark.WAITING,
    Part.SURPLUS: Mark.WAITING,
    Part.OTHERS: Mark.OK,
    Part.UNSEEN: Mark.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class TargetView:
    """Where a rule sends traffic."""

    key: TargetKey
    part: Part = Part.THERE
    weight: int | None = None
    """As it is now; None: not known."""
    health: Health | None = None
    """What the cloud's own check says; None: not asked."""
    name: str = ""
    """The node or pod behind the address, where it is known."""
    instance: str = ""
    """CVM id through which it is bound."""

    @property
    def mark(self) -> Mark:
        """A target that is drained on purpose is not bad."""
        if self.part is not Part.THERE:
            return Mark.WAITING if self.part is Part.MISSING else Mark.UNKNOWN
        by_health = {Health.ALIVE: Mark.OK, Health.UNCHECKED: Mark.OK, Health.UNKNOWN: Mark.WAITING}
        if self.health is Health.DEAD:
            return Mark.WARNING if self.weight == 0 else Mark.BAD
        return by_health.get(self.health, Mark.UNKNOWN) if self.health is not None else Mark.UNKNOWN


@dataclass(frozen=True, slots=True)
class RuleView:
    """One path of a host on a listener."""

    path: str
    part: Part = Part.THERE
    id: str = ""
    owner: ObjectKey | None = None
    """The Ingress that asks for it."""
    backend: str = ""
    """The Service and its port, as the Ingress names them."""
    redirect: str = ""
    """Where clients are sent instead: `301 to HTTPS:443 shop.example.com/`."""
    held: bool = False
    """Its shape is not changed, because something about it cannot be known."""
    targets: tuple[TargetView, ...] = ()

    @property
    def mark(self) -> Mark:
        """As its part stands, and then as traffic meets it there."""
        if self.part is not Part.THERE:
            return _BY_PART[self.part]
        if self.redirect:
            return Mark.OK
        live = [one for one in self.targets if one.part is not Part.MISSING and one.weight != 0]
        marks = {one.mark for one in live}
        if marks <= {Mark.BAD}:
            return Mark.BAD
        if Mark.BAD in marks or self.held:
            return Mark.WARNING
        return next(mark for mark in Mark if mark in marks)


@dataclass(frozen=True, slots=True)
class HostView:
    """One host of a listener; an empty name stands for the load balancer's own address."""

    host: str
    certificate: str = ""
    rules: tuple[RuleView, ...] = ()


@dataclass(frozen=True, slots=True)
class ListenerView:
    """One port of a load balancer."""

    key: ListenerKey
    part: Part = Part.THERE
    id: str = ""
    name: str = ""
    hosts: tuple[HostView, ...] = ()
