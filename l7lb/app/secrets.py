"""`--secrets-from referenced`: a watch for each Secret that an Ingress names, for an account that may not list Secrets.

Needs the rights `get` and `watch` on the Secrets in question, and no more. One that cannot be read holds the Ingresses
that name it and nobody else.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from l7lb import translator
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.listwatch import KubeObjectListWatch
from l7lb.adapters.kube.transport import Transport
from l7lb.app.caches import Stores
from l7lb.app.triggers import Triggers
from l7lb.model.cluster import Ingress, Secret
from l7lb.model.identity import ObjectKey
from l7lb.model.marks import FINALIZER
from l7lb.model.snapshot import Verdict
from l7lb.model.watch import ListWatch
from l7lb.runtime.clock import Clock
from l7lb.runtime.informer import Informer, InformerMetrics, Source
from l7lb.runtime.lifecycle import Died, Threads
from l7lb.runtime.store import Delta, Store

PATIENCE_S: Final = 2.0
"""So long at most Ingresses wait for the first look at a Secret, from when it is followed."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every informer is built with."""

    transport: Transport
    clock: Clock
    dice: random.Random
    metrics: InformerMetrics


class _Watched:
    """One Secret under watch; says when it was looked at for the first time, since then its absence is known too."""

    def __init__(
        self,
        means: Means,
        store: Store[Secret],
        key: ObjectKey,
        handler: Callable[[Delta[Secret]], None],
        on_looked: Callable[[ObjectKey], None],
    ) -> None:
        self._key = key
        self._handler = handler
        self._on_looked = on_looked
        self._looked = False
        self._answered = threading.Event()
        self._clock = means.clock
        self._until = means.clock.monotonic() + PATIENCE_S
        self._stopping = threading.Event()
        list_watch: ListWatch[Secret] = KubeObjectListWatch(means.transport, kinds.SECRET, key)
        source = Source(f"Secret {key}", list_watch, scope=lambda other: other == key)
        self._informer: Informer[Secret] = Informer(
            source, store, self._changed, clock=means.clock, dice=means.dice, metrics=means.metrics
        )
        self._threads = Threads("secret", {f"informer-secret-{key}": self._live}, self._ask)

    @property
    def looked(self) -> bool:
        """It is known what it says, or that it is not there."""
        return self._looked

    @property
    def problem(self) -> str:
        """Why it cannot be looked at, in words."""
        return self._informer.problem

    def wait(self) -> None:
        """Until it is looked at, or cannot be, or has taken too long."""
        self._answered.wait(max(0.0, self._until - self._clock.monotonic()))

    def start(self, died: Died) -> None:
        """A thread of its own."""
        self._threads.start(died)

    def stop(self) -> None:
        """Asked for, not waited for: a blocked read is freed, and nobody needs what it reads."""
        self._threads.stop(0.0)

    def _live(self) -> None:
        while not self._stopping.is_set():
            wait_s = self._informer.step()
            if self._informer.synced and not self._looked:
                self._looked = True
                self._on_looked(self._key)
            if self._looked or self.problem:
                self._answered.set()
            if wait_s is not None:
                self._stopping.wait(wait_s)

    def _changed(self, delta: Delta[Secret]) -> None:
        if self._looked:
            self._handler(delta)

    def _ask(self) -> None:
        self._stopping.set()
        self._informer.stop()


class ReferencedSecrets:
    """The watches by key: at once for an Ingress that is ours for certain, for all others when a pass asks."""

    def __init__(self, means: Means, stores: Stores, triggers: Triggers) -> None:
        self._means = means
        self._stores = stores
        self._triggers = triggers
        self._lock = threading.Lock()
        self._watched: dict[ObjectKey, _Watched] = {}
        self._died: Died | None = None

    @property
    def settled(self) -> bool:
        """Each one has been looked at, or cannot be: one of them must not keep everybody waiting."""
        with self._lock:
            watched = tuple(self._watched.values())
        return all(one.looked or one.problem for one in watched)

    def unread(self, names: frozenset[ObjectKey]) -> bool:
        """Whether one of these has not been looked at yet; from now on it is watched."""
        return any(one is None or not one.looked for one in self._found(names))

    def unread_by_now(self, names: frozenset[ObjectKey]) -> bool:
        """The same for a pass: where the first look is on its way, after that look, so that nobody is told of a moment.

        A pass does not always come from `ingress`: the event of a Service that was made before may come after it.
        """
        for one in self._found(names):
            if one is not None:
                one.wait()
        return self.unread(names)

    def start(self, died: Died) -> None:
        """From now on Secrets may be watched."""
        self._died = died

    def stop(self) -> None:
        """End all."""
        with self._lock:
            watched, self._watched, self._died = tuple(self._watched.values()), {}, None
        for one in watched:
            one.stop()

    def ingress(self, delta: Delta[Ingress]) -> None:
        """An Ingress has changed. Its pass comes when its Secrets are looked at, so that nobody is told of a moment."""
        old, new = (item.object if item is not None else None for item in (delta.old, delta.new))
        now = translator.secrets_of(new) if new is not None else frozenset()
        later = new is not None and not new.deleting and self._is_ours(new) and self.unread(now)
        self._triggers.ingress(delta, after_s=PATIENCE_S if later else 0.0)
        for key in (translator.secrets_of(old) if old is not None else frozenset()) - now:
            if not self._stores.ingresses.by_index("secret", key):
                self._leave(key)

    def _is_ours(self, ingress: Ingress) -> bool:
        """For certain, and without waiting for any other object."""
        classes, synced = self._triggers.caches.classes()
        found = translator.verdict(ingress, classes, self._triggers.settings, synced)
        return FINALIZER in ingress.finalizers or found is Verdict.OURS

    def _found(self, names: frozenset[ObjectKey]) -> list[_Watched | None]:
        for name in names:
            self._follow(name)
        with self._lock:
            return [self._watched.get(name) for name in names]

    def _follow(self, key: ObjectKey) -> None:
        with self._lock:
            if key in self._watched or self._died is None:
                return
            one = _Watched(self._means, self._stores.secrets, key, self._triggers.secret, self._looked_at)
            self._watched[key] = one
            one.start(self._died)

    def _looked_at(self, key: ObjectKey) -> None:
        for item in self._stores.ingresses.by_index("secret", key):
            if not self.unread(translator.secrets_of(item.object)):
                self._triggers.again(item.object)

    def _leave(self, key: ObjectKey) -> None:
        with self._lock:
            one = self._watched.pop(key, None)
        if one is not None:
            one.stop()
