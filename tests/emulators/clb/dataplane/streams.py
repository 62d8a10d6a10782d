"""One end of a proxied connection: reads, writes and bodies with time limits, each failure named after its side.

What a message means is not decided here.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.emulators.clb.dataplane.http1 import Framing

_BLOCK = 65536

Failure: TypeAlias = Literal["gone", "slow", "large", "malformed"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes and times in seconds; the defaults are nginx's or the nearest round number."""

    head_bytes: int = 32768
    head_s: float = 60
    keep_alive_s: float = 75
    body_s: float = 60
    connect_s: float = 5
    answer_s: float = 60
    discard_bytes: int = 1 << 20


class PeerFailed(Exception):
    """The other end went away, was too slow, sent too long a line, or sent what makes no sense."""

    def __init__(self, why: str, kind: Failure = "gone") -> None:
        super().__init__(why)
        self.kind = kind


class ClientFailed(PeerFailed):
    """The client's end failed."""


class TargetFailed(PeerFailed):
    """The target's end failed; the request is not tried again."""


class Peer:
    """A connection to a client or to a target."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, failure: type[PeerFailed], timeout_s: float) -> None:
        self._reader = reader
        self._writer = writer
        self._failure = failure
        self._timeout_s = timeout_s

    async def begin(self, timeout_s: float) -> bytes:
        """The first byte of what comes next, or nothing when the peer closed in good order."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._reader.read(1)
        except (TimeoutError, OSError) as error:
            raise self._failed(error) from error

    async def head(self, begun: bytes, timeout_s: float) -> bytes:
        """The bytes up to and including the empty line, after those that ``begin`` gave."""
        try:
            async with asyncio.timeout(timeout_s):
                while begun in (b"\r", b"\n"):  # RFC 9112 2.2: an empty line before a request is skipped
                    begun = await self._reader.readexactly(1)
                return begun + await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise self._failure("head too large", "large") from error
        except (TimeoutError, OSError, EOFError) as error:
            raise self._failed(error) from error

    async def body(self, framing: Framing) -> AsyncIterator[bytes]:
        """The blocks of a body, without chunk marks."""
        match framing.kind:
            case "length":
                left = framing.length
                while left:
                    block = await self._read(min(left, _BLOCK))
                    if not block:
                        raise self._failure("closed inside a body")
                    left -= len(block)
                    yield block
            case "chunked":
                async for block in self._chunks():
                    yield block
            case "close":
                while block := await self._read(_BLOCK):
                    yield block
            case "none":
                return

    async def send(self, data: bytes) -> None:
        """Write and wait until the peer has taken enough of it."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(self._timeout_s):
                await self._writer.drain()
        except (TimeoutError, OSError) as error:
            raise self._failed(error) from error

    async def linger(self, at_most: int, timeout_s: float) -> None:
        """Throw away what still comes, up to a limit: closing on unread bytes would reset the answer away."""
        try:
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(timeout_s):
                while at_most > 0 and (block := await self._reader.read(_BLOCK)):
                    at_most -= len(block)
        except (TimeoutError, OSError):
            self.abort()

    def close(self) -> None:
        """Close after what is buffered has been sent."""
        self._writer.close()

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            size = _chunk_size(await self._line())
            if size is None:
                raise self._failure("chunk size", "malformed")
            if size == 0:
                while await self._line():  # trailers are dropped
                    pass
                return
            while size:
                block = await self._read(min(size, _BLOCK))
                if not block:
                    raise self._failure("closed inside a chunk")
                size -= len(block)
                yield block
            if await self._line():
                raise self._failure("chunk end", "malformed")

    async def _line(self) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                return (await self._reader.readuntil(b"\r\n"))[:-2]
        except asyncio.LimitOverrunError as error:
            raise self._failure("line too large", "large") from error
        except (TimeoutError, OSError, EOFError) as error:
            raise self._failed(error) from error

    async def _read(self, at_most: int) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._reader.read(at_most)
        except (TimeoutError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> PeerFailed:
        return self._failure(repr(error), "slow" if isinstance(error, TimeoutError) else "gone")


async def send_body(blocks: AsyncIterator[bytes], to: Peer, *, chunked: bool) -> None:
    """Pass a body on, in chunks or as it is."""
    async for block in blocks:
        await to.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
    if chunked:
        await to.send(b"0\r\n\r\n")


async def discard_body(blocks: AsyncIterator[bytes], at_most: int) -> bool:
    """Read a body that nobody wants, so that the answer is not lost in a reset; False when it is too long."""
    seen = 0
    async for block in blocks:
        seen += len(block)
        if seen > at_most:
            return False
    return True


def _chunk_size(line: bytes) -> int | None:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 16 or any(byte not in b"0123456789abcdefABCDEF" for byte in digits):
        return None
    return int(digits, 16)
