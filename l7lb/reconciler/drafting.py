"""What is to be done for a group: claim, merge, plan, and what each member hears of it. Nothing is written here."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from l7lb import ledger, planner
from l7lb.errors import UnsafePlan
from l7lb.model.identity import ListenerKey, Protocol, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, ObservedLoadBalancer, RuleSpec, TargetKey
from l7lb.model.ownership import Claim, Ownership
from l7lb.model.plan import DeleteListeners, DeleteRules, DeregisterTargets, Placement, Plan, RemoveTags
from l7lb.model.problems import Problem
from l7lb.model.redirecting import DeleteRedirects
from l7lb.model.sharing import Merged, Share
from l7lb.reconciler import blaming, departing, draining, records, shortages, strays
from l7lb.reconciler.culprits import Culprits, LeftOut
from l7lb.reconciler.exits import Exits
from l7lb.reconciler.hearing import hearers
from l7lb.reconciler.passes import Workshop, problem
from l7lb.reconciler.protection import is_in_the_way
from l7lb.reconciler.refusals import Refusals
from l7lb.reconciler.reporting import noted
from l7lb.reconciler.seats import Meeting, Seat, evidence
from l7lb.reconciler.shaping import Scene, shaped
from l7lb.reconciler.shortages import Shortages
from l7lb.reconciler.stability import Stability
from l7lb.reconciler.swaps import Swaps
from l7lb.reconciler.witnesses import Parting

Told: TypeAlias = dict[str, list[Problem]]


@dataclass(frozen=True, slots=True)
class Draft:
    """One round of a pass over a group."""

    observed: ObservedLoadBalancer
    claim: Claim
    desired: DesiredLoadBalancer
    shares: Mapping[str, Share]
    """By UID: what each member is to have."""
    extents: Mapping[str, Share]
    """By UID: the same with what it still has."""
    plan: Plan
    told: Mapping[str, tuple[Problem, ...]]
    """By UID: what each member hears."""
    blocked: bool = False
    """Something is left out because of modification protection."""
    there: frozenset[RuleRef] = frozenset()
    """Every rule on the load balancer."""
    kept: frozenset[RuleRef] = frozenset()
    """Rules that a member is to have."""
    used: frozenset[ListenerKey] = frozenset()
    """Listeners that a member is to have."""
    unfinished: frozenset[str] = frozenset()
    """UIDs of members of which something stays only because what is to replace it is refused: their edit goes on."""
    dead: frozenset[tuple[RuleRef, TargetKey]] = frozenset()
    """Bound targets where nobody is, or somebody else."""
    wait_s: float | None = None
    """After so long to look again; None: there is no need."""
    why: str = ""


class Drafter:
    """Plans for groups; remembers what the cloud has refused and what does not stay."""

    def __init__(self, shop: Workshop, stability: Stability, refusals: Refusals, exits: Exits) -> None:
        self._shop = shop
        self._stability = stability
        self._refusals = refusals
        self._exits = exits
        self.swaps = Swaps(shop.monotonic)
        self.culprits = Culprits(shop.monotonic)
        self.shortages = Shortages(shop.monotonic)

    def draft(self, meeting: Meeting, observed: ObservedLoadBalancer) -> Draft | Claim:
        """The claim alone when it is none under which anything may be written."""
        limits = self.shortages.limits(meeting.ref, meeting.cloud)
        claim = ledger.read_shared(evidence(meeting, observed), observed)
        if claim.ownership is not Ownership.SHARED:
            return claim
        merged = planner.merge((seat.bid() for seat in meeting.seats), observed, claim, limits)
        claim = ledger.read_shared(evidence(meeting, observed, merged.shares), observed)
        extents = {seat.uid: _extent(seat, merged.shares[seat.uid]) for seat in meeting.seats}
        desired = self._known(meeting, merged, observed)
        vacant, taken = partial(self._vacant, meeting), partial(self._taken, meeting)
        known = strays.told(desired, observed, merged.held, vacant, taken)
        settled = self._refusals.settle(known, observed, merged.held)
        told = {uid: list(share.problems) for uid, share in merged.shares.items()}
        waiting = self._certificates(desired, observed, merged, told) if settled.problems else frozenset()
        settled = replace(settled, desired=_followed(settled.desired, observed, waiting, extents))
        scene = Scene(observed, claim, limits, meeting.cloud, vacant)
        shape = shaped(settled, scene, self.culprits, self.swaps)
        plan = _spared(shape.plan, extents, waiting) if settled.waiting else shape.plan
        self._blame(meeting, shape.left_out, extents, told)
        plan = self._filtered(plan, observed, extents, told)
        plan = self._with_last_targets(meeting, plan, known, observed, extents, told)
        for finding in noted(plan, edited=False):
            for uid in hearers(finding, extents):
                told[uid].append(finding)
        said = self.shortages.met(meeting.ref, (problem for found in told.values() for problem in found))
        words = {uid: (*found, *(said if shortages.is_one(found) else ())) for uid, found in told.items()}
        blocked = any(is_in_the_way(found) for found in words.values())
        listeners = observed.listeners
        return Draft(
            observed, claim, desired, merged.shares, extents, plan, words, blocked,
            there=frozenset(RuleRef(item.spec.key, rule.key) for item in listeners for rule in item.spec.rules),
            kept=frozenset(ref for share in merged.shares.values() for ref in share.rules),
            used=frozenset(key for share in merged.shares.values() for key in share.listeners),
            dead=planner.dead_targets(known),
            unfinished=waiting | _unfinished(shape.plan, plan, extents),
            wait_s=shape.wait_s,
            why=shape.why,
        )  # fmt: skip

    def unsafe(self, meeting: Meeting, draft: Draft) -> Iterator[tuple[Seat, UnsafePlan]]:
        """Members whose own part of the plan takes away more than their change asks for."""
        if not any(isinstance(step, _GUARDED) for step in draft.plan.steps):
            return
        for seat in meeting.seats:
            if seat.parting is Parting.DELETED or seat.refused:
                continue
            extent = _planners(draft.extents[seat.uid])
            piece = planner.part(draft.plan, extent)
            if not piece:
                continue
            try:
                planner.guard(
                    piece,
                    planner.wanted_of(draft.desired, extent) if seat.parting is None else None,
                    planner.seen_of(draft.observed, extent),
                    self._circumstances(seat, draft.dead),
                )
            except UnsafePlan as refusal:
                yield seat, refusal

    def pieces(self, meeting: Meeting, draft: Draft) -> Iterator[tuple[Seat, Plan]]:
        """Each step once, with the member that it is for; what is the load balancer's own is the first one's."""
        yield from _pieces(draft.plan, meeting.seats, draft.extents)

    def _with_last_targets(
        self, meeting: Meeting, plan: Plan, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer,
        extents: Mapping[str, Share], told: Told,
    ) -> Plan:  # fmt: skip
        """Each member keeps the last live target of its rules, and everything else goes on."""
        for seat in meeting.staying if any(isinstance(step, DeregisterTargets) for step in plan.steps) else ():
            if seat.refused:
                continue
            extent = _planners(extents[seat.uid])
            piece = planner.part(plan, extent)
            wanted, seen = planner.wanted_of(desired, extent), planner.seen_of(observed, extent)
            around = self._circumstances(seat, planner.dead_targets(desired))
            left, why = planner.stop_last_targets(piece, wanted, seen, around)
            if why:
                self._shop.telemetry.refused(meeting.key, seat.matter.ingress.key, "UnsafePlan", why)
                told[seat.uid].append(problem("", "UnsafePlan", why))
                plan = planner.minus(plan, _taken(piece) - _taken(left))
        return plan

    def _circumstances(self, seat: Seat, dead: frozenset[tuple[RuleRef, TargetKey]]) -> planner.Circumstances:
        record = seat.matter.record if seat.member else None
        desired = seat.translation.desired if seat.translation is not None else None
        shape = planner.shape_digest(desired) if desired is not None else ""
        changed = not shape or records.is_edited(record, seat.matter.ingress, shape)
        exits = self._exits.count(seat.uid) if seat.parting is Parting.LEFT else 0
        approved = seat.matter.options.approve
        return planner.Circumstances(changed, class_exits=exits, dead=dead, approved=approved)

    def _known(self, meeting: Meeting, merged: Merged, observed: ObservedLoadBalancer) -> DesiredLoadBalancer:
        """What is desired, with what only the cloud and the API server know of targets and names."""
        desired = merged.desired
        for seat in meeting.staying:
            desired = records.as_announced(desired, seat.matter.record, observed)
            if not seat.matter.options.direct or seat.keeps:
                continue
            own = planner.wanted_of(desired, _planners(merged.shares[seat.uid]))
            known = departing.told(own, observed, partial(self._shop.snapshots.vacant, seat.matter.ingress))
            if known is not own:
                desired = _with_rules(desired, known)
        return draining.asked(desired, observed, meeting.cloud.health)

    def _certificates(
        self, desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, merged: Merged, told: Told
    ) -> frozenset[str]:
        """UIDs of members that wait because of a certificate that was refused; whose it is hears of it."""
        waiting = set()
        for uid, share in merged.shares.items():
            own = self._refusals.settle(planner.wanted_of(desired, _planners(share)), observed, merged.held)
            told[uid] += own.problems
            waiting |= {uid} if own.waiting else set()
        return frozenset(waiting)

    def _blame(self, meeting: Meeting, left_out: tuple[LeftOut, ...], extents: Mapping[str, Share], told: Told) -> None:
        """Each member hears of its own targets that are refused."""
        for seat in meeting.seats if left_out else ():
            snapshot = self._shop.snapshots.snapshot(seat.matter.ingress)
            found = (blaming.problem(left, snapshot, extents[seat.uid].rules) for left in left_out)
            told[seat.uid] += [one for one in found if one is not None]

    def _vacant(self, meeting: Meeting, addresses: frozenset[str]) -> frozenset[str]:
        """Of these addresses those where nobody is, in the namespace of no member."""
        for ingress in (seat.matter.ingress for seat in meeting.seats):
            addresses = self._shop.snapshots.vacant(ingress, addresses)
        return addresses

    def _taken(self, meeting: Meeting, targets: frozenset[TargetKey]) -> frozenset[TargetKey]:
        """Of these targets those that were a member's and are nobody's of the group now."""
        found = [self._shop.snapshots.taken(seat.matter.ingress, targets) for seat in meeting.seats]
        return frozenset().union(*found) if found else frozenset()

    def _filtered(self, plan: Plan, observed: ObservedLoadBalancer, extents: Mapping[str, Share], told: Told) -> Plan:
        """Without what the cloud undoes or refuses; of one member's refused part the others' deletions are no part."""
        kept, unstable = self._stability.filter(observed.head.ref, plan)
        for finding in unstable:
            for uid in hearers(finding, extents):
                told[uid].append(finding)
        affected: set[str] = set()
        for step, finding in self._refusals.answers(observed.head.ref, kept):
            concerned = [uid for uid, share in extents.items() if planner.part(Plan((step,)), _planners(share))]
            affected |= set(concerned)
            for uid in concerned or extents:
                told[uid].append(finding)
        rest, _ = self._refusals.filter(observed.head.ref, kept)
        if any(isinstance(step, _TAKES_AWAY) for step in rest.steps):
            return rest
        others = _spared(Plan(tuple(step for step in kept.steps if isinstance(step, _TAKES_AWAY))), extents, affected)
        return _joined(rest, others)


_TAKES_AWAY = (DeleteListeners, DeleteRules, DeleteRedirects)
_GUARDED = (*_TAKES_AWAY, DeregisterTargets)


def _followed(
    desired: DesiredLoadBalancer, observed: ObservedLoadBalancer, waiting: Collection[str], extents: Mapping[str, Share]
) -> DesiredLoadBalancer:
    """With the old rules of members that wait for a certificate: these serve until then, and follow their targets.

    Each follows its own member's rule of the same name on another listener. Their shape is nobody's to change.
    """
    if not waiting:
        return desired
    there = {RuleRef(item.spec.key, rule.key) for item in observed.listeners for rule in item.spec.rules}
    asked = {RuleRef(spec.key, rule.key): rule for spec in desired.listeners for rule in spec.rules}
    old: dict[ListenerKey, list[RuleSpec]] = {}
    for uid in waiting:
        mine = extents[uid].rules
        coming = {ref.rule: asked[ref] for ref in mine if ref in asked and ref not in there}
        for ref in sorted((mine & there) - asked.keys()):
            if ref.listener.protocol == Protocol.HTTP and ref.rule in coming:
                new = coming[ref.rule]
                kept = RuleSpec(ref.rule, new.targets, new.targets_known, new.endpointless)
                old.setdefault(ref.listener, []).append(kept)
    specs = [replace(spec, rules=(*spec.rules, *old.pop(spec.key, ()))) for spec in desired.listeners]
    return replace(desired, listeners=(*specs, *(ListenerSpec(key, rules=tuple(rules)) for key, rules in old.items())))


def _unfinished(whole: Plan, left: Plan, extents: Mapping[str, Share]) -> frozenset[str]:
    """UIDs of members something of which was to be deleted and is not."""
    before, after = (Plan(tuple(one for one in plan.steps if isinstance(one, _TAKES_AWAY))) for plan in (whole, left))
    return frozenset(
        uid
        for uid, share in extents.items()
        if planner.part(before, _planners(share)) != planner.part(after, _planners(share))
    )


def _taken(plan: Plan) -> frozenset[Placement]:
    steps = (step for step in plan.steps if isinstance(step, DeregisterTargets))
    return frozenset(one for step in steps for one in step.placements)


def _extent(seat: Seat, share: Share) -> Share:
    bid = seat.bid()
    return Share(share.rules | bid.rules, share.parts | bid.parts, share.listeners | planner.recorded_listeners(bid))


def _planners(share: Share, *, whole: bool = False) -> planner.Extent:
    return planner.Extent(share.rules, share.listeners | {ref.listener for ref in share.rules}, whole)


def _pieces(plan: Plan, seats: tuple[Seat, ...], extents: Mapping[str, Share]) -> Iterator[tuple[Seat, Plan]]:
    rules: set[RuleRef] = set()
    listeners: set[ListenerKey] = set()
    for number, seat in enumerate(seats):
        extent = _planners(extents[seat.uid], whole=number == 0)
        piece = planner.part(plan, replace(extent, rules=extent.rules - rules, listeners=extent.listeners - listeners))
        rules |= extent.rules
        listeners |= extent.listeners
        if piece:
            yield seat, piece


def _spared(plan: Plan, extents: Mapping[str, Share], affected: Collection[str]) -> Plan:
    """The plan without deletions of members to whom something does not come, and of what they may yet need."""
    mine = frozenset(ref for uid in affected for ref in extents[uid].rules)
    others = [share for uid, share in extents.items() if uid not in affected]
    rules = frozenset(ref for share in others for ref in share.rules) - mine
    listeners = frozenset(key for share in others for key in share.listeners) - {ref.listener for ref in mine}
    taken = planner.part(
        Plan(tuple(step for step in plan.steps if isinstance(step, _TAKES_AWAY))), planner.Extent(rules, listeners)
    )
    return _joined(replace(plan, steps=tuple(step for step in plan.steps if not isinstance(step, _TAKES_AWAY))), taken)


def _joined(plan: Plan, deletions: Plan) -> Plan:
    """Deletions come after everything but the tags."""
    steps = [step for step in plan.steps if not isinstance(step, RemoveTags)]
    tags = [step for step in plan.steps if isinstance(step, RemoveTags)]
    return replace(plan, steps=(*steps, *deletions.steps, *tags))


def _with_rules(desired: DesiredLoadBalancer, own: DesiredLoadBalancer) -> DesiredLoadBalancer:
    """`desired` with the rules of `own` in the place of the same ones."""
    found = {RuleRef(spec.key, rule.key): rule for spec in own.listeners for rule in spec.rules}
    return replace(
        desired,
        listeners=tuple(
            replace(spec, rules=tuple(found.get(RuleRef(spec.key, rule.key), rule) for rule in spec.rules))
            for spec in desired.listeners
        ),
    )
