"""The body of a watch without a socket: what has arrived, what is still on its way, and how it breaks."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from l7lb.adapters.kube import errors as kube_errors
from l7lb.adapters.kube.transport import ByteStream
from l7lb.errors import Unavailable
from tests.emulators.kube.watches import Watch
from tests.emulators.kube.wire import ConnectionLost
from tests.simulation.clock import SimClock
from tests.simulation.feeds import Post

FOREVER: Final = float("inf")


class Body(ByteStream):
    """What `Transport.stream` answers. It never blocks: whoever reads asks `ready` first.

    A reader that reads all the same (the product looks at an object's watch once before it waits) hears a bookmark,
    which the API server may send at any time.
    """

    def __init__(self, source: Watch, where: str, clock: SimClock, post: Post, silence_s: float) -> None:
        self._source = source
        self._where = where
        self._clock = clock
        self._post = post
        self._silence_s = silence_s
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._last_due = 0.0
        self._heard_at = clock.now()
        self._lost = False
        self._closed = False

    def ready(self) -> bool:
        """Whether a reader would hear something now, be it the end."""
        self._collect()
        now = self._clock.now()
        arrived = bool(self._arriving) and self._arriving[0][0] <= now
        return arrived or self._over() or now >= self._heard_at + self._silence_s

    def news_due(self) -> float | None:
        """When the next line that says something arrives."""
        return self._arriving[0][0] if self._arriving else None

    def chore_due(self) -> float:
        """When the stream will have something to say although nothing happens: a bookmark, the end, its silence."""
        silent_at = self._heard_at + self._silence_s
        return silent_at if self._lost else min(self._source.due() - self._clock.origin, silent_at)

    def cut(self, after: int = 0) -> None:
        """The connection breaks: of the next line so many bytes still arrive, of all others none."""
        self._collect()
        now = self._clock.now()
        piece = self._arriving[0][1][:after].rstrip(b"\n") if self._arriving and after else b""
        self._arriving = deque([(now, piece)] if piece else [])
        self._lost = True
        self._source.close()

    def chunks(self) -> Iterator[bytes]:
        """Pieces as they arrive; ends at a clean end, raises Unavailable when it breaks or is silent."""
        while not self._closed:
            piece = self._piece()
            if piece is None:
                return
            self._heard_at = self._clock.now()
            half = len(piece) // 2
            yield from (piece[:half], piece[half:]) if half else (piece,)

    def shutdown(self) -> None:
        """The reader goes."""
        self._closed = True
        self._source.close()

    def _piece(self) -> bytes | None:
        if not self._arriving and not self._over():
            self._collect()
        if self._arriving:
            return self._arriving.popleft()[1]
        if self._lost:
            raise kube_errors.from_connection(ConnectionResetError("cut"), self._where)
        if self._source.closed:
            return None
        if self._clock.now() >= self._heard_at + self._silence_s:
            raise Unavailable.silence(f"{self._where}: silent for too long")
        self._source.bookmark()
        self._collect()
        if not self._arriving:
            raise kube_errors.from_connection(TimeoutError("nothing to read"), self._where)
        return self._arriving.popleft()[1]

    def _over(self) -> bool:
        return not self._arriving and (self._lost or self._source.due() == FOREVER)

    def _collect(self) -> None:
        if self._closed or self._lost or self._source.due() > self._clock.time():
            return
        now = self._clock.now()
        try:
            for line in self._source:
                due = self._last_due = max(now + self._post.lag(), self._last_due)
                self._arriving += [(due, line)] * (2 if self._post.twice() else 1)
        except ConnectionLost:
            self._lost = True
            self._arriving = deque(line for line in self._arriving if line[0] <= now)
