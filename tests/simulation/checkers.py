"""What must hold after every step, and what must hold at rest. Each checker looks at the worlds, never at the product.

What is expected at rest is read from the Ingress by a translation of its own, far simpler than the product's.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from l7lb import errors
from tests.emulators.clb.nouns import LoadBalancer
from tests.simulation.cluster import FINALIZER, INGRESSES, NODES, SERVICES, Seen
from tests.simulation.manifests import Json
from tests.simulation.world import CLUSTER, World

CREATED_BY, CLUSTER_ID, UID, OWNER = "tke-createdBy-flag", "tke-clusterId", "tke-lb-ingress-uuid", "tke-lifecycle-owner"
OURS = {CREATED_BY, CLUSTER_ID, UID, OWNER, "l7lb-cluster-uid"}
NAMED = "kubernetes.io/ingress.existLbId"
HARMLESS = (errors.RetryableError, errors.TerminalError, errors.AlreadyExists, errors.GateClosed, errors.LostLeadership)
BY_ANNOTATION = "ingress.cloud.tencent.com/certificate"


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Watchman:
    """Put in charge of a world by `Watchman(world)`; asks after every step."""

    world: World
    lent: dict[str, LoadBalancer] = field(default_factory=dict)
    """Load balancers of others, as their owners left them."""
    untouchable: set[str] = field(default_factory=set)
    """Those among them that no Ingress may get."""
    broken: list[str] = field(default_factory=list)
    _heard: int = 0

    def __post_init__(self) -> None:
        self.world.inspect = self.inspect
        self.world.after_step = self.check
        self.remember()

    def remember(self) -> None:
        """What is in the account now and is not ours, is as its owner wants it."""
        for lb in self.world.account.lbs():
            if CREATED_BY not in lb.tags and CLUSTER_ID not in lb.tags:
                self.lent[lb.id] = copy.deepcopy(lb)

    # While a write reaches the cloud.

    def inspect(self, action: str, params: Mapping[str, Any]) -> None:
        """One write, judged by the true state of both worlds at this moment."""
        if not self.world.gate_open:
            self.broken.append(f"{action} while the gate was closed")
        if action == "CreateLoadBalancer":
            self._inspect_order(params)
            return
        named = params.get("LoadBalancerIds") or [params.get("LoadBalancerId") or _of_resource(params)]
        if named[0] in self.untouchable:
            self.broken.append(f"{action} on {named[0]}, which is nobody's business")
        if action == "DeleteLoadBalancer":
            self._inspect_deletion(named)

    def _inspect_order(self, params: Mapping[str, Any]) -> None:
        uid = next(tag["TagValue"] for tag in params["Tags"] if tag["TagKey"] == UID)
        ingress = self.ingresses().get(uid)
        if ingress is None:
            return  # gone since: its deletion needs the finalizer, which is checked below
        if FINALIZER not in ingress["metadata"].get("finalizers", []):
            self.broken.append(f"an order for {uid} without our finalizer on it")

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

    # After every step.

    def check(self) -> None:
        """Raise Broken when something is."""
        ingresses = self.ingresses()
        self._no_bug_of_ours()
        self._no_forbidden_call()
        self._never_two(ingresses)
        self._lenders_are_untouched()
        self.broken += self.world.breaches
        if self.broken:
            raise Broken("; ".join(self.broken))

    def _no_bug_of_ours(self) -> None:
        for one in self.world.passes[self._heard :]:
            if isinstance(one.outcome, Exception) and not isinstance(one.outcome, HARMLESS):
                self.broken.append(f"{one.key} at {one.at:.3f}: {one.outcome!r}")
        self._heard = len(self.world.passes)

    def _no_forbidden_call(self) -> None:
        self.broken += [f"forbidden: {entry['reason']}" for entry in self.world.account.emulator.forbidden]
        self.broken += self.world.account.emulator.gateway.defects

    def _never_two(self, ingresses: Mapping[str, Json]) -> None:
        made: dict[str, list[str]] = {}
        for lb in self.world.account.emulator.world.load_balancers.values():
            uid = lb.tags.get(UID, "")
            if lb.tags.get(CREATED_BY) == "yes" and uid and lb.id not in self.lent:
                made.setdefault(uid, []).append(lb.id)
                held = uid in ingresses and FINALIZER in ingresses[uid]["metadata"].get("finalizers", [])
                if not held:
                    self.broken.append(f"{lb.id} was made for {uid}, and no finalizer will ever lead to it")
        self.broken += [f"{ids} were made for {uid}" for uid, ids in made.items() if len(ids) > 1]

    def _lenders_are_untouched(self) -> None:
        for lb_id, before in self.lent.items():
            now = self.world.account.emulator.world.load_balancers.get(lb_id)
            if now is None:
                self.broken.append(f"{lb_id} was lent, and is gone")
                continue
            if {item.id: item for item in now.listeners.values() if item.id in before.listeners} != before.listeners:
                self.broken.append(f"a listener of the owner of {lb_id} has changed")
            if {k: v for k, v in now.tags.items() if k not in OURS} != {
                k: v for k, v in before.tags.items() if k not in OURS
            }:
                self.broken.append(f"a tag of the owner of {lb_id} has changed: {now.tags}")
            if lb_id in self.untouchable and (now.tags, now.listeners) != (before.tags, before.listeners):
                self.broken.append(f"{lb_id} is nobody's business, and has changed")

    # At rest.

    def check_rest(self) -> None:
        """Cloud equals desired, nothing of ours without an Ingress, a second look plans nothing."""
        self.check()
        self._served_as_asked()
        self._nothing_left_behind()
        self.world.account.forget_calls()
        self.world.live().verify()
        self.world.settle()
        self._nothing_to_do("a second look")
        self.world.start()
        self.world.account.forget_calls()
        self.world.settle()
        self._nothing_to_do("a restart")
        self._served_as_asked()
        if self.broken:
            raise Broken("; ".join(self.broken))

    def _nothing_to_do(self, after: str) -> None:
        if self.world.account.writes():
            self.broken.append(f"{after} writes: {self.world.account.writes()}")

    def _served_as_asked(self) -> None:
        for uid, ingress in self.ingresses().items():
            name = ingress["metadata"]["name"]
            if _left(ingress):
                if FINALIZER in ingress["metadata"].get("finalizers", []):
                    self.broken.append(f"{name} has left and is still held")
                continue
            if ingress["metadata"].get("deletionTimestamp"):
                self.broken.append(f"{name} is still being deleted")
                continue
            if _is_shared(ingress):
                self.broken += _of_a_member(self.world, ingress)
                continue
            if _is_taken(self.world, uid, ingress):
                if not {"E4017", "E4020"} & set(Seen(ingress).why.replace(":", "").split()):
                    self.broken.append(f"{name} names what another has, and is not told: {Seen(ingress).why}")
                continue
            lbs = [lb for lb in self.world.account.lbs() if lb.tags.get(UID) == uid]
            if len(lbs) != 1:
                self.broken.append(f"{name} has {len(lbs)} load balancers: {Seen(ingress).why}")
                continue
            self._serves(lbs[0], ingress)

    def _serves(self, lb: LoadBalancer, ingress: Json) -> None:
        tls = ingress["spec"].get("tls") or (ingress["metadata"].get("annotations") or {}).get(BY_ANNOTATION)
        name, port = ingress["metadata"]["name"], 443 if tls else 80
        wanted = expected(self.world, ingress)
        there = (
            self.world.account.targets(port, lb) if any(item.port == port for item in lb.listeners.values()) else set()
        )
        if wanted != there:
            self.broken.append(f"{name} on {lb.id}: wanted {sorted(wanted)}, there is {sorted(there)}")
        seen = Seen(ingress)
        if not seen.is_ready:
            self.broken.append(f"{name} is not ready: {seen.why}")
        if not seen.addresses:
            self.broken.append(f"{name} shows no address")

    def _nothing_left_behind(self) -> None:
        ingresses = self.ingresses()
        for lb in self.world.account.lbs():
            uid = lb.tags.get(UID, "")
            used = uid in ingresses and not _left(ingresses[uid])
            used = used or any(
                _is_shared(one) and Seen(one).annotations[NAMED] == lb.id and not _left(one)
                for one in ingresses.values()
            )
            if lb.id in self.lent:
                before = self.lent[lb.id]
                if not used and (set(lb.listeners) != set(before.listeners) or lb.tags != before.tags):
                    self.broken.append(f"{lb.id} was not given back as it was: {lb.tags}, {list(lb.listeners)}")
            elif lb.tags.get(CREATED_BY) == "yes" and lb.tags.get(OWNER) != "user" and not used:
                self.broken.append(f"{lb.id} was left behind: {lb.tags}")

    def ingresses(self) -> dict[str, Json]:
        """All Ingresses by UID, as the API server has them."""
        return {item["metadata"]["uid"]: item for item in self.world.users.all(INGRESSES)}


def expected(world: World, ingress: Json) -> set[tuple[str, str, int]]:
    """(`host/path`, address, node port) of every rule and every Ready node."""
    ports: dict[str, int] = {}
    for item in world.users.all(SERVICES):
        ports[item["metadata"]["name"]] = item["spec"]["ports"][0]["nodePort"]
    addresses = [item["status"]["addresses"][0]["address"] for item in world.users.all(NODES)]
    return {
        (f"{rule['host']}{path['path']}", address, ports[path["backend"]["service"]["name"]])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
        for address in addresses
        if path["backend"]["service"]["name"] in ports
    }


def _is_taken(world: World, uid: str, ingress: Json) -> bool:
    """Whether it names a load balancer that is lent to another Ingress."""
    named = Seen(ingress).annotations.get("kubernetes.io/ingress.existLbId", "")
    there = world.account.emulator.world.load_balancers.get(named)
    return there is not None and there.tags.get(UID, uid) != uid


def _of_a_member(world: World, ingress: Json) -> list[str]:
    """What is wrong with a member of a group: its own rules are to be there; the rest is not its business."""
    seen, broken = Seen(ingress), []
    lb = world.account.emulator.world.load_balancers[seen.annotations[NAMED]]
    port = 443 if ingress["spec"].get("tls") else 80
    there = world.account.targets(port, lb) if any(item.port == port for item in lb.listeners.values()) else set()
    hosts = tuple(f"{rule['host']}/" for rule in ingress["spec"]["rules"])
    mine = {one for one in there if one[0].startswith(hosts)}
    wanted = expected(world, ingress)
    if wanted != mine:
        broken.append(f"{seen.name} on {lb.id}: wanted {sorted(wanted)}, there is {sorted(mine)}")
    if not seen.is_ready or not seen.addresses:
        broken.append(f"{seen.name} is not ready: {seen.why}")
    if lb.tags.get(CLUSTER_ID) != CLUSTER or UID in lb.tags:
        broken.append(f"{lb.id} is shared, and its tags are {lb.tags}")
    return broken


def _is_shared(ingress: Json) -> bool:
    """Whether it is a member of a group."""
    return Seen(ingress).annotations.get("ingress.cloud.tencent.com/enable-group") == "true"


def _left(ingress: Json) -> bool:
    """Edited to a class that is not ours."""
    return Seen(ingress).annotations.get("kubernetes.io/ingress.class", "qcloud") != "qcloud"


def _of_resource(params: Mapping[str, Any]) -> str:
    return str(params.get("Resource", "")).rpartition("/")[2]
