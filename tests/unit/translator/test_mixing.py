"""Rules are sorted over HTTP and HTTPS by two annotations."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from l7lb import translator
from l7lb.model.cluster import Ingress
from l7lb.model.problems import Severity
from l7lb.model.snapshot import Translation
from l7lb.translator.names import Name

from .builders import SETTINGS, backend, codes, ingress, path, rule, secret, service, snapshot, tls
from .layouts import shapes

HOST = "store.acme-demo.com"
WEB: Mapping[str, object] = {"serviceName": "web", "servicePort": "80"}
SHOP: Mapping[str, object] = {"host": HOST, "path": "/", "backend": WEB}
HTTP_ONLY, HTTPS_ONLY, EVERYWHERE = ["HTTP:80"], ["HTTPS:443"], ["HTTP:80", "HTTPS:443"]


def mixed(it: Ingress, http: object = None, https: object = None) -> Translation:
    said = {
        str(Name.RULE_MIX): "true",
        str(Name.HTTP_RULES): json.dumps(http),
        str(Name.HTTPS_RULES): json.dumps(https),
    }
    it = msgspec.structs.replace(it, metadata=msgspec.structs.replace(it.metadata, annotations=said))
    services = [service("web"), service("api")]
    return translator.translate(snapshot(it, secret("cert"), *services), SETTINGS)


def where(found: Translation, key: str = f"{HOST}/") -> list[str]:
    return [listener for listener, rules in shapes(found).items() if key in rules]


def secured() -> Ingress:
    return ingress(rule(HOST), certs=[tls("cert")])


@pytest.mark.parametrize(
    ("http", "https", "expected"),
    [
        pytest.param([SHOP], None, HTTP_ONLY, id="in the HTTP set"),
        pytest.param(None, [SHOP], HTTPS_ONLY, id="in the HTTPS set"),
        pytest.param([SHOP], [SHOP], EVERYWHERE, id="in both"),
        pytest.param(None, None, HTTPS_ONLY, id="in neither"),
        pytest.param([], [], HTTPS_ONLY, id="in two empty sets"),
        pytest.param([{"host": HOST, "backend": WEB}], None, HTTP_ONLY, id="no path is the root"),
        pytest.param([{**SHOP, "path": ""}], None, HTTP_ONLY, id="an empty path is the root"),
        pytest.param([{**SHOP, "path": None}], None, HTTP_ONLY, id="a null path is the root"),
        pytest.param([{**SHOP, "backend": {**WEB, "servicePort": 80}}], None, HTTP_ONLY, id="the port as a number"),
        pytest.param([{**SHOP, "weight": 3, "backend": {**WEB, "x": {}}}], None, HTTP_ONLY, id="unknown keys"),
    ],
)
def test_a_rule_goes_where_an_equal_entry_is(http: object, https: object, expected: list[str]) -> None:
    found = mixed(secured(), http, https)
    assert where(found) == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({**SHOP, "host": "other.acme-demo.com"}, id="another host"),
        pytest.param({"path": "/", "backend": WEB}, id="no host"),
        pytest.param({**SHOP, "path": "/a"}, id="another path"),
        pytest.param({**SHOP, "backend": {**WEB, "serviceName": "api"}}, id="another Service"),
        pytest.param({**SHOP, "backend": {**WEB, "servicePort": "8080"}}, id="another port"),
        pytest.param({**SHOP, "backend": {**WEB, "servicePort": "http"}}, id="the port's name instead of its number"),
        pytest.param({"path": "/", "backend": {**WEB, "host": HOST}}, id="the host misplaced inside the backend"),
        pytest.param({"host": HOST, "path": "/"}, id="no backend"),
        pytest.param({}, id="nothing"),
    ],
)
def test_an_entry_that_names_no_rule_directs_nothing_and_is_told(entry: Mapping[str, object]) -> None:
    found = mixed(secured(), [entry])
    assert where(found) == HTTPS_ONLY
    assert codes(found) == ["EntryWithoutRule"]
    assert found.problems[0].severity is Severity.WARNING
    assert "entry 0" in found.problems[0].message


def test_a_rule_without_a_host_is_named_without_one() -> None:
    it = ingress(rule(None, path("/ping")), certs=[tls("cert")])
    assert where(mixed(it, [{"path": "/ping", "backend": WEB}]), "/ping") == HTTP_ONLY


def test_a_named_port_is_named() -> None:
    it = ingress(rule(HOST, path("/", to=backend("web", "http"))), certs=[tls("cert")])
    assert where(mixed(it, [{**SHOP, "backend": {**WEB, "servicePort": "http"}}])) == HTTP_ONLY


@pytest.mark.parametrize("said", ["/a", "=/a"])
def test_an_exact_path_is_named_as_the_ingress_or_as_the_cloud_writes_it(said: str) -> None:
    it = ingress(rule(HOST, path("/a", "Exact")), certs=[tls("cert")])
    found = mixed(it, [{**SHOP, "path": said}])
    assert where(found, f"{HOST}=/a") == HTTP_ONLY
    assert found.problems == ()


def test_two_rules_of_one_host_part() -> None:
    it = ingress(rule(HOST, path("/a"), path("/b", to="api")), certs=[tls("cert")])
    found = mixed(it, [{**SHOP, "path": "/a"}])
    assert shapes(found) == {"HTTP:80": [f"{HOST}/a"], "HTTPS:443": [f"{HOST}/b"]}


def test_a_host_on_http_alone_needs_no_certificate() -> None:
    it = ingress(rule(HOST), rule("pay.acme-demo.com"), certs=[tls("cert", "pay.acme-demo.com")])
    found = mixed(it, [SHOP])
    assert shapes(found) == {"HTTP:80": [f"{HOST}/"], "HTTPS:443": ["pay.acme-demo.com/"]}
    assert found.problems == ()


def test_the_default_backend_follows_the_rules_of_its_host() -> None:
    it = ingress(rule(HOST, path("/a")), rule("b.acme-demo.com", path("/b")), default=backend(), certs=[tls("cert")])
    found = mixed(it, [{**SHOP, "path": "/a"}])
    assert shapes(found) == {
        "HTTP:80": [f"{HOST}/a", f"{HOST}/"],
        "HTTPS:443": ["b.acme-demo.com/b", "/", "b.acme-demo.com/"],
    }


def test_the_default_backend_can_be_directed_by_name() -> None:
    it = ingress(rule(HOST, path("/a")), default=backend(), certs=[tls("cert")])
    assert where(mixed(it, [{"backend": WEB}]), "/") == HTTP_ONLY


@pytest.mark.parametrize(
    "value",
    [
        "[{",
        "{}",
        "[1]",
        '[{"host":1}]',
        '[{"path":["/"]}]',
        '[{"backend":"web"}]',
        '[{"backend":{"serviceName":1}}]',
        '[{"backend":{"servicePort":true}}]',
        '[{"backend":{"servicePort":-1}}]',
        '[{"rewrite":"/new"}]',
        '[{"rewrite":{"path":"/new"}}]',
        '[{"rewrite":{"port":"http"}}]',
        '[{"rewrite":{"port":0}}]',
        '[{"rewrite":{"port":65536}}]',
        '[{"rewrite":{"port":"80000"}}]',
    ],
)
@pytest.mark.parametrize(("name", "code"), [(Name.HTTP_RULES, "E4022"), (Name.HTTPS_RULES, "E4023")])
def test_a_set_that_cannot_be_read_holds_the_ingress(name: Name, code: str, value: str) -> None:
    it = ingress(rule(HOST), annotations={Name.RULE_MIX: "true", name: value}, certs=[tls("cert")])
    found = translator.translate(snapshot(it, secret("cert")), SETTINGS)
    assert found.desired is None
    assert found.held.everything
    assert codes(found) == [code]


def test_without_mixing_the_sets_have_no_effect() -> None:
    it = ingress(rule(HOST), annotations={Name.HTTP_RULES: json.dumps([SHOP])}, certs=[tls("cert")])
    found = translator.translate(snapshot(it, secret("cert")), SETTINGS)
    assert where(found) == HTTPS_ONLY
    assert found.problems == ()
