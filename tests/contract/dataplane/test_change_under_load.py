"""Changes while requests run: nothing is dropped that need not be."""

import threading

import pytest

from tests.contract.dataplane.support import (
    HTTP_PORT,
    QUICK,
    WAIT_S,
    Client,
    Got,
    Load,
    get,
    http_lb,
    new_vip,
    rule,
    targets,
)
from tests.emulators.backends import Backend, Reply, SeenRequest
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.dataplane.views import LbView

KEY = ("lb-1", "lbl-http", "r")


class Gate:
    """Holds the answers of a backend until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()

    def respond(self, request: SeenRequest) -> Reply:
        self.entered.release()
        self.opened.wait(WAIT_S)
        return Reply(body=b"name=held ")


def _post(client: Client) -> Got:
    return client.get("/", method="POST", body=b"x" * 20000)


def test_backend_is_rolled_by_add_wait_drain_remove_without_one_failed_request(plane: DataPlane, vip: str) -> None:
    def bound(*weighted: tuple[Backend, int]) -> LbView:
        members = tuple(target for backend, weight in weighted for target in targets(backend.address, weight=weight))
        return http_lb(vip, rule("r", "a", "/", members, health=QUICK))

    old = Backend("gen-0")
    old.start()
    plane.apply([bound((old, 10))])
    assert plane.wait_for_health(KEY, old.address, "Alive", WAIT_S)
    with Load(vip, 4, _post) as load:
        for generation in range(1, 4):
            new = Backend(f"gen-{generation}")
            new.start()
            plane.apply([bound((old, 10), (new, 10))])
            assert plane.wait_for_health(KEY, new.address, "Alive", WAIT_S)
            plane.apply([bound((old, 0), (new, 10))])
            assert load.wait_for_more(20)
            drained = len(old.requests)
            assert load.wait_for_more(20)
            assert len(old.requests) == drained
            old.stop()
            assert load.wait_for_more(20)
            plane.apply([bound((new, 10))])
            old = new
        assert load.wait_for_more(20)
    old.stop()
    assert (set(load.statuses), load.failures) == ({200}, [])
    assert plane.counters.failed() == 0
    assert set(load.names) == {"gen-0", "gen-1", "gen-2", "gen-3"}


def test_backend_that_stops_before_it_is_drained_costs_requests(plane: DataPlane, vip: str) -> None:
    """The witness must be able to say no: the same roll in the wrong order is seen."""
    with Backend("stays") as stays, Backend("goes") as goes:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(stays.address, goes.address)))])
        with Load(vip, 3) as load:
            assert load.wait_for_more(10)
            goes.stop()
            assert load.wait_for(lambda: 502 in load.statuses)
    assert plane.counters.failed("lb-1") > 0
    assert plane.counters.requests(status=502) == load.statuses.count(502)


def test_no_kept_connection_is_dropped_while_everything_else_changes(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as first, Backend("web-2") as second:
        ours = http_lb(vip, rule("r", "a", "/", targets(first.address)))
        plane.apply([ours])
        with Load(vip, 4) as load:
            for turn in range(30):
                chosen = second if turn % 2 else first
                changed = http_lb(
                    vip, rule("r", "a", "/", targets(chosen.address)), rule(f"r-{turn}", f"{turn}.example.com")
                )
                other = http_lb(new_vip(), rule("r", "b"), lb_id="lb-2")
                plane.apply([changed, other] if turn % 3 else [changed])
                assert load.wait_for_more(8)
        assert (set(load.statuses), load.failures) == ({200}, [])
        assert {"web-1", "web-2"} == set(load.names)


def test_request_under_way_ends_where_it_began_though_target_rule_and_listener_go(plane: DataPlane, vip: str) -> None:
    gate = Gate()
    with Backend("held", respond=gate.respond) as held:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(held.address)))])
        with Load(vip, 1) as load:
            gate.entered.acquire(timeout=WAIT_S)
            plane.apply([http_lb(vip, rule("r", "a", "/", targets(held.address, weight=0)))])
            plane.apply([http_lb(vip, rule("r2", "b", "/"))])
            plane.apply([])
            gate.opened.set()
            assert load.wait_for(lambda: bool(load.failures))
    assert (load.statuses, load.names) == ([200], ["held"])
    assert plane.counters.requests(rule_id="r", target=held.address, status=200) == 1


def test_removed_listener_refuses_and_comes_back(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        served = http_lb(vip, rule("r", "a", "/", targets(backend.address)))
        plane.apply([served])
        with Client(vip) as idle:
            assert idle.get().name == "web-1"
            plane.apply([])
            assert idle.connection.sock.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            get(vip)
        plane.apply([served])
        assert get(vip).name == "web-1"


def test_least_loaded_target_is_chosen_while_another_is_busy(plane: DataPlane, vip: str) -> None:
    gate = Gate()
    with Backend("held", respond=gate.respond) as held, Backend("free") as free:
        both = targets(held.address, free.address)
        plane.apply([http_lb(vip, rule("r", "a", "/", both, scheduler="LEAST_CONN"))])
        with Load(vip, 1) as busy:
            gate.entered.acquire(timeout=WAIT_S)
            assert {get(vip).name for _ in range(5)} == {"free"}
            gate.opened.set()
            assert busy.wait_for(lambda: "held" in busy.names)


def test_applying_the_same_again_changes_nothing(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend, Client(vip, HTTP_PORT) as client:
        served = http_lb(vip, rule("r", "a", "/", targets(backend.address), health=QUICK))
        plane.apply([served])
        assert plane.wait_for_health(KEY, backend.address, "Alive", WAIT_S)
        assert client.get().name == "web-1"
        before = client.connection.sock
        for _ in range(5):
            plane.apply([served])
            assert plane.health(*KEY, *backend.address) == "Alive"
        assert client.get().name == "web-1"
        assert client.connection.sock is before
