"""What a walk came to, and the shortest script that comes to the same."""

import traceback
from dataclasses import dataclass

from tests.simulation.checkers import Broken
from tests.simulation.walk import Step, Walk
from tests.simulation.world import NotQuiet


@dataclass(frozen=True, slots=True)
class End:
    """0 all well, 127 the simulation itself broke, 128 it did not come to rest, 129 a promise was broken."""

    code: int
    words: str


def walked(walk: Walk) -> End:
    """Walk to the end, whatever it is."""
    try:
        walk.run()
    except Broken as broken:
        return End(129, f"broken: {broken}")
    except NotQuiet as restless:
        return End(128, f"restless: {restless}")
    except BaseException:  # noqa: BLE001 - whatever it is, its seed must be known
        return End(127, traceback.format_exc())
    return End(0, "well")


def shrunk(walk: Walk, end: End) -> tuple[Step, ...]:
    """Deeds are left out, last ones first, as long as it fails with the same code."""
    script = walk.drawn()
    while True:
        shorter = _without_one(walk, end, script)
        if shorter is None:
            return script
        script = shorter


def _without_one(walk: Walk, end: End, script: tuple[Step, ...]) -> tuple[Step, ...] | None:
    for at in reversed(range(len(script))):
        shorter = script[:at] + script[at + 1 :]
        if walked(Walk(walk.seed, walk.steps, walk.profile, shorter)).code == end.code:
            return shorter
    return None
