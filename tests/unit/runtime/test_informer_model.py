"""The informer against a server that changes, forgets, breaks and answers nonsense: in the end the cache is the server.

Along the way: deltas fold to the cache, indexes equal what is computed anew, nothing older overwrites something newer.
"""

import random
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from l7lb import errors
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Item, StreamError, WatchEvent
from l7lb.runtime.informer import Informer, Source
from l7lb.runtime.store import Delta, Store, newer
from tests.unit.runtime.fake_api import FakeApi, cut, gone_in_stream
from tests.unit.runtime.fake_clock import FakeClock

NAMES = st.sampled_from("abcdef")
TEXTS = st.sampled_from(["x", "y", "x y", ""])
CALL_FAULTS = [
    errors.Unavailable("connection refused"),
    errors.Throttled("429", retry_after_s=3.0),
    errors.Expired("410"),
    errors.VersionTooLarge("504"),
    errors.AccessDenied("403", reason="Forbidden"),
    errors.NotFound("404"),
]


def clean_end() -> WatchEvent[str] | None:
    return None


def internal_error() -> StreamError:
    return StreamError(500, "InternalError", "etcd has another leader")


def nonsense() -> StreamError:
    return StreamError(0, "", "")


class InformerAndServer(RuleBasedStateMachine):
    """Rules are what a server and its operator may do; the informer takes steps in between."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.store = Store[str]({"word": str.split})
        self.folded: dict[ObjectKey, Item[str]] = {}
        self.informer = Informer[str](
            Source("things", self.api), self.store, self._fold, clock=self.clock, dice=random.Random(7)
        )

    def _fold(self, delta: Delta[str]) -> None:
        assert self.folded.get(delta.key) == delta.old
        if delta.new is None:
            del self.folded[delta.key]
            return
        assert delta.old is None or newer(delta.new.resource_version, delta.old.resource_version)
        self.folded[delta.key] = delta.new

    def _step(self) -> None:
        wait_s = self.informer.step()
        if wait_s is not None:
            self.clock.advance(wait_s)

    @rule(name=NAMES, text=TEXTS)
    def put(self, name: str, text: str) -> None:
        self.api.put(name, text)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.api.delete(name)

    @rule(name=NAMES, text=TEXTS)
    def recreate(self, name: str, text: str) -> None:
        self.api.delete(name)
        self.api.put(name, text)

    @rule()
    def compact(self) -> None:
        self.api.compact()

    @rule(yes=st.booleans())
    def send_bookmarks(self, yes: bool) -> None:
        self.api.bookmarks = yes

    @rule(fault=st.sampled_from(CALL_FAULTS))
    def fail_a_list(self, fault: errors.L7lbError) -> None:
        self.api.list_faults.append(fault)

    @rule(fault=st.sampled_from(CALL_FAULTS))
    def fail_a_watch(self, fault: errors.L7lbError) -> None:
        self.api.watch_faults.append(fault)

    @rule(fault=st.sampled_from([cut, clean_end, gone_in_stream, internal_error, nonsense]))
    def break_a_stream(self, fault: Callable[[], WatchEvent[str] | None]) -> None:
        self.api.stream_faults.append(fault)

    @rule(number=st.integers(1, 8))
    def steps(self, number: int) -> None:
        for _ in range(number):
            self._step()

    @invariant()
    def deltas_fold_to_the_cache(self) -> None:
        assert self.folded == {item.key: item for item in self.store.list()}

    @invariant()
    def indexes_equal_what_is_computed_anew(self) -> None:
        expected: dict[str, set[ObjectKey]] = {}
        for item in self.folded.values():
            for word in item.object.split():
                expected.setdefault(word, set()).add(item.key)
        found = {value: {item.key for item in self.store.by_index("word", value)} for value in expected}
        assert found == expected
        assert set(self.store.index_values("word")) == set(expected)

    def teardown(self) -> None:
        """With the faults over, the cache is the server."""
        for faults in (self.api.list_faults, self.api.watch_faults, self.api.stream_faults):
            faults.clear()
        for _ in range(60):
            self._step()
        assert self.folded == self.api.objects
        assert self.informer.synced


TestInformerAndServer = InformerAndServer.TestCase
TestInformerAndServer.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
