"""Make before break: the phases of a plan in the order in which they run, each with its reason. Nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeVar

from l7lb.model.plan import Plan, Step

T = TypeVar("T")


class Phase(IntEnum):
    """When a step runs."""

    ORDER = 1
    TAGS = 2
    ATTRIBUTES = 3
    UNTIED = 4
    PORTS = 5
    LISTENERS = 6
    SETTINGS = 7
    HOSTS = 8
    ROOM = 9
    RULES = 10
    TWINS = 11
    SHAPES = 12
    STALE = 13
    TARGETS = 14
    DEFAULTS = 15
    REDIRECTS_OFF = 16
    REDIRECTS_ON = 17
    FORMER_TARGETS = 18
    SURPLUS_RULES = 19
    MIRRORS = 20
    SURPLUS_LISTENERS = 21
    RELEASE = 22
    DELETE = 23


RANK: Final[Mapping[Phase, str]] = {
    Phase.ORDER: "everything else needs the load balancer's id",
    Phase.TAGS: "our tags stand before our first listener, so that a crash leaves something to recognise",
    Phase.ATTRIBUTES: "who may reach it is settled before anything listens",
    Phase.UNTIED: "what has to make room first must not be an end of a redirect any more",
    Phase.PORTS: "a port has one listener, and a quota an end: here the old one must go before the new one can come",
    Phase.LISTENERS: "rules need a listener",
    Phase.SETTINGS: "one call puts the new certificate in the place of the old; SNI is on before a host needs it",
    Phase.HOSTS: "each host shows its new certificate before new rules rely on it",
    Phase.ROOM: "only where the quota of rules leaves no room for the new ones",
    Phase.RULES: "new rules come before old ones go",
    Phase.TWINS: "on two listeners without a client all rules are made first: one look gives the ids of all",
    Phase.SHAPES: "a rule is changed in place, under its targets",
    Phase.STALE: "an address that is bound through an instance that it left cannot be bound anew before it is off",
    Phase.TARGETS: "new targets are on, then weights change, then old targets go; in slices where the quota is short",
    Phase.DEFAULTS: "unknown hosts move once the new default host has its targets",
    Phase.REDIRECTS_OFF: "a rule that is to forward again has its targets; a redirect is made anew right after it",
    Phase.REDIRECTS_ON: "where a redirect leads there is a rule with its targets",
    Phase.FORMER_TARGETS: "a rule that redirects now needs its targets no more",
    Phase.SURPLUS_RULES: "old rules go when their successors serve",
    Phase.MIRRORS: "a whole host is redirected by one call, which would take rules with it that are to go",
    Phase.SURPLUS_LISTENERS: "old listeners go when their successors serve",
    Phase.RELEASE: "tags go last: until then a crash leaves something to recognise",
    Phase.DELETE: "a deletion is a plan of its own",
}


@dataclass(slots=True)
class Draft:
    """Steps as they are found, and what is to be told to people. Becomes a plan by sorting."""

    notes: list[str] = field(default_factory=list)
    _steps: list[tuple[tuple[int, int, int], Step]] = field(default_factory=list)

    def add(self, phase: Phase, step: Step, *, turn: int = 0, part: int = 0) -> None:
        """Put a step into its phase; `turn` and `part` order the slices of targets within theirs."""
        self._steps.append(((phase, turn, part), step))

    def note(self, text: str) -> None:
        """Say what was seen and left alone, or taken away uninvited."""
        self.notes.append(text)

    def plan(self) -> Plan:
        """Equal ranks keep the order in which they were added, which the callers make by sorted keys."""
        ordered = sorted(self._steps, key=lambda ranked: ranked[0])
        return Plan(tuple(step for _, step in ordered), tuple(self.notes))


def chunks(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """Consecutive parts of at most `size`."""
    for start in range(0, len(items), size):
        yield tuple(items[start : start + size])
