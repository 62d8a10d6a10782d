"""The manifests of tests/fixtures/manifests, read as the adapter would, with what each must come to."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from l7lb import translator
from l7lb.model.cluster import Service
from l7lb.model.identity import ListenerKey
from l7lb.model.loadbalancer import Certificate, RedirectSpec
from l7lb.model.maybe import UNSET
from l7lb.model.snapshot import Snapshot, Translation, Verdict

from .builders import HTTP, HTTPS, NODES, NOW, SETTINGS, decode, endpoints, listener, ref, secret
from .layouts import shapes

MANIFESTS = Path(__file__).parents[2] / "fixtures" / "manifests"


def load(name: str) -> list[dict[str, object]]:
    return [document for document in yaml.safe_load_all((MANIFESTS / name).read_text()) if document]


def snapshots(name: str) -> list[Snapshot]:
    """One snapshot for each Ingress of the file."""
    documents = load(name)
    of = {kind: [one for one in documents if one["kind"] == kind] for kind in ("Ingress", "Service", "Secret")}
    services = [msgspec.convert(one, Service) for one in of["Service"]]
    secrets = {}
    for one in of["Secret"]:
        data, meta = one["stringData"], one["metadata"]
        assert isinstance(data, dict)
        assert isinstance(meta, dict)
        built = secret(meta["name"], data.get("qcloud_cert_id"), data.get("qcloud_ca_cert_id"))
        secrets[type(built.key)(meta["namespace"], meta["name"])] = built
    slices = {one.key: (endpoints(one.metadata.name, ("172.16.0.9", "a", True)),) for one in services}
    return [
        Snapshot(
            ingress=decode(one),
            now=NOW,
            nodes=NODES,
            services={service.key: service for service in services},
            slices=slices,
            secrets=secrets,
        )
        for one in of["Ingress"]
    ]


def translate(name: str) -> Translation:
    (of,) = snapshots(name)
    return translator.translate(of, SETTINGS)


def shape(found: Translation) -> tuple[ListenerKey, dict[str, list[str]]]:
    return listener(found).key, {
        str(rule.key): [f"{target.instance_id}:{target.key.port}" for target in rule.targets]
        for rule in listener(found).rules
    }


ALL = sorted(path.name for path in MANIFESTS.glob("*.yaml"))


def test_all_fourteen_are_there() -> None:
    assert [name[:2] for name in ALL] == [f"{number:02}" for number in range(1, 15)]


@pytest.mark.parametrize("name", ALL)
def test_every_manifest_is_complete_and_ours(name: str) -> None:
    for of in snapshots(name):
        wanted = translator.references(of.ingress)
        assert wanted.services <= set(of.services)
        assert wanted.secrets <= set(of.secrets)
        assert translator.verdict(of.ingress, {}, SETTINGS, synced=True) is Verdict.OURS


def test_node_ports_are_used_once() -> None:
    used = [port["nodePort"] for name in ALL for one in load(name) if one["kind"] == "Service" for port in _ports(one)]
    assert len(used) == len(set(used))


def _ports(service: dict[str, object]) -> list[dict[str, int]]:
    spec = service["spec"]
    assert isinstance(spec, dict)
    return [port for port in spec["ports"] if "nodePort" in port]


def test_plain_http() -> None:
    found = translate("01-plain-http.yaml")
    assert shape(found) == (HTTP, {"books.paperboat.example/": ["ins-a:30101", "ins-b:30101"]})
    assert listener(found).name is UNSET
    assert found.problems == ()


def test_internal_without_host() -> None:
    found = translate("02-internal-without-host.yaml")
    key, rules = shape(found)
    assert (key, sorted(rules)) == (HTTP, ["/ledgers", "/stock"])
    assert found.desired is not None
    assert found.desired.create.internal_subnet == "subnet-4kq8z1wd"
    assert found.problems == ()


def test_creation_parameters() -> None:
    found = translate("03-creation-parameters.yaml")
    assert found.desired is not None
    made = found.desired.create
    assert (made.charge_type, made.bandwidth_mbps) == ("TRAFFIC_POSTPAID_BY_HOUR", 100)
    assert {field: json.loads(text) for field, text in made.extensive} == {
        "ZoneId": "ap-guangzhou-3",
        "VipIsp": "BGP",
        "InternetAccessible": {"InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR", "InternetMaxBandwidthOut": 100},
    }
    assert found.desired.security_groups == frozenset({"sg-3hh1k9vx", "sg-8t2mmq4c"})
    assert found.desired.pass_to_target is True
    assert found.problems == ()


def test_existing_load_balancer() -> None:
    found = translate("04-existing-load-balancer.yaml")
    (of,) = snapshots("04-existing-load-balancer.yaml")
    assert translator.binding_key(of.ingress, None, SETTINGS) == "lb/ap-guangzhou/lb-lent0001"
    assert list(shape(found)[1]) == ["/"]
    assert found.problems == ()


def test_https_with_a_default_certificate() -> None:
    found = translate("05-https-default-certificate.yaml")
    key, rules = shape(found)
    assert (key, list(rules)) == (HTTPS, ["till.paperboat.example/", "till2.paperboat.example/"])
    expected = Certificate(frozenset({"Zt4kB8wn"}))
    assert listener(found).certificate == expected
    assert {host.certificate for host in listener(found).hosts} == {expected}
    assert found.problems == ()


def test_wildcard_exact_and_mutual_tls() -> None:
    found = translate("06-wildcard-and-mutual-tls.yaml")
    assert {host.host: host.certificate for host in listener(found).hosts} == {
        "*.clubs.paperboat.example": Certificate(frozenset({"Gh7pL2xs"})),
        "press.clubs.paperboat.example": Certificate(frozenset({"Ma3eC9cc", "Nb6rS5aa"}), "Ca1zY4uv"),
    }
    assert listener(found).certificate is UNSET
    assert found.problems == ()


def test_rules_are_sorted_over_both_protocols() -> None:
    assert shapes(translate("07-mixed-protocols-and-config.yaml")) == {
        "HTTP:80": ["/ping"],
        "HTTPS:443": ["guide.paperboat.example/"],
    }


def test_http_redirects_to_https_with_the_codes_of_the_hosts() -> None:
    found = translate("08-automatic-redirect.yaml")
    rules = ["www.paperboat.example/", "api.paperboat.example/v1"]
    assert shapes(found) == {"HTTP:80": [], "HTTPS:443": rules}
    assert found.desired is not None
    assert found.desired.redirects == tuple(
        RedirectSpec(ref(rule), ref(rule, HTTPS), code, mirrored=True)
        for rule, code in zip(rules[::-1], (307, 301), strict=True)
    )
    assert found.problems == ()


def test_a_moved_path_redirects() -> None:
    found = translate("09-manual-redirect.yaml")
    assert shapes(found) == {"HTTP:80": ["/shelves"]}
    assert found.desired is not None
    assert found.desired.redirects == (RedirectSpec(ref("/old/shelves"), ref("/shelves")),)
    assert found.problems == ()


def test_every_rule_is_on_both_protocols() -> None:
    found = translate("10-both-protocols.yaml")
    assert shapes(found) == {"HTTP:80": ["twin.paperboat.example/"], "HTTPS:443": ["twin.paperboat.example/"]}
    assert found.problems == ()


def test_members_of_a_group_are_translated_each_for_itself() -> None:
    found = [translator.translate(of, SETTINGS) for of in snapshots("12-shared-load-balancer.yaml")]
    assert [shapes(one) for one in found] == [
        {"HTTP:80": ["north.paperboat.example/"]},
        {"HTTP:80": ["south.paperboat.example/"], "HTTP:8081": ["south.paperboat.example/"]},
    ]
    assert all(one.problems == () for one in found)
