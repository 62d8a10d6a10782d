"""Where we read an Ingress further than TKE's controller does: what is different in words, and never touched by us.

Only for `l7lb adopt`; no plan depends on it.
"""

from collections.abc import Iterator
from typing import Final

from l7lb.model.identity import RuleKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer, Presence, RuleSpec

EXACT: Final = "="
NAMED: Final = 3
"""So many targets are named; the count says how many there are."""


def rulings(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer) -> tuple[str, ...]:
    """One sentence for each part that satisfies the Ingress as TKE reads it, and that we would make otherwise."""
    there = {RuleRef(item.spec.key, rule.key): rule for item in observed.listeners for rule in item.spec.rules}
    return tuple(
        sentence
        for listener in sorted(desired.listeners, key=lambda spec: spec.key)
        for rule in sorted(listener.rules, key=lambda spec: spec.key)
        for sentence in _of_rule(RuleRef(listener.key, rule.key), rule, there)
    )


def _of_rule(ref: RuleRef, rule: RuleSpec, there: dict[RuleRef, RuleSpec]) -> Iterator[str]:
    plain = RuleRef(ref.listener, RuleKey(ref.rule.host, ref.rule.path.removeprefix(EXACT)))
    bound = there.get(ref)
    if bound is None and plain != ref and plain in there:
        bound = there[plain]
        yield f"{plain} stays as it is: a rule that is made anew for pathType Exact would be {ref}"
    if bound is None:
        return
    tolerated = {target.key for target in rule.targets if target.presence is Presence.TOLERATED}
    kept = sorted(target.key for target in bound.targets if target.key in tolerated)
    if kept:
        noun = "target" if len(kept) == 1 else "targets"
        yield f"{ref} keeps {len(kept)} {noun} that would not be bound anew: {', '.join(map(str, kept[:NAMED]))}"
