"""Which shard a key belongs to. Pure: who holds a shard is not known here."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from l7lb.model.identity import BindingKey

SHARDS_MAX: Final = 16
"""Of the 25 deletions that a region allows in 5 minutes each shard needs one."""
KNOWN_MAX: Final = 65_536


@lru_cache(maxsize=KNOWN_MAX)
def shard_of(key: BindingKey, shards: int) -> int:
    """From 0; by rendezvous hashing, so that another number of shards moves as few keys as can be."""
    if shards == 1:
        return 0
    return max(range(shards), key=lambda shard: blake2b(f"{shard}/{key}".encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Scope:
    """One shard of so many; by default all there is."""

    shard: int = 0
    shards: int = 1

    @property
    def first(self) -> bool:
        """Whether what is done once in a cluster is done here."""
        return self.shard == 0

    @property
    def whole(self) -> bool:
        """Whether there is nobody else to give way to."""
        return self.shards == 1

    def has(self, key: BindingKey) -> bool:
        """Whether the key is worked on here."""
        return self.whole or shard_of(key, self.shards) == self.shard


ALL: Final = Scope()
