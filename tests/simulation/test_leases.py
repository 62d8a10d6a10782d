"""The Lease of the whole product: lost, not renewed, let go, held by a replica that stood still; clocks that are wrong.

Whether a write was begun by the holder is judged in `Deployment`, from what was written to the Lease and when.
"""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.deployment import Deployment
from tests.simulation.staff import Rig
from tests.simulation.toll import Death

PAIR = 2


def _served(rig: Rig | None = None) -> tuple[Deployment, Watchman]:
    world = Deployment(rig=rig or Rig(replicas=PAIR))
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.settle()
    assert world.users.ingress().is_ready
    return world, watchman


def _edit(world: Deployment, *paths: str) -> None:
    world.users.rules(manifests.rule("a.example.com", *paths))


def _converges(world: Deployment, watchman: Watchman, *paths: str) -> None:
    world.settle()
    assert world.account.paths() == {f"a.example.com{path}" for path in paths}
    watchman.check_rest()


def test_a_leader_that_cannot_renew_gives_up_and_the_standby_takes_over_when_the_lease_is_over() -> None:
    world, watchman = _served()
    old, began = world.live(), world.clock.now()
    world.on_call = lambda who, _name: world.users.fault("drop", "patch", "leases") if who == old.name else None
    world.until("the leader gives up", lambda: old.over)
    assert world.clock.now() - began == pytest.approx(20.0, abs=5.5)
    _edit(world, "/", "/new")
    world.until("another holds the lease", lambda: world.register.holder != old.name)
    assert world.clock.now() - began < 38.0
    world.on_call = lambda _who, _name: None
    world.users.emulator.controls.faults.orders.clear()
    _converges(world, watchman, "/", "/new")


def test_renewals_that_fail_for_ten_seconds_cost_nothing() -> None:
    world, watchman = _served()
    world.users.order({"kind": "http_500", "verb": "patch", "resource": "leases", "count": 8})
    world.run_for(20.0)
    assert not world.users.emulator.controls.faults.orders
    assert not world.staff.ended
    _edit(world, "/", "/new")
    _converges(world, watchman, "/", "/new")


def test_a_renewal_whose_answer_is_lost_counts_and_is_found_again() -> None:
    world, watchman = _served()
    world.users.order({"kind": "lost", "verb": "patch", "resource": "leases", "count": 2})
    world.run_for(20.0)
    assert not world.staff.ended
    assert len(world.register.holders()) == 1
    _edit(world, "/", "/new")
    _converges(world, watchman, "/", "/new")


@pytest.mark.parametrize("frozen_s", [4.0, 14.0, 17.0, 40.0, 600.0])
def test_a_leader_that_stood_still_begins_no_write_after_its_lease(frozen_s: float) -> None:
    world, watchman = _served()
    old = world.live()
    _edit(world, "/", "/new")
    world.freeze(old, frozen_s)
    _edit(world, "/", "/newer")
    world.settle()
    assert bool(old.over) == (frozen_s > 20.0)
    _converges(world, watchman, "/", "/newer")


@pytest.mark.parametrize("call", range(1, 14))
@pytest.mark.parametrize("frozen_s", [12.0, 50.0])
def test_a_leader_frozen_at_any_call_sends_at_most_that_call_late(call: int, frozen_s: float) -> None:
    world, watchman = _served(Rig(replicas=PAIR, freeze_s=lambda: frozen_s))
    old = world.live()
    old.toll.arm(len(old.toll.passed) + call, Death.FROZEN)
    world.users.rules(manifests.rule("a.example.com", "/", "/new"), manifests.rule("b.example.com"))
    world.run_for(10.0)
    world.users.remove("/api/v1/nodes/node-b")
    world.run_for(60.0)
    assert old.toll.at == 0, "it was frozen"
    world.settle()
    watchman.check_rest()
    assert world.account.paths() == {"a.example.com/", "a.example.com/new", "b.example.com/"}


def test_a_leader_that_is_stopped_lets_the_lease_go_and_the_standby_begins_at_once() -> None:
    world, watchman = _served()
    old, began = world.live(), world.clock.now()
    old.leave()
    world.until("another leads", lambda: (leader := world.staff.leader()) is not None and leader is not old)
    assert world.clock.now() - began <= 3.0
    _edit(world, "/", "/new")
    _converges(world, watchman, "/", "/new")


def test_a_lease_that_somebody_deletes_is_made_anew_by_its_holder() -> None:
    world, watchman = _served()
    old = world.live()
    world.users.remove("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l7lb-cls-9mfq2k1t")
    world.run_for(30.0)
    _edit(world, "/", "/new")
    _converges(world, watchman, "/", "/new")
    assert set(world.register.holders()) >= {old.name}


@pytest.mark.parametrize("rate", [0.99, 1.01])
def test_a_machine_whose_clock_runs_wrong_by_one_in_a_hundred_begins_no_write_outside_its_lease(rate: float) -> None:
    rates = iter((rate, 2 - rate, rate, 2 - rate, rate, rate))
    world, watchman = _served(Rig(replicas=PAIR, rate=lambda: next(rates)))
    old = world.live()
    world.freeze(old, 14.0)
    _edit(world, "/", "/new")
    world.freeze(world.live(), 31.0)
    _edit(world, "/", "/newer")
    _converges(world, watchman, "/", "/newer")


@pytest.mark.parametrize("off_s", [-3600.0, -400.0, 400.0, 3600.0])
def test_a_machine_whose_wall_clock_is_wrong_writes_nothing_and_works_once_it_is_set_right(off_s: float) -> None:
    world = Deployment(rig=Rig(wall_off_s=lambda: off_s))
    watchman = Watchman(world)
    world.users.create(manifests.ingress("shop"))
    world.start()
    world.run_for(60.0)
    assert not world.account.lbs()
    assert world.account.calls()
    for one in world.staff.alive():
        one.machine.clock.wall_off_s = 0.0
    world.rig.wall_off_s = lambda: 0.0
    world.settle()
    assert world.users.ingress().is_ready
    watchman.check_rest()


def test_a_wall_clock_that_goes_wrong_while_leading_is_told_and_forgiven() -> None:
    world, watchman = _served()
    world.live().machine.clock.wall_off_s = 900.0
    _edit(world, "/", "/new")
    world.run_for(60.0)
    assert world.account.paths() == {"a.example.com/"}
    assert "AuthFailure.SignatureExpire" in world.users.ingress().why
    world.live().machine.clock.wall_off_s = 0.0
    _converges(world, watchman, "/", "/new")
