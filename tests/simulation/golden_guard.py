"""What must hold in every golden case at every moment: judged by the worlds, not by the product."""

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.emulators.clb.nouns import Listener, LoadBalancer
from tests.simulation.belonging import CLUSTER_ID, CREATED_BY, OURS, OWNER, UID
from tests.simulation.checkers import HARMLESS, Broken
from tests.simulation.cluster import FINALIZER, RECORD
from tests.simulation.golden_world import GoldenWorld
from tests.simulation.manifests import Json
from tests.simulation.world import CLUSTER

DEDICATED: Final = "TKE-DEDICATED-LISTENER"
CLASS: Final = "kubernetes.io/ingress.class"
RETAIN: Final = "ingress.cloud.tencent.com/loadbalance-retain"
NAMING: Final = ("kubernetes.io/ingress.existLbId", "kubernetes.io/ingress.qcloud-loadbalance-id", RECORD)


@dataclass
class Guard:
    """Put in charge of a loaded world before anything runs."""

    world: GoldenWorld
    old: dict[str, LoadBalancer] = field(default_factory=dict)
    """What was there before."""
    foreign: frozenset[str] = frozenset()
    """Those that no Ingress names and that name no Ingress."""
    theirs: dict[str, dict[str, Listener]] = field(default_factory=dict)
    """Listeners that others have made, by load balancer."""
    retains: bool = False
    """An Ingress asks that its load balancer outlives it."""
    broken: list[str] = field(default_factory=list)
    _heard: int = 0

    def __post_init__(self) -> None:
        world = self.world
        world.inspect, world.after_step = self.inspect, self.check
        self.old = {lb.id: copy.deepcopy(lb) for lb in world.account.lbs()}
        ingresses = self.ingresses()
        said = " ".join(
            str(one["metadata"].get("annotations", {}).get(name)) for one in ingresses.values() for name in NAMING
        )
        self.foreign = frozenset(
            lb.id for lb in self.old.values() if lb.id not in said and lb.tags.get(UID) not in ingresses
        )
        self.retains = any(RETAIN in (one["metadata"].get("annotations") or ()) for one in ingresses.values())
        self.theirs = {lb.id: _others(lb, said) for lb in self.old.values()}

    def ingresses(self) -> dict[str, Json]:
        """All by UID."""
        return {item["metadata"]["uid"]: item for item in self.world.ingresses()}

    def made(self) -> Counter[str]:
        """How many load balancers bear each UID that we made, without those that were there before."""
        lbs = self.world.account.emulator.world.load_balancers.values()
        return Counter(lb.tags.get(UID, "") for lb in lbs if lb.id not in self.old)

    def inspect(self, action: str, params: Mapping[str, Any]) -> None:
        """One write, judged by the true state of both worlds at this moment."""
        if action == "CreateLoadBalancer":
            uid = next(tag["TagValue"] for tag in params["Tags"] if tag["TagKey"] == UID)
            ingress = self.ingresses().get(uid)
            if ingress is not None and FINALIZER not in ingress["metadata"].get("finalizers", []):
                self.broken.append(f"an order for {uid} without our finalizer on it")
            return
        place = str(params.get("Resource", "")).rpartition("/")[2]
        named = params.get("LoadBalancerIds") or [params.get("LoadBalancerId") or place]
        if self.foreign & set(named):
            self.broken.append(f"{action} on {named}, which is nobody's business")
        if action == "DeleteLoadBalancer":
            self._inspect_deletion(named)

    def _inspect_deletion(self, named: list[str]) -> None:
        if len(named) != 1:
            self.broken.append(f"deletion of {named}")
        lb = self.world.account.emulator.world.load_balancers.get(named[0])
        if lb is None:
            return
        if lb.tags.get(CREATED_BY) != "yes" or lb.tags.get(CLUSTER_ID) != CLUSTER or not lb.tags.get(UID):
            self.broken.append(f"deletion of {lb.id}, whose tags do not say that we made it: {lb.tags}")
        if lb.tags.get(OWNER) == "user" or lb.delete_protect:
            self.broken.append(f"deletion of {lb.id}, which is to be kept")
        ingress = self.ingresses().get(lb.tags.get(UID, ""))
        if ingress is not None and not ingress["metadata"].get("deletionTimestamp") and not _left(ingress):
            self.broken.append(f"deletion of {lb.id}, whose Ingress lives")

    def check(self) -> None:
        """Raise Broken when something is."""
        for one in self.world.passes[self._heard :]:
            if isinstance(one.outcome, Exception) and not isinstance(one.outcome, HARMLESS):
                self.broken.append(f"{one.key} at {one.at:.3f}: {one.outcome!r}")
        self._heard = len(self.world.passes)
        emulator = self.world.account.emulator
        self.broken += [f"forbidden: {entry['reason']}" for entry in emulator.forbidden]
        self.broken += emulator.gateway.defects
        self.broken += [
            f"{count} load balancers were made for {uid}" for uid, count in self.made().items() if count > 1
        ]
        for lb_id, before in self.old.items():
            self._check_old(before, emulator.world.load_balancers.get(lb_id))
        if self.broken:
            raise Broken("; ".join(self.broken))

    def _check_old(self, before: LoadBalancer, now: LoadBalancer | None) -> None:
        if now is None:
            if before.tags.get(CREATED_BY) != "yes" or before.id in self.foreign:
                self.broken.append(f"{before.id} was not ours, and is gone")
            return
        if before.id in self.foreign and (now.tags, now.listeners) != (before.tags, before.listeners):
            self.broken.append(f"{before.id} is nobody's business, and has changed")
        if _foreign_tags(now) != _foreign_tags(before):
            self.broken.append(f"a tag of the owner of {before.id} has changed: {now.tags}")
        there = {item.id: item for item in now.listeners.values() if item.id in self.theirs[before.id]}
        if there != self.theirs[before.id]:
            self.broken.append(f"a listener of the owner of {before.id} has changed")

    def check_gone(self) -> list[str]:
        """What is wrong when all Ingresses have been deleted."""
        wrong = [f"{one['metadata']['name']} is still held" for one in self.ingresses().values() if _held(one)]
        for lb in self.world.account.lbs():
            kept = lb.delete_protect or lb.tags.get(OWNER) == "user" or (self.retains and _is_let_go(lb))
            if lb.id not in self.old and not kept:
                wrong.append(f"{lb.id} was left behind: {lb.tags}")
        return wrong


def _others(lb: LoadBalancer, said: str) -> dict[str, Listener]:
    kept = {}
    for item in lb.listeners.values():
        ours = lb.tags.get(CREATED_BY) == "yes" or item.name == DEDICATED or item.id in said
        if item.protocol not in ("HTTP", "HTTPS") or not ours:
            kept[item.id] = copy.deepcopy(item)
    return kept


def _foreign_tags(lb: LoadBalancer) -> dict[str, str]:
    return {key: value for key, value in lb.tags.items() if key not in OURS}


def _is_let_go(lb: LoadBalancer) -> bool:
    return not lb.listeners and not OURS & lb.tags.keys()


def _held(ingress: Json) -> bool:
    return FINALIZER in ingress["metadata"].get("finalizers", [])


def _left(ingress: Json) -> bool:
    annotations = ingress["metadata"].get("annotations") or {}
    return bool(annotations.get(CLASS, ingress["spec"].get("ingressClassName") or "qcloud") != "qcloud")
