"""Text on a terminal: what others have written is made harmless, then coloured. Decides nothing about what is said.

Names, messages and addresses come from objects that anybody in a cluster may write. A terminal obeys what it is sent,
so nothing that is not a printable character gets there; colour is put on afterwards, and taken off again by `click`
where nobody can see it.
"""

import json
import re
from collections.abc import Iterable

import click
import msgspec


def plain(text: object) -> str:
    r"""Printable characters as they are, any other as its escape: `\x1b`, `\n`, `\u202e`."""
    words = str(text)
    if words.isprintable():
        return words
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in words)


def bold(text: object) -> str:
    """The name of what a block is about."""
    return click.style(plain(text), bold=True)


def faint(text: object) -> str:
    """What is only for those who look for it."""
    return click.style(plain(text), dim=True)


def tinted(text: object, colour: str) -> str:
    """In one of the eight colours of every terminal."""
    return click.style(plain(text), fg=colour)


def counted(number: int, noun: str, plural: str = "s") -> str:
    """`1 rule`, `2 rules`; `plural` is what is added."""
    return f"{number} {noun}{'' if number == 1 else plural}"


def as_document(value: object) -> str:
    """Indented JSON with a line end. What is not printable is escaped here as well: it is valid JSON all the same."""
    text = msgspec.json.format(msgspec.json.encode(value)).decode()
    return _HIDDEN.sub(_escaped, text) + "\n"


_HIDDEN = re.compile(r"[^ -~\n]")


def _escaped(found: re.Match[str]) -> str:
    one = found.group()
    return one if one.isprintable() else json.dumps(one)[1:-1]


def aligned(rows: Iterable[tuple[str, str]], indent: str = "") -> list[str]:
    """Two columns of plain text, the first as wide as its widest."""
    kept = [(plain(left), plain(right)) for left, right in rows]
    width = max((len(left) for left, _ in kept), default=0)
    return [f"{indent}{left:<{width}}  {right}".rstrip() for left, right in kept]
