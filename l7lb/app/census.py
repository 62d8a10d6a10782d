"""Who is there: all Ingresses of the cluster as the ledger holds load balancers against them."""

from collections import defaultdict
from collections.abc import Iterable

from l7lb import ledger, translator
from l7lb.model.cluster import Ingress, Object
from l7lb.model.identity import Cluster, LoadBalancerId, Owner
from l7lb.model.inventory import Census
from l7lb.model.marks import LOAD_BALANCER_ID, RECORD


def census(everyone: Iterable[Object], cluster: Cluster) -> Census:
    """From their metadata alone."""
    uids: set[str] = set()
    named: defaultdict[LoadBalancerId, set[str]] = defaultdict(set)
    recorded: dict[str, LoadBalancerId] = {}
    for one in everyone:
        uid = one.metadata.uid
        uids.add(uid)
        for name in names(one):
            named[name].add(uid)
        record = ledger.parse_record(one.annotations.get(RECORD), Owner(cluster, uid))
        if record is not None and record.lb:
            recorded[uid] = LoadBalancerId(record.lb)
    return Census(frozenset(uids), {name: frozenset(by) for name, by in named.items()}, recorded)


def names(one: Object) -> frozenset[LoadBalancerId]:
    """Every load balancer that an Ingress names, in an annotation of its author's or in one of ours."""
    said = (
        translator.options(Ingress(metadata=one.metadata)).exist_lb_id,
        one.annotations.get(LOAD_BALANCER_ID, ""),
        ledger.recorded_name(one.annotations.get(RECORD)),
    )
    return frozenset(LoadBalancerId(name) for name in said if name)
