"""Quotas that are short, known before or learnt by being refused: what fits is done, and the rest comes by itself."""

from collections.abc import Mapping
from typing import Any

from l7lb.adapters.clb.sdk import Refusal
from tests.simulation import manifests
from tests.simulation.manifests import rule
from tests.simulation.world import World

AGAIN_S = 300.0
RULES = "TOTAL_LISTENER_RULE_QUOTA"


def quotas(world: World) -> dict[str, int]:
    return world.account.emulator.world.quotas


def hosts(*names: str) -> list[Any]:
    return [rule(f"{name}.example.com") for name in names]


def served(world: World) -> set[str]:
    return {one.domains[0].split(".")[0] for one in world.account.listener().rules.values()}


class Stingy:
    """A cloud that allows fewer rules than its own quota says."""

    def __init__(self, world: World, most: int) -> None:
        self.world, self.most, self.refused = world, most, 0

    def __call__(self, action: str, params: Mapping[str, Any]) -> None:
        if action == "CreateRule" and len(self.world.account.listener().rules) + len(params["Rules"]) > self.most:
            self.refused += 1
            raise Refusal("LimitExceeded", "too many rules", "r-1")


def test_what_does_not_fit_is_named_with_its_quota_and_comes_when_the_quota_is_raised() -> None:
    world = World()
    quotas(world)[RULES] = 2
    world.users.create(manifests.ingress("shop", *hosts("a", "b", "c")))
    world.start()
    world.run(60.0)
    assert served(world) == {"a", "b"}
    assert f"{RULES}: 2 of 2 in use, 1 more wanted" in world.users.ingress().why
    assert world.account.calls()["CreateRule"] == 1, "no call is made that must be refused"
    quotas(world)[RULES] = 50
    world.run(2 * AGAIN_S)
    assert served(world) == {"a", "b", "c"}
    assert world.users.ingress().is_ready


def test_while_a_quota_is_short_it_is_asked_for_once_in_a_while_and_nothing_else() -> None:
    world = World()
    quotas(world)[RULES] = 1
    world.users.create(manifests.ingress("shop", *hosts("a", "b")))
    world.start()
    world.run(60.0)
    world.account.forget_calls()
    world.run(12 * AGAIN_S)
    assert set(world.account.calls()) == {"DescribeQuota"}
    assert world.account.calls()["DescribeQuota"] <= 16


def test_a_full_listener_makes_room_first() -> None:
    world = World()
    quotas(world)[RULES] = 2
    world.users.create(manifests.ingress("shop", *hosts("a", "b")))
    world.start()
    world.settle()
    world.users.rules(*hosts("b", "c", "d"))
    world.run(60.0)
    assert served(world) == {"b", "c"}
    assert "1 more wanted" in world.users.ingress().why


def test_a_quota_that_the_cloud_does_not_show_is_learnt_and_what_fits_is_done() -> None:
    world = World()
    world.users.create(manifests.ingress("shop", *hosts("a", "b")))
    world.start()
    world.settle()
    world.inspect = stingy = Stingy(world, 4)
    world.users.rules(*hosts("b", "c", "d", "e", "f", "g"))
    world.run(60.0)
    assert "a" not in served(world), "what nobody wants any more goes although other calls are refused"
    assert len(served(world)) >= 3
    assert stingy.refused <= 3
    assert "too many rules" in world.users.ingress().why
    world.run(3 * AGAIN_S)
    assert len(served(world)) == 4
    stingy.most = 50
    world.run(3 * AGAIN_S)
    assert served(world) == {"b", "c", "d", "e", "f", "g"}
    assert world.users.ingress().is_ready


def test_no_quota_keeps_anything_from_being_deleted() -> None:
    world = World()
    world.users.create(manifests.ingress("shop", *hosts("a", "b")))
    world.start()
    world.settle()
    quotas(world).update(dict.fromkeys(quotas(world), 0))
    world.live().verify()
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []
    assert world.users.find() is None


def test_one_ingress_that_gets_no_load_balancer_keeps_no_other_from_being_served() -> None:
    world = World()
    world.users.create(manifests.ingress("shop", *hosts("a")))
    world.start()
    world.settle()
    quotas(world)["TOTAL_OPEN_CLB_QUOTA"] = 1
    world.run_for(120.0)
    world.live().verify()
    world.run(60.0)
    world.users.create(manifests.ingress("second", *hosts("b")))
    world.users.rules(*hosts("a", "c"))
    world.run(60.0)
    assert served(world) == {"a", "c"}
    assert "TOTAL_OPEN_CLB_QUOTA: 1 of 1 in use" in world.users.ingress("second").why
    assert world.users.ingress("second").finalizers == [], "a refused Ingress bears no mark of ours"
    quotas(world)["TOTAL_OPEN_CLB_QUOTA"] = 2
    world.run(2 * AGAIN_S)
    assert world.users.ingress("second").is_ready
