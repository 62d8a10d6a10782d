"""Where our work ends when load balancers are divided among replicas. By default nobody else works on anything."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from l7lb import ledger
from l7lb.model.cluster import Ingress, Object
from l7lb.model.identity import Cluster, LoadBalancerId, ObjectKey, Owner
from l7lb.model.marks import RECORD


def _all_ours(_ingress: Ingress) -> bool:
    return True


def _nobody_strays(_uid: str) -> bool:
    return False


def _nobody_else() -> Iterable[Object]:
    return ()


@dataclass(frozen=True, slots=True)
class Borders:
    """What others work on: their Ingresses are not touched, nor what the records of these name."""

    ours: Callable[[Ingress], bool] = _all_ours
    """Whether an Ingress with this record is ours to work on."""
    strayed: Callable[[str], bool] = _nobody_strays
    """Whether the Ingress of this UID lives and is another's to work on now."""
    abroad: Callable[[], Iterable[Object]] = _nobody_else
    """All Ingresses that are others' to work on, read live."""
    exits: int = 0
    """So many of the class exits that the guard allows are others' to spend."""

    def holder(self, load_balancer: LoadBalancerId, cluster: Cluster) -> ObjectKey | None:
        """An Ingress of somebody else's whose record names the load balancer: he may be writing to it."""
        for one in self.abroad():
            record = ledger.parse_record(one.annotations.get(RECORD), Owner(cluster, one.metadata.uid))
            if record is not None and record.claim and record.lb == load_balancer:
                return one.key
        return None


NO_BORDERS = Borders()
