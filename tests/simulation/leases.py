"""Who held the Lease when, as the API server knows it, and whether a write was begun by its holder.

The one who judges has the true time and sees each write to the Lease; what an elector believes is not asked.
"""

from dataclasses import dataclass, field
from typing import Final

from tests.emulators.kube.emulator import KubeEmulator

LEASE_S: Final = 30.0
MARGIN_S: Final = 15.0
"""A write may be on its way so long; it is begun only while the lease lasts longer (DESIGN, promise 7)."""
BUCKET: Final = "leases.coordination.k8s.io"
RATE: Final = 0.02
"""How much faster or slower than the true time a machine's clock may run, at most."""


@dataclass(slots=True)
class Register:
    """All that was written to the Lease, in true seconds."""

    holder: str = ""
    renewed_at: float = 0.0
    history: list[tuple[float, str]] = field(default_factory=list)
    """When the holder changed, and to whom."""

    _seen: str = ""

    def look(self, kube: KubeEmulator, now: float, *, restored: bool = False) -> None:
        """After a write to the Lease was tried: what is there now. `restored`: nobody has written it just now."""
        leases = [record.obj for _, record in kube.world.storage.scan(BUCKET)]
        version = leases[0]["metadata"]["resourceVersion"] if leases else ""
        if leases and version != self._seen and not restored:
            self._wrote(leases[0]["spec"].get("holderIdentity", ""), now)
        self._seen = version

    def _wrote(self, holder: str, now: float) -> None:
        if holder != self.holder:
            self.history.append((now, holder))
        self.holder, self.renewed_at = holder, now

    def holders(self) -> list[str]:
        """One after the other, without the times when nobody held it."""
        return [holder for _, holder in self.history if holder]

    def breach(self, who: str, what: str, now: float) -> str:
        """Why this process must not begin a write now; empty: it may."""
        if self.holder != who:
            return f"{what} begun at {now:.3f} by {who}, while {self.holder or 'nobody'} held the lease"
        age_s = now - self.renewed_at
        if age_s > LEASE_S * (1 + RATE) - MARGIN_S:
            return f"{what} begun at {now:.3f} by {who}, whose lease was renewed {age_s:.1f} s ago"
        return ""


def has_lease(kube: KubeEmulator) -> bool:
    """Whether there is one at the API server now."""
    return any(True for _ in kube.world.storage.scan(BUCKET))
