"""`python -m tests.image`: run the steps of the Dockerfile's first stage in a scratch folder, and measure the result.

For machines that have nothing to build images with. Exit code 0: every step ended well, the wheel holds the product and
nothing else, and the command starts from it without its source tree, with a root that it cannot write to.
"""

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from l7lb import __version__
from tests.house.source import PRODUCT, ROOT
from tests.image.dockerfile import FILE, context, stages

STARTS = 10
PREFIX = "/opt/l7lb"
UNCHECKED = b"\1\0\0\0"
"""The second word of bytecode that is used whatever has become of its source (PEP 552)."""
NOT_COMPILED = """
import os, sys, l7lb.cli, l7lb.app.application, l7lb.telemetry.spans
ours = [one for one in sys.modules.values() if "site-packages" in (getattr(one, "__file__", None) or "")]
print(*(one.__name__ for one in ours if one.__file__.endswith(".py") and not os.path.exists(one.__cached__)))
"""
"""Prints the modules that are loaded from their source."""


def main() -> int:
    """Print the figures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _build(folder)
        (wheel,) = (folder / "src/dist").glob("*.whl")
        installed = folder / "opt/l7lb"
        figures = _look_into(wheel) | _sizes(installed) | _starts(installed)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


def _build(folder: Path) -> None:
    """COPY and RUN as they stand; the paths of the image become paths under `folder`."""
    there, source, base = folder / "context", folder / "src", folder / "base"
    there.mkdir()
    source.mkdir()
    context(there)
    subprocess.run([sys.executable, "-m", "venv", str(base)], check=True)
    environment = {**os.environ, "PATH": f"{base / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    for instruction in stages(FILE.read_text(encoding="utf-8"))[1]:
        match instruction.word:
            case "ENV":
                environment |= dict(pair.split("=", 1) for pair in shlex.split(instruction.rest))
            case "COPY":
                what, where = instruction.copied
                for one in what:
                    _copy(there / one, source / where / ("" if where.rstrip("/").endswith(one) else one))
            case "RUN":
                sys.stderr.write(f"{instruction.rest}\n")
                command = instruction.rest.replace(PREFIX, str(folder / PREFIX[1:]))
                subprocess.run(["sh", "-ec", command], cwd=source, env=environment, check=True, stdout=sys.stderr)
            case _:
                pass


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def _look_into(wheel: Path) -> dict[str, object]:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {PRODUCT, f"{PRODUCT}-{__version__}.dist-info"}, tops
    kept = [path for path in (ROOT / PRODUCT).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.relative_to(ROOT).as_posix() for path in kept} == {name for name in names if name.startswith("l7lb/")}
    return {"wheel_kib": round(wheel.stat().st_size / 1024), "wheel_files": len(names)}


def _sizes(installed: Path) -> dict[str, object]:
    files = [path for path in installed.rglob("*") if path.is_file() and not path.is_symlink()]
    sizes = {path: path.stat().st_size for path in files}
    compiled = [path for path in files if path.suffix == ".pyc"]
    stale = [path for path in compiled if path.read_bytes()[4:8] != UNCHECKED]
    assert not stale, stale[:5]
    program = [str(installed / "bin/python"), "-c", NOT_COMPILED]
    missing = subprocess.run(program, capture_output=True, text=True, check=True, cwd=installed).stdout.split()
    assert not missing, missing
    return {
        "installed_mib": round(sum(sizes.values()) / 2**20, 1),
        "of_it_bytecode_mib": round(sum(sizes[path] for path in compiled) / 2**20, 1),
        "distributions": len([*installed.rglob("*.dist-info")]),
    }


def _starts(installed: Path) -> dict[str, object]:
    """`l7lb version` and `l7lb run` up to its first mistake, from an empty folder; the best of some."""
    before = {path for path in installed.rglob("*") if path.is_file()}
    environment = {"PATH": f"{installed / 'bin'}:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as empty:
        for name, arguments, code in (("version", ["version"], 0), ("run", ["run", "--region", "nowhere"], 2)):
            walls, cpus = [], []
            for _ in range(STARTS):
                used, started = _cpu(), time.monotonic()
                command = [str(installed / "bin/l7lb"), *arguments]
                done = subprocess.run(command, env=environment, cwd=empty, capture_output=True, text=True, check=False)
                assert done.returncode == code, done.stderr
                walls.append(time.monotonic() - started)
                cpus.append(_cpu() - used)
            found |= {f"{name}_start_s": round(min(walls), 3), f"{name}_start_cpu_s": round(min(cpus), 3)}
    assert {path for path in installed.rglob("*") if path.is_file()} == before, "it writes to its own root"
    return found


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
