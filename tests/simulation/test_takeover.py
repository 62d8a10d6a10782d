"""A fleet that TKE's controller has left behind is taken over without a single write to the cloud."""

import pytest

from l7lb.app.adopting import Verdict, assess
from l7lb.app.adopting import take_over as hand_over
from l7lb.app.gate import Evidence, Gate
from l7lb.app.planning import Worlds
from l7lb.app.survey import Surveyed
from tests.fixtures.tke_fleet import TRAITS, fleet
from tests.simulation.clock import SimClock
from tests.simulation.cluster import FINALIZER
from tests.simulation.fleets import settled_world
from tests.simulation.takeover import SETTLED_S, look_again, take_over

SIZE = 200


@pytest.mark.parametrize("seed", range(20))
def test_every_dimension_occurs_in_a_fleet_whatever_its_seed(seed: int) -> None:
    assert sorted(TRAITS - fleet(seed, SIZE, SimClock().time()).traits) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fleet_of_tkes_making_is_taken_over_without_a_write(seed: int) -> None:
    taken = take_over(settled_world(seed, SIZE))
    assert len(taken.facts()) == SIZE
    look_again(taken)


def test_the_command_says_of_a_fleet_of_tkes_making_that_it_is_right_and_hands_it_over() -> None:
    fleets = settled_world(7, SIZE)
    before = fleets.facts()
    fleets.world.start()
    term = fleets.world.live().term
    assert term is not None
    stage = term._stage
    worlds = Worlds(
        stage.cluster, stage.settings, stage.caches._stores, stage.caches, stage.cloud, stage.ingresses, stage.clock
    )
    advance = fleets.world.clock.advance
    heads = stage.cloud.find(stage.settings.region, {"tke-clusterId": stage.cluster.id})
    gate = Gate(lambda: Evidence(None, None, None, readable=True), ignored=False)
    found = assess(Surveyed(worlds, gate.standing(), gate, heads), stage.cloud, advance)
    told = {str(one.ingress): (one.verdict, one.finding.waits) for one in found.assessments}
    assert {name: said for name, said in told.items() if said[0] is not Verdict.RIGHT} == {}
    entered = hand_over(worlds, found, advance)
    assert {one.verdict for one in entered.assessments} == {Verdict.TAKEN}
    assert all(FINALIZER in ingress.finalizers for ingress in fleets.ingresses())
    assert not fleets.world.account.writes()
    assert fleets.facts() == before


def test_a_rule_that_was_there_stays_and_one_that_comes_later_goes() -> None:
    fleets = take_over(settled_world(1, SIZE, ["foreign rule"]))
    before = fleets.facts()
    for tenant in fleets.fleet.tenants:
        listener = tenant.cloud["listeners"][0]["id"]
        late = {"domain": "late.example.net", "url": "/", "targets": [{"ip": "10.9.9.8", "port": 80}]}
        fleets.world.account.edit("add_rule", tenant.id, listener=listener, rule=late)
    fleets.world.start()
    fleets.restless()
    fleets.world.run_for(SETTLED_S)
    assert fleets.facts() == before
    assert fleets.world.account.writes() == {"DeleteRule": len(fleets.fleet.tenants)}
    told = [note.message for note in fleets.world.notes.all if "are nobody's, left" in note.message]
    assert len(told) >= len(fleets.fleet.tenants)
