"""What is to become of an Ingress: pure, from the object and its standing by class."""

from enum import Enum

from l7lb.model.cluster import Ingress
from l7lb.model.marks import FINALIZER
from l7lb.model.options import Standing


class Intent(Enum):
    """One of five; the reconciler has one branch for each."""

    KEEP = "keep"
    """Its load balancer is to be as it asks."""
    DISPOSE = "dispose"
    """It goes away: its load balancer is disposed of as the ledger says."""
    LEAVE = "leave"
    """It was edited out of our class: disposed of after the grace."""
    HOLD = "hold"
    """Whose it is cannot be told: nothing changes."""
    IGNORE = "ignore"
    """Not ours, and nothing of ours on it."""


_BY_STANDING = {
    Standing.OURS: Intent.KEEP,
    Standing.NOT_OURS: Intent.IGNORE,
    Standing.LEFT: Intent.LEAVE,
    Standing.UNCLEAR: Intent.HOLD,
}


def intent(ingress: Ingress, standing: Standing) -> Intent:
    """On a deleting Ingress our finalizer alone decides; a finalizer of ours is never left behind on a foreign one."""
    if ingress.deleting:
        return Intent.DISPOSE if FINALIZER in ingress.finalizers else Intent.IGNORE
    if standing is Standing.NOT_OURS and FINALIZER in ingress.finalizers:
        return Intent.LEAVE
    return _BY_STANDING[standing]
