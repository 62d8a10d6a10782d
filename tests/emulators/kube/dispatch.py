"""From a request to what is done: which verb it is, which module carries it out, in which form the answer goes.

Who may come in, the request log and faults are in `emulator`.
"""

import json

import yaml

from tests.emulators.kube import discovery, openapi, protobuf, reads, removals, reviews, scaling, targets, views, writes
from tests.emulators.kube.kinds import REVIEWS
from tests.emulators.kube.refusals import ApiError, no_such_path, not_found
from tests.emulators.kube.storage import Record
from tests.emulators.kube.targets import Target, WriteOptions
from tests.emulators.kube.wire import Json, Request, Response, answer
from tests.emulators.kube.world import World

PATCH_TYPES = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
STRATEGIC = "application/strategic-merge-patch+json"


def routed(world: World, request: Request, target: Target | None, verb: str) -> Response:
    """The answer to a request that was let in."""
    if target is None:
        found = discovery.respond(world.catalog, request) or openapi.respond(world.catalog, request)
        return found or _nowhere(world, request.path)
    view = views.negotiated(request)
    response = _act(world, request, target, verb, view)
    return views.as_yaml(response) if view.is_yaml and response.stream is None else response


def _nowhere(world: World, path: str) -> Response:
    _, root, *rest = path.split("/")
    group, version = ("", rest[:1]) if root == "api" else ("".join(rest[:1]), rest[1:2])
    if root in {"api", "apis"} and version and version[0] in world.catalog.versions().get(group, ()):
        raise no_such_path()
    return Response(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})


def _act(world: World, request: Request, target: Target, verb: str, view: views.View) -> Response:
    if target.kind in REVIEWS:
        return _review(world, request, target)
    if target.subresource == "scale":
        return _scale(world, request, target, verb)
    match verb:
        case "get":
            return reads.get(world, target, view, dict(request.query))
        case "list":
            return reads.list_(world, target, view, request)
        case "watch":
            return reads.watch(world, target, view, request)
        case "delete":
            options = removals.DeleteOptions.of(_body(request), dict(request.query))
            obj = removals.delete(world, target, options)
            return answer(obj) if obj["kind"] == "Status" else _told(world, target, view, writes.Outcome(obj, []))
        case "deletecollection":
            return _delete_collection(world, request, target, view)
        case "create" | "update" | "patch":
            return _write(world, request, target, verb, view)
        case _:
            raise ApiError(405, "the server does not allow this method on the requested resource", "MethodNotAllowed")


def _write(world: World, request: Request, target: Target, verb: str, view: views.View) -> Response:
    options = WriteOptions.of(request, target)
    if verb == "patch":
        outcome = writes.patch(world, target, _patch_type(request, target), request.body, options)
    elif target.subresource == "finalize":
        outcome = writes.Outcome(removals.finalize_namespace(world, target, _body(request)), [])
    elif verb == "update":
        outcome = writes.update(world, target, _body(request), options)
    else:
        outcome = writes.create(world, target, _body(request), options)
    return _told(world, target, view, outcome)


def _told(world: World, target: Target, view: views.View, outcome: writes.Outcome) -> Response:
    body = views.Renderer(world, target.kind, view).one(Record(outcome.obj, 0))
    response = answer(None, 201 if outcome.created else 200, outcome.warnings)
    response.body = body
    return response


def _delete_collection(world: World, request: Request, target: Target, view: views.View) -> Response:
    plain = Request("GET", request.path, request.query, {**request.headers, "accept": "application/json"})
    listed = reads.list_(world, target, views.View(), plain).json()
    options = removals.DeleteOptions.of(_body(request), dict(request.query))
    for item in listed["items"]:
        space, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
        removals.delete(world, Target(target.kind, space, name), options)
    return reads.list_(world, target, view, plain) if not listed["items"] else answer(listed)


def _review(world: World, request: Request, target: Target) -> Response:
    if request.method != "POST":
        raise ApiError(405, "the server does not allow this method on the requested resource")
    return answer(reviews.reviewed(target.kind, _body(request)), 201)


def _scale(world: World, request: Request, target: Target, verb: str) -> Response:
    record = world.find(target.kind, target.namespace, target.name)
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
    outcome = writes.update(world, whole, scaling.scaled(record.obj, scale), WriteOptions.of(request, target))
    return answer(scaling.of_object(target.kind, outcome.obj))


def verb_of(request: Request, target: Target | None) -> str:
    """What a request wants to do, in the words of the API: get, list, watch, create and so on."""
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


def resource_of(target: Target) -> str:
    """What it wants to do that to, with the subresource: `ingresses/status`."""
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
