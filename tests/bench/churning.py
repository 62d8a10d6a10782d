"""How long a change of endpoints waits for its call, and how many calls are made for many of them. Virtual time."""

import random
from dataclasses import dataclass
from math import ceil
from typing import Final

from tests.bench.bounds import POLL
from tests.bench.fleet import Fleet
from tests.bench.rollouts import GRACE_S, SEEN_S, Change, Rollouts
from tests.simulation.manifests import Json

LASTS_S: Final = 60.0
AFTER_S: Final = 30.0
"""So long the last old pod is waited for."""
ACTIONS: Final = {
    "add": "BatchRegisterTargets",
    "drain": "BatchModifyTargetWeight",
    "remove": "BatchDeregisterTargets",
}
OFF: Final = ("drain", "remove")
"""What takes targets off."""


@dataclass(frozen=True, slots=True)
class Churned:
    """What came of a minute."""

    waits: dict[str, list[float]]
    """Seconds from the event to the call, by what happened, sorted."""
    calls: int
    """For the endpoints of these pods, polls left out."""
    polls: int
    """All that were made meanwhile: a change of weights has a task, and nothing else here when nothing is built."""
    events: int
    """Each asks for one call."""
    replaced: int
    cpu_s: float
    """Of the product, for all that went on."""

    def quantile(self, share: float, *what: str) -> float:
        """Of all waits, or of some."""
        waits = sorted(wait for kind in what or self.waits for wait in self.waits[kind])
        return waits[ceil(share * len(waits)) - 1]


def churn(fleet: Fleet, rollouts: Rollouts) -> Churned:
    """Replace every pod once within a minute, and wait until the last old one is off."""
    rollouts.changes.clear()
    before, cpu_s = rollouts.replaced, fleet.spent_s()
    fleet.account.forget_calls()
    fleet.crew.start("users", lambda: rollouts.roll(LASTS_S, random.Random(7)))
    fleet.crew.pass_time(LASTS_S + SEEN_S + GRACE_S + AFTER_S)
    waits = _waits(fleet, rollouts.changes)
    theirs = frozenset(address for change in rollouts.changes for address in change.addresses)
    made = sum(bool(theirs & _addresses(params)) for action in ACTIONS.values() for _, params in fleet.issued(action))
    return Churned(
        waits, made, fleet.account.calls().get(POLL, 0), len(rollouts.changes), rollouts.replaced - before,
        fleet.spent_s() - cpu_s,
    )  # fmt: skip


def _waits(fleet: Fleet, changes: list[Change]) -> dict[str, list[float]]:
    """What was never called for counts until now."""
    found: dict[str, list[float]] = {}
    for what, action in ACTIONS.items():
        issued: dict[str, float] = {}
        for at, params in fleet.issued(action):
            for address in _addresses(params):
                issued.setdefault(address, at)
        now = fleet.clock.now()
        found[what] = sorted(
            max(0.0, min(issued.get(address, now) for address in one.addresses) - one.at)
            for one in changes
            if one.what == what
        )
    return found


def _addresses(params: Json) -> frozenset[str]:
    targets = [*params.get("Targets", ()), *(one for rule in params.get("ModifyList", ()) for one in rule["Targets"])]
    return frozenset(str(target["EniIp"]) for target in targets if "EniIp" in target)
