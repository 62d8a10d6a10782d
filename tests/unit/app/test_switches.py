"""TKE's switches of the cluster: read from its ConfigMap, in every snapshot, and heard when they change."""

import pytest

from l7lb.app.gate import SERVICE_CONFIG
from l7lb.app.switches import KEYS, switches
from l7lb.model.cluster import ConfigMap, ObjectMeta
from l7lb.model.lane import Lane
from l7lb.model.snapshot import Switches
from tests.unit.app.room import Added, Room, named
from tests.unit.translator.builders import ingress, rule


def config(data: dict[str, str] | None) -> ConfigMap:
    meta = ObjectMeta(name=SERVICE_CONFIG.name, namespace=SERVICE_CONFIG.namespace, uid="uid-switches")
    return ConfigMap(metadata=meta, data=data)


@pytest.mark.parametrize(("key", "field"), KEYS.items())
def test_each_key_switches_its_own_field(key: str, field: str) -> None:
    assert switches(config({key: "true"})) == Switches(**{field: True})


@pytest.mark.parametrize("value", ["false", "", "yes", "1"])
def test_anything_but_true_is_off(value: str) -> None:
    assert switches(config(dict.fromkeys(KEYS, value))) == Switches()


def test_without_the_config_map_or_its_data_everything_is_off() -> None:
    assert switches(None) == switches(config(None)) == Switches()


def test_a_snapshot_has_the_switches_as_they_are_now() -> None:
    room = Room()
    assert room.caches.snapshot(ingress(rule())).switches == Switches()
    made = room.put(config({"EnableDefaultDirectAccess": "true", "VERSION": "v2.13.0"}))
    assert room.caches.snapshot(ingress(rule())).switches == Switches(default_direct_access=True)
    room.remove(made)
    assert room.caches.snapshot(ingress(rule())).switches == Switches()


def test_a_switch_that_changes_queues_every_key_and_another_key_of_the_config_map_queues_none() -> None:
    room = Room()
    for name in ("a", "b"):
        room.put(named(ingress(rule()), name))
    room.put(config({"EnableIngressController": "false"}))
    room.sink.taken()
    room.put(config({"EnableIngressController": "true"}))
    assert room.sink.taken() == []
    room.put(config({"GlobalRouteDirectAccess": "true"}))
    assert sorted(added.key for added in room.sink.all) == ["new/uid-a", "new/uid-b"]
    assert Added("new/uid-a", Lane.ENDPOINTS) in room.sink.taken()
