"""The API server's answers, one row each."""

import json

import pytest

from l7lb import errors
from l7lb.adapters.kube.errors import from_response, read_status


def status(code: int, reason: str = "", message: str = "", **details: object) -> bytes:
    body = {"kind": "Status", "apiVersion": "v1", "code": code, "reason": reason, "message": message}
    return json.dumps(body | ({"details": details} if details else {})).encode()


TOO_LARGE = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
SECONDS = {"Retry-After": "8"}


@pytest.mark.parametrize(
    ("code", "headers", "body", "expected", "facts"),
    [
        (400, {}, status(400, "BadRequest"), errors.Rejected, {"reason": "BadRequest"}),
        (401, {}, status(401, "Unauthorized"), errors.AccessDenied, {"reason": "Unauthorized"}),
        (403, {}, status(403, "Forbidden"), errors.AccessDenied, {"reason": "Forbidden"}),
        (403, {}, b"<html>", errors.AccessDenied, {"reason": "Forbidden"}),
        (404, {}, status(404, "NotFound", name="web"), errors.NotFound, {"what": "Ingress"}),
        (404, {}, status(404, "NotFound"), errors.NotFound, {"what": ""}),
        (404, {}, b"404 page not found\n", errors.NotFound, {"what": ""}),
        (405, {}, status(405, "MethodNotAllowed"), errors.Rejected, {"reason": "MethodNotAllowed"}),
        (408, {}, b"", errors.Unavailable, {}),
        (409, {}, status(409, "Conflict"), errors.Conflict, {}),
        (409, {}, b"", errors.Conflict, {}),
        (409, {}, status(409, "AlreadyExists"), errors.AlreadyExists, {}),
        (410, {}, status(410, "Expired"), errors.Expired, {}),
        (410, {}, status(410, "Gone"), errors.Expired, {}),
        (410, {}, b"", errors.Expired, {}),
        (415, {}, b"", errors.Rejected, {"reason": "BadRequest"}),
        (422, {}, status(422, "Invalid"), errors.Rejected, {"reason": "Invalid"}),
        (429, SECONDS, b"", errors.Throttled, {"retry_after_s": 8.0}),
        (429, {}, status(429, "TooManyRequests", retryAfterSeconds=3), errors.Throttled, {"retry_after_s": 3.0}),
        (429, {"Retry-After": "soon"}, b"", errors.Throttled, {"retry_after_s": None}),
        (500, {}, status(500, "InternalError"), errors.Unavailable, {"retry_after_s": None}),
        (503, SECONDS, b"", errors.Unavailable, {"retry_after_s": 8.0}),
        (504, {}, status(504, "Timeout", causes=TOO_LARGE), errors.VersionTooLarge, {}),
        (504, {}, status(504, "Timeout", "Too large resource version: 9"), errors.VersionTooLarge, {}),
        (504, {}, status(504, "Timeout"), errors.Unavailable, {}),
        (302, {}, b"", errors.Unavailable, {}),
    ],
)
def test_answer_becomes_error(
    code: int, headers: dict[str, str], body: bytes, expected: type[Exception], facts: dict[str, object]
) -> None:
    error = from_response(code, headers, body, "Ingress")
    assert type(error) is expected
    assert {name: getattr(error, name) for name in facts} == facts
    assert str(error).startswith(f"Ingress: HTTP {code}: ")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b'{"code":"x"}', b"[" * 100_000])
def test_what_is_no_status_reads_as_an_empty_one(body: bytes) -> None:
    found = read_status(body)
    assert (found.code, found.reason, found.causes, found.retry_after_s) == (0, "", (), None)


def test_endless_message_is_cut() -> None:
    error = from_response(500, {}, status(500, "InternalError", "x" * 100_000), "Node")
    assert len(str(error)) == 512
