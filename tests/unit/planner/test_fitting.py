"""Declared settings that cannot stand beside what stays on the load balancer: left out and said, or silently right."""

from dataclasses import replace
from typing import Any

import pytest

from l7lb.model.identity import ListenerKey, RuleKey
from l7lb.model.loadbalancer import HealthCheck, HostSpec, RuleSpec
from l7lb.model.maybe import UNSET
from l7lb.planner.fitting import Fitter, serves_http2
from tests import builders

HTTP, HTTPS = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443)
KEY, WILD = RuleKey("a.example.com", "/"), RuleKey("*.example.com", "/")
THERE = HealthCheck(
    enabled=True, timeout_s=2, interval_s=5, check_type="HTTP", host="", source_ip_type=0, http_code=31, path="/"
)  # fmt: skip
VIP = builders.head()
DOMAIN = replace(VIP, vips=(), hostname="lb-1.clb.example.com")
IPV6 = replace(VIP, vips=(), ipv6="2001:db8::1")


def fitted(want: RuleSpec, have: RuleSpec | None, head: Any = VIP, http2: bool = False) -> tuple[RuleSpec, list[str]]:
    fitter = Fitter(HTTPS, head)
    return fitter.fit(want, have, http2), fitter.notes


@pytest.mark.parametrize(
    ("want", "have", "left", "told"),
    [
        pytest.param({"timeout_s": 4}, {}, {"timeout_s": 4}, "", id="within what stays"),
        pytest.param({"timeout_s": 5}, {}, {"timeout_s": 5}, "", id="as long as the interval"),
        pytest.param({"timeout_s": 6}, {}, {}, "time-out of 6 s", id="beyond the interval that stays"),
        pytest.param({"interval_s": 3}, {"timeout_s": 4}, {}, "interval of 3 s", id="the interval below what stays"),
        pytest.param(
            {"timeout_s": 9, "interval_s": 10}, {}, {"timeout_s": 9, "interval_s": 10}, "", id="both together"
        ),
        pytest.param({"timeout_s": 9}, {"timeout_s": 9}, {"timeout_s": 9}, "", id="as it is, however odd"),
        pytest.param({"timeout_s": 6, "http_code": 3}, {}, {"http_code": 3}, "time-out", id="the rest applies"),
    ],
)
def test_time_out_and_interval(want: dict[str, Any], have: dict[str, Any], left: dict[str, Any], told: str) -> None:
    there = RuleSpec(KEY, health_check=replace(THERE, **have))
    rule, notes = fitted(RuleSpec(KEY, health_check=HealthCheck(**want)), there)
    assert rule.health_check == HealthCheck(**left)
    assert bool(notes) is bool(told)
    assert all(note.startswith("unfit: ") and told in note for note in notes)


def test_a_new_rule_is_judged_by_what_it_will_have() -> None:
    rule, notes = fitted(RuleSpec(KEY, health_check=HealthCheck(timeout_s=10)), None)
    assert rule.health_check.timeout_s is UNSET
    assert notes


@pytest.mark.parametrize(
    ("kind", "head", "there", "left", "told"),
    [
        pytest.param(1, VIP, 0, 1, False, id="100.64 on a VIP"),
        pytest.param(0, VIP, 1, 0, False, id="the VIP again"),
        pytest.param(0, DOMAIN, 1, UNSET, True, id="the VIP where there is none"),
        pytest.param(1, DOMAIN, UNSET, 1, False, id="100.64 on a new rule of a domain-based one"),
        pytest.param(0, None, UNSET, UNSET, False, id="the default, before anything is known"),
        pytest.param(1, IPV6, 0, UNSET, True, id="100.64 on IPv6"),
    ],
)
def test_where_checks_come_from(kind: int, head: Any, there: Any, left: Any, told: bool) -> None:
    have = RuleSpec(KEY, health_check=replace(THERE, source_ip_type=there))
    rule, notes = fitted(RuleSpec(KEY, health_check=HealthCheck(source_ip_type=kind)), have, head)
    assert (rule.health_check.source_ip_type, bool(notes)) == (left, told)


@pytest.mark.parametrize(
    ("want", "have", "left"),
    [
        pytest.param({"check_type": "HTTP"}, {"check_type": "TCP"}, {}, id="nobody to ask for"),
        pytest.param(
            {"check_type": "HTTP", "host": "a.example.com"},
            {"check_type": "TCP"},
            {"check_type": "HTTP", "host": "a.example.com"},
            id="somebody to ask for",
        ),
        pytest.param({"enabled": True}, {"enabled": False}, {}, id="switched on without a name"),
        pytest.param({"enabled": False}, {}, {"enabled": False}, id="switched off"),
    ],
)
def test_the_check_of_a_wildcard_host(want: dict[str, Any], have: dict[str, Any], left: dict[str, Any]) -> None:
    there = RuleSpec(WILD, health_check=replace(THERE, **have))
    rule, _ = fitted(RuleSpec(WILD, health_check=HealthCheck(**want)), there)
    assert rule.health_check == HealthCheck(**left)


@pytest.mark.parametrize(
    ("kind", "there", "http2", "left"),
    [
        ("GRPC", "HTTP", True, "GRPC"),
        ("GRPC", "HTTP", False, UNSET),
        ("GRPC", "GRPC", False, "GRPC"),
        ("HTTPS", "HTTP", False, "HTTPS"),
    ],
)
def test_grpc_needs_http2(kind: str, there: str, http2: bool, left: object) -> None:
    rule, _ = fitted(RuleSpec(KEY, forward_type=kind), RuleSpec(KEY, forward_type=there), http2=http2)
    assert rule.forward_type == left


@pytest.mark.parametrize(
    ("session_s", "there", "left"), [(UNSET, 0, 30), (UNSET, 600, 600), (UNSET, UNSET, 30), (60, 600, 60)]
)
def test_sessions_without_a_length_keep_theirs(session_s: Any, there: Any, left: int) -> None:
    rule, _ = fitted(RuleSpec(KEY, session_s=session_s, sticky=True), RuleSpec(KEY, session_s=there))
    assert (rule.session_s, rule.sticky) == (left, UNSET)


@pytest.mark.parametrize(
    ("listener", "want", "have", "answer"),
    [
        (HTTPS, UNSET, True, True),
        (HTTPS, False, True, False),
        (HTTPS, True, False, True),
        (HTTP, True, True, False),
    ],
)
def test_http2_is_what_is_declared_else_what_is_there(
    listener: ListenerKey, want: Any, have: Any, answer: bool
) -> None:
    assert serves_http2(listener, HostSpec("a", http2=want), HostSpec("a", http2=have)) is answer
    assert serves_http2(listener, None, None) is False
