"""Several controllers in one world, told apart by the keys that they sign with, by their logs and by their probes."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.policy import allowed
from tests.system.kube import Json
from tests.system.world import CLUSTER, LOOK_EVERY_S, REGION, VPC, Controller, World

T = TypeVar("T")
LEASE = f"l7lb-{CLUSTER}"
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class Replica(Controller):
    """One of them. Its name is its secret id, so that the cloud's log says who called."""

    def __init__(self, world: World, name: str, **flags: str) -> None:
        """`flags` by field name, in addition to what every replica of a world gets; an empty one is a switch."""
        self.world = world
        self.name = f"AKID{name}"
        self.secret = f"key-of-{name}"
        world.seed({"secrets": {self.name: {"key": self.secret, "allowed": sorted(allowed())}}})
        folder: Path = world._folder
        values = {
            "cluster-id": CLUSTER,
            "region": REGION,
            "vpc-id": VPC,
            "kubeconfig": str(folder / "kubeconfig"),
            "clb-endpoint": world._clb.url,
            "metrics-bind-address": "127.0.0.1:0",
            "health-probe-bind-address": "127.0.0.1:0",
            "class-exit-grace": "0.2",
            "log-format": "text",
            **{key.replace("_", "-"): value for key, value in flags.items()},
        }
        arguments = [f"--{key}={value}" if value else f"--{key}" for key, value in values.items()]
        keys = {"TENCENTCLOUD_SECRET_ID": self.name, "TENCENTCLOUD_SECRET_KEY": self.secret}
        super().__init__(arguments, keys, folder / f"{name}.log")
        self._pool = urllib3.PoolManager(retries=False, timeout=30.0)

    def said(self, pattern: str) -> re.Match[str] | None:
        """The first line of its log in which this is found."""
        return re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"))

    def lines(self, pattern: str) -> list[str]:
        """Every line of its log in which this is found."""
        return [
            line for line in self.log.read_text(encoding="utf-8").splitlines() if re.search(pattern, line) is not None
        ]

    def ask(self, what: str, path: str) -> tuple[int, str]:
        """Status and body; `what` is `probes` or `metrics`."""
        place = self.wait(f"it serves {what}", lambda: self.said(rf"serving {what} on (\S+)"))
        answer = self._pool.request("GET", f"http://{place[1]}{path}")
        return answer.status, answer.data.decode()

    @property
    def is_ready(self) -> bool:
        """What its readiness probe says."""
        return self.ask("probes", "/readyz")[0] == 200

    def metric(self, name: str) -> float:
        """The sum over all labels of a metric."""
        families = text_string_to_metric_families(self.ask("metrics", "/metrics")[1])
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def wait(self, what: str, question: Callable[[], T | None], timeout_s: float = 60.0) -> T:
        """Ask until the answer is true."""
        return wait(what, question, timeout_s, self)

    def leads(self) -> None:
        """Wait until it does."""
        self.wait("it leads", lambda: self.said(r": leading "))

    def calls(self) -> list[Json]:
        """What it has called in the cloud, in order."""
        with self.world.cloud.gateway.lock:
            return [entry for entry in self.world.cloud.calls.log if entry["credential_id"] == self.name]

    def writes(self) -> list[Json]:
        """Those of them that change something."""
        return [entry for entry in self.calls() if not entry["action"].startswith(("Describe", "Get"))]

    def ends(self, timeout_s: float) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(timeout_s)

    def check(self) -> None:
        """What no log of a controller may hold, whatever the test was about."""
        log = self.log.read_text(encoding="utf-8")
        assert ": internal error: " not in log, self.tail()
        assert "Traceback" not in log, self.tail()
        assert self.secret not in log

    def stop(self) -> None:
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def wait(what: str, question: Callable[[], T | None], timeout_s: float, *replicas: Replica) -> T:
    """Ask until the answer is true; fails with the last words of these replicas."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not (answer := question()):
        if time.monotonic() > deadline:
            words = "\n".join(f"--- {one.name}\n{one.tail()}" for one in replicas)
            raise AssertionError(f"not within {timeout_s:g} s: {what}\n{words}")
        pause.wait(LOOK_EVERY_S)
    return answer


def holder(world: World) -> str:
    """Who holds the lease; empty: nobody."""
    lease = world.kube.find("Lease", LEASE, "kube-system")
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def cluster_writes(world: World) -> list[str]:
    """Writes to the cluster other than those to the lease, in order, by verb and path (emulator only)."""
    assert world.kube_emulator is not None
    return [
        f"{line['verb']} {line['path']}"
        for line in list(world.kube_emulator.controls.log.lines)
        if line["verb"] in WRITES and line["resource"] != "leases" and line["agent"].startswith("l7lb/")
    ]
