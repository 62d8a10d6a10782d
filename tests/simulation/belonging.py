"""Which load balancer belongs to which Ingress, by tags and annotations as both worlds have them now."""

from tests.simulation.cluster import FINALIZER, INGRESSES
from tests.simulation.manifests import Json
from tests.simulation.world import CLUSTER, World

CREATED_BY, CLUSTER_ID, UID, OWNER = "tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid", "tke-lifecycle-owner"
OURS = {CREATED_BY, CLUSTER_ID, UID, OWNER, "l7lb-cluster-uid"}
NAMED, CLASS = "kubernetes.io/ingress.existLbId", "kubernetes.io/ingress.class"
GROUP = "ingress.cloud.tencent.com/enable-group"


def ingresses(world: World) -> dict[str, Json]:
    """All Ingresses by UID, as the API server has them."""
    return {item["metadata"]["uid"]: item for item in world.users.all(INGRESSES)}


def annotations(ingress: Json) -> dict[str, str]:
    """All of them."""
    return ingress["metadata"].get("annotations") or {}


def is_shared(ingress: Json) -> bool:
    """Whether it is a member of a group."""
    return annotations(ingress).get(GROUP) == "true"


def has_left(ingress: Json) -> bool:
    """Edited to a class that is not ours."""
    return annotations(ingress).get(CLASS, "qcloud") != "qcloud"


def is_going(ingress: Json) -> bool:
    """Deleted, and still there."""
    return "deletionTimestamp" in ingress["metadata"]


def is_held(ingress: Json) -> bool:
    """Whether our finalizer is on it."""
    return FINALIZER in ingress["metadata"].get("finalizers", [])


def bound_to(world: World, ingress: Json) -> set[str]:
    """Ids of the load balancers that serve a living Ingress of ours; empty when it goes or has left."""
    if has_left(ingress) or is_going(ingress):
        return set()
    if is_shared(ingress):
        return {annotations(ingress)[NAMED]}
    uid = ingress["metadata"]["uid"]
    return {
        lb.id for lb in world.account.emulator.world.load_balancers.values()
        if lb.tags.get(UID) == uid and lb.tags.get(CLUSTER_ID) == CLUSTER
    }  # fmt: skip


def is_taken(world: World, ingress: Json) -> bool:
    """Whether it names a load balancer that is lent to another Ingress."""
    there = world.account.emulator.world.load_balancers.get(annotations(ingress).get(NAMED, ""))
    uid = ingress["metadata"]["uid"]
    return there is not None and there.tags.get(UID, uid) != uid
