"""A process as that of a large cluster: all of the product loaded, full caches, and what is known of load balancers.

`answers` is a file with what the cloud says of one load balancer; each of them gets it with numbers of its own.
"""

import argparse
import importlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from l7lb.adapters.clb import TencentLoadBalancers
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.reconciler.observations import Observations, read
from tests.bench.clients.meter import resident_mib
from tests.soak import memory

REGION: Final = "ap-guangzhou"
NUMBER: Final = "00000000"
"""In ids of the file; written over with the number of the load balancer."""


class Taken(msgspec.Struct, frozen=True):
    """Of one kind of things."""

    objects: int
    mib: float


class Weights(msgspec.Struct, frozen=True):
    """What was measured."""

    loaded_mib: float
    """With all of the product imported and nothing done."""
    kinds: dict[str, Taken]
    observations: Taken
    process_mib: float

    @property
    def caches_mib(self) -> float:
        """All kinds together."""
        return sum(one.mib for one in self.kinds.values())


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stands for the SDK: says the same of every load balancer, in strings of its own each time."""

    answers: Mapping[str, str]

    def send(self, service: str, action: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """As the SDK: the `Response` of an answer, parsed."""
        name = params["LoadBalancerIds"][0] if "LoadBalancerIds" in params else params["LoadBalancerId"]
        answer: dict[str, Any] = json.loads(self.answers[action].replace(NUMBER, str(name).removeprefix("lb-")))
        return answer


def observe(cloud: TencentLoadBalancers, known: Observations, count: int) -> None:
    """Read so many load balancers, as the verifier does."""
    for number in range(count):
        ref = CloudRef(REGION, LoadBalancerId(f"lb-{number + 1:08}"))
        observed = read(cloud, cloud.heads((ref,))[ref])
        assert all(rule.targets for listener in observed.listeners for rule in listener.spec.rules)
        known.keep(observed)


def main() -> None:
    """Fill, and weigh after each part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("answers", type=Path)
    parser.add_argument("--ingresses", type=int, required=True)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--load-balancers", type=int, required=True)
    asked = parser.parse_args()
    importlib.import_module("l7lb.app.application")
    loaded = resident_mib()
    stores = memory.empty()
    kinds = {one.kind: Taken(one.objects, one.mib) for one in memory.fill(stores, asked.ingresses, asked.nodes)}
    caller = Caller(
        Recorded(json.loads(asked.answers.read_bytes())), RateLimits(time.monotonic, Pace(share=1e6, burst=1e6))
    )
    cloud, known = TencentLoadBalancers(caller, time.monotonic), Observations()
    before = resident_mib()
    observe(cloud, known, asked.load_balancers)
    after = resident_mib()
    assert len(known.refs()) == asked.load_balancers
    assert len(stores.ingresses) == asked.ingresses
    weights = Weights(loaded, kinds, Taken(asked.load_balancers, after - before), after)
    print(msgspec.json.encode(weights).decode())


if __name__ == "__main__":
    main()
