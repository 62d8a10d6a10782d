"""`l7lb release`: takes our finalizer and record off every Ingress, and writes nothing to the cloud.

The first half of going back to TKE's controller: afterwards nothing of l7lb holds an Ingress, and the load balancers
serve on with the tags that TKE's controller looks for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

from l7lb.errors import Conflict, NotFound
from l7lb.model.cluster import Ingress, Object
from l7lb.model.identity import ObjectKey
from l7lb.model.marks import FINALIZER, RECORD
from l7lb.model.watch import ListWatch, Quarantined
from l7lb.model.writing import MetadataChange
from l7lb.reconciler.ports import Ingresses

T = TypeVar("T")

TRIES_MAX: Final = 5


class End(Enum):
    """What became of our marks on one Ingress."""

    RELEASED = "released"
    GONE = "gone"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """All objects of a kind."""

    items: tuple[T, ...]
    undecoded: tuple[Quarantined, ...] = ()
    """Those that are there and cannot be decoded, and why."""


@dataclass(frozen=True, slots=True)
class Release:
    """One Ingress that bears, or bore, our marks."""

    ingress: ObjectKey
    end: End
    why: str = ""


class Everyone(Protocol):
    """Lists all Ingresses at once."""

    def everyone(self) -> tuple[Object, ...]:
        """Their metadata, whole and at the newest version, or Unavailable."""
        ...


def marked(listing: ListWatch[Ingress], live: Everyone, namespace: str = "") -> tuple[Ingress, ...]:
    """Every Ingress with our finalizer or our record, read whole; raises Unavailable.

    Of one that cannot be decoded the metadata is enough. `namespace`: of the listing; empty: all.
    """
    found = listed(listing)
    known = {one.metadata.uid for one in found.items}
    bare = [
        Ingress(metadata=one.metadata)
        for one in (live.everyone() if found.undecoded else ())
        if one.metadata.uid not in known and namespace in ("", one.key.namespace)
    ]
    # Those last: the answer to a write to one of them cannot be read either, which ends the command.
    return (*_with_marks(found.items), *_with_marks(bare))


def _with_marks(ingresses: Iterable[Ingress]) -> tuple[Ingress, ...]:
    ours = (one for one in ingresses if FINALIZER in one.finalizers or RECORD in one.annotations)
    return tuple(sorted(ours, key=lambda one: one.key))


def release(
    ingresses: Iterable[Ingress], desk: Ingresses, told: Callable[[Release], None] = lambda _: None
) -> tuple[Release, ...]:
    """Take our marks off, one Ingress after the other; `told` hears of each as it is done."""
    ends = []
    for ingress in ingresses:
        end = _release(ingress, desk)
        told(end)
        ends.append(end)
    return tuple(ends)


def _release(ingress: Ingress, desk: Ingresses) -> Release:
    now: Ingress | None = ingress
    for _ in range(TRIES_MAX):
        if now is None or now.metadata.uid != ingress.metadata.uid:
            return Release(ingress.key, End.GONE)
        if now.deleting and not any(name != FINALIZER for name in now.finalizers):
            return Release(
                ingress.key,
                End.LEFT,
                "it is being deleted, and nothing but our finalizer holds it: its load balancer would be left behind;"
                " let l7lb run until it is gone, or set ingress.cloud.tencent.com/mode: skip to leave it on purpose",
            )
        try:
            desk.patch_metadata(now, MetadataChange({RECORD: None}, remove_finalizers=(FINALIZER,)))
        except Conflict:
            now = desk.live(ingress.key)
            continue
        except NotFound:
            return Release(ingress.key, End.GONE)
        return Release(ingress.key, End.RELEASED)
    return Release(ingress.key, End.LEFT, f"it was edited by somebody else {TRIES_MAX} times meanwhile: try again")


def listed(listing: ListWatch[T]) -> Listed[T]:
    """Everything, page by page."""
    items: list[T] = []
    undecoded: list[Quarantined] = []
    token = ""
    while True:
        page = listing.list_page(resource_version="", continue_token=token)
        items += [item.object for item in page.items]
        undecoded += page.quarantined
        token = page.continue_token
        if not token:
            return Listed(tuple(items), tuple(undecoded))
