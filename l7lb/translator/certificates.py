"""spec.tls with its Secrets, or the annotation -> the effective certificate of each host. A bad one holds its hosts.

An exact entry beats a wildcard of one label, which beats the entry without hosts. What a Secret or the annotation holds
is never put into a message: people paste keys into the wrong field.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from l7lb.model.cluster import IngressTls, Secret
from l7lb.model.identity import ObjectKey
from l7lb.model.loadbalancer import Certificate
from l7lb.model.snapshot import Snapshot
from l7lb.translator.certificate_list import Listed, certificate_list
from l7lb.translator.names import Name
from l7lb.translator.notebook import HTTPS, Notebook, shown
from l7lb.translator.options import Reading, field_of

CERTIFICATE_ID: Final = re.compile(r"[A-Za-z0-9_-]{8}", re.ASCII)
"""Ids of the SSL service have eight characters."""
IDS_MAX: Final = 2
"""One for each of two key algorithms."""

_ANNOTATION: Final = f"annotation {Name.CERTIFICATE.value}"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Effective certificates. A host that is in none of the two has none that can be told: it is held."""

    default: Certificate | None
    by_host: Mapping[str, Certificate]
    sni: bool = False
    """Whether each host is to bring its own from the beginning: the annotation with nothing but hosts."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One declaration, wherever it stands."""

    hosts: tuple[str, ...]
    name: str
    """As messages call it."""
    read: Callable[[], Certificate | None]
    """Looks the certificate up; None once the author has heard why there is none."""


class _Entries:
    """All declarations of one Ingress by what they are for."""

    def __init__(self, entries: tuple[_Entry, ...], where: str, notebook: Notebook) -> None:
        """`where`: the place that all of them stand in."""
        self.where = where
        self.default = tuple(entry for entry in entries if not entry.hosts)
        self._by_host: dict[str, list[_Entry]] = {}
        for entry in entries:
            for host in dict.fromkeys(entry.hosts):
                self._by_host.setdefault(host, []).append(entry)
        if len(self.default) > 1:
            notebook.problem(
                "E4048",
                "DefaultCertificateAmbiguous",
                f"Ingress {notebook.about}: {_names(self.default)} have no hosts; only one entry may be the default",
                field=where,
            )
        for host, found in self._by_host.items():
            if len(found) > 1:
                notebook.problem(
                    "E4049",
                    "HostCertificateAmbiguous",
                    f"Ingress {notebook.about}: host {shown(host)} is in {_names(found)}; leave it in one entry",
                    field=where,
                )
        self._read = {id(entry): entry.read() for entry in entries}

    def of(self, host: str) -> tuple[_Entry, ...]:
        """Entries that are for this host: none, one, or too many."""
        if host in self._by_host:
            return tuple(self._by_host[host])
        return tuple(self._by_host.get("*." + host.partition(".")[2], ())) or self.default

    def one(self, found: tuple[_Entry, ...]) -> Certificate | None:
        """The certificate, if exactly one usable entry was found."""
        return self._read[id(found[0])] if len(found) == 1 else None


def certificate_ids(snapshot: Snapshot) -> frozenset[str]:
    """Every certificate that the Ingress names, client CAs included, whether it is in use yet or not."""
    ingress = snapshot.ingress
    unheard = Notebook(ingress)
    try:
        listed = certificate_list(ingress.annotations.get(Name.CERTIFICATE, ""))
    except ValueError:
        listed = ()
    entries = [_of_annotation(entry, index, unheard) for index, entry in enumerate(listed)]
    entries += [_of_tls(entry, index, snapshot, unheard) for index, entry in enumerate(ingress.spec.tls or ())]
    found = (entry.read() for entry in entries)
    return frozenset(
        one for certificate in found if certificate for one in (*certificate.ids, certificate.ca_id) if one
    )


def is_https(snapshot: Snapshot, reading: Reading) -> bool:
    """Whether the Ingress brings certificates, or means to."""
    return bool(snapshot.ingress.spec.tls or _listed(reading)) or _is_unreadable(snapshot, reading)


def certificates(
    snapshot: Snapshot, reading: Reading, hosts: tuple[str, ...], notebook: Notebook
) -> Certificates | None:
    """The certificates of the hosts that are served by HTTPS; those without an answer are held. None: no TLS is asked.

    With spec.tls and the annotation at once, or with an annotation that cannot be read, no host has an answer.
    """
    ingress = snapshot.ingress
    listed, unreadable = _listed(reading), _is_unreadable(snapshot, reading)
    if not is_https(snapshot, reading):
        return None
    if ingress.spec.tls and (listed or unreadable):
        notebook.problem(
            "",
            "TwoSourcesOfCertificates",
            f"Ingress {notebook.about}: {_ANNOTATION} and spec.tls cannot be together; until one is removed, HTTPS is"
            " left as it is",
            field=field_of(Name.CERTIFICATE),
        )
    if unreadable or (ingress.spec.tls and listed):
        return _choose(None, hosts, notebook)
    if listed:
        entries = tuple(_of_annotation(entry, index, notebook) for index, entry in enumerate(listed))
        chosen = _choose(_Entries(entries, field_of(Name.CERTIFICATE), notebook), hosts, notebook)
        return replace(chosen, sni=all(entry.hosts for entry in listed))
    entries = tuple(_of_tls(entry, index, snapshot, notebook) for index, entry in enumerate(ingress.spec.tls or ()))
    return _choose(_Entries(entries, "spec.tls", notebook), hosts, notebook)


def _choose(entries: _Entries | None, hosts: tuple[str, ...], notebook: Notebook) -> Certificates:
    """`entries` None: nothing can be told, and its author has heard why."""
    by_host: dict[str, Certificate] = {}
    for host in hosts:
        found = entries.of(host) if entries is not None else ()
        if entries is not None and not found:
            notebook.problem(
                "E4040",
                "CertificateMissing",
                f"Ingress {notebook.about}: no entry of {entries.where} is for "
                + (f"host {shown(host)}" if host else "the rules without a host, which take the entry without hosts")
                + "; add one",
                field=entries.where,
            )
        certificate = entries.one(found) if entries is not None else None
        if certificate is None:
            notebook.hold_certificate(host)
        else:
            by_host[host] = certificate
    default = entries.one(entries.default) if entries is not None else None
    if default is None and not by_host:
        notebook.hold_listener(HTTPS)
    return Certificates(default, by_host)


def _listed(reading: Reading) -> tuple[Listed, ...]:
    value = reading.values.get(Name.CERTIFICATE)
    return tuple(one for one in value if isinstance(one, Listed)) if isinstance(value, tuple) else ()


def _is_unreadable(snapshot: Snapshot, reading: Reading) -> bool:
    return Name.CERTIFICATE in snapshot.ingress.annotations and Name.CERTIFICATE not in reading.values


def _of_annotation(entry: Listed, index: int, notebook: Notebook) -> _Entry:
    name = f"{field_of(Name.CERTIFICATE)}[{index}]"
    return _Entry(entry.hosts, name, partial(_from_list, entry, name, notebook))


def _from_list(entry: Listed, name: str, notebook: Notebook) -> Certificate | None:
    if entry.asks_for_ca:
        notebook.problem(
            "",
            "ClientAuthorityNotSupported",
            f"Ingress {notebook.about}: entry {name} has qcloud_ca_cert_id, which this annotation does not take;"
            " use spec.tls and a Secret for mutual TLS",
            field=name,
        )
        return None
    ids = frozenset(entry.ids)
    if not ids:
        notebook.problem(
            "E4011",
            "EntryWithoutCertificate",
            f"Ingress {notebook.about}: entry {name} has no qcloud_cert_id; put the id of a server certificate there",
            field=name,
        )
        return None
    if not _are_ids(ids):
        notebook.problem(
            "E4035",
            "BadCertificateId",
            f"Ingress {notebook.about}: entry {name} holds a malformed certificate id; qcloud_cert_id takes a list of"
            " one or two ids of eight characters",
            field=name,
        )
        return None
    return Certificate(ids)


def _of_tls(entry: IngressTls, index: int, snapshot: Snapshot, notebook: Notebook) -> _Entry:
    name = f"spec.tls[{index}]"
    return _Entry(
        tuple(entry.hosts or ()), name, partial(_from_secret, entry, f"{name}.secretName", snapshot, notebook)
    )


def _from_secret(entry: IngressTls, field: str, snapshot: Snapshot, notebook: Notebook) -> Certificate | None:
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
    if not _are_ids(ids) or (ca_id and not _are_ids({ca_id})):
        notebook.problem(
            "E4035",
            "BadCertificateId",
            f"Secret {secret.key} holds a malformed certificate id; qcloud_cert_id takes one id of eight characters, or"
            " two with a comma between them, qcloud_ca_cert_id takes one",
            field=field,
        )
        return None
    return Certificate(ids, ca_id or None)


def _are_ids(ids: Iterable[str]) -> bool:
    words = tuple(ids)
    return len(words) <= IDS_MAX and all(CERTIFICATE_ID.fullmatch(one) for one in words)


def _names(entries: Iterable[_Entry]) -> str:
    return " and ".join(entry.name for entry in entries)
