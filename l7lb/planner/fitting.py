"""Declared settings of a rule against what stays of it: what cannot stand together is left out, and said.

A TkeServiceConfig may declare a time-out and leave the interval to the load balancer, so only here are both known. What
differs from the load balancer gives way to what is there; where nothing differs, nothing is written and nothing said.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from l7lb.model.identity import ListenerKey, Protocol, RuleRef
from l7lb.model.loadbalancer import HealthCheck, HostSpec, LoadBalancerHead, RuleSpec
from l7lb.model.maybe import UNSET, given, over
from l7lb.planner.defaults import ANY_HOST, is_exact

UNFIT: Final = "unfit"
"""First word of the notes."""
SESSION_S: Final = 30
"""Length of sessions that are asked for without one (contract, section 6.2)."""
NEEDS_HTTP2: Final = frozenset({"GRPC", "GRPCS"})
ASKS_NO_HOST: Final = frozenset({"TCP"})
DEFAULT: Final = HealthCheck(enabled=True, timeout_s=2, interval_s=5, host="", check_type="HTTP", source_ip_type=0)
"""What a rule has of which nothing is known yet (RuleInput page)."""


@dataclass(slots=True)
class Fitter:
    """For the rules of one listener. `head` None: the load balancer is made by this plan."""

    listener: ListenerKey
    head: LoadBalancerHead | None
    notes: list[str] = field(default_factory=list)

    def fit(self, want: RuleSpec, have: RuleSpec | None, http2: bool) -> RuleSpec:
        """`want` without what cannot be. `have` None: the rule is made. `http2`: of its host, as it is going to be."""
        there = have if have is not None else RuleSpec(want.key)
        ref = RuleRef(self.listener, there.key)
        session_s = want.session_s
        if want.sticky is True and session_s is UNSET:
            session_s = given(there.session_s, 0) or SESSION_S
        forward = want.forward_type
        if forward in NEEDS_HTTP2 and forward != there.forward_type and not http2:
            self._note(ref, f"{forward} to the targets needs http2 on its host")
            forward = UNSET
        return replace(
            want,
            session_s=session_s,
            sticky=UNSET,
            forward_type=forward,
            health_check=self._check(ref, want.health_check, there.health_check),
        )

    def _check(self, ref: RuleRef, want: HealthCheck, have: HealthCheck) -> HealthCheck:
        if want == HealthCheck():
            return want
        now = over(have, DEFAULT)
        want = self._source(ref, want, have)
        want = self._times(ref, want, now)
        return self._host(ref, want, now)

    def _source(self, ref: RuleRef, want: HealthCheck, have: HealthCheck) -> HealthCheck:
        """Where checks come from is not everybody's choice (contract, section 6.2; HealthCheck page)."""
        kind = want.source_ip_type
        if kind in (UNSET, have.source_ip_type):
            return want
        if kind == 0 and have.source_ip_type is UNSET:
            # The default, or all that there can be: to name it could only be wrong on a domain-based load balancer.
            return replace(want, source_ip_type=UNSET)
        head = self.head
        if kind == 0 and head is not None and head.hostname:
            self._note(ref, "a domain-based load balancer checks from 100.64.0.0/10 only (sourceIpType 1)")
        elif kind == 1 and head is not None and head.ipv6 and not head.vips:
            self._note(ref, "an IPv6 load balancer checks from its own address only (sourceIpType 0)")
        else:
            return want
        return replace(want, source_ip_type=UNSET)

    def _times(self, ref: RuleRef, want: HealthCheck, now: HealthCheck) -> HealthCheck:
        merged = over(want, now)
        timeout, interval = given(merged.timeout_s, 0), given(merged.interval_s, 0)
        if timeout <= interval:
            return want
        changed = _changed(want, now, ("timeout_s", "interval_s"))
        if not changed:
            return want
        self._note(ref, f"a time-out of {timeout} s is more than the interval of {interval} s: declare both")
        return replace(want, **dict.fromkeys(changed, UNSET))

    def _host(self, ref: RuleRef, want: HealthCheck, now: HealthCheck) -> HealthCheck:
        """A name to ask for is needed where the host is none (HealthCheck page, HttpCheckDomain)."""
        merged = over(want, now)
        host = ref.rule.host
        if is_exact(host) or host == ANY_HOST or merged.host:
            return want
        if merged.enabled is False or merged.check_type in ASKS_NO_HOST:
            return want
        changed = _changed(want, now, ("enabled", "check_type"))
        if not changed:
            return want
        self._note(ref, f"a check by {merged.check_type} of {host} needs httpCheckDomain")
        return replace(want, **dict.fromkeys(changed, UNSET))

    def _note(self, ref: RuleRef, why: str) -> None:
        self.notes.append(
            f"{UNFIT}: what the TkeServiceConfig declares of {ref} cannot be had: {why}; it is left as it is"
        )


def serves_http2(listener: ListenerKey, want: HostSpec | None, have: HostSpec | None) -> bool:
    """Whether clients of the host may speak HTTP/2 once the plan is done."""
    now = given(have.http2, False) if have is not None else False
    said = given(want.http2, now) if want is not None else now
    return listener.protocol == Protocol.HTTPS and said


def _changed(want: HealthCheck, now: HealthCheck, names: tuple[str, ...]) -> list[str]:
    """Those of these fields that are declared and differ."""
    return [name for name in names if getattr(want, name) not in (UNSET, getattr(now, name))]
