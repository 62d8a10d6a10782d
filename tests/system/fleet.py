"""Replicas at one API server, a writer of Ingresses who never rests, and requests to one that nobody edits."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from tests.emulators.backends import Backend
from tests.emulators.clb.dataplane import DataPlane
from tests.system.churn import Churn, client_of
from tests.system.doors import Door
from tests.system.replicas import WRITES, Replica, wait
from tests.system.tenure import History, Write
from tests.system.traffic import Load
from tests.system.world import World, ingress, rule, service

HOST = "steady.example.com"
NODE_PORT = 30555
BLOCK = os.getpid() % 200 + 1
"""Addresses of this process's own."""

PATIENCE_S = 180.0
"""Until all is done that was asked for; a busy machine needs much of it."""


@dataclass
class Fleet:
    """What a story needs."""

    world: World
    history: History
    churn: Churn
    stack: ExitStack
    block: str
    replicas: list[Replica] = field(default_factory=list)
    doors: dict[str, Door] = field(default_factory=dict)
    """By the name of the replica."""

    def start(self) -> Replica:
        """One more, ready when this returns."""
        world, number = self.world, len(self.replicas) + 1
        place = world.plane.url if world.plane else world.kube.url
        door = self.stack.enter_context(Door(place, f"127.{self.block}.{number}"))
        own = world._folder / f"kubeconfig-{number}"
        own.write_text(door.kubeconfig(world._folder / "kubeconfig"), encoding="utf-8")
        one = Replica(world, f"replica{number}", kubeconfig=str(own))
        self.stack.callback(one.stop)
        self.replicas.append(one)
        self.doors[one.name] = door
        one.wait(f"{one.name} is ready", lambda: one.is_ready, 60.0)
        return one

    def leader(self) -> Replica:
        """Who leads; waits for somebody."""
        return wait("somebody leads", self._leader, 60.0, *self.replicas)

    def other_than(self, former: Replica, within_s: float) -> Replica:
        """Wait for a leader who is somebody else."""
        return wait(
            "another leads",
            lambda: one if (one := self._leader()) is not None and one is not former else None,
            within_s,
            *self.replicas,
        )

    def _leader(self) -> Replica | None:
        holder = self.history.holder
        named = (one for one in self.replicas if holder and one.said(rf"lease: taken by {holder}"))
        return next((one for one in named if one.said(r": leading ")), None)

    def cloud_writes(self) -> list[Write]:
        """Of all replicas, in order."""
        zero = self.world.cloud.clock.origin
        found = [
            Write(self._identity(one), zero + call["time"], f"{one.name} {call['action']}")
            for one in self.replicas
            for call in one.writes()
        ]
        return sorted(found, key=lambda write: write.at)

    def cluster_writes(self) -> list[Write]:
        """Of all replicas, in order; neither to the Lease nor Events."""
        found = []
        for source, at, verb, what in self._requests():
            one = next((one for one in self.replicas if self.doors[one.name].source == source), None)
            if one is not None and verb in WRITES and what.partition("/")[0] not in ("leases", "events"):
                found.append(Write(self._identity(one), at, f"{one.name} {verb} {what}"))
        return sorted(found, key=lambda write: write.at)

    def _requests(self) -> Iterator[tuple[str, float, str, str]]:
        """Source address, time, verb and resource of each."""
        if self.world.plane is not None:
            for line in self.world.plane.audit():
                at = datetime.fromisoformat(line["requestReceivedTimestamp"]).timestamp()
                of = line.get("objectRef") or {}
                yield line["sourceIPs"][0], at, line["verb"], of.get("resource", "")
            return
        assert self.world.kube_emulator is not None
        for line in list(self.world.kube_emulator.controls.log.lines):
            yield line["peer"], line["time"], line["verb"], line["resource"]

    def _identity(self, one: Replica) -> str:
        found = one.said(r"lease: taken by (\S+)")
        return found[1] if found else f"{one.name}, who never held it"


@contextmanager
def fleet(number: int, *, real: bool) -> Iterator[Fleet]:
    """Three replicas at work. `number` tells apart the fleets that sail at the same time."""
    block = f"{100 + number}.{BLOCK}"
    nodes = {f"node-{one}": (f"127.{block}.{100 + one}", f"ins-0000000{one}") for one in (1, 2)}
    with ExitStack() as stack:
        plane = stack.enter_context(DataPlane(_offset(), probe_scale=0.2))
        for name, (address, _) in nodes.items():
            stack.enter_context(Backend(name, NODE_PORT, address))
        setup = {"data_plane": plane, "latency": {"CreateLoadBalancer": 0.5, "*": 0.2}, "seed": number}
        world = stack.enter_context(World(real=real, audited=real, nodes=nodes, setup=setup))
        history = stack.enter_context(History(client_of(world)))
        with ExitStack() as ships:
            sailing = Fleet(world, history, Churn(world, seed=number), ships, block)
            for _ in range(3):
                sailing.start()
            yield sailing
            for one in sailing.replicas:
                one.check()


def _offset() -> int:
    with socket.socket() as probe:
        probe.bind(("127.80.0.1", 0))
        return int(probe.getsockname()[1]) - 80


@contextmanager
def load_on(sailing: Fleet) -> Iterator[Load]:
    """Requests without end to an Ingress that nobody edits, while Ingresses beside it come, change and go."""
    plane = sailing.world.cloud.gateway.data_plane
    assert isinstance(plane, DataPlane)
    where = _steady(sailing.world), plane.port_of(80)
    probe = Load(*where, HOST, served_by="node-", clients=1, gap_s=0.1)
    with probe:
        sailing.world.wait("both nodes answer", lambda: len(probe.answers) == 2)
    with sailing.churn, Load(*where, HOST, served_by="node-", clients=2, gap_s=0.1) as load:
        yield load


def _steady(world: World) -> str:
    """It is served; its address."""
    world.namespace("steady")
    world.kube.create(service("web", "steady", NODE_PORT))
    world.kube.create(ingress("web", "steady", rule(HOST, "web")))
    found = world.ready("web", "steady")
    (one,) = world.of(str(found["metadata"]["uid"]))
    rows = one["listeners"][0]["rules"][0]["targets"]
    assert len(rows) == 2, rows
    return str(one["vip"])


def leave_nothing(sailing: Fleet) -> None:
    """All is as the Ingresses say; then they go, and all goes with them."""
    world, churn = sailing.world, sailing.churn
    _until_none(sailing)
    wait(
        "no other is left", lambda: len(world.load_balancers()) == len(churn.wanted) + 1, PATIENCE_S, *sailing.replicas
    )
    churn.clear()
    world.kube.delete("Ingress", "web", "steady")
    _until_none(sailing)
    wait("nothing is left", lambda: not world.load_balancers(), PATIENCE_S, *sailing.replicas)


def _until_none(sailing: Fleet) -> None:
    began, left = time.monotonic(), ["?"]

    def is_right() -> bool:
        nonlocal left
        left = sailing.churn.differences()
        return not left

    try:
        wait("the cloud is as the Ingresses say", is_right, PATIENCE_S, *sailing.replicas)
    except AssertionError as error:
        raise AssertionError(f"after {time.monotonic() - began:.0f} s: {left}\n{error}") from None
