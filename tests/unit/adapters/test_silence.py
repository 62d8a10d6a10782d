"""Why no answer came, as people say it; what a library says comes through only where nobody knows better."""

import http.client
import socket
import ssl

import pytest
import requests
from urllib3 import exceptions as foreign

from l7lb.adapters.kube.errors import from_connection, unreached
from l7lb.adapters.silence import why


def _raised(outer: Exception, *causes: Exception) -> Exception:
    """`outer`, raised from the first cause, which was raised from the next."""
    for error, cause in zip((outer, *causes), causes, strict=False):
        error.__cause__ = cause
    return outer


def _new(cause: Exception) -> Exception:
    return _raised(foreign.NewConnectionError(None, "Failed to establish it"), cause)  # type: ignore[arg-type]  # no pool is asked


REFUSED = ConnectionRefusedError(111, "Connection refused")
NO_PROXY = OSError("Tunnel connection failed")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (_new(REFUSED), "the connection is refused"),
        (_new(socket.gaierror(-2, "Name or service not known")), "its name cannot be resolved"),
        (_new(OSError(113, "No route to host")), "no route to host"),
        (_raised(foreign.ProtocolError("x"), ConnectionResetError(104, "reset")), "the connection broke off"),
        (_raised(foreign.ProtocolError("x"), http.client.IncompleteRead(b"")), "the connection broke off"),
        (_raised(foreign.ConnectTimeoutError("x"), TimeoutError("timed out")), "it did not answer in time"),
        (
            _raised(foreign.SSLError("x"), ssl.SSLError(1, "certificate verify failed (_ssl.c:1006)")),
            "TLS: certificate verify failed",
        ),
        (_raised(foreign.ProxyError("x", NO_PROXY), REFUSED), "by way of the proxy, the connection is refused"),
        (
            _raised(requests.exceptions.ProxyError("x"), foreign.ProxyError("x", NO_PROXY), REFUSED),
            "by way of the proxy, the connection is refused",
        ),
        (_raised(requests.exceptions.ConnectionError("x"), REFUSED), "the connection is refused"),
        (requests.exceptions.ConnectionError("four sentences"), ""),
        (ValueError("a bad chunk"), ""),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_the_fault_below_is_said_in_a_few_words(error: Exception, words: str) -> None:
    assert why(error) == words


def test_what_nobody_knows_is_said_as_the_library_says_it() -> None:
    assert str(from_connection(ValueError("a bad chunk"), "GET Node at x")) == "GET Node at x: ValueError: a bad chunk"


def test_only_what_was_never_sent_is_called_unreached() -> None:
    assert unreached(foreign.ProtocolError("aborted"), "here:6443", "from inside a pod") is None
    found = unreached(_new(REFUSED), "here:6443", "from inside a pod")
    assert str(found).startswith("the API server here:6443 (from inside a pod) cannot be reached: ")
