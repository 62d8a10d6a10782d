"""Trouble of the whole installation, told to the Ingresses that wait because of it: an Event and the Ready condition.

Nothing here holds anything up: what cannot be written is dropped, the log has it anyway.
"""

import logging
from collections.abc import Iterable

from l7lb import translator
from l7lb.app.caches import Caches, Stores
from l7lb.errors import L7lbError, TerminalError, Unavailable
from l7lb.model.cluster import Ingress
from l7lb.model.snapshot import Settings, Verdict
from l7lb.model.writing import EventType
from l7lb.reconciler.conditions import Readiness
from l7lb.reconciler.passes import say
from l7lb.reconciler.ports import Events
from l7lb.reconciler.writeback import WriteBack

_logger = logging.getLogger(__name__)

CLOUD_SILENT = "E6006"
"""TKE's code for a cloud API that does not answer."""


def words(error: Exception) -> tuple[str, str]:
    """(reason, message with its code) for an error."""
    code = error.code if isinstance(error, TerminalError) else CLOUD_SILENT if isinstance(error, Unavailable) else ""
    reason = error.reason if isinstance(error, TerminalError) else type(error).__name__
    return reason, f"{code}: {error}" if code else str(error)


def tell(ingresses: Iterable[Ingress], error: Exception, *, events: Events, desk: WriteBack) -> None:
    """Each of them hears why it waits."""
    reason, message = words(error)
    for ingress in ingresses:
        events.emit(say(ingress, reason, message, EventType.WARNING))
        try:
            desk.tell(desk.newest(ingress), Readiness(False, reason, message))
        except L7lbError as failure:
            _logger.debug("%s: the condition cannot be written: %s", ingress.key, failure)


def ours(stores: Stores, caches: Caches, settings: Settings) -> tuple[Ingress, ...]:
    """Every Ingress that is ours by its class."""
    classes, synced = caches.classes()
    found = (item.object for item in stores.ingresses.list())
    return tuple(one for one in found if translator.verdict(one, classes, settings, synced) is Verdict.OURS)
