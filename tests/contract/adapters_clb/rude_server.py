"""A raw socket that answers each connection with a script: bytes to send, seconds to wait, or an end."""

import json
import socket
import threading
from collections.abc import Sequence
from typing import Self

Script = Sequence[bytes | float]
"""Bytes are sent, a number is waited for (or until the server stops); afterwards the connection is closed."""


def http(body: object, *, status: str = "200 OK", content_type: str = "application/json", extra: str = "") -> bytes:
    """A whole answer, the last of its connection: else a client may send its next request into one that just ends."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(data)}\r\n"
    return f"{head}Connection: close\r\n{extra}\r\n".encode() + data


class RudeServer:
    """`scripts[n]` is for the n-th connection, the last one for all that follow. Counts requests."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        self.closed_early = threading.Event()
        """The client has closed its side before the script ended."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # Wakes `accept`, which closing alone does not.
        socket.create_connection(self._listening.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="rude-server")  # type: ignore[arg-type]  # any callable
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        number = 0
        while True:
            connection, _ = self._listening.accept()
            if self._stopping.is_set():
                connection.close()
                return
            self._start(self._play, connection, self._scripts[min(number, len(self._scripts) - 1)])
            number += 1

    def _play(self, connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                self.requests.append(_request(connection))
                for part in script:
                    if isinstance(part, bytes):
                        connection.sendall(part)
                    elif self._wait(connection, part):
                        return
            except OSError:
                self.closed_early.set()

    def _wait(self, connection: socket.socket, seconds: float) -> bool:
        """Wait; True when the client has gone or the server stops."""
        connection.settimeout(seconds)
        try:
            if connection.recv(1) == b"":
                self.closed_early.set()
                return True
        except TimeoutError:
            return self._stopping.is_set()
        return True


def _request(connection: socket.socket) -> bytes:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < (sizes or [0])[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
