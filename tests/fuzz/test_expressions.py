"""No regular expression takes a number of steps that grows faster than its input, whatever that is.

Steps are counted by a matcher of our own that tries in the order of Python's, so no clock is asked.
"""

import contextlib
import importlib
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator
from re import _constants as sre  # type: ignore[attr-defined]  # the standard library's own parser is untyped
from re import _parser as parser  # type: ignore[attr-defined]  # likewise
from typing import Any

import pytest

import l7lb
from tests.house.source import PRODUCT, modules

Positions = Iterator[int]
CALLS = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
ALPHABET = ("a", "0", "-", ".", "/", ",", ":", "=", "~", "*", "A", "_", " ")
SHORT, LONG = 12, 24
GROWTH_MAX = 4.4
"""Twice the text may take four times the steps: all texts are short (a host has 253 characters)."""


class Steps:
    """A backtracking matcher that counts."""

    def __init__(self, pattern: str, flags: int, text: str) -> None:
        self.text = text
        self.count = 0
        self._tree = parser.parse(pattern, flags)

    def run(self, *, whole: bool) -> int:
        """Steps until it is found or given up."""
        for end in self._sequence(list(self._tree), 0, lambda at: iter((at,))):
            if not whole or end == len(self.text):
                break
        return self.count

    def _sequence(self, items: list[Any], at: int, then: Callable[[int], Positions]) -> Positions:
        if not items:
            yield from then(at)
            return
        (kind, value), rest = items[0], items[1:]
        yield from self._one(kind, value, at, lambda end: self._sequence(rest, end, then))

    def _one(self, kind: Any, value: Any, at: int, then: Callable[[int], Positions]) -> Positions:
        self.count += 1
        match kind:
            case sre.LITERAL | sre.NOT_LITERAL | sre.IN | sre.ANY:
                if at < len(self.text) and _fits(kind, value, self.text[at]):
                    yield from then(at + 1)
            case sre.AT:
                start = value in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING)
                if (at == 0) if start else at >= len(self.text):
                    yield from then(at)
            case sre.SUBPATTERN:
                yield from self._sequence(list(value[-1]), at, then)
            case sre.BRANCH:
                for branch in value[1]:
                    yield from self._sequence(list(branch), at, then)
            case sre.ASSERT:
                if any(True for _ in self._sequence(list(value[1]), at, lambda end: iter((end,)))):
                    yield from then(at)
            case sre.MAX_REPEAT:
                least, most, body = value
                yield from self._repeat(list(body), least, most, at, then)
            case _:
                raise AssertionError(f"{kind} is not known to the counting matcher: teach it")

    def _repeat(self, body: list[Any], least: int, most: Any, at: int, then: Callable[[int], Positions]) -> Positions:
        if most == sre.MAXREPEAT or most > 0:
            fewer = most if most == sre.MAXREPEAT else most - 1
            yield from self._sequence(
                body, at, lambda end: self._repeat(body, max(least - 1, 0), fewer, end, then) if end > at else iter(())
            )
        if least == 0:
            yield from then(at)


def _fits(kind: Any, value: Any, char: str) -> bool:
    if kind is sre.ANY:
        return char != "\n"
    if kind is sre.LITERAL:
        return bool(ord(char) == value)
    if kind is sre.NOT_LITERAL:
        return bool(ord(char) != value)
    fits = any(_in(entry, char) for entry in value if entry[0] is not sre.NEGATE)
    return not fits if any(entry[0] is sre.NEGATE for entry in value) else fits


def _in(entry: Any, char: str) -> bool:
    kind, value = entry
    if kind is sre.LITERAL:
        return bool(ord(char) == value)
    if kind is sre.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    if kind is sre.CATEGORY and value is sre.CATEGORY_DIGIT:
        return char.isdigit()
    if kind is sre.CATEGORY and value is sre.CATEGORY_WORD:
        return char.isalnum() or char == "_"
    raise AssertionError(f"{entry} is not known to the counting matcher: teach it")


def worst(pattern: str, flags: int = 0) -> tuple[float, str]:
    """The growth of steps when the text is twice as long, for the text for which that is worst."""
    found = (0.0, "")
    for size in (1, 2):
        for pump in itertools.product(ALPHABET, repeat=size):
            for head, tail in (("", "!"), ("a", "!"), ("/", "!")):
                short, long = (_steps(pattern, flags, head + "".join(pump) * (n // size) + tail) for n in (SHORT, LONG))
                if long > 10 * LONG and long / short > found[0]:
                    found = (long / short, head + "".join(pump))
    return found


def _steps(pattern: str, flags: int, text: str) -> int:
    counting = Steps(pattern, flags, text)
    counting.run(whole=True)
    return counting.count


def expressions() -> dict[str, re.Pattern[str]]:
    """Every compiled one of the product, by its place, and those that are written where they are used."""
    found = {}
    for info in pkgutil.walk_packages(l7lb.__path__, "l7lb."):
        if info.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, re.Pattern):
                found[value.pattern] = value
    for module in modules(PRODUCT):
        if not re.search(r"\][+*{]", module.text):  # parsing it would be in vain
            continue
        for text in module.strings:
            if re.search(r"\[[^\]]*-[^\]]*\][+*{]", text) and " " not in text:
                with contextlib.suppress(re.error):  # a part of one, which is among the compiled ones as a whole
                    found.setdefault(text, re.compile(text, re.ASCII))
    found["identifier"] = re.compile(r"vpc-[A-Za-z0-9]{1,32}")
    return found


@pytest.mark.parametrize("pattern", [one.pattern for one in expressions().values()])
def test_steps_grow_no_faster_than_the_square_of_the_text(pattern: str) -> None:
    growth, text = worst(pattern)
    assert growth < GROWTH_MAX, f"doubling {text!r} takes {growth:.1f} times the steps"


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"([a-z]+)*\.", r"(a*)*b"])
def test_what_is_known_to_explode_is_noticed(pattern: str) -> None:
    counts = [_steps(pattern, 0, "a" * length + "!") for length in (6, 12)]
    assert counts[1] / counts[0] > GROWTH_MAX


def test_every_expression_was_found() -> None:
    assert len(expressions()) >= 20
