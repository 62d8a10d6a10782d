"""What every verb works on: storage, the kinds served, the clock, the dice. No verb is here."""

import functools
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.emulators.kube.kinds import Catalog, Kind
from tests.emulators.kube.storage import Record, Storage
from tests.emulators.kube.watches import Disturbances

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What `generateName` appends: no vowels, nothing that looks like something else."""


@functools.lru_cache(maxsize=16)
def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class World:
    """The whole state of one emulated API server."""

    clock: Callable[[], float]
    dice: random.Random
    storage: Storage
    catalog: Catalog = field(default_factory=Catalog)
    disturbances: Disturbances = field(default_factory=Disturbances)
    advanced_s: float = 0.0
    settling: set[str] = field(default_factory=set)
    """Namespaces that are being emptied right now."""

    def time(self) -> float:
        """Seconds since the epoch, with what the clock was moved by."""
        return self.clock() + self.advanced_s

    def stamp(self) -> str:
        """Now, as `metav1.Time` writes it: whole seconds."""
        return _stamp(int(self.time()))

    def fresh_uid(self) -> str:
        """The next UID out of the seed."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def fresh_suffix(self) -> str:
        """Five letters for `generateName`."""
        return "".join(self.dice.choice(SUFFIX_LETTERS) for _ in range(5))

    def find(self, kind: Kind, namespace: str, name: str) -> Record | None:
        """One stored object."""
        return self.storage.get(kind.bucket, (namespace if kind.namespaced else "", name))
