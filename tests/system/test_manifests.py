"""The fourteen manifests of the contract, applied all at once through the command, looked at, and deleted again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import envtest
from tests.system.conftest import SERVERS
from tests.system.kube import Json, documents
from tests.system.pods import Pods
from tests.system.world import CLUSTER, LOAD_BALANCER_ID, VPC, World, tree

FOLDER = Path(__file__).parents[1] / "fixtures" / "manifests"
LENDER = {"protocol": "TCP", "port": 22, "name": "lender"}
LENT = ("lb-lent0001", "lb-shared01")
ACCOUNT = {
    "load_balancers": [{"id": name, "vpc_id": VPC, "listeners": [LENDER]} for name in LENT],
    "subnets": [{"id": "subnet-4kq8z1wd", "vpc_id": VPC}],
    "certificates": [
        {"id": "Zt4kB8wn", "names": ["*.paperboat.example"]},
        {"id": "Gh7pL2xs", "names": ["*.clubs.paperboat.example"]},
        {"id": "Ma3eC9cc", "algorithm": "ECC", "names": ["press.clubs.paperboat.example"]},
        {"id": "Nb6rS5aa", "names": ["press.clubs.paperboat.example"]},
        {"id": "Ca1zY4uv", "kind": "CA"},
    ],
}
CONFIGS: Json = documents(Path(__file__).parents[2] / "charts/l7lb/crds/tkeserviceconfigs.yaml")[0]
LOADBALANCE_IPV6 = "ingress.cloud.tencent.com/loadbalance-ipv6"
EXTENSIVE = "kubernetes.io/ingress.extensiveParameters"
IN_A_SUBNET = '{"AddressIPVersion":"IPv6FullChain","SubnetId":"subnet-4kq8z1wd"}'
"""The contract's example names no subnet; CreateLoadBalancer (SubnetId) wants one for such a load balancer."""
LENT_TREE: dict[str, dict[str, list[int]]] = {"TCP:22": {}}

SERVED: dict[str, dict[str, dict[str, list[int]]]] = {
    "01-plain-http": {"HTTP:80": {"books.paperboat.example/": [30101, 30101]}},
    "02-internal-without-host": {"HTTP:80": {"/ledgers": [30102, 30102], "/stock": [30103, 30103]}},
    "03-creation-parameters": {"HTTP:80": {"covers.paperboat.example/": [30104, 30104]}},
    "04-existing-load-balancer": {"TCP:22": {}, "HTTP:80": {"/": [30105, 30105]}},
    "05-https-default-certificate": {
        "HTTPS:443": {"till.paperboat.example/": [30106, 30106], "till2.paperboat.example/": [30106, 30106]}
    },
    "06-wildcard-and-mutual-tls": {
        "HTTPS:443": {
            "*.clubs.paperboat.example/": [30107, 30107],
            "press.clubs.paperboat.example/": [30108, 30108],
        }
    },
    "07-mixed-protocols-and-config": {
        "HTTP:80": {"/ping": [30109, 30109]},
        "HTTPS:443": {"guide.paperboat.example/": [30110, 30110]},
    },
    "08-automatic-redirect": {
        "HTTP:80": {"www.paperboat.example/": [], "api.paperboat.example/v1": []},
        "HTTPS:443": {"www.paperboat.example/": [30111, 30111], "api.paperboat.example/v1": [30112, 30112]},
    },
    "09-manual-redirect": {"HTTP:80": {"/shelves": [30113, 30113], "/old/shelves": []}},
    "10-both-protocols": {
        "HTTP:80": {"twin.paperboat.example/": [30114, 30114]},
        "HTTPS:443": {"twin.paperboat.example/": [30114, 30114]},
    },
    "11-direct-access": {"HTTP:80": {"live.paperboat.example/": [8080, 8080, 8080]}},
    "12-shared-load-balancer": {
        "TCP:22": {},
        "HTTP:80": {"north.paperboat.example/": [30116, 30116], "south.paperboat.example/": [30117, 30117]},
        "HTTP:8081": {"south.paperboat.example/": [30117, 30117]},
    },
    "13-retained-in-another-region": {"HTTP:80": {"archive.paperboat.example/": [30118, 30118]}},
    "14-ipv6-direct-access": {"HTTP:80": {"six.paperboat.example/": [8080]}},
}
"""What comes of each."""
NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]


@dataclass
class Life:
    """One manifest's Ingresses while they were there, what they had in the cloud, and what was left."""

    ingresses: list[Json] = field(default_factory=list)
    during: list[Json] = field(default_factory=list)
    after: list[Json] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


@dataclass
class Lives:
    """All manifests, and the account at the end."""

    by_name: dict[str, Life]
    left: dict[str, Json]
    bought: int


@pytest.fixture(scope="module", params=SERVERS)
def lives(request: pytest.FixtureRequest) -> Iterator[Lives]:
    """All of them live through one controller at the same time."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    # The seventh declares what one page of the cloud refuses and TKE's own sample has.
    with World(real=request.param, setup={"switches": {"least_conn_session": "accepted"}}) as world:
        world.seed(ACCOUNT)
        world.kube.create(CONFIGS)
        world.wait("the custom kind is served", lambda: _is_served(world))
        world.start()
        yield _live(world)


def _is_served(world: World) -> bool:
    found = world.kube.get("CustomResourceDefinition", CONFIGS["metadata"]["name"])
    conditions = (found.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def apart(name: str) -> list[Json]:
    """The objects of a manifest, in namespaces of its own."""
    found = documents(FOLDER / f"{name}.yaml")
    for document in found:
        key = "name" if document["kind"] == "Namespace" else "namespace"
        document["metadata"][key] += f"-{name[:2]}"
        if name.startswith("14-") and document["kind"] == "Ingress":
            document["metadata"]["annotations"][EXTENSIVE] = IN_A_SUBNET
    return found


def _live(world: World) -> Lives:
    made: dict[str, list[tuple[str, str]]] = {}
    written = [(name, document) for name in NAMES for document in apart(name)]
    # Ingresses last: the watches of two kinds run apart, and what an Ingress names may be seen after it.
    for name, document in sorted(written, key=lambda pair: pair[1]["kind"] == "Ingress"):
        world.kube.create(document)
        if document["kind"] == "Ingress":
            made.setdefault(name, []).append((document["metadata"]["name"], document["metadata"]["namespace"]))
    _run_pods(world)
    found = {name: Life() for name in NAMES}
    for ingresses in made.values():
        for ingress in ingresses:
            world.ready(*ingress)
    for name, ingresses in made.items():
        life = found[name]
        for ingress in ingresses:
            seen = world.kube.get("Ingress", *ingress)
            life.ingresses.append(seen)
            used = seen["metadata"]["annotations"].get(LOAD_BALANCER_ID)
            life.during += [one for one in world.load_balancers().values() if one["id"] == used]
            life.events += world.kube.events(*ingress)
    for ingresses in made.values():
        for ingress in ingresses:
            world.kube.delete("Ingress", *ingress)
    for name, ingresses in made.items():
        for ingress in ingresses:
            world.gone(*ingress)
        found[name].after = [
            left for seen in found[name].ingresses for left in world.of(seen["metadata"]["uid"])
        ]  # fmt: skip
    return Lives(found, world.load_balancers(), world.calls().get("CreateLoadBalancer", 0))


def _run_pods(world: World) -> None:
    live = Pods(world.kube, "radio-11", "live", port_name="http")
    where = {"live-0": "172.16.0.10", "live-1": "172.16.0.11", "live-canary": "172.16.0.12"}
    for name, address in where.items():
        live.run(name, address)
    live.endpoints(**{name: (address, "ready") for name, address in where.items()})
    six = Pods(world.kube, "paperboat-14", "six", port_name="http")
    six.run("six-0", "172.16.0.20", "2001:db8::20")
    six.slice("IPv6", six.endpoint("six-0", "2001:db8::20"))
    world.wait("pods are bound", lambda: (_bound_in(world, "radio-11"), _bound_in(world, "paperboat-14")) == (3, 1))


def _bound_in(world: World, namespace: str) -> int:
    uids = [one["metadata"]["uid"] for one in world.kube.all("Ingress", namespace)]
    rules = [rule for uid in uids for lb in world.of(uid) for item in lb["listeners"] for rule in item["rules"]]
    return sum(len(rule["targets"]) for rule in rules)


@pytest.mark.parametrize("name", SERVED)
def test_a_manifest_becomes_what_the_contract_says_and_goes_without_a_trace(lives: Lives, name: str) -> None:
    life = lives.by_name[name]
    (load_balancer,) = {one["id"]: one for one in life.during}.values()
    assert tree(load_balancer) == SERVED[name]
    for ingress in life.ingresses:
        assert ingress["metadata"]["annotations"][LOAD_BALANCER_ID] == load_balancer["id"]
        assert ingress["status"]["loadBalancer"]["ingress"] == [{"ip": load_balancer["ipv6"] or load_balancer["vip"]}]
    assert not [event for event in life.events if "E4" in event]
    assert life.after == []


def test_only_what_is_served_was_bought_and_only_what_was_lent_or_retained_is_left(lives: Lives) -> None:
    retained = only(lives, "13-retained-in-another-region")["id"]
    assert lives.bought == len(SERVED) - len(LENT)
    assert sorted(lives.left) == sorted([*LENT, retained])
    for name, load_balancer in lives.left.items():
        assert tree(load_balancer) == ({} if name == retained else LENT_TREE)
        assert load_balancer["tags"] == {}


def only(lives: Lives, name: str) -> Json:
    """The load balancer of a manifest."""
    (found,) = lives.by_name[name].during
    return found


def test_01_is_public_and_bears_the_tags_of_the_contract(lives: Lives) -> None:
    load_balancer = only(lives, "01-plain-http")
    (ingress,) = lives.by_name["01-plain-http"].ingresses
    assert load_balancer["kind"] == "OPEN"
    assert {key: load_balancer["tags"][key] for key in load_balancer["tags"] if key.startswith("tke-")} == {
        "tke-createdBy-flag": "yes",
        "tke-clusterId": CLUSTER,
        "tke-lb-ingress-uuid": ingress["metadata"]["uid"],
        "tke-lifecycle-owner": "tke",
    }
    (listener,) = load_balancer["listeners"]
    assert listener["name"] == "TKE-DEDICATED-LISTENER"
    (rule,) = listener["rules"]
    assert [(target["weight"], target["instance_id"]) for target in rule["targets"]] == [
        (10, "ins-0000000a"),
        (10, "ins-0000000b"),
    ]


def test_02_is_internal_and_its_own_address_is_the_default_domain(lives: Lives) -> None:
    load_balancer = only(lives, "02-internal-without-host")
    assert (load_balancer["kind"], load_balancer["subnet_id"], load_balancer["vpc_id"]) == (
        "INTERNAL",
        "subnet-4kq8z1wd",
        VPC,
    )
    assert load_balancer["listeners"][0]["default_domain"] == load_balancer["vip"]


def test_03_is_bought_as_its_annotations_say(lives: Lives) -> None:
    load_balancer = only(lives, "03-creation-parameters")
    assert load_balancer["internet"] == {
        "InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR",
        "InternetMaxBandwidthOut": 100,
    }
    assert (load_balancer["zone"], load_balancer["isp"]) == ("ap-guangzhou-3", "BGP")
    assert set(load_balancer["security_groups"]) == {"sg-3hh1k9vx", "sg-8t2mmq4c"}
    assert load_balancer["pass_to_target"] is True


def test_04_is_tagged_but_never_as_created_by_us(lives: Lives) -> None:
    load_balancer = only(lives, "04-existing-load-balancer")
    (ingress,) = lives.by_name["04-existing-load-balancer"].ingresses
    assert load_balancer["tags"] == {"tke-clusterId": CLUSTER, "tke-lb-ingress-uuid": ingress["metadata"]["uid"]}


def test_13_is_in_the_region_and_vpc_that_are_named_and_its_targets_are_addresses(lives: Lives) -> None:
    load_balancer = only(lives, "13-retained-in-another-region")
    assert (load_balancer["region"], load_balancer["vpc_id"]) == ("ap-shanghai", "vpc-2remote7")
    targets = load_balancer["listeners"][0]["rules"][0]["targets"]
    assert [target["instance_id"] for target in targets] == ["", ""]


def certificates(load_balancer: Json) -> dict[str, Any]:
    """By host; what the listener itself has is under its name."""
    (listener,) = load_balancer["listeners"]
    return {"": listener["certificate"]} | {rule["domains"][0]: rule["certificate"] for rule in listener["rules"]}


def test_05_has_one_certificate_and_no_sni(lives: Lives) -> None:
    shown = certificates(only(lives, "05-https-default-certificate"))
    assert shown[""]["server_ids"] == ("Zt4kB8wn",)
    assert shown["till.paperboat.example"] is None
    assert only(lives, "05-https-default-certificate")["listeners"][0]["sni"] is False


def test_06_shows_each_host_its_own_certificates_and_asks_clients_for_theirs(lives: Lives) -> None:
    load_balancer = only(lives, "06-wildcard-and-mutual-tls")
    shown = certificates(load_balancer)
    assert load_balancer["listeners"][0]["sni"] is True
    wildcard, exact = shown["*.clubs.paperboat.example"], shown["press.clubs.paperboat.example"]
    assert (set(wildcard["server_ids"]), wildcard["mutual"]) == ({"Gh7pL2xs"}, False)
    assert (set(exact["server_ids"]), exact["mutual"], exact["ca_id"]) == ({"Ma3eC9cc", "Nb6rS5aa"}, True, "Ca1zY4uv")


def test_07_is_tuned_as_its_service_config_says(lives: Lives) -> None:
    load_balancer = only(lives, "07-mixed-protocols-and-config")
    http, https = sorted(load_balancer["listeners"], key=lambda one: one["port"])
    (ping,), (guide,) = http["rules"], https["rules"]
    assert (ping["url"], ping["forward_type"], ping["health"]["HealthSwitch"]) == ("/ping", "HTTP", 0)
    assert https["default_domain"] == "guide.paperboat.example"
    assert (guide["http2"], guide["forward_type"], guide["session_s"], guide["scheduler"]) == (
        True,
        "HTTPS",
        1800,
        "LEAST_CONN",
    )
    told = ("HealthSwitch", "IntervalTime", "TimeOut", "HealthNum", "UnHealthNum", "HttpCode", "HttpCheckPath")
    assert [guide["health"][name] for name in told] == [1, 10, 5, 2, 4, 3, "/healthz"]
    assert (guide["health"]["HttpCheckDomain"], guide["health"]["HttpCheckMethod"]) == (
        "guide.paperboat.example",
        "GET",
    )


def redirects(load_balancer: Json) -> dict[str, tuple[str, int]]:
    """By place of the redirecting rule: to where, and the code."""
    rules = [(item, rule) for item in load_balancer["listeners"] for rule in item["rules"]]
    places = {
        rule["id"]: f"{item['protocol']}:{item['port']} {rule['domains'][0]}{rule['url']}" for item, rule in rules
    }
    return {
        places[rule["id"]]: (places[rule["redirect"]["location_id"]], rule["redirect"]["code"])
        for _, rule in rules
        if rule["redirect"]
    }


def test_08_redirects_each_host_with_its_own_code_to_where_its_certificate_is(lives: Lives) -> None:
    load_balancer = only(lives, "08-automatic-redirect")
    assert redirects(load_balancer) == {
        "HTTP:80 www.paperboat.example/": ("HTTPS:443 www.paperboat.example/", 301),
        "HTTP:80 api.paperboat.example/v1": ("HTTPS:443 api.paperboat.example/v1", 307),
    }
    (https,) = [one for one in load_balancer["listeners"] if one["port"] == 443]
    assert [(https["certificate"] or rule["certificate"])["server_ids"] for rule in https["rules"]] == [
        ("Zt4kB8wn",),
        ("Zt4kB8wn",),
    ]


def test_09_redirects_the_moved_path_to_the_new_one(lives: Lives) -> None:
    load_balancer = only(lives, "09-manual-redirect")
    own = load_balancer["vip"]
    assert redirects(load_balancer) == {f"HTTP:80 {own}/old/shelves": (f"HTTP:80 {own}/shelves", 302)}


def test_10_has_its_certificate_on_https(lives: Lives) -> None:
    (https,) = [one for one in only(lives, "10-both-protocols")["listeners"] if one["port"] == 443]
    assert https["certificate"]["server_ids"] == ("Zt4kB8wn",)


def test_11_sends_less_to_the_pod_that_asks_for_less(lives: Lives) -> None:
    (rule,) = only(lives, "11-direct-access")["listeners"][0]["rules"]
    assert {(target["ip"], target["weight"], target["instance_id"]) for target in rule["targets"]} == {
        ("172.16.0.10", 10, ""),
        ("172.16.0.11", 10, ""),
        ("172.16.0.12", 1, ""),
    }


def test_14_leads_to_the_ipv6_address_of_the_pod(lives: Lives) -> None:
    load_balancer = only(lives, "14-ipv6-direct-access")
    (ingress,) = lives.by_name["14-ipv6-direct-access"].ingresses
    (rule,) = load_balancer["listeners"][0]["rules"]
    assert ingress["metadata"]["annotations"][LOADBALANCE_IPV6] == load_balancer["ipv6"]
    assert [target["ip"] for target in rule["targets"]] == ["2001:db8::20"]
