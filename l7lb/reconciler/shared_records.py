"""What the record of a member of a group is to say, before the first write and after the last."""

from dataclasses import replace

from l7lb import translator
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Record
from l7lb.model.plan import CreateListeners, Plan
from l7lb.model.sharing import Share
from l7lb.model.snapshot import Settings
from l7lb.reconciler import records
from l7lb.reconciler.drafting import Draft
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


def reached(base: Record, draft: Draft, share: Share) -> Record:
    """What it has now, which may be more than it is to have: what could not be taken off yet is not forgotten.

    A listener that was announced and does not show stays announced: it may still come.
    """
    awaited = records.expected(base) - {item.spec.key for item in draft.observed.listeners}
    left = {key: pair for key, pair in _still(base, draft).items() if ListenerKey.parse(key) not in draft.used}
    return replace(
        base,
        rules=(share.rules | (base.rules - draft.kept)) & draft.there,
        parts=share.parts,
        listeners={
            **{str(key): base.listeners[str(key)] for key in awaited},
            **left,
            **_known(draft.observed, draft.claim, share),
        },
    )


def remains(record: Record, draft: Draft) -> tuple[str, ...]:
    """What one that leaves has still there, and nobody takes over. A listener with rules of nobody may stay."""
    empty = {str(item.spec.key) for item in draft.observed.listeners if not item.spec.rules}
    listeners = [key for key in _still(record, draft) if key in empty and ListenerKey.parse(key) not in draft.used]
    return (*map(str, sorted((record.rules & draft.there) - draft.kept)), *sorted(listeners))


def _still(record: Record, draft: Draft) -> dict[str, tuple[str, str]]:
    """Listeners of the record that are there, by id and name."""
    return {
        str(item.spec.key): (item.id, name)
        for item in draft.observed.listeners
        if item.spec.key in draft.claim.listeners
        and (item.id, name := given(item.spec.name, "")) in record.listeners.values()
    }


def _known(observed: ObservedLoadBalancer, claim: Claim, share: Share) -> dict[str, tuple[str, str]]:
    return {
        str(item.spec.key): (item.id, given(item.spec.name, ""))
        for item in observed.listeners
        if item.spec.key in claim.listeners & share.listeners
    }
