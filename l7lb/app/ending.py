"""`l7lb teardown`, wired: a cluster that answers, with its Lease and its gate, or an account alone."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from l7lb import __version__, ledger
from l7lb.app.answering import Care
from l7lb.app.config import Config
from l7lb.app.connections import connect, connect_cloud
from l7lb.app.door import Doorman
from l7lb.app.holding import Waits, holding, in_silence
from l7lb.app.neighbours import Neighbours
from l7lb.app.planning import patiently
from l7lb.app.regions import find_all
from l7lb.app.survey import Surveyed, surveyed
from l7lb.app.tearing import Ground, Report, doomed, tear_down
from l7lb.errors import ConfigurationError, GateClosed, NotFound, UnsafePlan
from l7lb.model.cloud import Health
from l7lb.model.ending import Ending, Fate, Order
from l7lb.model.identity import CloudRef, Cluster, ObjectKey
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.reconciler.confirming import Confirmation
from l7lb.reconciler.ports import LoadBalancers
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.election import WriteGuard
from l7lb.telemetry.metrics import Metrics

PER_CALL: Final = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One load balancer as the operator is shown it."""

    ending: Ending
    ingress: ObjectKey | None = None
    """Of this cluster; None: it does not live, or nobody can say."""
    listeners: tuple[str, ...] = ()
    bound: int = 0
    serving: int = 0
    """Bound targets that the cloud's own check does not call dead."""


@dataclass(frozen=True, slots=True)
class Case:
    """What there is to be torn down."""

    ground: Ground
    forbidden: str
    """Why nothing may be; empty: it may."""
    writing: Callable[[], AbstractContextManager[object]]
    """Around everything that writes."""

    def rows(self) -> tuple[Row, ...]:
        """Every load balancer, with what is on it."""
        return rows(self.ground)

    def tear_down(self, typed: str, done: Callable[[Report], None], told: Callable[[str], None]) -> tuple[Report, ...]:
        """Raises UnsafePlan, GateClosed or LostLeadership when nothing may be torn down."""
        if self.forbidden:
            raise UnsafePlan(f"nothing is torn down: {self.forbidden}", reason="UnsafePlan")
        ground = replace(self.ground, order=replace(self.ground.order, typed=typed), told=told)
        with self.writing():
            return tear_down(ground, done)


@contextmanager
def of_a_cluster(config: Config, environ: Mapping[str, str], waits: Waits = in_silence) -> Iterator[Case]:
    """A cluster that answers. Raises ConfigurationError, and Unavailable when it does not."""
    if config.watch_namespace:
        raise ConfigurationError("--watch-namespace: a cluster goes away as a whole")
    clock, metrics, door = SystemClock(), Metrics(__version__), Doorman(SystemClock())
    connections = connect(config, environ, metrics, door.check, clock)
    with surveyed(config, connections, clock, metrics, care=Care.ANSWERS) as found:
        worlds = found.worlds
        order = Order(worlds.cluster, typed="", alive=True)
        ground = Ground(
            order=order,
            cloud=worlds.cloud,
            heads=found.heads,
            clock=clock,
            sleep=time.sleep,
            ingresses=tuple(item.object for item in worlds.stores.ingresses.list()),
            desk=connections.ingresses,
            home=config.region,
            tke_finalizers=config.finalizers_of_tke,
        )
        around = Neighbours(worlds.stores, worlds.cluster, worlds.caches.unread)
        confirmation = Confirmation(
            worlds.cluster, around, clock.monotonic, home=config.region, confirmed=bool(config.confirm_cluster)
        )
        forbidden = ledger.forbids(order, found.heads) or patiently(lambda: confirmation.look_everywhere(worlds.cloud))
        lease = partial(holding, config, connections, clock, waits)
        yield Case(ground, forbidden, partial(_with_the_lease, lease, door, found))


def of_an_account(config: Config, environ: Mapping[str, str], cluster_uid: str) -> Case:
    """No cluster answers any more: its id and its identity are the operator's."""
    clock = SystemClock()
    cloud = connect_cloud(config, environ, Metrics(__version__), lambda: None, clock)
    order = Order(Cluster(config.cluster_id, cluster_uid), typed="", alive=False)
    heads = patiently(lambda: find_all(cloud, ledger.of_cluster(order.cluster), (config.region, *config.other_regions)))
    ground = Ground(order, cloud, heads, clock, time.sleep, home=config.region)
    return Case(ground, ledger.forbids(order, heads), nullcontext)


@contextmanager
def _with_the_lease(
    lease: Callable[[], AbstractContextManager[WriteGuard]], door: Doorman, found: Surveyed
) -> Iterator[None]:
    standing = found.gate.standing()
    if not standing.open:
        raise GateClosed(f"nothing is torn down while TKE's own controller may run: {standing.reason}")
    with lease() as guard:
        door.guard, door.gate = guard, found.gate
        yield


def rows(ground: Ground) -> tuple[Row, ...]:
    """Two reads for each load balancer that is not somebody else's, less where one call serves many."""
    names = {ingress.metadata.uid: ingress.key for ingress in ground.ingresses}
    found = doomed(ground)
    shown = [ending.head for ending in found if ending.fate is not Fate.KEPT]
    counts = _bound(ground, [head.ref for head in shown])
    listeners = {head.ref: _listeners(ground, head) for head in shown}
    return tuple(
        Row(
            ending,
            names.get(ledger.ingress_of(ending.head.tags)),
            listeners.get(ending.head.ref, ()),
            *counts.get(ending.head.ref, (0, 0)),
        )
        for ending in found
    )


def _listeners(ground: Ground, head: LoadBalancerHead) -> tuple[str, ...]:
    try:
        return tuple(str(item.spec.key) for item in patiently(lambda: ground.cloud.listeners(head), ground.sleep))
    except NotFound:
        return ()


def _bound(ground: Ground, refs: list[CloudRef]) -> dict[CloudRef, tuple[int, int]]:
    """Bound targets, and those of them that serve, of each."""
    counts: dict[CloudRef, tuple[int, int]] = {}
    for region in sorted({ref.region for ref in refs}):
        of_region = tuple(ref for ref in refs if ref.region == region)
        for start in range(0, len(of_region), PER_CALL):
            counts |= _count(ground.cloud, of_region[start : start + PER_CALL], ground.sleep)
    return counts


def _count(
    cloud: LoadBalancers, refs: tuple[CloudRef, ...], sleep: Callable[[float], None]
) -> dict[CloudRef, tuple[int, int]]:
    counts: dict[CloudRef, tuple[int, int]] = {}
    try:
        health = patiently(lambda: cloud.health(refs), sleep)
    except NotFound:
        # One that went meanwhile spoils the answer about all: the list is shown without the counts.
        return counts
    for (ref, _, _), targets in health.items():
        bound, serving = counts.get(ref, (0, 0))
        well = sum(target.health in (Health.ALIVE, Health.UNCHECKED) for target in targets)
        counts[ref] = (bound + len(targets), serving + well)
    return counts
