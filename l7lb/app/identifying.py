"""Before the first write of a term: is this the cluster that it is said to be, and what does the account allow."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from l7lb import ledger
from l7lb.app.regions import look
from l7lb.errors import ConfigurationError
from l7lb.model.cluster import Ingress
from l7lb.model.identity import Cluster
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.marks import RECORD
from l7lb.model.snapshot import Settings
from l7lb.reconciler.ports import LoadBalancers


def confirm_identity(cloud: LoadBalancers, cluster: Cluster, regions: tuple[str, ...]) -> tuple[LoadBalancerHead, ...]:
    """All load balancers of the cluster. Before the first write: none of them may bear another cluster's identity.

    A region that does not answer is left out: each load balancer's tags are read again before it is changed.
    """
    heads = look(cloud, ledger.of_cluster(cluster), regions).heads
    strangers = [head.ref.id for head in heads if ledger.another_identity(head.tags, cluster)]
    if strangers:
        raise ConfigurationError(
            f"--cluster-id: load balancers {', '.join(strangers[:5])} bear {cluster.id} but were made for another "
            "cluster with that id: give the id of this cluster"
        )
    return heads


def confirm_records(ingresses: Iterable[Ingress], cluster: Cluster) -> None:
    """A changed `--cluster-id` shows in the records: they are the Ingresses' own, and most name another cluster.

    One such record alone may be anybody's edit; it must not be able to keep everybody's controller from starting.
    """
    named = Counter(
        found for one in ingresses if (found := ledger.recorded_cluster(one.annotations.get(RECORD), one.metadata.uid))
    )
    others = named.total() - named[cluster.id]
    if others > named[cluster.id]:
        other = max((name for name in named if name != cluster.id), key=lambda name: named[name])
        raise ConfigurationError(
            f"--cluster-id: {others} Ingresses bear records of another cluster id ({other}), {named[cluster.id]} of "
            f"{cluster.id}: give the id under which their load balancers were made"
        )


def with_limits(settings: Settings, cloud: LoadBalancers) -> Settings:
    """The settings with the account's quotas."""
    return replace(settings, limits=cloud.limits(settings.region))
