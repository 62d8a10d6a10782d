"""Processes of a benchmark: servers that are ended in any case, and clients that end with one line."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from tests.bench.clients.meter import Reading

CLIENT_S: Final = 400.0
_LISTENING: Final = "listening on "


@contextmanager
def serving(module: str, *words: str) -> Iterator[str]:
    """A server as `python -m module`; its address."""
    child = subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        said = child.stdout.readline().strip()
        if not said.startswith(_LISTENING):
            raise RuntimeError(f"{module} did not start: {said}")
        yield said.removeprefix(_LISTENING)
    finally:
        child.terminate()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def said_by(module: str, *words: str) -> bytes:
    """The last line that `python -m module` prints; raises CalledProcessError when it fails."""
    done = subprocess.run([sys.executable, "-m", module, *words], stdout=subprocess.PIPE, timeout=CLIENT_S, check=True)
    return done.stdout.strip().splitlines()[-1]


def reading(module: str, *words: str) -> Reading:
    """What a client has measured."""
    return msgspec.json.decode(said_by(module, *words), type=Reading)
