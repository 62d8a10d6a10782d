"""Dies at every call of every golden case: while it is served first, edited, deleted, adopted and released.

`python -m tests.simulation.crash_points` explores all of them, or a share, or replays one point.
"""

import re
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Final

from tests.golden.case_file import Case
from tests.simulation.forks import Forks, Point, Trouble
from tests.simulation.golden_deeds import Deeds
from tests.simulation.golden_guard import Guard
from tests.simulation.golden_judge import Judge, Verdict
from tests.simulation.golden_state import differences
from tests.simulation.golden_world import loaded
from tests.simulation.toll import Death

BRANCHES: Final = ("adopt", "release", "edit")
ARRIVES_AFTER_S: Final = (0.1, 2.0, 12.0)


@dataclass(frozen=True, slots=True)
class Failure:
    """One point that does not end as it must."""

    case: str
    point: str
    text: str


@dataclass
class Report:
    """What was tried."""

    points: Counter[str] = field(default_factory=Counter)
    """By phase."""
    failures: list[Failure] = field(default_factory=list)
    forgiven: set[str] = field(default_factory=set)
    """Cases in which something was found that is forgiven them."""

    def add(self, other: "Report") -> None:
        """Both."""
        self.points += other.points
        self.failures += other.failures
        self.forgiven |= other.forgiven


class Exploration:
    """One case."""

    def __init__(
        self,
        case: Case,
        choose: Callable[[Point], bool],
        branches: Container[str] = BRANCHES,
        *,
        thorough: bool = True,
        forgiven: re.Pattern[str] | None = None,
    ) -> None:
        """`thorough`: the undisturbed end of a phase is judged also when nobody dies in it. Raises NotLoaded.

        `forgiven`: places where the end need not be that of the undisturbed run.
        """
        self.forgiven = forgiven
        self.branches, self.thorough = branches, thorough
        self.case = case
        self.world = loaded(case)
        self.guard = Guard(self.world)
        self.deeds = Deeds(self.world, self.guard)
        self.judge = Judge(case, self.deeds)
        self.forks = Forks(choose, tuple(Death))
        self.world.witness = self.forks.hear
        self.report = Report()

    def run(self) -> Report:
        """All phases that are asked for."""
        deeds, judge = self.deeds, self.judge
        if "adopt" in self.branches:
            self._aside("adopt", self._adopt)
            self._aside("half-adopted", self._half_adopted)
        self._phase("serve", deeds.serve, deeds.serve, judge.is_served)
        if "release" in self.branches:
            self._aside("release", self._release)
            self._aside("half-released", self._half_released)
        if "edit" in self.branches:
            self._phase("edit", deeds.edit, deeds.serve, judge.stays)
            self._phase("delete", deeds.delete, deeds.serve, judge.is_gone)
        return self.report

    def _adopt(self) -> None:
        self._phase("adopt", self.deeds.adopt, self.deeds.adopt, self.judge.then_serves_what_is_adopted)

    def _half_adopted(self) -> None:
        self._phase("half-adopted", self.deeds.adopt, _nothing, self.judge.serves)

    def _release(self) -> None:
        self.world.crash()
        self._phase("release", self.deeds.release, self.deeds.release, self.judge.then_serves)
        self._phase("after-release", self.deeds.serve, self.deeds.serve, self.judge.stays)

    def _half_released(self) -> None:
        self.world.crash()
        self._phase("half-released", self.deeds.release, _nothing, self.judge.serves_what_was_half_released)

    def _aside(self, name: str, work: Callable[[], None]) -> None:
        def apart() -> Report:
            self.report = Report()
            work()
            return self.report

        came = self.forks.aside(apart)
        if isinstance(came, Trouble):
            self._fail(name, came.text)
        else:
            self.report.add(came)

    def _phase(
        self, name: str, act: Callable[[], None], resume: Callable[[], None], verdict: Callable[[bool], Verdict]
    ) -> None:
        def judge(died: bool) -> Verdict:
            if died:
                self.guard.check()
                if self.forks.died_at is not None and self.forks.died_at.death is Death.FROZEN:
                    self.world.succeed(ARRIVES_AFTER_S[self.forks.died_at.number % len(ARRIVES_AFTER_S)])
                    self.deeds.rest()
                else:
                    resume()
            return verdict(died)

        wanted, answers = self.forks.explore(name, act, judge, always=self.thorough)
        self.report.points[name] += len(answers)
        if wanted is None:
            return  # nobody died here
        if isinstance(wanted, Trouble):
            self._fail(f"{name}, undisturbed", wanted.text)
            return
        for text in wanted.wrong:
            self._fail(f"{name}, undisturbed", text)
        for point, answer in answers:
            text = answer.text if isinstance(answer, Trouble) else self._compared(wanted, answer)
            if text:
                self._fail(str(point), text)

    def _compared(self, wanted: Verdict, found: Verdict) -> str:
        wrong = [text for text in found.wrong if text not in wanted.wrong]
        for number, (one, other) in enumerate(zip(wanted.stations, found.stations, strict=True), 1):
            differing = differences(one, other)
            kept = [
                text for text in differing if not self.forgiven or not self.forgiven.search(text.partition(": ")[0])
            ]
            if len(kept) < len(differing):
                self.report.forgiven.add(self.case.name)
            if kept:
                wrong.append(f"station {number} differs:\n  " + "\n  ".join(kept))
                break
        return "\n".join(wrong)

    def _fail(self, point: str, text: str) -> None:
        self.report.failures.append(Failure(self.case.name, point, text))


def _nothing() -> None:
    """`run` goes on where a command has stopped."""
