"""Where the reconciler says how far a pass has come. Who measures, and what is made of it, is not known here."""

from typing import Protocol

from l7lb.model.phases import Stage


class Phases(Protocol):
    """Told by the thread that works on the pass. Never raises."""

    def about(self, ingresses: tuple[str, ...]) -> None:
        """The turn of these begins: `namespace/name` each."""
        ...

    def enter(self, stage: Stage, load_balancer: str = "") -> None:
        """The stage before has ended, this one begins; `load_balancer` is its id, once it is known."""
        ...


class NoPhases:
    """Measures nothing."""

    def about(self, ingresses: tuple[str, ...]) -> None:
        """Ignore."""

    def enter(self, stage: Stage, load_balancer: str = "") -> None:
        """Ignore."""
