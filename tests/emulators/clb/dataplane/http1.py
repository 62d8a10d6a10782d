"""The heads of HTTP/1.1 messages: parsing, framing, rendering (RFC 9112). Pure: bytes in, values out.

Strict on purpose: what two servers could read in two ways is refused, never guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Header: TypeAlias = tuple[str, str]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_TARGET = re.compile(r"[\x21-\x7e\x80-\xff]+\Z")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s/\\@#?\[\]:]*)(:\d*)?\Z")
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
    | {"proxy-authenticate", "proxy-authorization"}
)
_REASONS = {
    100: "Continue",
    301: "Moved Permanently",
    302: "Found",
    307: "Temporary Redirect",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}


class MalformedMessage(Exception):
    """A head that cannot be served; ``status`` is the answer to a client that sent it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Framing:
    """How long a body is. ``close``: until the connection ends."""

    kind: Literal["none", "length", "chunked", "close"]
    length: int = 0


@dataclass(frozen=True, slots=True)
class RequestHead:
    """``host`` and ``uri`` (path and query) are already taken from an absolute target if there is one."""

    method: str
    uri: str
    host: str
    minor: int
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status line and headers of an answer."""

    status: int
    reason: str
    minor: int
    headers: tuple[Header, ...]


def parse_request(head: bytes) -> RequestHead:
    """Parse a head that ends in an empty line. Raises ``MalformedMessage``."""
    first, headers = _split(head)
    words = first.split(" ")
    if len(words) != 3 or not _TOKEN.match(words[0]) or not _TARGET.match(words[1]):
        raise MalformedMessage(400, "request line")
    method, target, version = words
    minor = _minor(version, 505)
    if method == "CONNECT":
        raise MalformedMessage(405, "CONNECT")
    hosts = values(headers, "host")
    if len(hosts) > 1 or (minor >= 1 and not hosts):
        raise MalformedMessage(400, "Host header")
    host, uri = _split_target(target, hosts[0] if hosts else "")
    if not _HOST.match(host):
        raise MalformedMessage(400, "Host header")
    return RequestHead(method, uri, host, minor, headers)


def parse_response(head: bytes) -> ResponseHead:
    """Parse a target's head. Raises ``MalformedMessage``."""
    first, headers = _split(head)
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not re.fullmatch(r"[1-5]\d\d", code):
        raise MalformedMessage(502, "status line")
    return ResponseHead(int(code), reason, _minor(version, 502), headers)


def request_framing(head: RequestHead) -> Framing:
    """Framing of a request's body. Raises ``MalformedMessage`` where it is ambiguous."""
    framing = _framing(head.headers, head.minor)
    return Framing("none") if framing is None else framing


def response_framing(head: ResponseHead, method: str) -> Framing:
    """Framing of the answer to ``method``. Raises ``MalformedMessage`` where it is ambiguous."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:
        return Framing("none")
    framing = _framing(head.headers, head.minor)
    return Framing("close") if framing is None else framing


def keeps_alive(head: RequestHead) -> bool:
    """Whether the client wants to send more on this connection."""
    options = {word.strip().lower() for value in values(head.headers, "connection") for word in value.split(",")}
    return "close" not in options if head.minor >= 1 else "keep-alive" in options


def values(headers: Iterable[Header], name: str) -> list[str]:
    """All values of a header; ``name`` in lower case."""
    return [value for key, value in headers if key.lower() == name]


def end_to_end(headers: tuple[Header, ...], but: frozenset[str] = frozenset()) -> list[Header]:
    """The headers that travel through a proxy: none of the connection's own, none of ``but`` (lower case)."""
    named = {word.strip().lower() for value in values(headers, "connection") for word in value.split(",")}
    dropped = _HOP_BY_HOP | named | but
    return [(key, value) for key, value in headers if key.lower() not in dropped]


def cookie(headers: Iterable[Header], name: str) -> str | None:
    """The value of a request's cookie."""
    for value in values(headers, "cookie"):
        for pair in value.split(";"):
            key, _, text = pair.strip().partition("=")
            if key == name:
                return text
    return None


def render(first_line: str, headers: Iterable[Header]) -> bytes:
    """A head as bytes, the empty line included."""
    lines = [first_line, *(f"{key}: {value}" for key, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def status_line(status: int, reason: str = "") -> str:
    """The first line of an answer."""
    return f"HTTP/1.1 {status} {reason or _REASONS.get(status, 'Answer')}"


def _split(head: bytes) -> tuple[str, tuple[Header, ...]]:
    lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers: list[Header] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.match(name) or "\n" in value or "\r" in value or "\0" in value:
            raise MalformedMessage(400, "header line")
        headers.append((name, value.strip(" \t")))
    return lines[0], tuple(headers)


def _minor(version: str, status: int) -> int:
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise MalformedMessage(status, f"version {version!r}")
    return int(version[-1])


def _split_target(target: str, host: str) -> tuple[str, str]:
    if target == "*":
        return host, "/"
    if target.startswith("/"):
        return host, target.partition("#")[0]
    absolute = re.match(r"https?://([^/?#]+)([^#]*)", target, re.IGNORECASE)
    if absolute is None:
        raise MalformedMessage(400, "request target")
    uri = absolute[2]
    return absolute[1], uri if uri.startswith("/") else "/" + uri


def _framing(headers: tuple[Header, ...], minor: int) -> Framing | None:
    codings = [word.strip().lower() for value in values(headers, "transfer-encoding") for word in value.split(",")]
    lengths = {word.strip() for value in values(headers, "content-length") for word in value.split(",")}
    if codings and lengths:
        raise MalformedMessage(400, "both Transfer-Encoding and Content-Length")
    if codings:
        if codings != ["chunked"] or minor == 0:
            raise MalformedMessage(501, "Transfer-Encoding")
        return Framing("chunked")
    if lengths:
        text = lengths.pop()
        if lengths or not text.isascii() or not text.isdigit():
            raise MalformedMessage(400, "Content-Length")
        return Framing("length", int(text))
    return None
