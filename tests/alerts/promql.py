"""As much of PromQL as is needed to say which series and labels an expression names. Nothing is evaluated here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS = re.compile(r"\{([^{}]*)\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_WINDOW = re.compile(r"\[[^\]]*\]|\boffset\s+\S+")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WORDS = frozenset(
    {"and", "or", "unless", "bool", "by", "without", "on", "ignoring", "group_left", "group_right", "Inf", "NaN"}
)


@dataclass(frozen=True, slots=True)
class Selector:
    """One series selector: the metric, and its matchers as (label, operator, value)."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def selectors(expression: str) -> tuple[Selector, ...]:
    """Every one of them, in order."""
    texts: list[str] = []

    def put_away(match: re.Match[str]) -> str:
        texts.append(match[0][1:-1])
        return f'"{len(texts) - 1}"'

    bare = _WINDOW.sub(" ", _GROUPING.sub(" ", _TEXT.sub(put_away, expression)))
    return tuple(_found(bare, texts))


def _found(bare: str, texts: list[str]) -> Iterator[Selector]:
    inside = [match.span() for match in _MATCHERS.finditer(bare)]
    for name in _NAME.finditer(bare):
        if any(start < name.start() < end for start, end in inside):
            continue
        rest = bare[name.end() :].lstrip()
        number_before = name.start() > 0 and bare[name.start() - 1].isdigit()
        if name[0] in _WORDS or rest.startswith("(") or number_before:
            continue
        matchers = _MATCHERS.match(rest)
        yield Selector(name[0], tuple(_matchers(matchers[1], texts)) if matchers else ())


def _matchers(text: str, texts: list[str]) -> Iterator[tuple[str, str, str]]:
    for label, operator, place in re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"(\d+)"', text):
        yield label, operator, texts[int(place)]


def grouped_by(expression: str) -> frozenset[str]:
    """Labels named in `by`, `on` and the like."""
    lists = _GROUPING.findall(_TEXT.sub('""', expression))
    return frozenset(label.strip() for one in lists for label in one.split(",") if label.strip())
