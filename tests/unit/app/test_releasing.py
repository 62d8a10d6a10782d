"""Our marks come off, one Ingress after the other, and nothing else of it changes."""

from collections.abc import Mapping

import msgspec
import pytest

from l7lb.app.releasing import End, Release, listed, marked, release
from l7lb.errors import Conflict, NotFound
from l7lb.model.cluster import Ingress, IngressAddress, IngressClass, Object, ObjectMeta
from l7lb.model.identity import ObjectKey
from l7lb.model.marks import FINALIZER, LOAD_BALANCER_ID, RECORD, TKE_FINALIZER
from l7lb.model.watch import Item, Page, Quarantined, WatchStream
from l7lb.model.writing import MetadataChange


def one(
    name: str, *finalizers: str, annotations: Mapping[str, str] | None = None, deleting: bool = False, uid: str = "u"
) -> Ingress:
    return Ingress(
        metadata=ObjectMeta(
            name=name,
            namespace="shop",
            uid=uid,
            resource_version="1",
            finalizers=finalizers,
            annotations=dict(annotations or {}),
            deletion_timestamp="2026-01-01T00:00:00Z" if deleting else None,
        )
    )


class Desk:
    """The API server: patches merge; `conflicts` of them meet another version first."""

    def __init__(self, *ingresses: Ingress, conflicts: int = 0) -> None:
        self.there = {ingress.key: ingress for ingress in ingresses}
        self.conflicts = conflicts

    def live(self, key: ObjectKey) -> Ingress | None:
        return self.there.get(key)

    def live_class(self, name: str) -> IngressClass | None:
        raise AssertionError(name)

    def set_addresses(self, ingress: Ingress, addresses: tuple[IngressAddress, ...]) -> Ingress:
        raise AssertionError((ingress, addresses))

    def patch_metadata(self, ingress: Ingress, change: MetadataChange) -> Ingress:
        if ingress.key not in self.there:
            raise NotFound("gone", what="Ingress")
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict("moved")
        meta = ingress.metadata
        merged = {**ingress.annotations, **change.annotations}
        written = msgspec.structs.replace(
            meta,
            annotations={name: text for name, text in merged.items() if text is not None},
            finalizers=tuple(name for name in ingress.finalizers if name not in change.remove_finalizers),
        )
        self.there[ingress.key] = msgspec.structs.replace(ingress, metadata=written)
        return self.there[ingress.key]


def test_finalizer_and_record_go_and_what_tke_needs_stays() -> None:
    taken = one("web", TKE_FINALIZER, FINALIZER, annotations={RECORD: "{}", LOAD_BALANCER_ID: "lb-1"})
    desk = Desk(taken)
    assert release((taken,), desk) == (Release(taken.key, End.RELEASED),)
    left = desk.there[taken.key]
    assert (left.finalizers, left.annotations) == ((TKE_FINALIZER,), {LOAD_BALANCER_ID: "lb-1"})


def test_one_that_goes_and_is_held_by_nobody_else_is_left_with_the_reason() -> None:
    going = one("web", FINALIZER, deleting=True)
    desk = Desk(going)
    (end,) = release((going,), desk)
    assert end.end is End.LEFT
    assert "its load balancer would be left behind" in end.why
    assert desk.there[going.key] == going


def test_one_that_goes_and_is_held_by_tkes_controller_as_well_is_released() -> None:
    going = one("web", TKE_FINALIZER, FINALIZER, deleting=True)
    assert release((going,), Desk(going))[0].end is End.RELEASED


@pytest.mark.parametrize(("conflicts", "end"), [(1, End.RELEASED), (4, End.RELEASED), (5, End.LEFT)])
def test_edits_meanwhile_are_met_by_trying_again_a_few_times(conflicts: int, end: End) -> None:
    taken = one("web", FINALIZER)
    assert release((taken,), Desk(taken, conflicts=conflicts))[0].end is end


def test_one_that_is_gone_or_was_made_anew_needs_nothing() -> None:
    taken = one("web", FINALIZER)
    assert release((taken,), Desk())[0].end is End.GONE
    anew = one("web", FINALIZER, uid="another")
    desk = Desk(anew, conflicts=1)
    assert release((taken,), desk)[0].end is End.GONE
    assert desk.there[anew.key] == anew


class Listing:
    """Pages of one each."""

    def __init__(self, *ingresses: Ingress) -> None:
        self.ingresses = ingresses

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[Ingress]:
        assert resource_version == ""
        place = int(continue_token or "0")
        ingress = self.ingresses[place]
        more = str(place + 1) if place + 1 < len(self.ingresses) else ""
        return Page((Item(ingress.key, ingress.metadata.uid, "1", ingress),), "1", more)

    def watch(self, *, resource_version: str, timeout_s: int) -> WatchStream[Ingress]:
        raise AssertionError((resource_version, timeout_s))


def test_every_page_is_looked_through_for_either_mark() -> None:
    there = (one("c", FINALIZER), one("b"), one("a", annotations={RECORD: "{}"}), one("d", TKE_FINALIZER))
    found = marked(Listing(*there), Metadata())
    assert [ingress.key.name for ingress in found] == ["a", "c"]


class Metadata:
    """The list of all, of which nothing but the metadata is read."""

    def __init__(self, *ingresses: Ingress) -> None:
        self.ingresses = ingresses

    def everyone(self) -> tuple[Object, ...]:
        return tuple(Object(metadata=ingress.metadata) for ingress in self.ingresses)


class Broken(Listing):
    """One page more, with one that cannot be decoded."""

    def list_page(self, *, resource_version: str, continue_token: str) -> Page[Ingress]:
        if continue_token == "broken":
            return Page((), "1", quarantined=(Quarantined(ObjectKey("shop", "odd"), "spec: no object"),))
        page = super().list_page(resource_version=resource_version, continue_token=continue_token)
        return Page(page.items, page.resource_version, page.continue_token or "broken")


def test_one_that_cannot_be_decoded_is_released_by_its_metadata() -> None:
    fine, odd = one("web", FINALIZER, uid="1"), one("odd", TKE_FINALIZER, FINALIZER, uid="2")
    found = marked(Broken(fine), Metadata(fine, odd, one("plain", uid="3")))
    assert [ingress.key.name for ingress in found] == ["web", "odd"]
    desk = Desk(fine, odd)
    assert {end.end for end in release(found, desk)} == {End.RELEASED}
    assert desk.there[odd.key].finalizers == (TKE_FINALIZER,)


def test_a_list_names_what_it_could_not_read() -> None:
    found = listed(Broken(one("web")))
    assert [ingress.key.name for ingress in found.items] == ["web"]
    assert [(each.key.name, each.message) for each in found.undecoded] == [("odd", "spec: no object")]
