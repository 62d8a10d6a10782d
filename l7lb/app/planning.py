"""`l7lb plan`: the very passes of `l7lb run`, up to the first write to the cloud. Nothing is decided here.

Live, the caches are filled once by the same informers; offline, they are filled from files, and the cloud is empty.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from l7lb import translator
from l7lb.app import manifests
from l7lb.app.caches import Caches, Stores, key_of, stores
from l7lb.app.dry import Collector, EmptyCloud, Finding, NoConfigs, OneAtATime, ReadOnly
from l7lb.app.neighbours import Neighbours
from l7lb.app.placing import place
from l7lb.app.progress import Progress, silent
from l7lb.errors import GateClosed, L7lbError, Throttled
from l7lb.model.identity import BindingKey, Cluster, ObjectKey
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again
from l7lb.model.snapshot import Settings
from l7lb.reconciler.confirming import Confirmation
from l7lb.reconciler.executor import Executor
from l7lb.reconciler.flights import Flights
from l7lb.reconciler.locating import Locator
from l7lb.reconciler.observations import Observations
from l7lb.reconciler.passes import Workshop
from l7lb.reconciler.ports import Ingresses, LoadBalancers
from l7lb.reconciler.reconciler import Reconciler
from l7lb.reconciler.writeback import WriteBack
from l7lb.runtime.clock import Clock

__all__ = ["Finding", "Hands", "Worlds", "offline", "patiently", "plans"]

T = TypeVar("T")

TRIES_MAX: Final = 60
WAIT_S: Final = 1.0
LOOKS_MAX: Final = 3
"""A pass may ask to look again at once: its load balancer is gone, so another one is looked for."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """What plans are made from."""

    cluster: Cluster
    settings: Settings
    stores: Stores
    caches: Caches
    cloud: LoadBalancers
    live: Ingresses | None
    clock: Clock


@dataclass(frozen=True, slots=True)
class Hands:
    """What a survey works with. Whatever they are, no plan is begun: `writable` always refuses."""

    ingresses: Ingresses
    """Where finalizers, records and conditions go."""
    observations: Observations = field(default_factory=Observations)
    """What was read of the cloud; kept for whoever asks afterwards."""
    only: frozenset[ObjectKey] | None = None
    """None: every Ingress."""


def plans(
    worlds: Worlds,
    sleep: Callable[[float], None] = time.sleep,
    hands: Hands | None = None,
    told: Progress = silent,
) -> tuple[Finding, ...]:
    """One finding for each Ingress that is ours, in the order of their names. Waits where the API budget is used up.

    Without `hands` nothing is written anywhere.
    """
    hands = hands if hands is not None else Hands(ReadOnly(worlds.live, worlds.stores))
    collector, desk = Collector(), OneAtATime(worlds.caches, worlds.cluster, hands.only)
    reconciler = Reconciler(_workshop(worlds, collector, desk, hands))
    ingresses = sorted((item.object for item in worlds.stores.ingresses.list()), key=lambda one: one.key)
    if hands.only is not None:
        ingresses = [ingress for ingress in ingresses if ingress.key in hands.only]
    done: set[ObjectKey] = set()
    for number, ingress in enumerate(ingresses):
        told("planning", number, len(ingresses))
        desk.only = ingress.key
        if ingress.key not in done:
            key = key_of(ingress, worlds.cluster, worlds.settings)
            together = tuple(member.key for member in desk.members(key))
            _plan(reconciler, collector, key, together, sleep)
            done |= set(together)
    found: list[Finding] = []
    for ingress in ingresses:
        if (finding := collector.findings.get(ingress.key)) is not None:
            finding.load_balancer = place(ingress, worlds.cluster, worlds.settings.region, finding.record)
            found.append(finding)
    return tuple(found)


def patiently(question: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """The answer, however often it is refused for rate first: this is no worker, nobody waits for it."""
    for _ in range(TRIES_MAX):
        try:
            return question()
        except Throttled as refusal:
            sleep(refusal.retry_after_s or WAIT_S)
    return question()


def _plan(
    reconciler: Reconciler,
    collector: Collector,
    key: BindingKey,
    together: tuple[ObjectKey, ...],
    sleep: Callable[[float], None],
) -> None:
    try:
        for _ in range(LOOKS_MAX):
            outcome = patiently(lambda: reconciler.reconcile(key, Lane.CHANGE), sleep)
            if not isinstance(outcome, Again) or outcome.after_s > 0:
                break
        if isinstance(outcome, Again):
            for ingress in together:
                collector.of(ingress).waits = outcome.reason
    except GateClosed:
        pass  # as far as a plan goes: the next thing would have been the first write
    except L7lbError as error:
        for ingress in together:
            collector.of(ingress).error = str(error)


def _workshop(worlds: Worlds, collector: Collector, desk: OneAtATime, hands: Hands) -> Workshop:
    observations = hands.observations
    return Workshop(
        cluster=worlds.cluster,
        settings=worlds.settings,
        cloud=worlds.cloud,
        ingresses=hands.ingresses,
        configs=NoConfigs(),
        snapshots=desk,
        events=collector,
        telemetry=collector,
        executor=Executor(Flights(), observations, worlds.clock.monotonic),
        locator=Locator(observations, worlds.caches, collector),
        confirmation=Confirmation(worlds.cluster, _neighbours(worlds), worlds.clock.monotonic, home="", confirmed=True),
        desk=WriteBack(hands.ingresses, worlds.clock.time),
        monotonic=worlds.clock.monotonic,
        wall=worlds.clock.time,
        class_exit_grace_s=0.0,
        buys_blind=worlds.live is None,
        writable=_never,
    )


def _neighbours(worlds: Worlds) -> Neighbours:
    return Neighbours(worlds.stores, worlds.cluster, worlds.caches.unread)


def _never() -> None:
    raise GateClosed("a plan writes nothing")


def offline(files: Iterable[Path], cluster: Cluster, settings: Settings, clock: Clock) -> Worlds:
    """Worlds from manifests alone; raises ConfigurationError when one cannot be read."""
    kept = stores(cluster, settings)
    manifests.load(files, kept)
    lent = {
        options.exist_lb_id: "" if options.group else item.object.metadata.uid
        for item in kept.ingresses.list()
        if (options := translator.options(item.object)).exist_lb_id
    }
    caches = Caches(
        kept, cluster, unread=frozenset, wall=clock.time, service_exists=lambda key: kept.services.get(key) is not None
    )
    return Worlds(cluster, settings, kept, caches, EmptyCloud(cluster, lent), None, clock)
