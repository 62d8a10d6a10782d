"""An API server in one object: `handle(request)` answers, `start()` puts a socket in front of it.

Routing, authentication, the request log and faults are here; what a request does is in the modules of its
verb.
"""

import json
import random
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import yaml

from tests.emulators.kube import (
    control,
    discovery,
    openapi,
    protobuf,
    reads,
    removals,
    reviews,
    scaling,
    targets,
    views,
    writes,
)
from tests.emulators.kube.faults import Hang
from tests.emulators.kube.kinds import REVIEWS
from tests.emulators.kube.server import KubeServer, Tls
from tests.emulators.kube.storage import Record, Storage
from tests.emulators.kube.targets import Target, WriteOptions
from tests.emulators.kube.wire import (
    ApiError,
    ConnectionLost,
    Json,
    Request,
    Response,
    answer,
    copied,
    no_such_path,
    not_found,
)
from tests.emulators.kube.world import World

BOOTSTRAP = (
    *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
      for name in ("default", "kube-system", "kube-public", "kube-node-lease")),
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
     "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]}},
)  # fmt: skip
PATCH_TYPES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
STRATEGIC = "application/strategic-merge-patch+json"
HEALTH = {"/healthz", "/livez", "/readyz"}


class KubeEmulator:
    """The whole emulator. The same seed, clock and requests give the same answers, byte for byte."""

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        compact_after: int = 10_000,
        token: str = "",
        tls: Tls | None = None,
    ) -> None:
        self.world = World(clock, random.Random(seed), Storage(compact_after))
        self.controls = control.Controls(self.world)
        self._token = token
        self._server = KubeServer(self.handle, tls)
        for obj in BOOTSTRAP:
            self.create(copied(obj))
        self.controls.log.clear()

    def create(self, obj: Json) -> Json:
        """Create an object from its manifest, as kubectl would; the stored object comes back."""
        request = Request.of("POST", self._place_of(obj), obj, {"User-Agent": "kube-apiserver", **self._credentials()})
        response = self.handle(request)
        if response.status != 201:
            raise AssertionError(response.body.decode())
        return response.json()

    def _place_of(self, obj: Json) -> str:
        group, _, version = obj["apiVersion"].rpartition("/")
        kind = next(k for k in self.world.catalog if (k.group, k.version, k.name) == (group, version, obj["kind"]))
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        space = f"/namespaces/{obj['metadata'].get('namespace', 'default')}" if kind.namespaced else ""
        return f"{root}{space}/{kind.plural}"

    def _credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises `ConnectionLost`, `Hang` or `ConnectionRefusedError` where a fault wants no answer.
        """
        if request.path.startswith(control.PREFIX):
            return self._guarded(self.controls.respond, request)
        if self.world.time() < self.controls.out_until:
            raise ConnectionRefusedError
        target = targets.parse(self.world.catalog, request.path)
        verb = _verb(request, target)
        resource = _resource(target) if target else request.path
        line: Json = {"at": self.world.stamp(), "verb": verb, "resource": resource, "path": request.path,
                      "query": dict(request.query), "agent": request.headers.get("user-agent", "")}  # fmt: skip
        self.controls.log.note(line)
        fault = self.controls.faults.take(verb, resource) if target else None
        name = target.name if target else ""

        def respond(asked: Request) -> Response:
            if fault:
                fault.strike(resource, name)
            return self._route(asked, target, verb)

        response = self._guarded(respond, request)
        line["status"] = response.status
        if fault and fault.kind == "lost":
            raise ConnectionLost
        return response

    def _guarded(self, respond: Callable[[Request], Response], request: Request) -> Response:
        try:
            with self.world.storage.changed:
                return respond(request)
        except ApiError as error:
            response = answer(error.status(), error.code)
            if error.retry_after_s:
                response.headers["Retry-After"] = str(error.retry_after_s)
            return response
        except (ConnectionError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001  (a bug of ours must reach the one who asks, and be seen)
            traceback.print_exc()
            told = f"bug in the emulator: {traceback.format_exc(limit=-1)}"
            return answer(ApiError(500, told, "InternalError").status(), 500)

    def _route(self, request: Request, target: Target | None, verb: str) -> Response:
        if request.path.split("/")[1] in {path[1:] for path in HEALTH}:
            return Response(200, b"ok", {"Content-Type": "text/plain; charset=utf-8"})
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            raise ApiError(401, "Unauthorized")
        if target is None:
            found = discovery.respond(self.world.catalog, request) or openapi.respond(self.world.catalog, request)
            return found or self._nowhere(request.path)
        view = views.negotiated(request)
        response = self._act(request, target, verb, view)
        return views.as_yaml(response) if view.is_yaml and response.stream is None else response

    def _nowhere(self, path: str) -> Response:
        _, root, *rest = path.split("/")
        group, version = ("", rest[:1]) if root == "api" else ("".join(rest[:1]), rest[1:2])
        if root in {"api", "apis"} and version and version[0] in self.world.catalog.versions().get(group, ()):
            raise no_such_path()
        return Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

    def _act(self, request: Request, target: Target, verb: str, view: views.View) -> Response:
        if target.kind in REVIEWS:
            return self._review(request, target)
        if target.subresource == "scale":
            return self._scale(request, target, verb)
        match verb:
            case "get":
                return reads.get(self.world, target, view, dict(request.query))
            case "list":
                return reads.list_(self.world, target, view, request)
            case "watch":
                return reads.watch(self.world, target, view, request)
            case "delete":
                options = removals.DeleteOptions.of(_body(request), dict(request.query))
                obj = removals.delete(self.world, target, options)
                return answer(obj) if obj["kind"] == "Status" else self._told(target, view, writes.Outcome(obj, []))
            case "deletecollection":
                return self._delete_collection(request, target, view)
            case "create" | "update" | "patch":
                return self._write(request, target, verb, view)
            case _:
                raise ApiError(
                    405, "the server does not allow this method on the requested resource", "MethodNotAllowed"
                )

    def _write(self, request: Request, target: Target, verb: str, view: views.View) -> Response:
        options = WriteOptions.of(request, target)
        if verb == "patch":
            outcome = writes.patch(self.world, target, _patch_type(request, target), request.body, options)
        elif target.subresource == "finalize":
            outcome = writes.Outcome(removals.finalize_namespace(self.world, target, _body(request)), [])
        elif verb == "update":
            outcome = writes.update(self.world, target, _body(request), options)
        else:
            outcome = writes.create(self.world, target, _body(request), options)
        return self._told(target, view, outcome)

    def _told(self, target: Target, view: views.View, outcome: writes.Outcome) -> Response:
        body = views.Renderer(self.world, target.kind, view).one(Record(outcome.obj, 0))
        response = answer(None, 201 if outcome.created else 200, outcome.warnings)
        response.body = body
        return response

    def _delete_collection(self, request: Request, target: Target, view: views.View) -> Response:
        plain = Request("GET", request.path, request.query, {**request.headers, "accept": "application/json"})
        listed = reads.list_(self.world, target, views.View(), plain).json()
        options = removals.DeleteOptions.of(_body(request), dict(request.query))
        for item in listed["items"]:
            space, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
            removals.delete(self.world, Target(target.kind, space, name), options)
        return reads.list_(self.world, target, view, plain) if not listed["items"] else answer(listed)

    def _review(self, request: Request, target: Target) -> Response:
        if request.method != "POST":
            raise ApiError(405, "the server does not allow this method on the requested resource")
        return answer(reviews.reviewed(target.kind, _body(request)), 201)

    def _scale(self, request: Request, target: Target, verb: str) -> Response:
        record = self.world.find(target.kind, target.namespace, target.name)
        if record is None:
            raise not_found(target.kind.plural, target.kind.group, target.name)
        if verb == "get":
            return answer(scaling.of_object(target.kind, record.obj))
        if verb == "patch":
            scale = writes.patched(target, _patch_type(request, target), scaling.of_object(target.kind, record.obj),
                                   request.body)  # fmt: skip
        else:
            scale = _body(request)
        whole = Target(target.kind, target.namespace, target.name)
        outcome = writes.update(self.world, whole, scaling.scaled(record.obj, scale), WriteOptions.of(request, target))
        return answer(scaling.of_object(target.kind, outcome.obj))

    def start(self, port: int = 0, host: str = "127.0.0.1") -> Self:
        """Listen on a loopback port, 0 for any; returns when connections are taken."""
        self.controls.on_outage = self._server.outage
        self._server.start(host, port)
        return self

    def stop(self) -> None:
        """Stop listening, end all watches and connections."""
        self._server.stop()
        self.world.storage.end_watches()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def kubeconfig(self) -> str:
        """A kubeconfig that leads here, as YAML."""
        cluster: Json = {"server": self.url}
        if self._server.tls:
            cluster["certificate-authority-data"] = self._server.tls.authority_data()
        user: Json = {"token": self._token} if self._token else {}
        return yaml.safe_dump({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "emulator", "cluster": cluster}],
            "users": [{"name": "emulator", "user": user}],
            "contexts": [{"name": "emulator", "context": {"cluster": "emulator", "user": "emulator"}}],
            "current-context": "emulator",
        })  # fmt: skip

    def write_kubeconfig(self, path: Path) -> None:
        """The kubeconfig as a file."""
        path.write_text(self.kubeconfig(), encoding="utf-8")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _verb(request: Request, target: Target | None) -> str:
    if target is None:
        return request.method.lower()
    if request.method in {"GET", "HEAD"}:
        if request.flag("watch"):
            return "watch"
        return "get" if target.name else "list"
    names = {"POST": "create", "PUT": "update", "PATCH": "patch",
             "DELETE": "delete" if target.name else "deletecollection"}  # fmt: skip
    verb = names.get(request.method, request.method.lower())
    fits = bool(target.name) != (verb in {"create", "deletecollection"})
    return verb if fits else f"unfit {verb}"


def _resource(target: Target) -> str:
    return f"{target.kind.plural}/{target.subresource}" if target.subresource else target.kind.plural


def _patch_type(request: Request, target: Target) -> str:
    media = targets.media_type(request)
    if media in PATCH_TYPES or (media == STRATEGIC and not target.kind.is_custom):
        return media
    raise _unknown_format([*PATCH_TYPES] if target.kind.is_custom else [*PATCH_TYPES, STRATEGIC])


def _unknown_format(served: list[str]) -> ApiError:
    told = "the body of the request was in an unknown format - accepted media types include: "
    return ApiError(415, told + ", ".join(served), details=None if "application/json" in served else {})


def _body(request: Request) -> Json:
    if not request.body.strip():
        return {}
    media = targets.media_type(request)
    if media == protobuf.MEDIA_TYPE:
        return protobuf.decoded(request.body)
    if media not in {"", "application/json", "application/yaml", "text/yaml"}:
        raise _unknown_format(["application/json", "application/yaml", protobuf.MEDIA_TYPE])
    try:
        parsed = yaml.safe_load(request.body) if "yaml" in media else json.loads(request.body)
    except (ValueError, yaml.YAMLError) as error:
        raise ApiError(
            400, f"the object provided is unrecognized (must be of type application/json): {error}"
        ) from None
    if not isinstance(parsed, dict):
        raise ApiError(400, "the object provided is unrecognized: it is not an object")
    return json.loads(json.dumps(parsed, default=str)) if "yaml" in media else parsed


__all__ = ["ConnectionLost", "Hang", "KubeEmulator", "Request", "Response"]
