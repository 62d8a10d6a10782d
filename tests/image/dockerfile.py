"""A Dockerfile as instructions, and a build context as `.dockerignore` leaves it. Knows the few forms that ours has."""

import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.house.source import ROOT

FILE = ROOT / "Dockerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `RUN`, and what follows on its line or lines."""

    word: str
    rest: str

    @property
    def copied(self) -> tuple[tuple[str, ...], str]:
        """Of a COPY from the context: what, and whereto."""
        *what, where = self.rest.split()
        return tuple(what), where


def stages(text: str) -> tuple[tuple[Instruction, ...], ...]:
    """What stands before the first FROM, then each stage with its FROM."""
    found: list[list[Instruction]] = [[]]
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, " ".join(rest.split())))
    return tuple(map(tuple, found))


def context(folder: Path) -> None:
    """Copy what the builder of an image gets to see: what `.dockerignore` lets in, without what it takes out again."""
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line]
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    out = [rule.removeprefix("**/") for rule in rules[1:] if not rule.startswith("!")]

    def ignored(_folder: str, names: list[str]) -> set[str]:
        return {name for name in names if any(fnmatchcase(name, rule) for rule in out)}

    for rule in (rule[1:] for rule in rules if rule.startswith("!")):
        source = ROOT / rule
        if source.is_dir():
            shutil.copytree(source, folder / rule, ignore=ignored)
        else:
            shutil.copy(source, folder / rule)
