"""Who hears what was found about a shared load balancer."""

import pytest

from l7lb.model.identity import ListenerKey
from l7lb.model.problems import Problem
from l7lb.model.sharing import Share
from l7lb.reconciler.hearing import hearers
from tests.builders import ref

EXTENTS = {
    "a": Share(frozenset({ref("HTTP:80", "a.example.com/")}), listeners=frozenset({ListenerKey("HTTP", 80)})),
    "b": Share(frozenset({ref("HTTP:80", "b.example.com/")}), listeners=frozenset({ListenerKey("HTTP", 8080)})),
    "c": Share(),
}


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        pytest.param("HTTP:80 b.example.com/ has its most targets, 3 left out", ("b",), id="its rule"),
        pytest.param("the redirect HTTP:80 a.example.com/ -> HTTPS:443 x/ is left out", ("a",), id="a source"),
        pytest.param("HTTP:80 a.example.com/api has its most targets", ("a", "b"), id="a longer path is another rule"),
        pytest.param("HTTP:8080: the load balancer has its most listeners", ("b",), id="its listener"),
        pytest.param("HTTP:80 is left out", ("a", "b"), id="a listener of two"),
        pytest.param("something about the whole", ("a", "b", "c"), id="nobody's"),
    ],
)
def test_whoever_is_named_hears_it(message: str, heard: tuple[str, ...]) -> None:
    assert hearers(Problem("", "Noted", message), EXTENTS) == heard


def test_of_rules_of_nobody_one_hears() -> None:
    finding = Problem("", "Drift", "2 of the rules on HTTP:80 are nobody's, left: x.example.com/, y.example.com/")
    assert hearers(finding, EXTENTS) == ("a",)
