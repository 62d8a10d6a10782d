"""Redirects as they are switched on, changed, switched off and given back, against the emulated cloud."""

import copy

import pytest

from tests.emulators.clb.nouns import Redirect
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

PORTS = "ingress.cloud.tencent.com/listen-ports"
AUTO = "ingress.cloud.tencent.com/auto-rewrite"
CODE = "ingress.cloud.tencent.com/auto-rewrite-code"
BOTH = {PORTS: '[{"HTTP":80},{"HTTPS":443}]'}
ON = {**BOTH, AUTO: "true"}
MIX = {
    "kubernetes.io/ingress.rule-mix": "true",
    "ingress.cloud.tencent.com/rewrite-support": "true",
}
LENT = "lb-lent0001"
NAMED = "kubernetes.io/ingress.existLbId"


def _create(world: World, annotations: dict[str, str], *rules: manifests.Json) -> str:
    return world.users.create(manifests.ingress("shop", *rules, annotations=annotations, tls="cert"))


def _serve(world: World, annotations: dict[str, str], *rules: manifests.Json) -> None:
    _create(world, annotations, *rules)
    world.start()
    world.settle()
    assert world.users.ingress().is_ready, world.users.ingress().why
    world.account.forget_calls()


def redirects(world: World) -> dict[str, tuple[str, int, str]]:
    """Place of the redirecting rule -> (place to which it leads, code, kind)."""
    listeners = world.account.lb().listeners.values()
    places = {rule.id: f"{item.port} {rule.domains[0]}{rule.url}" for item in listeners for rule in item.rules.values()}
    return {
        places[rule.id]: (places[rule.redirect.location_id], rule.redirect.code, rule.redirect.kind)
        for item in listeners for rule in item.rules.values() if rule.redirect
    }  # fmt: skip


def _rests(world: World) -> None:
    """Another process sees the same world, and finds nothing to do."""
    world.account.forget_calls()
    world.start()
    world.settle()
    assert world.account.writes() == {}


def test_a_load_balancer_with_automatic_redirects_takes_the_calls_of_its_budget(watchman: Watchman) -> None:
    world = World(latency=0.1)
    _ = watchman
    _create(world, ON, manifests.rule("a.example.com", "/", "/x"), manifests.rule("b.example.com"))
    world.start()
    world.account.forget_calls()
    world.settle()
    assert world.account.calls() == {
        "DescribeLoadBalancers": 2,
        "CreateLoadBalancer": 1,
        "CreateListener": 2,
        "CreateRule": 1,
        "AutoRewrite": 1,
        "DescribeListeners": 1,
        "BatchRegisterTargets": 1,
        "DescribeTaskStatus": 4,
    }
    assert redirects(world) == {
        "80 a.example.com/": ("443 a.example.com/", 302, "Auto"),
        "80 a.example.com/x": ("443 a.example.com/x", 302, "Auto"),
        "80 b.example.com/": ("443 b.example.com/", 302, "Auto"),
    }
    assert world.account.listener(80).name == "TKE-DEDICATED-LISTENER"
    _rests(world)


@pytest.mark.parametrize("seed", range(6))
def test_redirects_live_under_every_switch_of_the_cloud(seed: int) -> None:
    world = World(seed=seed)
    _create(world, ON, manifests.rule("a.example.com", "/", "/x"))
    world.start()
    world.settle()
    assert {place: to for place, (to, _, _) in redirects(world).items()} == {
        "80 a.example.com/": "443 a.example.com/",
        "80 a.example.com/x": "443 a.example.com/x",
    }
    world.users.rules(manifests.rule("a.example.com", "/", "/y"))
    world.users.annotate({CODE: '{"defaultRewriteCode":301}'})
    world.settle()
    assert {place: (to, code) for place, (to, code, _) in redirects(world).items()} == {
        "80 a.example.com/": ("443 a.example.com/", 301),
        "80 a.example.com/y": ("443 a.example.com/y", 301),
    }
    _rests(world)
    world.users.annotate({AUTO: "false", PORTS: '[{"HTTPS":443}]'})
    world.settle()
    assert [item.port for item in world.account.lb().listeners.values()] == [443]
    world.users.delete()
    world.settle()
    assert world.account.lbs() == []


def test_http_that_forwarded_redirects_and_its_targets_come_off_after_that(world: World) -> None:
    _serve(world, BOTH)
    world.users.annotate({AUTO: "true"})
    world.settle()
    assert redirects(world) == {"80 a.example.com/": ("443 a.example.com/", 302, "Manual")}
    assert world.account.targets(80) == set()
    assert world.account.writes() == {"ManualRewrite": 1, "BatchDeregisterTargets": 1}
    _rests(world)


def test_http_that_redirected_forwards_again_and_has_its_targets_before(world: World) -> None:
    _serve(world, ON)
    bound: list[int] = []
    world.inspect = lambda action, _: (
        bound.append(len(world.account.targets(80))) if action == "DeleteRewrite" else None
    )
    world.users.annotate({AUTO: "false"})
    world.settle()
    assert redirects(world) == {}
    assert bound == [2]
    assert len(world.account.targets(80)) == 2
    _rests(world)


def test_another_code_costs_two_calls_that_follow_one_another_and_is_said(world: World) -> None:
    _serve(world, ON)
    world.users.annotate({CODE: '{"defaultRewriteCode":307}'})
    world.settle()
    assert redirects(world) == {"80 a.example.com/": ("443 a.example.com/", 307, "Manual")}
    assert world.account.writes() == {"DeleteRewrite": 1, "ManualRewrite": 1}
    assert any("clients get an error until then" in text for text in _said(world))
    _rests(world)


def test_a_url_that_comes_and_goes_is_followed_on_both_sides(world: World) -> None:
    _serve(world, ON, manifests.rule("a.example.com", "/", "/old"))
    world.users.rules(manifests.rule("a.example.com", "/", "/new"))
    world.settle()
    assert {place: kind for place, (_, _, kind) in redirects(world).items()} == {
        "80 a.example.com/": "Auto",
        "80 a.example.com/new": "Auto",
    }
    assert world.account.paths(80) == world.account.paths(443) == {"a.example.com/", "a.example.com/new"}
    _rests(world)


def test_a_moved_path_is_redirected_within_its_listener(world: World) -> None:
    moved = '[{"host":"a.example.com","path":"/old","rewrite":{"port":80,"host":"a.example.com","path":"/"}}]'
    own = (
        '[{"host":"a.example.com","path":"/","backend":{"serviceName":"web","servicePort":"80"}},' + moved[1:]
    )  # fmt: skip
    world.users.create(
        manifests.ingress("shop", annotations={**MIX, "kubernetes.io/ingress.http-rules": own,
                                               "kubernetes.io/ingress.https-rules": "null"})
    )  # fmt: skip
    world.start()
    world.settle()
    assert redirects(world) == {"80 a.example.com/old": ("80 a.example.com/", 302, "Manual")}
    _rests(world)


def _by_hand(world: World, source: str, target: str) -> None:
    listeners = world.account.lb().listeners.values()
    rules = {f"{item.port} {rule.domains[0]}{rule.url}": (item, rule) for item in listeners
             for rule in item.rules.values()}  # fmt: skip
    (_, begin), (to, end) = rules[source], rules[target]
    begin.redirect = Redirect(to.id, end.id, 302, take_url=True, kind="Manual")


def test_a_redirect_of_the_console_is_left_alone_without_an_annotation(world: World) -> None:
    _serve(world, BOTH, manifests.rule("a.example.com"), manifests.rule("b.example.com"))
    _by_hand(world, "80 a.example.com/", "443 a.example.com/")
    _rests(world)
    world.users.rules(manifests.rule("b.example.com"))
    world.settle()
    assert redirects(world) == {"80 a.example.com/": ("443 a.example.com/", 302, "Manual")}
    assert any("E4006" in text and "443 a.example.com/" in text for text in _said(world))


def test_with_an_annotation_a_redirect_of_the_console_is_overwritten(world: World) -> None:
    _serve(world, ON, manifests.rule("a.example.com"), manifests.rule("b.example.com"))
    _by_hand(world, "80 a.example.com/", "443 b.example.com/")
    world.start()
    world.settle()
    assert {place: to for place, (to, _, _) in redirects(world).items()} == {
        "80 a.example.com/": "443 a.example.com/",
        "80 b.example.com/": "443 b.example.com/",
    }


def _lend(world: World, watchman: Watchman, annotations: dict[str, str]) -> None:
    world.account.lend(LENT)
    watchman.remember()
    _serve(world, {NAMED: LENT, **annotations})


def test_a_lent_load_balancer_is_given_back_without_our_redirects(world: World, watchman: Watchman) -> None:
    _lend(world, watchman, ON)
    assert redirects(world)
    world.users.delete()
    world.settle()
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.lb().tags == {"team": "owner"}
    assert world.users.find() is None


def _his_own_edit(world: World, watchman: Watchman) -> None:
    lent = watchman.lent[LENT]
    there = world.account.lb().listeners
    lent.listeners = {key: copy.deepcopy(there[key]) for key in lent.listeners}


def test_a_redirect_of_the_lender_holds_our_listener_and_is_named_until_it_is_gone(
    world: World, watchman: Watchman
) -> None:
    _lend(world, watchman, BOTH)
    _by_hand(world, "8080 owner.example.com/", "80 a.example.com/")
    _his_own_edit(world, watchman)
    world.users.delete()
    world.run(300.0)
    assert {item.port for item in world.account.lb().listeners.values()} == {8080, 80}
    assert "tke-clusterId" in world.account.lb().tags
    assert world.users.find() is not None
    assert any("8080 owner.example.com/" in text and "80 a.example.com/" in text for text in _said(world))
    for rule in world.account.listener(8080).rules.values():
        rule.redirect = None
    _his_own_edit(world, watchman)
    world.settle()
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.lb().tags == {"team": "owner"}
    assert world.users.find() is None


def _said(world: World) -> list[str]:
    return [str(note) for note in world.notes.all]
