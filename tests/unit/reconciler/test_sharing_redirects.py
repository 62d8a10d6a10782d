"""Redirects in a group: each member's own, switched off by taking the annotation away, and none of others touched."""

import pytest

from tests.emulators.clb.nouns import Redirect
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

LENT = "lb-lent0001"
TKE = "ingress.cloud.tencent.com"
SHARES = {"kubernetes.io/ingress.existLbId": LENT, f"{TKE}/enable-group": "true"}
BOTH = {f"{TKE}/listen-ports": '[{"HTTP":80},{"HTTPS":443}]'}
AUTO = f"{TKE}/auto-rewrite"


def _serve(world: World, watchman: Watchman, **annotations: dict[str, str]) -> None:
    world.account.lend(LENT)
    watchman.remember()
    for name, own in annotations.items():
        world.users.create(
            manifests.ingress(
                name, manifests.rule(f"{name}.example.com"), tls="cert", annotations={**SHARES, **BOTH, **own}
            )
        )
    world.start()
    world.settle()
    for name in annotations:
        assert world.users.ingress(name).is_ready, world.users.ingress(name).why


def _redirects(world: World) -> dict[str, str]:
    listeners = world.account.lb().listeners.values()
    places = {rule.id: f"{item.port} {rule.domains[0]}" for item in listeners for rule in item.rules.values()}
    return {
        places[rule.id]: places[rule.redirect.location_id]
        for item in listeners
        for rule in item.rules.values()
        if rule.redirect
    }


def _rests(world: World) -> None:
    world.account.forget_calls()
    world.start()
    world.settle()
    assert world.account.writes() == {}


def test_each_member_redirects_for_itself(world: World, watchman: Watchman) -> None:
    _serve(world, watchman, a={AUTO: "true"}, b={}, c={AUTO: "true"})
    assert _redirects(world) == {"80 a.example.com": "443 a.example.com", "80 c.example.com": "443 c.example.com"}
    assert world.account.targets(80) == {("b.example.com/", "10.0.0.1", 30080), ("b.example.com/", "10.0.0.2", 30080)}
    _rests(world)


@pytest.mark.parametrize("text", [None, "false"])
def test_taking_the_annotation_away_switches_off_ones_own(world: World, watchman: Watchman, text: str | None) -> None:
    _serve(world, watchman, a={AUTO: "true"}, b={AUTO: "true"})
    world.users.annotate({AUTO: text}, "a")
    world.settle()
    assert _redirects(world) == {"80 b.example.com": "443 b.example.com"}
    assert ("a.example.com/", "10.0.0.1", 30080) in world.account.targets(80)
    _rests(world)


def test_a_member_that_goes_takes_its_redirects_first(world: World, watchman: Watchman) -> None:
    _serve(world, watchman, a={AUTO: "true"}, b={AUTO: "true"})
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None
    assert _redirects(world) == {"80 b.example.com": "443 b.example.com"}
    assert world.account.paths(443) == {"b.example.com/"}
    world.users.delete("b")
    world.settle()
    assert world.users.find("b") is None
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.lb().tags == {"team": "owner"}


def test_a_redirect_of_the_console_on_anothers_rule_is_left(world: World, watchman: Watchman) -> None:
    _serve(world, watchman, a={AUTO: "true"}, b={})
    begin = next(rule for rule in world.account.listener(80).rules.values() if rule.domains[0] == "b.example.com")
    to = world.account.listener(443)
    end = next(rule for rule in to.rules.values() if rule.domains[0] == "b.example.com")
    begin.redirect = Redirect(to.id, end.id, 302, take_url=True, kind="Manual")
    _rests(world)
    world.users.rules(manifests.rule("a.example.com", "/new"), name="a")
    world.settle()
    assert _redirects(world)["80 b.example.com"] == "443 b.example.com"
    assert _redirects(world)["80 a.example.com"] == "443 a.example.com"
