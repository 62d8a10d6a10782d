"""The small checks that the validation of every kind is made of: required, supported, in range, well named.

Each gives causes with the texts of the API server. Nothing here knows a kind.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.emulators.kube import names
from tests.emulators.kube.refusals import Cause

PORT_MESSAGE = "must be between 1 and 65535, inclusive"
IP_MESSAGE = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_KEY = re.compile(r"^[-._a-zA-Z0-9]+$")
_PORT_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")


def shown(value: Any) -> str:
    """A value as messages show it."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "null" if value is None else str(value)


def required(path: str, why: str = "") -> Cause:
    """The field must be there."""
    return "FieldValueRequired", path, f"Required value: {why}" if why else "Required value"


def invalid(path: str, value: Any, why: str) -> Cause:
    """The field holds something that it may not hold."""
    return "FieldValueInvalid", path, f"Invalid value: {shown(value)}: {why}"


def forbidden(path: str, why: str) -> Cause:
    """The field may not be there."""
    return "FieldValueForbidden", path, f"Forbidden: {why}"


def duplicate(path: str, value: str) -> Cause:
    """The same was said before."""
    return "FieldValueDuplicate", path, f"Duplicate value: {value}"


def one_of(path: str, value: Any, choices: Iterable[str]) -> Iterator[Cause]:
    """The field takes one of a few words."""
    known = sorted(choices)
    if value not in known:
        listed = ", ".join(f'"{choice}"' for choice in known)
        yield "FieldValueNotSupported", path, f"Unsupported value: {shown(value)}: supported values: {listed}"


def port_number(path: str, value: int) -> Iterator[Cause]:
    """A port is 1 to 65535."""
    if not 1 <= value <= 65535:
        yield invalid(path, value, PORT_MESSAGE)


def port_name(path: str, value: str) -> Iterator[Cause]:
    """An IANA service name: at most 15 characters, with a letter, without double hyphens."""
    if len(value) > 15:
        yield invalid(path, value, "must be no more than 15 characters")
    if not _PORT_NAME.match(value):
        yield invalid(path, value, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        yield invalid(path, value, "must contain at least one letter (a-z)")
    if "--" in value:
        yield invalid(path, value, "must not contain consecutive hyphens")


def subdomain(path: str, value: str) -> Iterator[Cause]:
    """RFC 1123 subdomain."""
    if not names.is_subdomain(value):
        yield invalid(path, value, names.SUBDOMAIN_MESSAGE)


def label(path: str, value: str) -> Iterator[Cause]:
    """RFC 1123 label."""
    if not names.is_label(value):
        yield invalid(path, value, names.LABEL_MESSAGE)


def label_1035(path: str, value: str) -> Iterator[Cause]:
    """RFC 1035 label."""
    if not names.is_label_1035(value):
        yield invalid(path, value, names.LABEL_1035_MESSAGE)


def data_key(path: str, value: str) -> Iterator[Cause]:
    """A key of a ConfigMap or Secret."""
    if not _KEY.match(value) or len(value) > 253:
        yield invalid(path, value, KEY_MESSAGE)


def is_address(value: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def address(path: str, value: str) -> Iterator[Cause]:
    """An IP address of either family."""
    if not is_address(value):
        yield invalid(path, value, IP_MESSAGE)


def immutable(path: str, old: Any, new: Any) -> Iterator[Cause]:
    """What cannot be changed."""
    if old != new:
        yield invalid(path, new, "field is immutable")
