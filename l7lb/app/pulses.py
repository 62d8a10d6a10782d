"""How many targets of a load balancer answer their health checks: counts for lists, and the question for many at once.

Nothing of single targets is kept: whoever wants to know which one fails draws the tree of the load balancer.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from l7lb.app.judging import worst
from l7lb.app.planning import patiently
from l7lb.errors import L7lbError
from l7lb.model.branches import Mark
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import Ingress
from l7lb.model.identity import CloudRef, ListenerId
from l7lb.model.ownership import Record
from l7lb.model.portrait import Member
from l7lb.reconciler.checkups import Healths, look
from l7lb.reconciler.ports import LoadBalancers

PER_CALL: Final = 30
"""DescribeTargetHealth page: load balancers in one call."""
CURE: Final = (
    "Does the health check's path answer on the endpoints themselves, with an accepted status? Do the security groups "
    "of nodes and pods let the check through? Is the NodePort reachable?"
)
EMPTY: Final = "Look at the endpoints of its Services: kubectl get endpointslices."
"""What to do where nothing is bound."""
_SERVING: Final = frozenset({Health.ALIVE, Health.UNCHECKED})


@dataclass(frozen=True, slots=True)
class Pulse:
    """One load balancer. Targets with weight 0 do not count: they take no traffic on purpose."""

    healthy: int = 0
    """Targets that answer their check, or whose check is off."""
    total: int = 0
    dead: int = 0
    """Targets that fail their check; the rest is still being probed."""
    rules: int = 0
    """Rules with a target."""
    dark: int = 0
    """Rules all of whose targets fail."""

    @property
    def mark(self) -> Mark:
        """As the rules of the tree stand."""
        if self.dark or not self.total:
            return Mark.BAD
        if self.dead:
            return Mark.WARNING
        return Mark.WAITING if self.healthy == 0 else Mark.OK

    @property
    def words(self) -> str:
        """`1 of 3 targets healthy`, and what follows from it."""
        if not self.total:
            return "no target is bound that takes traffic"
        told = f"{self.healthy} of {self.total} target{'' if self.total == 1 else 's'} healthy"
        if self.dark:
            of = f"{self.dark} of {self.rules} rules have" if self.rules > 1 else "its only rule has"
            return f"{told}: {of} no healthy target"
        return f"{told}: the rest is being probed" if self.healthy + self.dead < self.total else told


@dataclass(frozen=True, slots=True)
class Pulses:
    """Of those that were asked for."""

    known: Mapping[CloudRef, Pulse] = field(default_factory=dict)
    silent: Mapping[CloudRef, str] = field(default_factory=dict)
    """Why of some it is not known."""


def pulse(rules: Iterable[tuple[TargetHealth, ...]]) -> Pulse:
    """Of so many rules; those without a target are redirects, or have nothing to lead to."""
    live = [[one for one in targets if one.weight != 0] for targets in rules]
    bound = [targets for targets in live if targets]
    dead = [sum(one.health is Health.DEAD for one in targets) for targets in bound]
    return Pulse(
        healthy=sum(one.health in _SERVING for targets in bound for one in targets),
        total=sum(map(len, bound)),
        dead=sum(dead),
        rules=len(bound),
        dark=sum(number == len(targets) for number, targets in zip(dead, bound, strict=True)),
    )


def own_listeners(records: Iterable[Record | None]) -> frozenset[ListenerId]:
    """Listeners that records name: on a lent load balancer the others are no business of ours. Empty: none is named."""
    return frozenset(
        ListenerId(one) for each in records if each is not None for one, _ in each.listeners.values() if one
    )


def ask_pulses(
    cloud: LoadBalancers,
    wanted: Mapping[CloudRef, frozenset[ListenerId]],
    sleep: Callable[[float], None] = time.sleep,
) -> Pulses:
    """One call for thirty; `wanted`: the listeners that count, empty: all. A refusal is told and never raised."""
    by_region: defaultdict[str, list[CloudRef]] = defaultdict(list)
    for ref in sorted(wanted):
        by_region[ref.region].append(ref)
    known: dict[CloudRef, Pulse] = {}
    silent: dict[CloudRef, str] = {}
    for many in by_region.values():
        for start in range(0, len(many), PER_CALL):
            few = tuple(many[start : start + PER_CALL])
            try:
                seen = patiently(partial(look, cloud, few), sleep)
            except L7lbError as error:
                silent |= dict.fromkeys(few, str(error))
                continue
            silent |= dict.fromkeys(seen.unseen, "the cloud does not tell")
            known |= _counted(seen.healths, {ref: wanted[ref] for ref in few if ref not in seen.unseen})
    return Pulses(known, silent)


def beating(member: Member, ingress: Ingress, found: Pulses, users: int) -> Member:
    """How an Ingress stands, with the health of its load balancer. `users`: Ingresses on that one.

    What is as asked and not known to be healthy is not said to work.
    """
    if member.ref is None or member.deleting or member.mark is Mark.BAD or not leads(ingress):
        return member
    seen = found.known.get(member.ref)
    if seen is None:
        why = found.silent.get(member.ref, "nobody has asked lately")
        says = f"{member.says}; the health of its targets is not known: {why}"
        return _with(member, Mark.UNKNOWN, says) if member.mark is Mark.OK else member
    if seen.mark is Mark.OK or (member.mark is Mark.WAITING and not seen.total):
        return member
    somebodys = seen.mark is Mark.BAD and users > 1 and seen.dark < seen.rules
    return _with(member, Mark.WARNING if somebodys else seen.mark, f"{seen.words} on {member.ref.id}")


def leads(ingress: Ingress) -> bool:
    """Whether it wants a target at all."""
    return ingress.spec.default_backend is not None or any(rule.http for rule in ingress.spec.rules or ())


def _with(member: Member, mark: Mark, says: str) -> Member:
    return replace(member, mark=worst((member.mark, mark)), says=says)


def _counted(healths: Healths, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> dict[CloudRef, Pulse]:
    by_ref: dict[CloudRef, list[tuple[TargetHealth, ...]]] = {ref: [] for ref in wanted}
    for (ref, listener, _), targets in healths.items():
        if ref in by_ref and (not wanted[ref] or listener in wanted[ref]):
            by_ref[ref].append(targets)
    return {ref: pulse(rules) for ref, rules in by_ref.items()}
