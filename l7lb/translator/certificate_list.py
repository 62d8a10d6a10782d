"""The form of the annotation `certificate`: text -> entries. Whether its ids are any good is not asked here."""

from dataclasses import dataclass

from l7lb.translator import parsers

_FORM = 'must be a JSON array of objects like {"hosts":["a.example.com"],"qcloud_cert_id":["xxxxxxxx"]}'


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry. Without hosts it is the default; two ids are of two key algorithms."""

    hosts: tuple[str, ...]
    ids: tuple[str, ...]
    asks_for_ca: bool = False
    """It has the key of a Secret that asks for mutual TLS, which this annotation does not take."""


def certificate_list(value: str) -> tuple[Listed, ...]:
    """Entries in their order; empty for an empty value. An entry whose hosts cannot be told spoils all of them."""
    return tuple(_listed(entry) for entry in parsers.json_array(value))


def _listed(entry: object) -> Listed:
    if not isinstance(entry, dict):
        raise ValueError(_FORM)
    hosts, ids = _texts(entry.get("hosts")), _texts(entry.get("qcloud_cert_id"))
    if not all(hosts):
        raise ValueError(_FORM)
    return Listed(hosts, tuple(filter(None, ids)), bool(entry.get("qcloud_ca_cert_id")))


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(_FORM)
    words = tuple(one.strip() for one in value if isinstance(one, str))
    if len(words) != len(value):
        raise ValueError(_FORM)
    return words
