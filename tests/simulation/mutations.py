"""Defaults of ours, each made a rule that is enforced: the take-over must notice every one of them.

A row names a module, a text that stands in it exactly once, what it becomes, and what of a fleet shows the difference.
`python -m tests.simulation.mutations` tries them all and says which are not noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.takeover import CAUGHT

ROOT = Path(__file__).parents[2]
IN_TIME_S = 60


@dataclass(frozen=True)
class Mutation:
    """One default gone wrong."""

    name: str
    module: str
    old: str
    new: str
    traits: tuple[str, ...]

    def applied(self) -> str:
        """The module's text with the change; raises ValueError when its text has moved on."""
        text = (ROOT / self.module).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.module} has {text.count(self.old)} times: {self.old!r}; write the row anew")
        return text.replace(self.old, self.new)


RULES, TARGETS, CONVERGE = "l7lb/planner/rules.py", "l7lb/planner/targets.py", "l7lb/planner/converge.py"
CERTIFICATES, CLAIMS, NODES = "l7lb/planner/certificates.py", "l7lb/ledger/claims.py", "l7lb/translator/nodes.py"
CHECK = "health_check=_check_changes(want.health_check, have.health_check)"

MUTATIONS = (
    Mutation(
        "weight 10 is enforced",
        TARGETS,
        "if want.presence is not Presence.REQUIRED or bound.weight != 0 or want.steady:",
        "if want.presence is not Presence.REQUIRED or bound.weight == WEIGHT or want.steady:",
        ("weight: not 10",),
    ),
    Mutation(
        "the check's time-out is enforced",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, timeout_s=2), have.health_check)",
        ("check time-out: 5",),
    ),
    Mutation(
        "the check is switched on",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, enabled=True), have.health_check)",
        ("check off",),
    ),
    Mutation(
        "the check's source is enforced",
        RULES,
        CHECK,
        "health_check=_check_changes(replace(want.health_check, source_ip_type=0), have.health_check)",
        ("check source: 1",),
    ),
    Mutation(
        "the scheduler is enforced",
        RULES,
        "scheduler=differs(want.scheduler, have.scheduler)",
        'scheduler=differs("WRR", have.scheduler)',
        ("scheduler: LEAST_CONN",),
    ),
    Mutation(
        "the default domain is the first host",
        RULES,
        "becomes = want.default is True and",
        "becomes = want.host == default_host(site.desired) and",
        ("default domain: not the first",),
    ),
    Mutation(
        "Http2 is enforced",
        RULES,
        "http2=differs(want.http2, have.http2) if https",
        "http2=differs(False, have.http2) if https",
        ("Http2",),
    ),
    Mutation(
        "Exact is written anew with =",
        "l7lb/planner/ties.py",
        "stands_in = not native and",
        "stands_in = native and",
        ("Exact: plain",),
    ),
    Mutation(
        "targets are bound by instance",
        TARGETS,
        "        and bound.instance_id is not None\n",
        "",
        ("targets: by EniIp",),
    ),
    Mutation(
        "SNI is switched on",
        CERTIFICATES,
        "    shown = _distinct(hosts.values())\n    if len(shown) > 1:",
        "    shown = _distinct(hosts.values())\n    if shown:",
        ("SNI off",),
    ),
    Mutation(
        "a listener has another name",
        "l7lb/model/marks.py",
        '"TKE-DEDICATED-LISTENER"',
        '"L7LB"',
        ("layout: http",),
    ),
    Mutation(
        "the lifecycle owner is added",
        CLAIMS,
        "    if ownership not in {Ownership.ADOPTED, Ownership.TO_ADOPT}:\n        return ()\n",
        "    if tags.LIFECYCLE not in evidence.tags:\n        return ((tags.LIFECYCLE, tags.OWNER_TKE),)\n"
        "    if ownership not in {Ownership.ADOPTED, Ownership.TO_ADOPT}:\n        return ()\n",
        ("lifecycle owner: absent",),
    ),
    Mutation(
        "cordoned nodes are taken off",
        NODES,
        "if id(node) not in dropped and",
        "if id(node) not in dropped and not node.spec.unschedulable and",
        ("cordoned node: bound",),
    ),
    Mutation(
        "the code of a redirect is 302",
        "l7lb/planner/ties.py",
        "(isinstance(wanted.code, Unset) or wanted.code == self.code)",
        "self.code == (302 if isinstance(wanted.code, Unset) else wanted.code)",
        ("redirect: another code, none declared",),
    ),
    Mutation(
        "redirects that nobody declares are taken off",
        "l7lb/translator/redirects.py",
        "any=group or automatic is not UNSET or support is False or by_entries,",
        "any=True,",
        ("layout: left over",),
    ),
    Mutation(
        "security groups that nobody declares are unbound",
        CONVERGE,
        "differs(desired.security_groups, head",
        "differs(given(desired.security_groups, frozenset()), head",
        ("security groups: by hand",),
    ),
    Mutation(
        "deletion protection that nobody declares is lifted",
        CONVERGE,
        "delete_protection=differs(desired.delete_protection, head",
        "delete_protection=differs(given(desired.delete_protection, False), head",
        ("deletion protection: by hand",),
    ),
)


def tried(mutation: Mutation | None, *traits: str) -> tuple[int, str]:
    """Exit code and words of a take-over with that one change in a copy of the product; None: without any."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "l7lb", copy / "l7lb", ignore=shutil.ignore_patterns("__pycache__"))
        if mutation is not None:
            text = mutation.applied()
            if mutation.module == CONVERGE:
                text = text.replace("import UNSET", "import UNSET, given", 1)
            (copy / mutation.module).write_text(text, encoding="utf-8")
            traits = mutation.traits
        command = [sys.executable, "-m", "tests.simulation.takeover", *traits]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        # The copy is where it is run, so its l7lb comes before the one beside the tests.
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=IN_TIME_S, check=False
        )
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """All of them; exit code 1 when one is not noticed."""
    missed = 0
    for mutation in MUTATIONS:
        code, words = tried(mutation)
        missed += code != CAUGHT
        said = words.strip().splitlines() or [""]
        sys.stdout.write(f"{'noticed' if code == CAUGHT else 'NOT NOTICED'}: {mutation.name}: {said[0][:150]}\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
