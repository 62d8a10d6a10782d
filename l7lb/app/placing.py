"""Where the load balancer of an Ingress is, as far as objects say. What may be done to it says the ledger."""

from l7lb import ledger, translator
from l7lb.app.caches import record_of
from l7lb.model.cluster import Ingress
from l7lb.model.identity import CloudRef, Cluster, LoadBalancerId, Owner
from l7lb.model.marks import LOAD_BALANCER_ID
from l7lb.model.ownership import Record


def place(ingress: Ingress, cluster: Cluster, home: str, written: str = "") -> CloudRef | None:
    """By the record that a pass would enter (`written`, its text), else by the one that it has, else by what it names.

    `home`: the region of the cluster. None: nothing names one.
    """
    record = entered(ingress, cluster, written)
    record = record if record is not None and record.lb else kept(ingress, cluster)
    if record is not None:
        return CloudRef(record.region or home, LoadBalancerId(record.lb))
    options = translator.options(ingress)
    named = options.exist_lb_id or ingress.annotations.get(LOAD_BALANCER_ID, "")
    return CloudRef(options.cross_region or home, LoadBalancerId(named)) if named else None


def entered(ingress: Ingress, cluster: Cluster, written: str) -> Record | None:
    """What this text says as the record of this Ingress; None: it is none."""
    return ledger.parse_record(written, Owner(cluster, ingress.metadata.uid))


def kept(ingress: Ingress, cluster: Cluster) -> Record | None:
    """Its own record; None: it has none that names a load balancer."""
    record = record_of(ingress, cluster)
    return record if record is not None and record.lb else None
