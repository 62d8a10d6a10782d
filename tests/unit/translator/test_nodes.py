"""Which nodes are targets."""

from datetime import UTC, datetime

import pytest

from l7lb import translator
from l7lb.model.cluster import Node, NodeAddress, NodeStatus
from l7lb.model.loadbalancer import Presence, Target
from l7lb.model.snapshot import Limits, Settings, Translation
from l7lb.translator.names import Name

from .builders import NOW, SETTINGS, codes, ingress, node, rule, rules, snapshot

KEY = "store.acme-demo.com/"


def before(seconds: float) -> str:
    return datetime.fromtimestamp(NOW - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def translate(*nodes: Node, settings: Settings = SETTINGS, **annotations: str) -> Translation:
    extensive = {Name.EXTENSIVE: annotations["extensive"]} if annotations else {}
    return translator.translate(snapshot(ingress(rule(), annotations=extensive), nodes=nodes), settings)


def bound(found: Translation) -> dict[str, str]:
    """Address -> required or tolerated."""
    return {target.key.address: target.presence.value for target in rules(found)[KEY].targets}


GOOD = tuple(node(f"good-{number}", f"10.0.1.{number}") for number in range(8))
LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


@pytest.mark.parametrize(
    ("it", "expected"),
    [
        pytest.param(node("x", "10.0.0.1"), "required", id="ready"),
        pytest.param(node("x", "10.0.0.1", cordoned=True), "tolerated", id="cordoned"),
        pytest.param(node("x", "10.0.0.1", labels={LABEL: ""}), "tolerated", id="excluded by label"),
        pytest.param(
            node("x", "10.0.0.1", labels={"node-role.kubernetes.io/control-plane": ""}), "tolerated", id="control plane"
        ),
        pytest.param(node("x", "10.0.0.1", labels={"node-role.kubernetes.io/master": ""}), "tolerated", id="master"),
        pytest.param(node("x", "10.0.0.1", ready="False", since=before(299)), "tolerated", id="NotReady for a while"),
        pytest.param(node("x", "10.0.0.1", ready="False", since=before(301)), None, id="NotReady for five minutes"),
        pytest.param(node("x", "10.0.0.1", ready="Unknown", since=before(301)), None, id="unheard of for five minutes"),
        pytest.param(node("x", "10.0.0.1", ready="False", since="whenever"), "tolerated", id="an unreadable time"),
        pytest.param(
            node("x", "10.0.0.1", ready="False", since="0001-01-01T00:00:00+14:00"),
            "tolerated",
            id="a time before time",
        ),
        pytest.param(
            node("x", "10.0.0.1", ready="False", since="9999-12-31T23:59:59Z"), "tolerated", id="in the future"
        ),
        pytest.param(node("x", "10.0.0.1", ready=None), "tolerated", id="no condition yet"),
        pytest.param(
            node("x", "10.0.0.1", ready="False", since=before(900), labels={LABEL: ""}),
            "tolerated",
            id="excluded, NotReady",
        ),
        pytest.param(node("x", "not an address"), None, id="no usable address"),
        pytest.param(node("x", "fd00::1"), None, id="no IPv4 address"),
        pytest.param(
            node("x", "10.0.0.1", labels={"node.kubernetes.io/instance-type": "eklet"}), None, id="super node"
        ),
    ],
)
def test_what_is_wanted_of_a_node(it: Node, expected: str | None) -> None:
    found = translate(it, *GOOD)
    assert bound(found).get("10.0.0.1") == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    ("lost", "taken_off"),
    [
        pytest.param(1, True, id="one of nine"),
        pytest.param(2, True, id="two of ten"),
        pytest.param(3, False, id="three of eleven"),
        pytest.param(8, False, id="half of them"),
    ],
)
def test_many_nodes_lost_at_once_are_a_broken_view(lost: int, taken_off: bool) -> None:
    dead = [node(f"dead-{n}", f"10.0.2.{n}", ready="Unknown", since=before(400 + n)) for n in range(lost)]
    found = translate(*GOOD, *dead)
    assert ("10.0.2.0" not in bound(found)) is taken_off
    assert codes(found) == ([] if taken_off else ["NodesUnknown"])


def test_nodes_lost_one_by_one_over_days_are_believed() -> None:
    dead = [node(f"dead-{n}", f"10.0.2.{n}", ready="False", since=before(1000 + 3600 * n)) for n in range(6)]
    found = translate(*GOOD, *dead)
    assert set(bound(found)) == {f"10.0.1.{n}" for n in range(8)}
    assert found.problems == ()


def test_nodes_that_are_about_to_be_given_up_count_as_lost_at_once() -> None:
    dead = [node(f"dead-{n}", f"10.0.2.{n}", ready="False", since=before(310 - 60 * n)) for n in range(4)]
    found = translate(*GOOD, *dead)
    assert bound(found)["10.0.2.0"] == "tolerated"


def test_the_last_nodes_are_not_taken_off_for_being_not_ready() -> None:
    found = translate(node("x", "10.0.0.1", ready="False", since=before(4000)))
    assert bound(found) == {"10.0.0.1": "tolerated"}
    assert codes(found) == ["NodesUnknown"]


def test_of_two_nodes_a_dead_one_is_taken_off() -> None:
    found = translate(node("a", "10.0.0.1"), node("b", "10.0.0.2", ready="False", since=before(301)))
    assert bound(found) == {"10.0.0.1": "required"}


def test_when_every_node_is_cordoned_they_are_bound_all_the_same() -> None:
    found = translate(node("a", "10.0.0.1", cordoned=True), node("b", "10.0.0.2", cordoned=True))
    assert set(bound(found).values()) == {"required"}


@pytest.mark.parametrize(
    ("provider_id", "expected"),
    [
        pytest.param("qcloud:///800002/ins-2kx9", "ins-2kx9", id="TKE's form"),
        pytest.param("ins-2kx9", "ins-2kx9", id="bare"),
        pytest.param("tencentcloud://ap-guangzhou/ins-2kx9", "ins-2kx9", id="another scheme"),
        pytest.param(None, None, id="none: by address"),
        pytest.param("aws:///zone/i-0123", None, id="another cloud: by address"),
        pytest.param("qcloud:///800002/kn-abc", None, id="native node: by address"),
        pytest.param("qcloud:///800002/ins-", None, id="empty id: by address"),
    ],
)
def test_a_node_is_bound_by_its_instance_id_where_there_is_one(provider_id: str | None, expected: str | None) -> None:
    (target,) = rules(translate(node("a", "10.0.0.1", provider_id=provider_id)))[KEY].targets
    assert target.instance_id == expected


def test_on_a_full_chain_ipv6_load_balancer_nodes_are_bound_by_ipv6_address() -> None:
    both = node("a", "10.0.0.1")
    addresses = (NodeAddress(type="InternalIP", address="10.0.0.1"), NodeAddress(type="InternalIP", address="fd00::a"))
    dual = Node(metadata=both.metadata, spec=both.spec, status=NodeStatus(addresses, both.status.conditions))
    found = translate(dual, extensive='{"AddressIPVersion":"IPv6FullChain"}')
    (target,) = rules(found)[KEY].targets
    assert (target.key.address, target.instance_id) == ("fd00::a", None)


def test_two_nodes_with_one_address_are_one_target_and_the_living_one_counts() -> None:
    stale = node("a-stale", "10.0.0.1", ready="False", since=before(10))
    (target,) = rules(translate(stale, node("b", "10.0.0.1")))[KEY].targets
    assert (target.instance_id, target.presence) == ("ins-b", Presence.REQUIRED)


def many(count: int, zones: int = 3) -> list[Node]:
    return [
        node(f"n{n:03}", f"10.1.{n // 200}.{n % 200}", labels={"topology.kubernetes.io/zone": f"zone-{n % zones}"})
        for n in range(count)
    ]


def chosen(nodes: list[Node], limit: int = 30) -> set[Target]:
    settings = Settings(cluster_id="cls-9mfq2k1t", region="ap-guangzhou", limits=Limits(targets_per_rule=limit))
    return set(rules(translate(*nodes, settings=settings))[KEY].targets)


def test_more_nodes_than_the_quota_are_chosen_and_said() -> None:
    settings = Settings(cluster_id="cls-9mfq2k1t", region="ap-guangzhou", limits=Limits(targets_per_rule=30))
    found = translate(*many(60), settings=settings)
    assert len(rules(found)[KEY].targets) == 30
    assert codes(found) == ["E4054"]


def test_the_choice_is_spread_over_the_zones() -> None:
    nodes = many(60)
    zone_of = {one.status.addresses[0].address: (one.metadata.labels or {}) for one in nodes if one.status.addresses}
    zones = [zone_of[target.key.address]["topology.kubernetes.io/zone"] for target in chosen(nodes)]
    assert {zone: zones.count(zone) for zone in zones} == {"zone-0": 10, "zone-1": 10, "zone-2": 10}


def test_the_choice_does_not_depend_on_the_order_of_the_nodes() -> None:
    assert chosen(many(60)) == chosen(list(reversed(many(60))))


def test_one_node_more_moves_at_most_a_few_targets() -> None:
    assert len(chosen(many(60)) - chosen(many(61))) <= 2


def test_one_node_less_moves_one_target() -> None:
    nodes = many(60)
    gone = next(one for one in nodes if any(t.instance_id == f"ins-{one.metadata.name}" for t in chosen(nodes)))
    assert len(chosen([one for one in nodes if one is not gone]) - chosen(nodes)) <= 2


@pytest.mark.parametrize(
    ("seconds", "suspect", "again_s"),
    [
        pytest.param(30, False, 30, id="NotReady for half a minute"),
        pytest.param(60, True, 240, id="NotReady for a minute"),
        pytest.param(299, True, 1, id="about to be given up"),
    ],
)
def test_a_node_that_is_not_ready_becomes_suspect_and_is_looked_at_again(
    seconds: int, suspect: bool, again_s: int
) -> None:
    found = translate(*GOOD, node("x", "10.0.0.1", ready="False", since=before(seconds)))
    assert {target.suspect for target in rules(found)[KEY].targets if target.key.address == "10.0.0.1"} == {suspect}
    assert found.again_s == again_s


def test_many_nodes_that_turn_not_ready_at_once_are_no_suspects() -> None:
    lost = [node(f"x{number}", f"10.0.2.{number}", ready="False", since=before(100)) for number in range(4)]
    found = translate(*GOOD, *lost)
    assert not any(target.suspect for target in rules(found)[KEY].targets)


def test_while_all_nodes_are_ready_time_alone_changes_nothing() -> None:
    assert translate(*GOOD).again_s is None


@pytest.mark.parametrize(("proof_in_s", "again_s"), [(None, 20), (5.0, 5.0), (60.0, 20)])
def test_what_time_changes_first_is_waited_for(proof_in_s: float | None, again_s: float) -> None:
    lost = node("x", "10.0.0.1", ready="False", since=before(40))
    asked = snapshot(ingress(rule()), nodes=(*GOOD, lost), proof_in_s=proof_in_s)
    assert translator.translate(asked, SETTINGS).again_s == again_s
