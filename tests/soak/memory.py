"""`python -m tests.soak.memory`: what the caches of a large cluster take, filled as the product fills them.

The objects are as an API server writes them, with the parts that nobody reads. It measures, and judges nothing.
"""

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.decode import Decoder
from l7lb.app.caches import Stores, stores
from l7lb.model.identity import Cluster
from l7lb.model.snapshot import Settings

Json = dict[str, Any]
KIB: Final = 1024
NAMESPACES: Final = 200
ENDPOINTS: Final = 10
PAGE: Final = 200
MANAGED: Final = [
    {"manager": "kubectl", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
     "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:rules": {}, "f:ports": {}}}}
]  # fmt: skip
"""What every object of a real server bears, and nobody reads."""


def metadata(number: int, kind: str, **more: object) -> Json:
    """Names, times and labels like those of people."""
    return {
        "name": f"{kind}-{number:05}", "namespace": f"team-{number % NAMESPACES:03}",
        "uid": f"{number:08x}-5a0b-4a65-9c7e-2f3f3f1f7a10", "resourceVersion": str(1000 + number),
        "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": MANAGED,
        "labels": {"app": f"web-{number:05}", "team": f"team-{number % NAMESPACES:03}"}, **more,
    }  # fmt: skip


def ingress(number: int) -> Json:
    """Two paths of one host."""
    backend = {"service": {"name": f"service-{number:05}", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend} for path in ("/", "/api")]
    annotations = {"kubernetes.io/ingress.class": "qcloud"}
    rules = [{"host": f"h{number:05}.example.com", "http": {"paths": paths}}]
    return {"metadata": metadata(number, "ingress", annotations=annotations), "spec": {"rules": rules}}


def service(number: int) -> Json:
    """A NodePort."""
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30000 + number % 2768, "protocol": "TCP"}]
    selector = {"app": f"web-{number:05}"}
    return {"metadata": metadata(number, "service"), "spec": {"type": "NodePort", "selector": selector, "ports": ports}}


def endpoint_slice(number: int) -> Json:
    """Two slices a Service, ten pods each."""
    owner = {"kubernetes.io/service-name": f"service-{number // 2:05}"}
    endpoints = [
        {"addresses": [f"10.{number // 250 % 250}.{number % 250}.{pod + 1}"], "nodeName": f"node-{pod:05}",
         "conditions": {"ready": True, "serving": True, "terminating": False},
         "targetRef": {"kind": "Pod", "name": f"web-{number:05}-{pod}", "uid": f"{number}-{pod}"}}
        for pod in range(ENDPOINTS)
    ]  # fmt: skip
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    meta = metadata(number, "slice", labels=owner)
    return {"metadata": meta, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}


def node(number: int) -> Json:
    """Ready."""
    address = [{"type": "InternalIP", "address": f"172.16.{number // 250}.{number % 250}"}]
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    images = [{"names": [f"registry.example.com/image-{image}"], "sizeBytes": 1} for image in range(20)]
    meta = {name: value for name, value in metadata(number, "node").items() if name != "namespace"}
    status = {"addresses": address, "conditions": [ready], "images": images}
    return {"metadata": meta, "spec": {"providerID": f"tencentcloud://ins-{number:08x}"}, "status": status}


def pages(kind: str, count: int, make: Callable[[int], Json]) -> Iterator[bytes]:
    """A list as it comes over the wire."""
    for begin in range(0, count, PAGE):
        items = [make(number) for number in range(begin, min(begin + PAGE, count))]
        yield json.dumps({"kind": f"{kind}List", "metadata": {"resourceVersion": "1"}, "items": items}).encode()


def resident_mib() -> float:
    """Of this process, now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / KIB / KIB


@dataclass(frozen=True, slots=True)
class Filled:
    """One kind in its store. `mib`: what the process holds more than before; `cpu_s`: to decode and to index."""

    kind: str
    objects: int
    mib: float
    cpu_s: float


def fill(made: Stores, ingresses: int, nodes: int) -> Iterator[Filled]:
    """One kind after the other: so many Ingresses and Services, twice as many slices."""
    rows: tuple[tuple[Any, Any, int, Callable[[int], Json]], ...] = (
        (kinds.INGRESS, made.ingresses, ingresses, ingress),
        (kinds.SERVICE, made.services, ingresses, service),
        (kinds.ENDPOINT_SLICE, made.slices, 2 * ingresses, endpoint_slice),
        (kinds.NODE, made.nodes, nodes, node),
    )
    before = resident_mib()
    for kind, store, count, make in rows:
        decoder, spent = Decoder(kind), 0.0
        items: list[Any] = []
        for body in pages(kind.name, count, make):
            started = time.process_time()
            items += decoder.page(body).items
            spent += time.process_time() - started
        started = time.process_time()
        store.replace(items)
        spent += time.process_time() - started
        del items, decoder
        now = resident_mib()
        yield Filled(kind.plural, len(store), now - before, spent)
        before = now


def empty() -> Stores:
    """As the product makes them."""
    return stores(Cluster("cls-9mfq2k1t", "uid-of-kube-system"), Settings("cls-9mfq2k1t", "ap-guangzhou"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill one kind after the other, and print what each has taken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.memory", description=__doc__)
    parser.add_argument("--ingresses", type=int, default=10_000, help="as many Services, twice as many slices")
    parser.add_argument("--nodes", type=int, default=5_000)
    asked = parser.parse_args(arguments)
    made = empty()
    total = 0.0
    for one in fill(made, asked.ingresses, asked.nodes):
        print(f"{one.objects:6} {one.kind}: {one.mib:.0f} MiB, {one.cpu_s:.1f} s of CPU to decode and index")
        total += one.mib
    print(f"caches: {total:.0f} MiB; the whole process: {resident_mib():.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
