"""What is to become of an Ingress: pure, from the object and its standing by class."""

from enum import Enum

from l7lb.model.cluster import Ingress
from l7lb.model.marks import FINALIZER
from l7lb.model.options import Standing
from l7lb.model.ownership import Record


class Intent(Enum):
    """One of six; the reconciler has one branch for each."""

    KEEP = "keep"
    """Its load balancer is to be as it asks."""
    DISPOSE = "dispose"
    """It goes away: its load balancer is disposed of as the ledger says."""
    LEAVE = "leave"
    """It was edited out of our class: disposed of after the grace."""
    BACK = "back"
    """It was letting go, or does not name the load balancer any more that was about to be adopted: that ends first."""
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


def intent(ingress: Ingress, standing: Standing, record: Record | None = None, named: str = "") -> Intent:
    """On a deleting Ingress our finalizer alone decides; a finalizer of ours is never left behind on a foreign one.

    `named`: `existLbId`, or empty.
    """
    if ingress.deleting:
        return Intent.DISPOSE if FINALIZER in ingress.finalizers else Intent.IGNORE
    if standing is Standing.NOT_OURS and FINALIZER in ingress.finalizers:
        return Intent.LEAVE
    purpose = _BY_STANDING[standing]
    if purpose is Intent.KEEP and record is not None and _under_way(record, named):
        return Intent.BACK
    return purpose


def _under_way(record: Record, named: str) -> bool:
    """Half of a release cannot be told from none while tags lag: what was begun goes on."""
    return bool(record.lb) and (record.claim == "releasing" or (record.claim == "adopting" and record.lb != named))
