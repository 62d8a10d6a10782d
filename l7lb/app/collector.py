"""`--collect-orphans`: deletes orphans that were seen often and long enough, one after the other, few in an hour.

What was seen outlives the process in a ConfigMap. Without it nothing is deleted: a controller that starts anew each
hour would have to begin anew each time. Each deletion is written down there before it is begun, so that neither a crash
nor a change of the leader makes it more than the ledger allows.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from l7lb import ledger
from l7lb.adapters.kube.memory import Kept
from l7lb.app.orphans import Findings, say
from l7lb.app.remembering import read_back, write_down
from l7lb.errors import (
    Conflict,
    GateClosed,
    L7lbError,
    LostLeadership,
    NotFound,
    RetryableError,
    Throttled,
    UnauthorizedPlan,
    Unavailable,
)
from l7lb.model.identity import CloudRef
from l7lb.model.inventory import Memory, Use
from l7lb.model.writing import EventType, Note
from l7lb.reconciler.collecting import Collection, Gone, Tools
from l7lb.reconciler.executor import Waiting
from l7lb.telemetry.metrics import CONTROLLER

_logger = logging.getLogger(__name__)

AGAIN_S: Final = 60.0
FULL_S: Final = 300.0
"""How soon it is asked again whether another one may go, when five went within the hour."""


class Shelf(Protocol):
    """Where the memory is kept: `adapters.kube.memory.KubeMemory`."""

    def read(self) -> Kept:
        """As it is now; raises NotFound when there is no place for it."""
        ...

    def write(self, text: str, version: str) -> Kept:
        """Replace what was read at this version; raises Conflict when somebody else has."""
        ...


@dataclass(slots=True)
class Collector:
    """For one term and one thread. `recall`, then the look, then `keep`; `step` moves what is on its way."""

    findings: Findings
    tools: Tools
    shelf: Shelf
    writable: Callable[[], None]
    """Raises GateClosed or LostLeadership when nothing may be written now."""
    trusted_from: float = 0.0
    """Monotonic; what is read before may miss a write that the leader before us had on its way."""
    _kept: Kept | None = None
    """What is on the shelf; None: not read, or somebody else wrote."""
    _written: Memory = field(default_factory=Memory)
    _under_way: Collection | None = None
    _trouble: str = ""

    def recall(self) -> None:
        """Read the memory if it is not known; raises what reading does, but not that there is no place for it."""
        if self._kept is not None:
            return
        try:
            kept = self.shelf.read()
        except NotFound as absence:
            self._complain(f"nothing is collected: {absence}; docs/orphans.md has the ConfigMap")
            return
        self._kept = kept
        self._written = self.findings.memory = read_back(kept.text, self.tools.cluster.id)

    def keep(self) -> None:
        """Write the memory if it says something new. What cannot be written is written later."""
        memory = self.findings.memory
        if self._kept is None or memory == self._written:
            return
        try:
            self._kept = self.shelf.write(write_down(memory, self.tools.cluster.id), self._kept.version)
            self._written = memory
        except (Conflict, NotFound) as error:
            self._kept = None
            raise Unavailable(f"the memory of orphans was changed by somebody else: {error}") from error

    def step(self) -> float | None:
        """Begin with the next, or go on with the one on its way; seconds until the next step, None: after a look."""
        try:
            wait_s = self._go_on(self._under_way) if self._under_way is not None else self._begin()
        except L7lbError as error:
            return self._failed(error)
        return wait_s

    def _begin(self) -> float | None:
        memory, now = self.findings.memory, self.findings.time.now()
        shown = {entry.head.ref for entry in self.findings.entries if entry.use is Use.ORPHAN}
        due = [ref for ref in ledger.due(memory.sightings, now) if ref in shown]
        if not due or self._kept is None or memory != self._written:
            return None
        early_s = self.trusted_from - self.tools.monotonic()
        if early_s > 0:
            return early_s
        collected = ledger.lately(memory, now)
        if len(collected) >= ledger.PER_HOUR_MAX:
            return FULL_S
        self.writable()
        collection = Collection(self.tools, due[0], memory.sightings[due[0]], collected)
        self._under_way = collection
        collection.prepare()
        self.findings.memory = replace(memory, collected=(*collected, now))
        self.keep()
        text = f"{collection.head.ref} ({_address(collection)}): {collection.proof}"
        self._emit(say(self.tools.cluster, "OrphanDeleting", text))
        return 0.0

    def _go_on(self, collection: Collection) -> float | None:
        progress = collection.advance()
        if isinstance(progress, Waiting):
            return progress.after_s
        assert isinstance(progress, Gone)
        self._under_way, self._trouble = None, ""
        self.findings.around.metrics.count("l7lb_orphans_collected_total", CONTROLLER)
        self._emit(say(self.tools.cluster, "OrphanDeleted", f"{collection.ref} is gone"))
        self._forget(collection.ref)
        return 0.0

    def _failed(self, error: L7lbError) -> float | None:
        """Whatever it was, it is begun anew later, with fresh proofs; what was refused not before another day."""
        collection, self._under_way = self._under_way, None
        if collection is None:
            self._complain(f"nothing is collected now: {error}")
            return AGAIN_S
        collection.give_up()
        if isinstance(error, UnauthorizedPlan):
            self.findings.around.metrics.count("l7lb_unauthorized_plans_total", CONTROLLER)
        if isinstance(error, GateClosed | LostLeadership):
            self._complain(f"nothing is collected now: {error}")
            return AGAIN_S
        if isinstance(error, Throttled):
            return error.retry_after_s or AGAIN_S
        if isinstance(error, RetryableError) and not isinstance(error, Conflict):
            self._complain(f"{collection.ref} is not collected now: {error}")
            return error.retry_after_s or AGAIN_S
        text = f"{collection.ref} is left, and not deleted: {error}"
        self._emit(say(self.tools.cluster, "OrphanLeft", text, EventType.WARNING))
        self._forget(collection.ref)
        return AGAIN_S

    def _forget(self, ref: CloudRef) -> None:
        """Of this one nothing was seen; what is on the shelf follows when it can be written."""
        findings = self.findings
        findings.memory = ledger.forget(findings.memory, ref)
        try:
            self.keep()
        except L7lbError as error:
            self._complain(f"the memory of orphans cannot be written: {error}")

    def _emit(self, note: Note) -> None:
        _logger.warning("%s: %s", note.reason, note.message)
        self.findings.around.events.emit(note)

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            _logger.warning(trouble)
        self._trouble = trouble


def _address(collection: Collection) -> str:
    head = collection.head
    return ", ".join((*head.vips, head.ipv6, head.hostname)).strip(", ") or "no address"
