"""Die at every single call of the golden scenarios, start anew: one load balancer or none, nothing foreign touched."""

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.crashes import Scenario, calls_of, die, freeze, points
from tests.simulation.world import World

LENT = "lb-lent0001"


def _nothing(world: World, watchman: Watchman) -> None:
    """A fresh cluster."""


def _served(world: World, watchman: Watchman) -> None:
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x")))
    world.start()


def _lent(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()


def _adopted(world: World, watchman: Watchman) -> None:
    _lent(world, watchman)
    world.users.create(_borrower())
    world.start()


def _borrower() -> manifests.Json:
    return manifests.ingress("shop", annotations={"kubernetes.io/ingress.existLbId": LENT})


def _create(world: World) -> None:
    world.users.create(manifests.ingress("shop", manifests.rule("a.example.com", "/", "/x"), tls="cert"))


def _edit(world: World) -> None:
    world.users.rules(
        manifests.rule("a.example.com", "/", "/y", backend="api"), manifests.rule("b.example.com", "/", backend="web")
    )


def _one(world: World) -> None:
    assert len(world.account.lbs()) == 1


def _none(world: World) -> None:
    assert world.account.lbs() == []
    assert world.users.find() is None


def _given_back(world: World) -> None:
    assert world.account.lb().tags == {"team": "owner"}
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]


def _released(world: World) -> None:
    _given_back(world)
    assert world.users.ingress().finalizers == []
    assert world.users.ingress().addresses == []


def _out_of_class(world: World) -> None:
    world.users.annotate({"kubernetes.io/ingress.class": "nginx"})


def _left(world: World) -> None:
    assert world.account.lbs() == []
    assert world.users.ingress().finalizers == []


PORTS = {"ingress.cloud.tencent.com/listen-ports": '[{"HTTP":80},{"HTTPS":443}]'}
AUTO = "ingress.cloud.tencent.com/auto-rewrite"
CODE = "ingress.cloud.tencent.com/auto-rewrite-code"


def _on_both(world: World, watchman: Watchman) -> None:
    world.users.create(manifests.ingress("shop", annotations=PORTS, tls="cert"))
    world.start()


def _redirected(world: World, watchman: Watchman) -> None:
    rules = manifests.rule("a.example.com", "/", "/x"), manifests.rule("b.example.com")
    world.users.create(manifests.ingress("shop", *rules, annotations={**PORTS, AUTO: "true"}, tls="cert"))
    world.start()


def _lent_redirected(world: World, watchman: Watchman) -> None:
    _lent(world, watchman)
    asked = {**PORTS, AUTO: "true", "kubernetes.io/ingress.existLbId": LENT}
    world.users.create(manifests.ingress("shop", annotations=asked, tls="cert"))
    world.start()


def _redirect(world: World) -> None:
    world.users.annotate({AUTO: "true"})


def _redirect_otherwise(world: World) -> None:
    world.users.rules(manifests.rule("a.example.com", "/", "/y"), manifests.rule("c.example.com"))
    world.users.annotate(
        {CODE: '{"defaultRewriteCode":301,"rewriteCodeInfos":[{"host":"c.example.com","rewriteCode":307}]}'}
    )


def _redirect_no_more(world: World) -> None:
    world.users.annotate({AUTO: "false"})


def _redirects(world: World) -> dict[str, int]:
    return {
        f"{rule.domains[0]}{rule.url}": rule.redirect.code
        for rule in world.account.listener(80).rules.values() if rule.redirect
    }  # fmt: skip


def _is_redirected(world: World) -> None:
    assert _redirects(world) == {"a.example.com/": 302}


def _is_redirected_otherwise(world: World) -> None:
    assert _redirects(world) == {"a.example.com/": 301, "a.example.com/y": 301, "c.example.com/": 307}


def _forwards(world: World) -> None:
    assert _redirects(world) == {}
    assert world.account.paths(80) == world.account.paths(443)
    assert {place for place, _, _ in world.account.targets(80)} == world.account.paths(80)


SCENARIOS = (
    Scenario("redirect", _on_both, _redirect, _is_redirected),
    Scenario("redirect otherwise", _redirected, _redirect_otherwise, _is_redirected_otherwise),
    Scenario("redirect no more", _redirected, _redirect_no_more, _forwards),
    Scenario("give back what redirects", _lent_redirected, lambda world: world.users.delete(), _given_back),
    Scenario("create", _nothing, _create, _one),
    Scenario("edit", _served, _edit, _one),
    Scenario("delete", _served, lambda world: world.users.delete(), _none),
    Scenario("leave", _served, _out_of_class, _left),
    Scenario("adopt", _lent, lambda world: _discard(world.users.create(_borrower())), _one),
    Scenario("give-back", _adopted, lambda world: world.users.delete(), _given_back),
    Scenario("release", _adopted, _out_of_class, _released),
)


def _discard(_: object) -> None:
    """What came back is not needed."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_dying_at_any_call_loses_nothing_and_leaks_nothing(scenario: Scenario) -> None:
    tried = 0
    for number, death, name in points(scenario):
        try:
            die(scenario, number, death)
        except BaseException as error:
            raise AssertionError(f"{scenario.name}, died {death.value} call {number} ({name}): {error}") from error
        tried += 1
    assert tried >= 10


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_call_that_was_on_its_way_when_its_process_froze_is_repaired(scenario: Scenario) -> None:
    for number, name in enumerate(calls_of(scenario), 1):
        for arrives_after_s in (0.1, 2.0, 12.0):
            try:
                freeze(scenario, number, arrives_after_s)
            except BaseException as error:
                where = f"{scenario.name}, froze at call {number} ({name}), {arrives_after_s} s"
                raise AssertionError(f"{where}: {error}") from error
