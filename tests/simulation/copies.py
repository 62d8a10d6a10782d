"""A copy of a cluster beside its original: the same account, UIDs, records and finalizers; other machines."""

from dataclasses import replace

from tests.simulation import manifests
from tests.simulation.account import Account
from tests.simulation.cluster import INGRESSES, NODES, RECORD, Seen
from tests.simulation.world import NODES as MACHINES
from tests.simulation.world import World

OWN = {"node-x": ("10.7.0.1", "ins-0000000x"), "node-y": ("10.7.0.2", "ins-0000000y")}


def copy_of(original: World, *names: str, nodes: bool = True, **config: str | bool) -> World:
    """A cluster restored from a backup of `original`, with machines of its own (`nodes`) and a controller of its own.

    The emulator draws UIDs from its seed, so that the same objects in the same order have the same ones.
    """
    made = World(config=config)
    kube = made.users
    for name in names:
        seen = original.users.ingress(name)
        spec, meta = seen.json["spec"], seen.json["metadata"]
        kept = {key: meta[key] for key in ("annotations", "finalizers") if key in meta}
        kube.create(manifests.ingress(name) | {"spec": spec, "metadata": {"name": name, "namespace": "shop", **kept}})
        assert kube.ingress(name).uid == seen.uid
        kube.update(f"{INGRESSES}/{name}/status", {"status": seen.json.get("status") or {}})
    assert made.around.cluster == original.around.cluster
    for name in MACHINES:
        kube.remove(f"{NODES}/{name}")
    original.account.seed(instances=[{"id": instance, "ip": address} for address, instance in OWN.values()])
    for name, (address, instance) in OWN.items() if nodes else ():
        kube.create(manifests.node(name, address, instance))
    made.account = Account(original.account.emulator)
    made.clock = original.clock
    made.around = replace(made.around, clock=original.clock, cloud=original.account.emulator)
    return made


def has_record(seen: Seen) -> bool:
    """Whether it says which load balancer it has."""
    return RECORD in seen.annotations
