"""What the chart renders: the whole of it with the least values, and what single values change."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from l7lb.app.config import FLAGS, Flag, Value, config
from l7lb.runtime.lifecycle import DRAIN_S
from tests.chart.rendering import CHART, MINIMAL, RELEASE, VALUE_SETS, Json, helm, is_hook, only, render, template
from tests.house.charting import value_of, valued
from tests.system.access import rights_in
from tests.tools import needs

pytestmark = needs("helm")

EXPECTED = Path(__file__).parent / "expected.yaml"
EXAMPLES = CHART.parents[1] / "examples/deploy"
CLUSTER = "cls-9mfq2k1t"


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_lint_has_nothing_to_say(values: Path) -> None:
    done = helm("lint", "--strict", str(CHART), f"--values={values}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


def test_the_least_values_render_what_is_expected() -> None:
    assert template() == EXPECTED.read_text(encoding="utf-8"), "look at it, then: python -m tests.chart"


@pytest.mark.parametrize("version", ["1.22.5-tke.1", "1.28.3-tke.4", "1.34.0"])
def test_versions_of_tke_are_known(version: str) -> None:
    assert only(render(f"--kube-version={version}"), "Deployment")


def test_a_cluster_that_is_too_old_is_refused_with_its_version() -> None:
    with pytest.raises(RuntimeError, match=r"kubeVersion: >=1\.22\.0-0 which is incompatible with .* v1\.20\.6"):
        render("--kube-version=1.20.6")


def container(documents: list[Json]) -> Json:
    (found,) = only(documents, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def flags_of(documents: list[Json]) -> dict[str, Value]:
    """As the command reads them: by field, from its environment and its arguments, with defaults."""
    found = container(documents)
    given = {one["name"]: one["value"] for one in found["env"] if "value" in one}
    command, *arguments = found["args"]
    assert command == "run"
    for argument in arguments:
        name, _, text = argument.removeprefix("--").partition("=")
        given[next(flag.variable for flag in FLAGS if flag.name == name)] = text
    return {flag.field: _read(given[flag.variable], flag) if flag.variable in given else flag.default for flag in FLAGS}


def _read(text: str, flag: Flag) -> Value:
    return text == "true" if isinstance(flag.default, bool) else type(flag.default)(text)


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_the_command_is_given_what_the_values_say_and_takes_it(values: Path) -> None:
    read = config(flags_of(render(values=[values])))
    said = yaml.safe_load(values.read_text(encoding="utf-8"))
    for flag in valued():
        if value_of(flag) in said and flag.name not in ("log-level", "credentials"):
            assert getattr(read, flag.field) == said[value_of(flag)], flag.name


def test_a_value_that_is_emptied_is_empty() -> None:
    assert flags_of(render("--set=tkeFinalizers="))["tke_finalizers"] == ""


def test_a_mounted_secret_is_read_as_files() -> None:
    documents = render()
    mounted = container(documents)["volumeMounts"]
    assert flags_of(documents)["credentials"] == f"file:{mounted[0]['mountPath']}"
    volume = only(documents, "Deployment")["spec"]["template"]["spec"]["volumes"][0]
    assert volume["secret"]["secretName"] == "l7lb-credentials"


@pytest.mark.parametrize("source", ["cvm-role", "cvm-role:l7lb", "tke-oidc"])
def test_keys_from_elsewhere_need_no_secret(source: str) -> None:
    role = "--set=serviceAccount.annotations.tke\\.cloud\\.tencent\\.com/role-arn=qcs::cam::uin/1:roleName/l7lb"
    documents = render(f"--set=credentials={source}", "--set=credentialsSecret=", role)
    assert flags_of(documents)["credentials"] == source
    assert "volumes" not in only(documents, "Deployment")["spec"]["template"]["spec"]


def test_a_pod_may_do_nothing_to_its_node() -> None:
    pod = only(render(), "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    inner = pod["containers"][0]["securityContext"]
    assert (inner["readOnlyRootFilesystem"], inner["allowPrivilegeEscalation"]) == (True, False)
    assert inner["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_has_longer_to_end_than_a_pass_may_take() -> None:
    pod = only(render(), "Deployment")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= DRAIN_S + 10


def test_the_ports_are_those_of_the_arguments() -> None:
    documents = render("--set=metricsBindAddress=127.0.0.1:9090", "--set=healthProbeBindAddress=[::]:9091")
    ports = {port["name"]: port["containerPort"] for port in container(documents)["ports"]}
    assert ports == {"metrics": 9090, "health": 9091}
    (port,) = only(documents, "Service")["spec"]["ports"]
    assert port["port"] == 9090


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("soft", "preferredDuringSchedulingIgnoredDuringExecution"),
        ("hard", "requiredDuringSchedulingIgnoredDuringExecution"),
    ],
)
def test_replicas_keep_apart(value: str, found: str) -> None:
    pod = only(render(f"--set=antiAffinity={value}"), "Deployment")["spec"]["template"]["spec"]
    assert list(pod["affinity"]["podAntiAffinity"]) == [found]


def test_an_image_is_named_by_its_digest_when_there_is_one() -> None:
    digest = f"sha256:{'0' * 64}"
    assert container(render(f"--set=image.digest={digest}"))["image"] == f"registry.example.com/l7lb:0.1.0@{digest}"
    assert container(render("--set=image.tag=edge"))["image"] == "registry.example.com/l7lb:edge"


def test_two_releases_share_no_name_outside_their_namespaces() -> None:
    def outside(namespace: str) -> set[tuple[str, str]]:
        documents = render(f"--namespace={namespace}", "--set=ingressClass.create=false")
        named = {(one["kind"], one["metadata"]["name"]) for one in documents if "namespace" not in one["metadata"]}
        return named | {
            (one["kind"], one["metadata"]["name"])
            for one in documents
            if one["metadata"].get("namespace") == "kube-system"
        }

    assert outside("one") & outside("two") == set()


def documents_of(*names: str) -> list[Json]:
    texts = [(EXAMPLES / name).read_text(encoding="utf-8").replace("cls-xxxxxxxx", CLUSTER) for name in names]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def test_the_rights_are_those_of_the_manifest_by_hand() -> None:
    """Of that one a test on a kube-apiserver says that nothing is missing and nothing is left over."""
    ours = [
        one for one in render("--set=readinessWebhook.enabled=true", "--set=collectOrphans=true") if not is_hook(one)
    ]
    theirs = documents_of("l7lb.yaml", "readiness-webhook.yaml", "collect-orphans.yaml")
    assert set(rights_in(ours)) == set(rights_in(theirs))
    assert {one["subjects"][0]["name"] for one in ours if one["kind"].endswith("Binding")} == {RELEASE}


def test_with_one_namespace_rights_on_what_is_in_namespaces_are_given_there_only() -> None:
    rights = rights_in(one for one in render("--set=watchNamespace=shop") if not is_hook(one))
    everywhere = {(right.resource, right.verb) for right in rights if not right.namespace}
    assert everywhere == {
        ("ingresses", "list"),
        *(("ingressclasses", verb) for verb in ("get", "list", "watch")),
        *(("nodes", verb) for verb in ("list", "watch")),
        *(("events", verb) for verb in ("create", "patch")),
        ("namespaces", "get"),
    }
    assert {right.namespace for right in rights} == {"", "shop", "kube-system"}


def test_referenced_secrets_can_be_read_by_name_and_not_listed() -> None:
    values = [MINIMAL, CHART / "ci/identity-values.yaml"]
    rights = [
        right for right in rights_in(render("--set=credentialsSecret=", values=values)) if right.resource == "secrets"
    ]
    assert {(right.verb, right.namespace, right.names) for right in rights} == {
        (verb, "shop", frozenset({"shop-tls", "api-tls"})) for verb in ("get", "watch")
    }


def test_rules_and_dashboard_reach_the_cluster_as_they_are_in_their_files() -> None:
    """Braces in them are Prometheus' and Grafana's, not Helm's."""
    documents = render(values=[CHART / "ci/full-values.yaml"])
    rules = yaml.safe_load((CHART / "files/rules.yaml").read_text(encoding="utf-8"))
    assert only(documents, "PrometheusRule")["spec"] == rules
    (shown,) = [one["data"]["l7lb.json"] for one in documents if one["metadata"]["name"] == f"{RELEASE}-dashboard"]
    assert json.loads(shown) == json.loads((CHART / "files/dashboard.json").read_text(encoding="utf-8"))


def test_alerts_link_to_the_runbook_where_it_is_served() -> None:
    where = (
        "--set=monitoring.prometheusRule.enabled=true,monitoring.prometheusRule.runbookUrl=https://ops.example.com/l7lb"
    )
    rule = only(render(where), "PrometheusRule")
    links = {
        alert["annotations"]["runbook_url"]
        for group in rule["spec"]["groups"]
        for alert in group["rules"]
        if "alert" in alert
    }
    assert "https://ops.example.com/l7lb/L7lbNoLeader/" in links
    assert all(link.startswith("https://ops.example.com/l7lb/L7lb") for link in links)
    silent = only(render("--set=monitoring.prometheusRule.enabled=true"), "PrometheusRule")
    assert "runbook_url" not in json.dumps(silent)


NAMES = ["7", "007", "1e3", "true", "null", "on", "0x10"]
NAMING = {"name", "namespace", "serviceAccountName", "priorityClassName", "secretName", "resourceNames",
          "app.kubernetes.io/instance"}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(name: str) -> None:
    """Release, namespace, and all that is named by values."""
    full = name if name.isalpha() else f"x{name}"
    values = {
        "fullnameOverride": full, "watchNamespace": name, "serviceAccount": {"name": name}, "priorityClassName": name,
        "secretsFrom": "referenced", "referencedSecrets": [{"namespace": name, "names": [name]}],
        "credentialsSecret": name, "collectOrphans": False, "uninstall": {"policy": "keep"},
    }  # fmt: skip
    text = template(
        f"--namespace={name}", "--values=-", values=[CHART / "ci/full-values.yaml"], release=name,
        stdin=json.dumps(values),
    )  # fmt: skip
    for one in yaml.safe_load_all(text):
        odd = [place for place, value in leaves(one) if place[-1] in NAMING and not isinstance(value, str)]
        assert odd == [], one["kind"]


def leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Everything that is no map and no list, with the keys that lead there."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*place, key))
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, place)
    else:
        yield place, value


def test_one_replica_has_no_disruption_budget() -> None:
    assert [one for one in render("--set=replicaCount=1") if one["kind"] == "PodDisruptionBudget"] == []
