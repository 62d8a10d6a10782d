"""How a golden case has ended: the states that a run with a death in it must reach too, and what is wrong in itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.golden.case_file import Case
from tests.simulation.cluster import Seen
from tests.simulation.golden_deeds import Deeds
from tests.simulation.golden_state import KINDS, State, differences, state

LOOK_S: Final = 700.0
READS: Final = ("Describe", "Get")
KUBE_WRITES: Final = ("PATCH", "POST", "PUT", "DELETE")
ORDER: Final = re.compile(r"create (internal )?load balancer")
CLUSTER: Final = ("ingress ", *KINDS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one run ended: the states at its stations, and what is wrong whatever they are."""

    stations: tuple[State, ...]
    wrong: tuple[str, ...] = ()


class Judge:
    """Of one case; `died`: by a run in which a process has died, which has begun anew already."""

    def __init__(self, case: Case, deeds: Deeds) -> None:
        """Before anything is done."""
        self.case, self.deeds = case, deeds
        self._old = frozenset(deeds.guard.old)
        self._before = self._state()

    def stays(self, died: bool) -> Verdict:
        """It rests, and nothing is written any more; a process that has just begun need not be asked twice."""
        at_rest = self._state()
        wrong = [] if died else self._writes_nothing("a second look", lambda: self.deeds.world.live().verify())
        wrong += self._writes_nothing("a restart", self.deeds.world.start)
        return Verdict((at_rest, self._state()), tuple(wrong))

    def is_served(self, died: bool) -> Verdict:
        """One load balancer for each Ingress that is to get one by its case; no change where no step is expected."""
        verdict, wrong = self.stays(died), []
        made = self.deeds.guard.made()
        for uid, ingress in self.deeds.guard.ingresses().items():
            meta = ingress["metadata"]
            steps = self.case.expect.get(f"{meta['namespace']}/{meta['name']}", {}).get("steps", ())
            wanted = sum(ORDER.match(step) is not None for step in steps)
            if Seen(ingress).why.startswith("CreateLoadBalancerRejected"):
                wanted = 0
            if made[uid] != wanted:
                wrong.append(f"{meta['name']} was to get {wanted} load balancers, and {made[uid]} were made")
        if not any(one["steps"] or "waits" in one for one in self.case.expect.values()):
            was, now = (
                {at: kept for at, kept in one.items() if at.startswith("lb-")}
                for one in (self._before, verdict.stations[0])
            )
            wrong += [f"no step is expected, and {text}" for text in differences(was, now)]
        return Verdict(verdict.stations, (*verdict.wrong, *wrong))

    def is_gone(self, died: bool) -> Verdict:
        """No finalizer of ours, and nothing that we made."""
        verdict = self.stays(died)
        return Verdict(verdict.stations, (*verdict.wrong, *self.deeds.guard.check_gone()))

    def then_serves(self, died: bool) -> Verdict:
        """The whole is alike before `run` begins, and after."""
        before = self._state()
        verdict = self.serves(died)
        return Verdict((before, *verdict.stations), verdict.wrong)

    def then_serves_what_is_adopted(self, died: bool) -> Verdict:
        """What people are shown, and the digest in the record, only `run` makes alike."""
        before = lasting(self._state())
        verdict = self.serves(died)
        return Verdict((before, *verdict.stations), verdict.wrong)

    def serves_what_was_half_released(self, died: bool) -> Verdict:
        """The cloud alone: where our marks were not taken off they stay, and `run` need not take such a one again."""
        verdict = self.serves(died)
        clouds = ({at: kept for at, kept in one.items() if not at.startswith(CLUSTER)} for one in verdict.stations)
        return Verdict(tuple(clouds), verdict.wrong)

    def serves(self, died: bool) -> Verdict:
        """`run` begins."""
        self.deeds.serve()
        return self.stays(died)

    def _writes_nothing(self, after: str, begin: Callable[[], object]) -> list[str]:
        self.deeds.world.account.forget_calls()
        heard: list[str] = []
        before, self.deeds.world.witness = self.deeds.world.witness, lambda _toll, name: heard.append(name)
        begin()
        self.deeds.world.run(LOOK_S)
        self.deeds.world.witness = before
        self.deeds.guard.check()
        asked = [one for one in self.deeds.world.account.emulator.calls.log if not one["action"].startswith(READS)]
        writes = [one["action"] for one in asked if not one["error"]]
        if not asked:  # what is refused again is told again
            writes += [name for name in heard if name.startswith(KUBE_WRITES)]
        return [f"{after} writes: {writes}"] if writes else []

    def _state(self) -> State:
        return state(self.deeds.world, self._old)


def lasting(found: State) -> State:
    """The cloud, and our finalizers."""
    return {at: kept for at, kept in found.items() if at.endswith("/finalizers") or not at.startswith(CLUSTER)}
