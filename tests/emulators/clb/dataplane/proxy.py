"""One client connection: reads requests, routes them, has each sent to exactly one target, passes the answer back.

Which rule, target and answer are decided in ``routes`` and ``balancing``; this module keeps the order and counts.
"""

import asyncio
from dataclasses import dataclass, replace

from tests.emulators.clb.dataplane import http1
from tests.emulators.clb.dataplane.balancing import Balancer, eligible_targets, key_of, session_token
from tests.emulators.clb.dataplane.counters import Counters, Origin, Outcome
from tests.emulators.clb.dataplane.http1 import Header, MalformedMessage, ResponseHead
from tests.emulators.clb.dataplane.prober import Prober
from tests.emulators.clb.dataplane.routes import Answer, Forward, ListenerRoutes, route
from tests.emulators.clb.dataplane.streams import (
    ClientFailed,
    Failure,
    Limits,
    Peer,
    TargetFailed,
    discard_body,
    send_body,
)
from tests.emulators.clb.dataplane.upstream import Exchange, connect, expects_continue, read_answer, send_request
from tests.emulators.clb.dataplane.views import RuleView, TargetView

SESSION_COOKIE = "tgw_l7_route"
_CLIENT_GONE = 499  # nginx's own number, never sent
_CLIENT_STATUS: dict[Failure, int] = {"slow": 408, "large": 431, "malformed": 400, "gone": _CLIENT_GONE}
_LINGER_S = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What all connections share."""

    balancer: Balancer
    prober: Prober
    counters: Counters
    limits: Limits
    port_offset: int
    loopback_only: bool


class Frontend:
    """One listening address: the routes served there now, and the connections that came in."""

    def __init__(self, routes: ListenerRoutes, services: Services) -> None:
        self.routes = routes
        self.services = services
        self.retired = False
        self._connections: set[ClientConnection] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        peer = Peer(reader, writer, ClientFailed, self.services.limits.body_s)
        address = writer.get_extra_info("peername")
        connection = ClientConnection(self, peer, str(address[0]) if address else "")
        self._connections.add(connection)
        try:
            await connection.run()
        except asyncio.CancelledError:
            peer.abort()
            raise
        finally:
            self._connections.discard(connection)
            peer.close()

    def retire(self) -> None:
        """Close idle connections now, the others after the request under way."""
        self.retired = True
        for connection in self._connections:
            if connection.idle:
                connection.peer.close()


class ClientConnection:
    """A client's connection; several requests follow each other on it."""

    def __init__(self, frontend: Frontend, peer: Peer, client_ip: str) -> None:
        self.peer = peer
        self.idle = True
        self._frontend = frontend
        self._services = frontend.services
        self._client_ip = client_ip
        self._answered = False
        self._outcome: Outcome | None = None
        self._unread = False

    async def run(self) -> None:
        """Serve requests until one side has had enough."""
        limits = self._services.limits
        wait_s = limits.head_s
        try:
            while begun := await self.peer.begin(wait_s):
                self.idle = self._answered = False
                self._outcome = None
                keep = await self._serve(await self.peer.head(begun, limits.head_s))
                if not keep or self._frontend.retired:
                    break
                self.idle = True
                wait_s = limits.keep_alive_s
            if self._unread:
                await self.peer.linger(limits.discard_bytes, _LINGER_S)
        except ClientFailed as failure:
            await self._dismiss(failure)

    async def _dismiss(self, failure: ClientFailed) -> None:
        """Tell a client that failed inside a request, if it can still be told."""
        if self.idle:
            return
        status = self._blame(failure)
        if self._outcome is None:
            self._count(None, status)
        if status == _CLIENT_GONE:
            self.peer.abort()
            return
        try:
            await self._answer(status, keep=False)
        except ClientFailed:
            self.peer.abort()

    def _blame(self, failure: ClientFailed) -> int:
        """The status of a request that the client spoilt; one that has its answer already gets no second one."""
        return _CLIENT_GONE if self._answered else _CLIENT_STATUS[failure.kind]

    async def _serve(self, head: bytes) -> bool:
        """Serve one request; True when another may follow."""
        try:
            request = http1.parse_request(head)
            framing = http1.request_framing(request)
        except MalformedMessage as malformed:
            self._count(None, malformed.status)
            await self._answer(malformed.status, keep=False)
            self._unread = True
            return False
        exchange = Exchange(self._frontend.routes, request, framing, self._client_ip)
        match route(exchange.routes, request.host, request.uri, self._services.port_offset):
            case Answer(status, location, rule):
                exchange = replace(exchange, rule=rule)
                self._count(exchange, status)
                return await self._reply(exchange, status, location)
            case Forward(rule):
                return await self._forward(replace(exchange, rule=rule), rule)

    async def _forward(self, exchange: Exchange, rule: RuleView) -> bool:
        services, key = self._services, exchange.rule_key
        session = http1.cookie(exchange.request.headers, SESSION_COOKIE)
        candidates = eligible_targets(rule.targets, lambda target: services.prober.status((key, key_of(target))))
        target = services.balancer.choose(key, rule, candidates, (self._client_ip, session))
        if target is None:
            self._count(exchange, 503)
            return await self._reply(exchange, 503)
        exchange = replace(exchange, target=target)
        services.balancer.began(key, target)
        try:
            return await self._exchange(exchange, rule, target)
        except TargetFailed as failure:
            status = 504 if failure.kind == "slow" else 502
            self._count(exchange, status)
            if self._answered:
                self.peer.abort()  # the client must see that the answer is not whole
                return False
            return await self._reply(exchange, status)
        except ClientFailed as failure:
            self._count(exchange, self._blame(failure))
            raise
        finally:
            services.balancer.ended(key, target)

    async def _exchange(self, exchange: Exchange, rule: RuleView, target: TargetView) -> bool:
        limits = self._services.limits
        peer = await connect(rule, target, limits, loopback_only=self._services.loopback_only)
        sending = asyncio.create_task(send_request(exchange, self.peer, peer))
        try:
            answer = await read_answer(peer, sending, limits.answer_s)
            keep = await self._pass_on(exchange, answer, peer)
            if not sending.done():
                await asyncio.wait((sending,), timeout=_LINGER_S / 10)
            self._unread = not sending.done() or sending.exception() is not None
            return keep and not self._unread
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            peer.abort()

    async def _pass_on(self, exchange: Exchange, answer: ResponseHead, peer: Peer) -> bool:
        """Send the answer to the client; True when the connection can be used again."""
        request = exchange.request
        try:
            framing = http1.response_framing(answer, request.method)
        except MalformedMessage as malformed:
            raise TargetFailed(str(malformed), "malformed") from malformed
        measured = framing.kind in ("length", "none")
        chunked = not measured and request.minor >= 1
        keep = (measured or chunked) and http1.keeps_alive(request) and not self._frontend.retired
        headers = http1.end_to_end(answer.headers, frozenset() if measured else frozenset({"content-length"}))
        headers += _session_header(exchange)
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        headers.append(("Connection", "keep-alive" if keep else "close"))
        self._answered = True
        self._count(exchange, answer.status, "target")
        await self.peer.send(http1.render(http1.status_line(answer.status, answer.reason), headers))
        await send_body(peer.body(framing), self.peer, chunked=chunked)
        return keep

    async def _reply(self, exchange: Exchange, status: int, location: str = "") -> bool:
        """Answer without a target; True when the connection can be used again."""
        request, framing = exchange.request, exchange.framing
        whole = framing.kind == "none"
        if not whole and exchange.target is None and not expects_continue(request):
            whole = await discard_body(self.peer.body(framing), self._services.limits.discard_bytes)
        self._unread = not whole
        keep = whole and http1.keeps_alive(request) and not self._frontend.retired
        await self._answer(status, keep=keep, location=location, with_body=request.method != "HEAD")
        return keep

    async def _answer(self, status: int, *, keep: bool, location: str = "", with_body: bool = True) -> None:
        text = f"{http1.status_line(status)[9:]}\n".encode()
        headers: list[Header] = [("Server", "clb-emulator"), ("Content-Type", "text/plain")]
        headers.append(("Content-Length", str(len(text))))
        if location:
            headers.append(("Location", location))
        headers.append(("Connection", "keep-alive" if keep else "close"))
        self._answered = True
        await self.peer.send(http1.render(http1.status_line(status), headers) + (text if with_body else b""))

    def _count(self, exchange: Exchange | None, status: int, origin: Origin = "plane") -> None:
        """Note how the request ends. Done before the client can see it; a later word replaces an earlier one."""
        routes = self._frontend.routes if exchange is None else exchange.routes
        rule_id = None if exchange is None or exchange.rule is None else exchange.rule.id
        target = None if exchange is None else exchange.target_key
        ids = (routes.lb.id, routes.listener.id, rule_id)
        outcome = Outcome(*ids, target, status, origin)
        self._services.counters.record(outcome, self._outcome)
        self._outcome = outcome


def _session_header(exchange: Exchange) -> list[Header]:
    rule, target = exchange.rule, exchange.target
    if rule is None or target is None or rule.session_seconds <= 0:
        return []
    token = session_token(target)
    if http1.cookie(exchange.request.headers, SESSION_COOKIE) == token:
        return []
    return [("Set-Cookie", f"{SESSION_COOKIE}={token}; Max-Age={rule.session_seconds}; Path=/; HttpOnly")]
