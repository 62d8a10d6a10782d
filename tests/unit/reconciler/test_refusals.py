"""What the cloud refuses holds only itself: the refused part is found by taking the call apart, and is left out."""

from l7lb.errors import Rejected
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, RuleKey, RuleRef
from l7lb.model.loadbalancer import Certificate, HostSpec, ListenerSpec, RuleSpec, Target, TargetKey
from l7lb.model.maybe import UNSET
from l7lb.model.plan import CreateListeners, CreateRules, DeleteRules, ModifyListener, Placement, Plan, RegisterTargets
from l7lb.reconciler.refusals import AGAIN_S, Refusals

REF = CloudRef("ap-guangzhou", LoadBalancerId("lb-0000000a"))
OTHER = CloudRef("ap-guangzhou", LoadBalancerId("lb-0000000b"))
HTTPS = ListenerKey("HTTPS", 443)
GOOD, BAD = Certificate(frozenset({"certrsa1"})), Certificate(frozenset({"nowhere1"}))
CERTIFICATE = Rejected("Query certificate 'nowhere1' failed.", reason="CertificateNotFound", code="E4036")
WRONG = Rejected("Url is not valid.", reason="RequestRejected")


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def rules(*names: str, **certificates: Certificate) -> CreateRules:
    keys = [RuleKey(name.partition("/")[0], "/" + name.partition("/")[2]) for name in names]
    hosts = [HostSpec(host, certificates[host]) for host in dict.fromkeys(key.host for key in keys)]
    return CreateRules(HTTPS, tuple(map(RuleSpec, keys)), tuple(hosts))


def register(*names: str) -> RegisterTargets:
    keys = [RuleKey(name.partition("/")[0], "/" + name.partition("/")[2]) for name in names]
    return RegisterTargets(tuple(Placement(RuleRef(HTTPS, key), Target(TargetKey("10.0.0.1", 80))) for key in keys))


def names(plan: Plan) -> list[str]:
    return [f"{key.host}{key.path}" for step in plan.steps if isinstance(step, CreateRules)
            for key in (rule.key for rule in step.rules)]  # fmt: skip


def test_a_host_with_a_refused_certificate_is_left_out_with_its_targets() -> None:
    refusals = Refusals(Time())
    plan = Plan((rules("a/", "b/", "b/x", a=GOOD, b=BAD), register("a/", "b/", "b/x")))
    assert refusals.note(REF, plan.steps[0], CERTIFICATE)
    by_host, problems = refusals.filter(REF, plan)
    assert names(by_host) == ["a/", "b/", "b/x"]
    assert problems == ()
    assert len(by_host.steps) == 3
    assert refusals.note(REF, by_host.steps[1], CERTIFICATE)
    left, problems = refusals.filter(REF, plan)
    assert left.steps == (rules("a/", a=GOOD), register("a/"))
    assert [(problem.code, problem.reason) for problem in problems] == [("E4036", "CertificateNotFound")]


def test_a_refused_path_is_left_out_and_its_host_is_served() -> None:
    refusals = Refusals(Time())
    plan = Plan((rules("a/", "a/bad", a=GOOD),))
    assert refusals.note(REF, plan.steps[0], WRONG)
    by_rule, _ = refusals.filter(REF, plan)
    assert [step.hosts[0].certificate for step in by_rule.steps if isinstance(step, CreateRules)] == [GOOD, GOOD]
    assert refusals.note(REF, by_rule.steps[1], WRONG)
    left, problems = refusals.filter(REF, plan)
    assert names(left) == ["a/"]
    assert [problem.message for problem in problems] == ["Url is not valid."]


def test_what_rests_on_a_refused_listener_is_left_out_too() -> None:
    refusals = Refusals(Time())
    http = CreateListeners("HTTP", (80,), "name")
    plan = Plan((http, CreateListeners("HTTPS", (443,), "name", BAD), rules("a/", a=GOOD), register("a/")))
    assert refusals.note(REF, plan.steps[1], CERTIFICATE)
    assert refusals.filter(REF, plan)[0].steps == (http,)


def test_a_refused_change_does_not_keep_targets_from_being_followed() -> None:
    refusals = Refusals(Time())
    change = ModifyListener(HTTPS, ListenerSpec(HTTPS, certificate=GOOD), ListenerSpec(HTTPS, certificate=BAD))
    plan = Plan((change, register("a/")))
    assert refusals.note(REF, change, CERTIFICATE)
    assert refusals.filter(REF, plan)[0].steps == (register("a/"),)


def test_another_value_another_load_balancer_or_enough_time_is_another_try() -> None:
    time = Time()
    refusals = Refusals(time)
    bad = Plan((rules("a/", a=BAD),))
    assert refusals.note(REF, bad.steps[0], CERTIFICATE)
    assert refusals.filter(REF, bad)[0].steps == ()
    cured = Plan((rules("a/", a=GOOD),))
    assert refusals.filter(REF, cured) == (cured, ())
    assert refusals.filter(OTHER, bad) == (bad, ())
    time.now = AGAIN_S + 1
    assert refusals.filter(REF, bad) == (bad, ())


def test_only_one_rule_of_a_host_makes_it_the_default() -> None:
    refusals = Refusals(Time())
    step = CreateRules(
        HTTPS, (RuleSpec(RuleKey("a", "/")), RuleSpec(RuleKey("a", "/x"))), (HostSpec("a", default=True),)
    )
    assert refusals.note(REF, step, WRONG)
    parts, _ = refusals.filter(REF, Plan((step,)))
    assert [part.hosts[0].default for part in parts.steps if isinstance(part, CreateRules)] == [True, UNSET]


def test_there_is_no_way_around_a_refused_order_or_deletion() -> None:
    refusals = Refusals(Time())
    assert not refusals.note(None, rules("a/", a=BAD), CERTIFICATE)
    assert not refusals.note(REF, DeleteRules(HTTPS, (RuleKey("a", "/"),)), WRONG)
    assert not refusals.note(REF, None, WRONG)
