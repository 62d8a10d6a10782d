"""Calls to the cloud, on the emulator's own counters: what a build, a change and a no-op cost (DESIGN: budgets).

Tasks end before anybody looks. The account's quotas and the identity check are read once a term, before the counting.
"""

from collections.abc import Iterator, Mapping

import pytest

from tests.system.kube import Json
from tests.system.world import NODES, VPC, World, ingress, node, rule, service

pytestmark = pytest.mark.system

Calls = dict[str, int]

READS_OF_A_BUILD = {"DescribeLoadBalancers": 2, "DescribeListeners": 1}
"""Look by tag; then the new one, which says by its tags and address that its creation has ended; then ids of rules."""
MORE = {f"more-{number:02}": (f"127.10.1.{number + 1}", f"ins-{number:08}") for number in range(98)}
"""With the two that every world has: as many targets as a rule takes."""
QUIET_LOOKS = 14


def nodes(count: int) -> Mapping[str, tuple[str, str]]:
    return dict([*NODES.items(), *MORE.items()][:count])


def quiet(world: World) -> Calls:
    """The calls so far, once none has come for longer than any wait between two polls."""
    seen: list[Calls] = []

    def still() -> bool:
        # When certificates expire is read at its own time, once for all Ingresses together.
        seen.append({action: count for action, count in world.calls().items() if action != "DescribeCertificates"})
        return len(seen) > QUIET_LOOKS and all(calls == seen[-1] for calls in seen[-QUIET_LOOKS:])

    world.wait("no more calls", still)
    return seen[-1]


def hosts(count: int, *, paths: int = 1) -> list[Json]:
    """Rules of one Service: so many hosts with so many paths each."""
    made = [rule(f"h{number:02}.example.com", "web") for number in range(count)]
    for whole in made:
        whole["http"]["paths"] += [
            rule(None, "web", f"/p{number}")["http"]["paths"][0] for number in range(1, paths)
        ]  # fmt: skip
    return made


def build(
    world: World, namespace: str, *rules: Json, annotations: Mapping[str, str] | None = None, **spec: object
) -> Calls:
    """What one new Ingress costs until all is quiet again."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert", "namespace": namespace}}
    world.kube.create({**secret, "type": "Opaque", "stringData": {"qcloud_cert_id": "certrsa1"}})
    quiet(world)
    world.cloud.calls.reset()
    world.kube.create(ingress("web", namespace, *rules, annotations=annotations, **spec))
    world.ready("web", namespace)
    return quiet(world)


def bound(world: World) -> int:
    """Targets on all load balancers."""
    return sum(
        len(rule["targets"])
        for lb in world.load_balancers().values()
        for item in lb["listeners"]
        for rule in item["rules"]
    )


@pytest.fixture(scope="module")
def small() -> Iterator[World]:
    """Three nodes."""
    with World(nodes=nodes(3)) as world:
        world.start()
        world.leads()
        yield world


@pytest.fixture(scope="module")
def large() -> Iterator[World]:
    """A hundred nodes: as many targets as a rule takes."""
    with World(nodes=nodes(100)) as world:
        world.start()
        world.leads()
        yield world


def test_one_rule_with_three_targets_is_four_writes_and_nine_calls(small: World) -> None:
    calls = build(small, "one", *hosts(1))
    assert calls == READS_OF_A_BUILD | {
        "CreateLoadBalancer": 1, "CreateListener": 1, "CreateRule": 1, "BatchRegisterTargets": 1,
        "DescribeTaskStatus": 2,
    }  # fmt: skip
    assert sum(calls.values()) == 4 + 2 + 3


def test_fifty_rules_are_no_more_calls_than_one(small: World) -> None:
    calls = build(small, "fifty", *hosts(10, paths=5))
    assert calls == READS_OF_A_BUILD | {
        "CreateLoadBalancer": 1, "CreateListener": 1, "CreateRule": 1, "BatchRegisterTargets": 1,
        "DescribeTaskStatus": 2,
    }  # fmt: skip


def test_https_costs_what_http_costs(small: World) -> None:
    calls = build(small, "https", *hosts(10), tls=[{"secretName": "cert"}])
    assert sum(calls.values()) == 4 + 2 + 3
    assert calls["CreateListener"] == 1


def test_redirects_of_all_hosts_are_one_write_and_their_listener_another(small: World) -> None:
    asked = {
        "ingress.cloud.tencent.com/listen-ports": '[{"HTTP":80},{"HTTPS":443}]',
        "ingress.cloud.tencent.com/auto-rewrite": "true",
    }
    calls = build(small, "redirects", *hosts(10, paths=5), annotations=asked, tls=[{"secretName": "cert"}])
    assert calls == READS_OF_A_BUILD | {
        "CreateLoadBalancer": 1, "CreateListener": 2, "CreateRule": 1, "AutoRewrite": 1, "BatchRegisterTargets": 1,
        "DescribeTaskStatus": 4,
    }  # fmt: skip
    assert sum(calls.values()) == 6 + 4 + 3


def test_an_annotation_that_asks_for_an_attribute_call_costs_that_call_and_its_poll(small: World) -> None:
    calls = build(small, "groups", *hosts(1), annotations={"ingress.cloud.tencent.com/security-groups": "sg-1aaaaaaa"})
    assert calls["SetLoadBalancerSecurityGroups"] == 1
    assert sum(calls.values()) == 4 + 2 + 3 + 2


def test_adopting_costs_one_write_more_than_a_build_without_its_order(small: World) -> None:
    small.seed({"load_balancers": [{"id": "lb-0budget0", "vpc_id": VPC}]})
    calls = build(small, "lent", *hosts(1), annotations={"kubernetes.io/ingress.existLbId": "lb-0budget0"})
    writes = {"ModifyResourceTags": 1, "CreateListener": 1, "CreateRule": 1, "BatchRegisterTargets": 1}
    assert {name: count for name, count in calls.items() if not name.startswith("Describe")} == writes
    assert calls == writes | {
        "DescribeTaskStatus": 2,
        "DescribeLoadBalancers": 2,  # before the tags, and to read them back
        "DescribeListeners": 3,  # refusals are judged by them; read back with the tags; the ids of the rules
    }


def test_what_changes_nothing_costs_nothing(small: World) -> None:
    build(small, "still", *hosts(2))
    small.cloud.calls.reset()
    small.kube.annotate("web", "still", **{"example.com/note": "nothing of ours"})
    small.kube.patch("Service", "web", "still", {"metadata": {"labels": {"team": "shop"}}})
    small.kube.create({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "web-1", "namespace": "still", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [f"10.1.0.{number}"], "conditions": {"ready": True}} for number in range(1, 40)],
    })  # fmt: skip
    beat = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
            "lastHeartbeatTime": "2026-01-01T00:05:00Z"}  # fmt: skip
    small.kube.patch("Node", "node-a", "", {"status": {"conditions": [beat]}}, part="status")
    small.kube.patch("Secret", "cert", "still", {"metadata": {"labels": {"team": "shop"}}})
    assert quiet(small) == {}


def test_a_change_of_the_ingress_costs_its_writes_and_no_look_for_what_is_known(small: World) -> None:
    build(small, "edited", *hosts(1))
    small.cloud.calls.reset()
    small.kube.patch("Ingress", "web", "edited", {"spec": {"rules": hosts(2)}})
    assert quiet(small) == {
        "CreateRule": 1, "DescribeTaskStatus": 1, "DescribeListeners": 1, "BatchRegisterTargets": 1,
    }  # fmt: skip


def test_five_thousand_targets_are_ten_calls_and_a_node_is_one_call_a_load_balancer(large: World) -> None:
    calls = build(large, "full", *hosts(50))
    assert calls == READS_OF_A_BUILD | {
        "CreateLoadBalancer": 1, "CreateListener": 1, "CreateRule": 1, "BatchRegisterTargets": 10,
        "DescribeTaskStatus": 2,
    }  # fmt: skip
    assert sum(calls.values()) == 13 + 2 + 3
    assert bound(large) == 5000

    large.cloud.calls.reset()
    large.kube.delete("Node", "more-00")
    large.wait("it is off", lambda: bound(large) == 4950)
    assert quiet(large) == {"BatchDeregisterTargets": 1}

    build(large, "second", *hosts(1))
    large.cloud.calls.reset()
    large.kube.create(node("more-00", *MORE["more-00"]))
    large.wait("it is on again", lambda: bound(large) == 5100)
    assert quiet(large) == {"BatchRegisterTargets": 2}
