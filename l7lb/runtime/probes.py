"""A small HTTP server for the kubelet and for Prometheus: /healthz, /livez, /readyz, /metrics.

Answers are computed by callables that others bring. Anything that changes state does not belong here.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l7lb.errors import ConfigurationError
from l7lb.runtime.serving import Handler, Server

_logger = logging.getLogger(__name__)

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


class _Handler(Handler):
    server: "_Server"

    def do_GET(self) -> None:  # noqa: N802 - the parent calls it so
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            answer = Answer(404, "text/plain; charset=utf-8", b"not found\n")
        else:
            try:
                answer = route()
            except Exception:
                _logger.exception("cannot answer %s", ascii(self.path[:100]))
                answer = Answer(500, "text/plain; charset=utf-8", b"internal error\n")
        self.reply(answer.status, answer.content_type, answer.body)

    def do_HEAD(self) -> None:  # noqa: N802 - the parent calls it so
        self.do_GET()


class _Server(Server):
    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], routes: Routes) -> None:
        self.routes = routes
        super().__init__(family, address, _Handler)


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
