"""What the record of a member of a group is to say, before the first write and after the last."""

from collections.abc import Mapping
from dataclasses import replace

from l7lb import translator
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Record
from l7lb.model.plan import CreateListeners, Plan
from l7lb.model.sharing import Share
from l7lb.model.snapshot import Settings
from l7lb.reconciler import records
from l7lb.reconciler.passes import SHARED, Matter


def member(matter: Matter, observed: ObservedLoadBalancer, settings: Settings) -> Record:
    """Its record, as that of a member; a new one lists nothing yet."""
    ref = observed.head.ref
    had = matter.record if matter.record is not None and matter.record.claim == SHARED else records.blank(matter)
    return replace(
        had,
        region=ref.region,
        lb=ref.id,
        claim=SHARED,
        ingress_class=translator.class_pair(matter.ingress),
        site=translator.site_of(observed.head, settings),
        marks=had.marks if had.marks is not None else translator.creation_marks(matter.ingress),
    )


def announced(base: Record, observed: ObservedLoadBalancer, claim: Claim, share: Share, plan: Plan) -> Record:
    """All that it has and all that it is about to get: a crash may leave either. `base` is from `member`."""
    had = base
    new = {str(key): ("", step.name) for step in plan.steps if isinstance(step, CreateListeners) for key in step.keys}
    mine = {key: pair for key, pair in new.items() if ListenerKey.parse(key) in share.listeners}
    return replace(
        had,
        rules=had.rules | share.rules,
        parts=share.parts,
        listeners={**had.listeners, **mine, **_known(observed, claim, share)},
    )


def reached(base: Record, observed: ObservedLoadBalancer, claim: Claim, share: Share, desired: str) -> Record:
    """What it has now. A listener that was announced and does not show stays announced: it may still come."""
    had = base
    awaited = records.expected(had) - {item.spec.key for item in observed.listeners}
    return replace(
        had,
        rules=share.rules & there(observed),
        parts=share.parts,
        listeners={**{str(key): had.listeners[str(key)] for key in awaited}, **_known(observed, claim, share)},
        desired=desired,
    )


def there(observed: ObservedLoadBalancer) -> frozenset[RuleRef]:
    """Every rule on the load balancer."""
    return frozenset(RuleRef(item.spec.key, rule.key) for item in observed.listeners for rule in item.spec.rules)


def remains(
    record: Record, observed: ObservedLoadBalancer, claim: Claim, shares: Mapping[str, Share]
) -> tuple[str, ...]:
    """What one that leaves has still there, and nobody takes over. A listener with rules of nobody may stay."""
    kept = frozenset(ref for share in shares.values() for ref in share.rules)
    used = frozenset(key for share in shares.values() for key in share.listeners)
    rules = sorted((record.rules & there(observed)) - kept)
    listeners = [
        item.spec.key
        for item in observed.listeners
        if item.spec.key in claim.listeners - used
        and not item.spec.rules
        and (item.id, given(item.spec.name, "")) in record.listeners.values()
    ]
    return (*map(str, rules), *map(str, listeners))


def _known(observed: ObservedLoadBalancer, claim: Claim, share: Share) -> dict[str, tuple[str, str]]:
    return {
        str(item.spec.key): (item.id, given(item.spec.name, ""))
        for item in observed.listeners
        if item.spec.key in claim.listeners & share.listeners
    }
