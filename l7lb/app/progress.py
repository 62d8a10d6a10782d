"""How long reading and planning tell how far they are. Whoever shows it is not known here."""

from typing import Protocol


class Progress(Protocol):
    """Hears of each piece of work."""

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        """`what` is being done now, `done` pieces `of` so many have been; 0 `of`: nobody knows how many."""
        ...


def silent(what: str, done: int = 0, of: int = 0) -> None:
    """Nobody hears."""
