"""The probe server on loopback: what it answers, and that slow clients hold up nobody."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from l7lb.errors import ConfigurationError
from l7lb.runtime import serving
from l7lb.runtime.listening import parse_bind
from l7lb.runtime.probes import ProbeServer, Routes, health_routes, metrics_routes

pytestmark = pytest.mark.system


@contextmanager
def served(routes: Routes, bind: str = "127.0.0.1:0") -> Iterator[tuple[str, int]]:
    server = ProbeServer("probes", bind, routes)
    address = server.start()
    assert address is not None
    try:
        yield address
    finally:
        server.stop()


def ask(address: tuple[str, int], path: str, method: str = "GET") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":8081", ("", 8081)),
        ("[::1]:0", ("::1", 0)),
        ("0", None),
    ],
)
def test_addresses_that_can_be_listened_on(text: str, expected: tuple[str, int] | None) -> None:
    assert parse_bind(text) == expected


@pytest.mark.parametrize("text", ["", "8080", "localhost", "localhost:http", ":70000", "::1:80", "a:-1"])
def test_other_addresses_are_configuration_errors(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no address to listen on"):
        parse_bind(text)


def test_each_probe_tells_which_check_fails() -> None:
    problems = {"caches": "ingresses: not synced"}
    routes = health_routes(live={"threads": lambda: ""}, ready={"caches": lambda: problems["caches"]})
    with served(routes) as address:
        assert ask(address, "/healthz") == (200, "text/plain; charset=utf-8", "[+] threads\nok\n")
        assert ask(address, "/livez")[0] == 200
        status, _, text = ask(address, "/readyz?verbose")
        assert (status, text) == (503, "[-] caches: ingresses: not synced\nfailed\n")
        problems["caches"] = ""
        assert ask(address, "/readyz")[0] == 200


def test_metrics_come_with_the_content_type_of_their_maker() -> None:
    with served(metrics_routes(lambda: ("text/plain; version=1.0.0", b"up 1\n"))) as address:
        assert ask(address, "/metrics") == (200, "text/plain; version=1.0.0", "up 1\n")
        assert ask(address, "/metrics", "HEAD")[2] == ""


def test_a_check_that_raises_is_a_500_and_the_server_lives_on() -> None:
    def broken() -> str:
        raise RuntimeError("bug")

    with served(health_routes(live={"broken": broken}, ready={})) as address:
        assert ask(address, "/healthz")[0] == 500
        assert ask(address, "/readyz")[0] == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/healthz", 405)])
def test_what_is_not_served_is_refused(method: str, path: str, status: int) -> None:
    with served(health_routes({}, {})) as address:
        assert ask(address, path, method)[0] == status


def test_clients_that_say_nothing_hold_up_nobody() -> None:
    with served(health_routes({}, {})) as address, ExitStack() as silent:
        for _ in range(2 * serving.CLIENTS_MAX):
            silent.enter_context(socket.create_connection(address, timeout=30))
        assert ask(address, "/healthz")[0] == 200


def test_a_server_that_is_switched_off_listens_nowhere() -> None:
    server = ProbeServer("probes", "0", {})
    assert server.start() is None
    server.stop()


def test_a_port_that_is_taken_is_a_configuration_error() -> None:
    with served({}) as (host, port):
        second = ProbeServer("metrics", f"{host}:{port}", {})
        with pytest.raises(ConfigurationError, match=f"cannot listen on {host}:{port} for metrics"):
            second.start()


def test_after_stop_the_port_is_free_again() -> None:
    with served({}) as (host, port):
        pass
    with served(health_routes({}, {}), f"{host}:{port}") as address:
        assert ask(address, "/livez")[0] == 200
