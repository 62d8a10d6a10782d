"""Who sits together: from all Ingresses of one key to the meeting of its group. Writes nothing."""

from collections.abc import Sequence
from dataclasses import replace

from l7lb import translator
from l7lb.model.identity import BindingKey
from l7lb.model.outcome import Again
from l7lb.model.site import Site
from l7lb.model.snapshot import Translation
from l7lb.reconciler.intent import Intent
from l7lb.reconciler.leavings import Leavings
from l7lb.reconciler.mixing import turned_away
from l7lb.reconciler.passes import Matter, Workshop
from l7lb.reconciler.ports import LoadBalancers
from l7lb.reconciler.proof import Proof
from l7lb.reconciler.seats import Meeting, Seat, age, place
from l7lb.reconciler.witnesses import Parting

CONFIRM_S = 2.0


class Gathering:
    """Finds out for each member whether it stays, leaves, or cannot be told."""

    def __init__(self, shop: Workshop, leavings: Leavings) -> None:
        self._shop = shop
        self._leavings = leavings
        self._proof = Proof(shop)

    def turned_away(self, matters: Sequence[Matter]) -> frozenset[str]:
        """UIDs of those that have to give way, where a group and Ingresses outside of it name one load balancer."""
        group = [matter for matter in matters if matter.grouped]
        alone = [matter for matter in matters if not matter.grouped]
        if not (group and alone):
            return frozenset()
        return turned_away([one for one in alone if self._counts(one)], [one for one in group if self._counts(one)])

    def meeting(
        self, key: BindingKey, group: Sequence[Matter], alone: Sequence[Matter], cloud: LoadBalancers
    ) -> tuple[Meeting, tuple[Again, ...]]:
        """All members that are ours, oldest first; and when to look again because time alone changes the answer."""
        seats, waits = [], []
        for matter in sorted(group, key=lambda one: age(one.ingress)):
            seat, wait = self._seat(matter)
            seats += [seat] if seat is not None else []
            waits += [wait] if wait is not None else []
        strangers = tuple(matter.ingress for matter in alone)
        return Meeting(key, place(key), cloud, self._shop.cluster, tuple(seats), strangers), tuple(waits)

    def _seat(self, matter: Matter) -> tuple[Seat | None, Again | None]:
        match self._leavings.purpose(matter):
            case Intent.IGNORE:
                return None, None
            case Intent.DISPOSE:
                if self._proof.is_leaving(matter):
                    return Seat(matter, Parting.DELETED), None
                wait = Again(CONFIRM_S, "the API server does not say that the Ingress is being deleted")
                return Seat(matter), wait
            case Intent.LEAVE:
                pending = self._leavings.wait(matter)
                return Seat(matter, Parting.LEFT if pending is None else None), pending
            case Intent.KEEP:
                snapshot = self._shop.snapshots.snapshot(matter.ingress)
                settings = self._shop.settings_in(place(matter.key).region, matter.cloud)

                def translate(site: Site) -> Translation:
                    return translator.translate(replace(snapshot, site=site), settings)

                return Seat(matter, translation=translator.translate(snapshot, settings), translate=translate), None
            case Intent.HOLD | Intent.BACK:
                return Seat(matter, unclear=True), None

    def _counts(self, matter: Matter) -> bool:
        """Whether it has the load balancer, or would get it."""
        claimed = matter.record is not None and bool(matter.record.claim and matter.record.lb)
        return claimed or self._leavings.purpose(matter) is Intent.KEEP
