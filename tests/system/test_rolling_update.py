"""Twenty pods are replaced under load, and no request is lost: with direct access, without any preStop.

What is real: the shipped command, tasks of 0.3 to 2 s each, one at a time on the load balancer; no traffic to a target
until the cloud's own check has passed it; none to weight 0; nothing is sent twice. What is shortened: the checks of the
cloud run at a fifth of their intervals, and so does the one setting that stands for them, minReadySeconds.
"""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import l7lb
from tests.emulators.clb.dataplane import DataPlane
from tests.system.pods import Pods
from tests.system.rollout import Rollout, Strategy
from tests.system.traffic import Load
from tests.system.world import World, ingress, rule, service

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HOST = "rolling.example.com"
DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
PORT = 18080
BLOCK = os.getpid() % 250 + 1
"""Addresses of this process's own: the port is the same for all pods, and others may run at the same time."""
SEED = 20261122
PROBE_SCALE = 0.2
PACED = Strategy(min_ready_s=9.0)
GATED = Strategy(gated=True)


def load_of(address: str, plane: DataPlane) -> Load:
    """200 requests a second."""
    return Load(address, plane.port_of(80), HOST, served_by="web-")


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
                healthy = load_of(load_balancer["vip"], plane)
                with healthy:
                    world.wait("every pod answers", lambda: len(healthy.answers) == strategy.replicas)
                yield world, rollout, plane, load_balancer["vip"]
            finally:
                rollout.stop()


def replace_all(strategy: Strategy, *, package: Path | None = None, enough: Callable[[Load], bool] = bool) -> Load:
    """The load during a rolling update; ends early when `enough` of it was seen."""
    with rolled_out(strategy, package=package) as (_, rollout, plane, address):
        with load_of(address, plane) as load:
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
