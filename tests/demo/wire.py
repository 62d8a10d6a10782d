"""JSON over HTTP/1.1 to a server on this machine. What is asked, and of whom, is not known here."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tests.demo.patience import Surprise

Json: TypeAlias = dict[str, Any]

_TIMEOUT_S = 10.0


def ask(
    url: str, method: str, path: str, body: object = None, content_type: str = "application/json"
) -> tuple[int, Json]:
    """Status and body of one request; a server that does not answer is a Surprise."""
    host = urlsplit(url).netloc
    connection = HTTPConnection(host, timeout=_TIMEOUT_S)
    payload = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": content_type, "Accept": "application/json", "Connection": "close"}
    try:
        connection.request(method, path, payload, headers)
        response = connection.getresponse()
        content = response.read()
    except (OSError, HTTPException) as error:
        raise Surprise(f"{method} {url}{path}: {type(error).__name__}: {error}") from error
    finally:
        connection.close()
    return response.status, _parsed(content)


def _parsed(content: bytes) -> Json:
    try:
        answer = json.loads(content or b"{}")
    except ValueError:
        answer = content.decode(errors="replace")
    return answer if isinstance(answer, dict) else {"text": answer}
