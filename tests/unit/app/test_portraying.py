"""Portraits from the caches and the running term: what is counted, what only a leader knows, what is remembered."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from l7lb import ledger
from l7lb.app.caches import Caches, Stores, stores
from l7lb.app.drawing import Healths
from l7lb.app.glancing import Glances
from l7lb.app.history import QUIET_MAX, History
from l7lb.app.portraying import FRESH_S, Portrayer, Studio
from l7lb.app.pulses import Pulse, Pulses
from l7lb.app.rounds import Rounds
from l7lb.errors import Unavailable
from l7lb.model.branches import Mark, Part
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import (
    Backend,
    HttpPath,
    HttpRule,
    Ingress,
    IngressClass,
    IngressClassSpec,
    IngressRule,
    IngressSpec,
    ObjectMeta,
    ServiceBackend,
    ServicePortRef,
)
from l7lb.model.identity import BindingKey, CloudRef, Cluster, ListenerId, ListenerKey, LoadBalancerId, ObjectKey
from l7lb.model.loadbalancer import TargetKey
from l7lb.model.marks import CONDITIONS, FINALIZER, RECORD
from l7lb.model.outcome import Again
from l7lb.model.ownership import Record
from l7lb.model.plan import Plan
from l7lb.model.snapshot import Settings
from l7lb.model.watch import Item
from l7lb.reconciler.conditions import READY
from l7lb.reconciler.flights import Flight, Flights
from l7lb.reconciler.observations import Observations
from tests.builders import OUR_TAGS, head, listener, listener_id, location_id, observed, ref, rule, there
from tests.unit.app.test_history import Heard
from tests.unit.console.portraits import STANDING
from tests.unit.runtime.fake_clock import FakeClock

CLUSTER = Cluster("cls-1", "kube-system-uid")
SETTINGS = Settings("cls-1", "ap-guangzhou")


def place(name: str) -> CloudRef:
    return CloudRef("ap-guangzhou", LoadBalancerId(name))


def condition(status: str, message: str) -> str:
    told = {"type": "Ready", "status": status, "reason": "Ensured" if status == "True" else "ServiceNotFound"}
    return json.dumps([{**told, "message": message, "lastTransitionTime": "2026-11-23T00:00:00Z"}])


def ingress(
    name: str, lb: str = "", *, said: str = "", hosts: Iterable[str] = ("a.example.com",), **spec: Any
) -> Ingress:
    """`lb`: the load balancer in its record, which is created; empty: it has none."""
    uid = f"uid-{name}"
    backend = Backend(service=ServiceBackend(name="web", port=ServicePortRef(number=80)))
    path = HttpPath(path="/", path_type="Prefix", backend=backend)
    rules = tuple(IngressRule(host=host, http=HttpRule(paths=(path,))) for host in hosts)
    key = str(ListenerKey("HTTP", 80))
    listeners = {key: (listener_id(ListenerKey("HTTP", 80)), "TKE-DEDICATED-LISTENER")}
    record = Record(uid, CLUSTER.id, region="ap-guangzhou", lb=lb, claim="created", listeners=listeners)
    annotations = {RECORD: ledger.format_record(record)} if lb else {}
    annotations |= {CONDITIONS: said} if said else {}
    finalizers = (FINALIZER,) if lb else ()
    meta = ObjectMeta(name=name, namespace="shop", uid=uid, annotations=annotations, finalizers=finalizers)
    return Ingress(metadata=meta, spec=IngressSpec(rules=rules, **spec))


@dataclass
class Term:
    """What portraits look at of a running term."""

    clock: FakeClock
    history: History = field(init=False)
    flights: Flights = field(default_factory=Flights)
    observations: Observations = field(init=False)
    settings: Settings = SETTINGS

    def __post_init__(self) -> None:
        self.history = History(Heard(), self.clock.time)
        self.observations = Observations(wall=self.clock.time)


class Scene:
    """A cluster in stores, a term, and a cloud that says how targets are."""

    def __init__(self, *ingresses: Ingress) -> None:
        self.clock = FakeClock(1_795_392_373.0)
        self.term: Term | None = Term(self.clock)
        self.healths: Healths = {}
        self.beat: Pulse | None = Pulse(healthy=2, total=2, rules=1)
        self.looks = 0
        self.standing = STANDING
        self.stores: Stores = stores(CLUSTER, SETTINGS)
        self.put(*ingresses)
        caches = Caches(self.stores, CLUSTER, unread=frozenset, wall=self.clock.time, service_exists=self.ask)
        studio = Studio(
            cluster=lambda: CLUSTER,
            settings=SETTINGS,
            stores=self.stores,
            caches=caches,
            term=lambda: self.term,  # type: ignore[arg-type,return-value]  # the parts that are looked at
            standing=lambda: self.standing,
            glances=Glances(lambda _: self.healths, self.clock),
            rounds=Rounds(self.pulse, self.clock, patience_s=10.0),
            clock=self.clock,
        )
        self.portrayer = Portrayer(studio)

    def pulse(self, wanted: Mapping[CloudRef, frozenset[ListenerId]]) -> Pulses:
        self.looks += 1
        return (
            Pulses(dict.fromkeys(wanted, self.beat))
            if self.beat is not None
            else Pulses({}, dict.fromkeys(wanted, "x"))
        )

    def ask(self, key: ObjectKey) -> bool:
        raise AssertionError(f"{key} was asked for")

    def put(self, *ingresses: Ingress) -> None:
        items = [Item(one.key, one.metadata.uid, "1", one) for one in ingresses]
        self.stores.ingresses.replace(items)

    def read(self, name: str, uid: str, *hosts: str) -> None:
        """The load balancer was read: HTTP:80 with these hosts, two targets each."""
        assert self.term is not None
        rules = (rule(f"{host}/", "10.0.0.1:1", "10.0.0.2:1") for host in hosts)
        tags = {**OUR_TAGS, "tke-lb-ingress-uuid": uid}
        self.term.observations.keep(observed(there(listener("HTTP:80", *rules)), on=head(name, tags)))

    def key(self, name: str) -> BindingKey:
        return BindingKey(f"new/uid-{name}")


@pytest.fixture
def scene() -> Scene:
    made = Scene(ingress("web", "lb-1", said=condition("True", READY.message)))
    made.read("lb-1", "uid-web", "a.example.com")
    return made


def test_a_fleet_has_each_load_balancer_with_what_was_seen_there(scene: Scene) -> None:
    fleet = scene.portrayer.fleet()
    (one,) = fleet.balancers
    assert (one.ref, one.claim, one.mark) == (place("lb-1"), "created", Mark.OK)
    assert one.owners == (ObjectKey("shop", "web"),)
    assert (one.listeners, one.rules, one.targets, one.seen) == (1, 1, 2, scene.clock.time())
    assert one.addresses == ("203.0.113.10",)
    assert [member.key for member in fleet.members] == [ObjectKey("shop", "web")]
    assert fleet.troubles == ()


def test_a_standby_shows_what_the_objects_say_and_nothing_of_the_cloud(scene: Scene) -> None:
    scene.term = None
    (one,) = scene.portrayer.fleet().balancers
    assert (one.mark, one.seen, one.rules) == (Mark.UNKNOWN, None, 0)
    tree = scene.portrayer.tree(place("lb-1"))
    assert tree is not None
    assert [view.part for view in tree.listeners] == [Part.UNSEEN]
    assert "does not lead" in tree.unchecked
    assert tree.plans == ()


def test_a_fleet_is_drawn_once_in_a_while_however_many_look(scene: Scene) -> None:
    first = scene.portrayer.fleet()
    scene.put()
    assert scene.portrayer.fleet() is first
    scene.clock.advance(FRESH_S)
    assert scene.portrayer.fleet().balancers == ()


def test_while_a_plan_is_on_its_way_what_it_has_made_so_far_shows(scene: Scene) -> None:
    assert scene.term is not None
    made = scene.term.observations.get(place("lb-1"))
    scene.term.observations.clear()
    scene.term.flights.begin(Flight(scene.key("web"), "ap-guangzhou", Plan(), "print", made, 0.0))
    (one,) = scene.portrayer.fleet().balancers
    assert (one.rules, one.seen, one.busy) == (1, scene.clock.time(), "a plan is on its way")
    tree = scene.portrayer.tree(place("lb-1"))
    assert tree is not None
    assert [view.part for view in tree.listeners] == [Part.THERE]


def test_what_fails_in_this_process_is_told_before_the_object_says_it(scene: Scene) -> None:
    assert scene.term is not None
    scene.term.history.failed(scene.key("web"), Unavailable("no answer"))
    (member,) = scene.portrayer.fleet().members
    assert (member.mark, member.says) == (Mark.WAITING, "no answer")
    for _ in range(QUIET_MAX):
        scene.term.history.failed(scene.key("web"), Unavailable("no answer"))
    scene.clock.advance(FRESH_S)
    fleet = scene.portrayer.fleet()
    assert (fleet.members[0].mark, fleet.balancers[0].mark) == (Mark.BAD, Mark.BAD)
    assert [one.message for one in fleet.troubles] == ["no answer"]


def test_a_wait_shows_as_under_way(scene: Scene) -> None:
    assert scene.term is not None
    scene.term.history.ended(scene.key("web"), Again(5.0, "the cloud works on it"))
    (member,) = scene.portrayer.fleet().members
    assert (member.mark, member.says, member.since) == (Mark.WAITING, "the cloud works on it", scene.clock.time())


def test_a_tree_says_whose_it_is_and_how_its_targets_are_now(scene: Scene) -> None:
    place_of_rule = listener_id(ListenerKey("HTTP", 80)), location_id(ref("HTTP:80", "a.example.com/"))
    dead = TargetHealth(TargetKey("10.0.0.1", 1), Health.DEAD, 10)
    alive = TargetHealth(TargetKey("10.0.0.2", 1), Health.ALIVE, 10)
    scene.healths = {place_of_rule: (dead, alive)}
    tree = scene.portrayer.tree(place("lb-1"))
    assert tree is not None
    (view,) = tree.listeners[0].hosts[0].rules
    assert [one.health for one in view.targets] == [Health.DEAD, Health.ALIVE]
    assert (view.mark, tree.balancer.mark, tree.checked) == (Mark.WARNING, Mark.WARNING, scene.clock.time())
    assert tree.ownership.startswith("created: ")
    scene.clock.advance(FRESH_S)
    assert scene.portrayer.fleet().balancers[0].mark is Mark.WARNING


def test_an_ingress_of_somebody_elses_is_no_part_of_the_fleet_and_has_an_answer_all_the_same(scene: Scene) -> None:
    nginx = IngressClass(metadata=ObjectMeta(name="nginx"), spec=IngressClassSpec(controller="k8s.io/ingress-nginx"))
    scene.stores.classes.replace([Item(nginx.key, "uid-nginx", "1", nginx)])
    scene.put(ingress("other", ingress_class_name="nginx"))
    assert scene.portrayer.fleet().members == ()
    why = scene.portrayer.why(ObjectKey("shop", "other"))
    assert why is not None
    assert (why.checks[0].mark, why.tree) == (Mark.BAD, None)


def test_one_whose_class_cannot_be_told_is_told_as_broken(scene: Scene) -> None:
    scene.put(ingress("other", ingress_class_name="nobodys"))
    (member,) = scene.portrayer.fleet().members
    assert member.mark is Mark.BAD


def test_what_is_not_there_is_none(scene: Scene) -> None:
    assert scene.portrayer.tree(place("lb-2")) is None
    assert scene.portrayer.why(ObjectKey("shop", "none")) is None


def test_why_names_the_object_that_is_missing_and_asks_nobody_for_it(scene: Scene) -> None:
    why = scene.portrayer.why(ObjectKey("shop", "web"))
    assert why is not None
    assert why.tree is not None
    assert any("Service shop/web" in one.says for one in why.checks if one.mark is Mark.BAD)
    assert why.troubles != ()


def test_a_thousand_load_balancers_are_all_counted() -> None:
    names = [f"{number:04}" for number in range(1000)]
    said = condition("False", "E4041: Service shop/web not found")
    scene = Scene(*(ingress(name, f"lb-{name}", said=said if name < "0010" else "") for name in names))
    for name in names:
        scene.read(f"lb-{name}", f"uid-{name}", "a.example.com", "b.example.com")
    fleet = scene.portrayer.fleet()
    assert len(fleet.balancers) == len(fleet.members) == 1000
    assert sum(one.rules for one in fleet.balancers) == 2000
    assert len(fleet.troubles) == sum(one.mark is Mark.BAD for one in fleet.members) == 10
    assert replace(fleet, drawn=0.0) == replace(scene.portrayer.fleet(), drawn=0.0)


@pytest.mark.parametrize(
    ("beat", "mark", "says"),
    [
        (Pulse(healthy=2, total=2, rules=1), Mark.OK, READY.message),
        (Pulse(total=2, dead=2, rules=1, dark=1), Mark.BAD, "0 of 2 targets healthy"),
        (Pulse(healthy=1, total=2, dead=1, rules=1), Mark.WARNING, "1 of 2 targets healthy"),
        (None, Mark.UNKNOWN, "the health of its targets is not known"),
    ],
)
def test_a_list_says_that_something_works_only_while_its_targets_do(beat: Pulse | None, mark: Mark, says: str) -> None:
    scene = Scene(ingress("web", "lb-1", said=condition("True", READY.message)))
    scene.beat = beat
    fleet = scene.portrayer.fleet()
    assert [one.mark for one in fleet.balancers] == [mark]
    assert fleet.members[0].mark is mark
    assert says in fleet.members[0].says
    assert [says in one.message for one in fleet.troubles] == ([True] if mark is Mark.BAD else [])


def test_a_replica_that_stands_by_asks_nothing_and_says_of_nothing_that_it_works() -> None:
    scene = Scene(ingress("web", "lb-1", said=condition("True", READY.message)))
    scene.term = None
    assert [one.mark for one in scene.portrayer.fleet().members] == [Mark.UNKNOWN]
    assert scene.looks == 0
