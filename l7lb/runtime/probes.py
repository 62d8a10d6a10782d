"""A small HTTP server for the kubelet and for Prometheus: /healthz, /livez, /readyz, /metrics.

Answers are computed by callables that others bring. Anything that changes state does not belong here.
"""

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l7lb.runtime.listening import Listening
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


class ProbeServer(Listening):
    """Serves `routes` at `bind` (see `parse_bind`)."""

    def __init__(self, name: str, bind: str, routes: Routes) -> None:
        super().__init__(name, bind, lambda family, place: _Server(family, place, routes))
