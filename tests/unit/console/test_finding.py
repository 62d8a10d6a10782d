"""Search, filter and pages of lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.console.finding import RULES_MAX, VIEWS, Wanted, find, owned, rules, wanted, worst_targets
from l7lb.model.branches import ListenerView, Mark, Part, RuleView
from l7lb.model.cloud import Health
from tests.unit.console.portraits import CHECKOUT, broad, fleet, large, listeners, rule, target


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("", Wanted()),
        ("q=shop&mark=bad&view=ingresses&page=3", Wanted("shop", Mark.BAD, "ingresses", 3)),
        ("q=%20a%20b%20", Wanted("a b")),
        ("page=0", Wanted(page=1)),
        ("page=-1", Wanted(page=1)),
        ("page=\u0663", Wanted(page=1)),
        ("page=99999", Wanted(page=10_000)),
        ("page=100000", Wanted(page=1)),
        ("mark=BAD&view=nodes", Wanted()),
        ("q=a&q=b", Wanted("a")),
        ("&".join(f"x{number}=1" for number in range(50)), Wanted()),
    ],
)
def test_a_query_is_read_as_far_as_it_means_something(query: str, meant: Wanted) -> None:
    assert wanted(query) == meant


@given(st.text())
def test_no_query_is_too_odd_to_be_read(query: str) -> None:
    read = wanted(query)
    assert len(read.text) <= 200
    assert 1 <= read.page <= 10_000
    assert read.view in VIEWS


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("LB-8F2", {"lb-8f2kq1zd"}),
        ("cdn.shop.example.com", {"lb-8f2kq1zd"}),
        ("shop/checkout e4041", {"lb-8f2kq1zd"}),
        ("pay/ portal", {"lb-5m3v5x7q"}),
        ("shared", {"lb-gr0up5hd"}),
        ("203.0.113.163", {"lb-0m3v0x7q"}),
        ("nowhere", set()),
    ],
)
def test_load_balancers_are_found_by_id_host_ingress_address_claim_and_code(text: str, ids: set[str]) -> None:
    assert {one.ref.id for one in find(fleet().balancers, Wanted(text)).items} == ids


def test_the_worst_come_first_and_counts_are_of_all_that_fits() -> None:
    found = find(fleet().balancers, Wanted(mark=Mark.OK))
    assert {one.mark for one in found.items} == {Mark.OK}
    assert found.counts[Mark.BAD] == 1
    assert [one.mark for one in find(fleet().balancers, Wanted()).items][:2] == [Mark.BAD, Mark.WAITING]


def test_a_page_past_the_end_is_the_last_one() -> None:
    found = find(large(120).balancers, Wanted(page=9))
    assert (found.page, found.pages, len(found.items), found.total) == (3, 3, 20, 120)


def test_all_pages_together_are_the_list() -> None:
    items = large(120).members
    seen = [one.key for page in (1, 2, 3) for one in find(items, Wanted(page=page)).items]
    assert sorted(seen) == sorted(one.key for one in items)


def flat(views: tuple[ListenerView, ...]) -> list[str]:
    return [f"{one.key} {host.host}{item.path}" for one in views for host in one.hosts for item in host.rules]


def test_rules_are_found_by_what_leads_to_them_and_where_they_lead() -> None:
    tree = listeners()
    assert flat(rules(tree, Wanted("api:http")).items) == ["HTTPS:443 shop.example.com/api"]
    assert flat(rules(tree, Wanted("node-15")).items) == ["HTTPS:443 shop.example.com/checkout"]
    assert flat(rules(tree, Wanted("cdn.shop.example.com")).items) == ["HTTPS:443 *.shop.example.com/"]
    assert flat(rules(tree, Wanted("", Mark.BAD)).items) == ["HTTPS:443 shop.example.com/checkout"]


def test_a_tree_of_one_page_is_the_tree_itself() -> None:
    assert rules(listeners(), Wanted()).items == listeners()


def test_pages_of_rules_put_together_are_the_tree() -> None:
    tree = broad(2 * RULES_MAX + 5, 1).listeners
    pages = [flat(rules(tree, Wanted(page=page)).items) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [RULES_MAX, RULES_MAX, 5]
    assert [name for page in pages for name in page] == flat(tree)


def test_the_rules_of_one_ingress_are_its_own() -> None:
    assert flat(owned(listeners(), CHECKOUT)) == ["HTTPS:443 shop.example.com/checkout"]


DEAD, ALIVE = target("10.0.0.1", Health.DEAD), target("10.0.0.2")
DRAINED = target("10.0.0.3", Health.DEAD, 0)


@pytest.mark.parametrize(
    ("view", "mark"),
    [
        (rule("/", ALIVE), Mark.OK),
        (rule("/", ALIVE, DEAD), Mark.WARNING),
        (rule("/", DEAD), Mark.BAD),
        (rule("/"), Mark.BAD),
        (rule("/", DRAINED), Mark.BAD),
        (rule("/", ALIVE, DRAINED), Mark.OK),
        (rule("/", target("10.0.0.4", None)), Mark.UNKNOWN),
        (rule("/", target("10.0.0.4", Health.UNKNOWN), ALIVE), Mark.WAITING),
        (rule("/", target("10.0.0.4", Health.UNCHECKED)), Mark.OK),
        (rule("/", redirect="301 to HTTPS:443 a/"), Mark.OK),
        (rule("/", ALIVE, held=True), Mark.WARNING),
        (rule("/", part=Part.MISSING), Mark.WAITING),
        (rule("/", part=Part.UNSEEN), Mark.UNKNOWN),
        (rule("/", part=Part.OTHERS), Mark.OK),
    ],
)
def test_a_rule_stands_as_traffic_meets_it(view: RuleView, mark: Mark) -> None:
    assert view.mark is mark


def test_targets_that_need_a_look_come_first() -> None:
    assert worst_targets(rule("/", ALIVE, DEAD))[0] is DEAD
