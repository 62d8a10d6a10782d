"""Forms of the annotations that sort and redirect rules: JSON -> entries, or ValueError. Their meaning is elsewhere.

Unknown keys are passed over: a published sample has `host` inside `backend`, and works with TKE's controller because
nobody looks for it there (contract, section 4.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.translator import parsers

CODES: Final = (301, 302, 307)
"""ManualRewrite and AutoRewrite pages."""
ROOT: Final = "/"
PORT_MAX: Final = 65535


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Where an entry sends its clients. Host `""` is the load balancer's own address."""

    port: int
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of `http-rules` or `https-rules` with its defaults; `service` is empty without a backend."""

    host: str
    path: str
    service: str
    port: str
    rewrite: Rewrite | None


@dataclass(frozen=True, slots=True)
class Codes:
    """Status codes of the automatic redirects; `default` None: nobody says one."""

    default: int | None
    by_host: Mapping[str, int]


def rule_set(value: str) -> tuple[Entry, ...]:
    """`[{"host":..,"path":..,"backend":{..},"rewrite":{..}}]`; empty for an empty value and for `null`."""
    return tuple(_entry(_object(item, f"entry {number}")) for number, item in enumerate(parsers.json_array(value)))


def codes(value: str) -> Codes:
    """`{"defaultRewriteCode":302,"rewriteCodeInfos":[{"host":..,"rewriteCode":307}]}`."""
    parsed = parsers.json_object(value)
    infos = parsed.get("rewriteCodeInfos")
    if infos is not None and not isinstance(infos, list):
        raise ValueError("must have a JSON array in rewriteCodeInfos")
    by_host: dict[str, int] = {}
    for number, item in enumerate(infos or ()):
        info = _object(item, f"rewriteCodeInfos entry {number}")
        host, code = _text(info, "host"), _code(info.get("rewriteCode"))
        if by_host.setdefault(host, code) != code:
            raise ValueError("has two codes for one host in rewriteCodeInfos")
    default = parsed.get("defaultRewriteCode")
    return Codes(None if default is None else _code(default), by_host)


def _entry(item: dict[str, object]) -> Entry:
    backend = _object(item.get("backend") or {}, "backend")
    rewrite = item.get("rewrite")
    return Entry(
        host=_text(item, "host"),
        path=_text(item, "path") or ROOT,
        service=_text(backend, "serviceName"),
        port=_port_text(backend.get("servicePort")),
        rewrite=None if rewrite is None else _rewrite(_object(rewrite, "rewrite")),
    )


def _rewrite(item: dict[str, object]) -> Rewrite:
    digits = _port_text(item.get("port"))
    if not (
        digits.isascii() and digits.isdigit() and len(digits) <= len(str(PORT_MAX)) and 0 < int(digits) <= PORT_MAX
    ):
        raise ValueError("must have the port of a listener in each rewrite")
    return Rewrite(int(digits), _text(item, "host"), _text(item, "path") or ROOT)


def _object(item: object, what: str) -> dict[str, object]:
    if not isinstance(item, dict):
        raise ValueError(f"must have a JSON object as {what}")
    return item


def _text(item: dict[str, object], name: str) -> str:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"must have a text as {name}")
    return (value or "").strip()


def _port_text(value: object) -> str:
    """A port number or name: samples write both as text."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("must have a number or a text as port")
    if isinstance(value, int) and not 0 <= value <= PORT_MAX:
        raise ValueError(f"must have a port from 0 to {PORT_MAX}")
    return str(value).strip()


def _code(value: object) -> int:
    digits = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if digits not in map(str, CODES):
        raise ValueError("must have the codes 301, 302 or 307 only")
    return int(digits)
