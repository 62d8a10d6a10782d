"""What may not change on a shared load balancer: the held parts of its members, each narrowed to what is its own.

One member's broken part must hold nothing of another's, although both may be on one listener and under one host.
"""

from collections.abc import Hashable, Iterable, Mapping

from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import ListenerSpec
from l7lb.model.problems import Held
from l7lb.model.sharing import Bid
from l7lb.planner.contests import recorded_listeners

Asked = Mapping[str, Mapping[ListenerKey, ListenerSpec]]
"""By UID: the listeners that a member asks for and may have."""


def clings(bid: Bid, asked: Iterable[RuleRef]) -> frozenset[RuleRef]:
    """Rules that it has and does not let go, although it does not ask for them just now: it is broken there."""
    if bid.leaving:
        return frozenset()
    return frozenset(ref for ref in bid.rules if bid.silent or bid.held.covers(ref)) - frozenset(asked)


def frozen(bids: Iterable[Bid], wanted: Iterable[RuleRef]) -> Mapping[str, frozenset[RuleRef]]:
    """By UID: what members that stay do not want any more, on listeners of one that cannot be read now.

    It may have meant to take over what is let go; nobody can tell. What a leaving member has goes all the same: its
    deletion is not for another Ingress to hold up. One without a record may be anywhere.
    """
    found, all_bids = set(wanted), tuple(bids)
    unreadable = [bid for bid in all_bids if bid.unreadable]
    listeners = {key for bid in unreadable for key in recorded_listeners(bid)}
    anywhere = any(bid.record is None for bid in unreadable)
    return {
        bid.uid: frozenset(ref for ref in bid.rules if ref not in found and (anywhere or ref.listener in listeners))
        for bid in all_bids
        if bid.desired is not None
    }


def holds(bids: Iterable[Bid], won: Mapping[RuleRef, str], asked: Asked, kept: Iterable[RuleRef]) -> Held:
    """Everything held. `won`: by whom; `kept`: rules that stay although nobody asks for them."""
    all_bids = tuple(bids)
    interest = _interest(all_bids, asked)
    rules, hosts, listeners = set(kept), set(), set()
    for bid in all_bids:
        if bid.leaving:
            continue
        alone = frozenset({bid.uid})
        if bid.held != Held():
            rules |= {ref for ref, uid in won.items() if uid == bid.uid and bid.held.covers(ref)}
        # What nobody has or asks for must not keep a listener that another one has left.
        rules |= {ref for ref in bid.held.rules if interest.get(ref) == {bid.uid}}
        hosts |= {pair for pair in bid.held.hosts if interest.get(pair) == {bid.uid}}
        own = recorded_listeners(bid) if bid.silent else bid.held.listeners
        listeners |= {key for key in own if interest.get(key, alone) <= alone}
    return Held(
        listeners=frozenset(listeners), hosts=frozenset(hosts), rules=frozenset(rules), left=_left(all_bids, asked)
    )


def _left(bids: Iterable[Bid], asked: Asked) -> frozenset[ListenerKey]:
    """Listeners that nobody has or asks for but those who leave: no wait of another member is about them."""
    here: dict[bool, set[ListenerKey]] = {True: set(), False: set()}
    for bid in bids:
        had = {ref.listener for ref in bid.rules} | recorded_listeners(bid)
        here[bid.leaving] |= had if bid.leaving else had | set(asked.get(bid.uid, {}))
    return frozenset(here[True] - here[False])


def _interest(bids: Iterable[Bid], asked: Asked) -> dict[Hashable, set[str]]:
    """Whose each rule, host and listener is: of those that have something there, or ask for it."""
    found: dict[Hashable, set[str]] = {}
    for bid in bids:
        specs = asked.get(bid.uid, {})
        wanted = {RuleRef(key, rule.key) for key, spec in specs.items() for rule in spec.rules}
        things: set[Hashable] = {*specs, *recorded_listeners(bid)}
        for ref in bid.rules | wanted:
            things |= {ref, (ref.listener, ref.rule.host), ref.listener}
        for thing in things:
            found.setdefault(thing, set()).add(bid.uid)
    return found
