"""A small HTTPS server for the API server's webhook calls: one path, POST, JSON in and out.

The certificate may be changed while it serves. Until there is one every connection is closed. What is answered is
decided elsewhere.
"""

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable

from l7lb.errors import ConfigurationError
from l7lb.runtime.listening import parse_bind
from l7lb.runtime.serving import HEAD_MAX, SILENCE_S, Handler, Server

_logger = logging.getLogger(__name__)

JSON = "application/json"
BODY_MAX = 3 * 1024 * 1024
"""No API server takes a larger object."""

Answerer = Callable[[bytes], bytes]
"""From the body to the answer's; ValueError: it is not what was expected."""


class _Handler(Handler):
    request_max = HEAD_MAX + BODY_MAX
    methods = "POST"
    server: "_Server"

    def do_POST(self) -> None:  # noqa: N802 - the parent calls it so
        length = self.headers.get("Content-Length", "")
        if self.path.partition("?")[0] != "/":
            self._answer(404)
        elif self.headers.get_content_type() != JSON:
            self._answer(415)
        elif not (length.isascii() and length.isdecimal()):
            self._answer(411)
        elif len(length) > len(str(BODY_MAX)) or int(length) > BODY_MAX:
            self._answer(413)
        else:
            self._judge(self.rfile.read(int(length)))

    def _judge(self, body: bytes) -> None:
        try:
            self._answer(200, self.server.answerer(body))
        except ValueError as error:
            _logger.warning("a webhook call cannot be read: %s", ascii(str(error)[:200]))
            self._answer(400)
        except Exception:
            _logger.exception("a webhook call cannot be answered")
            self._answer(500)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.reply(status, JSON, body)


class _Server(Server):
    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], answerer: Answerer) -> None:
        self.answerer = answerer
        self.context: ssl.SSLContext | None = None
        super().__init__(family, address, _Handler)

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """On the connection's own thread: the handshake waits for the client."""
        assert isinstance(request, socket.socket)
        if self.context is None:
            return
        request.settimeout(SILENCE_S)
        with self.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secure:
            if self.wrapped(request, secure):
                secure.do_handshake()
                _Handler(secure, client_address, self)


class AdmissionServer:
    """Serves `answerer` at `bind` (see `parse_bind` of `listening`)."""

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
        # The ssl module reads files only. This one is in memory: a key does not belong on a disk, if there is any.
        handle = os.memfd_create("certificate")
        try:
            with os.fdopen(handle, "wb", closefd=False) as both:
                both.write(certificate + b"\n" + key)
            context.load_cert_chain(f"/proc/self/fd/{handle}")
        except ssl.SSLError as error:
            raise ValueError(f"the certificate of {self.name} is none: {error}") from error
        finally:
            os.close(handle)
        if self._server is not None:
            self._server.context = context

    def stop(self) -> None:
        """Close the port; answers that are being given are not waited for."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None
