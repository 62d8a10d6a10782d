"""A small HTTP server that says who answered: the target behind load balancers in demos and tests.

No load balancing, no health logic and no knowledge of Kubernetes belong here.
"""

import argparse
import signal
import socketserver
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, TypeAlias

PROBE_AGENT = "clb-healthcheck"
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it arrived; header names in lower case, the last of equal ones."""

    method: str
    path: str
    host: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Respond: TypeAlias = Callable[[SeenRequest], Reply]


class Backend:
    """A threaded server on ``host``; port 0 takes a free one. ``respond`` replaces the usual answer.

    ``/healthz`` answers 200 while ``healthy`` is true and 503 otherwise; requests of CLB's health checks go to
    ``probes``, all others to ``requests``.
    """

    def __init__(self, name: str, port: int = 0, host: str = "127.0.0.1", respond: Respond | None = None) -> None:
        self.name = name
        self.host = host
        self.healthy = True
        self.requests: list[SeenRequest] = []
        self.probes: list[SeenRequest] = []
        self._respond = respond or self._introduce
        self._wanted_port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on, also after ``stop``."""
        return self._wanted_port

    @property
    def address(self) -> tuple[str, int]:
        """Address and port."""
        return self.host, self.port

    def start(self) -> None:
        """Listen. Raises ``OSError`` when the port is taken."""
        if self._server is not None:
            return
        self._server = _Server((self.host, self._wanted_port), self)
        self._wanted_port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_S,), name=f"backend-{self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Refuse new connections; requests under way are answered."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.server_close()

    def answer(self, request: SeenRequest) -> Reply:
        """The answer to a request, which is also noted."""
        if request.headers.get("user-agent") == PROBE_AGENT:
            self.probes.append(request)
        else:
            self.requests.append(request)
        if request.path.partition("?")[0] == "/healthz":
            return Reply(200, b"ok\n") if self.healthy else Reply(503, b"not healthy\n")
        return self._respond(request)

    def _introduce(self, request: SeenRequest) -> Reply:
        return Reply(body=f"name={self.name} path={request.path} host={request.host}\n".encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], backend: Backend) -> None:
        self.backend = backend
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service who we are, as the parent would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up early (health checks do) is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the parent's own types are private


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 30
    server: _Server

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = SeenRequest(self.command, self.path, headers.get("host", ""), headers, self._body(headers))
        reply = self.server.backend.answer(request)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    # The parent class looks methods up by these names.
    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815
    do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", "0")))
        blocks: list[bytes] = []
        while size := int(self._line().partition(b";")[0], 16):
            blocks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(blocks)

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionAbortedError("closed inside a body")
        return line

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: tests and the demo print what matters."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.backends", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0", help="address:port; port 0 takes a free one")
    parser.add_argument("--name", default="backend", help="the name it answers with")
    options = parser.parse_args(arguments)
    host, _, port = str(options.listen).rpartition(":")
    if not host or not port.isdigit():
        parser.error(f"--listen: {options.listen!r} is not address:port")
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Backend(str(options.name), int(port), host) as backend:
        sys.stdout.write(f"{backend.name} listens on {backend.host}:{backend.port}\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
