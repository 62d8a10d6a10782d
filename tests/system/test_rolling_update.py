"""Twenty pods are replaced under load, and no request is lost: with direct access, without any preStop.

What is real: the shipped command, tasks of 0.3 to 2 s each, one at a time on the load balancer; no traffic to a target
until the cloud's own check has passed it; none to weight 0; nothing is sent twice. What is shortened: the checks of the
cloud run at a fifth of their intervals, and so does the one setting that stands for them, minReadySeconds.
"""

import http.client
import os
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import l7lb
from tests.emulators.clb.dataplane import DataPlane
from tests.system.pods import Pods
from tests.system.rollout import Rollout, Strategy
from tests.system.world import World, ingress, rule, service

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HOST = "rolling.example.com"
DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
PORT = 18080
BLOCK = os.getpid() % 250 + 1
"""Addresses of this process's own: the port is the same for all pods, and others may run at the same time."""
SEED = 20261122
PROBE_SCALE = 0.2
CLIENTS, GAP_S = 8, 0.04
"""Eight clients with one request each every 40 ms: 200 a second."""
PACED = Strategy(min_ready_s=9.0)
GATED = Strategy(gated=True)


class Load:
    """Requests at a steady rate, each on a connection of its own; nothing is sent twice."""

    def __init__(self, address: str, port: int) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._where = (address, port)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Load":
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.monotonic()
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def sent(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.answers.total() + len(self.failures)

    @property
    def due(self) -> int:
        """Requests of the time that it lasted, at 200 a second; a last one of each client may stand at its edge."""
        return CLIENTS * (int((self._ended - self.began) / GAP_S) - 1)

    def _run(self, number: int) -> None:
        """What a busy machine delays is sent late, and never left out."""
        due = self.began + number * GAP_S / CLIENTS
        while (pause := due - time.monotonic()) <= 0 or not self._stopping.wait(pause):
            if self._stopping.is_set() and due > self._ended:
                return
            due += GAP_S
            self._ask()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(*self._where, timeout=10.0)
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            response = connection.getresponse()
            name = response.read().decode().partition("name=")[2].partition(" ")[0]
            if response.status != 200 or not name.startswith("web-"):
                self.failures.append(f"{response.status} from {name or 'nobody'}")
            else:
                self.answers[name] += 1
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()


@contextmanager
def rolled_out(strategy: Strategy, *, package: Path | None = None) -> Iterator[tuple[World, Rollout, DataPlane, str]]:
    """A Deployment whose pods all serve. `package`: the folder of another l7lb than ours."""
    with socket.socket() as probe:
        probe.bind(("127.80.0.1", 0))
        offset = int(probe.getsockname()[1]) - 80
    with DataPlane(offset, probe_scale=PROBE_SCALE) as plane:
        setup = {"data_plane": plane, "latency": "real", "seed": SEED}
        with World(setup=setup) as world:
            world.start(package=package)
            world.leads()
            world.namespace("shop")
            world.kube.create(service("web", "shop", 0, type="ClusterIP"))
            rollout = Rollout(
                Pods(world.kube, "shop", "web", PORT),
                Pods(world.kube, "shop", "stranger", PORT),
                strategy,
                lambda number: f"127.33.{BLOCK}.{number}",
            )
            try:
                rollout.begin()
                rollout.step(rolling=False)
                world.kube.create(ingress("web", "shop", rule(HOST, "web"), annotations=DIRECT))
                rollout.run(lambda: rollout.is_up, rolling=False, limit_s=60.0)
                found = world.ready("web", "shop")
                (load_balancer,) = world.of(found["metadata"]["uid"])
                healthy = Load(load_balancer["vip"], plane.port_of(80))
                with healthy:
                    world.wait("every pod answers", lambda: len(healthy.answers) == strategy.replicas)
                yield world, rollout, plane, load_balancer["vip"]
            finally:
                rollout.stop()


def replace_all(strategy: Strategy, *, package: Path | None = None, enough: Callable[[Load], bool] = bool) -> Load:
    """The load during a rolling update; ends early when `enough` of it was seen."""
    with rolled_out(strategy, package=package) as (_, rollout, plane, address):
        with Load(address, plane.port_of(80)) as load:
            rollout.run(lambda: rollout.is_over or enough(load), rolling=True, limit_s=150.0)
            threading.Event().wait(1.0)
        strangers = sum(len(stranger.requests) for stranger in rollout.strangers_met)
        assert strangers == sum("stranger" in failure for failure in load.failures)
    return load


def never(_: Load) -> bool:
    """The whole update is to be seen."""
    return False


def test_no_request_is_lost_without_a_readiness_gate_where_new_pods_are_given_the_time_of_the_check() -> None:
    load = replace_all(PACED, enough=never)
    assert load.failures == []
    assert load.sent >= load.due
    assert sum(name.startswith("web-new-") for name in load.answers) == PACED.replicas


def test_no_request_is_lost_with_the_readiness_gate() -> None:
    load = replace_all(GATED, enough=never)
    assert load.failures == []
    assert load.sent >= load.due
    assert sum(name.startswith("web-new-") for name in load.answers) == GATED.replicas


def test_requests_are_lost_when_terminating_pods_are_not_drained(tmp_path: Path) -> None:
    package = without_draining(tmp_path)
    load = replace_all(PACED, package=package, enough=lambda load: bool(load.failures))
    assert load.failures


def without_draining(folder: Path) -> Path:
    """A copy of the package in which a terminating pod keeps its weight."""
    (source,) = l7lb.__path__
    shutil.copytree(source, folder / "l7lb", ignore=shutil.ignore_patterns("__pycache__"))
    module = folder / "l7lb" / "translator" / "pods.py"
    text = module.read_text(encoding="utf-8")
    rule_of_draining = "terminating=True, resting=True"
    assert text.count(rule_of_draining) == 2
    module.write_text(text.replace(rule_of_draining, "terminating=True"), encoding="utf-8")
    return folder
