"""Clients of the load balancers: one request, or requests all the time. Nothing is ever sent twice."""

import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.demo.patience import Surprise

_TIMEOUT_S = 5.0
_GAP_S = 0.01


@dataclass(frozen=True, slots=True)
class Site:
    """Where a request goes: the load balancer's address and served port, and what the client asks for."""

    address: str
    port: int
    host: str
    path: str
    trust: ssl.SSLContext | None = None
    """With it: HTTPS, the certificate verified for `host`."""

    @property
    def url(self) -> str:
        """As a person writes it."""
        return f"{'https' if self.trust else 'http'}://{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `backend` is the name that the backend gave; `certificate` the common name that was shown."""

    status: int
    backend: str
    certificate: str = ""


def fetch(site: Site) -> Answer:
    """One request over a connection of its own. Raises OSError or HTTPException when there is no answer."""
    connection = HTTPConnection(site.address, site.port, timeout=_TIMEOUT_S)
    try:
        raw = socket.create_connection((site.address, site.port), _TIMEOUT_S)
        # The SNI name is the host, not the address that we connect to; hence not an HTTPSConnection.
        connection.sock = site.trust.wrap_socket(raw, server_hostname=site.host) if site.trust else raw
        certificate = _common_name(connection.sock) if isinstance(connection.sock, ssl.SSLSocket) else ""
        connection.request("GET", site.path, headers={"Host": site.host, "Connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, _backend(response.read()), certificate)
    finally:
        connection.close()


def expect_answer(site: Site) -> Answer:
    """The answer, which must be a 200; anything else is a Surprise."""
    try:
        answer = fetch(site)
    except (OSError, HTTPException) as error:
        raise Surprise(f"{site.url} through {site.address}:{site.port}: {type(error).__name__}: {error}") from error
    if answer.status != 200:
        raise Surprise(f"{site.url} through {site.address}:{site.port} was answered with {answer.status}")
    return answer


@dataclass
class Stream:
    """A client that sends one request after the other while the `with` block lasts."""

    site: Site
    answers: Counter[str] = field(default_factory=Counter)
    """By backend; each a 200."""
    failures: list[str] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name=f"stream {self.site.url}", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join(2 * _TIMEOUT_S)

    @property
    def sent(self) -> int:
        """Requests that have ended, one way or the other."""
        return self.answers.total() + len(self.failures)

    def check(self) -> None:
        """Raise a Surprise as soon as one request has failed."""
        if self.failures:
            raise Surprise(f"{self.site.url}: request {self.sent} failed: {self.failures[0]}")

    def _run(self) -> None:
        while not self._done.wait(_GAP_S):
            try:
                answer = fetch(self.site)
            except (OSError, HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                continue
            if answer.status == 200:
                self.answers[answer.backend] += 1
            else:
                self.failures.append(f"answered with {answer.status}")


def _backend(body: bytes) -> str:
    """Backends introduce themselves as `name=... path=... host=...`; see tests.emulators.backends."""
    return body.decode(errors="replace").partition(" path=")[0].removeprefix("name=")


def _common_name(connection: ssl.SSLSocket) -> str:
    certificate = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
