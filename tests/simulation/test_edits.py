"""After a take-over each edit changes in the cloud what it says, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fixtures.tke_dice import Dice
from tests.simulation import edits, edits_declared, manifests
from tests.simulation.cluster import NODES
from tests.simulation.edits import ABSENT, Allows, Draft, Edit, Place, Premises
from tests.simulation.fleets import Facts, Fleets, settled_world
from tests.simulation.takeover import SETTLED_S, take_over

SIZE = 200
KINDS = (*edits.KINDS, *edits_declared.KINDS)


@pytest.mark.parametrize("seed", [4, 5])
def test_each_edit_writes_what_was_edited_and_nothing_else(seed: int) -> None:
    fleets = take_over(settled_world(seed, SIZE))
    before = fleets.facts()
    drafted = draft_all(fleets, before)
    for _, edit in drafted.values():
        edit.perform(fleets.world.users)
    come_to_rest(fleets)
    after = fleets.facts()
    assert set(before) == set(after)
    assert_just_that(fleets, {tenant: edit for tenant, (_, edit) in drafted.items()}, before)
    kinds = {draft.__name__ for draft in KINDS}
    assert kinds == {draft.__name__ for draft, _ in drafted.values()}
    fleets.world.account.forget_calls()
    fleets.restless()
    fleets.world.live().verify()
    fleets.world.run_for(SETTLED_S)
    assert not fleets.world.account.writes()


def test_nodes_that_come_and_go_change_their_own_targets_and_nothing_else() -> None:
    fleets = take_over(settled_world(6, SIZE))
    before = fleets.facts()
    leaving = next(one for one in fleets.fleet.ground.of("always") if one.is_cvm)
    coming = "10.0.99.1"
    fleets.world.account.seed(instances=[{"id": "ins-joining0", "ip": coming}])
    fleets.world.users.create(manifests.node("node-joining", coming, "ins-joining0"))
    fleets.world.users.remove(f"{NODES}/{leaving.name}")
    come_to_rest(fleets)
    edits_of = {}
    for tenant in fleets.fleet.tenants:
        is_bound = {
            at[1:4] for at in before[tenant.id] if at[0] == "target" and at[4].startswith(f"{leaving.address}:")
        }
        edits_of[tenant.id] = Edit("node came and went", allows=_is_swap(leaving.address, coming, is_bound))
    assert_just_that(fleets, edits_of, before)
    after = fleets.facts()
    for lb, facts in before.items():
        for at in facts:
            if at[0] == "target" and at[4].startswith(f"{leaving.address}:") and at[5] == "weight":
                here = (*at[:4], at[4].replace(leaving.address, coming), "weight")
                assert at not in after[lb]
                assert after[lb][here] == 10


def _is_swap(leaving: str, coming: str, places: set[Place]) -> Allows:
    def is_right(place: Place, was: Any, now: Any) -> bool:
        if place[0] != "target" or place[1:4] not in places:
            return False
        if place[4].startswith(f"{leaving}:"):
            return now is ABSENT
        return place[4].startswith(f"{coming}:") and was is ABSENT

    return is_right


def draft_all(fleets: Fleets, before: Mapping[str, Facts]) -> dict[str, tuple[Draft, Edit]]:
    """One edit for each load balancer, of those kinds that fit the one that is rarest so far."""
    uses = dict.fromkeys(Dice(str(fleets.fleet.seed)).shuffled(KINDS), 0)
    done: dict[str, tuple[Draft, Edit]] = {}
    for tenant in fleets.fleet.tenants:
        meta = tenant.ingresses[0]["metadata"]
        seen = fleets.seen(meta["namespace"], meta["name"])
        on = Premises(tenant, fleets.fleet.ground, seen.json, before[tenant.id])
        for draft in sorted(uses, key=lambda one: uses[one]):
            edit = draft(on)
            if edit is not None:
                done[tenant.id] = draft, edit
                uses[draft] += 1
                break
    assert len(done) == len(fleets.fleet.tenants)
    return done


def come_to_rest(fleets: Fleets) -> None:
    """The nodes that are NotReady stay freshly so, or time alone would change what is bound."""
    for _ in range(3):
        fleets.restless()
        fleets.world.run_for(SETTLED_S)


def assert_just_that(fleets: Fleets, made: Mapping[str, Edit], before: Mapping[str, Facts]) -> None:
    after = fleets.facts()
    breaches = [f"{lb}: {said}" for lb, edit in made.items() for said in edit.breaches(before[lb], after[lb])]
    traits = {one.id: sorted(one.traits) for one in fleets.fleet.tenants}
    told = "\n".join(f"{said}\n  {traits[said[:11]]}" for said in breaches[:12])
    assert not breaches, f"seed {fleets.fleet.seed}: {len(breaches)} breaches\n{told}"
