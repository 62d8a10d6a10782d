"""Child processes: started with a log file each, watched, and ended whatever happens. What they do is unknown here."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.demo.patience import Surprise

ROOT = Path(__file__).parents[2]
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the demo."""

_GRACE_S = 8.0
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")


@dataclass
class Child:
    """One process. `expected_to_run` is cleared by whoever ends it on purpose."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    expected_to_run: bool = True

    def said(self, pattern: str) -> str | None:
        """The first group of the first line of its log that matches."""
        found = re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        return found.group(1) if found else None

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def check(self) -> None:
        """Raise a Surprise when it has ended without being told to."""
        code = self.process.poll()
        if self.expected_to_run and code is not None:
            self.expected_to_run = False
            raise Surprise(f"{self.name} has ended by itself with exit code {code}")

    def kill(self) -> None:
        """End it as a crash would: no handler runs, nothing is tidied up."""
        self.expected_to_run = False
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Ask it to end, and see to it; its exit code."""
        self.expected_to_run = False
        self.process.terminate()
        try:
            return self.process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Children:
    """All of them. Leaving the `with` block ends them, the last started first; from then on no signal is heard."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in ENDING:  # a second Ctrl-C must not leave half of them running
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(self._all):
            child.end()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Run `python -m ARGUMENTS` with this environment (and PATH and the like) from the top of the repository."""
        log = self._folder / f"{name}.log"
        inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env={**inherited, "PYTHONUNBUFFERED": "1", **(environment or {})},
                start_new_session=True,  # Ctrl-C is for the demo alone, which then ends them in order
            )
        child = Child(name, process, log)
        self._all.append(child)
        return child

    def check(self) -> None:
        """Raise a Surprise when one has ended without being told to."""
        for child in self._all:
            child.check()

    def log_of(self, name: str, lines: int = 30) -> str:
        """The end of what the child (or the last of several) of this name wrote; empty when there is none."""
        with suppress(StopIteration):
            return next(child for child in reversed(self._all) if child.name == name).tail(lines)
        return ""
