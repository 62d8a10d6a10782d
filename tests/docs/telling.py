"""The commands that pages tell: what stands in a fence of the language `sh`, one after the other.

Of the language `console`: what stands behind a dollar sign. What follows there is a screen, made by other tests.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.house.source import ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "tests/README.md", ROOT / "charts/l7lb/README.md")
"""Beside those of docs/."""
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"sh", "console", "text", "yaml", "json", "toml", "promql", "dockerfile"}
PROGRAMS = re.compile(
    r"\s*(\$ |([A-Z_0-9]+=\S+ )*(\.venv/bin/\w+|l7lb|kubectl|helm|make|docker|curl|git|pip|jq|promtool|export)\b)"
)
"""How a line begins that is a command, whatever its fence says."""


@dataclass(frozen=True)
class Fence:
    """A fenced part of a page."""

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command, as a reader would paste it."""

    page: str
    line: int
    text: str
    shows: tuple[str, ...] = ()
    """Lines that the page shows right after it as what it prints."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every page that is written for people."""
    return [*PAGES, *sorted((ROOT / "docs").rglob("*.md"))]


def fences() -> Iterator[Fence]:
    """Of all pages, in order."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 2
            inside = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
            yield Fence(page.relative_to(ROOT).as_posix(), line, found["language"] or _guessed(page, inside), inside)


@cache
def commands() -> tuple[Command, ...]:
    """Every command of every page; one that is told more than once: only once."""
    found: dict[str, Command] = {}
    for fence, after in pairwise([*fences(), Fence("", 0, "", "")]):
        if fence.language not in ("sh", "console"):
            continue
        follows = after.page == fence.page and after.line == fence.line + fence.text.count("\n") + 3
        shows = tuple(after.text.splitlines()) if follows and after.language == "text" else ()
        for offset, text in _lines(fence):
            if shows or text not in found:
                found[text] = Command(fence.page, fence.line + offset, text, shows)
    return tuple(found.values())


def mentioned() -> Iterator[tuple[str, str]]:
    """Page and text of each command that is named within a sentence: `make x`, `l7lb x`."""
    for page in pages():
        prose = FENCE.sub("", page.read_text(encoding="utf-8"))
        for text in re.findall(r"`((?:make|l7lb|\.venv/bin/l7lb) [^`]+)`", prose):
            yield page.relative_to(ROOT).as_posix(), " ".join(text.split())


def _guessed(page: Path, text: str) -> str:
    """Of a fence without a language. The README is read by people who see its source: there it may be left out."""
    if page.name != "README.md":
        return ""
    return "sh" if PROGRAMS.match(text) else "text"


def _lines(fence: Fence) -> Iterator[tuple[int, str]]:
    """Commands by line: comments are left out, and a line that ends with a backslash goes on."""
    begun, parts = 0, list[str]()
    for number, line in enumerate(fence.text.splitlines()):
        if not parts and (not line.strip() or line.lstrip().startswith("#")):
            continue
        if fence.language == "console" and not line.startswith("$ "):
            continue
        begun = begun if parts else number
        parts.append(line.strip().removeprefix("$ ").removesuffix("\\").rstrip())
        if not line.rstrip().endswith("\\"):
            yield begun, re.sub(r"\s{2,}#.*$", "", " ".join(parts))
            parts = []
