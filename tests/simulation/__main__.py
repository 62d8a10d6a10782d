"""`python -m tests.simulation --seed N --count M`: random walks; a seed is printed before it is walked.

Exit codes: 0 all well, 127 the simulation itself broke, 128 it did not come to rest, 129 a promise was broken.
"""

import argparse
import logging
import sys
import traceback

from tests.simulation.checkers import Broken
from tests.simulation.walk import Walk
from tests.simulation.world import NotQuiet


def main() -> int:
    """Walk; stops at the first seed that fails unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--keep-going", action="store_true", help="walk all seeds, then tell")
    parser.add_argument("--verbose", action="store_true", help="tell what happened, pass by pass")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    worst = 0
    for seed in range(given.seed, given.seed + given.count):
        print(f"seed {seed}", flush=True)
        code = _walk(Walk(seed, given.steps), verbose=given.verbose)
        worst = max(worst, code)
        if code and not given.keep_going:
            break
    return worst


def _walk(walk: Walk, *, verbose: bool) -> int:
    try:
        walk.run()
    except Broken as broken:
        return _tell(walk, f"broken: {broken}", 129, verbose=True)
    except NotQuiet as restless:
        return _tell(walk, f"restless: {restless}", 128, verbose=True)
    except BaseException:  # noqa: BLE001 - whatever it is, its seed must be known
        return _tell(walk, traceback.format_exc(), 127, verbose=True)
    return _tell(walk, "well", 0, verbose=verbose)


def _tell(walk: Walk, end: str, code: int, *, verbose: bool) -> int:
    if verbose:
        print(*walk.log, walk.world.last_passes(40), f"seed {walk.seed}: {end}", sep="\n", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
