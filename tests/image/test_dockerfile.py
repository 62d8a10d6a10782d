"""What an image must be like, as far as it can be read: pinned, small, without tools, for every architecture, not root.

Its steps are run by `make image-steps`.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from l7lb import __version__
from tests.house.source import ROOT
from tests.image.dockerfile import FILE, Instruction, context, stages

HEAD, BUILD, FINAL = stages(FILE.read_text(encoding="utf-8"))
ALL = (*HEAD, *BUILD, *FINAL)


def of(stage: tuple[Instruction, ...], word: str) -> list[str]:
    return [one.rest for one in stage if one.word == word]


def test_both_stages_begin_with_the_same_base_by_its_digest() -> None:
    (base,) = of(HEAD, "ARG")
    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.1[1-3]-slim@sha256:[0-9a-f]{64}", base)
    assert of(BUILD, "FROM") == ["${BASE} AS build"]
    assert of(FINAL, "FROM") == ["${BASE}"]


def test_whatever_is_installed_is_pinned_by_its_hash_or_comes_from_the_context() -> None:
    installs = [run for run in of(ALL, "RUN") if re.search(r"\bpip\b.*\b(install|wheel)\b", run)]
    assert len(installs) == 4
    for run in installs:
        assert ("--require-hashes" in run and "--only-binary=:all:" in run) or "--no-index" in run
    assert not re.search(r"\b(apt|apt-get|curl|wget|git)\b", " ".join(of(ALL, "RUN")))


def test_no_step_names_an_architecture() -> None:
    words = " ".join(one.rest for one in ALL).lower()
    assert not re.search(r"amd64|arm64|x86_64|aarch64|--platform", words)


def test_the_last_stage_gets_only_what_the_first_has_made_and_loses_pip() -> None:
    assert of(FINAL, "COPY") == ["--from=build /opt/l7lb /opt/l7lb"]
    (run,) = of(FINAL, "RUN")
    assert run.startswith("rm -rf ")
    assert {"pip*", "ensurepip"} <= {Path(part).name for part in run.split()}


def test_it_runs_as_nobody_by_number_and_writes_nothing() -> None:
    (user,) = of(FINAL, "USER")
    assert all(int(part) >= 10_000 for part in user.split(":"))
    manifest = (ROOT / "examples/deploy/l7lb.yaml").read_text(encoding="utf-8")
    assert f"runAsUser: {user.partition(':')[0]}" in manifest
    assert "readOnlyRootFilesystem: true" in manifest
    settings = dict(pair.split("=", 1) for line in of(FINAL, "ENV") for pair in shlex.split(line))
    assert settings["PYTHONDONTWRITEBYTECODE"] == "1"
    assert any("compileall" in run and "unchecked-hash" in run for run in of(BUILD, "RUN"))


def test_it_is_the_command() -> None:
    assert of(FINAL, "ENTRYPOINT") == ['["l7lb"]']
    assert of(FINAL, "CMD") == ['["--help"]']


def test_its_labels_say_what_it_is() -> None:
    labels = dict(pair.split("=", 1) for line in of(FINAL, "LABEL") for pair in shlex.split(line))
    names = {name.removeprefix("org.opencontainers.image.") for name in labels}
    assert names == {"title", "description", "licenses", "version", "revision", "base.name"}
    assert f"VERSION={__version__}" in of(FINAL, "ARG")
    (base,) = of(HEAD, "ARG")
    assert base.partition("=")[2].partition("@")[0] == labels["org.opencontainers.image.base.name"]


def test_its_builder_sees_what_it_copies_and_nothing_else(tmp_path: Path) -> None:
    context(tmp_path)
    copied = {one for instruction in BUILD if instruction.word == "COPY" for one in instruction.copied[0]}
    assert {path.name for path in tmp_path.iterdir()} == copied
    assert not [path for path in tmp_path.rglob("*") if "__pycache__" in path.parts or path.suffix == ".pyc"]


@pytest.mark.parametrize("step", [*of(BUILD, "RUN"), *of(FINAL, "RUN")])
def test_a_shell_understands_each_step(step: str) -> None:
    assert subprocess.run(["sh", "-n", "-c", step], check=False).returncode == 0


def test_every_path_of_the_lock_for_building_is_pinned() -> None:
    text = (ROOT / "requirements-build.lock").read_text(encoding="utf-8")
    asked = re.findall(r'requires = \["([a-z]+)>=([0-9]+),<([0-9]+)"\]', (ROOT / "pyproject.toml").read_text("utf-8"))
    ((name, least, below),) = asked
    found = re.findall(r"^([a-z]+)==([0-9]+)[0-9.]* \\$", text, re.MULTILINE)
    assert found == [(name, found[0][1])]
    assert int(least) <= int(found[0][1]) < int(below)
    assert text.count("--hash=sha256:") >= 1


def test_the_measuring_program_is_there() -> None:
    """It is run by hand and by CI, so at least it has to load."""
    program = "import tests.image.__main__ as one; assert callable(one.main)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
