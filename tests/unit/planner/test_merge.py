"""Who gets what of a shared load balancer, as a table of small groups."""

from dataclasses import replace

import pytest

from l7lb.model.maybe import UNSET
from l7lb.model.maybe import given as either
from l7lb.model.problems import Held
from l7lb.model.sharing import Bid
from l7lb.model.snapshot import Limits
from tests.builders import host, listener, observed, ref, rule

from .groups import EMPTY, HTTP, HTTPS, bid, got, had, merged, plan_of, rules_of, steps, told


def test_each_member_gets_its_own_rules_on_one_listener() -> None:
    result = merged(bid("b", listener("HTTP:80", rule("b.example.com/"))), bid("a", listener("HTTP:80", rule())))
    assert rules_of(result) == ["a.example.com/", "b.example.com/"]
    assert (got(result, "a"), got(result, "b")) == ({"HTTP:80 a.example.com/"}, {"HTTP:80 b.example.com/"})
    assert not told(result, "a") + told(result, "b")


@pytest.mark.parametrize(
    ("a_has", "b_has", "winner"),
    [(False, False, "a"), (True, False, "a"), (False, True, "b"), (True, True, "a")],
    ids=["nobody has it", "the older has it", "the younger has it", "both records say so"],
)
def test_a_rule_is_its_holders_and_else_the_oldests(a_has: bool, b_has: bool, winner: str) -> None:
    rules = (rule("x.example.com/", "10.0.0.1:1"),)
    result = merged(
        bid("a", listener("HTTP:80", *rules), record=had("a", "x.example.com/") if a_has else None),
        bid("b", listener("HTTP:80", *rules), record=had("b", "x.example.com/") if b_has else None),
    )
    loser = "b" if winner == "a" else "a"
    assert got(result, winner) == {"HTTP:80 x.example.com/"}
    assert not got(result, loser)
    assert f"RuleConflict: : Ingress shop/{loser}" in told(result, loser)
    assert f"for Ingress shop/{winner}" in told(result, loser)
    assert not told(result, winner)


def test_the_loser_of_a_rule_keeps_all_the_rest() -> None:
    result = merged(
        bid("a", listener("HTTP:80", rule("x.example.com/"))),
        bid("b", listener("HTTP:80", rule("x.example.com/"), rule("x.example.com/b"))),
    )
    assert rules_of(result) == ["x.example.com/", "x.example.com/b"]
    assert got(result, "b") == {"HTTP:80 x.example.com/b"}


ONCE = {
    "security groups": ("security_groups", frozenset({"sg-1"}), frozenset({"sg-2"}), "security-groups"),
    "pass to target": ("pass_to_target", True, False, "pass-to-target"),
    "deletion protection": ("delete_protection", True, False, "deletion-protection"),
}


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("holder", ["", "a", "b"])
def test_what_can_be_said_once_follows_one_member(name: str, holder: str) -> None:
    field, one, other, part = ONCE[name]
    result = merged(
        bid("a", **{field: one}, record=had("a", parts=(part,) if holder == "a" else ())),
        bid("b", **{field: other}, record=had("b", parts=(part,) if holder == "b" else ())),
    )
    winner, loser = ("b", "a") if holder == "b" else ("a", "b")
    assert getattr(result.desired, field) == (other if winner == "b" else one)
    assert result.shares[f"uid-{winner}"].parts == {part}
    assert not result.shares[f"uid-{loser}"].parts
    assert f"NotApplied: : Ingress shop/{loser}: {part} is not applied: it follows Ingress shop/{winner}" in told(
        result, loser
    )


def test_equal_wishes_are_no_conflict() -> None:
    result = merged(bid("a", pass_to_target=True), bid("b", pass_to_target=True))
    assert result.desired.pass_to_target is True
    assert not told(result, "b")


def test_who_says_nothing_any_more_lets_go() -> None:
    result = merged(bid("a", record=had("a", parts=("pass-to-target",))), bid("b", pass_to_target=True))
    assert result.desired.pass_to_target is True
    assert result.shares["uid-b"].parts == {"pass-to-target"}


def test_a_host_of_two_members_shows_one_certificate() -> None:
    result = merged(
        bid("a", listener("HTTPS:443", rule("x.example.com/"), shown="certaaaa")),
        bid("b", listener("HTTPS:443", rule("x.example.com/b"), shown="certbbbb")),
    )
    shown = result.desired.listeners[0].hosts
    assert [(one.host, one.certificate) for one in shown] == [("x.example.com", host("x", "certaaaa").certificate)]
    assert "HTTPS:443 x.example.com certificate is not applied" in told(result, "b")
    assert rules_of(result, HTTPS) == ["x.example.com/", "x.example.com/b"]


def test_a_broken_secret_of_the_holder_leaves_the_certificate_as_it_is() -> None:
    part = "HTTPS:443 x.example.com certificate"
    broken = listener("HTTPS:443", rule("x.example.com/"), hosts=[host("x.example.com")])
    result = merged(
        bid(
            "a", broken, held=Held(hosts=frozenset({(HTTPS, "x.example.com")})),
            record=had("a", "x.example.com/", on="HTTPS:443", parts=(part,)),
        ),
        bid("b", listener("HTTPS:443", rule("x.example.com/b"), shown="certbbbb")),
    )  # fmt: skip
    assert result.desired.listeners[0].hosts[0].certificate is UNSET
    assert not result.held.hosts
    assert result.held.rules == {ref("HTTPS:443", "x.example.com/")}
    assert part in result.shares["uid-a"].parts


def test_a_held_host_that_nobody_else_uses_is_held_as_a_whole() -> None:
    held = Held(hosts=frozenset({(HTTPS, "x.example.com")}))
    broken = listener("HTTPS:443", rule("x.example.com/"), hosts=[host("x.example.com")])
    result = merged(bid("a", broken, held=held), bid("b", listener("HTTPS:443", rule("b.example.com/"), shown="c")))
    assert result.held.hosts == held.hosts


def test_a_held_listener_of_one_member_is_not_held_against_another() -> None:
    held = Held(listeners=frozenset({HTTPS}))
    result = merged(
        bid("a", listener("HTTPS:443", rule("a.example.com/")), held=held),
        bid("b", listener("HTTPS:443", rule("b.example.com/"), shown="certbbbb")),
    )
    assert HTTPS not in result.held.listeners
    assert result.held.rules == {ref("HTTPS:443", "a.example.com/")}


def test_a_rule_that_is_left_out_because_its_service_is_missing_stays_its_holders() -> None:
    gone = ref("HTTP:80", "x.example.com/")
    result = merged(
        bid("b", listener("HTTP:80"), held=Held(rules=frozenset({gone})), record=had("b", "x.example.com/")),
        bid("a", listener("HTTP:80", rule("x.example.com/"))),
    )
    assert gone in result.held.rules
    assert got(result, "b") == {str(gone)}
    assert "RuleConflict" in told(result, "a")


def test_a_broken_rule_that_another_member_has_is_not_held_for_the_one_that_never_had_it() -> None:
    gone = ref("HTTP:80", "x.example.com/")
    result = merged(
        bid("a", listener("HTTP:80"), held=Held(rules=frozenset({gone}))),
        bid("b", leaving=True, desired=None, record=had("b", "x.example.com/")),
    )
    assert gone not in result.held.rules


def silent(name: str, *rules: str, **said: object) -> Bid:
    said.setdefault("record", had(name, *rules))
    return replace(bid(name), desired=None, unreadable=True, **said)  # type: ignore[arg-type]  # a builder


def test_a_member_that_cannot_be_read_keeps_what_it_has() -> None:
    result = merged(silent("b", "x.example.com/"), bid("a", listener("HTTP:80", rule("x.example.com/"), rule())))
    assert got(result, "b") == {"HTTP:80 x.example.com/"}
    assert got(result, "a") == {"HTTP:80 a.example.com/"}
    assert ref("HTTP:80", "x.example.com/") in result.held.rules


def test_beside_a_member_that_cannot_be_read_the_others_let_nothing_go() -> None:
    edited = bid("a", listener("HTTP:80", rule("a.example.com/new")), record=had("a", "a.example.com/old"))
    seen = observed(listener("HTTP:80", rule("a.example.com/old"), rule("b.example.com/")), on=EMPTY.head)
    assert "delete 1 rule on HTTP:80: a.example.com/old" in steps(plan_of(edited, bid("b"), seen=seen))
    result = merged(silent("b", "b.example.com/"), edited, seen=seen)
    assert got(result, "a") == {"HTTP:80 a.example.com/new", "HTTP:80 a.example.com/old"}
    assert "delete" not in " ".join(steps(plan_of(silent("b", "b.example.com/"), edited, seen=seen)))


def test_beside_a_member_that_cannot_be_read_a_deleted_one_goes_all_the_same() -> None:
    seen = observed(listener("HTTP:80", rule("a.example.com/"), rule("b.example.com/")), on=EMPTY.head)
    leaving = replace(bid("a", record=had("a", "a.example.com/")), desired=None, leaving=True)
    plan = plan_of(silent("b", "b.example.com/"), leaving, seen=seen)
    assert [text.partition(";")[0] for text in steps(plan)] == ["delete 1 rule on HTTP:80: a.example.com/"]


def test_beside_one_whose_record_is_lost_nothing_is_let_go_anywhere() -> None:
    edited = bid("a", record=had("a", "a.example.com/old"))
    result = merged(silent("b", record=None), edited, seen=observed(listener("HTTP:80", rule("a.example.com/old"))))
    assert got(result, "a") == {"HTTP:80 a.example.com/old"}


def test_the_last_rules_of_a_listener_take_it_with_them() -> None:
    seen = observed(
        listener("HTTP:80", rule("a.example.com/")), listener("HTTP:8081", rule("b.example.com/")), on=EMPTY.head
    )
    leaving = replace(bid("b", record=had("b", "b.example.com/", on="HTTP:8081")), desired=None, leaving=True)
    stays = bid("a", listener("HTTP:80", rule("a.example.com/")), record=had("a", "a.example.com/"))
    assert steps(plan_of(stays, leaving, seen=seen)) == ["delete 1 listener HTTP:8081"]


def test_a_listener_of_one_that_leaves_goes_although_another_member_could_have_had_rules_there() -> None:
    broken = ref("HTTP:80", "x.example.com/")
    seen = observed(listener("HTTP:80"), on=EMPTY.head)
    waits = bid("a", held=Held(rules=frozenset({broken}), hosts=frozenset({(HTTP, "x.example.com")})))
    leaving = bid("b", desired=None, leaving=True, record=replace(had("b", "b.example.com/"), rules=frozenset()))
    assert steps(plan_of(waits, leaving, seen=seen)) == ["delete 1 listener HTTP:80"]


@pytest.mark.parametrize("leaves", [True, False])
def test_a_listener_waits_for_one_that_cannot_be_made_unless_only_those_who_leave_have_it(leaves: bool) -> None:
    seen = observed(listener("HTTP:80", rule("b.example.com/")), on=EMPTY.head)
    waits = bid("a", listener("HTTPS:443", rule("a.example.com/")))
    said: dict[str, object] = {"desired": None, "leaving": True} if leaves else {}
    other = bid("b", record=had("b", "b.example.com/"), **said)
    deleted = ["delete 1 listener HTTP:80"] if leaves else []
    assert steps(plan_of(waits, other, seen=seen)) == deleted


def test_a_listener_with_a_rule_of_nobody_stays_and_loses_only_ours() -> None:
    seen = observed(
        listener("HTTP:8081", rule("b.example.com/"), rule("console.example.com/")), on=EMPTY.head
    )  # fmt: skip
    leaving = replace(bid("b", record=had("b", "b.example.com/", on="HTTP:8081")), desired=None, leaving=True)
    plan = plan_of(bid("a"), leaving, seen=seen)
    assert [text.partition(";")[0] for text in steps(plan)] == ["delete 1 rule on HTTP:8081: b.example.com/"]
    assert any("are nobody's, left: console.example.com/" in note for note in plan.notes)


def test_rules_of_nobody_on_our_listener_are_told_and_left() -> None:
    seen = observed(listener("HTTP:80", rule("a.example.com/"), rule("console.example.com/")), on=EMPTY.head)
    plan = plan_of(bid("a", listener("HTTP:80", rule("a.example.com/"))), seen=seen)
    assert not plan.steps
    assert any("are nobody's, left: console.example.com/" in note for note in plan.notes)


def test_a_rule_goes_over_to_the_next_member_without_being_made_anew() -> None:
    seen = observed(listener("HTTP:80", rule("x.example.com/", "10.0.0.1:1")), on=EMPTY.head)
    leaving = replace(bid("a", record=had("a", "x.example.com/")), desired=None, leaving=True)
    plan = plan_of(bid("b", listener("HTTP:80", rule("x.example.com/", "10.0.0.2:2"))), leaving, seen=seen)
    assert steps(plan) == [
        "register 1 target on HTTP:80 x.example.com/: 10.0.0.2:2",
        "deregister 1 target on HTTP:80 x.example.com/: 10.0.0.1:1",
    ]


def test_a_port_that_is_somebody_elses_is_told_to_those_who_need_it() -> None:
    seen = observed(listener("TCP:8081", name="lender"), on=EMPTY.head)
    result = merged(
        bid("a", listener("HTTP:80", rule())), bid("b", listener("HTTP:8081", rule("b.example.com/"))), seen=seen
    )
    assert [str(spec.key) for spec in result.desired.listeners] == ["HTTP:80"]
    assert "ListenerConflict: E4101" in told(result, "b")
    assert not told(result, "a")


def test_a_port_has_one_protocol_and_the_holder_says_which() -> None:
    plain, tls = listener("HTTP:8443", rule()), listener("HTTPS:8443", rule("b.example.com/"), shown="certbbbb")
    first = merged(bid("a", plain), bid("b", tls))
    assert [str(spec.key) for spec in first.desired.listeners] == ["HTTP:8443"]
    assert "E4101" in told(first, "b")
    kept = merged(bid("a", plain), bid("b", tls, record=had("b", "b.example.com/", on="HTTPS:8443")))
    assert [str(spec.key) for spec in kept.desired.listeners] == ["HTTPS:8443"]
    assert "E4101" in told(kept, "a")


def test_rules_over_the_quota_are_told_to_those_who_came_last() -> None:
    seen = observed(listener("HTTP:80", rule("c.example.com/"), rule("console.example.com/")), on=EMPTY.head)
    result = merged(
        bid("a", listener("HTTP:80", rule("a.example.com/"), rule("a.example.com/2"))),
        bid("c", listener("HTTP:80", rule("c.example.com/")), record=had("c", "c.example.com/")),
        seen=seen,
        limits=Limits(rules_per_listener=3),
    )
    assert rules_of(result) == ["a.example.com/", "c.example.com/"]
    assert "RulesExhausted: E4005" in told(result, "a")
    assert not told(result, "c")


def test_a_member_that_has_rules_already_is_told_too_when_more_do_not_fit() -> None:
    seen = observed(listener("HTTP:80", rule("a.example.com/")), on=EMPTY.head)
    result = merged(
        bid(
            "a", listener("HTTP:80", rule("a.example.com/"), rule("a.example.com/2")), record=had("a", "a.example.com/")
        ),
        seen=seen,
        limits=Limits(rules_per_listener=1),
    )
    assert rules_of(result) == ["a.example.com/"]
    assert "RulesExhausted: E4005" in told(result, "a")


def test_a_plain_path_of_tke_satisfies_an_exact_one_only_where_nobody_has_it() -> None:
    seen = observed(listener("HTTP:80", rule("a.example.com/p")), on=EMPTY.head)
    exact = bid("a", listener("HTTP:80", rule("a.example.com=/p")))
    assert rules_of(merged(exact, seen=seen)) == ["a.example.com/p"]
    other = replace(bid("b", record=had("b", "a.example.com/p")), desired=None, leaving=True)
    assert rules_of(merged(exact, other, seen=seen)) == ["a.example.com=/p"]
    asks = bid("b", listener("HTTP:80", rule("a.example.com/p")))
    assert rules_of(merged(exact, asks, seen=seen)) == ["a.example.com=/p", "a.example.com/p"]
    made = replace(exact, record=had("a", "a.example.com=/p"))
    assert rules_of(merged(made, seen=seen)) == ["a.example.com=/p"]


def test_of_two_default_hosts_one_counts() -> None:
    result = merged(
        bid("a", listener("HTTP:80", rule("a.example.com/"), hosts=[host("a.example.com", default=True)])),
        bid("b", listener("HTTP:80", rule("b.example.com/"), hosts=[host("b.example.com", default=True)])),
    )
    hosts = result.desired.listeners[0].hosts
    assert [(one.host, either(one.default, False)) for one in hosts] == [
        ("a.example.com", True),
        ("b.example.com", False),
    ]
    assert "HTTP:80 default is not applied" in told(result, "b")
