"""Manifests as caches: files, directories or standard input, completed with what an API server would have given.

A file is anybody's: whatever stands in it, the answer is objects, or Rejected with one line that names the place and
repeats no value.
"""

import base64
import binascii
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import yaml

from l7lb.adapters.kube import kinds
from l7lb.app.caches import Stores
from l7lb.errors import Rejected
from l7lb.model.cluster import Ingress, IngressClass, Node, Object, Secret, Service, TkeServiceConfig
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.identity import ObjectKey
from l7lb.model.pods import Pod
from l7lb.model.shapes import converted
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.runtime.store import Store

STDIN: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""Of the files that are read in a directory, as with kubectl."""

SIZE_MAX: Final = 32 << 20
"""Bytes of one file."""
ALIASED_MAX: Final = 200_000
"""Nodes that the aliases of one document may add to those that are written out; long texts count more."""
DEPTH_MAX: Final = 100

_NETWORKING: Final = "networking.k8s.io"
_OLD_INGRESS: Final = ("extensions/v1beta1", f"{_NETWORKING}/v1beta1")


class _Kind(NamedTuple):
    group: str
    store: str
    view: type[Object]
    form: kinds.Kind[Any] | None = None
    """How it is written, where that is not how it is kept."""


_KINDS: Mapping[str, _Kind] = {
    "Ingress": _Kind(_NETWORKING, "ingresses", Ingress),
    "IngressClass": _Kind(_NETWORKING, "classes", IngressClass),
    "Service": _Kind("", "services", Service),
    "EndpointSlice": _Kind("discovery.k8s.io", "slices", EndpointSlice, kinds.ENDPOINT_SLICE),
    "Pod": _Kind("", "pods", Pod),
    "Node": _Kind("", "nodes", Node),
    "Secret": _Kind("", "secrets", Secret),
    "TkeServiceConfig": _Kind("cloud.tencent.com", "configs", TkeServiceConfig),
}

Document = Mapping[str, object]


class _Loader(yaml.SafeLoader):
    """Leaves a timestamp the text that it is in the API, and measures a document before it is unfolded."""

    def get_node(self) -> yaml.Node | None:
        """The next document. YAMLError: what it unfolds to is too much."""
        node: yaml.Node | None = super().get_node()
        if node is not None:
            _measure(node)
        return node


def _as_text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_Loader.add_constructor(_TIMESTAMP, _as_text)
_Loader.yaml_implicit_resolvers = {
    first: [row for row in rows if row[0] != _TIMESTAMP]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Extent(NamedTuple):
    """Of a node with everything below it, aliases followed."""

    weight: int
    height: int


def _measure(root: yaml.Node) -> None:
    known: dict[int, _Extent | None] = {}
    written = 0

    def extent(node: yaml.Node) -> _Extent:
        nonlocal written
        if id(node) in known:
            found = known[id(node)]
            if found is None:
                raise yaml.YAMLError("an alias stands within what it names")
            return found
        known[id(node)] = None
        weight, height = 1, 0
        if isinstance(node, yaml.ScalarNode):
            weight += len(node.value.encode()) // 1024
        written += weight
        for part in _parts(node):
            below = extent(part)
            weight, height = weight + below.weight, max(height, below.height)
        found = known[id(node)] = _Extent(weight, height + 1)
        return found

    whole = extent(root)
    if whole.height > DEPTH_MAX:
        raise yaml.YAMLError(f"nested more than {DEPTH_MAX} deep")
    if whole.weight - written > ALIASED_MAX:
        raise yaml.YAMLError(f"aliases add more than {ALIASED_MAX} nodes")


def _parts(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def load(paths: Iterable[Path], kept: Stores) -> None:
    """Put every object of a kind that counts into its store; raises Rejected for what cannot be read."""
    number = 0
    seen: dict[tuple[str, ObjectKey], tuple[str, Document]] = {}
    for path in paths:
        for file in _files(path):
            for place, document in _documents(file):
                number += 1
                kind = _kind_of(place, document)
                if kind is None:
                    continue
                made = _decoded(place, kind, _completed(place, document, number))
                first, same = seen.setdefault((kind.store, made.key), (place, document))
                # What Ingresses share may be repeated in the file of each, but must not say two things.
                if same is not document and (kind.view is Ingress or same != document):
                    raise _refusal(place, f"{kind.view.__name__} {made.key} is there already, in {first}")
                meta, store = made.metadata, _store(kept, kind)
                store.apply(Change(ChangeType.ADDED, Item(made.key, meta.uid, meta.resource_version, made)))


def _store(kept: Stores, kind: _Kind) -> Store[Object]:
    store: Store[Object] = getattr(kept, kind.store)
    return store


def _refusal(place: object, what: str) -> Rejected:
    """It ends the command, so there is no Event that needs a reason."""
    return Rejected(f"{place}: {what}", reason="")


def _files(path: Path) -> Iterable[Path]:
    try:
        if str(path) == STDIN or not path.is_dir():
            return (path,)
        found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        raise _refusal(path, error.strerror or "cannot be read") from None
    if not found:
        raise _refusal(path, f"no {', '.join(SUFFIXES)} in this directory")
    return found


def _text(path: Path) -> str:
    try:
        if str(path) == STDIN:
            text = sys.stdin.read(SIZE_MAX + 1)
            size = len(text)
        else:
            with path.open("rb") as file:
                content = file.read(SIZE_MAX + 1)
            text, size = content.decode("utf-8") if len(content) <= SIZE_MAX else "", len(content)
    except OSError as error:
        raise _refusal(path, error.strerror or "cannot be read") from None
    except UnicodeDecodeError:
        raise _refusal(path, "is no text in UTF-8") from None
    if size > SIZE_MAX:
        raise _refusal(path, f"is larger than {SIZE_MAX >> 20} MiB")
    return text


def _parsed(path: Path) -> list[object]:
    try:
        return list(yaml.load_all(_text(path), Loader=_Loader))
    except RecursionError:
        raise _refusal(path, "nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        # Without the line itself, which may be one of a Secret.
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise _refusal(path, f"{line}{error.problem or 'cannot be read'}") from None
    except yaml.YAMLError as error:
        raise _refusal(path, str(error)) from None
    except (ValueError, LookupError, AttributeError, TypeError):
        # The constructors of the explicit tags (`!!bool x`) fail in these ways.
        raise _refusal(path, "a value is not of the type that its form or its tag says") from None


def _documents(path: Path) -> Iterator[tuple[str, Document]]:
    """Each object with its place."""
    for number, document in enumerate(_parsed(path), start=1):
        place = f"{path}: document {number}"
        if document is None:
            continue
        if not isinstance(document, dict) or document.get("kind") != "List":
            yield place, _object(place, document)
            continue
        items = document.get("items") or ()
        if not isinstance(items, list | tuple):
            raise _refusal(place, "the items of a List must be a list")
        for position, one in enumerate(items, start=1):
            inner = f"{place}, item {position}"
            yield inner, _object(inner, one)


def _object(place: str, document: object) -> Document:
    if isinstance(document, dict) and isinstance(document.get("kind"), str) and document["kind"]:
        return document
    raise _refusal(place, "is no Kubernetes object")


def _kind_of(place: str, document: Document) -> _Kind | None:
    """None: not one that counts. Without any apiVersion an object is taken for what its kind says."""
    name = str(document["kind"])
    kind, version = _KINDS.get(name), document.get("apiVersion")
    if kind is None or version is None:
        return kind
    if name == "Ingress" and version in _OLD_INGRESS:
        raise _refusal(place, f"Ingress: old API version {version}, convert to {_NETWORKING}/v1")
    group = version.rpartition("/")[0] if isinstance(version, str) else None
    return kind if group == kind.group else None


def _decoded(place: str, kind: _Kind, completed: Document) -> Object:
    try:
        if kind.form is None:
            return converted(completed, kind.view, strict=False)
        made: Object = kind.form.view(converted(completed, kind.form.wire, strict=False))
        return made
    except (ValueError, RecursionError) as error:
        meta = completed["metadata"]
        name = meta.get("name") if isinstance(meta, dict) else ""
        raise _refusal(place, f"{kind.view.__name__} {name}: {error}") from None


def _completed(place: str, document: Document, number: int) -> dict[str, object]:
    """A namespace, a UID, node ports, the ids of a Secret in plain."""
    made: dict[str, object] = dict(document)
    made["metadata"] = _metadata(place, document, number)
    match made["kind"]:
        case "Secret":
            made |= _certificates(made)
        case "Service":
            made["spec"] = _with_node_ports(made.get("spec"))
        case "TkeServiceConfig":
            try:
                made["spec"] = msgspec.Raw(msgspec.json.encode(made.get("spec") or {}))
            except (TypeError, ValueError, OverflowError):
                raise _refusal(place, "the spec of this TkeServiceConfig cannot be written as JSON") from None
    return made


def _metadata(place: str, document: Document, number: int) -> dict[str, object]:
    kind, raw = document["kind"], document.get("metadata")
    if raw is not None and not isinstance(raw, dict):
        raise _refusal(place, f"{kind}: metadata must be a mapping")
    meta: dict[str, object] = dict(raw or {})
    if meta.get("name") in (None, ""):
        raise _refusal(place, f"{kind} without a name")
    if kind not in ("Node", "IngressClass"):
        meta["namespace"] = meta.get("namespace") or "default"
    if not isinstance(meta["name"], str) or not isinstance(meta.get("namespace", ""), str):
        raise _refusal(place, f"{kind}: name and namespace must be text")
    meta["uid"] = meta.get("uid") or f"offline-{meta.get('namespace', '')}-{meta['name']}"
    meta["resourceVersion"] = meta.get("resourceVersion") or str(number)
    return meta


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
