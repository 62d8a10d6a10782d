"""l7lb: transport, decoder, reflector, store with its indexes, triggers, and on a watch the work queue behind them."""

import gc
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.credentials import Source as Where
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.adapters.kube.transport import Transport
from l7lb.app.caches import Caches, stores
from l7lb.app.triggers import Triggers
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.snapshot import Settings
from l7lb.runtime.clock import SystemClock
from l7lb.runtime.informer import Informer, Source
from l7lb.runtime.store import Delta, Store
from l7lb.runtime.workqueue import WorkQueue
from l7lb.telemetry.counting import QueueCounting
from l7lb.telemetry.informing import InformerCounting
from l7lb.telemetry.metrics import Metrics
from tests.bench.clients.meter import Meter, asked

T = TypeVar("T")
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: here, cluster: {{server: "{url}"}}}}]
users: [{{name: me, user: {{}}}}]
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
current-context: here
"""


@dataclass(slots=True)
class Sink:
    """The queue of a leader; during a list that of a standby, which takes nothing."""

    queue: WorkQueue
    clock: SystemClock
    leads: bool = False

    def add(self, key: BindingKey, lane: Lane, *, urgent: bool = False, after_s: float = 0.0) -> None:
        """As the product does."""
        if self.leads and not after_s:
            self.queue.add(key, lane, self.clock.monotonic(), urgent)

    def forget(self, uid: str) -> None:
        """Nothing was written."""


@dataclass(slots=True)
class Bench:
    """Informers as the product has them, stepped by one thread, which is theirs in the product too."""

    transport: Transport
    clock: SystemClock
    metrics: Metrics
    handled: int = 0

    def informer(self, kind: Kind[T], store: Store[T], handler: Callable[[Delta[T]], None]) -> Informer[T]:
        """One kind; what is handed on is counted."""

        def counted(delta: Delta[T]) -> None:
            handler(delta)
            self.handled += 1

        source = Source(kind.name, KubeListWatch(self.transport, kind))
        counting = InformerCounting(self.metrics)
        return Informer(source, store, counted, clock=self.clock, dice=random.Random(1), metrics=counting)


class Stepped(Protocol):
    """An informer of whatever kind."""

    @property
    def synced(self) -> bool:
        """The first list is in the store."""
        ...

    @property
    def problem(self) -> str:
        """Why nothing comes."""
        ...

    def step(self) -> float | None:
        """One blocking thing, or how long to wait."""
        ...


def step(informer: Stepped) -> None:
    """One request or one event; nothing is to be waited for here."""
    wait_s = informer.step()
    assert wait_s is None, informer.problem


def sync(informer: Stepped) -> None:
    """Until the first list is in the store."""
    while not informer.synced:
        step(informer)


def main() -> None:
    """List, or watch after a list, as `l7lb run` does."""
    wanted = asked()
    clock = SystemClock()
    cluster, settings = Cluster("cls-9mfq2k1t"), Settings("cls-9mfq2k1t", "ap-guangzhou")
    kept = stores(cluster, settings)
    caches = Caches(kept, cluster, unread=frozenset, wall=clock.time, service_exists=lambda _key: True)
    metrics = Metrics("0")
    sink = Sink(WorkQueue(workers=4, metrics=QueueCounting(metrics)), clock)
    triggers = Triggers(kept, caches, cluster, settings, sink)
    with tempfile.TemporaryDirectory(prefix="l7lb-bench-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG.format(url=wanted.url), encoding="utf-8")
        bench = Bench(Transport(Where(str(kubeconfig))), clock, metrics)
    ingresses = bench.informer(kinds.INGRESS, kept.ingresses, triggers.ingress)
    slices = bench.informer(kinds.ENDPOINT_SLICE, kept.slices, triggers.slice)
    is_slices = wanted.path == kinds.ENDPOINT_SLICE.plural
    watched: Stepped = slices if is_slices else ingresses
    if is_slices:
        sync(ingresses)
    gc.freeze()  # as `l7lb run` does with what it has loaded
    meter = Meter(wanted.ticking)
    if not wanted.watch:
        bench.handled = 0
        meter.start()
        sync(watched)
        meter.stop(bench.handled)
        return
    sync(watched)
    sink.leads, bench.handled = True, 0
    meter.start()
    while bench.handled < wanted.count:
        step(watched)
    meter.stop(bench.handled)
    assert sink.queue.take(clock.monotonic()) is not None, "no key was queued"


if __name__ == "__main__":
    main()
