"""An HTTP server on a raw socket that can do what no well-meant mock can: cut, stall, reset, and lie about lengths."""

import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self


class Fault(Enum):
    """What may follow the bytes of an answer."""

    CLOSE = "close the connection"
    RESET = "close it with RST"
    STALL = "say nothing more until the server ends"


@dataclass(frozen=True)
class Answer:
    """Bytes for one request, then a fault or, with None, the next request on the same connection."""

    data: bytes
    then: Fault | None = None


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]


def reply(body: bytes, status: str = "200 OK", **headers: str) -> Answer:
    """A well-formed answer with Content-Length."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return Answer(head.encode() + body)


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    """A whole chunked answer with its head."""
    return STREAM_HEAD + b"".join(chunk(piece) for piece in pieces) + (b"0\r\n\r\n" if end else b"")


@dataclass
class FaultServer:
    """Answers requests in the order of `answers`; afterwards the last one again and again."""

    answers: Sequence[Answer]
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._served = 0
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"{'https' if self.tls else 'http'}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # closed by the script already
        for thread in list(self._threads):
            thread.join(5)
        self._socket.close()

    def _start(self, run: object, *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)  # type: ignore[arg-type]  # both are methods
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._connections.append(connection)
        with connection, connection.makefile("rb") as stream:
            try:
                while request := self._read(stream):
                    with self._lock:
                        self.seen.append(request)
                        answer = self.answers[min(self._served, len(self.answers) - 1)]
                        self._served += 1
                    connection.sendall(answer.data)
                    if answer.then is Fault.STALL:
                        self._ended.wait(30)
                    if answer.then is Fault.RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    if answer.then is not None:
                        return
            except OSError:
                return

    @staticmethod
    def _read(stream: object) -> Seen | None:
        readline = stream.readline  # type: ignore[attr-defined]  # a BufferedReader
        line = readline().decode("latin-1").rstrip("\r\n")
        if not line:
            return None
        headers: dict[str, str] = {}
        while header := readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))  # type: ignore[attr-defined]  # likewise
        return Seen(line, headers, body)
