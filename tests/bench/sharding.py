"""One leader against three replicas with a shard each, on a virtual clock: `python -m tests.bench.sharding 10000`.

All load balancers are there and right. Measured is what a start costs until each is verified, what a crash holds up,
and how much of it each replica has: reads, CPU, observations. So many take minutes of CPU; `dividing` measures fewer.
"""

import copy
import json
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from l7lb.model.marks import FINALIZER, RECORD
from tests.bench.verifying import busiest
from tests.emulators.clb.nouns import TagsSeen
from tests.simulation import manifests
from tests.simulation.cluster import INGRESSES
from tests.simulation.divided import Divided
from tests.simulation.division import Division
from tests.simulation.loops import Thread
from tests.simulation.schedule import Schedule
from tests.simulation.staff import Rig

UID_TAG: Final = "tke-lb-ingress-uuid"
WITHIN_S: Final = 6_000.0
REPLICAS: Final = 3


@dataclass
class Metering(Schedule):
    """With the CPU that each replica takes; what its calls take in the emulators is in it."""

    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def _step(self, one: Any, thread: Thread) -> bool:
        begun = time.thread_time()
        did = super()._step(one, thread)
        self.cpu_s[one.name] += time.thread_time() - begun
        return did


class Metered(Divided):
    """A world whose replicas are metered."""

    def __init__(self, **setup: Any) -> None:
        super().__init__(**setup)
        self._schedule = self.meter = Metering(self.clock, self.staff, self)


@dataclass(slots=True)
class Run:
    """What one number of shards came to."""

    shards: int
    load_balancers: int
    led_s: float = 0.0
    """From the start of all replicas until every shard is led."""
    verified_s: float = 0.0
    """Until every load balancer was verified once."""
    reads: int = 0
    writes: int = 0
    part: float = 0.0
    """Of the quota, of all replicas together: the busiest action in the busiest 10 s."""
    observations: list[int] = field(default_factory=list)
    """By replica."""
    cpu_s: list[float] = field(default_factory=list)
    """By replica, until all are verified."""
    held_up: int = 0
    """Load balancers that nobody leads after a crash of the one with most."""
    crash_led_s: float = 0.0
    """From the crash until every shard is led again and what is read is trusted."""


def populated(world: Divided, count: int) -> None:
    """So many Ingresses that are served: one by the product, the others as it would have left them."""
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    model, lb = world.users.object(f"{INGRESSES}/shop"), world.account.lb()
    assert FINALIZER in model["metadata"]["finalizers"]
    world.staff.kill()
    for number in range(count - 1):
        one = copy.deepcopy(lb)
        one.id, one.name = f"lb-5{number:07x}", f"{lb.name}-{number}"
        made = manifests.ingress(f"shop-{number}")
        meta = made["metadata"]
        meta["finalizers"] = model["metadata"]["finalizers"]
        meta["annotations"] = {**meta.get("annotations", {}), **model["metadata"]["annotations"]}
        uid = world.users.create(made)
        record = json.loads(meta["annotations"][RECORD]) | {"uid": uid, "lb": one.id}
        marks = {RECORD: json.dumps(record), "kubernetes.io/ingress.qcloud-loadbalance-id": one.id}
        world.users.annotate(marks, meta["name"])
        world.users.update(f"{INGRESSES}/{meta['name']}/status", {"status": model["status"]})
        one.tags = {**lb.tags, UID_TAG: uid}
        one.tags_seen = [TagsSeen(0.0, 0.0, one.tags)]
        world.account.emulator.world.load_balancers[one.id] = one


def run(shards: int, count: int) -> Run:
    """Start, verify, crash."""
    found = Run(shards, count)
    world = Metered(shards=shards, rig=Rig(replicas=REPLICAS, workers=1), latency=0.5)
    populated(world, count)
    world.account.forget_calls()
    world.meter.cpu_s.clear()
    begun = world.clock.now()
    world.start()
    world.until("every shard is led", world.staff.leader, WITHIN_S)
    found.led_s = world.clock.now() - begun
    world.until("all are verified", lambda: _verified(world) >= count, WITHIN_S)
    found.verified_s = world.clock.now() - begun
    calls = world.account.calls()
    found.reads = sum(number for name, number in calls.items() if name.startswith(("Describe", "Get")))
    found.writes = sum(calls.values()) - found.reads
    found.part = busiest(_times(world).values())
    found.cpu_s = sorted((world.meter.cpu_s[one.name] for one in world.replicas()), reverse=True)
    found.observations = sorted((_observed(one) for one in world.replicas()), reverse=True)
    largest = max(world.replicas(), key=_observed)
    found.held_up = _observed(largest)
    world.rig.restart_s = lambda: WITHIN_S
    crash = world.clock.now()
    world.staff.kill(largest)
    world.until("every shard is led again", world.staff.leader, 300.0)
    found.crash_led_s = world.clock.now() - crash
    return found


def _times(world: Divided) -> Mapping[str, list[float]]:
    """When each action was called since the calls were forgotten."""
    found = defaultdict[str, list[float]](list)
    for entry in world.account.emulator.calls.log:
        found[entry["action"]].append(entry["time"])
    return found


def _terms(one: Any) -> list[Any]:
    chairs = one.chairs if isinstance(one, Division) else [one]
    return [chair.term for chair in chairs if chair.term is not None]


def _observed(one: Any) -> int:
    return sum(len(term.observations.refs()) for term in _terms(one))


def _verified(world: Divided) -> int:
    return sum(
        at is not None for one in world.replicas() for term in _terms(one) for at in term.verifier._verified.values()
    )


def main() -> int:
    """One leader, then three shards; a JSON line each."""
    logging.disable(logging.CRITICAL)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    for shards in (1, REPLICAS):
        begun = time.process_time()
        found = run(shards, count)
        fields = {name: getattr(found, name) for name in Run.__slots__}
        print(json.dumps(fields | {"this took, CPU s": round(time.process_time() - begun)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
