"""Which URL of a domain serves a path. Pure: no request, no socket, no host matching.

The order is that of CLB's page on forwarding rules; where the page is silent it is nginx's location search. The query
string takes no part.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote_to_bytes

Modifier: TypeAlias = Literal["", "=", "^~", "~", "~*"]


@dataclass(frozen=True, slots=True)
class Matched:
    """The URL of the rule that serves the path, as it was configured."""

    url: str


@dataclass(frozen=True, slots=True)
class AddSlash:
    """Only ``<path>/`` is configured: the client is sent there with 301. ``url`` is that rule's."""

    url: str


@dataclass(frozen=True, slots=True)
class NoMatch:
    """404: no other domain is tried."""


UrlMatch: TypeAlias = Matched | AddSlash | NoMatch


@dataclass(frozen=True, slots=True)
class UrlIndex:
    """The URLs of one domain. ``prefixes`` maps a prefix to (url, whether ``^~`` forbids expressions)."""

    exact: Mapping[str, str]
    prefixes: Mapping[str, tuple[str, bool]]
    by_length: tuple[str, ...]
    patterns: tuple[tuple[re.Pattern[str], str], ...]


def split_modifier(url: str) -> tuple[Modifier, str]:
    """``"~* .png$"`` is ``("~*", ".png$")``; a blank after the modifier is allowed."""
    modifiers: tuple[Modifier, ...] = ("^~", "~*", "~", "=")
    for modifier in modifiers:
        if url.startswith(modifier):
            return modifier, url[len(modifier) :].lstrip()
    return "", url


def index_urls(urls: Iterable[str]) -> UrlIndex:
    """Sort URLs (in order of creation) by kind. Raises ``ValueError`` for an expression that does not compile."""
    exact: dict[str, str] = {}
    prefixes: dict[str, tuple[str, bool]] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    for url in urls:
        modifier, text = split_modifier(url)
        match modifier:
            case "=":
                exact.setdefault(text, url)
            case "~" | "~*":
                patterns.append((_compiled(url, text, modifier), url))
            case _:
                prefixes.setdefault(text, (url, modifier == "^~"))
    by_length = tuple(sorted(prefixes, key=len, reverse=True))
    return UrlIndex(exact, prefixes, by_length, tuple(patterns))


def match_url(path: str, index: UrlIndex) -> UrlMatch:
    """What serves ``path`` (as ``plain_path`` gives it)."""
    if path in index.exact:
        return Matched(index.exact[path])
    slashed = index.prefixes.get(path + "/")
    if slashed is not None and path not in index.prefixes:
        return AddSlash(slashed[0])
    longest = next((prefix for prefix in index.by_length if path.startswith(prefix)), None)
    if longest is not None and index.prefixes[longest][1]:
        return Matched(index.prefixes[longest][0])
    for pattern, url in index.patterns:
        if pattern.search(path):
            return Matched(url)
    if longest is not None:
        return Matched(index.prefixes[longest][0])
    return NoMatch()


def plain_path(path: str) -> str:
    """The path that is matched: escapes decoded, ``//`` merged, dot segments resolved, as nginx does.

    Raises ``ValueError`` when it leads above the root.
    """
    decoded = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace")
    kept: list[str] = []
    segments = decoded.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if not kept:
                raise ValueError(f"path {path!r} leads above the root")
            kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    ends_in_folder = bool(kept) and segments[-1] in ("", ".", "..")
    return "/" + "/".join(kept) + ("/" if ends_in_folder else "")


def _compiled(url: str, text: str, modifier: Modifier) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE if modifier == "~*" else 0)
    except re.error as error:
        raise ValueError(f"URL {url!r} is not a regular expression: {error}") from error
