"""The error answers of the API machinery: `Status` objects with code, reason, message and causes.

Which object is refused for what is decided elsewhere. Source: the API reference, "Status v1 meta".
"""

from typing import TypeAlias

from tests.emulators.kube.wire import Json

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


class ApiError(Exception):
    """An error answer of the API server."""

    def __init__(self, code: int, message: str, reason: str = "", details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "")
        self.details = details
        self.extra_metadata: Json = {}

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
