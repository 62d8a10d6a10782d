"""A small HTTP server for the kubelet and for Prometheus: /healthz, /livez, /readyz, /metrics.

Answers are computed by callables that others bring. No client, however slow, may hold up another: when there are too
many, the oldest is cut off. Anything that changes state does not belong here.
"""

import contextlib
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from l7lb.errors import ConfigurationError

_logger = logging.getLogger(__name__)

CLIENT_TIMEOUT_S = 5.0
"""How long a client may be silent."""
CLIENTS_MAX = 32

Check = Callable[[], str]
"""What is wrong, in words; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[], Answer]]


def parse_bind(text: str) -> tuple[str, int] | None:
    """`host:port`, `[v6]:port` or `:port` (everywhere); port 0 is any free one; `0` alone is off.

    Raises ConfigurationError for anything else.
    """
    if text == "0":
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535 or (":" in host and not host.startswith("[")):
        raise ConfigurationError(f"{text!r} is no address to listen on: want host:port, :port, or 0 for none")
    return host.strip("[]"), int(port)


def health_routes(live: Mapping[str, Check], ready: Mapping[str, Check]) -> Routes:
    """/healthz and /livez fail when one of `live` does, /readyz when one of `ready` does."""
    return {
        "/healthz": lambda: _checked(live),
        "/livez": lambda: _checked(live),
        "/readyz": lambda: _checked(ready),
    }


def metrics_routes(render: Callable[[], tuple[str, bytes]]) -> Routes:
    """/metrics; `render` gives the content type and the body."""

    def answer() -> Answer:
        content_type, body = render()
        return Answer(200, content_type, body)

    return {"/metrics": answer}


def _checked(checks: Mapping[str, Check]) -> Answer:
    problems = {name: check() for name, check in checks.items()}
    lines = [f"[-] {name}: {problem}" if problem else f"[+] {name}" for name, problem in problems.items()]
    failed = any(problems.values())
    text = "\n".join([*lines, "failed" if failed else "ok", ""])
    return Answer(503 if failed else 200, "text/plain; charset=utf-8", text.encode())


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_TIMEOUT_S
    server: "_Server"

    def do_GET(self) -> None:
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            answer = Answer(404, "text/plain; charset=utf-8", b"not found\n")
        else:
            try:
                answer = route()
            except Exception:
                _logger.exception("cannot answer %s", self.path)
                answer = Answer(500, "text/plain; charset=utf-8", b"internal error\n")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def version_string(self) -> str:
        return "l7lb"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        _logger.debug("%s: %s", self.client_address[0], format % args)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], routes: Routes) -> None:
        self.address_family = family
        self.routes = routes
        self._clients: dict[socket.socket, None] = {}
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Not HTTPServer's own: it looks the host up in the DNS, which may hang.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            if len(self._clients) >= CLIENTS_MAX:
                self._cut(next(iter(self._clients)))
            self._clients[request] = None
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        assert isinstance(request, socket.socket)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._clients.pop(request, None)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the parent's signature
        _logger.debug("client %s went away: %r", client_address, sys.exception())

    def _cut(self, client: socket.socket) -> None:
        del self._clients[client]
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


class ProbeServer:
    """Serves `routes` at `bind` (see `parse_bind`)."""

    def __init__(self, name: str, bind: str, routes: Routes) -> None:
        self.name = name
        self._address = parse_bind(bind)
        self._routes = routes
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[str, int] | None:
        """Where it listens now; None when it is switched off. ConfigurationError: the address is not to be had."""
        if self._address is None:
            return None
        self._server = self._bind(*self._address)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name=self.name, daemon=True
        )
        self._thread.start()
        return self._server.server_name, self._server.server_port

    def stop(self) -> None:
        """Close the port; answers that are being given are not waited for."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def _bind(self, host: str, port: int) -> _Server:
        everywhere = [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]  # noqa: S104 - `:port` asks for that
        places = [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)] if host else everywhere
        problem = ""
        for family, place in places:
            try:
                return _Server(family, (place, port), self._routes)
            except OSError as error:
                problem = str(error)
        raise ConfigurationError(f"cannot listen on {host}:{port} for {self.name}: {problem}")
