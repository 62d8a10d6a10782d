"""Clients of probes, metrics and webhook that mean no good: cut in time, told nothing, and in nobody's way."""

import contextlib
import http.client
import json
import socket
import ssl
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator

import pytest
import trustme

from l7lb.app.visiting import ConsoleServer
from l7lb.console.site import Page, Visit
from l7lb.runtime import serving
from l7lb.runtime.admission import BODY_MAX, AdmissionServer
from l7lb.runtime.probes import ProbeServer, health_routes

Address = tuple[str, int]
Connect = Callable[[], socket.socket]
LIVE_S = 0.5


def _broken() -> str:
    raise RuntimeError("secret words")


def _answer(body: bytes) -> bytes:
    said = json.loads(body)
    if said.get("crash"):
        raise RuntimeError("secret words")
    return json.dumps({"heard": len(body)}).encode()


@pytest.fixture
def probes() -> Iterator[Address]:
    server = ProbeServer("probes", "127.0.0.1:0", health_routes({}, {"broken": _broken}))
    address = server.start()
    assert address is not None
    yield address
    server.stop()


def _page(visit: Visit) -> Page:
    if visit.path == "/broken":
        raise RuntimeError("secret words")
    return Page(404, "text/plain; charset=utf-8", b"not found\n")


@pytest.fixture
def console() -> Iterator[Address]:
    server = ConsoleServer("127.0.0.1:0", _page)
    server.start(lambda *_: None)
    assert server.place is not None
    yield server.place
    server.stop(1.0)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def webhook(authority: trustme.CA) -> Iterator[Address]:
    server = AdmissionServer("webhook", "127.0.0.1:0", _answer)
    address = server.start()
    assert address is not None
    issued = authority.issue_cert("127.0.0.1")
    server.show(b"".join(blob.bytes() for blob in issued.cert_chain_pems), issued.private_key_pem.bytes())
    yield address
    server.stop()


@pytest.fixture(params=["probes", "webhook", "console"])
def connect(request: pytest.FixtureRequest, authority: trustme.CA) -> Connect:
    """To each, with TLS where it is spoken."""
    address: Address = request.getfixturevalue(request.param)
    return lambda: _connected(address, authority if request.param == "webhook" else None)


def _connected(address: Address, authority: trustme.CA | None) -> socket.socket:
    plain = socket.create_connection(address, timeout=30)
    if authority is None:
        return plain
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def said(connection: socket.socket, request: bytes) -> bytes:
    """All that comes back until the other side closes."""
    with contextlib.suppress(OSError):
        connection.sendall(request)
    found = b""
    with connection, contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := connection.recv(65536):
            found += piece
    return found


def review(connect: Connect, body: bytes = b"{}", head: str = "", path: str = "/") -> bytes:
    lines = head or f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return said(connect(), f"POST {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode() + body)


MALFORMED = {
    "nothing of HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "another major version": b"GET /healthz HTTP/9.9\r\n\r\n",
    "no version at all": b"GET /healthz HTTP/abc\r\n\r\n",
    "a long path": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 20_000 + b"\r\n",
    "a script in the method": b"<script>alert(1)</script> / HTTP/1.1\r\n\r\n",
    "NUL": b"GET /\0 HTTP/1.1\r\n\r\n",
    "no words": b"\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_without_repeating_it(connect: Connect, name: str) -> None:
    answer = said(connect(), MALFORMED[name])
    assert answer == b"" or answer.split(b" ")[1] == b"505" or answer.split(b" ")[1][:1] == b"4"
    assert b"<script" not in answer
    assert len(answer) < 1000


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"])
def test_other_methods_are_not_allowed(connect: Connect, method: str) -> None:
    answer = said(connect(), f"{method} /healthz HTTP/1.1\r\nX-Secret: s\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 405 ")
    assert b"\r\nAllow: " in answer
    assert b"X-Secret" not in answer


def test_no_answer_says_by_what_it_was_given_and_none_is_guessed_at_or_kept(connect: Connect) -> None:
    for request in (b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /nowhere HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n"):
        head = said(connect(), request).partition(b"\r\n\r\n")[0].decode().lower()
        assert "server:" not in head
        assert "python" not in head
        assert "x-content-type-options: nosniff" in head
        assert "cache-control: no-store" in head


def test_what_goes_wrong_inside_is_not_told(probes: Address, connect: Connect) -> None:
    answer = said(socket.create_connection(probes, timeout=30), b"GET /readyz HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 500 ")
    assert b"secret words" not in answer
    assert b"Traceback" not in answer


def test_a_client_that_dribbles_is_cut(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the request never does."""
    monkeypatch.setattr(serving, "CONNECTION_S", LIVE_S)
    with connect() as slow:
        sent = 0
        with contextlib.suppress(OSError):
            while True:
                slow.sendall(b"G")
                sent += 1
                slow.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if slow.recv(1) == b"":
                        break
        assert 2 < sent < 400


def test_clients_that_never_speak_tls_are_cut_and_others_are_served(
    webhook: Address, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CONNECTION_S", LIVE_S)
    with contextlib.ExitStack() as silent:
        clients = [silent.enter_context(socket.create_connection(webhook, timeout=30)) for _ in range(80)]
        assert b'"heard": 2' in review(lambda: _connected(webhook, authority))
        assert [client.recv(1) for client in clients] == [b""] * len(clients)


def test_many_slow_clients_do_not_keep_the_probes_from_answering(probes: Address) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(3 * serving.CLIENTS_MAX):
            client = held.enter_context(socket.create_connection(probes, timeout=30))
            with contextlib.suppress(OSError):
                client.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        connection = http.client.HTTPConnection(*probes, timeout=30)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()


def test_pages_that_take_long_do_not_pile_up_threads_for_clients_that_were_cut() -> None:
    ready, begun = threading.Event(), threading.Semaphore(0)

    def slow(_visit: Visit) -> Page:
        begun.release()
        ready.wait(30.0)
        return Page(200, "text/plain; charset=utf-8", b"at last\n")

    server = ConsoleServer("127.0.0.1:0", slow)
    server.start(lambda *_: None)
    assert server.place is not None
    with contextlib.ExitStack() as held:
        held.callback(server.stop, 1.0)
        held.callback(ready.set)
        before = threading.active_count()
        for _ in range(serving.THREADS_MAX):
            client = held.enter_context(socket.create_connection(server.place, timeout=30))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert begun.acquire(timeout=30)
        late = held.enter_context(socket.create_connection(server.place, timeout=30))
        assert late.recv(1) == b""
        assert threading.active_count() - before <= serving.THREADS_MAX
        ready.set()
        assert client.recv(4) == b"HTTP"


REVIEWS = {
    "a body that is too long": ("", {"Content-Length": str(BODY_MAX + 1)}, b"413"),
    "a length beyond all numbers": ("", {"Content-Length": "9" * 5000}, b"413"),
    "no length": ("", {}, b"411"),
    "a negative length": ("", {"Content-Length": "-1"}, b"411"),
    "digits of another script": ("", {"Content-Length": "\u0661"}, b"411"),
    "chunks": ("", {"Transfer-Encoding": "chunked"}, b"411"),
    "a form": ("x=1", {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "3"}, b"415"),
    "no JSON": ("{", {"Content-Length": "1"}, b"400"),
    "what makes it crash": ('{"crash":1}', {"Content-Length": "11"}, b"500"),
}


@pytest.mark.parametrize("name", REVIEWS)
def test_a_review_that_is_none_is_refused(webhook: Address, authority: trustme.CA, name: str) -> None:
    body, headers, status = REVIEWS[name]
    head = "".join(f"{key}: {value}\r\n" for key, value in ({"Content-Type": "application/json"} | headers).items())
    answer = review(lambda: _connected(webhook, authority), body.encode(), head)
    assert answer.split(b" ")[1] == status
    assert b"secret words" not in answer


def test_another_path_of_the_webhook_is_not_there(webhook: Address, authority: trustme.CA) -> None:
    assert review(lambda: _connected(webhook, authority), path="/other").startswith(b"HTTP/1.0 404 ")


def test_the_largest_review_is_read(webhook: Address, authority: trustme.CA) -> None:
    body = b'{"x":"' + b"a" * (BODY_MAX - 8) + b'"}'
    assert str(BODY_MAX).encode() in review(lambda: _connected(webhook, authority), body)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_webhook_speaks_new_tls(webhook: Address, authority: trustme.CA, version: ssl.TLSVersion) -> None:
    assert _negotiated(webhook, authority, version, version) is not None


def test_the_webhook_speaks_no_old_tls(webhook: Address, authority: trustme.CA) -> None:
    assert _negotiated(webhook, authority, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1) is None


def _negotiated(address: Address, authority: trustme.CA, least: ssl.TLSVersion, most: ssl.TLSVersion) -> str | None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version, context.maximum_version = least, most
    with socket.create_connection(address, timeout=30) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                return secure.version()
        except (ssl.SSLError, ConnectionError):
            return None


def test_the_key_is_shown_where_nothing_can_be_written(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose root file system is read-only."""

    def nowhere(*_: object, **__: object) -> str:
        raise FileNotFoundError("no usable temporary directory")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(tempfile, "mkdtemp", nowhere)
    server = AdmissionServer("webhook", "127.0.0.1:0", _answer)
    address = server.start()
    assert address is not None
    issued = authority.issue_cert("127.0.0.1")
    server.show(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())
    assert b'"heard": 2' in review(lambda: _connected(address, authority))
    server.stop()
