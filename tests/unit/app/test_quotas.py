"""How much of each quota is in use, without names of objects."""

from dataclasses import replace

from l7lb.app.quotas import ratios
from l7lb.model.quotas import Quota
from l7lb.model.snapshot import Limits
from tests.builders import listener, observed, rule
from tests.unit.app.room import REGION

LIMITS = Limits(listeners_per_load_balancer=10, rules_per_listener=4, public_load_balancers=50, public_used=40)


def test_of_the_account_by_region_and_of_ours_where_there_is_most() -> None:
    one = observed(listener("HTTP:80", rule("a.example.com/"), rule("b.example.com/")))
    other = observed(listener("HTTP:80", rule("a.example.com/")), listener("HTTP:81", rule("a.example.com/")))
    region = one.head.ref.region
    found = ratios({region: LIMITS}, (one, other))
    assert found == {
        (region, Quota.PUBLIC): 0.8,
        (region, Quota.LISTENERS): 0.2,
        (region, Quota.RULES): 0.5,
        (region, Quota.TARGETS): 0.0,
    }


def test_what_is_not_known_is_not_told_and_nothing_of_nothing_is_not_full() -> None:
    assert ratios({}, (observed(),)) == {}
    unknown = ratios({REGION: replace(LIMITS, public_used=None, internal_used=0, internal_load_balancers=0)}, ())
    assert unknown == {(REGION, Quota.INTERNAL): 0.0}
