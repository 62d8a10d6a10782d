"""Heads of messages: what is read, what is refused. No socket."""

import pytest

from tests.emulators.clb.dataplane import http1
from tests.emulators.clb.dataplane.http1 import Framing, MalformedMessage, parse_request, parse_response


def _head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("target", "host", "uri"),
    [
        ("/a?b=1", "h.example.com", "/a?b=1"),
        ("http://Other.example.com:81/a", "Other.example.com:81", "/a"),
        ("http://other.example.com?x", "other.example.com", "/?x"),
        ("*", "h.example.com", "/"),
    ],
)
def test_request_target_may_be_absolute(target: str, host: str, uri: str) -> None:
    request = parse_request(_head(f"GET {target} HTTP/1.1", "Host: h.example.com"))
    assert (request.host, request.uri) == (host, uri)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET / HTTP/1.1",), 400),
        (("GET / HTTP/1.1", "Host: a", "Host: b"), 400),
        (("GET / HTTP/1.1", "Host: a b"), 400),
        (("GET / HTTP/1.1", "Host: a/b"), 400),
        (("GET  / HTTP/1.1", "Host: a"), 400),
        (("GET /\nx HTTP/1.1", "Host: a"), 400),
        (("GET x HTTP/1.1", "Host: a"), 400),
        (("G(T / HTTP/1.1", "Host: a"), 400),
        (("GET / HTTP/2.0", "Host: a"), 505),
        (("CONNECT a:80 HTTP/1.1", "Host: a"), 405),
        (("GET / HTTP/1.1", "Host: a", "X : 1"), 400),
        (("GET / HTTP/1.1", "Host: a", " folded"), 400),
        (("GET / HTTP/1.1", "Host: a", "X: 1\nY: 2"), 400),
    ],
)
def test_head_that_two_servers_could_read_differently_is_refused(lines: tuple[str, ...], status: int) -> None:
    with pytest.raises(MalformedMessage) as refused:
        parse_request(_head(*lines))
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("headers", "framing"),
    [
        ((), Framing("none")),
        (("Content-Length: 7",), Framing("length", 7)),
        (("Content-Length: 7", "Content-Length: 7"), Framing("length", 7)),
        (("Transfer-Encoding: Chunked",), Framing("chunked")),
        (("Content-Length: 7", "Content-Length: 8"), 400),
        (("Content-Length: +7",), 400),
        (("Content-Length: 7", "Transfer-Encoding: chunked"), 400),
        (("Transfer-Encoding: gzip, chunked",), 501),
    ],
)
def test_body_of_a_request_has_one_length_or_is_refused(headers: tuple[str, ...], framing: Framing | int) -> None:
    request = parse_request(_head("POST / HTTP/1.1", "Host: a", *headers))
    if isinstance(framing, Framing):
        assert http1.request_framing(request) == framing
        return
    with pytest.raises(MalformedMessage) as refused:
        http1.request_framing(request)
    assert refused.value.status == framing


@pytest.mark.parametrize(
    ("method", "lines", "framing"),
    [
        ("GET", ("HTTP/1.1 200 OK",), Framing("close")),
        ("GET", ("HTTP/1.1 200", "Content-Length: 3"), Framing("length", 3)),
        ("HEAD", ("HTTP/1.1 200 OK", "Content-Length: 3"), Framing("none")),
        ("GET", ("HTTP/1.1 304 Not Modified", "Content-Length: 3"), Framing("none")),
        ("GET", ("HTTP/1.1 204 No Content",), Framing("none")),
        ("GET", ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), Framing("chunked")),
    ],
)
def test_body_of_an_answer_depends_on_method_and_status(method: str, lines: tuple[str, ...], framing: Framing) -> None:
    assert http1.response_framing(parse_response(_head(*lines)), method) == framing


@pytest.mark.parametrize(
    ("version", "connection", "alive"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.1", "x, Close", False),
    ],
)
def test_connection_is_kept_as_the_clients_version_says(version: str, connection: str | None, alive: bool) -> None:
    headers = [] if connection is None else [f"Connection: {connection}"]
    assert http1.keeps_alive(parse_request(_head(f"GET / HTTP/{version}", "Host: a", *headers))) is alive


def test_headers_of_the_connection_do_not_travel() -> None:
    headers = (
        ("Connection", "close, X-Mine"),
        ("X-Mine", "1"),
        ("Keep-Alive", "1"),
        ("Upgrade", "h2c"),
        ("X-Other", "2"),
    )
    assert http1.end_to_end(headers) == [("X-Other", "2")]


def test_cookie_is_found_among_others() -> None:
    headers = (("Cookie", "a=1; tgw=abc=d"), ("Cookie", "b=2"))
    assert [http1.cookie(headers, name) for name in ("a", "tgw", "b", "c")] == ["1", "abc=d", "2", None]
