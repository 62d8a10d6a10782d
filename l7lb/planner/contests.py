"""Who gets what on a shared load balancer: the member whose record has it now, else the older one.

A record changes only after what it says has become true, so that two members never take turns.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, TypeVar

from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.problems import Problem, Severity
from l7lb.model.sharing import Bid, Share

V = TypeVar("V")

PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
NAMED: Final = 5
"""So many rules a message names; the rest is counted."""


class Contests:
    """What the members of one group have got so far, and what they are to hear."""

    def __init__(self, bids: Iterable[Bid]) -> None:
        self.bids = tuple(sorted(bids, key=lambda bid: bid.age))
        """Oldest first."""
        self._rules: dict[str, set[RuleRef]] = {bid.uid: set() for bid in self.bids}
        self._parts: dict[str, set[str]] = {bid.uid: set() for bid in self.bids}
        self._listeners: dict[str, set[ListenerKey]] = {bid.uid: set() for bid in self.bids}
        self._problems: dict[str, dict[Problem, None]] = {bid.uid: {} for bid in self.bids}
        self._holders: dict[str, list[Bid]] = {}
        for bid in self.bids:
            for part in bid.parts:
                self._holders.setdefault(part, []).append(bid)

    def settle(self, part: str, said: Sequence[tuple[Bid, Maybe[V]]]) -> Maybe[V]:
        """What counts of what was said about one part, oldest first.

        Who has it and says nothing just now, because it cannot be read or its own part is broken, keeps it as it is.
        """
        has = self._holders.get(part, [])
        words = [(bid, value) for bid, value in said if value is not UNSET]
        keeping = {bid.uid for bid in has if bid.silent} | {bid.uid for bid, _ in said if part in bid.parts}
        holder = next((bid for bid in has if bid.uid in keeping), words[0][0] if words else None)
        if holder is None:
            return UNSET
        self._parts[holder.uid].add(part)
        value: Maybe[V] = next((value for bid, value in words if bid is holder), UNSET)
        for bid, other in words:
            if bid is not holder and other != value:
                self.problem(
                    bid, "", "NotApplied", f"{part} is not applied: it follows Ingress {holder.about}", error=False
                )
        return value

    def gets(self, bid: Bid, refs: Iterable[RuleRef]) -> None:
        """Rules, and the listeners that they are on."""
        for ref in refs:
            self._rules[bid.uid].add(ref)
            self._listeners[bid.uid].add(ref.listener)

    def follows(self, bid: Bid, part: str) -> None:
        """A part that nobody else asks for."""
        self._parts[bid.uid].add(part)

    def uses(self, bid: Bid, listener: ListenerKey) -> None:
        """A listener, with or without rules."""
        self._listeners[bid.uid].add(listener)

    def keeps(self, bid: Bid) -> None:
        """All that its record lists, whatever it is."""
        self._rules[bid.uid] |= bid.rules
        self._parts[bid.uid] |= bid.parts
        self._listeners[bid.uid] |= recorded_listeners(bid)

    def problem(self, bid: Bid, code: str, reason: str, text: str, *, error: bool = True) -> None:
        """Say it to the author of one member."""
        severity = Severity.ERROR if error else Severity.WARNING
        told = Problem(code, reason, f"Ingress {bid.about}: {text}", severity=severity, about=bid.about)
        self._problems[bid.uid][told] = None

    def shares(self) -> Mapping[str, Share]:
        """The outcome; who is leaving gets nothing."""
        return {
            bid.uid: Share(
                frozenset(self._rules[bid.uid]),
                frozenset(self._parts[bid.uid]),
                frozenset(self._listeners[bid.uid]),
                tuple(self._problems[bid.uid]),
            )
            for bid in self.bids
        }


def recorded_listeners(bid: Bid) -> frozenset[ListenerKey]:
    """Listeners that its record names; what is no listener's key says nothing."""
    listeners = bid.record.listeners if bid.record is not None else {}
    named = (ListenerKey.parse(key) for key in listeners if PORT.fullmatch(key.rpartition(":")[2]))
    return frozenset(named) | {ref.listener for ref in bid.rules}


def named(refs: Sequence[RuleRef]) -> str:
    """Rules of one listener in a message."""
    more = ", ..." if len(refs) > NAMED else ""
    return ", ".join(str(ref.rule) for ref in islice(refs, NAMED)) + more
