"""Many pods: more than a rule takes, beside nodes, and whatever the slices and the pods say of each other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from l7lb import translator
from l7lb.model.endpoints import EndpointSlice
from l7lb.model.loadbalancer import Presence, Target
from l7lb.model.pods import Pod
from l7lb.model.snapshot import Limits, Settings, Snapshot, Translation

from .builders import NODES, SETTINGS, codes, ingress, node, rule, rules, service, snapshot
from .pod_builders import endpoint, pod, slice_of
from .test_pods import DIRECT, HOST, KEY, REQUIRED, RESTING, A, B, one, told, web


def crowd(count: int) -> tuple[EndpointSlice, list[Pod]]:
    """So many pods that serve."""
    pods = [pod(f"web-{number:03}", f"172.16.1.{number}") for number in range(count)]
    return slice_of("web", *(endpoint(f"172.16.1.{number}", f"web-{number:03}") for number in range(count))), pods


def chosen(count: int, limit: int) -> tuple[set[str], list[str]]:
    part, pods = crowd(count)
    settings = Settings(SETTINGS.cluster_id, SETTINGS.region, limits=Limits(targets_per_rule=limit))
    it = snapshot(ingress(rule(HOST), annotations=DIRECT), web(), part, *pods)
    found = translator.translate(it, settings)
    return {str(target.key) for target in rules(found)[KEY].targets}, codes(found)


def test_more_pods_than_a_rule_takes_are_a_stable_choice() -> None:
    some, said = chosen(12, 10)
    assert (len(some), said) == (10, ["E4054"])
    assert chosen(12, 10)[0] == some
    more, _ = chosen(13, 10)
    assert len(some - more) <= 1


SUPER = node("eklet-1", "10.0.9.1", labels={"node.kubernetes.io/instance-type": "eklet"})


def mixed(*those: Any, kind: str = "NodePort", **fields: Any) -> Translation:
    it = ingress(rule(HOST))
    return translator.translate(snapshot(it, service(kind=kind), *those, **fields), SETTINGS)


def test_in_node_port_mode_pods_on_super_nodes_are_bound_beside_the_nodes() -> None:
    part = slice_of(
        "web", endpoint(A, "web-a"), endpoint(B, "web-b", on="eklet-1"),
        endpoint("172.16.0.3", "web-c", on="eklet-1", ready=False),
    )  # fmt: skip
    pods = (one(), pod("web-b", B), pod("web-c", "172.16.0.3"))
    assert told(mixed(part, *pods, nodes=(*NODES, SUPER))) == {
        "10.0.0.11:31080": REQUIRED,
        "10.0.0.12:31080": REQUIRED,
        f"{B}:8080": REQUIRED,
        "172.16.0.3:8080": RESTING,
    }


def test_where_there_are_only_super_nodes_pods_are_always_the_targets() -> None:
    part = slice_of("web", endpoint(B, "web-b", on="eklet-1"))
    found = mixed(part, pod("web-b", B), kind="ClusterIP", nodes=(SUPER,))
    assert told(found) == {f"{B}:8080": REQUIRED}
    assert found.problems == ()


NAMES = ("web-a", "web-b", "web-c")
ADDRESSES = (A, B, "172.16.0.3")
some_pods = st.lists(
    st.builds(
        pod,
        st.sampled_from(NAMES),
        st.sampled_from((*ADDRESSES, None)),
        terminating=st.booleans(),
        phase=st.sampled_from(("Running", "Pending", "Failed")),
    ),
    unique_by=lambda made: made.metadata.name,
)
some_endpoints = st.lists(
    st.builds(
        endpoint,
        st.sampled_from(ADDRESSES),
        st.sampled_from(NAMES),
        ready=st.sampled_from((True, False, None)),
        terminating=st.sampled_from((True, False, None)),
    ),
    max_size=4,
)


def targets_of(found: Translation) -> tuple[Target, ...]:
    return rules(found)[KEY].targets


def alive(of: Snapshot, address: str) -> list[Pod]:
    return [made for made in of.pods.values() if address in made.addresses and not made.over]


@given(some_endpoints, some_endpoints, some_pods)
def test_whatever_is_seen_nobody_dead_or_dying_takes_traffic(first: Any, second: Any, pods: Any) -> None:
    it = snapshot(
        ingress(rule(HOST), annotations=DIRECT),
        web(),
        slice_of("web", *first),
        slice_of("web", *second, name="2"),
        *pods,
    )
    found = targets_of(translator.translate(it, SETTINGS))
    assert len({target.key for target in found}) == len(found)
    for target in found:
        there = alive(it, target.key.address)
        unplaced = [made for made in it.pods.values() if not made.addresses and not made.over]
        if target.presence is Presence.REQUIRED:
            assert any(not made.terminating for made in (*there, *unplaced))
        elif target.weight != 0 and there:
            # With no weight of its own it must be one that is to go.
            assert target.presence is Presence.GONE
    for made in it.pods.values():
        resting = [target for target in found if target.key.address in made.addresses and made.terminating]
        alone = bool(made.addresses) and alive(it, made.addresses[0]) == [made]
        if alone and made.terminating:
            assert resting, "a pod that is still there stays bound"
            assert all(target.weight == 0 and target.presence is Presence.TOLERATED for target in resting)
