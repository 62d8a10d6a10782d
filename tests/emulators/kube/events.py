"""Events in their two spellings: core/v1 and events.k8s.io/v1 share one storage, kept in the core spelling.

Source: the API reference, Event v1 core and Event v1 events.k8s.io.
"""

from tests.emulators.kube.kinds import Kind
from tests.emulators.kube.wire import Json

_NAMES = {
    "note": "message",
    "regarding": "involvedObject",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK = {core: new for new, core in _NAMES.items()}


def is_other_spelling(kind: Kind) -> bool:
    """Whether objects of this kind are translated on their way in and out."""
    return kind.group == "events.k8s.io"


def to_core(obj: Json) -> Json:
    """From events.k8s.io/v1."""
    return {_NAMES.get(name, name): value for name, value in obj.items()} | {"apiVersion": "v1"}


def from_core(obj: Json) -> Json:
    """To events.k8s.io/v1."""
    told = {_BACK.get(name, name): value for name, value in obj.items()} | {"apiVersion": "events.k8s.io/v1"}
    empty = [name for name in ("reportingController", "reportingInstance") if told.get(name) == ""]
    return {name: value for name, value in told.items() if name not in empty}


def fill(obj: Json) -> None:
    """What the server always writes into an Event."""
    obj.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        obj.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        obj.setdefault(name, "")
