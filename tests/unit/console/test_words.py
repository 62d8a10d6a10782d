"""Words of the pages."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.console.words import FATES, HEALTHS, MARKS, PARTS, ago, harmless, lasted, moment, stamp
from l7lb.model.branches import Mark, Part
from l7lb.model.cloud import Health
from l7lb.model.portrait import Fate


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"), (0.4, "just now"), (1, "1 second ago"), (59, "59 seconds ago"), (60, "1 minute ago"),
        (7_199, "1 hour ago"), (86_400, "1 day ago"), (86_400 * 400, "400 days ago"),
    ],
)  # fmt: skip
def test_how_long_ago(seconds: float, words: str) -> None:
    assert ago(1_000_000.0, 1_000_000.0 + seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.44, "0.4 s"), (11.6, "12 s"), (600, "10 min"), (7_300, "2 h"), (-1, "0.0 s")]
)
def test_how_long_it_took(seconds: float, words: str) -> None:
    assert lasted(100.0, 100.0 + seconds) == words


def test_a_time_is_told_to_people_and_to_machines() -> None:
    assert moment(0) == "1970-01-01 00:00:00 UTC"
    assert stamp(0) == "1970-01-01T00:00:00Z"
    assert moment(1e30) == "1e+30"


def test_everything_that_can_be_shown_has_a_word() -> None:
    assert set(MARKS) == set(Mark)
    assert set(PARTS) == set(Part)
    assert set(HEALTHS) == set(Health)
    assert set(FATES) == set(Fate)


@given(st.text())
def test_what_cannot_be_seen_is_shown_as_its_escape_and_nothing_else_is_touched(text: str) -> None:
    shown = harmless(text)
    assert not any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for one in shown)
    if text.isprintable():
        assert shown == text


def test_text_that_would_turn_the_line_around_is_shown_plainly() -> None:
    assert harmless("a\u202eb\nc") == r"a\u202eb\nc"
