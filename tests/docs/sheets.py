"""One page as its Markdown has it, and as the site has it. Nothing in here builds the site."""

import re
from html.parser import HTMLParser
from pathlib import Path

from tests.house.source import ROOT

FETCHED = {
    "script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data", "form": "action"
}  # fmt: skip
"""What a browser asks for by itself, and where it is named."""
BLOCKS = ("li", "table", "tr", "pre", "h2")


class Sheet(HTMLParser):
    """What one page of the site holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.blocks = dict.fromkeys(BLOCKS, 0)
        self.readers = 0
        self.drawings = 0
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag in FETCHED and FETCHED[tag] in named:
            self.fetched.append(named[FETCHED[tag]])
        self._inside = self._inside or tag == "article"
        if self._inside and tag in self.blocks:
            self.blocks[tag] += 1
        self.readers += named.get("class") == "readers"
        self.drawings += tag == "svg" and named.get("class") == "l7"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "article"


def folder_of(page: Path) -> Path:
    """Where the site has a page of docs/, from its top."""
    return page.parent if page.name in ("README.md", "index.md") else page.with_suffix("")


def blocks_of(page: Path) -> dict[str, int]:
    """The blocks of a page of docs/, counted in its Markdown."""
    count, fenced = dict.fromkeys(BLOCKS, 0), False
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            count["pre"] += fenced
        elif not fenced:
            ruler = bool(re.match(r" *\|( *:?-+:? *\|)+$", line))
            count["table"] += ruler
            count["tr"] += line.lstrip().startswith("|") and not ruler
            count["li"] += bool(re.match(r" *(-|\d+\.) ", line))
            count["h2"] += line.startswith("## ")
    return count
