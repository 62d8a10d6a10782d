"""Real processes that divide the load balancers among them: one writer each, and one follows another.

A Lease runs out as slowly on each API server, so that story is told on all of them at the same time.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.replicas import Replica, holder
from tests.system.test_handing_over import command
from tests.system.world import CLUSTER, World, ingress, rule, service

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

SHOPS = 4
"""Ingresses at first; more until each replica has one, for their UIDs are the API server's to choose."""
PATIENCE_S = 120.0
"""For a busy machine: a Lease that runs out takes 30 s of it."""
PAUSE = threading.Event()
KINDS = (False, True) if envtest.assets() is not None else (False,)


@dataclass(frozen=True)
class Story:
    """What came of two replicas of which one is killed."""

    before: Mapping[str, set[str]]
    """Load balancer -> who had written to it when the one was killed."""
    after: Mapping[str, set[str]]
    """The same at the end."""
    left: int
    """Load balancers, when all Ingresses are gone."""
    code: int
    """Of the one that went on, when it is asked to end."""


def writers(*replicas: Replica) -> dict[str, set[str]]:
    """Load balancer -> who has written to it; a call that makes one counts for the UID that it names."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for replica in replicas:
        for entry in replica.writes():
            for what in _about(entry["request"]):
                found[what].add(replica.name)
    return dict(found)


def _about(request: Json) -> list[str]:
    if "LoadBalancerId" in request:
        return [str(request["LoadBalancerId"])]
    tags = {one["TagKey"]: one["TagValue"] for one in request.get("Tags", ())}
    return [*map(str, request.get("LoadBalancerIds", ())), *filter(None, [tags.get("tke-lb-ingress-uuid")])]


def holds(replica: Replica, shards: int) -> None:
    """Wait until it holds so many. Its metrics are asked for only now and then: each answer takes CPU."""

    def told() -> bool:
        PAUSE.wait(0.3)
        return replica.metric("leader_election_master_status") == shards

    replica.wait(f"it holds {shards}", told, PATIENCE_S)


def tell(*, real: bool) -> Story:
    """From two replicas with a shard each to one that has all, and to none."""
    with World(real=real) as world:
        started = [Replica(world, "first", shards="2")]
        try:
            return _told(world, started)
        finally:
            for one in started:
                one.stop()


def _told(world: World, started: list[Replica]) -> Story:
    first = started[0]
    holds(first, 2)
    second = Replica(world, "second", shards="2")
    started.append(second)
    holds(second, 1)
    holds(first, 1)
    world.namespace("shop")
    world.kube.create(service("web", "shop", 0))
    names: list[str] = []
    while len(names) < SHOPS or not all(one.writes() for one in started):
        names.append(f"web-{len(names)}")
        world.kube.create(ingress(names[-1], "shop", rule("a.example.com", "web")))
        world.ready(names[-1], "shop")
    before = writers(*started)
    second.kill()
    holds(first, 2)
    for name in names:
        world.kube.delete("Ingress", name, "shop")
    for name in names:
        world.gone(name, "shop", PATIENCE_S)
    assert first.metric("l7lb_unauthorized_plans_total") == 0
    for one in started:
        one.check()
    first.process.terminate()
    return Story(before, writers(*started), len(world.load_balancers()), first.ends(PATIENCE_S))


@pytest.fixture(scope="module")
def stories() -> Iterator[dict[bool, Future[Story]]]:
    """By whether the API server is a real one."""
    with ThreadPoolExecutor(len(KINDS)) as pool:
        yield {real: pool.submit(tell, real=real) for real in KINDS}


@pytest.mark.parametrize("real", SERVERS)
def test_each_load_balancer_has_one_writer_and_another_only_when_that_one_was_killed(
    stories: dict[bool, Future[Story]], *, real: bool
) -> None:
    if real not in stories:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    story = stories[real].result()
    assert {len(names) for names in story.before.values()} == {1}
    assert set.union(*story.before.values()) == {"AKIDfirst", "AKIDsecond"}
    taken_over = [what for what, names in story.before.items() if names == {"AKIDsecond"} and what.startswith("lb-")]
    assert taken_over
    assert all(story.after[what] == {"AKIDfirst", "AKIDsecond"} for what in taken_over)
    assert (story.left, story.code) == (0, 0)


@pytest.fixture
def world() -> Iterator[World]:
    """Without a controller."""
    with World() as one:
        yield one


def test_a_replica_without_shards_stands_by_while_shards_are_led_and_commands_say_who_leads_them(world: World) -> None:
    divided, alone = Replica(world, "divided", shards="2"), None
    try:
        holds(divided, 2)
        alone = Replica(world, "alone")
        alone.wait("it stands by", lambda: alone.said(r"lease: shards/2 has it") if alone is not None else None)
        assert alone.is_ready
        assert not alone.writes()
        assert holder(world) == "shards/2"
        world.namespace("shop")
        world.kube.create(service("web", "shop", 0))
        world.kube.create(ingress("web", "shop", rule("a.example.com", "web")))
        world.ready("web", "shop")
        leases = [world.kube.find("Lease", f"l7lb-{CLUSTER}-{shard}", "kube-system") for shard in range(2)]
        holders = {str(lease["spec"]["holderIdentity"]) for lease in leases if lease is not None}
        assert len(holders) == 1
        _, status, _ = command(world, "status", "-o", "json")
        assert json.loads(status)["shards"] == [*holders] * 2
        _, explained, _ = command(world, "explain", "shop/web", "-o", "json")
        (told,) = [one["says"] for one in json.loads(explained)["checks"] if one["name"] == "Controller"]
        assert any(told.startswith(f"{one} holds shard ") for one in holders), told
        _, doctor, _ = command(world, "doctor", "-o", "json")
        (shards,) = [one for one in json.loads(doctor)["checks"] if one["name"] == "shards"]
        assert (shards["level"], shards["says"]) == ("ok", f"2: {min(holders)} (0, 1)")
    finally:
        divided.stop()
        if alone is not None:
            alone.stop()
