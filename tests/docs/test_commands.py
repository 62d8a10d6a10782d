"""Every command that a page tells is run, as a reader would run it; what is not run is named, with the reason."""

import re
from collections.abc import Iterator

import click
import pytest

from l7lb.cli.entry import cli
from tests.docs.place import Place
from tests.docs.telling import LANGUAGES, PROGRAMS, Command, commands, fences, mentioned
from tests.docs.ways import RELEASED, WAYS, way_of
from tests.house.source import ROOT
from tests.tools import ask_for_tools, needs

TOLD = commands()
RUN = sorted((one for one in TOLD if not way_of(one.text).never), key=lambda one: way_of(one.text).phase)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with Place() as made:
        yield made


@pytest.mark.system
@pytest.mark.parametrize("command", RUN, ids=str)
def test_a_command_does_what_its_page_says(request: pytest.FixtureRequest, place: Place, command: Command) -> None:
    way = way_of(command.text)
    if RELEASED.search(command.text):
        request.node.add_marker(needs("helm"))
        ask_for_tools(request.node)
    if not place.real and re.search(r"\b(kubectl|helm|envtest)\b", command.text):
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    code, printed = place.run(command.text, way)
    assert code in way.ends, printed
    assert re.search(way.says, printed), printed
    assert set(command.shows) - set(printed.splitlines()) == set(), printed


def test_every_fence_says_its_language_and_commands_say_that_they_are() -> None:
    wrong = [f"{one.page}:{one.line}" for one in fences() if one.language not in LANGUAGES]
    wrong += [f"{one.page}:{one.line}" for one in fences() if one.language == "text" and _tells(one.text)]
    assert wrong == []


def test_a_command_that_is_named_in_a_sentence_exists_with_its_options() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for page, text in mentioned():
        program, name, *words = text.replace("=", " ").split()
        if program == "make":
            wrong += [f"{page}: {text}"] if name not in targets else []
            continue
        found = cli.get_command(click.Context(cli), name)
        options = (
            {option for param in found.params for option in (*param.opts, *param.secondary_opts)} if found else set()
        )
        used = {word for word in words if word.startswith("-")} - {"-h", "--help"}
        if (not found and not name.startswith("-")) or used - options:
            wrong.append(f"{page}: {text}")
    assert wrong == []


def test_no_way_is_left_over() -> None:
    assert [way.pattern for way in WAYS if not any(way_of(one.text) is way for one in TOLD)] == []


def test_what_a_page_shows_as_printed_is_held_against_what_is_printed() -> None:
    assert [one.page for one in TOLD if one.shows] == ["docs/start.md"]


def test_what_is_looked_for_in_the_log_is_what_the_product_says() -> None:
    said = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "l7lb").rglob("*.py"))
    looked = {words for one in TOLD for words in re.findall(r"\| grep '([^']+)'", one.text)}
    assert looked
    assert {words for words in looked if words not in said} == set()


def _tells(text: str) -> bool:
    """Whether it begins like a command, and is not the form of one."""
    return bool(PROGRAMS.match(text)) and " [OPTIONS]" not in text
