"""What the cloud refuses holds only itself: the refused part is found by taking the call apart, and is left out."""

from collections.abc import Mapping
from dataclasses import replace

from l7lb.errors import Rejected
from l7lb.model.identity import CloudRef, ListenerId, ListenerKey, LoadBalancerId, LocationId, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    Certificate,
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    LoadBalancerHead,
    ObservedListener,
    ObservedLoadBalancer,
    RuleSpec,
    Target,
    TargetKey,
)
from l7lb.model.maybe import UNSET
from l7lb.model.plan import (
    CreateListeners,
    CreateRules,
    DeleteListeners,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    Placement,
    Plan,
    RegisterTargets,
)
from l7lb.model.problems import Held
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects, FormerRedirect, MirrorHosts, RedirectPair
from l7lb.reconciler.bad_certificates import Settled
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


def settle(
    refusals: Refusals, on: CloudRef = REF, there: Mapping[str, Certificate] | None = None, **wanted: Certificate
) -> Settled:
    """Hosts by what they are to show, over those that are there."""
    desired = DesiredLoadBalancer(listeners=(ListenerSpec(HTTPS, hosts=_hosts(wanted)),))
    listeners = (ObservedListener(ListenerId("lbl-1"), ListenerSpec(HTTPS, hosts=_hosts(there))),) if there else ()
    observed = ObservedLoadBalancer(LoadBalancerHead(on, "demo", running=True), listeners)
    return refusals.settle(desired, observed, Held())


def _hosts(shown: Mapping[str, Certificate]) -> tuple[HostSpec, ...]:
    return tuple(HostSpec(name, certificate) for name, certificate in shown.items())


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
    settled = settle(refusals, a=GOOD, b=BAD)
    assert settled.held.hosts == {(HTTPS, "b")}
    assert [(problem.code, problem.reason) for problem in settled.problems] == [("E4036", "CertificateNotFound")]
    assert "nowhere1 of b on HTTPS:443" in settled.problems[0].message


def test_a_certificate_that_is_refused_for_several_hosts_is_known_at_once() -> None:
    refusals = Refusals(Time())
    assert refusals.note(REF, rules("a/", "b/", a=BAD, b=BAD), CERTIFICATE)
    settled = settle(refusals, a=BAD, b=BAD)
    assert settled.held.hosts == {(HTTPS, "a"), (HTTPS, "b")}
    assert settled.held.listeners == {HTTPS}
    assert len(settled.problems) == 1


def test_a_host_that_is_there_keeps_what_it_shows_and_is_not_held() -> None:
    refusals = Refusals(Time())
    assert refusals.note(REF, ModifyHost(HTTPS, HostSpec("a", GOOD), HostSpec("a", BAD)), CERTIFICATE)
    settled = settle(refusals, there={"a": GOOD}, a=BAD, b=GOOD)
    assert settled.held == Held()
    assert [host.certificate for host in settled.desired.listeners[0].hosts] == [GOOD, GOOD]
    assert not settled.waiting


def test_what_shows_a_refused_certificate_already_is_no_problem() -> None:
    refusals = Refusals(Time())
    assert refusals.note(REF, rules("a/x", a=BAD), CERTIFICATE)
    assert settle(refusals, there={"a": BAD}, a=BAD).problems == ()


def test_what_a_waiting_host_was_to_replace_is_not_deleted() -> None:
    refusals = Refusals(Time())
    old, new = DeleteRules(HTTPS, (RuleKey("a", "/"),)), rules("b/", b=BAD)
    assert refusals.note(REF, new, CERTIFICATE)
    settled = settle(refusals, there={"a": GOOD}, b=BAD)
    assert settled.spare(Plan((old, DeleteListeners((HTTPS,))))).steps == ()
    assert settle(refusals, there={"a": GOOD, "b": GOOD}, b=BAD).spare(Plan((old,))).steps == (old,)


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
    assert refusals.note(REF, plan.steps[1], WRONG)
    assert refusals.filter(REF, plan)[0].steps == (http,)


def test_a_refused_change_does_not_keep_targets_from_being_followed() -> None:
    refusals = Refusals(Time())
    change = ModifyListener(HTTPS, ListenerSpec(HTTPS, certificate=GOOD), ListenerSpec(HTTPS, certificate=BAD))
    plan = Plan((change, register("a/")))
    assert refusals.note(REF, change, WRONG)
    assert refusals.filter(REF, plan)[0].steps == (register("a/"),)


def test_another_value_another_load_balancer_or_enough_time_is_another_try() -> None:
    time = Time()
    refusals = Refusals(time)
    bad = Plan((rules("a/bad", a=GOOD),))
    assert refusals.note(REF, bad.steps[0], WRONG)
    assert refusals.filter(REF, bad)[0].steps == ()
    cured = Plan((rules("a/good", a=GOOD),))
    assert refusals.filter(REF, cured) == (cured, ())
    assert refusals.filter(OTHER, bad) == (bad, ())
    time.now = AGAIN_S + 1
    assert refusals.filter(REF, bad) == (bad, ())


def test_another_certificate_another_load_balancer_or_enough_time_is_another_try() -> None:
    time = Time()
    refusals = Refusals(time)
    assert refusals.note(REF, rules("a/", a=BAD), CERTIFICATE)
    assert settle(refusals, a=BAD).waiting
    assert not settle(refusals, a=GOOD).waiting
    assert not settle(refusals, OTHER, a=BAD).waiting
    time.now = AGAIN_S + 1
    assert not settle(refusals, a=BAD).waiting


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


A, B = RuleKey("a", "/"), RuleKey("b", "/")
HTTP = ListenerKey("HTTP", 80)
OFF = DeleteRedirects(HTTP, ListenerId("lbl-1"), (FormerRedirect(A, LocationId("loc-1")),))


def emptied(*keys: RuleKey) -> DeregisterTargets:
    return DeregisterTargets(tuple(Placement(RuleRef(HTTP, key), Target(TargetKey("10.0.0.1", 80))) for key in keys))


def test_a_refused_redirect_is_left_out_and_its_rule_keeps_its_targets() -> None:
    refusals = Refusals(Time())
    bad, good = RedirectPair(A, A, 301), RedirectPair(B, B, 301)
    both = CreateRedirects(HTTP, HTTPS, (bad, good))
    plan = Plan((both, emptied(A, B), DeleteRules(HTTP, (RuleKey("c", "/"),))))
    assert refusals.note(REF, both, WRONG)
    apart, _ = refusals.filter(REF, plan)
    assert refusals.note(REF, apart.steps[0], WRONG)
    left, problems = refusals.filter(REF, plan)
    assert left.steps == (CreateRedirects(HTTP, HTTPS, (good,)), emptied(B))
    assert [problem.message for problem in problems] == [
        "redirect 1 rule from HTTP:80 to HTTPS:443: a/ -> a/ (301): Url is not valid."
    ]


def test_what_is_left_of_a_call_without_a_refused_rule_is_not_sent_for_ever_when_it_is_refused_too() -> None:
    refusals = Refusals(Time())
    both = CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 301), RedirectPair(B, B, 301)))
    plan = Plan((CreateRules(HTTPS, (RuleSpec(A),)), both))
    tries = 0
    while (steps := refusals.filter(REF, plan)[0].steps) and tries < 10:
        assert refusals.note(REF, steps[0], WRONG)
        tries += 1
    assert steps == ()
    told = {step for step, _ in refusals.answers(REF, plan)}
    assert replace(both, redirects=both.redirects[1:]) in told, "a member of a group hears of it as well"


def test_a_redirect_to_a_rule_that_was_refused_is_not_made_and_the_old_one_stays() -> None:
    refusals = Refusals(Time())
    made = CreateRules(HTTPS, (RuleSpec(A),))
    plan = Plan((made, OFF, CreateRedirects(HTTP, HTTPS, (RedirectPair(B, A, 302),)), emptied(B)))
    assert refusals.note(REF, made, WRONG)
    assert refusals.filter(REF, plan)[0].steps == ()


def test_a_host_that_is_refused_is_mirrored_by_nobody_and_the_others_are() -> None:
    refusals = Refusals(Time())
    plan = Plan((MirrorHosts((("a", 302), ("b", 302))),))
    assert refusals.note(REF, plan.steps[0], WRONG)
    apart, _ = refusals.filter(REF, plan)
    assert apart.steps == (MirrorHosts((("a", 302),)), MirrorHosts((("b", 302),)))
    assert refusals.note(REF, apart.steps[0], WRONG)
    assert refusals.filter(REF, plan)[0].steps == (MirrorHosts((("b", 302),)),)


def test_nothing_is_mirrored_from_a_listener_that_was_refused() -> None:
    refusals = Refusals(Time())
    https = CreateListeners("HTTPS", (443,), "name", BAD)
    plan = Plan((https, MirrorHosts((("a", 302),)), CreateRedirects(HTTP, HTTPS, (RedirectPair(A, A, 302),))))
    assert refusals.note(REF, https, WRONG)
    assert refusals.filter(REF, plan)[0].steps == ()
