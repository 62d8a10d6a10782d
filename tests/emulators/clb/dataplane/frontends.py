"""The listening sockets: which are open, and what each of them serves. No decision about a request belongs here."""

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import Mapping

from tests.emulators.clb.dataplane.certificates import CertificateStore, server_context
from tests.emulators.clb.dataplane.prober import Spawn
from tests.emulators.clb.dataplane.proxy import Frontend, Services
from tests.emulators.clb.dataplane.routes import ListenerRoutes, certificate_for
from tests.emulators.clb.dataplane.served import Address

_BACKLOG = 512
_HANDSHAKE_S = 10.0
_TLS_GOODBYE_S = 2.0


class Frontends:
    """Open sockets by address. Used by the event loop's thread only."""

    def __init__(self, services: Services, certificates: CertificateStore, spawn: Spawn) -> None:
        self._services = services
        self._certificates = certificates
        self._spawn = spawn
        self._open: dict[Address, tuple[Frontend, asyncio.Server]] = {}
        _allow_many_sockets()

    def swap(self, wanted: Mapping[Address, ListenerRoutes]) -> None:
        """Give open sockets their new routes, close those that are not wanted; in one go, without ``await``."""
        for address, (frontend, server) in tuple(self._open.items()):
            routes = wanted.get(address)
            if routes is not None and routes.listener.protocol == frontend.routes.listener.protocol:
                frontend.routes = routes
                continue
            server.close()
            frontend.retire()
            del self._open[address]

    async def open(self, wanted: Mapping[Address, ListenerRoutes]) -> dict[Address, str]:
        """Open what is wanted and not open yet; returns the addresses that cannot be served, with the reason."""
        problems: dict[Address, str] = {}
        for address in sorted(wanted.keys() - self._open.keys()):
            frontend = Frontend(wanted[address], self._services)
            try:
                self._open[address] = (frontend, await self._start(address, frontend))
            except (OSError, OverflowError) as error:
                problems[address] = str(error)
        return problems

    def close(self) -> None:
        """Close all listening sockets."""
        self.swap({})

    async def _start(self, address: Address, frontend: Frontend) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._spawn(frontend.serve(reader, writer))

        limit = self._services.limits.head_bytes
        listening = _listen(address)
        if frontend.routes.listener.protocol == "HTTP":
            return await asyncio.start_server(accept, sock=listening, limit=limit)
        return await asyncio.start_server(
            accept,
            sock=listening,
            limit=limit,
            ssl=self._tls(frontend),
            ssl_handshake_timeout=_HANDSHAKE_S,
            ssl_shutdown_timeout=_TLS_GOODBYE_S,
        )

    def _tls(self, frontend: Frontend) -> ssl.SSLContext:
        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
            # Also called for clients that send no name, so the certificate is always that of the routes of now.
            certificate_id = certificate_for(frontend.routes, name)
            if certificate_id is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._certificates.context(certificate_id)
            return None

        context = server_context()
        context.sni_callback = choose
        return context


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only then
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _allow_many_sockets() -> None:
    """A thousand load balancers have more listeners than the usual soft limit allows open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (soft < hard or hard == resource.RLIM_INFINITY):
        with contextlib.suppress(ValueError, OSError):  # a sandbox may forbid it; then the limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
