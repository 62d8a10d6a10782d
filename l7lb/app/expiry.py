"""When the certificates that Ingresses name will expire: a metric, and an Event to those whose time is short.

Read by the leader only, in the lowest lane, when a certificate is first seen and then every few hours. No pass waits
for it, and nothing is held because of it: a certificate that has expired goes on being shown.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from l7lb import translator
from l7lb.app.caches import Caches, Stores
from l7lb.errors import AccessDenied, L7lbError
from l7lb.model.cloud import CertificateFacts
from l7lb.model.cluster import Ingress
from l7lb.model.lane import Lane
from l7lb.model.marks import FINALIZER
from l7lb.model.writing import EventType
from l7lb.reconciler.passes import say
from l7lb.reconciler.ports import Events
from l7lb.runtime.clock import Clock
from l7lb.telemetry.metrics import Metrics

_logger = logging.getLogger(__name__)

METRIC: Final = "l7lb_certificate_expiry_timestamp_seconds"
LOOK_S: Final = 15.0
"""How often it is asked whether an Ingress names a certificate that was not read yet; costs no call."""
READ_S: Final = 6 * 3600.0
AFTER_FAILURE_S: Final = 300.0
SOON_S: Final = 14 * 86_400.0


class CertificateReader(Protocol):
    """The SSL service of the account."""

    def read(self, ids: frozenset[str], lane: Lane) -> Mapping[str, CertificateFacts]:
        """Those of `ids` that the account has, by id."""
        ...


@dataclass(frozen=True, slots=True)
class Archive:
    """What it works with."""

    reader: CertificateReader
    stores: Stores
    caches: Caches
    events: Events
    metrics: Metrics
    clock: Clock


@dataclass(slots=True)
class Expiry:
    """For one term. `run` is a thread's life, `step` one look of it."""

    archive: Archive
    _stopping: threading.Event = field(default_factory=threading.Event)
    _known: dict[str, CertificateFacts | None] = field(default_factory=dict)
    """None: asked for, and the account has none."""
    _all_due: float = 0.0
    _not_before: float = 0.0
    _denied: bool = False

    def run(self) -> None:
        """Until `stop`."""
        while True:
            self.step()
            if self._stopping.wait(LOOK_S):
                return

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def step(self) -> None:
        """Read what is due, and show what is known of certificates that are still named."""
        now = self.archive.clock.monotonic()
        named = self._named()
        due = frozenset(named) if now >= self._all_due else frozenset(named.keys() - self._known.keys())
        if due and now >= self._not_before:
            self._read(due, named, now)
        self._known = {one: facts for one, facts in self._known.items() if one in named}
        dated = ((one, facts.expires) for one, facts in self._known.items() if facts is not None)
        self.archive.metrics.only(METRIC, {(one,): expires for one, expires in dated if expires is not None})

    def _read(self, due: frozenset[str], named: Mapping[str, list[Ingress]], now: float) -> None:
        try:
            found = self.archive.reader.read(due, Lane.VERIFY)
        except AccessDenied as error:
            if not self._denied:
                _logger.warning("%s stays empty: DescribeCertificates of ssl is not allowed: %s", METRIC, error)
            self._denied, self._not_before = True, now + READ_S
            return
        except L7lbError as error:
            _logger.info("certificates cannot be read, asked again in %g s: %s", AFTER_FAILURE_S, error)
            self._not_before = now + AFTER_FAILURE_S
            return
        if now >= self._all_due:
            self._all_due = now + READ_S
        for one in sorted(due):
            self._known[one] = facts = found.get(one)
            if facts is not None:
                self._warn(facts, named[one])

    def _warn(self, facts: CertificateFacts, ingresses: list[Ingress]) -> None:
        left = facts.expires - self.archive.clock.time() if facts.expires is not None else None
        expired = facts.expired or (left is not None and left <= 0)
        if not expired and (left is None or left > SOON_S):
            return
        on = f" on {datetime.fromtimestamp(facts.expires, UTC):%Y-%m-%d %H:%M} UTC" if facts.expires is not None else ""
        for ingress in ingresses:
            if expired:
                text = f"E4039: certificate {facts.id} has expired{on}; it is still shown: name another one"
                self.archive.events.emit(say(ingress, "CertificateExpired", text, EventType.WARNING))
            else:
                text = f"certificate {facts.id} expires{on}: name another one before"
                self.archive.events.emit(say(ingress, "CertificateExpires", text, EventType.WARNING))

    def _named(self) -> dict[str, list[Ingress]]:
        named: dict[str, list[Ingress]] = {}
        for ingress in self._served():
            for one in translator.certificate_ids(self.archive.caches.snapshot(ingress, targets=False)):
                named.setdefault(one, []).append(ingress)
        return named

    def _served(self) -> Iterator[Ingress]:
        for item in self.archive.stores.ingresses.list():
            if FINALIZER in item.object.finalizers and not item.object.deleting:
                yield item.object
