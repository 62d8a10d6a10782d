"""What the record on an Ingress is to say, out of the matter at hand. Writing it is the business of `writeback`."""

from collections.abc import Iterable
from dataclasses import replace

from l7lb import planner, translator
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ListenerKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, ObservedLoadBalancer
from l7lb.model.maybe import given
from l7lb.model.ownership import Claim, Ownership, Record
from l7lb.model.plan import CreateListeners, Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Settings
from l7lb.reconciler.passes import Matter

_CLAIM_WORDS = {
    Ownership.CREATED: "created",
    Ownership.KEPT: "created",
    Ownership.ADOPTED: "adopted",
}


def reached(matter: Matter, observed: ObservedLoadBalancer, claim: Claim, settings: Settings) -> Record:
    """What the record says while this claim holds: the listeners that are ours, with ids and names.

    What was announced and does not show stays announced: it may still come.
    """
    adopting = claim.ownership is Ownership.TO_ADOPT
    kept = matter.record if matter.record is not None else blank(matter)
    awaited = expected(kept) - {listener.spec.key for listener in observed.listeners}
    ours = {
        str(listener.spec.key): (listener.id, given(listener.spec.name, ""))
        for listener in observed.listeners
        if listener.spec.key in claim.listeners
    }
    return replace(
        kept,
        region=observed.head.ref.region,
        lb=observed.head.ref.id,
        claim="adopting" if adopting else _CLAIM_WORDS[claim.ownership],
        ingress_class=translator.class_pair(matter.ingress),
        site=translator.site_of(observed.head, settings),
        marks=kept.marks if kept.marks is not None else translator.creation_marks(matter.ingress),
        listeners={**{str(key): kept.listeners[str(key)] for key in awaited}, **ours},
        strangers=claim.strangers,
    )


def asked(record: Record, ingress: Ingress, shape: str) -> Record:
    """The record once all that was asked for is there. `shape`: its digest."""
    return replace(record, desired=shape, asked=translator.author_digest(ingress))


def is_edited(record: Record | None, ingress: Ingress, shape: str) -> bool:
    """Whether its author asks for something else than what was last reached.

    What a newer version, a flag or another object makes of the same words is no edit; an older record does not know.
    """
    if record is None or not record.asked:
        return record is None or record.desired != shape
    return record.asked != translator.author_digest(ingress)


def strangers(
    record: Record | None, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, claim: Claim, held: Held
) -> frozenset[RuleRef]:
    """Rules that were there before us: told apart once, when we take over what another controller has made."""
    if claim.native or claim.ownership not in _CLAIM_WORDS:
        return frozenset()
    if record is not None and record.claim in _CLAIM_WORDS.values():
        return planner.still_strangers(record.strangers, desired, observed, claim)
    return planner.strangers(desired, observed, claim, held)


def announced(record: Record, plan: Plan) -> Record:
    """The record with the listeners that the plan makes, without ids yet.

    Where the load balancer is lent, nothing else would say that such a listener is ours if the answer to its creation
    is lost and the Ingress asks for another port by then; and where it outlives the Ingress, it is waited for.
    """
    new = {str(key): ("", step.name) for step in plan.steps if isinstance(step, CreateListeners) for key in step.keys}
    return replace(record, listeners={**record.listeners, **new})


def expected(record: Record | None) -> frozenset[ListenerKey]:
    """Listeners that were announced, and whose ids are not known."""
    listeners = record.listeners if record is not None else {}
    without_id = (key for key, (listener, _) in listeners.items() if not listener)
    # People edit annotations: what is no listener's key says nothing.
    return frozenset(ListenerKey.parse(key) for key in without_id if key.rpartition(":")[2].isdecimal())


def as_announced(
    desired: DesiredLoadBalancer, record: Record | None, observed: ObservedLoadBalancer
) -> DesiredLoadBalancer:
    """What was announced and does not show is made under the name that was announced, whatever is declared by now.

    Its first creation may still end well, and the record knows one name. It is renamed when it is there.
    """
    there = {listener.spec.key for listener in observed.listeners}
    listeners = record.listeners if record is not None else {}
    names = {key: name for key, (listener, name) in listeners.items() if not listener}
    return replace(
        desired,
        listeners=tuple(
            replace(spec, name=names[str(spec.key)]) if str(spec.key) in names and spec.key not in there else spec
            for spec in desired.listeners
        ),
    )


def declared_names(listeners: Iterable[ListenerSpec]) -> dict[ListenerKey, str]:
    """The names that a TkeServiceConfig gives to listeners."""
    return {listener.key: name for listener in listeners if (name := given(listener.name, ""))}


def blank(matter: Matter) -> Record:
    """A record that says only whose it is."""
    attempt = matter.record.attempt if matter.record is not None else 0
    return Record(
        uid=matter.owner.ingress_uid,
        cluster=matter.owner.cluster.id,
        ingress_class=translator.class_pair(matter.ingress),
        attempt=attempt,
    )
