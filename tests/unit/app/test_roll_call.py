"""On taking the lead: whose targets are not as they ought to be comes early, for one call in thirty."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from l7lb import ledger
from l7lb.app.roll_call import RollCall
from l7lb.errors import L7lbError, NotFound, Throttled, Unavailable
from l7lb.model.cloud import Health, TargetHealth
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef, ListenerId, LocationId, Owner
from l7lb.model.loadbalancer import TargetKey
from l7lb.model.marks import RECORD
from l7lb.model.ownership import Record
from tests.simulation import manifests
from tests.simulation.world import World
from tests.unit.app.account import Account
from tests.unit.app.room import CLUSTER, SETTINGS, Room, annotated, named, served
from tests.unit.translator.builders import ingress, node, path, rule, service

LISTENER, RULE = ListenerId("lbl-1"), LocationId("loc-1")
BOTH = {"10.0.0.1", "10.0.0.2"}


@dataclass
class Bound(Account):
    """An account whose load balancers have these addresses bound, at the node port."""

    addresses: dict[str, set[str]] = field(default_factory=dict)
    port: int = 31080
    listener: ListenerId = LISTENER
    gone: set[str] = field(default_factory=set)

    def health(self, refs: tuple[CloudRef, ...]) -> Mapping[Any, tuple[TargetHealth, ...]]:
        self._count("health")
        if gone := [one.id for one in refs if one.id in self.gone]:
            raise NotFound(f"{gone[0]} does not exist", what="load balancer")
        return {
            (one, self.listener, RULE): tuple(
                TargetHealth(TargetKey(address, self.port), Health.ALIVE) for address in sorted(bound)
            )
            for one in refs
            if (bound := self.addresses.get(one.id))
        }


def _of(name: str, service: str = "web", *, listener: str = LISTENER) -> Ingress:
    """One that is served by `lb-name`, on a listener that its record names."""
    one = served(named(ingress(rule("a.example.com", path(to=service))), name), f"lb-{name}")
    record = ledger.parse_record(one.annotations[RECORD], Owner(CLUSTER, one.metadata.uid))
    assert isinstance(record, Record)
    record = replace(record, listeners={"HTTP:80": (listener, "TKE-DEDICATED-LISTENER")})
    recorded: Ingress = annotated(one, **{**one.annotations, RECORD: ledger.format_record(record)})
    return recorded


def _absent(account: Bound, *ingresses: Ingress, waits: list[float] | None = None) -> set[str]:
    room = Room()
    room.put(service("web"))
    for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2")):
        room.put(node(name, address))
    for one in ingresses:
        room.put(one)
    heard = waits if waits is not None else []

    def wait(seconds: float) -> bool:
        heard.append(seconds)
        return False

    call = RollCall(CLUSTER, SETTINGS, room.caches, account, lambda one: BindingKey(f"new/{one.metadata.uid}"))
    return {key.removeprefix("new/uid-") for key in call.absent(ingresses, wait)}


@pytest.mark.parametrize(
    ("bound", "absent"),
    [
        (BOTH, set()),
        ({"10.0.0.1"}, {"a"}),
        (BOTH | {"10.0.0.9"}, {"a"}),
        (set(), {"a"}),
    ],
    ids=["as it ought to be", "one is missing", "one is too many", "nobody is there"],
)
def test_it_tells_whose_targets_differ(bound: set[str], absent: set[str]) -> None:
    assert _absent(Bound(addresses={"lb-a": bound}), _of("a")) == absent


def test_what_is_bound_to_listeners_of_others_is_their_business() -> None:
    account = Bound(addresses={"lb-a": BOTH, "lb-b": BOTH})
    assert _absent(account, _of("a"), _of("b", listener="lbl-2")) == {"b"}


def test_where_targets_are_not_known_nothing_is_compared() -> None:
    account = Bound(addresses={"lb-a": {"10.0.0.9"}, "lb-b": {"10.0.0.9"}})
    assert _absent(account, _of("a"), _of("b", "none")) == {"a"}


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (30, 1), (31, 2), (100, 4)])
def test_it_costs_one_call_in_thirty(count: int, calls: int) -> None:
    account = Bound()
    names = [f"{number:03}" for number in range(count)]
    account.addresses = {f"lb-{name}": BOTH for name in names}
    assert _absent(account, *(_of(name) for name in names)) == set()
    assert account.reads() == {"health": calls}


def test_load_balancers_that_are_gone_keep_nobody_from_being_found_and_cost_three_calls_in_all() -> None:
    account = Bound(addresses={"lb-07": {"10.0.0.1"}})
    names = [f"{number:02}" for number in range(30)]
    account.own(*(f"lb-{name}" for name in names[:15]))
    account.addresses |= {f"lb-{name}": BOTH for name in names if name != "07"}
    account.gone = {f"lb-{name}" for name in names[15:]}
    assert _absent(account, *(_of(name) for name in names)) == {"07", *names[15:]}
    assert account.reads() == {"health": 2, "heads": 2}


@pytest.mark.parametrize(("error", "waited"), [(Throttled("slow", retry_after_s=2.0), 3), (Unavailable("away"), 0)])
def test_without_an_answer_each_waits_for_its_turn_and_the_log_says_so(
    error: L7lbError, waited: int, caplog: pytest.LogCaptureFixture
) -> None:
    account = Bound(addresses={"lb-a": set()})

    def refuse(_call: str) -> None:
        raise error

    account.trouble = refuse
    waits: list[float] = []
    assert _absent(account, _of("a"), waits=waits) == set()
    assert len(waits) == waited
    assert "1 load balancers are left for their turns" in caplog.text


def test_a_node_that_went_while_nobody_led_is_taken_off_before_the_turns_of_the_verifier() -> None:
    world = World()
    for name in ("first", "second"):
        world.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com")))
    world.start()
    world.settle()
    world.crash()
    world.users.remove("/api/v1/nodes/node-b")
    process = world.start()
    assert process.term is not None
    process.term.verifier.promote()
    world.account.forget_calls()
    world.run(2.0)
    assert world.account.calls()["BatchDeregisterTargets"] == 2
