"""What goes over the wire: requests, responses and the error answers (`Status` objects) of the API machinery.

No rule of any kind of object belongs here. Field names and messages follow the API reference, "Status v1
meta".
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeAlias
from urllib.parse import parse_qsl, urlsplit

Json: TypeAlias = dict[str, Any]


class Stream(Protocol):
    """The body of a watch: lines that are there now, or lines as they come."""

    def __iter__(self) -> Iterator[bytes]:
        """What can be had without waiting."""
        ...

    def wait(self) -> Iterator[bytes]:
        """All lines until the server ends the stream; blocks between them."""
        ...

    def close(self) -> None:
        """The reader has gone."""
        ...


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""
    """The address that it came from."""

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        body: bytes | Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """A request from a target such as `/api/v1/pods?limit=1`; a dictionary as body is sent as JSON."""
        parts = urlsplit(target)
        names = {name.lower(): value for name, value in (headers or {}).items()}
        if isinstance(body, dict):
            names.setdefault("content-type", "application/json")
            body = json.dumps(body).encode()
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method.upper(), parts.path, query, names, body or b"")

    def flag(self, name: str) -> bool:
        """Whether a query parameter says yes."""
        return self.query.get(name, "").lower() in {"1", "true", "t"}


@dataclass
class Response:
    """One HTTP answer; a watch has a `stream` and no body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: Stream | None = None

    def json(self) -> Json:
        """The body as a JSON object."""
        decoded: Json = json.loads(self.body)
        return decoded


class ConnectionLost(ConnectionError):
    """The emulator was told to drop this connection without an answer."""


def dump(value: object) -> bytes:
    """Compact JSON, as the API server writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def answer(value: object, status: int = 200, warnings: Iterable[str] = ()) -> Response:
    """A JSON answer, with `Warning` headers where there is something to warn of."""
    response = Response(status, dump(value), {"Content-Type": "application/json"})
    lines = [f'299 - "{_quoted(text)}"' for text in warnings]
    if lines:
        response.headers["Warning"] = ", ".join(lines)
    return response


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def copied(value: Json) -> Json:
    """A deep copy of a JSON object."""
    duplicate: Json = json.loads(json.dumps(value))
    return duplicate
