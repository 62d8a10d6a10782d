"""Certificates of the SSL service: of what sort they are and when they end. Never a key, never their content.

Only DescribeCertificates is called, and only members named here are decoded. DescribeCertificateDetail gives private
keys as well (its page) and has no business in this process.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from l7lb import errors
from l7lb.adapters.clb import wire
from l7lb.adapters.clb.calls import Caller, Request
from l7lb.model.cloud import CertificateFacts
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import Certificate
from l7lb.model.maybe import given
from l7lb.model.plan import CreateListeners, CreateRules, ModifyHost, ModifyListener, Step

_logger = logging.getLogger(__name__)

READ: Final = "DescribeCertificates"
PAGE: Final = 100
"""Ids a call; a page may have up to 1,000 entries (DescribeCertificates page)."""
ISSUED: Final = 1
EXPIRED: Final = 3
"""Status (DescribeCertificates page)."""
BEIJING: Final = timezone(timedelta(hours=8))
"""CertEndTime is GMT+8 (DescribeCertificateDetail page)."""


_CODES: Final = frozenset({"E4012", "E4035", "E4036", "E4039"})
"""What `errors` reads from CLB's texts about certificates."""


class _Certificate(wire.Wire, frozen=True):
    """Certificates."""

    certificate_id: str
    certificate_type: str | None = None
    status: int | None = None
    cert_end_time: str | None = None


class _Certificates(wire.Wire, frozen=True):
    """DescribeCertificates."""

    certificates: tuple[_Certificate, ...] | None = None


@dataclass(frozen=True, slots=True)
class TencentCertificates:
    """Reads the SSL service of one account. Safe to share by threads."""

    caller: Caller
    region: str
    """The service has none; the budget is counted under this one."""
    asked: set[str] | None = None
    """Reads that the pass has made: as with load balancers, another of the same kind is borrowed. None: of no pass."""

    def read(self, ids: frozenset[str], lane: Lane) -> Mapping[str, CertificateFacts]:
        """Those of `ids` that the account has, by id. Raises the classes of `errors`."""
        found: dict[str, CertificateFacts] = {}
        wanted, asked = sorted(ids), set[str]() if self.asked is None else self.asked
        for start in range(0, len(wanted), PAGE):
            params = {"CertIds": wanted[start : start + PAGE], "Offset": 0, "Limit": PAGE}
            request = Request("ssl", READ, params)
            answer = self.caller.call(request, region=self.region, lane=lane, borrow=READ in asked)
            asked.add(READ)
            for entry in wire.read(answer, _Certificates).certificates or ():
                if entry.certificate_id in ids:
                    found[entry.certificate_id] = _facts(entry)
        return found


def is_about_one(refusal: errors.Rejected) -> bool:
    """Whether CLB says that a certificate is at fault."""
    return refusal.code in _CODES


def explained(refusal: errors.Rejected, step: Step, reader: TencentCertificates) -> errors.Rejected:
    """The refusal of a certificate with the code that fits what the SSL service says of it; else as it was.

    CLB's text does not tell an unknown id from one of the wrong type. Costs one read, only after a refusal.
    """
    named = [certificate for certificate in _brought(step) if certificate is not None]
    ids = frozenset(one for certificate in named for one in (*certificate.ids, certificate.ca_id) if one)
    if not ids:
        return refusal
    try:
        known = reader.read(ids, Lane.CHANGE)
    except errors.L7lbError as error:
        _logger.info("why a certificate was refused cannot be read: %s", error)
        return refusal
    why = _first_fault(named, known)
    return errors.Rejected(f"{why[2]}: {refusal}", reason=why[1], code=why[0]) if why is not None else refusal


def foreseen(step: Step, reader: TencentCertificates) -> errors.Rejected | None:
    """The refusal that the certificates of a step will meet, as far as the SSL service tells. Costs one read."""
    named = [certificate for certificate in _brought(step) if certificate is not None]
    ids = frozenset(one for certificate in named for one in (*certificate.ids, certificate.ca_id) if one)
    why = _first_fault(named, reader.read(ids, Lane.CHANGE)) if ids else None
    return errors.Rejected(why[2], reason=why[1], code=why[0]) if why is not None else None


def _first_fault(named: Iterable[Certificate], known: Mapping[str, CertificateFacts]) -> tuple[str, str, str] | None:
    for certificate in named:
        for one in sorted(certificate.ids):
            if why := _fault(one, known.get(one), authority=False):
                return why
        if certificate.ca_id and (why := _fault(certificate.ca_id, known.get(certificate.ca_id), authority=True)):
            return why
    return None


def _brought(step: Step) -> Iterable[Certificate | None]:
    match step:
        case CreateListeners(certificate=certificate):
            return (certificate,)
        case ModifyListener(after=after) | ModifyHost(after=after):
            return (given(after.certificate, None),)
        case CreateRules(hosts=hosts):
            return dict.fromkeys(given(host.certificate, None) for host in hosts)
        case _:
            return ()


def _fault(one: str, facts: CertificateFacts | None, *, authority: bool) -> tuple[str, str, str] | None:
    """(code, reason, what is wrong) of one id; None: nothing that shows here."""
    if facts is None:
        return "E4036", "CertificateNotFound", f"the account has no certificate {one}"
    if facts.authority != authority:
        is_one = "a client CA" if facts.authority else "a server certificate"
        needed = "a client CA" if authority else "a server certificate"
        return "E4038", "CertificateOfWrongType", f"certificate {one} is {is_one} where {needed} is needed"
    if facts.expired:
        return "E4039", "CertificateExpired", f"certificate {one} has expired"
    return None if facts.usable else ("E4012", "CertificateRejected", f"certificate {one} is not issued, or revoked")


def _facts(entry: _Certificate) -> CertificateFacts:
    return CertificateFacts(
        id=entry.certificate_id,
        authority=entry.certificate_type == "CA",
        usable=entry.status == ISSUED,
        expired=entry.status == EXPIRED,
        expires=_time(entry.cert_end_time or ""),
    )


def _time(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        return None  # an authority or an order may have none
