"""What one process takes, sampled from outside, and the verdict: the last third beside the middle one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from tests.system.replicas import Replica

Sample = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The mean of the last third may be so much above the middle third's: a share of it, and so much in any case."""

    share: float
    more: float


TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "resident memory, MiB": Tolerance(0.03, 1.0),
    "threads": Tolerance(0.0, 1.0),
    "open files and connections": Tolerance(0.05, 2.0),
    "keys ready": Tolerance(0.5, 2.0),
    "mean wait of a key, s": Tolerance(0.5, 0.25),
    "longest pass under way, s": Tolerance(0.5, 1.0),
}


class Gauge:
    """One replica, looked at again and again."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.samples: list[Sample] = []
        self._waited = (0.0, 0.0)

    def look(self) -> None:
        """One sample more."""
        place = Path("/proc") / str(self.replica.process.pid)
        status = dict(line.split(":", 1) for line in (place / "status").read_text(encoding="ascii").splitlines())
        sums = self._sums()
        waits = "workqueue_queue_duration_seconds"
        before, self._waited = self._waited, (sums.get(f"{waits}_sum", 0.0), sums.get(f"{waits}_count", 0.0))
        keys = self._waited[1] - before[1]
        self.samples.append(
            {
                "resident memory, MiB": int(status["VmRSS"].split()[0]) / 1024,
                "threads": float(status["Threads"]),
                "open files and connections": float(sum(1 for _ in (place / "fd").iterdir())),
                "keys ready": sums.get("workqueue_depth", 0.0),
                "mean wait of a key, s": (self._waited[0] - before[0]) / keys if keys else 0.0,
                "longest pass under way, s": sums.get("workqueue_longest_running_processor_seconds", 0.0),
            }
        )

    def _sums(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(self.replica.ask("metrics", "/metrics")[1]):
            for sample in family.samples:
                if not sample.name.endswith("_bucket"):
                    found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    what: str
    first: float
    middle: float
    last: float
    flat: bool

    def __str__(self) -> str:
        verdict = "flat" if self.flat else "GROWS"
        return f"{self.what:<28}{self.first:>10.2f}{self.middle:>10.2f}{self.last:>10.2f}   {verdict}"


def lines(samples: Sequence[Sample]) -> list[Line]:
    """The means of the three thirds of each quantity."""
    third = len(samples) // 3
    if third < 1:
        raise ValueError("too few samples for a verdict")
    found = []
    for what, tolerance in TOLERANCES.items():
        values = [sample[what] for sample in samples]
        first, middle, last = fmean(values[:third]), fmean(values[third:-third]), fmean(values[-third:])
        found.append(Line(what, first, middle, last, last <= middle * (1 + tolerance.share) + tolerance.more))
    return found
