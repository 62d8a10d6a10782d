"""Ingresses that were edited out of our class: a grace for typos, then a live look, and only then they have left."""

import threading

from l7lb import translator
from l7lb.model.options import Standing
from l7lb.model.outcome import Again
from l7lb.reconciler.intent import Intent, intent
from l7lb.reconciler.passes import Matter, Workshop


class Leavings:
    """Remembers since when each of them is out."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._lock = threading.Lock()
        self._left_at: dict[str, float] = {}

    def purpose(self, matter: Matter) -> Intent:
        """What is to become of an Ingress, as far as the caches tell."""
        classes, synced = self._shop.snapshots.classes()
        standing = translator.standing(matter.ingress, matter.record, classes, self._shop.settings, synced)
        purpose = intent(matter.ingress, standing, matter.record, matter.options.exist_lb_id)
        if purpose is not Intent.LEAVE:
            self._forget(matter)
        return purpose

    def wait(self, matter: Matter) -> Again | None:
        """None: it has left, as the API server says too."""
        now = self._shop.monotonic()
        with self._lock:
            since = self._left_at.setdefault(matter.owner.ingress_uid, now)
        remaining = since + self._shop.class_exit_grace_s - now
        if remaining > 0:
            return Again(remaining, "the Ingress was edited out of our class: released after the grace")
        if not self._left_for_sure(matter):
            self._forget(matter)
            return Again(2.0, "the API server does not confirm that the Ingress has left our class")
        return None

    def _left_for_sure(self, matter: Matter) -> bool:
        live = self._shop.ingresses.live(matter.ingress.key)
        if live is None or live.metadata.uid != matter.owner.ingress_uid:
            return False
        names = {name for name in translator.class_pair(live) if name}
        classes = {name: found for name in names if (found := self._shop.ingresses.live_class(name)) is not None}
        standing: Standing = translator.standing(live, matter.record, classes, self._shop.settings, synced=True)
        return intent(live, standing) is Intent.LEAVE

    def _forget(self, matter: Matter) -> None:
        with self._lock:
            self._left_at.pop(matter.owner.ingress_uid, None)
