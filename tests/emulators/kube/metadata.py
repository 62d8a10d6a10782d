"""`metadata`: what the server sets, what nobody may change, and how names must look.

Source: the API reference, ObjectMeta v1 meta; "Object Names and IDs"; "Labels and Selectors", Syntax and character set.
"""

import re
from collections.abc import Iterator

from tests.emulators.kube import rules
from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Cause, Json
from tests.emulators.kube.world import World

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
IMMUTABLE = "field is immutable"
SET_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)
ANNOTATIONS_BYTES_MAX = 256 * 1024

_SUBDOMAIN = re.compile(rf"^{LABEL}(\.{LABEL})*$")
_LABEL = re.compile(f"^{LABEL}$")
_LABEL_1035 = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_QUALIFIED = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")


def is_subdomain(text: str) -> bool:
    """RFC 1123 subdomain of at most 253 characters."""
    return len(text) <= 253 and bool(_SUBDOMAIN.match(text))


def is_label(text: str) -> bool:
    """RFC 1123 label of at most 63 characters."""
    return len(text) <= 63 and bool(_LABEL.match(text))


def is_label_1035(text: str) -> bool:
    """RFC 1035 label of at most 63 characters."""
    return len(text) <= 63 and bool(_LABEL_1035.match(text))


def prepare_new(world: World, kind: Kind, obj: Json, namespace: str) -> None:
    """Set what only the server sets on a new object."""
    metadata = obj["metadata"]
    for name in (*SET_BY_SERVER, "resourceVersion"):
        metadata.pop(name, None)
    if kind.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = metadata["generateName"] + world.fresh_suffix()
    metadata["uid"] = world.fresh_uid()
    metadata["creationTimestamp"] = world.stamp()
    if (generation := rules.initial_generation(kind)) is not None:
        metadata["generation"] = generation


def carry_over(old: Json, new: Json) -> None:
    """Fill what an update left out with what the server knows; generation is never taken from the user."""
    was, metadata = old["metadata"], new["metadata"]
    for name in SET_BY_SERVER:
        if name in {"generation", "selfLink", "creationTimestamp"}:
            # Whatever an update says here is passed over in silence.
            metadata.pop(name, None)
        if name in was:
            metadata.setdefault(name, was[name])
    if "managedFields" in was:
        metadata.setdefault("managedFields", was["managedFields"])


def problems_of_new(kind: Kind, obj: Json) -> Iterator[Cause]:
    """What is wrong with the metadata of a new object."""
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    if not name:
        yield "FieldValueRequired", "metadata.name", "name or generateName is required"
    elif message := _name_problem(rules.of_kind(kind).name, name):
        yield "FieldValueInvalid", "metadata.name", f'Invalid value: "{name}": {message}'
    yield from _common_problems(metadata)


def problems_of_update(old: Json, new: Json) -> Iterator[Cause]:
    """What an update may not do to metadata."""
    was, metadata = old["metadata"], new["metadata"]
    for name in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if was.get(name) != metadata.get(name):
            shown = metadata.get(name)
            yield "FieldValueInvalid", f"metadata.{name}", f"Invalid value: {_quoted(shown)}: {IMMUTABLE}"
    if "deletionTimestamp" in was:
        added = [entry for entry in metadata.get("finalizers") or () if entry not in (was.get("finalizers") or ())]
        if added:
            listed = ", ".join(f'"{entry}"' for entry in added)
            yield (
                "FieldValueForbidden",
                "metadata.finalizers",
                "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{listed}}}",
            )
    yield from _common_problems(metadata)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value)


def _name_problem(rule: str, name: str) -> str:
    match rule:
        case "label":
            return "" if is_label(name) else LABEL_MESSAGE
        case "label-1035":
            return "" if is_label_1035(name) else LABEL_1035_MESSAGE
        case "segment":
            return "may not contain '/' or '%'" if set(name) & {"/", "%"} or name in {".", ".."} else ""
        case _:
            return "" if is_subdomain(name) else SUBDOMAIN_MESSAGE


def _common_problems(metadata: Json) -> Iterator[Cause]:
    for key, value in (metadata.get("labels") or {}).items():
        yield from _key_problem(f"metadata.labels", key)
        if value and (len(value) > 63 or not _QUALIFIED.match(value)):
            yield (
                "FieldValueInvalid",
                "metadata.labels",
                f'Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric characters, '
                "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
                "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            )
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from _key_problem("metadata.annotations", key.lower())
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > ANNOTATIONS_BYTES_MAX:
        yield (
            "FieldValueTooLong",
            "metadata.annotations",
            f"Too long: may not be more than {ANNOTATIONS_BYTES_MAX} bytes",
        )
    finalizers = metadata.get("finalizers") or ()
    for entry in finalizers:
        yield from _key_problem("metadata.finalizers", entry)
    for index, entry in enumerate(finalizers):
        path = f"metadata.finalizers[{index}]"
        if "/" not in entry and entry not in {"kubernetes", "orphan", "foregroundDeletion"}:
            yield (
                "FieldValueInvalid",
                path,
                (f'Invalid value: "{entry}": name is neither a standard finalizer name nor is it fully qualified'),
            )
    for owner in metadata.get("ownerReferences") or ():
        for name in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(name):
                yield (
                    "FieldValueInvalid",
                    f"metadata.ownerReferences.{name}",
                    f'Invalid value: "": {name} must not be empty',
                )


def _key_problem(path: str, key: str) -> Iterator[Cause]:
    prefix, slash, name = key.rpartition("/")
    if (slash and not is_subdomain(prefix)) or not name or len(name) > 63 or not _QUALIFIED.match(name):
        yield (
            "FieldValueInvalid",
            path,
            f"Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
            "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation "
            "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        )
