"""Taking a fleet over, and what must hold then. As a command it takes one over with the product that is importable.

Exit code 0: not a write, and every Ingress is ready; 3: anything else; the rest is a failure of the test itself.
"""

import sys

from tests.simulation.cluster import FINALIZER
from tests.simulation.fleets import Facts, Fleets, settled_world

SETTLED_S = 50.0
"""Before a node that has just turned NotReady is doubted, which is a change of the cluster and no taking over."""
ROUNDS = 6
"""Looking again is done at a quarter of the budget."""
CAUGHT = 3
SEED, SIZE = 1, 110


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
        begin()
        for _ in range(ROUNDS):
            fleets.restless()
            fleets.world.run_for(SETTLED_S)
            if fleets.world.account.calls().get("DescribeListeners", 0) >= len(fleets.fleet.tenants):
                break
        assert fleets.world.account.calls().get("DescribeListeners", 0) >= len(fleets.fleet.tenants)
        assert_untouched(fleets, before)
        assert_taken(fleets)


def assert_untouched(fleets: Fleets, before: dict[str, Facts]) -> None:
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
        assert ingress.record["claim"] in ("created", "adopted", "shared"), about
        assert ingress.is_ready, about


def main(*traits: str) -> int:
    """Take over a few load balancers of each trait, and everything when none is named."""
    try:
        take_over(settled_world(SEED, SIZE, traits))
    except AssertionError as breach:
        sys.stdout.write(f"{str(breach)[:2000]}\n")
        return CAUGHT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
