"""What CI runs: actions pinned to a commit, few rights, and a script for kind, tried on a real kube-apiserver."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import envtest
from tests.house.source import ROOT
from tests.system.kube import Kube
from tests.system.world import node
from tests.tools import needs, tool

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9.]+$")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_an_action_is_named_by_its_commit_and_its_version_is_said(file: Path) -> None:
    used = [line.strip().removeprefix("- ") for line in file.read_text("utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_only_read_and_its_jobs_end(file: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert {name for step in steps for name in re.findall(r"^make ([a-z0-9-]+)", step, re.MULTILINE)} <= targets


@needs("jq")
@pytest.mark.envtest
@pytest.mark.skipif(envtest.assets() is None, reason="no kube-apiserver")
def test_the_script_for_kind_serves_an_ingress_and_lets_it_go(tmp_path: Path) -> None:
    folder = envtest.assets()
    assert folder is not None
    (tmp_path / "jq").symlink_to(str(tool("jq")))
    with envtest.ControlPlane(folder, audited=False) as plane:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(plane.kubeconfig(), encoding="utf-8")
        Kube(plane.url, plane.headers, plane.ca).create({**node("worker", "10.0.0.9", ""), "spec": {}})
        environment = {
            **os.environ, "KUBECONFIG": str(kubeconfig), "PYTHON": sys.executable, "L7LB": f"{sys.executable} -m l7lb",
            "PATH": os.pathsep.join((str(tmp_path), str(folder), os.environ["PATH"])),
        }  # fmt: skip
        command = [str(ROOT / ".ci/kind")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kind: its load balancer is gone" in done.stdout
