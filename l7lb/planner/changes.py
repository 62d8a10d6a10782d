"""What differs between two values of one part of a load balancer, field by field, in words. A whole step: `details`."""

from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from l7lb.model.loadbalancer import Certificate, HealthCheck
from l7lb.model.maybe import UNSET

_NOT_CHANGES: Final = frozenset({"key", "host", "hosts", "rules", "targets", "targets_known", "endpointless"})


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a step sets."""

    field: str
    before: str
    """Empty: nobody knows, or there was nothing."""
    after: str


def changes(before: object, after: object) -> tuple[Change, ...]:
    """The set fields of `after`, each with what was there; `before` None: it is not known."""
    found: list[Change] = []
    for name, value in pairs(after):
        if value is UNSET or (name in _NOT_CHANGES and not isinstance(after, HealthCheck)):
            continue
        old = getattr(before, name) if before is not None else UNSET
        if name == "health_check":
            found += [Change(f"health check {one.field}", one.before, one.after) for one in changes(old, value)]
            continue
        found.append(Change(name, word(old) if old is not UNSET else "", word(value)))
    return tuple(found)


def word(value: object) -> str:
    """One value for people."""
    if isinstance(value, Certificate):
        return certificate_word(value).removeprefix("certificate ")
    return "on" if value is True else "off" if value is False else "none" if value is None else str(value)


def certificate_word(certificate: Certificate) -> str:
    """Its ids, and whether clients need one of their own."""
    client = f", client CA {certificate.ca_id}" if certificate.ca_id is not None else ""
    return f"certificate {'+'.join(sorted(certificate.ids))}{client}"


def pairs(value: object) -> list[tuple[str, object]]:
    """Name and value of each field; raises TypeError for what is no value of the model."""
    if not is_dataclass(value):
        raise TypeError(f"not a value of the model: {value!r}")
    return [(f.name, getattr(value, f.name)) for f in fields(value)]
