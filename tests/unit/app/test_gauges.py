"""Gauges that are counted when somebody looks."""

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from l7lb.app.gate import Evidence, Gate
from l7lb.app.gauges import Gauges
from l7lb.app.leadership import Leadership
from l7lb.app.watching import Watching
from l7lb.model.cluster import Ingress
from l7lb.model.lane import Lane
from l7lb.model.marks import CONDITIONS
from l7lb.runtime.election import Elector
from l7lb.runtime.workqueue import WorkQueue
from l7lb.telemetry.metrics import CONTROLLER, Metrics
from tests.unit.app.room import SETTINGS, Room, named, served
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient
from tests.unit.translator.builders import ingress, rule

NOW = "2023-11-14T22:13:20Z"
"""The test clock's wall hand at its start."""
EARLIER = "2023-11-14T22:12:20Z"


class Scene:
    """A room, a lease and a gate that somebody looks at."""

    def __init__(self) -> None:
        self.room = Room()
        self.metrics = Metrics("test")
        self.open = True
        gate = Gate(lambda: Evidence(None, None, None, readable=self.open), ignored=False)
        self.informer = SimpleNamespace(name="Node", synced=True, staleness_s=lambda now: now - 990.0)
        watching: Any = SimpleNamespace(
            stores=self.room.stores,
            caches=self.room.caches,
            gate=gate,
            settings=SETTINGS,
            informers=SimpleNamespace(all=[self.informer]),
        )
        self.leadership: Any = SimpleNamespace(terms=())
        self.elector = Elector(
            FakeLeaseClient(FakeLease(), self.room.clock), "us", self.room.clock, on_lost=lambda _reason: None
        )
        self.gauges = Gauges(
            self.metrics, cast(Watching, watching), cast(Leadership, self.leadership), {"l7lb-cls-1": self.elector},
            self.room.clock,
        )  # fmt: skip

    def __call__(self, name: str, /, **labels: str) -> float | None:
        """The gauge as of now."""
        self.gauges.refresh()
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_who_leads_is_told_by_the_name_of_the_lease(scene: Scene) -> None:
    assert scene("leader_election_master_status", name="l7lb-cls-1") == 0
    scene.elector.step()
    assert scene("leader_election_master_status", name="l7lb-cls-1") == 1
    scene.room.clock.advance(21)
    assert scene("leader_election_master_status", name="l7lb-cls-1") == 0


def test_the_gate_is_told(scene: Scene) -> None:
    assert scene("l7lb_gate_open", controller=CONTROLLER) == 1
    scene.open = False
    assert scene("l7lb_gate_open", controller=CONTROLLER) == 0


def test_informers_are_told_by_kind(scene: Scene) -> None:
    assert scene("l7lb_informer_synced", kind="Node") == 1
    assert scene("l7lb_informer_staleness_seconds", kind="Node") == 10


def test_the_oldest_deletion_that_waits_for_us_is_told(scene: Scene) -> None:
    assert scene("l7lb_finalizing_oldest_seconds", controller=CONTROLLER) == 0
    scene.room.put(served(named(ingress(rule()), "a", deletion_timestamp=NOW), "lb-a"))
    scene.room.put(served(named(ingress(rule()), "b", deletion_timestamp=EARLIER), "lb-b"))
    scene.room.put(named(ingress(rule()), "not-ours", deletion_timestamp="2020-01-01T00:00:00Z"))
    scene.room.put(served(named(ingress(rule()), "odd", deletion_timestamp="yesterday"), "lb-c"))
    assert scene("l7lb_finalizing_oldest_seconds", controller=CONTROLLER) == 60
    scene.room.clock.advance(30)
    assert scene("l7lb_finalizing_oldest_seconds", controller=CONTROLLER) == 90


def test_load_balancers_in_use_are_told_by_how_we_got_them(scene: Scene) -> None:
    for name, claim in (("a", "created"), ("b", "created"), ("c", "adopted"), ("d", "adopting")):
        scene.room.put(served(named(ingress(rule()), name), f"lb-{name}", claim=claim))
    scene.room.put(served(named(ingress(rule()), "e"), "", claim="creating"))
    assert scene("l7lb_managed_loadbalancers", mode="created") == 2
    assert scene("l7lb_managed_loadbalancers", mode="adopted") == 1


def test_the_leader_names_each_load_balancer_in_use_once_and_forgets_it_when_it_goes(scene: Scene) -> None:
    one = scene.room.put(served(named(ingress(rule()), "a"), "lb-a"))
    info = "l7lb_loadbalancer_info"
    labels = {"region": "ap-guangzhou", "load_balancer": "lb-a", "mode": "created"}
    assert scene(info, **labels) is None
    scene.elector.step()
    assert scene(info, **labels) == 1
    scene.room.remove(one)
    assert scene(info, **labels) is None


def test_how_much_of_the_lease_is_left_is_told(scene: Scene) -> None:
    assert scene("l7lb_lease_remaining_seconds", name="l7lb-cls-1") == 0
    scene.elector.step()
    scene.room.clock.advance(4)
    assert scene("l7lb_lease_remaining_seconds", name="l7lb-cls-1") == 26


UNREADY = "l7lb_ingress_not_ready_oldest_seconds"


def unready(scene: Scene, name: str, since: str, status: str = "False", **more: str) -> Ingress:
    said = f'[{{"type":"Ready","status":"{status}","reason":"r","lastTransitionTime":"{since}"}}]'
    one = named(ingress(rule()), name, deletion_timestamp=more.pop("deleted", None))
    annotations = {**one.annotations, CONDITIONS: said, **more}
    meta = msgspec.structs.replace(one.metadata, annotations=annotations)
    found: Ingress = scene.room.put(msgspec.structs.replace(one, metadata=meta))
    return found


def test_the_ingress_that_has_been_unready_for_longest_is_told_also_by_a_new_leader(scene: Scene) -> None:
    assert scene(UNREADY, controller=CONTROLLER) == 0
    unready(scene, "a", NOW)
    last = unready(scene, "b", EARLIER)
    assert scene(UNREADY, controller=CONTROLLER) == 60
    scene.room.remove(last)
    assert scene(UNREADY, controller=CONTROLLER) == 0
    scene.room.clock.advance(30)
    assert scene(UNREADY, controller=CONTROLLER) == 30


def test_who_is_ready_or_going_or_not_ours_is_not_waited_for_and_nonsense_is_no_time(scene: Scene) -> None:
    unready(scene, "ready", EARLIER, status="True")
    unready(scene, "going", EARLIER, deleted=EARLIER)
    unready(scene, "not-ours", EARLIER, **{"kubernetes.io/ingress.class": "nginx"})
    unready(scene, "odd", "yesterday")
    assert scene(UNREADY, controller=CONTROLLER) == 0


def test_the_leader_counts_ingresses_by_their_condition_and_those_that_are_gone_no_more(scene: Scene) -> None:
    def counts() -> list[float | None]:
        return [scene("l7lb_ingress_condition", condition="Ready", status=one) for one in ("True", "False")]

    unready(scene, "ready", EARLIER, status="True")
    refused = unready(scene, "refused", EARLIER)
    unready(scene, "going", EARLIER, deleted=EARLIER)
    assert counts() == [0, 0]
    scene.elector.step()
    assert counts() == [1, 1]
    scene.room.remove(refused)  # it had no finalizer: no pass has heard of its end
    assert counts() == [1, 0]


def test_passes_are_told_while_we_lead(scene: Scene) -> None:
    assert scene("workqueue_longest_running_processor_seconds", name=CONTROLLER) == 0
    queue = WorkQueue()
    scene.leadership.terms = (SimpleNamespace(queue=queue, verifier=SimpleNamespace(oldest=lambda: 123.0)),)
    queue.add("new/1", Lane.CHANGE, scene.room.clock.monotonic())
    queue.take(scene.room.clock.monotonic())
    scene.room.clock.advance(4)
    assert scene("workqueue_longest_running_processor_seconds", name=CONTROLLER) == 4
    assert scene("workqueue_unfinished_work_seconds", name=CONTROLLER) == 4
    assert scene("l7lb_last_verified_timestamp_seconds", controller=CONTROLLER) == 123
