"""What the launcher starts is what `python -m l7lb` starts: the other tests of this folder rest on that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import launcher

pytestmark = pytest.mark.system


def environment(**more: str) -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("L7LB_")} | more


@pytest.mark.parametrize(
    ("arguments", "variables", "given"),
    [
        (["version"], {}, None),
        (["nonsense"], {}, None),
        (["plan"], {"L7LB_KUBECONFIG": "/does/not/exist"}, None),
        (["plan", "--help"], {"COLUMNS": "70"}, None),
        (["doctor"], {"L7LB_REGION": "\u00fc"}, ""),
    ],
    ids=["version", "a command that is not there", "a wrong variable", "help", "a variable that is no ASCII"],
)
def test_output_and_exit_code_are_those_of_the_command(
    arguments: list[str], variables: dict[str, str], given: str | None
) -> None:
    told = environment(**variables)
    launched = launcher.run(arguments, env=told, timeout=60, given=given)
    command = [sys.executable, "-m", "l7lb", *arguments]
    started = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, input=given, check=False)
    assert launched.stdout + launched.stderr
    assert (launched.returncode, launched.stdout, launched.stderr) == (
        started.returncode, started.stdout, started.stderr
    )  # fmt: skip


def test_it_is_a_child_that_hears_signals(tmp_path: Path) -> None:
    log = tmp_path / "log"
    flags = ["--cluster-id=cls-9mfq2k1t", "--region=ap-guangzhou", "--vpc-id=vpc-4hd8w0pn", f"--kubeconfig={log}"]
    with log.open("wb") as sink:
        process = launcher.Launched(["run", *flags], env=environment(), stdout=sink, stderr=sink)
    process.send_signal(signal.SIGKILL)
    assert process.wait(30) == -signal.SIGKILL
