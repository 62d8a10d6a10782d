"""Bodies in Kubernetes' protobuf encoding, which kubectl uses for its typed `create` commands, turned into JSON.

Only requests: answers are always JSON, which every client that can do protobuf accepts as well. Field numbers
come from `protobuf.json`, made by `extract_protobuf`. Source: "Kubernetes API Concepts", Protobuf encoding.
"""

import base64
import functools
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.wire import Json

MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
POINTERS = frozenset(
    [
        "replicas",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
        "terminationGracePeriodSeconds",
        "gracePeriodSeconds",
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "fsGroup",
        "readOnlyRootFilesystem",
        "allowPrivilegeEscalation",
        "privileged",
        "immutable",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "optional",
        "controller",
        "blockOwnerDeletion",
        "orphanDependents",
        "partition",
        "leaseTransitions",
        "priority",
        "ready",
        "seconds",
        "nanos",
        "type",
        "intVal",
    ]
)
"""Numbers and flags whose zero means zero. Of all others Go sends the zero also when nothing was said."""

Field: TypeAlias = tuple[int, int | bytes]


@functools.cache
def _messages() -> Mapping[str, Mapping[str, str]]:
    text = Path(__file__).with_name("protobuf.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, str]] = json.loads(text)
    return table


def decoded(body: bytes) -> Json:
    """The object in an envelope; 400 for bytes that are none, 415 for a kind whose fields are not known."""
    if not body.startswith(MAGIC):
        raise ApiError(400, "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_fields(body[len(MAGIC) :]))
    type_meta = dict(_fields(_bytes(envelope.get(1, b""))))
    api_version, kind = _bytes(type_meta.get(1, b"")).decode(), _bytes(type_meta.get(2, b"")).decode()
    message = _message_of(api_version, kind)
    if message not in _messages():
        raise ApiError(415, f"no protobuf decoding for {api_version} {kind}")
    return {"apiVersion": api_version, "kind": kind, **_struct(message, _bytes(envelope.get(2, b"")))}


def _message_of(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    if kind == "DeleteOptions":
        return "m:apis.meta.v1.DeleteOptions"
    return f"a:{group.split('.')[0] or 'core'}.{version}.{kind}"


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _fields(data: bytes) -> Iterator[Field]:
    """Number and raw value of each field."""
    at = 0
    try:
        while at < len(data):
            tag, at = _varint(data, at)
            match tag & 7:
                case 0:
                    value, at = _varint(data, at)
                    yield tag >> 3, value
                case 1:
                    yield tag >> 3, data[at : at + 8]
                    at += 8
                case 2:
                    length, at = _varint(data, at)
                    yield tag >> 3, data[at : at + length]
                    at += length
                case 5:
                    yield tag >> 3, data[at : at + 4]
                    at += 4
                case _:
                    raise IndexError
    except IndexError:
        raise ApiError(400, "unexpected EOF in a protobuf message") from None


def _struct(message: str, data: bytes) -> Json:
    told: Json = {}
    known = _messages()[message]
    for number, raw in _fields(data):
        if str(number) not in known:
            continue
        name, kind = known[str(number)].split(" ")
        if name.startswith("+"):
            told.update(_struct(kind, _bytes(raw)))
        elif kind.startswith("[]"):
            told.setdefault(name, []).append(_value(kind[2:], raw))
        elif kind.startswith("{}"):
            entry = dict(_fields(_bytes(raw)))
            told.setdefault(name, {})[_bytes(entry.get(1, b"")).decode()] = _value(kind[2:], entry.get(2, b""))
        else:
            value = _value(kind, raw)
            if value is not None and (value not in (0, False) or name in POINTERS or isinstance(value, dict)):
                told[name] = value
    return told


def _value(kind: str, raw: int | bytes) -> Any:
    if kind in _SPECIAL:
        return _SPECIAL[kind](dict(_fields(_bytes(raw))))
    match kind:
        case "string":
            return _bytes(raw).decode()
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "bool":
            return bool(raw)
        case "double":
            return struct.unpack("<d", _bytes(raw))[0]
        case "int32" | "int64" | "uint32":
            number = raw if isinstance(raw, int) else 0
            return number - (1 << 64) if number >> 63 else number
        case _:
            return _struct(kind, _bytes(raw))


def _time(fields: dict[int, int | bytes]) -> str | None:
    seconds, nanos = fields.get(1, 0), fields.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not seconds or seconds >> 63:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{nanos // 1000:06d}Z" if nanos else "Z")


def _int_or_string(fields: dict[int, int | bytes]) -> int | str:
    if fields.get(1):
        return _bytes(fields.get(3, b"")).decode()
    number = fields.get(2, 0)
    return number if isinstance(number, int) else 0


def _quantity(fields: dict[int, int | bytes]) -> str:
    return _bytes(fields.get(1, b"0")).decode()


def _managed(fields: dict[int, int | bytes]) -> Any:
    return json.loads(_bytes(fields.get(1, b"{}")) or b"{}")


_SPECIAL: dict[str, Callable[[dict[int, int | bytes]], Any]] = {
    "m:apis.meta.v1.Time": _time,
    "m:apis.meta.v1.MicroTime": _time,
    "m:util.intstr.IntOrString": _int_or_string,
    "m:api.resource.Quantity": _quantity,
    "m:apis.meta.v1.FieldsV1": _managed,
}
