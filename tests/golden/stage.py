"""Plays a case: the very passes of `l7lb run`, on caches filled from the case and an emulated account that it seeded.

The adapter is the real one, so what is observed has gone over a socket; its writes are refused before they leave.
"""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from l7lb import planner
from l7lb.adapters.clb import Endpoint, TencentLoadBalancers
from l7lb.adapters.clb.calls import Caller
from l7lb.adapters.clb.credentials import Environment
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.adapters.clb.sdk import Clients
from l7lb.app.identifying import with_limits
from l7lb.app.planning import Finding, offline, plans
from l7lb.errors import GateClosed
from l7lb.model.identity import Cluster
from l7lb.model.snapshot import Settings
from l7lb.model.writing import Note
from l7lb.runtime.clock import SystemClock
from tests.emulators.clb import console
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer
from tests.fixtures.policy import limited
from tests.golden.case_file import NODES, Case, Expectation

CLUSTER = Cluster("cls-9mfq2k1t", "0b2e7c1a-kube-system")
REGION = "ap-guangzhou"
VPC = "vpc-4hd8w0pn"
KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDEMULATOR", "TENCENTCLOUD_SECRET_KEY": "emulator-secret-key"}


@dataclass(frozen=True)
class Stage:
    """An emulated account behind a socket, emptied before each case."""

    server: ClbServer

    def play(self, case: Case) -> Expectation:
        """What each Ingress of the case would lead to."""
        emulator = self.server.emulator
        emulator.gateway.reset()
        instances = [{"id": instance, "ip": address} for address, instance in NODES.values()]
        console.seed_world(emulator.cloud, {"instances": instances})
        console.seed_world(emulator.cloud, case.cloud)
        found = {str(finding.ingress): _expected(finding) for finding in self._plan(case)}
        writes = [action for action in emulator.calls.counts if not action.startswith("Describe")]
        assert not writes, f"a plan has written: {writes}"
        return found

    def _plan(self, case: Case) -> tuple[Finding, ...]:
        clients = Clients(Endpoint.parse(self.server.url), Environment(KEYS))
        try:
            limits = RateLimits(time.monotonic, Pace(burst=1e9))
            cloud = TencentLoadBalancers(Caller(clients, limits, guard=_closed), time.monotonic)
            settings = with_limits(Settings(CLUSTER.id, REGION, VPC), cloud)
            with tempfile.TemporaryDirectory(prefix="golden-") as folder:
                file = Path(folder) / "cluster.yaml"
                file.write_text(yaml.safe_dump_all(case.objects), encoding="utf-8")
                worlds = offline([file], CLUSTER, settings, SystemClock())
            return plans(replace(worlds, cloud=cloud))
        finally:
            clients.close()


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """While the context lasts."""
    emulator = ClbEmulator(rate_limits={"*": 0}, secrets=limited(KEYS))
    with ClbServer(emulator) as server:
        yield Stage(server)
    assert not emulator.forbidden
    assert not emulator.state["defects"]


def _closed() -> None:
    raise GateClosed("a golden case writes nothing")


def _expected(finding: Finding) -> dict[str, object]:
    found: dict[str, object] = {
        "steps": [planner.describe(step) for step in finding.plan.steps],
        "events": [_told(note) for note in finding.notes],
    }
    return found | {name: text for name in ("waits", "error") if (text := getattr(finding, name))}


def _told(note: Note) -> str:
    return f"{note.type.value} {note.reason}: {note.message}"
