"""The connection itself: credentials, time-outs, and every way in which a peer can break an answer."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import urllib3
import yaml

from l7lb import __version__, errors
from l7lb.adapters.kube.chunks import READ_SIZE
from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.transport import MERGE_PATCH, Request, Transport
from tests.unit.adapters.kube.fault_server import STREAM_HEAD, Answer, Fault, FaultServer, chunk, chunked, reply
from tests.unit.adapters.kube.kubeconfigs import kubeconfig

pytestmark = pytest.mark.system

GET = Request("GET", "/api/v1/nodes", what="Node", timeout_s=5)
UNAUTHORIZED = reply(b'{"kind":"Status","reason":"Unauthorized","code":401}', "401 Unauthorized")


class Hands:
    """A clock that is moved by hand, and by `step` whenever somebody looks at it."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 1000.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@contextmanager
def connected(
    folder: Path, *answers: Answer, user: dict[str, Any] | None = None
) -> Iterator[tuple[FaultServer, Transport]]:
    """A server with these answers and a transport to it."""
    with FaultServer(answers) as server, Transport(kubeconfig(folder, server.address, user)) as transport:
        yield server, transport


def test_request_carries_token_agent_query_and_body(tmp_path: Path) -> None:
    source_user = {"token": "abc"}
    with FaultServer([reply(b"{}")]) as server:
        source = kubeconfig(tmp_path, server.address + "/prefix/", source_user)
        with Transport(source) as transport:
            request = Request("PATCH", "/x", {"a": "b c"}, b"{}", MERGE_PATCH, timeout_s=5)
            answer = transport.request(request)
    [seen] = server.seen
    assert (answer.status, answer.body) == (200, b"{}")
    assert seen.line == "PATCH /prefix/x?a=b+c HTTP/1.1"
    assert seen.headers["authorization"] == "Bearer abc"
    assert seen.headers["user-agent"] == f"l7lb/{__version__}"
    assert seen.headers["content-type"] == MERGE_PATCH
    assert seen.body == b"{}"


def test_user_without_credentials_sends_no_authorization(tmp_path: Path) -> None:
    with FaultServer([reply(b"{}")]) as server, Transport(kubeconfig(tmp_path, server.address)) as transport:
        transport.request(GET)
    assert "authorization" not in server.seen[0].headers


def test_connection_is_used_again(tmp_path: Path) -> None:
    answers = [reply(b"{}"), Answer(chunked(b"{", b"}")), reply(b"", "404 Not Found"), reply(b"{}")]
    ports: list[str] = []
    with FaultServer(answers) as server, Transport(kubeconfig(tmp_path, server.address)) as transport:
        for _ in range(4):
            try:
                transport.request(GET)
            except errors.NotFound:
                ports.append("404")
        assert len(server._connections) == 1
    assert ports == ["404"]


def test_a_stream_that_ended_leaves_its_connection_to_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(urllib3.HTTPResponse, "stream")  # the installed urllib3 is known inside: no detour
    with connected(tmp_path, Answer(chunked(b"x\n", b"y\n")), reply(b"{}")) as (server, transport):
        for _ in range(2):
            assert b"".join(transport.stream(GET, silence_s=5).chunks()) in {b"x\ny\n", b"{}"}
            assert len(server._connections) == 1


def test_token_file_is_read_again_every_minute_and_kept_while_unreadable(tmp_path: Path) -> None:
    token, clock = tmp_path / "token", Hands()
    token.write_text("one\n", encoding="ascii")
    with FaultServer([reply(b"{}")]) as server:
        source = kubeconfig(tmp_path, server.address, {"tokenFile": "token"})
        with Transport(source, clock=clock) as transport:
            transport.request(GET)
            token.write_text("two\n", encoding="ascii")
            clock.now += 59
            transport.request(GET)
            clock.now += 2
            transport.request(GET)
            token.unlink()
            clock.now += 61
            transport.request(GET)
    tokens = [seen.headers["authorization"] for seen in server.seen]
    assert tokens == ["Bearer one", "Bearer one", "Bearer two", "Bearer two"]


def test_token_refused_with_401_is_replaced_and_the_call_repeated_once(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old", encoding="ascii")
    with FaultServer([UNAUTHORIZED, reply(b"{}")]) as server:
        source = kubeconfig(tmp_path, server.address, {"tokenFile": str(token)})
        with Transport(source) as transport:
            token.write_text("new", encoding="ascii")
            assert transport.request(GET).status == 200
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer old", "Bearer new"]


def test_401_with_the_same_token_is_not_repeated(tmp_path: Path) -> None:
    with connected(tmp_path, UNAUTHORIZED, user={"token": "t"}) as (server, transport):
        with pytest.raises(errors.AccessDenied):
            transport.request(GET)
        assert len(server.seen) == 1


def test_401_on_a_stream_renews_a_kubeconfig_that_was_rewritten(tmp_path: Path) -> None:
    answers = UNAUTHORIZED, Answer(chunked(b"x\n"))
    with connected(tmp_path, *answers, user={"token": "old"}) as (server, transport):
        kubeconfig(tmp_path, server.address, {"token": "new"})
        assert list(transport.stream(GET, silence_s=5).chunks()) == [b"x\n"]
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer old", "Bearer new"]


def test_service_account_is_read_with_its_token_stripped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA
) -> None:
    (tmp_path / "token").write_text("pod-token\n", encoding="ascii")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    transport = Transport(Source(service_account=tmp_path))
    assert transport.host == "127.0.0.1:1"
    assert transport._credentials.header() == "Bearer pod-token"


@pytest.fixture(name="authority")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize(
    "text", ["", "][", "clusters: 3", "current-context: nowhere\ncontexts: []\nclusters: []\nusers: []"]
)
def test_unreadable_kubeconfig_is_one_line_that_names_the_flag(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.ConfigurationError, match="--kubeconfig"):
        Transport(Source(kubeconfig=str(path)))


def test_missing_kubeconfig_and_missing_service_account_are_configuration_errors(tmp_path: Path) -> None:
    for source in (Source(kubeconfig=str(tmp_path / "none")), Source(service_account=tmp_path)):
        with pytest.raises(errors.ConfigurationError, match="--kubeconfig"):
            Transport(source)


def test_broken_kubeconfig_does_not_quote_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text('users:\n- user: {token: "hush-hush\n  bad: [', encoding="utf-8")
    with pytest.raises(errors.ConfigurationError) as caught:
        Transport(Source(kubeconfig=str(path)))
    assert "hush" not in str(caught.value)


BODY = yaml.safe_dump({"items": list(range(50))}).encode()
WHOLE = reply(BODY).data


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("cut within the head", Answer(WHOLE[:30], Fault.CLOSE)),
        ("cut within a body with a length", Answer(WHOLE[:-7], Fault.CLOSE)),
        ("reset within a body", Answer(WHOLE[:-7], Fault.RESET)),
        ("cut within a chunk", Answer(chunked(BODY)[:-40], Fault.CLOSE)),
        ("cut between chunks", Answer(STREAM_HEAD + chunk(BODY), Fault.CLOSE)),
        ("chunk length that is no number", Answer(STREAM_HEAD + b"zz\r\nhello\r\n", Fault.CLOSE)),
        ("negative chunk length", Answer(STREAM_HEAD + b"-5\r\nhello\r\n", Fault.CLOSE)),
        ("chunk length that is too small", Answer(STREAM_HEAD + b"2\r\nhello\r\n0\r\n\r\n", Fault.CLOSE)),
        ("chunk length that is too great", Answer(STREAM_HEAD + b"ff\r\nhello\r\n0\r\n\r\n", Fault.CLOSE)),
        ("no HTTP at all", Answer(b"SSH-2.0-OpenSSH\r\n", Fault.CLOSE)),
        ("nothing", Answer(b"", Fault.CLOSE)),
        ("reset at once", Answer(b"", Fault.RESET)),
        ("redirect", reply(b"", "302 Found", Location="http://127.0.0.1:1/")),
        ("page of a proxy", reply(b"<html>", "502 Bad Gateway")),
    ],
)
def test_broken_answer_is_unavailable(tmp_path: Path, name: str, answer: Answer) -> None:
    with connected(tmp_path, answer) as (_, transport), pytest.raises(errors.Unavailable):
        transport.request(GET)


@pytest.mark.parametrize("sent", [b"", STREAM_HEAD + chunk(b"hello")])
def test_silent_peer_is_unavailable_after_the_timeout(tmp_path: Path, sent: bytes) -> None:
    request = Request("GET", "/", timeout_s=0.05)
    with connected(tmp_path, Answer(sent, Fault.STALL)) as (_, transport), pytest.raises(errors.Unavailable):
        transport.request(request)


def test_answer_that_trickles_past_its_deadline_is_cut_off(tmp_path: Path) -> None:
    body = [b"a" * READ_SIZE] * 3  # no read brings two of them
    with FaultServer([Answer(chunked(*body))]) as server:
        transport = Transport(kubeconfig(tmp_path, server.address), clock=Hands(step=2.0))
        with transport, pytest.raises(errors.Unavailable, match="deadline"):
            transport.request(GET)


def test_refused_connection_is_unavailable_and_says_which_server_and_who_names_it(tmp_path: Path) -> None:
    with FaultServer([reply(b"{}")]) as server:
        address = server.address
    source = kubeconfig(tmp_path, address)
    with Transport(source) as transport, pytest.raises(errors.Unavailable) as caught:
        transport.request(GET)
    host = address.removeprefix("http://")
    named = f"the API server {host} (kubeconfig {source.kubeconfig})"
    assert str(caught.value) == f"{named} cannot be reached: the connection is refused"
    assert "the network in between" in caught.value.advice


def test_a_connection_that_breaks_off_says_what_was_asked_and_gives_no_advice(tmp_path: Path) -> None:
    with (
        connected(tmp_path, Answer(b"", Fault.CLOSE)) as (server, transport),
        pytest.raises(errors.Unavailable) as caught,
    ):
        transport.request(GET)
    host = server.address.removeprefix("http://")
    assert str(caught.value) == f"GET Node at {host}: the connection broke off"
    assert caught.value.advice == ""


def test_throttled_answer_says_when_to_come_back_and_is_not_repeated(tmp_path: Path) -> None:
    with FaultServer([reply(b"", "429 Too Many Requests", Retry_After="8")]) as server:
        with Transport(kubeconfig(tmp_path, server.address)) as transport, pytest.raises(errors.Throttled) as caught:
            transport.request(GET)
        assert len(server.seen) == 1
    assert caught.value.retry_after_s == 8


def test_guard_stops_a_write_before_it_leaves(tmp_path: Path) -> None:
    def refuse() -> None:
        raise errors.LostLeadership("too little of the lease is left")

    with FaultServer([reply(b"{}")]) as server, Transport(kubeconfig(tmp_path, server.address)) as transport:
        with pytest.raises(errors.LostLeadership):
            transport.request(Request("PATCH", "/x", body=b"{}"), guard=refuse)
        assert server.seen == []


def test_every_request_is_observed_with_its_code(tmp_path: Path) -> None:
    observed: list[tuple[str, str]] = []
    answers = [reply(b"{}"), reply(b"", "500 Oops"), Answer(b"", Fault.CLOSE)]
    with FaultServer(answers) as server:

        def watcher(method: str, host: str, code: str, seconds: float) -> None:
            observed.append((method, code))

        with Transport(kubeconfig(tmp_path, server.address), on_request=watcher) as transport:
            transport.request(GET)
            for _ in range(2):
                with pytest.raises(errors.Unavailable):
                    transport.request(GET)
    assert observed == [("GET", "200"), ("GET", "500"), ("GET", "<error>")]


@pytest.mark.parametrize("head", [STREAM_HEAD, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"])
def test_shutdown_frees_a_blocked_reader_at_once(tmp_path: Path, head: bytes) -> None:
    first = chunk(b"one\n") if head is STREAM_HEAD else b"one\n"
    with connected(tmp_path, Answer(head + first, Fault.STALL)) as (_, transport):
        stream = transport.stream(GET, silence_s=60)
        got: list[bytes] = []
        started = threading.Event()

        def read() -> None:
            for piece in stream.chunks():
                got.append(piece)
                started.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert started.wait(30)
        stream.shutdown()
        stream.shutdown()
        reader.join(30)
        assert not reader.is_alive()
    assert got == [b"one\n"]


def test_shutdown_before_the_first_read_ends_the_stream(tmp_path: Path) -> None:
    with connected(tmp_path, Answer(STREAM_HEAD, Fault.STALL)) as (_, transport):
        stream = transport.stream(GET, silence_s=60)
        stream.shutdown()
        assert list(stream.chunks()) == []


def test_stream_silent_for_too_long_is_told_from_one_that_breaks(tmp_path: Path) -> None:
    with connected(tmp_path, Answer(STREAM_HEAD + chunk(b"one\n"), Fault.STALL)) as (_, transport):
        pieces = transport.stream(GET, silence_s=0.05).chunks()
        assert next(pieces) == b"one\n"
        with pytest.raises(errors.Unavailable) as silence:
            next(pieces)
    assert silence.value.silent


def test_peer_without_tls_behind_an_https_address_is_unavailable(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    with FaultServer([reply(b"{}")]) as server:
        address = server.address.replace("http:", "https:")
        source = kubeconfig(tmp_path, address, authority=str(tmp_path / "ca.crt"))
        with Transport(source) as transport, pytest.raises(errors.Unavailable):
            transport.request(Request("GET", "/", timeout_s=0.2))


def test_shutdown_frees_a_reader_blocked_in_tls(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with FaultServer([Answer(STREAM_HEAD + chunk(b"one"), Fault.STALL)], tls=context) as server:
        source = kubeconfig(tmp_path, server.address, authority=str(tmp_path / "ca.crt"))
        with Transport(source) as transport:
            stream = transport.stream(GET, silence_s=60)
            first, ended = threading.Event(), threading.Event()

            def read() -> None:
                for _ in stream.chunks():
                    first.set()
                ended.set()

            reader = threading.Thread(target=read)
            reader.start()
            assert first.wait(30)
            stream.shutdown()
            assert ended.wait(30)
            reader.join(30)
