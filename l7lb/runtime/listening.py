"""Where a small server listens: the address of a flag, one thread that accepts, and an end that waits for nobody."""

import socket
import threading
from collections.abc import Callable
from typing import TypeAlias

from l7lb.errors import ConfigurationError
from l7lb.runtime.serving import Server

Make: TypeAlias = Callable[[socket.AddressFamily, tuple[str, int]], Server]
"""Raises OSError when the address is not to be had."""


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


class Listening:
    """A server at `bind` (see `parse_bind`), made when it starts."""

    def __init__(self, name: str, bind: str, make: Make) -> None:
        self.name = name
        self._address = parse_bind(bind)
        self._make = make
        self._server: Server | None = None
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

    def _bind(self, host: str, port: int) -> Server:
        everywhere = [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]  # noqa: S104 - `:port` asks for that
        places = [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)] if host else everywhere
        problem = ""
        for family, place in places:
            try:
                return self._make(family, (place, port))
            except OSError as error:
                problem = str(error)
        raise ConfigurationError(f"cannot listen on {host}:{port} for {self.name}: {problem}")
