"""/openapi/v2 and /openapi/v3, with what kubectl reads in them: fields of kinds, and that fields are validated here.

kubectl asks for version 3 as JSON: for `explain`, and to learn from the `fieldValidation` parameter of a
patch that it need not validate by itself. Releases before 1.27 ask for version 2 as protobuf; they get a
document without definitions, which they take as "nothing to validate". The merge keys that kubectl needs are
built into it for the kinds that it knows.
"""

from tests.emulators.kube.kinds import Catalog, Kind
from tests.emulators.kube.listings import LISTINGS
from tests.emulators.kube.schema import models
from tests.emulators.kube.wire import Json, Request, Response, answer

_PLAIN: dict[str, Json] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int32"},
    "num": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "bytes": {"type": "string", "format": "byte"},
    "int-or-string": {"type": "string", "format": "int-or-string"},
    "any": {"type": "object"},
}
PROTOBUF_V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
EMPTY_PROTOBUF_V2 = b"\x0a\x032.0\x12\x18\x0a\x0aKubernetes\x12\x0av1.36.0-v2"
"""`swagger: "2.0"` and an `info` with title and version, in the wire format of gnostic's Document message."""


def respond(catalog: Catalog, request: Request) -> Response | None:
    """The answer to a request for a document, or nothing if it is none."""
    path = request.path.rstrip("/")
    if path == "/openapi/v2":
        return _version_2(catalog, request)
    if path == "/openapi/v3":
        return answer({"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}?hash={_hash(catalog)}"}
                                 for place in _places(catalog)}})  # fmt: skip
    if path.startswith("/openapi/v3/"):
        place = path.removeprefix("/openapi/v3/")
        if place in _places(catalog):
            return answer(_document(catalog, place))
    return None


def _version_2(catalog: Catalog, request: Request) -> Response:
    if "protobuf" in request.headers.get("accept", "").split(",")[0]:
        return Response(200, EMPTY_PROTOBUF_V2, {"Content-Type": PROTOBUF_V2})
    definitions = {_dotted(model): _struct(model, "#/definitions/") for model in models()}
    return answer({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": {},
                   "definitions": definitions})  # fmt: skip


def _hash(catalog: Catalog) -> str:
    return f"{sum(len(kind.plural) + 31 * len(str(kind.schema)) for kind in catalog):X}"


def _places(catalog: Catalog) -> dict[str, tuple[str, str]]:
    return {(f"apis/{group}/{version}" if group else f"api/{version}"): (group, version)
            for group, versions in catalog.versions().items() for version in versions}  # fmt: skip


def _document(catalog: Catalog, place: str) -> Json:
    group, version = _places(catalog)[place]
    paths: Json = {}
    schemas: Json = {}
    for kind in catalog:
        if (kind.group, kind.version) != (group, version):
            continue
        space = "/namespaces/{namespace}" if kind.namespaced else ""
        paths[f"/{place}{space}/{kind.plural}/{{name}}"] = _operations(kind)
        _collect(kind.model, schemas)
        schemas[_component(kind)] = _kind_schema(kind)
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.0"}, "paths": paths,
            "components": {"schemas": schemas}}  # fmt: skip


def _component(kind: Kind) -> str:
    if not kind.is_custom:
        return _dotted(kind.model)
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.name])


def _spoken(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _operations(kind: Kind) -> Json:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}}
                  for name in ("dryRun", "fieldManager", "fieldValidation")]  # fmt: skip
    about = {"x-kubernetes-group-version-kind": _spoken(kind), "parameters": parameters,
             "responses": {"200": {"description": "OK"}}}  # fmt: skip
    return {
        "get": {**about, "x-kubernetes-action": "get"},
        "put": {**about, "x-kubernetes-action": "put"},
        "patch": {**about, "x-kubernetes-action": "patch"},
    }


def _kind_schema(kind: Kind) -> Json:
    told = dict(kind.schema) if kind.is_custom else _struct(kind.model, "#/components/schemas/")
    told["x-kubernetes-group-version-kind"] = [_spoken(kind)]
    return told


def _dotted(model: str) -> str:
    group, version, name = model.partition("V1")
    return ".".join(part for part in ("io.k8s.api", group.lower(), version.lower(), name) if part)


def _collect(model: str, schemas: Json) -> None:
    waiting = [model] if model else []
    while waiting:
        name = waiting.pop()
        if _dotted(name) not in schemas:
            schemas[_dotted(name)] = _struct(name, "#/components/schemas/")
            waiting += [declared.split("@")[1] for declared in models()[name].values() if "@" in declared]


def _struct(model: str, place: str) -> Json:
    fields = models()[model]
    told: Json = {"type": "object", "properties": {}}
    for name, declared in fields.items():
        told["properties"][name] = _property(declared.removeprefix("!"), place)
        if listing := LISTINGS.get(f"{model}.{name}"):
            told["properties"][name] |= {"x-kubernetes-list-type": listing.kind}
            if listing.keys:
                told["properties"][name] |= {"x-kubernetes-list-map-keys": list(listing.keys)}
            if listing.merge_key:
                told["properties"][name] |= {"x-kubernetes-patch-merge-key": listing.merge_key,
                                             "x-kubernetes-patch-strategy": "merge"}  # fmt: skip
    if required := [name for name, declared in fields.items() if declared.startswith("!")]:
        told["required"] = required
    return told


def _property(declared: str, place: str) -> Json:
    if declared.startswith("@"):
        return {"allOf": [{"$ref": place + _dotted(declared[1:])}]}
    if declared.startswith("[]"):
        return {"type": "array", "items": _property(declared[2:], place)}
    if declared.startswith("{}"):
        return {"type": "object", "additionalProperties": _property(declared[2:], place)}
    return dict(_PLAIN[declared])
