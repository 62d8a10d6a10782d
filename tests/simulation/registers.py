"""Who held which Lease when, where there are several: one for those who agree on a number of shards, one a shard."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from l7lb.app.campaign import lease_key, shard_key, union_identity
from tests.emulators.kube.emulator import KubeEmulator
from tests.simulation.leases import BUCKET, LEASE_S, MARGIN_S, RATE, Register

UNIONS: Final = frozenset(map(union_identity, range(2, 17)))
TOGETHER_S: Final = 1.0
AGE_S_MAX: Final = LEASE_S * (1 + RATE) - MARGIN_S


@dataclass(slots=True)
class Registers:
    """All that was written to all Leases, and by whom, in true seconds."""

    cluster: str
    wall: Callable[[], float]
    """Seconds since 1970, by a clock that is right."""
    holders: dict[str, str] = field(default_factory=dict)
    written_at: dict[tuple[str, str], float] = field(default_factory=dict)
    """By Lease and writer: when he last wrote himself into it."""
    handovers: defaultdict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    """By Lease: when its holder changed, and to whom."""
    _seen: dict[str, str] = field(default_factory=dict)

    def look(self, kube: KubeEmulator, now: float, who: str) -> None:
        """After a write to a Lease was tried by `who`; nobody ("") when the API server was set back."""
        for _, record in kube.world.storage.scan(BUCKET):
            name, version = record.obj["metadata"]["name"], record.obj["metadata"]["resourceVersion"]
            if self._seen.get(name) == version:
                spec = record.obj["spec"]
                if spec.get("holderIdentity") in UNIONS and self.wall() - moment(spec.get("renewTime")) < TOGETHER_S:
                    self.written_at[name, who] = now  # two who begin at one instant write the same words
                continue
            self._seen[name] = version
            holder = record.obj["spec"].get("holderIdentity", "")
            if holder != self.holders.get(name, ""):
                self.handovers[name].append((now, holder))
            self.holders[name] = holder
            if who and (holder == who or holder in UNIONS):
                self.written_at[name, who] = now

    def breach(self, who: str, shard: int, shards: int, now: float) -> str:
        """Why this process must not begin a write of that shard now; empty: it may."""
        plain = lease_key(self.cluster)
        asked = (
            [(plain, union_identity(shards)), (shard_key(self.cluster, shard), who)] if shards > 1 else [(plain, who)]
        )
        for key, holder in asked:
            held_by = self.holders.get(key.name, "")
            if held_by != holder:
                return f"{key.name} is held by {held_by or 'nobody'} and not by {holder}"
            age_s = now - self.written_at.get((key.name, who), -1e9)
            if age_s > AGE_S_MAX:
                return f"{key.name} was renewed {age_s:.1f} s ago by {who}"
        return ""


def moment(at: str | None) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(at).timestamp() if at else 0.0


class Desk(Register):
    """One replica's way to the registers."""

    def __init__(self, registers: Registers, who: str) -> None:
        super().__init__()
        self._all = registers
        self._who = who

    def look(self, kube: KubeEmulator, now: float, *, restored: bool = False) -> None:
        """As the register of one Lease."""
        self._all.look(kube, now, "" if restored else self._who)
