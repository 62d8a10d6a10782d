"""The target's side of one request: dial once, send once, read the answer. Nothing here is ever done a second time."""

import asyncio
from dataclasses import dataclass

from tests.emulators.clb.dataplane import http1
from tests.emulators.clb.dataplane.balancing import RuleKey, TargetKey, key_of
from tests.emulators.clb.dataplane.http1 import Framing, Header, MalformedMessage, RequestHead, ResponseHead
from tests.emulators.clb.dataplane.prober import is_loopback, unverified_tls
from tests.emulators.clb.dataplane.routes import ListenerRoutes
from tests.emulators.clb.dataplane.streams import ClientFailed, Limits, Peer, TargetFailed, send_body
from tests.emulators.clb.dataplane.views import RuleView, TargetView

_REPLACED = frozenset({"host", "content-length", "x-forwarded-for", "x-forwarded-proto", "expect"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, the routes it came in on, and where it goes."""

    routes: ListenerRoutes
    request: RequestHead
    framing: Framing
    client_ip: str
    rule: RuleView | None = None
    target: TargetView | None = None

    @property
    def rule_key(self) -> RuleKey:
        """The key under which the balancer and the prober know the rule."""
        return (self.routes.lb.id, self.routes.listener.id, "" if self.rule is None else self.rule.id)

    @property
    def target_key(self) -> TargetKey | None:
        """The address and port that were chosen, if any."""
        return None if self.target is None else key_of(self.target)


async def connect(rule: RuleView, target: TargetView, limits: Limits, *, loopback_only: bool) -> Peer:
    """A new connection to ``target``. Raises ``TargetFailed``."""
    forward_type = rule.forward_type.upper()
    if forward_type not in ("HTTP", "HTTPS"):
        raise TargetFailed(f"forward type {forward_type} is not emulated")
    if loopback_only and not is_loopback(target.ip):
        raise TargetFailed(f"{target.ip} is not a loopback address")
    tls = unverified_tls() if forward_type == "HTTPS" else None
    try:
        async with asyncio.timeout(limits.connect_s):
            streams = await asyncio.open_connection(target.ip, target.port, ssl=tls, limit=limits.head_bytes)
    except TimeoutError as error:
        raise TargetFailed("no connection in time", "slow") from error
    except OSError as error:
        raise TargetFailed(repr(error)) from error
    return Peer(*streams, TargetFailed, limits.body_s)


async def send_request(exchange: Exchange, client: Peer, target: Peer) -> None:
    """Send the request's head, then its body as it comes in. Raises ``ClientFailed`` or ``TargetFailed``."""
    request, framing = exchange.request, exchange.framing
    await target.send(http1.render(f"{request.method} {request.uri} HTTP/1.1", _forwarded_headers(exchange)))
    if framing.kind != "none" and expects_continue(request):
        await client.send(http1.render(http1.status_line(100), ()))
    await send_body(client.body(framing), target, chunked=framing.kind == "chunked")


async def read_answer(target: Peer, sending: asyncio.Task[None], timeout_s: float) -> ResponseHead:
    """The head of the final answer.

    A target may answer before it has read everything, so this goes on while ``sending`` does; a client that fails
    meanwhile ends the wait. Raises ``ClientFailed`` or ``TargetFailed``.
    """
    reading = asyncio.create_task(_read_head(target, timeout_s))
    try:
        await asyncio.wait((reading, sending), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done() and isinstance(failure := sending.exception(), ClientFailed):
            raise failure
        return await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def expects_continue(request: RequestHead) -> bool:
    """Whether the client waits for a word before it sends its body."""
    return any(value.lower() == "100-continue" for value in http1.values(request.headers, "expect"))


def _forwarded_headers(exchange: Exchange) -> list[Header]:
    request, framing = exchange.request, exchange.framing
    headers: list[Header] = [("Host", request.host or exchange.routes.lb.vip)]
    headers += http1.end_to_end(request.headers, _REPLACED)
    before = http1.values(request.headers, "x-forwarded-for")
    headers.append(("X-Forwarded-For", ", ".join([*before, exchange.client_ip])))
    headers.append(("X-Forwarded-Proto", exchange.routes.listener.protocol.lower()))
    if framing.kind == "length":
        headers.append(("Content-Length", str(framing.length)))
    elif framing.kind == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    headers.append(("Connection", "close"))
    return headers


async def _read_head(target: Peer, timeout_s: float) -> ResponseHead:
    while True:
        begun = await target.begin(timeout_s)
        if not begun:
            raise TargetFailed("closed without an answer")
        try:
            answer = http1.parse_response(await target.head(begun, timeout_s))
        except MalformedMessage as malformed:
            raise TargetFailed(str(malformed), "malformed") from malformed
        if answer.status >= 200:
            return answer
