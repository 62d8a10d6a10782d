"""One line on a terminal for what takes longer than a second, and nothing anywhere else."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import click

from l7lb.app.progress import Progress, silent
from l7lb.app.showing import plain

PATIENCE_S: Final = 1.0
"""What ends sooner shows nothing."""
AGAIN_S: Final = 0.1
BAR: Final = 24
ERASE: Final = "\r\x1b[K"


@contextmanager
def progress() -> Iterator[Progress]:
    """On standard error, so that what is piped stays as it is; it leaves no trace."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield silent
        return
    line = Line(_write, time.monotonic)
    try:
        yield line.tell
    finally:
        line.end()


def aside(said: object) -> None:
    """A line of its own on standard error, whatever is drawn there."""
    if sys.stderr is not None and sys.stderr.isatty():
        _write(ERASE)
    click.echo(plain(str(said)), err=True)


@dataclass(slots=True)
class Line:
    """The line that is written over and over."""

    write: Callable[[str], None]
    clock: Callable[[], float]
    """Seconds, monotonic."""
    _due: float | None = None
    _shown: bool = False

    def tell(self, what: str, done: int = 0, of: int = 0) -> None:
        """Show it, unless it is too soon, or too soon after the last."""
        now = self.clock()
        if self._due is None:
            self._due = now + PATIENCE_S
        if now < self._due:
            return
        self._due = now + AGAIN_S
        self._shown = True
        self.write(ERASE + drawn(what, done, of, shutil.get_terminal_size().columns))

    def end(self) -> None:
        """Take it away."""
        if self._shown:
            self.write(ERASE)


def drawn(what: str, done: int, of: int, width: int) -> str:
    """The line, never wider than the terminal: `planning  ######------------------  12 of 48`."""
    if not of:
        return f"{plain(what)} ..."[: width - 1]
    full = BAR * min(done, of) // of
    return f"{plain(what)}  {'#' * full}{'-' * (BAR - full)}  {done} of {of}"[: width - 1]


def _write(text: str) -> None:
    click.echo(text, nl=False, err=True, color=True)
