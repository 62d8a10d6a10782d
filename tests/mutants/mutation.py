"""A fault as a value, and a copy of the product that has it. What notices a fault is said beside its rows."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
IN_TIME_S = 300
PARTS = ("l7lb", "tests", "setup.cfg", "pyproject.toml")
"""What a test needs that runs in a copy."""


@dataclass(frozen=True)
class Mutation:
    """In `module`, the text `old` (it stands there exactly once) becomes `new`."""

    name: str
    module: str
    old: str
    new: str

    def applied(self) -> str:
        """The module's text with the fault; raises ValueError when its text has moved on."""
        text = (ROOT / self.module).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.module} has {text.count(self.old)} times: {self.old!r}; write the row anew")
        return text.replace(self.old, self.new)


@contextmanager
def copied(mutation: Mutation | None, parts: Sequence[str] = PARTS) -> Iterator[Path]:
    """A folder with these parts of the repository, the fault in it; None: as they are."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder)
        for part in parts:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / part, copy / part)
        if mutation is not None:
            (copy / mutation.module).write_text(mutation.applied(), encoding="utf-8")
        yield copy


def run_in(folder: Path, arguments: Sequence[str], *beside: Path) -> tuple[int, str]:
    """Exit code and words of `python -m ...` there; `beside`: where modules are found that the folder has not."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(path) for path in (folder, *beside)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=IN_TIME_S, check=False
    )
    return done.returncode, done.stdout + done.stderr
