"""The site is built without a warning, has every page, and fetches nothing from elsewhere."""

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.docs.conftest import build
from tests.docs.sheets import Sheet, blocks_of, folder_of
from tests.house.source import ROOT

PAGES = sorted(path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md"))
ELSEWHERE = re.compile(r"(@import |url\()[\"']?(https?:)?//")
"""What a style sheet says to fetch something from another server."""


def sheet(site: Path, page: Path) -> Sheet:
    return Sheet((site / folder_of(page) / "index.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_has_the_same_parts_on_the_site_as_in_the_repository(site: Path, page: Path) -> None:
    """What one parser of Markdown takes for a list must not be text for the other."""
    assert sheet(site, page).blocks == blocks_of(page)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_page_says_for_whom_it_is(site: Path, page: Path) -> None:
    assert sheet(site, page).readers == 1


def test_every_drawing_is_part_of_its_page_and_follows_its_colours(site: Path) -> None:
    """Each colour of a drawing has a value in both schemes, on the site and, by what the system says, by itself."""
    drawn = [path for path in sorted((ROOT / "docs/images").glob("*.svg")) if path.name != "mark.svg"]
    assert sheet(site, Path("concepts.md")).drawings == len(drawn)
    styles = (ROOT / "docs/images/site.css").read_text(encoding="utf-8")
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        assert ET.fromstring(text).get("viewBox"), path.name  # noqa: S314 - our own file
        used = set(re.findall(r"var\((--[a-z]+)\)", text))
        assert all(text.count(f"{name}:") == 2 for name in used), path.name
        assert all(len(re.findall(rf"{name}: ?#", styles)) == 2 for name in used), path.name


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    outside = {(one.name, link) for one in pages for link in Sheet(one.read_text("utf-8")).fetched if "//" in link}
    styles = [one.name for one in site.rglob("*.css") if ELSEWHERE.search(one.read_text("utf-8"))]
    assert len(pages) > len(PAGES)
    assert (outside, styles) == (set(), [])


def test_every_page_can_be_found_by_searching(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {f"{folder_of(page).as_posix()}/".removeprefix("./") for page in PAGES} <= found


@pytest.mark.parametrize(
    ("page", "text", "word"),
    [
        ("glossary.md", "See [this](operations.md#no-such-heading).", "no-such-heading"),
        ("glossary.md", "See [this](no-such-page.md).", "no-such-page.md"),
        ("lonely.md", "# A page that is in no navigation", "lonely.md"),
    ],
    ids=["anchor", "page", "navigation"],
)
def test_what_leads_nowhere_stops_the_build(tmp_path: Path, page: str, text: str, word: str) -> None:
    top = tmp_path / "top"
    top.mkdir()
    shutil.copytree(ROOT / "docs", top / "docs")
    for path in ROOT.iterdir():
        if path.name not in ("docs", "build", ".git"):
            (top / path.name).symlink_to(path)
    with (top / "docs" / page).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    done = build(top, tmp_path / "out")
    assert done.returncode == 1
    assert word in done.stderr
