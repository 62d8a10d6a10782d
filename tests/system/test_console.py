"""The console of the shipped command: what it shows of a running fleet, to whom it answers, and what looking costs."""

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import Browser
from tests.system.kube import Json
from tests.system.replicas import Replica
from tests.system.world import VPC, World, ingress, rule, service
from tests.tools import needs

pytestmark = pytest.mark.system

REDIRECTED = {
    "ingress.cloud.tencent.com/listen-ports": '[{"HTTP":80},{"HTTPS":443}]',
    "ingress.cloud.tencent.com/auto-rewrite": "true",
}
EXIST = "kubernetes.io/ingress.existLbId"
GROUP = {EXIST: "lb-teams001", "ingress.cloud.tencent.com/enable-group": "true"}
HOSTILE = "lb-<script>document.title='run'</script>"
HEALTH = "DescribeTargetHealth"


def address(log: str) -> tuple[str, int]:
    found = re.search(r"serving the console on (127\.0\.0\.1):(\d+)", log)
    assert found is not None, log
    return found[1], int(found[2])


class Visitor:
    """Asks the console of one controller."""

    def __init__(self, log: str) -> None:
        self.host, self.port = address(log)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        status, _, body = self.ask(path)
        assert status == 200, body
        return json.loads(body)

    def checks(self, namespace: str, name: str) -> dict[str, tuple[str, str]]:
        """Mark and sentence of each link; of several with one name the worst comes first."""
        found: dict[str, tuple[str, str]] = {}
        for one in self.json(f"/ingresses/{namespace}/{name}.json")["checks"]:
            found.setdefault(one["name"], (one["mark"], one["says"]))
        return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as made:
        made.start(console_bind_address="127.0.0.1:0")
        made.leads()
        lender = {"protocol": "TCP", "port": 22, "name": "lender"}
        made.seed({"load_balancers": [{"id": "lb-teams001", "vpc_id": VPC, "listeners": [lender]}]})
        for number, name in enumerate(("shop", "teams-a", "teams-b", "odd")):
            made.namespace(name)
            made.kube.create(service("web", name, 31080 + number))
        cert = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert", "namespace": "shop"}}
        made.kube.create({**cert, "type": "Opaque", "stringData": {"qcloud_cert_id": "certrsa1"}})
        tls = [{"secretName": "cert"}]
        rules = (rule("shop.example.com", "web"), rule("shop.example.com", "web", "/api"))
        made.kube.create(ingress("web", "shop", *rules, annotations=REDIRECTED, tls=tls))
        for name in ("teams-a", "teams-b"):
            made.kube.create(ingress("web", name, rule(f"{name}.example.com", "web"), annotations=GROUP))
        made.kube.create(ingress("half", "odd", rule("half.example.com", "web"), rule("half.example.com", "no", "/x")))
        made.kube.create(ingress("hostile", "odd", rule("bad.example.com", "web"), annotations={EXIST: HOSTILE}))
        nginx = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}}
        made.kube.create({**nginx, "spec": {"controller": "k8s.io/ingress-nginx"}})
        made.kube.create(ingress("foreign", "odd", rule("f.example.com", "web"), ingressClassName="nginx"))
        for name, namespace in (("web", "shop"), ("web", "teams-a"), ("web", "teams-b")):
            made.ready(name, namespace)
        made.not_ready("half", "odd", "E4041")
        made.not_ready("hostile", "odd", "E4098")
        made.kube.create(ingress("unclear", "odd", rule("u.example.com", "web"), ingressClassName="nobodys"))
        yield made


@pytest.fixture(scope="module")
def visitor(world: World) -> Visitor:
    assert world.controller is not None
    return Visitor(world.controller.log.read_text(encoding="utf-8"))


def lb_of(world: World, namespace: str, name: str) -> Json:
    (found,) = world.of(world.kube.get("Ingress", name, namespace)["metadata"]["uid"])
    return found


def test_the_overview_has_the_fleet_and_what_is_wrong_with_it(world: World, visitor: Visitor) -> None:
    found = visitor.json("/index.json")
    assert (found["standing"]["leading"], found["standing"]["gate_open"]) == (True, True)
    by_id = {one["ref"].partition("/")[2]: one for one in found["balancers"]}
    shop = by_id[lb_of(world, "shop", "web")["id"]]
    assert (shop["mark"], shop["claim"], shop["owners"]) == ("ok", "created", ["shop/web"])
    assert (shop["listeners"], shop["rules"]) == (2, 4)
    assert by_id["lb-teams001"]["owners"] == ["teams-a/web", "teams-b/web"]
    assert {(one["about"], one["code"]) for one in found["troubles"]} >= {
        ("odd/half", "E4041"),
        ("odd/hostile", "E4098"),
    }
    assert "odd/foreign" not in {one["key"] for one in found["members"]}


def test_a_load_balancer_is_a_tree_with_weights_health_and_owners(world: World, visitor: Visitor) -> None:
    name = lb_of(world, "shop", "web")["id"]
    found = visitor.json(f"/balancers/ap-guangzhou/{name}.json")
    listeners = {one["key"]: one for one in found["listeners"]}
    (host,) = listeners["HTTPS:443"]["hosts"]
    assert (host["host"], host["certificate"]) == ("shop.example.com", "certrsa1")
    assert [(one["path"], one["owner"], one["backend"]) for one in host["rules"]] == [
        ("/", "shop/web", "web:80"),
        ("/api", "shop/web", "web:80"),
    ]
    assert [(one["name"], one["weight"], one["health"]) for one in host["rules"][0]["targets"]] == [
        ("node-a", 10, "Alive"),
        ("node-b", 10, "Alive"),
    ]
    (plain,) = listeners["HTTP:80"]["hosts"]
    assert "to HTTPS:443 shop.example.com/" in plain["rules"][0]["redirect"]
    assert found["plans"][0]["fate"] == "done"
    assert all(step["done"] is not None for plan in found["plans"] if plan["fate"] == "done" for step in plan["steps"])


def test_on_a_shared_load_balancer_each_part_has_its_owner(visitor: Visitor) -> None:
    found = visitor.json("/balancers/ap-guangzhou/lb-teams001.json")
    listeners = {one["key"]: one for one in found["listeners"]}
    assert listeners["TCP:22"]["part"] == "others"
    owners = {host["host"]: host["rules"][0]["owner"] for host in listeners["HTTP:80"]["hosts"]}
    assert owners == {"teams-a.example.com": "teams-a/web", "teams-b.example.com": "teams-b/web"}
    assert found["ownership"].startswith("shared")


def test_an_ingress_hears_which_link_is_broken(visitor: Visitor) -> None:
    assert {mark for mark, _ in visitor.checks("shop", "web").values()} == {"ok"}
    half = visitor.checks("odd", "half")
    assert half["Ingress"][0] == "bad"
    assert "Service odd/no" in half["Ingress"][1]
    assert half["Class"][0] == half["Load balancer"][0] == "ok"
    hostile = visitor.checks("odd", "hostile")
    assert hostile["Ingress"][0] == "bad"
    assert "existLbId" in hostile["Ingress"][1]
    assert visitor.checks("odd", "unclear")["Class"][0] == "bad"
    foreign = visitor.checks("odd", "foreign")
    assert foreign["Class"] == ("bad", "It has class nginx: it is left to another controller.")


def test_looking_often_costs_one_call_for_a_while_and_no_other_page_costs_any(world: World, visitor: Visitor) -> None:
    world.kube.create(ingress("looked-at", "odd", rule("looked.example.com", "web")))
    world.ready("looked-at", "odd")
    name = lb_of(world, "odd", "looked-at")["id"]
    path = f"/balancers/ap-guangzhou/{name}.json"

    def asked() -> int:
        """How often the health of this one alone was asked for."""
        log = list(world.cloud.calls.log)
        return sum(one["action"] == HEALTH and one["request"]["LoadBalancerIds"] == [name] for one in log)

    for _ in range(5):
        visitor.json("/index.json")
        visitor.json("/plans.json")
    assert asked() == 0
    world.wait("the cloud has said how its targets are", lambda: visitor.json(path)["checked"])
    for _ in range(5):
        assert visitor.json(path)["checked"] is not None
    assert asked() == 1


def test_a_target_that_fails_its_check_shows_where_it_hurts(world: World, visitor: Visitor) -> None:
    world.seed({"health": {"127.10.0.1:31081": "Dead", "127.10.0.2:31081": "Dead"}})
    assert visitor.checks("teams-a", "web")["Published address"][0] == "ok"
    world.kube.create(ingress("sick", "teams-a", rule("sick.example.com", "web")))
    world.ready("sick", "teams-a")
    link = "Target health"
    world.wait("it shows", lambda: visitor.checks("teams-a", "sick")[link][0] == "bad")
    assert visitor.checks("teams-a", "sick")[link][1].startswith("2 of 2 bindings fail their check")
    status, _, body = visitor.ask("/ingresses/teams-a/sick")
    assert status == 200
    assert b"It does not work as it asks" in body


@pytest.mark.parametrize("path", ["/", "/plans", "/ingresses/odd/hostile", "/static/console.css", "/nowhere"])
def test_every_answer_forbids_what_a_page_does_not_need(visitor: Visitor, path: str) -> None:
    status, headers, body = visitor.ask(path)
    assert status == (404 if path == "/nowhere" else 200)
    policy = dict(one.strip().partition(" ")[::2] for one in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    assert int(headers["Content-Length"]) == len(body)
    head_status, head_headers, nothing = visitor.ask(path, "HEAD")
    assert (head_status, head_headers["Content-Type"], nothing) == (status, headers["Content-Type"], b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_nothing_but_reading_is_allowed(visitor: Visitor, method: str) -> None:
    status, headers, _ = visitor.ask("/", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:8082", 200), ("127.0.0.1:8082", 200), ("[::1]:8082", 200), ("10.0.0.9", 200),
        ("l7lb", 200), ("l7lb.l7lb.svc", 200), ("l7lb.l7lb.svc.cluster.local:8082", 200), ("evil.example.com", 421),
        ("evil.example.com:8082", 421), ("127.0.0.1.evil.example.com", 421), ("[::1", 200), ("", 421), ("a b", 421),
    ],
)  # fmt: skip
def test_a_page_of_somebody_elses_cannot_reach_it_by_a_name_of_its_own(
    visitor: Visitor, host: str, status: int
) -> None:
    assert visitor.ask("/", Host=host)[0] == status


def test_an_odd_request_is_answered_and_kills_nothing(visitor: Visitor) -> None:
    for path in ("/?q=" + "a" * 5000, "/?page=%ff&mark=%00", "/ingresses/%2e%2e/%2e%2e", "//", "/balancers//"):
        assert visitor.ask(path)[0] in (200, 404)
    with pytest.raises(http.client.RemoteDisconnected):
        visitor.ask("/" + "a" * 20_000)
    assert visitor.ask("/")[0] == 200


def test_a_standby_says_who_leads_shows_what_it_knows_and_asks_the_cloud_nothing(world: World) -> None:
    standby = Replica(world, "STANDBY", console_bind_address="127.0.0.1:0")
    try:
        standby.wait("it is ready", lambda: standby.is_ready)
        standby.wait("it has a console", lambda: standby.said("serving the console on"))
        visitor = Visitor(standby.log.read_text(encoding="utf-8"))
        standing = standby.wait("it knows who leads", lambda: _led(visitor.json("/index.json")["standing"]))
        assert not standing["leading"]
        name = lb_of(world, "shop", "web")["id"]
        tree = visitor.json(f"/balancers/ap-guangzhou/{name}.json")
        assert {one["part"] for one in tree["listeners"]} == {"unseen"}
        assert tree["balancer"]["mark"] == "ok"
        assert visitor.checks("odd", "half")["Ingress"][0] == "bad"
        assert visitor.checks("shop", "web")["Load balancer"][0] == "unknown"
        assert b"stands by" in visitor.ask("/")[2]
        assert standby.calls() == []
    finally:
        standby.stop()
    standby.check()


def _led(standing: Json) -> Json | None:
    return standing if standing["leader"] else None


@needs("chromium-headless-shell")
def test_a_browser_sees_all_of_it_without_a_complaint(world: World, visitor: Visitor) -> None:
    name = lb_of(world, "shop", "web")["id"]
    paths = ["/", "/?view=ingresses&q=odd", "/plans", f"/balancers/ap-guangzhou/{name}",
             "/balancers/ap-guangzhou/lb-teams001", "/ingresses/odd/hostile", "/ingresses/odd/half"]  # fmt: skip
    with Browser() as browser:
        for path in paths:
            browser.open(visitor.url + path)
            assert browser.complaints == []
            assert browser.value("document.title") != "run"
        assert "Service odd/no not found" in browser.text("main")


def test_it_is_off_unless_it_is_asked_for() -> None:
    with World() as world:
        world.start()
        world.leads()
        assert world.controller is not None
        assert "console" not in world.controller.log.read_text(encoding="utf-8")
