"""Words that do not belong: of tests in the product, of somebody's machine or tools anywhere."""

import re

from tests.house.source import PRODUCT, ROOT, everything, modules, pages

OF_TESTS = re.compile(r"emulator|fake|mock|testing", re.IGNORECASE)


def backwards(*words: str) -> str:
    """A pattern of words that are written backwards here, so that this file does not find itself."""
    return "|".join(re.escape(word[::-1]) for word in words)


OF_MACHINES = re.compile(backwards("/krow/", "/toor/", "yrarbil.", "derahs/..", "/resu/emoh/"))
OF_TOOLS = re.compile(
    r"\b(" + backwards("edualc", "ciporhtna", "ianepo", "tpgtahc", "tolipoc", "mll", "tnatsissa ia") + r")\b",
    re.IGNORECASE,
)


def lines() -> list[tuple[str, str]]:
    """Every line of every file that a person reads, with its place."""
    texts = [(module.place, module.text) for module in everything()]
    texts += [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in pages()]
    return [(f"{place}:{number}", line) for place, text in texts for number, line in enumerate(text.splitlines(), 1)]


def test_the_product_does_not_know_that_it_can_be_tried_out() -> None:
    found = [module.place for module in modules(PRODUCT) if OF_TESTS.search(module.text)]
    assert found == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    assert [place for place, line in lines() if OF_MACHINES.search(line)] == []


def test_no_file_speaks_of_the_tools_that_it_was_written_with() -> None:
    assert [place for place, line in lines() if OF_TOOLS.search(line)] == []
