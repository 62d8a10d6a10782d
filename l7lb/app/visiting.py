"""The console as a part of the process: its server, and who may speak to it.

It has no log-in: whoever reaches the address sees the pages. What a browser of somebody else could be made to fetch is
refused by the name it asks for.
"""

import logging
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from l7lb import __version__
from l7lb.app.caches import Caches
from l7lb.app.config import Config
from l7lb.app.connections import Connections
from l7lb.app.drawing import Healths
from l7lb.app.glancing import Glances
from l7lb.app.leadership import Leadership
from l7lb.app.portraying import Portrayer, Studio
from l7lb.app.pulses import Pulses, ask_pulses
from l7lb.app.rounds import Rounds
from l7lb.app.watching import Watching
from l7lb.console.site import TEXT, Console, Page, Visit
from l7lb.model.identity import CloudRef, Cluster, ListenerId
from l7lb.model.lane import Lane
from l7lb.model.portrait import Standing
from l7lb.reconciler.checkups import checkup
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Elector
from l7lb.runtime.lifecycle import Died
from l7lb.runtime.listening import Listening
from l7lb.runtime.serving import Handler, Server

_logger = logging.getLogger(__name__)

FLAG: Final = "--console-bind-address"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_PRIVATE: Final = re.compile(r"[a-z0-9-]+|(?:[a-z0-9-]+\.)+(?:svc|svc\.cluster\.local|localhost|internal)", re.ASCII)
"""Names that nobody can register in the public DNS."""


def is_private(host: str) -> bool:
    """Whether a Host header names what no stranger's domain can be pointed at: an address, or a name of a cluster."""
    name = host.lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    try:
        ip_address(name)
    except ValueError:
        return _PRIVATE.fullmatch(name) is not None
    return True


class _Handler(Handler):
    server: "_Server"

    def do_GET(self) -> None:  # noqa: N802 - the parent calls it so
        page = self._page()
        self.reply(page.status, page.content_type, page.body, **{**HEADERS, **page.headers})

    def do_HEAD(self) -> None:  # noqa: N802 - the parent calls it so
        self.do_GET()

    def _page(self) -> Page:
        if not is_private(self.headers.get("Host", "localhost")):
            return Page(421, TEXT, b"open the console by localhost or by its address\n")
        path, _, query = self.path.partition("?")
        try:
            return self.server.answer(Visit(path, query, self.headers.get("Accept", "")))
        except Exception:
            _logger.exception("cannot answer %s", ascii(self.path[:100]))
            return Page(500, TEXT, b"internal error; the log says more\n")


class _Server(Server):
    def __init__(self, family: socket.AddressFamily, address: tuple[str, int], answer: Callable[[Visit], Page]) -> None:
        self.answer = answer
        super().__init__(family, address, _Handler)


class ConsoleServer:
    """A part of the lifecycle."""

    name = "console"
    only_after_drain = False

    def __init__(self, bind: str, answer: Callable[[Visit], Page]) -> None:
        self.place: tuple[str, int] | None = None
        """Where it listens, while it does."""
        self._listening = Listening(FLAG, bind, lambda family, place: _Server(family, place, answer))

    def start(self, died: Died) -> None:  # noqa: ARG002 - threads of its own
        """Raises ConfigurationError when the address is not to be had."""
        self.place = self._listening.start()
        if self.place is not None:
            host, port = self.place
            _logger.info("serving the console on %s:%d", f"[{host}]" if ":" in host else host, port)

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 - it waits for nobody
        """Close the port."""
        self._listening.stop()
        return True


@dataclass(frozen=True, slots=True)
class Scene:
    """The parts of the process that the console looks at."""

    watching: Watching
    connections: Connections
    leadership: Leadership
    elector: Elector
    clock: Clock
    cluster: Callable[[], Cluster]

    def standing(self) -> Standing:
        """What this process may do, and why not more."""
        gate, term, informers = self.watching.gate.standing(), self.leadership.term, self.watching.informers
        holds = self.elector.holds(self.clock.monotonic())
        return Standing(
            cluster=self.cluster().id,
            region=self.watching.settings.region,
            version=__version__,
            leading=term is not None and holds,
            leader=self.elector.identity if holds else self.elector.awaited,
            gate_open=gate.open,
            gate=gate.reason,
            doubt=term.doubt.words if term is not None else "",
            lacking=self.leadership.problem if informers.synced() else f"not synced: {informers.lacking()}",
        )

    def health(self, ref: CloudRef) -> Healths:
        """One call, on the budget of the lowest lane."""
        found = checkup(self.connections.cloud.at(Lane.VERIFY), (ref,))
        return {(listener, rule): targets for (_, listener, rule), targets in found.items()}

    def pulses(self, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> Pulses:
        """One call for thirty, on the budget of the lowest lane."""
        return ask_pulses(self.connections.cloud.at(Lane.VERIFY), wanted)


def portrayer(scene: Scene) -> Portrayer:
    """Portraits of the running process."""
    watching, clock = scene.watching, scene.clock
    caches = Caches(
        watching.stores,
        Cluster(watching.settings.cluster_id),
        unread=watching.informers.unread,
        wall=clock.time,
        service_exists=lambda _key: True,
        unread_secrets=watching.informers.unread_secrets,
    )
    studio = Studio(
        cluster=scene.cluster,
        settings=watching.settings,
        stores=watching.stores,
        caches=caches,
        term=lambda: scene.leadership.term,
        standing=scene.standing,
        glances=Glances(scene.health, clock),
        rounds=Rounds(scene.pulses, clock),
        clock=clock,
    )
    return Portrayer(studio)


def part(config: Config, *seen: Any) -> ConsoleServer:
    """The one that the flag asks for; `seen` are the parts of a `Scene`."""
    scene = Scene(*seen)
    return ConsoleServer(config.console_bind_address, Console(portrayer(scene)).answer)
