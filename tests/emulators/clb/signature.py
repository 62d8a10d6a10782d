"""Checks the TC3-HMAC-SHA256 signature of a request. Knows secrets and skew; knows no action."""

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.emulators.clb.errors import ApiError
from tests.emulators.clb.wire import Request

SKEW_SECONDS_MAX = 300
_FORM = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<date>[\d-]{10})/(?P<service>[a-z]+)/tc3_request, ?"
    r"SignedHeaders=(?P<signed>[a-z;-]+), ?Signature=(?P<hex>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret key, the account it belongs to, the token it must come with (temporary credentials), and its rights."""

    key: str
    account: str = "100000000001"
    token: str = ""
    denied: frozenset[str] = frozenset()
    """Actions answered with ``UnauthorizedOperation``."""
    allowed: frozenset[str] | None = None
    """``service:Action``; all others are refused as well. None: no such limit."""

    def may(self, service: str, action: str) -> bool:
        """Whether a policy of CAM would let the call pass."""
        return action not in self.denied and (self.allowed is None or f"{service}:{action}" in self.allowed)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed, and for which service."""

    credential_id: str
    account: str
    service: str
    secret: Secret


DEFAULT_SECRETS: Mapping[str, Secret] = {"AKIDEMULATOR": Secret("emulator-secret-key")}


def verify(request: Request, secrets: Mapping[str, Secret], wall: Callable[[], float]) -> Caller:
    """The caller; raises ``AuthFailure.*``. ``wall`` gives Unix seconds (the callers sign with the real time)."""
    form = _FORM.fullmatch(request.header("Authorization"))
    if form is None:
        raise ApiError("AuthFailure.InvalidAuthorization", "Invalid Authorization.")
    secret = secrets.get(form["id"])
    if secret is None:
        raise ApiError(
            "AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."
        )
    timestamp = _timestamp(request, form["date"], wall)
    if not hmac.compare_digest(_signature(request, form, secret.key, timestamp), form["hex"]):
        raise ApiError(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. Please check your signature is correct.",
        )
    if secret.token and request.header("X-TC-Token") != secret.token:
        raise ApiError("AuthFailure.TokenFailure", "The token is invalid or has expired.")
    return Caller(form["id"], secret.account, form["service"], secret)


def _timestamp(request: Request, date: str, wall: Callable[[], float]) -> int:
    text = request.header("X-TC-Timestamp")
    if not text.isdigit():
        raise ApiError("MissingParameter", "The request is missing a required parameter `Timestamp`.")
    timestamp = int(text)
    if abs(wall() - timestamp) > SKEW_SECONDS_MAX:
        raise ApiError(
            "AuthFailure.SignatureExpire",
            "Signature expired, please check your local time, it is more than 5 minutes from the server's.",
        )
    if datetime.fromtimestamp(timestamp, UTC).date().isoformat() != date:
        raise ApiError("AuthFailure.SignatureFailure", "The date in the credential is not that of the timestamp.")
    return timestamp


def _signature(request: Request, form: re.Match[str], key: str, timestamp: int) -> str:
    unsigned = request.header("X-TC-Content-SHA256") == "UNSIGNED-PAYLOAD"
    body_hash = _sha256(b"UNSIGNED-PAYLOAD" if unsigned else request.body)
    headers = "".join(f"{name}:{_canonical(request, name)}\n" for name in form["signed"].split(";"))
    canonical = f"{request.method}\n/\n\n{headers}\n{form['signed']}\n{body_hash}"
    scope = f"{form['date']}/{form['service']}/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{_sha256(canonical.encode())}"
    return hmac.new(_signing_key(key, form["date"], form["service"]), to_sign.encode(), hashlib.sha256).hexdigest()


@functools.lru_cache(maxsize=256)
def _signing_key(key: str, date: str, service: str) -> bytes:
    signing = f"TC3{key}".encode()
    for part in (date, service, "tc3_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return signing


def _canonical(request: Request, name: str) -> str:
    value = request.header(name).strip()
    return value.lower() if name == "x-tc-action" else value


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
