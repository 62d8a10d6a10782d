"""One copy of each string that many objects of a kind share: namespaces, labels, node names.

Not `sys.intern`: what it holds is immortal on some CPython releases. Here two generations bound what is kept.
"""

from collections.abc import Hashable
from typing import TypeVar

from msgspec.structs import force_setattr as _set

from l7lb.model.cluster import LabelledMeta, Object
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.pods import Pod

GENERATION_SIZE = 20_000

V = TypeVar("V", bound=Hashable)


class Interner:
    """For one thread. Values that nobody asked for during a whole generation are forgotten."""

    def __init__(self, size: int = GENERATION_SIZE) -> None:
        self._size = size
        self._young: dict[Hashable, Hashable] = {}
        self._old: dict[Hashable, Hashable] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def one(self, value: V) -> V:
        """The first value that was equal to this one, of the same type."""
        young = self._young
        # A string and a struct are never equal, so a hit always has the type of what was asked for.
        if (known := young.get(value)) is not None:
            return known  # type: ignore[return-value]  # equal values of one table have one type
        kept = self._old.pop(value, value)
        young[kept] = kept
        if len(young) >= self._size:
            self._old, self._young = young, {}
        return kept  # type: ignore[return-value]  # as above

    def share(self, view: object, namespace: str) -> None:
        """Replace what a freshly decoded object has in common with others, before anybody else has seen it.

        `namespace` is its own as `one` has it.
        """
        if not isinstance(view, Object):
            return
        meta = view.metadata
        _set(meta, "namespace", namespace)
        if isinstance(view, EndpointSlice):
            _set(view, "service_name", self.one(view.service_name))
            _set(view, "ports", self.one(view.ports))
        elif isinstance(view, Pod):
            self._share_pod(view)
        elif isinstance(meta, LabelledMeta) and meta.labels:
            _set(meta, "labels", {self.one(name): self.one(value) for name, value in meta.labels.items()})

    def _share_pod(self, pod: Pod) -> None:
        """Pods of one ReplicaSet have one set of labels, those of one node one spec."""
        if pod.metadata.labels:
            _set(pod.metadata, "labels", self.one(_Labels(pod.metadata.labels)).all)
        if pod.spec.readiness_gates is not None:
            _set(pod.status, "conditions", self.one(pod.status.conditions))
        _set(pod, "spec", self.one(pod.spec))


class _Labels:
    """A set of labels by value, so that equal ones are kept once."""

    __slots__ = ("_items", "all")

    def __init__(self, labels: dict[str, str]) -> None:
        self.all = labels
        self._items = frozenset(labels.items())

    def __hash__(self) -> int:
        return hash(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Labels) and self._items == other._items
