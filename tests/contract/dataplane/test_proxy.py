"""Requests through a listener: where they go, what arrives, what comes back, and that nothing is ever tried twice."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.contract.dataplane.support import (
    PORT_OFFSET,
    Client,
    ScriptedTarget,
    get,
    http_lb,
    new_vip,
    raw,
    rule,
    targets,
)
from tests.emulators.backends import Backend, Reply, SeenRequest
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.dataplane.streams import Limits
from tests.emulators.clb.dataplane.views import LbView, ListenerView, RedirectView, RuleView, TargetView


def _digest(request: SeenRequest) -> Reply:
    return Reply(body=f"{len(request.body)} {hashlib.sha256(request.body).hexdigest()}".encode())


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend("web-1") as running:
        yield running


def test_request_reaches_the_rules_target_as_the_client_sent_it(plane: DataPlane, vip: str, backend: Backend) -> None:
    plane.apply([http_lb(vip, rule("r", "shop.example.com", "/api", targets(backend.address)))])
    answer = get(vip, "/api/x%20y?b=1", "Shop.example.com:80", headers={"X-Mine": "1", "X-Forwarded-For": "10.9.8.7"})
    assert (answer.status, answer.body) == (200, b"name=web-1 path=/api/x%20y?b=1 host=Shop.example.com:80\n")
    seen = backend.requests[-1].headers
    assert (seen["x-mine"], seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("1", "10.9.8.7, 127.0.0.1", "http")
    assert plane.counters.requests(lb_id="lb-1", rule_id="r", target=backend.address, status=200) == 1


def test_two_load_balancers_share_a_port_on_addresses_of_their_own(plane: DataPlane, vip: str) -> None:
    other = new_vip()
    with Backend("web-1") as first, Backend("web-2") as second:
        plane.apply(
            [
                http_lb(vip, rule("r", "a", "/", targets(first.address)), lb_id="lb-1"),
                http_lb(other, rule("r", "a", "/", targets(second.address)), lb_id="lb-2"),
            ]
        )
        assert (get(vip).name, get(other).name) == ("web-1", "web-2")
    assert (plane.address_of("lb-1"), plane.address_of("lb-2")) == (vip, other)
    assert plane.counters.by_target("lb-2") == {second.address: 1}


def test_redirect_rule_answers_for_itself(plane: DataPlane, vip: str, backend: Backend) -> None:
    to_https = RedirectView(301, "HTTPS", 443, "shop.example.com", "/", take_url=True)
    plane.apply(
        [
            http_lb(
                vip,
                rule("r1", "shop.example.com", "/", redirect=to_https),
                rule("r2", "api.example.com", "/v1/", targets(backend.address)),
            )
        ]
    )
    moved = get(vip, "/cart?x=1")
    assert (moved.status, moved.headers["location"]) == (301, f"https://shop.example.com:{PORT_OFFSET + 443}/cart?x=1")
    slash = get(vip, "/v1?x=1", "api.example.com")
    assert (slash.status, slash.headers["location"]) == (301, "http://api.example.com/v1/?x=1")
    assert get(vip, "/other", "api.example.com").status == 404
    assert backend.requests == []


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_pass_in_both_directions_whole(plane: DataPlane, vip: str, chunked: bool) -> None:
    body = bytes(range(256)) * 4096
    with Backend("echo", respond=lambda request: Reply(body=request.body)) as echo, Client(vip) as client:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(echo.address)))])
        for _ in range(2):
            sent = (body[at : at + 10000] for at in range(0, len(body), 10000)) if chunked else body
            assert client.get("/", method="POST", body=sent).body == body


def test_client_that_waits_for_continue_gets_it(plane: DataPlane, vip: str) -> None:
    with Backend("echo", respond=_digest) as echo:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(echo.address)))])
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        received = raw(vip, head + b"ok")
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert received.endswith(hashlib.sha256(b"ok").hexdigest().encode())


@pytest.mark.parametrize(
    ("answer", "seen_by_11", "seen_by_10"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n",
            b"3\r\nabc\r\n0\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", b"abc"),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", b"", b""),
    ],
)
def test_answer_is_framed_as_the_client_can_read_it(
    plane: DataPlane, vip: str, answer: bytes, seen_by_11: bytes, seen_by_10: bytes
) -> None:
    with ScriptedTarget(answer) as target:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(target.address)))])
        modern = raw(vip, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        old = raw(vip, b"GET / HTTP/1.0\r\n\r\n")
    assert modern.partition(b"\r\n\r\n")[2] == seen_by_11
    assert old.partition(b"\r\n\r\n")[2] == seen_by_10
    assert b"ransfer-" not in old


def test_old_client_may_ask_to_keep_its_connection(plane: DataPlane, vip: str, backend: Backend) -> None:
    plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address)))])
    received = raw(vip, b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert [request.path for request in backend.requests] == ["/1", "/2"]
    assert {request.host for request in backend.requests} == {vip}


def test_answer_to_head_has_no_body(plane: DataPlane, vip: str, backend: Backend) -> None:
    plane.apply([http_lb(vip, rule("r", "a", "/api", targets(backend.address)))])
    with Client(vip) as client:
        assert client.get("/api", method="HEAD").headers["content-length"] == str(len(client.get("/api").body))
        assert (client.get("/x", method="HEAD").status, client.get("/api").name) == (404, "web-1")


def test_refused_connection_is_502_and_no_other_target_is_tried(plane: DataPlane, vip: str, backend: Backend) -> None:
    with Backend("gone") as gone:
        pass
    plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address, gone.address)))])
    with Client(vip) as client:
        assert sorted(client.get().status for _ in range(10)) == [200] * 5 + [502] * 5
    assert len(backend.requests) == 5
    assert plane.counters.failed("lb-1") == plane.counters.requests(target=gone.address, status=502) == 5


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"])
def test_reset_or_senseless_answer_is_502_after_one_attempt(plane: DataPlane, vip: str, answer: bytes | None) -> None:
    with ScriptedTarget(answer) as target, Client(vip) as client:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(target.address)))])
        assert client.get(method="POST", body=b"x").status == 502
        assert target.connections == 1
    assert plane.counters.failed("lb-1") == 1


def test_answer_that_breaks_off_is_seen_as_broken_and_counted(plane: DataPlane, vip: str) -> None:
    with ScriptedTarget(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc") as target:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(target.address)))])
        with pytest.raises((ConnectionError, EOFError, OSError)):
            _read_all(vip)
        assert target.connections == 1
    assert plane.counters.failed("lb-1") == 1


def _read_all(vip: str) -> None:
    received = raw(vip, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    if not received.endswith(b"abc" * 34):
        raise EOFError(received)


@pytest.mark.parametrize("bound", [(), (TargetView("127.0.0.1", 9, 0),)])
def test_rule_without_a_target_or_with_weight_0_only_is_503(
    plane: DataPlane, vip: str, bound: tuple[TargetView, ...]
) -> None:
    plane.apply([http_lb(vip, rule("r", "a", "/", bound))])
    with Client(vip) as client:
        assert client.get(method="POST", body=b"x" * 100000).status == 503
        assert client.get().status == 503


def test_target_outside_this_machine_is_never_dialled(plane: DataPlane, vip: str) -> None:
    plane.apply([http_lb(vip, rule("r", "a", "/", targets(("192.0.2.1", 80))))])
    assert get(vip).status == 502


def test_session_cookie_leads_back_to_the_same_target_until_that_is_drained(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as first, Backend("web-2") as second:
        both = targets(first.address, second.address)
        plane.apply([http_lb(vip, rule("r", "a", "/", both, session_seconds=60))])
        answer = get(vip)
        cookie = answer.headers["set-cookie"].partition(";")[0]
        again = [get(vip, headers={"Cookie": cookie}) for _ in range(4)]
        assert {item.name for item in again} == {answer.name}
        assert not any("set-cookie" in item.headers for item in again)
        chosen, other = (first, second) if answer.name == "web-1" else (second, first)
        drained = (*targets(chosen.address, weight=0), *targets(other.address))
        plane.apply([http_lb(vip, rule("r", "a", "/", drained, session_seconds=60))])
        moved = get(vip, headers={"Cookie": cookie})
        assert moved.name == other.name
        assert "set-cookie" in moved.headers


def test_weights_share_out_the_requests(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as first, Backend("web-2") as second, Client(vip) as client:
        weighted = (*targets(first.address, weight=30), *targets(second.address, weight=10))
        plane.apply([http_lb(vip, rule("r", "a", "/", weighted))])
        names = [client.get().name for _ in range(40)]
    assert (names.count("web-1"), names.count("web-2")) == (30, 10)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", b"408"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", b"408"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /../x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"400"),
    ],
)
def test_client_that_sends_too_much_too_slowly_or_nonsense_is_told_so(vip: str, sent: bytes, status: bytes) -> None:
    limits = Limits(head_bytes=4096, head_s=0.3, body_s=0.3)
    with DataPlane(PORT_OFFSET, limits=limits) as plane, Backend("echo", respond=_digest) as echo:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(echo.address)))])
        assert raw(vip, sent).startswith(b"HTTP/1.1 " + status)
        assert plane.counters.requests(status=int(status)) == 1
        assert plane.defects == ()


def test_silent_connections_are_let_go(vip: str, backend: Backend) -> None:
    with DataPlane(PORT_OFFSET, limits=Limits(head_s=0.2, keep_alive_s=0.2)) as plane:
        plane.apply([http_lb(vip, rule("r", "a", "/", targets(backend.address)))])
        assert raw(vip, b"") == b""
        assert raw(vip, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"host=a\n")


def test_address_that_cannot_be_served_is_named_and_the_others_are_served(vip: str, backend: Backend) -> None:
    good = http_lb(vip, rule("r", "a", "/", targets(backend.address)))
    bad_rule = RuleView("r", "~(", "/")
    taken = http_lb(vip, rule("r", "b"), lb_id="lb-2")
    elsewhere = http_lb("192.0.2.1", rule("r", "b"), lb_id="lb-3")
    senseless = LbView("lb-4", vip, (ListenerView("l", "HTTP", 81, rules=(bad_rule,)),))
    with DataPlane(PORT_OFFSET) as plane:
        plane.apply([good, taken, elsewhere, senseless])
        assert set(plane.problems) == {
            (vip, PORT_OFFSET + 80),
            ("192.0.2.1", PORT_OFFSET + 80),
            (vip, PORT_OFFSET + 81),
        }
        assert get(vip).name == "web-1"
        plane.apply([good])
        assert plane.problems == {}
