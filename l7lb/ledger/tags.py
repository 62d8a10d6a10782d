"""The tags on a load balancer: what each one says. The only module with tag strings; deciding is in `table`.

The strategy. A load balancer carries its own papers, because everything else (our record, our memory, an annotation)
can be lost, copied or edited. Three tags are TKE's and mean what TKE publishes: *we made it*
(`tke-createdBy-flag=yes`), *for this cluster* (`tke-clusterId`), *for this Ingress* (`tke-lb-ingress-uuid`). Only all
three together allow deleting it. A fourth, `tke-lifecycle-owner`, is the one that users may edit: `user` keeps the
load balancer. The fifth is ours: cluster ids can be given twice (a restored backup, a second account's console), the
UID of the kube-system namespace cannot, so it is written by the create call and proves the identity of the cluster
ever after. It is never added later, since a load balancer that is right gets no write; where it is absent nobody asks
for it, where it has another value the load balancer is somebody else's.

Tags of TKE's service controller are recognised so that its listeners and its use of the load balancer are left alone.
They are never written.
"""

from collections.abc import Mapping
from typing import Final

from l7lb.model.identity import Cluster, Owner
from l7lb.model.plan import Tags

CREATED_BY: Final = "tke-createdBy-flag"
CLUSTER: Final = "tke-clusterId"
INGRESS: Final = "tke-lb-ingress-uuid"
LIFECYCLE: Final = "tke-lifecycle-owner"
IDENTITY: Final = "l7lb-cluster-uid"
SERVICE_TAGS: Final = ("tke-lb-serviceuuid", "tke-lb-serviceId")

YES: Final = "yes"
OWNER_TKE: Final = "tke"
OWNER_USER: Final = "user"

OURS: Final = frozenset({CREATED_BY, CLUSTER, INGRESS, LIFECYCLE, IDENTITY})
"""Keys that we ever write; on a lent load balancer only `ADOPTING`."""
ADOPTING: Final = frozenset({CLUSTER, INGRESS})


def stamp(owner: Owner) -> Tags:
    """The tags of the create call. The identity is left out while the cluster's UID is unknown (an offline plan)."""
    tags = {
        CREATED_BY: YES,
        CLUSTER: owner.cluster.id,
        INGRESS: owner.ingress_uid,
        LIFECYCLE: OWNER_TKE,
    }
    if owner.cluster.uid:
        tags[IDENTITY] = owner.cluster.uid
    return tuple(sorted(tags.items()))


def lookup(owner: Owner) -> dict[str, str]:
    """What a load balancer of this Ingress bears, as the filter of a look by tag."""
    return {CLUSTER: owner.cluster.id, INGRESS: owner.ingress_uid}


def of_cluster(cluster: Cluster) -> dict[str, str]:
    """What every load balancer in use by this cluster bears, as a filter."""
    return {CLUSTER: cluster.id}


def ingress_of(tags: Mapping[str, str]) -> str:
    """UID of the Ingress that uses the load balancer, or empty."""
    return tags.get(INGRESS, "")


def is_ours(tags: Mapping[str, str], owner: Owner) -> bool:
    """Whether cluster and UID are there and ours, and the identity is not another cluster's."""
    return (
        tags.get(CLUSTER) == owner.cluster.id
        and tags.get(INGRESS) == owner.ingress_uid
        and not another_identity(tags, owner.cluster)
    )


def another_identity(tags: Mapping[str, str], cluster: Cluster) -> bool:
    """Whether the identity tag is there and is not this cluster's; an unknown own UID equals nothing."""
    return IDENTITY in tags and tags[IDENTITY] != cluster.uid


def bears_our_id(tags: Mapping[str, str], cluster: Cluster) -> bool:
    """Whether it says that it is in use by this cluster, or by a copy or the original of it."""
    return bool(cluster.id) and tags.get(CLUSTER) == cluster.id and not another_identity(tags, cluster)


def serves_a_service(tags: Mapping[str, str]) -> bool:
    """Whether TKE's service controller uses the load balancer.

    Old clusters have one more form: a key that is `<service UUID>_<listener id>`.
    """
    return any(key in tags for key in SERVICE_TAGS) or any("_lbl-" in key for key in tags)
