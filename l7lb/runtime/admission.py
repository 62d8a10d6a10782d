"""A small HTTPS server for the API server's webhook calls: one path, POST, JSON in and out.

The certificate may be changed while it serves. Until there is one every connection is closed. What is answered is
decided elsewhere.
"""

import logging
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from l7lb.errors import ConfigurationError
from l7lb.runtime.probes import parse_bind

_logger = logging.getLogger(__name__)

CLIENT_TIMEOUT_S = 5.0
BODY_MAX = 4 * 1024 * 1024

Answerer = Callable[[bytes], bytes]
"""From the body to the answer's; ValueError: it is not what was expected."""


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_TIMEOUT_S
    server: "_Server"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_MAX:
            self._reply(413, b"")
            return
        body = self.rfile.read(int(length))
        try:
            self._reply(200, self.server.answerer(body))
        except ValueError as error:
            _logger.warning("a webhook call cannot be read: %s", error)
            self._reply(400, b"")
        except Exception:
            _logger.exception("a webhook call cannot be answered")
            self._reply(500, b"")

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "l7lb"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        _logger.debug("%s: %s", self.client_address[0], format % args)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], answerer: Answerer) -> None:
        self.address_family = family
        self.answerer = answerer
        self.context: ssl.SSLContext | None = None
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's own: it looks the host up in the DNS, which may hang.
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """On the connection's own thread: the handshake waits for the client."""
        assert isinstance(request, socket.socket)
        if self.context is None:
            return
        request.settimeout(CLIENT_TIMEOUT_S)
        with self.context.wrap_socket(request, server_side=True) as secure:
            _Handler(secure, client_address, self)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the parent's signature
        _logger.debug("client %s went away: %r", client_address, sys.exception())


class AdmissionServer:
    """Serves `answerer` at `bind` (see `parse_bind` of the probes)."""

    def __init__(self, name: str, bind: str, answerer: Answerer) -> None:
        self.name = name
        self._address = parse_bind(bind)
        self._answerer = answerer
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[str, int] | None:
        """Where it listens now; None when it is switched off. ConfigurationError: the address is not to be had."""
        if self._address is None:
            return None
        host, port = self._address
        family = socket.AF_INET6 if ":" in host or not host else socket.AF_INET
        try:
            self._server = _Server(family, (host or "::", port), self._answerer)
        except OSError as error:
            raise ConfigurationError(f"cannot listen on {host}:{port} for {self.name}: {error}") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name=self.name, daemon=True
        )
        self._thread.start()
        return self._server.server_name, self._server.server_port

    def show(self, certificate: bytes, key: bytes) -> None:
        """From now on use this certificate; raises ValueError when the two are none or do not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory(prefix="l7lb-") as folder:
            # The ssl module reads files only.
            both = Path(folder) / "both.pem"
            both.touch(mode=0o600)
            both.write_bytes(certificate + b"\n" + key)
            try:
                context.load_cert_chain(both)
            except ssl.SSLError as error:
                raise ValueError(f"the certificate of {self.name} is none: {error}") from error
        if self._server is not None:
            self._server.context = context

    def stop(self) -> None:
        """Close the port; answers that are being given are not waited for."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
