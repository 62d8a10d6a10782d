"""One clock for the product and both emulators. It stands still until somebody moves it."""

from tests.emulators.clb.clock import VirtualClock


class SimClock(VirtualClock):
    """The emulators' virtual clock with the two hands that the product asks for."""

    def monotonic(self) -> float:
        """Seconds since the simulation began."""
        return self.now()

    def time(self) -> float:
        """Seconds since 1970."""
        return self.origin + self.now()
