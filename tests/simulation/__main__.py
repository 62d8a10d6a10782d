"""Random walks: `python -m tests.simulation --seed N --count M --jobs J`, or one by its deeds: `--script 'join:1:0.2'`.

What is walked is printed first. At the end stands, for each walk that failed, the command that repeats it.
Exit codes: 0 all well, 127 the simulation itself broke, 128 it did not come to rest, 129 a promise was broken.
"""

import argparse
import logging
import multiprocessing
import os
import sys
from functools import partial

from tests.simulation.shrinking import End, shrunk, walked
from tests.simulation.walk import PROFILES, Step, Walk

SHOWN = 40
"""Passes of a walk that failed."""


def main() -> int:
    """Walk; the worst exit code of all."""
    given = _parser().parse_args()
    logging.disable(logging.CRITICAL)
    if given.script or given.shrink or given.count == 1:
        return _one(given)
    print(
        f"seeds {given.seed} to {given.seed + given.count - 1}, profile {given.profile}, {given.steps} steps",
        flush=True,
    )
    seeds = range(given.seed, given.seed + given.count)
    failed: list[tuple[int, End]] = []
    with multiprocessing.Pool(min(given.jobs, given.count)) as pool:
        walk = partial(_walk, given.steps, given.profile)
        for seed, end in pool.imap_unordered(walk, seeds, chunksize=4):
            if end.code:
                failed.append((seed, end))
                print(f"seed {seed}: {end.words[:300]}", flush=True)
    print(f"{given.count - len(failed)} of {given.count} walks are well")
    for seed, _ in sorted(failed):
        print(f"python -m tests.simulation --seed {seed} --profile {given.profile} --steps {given.steps}")
    return max((end.code for _, end in failed), default=0)


def _walk(steps: int, profile: str, seed: int) -> tuple[int, End]:
    return seed, walked(Walk(seed, steps, profile))


def _one(given: argparse.Namespace) -> int:
    print(f"seed {given.seed}, profile {given.profile}", flush=True)
    script = tuple(Step.parse(text) for text in given.script.split()) if given.script else None
    walk = Walk(given.seed, given.steps, given.profile, script)
    end = walked(walk)
    if end.code and given.shrink:
        short = shrunk(walk, end)
        print(f"--seed {given.seed} --profile {given.profile} --script '{' '.join(map(str, short))}'", flush=True)
        walk = Walk(given.seed, given.steps, given.profile, short)
        end = walked(walk)
    if end.code or given.verbose:
        print(*walk.log, walk.world.last_passes(SHOWN), f"seed {given.seed}: {end.words}", sep="\n", flush=True)
    return end.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--profile", default="wide", choices=sorted(PROFILES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--script", default="", help="deeds instead of those that the seed would draw")
    parser.add_argument("--shrink", action="store_true", help="leave out what is not needed to fail in the same way")
    parser.add_argument("--verbose", action="store_true", help="tell what happened, pass by pass")
    return parser


if __name__ == "__main__":
    sys.exit(main())
