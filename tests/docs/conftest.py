"""The site, built once for the tests that look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT


def build(top: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """As `make site`. Not quiet: MkDocs counts only the warnings that it shows."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into)]
    surroundings = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=top, env=surroundings, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("site")
    done = build(ROOT, into)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return into
