"""How the caches hear of changes: real lists and watch lines, decoded by the product, delivered when the dice say.

Events of different objects may overtake each other and any event may come twice; those of one object keep their order.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from l7lb.adapters.kube.decode import Decoder
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.listwatch import KubeListWatch
from l7lb.adapters.kube.transport import Transport
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Change
from l7lb.runtime.store import Delta, Store
from tests.emulators.kube.emulator import KubeEmulator
from tests.emulators.kube.wire import Request, Stream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Post:
    """How slow the news is: `lag()` seconds for one event, `twice()` whether it comes again."""

    lag: Callable[[], float] = lambda: 0.0
    twice: Callable[[], bool] = lambda: False


class Feed(Generic[T]):
    """One kind."""

    def __init__(self, kube: KubeEmulator, kind: Kind[T], store: Store[T], handler: Callable[[Delta[T]], None]) -> None:
        self._kube = kube
        self._kind = kind
        self._store = store
        self._handler = handler
        self._decoder = Decoder(kind)
        self._stream: Stream | None = None
        self._serial = 0
        self._waiting: list[tuple[float, int, Change[T]]] = []
        self._last: dict[ObjectKey, float] = {}

    def list(self, transport: Transport) -> None:
        """Fill the store and begin to watch, as a process does that starts."""
        reader = KubeListWatch(transport, self._kind)
        page = reader.list_page(resource_version="", continue_token="")
        items = [*page.items]
        while page.continue_token:
            page = reader.list_page(resource_version="", continue_token=page.continue_token)
            items += page.items
        assert not page.quarantined, page.quarantined
        query = {"watch": "1", "resourceVersion": page.resource_version, "timeoutSeconds": "1000000"}
        if self._kind.field_selector:
            query["fieldSelector"] = self._kind.field_selector
        self._stream = self._kube.handle(Request.of("GET", f"{self._kind.path()}?{urlencode(query)}")).stream
        self._hand_on(self._store.replace(tuple(items)))

    def collect(self, now: float, post: Post) -> None:
        """Take what the API server says and put it into the post."""
        assert self._stream is not None
        for line in self._stream:
            event = self._decoder.event(line)
            assert isinstance(event, Change), f"the watch says {event}"
            due = max(now + post.lag(), self._last.get(event.item.key, 0.0))
            self._last[event.item.key] = due
            for _ in range(2 if post.twice() else 1):
                self._serial += 1
                heapq.heappush(self._waiting, (due, self._serial, event))

    def next_due(self) -> float | None:
        """When the next event arrives."""
        return self._waiting[0][0] if self._waiting else None

    def deliver(self, now: float) -> None:
        """Hand on what has arrived."""
        while self._waiting and self._waiting[0][0] <= now:
            change = heapq.heappop(self._waiting)[2]
            self._hand_on(self._store.apply(change))

    def close(self) -> None:
        """The process is gone."""
        if self._stream is not None:
            self._stream.close()

    def _hand_on(self, deltas: tuple[Delta[T], ...]) -> None:
        for delta in deltas:
            self._handler(delta)
