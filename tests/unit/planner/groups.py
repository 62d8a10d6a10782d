"""Groups of Ingresses in few words, for tests of the merge."""

from dataclasses import replace

from l7lb import ledger, planner
from l7lb.model.identity import ListenerKey, ObjectKey, RuleRef
from l7lb.model.loadbalancer import DesiredLoadBalancer, ListenerSpec, ObservedLoadBalancer
from l7lb.model.ownership import Claim, GroupEvidence, Member, Record
from l7lb.model.plan import Plan
from l7lb.model.sharing import Bid, Merged
from l7lb.model.snapshot import Limits
from tests.builders import CLUSTER, LB, desired, head, listener, observed, ref, there

HTTP, HTTPS = ListenerKey("HTTP", 80), ListenerKey("HTTPS", 443)
EMPTY = observed(on=head(tags={"tke-clusterId": "cls-1"}))


def bid(name: str, *listeners: ListenerSpec, **said: object) -> Bid:
    """A member called `a` is older than one called `b`."""
    attributes = {name: said.pop(name) for name in tuple(said) if name in DesiredLoadBalancer.__slots__}
    asks = desired(*listeners, **attributes)
    made = Bid(f"uid-{name}", ObjectKey("shop", name), ("2026", "shop", name), desired=asks)
    return replace(made, **said)  # type: ignore[arg-type]  # a builder


def had(name: str, *rules: str, on: str = "HTTP:80", parts: tuple[str, ...] = (), **listeners: str) -> Record:
    """A record with rules on one listener."""
    keys = {on: (there(listener(on)).id, "TKE-DEDICATED-LISTENER")} if rules else {}
    return Record(
        f"uid-{name}", "cls-1", lb=LB, claim="shared", listeners=keys | {k: (v, v) for k, v in listeners.items()},
        rules=frozenset(ref(on, text) for text in rules), parts=frozenset(parts),
    )  # fmt: skip


def claim_of(bids: tuple[Bid, ...], seen: ObservedLoadBalancer) -> Claim:
    """As the ledger gives it, before anything is given out."""
    members = tuple(
        Member(
            one.uid,
            one.record,
            one.leaving,
            False,
            frozenset(spec.key for spec in (one.desired.listeners if one.desired else ())),
            frozenset(
                RuleRef(spec.key, r.key) for spec in (one.desired.listeners if one.desired else ()) for r in spec.rules
            ),
        )
        for one in bids
    )
    return ledger.read_shared(GroupEvidence(CLUSTER, LB, seen.head.tags, members), seen)


def merged(*bids: Bid, seen: ObservedLoadBalancer = EMPTY, limits: Limits = Limits()) -> Merged:  # noqa: B008 - frozen
    return planner.merge(bids, seen, claim_of(bids, seen), limits)


def rules_of(result: Merged, on: ListenerKey = HTTP) -> list[str]:
    return [str(r.key) for spec in result.desired.listeners if spec.key == on for r in spec.rules]


def told(result: Merged, name: str) -> str:
    return "; ".join(f"{p.reason}: {p.code}: {p.message}" for p in result.shares[f"uid-{name}"].problems)


def got(result: Merged, name: str) -> set[str]:
    return {str(one) for one in result.shares[f"uid-{name}"].rules}


def plan_of(*bids: Bid, seen: ObservedLoadBalancer, limits: Limits = Limits()) -> Plan:  # noqa: B008 - frozen
    """What would be done."""
    result = merged(*bids, seen=seen, limits=limits)
    return planner.converge(result.desired, seen, claim_of(bids, seen), result.held, limits, None)


def steps(plan: Plan) -> list[str]:
    return [planner.describe(step) for step in plan.steps]
