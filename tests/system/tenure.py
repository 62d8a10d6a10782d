"""Who held the lease when, from a watch on it, and the judge: no write without it.

The clock is the one of this machine, which all replicas share, so that what each wrote into the Lease can be compared
with when its calls arrived.
"""

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from tests.system.kube import Json, Kube
from tests.system.replicas import LEASE

LEASE_S = 30.0
WRITES_FOR_S = 15.0
"""A write is begun only so long after a renewal."""
UNDER_WAY_S = 3.0
"""From the look at the lease to the arrival of the call, on a machine that is busy; at most 13 s by design."""
TURN_S = 3


@dataclass(frozen=True, slots=True)
class Sight:
    """One version of the Lease. Times are Unix times; `renewed` is what its writer put in before it sent it."""

    seen: float
    holder: str
    renewed: float


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something: whose, when it arrived, what."""

    holder: str
    at: float
    what: str


class History:
    """Every version of the Lease while the context lasts, in order."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lease-history")
        self._sights: list[Sight] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def sights(self) -> list[Sight]:
        """So far."""
        return list(self._sights)

    @property
    def holder(self) -> str:
        """Now; empty: nobody."""
        return self._sights[-1].holder if self._sights else ""

    def _watch(self) -> None:
        version = str(self._kube._send("GET", self._path)["metadata"]["resourceVersion"])
        while not self._stopping.is_set():
            version = self._turn(version)

    @property
    def _path(self) -> str:
        return f"{self._kube._path('Lease', 'kube-system')}?fieldSelector=metadata.name={LEASE}"

    def _turn(self, version: str) -> str:
        query = f"&watch=true&resourceVersion={version}&timeoutSeconds={TURN_S}"
        answer = self._kube._pool.request(
            "GET", self._kube.url + self._path + query, headers=self._kube._headers, preload_content=False
        )
        assert answer.status == 200, answer.status
        rest = b""
        try:
            for chunk in answer.stream(None):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    version = self._note(json.loads(line)) or version
        finally:
            answer.close()
        return version

    def _note(self, event: Json) -> str:
        assert event["type"] in ("ADDED", "MODIFIED"), event
        spec = event["object"]["spec"]
        renewed = datetime.fromisoformat(spec["renewTime"]).timestamp()
        self._sights.append(Sight(time.time(), str(spec.get("holderIdentity") or ""), renewed))
        return str(event["object"]["metadata"]["resourceVersion"])


def breaches(writes: Iterable[Write], history: Iterable[Sight]) -> list[Write]:
    """Those that were begun by somebody who did not hold the lease, or held too little of it."""
    sights = list(history)
    return [write for write in writes if not _is_lawful(write, sights)]


def _is_lawful(write: Write, history: list[Sight]) -> bool:
    before = [sight for sight in history if sight.renewed <= write.at]
    if not before or before[-1].holder != write.holder:
        return False
    return write.at <= before[-1].renewed + WRITES_FOR_S + UNDER_WAY_S


def vacancies(history: Iterable[Sight]) -> list[float]:
    """Seconds from the last word of one holder (its last renewal, or its release) to the first of the next."""
    found: list[float] = []
    last, after = "", 0.0
    for sight in history:
        if sight.holder and last and sight.holder != last:
            found.append(sight.renewed - after)
        last, after = sight.holder or last, sight.renewed
    return found
