"""The emulator behind a socket: a small threaded HTTP/1.1 server with keep-alive. No judgement belongs here."""

import gzip
import socket
import ssl
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.wire import Request, Response

TICK_S = 0.02
"""How often due tasks are ended without a call, so that the data plane follows."""


class ClbServer:
    """``ClbServer(ClbEmulator()).start().url``; ``stop`` ends every connection and thread. Port 0 is ephemeral."""

    def __init__(
        self, emulator: ClbEmulator, port: int = 0, *, host: str = "127.0.0.1", tls: tuple[str, str] | None = None
    ) -> None:
        """``tls``: files with the certificate chain and the key."""
        self.emulator = emulator
        self._http = _HttpServer((host, port), emulator)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._threads = [threading.Thread(target=self._http.serve_forever, args=(TICK_S,), name="clb-emulator")]
        if emulator.gateway.data_plane is not None:
            self._threads.append(threading.Thread(target=self._tick, name="clb-emulator-tick"))

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.endpoint}"

    @property
    def endpoint(self) -> str:
        """``host:port``, as ``HttpProfile.endpoint`` wants it."""
        host, port = self._http.server_address[:2]
        return f"{host!s}:{port}"

    def start(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._http.stopping.set()
        self._http.shutdown()
        self._http.close_connections()
        self._http.server_close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _tick(self) -> None:
        while not self._http.stopping.wait(TICK_S):
            self.emulator.gateway.settle()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], emulator: ClbEmulator) -> None:
        self.emulator = emulator
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def opened(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._open_lock:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A defect of the emulator: shown on stderr and kept for tests."""
        self.emulator.gateway.defects.append(traceback.format_exc())
        super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed narrows the request

    def close_connections(self) -> None:
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            cut(connection)


def cut(connection: socket.socket) -> None:
    """End a connection in both directions; one that has ended already is fine."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _HttpServer

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.emulator.cloud.switches.idle_connection_s)
        self.server.opened(self.connection)

    def handle(self) -> None:
        """A client that goes away in the middle is no event."""
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def finish(self) -> None:
        self.server.closed(self.connection)
        try:
            super().finish()
        except OSError:
            self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        response = self.server.emulator.handle(request)
        if response.delay_s:
            self.server.stopping.wait(response.delay_s)
        if response.dropped:
            self.close_connection = True
            cut(self.connection)
            return
        self._send(response, accepts_gzip="gzip" in request.header("Accept-Encoding"))

    def _send(self, response: Response, *, accepts_gzip: bool) -> None:
        body = response.body
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        if accepts_gzip and self.server.emulator.cloud.switches.gzip_answers:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_POST = _serve  # noqa: N815 - the names are the base class's
    do_GET = _serve  # noqa: N815
    do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the call log says more."""
