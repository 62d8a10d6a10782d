"""Real probes: who is asked what, and what the verdicts do to the traffic."""

from dataclasses import replace

import pytest

from tests.contract.dataplane.support import (
    PORT_OFFSET,
    QUICK,
    WAIT_S,
    Load,
    ScriptedTarget,
    get,
    http_lb,
    rule,
    targets,
)
from tests.emulators.backends import Backend
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.dataplane.health import Status
from tests.emulators.clb.dataplane.views import HealthView

KEY = ("lb-1", "lbl-http", "r")


def _turns(plane: DataPlane, address: tuple[str, int], status: Status) -> bool:
    return plane.wait_for_health(KEY, address, status, WAIT_S)


def test_new_target_gets_no_request_before_it_has_passed_its_checks(vip: str) -> None:
    with DataPlane(PORT_OFFSET, probe_scale=1) as plane, Backend("old") as old, Backend("new") as new:
        slow = HealthView(path="/healthz", healthy_num=2, interval=300)
        unchecked = rule("r", "a", "/", targets(old.address), health=HealthView(enabled=False))
        plane.apply([http_lb(vip, unchecked)])
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(old.address, new.address), health=slow))])
        assert [get(vip).name for _ in range(6)] == ["old"] * 6
        assert plane.health(*KEY, *new.address) == "Unknown"
        assert plane.health(*KEY, *old.address) == "Alive"
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(new.address), health=slow))])
        assert get(vip).status == 503
        assert plane.defects == ()


@pytest.mark.parametrize(
    ("domain", "check", "asked"),
    [
        ("shop.example.com", {}, ("HEAD", "/healthz", "shop.example.com")),
        ("*.example.com", {}, ("HEAD", "/healthz", "")),
        ("*.example.com", {"domain": "check.example.com"}, ("HEAD", "/healthz", "check.example.com")),
        ("~^a", {"method": "GET", "path": "/deep", "domain": "b.org"}, ("GET", "/deep", "b.org")),
    ],
)
def test_probe_says_who_it_is_and_asks_for_a_concrete_host(
    plane: DataPlane, vip: str, domain: str, check: dict[str, str], asked: tuple[str, str, str]
) -> None:
    with Backend("web-1") as backend:
        health = replace(QUICK, **check)  # type: ignore[arg-type]  # the fields named are strings
        plane.apply([http_lb(vip, rule("r", domain, "/", targets(backend.address), health=health))])
        assert _turns(plane, backend.address, "Alive")
        seen = {(probe.method, probe.path, probe.host) for probe in backend.probes}
        assert seen == {(asked[0], asked[1], asked[2] or vip)}
        assert {probe.headers["user-agent"] for probe in backend.probes} == {"clb-healthcheck"}
    assert backend.requests == []


def test_traffic_leaves_a_sick_target_and_comes_back(plane: DataPlane, vip: str) -> None:
    strict = replace(QUICK, http_code=2)
    with Backend("web-1") as first, Backend("web-2") as second:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(first.address, second.address), health=strict))])
        assert _turns(plane, first.address, "Alive")
        assert _turns(plane, second.address, "Alive")
        first.healthy = False
        assert _turns(plane, first.address, "Dead")
        assert {get(vip).name for _ in range(4)} == {"web-2"}
        first.healthy = True
        assert _turns(plane, first.address, "Alive")
        assert {get(vip).name for _ in range(4)} == {"web-1", "web-2"}


def test_when_all_are_dead_all_get_requests(plane: DataPlane, vip: str) -> None:
    strict = replace(QUICK, http_code=2)
    with Backend("web-1") as first, Backend("web-2") as second:
        first.healthy = second.healthy = False
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(first.address, second.address), health=strict))])
        assert _turns(plane, first.address, "Dead")
        assert _turns(plane, second.address, "Dead")
        assert {get(vip).name for _ in range(4)} == {"web-1", "web-2"}


def test_target_of_weight_0_is_still_checked(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address, weight=0), health=QUICK))])
        assert _turns(plane, backend.address, "Alive")
        assert get(vip).status == 503
        backend.stop()
        assert _turns(plane, backend.address, "Dead")


@pytest.mark.parametrize(
    ("check_type", "answer", "status"),
    [
        ("TCP", b"", "Alive"),
        ("HTTP", b"HTTP/1.1 200 OK\r\n\r\n", "Alive"),
        ("HTTP", b"", "Dead"),
        ("HTTP", b"nonsense\r\n\r\n", "Dead"),
        ("HTTPS", b"HTTP/1.1 200 OK\r\n\r\n", "Dead"),
    ],
)
def test_check_type_decides_what_counts_as_an_answer(
    plane: DataPlane, vip: str, check_type: str, answer: bytes, status: Status
) -> None:
    with ScriptedTarget(answer) as target:
        checked = rule(
            "r", "a", "/", targets(target.address), health=replace(QUICK, check_type=check_type, timeout=0.5)
        )
        plane.apply([http_lb(vip, checked)])
        assert _turns(plane, target.address, status)


def test_switched_off_check_says_close_and_everybody_gets_requests(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address)))])
        assert plane.health(*KEY, *backend.address) == "Close"
        assert get(vip).name == "web-1"
    assert backend.probes == []


def test_unbound_target_is_not_probed_and_its_health_is_forgotten(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend, Backend("web-2") as other:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address, other.address), health=QUICK))])
        assert _turns(plane, backend.address, "Alive")
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(other.address), health=QUICK))])
        assert plane.health(*KEY, *backend.address) == "Unknown"
        assert _turns(plane, other.address, "Alive")
        after = len(backend.probes)
        other.stop()
        assert _turns(plane, other.address, "Dead")
        assert len(backend.probes) <= after + 1  # one may have been on its way


def test_requests_under_load_never_meet_a_target_that_is_still_probed(plane: DataPlane, vip: str) -> None:
    with Backend("old") as old, Backend("new") as new:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(old.address), health=QUICK))])
        assert _turns(plane, old.address, "Alive")
        with Load(vip, 3) as load:
            plane.apply([http_lb(vip, rule("r", "a", "/", targets(old.address, new.address), health=QUICK))])
            assert _turns(plane, new.address, "Alive")
            assert load.wait_for(lambda: "new" in load.names)
        assert (set(load.statuses), load.failures) == ({200}, [])
