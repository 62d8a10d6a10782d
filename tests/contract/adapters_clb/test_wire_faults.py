"""A server that misbehaves: what hangs is cut, what is lost is not repeated, what cannot be read is no answer."""

import gzip
import json
import logging
import socket
import time

import pytest

from l7lb import errors
from l7lb.adapters.clb import transport
from l7lb.adapters.clb.calls import Caller, Request
from l7lb.adapters.clb.credentials import Environment
from l7lb.adapters.clb.ratelimit import RateLimits
from l7lb.adapters.clb.sdk import UNREACHED, Clients, Endpoint, NoAnswer, Refusal
from l7lb.model.lane import Lane
from tests.contract.adapters_clb.rude_server import RudeServer, http
from tests.contract.adapters_clb.tenant import KEYS

OK = {"Response": {"RequestId": "r-1", "Status": 0}}
REFUSED = {"Response": {"Error": {"Code": "InvalidParameter.LBIdNotFound", "Message": "no"}, "RequestId": "r-2"}}
READ = Request("clb", "DescribeTaskStatus", {"TaskId": "t"})
WRITE = Request("clb", "CreateRule", {"LoadBalancerId": "lb-1"}, write=True)


def clients(url: str) -> Clients:
    return Clients(Endpoint.parse(url), Environment(KEYS))


def call(url: str, request: Request) -> dict[str, object]:
    caller = Caller(clients(url), RateLimits(time.monotonic), sleep=lambda _: None)
    return caller.call(request, region="ap-guangzhou", lane=Lane.CHANGE)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limits, a thirtieth of their length."""
    monkeypatch.setattr(transport, "CONNECT_S", 0.1)
    monkeypatch.setattr(transport, "READ_S", 0.3)
    monkeypatch.setattr(transport, "CALL_S", 0.45)


def test_a_good_answer_is_read() -> None:
    with RudeServer([http(OK)]) as server:
        assert call(server.url, READ) == OK["Response"]
        head = server.requests[0].lower()
        assert b"x-tc-action: describetaskstatus" in head
        assert b"x-tc-region: ap-guangzhou" in head
        assert b"tc3-hmac-sha256" in head
        assert KEYS["TENCENTCLOUD_SECRET_KEY"].encode() not in server.requests[0]


@pytest.mark.usefixtures("hasty")
def test_a_write_without_an_answer_is_cut_and_not_sent_again() -> None:
    with RudeServer([5.0]) as server:
        started = time.monotonic()
        with pytest.raises(errors.Unavailable, match="may or may not have happened"):
            call(server.url, WRITE)
        assert time.monotonic() - started < 4.5  # the server would go on after 5
        assert server.closed_early.wait(30)
        assert len(server.requests) == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("headers_too", [True, False])
def test_an_answer_that_trickles_in_is_cut_in_time(headers_too: bool) -> None:
    whole = http(OK)
    slow: list[bytes | float] = [] if headers_too else [whole[:-30]]
    for byte in whole if headers_too else whole[-30:]:
        slow += [bytes([byte]), 0.1]
    with RudeServer(slow) as server:
        started = time.monotonic()
        with pytest.raises(errors.Unavailable):
            call(server.url, WRITE)
        assert time.monotonic() - started < 2.8  # all of it would take 3
        assert server.closed_early.wait(30)


def test_a_dropped_write_is_not_sent_again_and_a_dropped_read_is() -> None:
    with RudeServer([]) as server:
        with pytest.raises(errors.Unavailable, match="may or may not have happened"):
            call(server.url, WRITE)
        assert len(server.requests) == 1
    with RudeServer([], [http(OK)]) as server:
        assert call(server.url, READ) == OK["Response"]
        assert len(server.requests) == 2


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(NoAnswer) as caught:
        clients(url).send("clb", "CreateRule", "ap-guangzhou", {})
    assert not caught.value.sent
    with pytest.raises(errors.Unavailable, match="was not sent"):
        call(url, WRITE)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/json", "text/html"])
def test_an_error_is_seen_whatever_the_content_type(content_type: str) -> None:
    with RudeServer([http(REFUSED, content_type=content_type)]) as server, pytest.raises(Refusal) as caught:
        clients(server.url).send("clb", "DescribeListeners", "ap-guangzhou", {})
    assert (caught.value.code, caught.value.request_id) == ("InvalidParameter.LBIdNotFound", "r-2")


@pytest.mark.parametrize(
    "answer",
    [
        http(b"<html>bad gateway</html>", status="502 Bad Gateway", content_type="text/html"),
        http(OK, status="500 Internal Server Error"),
        http(b"<html>hello</html>", content_type="text/html"),
        http(b"{"),
        http([1]),
        http({"Response": None}),
        http({"Response": {"Status": 0}}),
        http({"Response": {"Error": {"Code": 1}}}),
        http(b"\xff\xfe\x00"),
        http(b"", status="302 Found", extra="Location: http://127.0.0.1:1/\r\n"),
        http(b"", status="307 Temporary Redirect", extra="Location: /elsewhere\r\n"),
        http(OK)[:-5],
        http(b"not gzip", extra="Content-Encoding: gzip\r\n"),
        b"garbage\r\n\r\n",
    ],
)
def test_what_cannot_be_read_is_unavailable_and_a_write_is_sent_once(answer: bytes) -> None:
    with RudeServer([answer]) as server:
        with pytest.raises(errors.L7lbError) as caught:
            call(server.url, WRITE)
        assert isinstance(caught.value, errors.Unavailable)
        assert len(server.requests) == 1


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(json.dumps(OK).encode())
    with RudeServer([http(body, extra="Content-Encoding: gzip\r\n")]) as server:
        assert call(server.url, READ) == OK["Response"]


def test_no_secret_and_no_body_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("tencentcloud_sdk_common").setLevel(logging.DEBUG)
    with RudeServer([http(OK)]) as server:
        made = clients(server.url)
        logging.getLogger("tencentcloud_sdk_common").setLevel(logging.DEBUG)
        made.send("clb", "CreateListener", "ap-guangzhou", {"Certificate": {"CertKey": "PRIVATE"}})
        made.close()
    assert "PRIVATE" not in caplog.text
    assert "TC3-HMAC" not in caplog.text


def test_proxies_and_netrc_are_not_asked_for_a_loopback_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with RudeServer([http(OK)]) as server:
        assert call(server.url, READ) == OK["Response"]


def test_refused_keys_are_renewed_once_and_the_call_goes_on() -> None:
    stale = {"Response": {"Error": {"Code": "AuthFailure.TokenFailure", "Message": "old"}, "RequestId": "r-3"}}

    class Rotating:
        renewed = 0

        def get_credential_info(self) -> tuple[str, str, str | None]:
            return f"id-{self.renewed}", "key", "token"

        def renew(self) -> bool:
            self.renewed += 1
            return self.renewed == 1

    keys = Rotating()
    with RudeServer([http(stale)], [http(OK)]) as server:
        made = Clients(Endpoint.parse(server.url), keys)
        assert made.send("clb", "CreateRule", "ap-guangzhou", {}) == OK["Response"]
        assert b"id-0/" in server.requests[0]
        assert b"id-1/" in server.requests[1]
        made.close()
    with RudeServer([http(stale)]) as server, pytest.raises(Refusal):
        Clients(Endpoint.parse(server.url), keys).send("clb", "CreateRule", "ap-guangzhou", {})


@pytest.mark.usefixtures("hasty")
def test_a_name_that_takes_too_long_to_find_lets_nothing_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    with RudeServer([http(OK)]) as server:
        real = socket.getaddrinfo

        def slow(*args: object, **kwargs: object) -> object:
            until = time.monotonic() + 0.6
            while time.monotonic() < until:
                pass
            return real(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        with pytest.raises(NoAnswer) as caught:
            clients(server.url).send("clb", "CreateRule", "ap-guangzhou", {})
        assert not caught.value.sent
        monkeypatch.undo()
        assert server.requests in ([], [b""])


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([5.0], "it did not answer in time"),
        ([b""], "the connection broke off"),
        ([http(OK, status="502 Bad Gateway")], "the status is not 200"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{]}"], "what came cannot be read (JSONDecodeError)"),
    ],
)
@pytest.mark.usefixtures("hasty")
def test_who_did_not_answer_and_why_is_said_in_words_of_ours(script: list[bytes | float], said: str) -> None:
    with RudeServer(script) as server:
        host = server.url.removeprefix("http://")
        with pytest.raises(NoAnswer) as caught:
            clients(server.url).send("clb", "CreateRule", "ap-guangzhou", {})
    assert str(caught.value) == f"CreateRule: no usable answer from {host} for ap-guangzhou: {said}"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1", "the connection is refused"),
        ("https://127.0.0.1:1", "the connection is refused"),
    ],
)
def test_who_cannot_be_reached_is_named_with_what_to_look_at(url: str, why: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        clients(url).send("clb", "DescribeQuota", "ap-guangzhou", {})
    assert (
        str(caught.value) == f"DescribeQuota: no usable answer from 127.0.0.1:1 for ap-guangzhou: {why} ({UNREACHED})"
    )


def test_a_name_that_leads_nowhere_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NoAnswer, match=r"from clb\.test for ap-guangzhou: its name cannot be resolved"):
        clients("http://clb.test").send("clb", "DescribeQuota", "ap-guangzhou", {})
