"""What a run has found, as rows of one JSON file that the docs can take over."""

import datetime as dt
import json
from pathlib import Path
from typing import Final

from tests.cloud.account import Account, Json
from tests.cloud.asking import ask, what_protection_stops
from tests.cloud.lab import Lab, life
from tests.house.source import ROOT

FILE: Final = ROOT / "build/e2e-cloud.json"


def run(account: Account, lab: Lab, *, serves: bool) -> Json:
    """The life of an Ingress, then every question; what is made goes with the lab."""
    told = account.told
    lived = [one.row() for one in life(lab)] if told.target is not None else []
    reached = serves and any(row["id"] == "serves" and row["finding"] == "200" for row in lived)
    rows = ask(lab.bench(serves=reached))
    protected = what_protection_stops(account, told.protected) if told.protected else []
    return {
        "run": account.run,
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "where": told.endpoint or "the real cloud",
        "region": told.region,
        "life": lived,
        "questions": [*rows, *protected],
    }


def write(report: Json, file: Path = FILE) -> None:
    """One object, one file; of the last run only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def as_text(report: Json) -> str:
    """For whoever waits at the terminal."""
    lines = [f"run {report['run']} in {report['region']}, {report['where']}"]
    for row in (*report["life"], *report["questions"]):
        said = row["finding"] or f"not asked: {row['not_asked']}"
        lines.append(f"  {row['id']}: {said}")
    return "\n".join(lines)
