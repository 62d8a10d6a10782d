"""Gauges of which several terms of one process tell a part each: shards are led side by side, and come and go.

What a gauge means to whoever looks does not change with their number. Counters and histograms add up by themselves.
"""

import threading
from collections.abc import Mapping
from typing import Final

from l7lb.telemetry.metrics import TABLE, Metrics

Series = tuple[str, tuple[str, ...]]
"""Name and labels."""
SUMMED: Final = frozenset({
    "workqueue_depth",
    "controller_runtime_max_concurrent_reconciles",
    "l7lb_unstable_fields",
})  # fmt: skip
"""Of all others the largest part counts: the worst, or what only one of them tells."""
ALWAYS: Final = frozenset((row.name, labels) for row in TABLE for labels in row.known)
"""Series that are there from the start, with 0."""


class Shares:
    """Those of one process."""

    def __init__(self, whole: Metrics) -> None:
        self.whole = whole
        self.lock = threading.RLock()
        self.all: list[Share] = []

    def new(self) -> "Share":
        """For a term that begins."""
        share = Share(self)
        with self.lock:
            self.all.append(share)
        return share


class Share(Metrics):
    """The metrics of the process as one term tells them, from its begin until it leaves."""

    def __init__(self, shares: Shares) -> None:
        # The same registry, and not a second one: nothing of its own but what it has told.
        self.__dict__.update(vars(shares.whole))
        self._shares = shares
        self.told: dict[Series, float] = {}
        """Our parts; under the lock of all."""

    def set(self, name: str, value: float, *labels: str) -> None:
        """Our part of a gauge."""
        with self._shares.lock:
            if self in self._shares.all:
                self.told[name, labels] = value
                super().set(name, self._merged((name, labels)), *labels)

    def only(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Our part of a gauge, for exactly these labels."""
        with self._shares.lock:
            for series in [one for one in self.told if one[0] == name and one[1] not in values]:
                self._take_back(series)
            for labels, value in values.items():
                self.set(name, value, *labels)

    def leave(self) -> None:
        """The term is over: what it has told does not count any more, and nothing that it tells now."""
        with self._shares.lock:
            if self in self._shares.all:
                self._shares.all.remove(self)
            for series in tuple(self.told):
                self._take_back(series)

    def _take_back(self, series: Series) -> None:
        del self.told[series]
        name, labels = series
        if any(series in share.told for share in self._shares.all):
            super().set(name, self._merged(series), *labels)
        elif series in ALWAYS:
            super().set(name, 0.0, *labels)
        else:
            self._gauges[name].remove(*labels)

    def _merged(self, series: Series) -> float:
        parts = [share.told[series] for share in self._shares.all if series in share.told]
        return sum(parts) if series[0] in SUMMED else max(parts)
