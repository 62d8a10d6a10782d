"""What each command that looks shows, letter by letter: with colour and without, on a wide and on a narrow terminal."""

import click
import pytest

from tests.unit.cli.screens import FOLDER, FORMS, SCREENS, file_of


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_agreed(name: str, form: str) -> None:
    assert FORMS[form](SCREENS[name]) == file_of(name, form).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCREENS)
def test_colour_takes_no_place_and_says_nothing_that_words_do_not(name: str) -> None:
    coloured = SCREENS[name](None)
    assert coloured != click.unstyle(coloured)
    assert click.unstyle(coloured) == FORMS["plain"](SCREENS[name])


def test_every_file_is_of_a_screen() -> None:
    agreed = {path.name for path in FOLDER.iterdir()}
    assert agreed == {file_of(name, form).name for name in SCREENS for form in FORMS}
