"""What a large cluster takes of memory: the caches by kind, what is known of load balancers, and the whole process."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import msgspec
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from tests.bench.clients.full_cache import NUMBER, Weights
from tests.bench.clients.traced_cache import Traced
from tests.bench.figures import figure, growth
from tests.bench.processes import said_by, serving
from tests.bench.rows import Benchmark, Better, Figure, Scale

REGION: Final = "ap-guangzhou"
LB: Final = f"lb-{NUMBER}"
RULES: Final = 5
TARGETS: Final = 10
KIB: Final = 1024
PARTS: Final = (100, 10, 1)
"""Of the whole size, the smallest first."""
SINGULAR: Final = {
    "ingresses": "Ingress",
    "services": "Service",
    "endpointslices": "EndpointSlice of 10 endpoints",
    "nodes": "Node",
}


def recorded() -> dict[str, Any]:
    """What the emulated cloud says of one load balancer; every id in it has the number in it."""
    targets = [{"ip": f"10.0.0.{number + 1}", "port": 30080} for number in range(TARGETS)]
    rules = [
        {"id": f"loc-{number}{NUMBER[1:]}", "domain": f"h{number}.{NUMBER}.example.com", "url": "/", "targets": targets}
        for number in range(RULES)
    ]
    tags = {"tke-createdBy-flag": "yes", "tke-clusterId": "cls-9mfq2k1t", "tke-lb-ingress-uuid": f"{NUMBER}-5a0b-4a65"}
    listener = {"id": f"lbl-{NUMBER}", "name": "TKE-DEDICATED-LISTENER", "protocol": "HTTP", "port": 80, "rules": rules}
    body = json.dumps({"load_balancers": [{"id": LB, "tags": tags, "listeners": [listener]}]}).encode()
    with serving("tests.emulators.clb", "--no-data-plane") as url:
        with urlopen(Request(f"{url}/_emulator/seed-world", body, method="POST")) as answer:
            assert answer.status == 200, answer.read()
        http = HttpProfile(protocol="http", endpoint=url.removeprefix("http://"), reqTimeout=10)
        keys = Credential("AKIDEMULATOR", "emulator-secret-key")
        client = CommonClient("clb", "2018-03-17", keys, REGION, ClientProfile(httpProfile=http))
        questions = {
            "DescribeLoadBalancers": {"LoadBalancerIds": [LB]},
            "DescribeListeners": {"LoadBalancerId": LB},
            "DescribeTargets": {"LoadBalancerId": LB},
        }
        answers = {action: client.call_json(action, params) for action, params in questions.items()}
        return {action: json.dumps(answer["Response"]) for action, answer in answers.items()}


def weigh(answers: Path, ingresses: int, load_balancers: int) -> Weights:
    """In a fresh process."""
    words = (
        str(answers),
        *("--ingresses", str(ingresses)),
        *("--nodes", str(ingresses // 2)),
        *("--load-balancers", str(load_balancers)),
    )
    return msgspec.json.decode(said_by("tests.bench.clients.full_cache", *words), type=Weights)


def traced(answers: Path, load_balancers: tuple[int, ...]) -> list[Traced]:
    """In a fresh process, one size after the other."""
    said = said_by("tests.bench.clients.traced_cache", str(answers), *map(str, load_balancers))
    return msgspec.json.decode(said, type=list[Traced])


def caches(scale: Scale) -> tuple[Figure, ...]:
    """Once: pages of memory are counted, not time."""
    ingresses, balancers = scale.pick((10_000, 1_000), (1_000, 100))
    with tempfile.TemporaryDirectory(prefix="l7lb-bench-") as folder:
        answers = Path(folder) / "answers.json"
        answers.write_text(json.dumps(recorded()), encoding="utf-8")
        found = weigh(answers, ingresses, balancers)
        by_size = traced(answers, tuple(balancers // part for part in scale.pick(PARTS, PARTS[1:])))
    each = {SINGULAR[kind]: one.mib * KIB / one.objects for kind, one in found.kinds.items()}
    sizes = f"{ingresses:,} Ingresses, {ingresses:,} Services, {2 * ingresses:,} slices, {ingresses // 2:,} Nodes"
    return (
        figure(
            "memory/caches",
            [found.caches_mib],
            "MiB",
            Better.LOWER,
            versus={f"all {kind}": one.mib for kind, one in found.kinds.items()},
            note=f"{sizes}, with indexes",
        ),
        figure(
            "memory/process",
            [found.process_mib],
            "MiB",
            Better.LOWER,
            versus={"with nothing in it": found.loaded_mib, "what is known of load balancers": found.observations.mib},
            note=f"with {balancers:,} load balancers of {RULES} rules with {TARGETS} targets each",
        ),
        figure(
            "memory/load-balancer",
            [found.observations.mib * KIB / balancers],
            "KiB",
            Better.LOWER,
            versus=each,
            note="each; beside it one object of each kind",
        ),
        growth(
            "memory/growth",
            {10.0 * one.load_balancers: one.caches / KIB for one in by_size},
            unit="KiB of caches",
            note="beside it: KiB of caches by Ingresses, as the allocator of Python counts them",
        ),
        growth(
            "memory/growth-known",
            {float(one.load_balancers): one.observations / KIB for one in by_size},
            unit="KiB",
            note="beside it: KiB of what is known of load balancers by their number, counted in the same way",
        ),
    )


BENCHMARKS: Final = (
    Benchmark(
        "memory",
        "The caches of a large cluster are filled from pages of lists, and 1,000 load balancers are read, in a process "
        "that has all of the product loaded. Growth is counted by the byte, in another process.",
        caches,
        ("memory/caches", "memory/process", "memory/load-balancer", "memory/growth", "memory/growth-known"),
        limit_s=600.0,
    ),
)
