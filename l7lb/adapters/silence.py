"""Why no answer came, in words for people: the libraries below wrap a refused connection into four sentences of theirs.

For both worlds. Whether the request was sent, what follows from that and what to look at is not decided here.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import urllib3.exceptions

_DEPTH_MAX: Final = 16


def why(error: BaseException) -> str:
    """The fault below; empty: none that is known. The words of a library come through for TLS only."""
    found = list(_chain(error))
    words = next((told for one in found if (told := _told(one))), "")
    proxied = any(isinstance(one, urllib3.exceptions.ProxyError) for one in found)
    return f"by way of the proxy, {words}" if words and proxied else words


def _told(error: BaseException) -> str:
    match error:
        case socket.gaierror():
            return "its name cannot be resolved"
        case ssl.SSLError():
            return f"TLS: {str(error).partition(' (_ssl.c')[0]}"
        case TimeoutError():
            return "it did not answer in time"
        case ConnectionRefusedError():
            return "the connection is refused"
        case ConnectionError() | http.client.HTTPException():
            return "the connection broke off"
        case OSError() if error.strerror:  # the wrappers of `requests` are an OSError too, without one
            return error.strerror[:1].lower() + error.strerror[1:]
        case _:
            return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The outermost first; what was being handled when it was raised comes last, and is not asked if one is known."""
    one: BaseException | None = error
    for _ in range(_DEPTH_MAX):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__
