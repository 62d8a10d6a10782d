"""What a run has found: rows as they are printed, the sum of them, and the machine that they were measured on."""

import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from math import inf
from typing import Any, Final

import msgspec

from tests.bench.budgets import SUBJECTS, TIME_MARGIN, budget_of, judge, promise_of
from tests.bench.rows import Figure

PACKAGES: Final = ("kubernetes", "tencentcloud-sdk-python-common", "msgspec", "urllib3", "kopf", "lightkube")
"""Whose versions decide about figures; one that is not installed is not compared."""


class Ran(msgspec.Struct, frozen=True):
    """One benchmark: how long it took, and why it has no figures, if so."""

    name: str
    about: str
    seconds: float
    failure: str = ""
    figures: tuple[Figure, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """No name and no path: what a reader needs in order to judge the figures."""

    cores: int
    processor: str
    system: str
    python: str
    packages: dict[str, str]


class Results(msgspec.Struct, frozen=True):
    """One run."""

    machine: Machine
    quick: bool
    seconds: float
    ran: tuple[Ran, ...]
    limit_s: float = inf
    """So long all of it may take, with the margin of times; a part of it has no limit."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All of them, in order."""
        return tuple(figure for one in self.ran for figure in one.figures)

    @property
    def red(self) -> tuple[str, ...]:
        """Names of figures beyond their budgets; the run itself is one."""
        late = self.seconds > self.limit_s * (1 + TIME_MARGIN)
        figures = (figure.name for figure in self.figures if not judge(figure, quick=self.quick))
        return (*figures, *(("seconds",) if late else ()))

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of benchmarks that measured nothing."""
        return tuple(one.name for one in self.ran if one.failure)

    @property
    def ok(self) -> bool:
        """Whether everything was measured, and all budgets are kept."""
        return not (self.red or self.failed)


def line(figure: Figure, *, quick: bool) -> dict[str, Any]:
    """A row as it is printed."""
    budget = budget_of(figure, quick=quick)
    spread = {} if figure.least is None else {"spread": [figure.least, figure.most]}
    return {
        "name": figure.name, "value": figure.value, "unit": figure.unit,
        "budget": budget.limit if budget else None, "better": figure.better.value, "ok": judge(figure, quick=quick),
        "versus": dict(figure.versus), "samples": figure.samples, **spread,
        **({"promise": promise_of(budget)} if budget else {}),
        **({"margin": budget.margin} if budget and budget.margin else {}),
        **({"note": figure.note} if figure.note else {}),
    }  # fmt: skip


def last_line(results: Results) -> dict[str, Any]:
    """The sum."""
    with_budget = [figure for figure in results.figures if budget_of(figure, quick=results.quick)]
    return {
        "name": "sum", "rows": len(results.figures), "with_budget": len(with_budget), "ok": results.ok,
        "red": list(results.red), "failed": list(results.failed), "seconds": round(results.seconds, 1),
        **({} if results.limit_s == inf else {"limit": results.limit_s}),
    }  # fmt: skip


def document(results: Results) -> bytes:
    """The file with all of it."""
    whole = {
        "machine": msgspec.to_builtins(results.machine),
        "quick": results.quick,
        "sum": last_line(results),
        "rows": [line(figure, quick=results.quick) for figure in results.figures],
        "held": {subject.what: subject.elsewhere for subject in SUBJECTS if subject.elsewhere},
        "benchmarks": [
            {
                "name": one.name,
                "about": one.about,
                "seconds": round(one.seconds, 1),
                "rows": [figure.name for figure in one.figures],
                **({"failure": one.failure} if one.failure else {}),
            }
            for one in results.ran
        ],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def this_machine() -> Machine:
    """Asks the system."""
    installed = {one.metadata["Name"] for one in metadata.distributions()}
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=f"{platform.python_implementation()} {sys.version.split()[0]}",
        packages={name: metadata.version(name) for name in PACKAGES if name in installed},
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a file of the kernel
            named = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    except OSError:
        named = []
    return named[0] if named else platform.machine()


def summed(ran: Sequence[Ran], *, quick: bool, seconds: float, limit_s: float = inf) -> Results:
    """A run that has ended."""
    return Results(this_machine(), quick, seconds, tuple(ran), limit_s)
