"""What the members of a group ask for, put together to what one load balancer should be. Pure, like all of planning.

Each member is an Ingress of its own: it gets what nobody else has, hears what it does not get, and keeps all the rest.
Rules are given out one by one; what can be said only once (the certificate of a host, the scheduler's session, the
security groups) follows one member at a time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from l7lb.model.identity import ListenerKey, Protocol, RuleKey, RuleRef
from l7lb.model.loadbalancer import (
    DesiredLoadBalancer,
    HostSpec,
    ListenerSpec,
    ObservedLoadBalancer,
    RedirectSpec,
    RuleSpec,
)
from l7lb.model.maybe import UNSET, Maybe, Unset
from l7lb.model.ownership import Claim
from l7lb.model.problems import Held
from l7lb.model.quotas import Quota, shortage
from l7lb.model.sharing import Bid, Merged, redirect_part
from l7lb.model.snapshot import Limits
from l7lb.planner.contests import Contests, named, recorded_listeners
from l7lb.planner.holds import Asked, clings, frozen, holds
from l7lb.planner.scene import OWN_PORT_SPACE

V = TypeVar("V")
Ask: TypeAlias = RuleSpec | RedirectSpec
Wishes: TypeAlias = Mapping[RuleRef, Ask]
StandIn: TypeAlias = Callable[[Bid, RuleRef], RuleRef]


@dataclass(frozen=True, slots=True)
class _Ground:
    """The load balancer as it is, as far as a merge asks."""

    owned: frozenset[RuleRef]
    """Rules of the group, there or not."""
    limits: Limits
    there: Mapping[ListenerKey, frozenset[RuleKey]]
    """Rules on listeners of ours."""
    taken: Mapping[int, ListenerKey]
    """Ports of listeners that are not ours."""


def merge(bids: Iterable[Bid], observed: ObservedLoadBalancer, claim: Claim, limits: Limits) -> Merged:
    """Who gets what, and what the load balancer should be for that."""
    contests = Contests(bids)
    ground = _ground(observed, claim, limits)
    stand_in = _stand_ins(contests.bids, ground)
    asked = _asked(contests, ground, stand_in)
    wishes = {bid.uid: _wishes(bid, asked.get(bid.uid, {}), stand_in) for bid in contests.bids}
    won = _award(contests, wishes, ground)
    kept = _keep(contests, wishes, won)
    held = holds(contests.bids, {ref: bid.uid for ref, bid in won.items()}, asked, kept)
    _fit(contests, won, ground, kept)
    for ref, bid in won.items():
        contests.gets(bid, (ref,))
    keys = sorted({key for specs in asked.values() for key in specs})
    sources: dict[ListenerKey, list[RuleRef]] = {}
    for ref, bid in won.items():
        if isinstance(wishes[bid.uid][ref], RedirectSpec):
            sources.setdefault(ref.listener, []).append(ref)
    listeners = tuple(_listener(key, contests, asked, won, sources) for key in keys)
    desired = DesiredLoadBalancer(
        listeners=(*listeners, *_leftover(ground, keys, held)),
        redirects=_redirects(contests, wishes, won),
        security_groups=_whole(contests, "security-groups", lambda asks: asks.security_groups),
        pass_to_target=_whole(contests, "pass-to-target", lambda asks: asks.pass_to_target),
        delete_protection=_whole(contests, "deletion-protection", lambda asks: asks.delete_protection),
    )
    return Merged(desired, held, contests.shares())


def _ground(observed: ObservedLoadBalancer, claim: Claim, limits: Limits) -> _Ground:
    ours = [item.spec for item in observed.listeners if item.spec.key in claim.listeners]
    return _Ground(
        claim.rules or frozenset(),
        limits,
        {spec.key: frozenset(rule.key for rule in spec.rules) for spec in ours},
        {
            item.spec.key.port: item.spec.key
            for item in observed.listeners
            if item.spec.key not in claim.listeners and item.spec.key.protocol not in OWN_PORT_SPACE
        },
    )


def _asked(contests: Contests, ground: _Ground, stand_in: StandIn) -> dict[str, dict[ListenerKey, ListenerSpec]]:
    """Listeners that each member may have: a port has one protocol, and may be somebody else's altogether."""
    ports: dict[int, list[tuple[Bid, ListenerKey]]] = {}
    had = {bid.uid: recorded_listeners(bid) for bid in contests.bids}
    for bid in contests.bids:
        for key in sorted(had[bid.uid]) if bid.silent else [spec.key for spec in _specs(bid)]:
            ports.setdefault(key.port, []).append((bid, key))
    chosen = {port: _first(wanted, had, ground) for port, wanted in ports.items()}
    asked: dict[str, dict[ListenerKey, ListenerSpec]] = {}
    for bid in contests.bids:
        mine = asked.setdefault(bid.uid, {})
        for spec in _specs(bid):
            first, key = chosen[spec.key.port]
            if spec.key.port in ground.taken:
                why = f"{ground.taken[spec.key.port]} on that port is not ours"
            elif key != spec.key:
                why = f"Ingress {first.about} has {key} on that port"
            else:
                rules = tuple(replace(rule, key=stand_in(bid, RuleRef(key, rule.key)).rule) for rule in spec.rules)
                mine[key] = replace(spec, rules=rules)
                contests.uses(bid, key)
                continue
            contests.problem(bid, "E4101", "ListenerConflict", f"{spec.key} is left out: {why}")
    return asked


def _first(
    wanted: list[tuple[Bid, ListenerKey]], had: Mapping[str, frozenset[ListenerKey]], ground: _Ground
) -> tuple[Bid, ListenerKey]:
    """Who has the port: its holder, else the oldest, but not for a listener that cannot be made for it now."""
    makeable = [(bid, key) for bid, key in wanted if key in ground.there or key not in bid.held.listeners]
    return next(((bid, key) for bid, key in wanted if key in had[bid.uid]), (makeable or wanted)[0])


def _specs(bid: Bid) -> tuple[ListenerSpec, ...]:
    return bid.desired.listeners if bid.desired is not None else ()


def _stand_ins(bids: tuple[Bid, ...], ground: _Ground) -> StandIn:
    """TKE writes `Exact /p` as `/p`: that satisfies us until we have made one ourselves, if nobody else has it."""
    asked = {RuleRef(spec.key, rule.key) for bid in bids for spec in _specs(bid) for rule in spec.rules}
    asked |= {redirect.source for bid in bids for redirect in _declared(bid)}
    owners: dict[RuleRef, set[str]] = {}
    for bid in bids:
        for ref in bid.rules:
            owners.setdefault(ref, set()).add(bid.uid)

    def stand_in(bid: Bid, ref: RuleRef) -> RuleRef:
        there = ground.there.get(ref.listener, frozenset())
        plain = RuleRef(ref.listener, RuleKey(ref.rule.host, ref.rule.path.removeprefix("=")))
        made = ref.rule in there or ref in bid.rules
        if made or plain.rule not in there or plain in asked or owners.get(plain, set()) - {bid.uid}:
            return ref
        return plain

    return stand_in


def _wishes(bid: Bid, asked: Mapping[ListenerKey, ListenerSpec], stand_in: StandIn) -> Wishes:
    """In its own order. The source of a redirect is a rule as well."""
    wishes: dict[RuleRef, Ask] = {RuleRef(key, rule.key): rule for key, spec in asked.items() for rule in spec.rules}
    for redirect in _declared(bid):
        source, target = stand_in(bid, redirect.source), stand_in(bid, redirect.target)
        if source.listener in asked:
            wishes.setdefault(source, replace(redirect, source=source, target=target))
    return wishes


def _declared(bid: Bid) -> tuple[RedirectSpec, ...]:
    redirects = bid.desired.redirects if bid.desired is not None else ()
    return () if isinstance(redirects, Unset) else redirects


def _award(contests: Contests, wishes: Mapping[str, Wishes], ground: _Ground) -> dict[RuleRef, Bid]:
    """Each rule to one member; the others hear whose it is. Who cannot be served anyway gives way to who can."""
    clinging = {ref: bid for bid in contests.bids for ref in clings(bid, wishes[bid.uid])}
    asking: dict[RuleRef, list[Bid]] = {}
    for bid in contests.bids:
        for ref in wishes[bid.uid]:
            asking.setdefault(ref, []).append(bid)
    won: dict[RuleRef, Bid] = {}
    lost: dict[tuple[str, str, ListenerKey], list[RuleRef]] = {}
    for ref, bids in asking.items():
        able = [bid for bid in bids if not _is_idle(bid, ref, wishes[bid.uid][ref], ground)]
        first = clinging.get(ref) or next((bid for bid in bids if ref in bid.rules), (able or bids)[0])
        if ref not in clinging:
            won[ref] = first
        for loser in bids:
            if loser is not first:
                lost.setdefault((loser.uid, str(first.about), ref.listener), []).append(ref)
    by_uid = {bid.uid: bid for bid in contests.bids}
    for (uid, winner, listener), refs in lost.items():
        text = f"{listener} has these rules already for Ingress {winner}, which keeps them: {named(refs)}"
        contests.problem(by_uid[uid], "", "RuleConflict", text)
    return won


def _is_idle(bid: Bid, ref: RuleRef, ask: Ask, ground: _Ground) -> bool:
    """Whether its own fault keeps the rule from being made for it, or leaves nothing behind it: its Service is gone.

    A rule that is there may be what it had before there were records: only there does its age still count.
    """
    empty = isinstance(ask, RuleSpec) and ask.targets_known and not ask.targets
    return bid.held.covers(ref) and (empty or ref.rule not in ground.there.get(ref.listener, frozenset()))


def _keep(contests: Contests, wishes: Mapping[str, Wishes], won: Mapping[RuleRef, Bid]) -> frozenset[RuleRef]:
    """Rules that stay although nobody asks for them now; whose they are is not forgotten."""
    kept = {bid.uid: clings(bid, wishes[bid.uid]) for bid in contests.bids}
    wanted = frozenset(won).union(*kept.values())
    for uid, refs in frozen(contests.bids, wanted).items():
        kept[uid] |= refs
    for bid in contests.bids:
        contests.gets(bid, kept[bid.uid])
        if bid.silent:
            contests.keeps(bid)
    return frozenset().union(*kept.values())


def _fit(contests: Contests, won: dict[RuleRef, Bid], ground: _Ground, kept: frozenset[RuleRef]) -> None:
    """Within the quota of each listener: what is there stays, then the older members', then what is not made now."""
    by_listener: dict[ListenerKey, list[RuleRef]] = {}
    for ref in won:
        by_listener.setdefault(ref.listener, []).append(ref)
    for listener, refs in by_listener.items():
        there = {RuleRef(listener, key) for key in ground.there.get(listener, ())}
        staying = [ref for ref in there if ref not in won and (ref not in ground.owned or ref in kept)]
        room = max(0, ground.limits.rules_per_listener - len(staying) - sum(ref in there for ref in refs))
        late = [ref for ref in refs if ref not in there]
        late.sort(key=lambda ref: (ref not in won[ref].rules, won[ref].held.covers(ref), won[ref].age))
        limit = ground.limits.rules_per_listener
        for bid in {won[ref].uid: won[ref] for ref in late[room:]}.values():
            out = [ref for ref in late[room:] if won[ref] is bid]
            words = shortage(Quota.RULES, used=limit, limit=limit, wanted=len(late) - room)
            text = f"{listener} has its most rules, {len(out)} left out: {named(out)} ({words})"
            contests.problem(bid, "E4005", "RulesExhausted", text)
        for ref in late[room:]:
            del won[ref]


def _listener(
    key: ListenerKey,
    contests: Contests,
    asked: Asked,
    won: Mapping[RuleRef, Bid],
    sources: Mapping[ListenerKey, list[RuleRef]],
) -> ListenerSpec:
    said = [(bid, asked[bid.uid][key]) for bid in contests.bids if key in asked.get(bid.uid, {})]
    rules = tuple(rule for bid, spec in said for rule in spec.rules if won.get(RuleRef(key, rule.key)) is bid)
    served = {
        (bid.uid, ref.rule.host)
        for bid, spec in said
        for ref in (*(RuleRef(key, rule.key) for rule in spec.rules), *sources.get(key, ()))
        if won.get(ref) is bid
    }
    https = key.protocol == Protocol.HTTPS
    own = [(bid, spec.certificate) for bid, spec in said]
    return ListenerSpec(
        key,
        name=_once(contests, f"{key} name", [(bid, spec.name) for bid, spec in said]),
        certificate=contests.settle(f"{key} certificate", own) if https else None,
        sni=_once(contests, f"{key} sni", [(bid, spec.sni) for bid, spec in said]),
        keepalive=_once(contests, f"{key} keepalive", [(bid, spec.keepalive) for bid, spec in said]),
        snat=_once(contests, f"{key} snat", [(bid, spec.snat) for bid, spec in said]),
        hosts=_hosts(
            key, contests, [(bid, host) for bid, spec in said for host in spec.hosts if (bid.uid, host.host) in served]
        ),
        rules=rules,
    )


def _hosts(key: ListenerKey, contests: Contests, said: list[tuple[Bid, HostSpec]]) -> tuple[HostSpec, ...]:
    """In the order of the members, the nameless one first."""
    https = key.protocol == Protocol.HTTPS
    default = _once(contests, f"{key} default", [(bid, host.host) for bid, host in said if host.default is True])
    hosts = []
    by_name: dict[str, list[tuple[Bid, HostSpec]]] = {}
    for bid, host in said:
        by_name.setdefault(host.host, []).append((bid, host))
    for name in sorted(by_name, key=bool):
        here = by_name[name]
        certificates = [(bid, host.certificate) for bid, host in here]
        hosts.append(
            HostSpec(
                name,
                certificate=contests.settle(f"{key} {name} certificate", certificates) if https else None,
                http2=_once(contests, f"{key} {name} http2", [(bid, host.http2) for bid, host in here]),
                default=True if name == default else UNSET,
            )
        )
    return tuple(hosts)


def _once(contests: Contests, part: str, said: Iterable[tuple[Bid, Maybe[V]]]) -> Maybe[V]:
    """A part that is let go by saying nothing of it any more."""
    return contests.settle(part, [(bid, value) for bid, value in said if value is not UNSET])


def _whole(contests: Contests, part: str, of: Callable[[DesiredLoadBalancer], Maybe[V]]) -> Maybe[V]:
    """What is said of the load balancer itself."""
    return _once(contests, part, [(bid, of(bid.desired)) for bid in contests.bids if bid.desired is not None])


def _leftover(ground: _Ground, wanted: Iterable[ListenerKey], held: Held) -> tuple[ListenerSpec, ...]:
    """Listeners that nobody asks for, but from which not everything may go: only rules are taken off them."""
    asked = set(wanted)
    left = []
    for key, rules in sorted(ground.there.items()):
        goes = {ref for rule in rules if (ref := RuleRef(key, rule)) in ground.owned and not held.covers(ref)}
        if key not in asked and goes and len(goes) < len(rules):
            left.append(ListenerSpec(key))
    return tuple(left)


def _redirects(
    contests: Contests, wishes: Mapping[str, Wishes], won: Mapping[RuleRef, Bid]
) -> Maybe[tuple[RedirectSpec, ...]]:
    """All that the members declare; taking an annotation away is enough to switch a redirect off."""
    found = []
    for ref, bid in won.items():
        ask = wishes[bid.uid][ref]
        if isinstance(ask, RedirectSpec):
            found.append(ask)
            contests.follows(bid, redirect_part(ask.source))
    had = any(redirect_part(ref) in bid.parts for bid in contests.bids for ref in bid.rules)
    return tuple(sorted(found, key=lambda spec: spec.source)) if found or had else UNSET
