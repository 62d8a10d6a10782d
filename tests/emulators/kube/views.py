"""In which form an answer is wanted, and objects in that form: plain, metadata only, table; JSON or YAML.

Which columns a table has is in `columns`. Source: "Kubernetes API Concepts", Receiving resources as Tables,
Alternate representations of resources.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from tests.emulators.kube import columns, events
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.storage import Record
from tests.emulators.kube.wire import Json, Request, Response, dump
from tests.emulators.kube.world import World


@dataclass(frozen=True)
class View:
    """The negotiated form."""

    form: str = ""
    """"", Table or PartialObjectMetadata."""
    is_yaml: bool = False
    include: str = "Metadata"
    """How much of each object a table's rows carry."""


def negotiated(request: Request) -> View:
    """The first form of the Accept header that can be had; 406 if there is none."""
    accept = request.headers.get("accept") or "*/*"
    include = request.query.get("includeObject") or "Metadata"
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        named = dict(part.split("=", 1) for part in parameters if "=" in part)
        form = named.get("as", "").removesuffix("List")
        if form not in {"", "Table", "PartialObjectMetadata"} or (form and named.get("v") != "v1"):
            continue
        if media in {"application/json", "*/*", "application/*"}:
            return View(form, is_yaml=False, include=include)
        if media in {"application/yaml", "text/yaml"} and not form:
            return View("", is_yaml=True)
    raise ApiError(406, "only the following media types are accepted: application/json, application/yaml", details={})


class Renderer:
    """Stored records of one kind as the bytes of an answer."""

    def __init__(self, world: World, kind: Kind, view: View) -> None:
        self._world = world
        self._kind = kind
        self._view = view
        self._columns_told = False

    def one(self, record: Record) -> bytes:
        """A single object."""
        if self._view.form == "Table":
            return dump(self._table([record], {"resourceVersion": record.obj["metadata"].get("resourceVersion", "")}))
        if self._view.form == "PartialObjectMetadata":
            return dump(_partial(record.obj))
        if self._is_stored_form():
            return record.encoded
        return dump(self.spoken(record.obj))

    def event(self, record: Record) -> bytes:
        """The object of a watch event; of a table only the first one tells the columns."""
        if self._view.form != "Table":
            return self.one(record)
        table = self._table([record], {"resourceVersion": record.obj["metadata"]["resourceVersion"]})
        if self._columns_told:
            table["columnDefinitions"] = None
        self._columns_told = True
        return dump(table)

    def many(self, records: Iterable[Record], metadata: Json) -> bytes:
        """A list."""
        if self._view.form == "Table":
            return dump(self._table(records, metadata))
        kind, version = f"{self._kind.name}List", self._kind.api_version
        if self._view.form == "PartialObjectMetadata":
            kind, version = "PartialObjectMetadataList", "meta.k8s.io/v1"
            items = [dump(_partial(record.obj)) for record in records]
        elif self._kind.is_custom:
            items = [self.one(record) for record in records]
        elif self._is_stored_form():
            items = [record.bare for record in records]
        else:
            items = [Record(self.spoken(record.obj), 0).bare for record in records]
        head = dump({"kind": kind, "apiVersion": version, "metadata": metadata})
        return head[:-1] + b',"items":[' + b",".join(items) + b"]}"

    def spoken(self, obj: Json) -> Json:
        """A stored object in the words of the asked version."""
        if events.is_other_spelling(self._kind):
            return events.from_core(obj)
        return {**obj, "apiVersion": self._kind.api_version}

    def _is_stored_form(self) -> bool:
        return not self._kind.is_custom and not events.is_other_spelling(self._kind)

    def _table(self, records: Iterable[Record], metadata: Json) -> Json:
        definitions, row = columns.of_kind(self._kind, self._world.time())
        rows = []
        for record in records:
            line: Json = {"cells": row(record.obj)}
            if self._view.include == "Object":
                line["object"] = self.spoken(record.obj)
            elif self._view.include == "Metadata":
                line["object"] = _partial(record.obj)
            rows.append(line)
        return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                "columnDefinitions": definitions, "rows": rows}  # fmt: skip


def _partial(obj: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def as_yaml(response: Response) -> Response:
    """The same answer in YAML."""
    text = yaml.safe_dump(json.loads(response.body), sort_keys=False)
    response.body = text.encode()
    response.headers["Content-Type"] = "application/yaml"
    return response
