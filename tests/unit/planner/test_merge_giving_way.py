"""Who could not be served anyway keeps nothing of a shared load balancer from those who can."""

import pytest

from l7lb.model.loadbalancer import RuleSpec
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from tests.builders import listener, observed, ref, rule

from .groups import EMPTY, HTTP, bid, got, merged, rules_of, told

ASKED = rule("x.example.com/", "10.0.0.1:1")
EMPTY_RULE = rule("x.example.com/")
X_BROKEN = Held(rules=frozenset({ref("HTTP:80", "x.example.com/")}))
X_HOST_BROKEN = Held(hosts=frozenset({(HTTP, "x.example.com")}))


@pytest.mark.parametrize(
    ("a_asks", "a_held", "there", "winner"),
    [
        (EMPTY_RULE, X_BROKEN, False, "b"),
        (ASKED, X_HOST_BROKEN, False, "b"),
        (EMPTY_RULE, X_BROKEN, True, "b"),
        (ASKED, X_HOST_BROKEN, True, "a"),
        (ASKED, Held(), False, "a"),
        (EMPTY_RULE, Held(), False, "a"),
    ],
    ids=[
        "its Service is gone",
        "its certificate is missing",
        "its Service is gone, and somebody has made the rule",
        "its certificate is missing, and somebody has made the rule",
        "it is whole",
        "it is whole and has no targets yet",
    ],
)
def test_an_older_one_that_could_not_be_served_anyway_keeps_a_rule_from_nobody(
    a_asks: RuleSpec, a_held: Held, there: bool, winner: str
) -> None:
    seen = observed(listener("HTTP:80", rule("x.example.com/", "10.0.0.9:9")), on=EMPTY.head) if there else EMPTY
    older = bid("a", listener("HTTP:80", a_asks), held=a_held)
    result = merged(older, bid("b", listener("HTTP:80", rule("x.example.com/", "10.0.0.2:2"))), seen=seen)
    loser = "b" if winner == "a" else "a"
    assert got(result, winner) == {"HTTP:80 x.example.com/"}
    assert (ref("HTTP:80", "x.example.com/") in result.held.rules) == (winner == "a" and a_held != Held())
    assert "RuleConflict" in told(result, loser)
    assert not told(result, winner)


def test_of_two_that_could_not_be_served_the_older_one_counts() -> None:
    result = merged(
        bid("b", listener("HTTP:80", EMPTY_RULE), held=X_BROKEN), bid("a", listener("HTTP:80", ASKED), held=X_BROKEN)
    )
    assert got(result, "a") == {"HTTP:80 x.example.com/"}
    assert ref("HTTP:80", "x.example.com/") in result.held.rules


@pytest.mark.parametrize(("broken", "on"), [(True, "HTTP:8443"), (False, "HTTPS:8443")])
def test_a_listener_that_cannot_be_made_keeps_its_port_from_nobody(broken: bool, on: str) -> None:
    tls = listener("HTTPS:8443", rule("a.example.com/"), shown="certaaaa")
    held = Held(listeners=frozenset({tls.key})) if broken else Held()
    result = merged(bid("a", tls, held=held), bid("b", listener("HTTP:8443", rule("b.example.com/"))))
    assert [str(spec.key) for spec in result.desired.listeners] == [on]
    assert "E4101" in told(result, "a" if broken else "b")


def test_rules_that_cannot_be_made_now_take_no_room_from_those_that_can() -> None:
    broken = Held(rules=frozenset({ref("HTTP:80", "x.example.com/")}))
    result = merged(
        bid("a", listener("HTTP:80", rule("x.example.com/")), held=broken),
        bid("b", listener("HTTP:80", rule("b.example.com/"))),
        limits=Limits(rules_per_listener=1),
    )
    assert rules_of(result) == ["b.example.com/"]
    assert "RulesExhausted: E4005" in told(result, "a")
    assert not told(result, "b")
