"""A server certificate with an authority of its own. The authority's key is thrown away: it signs this one only."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE: Final = timedelta(days=365)
SKEW: Final = timedelta(hours=1)
"""Clocks differ."""


@dataclass(frozen=True, slots=True)
class Issued:
    """PEM; `key` stays out of `repr`."""

    authority: bytes
    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Issued(...)"


def issue(names: tuple[str, ...], addresses: tuple[str, ...], at: float) -> Issued:
    """For a server of these DNS names and IP addresses, from `at` (seconds since 1970) for one year."""
    known_as: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    known_as += (x509.IPAddress(ip_address(one)) for one in addresses)
    start = datetime.fromtimestamp(at, UTC)
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("l7lb webhook authority")
    basic = x509.CertificateBuilder().issuer_name(issuer).not_valid_before(start - SKEW).not_valid_after(start + LIFE)
    authority = (
        basic.subject_name(issuer)
        .public_key(signer.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    certificate = (
        basic.subject_name(_name("l7lb webhook"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(known_as), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none)
    return Issued(authority.public_bytes(pem), certificate.public_bytes(pem), secret)


def ends(certificate: bytes) -> float:
    """When it expires, seconds since 1970; 0 when it is no certificate."""
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError:
        return 0.0


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
