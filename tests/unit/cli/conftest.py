"""A command line in this process: its words in, its exit code and what it says out."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from l7lb.app.config import FLAGS
from l7lb.cli import main

SECRET_ID, SECRET_KEY = "AKIDwillneverbeprinted", "neither-will-this-key"
GOOD = {"cluster-id": "cls-9mfq2k1t", "region": "ap-guangzhou"}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    for flag in FLAGS:
        monkeypatch.delenv(flag.variable, raising=False)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_ID", SECRET_ID)
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, standard output, standard error of `l7lb ARGUMENTS`."""

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*arguments])
        told = capsys.readouterr()
        assert SECRET_KEY not in told.out + told.err
        return int(end.value.code or 0), told.out, told.err

    return call


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """One that is in order."""
    file = tmp_path / "kubeconfig"
    file.write_text(
        json.dumps({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"token": SECRET_KEY}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        })
    )  # fmt: skip
    return str(file)


def flags(**values: str) -> list[str]:
    """All that is required, and these."""
    given = GOOD | {name.replace("_", "-"): value for name, value in values.items()}
    return [f"--{name}={value}" for name, value in given.items()]
