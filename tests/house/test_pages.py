"""Pages say what the code says: those that are made from it are equal, those that are written name what exists."""

import re
from pathlib import Path

import pytest

from l7lb.ledger.table import ROWS
from l7lb.model.ownership import Ownership
from tests.house import meanings
from tests.house.findings import reasons_by_code
from tests.house.pages import PAGES
from tests.house.source import PRODUCT, ROOT, modules

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
QUOTED_PATH = re.compile(r"`((?:l7lb|tests|docs|examples)/[A-Za-z0-9_./-]*[A-Za-z0-9_/])`")
WRITTEN = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests/README.md"})


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_that_is_made_from_the_code_equals_it(page: Path) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


def test_every_reason_without_a_code_is_explained_and_no_other() -> None:
    assert reasons_by_code()[""] == set(meanings.REASONS)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_and_path_in_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link, _ in LINK.findall(text) if "://" not in link]
    broken = [link for link in links if not (page.parent / link).exists()]
    broken += [path for path in QUOTED_PATH.findall(text) if not (ROOT / path).exists()]
    assert broken == []


def test_every_word_of_the_glossary_is_used_in_the_code() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for row in rows for word in row.split(", ")]
    code = "\n".join(module.text for module in modules(PRODUCT)).lower().replace("_", " ")
    assert len(words) > 30
    assert [word for word in words if not re.search(rf"\b{re.escape(word.lower())}", code)] == []


def test_the_page_on_the_ledger_has_every_row_of_the_table() -> None:
    text = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \|.*\| ([a-z ]+) \|[^|]*\|$", text, re.MULTILINE)
    assert [int(number) for number, _ in rows] == [row.number for row in ROWS]
    assert [name for _, name in rows] == [row.ownership.value if row.ownership else "untouched" for row in ROWS]
    assert {name for _, name in rows} - {"untouched"} == {one.value for one in Ownership}
