"""The API server's answers as our errors: one table by HTTP status. No request is made or repeated here."""

import http.client
from collections.abc import Callable, Mapping

import msgspec
import urllib3.exceptions

from l7lb import errors
from l7lb.adapters.silence import why
from l7lb.errors import L7lbError
from l7lb.model.shapes import json_decoder

FOREIGN = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
"""What a connection may raise: urllib3 wraps most of it, but a bad chunk length still comes out as ValueError."""

_UNREACHED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.LocationValueError,
)
_ADVICE = "check that this is the right address, that the server runs, and the network in between"
_MESSAGE_LENGTH_MAX = 512


class Cause(msgspec.Struct, frozen=True, gc=False):
    """One entry of a Status's details.causes."""

    reason: str = ""
    message: str = ""


class Details(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """details of a Status."""

    name: str = ""
    kind: str = ""
    retry_after_seconds: int = 0
    causes: tuple[Cause, ...] | None = None


class Status(msgspec.Struct, frozen=True, gc=False):
    """meta/v1 Status; all of it may be missing."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: Details | None = None

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Never None."""
        return (self.details and self.details.causes) or ()

    @property
    def retry_after_s(self) -> float | None:
        """Seconds that the server asks for; None: it names none."""
        seconds = self.details.retry_after_seconds if self.details else 0
        return float(seconds) if seconds > 0 else None


_DECODER = json_decoder(Status)


def read_status(body: bytes | msgspec.Raw) -> Status:
    """The Status in `body`; an empty one when it holds none (a proxy's page, a bare `404 page not found`)."""
    try:
        return _DECODER.decode(body)
    except (ValueError, RecursionError):
        return Status()


class _Answer(msgspec.Struct, frozen=True):
    """All that a row of the table looks at."""

    status: Status
    message: str
    what: str
    retry_after_s: float | None


def _bad_request(answer: _Answer) -> L7lbError:
    return errors.Rejected(answer.message, reason=answer.status.reason or "BadRequest")


def _denied(answer: _Answer) -> L7lbError:
    return errors.AccessDenied(answer.message, reason=answer.status.reason or "Forbidden")


def _not_found(answer: _Answer) -> L7lbError:
    # The server names the object that is not there; for a path that it does not serve there is no name.
    proven = answer.status.reason == "NotFound" and bool(answer.status.details and answer.status.details.name)
    return errors.NotFound(answer.message, what=answer.what if proven else "")


def _conflict(answer: _Answer) -> L7lbError:
    if answer.status.reason == "AlreadyExists":
        return errors.AlreadyExists(answer.message)
    return errors.Conflict(answer.message, retry_after_s=answer.retry_after_s)


def _expired(answer: _Answer) -> L7lbError:
    return errors.Expired(answer.message)


def _throttled(answer: _Answer) -> L7lbError:
    return errors.Throttled(answer.message, retry_after_s=answer.retry_after_s)


def _unavailable(answer: _Answer) -> L7lbError:
    return errors.Unavailable(answer.message, retry_after_s=answer.retry_after_s)


def _timed_out(answer: _Answer) -> L7lbError:
    too_large = any(cause.reason == "ResourceVersionTooLarge" for cause in answer.status.causes)
    if too_large or "Too large resource version" in answer.status.message:  # servers before 1.19 name no cause
        return errors.VersionTooLarge(answer.message)
    return _unavailable(answer)


_ROWS: Mapping[int, Callable[[_Answer], L7lbError]] = {
    401: _denied,
    403: _denied,
    404: _not_found,
    408: _unavailable,
    409: _conflict,
    410: _expired,
    429: _throttled,
    504: _timed_out,
}


def from_response(code: int, headers: Mapping[str, str], body: bytes, what: str) -> L7lbError:
    """The error that an answer other than 2xx stands for.

    `NotFound.what` is `what` only when the API server itself says that the object is not there; it is empty for a bare
    404, which is an unknown path (an absent kind) or a proxy in between, and proves nothing about an object.
    """
    status = read_status(body)
    answer = _Answer(
        status=status,
        message=_message(code, status, what),
        what=what,
        retry_after_s=_retry_after(headers) or status.retry_after_s,
    )
    if row := _ROWS.get(code):
        return row(answer)
    return _bad_request(answer) if 400 <= code < 500 else _unavailable(answer)


def from_connection(error: Exception, where: str) -> errors.Unavailable:
    """A connection that is broken, silent or garbled after something had been sent."""
    return errors.Unavailable(f"{where}: {_fault(error)}")


def unreached(error: Exception, host: str, origin: str) -> errors.Unavailable | None:
    """No connection came to be, so nothing was sent; None: one did. `origin`: who says that the server is there."""
    if not isinstance(error, _UNREACHED):
        return None
    made = errors.Unavailable(f"the API server {host} ({origin}) cannot be reached: {_fault(error)}")
    made.advice = _ADVICE
    return made


def _fault(error: Exception) -> str:
    return why(error) or f"{type(error).__name__}: {str(error)[:_MESSAGE_LENGTH_MAX]}"


def _message(code: int, status: Status, what: str) -> str:
    said = status.message or status.reason or "no Status in the answer"
    return f"{what or 'API server'}: HTTP {code}: {said}"[:_MESSAGE_LENGTH_MAX]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Only the form in seconds: the API server sends no other."""
    text = headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
