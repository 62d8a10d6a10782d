"""Our marks on an Ingress that is refused, and whose load balancer is ours all the same.

It comes from TKE's controller, or has lost its record. Without our marks its deletion would leave the load balancer
behind. Nothing is written to the cloud here.
"""

from typing import Final

from l7lb import ledger
from l7lb.model.marks import LOAD_BALANCER_ID
from l7lb.model.ownership import Ownership
from l7lb.reconciler import records
from l7lb.reconciler.locating import Found
from l7lb.reconciler.passes import Matter, Workshop

HELD: Final = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED})


def hold_on(shop: Workshop, matter: Matter) -> None:
    """Enter finalizer and record where the tags say that it is ours; an Ingress that never had one costs no look."""
    if matter.record is not None or LOAD_BALANCER_ID not in matter.ingress.annotations:
        return
    location = shop.locator.locate(matter.question(), matter.cloud)
    if not isinstance(location, Found):
        return
    observed = location.observed
    claim = ledger.read(matter.evidence(observed), observed, records.expected(matter.record), {})
    if claim.ownership not in HELD or claim.code or claim.untouched:
        return
    record = records.reached(matter, observed, claim, shop.settings)
    matter.ingress = shop.desk.enter(matter.ingress, record)
    matter.record = record
