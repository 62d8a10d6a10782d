"""The emulator as a process of its own, with TLS, and with the data plane behind it."""

import http.client
import http.server
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.contract.clb.account import Account
from tests.contract.clb.conftest import Emulate
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

pytestmark = pytest.mark.system


def free_offset() -> int:
    """An offset with which listener port 80 of the first load balancer is free."""
    with socket.socket() as probe:
        probe.bind(("127.80.0.1", 0))
        return int(probe.getsockname()[1]) - 80


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"hello")

    do_HEAD = do_GET  # noqa: N815 - the name is the base class's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def backend() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Hello)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def get(address: str, port: int, host: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, port, timeout=30)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_a_load_balancer_that_was_built_can_be_asked(emulate: Emulate) -> None:
    offset = free_offset()
    plane = DataPlane(offset, probe_scale=0.01)
    try:
        with backend() as port:
            account = emulate(data_plane=plane)
            lb = account.create()
            listener = account.listener(lb)
            check = {"IntervalTime": 5, "TimeOut": 2, "HealthNum": 2}
            (rule,) = account.rules(lb, listener, "a.example.com/", HealthCheck=check)
            account.bind(lb, listener, rule, port, EniIp="127.0.0.1")
            assert plane.wait_for_health((lb, listener, rule), ("127.0.0.1", port), "Alive", 5.0)

            state = account.control("GET", "/state")
            address = state["load_balancers"][0]["address"]
            health = account.clb("DescribeTargetHealth", LoadBalancerIds=[lb])["LoadBalancers"][0]

            assert get(address, 80 + offset, "a.example.com") == (200, b"hello")
            assert health["Listeners"][0]["Rules"][0]["Targets"][0]["HealthStatusDetail"] == "Alive"
            assert (state["data_plane_problems"], state["defects"]) == ({}, [])
            account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])
            with pytest.raises(ConnectionError):
                get(address, 80 + offset, "a.example.com")
    finally:
        plane.stop()


def test_a_task_ends_in_the_data_plane_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    plane = DataPlane(free_offset())
    server = ClbServer(ClbEmulator(data_plane=plane, latency=0.2, rate_limits={"*": 0})).start()
    account = Account(server)
    try:
        (lb,) = account.clb("CreateLoadBalancer", **account.creation())["LoadBalancerIds"]
        served = threading.Event()
        real = plane.apply

        def apply(views: Any) -> None:
            real(views)
            if any(view.id == lb for view in views):
                served.set()

        monkeypatch.setattr(plane, "apply", apply)
        assert served.wait(30.0)
    finally:
        account.close()
        server.stop()
        plane.stop()


@contextmanager
def process(*arguments: str) -> Iterator[str]:
    """The emulator as a child process; gives the line with which it says that it is ready."""
    command = [sys.executable, "-m", "tests.emulators.clb", "--port", "0", "--no-data-plane", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
        child.terminate()
        assert child.wait(30) == 0


def test_the_process_says_when_it_is_ready_and_ends_when_told() -> None:
    with process("--seed", "4", "--switches", '{"create_ids": "null"}') as line:
        assert line.startswith("listening on http://127.0.0.1:")
        connection = http.client.HTTPConnection(line.rpartition("/")[2], timeout=30)
        connection.request("GET", "/_emulator/state")
        state = json.loads(connection.getresponse().read())
        connection.close()

    assert (state["seed"], state["switches"]["create_ids"]) == (4, "null")


def test_the_api_can_be_served_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("127.0.0.1")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    with process("--tls-cert", str(certificate), "--tls-key", str(key)) as line:
        assert line.startswith("listening on https://")
        connection = http.client.HTTPSConnection(line.rpartition("/")[2], timeout=30, context=context)
        connection.request("POST", "/", b"{}", {"X-TC-Action": "DescribeLoadBalancers"})
        decoded = json.loads(connection.getresponse().read())
        connection.close()

    assert decoded["Response"]["Error"]["Code"] == "AuthFailure.InvalidAuthorization"
