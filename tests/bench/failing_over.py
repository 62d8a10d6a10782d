"""From the end of a leader to its successor's first change, and until that knows all load balancers. Virtual time."""

from dataclasses import dataclass
from typing import Final

from tests.bench.fleet import Fleet
from tests.bench.verifying import READS, part_of_quota
from tests.simulation.manifests import rule

SYNCED_S: Final = 30.0
"""So long a standby has before it is needed."""
EDITED: Final = "CreateRule"


@dataclass(frozen=True, slots=True)
class FailedOver:
    """Seconds."""

    led_s: float
    """From the end of the one to the term of the other."""
    changed_s: float
    """From there to the first write for a user."""
    verified_s: float
    """From there until every load balancer was looked at."""
    reads: int
    writes: int
    """Beside those for the user."""
    part: float
    """Of the quota of the busiest action."""


def failed_over(fleet: Fleet, edited: str, *, planned: bool, within_s: float) -> FailedOver:
    """The leader goes in order, or dies; a user edits an Ingress in that moment."""
    old = fleet.lead_now()
    successor = fleet.start(f"replica-{len(fleet.replicas) + 1}")
    fleet.crew.pass_time(SYNCED_S)
    begun = fleet.clock.now()
    if planned:
        old.leave()
    else:
        old.end("killed")
    fleet.account.forget_calls()
    rules = [rule(f"{edited}.example.com", "/", "/more", backend=edited)]
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
        led - begun, changed - led, fleet.clock.now() - led, reads, writes, part_of_quota(fleet)
    )  # fmt: skip
