"""A thin HTTP server in front of `handle(request)`: sockets, TLS, chunks, and a door that can be shut for a while.

It knows nothing of Kubernetes.
"""

import base64
import http.client
import select
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.emulators.kube.faults import Hang
from tests.emulators.kube.wire import ConnectionLost, Request, Response, Stream

Handle = Callable[[Request], Response]


@dataclass(frozen=True)
class Tls:
    """Files of the server's certificate (with what signed it, if not itself) and key."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        """The server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def authority_data(self) -> str:
        """What clients trust, as a kubeconfig holds it."""
        return base64.b64encode((self.authority or self.certificate).read_bytes()).decode()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handle: Handle, tls: Tls | None) -> None:
        self.handle = handle
        self.context = tls.context() if tls else None
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._guard:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A reader that goes away is no news; anything else is a bug of ours.
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()

    def close_all(self) -> None:
        """Stop taking connections and cut those that are open."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._guard:
            for connection in self._open:
                _cut(connection)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The other side was faster.


class KubeServer:
    """The door: opens on a port, shuts, and can be shut for a while."""

    def __init__(self, handle: Handle, tls: Tls | None = None) -> None:
        self.tls = tls
        self._handle = handle
        self._address = ("127.0.0.1", 0)
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None
        self._opener: threading.Timer | None = None

    @property
    def url(self) -> str:
        """Where the door is, also while it is shut."""
        host, port = self._address
        return f"{'https' if self.tls else 'http'}://{host}:{port}"

    def start(self, host: str, port: int) -> None:
        """Open the door."""
        self._address = (host, port)
        self._open()

    def _open(self) -> None:
        listener = _Listener(self._address, self._handle, self.tls)
        self._address = (self._address[0], listener.server_address[1])
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, args=(0.05,), name="kube-emulator", daemon=True)
        self._thread.start()

    def _shut(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            listener.close_all()
        if self._thread:
            self._thread.join()

    def outage(self, seconds: float) -> None:
        """Shut the door now, from a thread of its own, and open it again later."""
        self._opener = threading.Timer(seconds, self._open)
        self._opener.daemon = True
        threading.Thread(target=self._begin_outage, name="kube-emulator-outage", daemon=True).start()

    def _begin_outage(self) -> None:
        self._shut()
        if self._opener:
            self._opener.start()

    def stop(self) -> None:
        """Shut the door for good."""
        if self._opener:
            self._opener.cancel()
        self._shut()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = None
    server: _Listener

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(10)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def log_message(self, *_: Any) -> None:
        """Requests are logged by the emulator."""

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length") or 0)
        body = self._chunked_body() if headers.get("transfer-encoding", "") == "chunked" else self.rfile.read(length)
        try:
            request = Request.of(self.command, self.path, body, headers)
            response = self.server.handle(replace(request, peer=str(self.client_address[0])))
            self._send(response)
        except Hang as hang:
            self.server.stopping.wait(hang.seconds)
            self.close_connection = True
        except ConnectionError:
            # Ordered by a fault, or the reader has gone: either way there is nobody to tell.
            self.close_connection = True
            _cut(self.connection)

    def _chunked_body(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST and so on.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _send(self, response: Response) -> None:
        headers = dict(response.headers)
        if response.stream is None:
            headers["Content-Length"] = str(len(response.body))
        else:
            headers["Transfer-Encoding"] = "chunked"
        phrase = http.client.responses.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)
        if response.stream is not None:
            self._send_stream(response.stream)

    def _send_stream(self, stream: Stream) -> None:
        try:
            for line in stream.wait():
                if line:
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                elif self._reader_is_gone():
                    raise ConnectionLost
            self.wfile.write(b"0\r\n\r\n")
        finally:
            stream.close()

    def _reader_is_gone(self) -> bool:
        if self.server.stopping.is_set():
            return True
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        if isinstance(self.connection, ssl.SSLSocket):
            return True  # A reader of a watch sends nothing but its farewell.
        return not self.connection.recv(1, socket.MSG_PEEK)
