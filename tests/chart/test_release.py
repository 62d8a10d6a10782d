"""A release on a kube-apiserver, with the real Helm, under exactly the account and the rights of the chart.

The server's audit log says what the product asked for. Each test looks at what one story (tests/chart/life.py) left.
"""

import subprocess
from pathlib import Path

import pytest

from tests import envtest
from tests.chart.cluster import NAMESPACE, rendered
from tests.chart.life import CHOICE, SWITCHED_ON, TRUST, Life, lived
from tests.chart.rendering import RELEASE, VALUE_SETS, template
from tests.chart.schemas import LOCATION
from tests.system.access import rights_in, unused
from tests.system.world import CLUSTER, FINALIZER
from tests.tools import needs, tool

pytestmark = [pytest.mark.system, pytest.mark.envtest, needs("helm", "kubeconform"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    if envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    return lived(tmp_path_factory.mktemp("schemas"), tmp_path_factory.mktemp("chart"))


def test_nothing_is_refused_to_the_account_of_the_chart(life: Life) -> None:
    assert life.requests.denied == ()


def test_no_right_of_the_chart_is_left_over(life: Life) -> None:
    """Those of the uninstall included."""
    assert len(life.requests.asked) > 30
    assert unused(rights_in(rendered(**SWITCHED_ON)), life.requests.asked) == []


def test_rights_in_one_namespace_are_enough_for_it(life: Life) -> None:
    assert life.narrow.denied == ()
    assert {one.namespace for one in life.narrow.asked} <= {"", "shop", "kube-system"}


def test_pods_are_taken_where_the_restricted_profile_is_enforced(life: Life) -> None:
    assert life.pods == [RELEASE, f"{RELEASE}-uninstall"]
    assert ["violates PodSecurity" in text for text in life.refused_pods] == [True, True]


def test_an_upgrade_that_changes_nothing_replaces_no_pod(life: Life) -> None:
    assert len(set(life.generations)) == 1


def test_the_notes_say_what_is_next(life: Life) -> None:
    assert f"kubectl -n {NAMESPACE} exec deployment/{RELEASE} -- l7lb adopt --dry-run" in life.notes
    assert f"annotate deployment {RELEASE} --overwrite {CHOICE}=keep" in life.notes


def test_an_upgrade_and_its_rollback_do_what_they_say(life: Life) -> None:
    assert life.replicas == [2, 3, 2]


def test_an_upgrade_keeps_the_class_that_it_finds_to_be_its_own(life: Life) -> None:
    assert life.class_after_upgrade == "l7lb.dev/ingress-controller"


def test_an_upgrade_leaves_the_certificate_that_the_product_wrote(life: Life) -> None:
    assert life.trust_after_upgrade == TRUST


def test_an_uninstall_is_refused_while_ingresses_are_held(life: Life) -> None:
    refused = life.refused
    assert refused is not None
    assert refused.by.code == 1
    assert "refused: Ingress shop/web, " in refused.by.job
    assert f"{CHOICE}=keep" in refused.by.job
    assert f"{CHOICE}=drain:{CLUSTER}" in refused.by.job
    assert refused.ingress["metadata"]["finalizers"] == [FINALIZER]
    assert f"/apis/apps/v1/deployments/{RELEASE}" in refused.left


def test_rights_of_the_hook_do_not_outlive_it(life: Life) -> None:
    refused = life.refused
    assert refused is not None
    assert [one for one in refused.left if "rbac" in one and "uninstall" in one] == []


def test_a_release_whose_uninstall_was_refused_is_rolled_back_before_it_is_upgraded(life: Life) -> None:
    assert "has no deployed releases" in life.upgrade_after_refusal
    assert life.replicas_after_rollback == 2


def test_doctor_finds_no_right_missing(life: Life) -> None:
    assert [one["right"] for one in life.doctor["rights"] if not one["allowed"]] == []
    assert [one for one in life.doctor["checks"] if one["level"] == "fail"] == []


def test_a_class_of_somebody_else_is_left_and_said(life: Life) -> None:
    assert life.controller_of_that_class == "example.com/nginx"
    assert "an IngressClass nginx of somebody else" in life.notes_beside_a_class


def test_the_notes_remind_of_a_choice_that_was_made(life: Life) -> None:
    assert f"annotated {CHOICE}=keep: that is what `helm uninstall` will do" in life.notes_of_a_choice


def test_keep_takes_the_marks_off_and_leaves_the_load_balancers(life: Life) -> None:
    kept = life.kept
    assert kept is not None
    assert kept.by.code == 0, kept.by
    assert "finalizers" not in kept.ingress["metadata"]
    assert "l7lb.dev/record" not in kept.ingress["metadata"]["annotations"]
    assert len(kept.balancers) == 1
    assert kept.balancers[0]["listeners"]
    assert kept.left == []


def test_drain_takes_the_load_balancers_away_and_leaves_the_ingresses(life: Life) -> None:
    drained = life.drained
    assert drained is not None
    assert drained.by.code == 0, drained.by
    assert drained.balancers == []
    assert "finalizers" not in drained.ingress["metadata"]
    assert drained.ingress["status"]["loadBalancer"] == {}
    assert drained.left == []


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_what_is_rendered_is_valid_for_an_api_server(life: Life, values: Path) -> None:
    done = _kubeconform(life, template(values=[values]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_not_valid_would_be_noticed(life: Life) -> None:
    done = _kubeconform(life, template().replace("  maxUnavailable: 1", "  maxUnavailables: 1"))
    assert done.returncode == 1
    assert "maxUnavailables" in done.stdout


def _kubeconform(life: Life, manifest: str) -> "subprocess.CompletedProcess[str]":
    program = tool("kubeconform")
    assert program is not None
    return subprocess.run(
        [str(program), "-strict", "-summary", f"-schema-location={life.schemas}/{LOCATION}"],
        input=manifest, capture_output=True, text=True, timeout=60.0, check=False,
    )  # fmt: skip
