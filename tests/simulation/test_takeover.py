"""A fleet that TKE's controller has left behind is taken over without a single write to the cloud."""

import pytest

from tests.fixtures.tke_fleet import TRAITS, fleet
from tests.simulation.clock import SimClock
from tests.simulation.cluster import FINALIZER
from tests.simulation.fleets import Fleets, settled_world

SIZE = 200
NOT_YET = frozenset(
    {"rule-mix", "listen-ports", "redirects", "config", "direct", "group", "certificate", "foreign rules"}
)
"""What the product does not do yet; an Ingress that needs one of these is left out of the fleet."""
SETTLED_S = 50.0
"""Before a node that has just turned NotReady is doubted, which is a change of the cluster and no taking over."""


@pytest.mark.parametrize("seed", range(20))
def test_every_dimension_occurs_in_a_fleet_whatever_its_seed(seed: int) -> None:
    assert sorted(TRAITS - fleet(seed, SIZE, SimClock().time()).traits) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fleet_of_tkes_making_is_taken_over_without_a_write(seed: int) -> None:
    taken = take_over(settled_world(seed, SIZE, NOT_YET))
    look_again(taken)


def take_over(fleets: Fleets) -> Fleets:
    """The product meets the fleet for the first time."""
    before = fleets.facts()
    fleets.world.start()
    fleets.world.run_for(SETTLED_S)
    assert_untouched(fleets, before)
    assert_taken(fleets)
    return fleets


def look_again(fleets: Fleets) -> None:
    """A verification, and then a process that knows nothing but what is written."""
    before = fleets.facts()
    for begin in (fleets.world.live().verify, fleets.world.start):
        fleets.world.account.forget_calls()
        fleets.restless()
        begin()
        fleets.world.run_for(SETTLED_S)
        assert fleets.world.account.calls()["DescribeListeners"] >= len(fleets.fleet.tenants)
        assert_untouched(fleets, before)
        assert_taken(fleets)


def assert_untouched(fleets: Fleets, before: dict[str, dict[tuple[str, ...], object]]) -> None:
    log = fleets.world.account.emulator.calls.log
    writes = [entry for entry in log if not entry["action"].startswith(("Describe", "Get"))]
    traits = {tenant.id: sorted(tenant.traits) for tenant in fleets.fleet.tenants}
    told = [f"{e['action']} {e['request']}\n  {traits.get(e['request'].get('LoadBalancerId', ''))}" for e in writes]
    assert not writes, f"seed {fleets.fleet.seed}: {len(writes)} writes\n" + "\n".join(told[:10])
    assert fleets.facts() == before
    assert not fleets.world.account.emulator.gateway.defects


def assert_taken(fleets: Fleets) -> None:
    """Finalizer and record on each, and its author hears that all is well."""
    for ingress in fleets.ingresses():
        meta = ingress.json["metadata"]
        about = f"seed {fleets.fleet.seed}: {meta['namespace']}/{meta['name']}: {ingress.why}"
        assert FINALIZER in ingress.finalizers, about
        assert ingress.record["lb"] == ingress.annotations["kubernetes.io/ingress.qcloud-loadbalance-id"], about
        assert ingress.record["claim"] in ("created", "adopted"), about
        assert ingress.is_ready, about
