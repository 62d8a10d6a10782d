"""The small backend that demos and tests put behind load balancers."""

import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.contract.dataplane.support import Client
from tests.emulators.backends import PROBE_AGENT, Backend


def test_backend_says_who_it_is_and_notes_what_it_saw() -> None:
    with Backend("web-1") as backend, Client(backend.host, backend.port) as client:
        assert client.get("/a?b=1", "shop").body == b"name=web-1 path=/a?b=1 host=shop\n"
        assert client.get("/healthz", headers={"User-Agent": PROBE_AGENT}).status == 200
        backend.healthy = False
        assert client.get("/healthz", headers={"User-Agent": PROBE_AGENT}).status == 503
    assert ([seen.path for seen in backend.requests], len(backend.probes)) == (["/a?b=1"], 2)


def test_stopped_backend_refuses_and_may_start_again_on_its_port() -> None:
    backend = Backend("web-1")
    backend.start()
    port = backend.port
    backend.stop()
    with Client(backend.host, port) as client, pytest.raises(ConnectionRefusedError):
        client.get()
    with backend, Client(backend.host, port) as client:
        assert (backend.port, client.get().name) == (port, "web-1")


@pytest.mark.system
def test_backend_runs_as_a_command() -> None:
    command = [sys.executable, "-m", "tests.emulators.backends", "--listen", "127.0.0.1:0", "--name", "web-7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"http://{address}/x", timeout=30) as answer:
            assert answer.read().startswith(b"name=web-7 path=/x ")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
