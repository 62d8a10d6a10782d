"""Whose a shared load balancer is, which listeners and rules on it are the group's, and which tags come and go."""

from dataclasses import replace

import pytest

from l7lb import ledger
from l7lb.errors import UnauthorizedPlan
from l7lb.model.identity import ListenerKey, LoadBalancerId
from l7lb.model.loadbalancer import ObservedLoadBalancer, RuleSpec
from l7lb.model.ownership import Claim, GroupEvidence, Member, Ownership, Record
from l7lb.model.plan import CreateRules, DeleteListeners, DeleteRules, Plan, Step
from tests.builders import CLUSTER, LB, head, key, listener, observed, ref, rule

HTTP = ListenerKey("HTTP", 80)
A, B = ref("HTTP:80", "a.example.com/"), ref("HTTP:80", "b.example.com/")
OURS = {"tke-clusterId": "cls-1"}


def record(uid: str, **said: object) -> Record:
    return replace(Record(uid, "cls-1", lb=LB, claim="shared"), **said)  # type: ignore[arg-type]  # a builder


def member(uid: str = "uid-a", kept: Record | None = None, *, leaving: bool = False, wants: bool = True) -> Member:
    return Member(
        uid,
        kept,
        leaving,
        listeners=frozenset({HTTP} if wants else ()),
        rules=frozenset({ref("HTTP:80", f"{uid[-1]}.example.com/")} if wants else ()),
    )


def read(tags: dict[str, str], *members: Member, world: ObservedLoadBalancer | None = None) -> Claim:
    seen = world or observed(on=head(tags=tags))
    return ledger.read_shared(GroupEvidence(CLUSTER, LB, tags, members or (member(),)), seen)


@pytest.mark.parametrize(
    ("tags", "ownership", "code"),
    [
        pytest.param({}, Ownership.SHARED, "", id="nobody's yet"),
        pytest.param(OURS, Ownership.SHARED, "", id="in use by this cluster"),
        pytest.param({**OURS, "team": "x"}, Ownership.SHARED, "", id="with tags of its owner"),
        pytest.param({**OURS, "tke-lb-ingress-uuid": "uid-a"}, Ownership.SHARED, "", id="a member's UID"),
        pytest.param({**OURS, "tke-lb-ingress-uuid": "uid-x"}, Ownership.FOREIGN, "E4020", id="a stranger's UID"),
        pytest.param({"tke-clusterId": "cls-2"}, Ownership.FOREIGN, "E4020", id="another cluster's"),
        pytest.param({**OURS, "l7lb-cluster-uid": "x"}, Ownership.FOREIGN, "E4020", id="another identity"),
        pytest.param({"tke-createdBy-flag": "yes"}, Ownership.UNCLAIMED, "E4019", id="made by a cluster"),
        pytest.param(
            {**OURS, "tke-createdBy-flag": "yes", "tke-lb-ingress-uuid": "uid-a"},
            Ownership.UNCLAIMED,
            "E4019",
            id="made for a member",
        ),
        pytest.param({**OURS, "tke-lb-serviceuuid": "s"}, Ownership.SHARED, "", id="a Service uses it too"),
    ],
)
@pytest.mark.parametrize("known", [None, record("uid-a", listeners={"HTTP:80": ("lbl-1", "x")})], ids=["new", "known"])
def test_whose_it_is(tags: dict[str, str], ownership: Ownership, code: str, known: Record | None) -> None:
    claim = read(tags, member(kept=known))
    assert (claim.ownership, claim.code) == (ownership, code)
    if ownership is not Ownership.SHARED:
        assert not claim.listeners
        assert not claim.missing_tags + claim.removable_tags


def test_a_classic_one_cannot_be_shared() -> None:
    claim = read({}, world=observed(on=head(tags={}, application=False)))
    assert (claim.ownership, claim.code) == (Ownership.UNCLAIMED, "E4030")


def test_rules_are_those_that_are_asked_for_or_recorded() -> None:
    leaving = member("uid-b", record("uid-b", rules=frozenset({B})), leaving=True, wants=False)
    claim = read(OURS, member(), leaving)
    assert claim.rules == frozenset({A, B})


def test_what_a_leaving_member_asks_for_is_not_ours_for_that() -> None:
    assert read(OURS, member(), member("uid-b", leaving=True)).rules == frozenset({A})


@pytest.mark.parametrize(
    ("item", "known", "wants", "ours"),
    [
        pytest.param(listener("HTTP:80"), {}, True, True, id="named as ours and wanted"),
        pytest.param(listener("HTTP:80"), {}, False, False, id="named as ours and not wanted"),
        pytest.param(listener("HTTP:80", name="lender"), {}, True, False, id="another name"),
        pytest.param(listener("HTTP:80", name="web"), {"HTTP:80": ("lbl-HTTP:80", "web")}, False, True, id="recorded"),
        pytest.param(
            listener("HTTP:80", name="new"), {"HTTP:80": ("lbl-HTTP:80", "web")}, True, False, id="renamed since"
        ),
        pytest.param(listener("HTTP:80"), {"HTTP:80": ("", "x")}, False, True, id="announced"),
        pytest.param(listener("TCP:80"), {"TCP:80": ("", "x")}, False, False, id="of another layer"),
    ],
)
def test_whose_listener(item: object, known: dict[str, tuple[str, str]], wants: bool, ours: bool) -> None:
    world = observed(item, on=head(tags=OURS))  # type: ignore[arg-type]  # a table of listeners
    found = {key: (world.listeners[0].id if number else "", name) for key, (number, name) in known.items()}
    claim = read(OURS, member(kept=record("uid-a", listeners=found), wants=wants), world=world)
    assert bool(claim.listeners) is ours


def test_beside_a_service_a_name_alone_proves_nothing() -> None:
    tags = {**OURS, "tke-lb-serviceuuid": "s"}
    assert not read(tags, world=observed(listener("HTTP:80"), on=head(tags=tags))).listeners


@pytest.mark.parametrize(
    ("tags", "leaving", "missing", "removable"),
    [
        pytest.param({}, (False, False), ("tke-clusterId",), (), id="not marked yet"),
        pytest.param(OURS, (False, False), (), (), id="marked"),
        pytest.param(OURS, (True, False), (), (), id="one of two goes"),
        pytest.param(OURS, (True, True), (), ("tke-clusterId",), id="the last ones go"),
        pytest.param({}, (True, True), (), (), id="the last ones go, unmarked"),
        pytest.param(
            {**OURS, "tke-lb-ingress-uuid": "uid-a"},
            (True, False),
            (),
            ("tke-lb-ingress-uuid",),
            id="the named one goes",
        ),
        pytest.param({**OURS, "tke-lb-ingress-uuid": "uid-b"}, (True, False), (), (), id="the named one stays"),
        pytest.param(
            {**OURS, "tke-lb-ingress-uuid": "uid-b"},
            (True, True),
            (),
            ("tke-clusterId", "tke-lb-ingress-uuid"),
            id="all go, one is named",
        ),
        pytest.param({**OURS, "tke-lb-serviceId": "s"}, (True, True), (), (), id="a Service stays"),
    ],
)
def test_tags(
    tags: dict[str, str], leaving: tuple[bool, bool], missing: tuple[str, ...], removable: tuple[str, ...]
) -> None:
    claim = read(tags, member("uid-a", leaving=leaving[0]), member("uid-b", leaving=leaving[1]))
    assert tuple(name for name, _ in claim.missing_tags) == missing
    assert claim.removable_tags == removable


SHARED = Claim(
    LoadBalancerId(LB),
    Ownership.SHARED,
    "shared",
    ledger.disposal_for(Ownership.SHARED),
    listeners=frozenset({HTTP}),
    rules=frozenset({A}),
)


@pytest.mark.parametrize(
    ("step", "passes"),
    [
        pytest.param(CreateRules(HTTP, (RuleSpec(A.rule),)), True, id="make ours"),
        pytest.param(CreateRules(HTTP, (RuleSpec(B.rule),)), False, id="make another's"),
        pytest.param(DeleteRules(HTTP, (key("a.example.com/"),)), True, id="delete ours"),
        pytest.param(DeleteRules(HTTP, (key("a.example.com/"), key("b.example.com/"))), False, id="delete another's"),
    ],
)
def test_a_step_passes_only_on_rules_of_the_group(step: Step, passes: bool) -> None:
    world = observed(listener("HTTP:80", rule("a.example.com/"), rule("b.example.com/")))
    if passes:
        ledger.authorize(Plan((step,)), SHARED, world)
    else:
        with pytest.raises(UnauthorizedPlan, match="not ours"):
            ledger.authorize(Plan((step,)), SHARED, world)


def test_a_listener_goes_only_when_no_rule_of_others_is_on_it() -> None:
    gone = Plan((DeleteListeners((HTTP,)),))
    ledger.authorize(gone, SHARED, observed(listener("HTTP:80", rule("a.example.com/"))))
    with pytest.raises(UnauthorizedPlan, match=r"b\.example\.com"):
        ledger.authorize(gone, SHARED, observed(listener("HTTP:80", rule("a.example.com/"), rule("b.example.com/"))))


def test_a_shared_claim_without_its_rules_passes_nothing() -> None:
    with pytest.raises(UnauthorizedPlan, match="per rule"):
        ledger.authorize(Plan((DeleteListeners((HTTP,)),)), replace(SHARED, rules=None), observed(listener("HTTP:80")))
