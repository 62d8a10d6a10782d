"""The HTTP connections under the SDK: time-outs, one total deadline a call, nothing taken from the environment.

`requests` limits each read but never a whole call, so an answer that trickles in holds a worker for ever. Here every
read of a socket is given what is left of the call, and the socket is closed when nothing is. No signing, no decoding.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError
from urllib3.util.ssl_ import create_urllib3_context

CONNECT_S = 3.0
READ_S = 10.0
CALL_S = 13.0
POOL_SIZE = 32


class _Call(threading.local):
    """What the calling thread is in the middle of; the SDK passes no argument down to its sockets."""

    until: float = float("inf")
    sent: bool = False


_call = _Call()


@contextmanager
def deadline() -> Iterator[None]:
    """Cut what this thread sends and receives inside after `CALL_S`; an outer deadline is kept."""
    before = _call.until
    _call.until = min(before, time.monotonic() + CALL_S)
    try:
        yield
    finally:
        _call.until = before


@contextmanager
def attempt() -> Iterator[None]:
    """One request: afterwards `was_sent` tells whether any byte of it may have left."""
    before = _call.sent
    _call.sent = False
    try:
        yield
    finally:
        _call.sent = before


def was_sent() -> bool:
    """Whether the request of the running `attempt` may have reached the other side."""
    return _call.sent


def _at_most(seconds: float) -> float:
    """The smaller of `seconds` and what is left of the call; raises TimeoutError when nothing is."""
    left = _call.until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call was cut: no time is left")
    return min(seconds, left)


class _Socket(socket.socket):
    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(_at_most(READ_S))
        return super().recv_into(buffer, nbytes, flags)


class _TLSSocket(ssl.SSLSocket):
    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        self.settimeout(_at_most(READ_S))
        return super().recv_into(buffer, nbytes, flags)


def _open(connection: "_Connection | _TLSConnection", dial: Any) -> _Socket:
    """Connect within what is left; more than one address of a name would otherwise get `CONNECT_S` each."""
    try:
        connection.timeout = _at_most(CONNECT_S)
        plain: socket.socket = dial()
        ours = _Socket(fileno=plain.detach())
        try:
            ours.settimeout(_at_most(CONNECT_S))
        except TimeoutError:
            ours.close()
            raise
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, str(error)) from error
    return ours


def _about_to_send(connection: "_Connection | _TLSConnection") -> None:
    """Nothing leaves after the deadline: a write may have been guarded by a lease that has ended since."""
    if connection.sock is None:
        connection.connect()
    if connection.sock is not None:
        connection.sock.settimeout(_at_most(READ_S))
    _call.sent = True


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self, super()._new_conn)

    def send(self, data: Any) -> None:
        _about_to_send(self)
        super().send(data)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _open(self, super()._new_conn)

    def send(self, data: Any) -> None:
        _about_to_send(self)
        super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """Mounts the pools above, also behind a proxy. It never repeats a request (`max_retries` is 0)."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=_tls_context(), **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=_tls_context(), **proxy_kwargs)
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager


def _tls_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.sslsocket_class = _TLSSocket
    return context


def session() -> requests.Session:
    """A session for all clients of a process: no netrc, no cookies; a redirect is an error (a POST must not move)."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=8, pool_maxsize=POOL_SIZE)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
