"""The rules as the chart ships them, and the tests in promtool's format beside this file."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from prometheus_client import Histogram

from l7lb.telemetry.metrics import TABLE

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
RULES: Final = ROOT / "charts/l7lb/files/rules.yaml"
DASHBOARD: Final = ROOT / "charts/l7lb/files/dashboard.json"
RUNBOOK: Final = ROOT / "docs/runbook"
TESTS: Final = tuple(sorted(HERE.glob("*.yaml")))
OF_TARGETS: Final = frozenset({"cluster", "namespace", "job", "instance", "pod"})
"""Labels that whoever scrapes adds."""
OF_THE_PROCESS: Final = frozenset(
    {"process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
)
"""Metrics of every Python process on Linux."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert, or a recording rule: one of both names is empty."""

    alert: str
    record: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


@cache
def rules() -> tuple[Rule, ...]:
    """In the order of the file."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return tuple(
        Rule(
            one.get("alert", ""),
            one.get("record", ""),
            str(one["expr"]),
            one.get("labels", {}),
            one.get("annotations", {}),
        )
        for group in groups
        for one in group["rules"]
    )


def alerts() -> tuple[Rule, ...]:
    """Those that wake somebody."""
    return tuple(rule for rule in rules() if rule.alert)


@cache
def series() -> dict[str, frozenset[str]]:
    """Every series that may be named: those of the product with their labels, and what is recorded of them."""
    found: dict[str, frozenset[str]] = {name: frozenset() for name in OF_THE_PROCESS}
    for row in TABLE:
        labels = frozenset(row.labels)
        if row.kind is Histogram:
            found |= {f"{row.name}_bucket": labels | {"le"}, f"{row.name}_sum": labels, f"{row.name}_count": labels}
        else:
            found[row.name] = labels
    every = frozenset(label for row in TABLE for label in row.labels) | {"le"}
    return found | {rule.record: every for rule in rules() if rule.record}


@cache
def cases() -> tuple[tuple[Path, dict[str, Any]], ...]:
    """(file, test) of promtool's tests."""
    return tuple((path, one) for path in TESTS for one in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"])
