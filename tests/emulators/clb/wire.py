"""What goes in and out of the emulator, without a socket. No behaviour of the cloud belongs here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
"""A decoded JSON object; the wire is the one place where its members have no better type."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are matched without regard to case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, or ``""``."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. ``dropped``: the connection is cut without one; ``delay_s``: it is sent that much later."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    delay_s: float = 0.0
    dropped: bool = False

    def json(self) -> Json:
        """The body as a JSON object."""
        decoded: Json = json.loads(self.body)
        return decoded


def answer(body: Json, status: int = 200, delay_s: float = 0.0) -> Response:
    """A JSON answer with the exact content type without which the SDK does not see errors (SDK ``_check_error``)."""
    return Response(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), delay_s=delay_s)
