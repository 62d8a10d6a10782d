"""Runs Helm on the chart of this repository. Judges nothing."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.tools import tool

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/l7lb"
MINIMAL = CHART / "ci/minimal-values.yaml"
VALUE_SETS = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE = "l7lb"
KUBERNETES = "1.28"
"""What is rendered for, where Helm does not ask a cluster."""
TIMEOUT_S = 120.0


def helm(
    *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S
) -> "subprocess.CompletedProcess[str]":
    """One command, with a home of its own: repositories and plugins of this machine do not count."""
    program = tool("helm")
    assert program is not None
    home = str(ROOT / "build/helm")
    own = {"HOME": home, **{f"HELM_{name}_HOME": home for name in ("CACHE", "CONFIG", "DATA")}}
    return subprocess.run(
        [str(program), *arguments], input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False,
        env={"PATH": os.environ["PATH"], **own, **(environment or {})},
    )  # fmt: skip


def template(*arguments: str, values: Iterable[Path] = (MINIMAL,), stdin: str = "", release: str = RELEASE) -> str:
    """The manifest as Helm prints it; raises RuntimeError with Helm's words when it refuses."""
    files = [f"--values={file}" for file in values]
    done = helm(
        "template", release, str(CHART), f"--namespace={RELEASE}", f"--kube-version={KUBERNETES}", *files, *arguments,
        stdin=stdin,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def render(*arguments: str, values: Iterable[Path] = (MINIMAL,), stdin: str = "") -> list[Json]:
    """The manifest as objects; raises RuntimeError."""
    return [one for one in yaml.safe_load_all(template(*arguments, values=values, stdin=stdin)) if one]


def only(documents: Iterable[Json], kind: str) -> Json:
    """The one object of a kind that is no hook."""
    (found,) = [one for one in documents if one["kind"] == kind and not is_hook(one)]
    return found


def is_hook(document: Json) -> bool:
    """Whether Helm makes it for the length of a command only."""
    return "helm.sh/hook" in (document["metadata"].get("annotations") or {})
