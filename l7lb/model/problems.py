"""A user's mistake as a value, and what it holds. The codes are TKE's (contract, section 5.3)."""

from dataclasses import dataclass, field
from enum import Enum

from l7lb.model.identity import ListenerKey, ObjectKey, RuleRef


class Severity(Enum):
    """Whether a part of the Ingress is held because of it."""

    WARNING = "Warning"
    """Said, nothing is held."""
    ERROR = "Error"
    """The part named by `held` is not changed until it is cured."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about one object, written for its author."""

    code: str
    """`E4041`, or empty where TKE has none."""
    reason: str
    """CamelCase, the Event's reason."""
    message: str
    """Which object, which field, what to do."""
    field: str = ""
    severity: Severity = Severity.ERROR
    about: ObjectKey | None = None
    """The Ingress that is at fault."""


@dataclass(frozen=True, slots=True)
class Held:
    """Scopes whose shape may not be changed or removed (promise 5). New parts that are whole are still added."""

    everything: bool = False
    listeners: frozenset[ListenerKey] = frozenset()
    hosts: frozenset[tuple[ListenerKey, str]] = frozenset()
    rules: frozenset[RuleRef] = frozenset()
    left: frozenset[ListenerKey] = frozenset()
    """The opposite, where several share: listeners of those alone who leave. They go although others wait."""

    def covers(self, ref: RuleRef) -> bool:
        """Whether this rule must keep its shape."""
        return (
            self.everything
            or ref.listener in self.listeners
            or (ref.listener, ref.rule.host) in self.hosts
            or ref in self.rules
        )

    def covers_listener(self, key: ListenerKey) -> bool:
        """Whether any part of this listener must be kept."""
        return (
            self.everything
            or key in self.listeners
            or any(listener == key for listener, _ in self.hosts)
            or any(ref.listener == key for ref in self.rules)
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """The whole Ingress cannot be served: nothing is created or changed for it."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Findings:
    """All problems of one translation, in a stable order."""

    problems: tuple[Problem, ...] = ()
    held: Held = field(default_factory=Held)
