"""News from the API server that is late, doubled, torn or lost: each fault happens, and the product gets over it."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES
from tests.simulation.deployment import Deployment
from tests.simulation.feeds import Post
from tests.simulation.staff import Rig
from tests.simulation.world import PROMPT


def _served(post: Post = PROMPT, page_max: int = 0) -> tuple[Deployment, Watchman]:
    world = Deployment(rig=Rig(page_max=page_max), post=post)
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    assert world.users.ingress().is_ready
    world.users.emulator.controls.log.clear()
    world.account.forget_calls()
    return world, watchman


def _asked(world: Deployment, verb: str, resource: str = "ingresses") -> int:
    """How often by the product: it asks for all namespaces at once."""
    lines = world.users.emulator.controls.log.lines
    return sum(
        (one["verb"], one["resource"]) == (verb, resource) and "/namespaces/" not in one["path"] for one in lines
    )


def _edited(world: Deployment) -> None:
    world.users.rules(manifests.rule("a.example.com", "/", "/new"))


def _is_served(world: Deployment, watchman: Watchman) -> None:
    world.settle()
    assert world.account.paths() == {"a.example.com/", "a.example.com/new"}
    watchman.check_rest()


@pytest.mark.parametrize("after", [0, 1, 2, 40, 400, 4000])
def test_a_line_that_is_cut_at_any_byte_comes_again_and_needs_no_list(after: int) -> None:
    world, watchman = _served(post=Post(lag=lambda: 0.5))
    body = world.live().body("Ingress")
    _edited(world)
    body.cut(after)
    world.settle()
    assert (_asked(world, "list"), _asked(world, "watch")) == (0, 1)
    _is_served(world, watchman)


def test_a_version_that_is_forgotten_meanwhile_is_answered_410_and_costs_one_list() -> None:
    world, watchman = _served()
    world.users.fault("http_500", "watch", "ingresses")
    world.live().body("Ingress").cut()
    world.run_for(0.1)
    _edited(world)
    world.users.emulator.world.storage.compact()
    world.settle()
    assert (_asked(world, "list"), _asked(world, "watch")) == (1, 3)
    _is_served(world, watchman)


def test_a_list_whose_second_page_is_gone_is_read_anew() -> None:
    world, watchman = _served(page_max=1)
    for name in ("blog", "wiki"):
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com")))
    world.settle()
    pages = 0

    def forget(_who: str, name: str) -> None:
        nonlocal pages
        if name.startswith("GET") and name.endswith("ingresses") and world.live().informer("Ingress")._stream is None:
            pages += 1
            if pages == 3:
                world.users.patch({"metadata": {"labels": {"touched": "yes"}}}, "wiki")
                world.users.emulator.world.storage.compact()

    world.users.emulator.world.storage.compact()
    world.users.fault("gone", "watch", "ingresses")
    world.on_call = forget
    world.live().body("Ingress").cut()
    _edited(world)
    world.settle()
    assert pages == 7, "watch, first page, the second is gone, three pages of a new list, watch"
    assert world.users.ingress("blog").is_ready
    watchman.check_rest()


def test_what_was_deleted_while_nobody_watched_is_gone_after_the_list() -> None:
    world, watchman = _served()
    watch = world.live().body("Node")
    world.users.fault("http_500", "watch", "nodes", count=2)
    watch.cut()
    world.run_for(0.1)
    world.users.remove(f"{NODES}/node-b")
    world.users.emulator.world.storage.compact()
    world.settle()
    assert _asked(world, "list", "nodes") == 1
    assert {address for _, address, _ in world.account.targets()} == {"10.0.0.1"}
    watchman.check_rest()


def test_an_hour_of_bookmarks_saves_the_list_after_a_cut() -> None:
    world, watchman = _served()
    world.run_for(3600.0)
    version = world.revision
    world.run_for(70.0)
    world.users.emulator.world.storage.compact(version)
    _edited(world)
    world.live().body("Ingress").cut()
    world.settle()
    assert _asked(world, "list") == 0
    _is_served(world, watchman)


def test_events_that_come_twice_and_late_change_nothing_twice() -> None:
    calm, _ = _served()
    _edited(calm)
    calm.settle()
    world, watchman = _served(post=Post(lag=lambda: 2.0, twice=lambda: True))
    _edited(world)
    world.settle()
    assert world.account.writes() == calm.account.writes()
    _is_served(world, watchman)


@pytest.mark.parametrize("fault", ["watch_error", "malformed_line", "reset_watches"])
def test_streams_that_say_nonsense_are_opened_again(fault: str) -> None:
    world, watchman = _served()
    watches = len(world.live().bodies())
    world.users.fault(fault)
    _edited(world)
    world.settle()
    assert sum(count for name, count in world.users.emulator.controls.log.counts.items() if "watch" in name) >= watches
    _is_served(world, watchman)


def test_streams_that_fall_silent_are_given_up() -> None:
    world, watchman = _served()
    world.users.emulator.world.disturbances.silent_until = world.clock.time() + 85.0
    _edited(world)
    world.run_for(79.0)
    assert _asked(world, "watch") == 0
    assert world.account.paths() == {"a.example.com/"}
    world.run_for(10.0)
    assert _asked(world, "watch") == 1
    _is_served(world, watchman)


@pytest.mark.parametrize("fault", ["http_429", "http_500", "hang", "drop", "gone"])
def test_lists_that_are_refused_at_the_start_delay_it_and_nothing_is_written_before(fault: str) -> None:
    world = Deployment()
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    body = {"kind": fault, "verb": "list", "resource": "services", "count": 3, "seconds": 4}
    world.users.order(body)
    world.start()
    world.run_for(1.0)
    assert not world.account.lbs()
    world.settle()
    assert not world.users.emulator.controls.faults.orders
    world.settle()
    assert world.users.ingress().is_ready
    watchman.check_rest()
