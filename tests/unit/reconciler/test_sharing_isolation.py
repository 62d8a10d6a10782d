"""What the cloud refuses, what the guard stops and what cannot be written is one member's, and no other one waits."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import FINALIZER, SERVICES
from tests.simulation.world import World

LENT = "lb-lent0001"
TKE = "ingress.cloud.tencent.com"
SHARES = {"kubernetes.io/ingress.existLbId": LENT, f"{TKE}/enable-group": "true"}
APPROVE = "l7lb.dev/approve"


def _join(world: World, name: str, *rules: manifests.Json, tls: str = "", **annotations: str) -> None:
    own = {f"{TKE}/{key.replace('_', '-')}": text for key, text in annotations.items()}
    wanted = rules or (manifests.rule(f"{name}.example.com"),)
    world.users.create(manifests.ingress(name, *wanted, tls=tls, annotations={**SHARES, **own}))


def _group(world: World, watchman: Watchman, *names: str, tls: str = "") -> None:
    world.account.lend(LENT)
    watchman.remember()
    for name in names:
        _join(world, name, tls=tls)
    world.start()
    world.settle()
    assert all(world.users.ingress(name).is_ready for name in names)


def test_a_refused_certificate_of_one_member_keeps_no_other_from_changing_or_going(
    world: World, watchman: Watchman
) -> None:
    _group(world, watchman, "a", "b", tls="cert")
    world.users.create(manifests.secret("bad", "nowhere1"))
    _join(world, "c", tls="bad")
    world.users.rules(manifests.rule("a.example.com", "/new"), name="a")
    world.users.delete("b")
    world.settle()
    assert world.users.find("b") is None
    assert world.account.paths(443) == {"a.example.com/new"}
    assert world.users.ingress("a").is_ready, world.users.ingress("a").why
    assert "E4036" in world.users.ingress("c").why


def test_a_refused_setting_of_one_member_keeps_no_other_from_going(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.account.fault("SetLoadBalancerSecurityGroups", "error", code="InvalidParameterValue", count=50)
    world.users.annotate({f"{TKE}/security-groups": "sg-3hh1k9vx"}, "a")
    world.users.delete("b")
    world.settle()
    assert world.users.find("b") is None
    assert world.account.paths() == {"a.example.com/"}
    assert not world.users.ingress("a").is_ready


def test_the_guard_stops_the_part_of_one_member_until_exactly_that_is_approved(
    world: World, watchman: Watchman
) -> None:
    _group(world, watchman, "a", "b")
    record = world.users.ingress("b").record
    rules = {f"{number}.example.com": ["/"] for number in range(9)}
    for number in range(9):
        rule = {"domain": f"{number}.example.com", "url": "/", "targets": []}
        world.account.edit("add_rule", LENT, listener="HTTP:80", rule=rule)
    record["rules"]["HTTP:80"] |= rules
    world.crash()
    world.users.annotate({"l7lb.dev/record": json.dumps(record)}, "b")
    world.start()
    world.settle()
    assert len(world.account.paths()) == 11
    seen = world.users.ingress("b")
    assert "UnsafePlan" in seen.why
    assert world.users.ingress("a").is_ready
    world.users.rules(manifests.rule("a.example.com", "/new"), name="a")
    world.settle()
    assert "a.example.com/new" in world.account.paths()
    assert "a.example.com/" not in world.account.paths()
    digest = seen.why.partition(f"{APPROVE}: ")[2].split(maxsplit=1)[0]
    world.users.annotate({APPROVE: digest}, "b")
    world.settle()
    assert world.account.paths() == {"a.example.com/new", "b.example.com/"}


@pytest.mark.parametrize("kind", ["conflict", "lost", "http_500", "drop"])
@pytest.mark.parametrize("count", [1, 3])
def test_whatever_goes_wrong_with_writing_to_members_all_are_served_in_the_end(
    world: World, watchman: Watchman, kind: str, count: int
) -> None:
    world.account.lend(LENT)
    watchman.remember()
    for name in ("a", "b", "c"):
        _join(world, name)
    world.users.fault(kind, "patch", "ingresses", count)
    world.start()
    world.settle()
    assert world.account.paths() == {f"{name}.example.com/" for name in "abc"}
    assert all(world.users.ingress(name).is_ready for name in "abc")


def test_no_rule_is_made_for_a_member_whose_record_could_not_be_written(world: World, watchman: Watchman) -> None:
    world.account.lend(LENT)
    watchman.remember()
    _join(world, "a")
    _join(world, "b")
    made: list[bool] = []

    watching = world.inspect

    def inspect(action: str, params: Mapping[str, Any]) -> None:
        watching(action, params)
        if action == "CreateRule":
            recorded = [one.record.get("rules", {}) for one in map(world.users.ingress, ("a", "b"))]
            hosts = {host for rules in recorded for host in rules.get("HTTP:80", {})}
            made.append({rule.get("Domain") or rule["Domains"][0] for rule in params["Rules"]} <= hosts)

    world.inspect = inspect
    world.users.fault("conflict", "patch", "ingresses", 1)
    world.start()
    world.settle()
    assert made
    assert all(made)


def test_a_finalizer_that_somebody_took_off_is_set_again(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.patch({"metadata": {"finalizers": []}}, "b")
    world.settle()
    assert FINALIZER in world.users.ingress("b").finalizers


def test_without_a_record_nothing_is_taken_off_and_that_is_said(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.crash()
    world.users.annotate({"l7lb.dev/record": None}, "b")
    world.users.delete("b")
    world.start()
    world.settle()
    assert world.users.find("b") is None
    assert world.account.paths() == {"a.example.com/", "b.example.com/"}
    assert any("no record says" in text for text in world.said("LoadBalancerLeft"))


def test_a_lost_record_of_a_member_that_stays_is_written_again(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a", "b")
    world.users.annotate({"l7lb.dev/record": None}, "b")
    world.settle()
    assert world.users.ingress("b").record["rules"] == {"HTTP:80": {"b.example.com": ["/"]}}
    world.users.delete("b")
    world.settle()
    assert world.account.paths() == {"a.example.com/"}


def test_members_that_are_all_deleted_at_once_leave_nothing(world: World, watchman: Watchman) -> None:
    names = [f"m{number}" for number in range(12)]
    _group(world, watchman, *names)
    for name in names:
        world.users.delete(name)
    world.settle()
    assert not [name for name in names if world.users.find(name)]
    assert world.account.lb().tags == {"team": "owner"}
    assert [item.port for item in world.account.lb().listeners.values()] == [8080]
    assert world.account.writes()["DeleteLoadBalancerListeners"] == 1


@pytest.mark.parametrize("again", [False, True], ids=["at once", "after a restart"])
def test_the_holder_keeps_a_rule_although_an_older_one_asks_for_it_later(
    world: World, watchman: Watchman, again: bool
) -> None:
    world.account.lend(LENT)
    watchman.remember()
    _join(world, "older", manifests.rule("o.example.com"))
    world.clock.advance(5.0)
    _join(world, "younger", manifests.rule("x.example.com", backend="api"))
    world.start()
    world.settle()
    if again:
        world.crash()
    world.users.rules(manifests.rule("x.example.com"), manifests.rule("o.example.com"), name="older")
    if again:
        world.start()
    world.settle()
    assert ("x.example.com/", "10.0.0.1", 30081) in world.account.targets()
    assert world.users.ingress("younger").is_ready
    assert "RuleConflict" in world.users.ingress("older").why


def test_endpoint_news_of_one_member_writes_only_its_targets(world: World, watchman: Watchman) -> None:
    _group(world, watchman, "a")
    _join(world, "b", manifests.rule("b.example.com", backend="api"))
    world.settle()
    world.account.forget_calls()
    world.users.update(f"{SERVICES}/api", {"spec": {"ports": [{"port": 80, "nodePort": 30099}]}})
    world.settle()
    assert set(world.account.writes()) == {"BatchRegisterTargets", "BatchDeregisterTargets"}
    assert {"DescribeLoadBalancers", "DescribeListeners", "DescribeTargets"} & set(world.account.calls()) == set()


def test_a_rule_that_waits_for_its_certificate_never_gets_the_targets_of_another_member(
    world: World, watchman: Watchman
) -> None:
    _group(world, watchman, "a", "b")
    late = {"tls": [{"secretName": "late"}]}
    world.users.patch({"spec": late}, "b")
    world.settle()
    theirs = manifests.rule("b.example.com", backend="api")
    world.users.patch({"spec": {"rules": [theirs], **late}}, "a")
    world.settle()
    of_b = {(address, port) for rule, address, port in world.account.targets(80) if rule == "b.example.com/"}
    assert of_b == {("10.0.0.1", 30080), ("10.0.0.2", 30080)}


def _moved_to_tls(world: World, watchman: Watchman) -> None:
    """`a` has ten rules and moves to HTTPS with a certificate that the cloud refuses."""
    world.account.lend(LENT)
    watchman.remember()
    _join(world, "a", manifests.rule("a.example.com", *(f"/{number}" for number in range(10))))
    _join(world, "b")
    world.start()
    world.settle()
    world.users.create(manifests.secret("bad", "nowhere1"))
    world.users.patch({"spec": {"tls": [{"secretName": "bad"}]}}, "a")
    world.run(60.0)
    assert "E4036" in world.users.ingress("a").why
    assert len(world.account.paths()) == 11


def test_a_member_that_waits_for_its_certificate_needs_nobodys_approval_when_it_comes(
    world: World, watchman: Watchman
) -> None:
    _moved_to_tls(world, watchman)
    world.users.update(f"{SERVICES.replace('services', 'secrets')}/bad", {"stringData": {"qcloud_cert_id": "certrsa1"}})
    world.settle()
    assert world.users.ingress("a").is_ready, world.users.ingress("a").why
    assert world.account.paths() == {"b.example.com/"}
    assert len(world.account.paths(443)) == 10


def test_the_rules_of_a_member_that_waits_for_its_certificate_follow_its_targets(
    world: World, watchman: Watchman
) -> None:
    _moved_to_tls(world, watchman)
    world.users.create(manifests.node("node-c", "10.0.0.3"))
    world.users.remove("/api/v1/nodes/node-a")
    world.run(30.0)
    assert {address for _, address, _ in world.account.targets()} == {"10.0.0.2", "10.0.0.3"}
    world.users.delete("a")
    world.settle()
    assert world.users.find("a") is None
    assert world.account.paths() == {"b.example.com/"}


def test_an_older_one_whose_service_has_long_been_gone_keeps_a_rule_from_nobody(
    world: World, watchman: Watchman
) -> None:
    """Five minutes after its Service went, what it asks for has no targets: that is not served, and not made either."""
    world.account.lend(LENT)
    watchman.remember()
    world.start()
    world.settle()
    world.users.remove(f"{SERVICES}/api")
    _join(world, "a", manifests.rule("x.example.com", backend="api"), manifests.rule("a.example.com"))
    world.run_for(400.0)
    assert world.account.paths() == {"a.example.com/"}
    _join(world, "b", manifests.rule("x.example.com"))
    world.settle()
    assert world.account.paths() == {"a.example.com/", "x.example.com/"}
    assert world.users.ingress("b").is_ready, world.users.ingress("b").why
    world.users.create(manifests.service("api", 30081))
    world.settle()
    assert "RuleConflict" in world.users.ingress("a").why
    assert ("x.example.com/", "10.0.0.1", 30080) in world.account.targets()
