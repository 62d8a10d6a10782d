"""spec.tls and its Secrets -> the effective certificate of each host. A bad one holds the hosts that it is for.

An exact entry beats a wildcard of one label, which beats the entry without hosts. What a Secret holds is never put into
a message: people paste keys into the wrong field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Ingress, IngressTls, Secret
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import Certificate
from l7lb.model.snapshot import Snapshot
from l7lb.translator.notebook import HTTPS, Notebook, shown

CERTIFICATE_ID: Final = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
"""Ids of the SSL service have eight characters."""
IDS_MAX: Final = 2
"""One for each of two key algorithms."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Effective certificates. A host that is in none of the two has none that can be told: it is held."""

    default: Certificate | None
    by_host: Mapping[str, Certificate]


class _Entries:
    """The entries of spec.tls by what they are for."""

    def __init__(self, ingress: Ingress, notebook: Notebook) -> None:
        self.default: list[int] = []
        self.by_host: dict[str, list[int]] = {}
        for index, entry in enumerate(ingress.spec.tls or ()):
            if not entry.hosts:
                self.default.append(index)
            for host in dict.fromkeys(entry.hosts or ()):
                self.by_host.setdefault(host, []).append(index)
        if len(self.default) > 1:
            notebook.problem(
                "E4048",
                "DefaultCertificateAmbiguous",
                f"Ingress {notebook.about}: {_fields(self.default)} have no hosts; only one entry may be the default",
                field="spec.tls",
            )
        for host, indexes in self.by_host.items():
            if len(indexes) > 1:
                notebook.problem(
                    "E4049",
                    "HostCertificateAmbiguous",
                    f"Ingress {notebook.about}: host {shown(host)} is in {_fields(indexes)}; leave it in one entry",
                    field="spec.tls",
                )

    def of(self, host: str) -> list[int]:
        """Entries that are for this host: none, one, or too many."""
        if host in self.by_host:
            return self.by_host[host]
        return self.by_host.get("*." + host.partition(".")[2]) or self.default


def certificates(snapshot: Snapshot, hosts: tuple[str, ...], notebook: Notebook) -> Certificates:
    """Look up every entry, then choose for each host; hosts without an answer are held."""
    ingress = snapshot.ingress
    entries = _Entries(ingress, notebook)
    read = [_read(entry, index, snapshot, notebook) for index, entry in enumerate(ingress.spec.tls or ())]
    by_host: dict[str, Certificate] = {}
    for host in hosts:
        indexes = entries.of(host)
        if not indexes:
            notebook.problem(
                "E4040",
                "CertificateMissing",
                f"Ingress {notebook.about}: no entry of spec.tls is for "
                + (f"host {shown(host)}" if host else "the rules without a host, which take the entry without hosts")
                + "; add one",
                field="spec.tls",
            )
        certificate = read[indexes[0]] if len(indexes) == 1 else None
        if certificate is None:
            notebook.hold_host(host)
        else:
            by_host[host] = certificate
    default = read[entries.default[0]] if len(entries.default) == 1 else None
    if default is None and not by_host:
        notebook.hold_listener(HTTPS)
    return Certificates(default, by_host)


def _read(entry: IngressTls, index: int, snapshot: Snapshot, notebook: Notebook) -> Certificate | None:
    field = f"spec.tls[{index}].secretName"
    if not entry.secret_name:
        notebook.problem(
            "E4009", "SecretNameMissing", f"Ingress {notebook.about}: {field} is empty; name a Secret", field=field
        )
        return None
    key = ObjectKey(notebook.about.namespace, entry.secret_name)
    if "Secret" in snapshot.unread:
        notebook.warn("", "NotRead", f"Secret {key} cannot be read now; hosts that use it are held", field=field)
        return None
    secret = snapshot.secrets.get(key)
    if secret is None:
        notebook.problem(
            "E4010",
            "SecretNotFound",
            f"Secret {key} of type Opaque not found; create it with the key qcloud_cert_id",
            field=field,
        )
        return None
    return _certificate(secret, notebook, field)


def _certificate(secret: Secret, notebook: Notebook, field: str) -> Certificate | None:
    ids = frozenset(part.strip() for part in (secret.qcloud_cert_id or "").split(",") if part.strip())
    ca_id = (secret.qcloud_ca_cert_id or "").strip()
    if not ids:
        notebook.problem(
            "E4011",
            "SecretWithoutCertificate",
            f"Secret {secret.key} has no qcloud_cert_id; put the id of a server certificate there",
            field=field,
        )
        return None
    if len(ids) > IDS_MAX or not all(CERTIFICATE_ID.fullmatch(one) for one in (*ids, *([ca_id] if ca_id else ()))):
        notebook.problem(
            "E4035",
            "BadCertificateId",
            f"Secret {secret.key} holds a malformed certificate id; qcloud_cert_id takes one id of eight characters, or"
            " two with a comma between them, qcloud_ca_cert_id takes one",
            field=field,
        )
        return None
    return Certificate(ids, ca_id or None)


def _fields(indexes: list[int]) -> str:
    return " and ".join(f"spec.tls[{index}]" for index in indexes)
