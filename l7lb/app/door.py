"""May something be written now? Asked directly before each write to the cloud and to the cluster."""

from dataclasses import dataclass

from l7lb.app.gate import Gate
from l7lb.errors import LostLeadership
from l7lb.model.writing import Note
from l7lb.reconciler.ports import Events
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import WriteGuard


@dataclass(slots=True)
class Doorman:
    """The lease first, then the gate. Before there is a lease to hold: never."""

    clock: Clock
    guard: WriteGuard | None = None
    gate: Gate | None = None

    def check(self) -> None:
        """Raises LostLeadership or GateClosed."""
        if self.guard is None or self.gate is None:
            raise LostLeadership("not the leader yet")
        self.guard.check(self.clock.monotonic())
        self.gate.check()


@dataclass(frozen=True, slots=True)
class QuietEvents:
    """Events are written while the gate is open only: until then we are no part of this cluster."""

    writer: Events
    gate: Gate

    def emit(self, note: Note) -> None:
        """Pass it on."""
        if self.gate.standing().open:
            self.writer.emit(note)
