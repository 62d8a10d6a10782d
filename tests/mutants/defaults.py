"""Defaults of ours, each made a rule that is enforced: the take-over must notice every one of them.

A row names a module, a text that stands in it exactly once, what it becomes, and what of a fleet shows the difference.
"""

from dataclasses import dataclass

from tests.mutants.mutation import ROOT, Mutation, copied, run_in
from tests.simulation.takeover import CAUGHT


@dataclass(frozen=True)
class Enforced(Mutation):
    """One default gone wrong."""

    traits: tuple[str, ...]


RULES, TARGETS, CONVERGE = "l7lb/planner/rules.py", "l7lb/planner/targets.py", "l7lb/planner/converge.py"
CERTIFICATES, CLAIMS, NODES = "l7lb/planner/certificates.py", "l7lb/ledger/claims.py", "l7lb/translator/nodes.py"
CHECK = "health_check=_check_changes(want.health_check, have.health_check)"

DEFAULTS = (
    Enforced(
        "weight 10 is enforced",
        TARGETS,
        "if want.presence is not Presence.REQUIRED or bound.weight != 0 or want.steady:",
        "if want.presence is not Presence.REQUIRED or bound.weight == WEIGHT or want.steady:",
        ("weight: not 10",),
    ),
    Enforced(
        "the check's time-out is enforced",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, timeout_s=2), have.health_check)",
        ("check time-out: 5",),
    ),
    Enforced(
        "the check is switched on",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, enabled=True), have.health_check)",
        ("check off",),
    ),
    Enforced(
        "the check's source is enforced",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, source_ip_type=0), have.health_check)",
        ("check source: 1",),
    ),
    Enforced(
        "the scheduler is enforced",
        RULES,
        "scheduler=differs(want.scheduler, have.scheduler)",
        'scheduler=differs("WRR", have.scheduler)',
        ("scheduler: LEAST_CONN",),
    ),
    Enforced(
        "the default domain is the first host",
        RULES,
        "becomes = want.default is True and",
        "becomes = want.host == default_host(site.desired) and",
        ("default domain: not the first",),
    ),
    Enforced(
        "Http2 is enforced",
        RULES,
        "http2=differs(want.http2, have.http2) if https",
        "http2=differs(False, have.http2) if https",
        ("Http2",),
    ),
    Enforced(
        "Exact is written anew with =",
        "l7lb/planner/ties.py",
        "stands_in = not native and",
        "stands_in = native and",
        ("Exact: plain",),
    ),
    Enforced(
        "targets are bound by instance",
        TARGETS,
        "        and bound.instance_id is not None\n",
        "",
        ("targets: by EniIp",),
    ),
    Enforced(
        "SNI is switched on",
        CERTIFICATES,
        "    shown = _distinct(hosts.values())\n    if len(shown) > 1:",
        "    shown = _distinct(hosts.values())\n    if shown:",
        ("SNI off",),
    ),
    Enforced(
        "a listener has another name",
        "l7lb/model/marks.py",
        '"TKE-DEDICATED-LISTENER"',
        '"L7LB"',
        ("layout: http",),
    ),
    Enforced(
        "the lifecycle owner is added",
        CLAIMS,
        "    if ownership not in {Ownership.ADOPTED, Ownership.TO_ADOPT}:\n        return ()\n",
        "    if tags.LIFECYCLE not in evidence.tags:\n        return ((tags.LIFECYCLE, tags.OWNER_TKE),)\n"
        "    if ownership not in {Ownership.ADOPTED, Ownership.TO_ADOPT}:\n        return ()\n",
        ("lifecycle owner: absent",),
    ),
    Enforced(
        "cordoned nodes are taken off",
        NODES,
        "if id(node) not in dropped and",
        "if id(node) not in dropped and not node.spec.unschedulable and",
        ("cordoned node: bound",),
    ),
    Enforced(
        "the code of a redirect is 302",
        "l7lb/planner/ties.py",
        "(isinstance(wanted.code, Unset) or wanted.code == self.code)",
        "self.code == (302 if isinstance(wanted.code, Unset) else wanted.code)",
        ("redirect: another code, none declared",),
    ),
    Enforced(
        "redirects that nobody declares are taken off",
        "l7lb/translator/redirects.py",
        "any=group or automatic is not UNSET or support is False or by_entries,",
        "any=True,",
        ("layout: left over",),
    ),
    Enforced(
        "security groups that nobody declares are unbound",
        CONVERGE,
        "differs(desired.security_groups, head",
        "differs(frozenset() if desired.security_groups is UNSET else desired.security_groups, head",
        ("security groups: by hand",),
    ),
    Enforced(
        "deletion protection that nobody declares is lifted",
        CONVERGE,
        "delete_protection=differs(desired.delete_protection, head",
        "delete_protection=differs(desired.delete_protection is True, head",
        ("deletion protection: by hand",),
    ),
)


def tried(mutation: Enforced | None, *traits: str) -> tuple[int, str]:
    """Exit code and words of a take-over with that one change in a copy of the product; None: without any."""
    with copied(mutation, ("l7lb",)) as copy:
        traits = mutation.traits if mutation is not None else traits
        return run_in(copy, ["tests.simulation.takeover", *traits], ROOT)


def notices(mutation: Enforced) -> tuple[bool, str]:
    """Whether the take-over does, and its words."""
    code, words = tried(mutation)
    return code == CAUGHT, words
