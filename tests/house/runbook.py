"""docs/runbook/README.md: the alerts as the rules have them, each with its page."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from tests.house.source import ROOT

RULES: Final = ROOT / "charts/l7lb/files/rules.yaml"
PAGES: Final = ROOT / "docs/runbook"
HEAD: Final = """# Runbook

{made}

One page for each alert of `charts/l7lb/files/rules.yaml`: what it means, what it does to traffic, where to look, and
what to do. The commands take l7lb to be in the namespace `l7lb`, as [the chart](../install.md) puts it there; words in
capitals are yours to fill in. `l7lb` commands take the [flags](../flags.md) of the installation, or their twins in the
environment, and your own kubeconfig and cloud keys.

Whatever has happened: load balancers serve on as they are while l7lb is off, and switching it off deletes nothing.

- **critical**: traffic suffers or will suffer soon, so somebody has to get up.
- **warning**: somebody has to look within a working day.
- **info**: worth a line.

"""
TITLES: Final[Mapping[str, str]] = {
    "l7lb.presence": "Is it there?",
    "l7lb.leadership": "Does somebody lead?",
    "l7lb.convergence": "Does what Ingresses ask for arrive?",
    "l7lb.safety": "What was stopped on purpose",
    "l7lb.cloud": "The cloud API",
    "l7lb.drift": "What others do, and what does not hold",
    "l7lb.cluster": "The API server and the pods",
    "l7lb.housekeeping": "What is left behind, and what runs out",
}


def runbook_page(made: str) -> str:
    """The index."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    parts = [HEAD.format(made=made)]
    for group in groups:
        alerts = [rule for rule in group["rules"] if "alert" in rule]
        if alerts:
            parts.append(f"## {TITLES[group['name']]}\n\n| alert | severity | what it says |\n| --- | --- | --- |\n")
            parts += [_row(rule) for rule in alerts]
            parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _row(rule: Mapping[str, Any]) -> str:
    name, summary = rule["alert"], rule["annotations"]["summary"].replace("{{ $value }}", "Some")
    says = re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"*\1*", summary)
    return f"| [{name}]({name}.md) | {rule['labels']['severity']} | {says} |\n"
