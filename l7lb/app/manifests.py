"""Manifests as caches: files, directories or standard input, completed with what an API server would have given."""

import base64
import binascii
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import yaml

from l7lb.app.caches import Stores
from l7lb.errors import ConfigurationError
from l7lb.model.cluster import (
    EndpointSlice,
    Ingress,
    IngressClass,
    Node,
    Object,
    Secret,
    Service,
    TkeServiceConfig,
)
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.runtime.store import Store

STDIN: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""Of the files that are read in a directory, as with kubectl."""

_KINDS: Mapping[str, tuple[str, type[Object]]] = {
    "Ingress": ("ingresses", Ingress),
    "IngressClass": ("classes", IngressClass),
    "Service": ("services", Service),
    "EndpointSlice": ("slices", EndpointSlice),
    "Node": ("nodes", Node),
    "Secret": ("secrets", Secret),
    "TkeServiceConfig": ("configs", TkeServiceConfig),
}

Document = Mapping[str, object]


def load(paths: Iterable[Path], kept: Stores) -> None:
    """Put every object of a kind that counts into its store; raises ConfigurationError for what cannot be read."""
    number = 0
    for path in paths:
        for file in _files(path):
            for document in _documents(file):
                number += 1
                _enter(kept, document, number, str(file))


def _files(path: Path) -> Iterable[Path]:
    if str(path) == STDIN or not path.is_dir():
        return (path,)
    found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise ConfigurationError(f"--filename: no {', '.join(SUFFIXES)} in {path}")
    return found


def _documents(path: Path) -> Iterable[Document]:
    try:
        text = sys.stdin.read() if str(path) == STDIN else path.read_text(encoding="utf-8")
        documents = list(yaml.safe_load_all(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"--filename: {path}: {error}") from None
    for number, document in enumerate(documents, start=1):
        if document is None:
            continue
        listed = document.get("items") or () if _kind(document) == "List" else (document,)
        for one in listed:
            if not _kind(one):
                raise ConfigurationError(f"--filename: {path}: document {number} is no Kubernetes object")
            yield one


def _kind(document: object) -> str:
    return str(document.get("kind") or "") if isinstance(document, dict) else ""


def _enter(kept: Stores, document: Document, number: int, where: str) -> None:
    row = _KINDS.get(_kind(document))
    if row is None:
        return
    name, kind = row
    completed = _completed(document, number)
    try:
        decoded = msgspec.convert(completed, kind, strict=False)
    except msgspec.ValidationError as error:
        raw = completed.get("metadata")
        called = raw.get("name", "without a name") if isinstance(raw, dict) else "without a name"
        raise ConfigurationError(f"--filename: {where}: {_kind(document)} {called}: {error}") from None
    store: Store[Object] = getattr(kept, name)
    meta = decoded.metadata
    store.apply(Change(ChangeType.ADDED, Item(decoded.key, meta.uid, meta.resource_version, decoded)))


def _completed(document: Document, number: int) -> dict[str, object]:
    """A namespace, a UID, node ports, the ids of a Secret in plain."""
    made: dict[str, object] = dict(document)
    raw = made.get("metadata")
    meta: dict[str, object] = dict(raw) if isinstance(raw, dict) else {}
    if made["kind"] not in ("Node", "IngressClass"):
        meta.setdefault("namespace", "default")
    meta.setdefault("uid", f"offline-{meta.get('namespace', '')}-{meta.get('name', '')}")
    meta.setdefault("resourceVersion", str(number))
    made["metadata"] = meta
    match made["kind"]:
        case "Secret":
            made |= _certificates(made)
        case "Service":
            made["spec"] = _with_node_ports(made.get("spec"))
        case "TkeServiceConfig":
            made["spec"] = msgspec.Raw(msgspec.json.encode(made.get("spec") or {}))
    return made


def _certificates(secret: Document) -> dict[str, object]:
    """The two ids, from `stringData` or from base64 in `data`."""
    plain, encoded = secret.get("stringData"), secret.get("data")
    found: dict[str, object] = {}
    for name, view in (("qcloud_cert_id", "qcloudCertId"), ("qcloud_ca_cert_id", "qcloudCaCertId")):
        if isinstance(plain, dict) and name in plain:
            found[view] = str(plain[name]).strip()
        elif isinstance(encoded, dict) and name in encoded:
            try:
                found[view] = base64.b64decode(str(encoded[name]), validate=True).decode().strip()
            except (binascii.Error, UnicodeDecodeError):
                found[view] = ""
    return found


def _with_node_ports(spec: object) -> dict[str, object]:
    """A cluster gives out node ports; files lack them, so each gets one that is stable (`PLACEHOLDER` says so)."""
    made: dict[str, object] = dict(spec) if isinstance(spec, dict) else {}
    ports = made.get("ports")
    if made.get("type") in ("NodePort", "LoadBalancer") and isinstance(ports, list):
        made["ports"] = [{"nodePort": _placeholder(port)} | port if isinstance(port, dict) else port for port in ports]
    return made


def _placeholder(port: Mapping[str, object]) -> int:
    number = port.get("port")
    return 30000 + (number if isinstance(number, int) else 0) % 2768


PLACEHOLDER: Final = (
    "node ports that the files do not name are placeholders; without Node objects no targets are planned"
)
