"""The page on testing names files that exist, and counts the mutants of each promise as they are."""

import re
from collections import Counter

from tests.house.source import ROOT
from tests.mutants.promises import PROMISES

PAGE = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_each_promise_has_its_row_and_its_mutants() -> None:
    counted = Counter(broken.promise for broken in PROMISES)
    assert {int(number): int(row.rsplit(" | ", 1)[1]) for number, row in ROWS} == dict(counted)


def test_every_file_of_a_row_is_there() -> None:
    lacking = []
    for _, row in ROWS:
        folder = ""
        for name in re.findall(r"`([\w/]+\.py)`", row.split(" | ")[1]):
            folder = name.rpartition("/")[0] or folder
            if not (ROOT / "tests" / folder / name.rpartition("/")[2]).is_file():
                lacking.append(f"{folder}/{name}")
    assert lacking == []
