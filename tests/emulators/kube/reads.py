"""Get, list and watch. Writing is in `writes` and `removals`.

Source: "Kubernetes API Concepts", Resource versions ("the resourceVersion parameter" with its two tables),
Retrieving large results sets in chunks, Efficient detection of changes.
"""

import base64
import binascii
import itertools
import json
from dataclasses import dataclass

from tests.emulators.kube import selectors
from tests.emulators.kube.refusals import NO_REASON, ApiError, invalid, not_found
from tests.emulators.kube.storage import Compacted, Key, NotYet, Record
from tests.emulators.kube.targets import Target
from tests.emulators.kube.views import Renderer, View
from tests.emulators.kube.watches import Interest, Watch
from tests.emulators.kube.wire import Json, Request, Response
from tests.emulators.kube.world import World

SHORTEST_DEFAULT_S = 1800
CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of "
    "the results. Continuing "
    "with the provided token results in an inconsistent list - objects that were created, modified, "
    "or deleted between the "
    "time the first chunk was returned and now may show up in the list."
)


def get(world: World, target: Target, view: View, query: Json) -> Response:
    """One object."""
    _not_in_the_future(world, query.get("resourceVersion", ""))
    record = world.find(target.kind, target.namespace, target.name)
    if record is None:
        raise not_found(target.kind.plural, target.kind.group, target.name)
    return _json(Renderer(world, target.kind, view).one(record))


def _json(body: bytes) -> Response:
    return Response(200, body, {"Content-Type": "application/json"})


def _revision(text: str) -> int:
    if not text.isdigit():
        # Not a bad request, as one would think.
        problem = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(500, problem, NO_REASON)
    return int(text)


def _not_in_the_future(world: World, text: str) -> None:
    if not text or _revision(text) <= world.storage.revision:
        return
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    raise ApiError(
        504, f"Timeout: Too large resource version: {text}, current: {world.storage.revision}", "Timeout", details
    )


@dataclass(frozen=True)
class _Page:
    """Where a list begins and what state of the world it shows."""

    revision: int
    """-1: the newest, also when it goes on from an earlier page (an inconsistent list)."""
    after: Key | None
    limit: int
    told_before: int = 0


def list_(world: World, target: Target, view: View, request: Request) -> Response:
    """All objects of a kind that fit, or one page of them."""
    page = _page(world, request)
    fits = selectors.of_request(
        target.kind, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    )
    records = _state(world, target, page)
    chosen = (
        (key, record)
        for key, record in records
        if (page.after is None or key > page.after) and (not target.name or key[1] == target.name) and fits(record.obj)
    )
    told = list(itertools.islice(chosen, page.limit)) if page.limit else list(chosen)
    revision = world.storage.revision if page.revision < 0 else page.revision
    metadata: Json = {"resourceVersion": str(revision)}
    left = sum(1 for _ in chosen) if page.limit else 0
    if left:
        metadata["continue"] = _token(revision if page.revision >= 0 or page.after is None else -1, told[-1][0])
        if not request.query.get("labelSelector") and not request.query.get("fieldSelector"):
            metadata["remainingItemCount"] = left
    return _json(Renderer(world, target.kind, view).many([record for _, record in told], metadata))


def _state(world: World, target: Target, page: _Page) -> list[tuple[Key, Record]]:
    bucket, namespace = target.kind.bucket, target.namespace
    if page.revision < 0 or page.revision == world.storage.revision:
        return list(world.storage.scan(bucket, namespace))
    try:
        records = world.storage.at(bucket, page.revision)
    except Compacted:
        if page.after is not None:
            error = ApiError(410, CONTINUE_TOO_OLD, "Expired")
            error.extra_metadata = {"continue": _token(-1, page.after)}
            raise error from None
        oldest = world.storage.compacted
        raise ApiError(
            410, f"The resourceVersion for the provided list is too old: {page.revision} ({oldest})", "Expired"
        ) from None
    except NotYet:
        _not_in_the_future(world, str(page.revision))
        raise
    return sorted((entry for entry in records.items() if not namespace or entry[0][0] == namespace), key=lambda e: e[0])


def _page(world: World, request: Request) -> _Page:
    query = request.query
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    limit = int(query["limit"]) if query.get("limit", "").isdigit() else 0
    if token := query.get("continue"):
        if version and version != "0":
            raise ApiError(400, "specifying resource version is not allowed when using continue")
        return _continued(token, limit)
    _check_match(version, match)
    if not version:
        return _Page(-1, None, limit)
    if version == "0":
        # Answered from the watch cache, which has no pages.
        return _Page(-1, None, 0)
    _not_in_the_future(world, version)
    is_exact = match == "Exact" or (limit and not match)
    return _Page(_revision(version) if is_exact else -1, None, limit if is_exact or match else 0)


def _check_match(version: str, match: str) -> None:
    if not match:
        return
    problem = ""
    if not version:
        problem = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match not in {"Exact", "NotOlderThan"}:
        problem = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
    elif match == "Exact" and version == "0":
        problem = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    if problem:
        reason = "FieldValueNotSupported" if problem.startswith("Unsupported") else "FieldValueForbidden"
        raise invalid("ListOptions", "meta.k8s.io", "", [(reason, "resourceVersionMatch", problem)])


def _token(revision: int, after: Key) -> str:
    return base64.urlsafe_b64encode(
        json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": after}).encode()
    ).decode()


def _continued(token: str, limit: int) -> _Page:
    try:
        held = json.loads(base64.urlsafe_b64decode(token.encode()))
        namespace, name = held["start"]
        return _Page(int(held["rv"]), (str(namespace), str(name)), limit)
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ApiError(400, "continue key is not valid: illegal base64 data or encoding") from None


def watch(world: World, target: Target, view: View, request: Request) -> Response:
    """A stream of changes."""
    query, kind = request.query, target.kind
    fits = selectors.of_request(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    if target.name:
        fits = selectors.both(fits, selectors.of_request(kind, "", f"metadata.name={target.name}"))
    interest = Interest(
        kind.bucket,
        target.namespace,
        fits,
        Renderer(world, kind, view).event,
        {"kind": kind.name, "apiVersion": kind.api_version},
    )
    stream = Watch(world.storage, interest, world.time, world.disturbances)
    asked = query.get("timeoutSeconds", "")
    seconds = float(asked) if asked.isdigit() and int(asked) else SHORTEST_DEFAULT_S * (1 + world.dice.random())
    stream.set_times(seconds, bookmarks=request.flag("allowWatchBookmarks"))
    _start(world, stream, dict(query))
    return Response(200, b"", {"Content-Type": "application/json"}, stream)


def _start(world: World, stream: Watch, query: Json) -> None:
    version, initial = query.get("resourceVersion", ""), query.get("sendInitialEvents", "")
    if initial:
        if query.get("resourceVersionMatch") != "NotOlderThan":
            problem = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid("ListOptions", "meta.k8s.io", "", [("FieldValueForbidden", "resourceVersionMatch", problem)])
        if initial.lower() in {"1", "true"}:
            _not_in_the_future(world, version)
            stream.start(None, from_now=False)
            stream.bookmark(ends_initial=True)
            return
        stream.start(None, from_now=True)
        return
    if query.get("resourceVersionMatch"):
        problem = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise invalid("ListOptions", "meta.k8s.io", "", [("FieldValueForbidden", "resourceVersionMatch", problem)])
    if version in {"", "0"}:
        stream.start(None, from_now=False)
    else:
        stream.start(_revision(version), from_now=False)
