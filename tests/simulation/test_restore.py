"""The API server comes back with an older state, as after a restore of etcd: to every earlier moment of a story.

Never two load balancers for one Ingress, nothing deleted without proof, and all of it as the restored objects ask.
What was made for an Ingress that is no more is an orphan: it stays.
"""

import pytest

from tests.simulation import manifests
from tests.simulation.belonging import CLASS, CREATED_BY, UID
from tests.simulation.checkers import Broken, Watchman
from tests.simulation.cluster import INGRESSES
from tests.simulation.deployment import Deployment
from tests.simulation.feeds import Post
from tests.simulation.leases import has_lease
from tests.simulation.staff import Rig

RISES = pytest.mark.parametrize("rises", [True, False], ids=["the-counter-rises", "the-counter-goes-back"])


def _told() -> tuple[Deployment, Watchman, list[int]]:
    """A story with revisions in it: made, edited, deleted, made again under the same name, lent, left."""
    world = Deployment(rig=Rig(replicas=2))
    world.account.lend("lb-lent0001")
    watchman = Watchman(world)
    marks = [world.revision]
    world.start()

    def go_on(seconds: float) -> None:
        world.run_for(seconds)
        marks.append(world.revision)

    world.users.create(manifests.ingress("shop"))
    lent = {"kubernetes.io/ingress.existLbId": "lb-lent0001"}
    world.users.create(manifests.ingress("blog", manifests.rule("b.example.com"), annotations=lent))
    for seconds in (0.0, 0.3, 0.4, 0.4, 10.0):
        go_on(seconds)
    world.users.rules(manifests.rule("a.example.com", "/", "/x"))
    go_on(10.0)
    world.users.delete()
    for seconds in (0.0, 0.2, 10.0):
        go_on(seconds)
    world.users.create(manifests.ingress("shop", manifests.rule("c.example.com")))
    go_on(10.0)
    world.users.annotate({"kubernetes.io/ingress.class": "nginx"}, "blog")
    go_on(40.0)
    return world, watchman, marks


def _orphans(world: Deployment) -> set[str]:
    living = {item["metadata"]["uid"] for item in world.users.all(INGRESSES)}
    return {lb.id for lb in world.account.lbs() if lb.tags.get(CREATED_BY) == "yes" and lb.tags[UID] not in living}


@RISES
@pytest.mark.parametrize("mark", range(12))
def test_after_a_restore_to_any_moment_all_is_as_the_older_objects_ask(mark: int, rises: bool) -> None:
    world, watchman, marks = _told()
    before = {lb.id for lb in world.account.lbs()}
    world.restore(marks[mark], counter_rises=rises, down_s=20.0)
    orphans = _orphans(world)
    world.settle(4000.0)
    watchman.check_rest()
    assert orphans <= {lb.id for lb in world.account.lbs()} & before


def test_a_lease_made_anew_at_an_older_version_shows_that_time_went_back() -> None:
    """Set back to before there was a Lease: what is written at versions that watches believe to know is not missed."""
    world = Deployment(rig=Rig(replicas=2))
    before = world.revision
    world.start()
    world.users.create(manifests.ingress("older", manifests.rule("o.example.com")))
    world.run_for(60.0)
    world.restore(before, counter_rises=False)
    assert not has_lease(world.users.emulator)
    world.run_for(6.0)
    assert any("set back" in why for _, _, why in world.staff.ended)
    world.users.create(manifests.ingress("shop"))
    world.settle()
    assert world.users.ingress("shop").is_ready


def _made_and_forgotten() -> tuple[Deployment, Watchman, str]:
    """An Ingress had left, came back and got a load balancer; then the API server is set back to when it had left."""
    world = Deployment(rig=Rig(replicas=2))
    watchman = Watchman(world)
    world.start()
    world.users.create(manifests.ingress("shop", annotations={CLASS: "nginx"}))
    world.run_for(20.0)
    mark = world.revision
    world.users.annotate({CLASS: None})
    world.until("it is served", lambda: world.users.ingress().is_ready)
    made = world.users.ingress().record["lb"]
    world.restore(mark, down_s=40.0)
    world.settle()
    return world, watchman, made


def test_what_was_made_for_an_ingress_that_is_of_another_class_again_stays_and_serves_it_when_it_comes_back() -> None:
    world, watchman, made = _made_and_forgotten()
    watchman.check_rest()
    assert [lb.id for lb in world.account.lbs()] == [made]
    world.users.annotate({CLASS: None})
    world.settle()
    assert world.users.ingress().record["lb"] == made
    watchman.check_rest()


def test_what_is_left_behind_by_an_ingress_that_knew_it_after_a_restore_would_be_seen() -> None:
    world, watchman, made = _made_and_forgotten()
    world.users.annotate({CLASS: None})
    world.settle()
    kept = world.account.emulator.world.load_balancers[made]
    world.users.annotate({CLASS: "nginx"})
    world.run_for(60.0)
    world.settle()
    assert not world.account.lbs()
    world.account.emulator.world.load_balancers[made] = kept
    with pytest.raises(Broken, match="was left behind"):
        watchman.check_rest()


def test_a_deleted_ingress_that_is_alive_again_gets_a_load_balancer_again() -> None:
    world, watchman, marks = _told()
    world.restore(marks[6], down_s=5.0)
    gone = world.users.ingress().record["lb"]
    world.settle()
    seen = world.users.ingress()
    assert seen.is_ready
    assert seen.record["lb"] != gone
    assert world.said("LoadBalancerGone")
    watchman.check_rest()


def test_a_write_that_the_restored_state_has_lost_is_not_remembered_for_ever() -> None:
    world = Deployment(post=Post(lag=lambda: 0.2))
    watchman = Watchman(world)
    world.start()
    world.settle()
    marks: list[int] = []
    world.on_call = lambda _who, name: marks.append(world.revision) if name == "PATCH ingresses/shop" else None
    world.users.create(manifests.ingress("shop"))
    world.until("the finalizer is on its way to the cache", lambda: world.users.ingress().finalizers)
    world.restore(marks[0])
    assert not world.users.ingress().finalizers
    world.settle()
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_while_the_api_server_is_away_nothing_is_written_and_what_was_missed_is_done_after() -> None:
    world, watchman, _ = _told()
    world.users.rules(manifests.rule("c.example.com", "/", "/new"))
    world.outage(120.0)
    world.account.forget_calls()
    world.run_for(119.0)
    assert not world.account.writes()
    world.settle()
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_a_deletion_of_what_the_restored_state_does_not_know_would_be_seen() -> None:
    world, watchman, marks = _told()
    world.restore(marks[0])
    made = next(iter(_orphans(world)))
    watchman.inspect("DeleteLoadBalancer", {"LoadBalancerIds": [made]})
    with pytest.raises(Broken, match="was not restored"):
        watchman.check()
