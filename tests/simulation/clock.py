"""One clock for the product and both emulators. It stands still until somebody moves it."""

from dataclasses import dataclass

from tests.emulators.clb.clock import VirtualClock


class SimClock(VirtualClock):
    """The emulators' virtual clock with the two hands that the product asks for."""

    def monotonic(self) -> float:
        """Seconds since the simulation began."""
        return self.now()

    def time(self) -> float:
        """Seconds since 1970."""
        return self.origin + self.now()


@dataclass(slots=True)
class MachineClock:
    """The clock of one machine: started at some time, running a little fast or slow, its wall clock wrong."""

    true: SimClock
    started: float = 0.0
    """What the monotonic hand showed at the beginning of the simulation."""
    rate: float = 1.0
    """Its seconds for each true one."""
    wall_off_s: float = 0.0
    """Positive: the wall clock is ahead."""

    def monotonic(self) -> float:
        """Seconds since this machine was started."""
        return self.started + self.true.now() * self.rate

    def time(self) -> float:
        """Seconds since 1970, as this machine believes."""
        return self.true.time() + self.wall_off_s

    def true_s(self, seconds: float) -> float:
        """So many true seconds pass in so many of its own."""
        return seconds / self.rate
