"""From the end of a leader to its successor's first change, and until that knows all load balancers. Virtual time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tests.bench.fleet import Fleet
from tests.bench.verifying import READS, part_of_quota
from tests.simulation.manifests import rule
from tests.simulation.replica import Replica

SYNCED_S: Final = 30.0
"""So long a standby has before it is needed."""
EDITED: Final = "CreateRule"


class Way(StrEnum):
    """How the leader ends, and who comes after it."""

    PLANNED = "planned"
    CRASH = "crash"
    RESTART = "restart"
    """In order, and nobody stood by: its successor starts when it has gone, and has everything to list."""


@dataclass(frozen=True, slots=True)
class FailedOver:
    """Seconds."""

    led_s: float
    """From the end of the one, or with nobody by from the start of the other, to the other's term."""
    changed_s: float
    """From there to the first write for a user."""
    verified_s: float
    """From there until every load balancer was looked at."""
    reads: int
    """All of them, those for the user as well."""
    writes: int
    """Beside those for the user."""
    part: float
    """Of the quota of the busiest action."""
    cpu_s: float
    """Of the product, until all is verified."""


def failed_over(fleet: Fleet, edited: str, way: Way, within_s: float) -> FailedOver:
    """The leader ends; a user edits an Ingress in that moment."""
    old = fleet.lead_now()
    standby = _stand_by(fleet) if way is not Way.RESTART else None
    begun, cpu_s = fleet.clock.now(), fleet.spent_s()
    if way is Way.CRASH:
        old.end("killed")
    else:
        old.leave()
    if standby is None:
        fleet.crew.run(lambda: bool(old.over), within_s=60.0)
        begun = fleet.clock.now()
    successor = standby or _started(fleet)
    fleet.account.forget_calls()
    rules = [rule(f"{edited}.example.com", "/", f"/{way}", backend=edited)]
    fleet.users.rules(*rules, name=edited)
    fleet.crew.run(lambda: successor.term is not None, within_s=60.0)
    led = fleet.clock.now()
    term = successor.term
    assert term is not None
    fleet.crew.run(lambda: bool(fleet.issued(EDITED)), within_s=60.0)
    changed = fleet.issued(EDITED)[0][0]
    fleet.crew.run(lambda: successor.leads, within_s=60.0)
    fleet.crew.run(lambda: not term.verifier._due, within_s)
    writes = sum(fleet.account.writes().values()) - len(fleet.issued(EDITED, "BatchRegisterTargets"))
    reads = sum(len(fleet.issued(action)) for action in READS)
    return FailedOver(
        led - begun, changed - led, fleet.clock.now() - led, reads, writes, part_of_quota(fleet),
        fleet.spent_s() - cpu_s,
    )  # fmt: skip


def _started(fleet: Fleet) -> Replica:
    return fleet.start(f"replica-{len(fleet.replicas) + 1}")


def _stand_by(fleet: Fleet) -> Replica:
    """Another that has listed everything before it is needed."""
    made = _started(fleet)
    fleet.crew.pass_time(SYNCED_S)
    return made
