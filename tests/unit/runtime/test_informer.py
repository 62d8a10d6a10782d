"""The informer stepped by hand against a fake API server: what reaches the cache and the handler, and when."""

import random

import pytest

from l7lb import errors
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Item, ListWatch, Page, Quarantined
from l7lb.runtime.informer import Informer, NoInformerMetrics, Source
from l7lb.runtime.reflector import Reason
from l7lb.runtime.store import Delta, Store
from tests.unit.runtime.fake_api import FakeApi, cut, gone_in_stream, key
from tests.unit.runtime.fake_clock import FakeClock


class World(NoInformerMetrics):
    """An API server, a store and one informer between them."""

    def __init__(self, list_watch: ListWatch[str] | None = None, *, optional: bool = False) -> None:
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.store = Store[str]({"word": str.split})
        self.deltas: list[Delta[str]] = []
        self.reasons: list[Reason] = []
        self.poison = 0
        self.informer = Informer[str](
            Source("things", list_watch or self.api, optional=optional),
            self.store,
            self._handle,
            clock=self.clock,
            dice=random.Random(1),
            metrics=self,
        )

    def _handle(self, delta: Delta[str]) -> None:
        self.deltas.append(delta)
        if delta.new is not None and delta.new.object == "poison":
            raise ValueError("cannot cope")

    def listed(self, name: str, reason: Reason, objects: int) -> None:
        self.reasons.append(reason)

    def quarantined(self, name: str) -> None:
        self.poison += 1

    def steps(self, number: int) -> None:
        """So many requests or reads; waiting costs none."""
        while number:
            wait_s = self.informer.step()
            if wait_s is None:
                number -= 1
            else:
                self.clock.advance(wait_s)

    def texts(self) -> dict[str, str]:
        return {item.key.name: item.object for item in self.store.list()}


@pytest.fixture
def world() -> World:
    return World()


def test_synced_only_after_the_last_page_of_the_first_list(world: World) -> None:
    for name in "abcde":
        world.api.put(name, "x")
    synced = []
    for _ in range(3):
        assert world.deltas == []
        world.steps(1)
        synced.append(world.informer.synced)
    assert synced == [False, False, True]
    assert [delta.key.name for delta in world.deltas] == list("abcde")


def test_events_reach_cache_index_and_handler(world: World) -> None:
    world.api.put("a", "x")
    world.steps(2)
    world.api.put("a", "y")
    world.api.put("b", "y")
    world.api.delete("a")
    world.steps(3)
    assert world.texts() == {"b": "y"}
    assert [item.key.name for item in world.store.by_index("word", "y")] == ["b"]
    kinds = [(delta.old is not None, delta.new is not None) for delta in world.deltas]
    assert kinds == [(False, True), (True, True), (False, True), (True, False)]


def test_what_was_deleted_behind_a_410_is_told_as_deleted_with_unknown_end(world: World) -> None:
    world.api.put("a", "x")
    world.api.put("b", "x")
    world.steps(2)
    world.api.delete("a")
    world.api.compact()
    world.api.stream_faults.append(gone_in_stream)
    world.steps(2)
    assert world.texts() == {"b": "x"}
    assert [(delta.key.name, delta.new, delta.final_state_unknown) for delta in world.deltas[2:]] == [("a", None, True)]
    assert world.reasons == [Reason.START, Reason.EXPIRED]


def test_a_cut_stream_goes_on_where_it_was_and_is_closed(world: World) -> None:
    world.api.put("a", "x")
    world.steps(2)
    world.api.put("a", "y")
    world.steps(1)
    world.api.stream_faults.append(cut)
    world.steps(1)
    world.api.put("a", "z")
    world.steps(2)
    assert world.texts() == {"a": "z"}
    assert [call for call in world.api.calls if call[0] == "watch"] == [("watch", "11"), ("watch", "12")]
    assert [stream.closed for stream in world.api.streams] == [True, False]


def test_a_handler_that_fails_on_one_object_still_gets_the_next(world: World) -> None:
    world.api.put("a", "poison")
    world.api.put("b", "x")
    world.steps(1)
    assert [delta.key.name for delta in world.deltas] == ["a", "b"]
    assert world.informer.synced


def test_an_absent_kind_counts_as_synced_and_appears_without_a_restart() -> None:
    world = World(optional=True)
    world.api.list_faults.append(errors.NotFound("no such kind"))
    world.api.put("a", "x")
    world.steps(1)
    assert world.informer.synced
    assert world.texts() == {}
    world.steps(1)
    assert world.texts() == {"a": "x"}


def test_an_absent_kind_is_not_stale_while_the_api_server_says_that_it_does_not_know_it() -> None:
    world = World(optional=True)
    for _ in range(10):
        world.api.list_faults.append(errors.NotFound("no such kind"))
        world.steps(1)
        assert world.informer.staleness_s(world.clock.monotonic()) == 0.0
    assert world.clock.monotonic() > 250.0


def test_a_kind_that_every_cluster_has_is_not_believed_to_be_absent(world: World) -> None:
    world.api.list_faults.append(errors.NotFound("404 page not found"))
    world.api.put("a", "x")
    world.steps(1)
    assert not world.informer.synced
    world.steps(1)
    assert world.texts() == {"a": "x"}


def test_a_denied_kind_is_not_synced_and_says_why(world: World) -> None:
    world.api.list_faults += [errors.AccessDenied("may not list", reason="Forbidden")]
    world.steps(1)
    assert not world.informer.synced
    assert world.informer.problem == "may not list"
    world.steps(1)
    assert world.informer.synced


def test_silence_shows_as_staleness_and_a_bookmark_ends_it(world: World) -> None:
    world.steps(2)
    world.clock.advance(500)
    assert world.informer.staleness_s(world.clock.now) == 500
    world.api.version += 5
    world.steps(1)
    assert world.informer.staleness_s(world.clock.now) == 0


def test_one_poisoned_object_in_a_list_keeps_its_last_good_version_and_holds_no_other() -> None:
    class Poisoned(FakeApi):
        broken = False

        def list_page(self, *, resource_version: str, continue_token: str) -> Page[str]:
            page = super().list_page(resource_version=resource_version, continue_token=continue_token)
            if not self.broken:
                return page
            good = tuple(item for item in page.items if item.key != key("a"))
            return Page(good, page.resource_version, page.continue_token, (Quarantined(key("a"), "port: int"),))

    api = Poisoned(FakeClock())
    world = World(api)
    api.put("a", "good")
    api.put("b", "old")
    world.steps(2)
    api.broken = True
    api.put("a", "bad")
    api.put("b", "new")
    api.compact()
    api.stream_faults.append(gone_in_stream)
    world.steps(2)
    assert world.texts() == {"a": "good", "b": "new"}
    assert world.poison == 1


def test_two_sources_feed_one_store_without_deleting_each_others_objects() -> None:
    world = World()
    other = Item(ObjectKey("other", "x"), "uid", "5", "x")
    world.store.replace([other])
    scoped = Informer[str](
        Source("shop", world.api, lambda each: each.namespace == "shop"),
        world.store,
        world._handle,
        clock=world.clock,
        dice=random.Random(1),
    )
    world.api.put("a", "y")
    scoped.step()
    assert world.texts() == {"x": "x", "a": "y"}


def test_stop_closes_the_open_stream_and_ends_run(world: World) -> None:
    world.steps(2)
    world.informer.stop()
    assert world.api.streams[0].closed
    world.informer.run()


def test_a_stream_that_opens_during_stop_is_closed_too(world: World) -> None:
    world.steps(1)
    world.informer.stop()
    world.steps(1)
    assert world.api.streams[0].closed
