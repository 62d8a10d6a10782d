"""Whatever the objects say, a translation comes back, and it does not depend on the order of what is unordered."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from l7lb import translator
from l7lb.model.cluster import (
    Backend,
    HttpPath,
    HttpRule,
    Ingress,
    IngressRule,
    IngressSpec,
    IngressTls,
    Node,
    ObjectMeta,
    Secret,
    Service,
    ServiceBackend,
    ServicePort,
    ServicePortRef,
    ServiceSpec,
)
from l7lb.model.identity import ObjectKey
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Limits, Settings, Snapshot, Translation
from l7lb.translator.names import Name

from .builders import NOW, SETTINGS, UID, node

K = TypeVar("K")
V = TypeVar("V")

words = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "true",
            "false",
            "null",
            "{}",
            "[]",
            "[{}]",
            '{"HTTP":80}',
            '{"Tags":[1]}',
            "lb-1",
            "subnet-1",
            "skip",
            "80",
            '{"InternetAccessible":{"InternetMaxBandwidthOut":true}}',
            '{"\\ud800":"\\udfff"}',
            '{"a":1e999}',
            "-1",
            '[{"hosts":["a.acme-demo.com"],"qcloud_cert_id":["Kd83hQ2x"]}]',
            '[{"qcloud_cert_id":["Kd83hQ2x","short"]},{"hosts":["*.acme-demo.com"]}]',
        ]
    ),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5).map(
        json.dumps
    ),
)
names = st.sampled_from(["web", "api", "", "gone"])
hosts = st.sampled_from([None, "", "a.acme-demo.com", "b.acme-demo.com", "*.acme-demo.com", "x"]) | st.text(max_size=9)
urls = st.sampled_from([None, "", "/", "/a", "=/a", "~/a"]) | st.text(max_size=9)
kinds = st.sampled_from(["Exact", "Prefix", "ImplementationSpecific", None, "Other"])
port_refs = st.none() | st.builds(
    ServicePortRef, number=st.none() | st.integers(-1, 90), name=st.none() | st.sampled_from(["http", ""])
)
backends = st.builds(Backend, service=st.none() | st.builds(ServiceBackend, name=names, port=port_refs))
paths = st.builds(HttpPath, path=urls, path_type=kinds, backend=backends)
https = st.none() | st.builds(HttpRule, paths=st.none() | st.lists(paths, max_size=3).map(tuple))
tls = st.builds(
    IngressTls,
    hosts=st.none() | st.lists(hosts.map(lambda host: host or ""), max_size=2).map(tuple),
    secret_name=st.none() | names,
)
annotations = st.dictionaries(st.sampled_from([str(name) for name in Name]), words, max_size=5)
quiet_annotations = st.dictionaries(
    st.sampled_from([str(Name.EXTENSIVE), str(Name.SECURITY_GROUPS), str(Name.BANDWIDTH), str(Name.CONFIG)]), words
)


def ingresses(said: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[Ingress]:
    spec = st.builds(
        IngressSpec,
        rules=st.none() | st.lists(st.builds(IngressRule, host=hosts, http=https), max_size=4).map(tuple),
        tls=st.none() | st.lists(tls, max_size=3).map(tuple),
        default_backend=st.none() | backends,
        ingress_class_name=st.none() | names,
    )
    meta = st.builds(ObjectMeta, name=st.just("x"), namespace=st.just("shop"), uid=st.just(UID), annotations=said)
    return st.builds(Ingress, metadata=meta, spec=spec)


ports = st.builds(
    ServicePort,
    name=st.none() | st.just("http"),
    port=st.just(80),
    node_port=st.sampled_from([None, 0, 31080]),
    protocol=st.sampled_from([None, "TCP", "UDP"]),
)
services = st.dictionaries(
    names.map(lambda name: ObjectKey("shop", name)),
    st.builds(
        Service,
        metadata=st.just(ObjectMeta(name="web", namespace="shop")),
        spec=st.builds(
            ServiceSpec,
            type=st.sampled_from([None, "NodePort", "ClusterIP", "ExternalName"]),
            ports=st.none() | st.lists(ports, max_size=2).map(tuple),
            external_traffic_policy=st.sampled_from([None, "Local"]),
        ),
    ),
)
fleets = st.lists(
    st.builds(
        node,
        st.text(max_size=3),
        st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "", "x"]),
        ready=st.sampled_from(["True", "False", "Unknown", None]),
        since=st.sampled_from(["2025-06-01T00:00:00Z", "", "0000-00-00", "9999-12-31T23:59:59-14:00"]),
        cordoned=st.booleans(),
        provider_id=st.sampled_from([None, "x", "qcloud:///1/ins-1"]),
    ),
    max_size=4,
)
secrets = st.dictionaries(
    names.map(lambda name: ObjectKey("shop", name)),
    st.builds(
        Secret,
        metadata=st.just(ObjectMeta(name="cert", namespace="shop")),
        qcloud_cert_id=st.none() | st.sampled_from(["Kd83hQ2x", "Kd83hQ2x,Wq71LmPz", ","]) | st.text(max_size=9),
        qcloud_ca_cert_id=st.none() | st.text(max_size=9),
    ),
)
unread = st.frozensets(st.sampled_from(["Service", "Node", "Secret", "EndpointSlice"]))


def snapshots(said: st.SearchStrategy[dict[str, str]]) -> st.SearchStrategy[Snapshot]:
    return st.builds(
        Snapshot,
        ingress=ingresses(said),
        now=st.just(NOW),
        services=services,
        nodes=fleets.map(tuple),
        secrets=secrets,
        services_gone_since=st.dictionaries(names.map(lambda name: ObjectKey("shop", name)), st.just(NOW - 400)),
        unread=unread,
    )


def check(found: Translation) -> None:
    for problem in found.problems:
        assert problem.reason
        assert problem.message
        assert problem.message == problem.message.rstrip()
        assert "\n" not in problem.message
        assert problem.message.encode()
        assert problem.about is not None
    if found.refusal is not None:
        assert found.desired is None
        assert found.held.everything
        return
    assert found.desired is not None
    for listener in found.desired.listeners:
        keys = [rule.key for rule in listener.rules]
        assert len(keys) == len(set(keys))
        redirects = () if found.desired.redirects is UNSET else found.desired.redirects
        begins = {spec.source.rule.host for spec in redirects if spec.source.listener == listener.key}
        assert {key.host for key in keys} | begins == {host.host for host in listener.hosts}
        for rule in listener.rules:
            assert list(rule.targets) == sorted(rule.targets, key=lambda target: target.key)
            assert len({target.key for target in rule.targets}) == len(rule.targets)


@given(snapshots(annotations))
@settings(max_examples=150, deadline=None)
def test_translating_never_raises_and_every_problem_has_a_reason(of: Snapshot) -> None:
    check(translator.translate(of, SETTINGS))


@given(snapshots(quiet_annotations), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_no_quota_is_too_small_to_translate(of: Snapshot, rules: int, targets: int) -> None:
    limits = Limits(rules_per_listener=rules, targets_per_rule=targets)
    check(translator.translate(of, Settings(cluster_id="cls-1", region="ap-guangzhou", limits=limits)))


@given(ingresses(annotations))
@settings(max_examples=100, deadline=None)
def test_the_other_front_doors_never_raise(it: Ingress) -> None:
    translator.options(it)
    translator.references(it)
    translator.creation_marks(it)
    assert translator.binding_key(it, None, SETTINGS).startswith(("new/", "lb/ap-", "lb/"))
    translator.verdict(it, {}, SETTINGS, synced=True)


@given(snapshots(annotations))
@settings(max_examples=100, deadline=None)
def test_the_order_of_what_is_unordered_changes_nothing(of: Snapshot) -> None:
    meta = of.ingress.metadata
    turned_meta = msgspec.structs.replace(meta, annotations=turned(meta.annotations or {}))
    straight = replace(of, nodes=distinct(of.nodes))
    shuffled = replace(
        of,
        ingress=msgspec.structs.replace(of.ingress, metadata=turned_meta),
        services=turned(of.services),
        secrets=turned(of.secrets),
        nodes=tuple(reversed(distinct(of.nodes))),
    )
    assert translator.translate(shuffled, SETTINGS) == translator.translate(straight, SETTINGS)


def turned(mapping: Mapping[K, V]) -> dict[K, V]:
    return dict(reversed(list(mapping.items())))


def distinct(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """A cluster has no two nodes of one name."""
    return tuple(one for one in nodes if [other.metadata.name for other in nodes].count(one.metadata.name) == 1)
