"""Processes that live, hand over, freeze and die: only one writes, nothing is lost, and each says why it ends."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests import envtest
from tests.emulators.kube.faults import Fault
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.replicas import WRITES, Replica, cluster_writes, holder, wait
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

LEASE_S = 30.0
ROOM_S = 8.0
"""For a machine that is busy; the bounds themselves are those of the timers."""


@contextmanager
def replicas(world: World) -> Iterator[Callable[..., Replica]]:
    """Starts replicas by name, and ends what is left of them."""
    started: list[Replica] = []

    def start(name: str, **flags: str) -> Replica:
        one = Replica(world, name, **flags)
        started.append(one)
        return one

    try:
        yield start
        for one in started:
            one.check()
    finally:
        for one in started:
            one.stop()


@pytest.fixture(params=SERVERS)
def empty(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world without a controller, for one test."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        yield world


@pytest.fixture
def emulated() -> Iterator[World]:
    """The same, with the emulator alone."""
    with World() as world:
        yield world


def publish(world: World, name: str = "web", *hosts: str) -> str:
    """An Ingress with a rule for each host; its UID."""
    world.namespace("shop")
    if world.kube.find("Service", "web", "shop") is None:
        world.kube.create(service("web", "shop", 0))
    made = world.kube.create(ingress(name, "shop", *(rule(host, "web") for host in hosts or (f"{name}.example.com",))))
    return str(made["metadata"]["uid"])


# handing over


def test_a_standby_is_ready_does_nothing_and_takes_over_at_once(empty: World) -> None:
    with replicas(empty) as start:
        first = start("first")
        first.leads()
        standby = start("standby")
        standby.wait("the standby is ready", lambda: standby.is_ready)
        publish(empty)
        empty.ready("web", "shop")
        assert standby.calls() == []
        assert (first.metric("leader_election_master_status"), standby.metric("leader_election_master_status")) == (
            1,
            0,
        )

        began = time.monotonic()
        assert first.terminate() == 0
        standby.leads()
        assert time.monotonic() - began < 4.0 + ROOM_S
        publish(empty, "second")
        empty.ready("second", "shop")
        assert time.monotonic() - began < 8.0 + ROOM_S
        assert standby.terminate() == 0
        assert holder(empty) == ""


def test_the_lease_is_let_go_after_the_last_write(emulated: World) -> None:
    with replicas(emulated) as start:
        leader = start("leader")
        leader.leads()
        emulated.fault(action="CreateListener", kind="slow", seconds=3.0)
        publish(emulated)
        leader.wait(
            "a slow write is on its way", lambda: [c for c in leader.writes() if c["action"] == "CreateListener"]
        )
        sent = time.monotonic()
        leader.process.send_signal(signal.SIGTERM)
        wait("the lease is let go", lambda: not holder(emulated), 60.0, leader)
        assert time.monotonic() - sent > 2.5
        let_go = emulated.cloud.clock.now()
        assert leader.ends(30.0) == 0
        assert max(call["time"] for call in leader.calls()) < let_go


def test_a_second_signal_ends_it_on_the_spot(emulated: World) -> None:
    with replicas(emulated) as start:
        leader = start("leader")
        leader.leads()
        emulated.fault(action="CreateListener", kind="slow", seconds=8.0)
        publish(emulated)
        leader.wait(
            "a slow write is on its way", lambda: [c for c in leader.writes() if c["action"] == "CreateListener"]
        )
        leader.process.send_signal(signal.SIGTERM)
        leader.wait("it is stopping", lambda: leader.said("stopping: SIGTERM"))
        leader.process.send_signal(signal.SIGTERM)
        assert leader.ends(30.0) == 128 + signal.SIGTERM
        assert holder(emulated) != ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_while_it_waits_for_the_api_server_ends_it(emulated: World, number: signal.Signals) -> None:
    assert emulated.kube_emulator is not None
    emulated.kube_emulator.stop()
    with replicas(emulated) as start:
        one = start("one")
        one.wait("it waits", lambda: one.said("waiting for the API server"))
        one.process.send_signal(number)
        assert one.ends(30.0) == 0


def test_without_election_a_free_lease_is_taken_and_one_that_is_renewed_is_refused(empty: World) -> None:
    with replicas(empty) as start:
        first = start("first", no_leader_elect="")
        first.leads()
        second = start("second", no_leader_elect="")
        assert second.ends(60.0) == 2
        assert second.tail(1).startswith("l7lb: --no-leader-elect: the lease is held by ")
        assert "Traceback" not in second.log.read_text()
        assert second.calls() == []
        assert first.terminate() == 0
        third = start("third", no_leader_elect="")
        third.leads()
        assert third.terminate() == 0


# what does not answer


def test_without_an_api_server_it_is_alive_not_ready_and_says_why_once_each_try(emulated: World) -> None:
    assert emulated.kube_emulator is not None
    emulated.kube_emulator.stop()
    with replicas(emulated) as start:
        one = start("one")
        one.wait("it tries again", lambda: len(one.lines("waiting for the API server: .*cannot be reached")) >= 2)
        assert one.ask("probes", "/healthz")[0] == 200
        assert one.ask("probes", "/readyz")[0] == 503
        assert len(one.lines("WARNING|ERROR|CRITICAL")) == len(one.lines("waiting for the API server"))
        assert one.terminate() == 0


def test_an_api_server_that_refuses_us_is_told_from_one_that_is_away(emulated: World) -> None:
    assert emulated.kube_emulator is not None
    emulated.kube_emulator.controls.order(Fault("http_401", count=1000))
    with replicas(emulated) as start:
        one = start("one")
        one.wait("it says so", lambda: one.said("waiting for the API server: .*401"))
        assert not one.is_ready
        assert one.terminate() == 0


def test_a_cloud_that_refuses_the_keys_is_said_and_makes_the_leader_unready(emulated: World) -> None:
    with replicas(emulated) as start:
        one = start("one")
        emulated.seed({"secrets": {one.name: {"key": "another"}}})
        publish(emulated)
        one.wait("it says so", lambda: len(one.lines("waiting for the cloud: .*AuthFailure")) >= 2)
        emulated.not_ready("web", "shop", "AuthFailure")
        emulated.wait(
            "an Event says it", lambda: [e for e in emulated.kube.events("web", "shop") if "AuthFailure" in e]
        )
        status, text = one.ask("probes", "/readyz")
        assert (status, "AuthFailure" in text) == (503, True)
        assert one.ask("probes", "/healthz")[0] == 200
        assert one.writes() == []
        assert "key-of-one" not in one.log.read_text()
        emulated.seed({"secrets": {one.name: {"key": "key-of-one"}}})
        one.leads()
        one.wait("it is ready", lambda: one.is_ready)
        emulated.ready("web", "shop")
        assert one.terminate() == 0


# dying and freezing: the stories take the length of a lease each, so they are told at the same time


@dataclass(frozen=True)
class Ending:
    """What came of one story."""

    code: int
    took_over_s: float
    load_balancers: int
    late_writes: list[Json]
    late_cluster_writes: list[str]
    log: str


def killed() -> Ending:
    """The leader is killed in the middle of a creation."""
    with World(setup={"latency": {"CreateLoadBalancer": 1.0, "*": 0.1}}) as world, replicas(world) as start:
        leader = start("leader")
        leader.leads()
        standby = start("standby")
        standby.wait("the standby is ready", lambda: standby.is_ready)
        uid = publish(world)
        leader.wait("it is ordered", lambda: [c for c in leader.writes() if c["action"] == "CreateLoadBalancer"])
        leader.kill()
        began = time.monotonic()
        wait("the standby leads", lambda: standby.said(r": leading "), LEASE_S + 10, standby)
        took = time.monotonic() - began
        world.ready("web", "shop")
        count = len(world.of(uid))
        assert standby.terminate() == 0
        return Ending(leader.process.returncode, took, count, [], [], leader.log.read_text())


def frozen() -> Ending:
    """The leader is frozen while a task of it runs, and thawed when another leads and all is done."""
    with World(setup={"latency": {"CreateListener": 2.0, "*": 0.0}}) as world, replicas(world) as start:
        leader = start("leader")
        leader.leads()
        standby = start("standby")
        standby.wait("the standby is ready", lambda: standby.is_ready)
        uid = publish(world)
        leader.wait("a task of it runs", lambda: [c for c in leader.writes() if c["action"] == "CreateListener"])
        os.kill(leader.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        wait("the standby leads", lambda: standby.said(r": leading "), LEASE_S + 10, standby)
        took = time.monotonic() - began
        world.ready("web", "shop")
        publish(world, "second")
        world.ready("second", "shop")
        threading.Event().wait(1.0)  # what is written about it is written by now
        before, calls = cluster_writes(world), len(leader.writes())
        os.kill(leader.process.pid, signal.SIGCONT)
        code = leader.ends(30.0)
        threading.Event().wait(1.0)
        late = [line for line in cluster_writes(world)[len(before) :] if "/events" not in line]
        count = len(world.of(uid))
        assert standby.terminate() == 0
        return Ending(code, took, count, leader.writes()[calls:], late, leader.log.read_text())


def cut_off() -> Ending:
    """The API server is away for longer than the lease can do without it, while one task follows the other."""
    hosts = [f"h{number}.example.com" for number in range(3)]
    with World(setup={"latency": {"*": 4.0}}) as world, replicas(world) as start:
        assert world.kube_emulator is not None
        leader = start("leader")
        leader.leads()
        uids = [publish(world, f"web{number}", *hosts) for number in range(3)]
        leader.wait("it is at work", lambda: [c for c in leader.writes() if c["action"] == "CreateListener"])
        gone_at = world.cloud.clock.now()
        began = time.monotonic()
        world.kube_emulator.controls.outage(60.0)
        code = leader.ends(LEASE_S + ROOM_S)
        took = time.monotonic() - began
        late = [call for call in leader.writes() if call["time"] > gone_at + 16.0]
        count = sum(len(world.of(uid)) for uid in uids)
        return Ending(code, took, count, late, [], leader.log.read_text())


def renewed_late() -> Ending:
    """The API server refuses renewals until less is left than a write needs; a user's wish comes just then."""
    with World() as world, replicas(world) as start:
        assert world.kube_emulator is not None
        controls = world.kube_emulator.controls
        leader = start("leader")
        leader.leads()
        refused = 12  # the first after 5 s, then one each second: the next success is 17 s after the last
        controls.order(Fault("http_500", verb="patch", resource="leases", count=refused))
        leader.wait("it has been refused for long", lambda: not controls.faults.orders)
        uid = publish(world)
        world.ready("web", "shop")
        renewals = [
            line["time"]
            for line in list(controls.log.lines)
            if line["resource"] == "leases" and line["verb"] in WRITES and line["status"] < 300
        ]
        gap_s, last = max((after - before, before) for before, after in pairwise(renewals))
        zero = world.cloud.clock.origin
        late = [call for call in leader.writes() if last + 15.0 < zero + call["time"] < last + gap_s]
        count = len(world.of(uid))
        return Ending(leader.terminate(), gap_s, count, late, [], leader.log.read_text())


STORIES = {story.__name__: story for story in (killed, frozen, cut_off, renewed_late)}


@pytest.fixture(scope="module")
def endings() -> Iterator[dict[str, Ending | Exception]]:
    """How each story ends."""
    with ThreadPoolExecutor(len(STORIES)) as pool:
        told = {name: pool.submit(story) for name, story in STORIES.items()}
        yield {name: _told(future) for name, future in told.items()}


def _told(future: Future[Ending]) -> Ending | Exception:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - each test hears of its own story
        return error


def ending(endings: dict[str, Ending | Exception], name: str) -> Ending:
    found = endings[name]
    if isinstance(found, Exception):
        raise found
    return found


def test_a_killed_leader_is_followed_within_the_lease_and_two_seconds(endings: dict[str, Ending | Exception]) -> None:
    end = ending(endings, "killed")
    assert end.took_over_s < LEASE_S + 2.0 + ROOM_S
    assert end.load_balancers == 1


def test_a_frozen_leader_writes_nothing_when_it_wakes_and_ends(endings: dict[str, Ending | Exception]) -> None:
    end = ending(endings, "frozen")
    assert end.took_over_s < LEASE_S + 2.0 + ROOM_S
    assert end.late_writes == []
    assert end.late_cluster_writes == []
    assert end.code == 1
    assert end.load_balancers == 1


def test_a_leader_that_is_cut_off_from_the_api_server_stops_writing_and_ends(
    endings: dict[str, Ending | Exception],
) -> None:
    end = ending(endings, "cut_off")
    assert end.late_writes == []
    assert end.code == 1
    assert 10.0 < end.took_over_s < 23.0 + ROOM_S
    assert end.load_balancers == 3
    assert "Traceback" not in end.log


def test_a_lease_that_is_renewed_late_pauses_the_writes_and_ends_nothing(
    endings: dict[str, Ending | Exception],
) -> None:
    end = ending(endings, "renewed_late")
    assert 15.0 < end.took_over_s < 20.0
    assert end.late_writes == []
    assert end.code == 0
    assert end.load_balancers == 1
