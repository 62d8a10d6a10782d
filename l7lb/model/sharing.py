"""A group of Ingresses on one load balancer: what each member brings, and what it gets. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from l7lb.model.identity import ListenerKey, ObjectKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer
from l7lb.model.ownership import Record
from l7lb.model.problems import Held, Problem


@dataclass(frozen=True, slots=True)
class Bid:
    """One member: what it asks for, and what its record says that it has."""

    uid: str
    about: ObjectKey
    age: tuple[str, str, str]
    """Creation time, namespace, name: older is smaller."""
    record: Record | None = None
    desired: DesiredLoadBalancer | None = None
    """None: it is leaving, or it keeps what it has for now."""
    held: Held = field(default_factory=Held)
    leaving: bool = False
    unreadable: bool = False
    """It is refused, or cannot be told to be ours: beside it the others let nothing go."""

    @property
    def rules(self) -> frozenset[RuleRef]:
        """What it has."""
        return self.record.rules if self.record is not None else frozenset()

    @property
    def parts(self) -> frozenset[str]:
        """Other parts that follow it."""
        return self.record.parts if self.record is not None else frozenset()

    @property
    def silent(self) -> bool:
        """It stays, and keeps what it has as it is."""
        return self.desired is None and not self.leaving


@dataclass(frozen=True, slots=True)
class Share:
    """What one member gets of the load balancer."""

    rules: frozenset[RuleRef] = frozenset()
    parts: frozenset[str] = frozenset()
    listeners: frozenset[ListenerKey] = frozenset()
    problems: tuple[Problem, ...] = ()
    """What it does not get, and why."""


@dataclass(frozen=True, slots=True)
class Merged:
    """All bids put together."""

    desired: DesiredLoadBalancer
    held: Held
    shares: Mapping[str, Share]
    """By UID of the member."""


def redirect_part(source: RuleRef) -> str:
    """What a record says of a rule that redirects because a member has declared it."""
    return f"{source} redirect"
