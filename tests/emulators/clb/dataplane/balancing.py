"""Which target serves a request: eligibility, weighted round robin, least connections, address hash, session cookie.

The functions decide and change nothing; ``Balancer`` keeps what they need between two requests. No sockets, no clock.
"""

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.emulators.clb.dataplane.views import RuleView, TargetView

TargetKey: TypeAlias = tuple[str, int]
RuleKey: TypeAlias = tuple[str, str, str]
"""Ids of load balancer, listener, rule."""


@dataclass(frozen=True, slots=True)
class BalanceState:
    """What a rule remembers: running weights of the round robin, requests under way per target."""

    current: Mapping[TargetKey, int] = field(default_factory=dict)
    active: Mapping[TargetKey, int] = field(default_factory=dict)


def key_of(target: TargetView) -> TargetKey:
    """Targets are told apart by address and port."""
    return target.ip, target.port


def eligible_targets(targets: Iterable[TargetView], health_of: Callable[[TargetView], str]) -> tuple[TargetView, ...]:
    """The targets that may get a request (CLB's page on health checks).

    Weight 0 never does. Alive and unchecked ones do; if there are none, all that are Dead do. A target that is still
    being probed is not judged yet and gets nothing in either case.
    """
    weighted = [target for target in targets if target.weight > 0]
    alive = tuple(target for target in weighted if health_of(target) in ("Alive", "Close"))
    return alive or tuple(target for target in weighted if health_of(target) == "Dead")


def choose_target(
    scheduler: str, candidates: Sequence[TargetView], state: BalanceState, client_ip: str
) -> tuple[TargetView, BalanceState]:
    """The target by the rule's scheduler and the state after the choice; ``candidates`` is not empty."""
    match scheduler:
        case "LEAST_CONN":
            # A heavier target may carry more; ties go through the round robin, as in nginx.
            load = {key_of(t): state.active.get(key_of(t), 0) / t.weight for t in candidates}
            least = min(load.values())
            return _round_robin([t for t in candidates if load[key_of(t)] == least], state)
        case "IP_HASH":
            return _by_address(candidates, client_ip), state
        case _:
            return _round_robin(candidates, state)


def session_token(target: TargetView) -> str:
    """Value of the session cookie: says nothing about the address."""
    return hashlib.sha256(f"{target.ip}:{target.port}".encode()).hexdigest()[:32]


def _round_robin(candidates: Sequence[TargetView], state: BalanceState) -> tuple[TargetView, BalanceState]:
    """Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a, never five in a row to one."""
    current = dict(state.current)
    for target in candidates:
        current[key_of(target)] = current.get(key_of(target), 0) + target.weight
    chosen = max(candidates, key=lambda target: current[key_of(target)])
    current[key_of(chosen)] -= sum(target.weight for target in candidates)
    return chosen, BalanceState(current, state.active)


def _by_address(candidates: Sequence[TargetView], client_ip: str) -> TargetView:
    ordered = sorted(candidates, key=key_of)
    point = zlib.crc32(client_ip.encode()) % sum(target.weight for target in ordered)
    for target in ordered:
        point -= target.weight
        if point < 0:
            return target
    return ordered[-1]


class Balancer:
    """Keeps one ``BalanceState`` per rule. Used by the event loop's thread only."""

    def __init__(self) -> None:
        self._states: dict[RuleKey, BalanceState] = {}

    def choose(
        self, key: RuleKey, rule: RuleView, candidates: Sequence[TargetView], client: tuple[str, str | None]
    ) -> TargetView | None:
        """The target for one request of ``client`` (address, session cookie or None)."""
        if not candidates:
            return None
        client_ip, cookie = client
        if rule.session_seconds > 0 and cookie is not None:
            for target in candidates:
                if session_token(target) == cookie:
                    return target
        target, state = choose_target(rule.scheduler, candidates, self._state(key), client_ip)
        self._states[key] = state
        return target

    def began(self, key: RuleKey, target: TargetView) -> None:
        """A request to ``target`` is under way."""
        self._count(key, target, 1)

    def ended(self, key: RuleKey, target: TargetView) -> None:
        """The request that ``began`` is over, however it ended."""
        self._count(key, target, -1)

    def rebind(self, key: RuleKey, bound: Collection[TargetKey]) -> None:
        """Forget running weights of targets that a rule does not have any more; requests under way still count.

        All weights start again then: their sum must be 0, else a newcomer would be flooded or starved.
        """
        state = self._states.get(key)
        if state is None:
            return
        if not bound and not state.active:
            del self._states[key]
        elif not state.current.keys() <= set(bound):
            self._states[key] = BalanceState({}, state.active)

    def _state(self, key: RuleKey) -> BalanceState:
        return self._states.get(key, BalanceState())

    def _count(self, key: RuleKey, target: TargetView, change: int) -> None:
        state = self._state(key)
        active = dict(state.active)
        active[key_of(target)] = active.get(key_of(target), 0) + change
        if active[key_of(target)] <= 0:
            del active[key_of(target)]
        self._states[key] = BalanceState(state.current, active)
