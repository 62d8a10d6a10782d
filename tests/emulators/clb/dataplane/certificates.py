"""Throwaway certificates: one authority per process, one certificate per certificate id and set of names.

The keys exist in memory and, because ``ssl`` only loads files, for an instant in a private temporary folder. No cloud
certificate is ever needed: the id is in the subject, so that a client can see which one was served.
"""

import functools
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> str:
        """The authority's own certificate, to be trusted by clients."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


@functools.cache
def authority() -> Authority:
    """The process's one authority, made at the first call."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("CLB emulator authority")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


class CertificateStore:
    """TLS contexts by certificate id, made when first asked for."""

    def __init__(self) -> None:
        self._names: Mapping[str, frozenset[str]] = {}
        self._contexts: dict[tuple[str, frozenset[str]], ssl.SSLContext] = {}

    def serve(self, names: Mapping[str, frozenset[str]]) -> None:
        """Set which names each certificate id stands for."""
        self._names = names
        wanted = set(names.items())
        for stale in [key for key in self._contexts if key not in wanted]:
            del self._contexts[stale]

    def context(self, certificate_id: str) -> ssl.SSLContext:
        """The context that shows the certificate."""
        key = (certificate_id, self._names.get(certificate_id, frozenset()))
        if key not in self._contexts:
            context = server_context()
            _load(context, *_issue(*key))
            self._contexts[key] = context
        return self._contexts[key]


def server_context() -> ssl.SSLContext:
    """A context for a listener. No tickets: a resumed session would show the certificate of an earlier one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    return context


def _issue(certificate_id: str, names: Iterable[str]) -> tuple[bytes, bytes]:
    """Certificate and key as PEM."""
    issuer = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(certificate_id), issuer.certificate.subject, key.public_key(), issuer.key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    subject_names = [found for name in sorted(names) if (found := _alternative(name)) is not None]
    if subject_names:
        builder = builder.add_extension(x509.SubjectAlternativeName(subject_names), critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), private


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="clb-emulator-") as folder:
        file = Path(folder) / "pair.pem"
        file.touch(mode=0o600)
        file.write_bytes(certificate + key)
        context.load_cert_chain(file)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, common_name[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _alternative(name: str) -> x509.GeneralName | None:
    """The subject alternative name for a domain; None for what a certificate cannot say (``x.*``, ``~...``)."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        plain = name.removeprefix("*.")
        return x509.DNSName(name) if plain and not name.startswith("~") and "*" not in plain else None
