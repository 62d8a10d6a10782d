"""The command on a terminal (a pseudo one): colours by default, none for who wants none, none in documents."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest

pytestmark = pytest.mark.system

PLANS = Path(__file__).parents[1] / "unit/app/plans"


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What `l7lb ARGUMENTS` writes to a terminal of 80 columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    usual = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "l7lb", *arguments],
        stdin=follower, stdout=follower, stderr=follower, env={**usual, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(follower)
    pieces: list[bytes] = []
    try:
        while piece := os.read(leader, 65536):
            pieces.append(piece)
    except OSError:
        pass  # Linux says so when the last writer has closed it
    finally:
        os.close(leader)
        process.wait(30)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def plan(*arguments: str, **environment: str) -> str:
    return on_a_terminal("plan", "--offline", "-f", str(PLANS / "http.yaml"), *arguments, **environment)


def test_a_plan_is_coloured_on_a_terminal_and_says_the_same_as_elsewhere() -> None:
    said = plan()
    assert "\x1b[32m+\x1b[0m create load balancer" in said
    bare = click.unstyle(said).replace("cls-offline", "cls-9mfq2k1t")
    assert "  + create 2 rules on HTTP:80\n" in bare
    assert "Plan: 8 to add, 0 to change, 0 to remove.\n" in bare


@pytest.mark.parametrize(("arguments", "environment"), [((), {"NO_COLOR": "1"}), (("--color=never",), {})])
def test_who_wants_no_colour_gets_none(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    assert "\x1b" not in plan(*arguments, **environment)


def test_a_document_has_no_colour_on_a_terminal_either() -> None:
    assert "\x1b" not in plan("-o", "json")
