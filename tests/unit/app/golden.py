"""Plans of the manifests in `plans/`, as text and as JSON; `python -m tests.unit.app.golden` writes them anew."""

from dataclasses import dataclass
from pathlib import Path

import click

from l7lb.app.config import Config
from l7lb.app.printing import as_json, as_text
from l7lb.app.survey import Survey, survey_files

FOLDER = Path(__file__).parent / "plans"
CONFIG = Config("cls-9mfq2k1t", "ap-guangzhou", vpc_id="vpc-4hd8w0pn")
MANIFESTS = sorted(file for file in FOLDER.iterdir() if file.suffix in (".yaml", ".json") and ".plan" not in file.name)


@dataclass(frozen=True)
class Printed:
    """Both outputs of one file, which are as good as its plan."""

    text: str
    json: str


def survey(file: Path) -> Survey:
    """What `l7lb plan --offline -f FILE` finds."""
    return survey_files((file,), CONFIG)


def printed(file: Path) -> Printed:
    """As they are now."""
    found = survey(file).findings
    return Printed(click.unstyle(as_text(found, offline=True)), as_json(found))


def expected(file: Path) -> Printed:
    """As they are to be."""
    return Printed(*(_beside(file, suffix).read_text(encoding="utf-8") for suffix in ("txt", "json")))


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(f"{file.stem}.plan.{suffix}")


def write() -> None:
    """Take what is printed now for right; the difference is to be read before it is kept."""
    for file in MANIFESTS:
        made = printed(file)
        _beside(file, "txt").write_text(made.text, encoding="utf-8")
        _beside(file, "json").write_text(made.json, encoding="utf-8")


if __name__ == "__main__":
    write()
