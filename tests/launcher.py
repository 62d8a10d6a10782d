"""`python -m l7lb` without half a second of imports: a process that has done them forks for each start.

What comes of it is as with `subprocess.Popen`: a child of the caller with arguments, environment, folder and files of
its own, which is waited for, stopped and killed by its id. Where that cannot be (no Linux or a part of it, other
settings of the interpreter, another folder and so perhaps another product) it is `subprocess.Popen`. How the command is
found and loaded is for tests that start it themselves: those of `tests/unit/cli/`, `tests/docs/`, `tests/chart/`,
`tests/mutants/`, `tests/demo/` and `tests/system/test_terminal.py`.
"""

import atexit
import ctypes
import functools
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parents[1]
LOADED: Final = ("acting", "looking", "reading", "running", "uninstalling")
"""Modules of `l7lb.cli`: with them comes everything that commands use."""
MESSAGE_MAX: Final = 128 * 1024
SUBREAPER: Final = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): whose parent has ended becomes a child of this process."""


class Launched(subprocess.Popen[Any]):
    """`python -m l7lb ARGUMENTS`; the options are those of Popen."""

    def __init__(self, arguments: list[str], *, env: Mapping[str, str], **options: Any) -> None:
        super().__init__([sys.executable, "-m", "l7lb", *arguments], env=env, **options)

    def _execute_child(self, args: list[str], *rest: Any) -> None:
        """What Popen asks for when pipes and files are there."""
        _, _, _, _, cwd, env, _, _, _, *pipes = rest[:15]
        if not _can_adopt() or cwd is not None or _settings(env) != _settings(os.environ):
            super()._execute_child(args, *rest)  # type: ignore[misc]  # Popen's own, unknown to its stubs
            return
        read, _, _, written, _, told = pipes
        streams = [number if end == -1 else end for number, end in enumerate((read, written, told))]
        asked = {"arguments": args[3:], "environment": dict(env), "folder": str(Path.cwd())}
        self.pid = _launcher().launch(asked, streams)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # the same


def run(
    arguments: list[str], *, env: Mapping[str, str], timeout: float, given: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """As `subprocess.run`, with text; `given` is its input."""
    stdin = None if given is None else subprocess.PIPE
    pipe = subprocess.PIPE
    with Launched(arguments, env=env, stdin=stdin, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate(given, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What an interpreter reads when it starts."""
    return {name: value for name, value in environ.items() if name.startswith("PYTHON")}


@functools.cache
def _launcher() -> "_Launcher":
    launcher = _Launcher()
    atexit.register(launcher.close)
    return launcher


class _Launcher:
    """The process that forks, as its user sees it. It ends when its user has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            command = [sys.executable, "-m", "tests.launcher", str(far.fileno())]
            self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL)

    def launch(self, asked: dict[str, Any], streams: list[int]) -> int:
        """The id of a new child."""
        with self._lock:
            _adopt(True)
            try:
                socket.send_fds(self._line, [json.dumps(asked).encode()], streams)
                return int(self._line.recv(MESSAGE_MAX))
            finally:
                _adopt(False)

    def close(self) -> None:
        self._line.close()
        self._process.wait()


@functools.cache
def _can_adopt() -> bool:
    return sys.platform == "linux" and _adopt(False)


def _adopt(on: bool) -> bool:
    """Whether orphans become children of this process; False: this system knows nothing of it."""
    return bool(ctypes.CDLL(None).prctl(SUBREAPER, int(on), 0, 0, 0) == 0)


def _serve(line: socket.socket) -> list[str] | None:
    """Fork for each message; in the child, what `python -m l7lb` is to be given. None: nobody asks any more."""
    for name in LOADED:
        importlib.import_module(f"l7lb.cli.{name}")
    gc.freeze()  # what children do not sweep stays shared with them
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for those who wait
    while True:
        message, streams, _, _ = socket.recv_fds(line, MESSAGE_MAX, 3)
        if not message:
            return None
        inlet, outlet = os.pipe()
        between = os.fork()
        if between == 0:
            if child := os.fork():
                os.write(outlet, str(child).encode())
                os._exit(0)  # and the child becomes one of the caller
            for end in (inlet, outlet):
                os.close(end)
            line.close()
            return _become(json.loads(message), streams)
        os.waitpid(between, 0)
        line.send(os.read(inlet, 100))
        for end in (inlet, outlet, *streams):
            os.close(end)


def _become(asked: dict[str, Any], streams: list[int]) -> list[str]:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number, end in enumerate(streams):
        os.dup2(end, number)
        os.close(end)
    through = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # to the end of the process
    sys.stdout = _writer(1, "strict", through)
    sys.stderr = _writer(2, "backslashreplace", through)
    arguments: list[str] = asked["arguments"]
    return arguments


def _writer(number: int, errors: str, through: bool) -> IO[str]:
    raw = open(number, "wb", closefd=False)  # noqa: SIM115  # to the end of the process
    by_line = number == 2 or raw.isatty()
    return io.TextIOWrapper(raw, errors=errors, line_buffering=by_line, write_through=through)


if __name__ == "__main__":
    given = _serve(socket.socket(fileno=int(sys.argv[1])))
    if given is not None:
        sys.argv = ["l7lb", *given]
        runpy.run_module("l7lb", run_name="__main__", alter_sys=True)
