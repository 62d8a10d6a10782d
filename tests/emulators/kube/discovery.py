"""What is served, told to those who ask: /api, /apis and what is below them, /version.

Aggregated discovery is offered too (one answer for all groups). Source: "Kubernetes API Concepts"; the API
reference, APIResourceList v1 meta, APIGroupDiscoveryList v2 apidiscovery.k8s.io.
"""

from tests.emulators.kube.kinds import REVIEWS, Catalog, Kind
from tests.emulators.kube.wire import Json, Request, Response, answer, dump

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.0",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-04-22T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}
"""A release whose resource versions may be compared as numbers."""
STORED_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def respond(catalog: Catalog, request: Request) -> Response | None:
    """The answer to a discovery request, or nothing if it is none."""
    path = request.path.rstrip("/")
    parts = path.split("/")[1:]
    if path == "/version":
        return answer(VERSION)
    if path in {"/api", "/apis"}:
        if _wants_aggregated(request):
            return _aggregated(catalog, is_core=path == "/api")
        return answer(_core_versions() if path == "/api" else _groups(catalog))
    if parts == ["api", "v1"]:
        return answer(_resources(catalog, "", "v1"))
    versions = catalog.versions()
    if parts[0] == "apis" and len(parts) == 2 and parts[1] in versions:
        return answer({"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], versions[parts[1]])})
    if parts[0] == "apis" and len(parts) == 3 and parts[2] in versions.get(parts[1], ()):
        return answer(_resources(catalog, parts[1], parts[2]))
    return None


def _wants_aggregated(request: Request) -> bool:
    first = request.headers.get("accept", "").replace(" ", "").split(",")[0]
    return all(part in first.split(";") for part in AGGREGATED.split(";"))


def _core_versions() -> Json:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
    }


def _group(group: str, versions: list[str]) -> Json:
    told = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": told, "preferredVersion": told[0]}


def _groups(catalog: Catalog) -> Json:
    groups = [_group(group, versions) for group, versions in catalog.versions().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _verbs(kind: Kind) -> list[str]:
    return ["create"] if kind in REVIEWS else STORED_VERBS


def _resources(catalog: Catalog, group: str, version: str) -> Json:
    told: list[Json] = []
    for kind in catalog:
        if (kind.group, kind.version) != (group, version):
            continue
        entry: Json = {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.name,
            "verbs": _verbs(kind),
        }
        if kind.short:
            entry["shortNames"] = list(kind.short)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        told.append(entry)
        told += [_subresource(kind, subresource) for subresource in kind.subresources]
    group_version = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": told}


def _subresource(kind: Kind, subresource: str) -> Json:
    about = _subresource_kind(kind, subresource)
    return {"name": f"{kind.plural}/{subresource}", "singularName": "", "namespaced": kind.namespaced, **about}


def _subresource_kind(kind: Kind, subresource: str) -> Json:
    if subresource == "scale":
        return {"group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"]}
    return {"kind": kind.name, "verbs": ["update"] if subresource == "finalize" else ["get", "patch", "update"]}


def _aggregated(catalog: Catalog, *, is_core: bool) -> Response:
    items = []
    for group, versions in catalog.versions().items():
        if (group == "") is is_core:
            told = [
                {
                    "version": version,
                    "resources": _aggregated_resources(catalog, group, version),
                    "freshness": "Current",
                }
                for version in versions
            ]
            items.append(
                {
                    "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
                    "versions": told,
                }
            )
    body = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    return Response(200, dump(body), {"Content-Type": AGGREGATED, "Vary": "Accept"})


def _aggregated_resources(catalog: Catalog, group: str, version: str) -> list[Json]:
    told = []
    for kind in catalog:
        if (kind.group, kind.version) != (group, version):
            continue
        entry: Json = {
            "resource": kind.plural,
            "responseKind": _spoken(kind.group, kind.version, kind.name),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "singularResource": kind.singular,
            "verbs": _verbs(kind),
        }
        if kind.short:
            entry["shortNames"] = list(kind.short)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        if kind.subresources:
            entry["subresources"] = [_aggregated_subresource(kind, subresource) for subresource in kind.subresources]
        told.append(entry)
    return told


def _aggregated_subresource(kind: Kind, subresource: str) -> Json:
    plain = _subresource_kind(kind, subresource)
    spoken = _spoken(plain.get("group", kind.group), plain.get("version", kind.version), plain["kind"])
    return {"subresource": subresource, "responseKind": spoken, "verbs": plain["verbs"]}


def _spoken(group: str, version: str, kind: str) -> Json:
    return {"group": group, "version": version, "kind": kind}
