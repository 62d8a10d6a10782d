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
Cause: TypeAlias = tuple[str, str, str]
"""Reason, field path, message: one entry of `details.causes`."""

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}

NO_REASON = "-"
"""For errors that the server gives no reason with."""


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


class ApiError(Exception):
    """An error answer of the API server."""

    def __init__(self, code: int, message: str, reason: str = "", details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "")
        self.details = details
        self.extra_metadata: Json = {}
        self.retry_after_s: int | None = None

    def status(self) -> Json:
        """The answer's body."""
        body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": self.extra_metadata, "status": "Failure"}
        body["message"] = self.message
        if self.reason not in {"", NO_REASON}:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


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


def about(resource: str, group: str, name: str) -> Json:
    """The `details` of an answer about one object."""
    details: Json = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = resource
    return details


def qualified(resource: str, group: str) -> str:
    """`ingresses.networking.k8s.io`, as messages name a resource."""
    return f"{resource}.{group}" if group else resource


def not_found(resource: str, group: str, name: str) -> ApiError:
    """404 for one object."""
    text = f'{qualified(resource, group)} "{name}" not found'
    return ApiError(404, text, details=about(resource, group, name))


def no_such_path() -> ApiError:
    """404 for a path that no resource is served on."""
    return ApiError(404, "the server could not find the requested resource", details={})


def already_exists(resource: str, group: str, name: str) -> ApiError:
    """409 of a create."""
    text = f'{qualified(resource, group)} "{name}" already exists'
    return ApiError(409, text, "AlreadyExists", about(resource, group, name))


def conflict(resource: str, group: str, name: str, why: str) -> ApiError:
    """409 of a write that came with an old resourceVersion or another precondition that does not hold."""
    text = f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}'
    return ApiError(409, text, "Conflict", about(resource, group, name))


def forbidden(resource: str, group: str, name: str, why: str) -> ApiError:
    """403 of an admission rule."""
    text = f'{qualified(resource, group)} "{name}" is forbidden: {why}'
    return ApiError(403, text, details=about(resource, group, name))


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    """422 with one cause per field at fault."""
    words = {
        "FieldValueRequired": "Required value",
        "FieldValueInvalid": "Invalid value",
        "FieldValueTypeInvalid": "Invalid value",
        "FieldValueNotSupported": "Unsupported value",
        "FieldValueForbidden": "Forbidden",
        "FieldValueDuplicate": "Duplicate value",
        "FieldValueTooLong": "Too long",
        "FieldValueTooMany": "Too many",
    }
    texts = [_spoken(words[reason], path, message) for reason, path, message in causes]
    summary = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = about(kind, group, name)
    details["causes"] = [
        {"reason": reason, "message": text.split(": ", 1)[1], "field": path}
        for (reason, path, _), text in zip(causes, texts, strict=True)
    ]
    subject = f"{kind}.{group}" if group else kind
    return ApiError(422, f'{subject} "{name}" is invalid: {summary}', details=details)


def _spoken(word: str, path: str, message: str) -> str:
    if not message:
        return f"{path}: {word}"
    return f"{path}: {message}" if message.startswith(word) else f"{path}: {word}: {message}"
