"""A clock that only the test moves; its wall hand can be put wrong."""


class FakeClock:
    """Starts at an odd time, so that nobody takes monotonic seconds for wall seconds."""

    def __init__(self, start: float = 1000.0) -> None:
        self.now = start
        self.wall = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.wall

    def advance(self, seconds: float) -> None:
        """Let time pass on both hands."""
        self.now += seconds
        self.wall += seconds
