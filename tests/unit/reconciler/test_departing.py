"""Bound pods that no endpoint names any more: only those that are really gone are told to the planner."""

import pytest

from l7lb.model.loadbalancer import Presence
from l7lb.reconciler.departing import gone, unlisted
from tests.builders import desired, listener, observed, rule, there

WANTED = desired(listener("HTTP:80", rule("a.example.com/", "172.16.0.2:80", "172.16.0.3:80 weight=0 tolerated")))


@pytest.mark.parametrize(
    ("bound", "asked"),
    [
        ("172.16.0.1:80", {"172.16.0.1"}),
        ("172.16.0.1:80 weight=0", set()),
        ("172.16.0.2:80", set()),
        ("172.16.0.2:8080", set()),
        ("172.16.0.3:80", set()),
        ("10.0.0.1:30080 via=ins-1", set()),
    ],
    ids=["a stranger", "without traffic", "listed", "another port of a listed one", "resting", "a machine"],
)
def test_it_is_asked_about_strangers_that_take_traffic(bound: str, asked: set[str]) -> None:
    world = observed(there(listener("HTTP:80", rule("a.example.com/", bound))))
    assert unlisted(WANTED, world) == asked


def test_nothing_is_asked_about_targets_that_cannot_be_told() -> None:
    frozen = desired(listener("HTTP:80", rule("a.example.com/", known=False)))
    assert (
        unlisted(frozen, observed(there(listener("HTTP:80", rule("a.example.com/", "172.16.0.1:80"))))) == frozenset()
    )


def test_what_is_bound_at_a_vacant_address_is_gone_and_what_lives_only_leaves() -> None:
    bound = rule("a.example.com/", "172.16.0.1:80", "172.16.0.4:80")
    told = gone(WANTED, observed(there(listener("HTTP:80", bound))), frozenset({"172.16.0.1"}))
    (one,) = told.listeners[0].rules
    assert {str(target.key): target.presence for target in one.targets} == {
        "172.16.0.1:80": Presence.GONE,
        "172.16.0.2:80": Presence.REQUIRED,
        "172.16.0.3:80": Presence.TOLERATED,
    }


def test_a_rule_that_tke_wrote_without_its_equals_sign_is_looked_at_too() -> None:
    wanted = desired(listener("HTTP:80", rule("a.example.com=/", "172.16.0.2:80")))
    world = observed(there(listener("HTTP:80", rule("a.example.com/", "172.16.0.1:80"))))
    assert unlisted(wanted, world) == {"172.16.0.1"}
    (told,) = gone(wanted, world, frozenset({"172.16.0.1"})).listeners[0].rules
    assert [str(target.key) for target in told.targets if target.presence is Presence.GONE] == ["172.16.0.1:80"]
