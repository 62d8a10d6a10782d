"""A golden case put into a simulated world: its objects as users and TKE have left them, its cloud as it stands.

Only the API server gives UIDs, so what a case calls `offline-shop-web` becomes the UID that it has given.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from tests.golden.case_file import NODES, Case
from tests.simulation import tuning
from tests.simulation.manifests import Json
from tests.simulation.process import Process
from tests.simulation.toll import Death, Toll
from tests.simulation.world import CLUSTER, World

KUBE_SYSTEM: Final = "0b2e7c1a-kube-system"
VPC, HERE = "vpc-4hd8w0pn", "vpc-00000001"
"""The VPC of the golden cluster, and of the simulated one."""
EVERYWHERE: Final = "/apis/networking.k8s.io/v1/ingresses"
SHELF: Final = re.compile(r'qcloud_cert_id[\\": \[]*([A-Za-z0-9]{8})(?:[\\", ]+([A-Za-z0-9]{8})\b)?')
AUTHORITIES: Final = re.compile(r'qcloud_ca_cert_id[\\": ]*([A-Za-z0-9]{8})')
SUBNETS: Final = re.compile(r"subnet-[a-z0-9]+")
ORDER: Final = ("Namespace", "Node", "Service", "EndpointSlice", "Pod", "Secret", "IngressClass", "TkeServiceConfig")

Witness = Callable[[Toll, str], None]


class NotLoaded(Exception):
    """A case that the simulated world cannot hold; says why."""


class GoldenWorld(World):
    """A world whose every process tells a witness of each call before it is made."""

    def __init__(self, **setup: Any) -> None:
        super().__init__(furnished=False, **setup)
        self.witness: Witness = lambda _toll, _name: None

    def start(self, *, die_at: int = 0, death: Death = Death.BEFORE, trusted_in_s: float = 0.0) -> Process:
        """As any world's, but watched."""
        self.crash()
        self.process = Process(self.around, self.notes, self.passes)
        self.process.toll.arm(die_at, death)
        self.watch(self.process.toll)
        self.process.start(trusted_in_s=trusted_in_s)
        return self.process

    def watch(self, toll: Toll) -> None:
        """Let the witness hear of the calls that pass here."""
        toll.on_begin = lambda name: self.witness(toll, name)

    def ingresses(self) -> list[Json]:
        """All of them, of all namespaces."""
        return self.users.all(EVERYWHERE)


def loaded(case: Case) -> GoldenWorld:
    """A world with the case in it; nothing has run. Raises NotLoaded."""
    world = GoldenWorld()
    tuning.define(world)
    identity = world.around.cluster.uid
    try:
        names = _objects(world, _given(case.objects, {VPC: HERE, KUBE_SYSTEM: identity}))
    except AssertionError as refusal:
        raise NotLoaded(_message(str(refusal))) from refusal
    _account(world, case, {VPC: HERE, KUBE_SYSTEM: identity, **names})
    if _looks_like_a_copy(world, case):
        world.around = replace(world.around, config=replace(world.around.config, confirm_cluster=CLUSTER))
    return world


def _looks_like_a_copy(world: GoldenWorld, case: Case) -> bool:
    """Whether it has no node, or none of the bound targets is its own: then somebody has to say that it is no copy."""
    here = {address["address"] for one in _all(case, "Node") for address in one["status"]["addresses"]}
    here |= {str(one.get("status", {}).get("podIP")) for one in _all(case, "Pod")}
    bound = {
        target.ip
        for lb in world.account.lbs()
        for listener in lb.listeners.values()
        for rule in listener.rules.values()
        for target in rule.targets
    }
    return not _all(case, "Node") or (bool(bound) and not bound & here)


def _all(case: Case, kind: str) -> list[Json]:
    return [one for one in case.objects if one["kind"] == kind]


def path_of(ingress: Json) -> str:
    """Where the API server has it."""
    meta = ingress["metadata"]
    return f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}"


def _objects(world: GoldenWorld, objects: Any) -> Mapping[str, str]:
    spaces = {one["metadata"]["namespace"] for one in objects if one["metadata"].get("namespace")}
    there = {one["metadata"]["name"] for one in objects if one["kind"] == "Namespace"} | {"default", "kube-system"}
    for name in sorted(spaces - there):
        world.users.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    others = [one for one in objects if one["kind"] != "Ingress"]
    for one in sorted(others, key=lambda one: ORDER.index(one["kind"]) if one["kind"] in ORDER else len(ORDER)):
        _make(world, one)
    ingresses = [one for one in objects if one["kind"] == "Ingress"]
    ingresses.sort(key=lambda one: str(one["metadata"].get("creationTimestamp", "")))
    names = dict(_made(world, ingresses))
    for one in ingresses:
        _finish(world, one, names)
    return names


def _make(world: GoldenWorld, obj: Json) -> None:
    if obj["kind"] != "Pod":
        world.users.create(obj)
        return
    # Who has an address has been given a node.
    placed = {"containers": [{"name": "main", "image": "main"}], "nodeName": next(iter(NODES))}
    meta, spec = obj["metadata"], {**placed, **obj.get("spec", {})}
    world.users.create({**obj, "spec": spec})
    if "status" in obj:
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        world.users.update(path, {"status": obj["status"]})


def _made(world: GoldenWorld, ingresses: list[Json]) -> Iterator[tuple[str, str]]:
    for one in ingresses:
        meta = {key: value for key, value in one["metadata"].items() if key != "deletionTimestamp"}
        world.clock.advance(1.0)
        uid = world.users.create({**one, "metadata": meta})
        yield meta.get("uid") or f"offline-{meta['namespace']}-{meta['name']}", uid


def _finish(world: GoldenWorld, ingress: Json, names: Mapping[str, str]) -> None:
    """What stands on it by the hand of controllers: it names UIDs, and a status cannot be given at birth."""
    path, said = path_of(ingress), _given(ingress, names)
    annotations = said["metadata"].get("annotations")
    if annotations != ingress["metadata"].get("annotations"):
        world.users.update(path, {"metadata": {"annotations": annotations}})
    if "status" in ingress:
        world.users.update(f"{path}/status", {"status": said["status"]})
    if "deletionTimestamp" in ingress["metadata"]:
        world.users.remove(path)


def _account(world: GoldenWorld, case: Case, names: Mapping[str, str]) -> None:
    text = json.dumps(case.objects)
    account = world.account
    subnets = sorted(set(SUBNETS.findall(text)) - set(account.emulator.world.subnets))
    shelf = account.emulator.world.certificates
    certificates: dict[str, Json] = {}
    for first, second in SHELF.findall(text):
        certificates[first] = {"id": first}
        if second:
            certificates[second] = {"id": second, "algorithm": "ECC"}
    for authority in AUTHORITIES.findall(text):
        certificates[authority] = {"id": authority, "kind": "CA"}
    account.seed(
        instances=[{"id": instance, "ip": address} for address, instance in NODES.values()],
        subnets=[{"id": name} for name in subnets],
        certificates=[one for name, one in certificates.items() if name not in shelf],
    )
    account.seed(**_given(case.cloud, names))


def _given(said: Any, names: Mapping[str, str]) -> Any:
    text = json.dumps(said)
    for name, means in names.items():
        text = text.replace(name, means)
    return json.loads(text)


def _message(refusal: str) -> str:
    try:
        return str(json.loads(refusal)["message"])
    except (ValueError, KeyError):
        return refusal
