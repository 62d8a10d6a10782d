"""Bytes to and from the API server over the `kubernetes` package's own connection pool.

Knows HTTP, time-outs, credentials and how a connection breaks; knows no Kubernetes kind. Nothing is retried here but
the one repetition after a 401 with another token.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import urllib3
from kubernetes.client import ApiClient

from l7lb import __version__
from l7lb.adapters.kube import errors as wire_errors
from l7lb.adapters.kube.chunks import pieces
from l7lb.adapters.kube.credentials import Credentials, Source
from l7lb.errors import Unavailable

CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 30.0
BODY_LENGTH_MAX = 512 * 1024 * 1024
"""Far above any list; a peer that never stops sending must not take all memory."""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

_ERROR_BODY_LENGTH_MAX = 64 * 1024
_ERROR_BODY_TIMEOUT_S = 5.0
_READER_LEAVES_S = 1.0
_TLS_FIELDS = ("host", "ssl_ca_cert", "cert_file", "key_file", "verify_ssl", "tls_server_name", "proxy")

RequestObserver = Callable[[str, str, str, float], None]
"""(method, host, status code or `<error>`, seconds), once per request that was sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `path` is absolute and already escaped."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = JSON
    accept: str = JSON
    timeout_s: float = REQUEST_TIMEOUT_S
    """Least silence that breaks the call off; a body that trickles in is cut at the same age."""
    what: str = ""
    """The kind asked for, for messages and for NotFound."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with a 2xx status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ByteStream:
    """The body of an open answer. One thread iterates; any thread may call `shutdown`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, where: str) -> None:
        self._response = response
        self._where = where
        self._ended = threading.Event()
        self._reading = threading.Lock()

    def chunks(self) -> Iterator[bytes]:
        """Pieces as they arrive; ends at a clean end or after `shutdown`.

        Raises Unavailable when it breaks, and one that is `silent` when nothing has come for too long.
        """
        arriving = pieces(self._response)
        while True:
            with self._reading:
                some = self._next(arriving)
            for piece in some:
                if self._ended.is_set():
                    return
                yield piece
            if not some:
                return

    def _next(self, arriving: Iterator[Sequence[bytes]]) -> Sequence[bytes]:
        """What has come; nothing at the end."""
        if self._ended.is_set():
            return ()
        try:
            return next(arriving, ())
        except wire_errors.FOREIGN as error:
            self._response.close()
            if self._ended.is_set():
                return ()
            if isinstance(error, urllib3.exceptions.ReadTimeoutError | TimeoutError):
                raise Unavailable.silence(f"{self._where}: silent for too long") from error
            raise wire_errors.from_connection(error, self._where) from error

    def shutdown(self) -> None:
        """End it and free a blocked reader at once; idempotent."""
        self._ended.set()
        with contextlib.suppress(ValueError, RuntimeError, OSError):  # ended already: nothing reads from it
            self._response.shutdown()
        if self._reading.acquire(timeout=_READER_LEAVES_S):
            try:
                self._response.close()
            finally:
                self._reading.release()


class Transport:
    """Requests with fresh credentials and explicit time-outs. Safe for threads.

    The lease gets an instance of its own: its renewal must not wait for a connection, a lock or a credentials plugin
    that another request holds.
    """

    def __init__(
        self,
        source: Source,
        *,
        on_request: RequestObserver | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigurationError when `source` cannot be read; makes no connection."""
        self._credentials = Credentials(source, clock=clock)
        self._on_request = on_request
        self._connect_timeout_s = connect_timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._settings: tuple[Any, ...] = ()
        self._pool: urllib3.PoolManager | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def host(self) -> str:
        """Name and port of the API server."""
        return urlsplit(self._base()).netloc

    @property
    def weakness(self) -> str:
        """What the configuration gives up of the connection's safety; empty: nothing."""
        return self._credentials.weakness

    def request(self, request: Request, *, guard: Callable[[], None] | None = None) -> Response:
        """Send and read the whole answer; raises what `errors.from_response` and `from_connection` say.

        `guard` is called right before the bytes leave, also before the repetition, and stops it by raising.
        """
        deadline = self._clock() + request.timeout_s
        timeout = urllib3.Timeout(connect=min(self._connect_timeout_s, request.timeout_s), read=request.timeout_s)
        response = self._open(request, timeout, guard)
        if not (getattr(response, "chunked", False) or "Content-Length" in response.headers):
            response.close()
            raise Unavailable(f"{self._where(request)}: an answer without length cannot be told from half of one")
        body = self._read(response, deadline, BODY_LENGTH_MAX, self._where(request))
        return Response(response.status, response.headers, body)

    def stream(self, request: Request, *, silence_s: float) -> ByteStream:
        """Open an answer without end; `silence_s` without a byte breaks it off."""
        timeout = urllib3.Timeout(connect=self._connect_timeout_s, read=silence_s)
        return ByteStream(self._open(request, timeout, None), self._where(request))

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            pool, self._pool, self._settings = self._pool, None, ()
        if pool is not None:
            pool.clear()

    def _open(
        self, request: Request, timeout: urllib3.Timeout, guard: Callable[[], None] | None
    ) -> urllib3.BaseHTTPResponse:
        """An answer with a 2xx status, its body unread; else the error it stands for."""
        authorization = self._credentials.header()
        response = self._send(request, authorization, timeout, guard)
        if response.status == 401 and self._credentials.renew(authorization):
            response.close()
            response = self._send(request, self._credentials.header(), timeout, guard)
        if 200 <= response.status < 300:
            return response
        try:
            deadline = self._clock() + _ERROR_BODY_TIMEOUT_S
            body = self._read(response, deadline, _ERROR_BODY_LENGTH_MAX, self._where(request))
        except Unavailable:
            body = b""  # the status line alone says enough
        raise wire_errors.from_response(response.status, response.headers, body, request.what)

    def _send(
        self, request: Request, authorization: str, timeout: urllib3.Timeout, guard: Callable[[], None] | None
    ) -> urllib3.BaseHTTPResponse:
        url = self._base() + request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {"Accept": request.accept, "User-Agent": f"l7lb/{__version__}"}
        if request.body:
            headers["Content-Type"] = request.content_type
        if authorization:
            headers["Authorization"] = authorization
        pool = self._connections()
        if guard is not None:
            guard()
        started = self._clock()
        code = "<error>"
        try:
            response = pool.request(
                request.method,
                url,
                body=request.body or None,
                headers=headers,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            code = str(response.status)
        except wire_errors.FOREIGN as error:
            unreached = wire_errors.unreached(error, self.host, self._credentials.origin)
            raise unreached or wire_errors.from_connection(error, self._where(request)) from error
        finally:
            if self._on_request is not None:
                self._on_request(request.method, self.host, code, self._clock() - started)
        return response

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float, length_max: int, where: str) -> bytes:
        """The whole body; raises Unavailable when it breaks, trickles past the deadline, or is too long."""
        body: list[bytes] = []
        length = 0
        try:
            for some in pieces(response):
                body += some
                length += sum(map(len, some))
                if self._clock() > deadline:
                    raise Unavailable(f"{where}: the answer was cut off at its deadline")
                if length > length_max:
                    raise Unavailable(f"{where}: the answer is longer than {length_max} bytes")
        except wire_errors.FOREIGN as error:
            raise wire_errors.from_connection(error, where) from error
        finally:
            response.close()  # a connection whose answer was read to its end is back in the pool already
        return b"".join(body)

    def _base(self) -> str:
        host: str = self._credentials.configuration.host
        return host.rstrip("/")

    def _where(self, request: Request) -> str:
        return f"{request.method} {request.what or request.path} at {self.host}"

    def _connections(self) -> urllib3.PoolManager:
        """The pool for the configuration as it is now: a plugin may have brought another client certificate."""
        configuration = self._credentials.configuration
        settings = tuple(getattr(configuration, name, None) for name in _TLS_FIELDS)
        with self._lock:
            if self._pool is None or settings != self._settings:
                pool: urllib3.PoolManager = ApiClient(configuration).rest_client.pool_manager
                self._pool, self._settings = pool, settings
            return self._pool
