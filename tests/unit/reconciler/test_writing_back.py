"""What is remembered of our own writes to an Ingress, and when it counts no more."""

import msgspec
import pytest

from l7lb.errors import Conflict
from l7lb.model.cluster import Ingress
from l7lb.model.identity import ObjectKey
from l7lb.model.ownership import Record
from l7lb.model.writing import MetadataChange
from l7lb.reconciler.writeback import WriteBack
from tests.unit.translator.builders import ingress, rule


class SetBack:
    """An API server that was set back to the first version after it had answered a write with the second."""

    def __init__(self, first: Ingress) -> None:
        self.first = first
        self.is_set_back = False

    def live(self, key: ObjectKey) -> Ingress | None:
        return self.first if key == self.first.key else None

    def live_class(self, name: str) -> None:
        del name

    def patch_metadata(self, seen: Ingress, change: MetadataChange) -> Ingress:
        if self.is_set_back and seen.metadata.resource_version != "1":
            raise Conflict("the object has been modified")
        annotations = {**seen.annotations, **{key: text for key, text in change.annotations.items() if text}}
        meta = msgspec.structs.replace(seen.metadata, resource_version="2", annotations=annotations)
        return msgspec.structs.replace(seen, metadata=meta)

    def set_addresses(self, seen: Ingress, addresses: tuple[object, ...]) -> Ingress:
        del addresses
        return self.patch_metadata(seen, MetadataChange({}))


def test_a_conflict_ends_what_is_remembered_of_a_write_that_the_api_server_has_lost() -> None:
    made = ingress(rule())
    first = msgspec.structs.replace(made, metadata=msgspec.structs.replace(made.metadata, resource_version="1"))
    server = SetBack(first)
    desk = WriteBack(server, lambda: 0.0)
    record = Record(uid=first.metadata.uid, cluster="cls-00000001")
    desk.enter(first, record)
    server.is_set_back = True
    assert desk.newest(first).metadata.resource_version == "2"
    with pytest.raises(Conflict):
        desk.enter_record(desk.newest(first), _another(record))
    assert desk.newest(first).metadata.resource_version == "1"
    desk.enter(desk.newest(first), record)


def _another(record: Record) -> Record:
    """Another record, so that there is something to write."""
    return Record(uid=record.uid, cluster=record.cluster, attempt=record.attempt + 1)
