"""Pods as targets, through the shipped command: what a change of endpoints costs; no request meets a dead pod."""

import http.client
import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from tests.emulators.backends import Backend
from tests.emulators.clb.dataplane import DataPlane
from tests.system.pods import Pods
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

HOST = "pods.example.com"
DIRECT = {"ingress.cloud.tencent.com/direct-access": "true"}
PORT = 18080
NODE_PORT = 30555
Rows = dict[str, int]


@pytest.fixture(scope="module")
def plane() -> Iterator[DataPlane]:
    """Serves what is bound."""
    with socket.socket() as probe:
        probe.bind(("127.80.0.1", 0))
        offset = int(probe.getsockname()[1]) - 80
    with DataPlane(offset, probe_scale=0.01) as made:
        yield made


@pytest.fixture(scope="module")
def world(plane: DataPlane) -> Iterator[World]:
    """A cluster and an account whose load balancers can be asked."""
    with World(setup={"data_plane": plane}) as made:
        made.start()
        made.leads()
        yield made


def bound(world: World, namespace: str) -> Rows:
    """Address -> weight of every target of the one Ingress there."""
    (one,) = world.kube.all("Ingress", namespace)
    rules = [rule for lb in world.of(one["metadata"]["uid"]) for item in lb["listeners"] for rule in item["rules"]]
    return {target["ip"]: target["weight"] for rule in rules for target in rule["targets"]}


def is_bound(world: World, namespace: str, address: str, weight: int | None) -> bool:
    """With this weight; None: it is not."""
    return bound(world, namespace).get(address) == weight


def are_bound(world: World, namespace: str, expected: Rows) -> bool:
    """These, and nothing else."""
    return bound(world, namespace) == expected


def running(world: World, namespace: str, addresses: dict[str, str], **annotations: str) -> Pods:
    """A Service with these pods behind an Ingress, all of them bound and nothing under way."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0, type="ClusterIP"))
    pods = Pods(world.kube, namespace, "web", PORT)
    for name, address in addresses.items():
        pods.run(name, address)
    pods.endpoints(**{name: (address, "ready") for name, address in addresses.items()})
    world.kube.create(ingress("web", namespace, rule(HOST, "web"), annotations=DIRECT | annotations))
    world.ready("web", namespace)
    world.wait("all are bound", lambda: bound(world, namespace) == dict.fromkeys(addresses.values(), 10))
    world.cloud.calls.reset()
    return pods


def cost(world: World, namespace: str, expected: Rows) -> Rows:
    """The calls until this is bound."""
    world.wait(f"{expected} is bound", lambda: bound(world, namespace) == expected)
    threading.Event().wait(0.4)  # what is too many comes soon after
    calls = world.calls()
    world.cloud.calls.reset()
    return calls


def four(number: int) -> tuple[str, str, str, str]:
    """Addresses of a test's own: who has another's address is another's end."""
    one, two, three, last = (f"127.31.{number}.{host}" for host in range(1, 5))
    return one, two, three, last


def test_a_change_of_endpoints_costs_one_call_of_its_kind_and_no_read(world: World) -> None:
    a, b, c, d = four(1)
    pods = running(world, "costs", {"web-a": a, "web-b": b})
    for name, address in (("web-c", c), ("web-d", d)):
        pods.run(name, address)
    pods.endpoints(**{"web-a": (a, "ready"), "web-b": (b, "ready"), "web-c": (c, "ready"), "web-d": (d, "ready")})
    assert cost(world, "costs", {a: 10, b: 10, c: 10, d: 10}) == {"BatchRegisterTargets": 1}

    pods.terminate("web-a")
    pods.endpoints(
        **{"web-a": (a, "terminating"), "web-b": (b, "unready"), "web-c": (c, "ready"), "web-d": (d, "ready")}
    )
    found = cost(world, "costs", {a: 0, b: 0, c: 10, d: 10})
    # The pod and the slice change one after the other, and the first may be acted upon before the second is seen.
    assert found.keys() == {"BatchModifyTargetWeight", "DescribeTaskStatus"}
    assert 1 <= found["DescribeTaskStatus"] <= found["BatchModifyTargetWeight"] <= 2

    pods.gone("web-a")
    pods.endpoints(**{"web-b": (b, "unready"), "web-c": (c, "ready"), "web-d": (d, "ready")})
    assert cost(world, "costs", {b: 0, c: 10, d: 10}) == {"BatchDeregisterTargets": 1}


def test_a_terminating_pod_stays_bound_until_it_is_gone_also_when_the_slice_forgets_it(world: World) -> None:
    a, b, *_ = four(2)
    pods = running(world, "forgets", {"web-a": a, "web-b": b})
    pods.terminate("web-a")
    pods.endpoints(**{"web-b": (b, "ready")})
    cost(world, "forgets", {a: 0, b: 10})
    pods.gone("web-a")
    assert cost(world, "forgets", {b: 10}) == {"BatchDeregisterTargets": 1}


def test_all_pods_may_be_drained_and_go_and_come_back(world: World) -> None:
    a, b, *_ = four(3)
    pods = running(world, "drained", {"web-a": a, "web-b": b})
    pods.endpoints(**{"web-a": (a, "unready"), "web-b": (b, "unready")})
    cost(world, "drained", {a: 0, b: 0})
    pods.endpoints(**{"web-a": (a, "ready"), "web-b": (b, "unready")})
    cost(world, "drained", {a: 10, b: 0})
    pods.gone("web-a")
    pods.gone("web-b")
    pods.endpoints()
    cost(world, "drained", {})
    assert not [event for event in world.kube.events("web", "drained") if "UnsafePlan" in event]


def test_the_weight_of_a_pod_is_followed(world: World) -> None:
    a, b, *_ = four(4)
    pods = running(world, "weighed", {"web-a": a, "web-b": b})
    weight = {"metadata": {"annotations": {"ingress.cloud.tencent.com/custom-weight": "33"}}}
    world.kube.patch("Pod", "web-a", "weighed", weight)
    assert cost(world, "weighed", {a: 33, b: 10}).keys() == {"BatchModifyTargetWeight", "DescribeTaskStatus"}
    pods.terminate("web-a")
    cost(world, "weighed", {a: 0, b: 10})


class Clients:
    """Requests all the time, each on a connection of its own; nothing is sent twice."""

    def __init__(self, address: str, port: int) -> None:
        self.names: list[str] = []
        self.failures: list[str] = []
        self._where = (address, port)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"client-{number}") for number in range(2)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def heard(self, name: str) -> bool:
        """Whether this one has answered."""
        return name in self.names

    def all_heard(self, names: set[str]) -> bool:
        """Whether each of these has answered."""
        return names <= set(self.names)

    def _run(self) -> None:
        while not self._stopping.wait(0.005):
            connection = http.client.HTTPConnection(*self._where, timeout=30.0)
            try:
                connection.request("GET", "/", headers={"Host": HOST})
                response = connection.getresponse()
                text = response.read().decode()
                self.names.append(text.partition("name=")[2].partition(" ")[0])
                if response.status != 200:
                    self.failures.append(f"{response.status} {text}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()


def test_pods_are_replaced_and_their_addresses_given_away_unnoticed(world: World, plane: DataPlane) -> None:
    places = {"web-a": "127.32.0.1", "web-b": "127.32.0.2", "web-c": "127.32.0.3"}
    backends = {name: Backend(name, PORT, address) for name, address in places.items()}
    for backend in backends.values():
        backend.start()
    pods = running(world, "rolled", places)
    (one,) = world.kube.all("Ingress", "rolled")
    (load_balancer,) = world.of(one["metadata"]["uid"])
    strangers = []
    address = (load_balancer["vip"], plane.port_of(80))
    with Clients(*address) as early:
        world.wait("all three are healthy", lambda: set(places) <= set(early.names))
    with Clients(*address) as clients:
        for number, old in enumerate(places, start=11):
            new, place = f"{old}-new", f"127.32.0.{number}"
            backends[new] = Backend(new, PORT, place)
            backends[new].start()
            pods.run(new, place)
            standing = {name: (where, "ready") for name, where in _standing(backends, old).items()}
            pods.endpoints(**standing, **{old: (places[old], "ready")})
            world.wait(f"{new} answers", partial(clients.heard, new))
            pods.terminate(old)
            pods.endpoints(**standing, **{old: (places[old], "terminating")})
            world.wait("it is drained", partial(is_bound, world, "rolled", places[old], 0))
            threading.Event().wait(0.3)  # as an application does: what is under way is served
            backends.pop(old).stop()
            strangers.append(Backend("stranger", PORT, places[old]))
            strangers[-1].start()
            pods.gone(old)
            pods.endpoints(**standing)
            world.wait("it is off", partial(is_bound, world, "rolled", places[old], None))
    for backend in (*backends.values(), *strangers):
        backend.stop()
    assert clients.failures == []
    assert [len(stranger.requests) for stranger in strangers] == [0, 0, 0]


def test_direct_access_is_switched_off_and_on_unnoticed(world: World, plane: DataPlane) -> None:
    places = {"web-a": "127.34.0.1", "web-b": "127.34.0.2"}
    nodes = {name: address for name, (address, _) in world.nodes.items()}
    backends = [Backend(name, PORT, address) for name, address in places.items()]
    backends += [Backend(name, NODE_PORT, address) for name, address in nodes.items()]
    for backend in backends:
        backend.start()
    running(world, "switched", places)
    ports = [{"port": 80, "targetPort": PORT, "nodePort": NODE_PORT}]
    world.kube.patch("Service", "web", "switched", {"spec": {"type": "NodePort", "ports": ports}})
    (one,) = world.kube.all("Ingress", "switched")
    (load_balancer,) = world.of(one["metadata"]["uid"])
    address = (load_balancer["vip"], plane.port_of(80))
    with Clients(*address) as early:
        world.wait("both pods are healthy", lambda: set(places) <= set(early.names))
    with Clients(*address) as clients:
        for _ in range(2):
            for value, wanted in (("false", nodes), ("true", places)):
                world.kube.annotate("web", "switched", **dict.fromkeys(DIRECT, value))
                rows = dict.fromkeys(wanted.values(), 10)
                world.wait(f"direct-access {value} is served", partial(are_bound, world, "switched", rows))
                clients.names.clear()
                world.wait("all of them answer", partial(clients.all_heard, set(wanted)))
    for backend in backends:
        backend.stop()
    assert clients.failures == []


def test_a_service_selects_other_pods_unnoticed(world: World, plane: DataPlane) -> None:
    blue, green = {"web-blue": "127.35.0.1"}, {"web-green": "127.35.0.2"}
    backends = [Backend(name, PORT, address) for name, address in (blue | green).items()]
    for backend in backends:
        backend.start()
    pods = running(world, "selected", blue)
    pods.run("web-green", green["web-green"])
    (one,) = world.kube.all("Ingress", "selected")
    (load_balancer,) = world.of(one["metadata"]["uid"])
    address = (load_balancer["vip"], plane.port_of(80))
    with Clients(*address) as early:
        world.wait("the old pod is healthy", lambda: early.heard("web-blue"))
    with Clients(*address) as clients:
        for now in (green, blue, green):
            pods.endpoints(**{name: (place, "ready") for name, place in now.items()})
            rows = dict.fromkeys(now.values(), 10)
            world.wait(f"{now} serves", partial(are_bound, world, "selected", rows))
            clients.names.clear()
            world.wait(f"{now} answers", partial(clients.all_heard, set(now)))
    for backend in backends:
        backend.stop()
    assert clients.failures == []


def _standing(backends: dict[str, Backend], but: str) -> dict[str, str]:
    return {name: backend.host for name, backend in backends.items() if name != but}


def test_an_address_that_becomes_another_applications_goes_off_though_its_pod_was_never_drained(world: World) -> None:
    a, b, *_ = four(6)
    pods = running(world, "reused", {"web-a": a, "web-b": b})
    pods.terminate("web-a")
    pods.endpoints(**{"web-a": (a, "terminating"), "web-b": (b, "ready")})
    world.wait("it is drained", lambda: bound(world, "reused") == {a: 0, b: 10})
    Pods(world.kube, "reused", "stranger").run("stranger-a", a)
    cost(world, "reused", {b: 10})
