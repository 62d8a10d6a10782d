"""Which shard a key belongs to, and what that means for a pass. Who holds a shard is not known here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from l7lb import planner
from l7lb.app.caches import Stores, key_of
from l7lb.errors import Expired, Unavailable
from l7lb.model.cluster import Ingress, Object
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.snapshot import Settings
from l7lb.reconciler.borders import NO_BORDERS, Borders

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


def borders(
    scope: Scope, cluster: Cluster, settings: Settings, stores: Stores, everyone: Callable[[], Iterable[Object]]
) -> Borders:
    """As the reconciler sees them. `everyone`: all Ingresses there are, read live."""
    if scope.whole:
        return NO_BORDERS

    def ours(ingress: Ingress) -> bool:
        return scope.has(key_of(ingress, cluster, settings))

    def strayed(uid: str) -> bool:
        return any(not ours(item.object) for item in stores.ingresses.by_index("uid", uid))

    def abroad() -> Iterable[Object]:
        try:
            found = tuple(everyone())
        except Expired as error:
            raise Unavailable(f"who else has the load balancer cannot be read now: {error}") from error
        return tuple(one for one in found if not ours(Ingress(metadata=one.metadata)))

    return Borders(ours, strayed, abroad, planner.EXITS_MAX - max(1, planner.EXITS_MAX // scope.shards))
