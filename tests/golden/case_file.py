"""Reads and writes golden cases, one YAML file each: what is given by hand, and what is expected of it.

Everything above the line `expect:` is written by people and kept as it stands; what follows is written by
`python -m tests.golden --update` and read by people.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent / "cases"
MANIFESTS = Path(__file__).parent.parent / "fixtures" / "manifests"
EXPECT = "\nexpect:"
NODES = {"node-a": ("10.0.0.1", "ins-0000000a"), "node-b": ("10.0.0.2", "ins-0000000b")}

Json = dict[str, Any]
Expectation = dict[str, dict[str, Any]]
"""`namespace/name` of an Ingress -> `steps`, `events`, and `waits` or `error` where it could not be planned."""


@dataclass(frozen=True)
class Case:
    """One golden case. `cloud` has the members that the emulator's `seed-world` takes."""

    path: Path
    about: str
    objects: tuple[Json, ...]
    cloud: Json
    expect: Expectation

    @property
    def name(self) -> str:
        """Of its file."""
        return self.path.stem


def paths() -> list[Path]:
    """All cases, in a stable order."""
    return sorted(CASES.glob("*.yaml"))


def load(path: Path) -> Case:
    """Read one case; raises KeyError for one that has no `about`."""
    said: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    unknown = set(said) - {"about", "manifest", "services", "cluster", "nodes", "cloud", "expect"}
    if unknown:
        raise ValueError(f"{path.name}: unknown members {sorted(unknown)}")
    objects: list[Json] = []
    if "manifest" in said:
        text = (MANIFESTS / said["manifest"]).read_text(encoding="utf-8")
        objects += [document for document in yaml.safe_load_all(text) if document]
    objects += [_service(name, port) for name, port in said.get("services", {}).items()]
    objects += said.get("cluster", [])
    objects += [_node(name) for name in said.get("nodes", NODES)]
    return Case(path, said["about"], tuple(objects), said.get("cloud", {}), said.get("expect", {}))


def save(case: Case, expect: Expectation) -> None:
    """Put an expectation in the place of the case's own."""
    given = case.path.read_text(encoding="utf-8").partition(EXPECT)[0].rstrip("\n")
    shown = yaml.safe_dump({"expect": expect}, sort_keys=False, allow_unicode=True, width=10_000)
    case.path.write_text(f"{given}\n\n{shown}", encoding="utf-8")


def _service(name: str, node_port: int) -> Json:
    """`services: {web: 31080}`: port 80 behind a NodePort, in the namespace `shop`."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": node_port}]},
    }


def _node(name: str) -> Json:
    address, instance = NODES[name]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"providerID": f"tencentcloud://{instance}"},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        },
    }
