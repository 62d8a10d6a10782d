"""Steps that bring the cloud to what is desired. Decides nothing about whose anything is: the claim says it."""

from collections.abc import Collection
from typing import Final

from l7lb.model.identity import RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.maybe import UNSET
from l7lb.model.ownership import Claim, Ownership, Stamp
from l7lb.model.plan import AddTags, CreateLoadBalancer, ModifyLoadBalancer, Plan, RemoveTags, SetSecurityGroups
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits
from l7lb.planner.listeners import differs, plan_listeners
from l7lb.planner.order import Draft, Phase
from l7lb.planner.redirects import plan_redirects
from l7lb.planner.rules import Bed, plan_rules, survey_rules
from l7lb.planner.scene import Scene, survey
from l7lb.planner.targets import plan_targets

CONVERGING: Final = frozenset({Ownership.CREATED, Ownership.KEPT, Ownership.ADOPTED, Ownership.SHARED})


def converge(
    desired: DesiredLoadBalancer,
    observed: ObservedLoadBalancer | None,
    claim: Claim,
    held: Held,
    limits: Limits,
    stamp: Stamp | None,
) -> Plan:
    """The whole way from `observed` to `desired`, with the fewest calls.

    Without `observed` the load balancer is created, for which `claim` must be the one to create and `stamp` is needed;
    ValueError otherwise. A lent load balancer that does not bear our tags yet gets these and nothing else.
    """
    if claim.untouched or claim.ownership not in CONVERGING | {Ownership.TO_ADOPT}:
        return Plan(notes=(claim.reason,))
    if claim.ownership is Ownership.TO_ADOPT:
        return Plan((AddTags(claim.missing_tags),)) if claim.missing_tags else Plan(notes=(claim.reason,))
    draft = Draft()
    if observed is None:
        _order(desired, claim, stamp, draft)
    elif claim.missing_tags and claim.ownership is not Ownership.SHARED:
        draft.add(Phase.TAGS, AddTags(claim.missing_tags))
    _attributes(desired, observed, draft)
    scene = survey(desired, observed, claim, held, limits)
    layout = plan_listeners(scene, draft)
    grounds = {site.key: survey_rules(scene, site, draft) for site in layout.sites}
    beds: list[Bed] = []
    for ground in plan_redirects(scene, layout, grounds, draft).values():
        beds += plan_rules(scene, ground, draft)
    beds += _waiting(scene)
    plan_targets(beds, limits.targets_per_rule, draft)
    if claim.ownership is Ownership.SHARED:
        _share(claim, draft)
    return draft.plan()


def _waiting(scene: Scene) -> list[Bed]:
    """Held rules whose place on another listener is not there yet: they serve until then, and follow its targets.

    Not where others share: the rule elsewhere may be another member's.
    """
    if scene.owned is not None:
        return []
    there = {RuleRef(key, rule.key): rule for key, item in scene.observed.items() for rule in item.spec.rules}
    asked = {RuleRef(key, rule.key): rule for key, spec in scene.desired.items() for rule in spec.rules}
    elsewhere = {ref.rule: rule for ref, rule in asked.items() if ref not in there}
    return [
        Bed(ref, elsewhere[ref.rule], rule)
        for ref, rule in there.items()
        if ref.rule in elsewhere and _is_waiting(scene, ref, asked)
    ]


def _is_waiting(scene: Scene, ref: RuleRef, asked: Collection[RuleRef]) -> bool:
    held = scene.held.covers(ref) and not scene.spares(ref)
    return held and ref not in asked and ref not in scene.ties.ends


def _share(claim: Claim, draft: Draft) -> None:
    """Our tag comes with the first other write, and goes when the last member has gone."""
    if claim.missing_tags and draft.plan():
        draft.add(Phase.TAGS, AddTags(claim.missing_tags))
    if claim.removable_tags:
        draft.add(Phase.RELEASE, RemoveTags(claim.removable_tags))


def _order(desired: DesiredLoadBalancer, claim: Claim, stamp: Stamp | None, draft: Draft) -> None:
    if claim.load_balancer or stamp is None:
        raise ValueError("a load balancer is created only under a claim to create, and with a stamp")
    ledger_keys = {key for key, _ in stamp.tags}
    tags = [(key, value) for key, value in desired.create.tags if key not in ledger_keys]
    step = CreateLoadBalancer(
        create=desired.create,
        tags=tuple(sorted([*tags, *stamp.tags])),
        client_token=stamp.client_token,
        pass_to_target=desired.pass_to_target,
    )
    draft.add(Phase.ORDER, step)


def _attributes(desired: DesiredLoadBalancer, observed: ObservedLoadBalancer | None, draft: Draft) -> None:
    """What an annotation declares of the load balancer itself. A new one has what its order said, and no more."""
    head = observed.head if observed is not None else None
    change = ModifyLoadBalancer(
        pass_to_target=differs(desired.pass_to_target, head.pass_to_target) if head is not None else UNSET,
        delete_protection=differs(desired.delete_protection, head.delete_protection if head is not None else False),
    )
    if change != ModifyLoadBalancer():
        draft.add(Phase.ATTRIBUTES, change)
    groups = differs(desired.security_groups, head.security_groups if head is not None else frozenset())
    if isinstance(groups, frozenset):
        draft.add(Phase.ATTRIBUTES, SetSecurityGroups(groups))
