"""What the small servers of the process share: one request a connection, and no client, however bad, costs much.

A connection has a time and a size after which it is cut, and when there are too many the oldest is. What is answered,
and whether there is TLS, is decided elsewhere.
"""

import contextlib
import logging
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, Final

from l7lb.runtime.clock import SystemClock

_logger = logging.getLogger(__name__)
_CLOCK: Final = SystemClock()

SILENCE_S = 5.0
"""How long a client may say nothing."""
CONNECTION_S = 10.0
"""How long a connection may last, however busy: a request is a few packets."""
CLIENTS_MAX = 32
THREADS_MAX = 4 * CLIENTS_MAX
"""Who is cut while an answer is made leaves its thread behind until then: of these, too, there are only so many."""
HEAD_MAX = 16 * 1024
"""Bytes of a request without its body."""


class _Metered:
    """So many bytes can be read of a connection and no more."""

    def __init__(self, inner: IO[bytes], most: int) -> None:
        self._inner = inner
        self._left = most

    def readline(self, limit: int = -1) -> bytes:
        return self._counted(self._inner.readline(min(limit, self._left + 1) if limit >= 0 else self._left + 1))

    def read(self, size: int) -> bytes:
        return self._counted(self._inner.read(min(size, self._left + 1)))

    def close(self) -> None:
        self._inner.close()

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise ValueError("the request is too long")
        return piece


class Handler(BaseHTTPRequestHandler):
    """One request. A subclass has `do_GET` and the like, and answers with `reply`."""

    timeout = SILENCE_S
    request_max = HEAD_MAX
    """Bytes of a whole request."""
    methods = "GET, HEAD"

    def setup(self) -> None:
        """Count what comes in."""
        super().setup()
        self.rfile: Any = _Metered(self.rfile, self.request_max)

    def parse_request(self) -> bool:
        """HTTP/0.9 has no headers, and nobody speaks it."""
        if not super().parse_request():
            return False
        if self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
            self.reply(HTTPStatus.BAD_REQUEST, "text/plain; charset=utf-8", b"bad request\n")
            return False
        return True

    def reply(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        """The answer; the connection ends with it."""
        self.log_request(status)
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def send_error(self, code: int, *_: object, **__: object) -> None:
        """What the parent finds wrong; nothing of the request is repeated."""
        if self.request_version == "HTTP/0.9":
            self.request_version = "HTTP/1.0"
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self.reply(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", b"not allowed\n", Allow=self.methods)
        else:
            self.reply(code, "text/plain; charset=utf-8", HTTPStatus(code).phrase.lower().encode() + b"\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """At DEBUG, and with what a client says made harmless."""
        _logger.debug("%s: %s", self.client_address[0], ascii(format % args))


class Server(ThreadingHTTPServer):
    """A thread a connection, at most `CLIENTS_MAX` of them."""

    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], handler: type[Handler]) -> None:
        """Raises OSError when the address is not to be had."""
        self.address_family = family
        self._clients: dict[socket.socket, tuple[socket.socket, float]] = {}
        self._lock = threading.Lock()
        self._alive = 0
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Not HTTPServer's own: it looks the host up in the DNS, which may hang."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Make room, then as the parent; where there is none to be made, the client is turned away."""
        assert isinstance(request, socket.socket)
        with self._lock:
            is_full = self._alive >= THREADS_MAX
            if not is_full:
                self._alive += 1
                if len(self._clients) >= CLIENTS_MAX:
                    self._cut(next(iter(self._clients)))
                self._clients[request] = request, _CLOCK.monotonic()
        if is_full:
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._forget(request)
            raise

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """As the parent, and it is forgotten at its end."""
        assert isinstance(request, socket.socket)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def wrapped(self, request: socket.socket, secure: socket.socket) -> bool:
        """From now on the connection is this socket; False: it has been cut already."""
        with self._lock:
            if request not in self._clients:
                return False
            self._clients[request] = secure, self._clients[request][1]
            return True

    def service_actions(self) -> None:
        """Called about ten times a second: cut what lasts too long."""
        before = _CLOCK.monotonic() - CONNECTION_S
        with self._lock:
            for request in [one for one, (_, since) in self._clients.items() if since < before]:
                self._cut(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the parent's signature
        """A client that breaks off is no news."""
        _logger.debug("client %s went away: %r", client_address, sys.exception())

    def _forget(self, request: socket.socket) -> None:
        with self._lock:
            self._alive -= 1
            self._clients.pop(request, None)

    def _cut(self, request: socket.socket) -> None:
        current, _ = self._clients.pop(request)
        with contextlib.suppress(OSError):
            # Not SSLSocket's own, which also drops its TLS object while the other thread reads.
            socket.socket.shutdown(current, socket.SHUT_RDWR)
