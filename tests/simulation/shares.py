"""A share of the crash points of golden cases, explored by a process of its own: it forks, and has no threads."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

PARTS: Final = 4
"""One test module each, so that they run beside each other."""
SHARES: Final = 32
"""Of so many points one is tried, and one of the first of each case; after each change of the product another one."""
PATIENCE_S: Final = 900
"""It needs some 15 s of a core that is free."""
ROOT: Final = Path(__file__).parents[2]
CASES_MIN, POINTS_MIN = 50, 60


def assert_a_share_ends_as_undisturbed(part: int) -> None:
    """All cases of that part, some points of each."""
    told = command("--jobs", "1", "--part", f"{part}/{PARTS}", "--share", f"auto/{SHARES}")
    assert told.returncode == 0, told.stdout + told.stderr
    counts = re.search(r"(\d+) of (\d+) cases, (\d+) points", told.stdout)
    assert counts is not None, told.stdout
    cases, asked, points = map(int, counts.groups())
    assert cases == asked >= CASES_MIN, told.stdout
    assert points >= POINTS_MIN, told.stdout


def command(*asked: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The command, in a single thread."""
    line = [sys.executable, "-m", "tests.simulation.crash_points", *asked]
    return subprocess.run(line, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=False)
