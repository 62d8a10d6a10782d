"""The command beside its main job: what `/metrics` holds after a real run, and what `plan` says of a live world."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from l7lb.telemetry.metrics import TABLE
from tests import envtest, launcher
from tests.emulators.kube.faults import Fault
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.replicas import Replica, cluster_writes, wait
from tests.system.world import CLUSTER, KEYS, REGION, VPC, World, ingress, rule, service
from tests.tools import needs, tool
from tests.unit.telemetry.exposition import FROM_PYTHON, complaints, filled, moved

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CLASS: Json = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "edge"},
    "spec": {"controller": "l7lb.dev/ingress-controller"},
}
FILLED_ELSEWHERE = {"l7lb_informer_quarantined_total", "l7lb_refused_steps_total"}
"""No API server serves an object of a wrong form; refused targets are counted in `tests/unit/telemetry`."""

STILL = {
    "controller_runtime_reconcile_panics_total": "a bug: tests/alerts plays one",
    "controller_runtime_webhook_latency_seconds": "there is no webhook here: system/test_webhook.py",
    "controller_runtime_webhook_requests_in_flight": "there is no webhook here: unit/telemetry/test_admitting.py",
    "controller_runtime_webhook_requests_total": "there is no webhook here: system/test_webhook.py",
    "workqueue_retries_total": "who fails says when to come back; bugs do not: unit/runtime/test_controller.py",
    "l7lb_cloud_api_quota_exceeded_total": "quotas are read before: tests/alerts has a cloud that refuses all the same",
    "l7lb_deletes_held": "this cluster is no copy: tests/alerts has one",
    "l7lb_finalizing_oldest_seconds": "nothing is being deleted: unit/app/test_gauges.py, tests/alerts",
    "l7lb_orphan_oldest_seconds": "there is none: simulation/test_orphans.py",
    "l7lb_orphaned_loadbalancers": "there is none: simulation/test_orphans.py, tests/alerts",
    "l7lb_orphans_collected_total": "a day passes before: simulation/test_collecting.py",
    "l7lb_readiness_gate_oldest_seconds": "no pod has the gate: unit/app/test_readying.py, tests/alerts",
    "l7lb_readiness_gates_pending": "no pod has the gate: unit/app/test_readying.py",
    "l7lb_trace_spans_total": "nobody asks for traces",
    "l7lb_unauthorized_plans_total": "a bug: tests/alerts plays one",
    "l7lb_unstable_fields": "takes three rounds and a fight: unit/reconciler/test_drift.py, tests/alerts",
}
"""Metric -> why it stays 0 in this world, and where it counts."""
MOMENTARY = {
    "controller_runtime_active_workers",
    "workqueue_depth",
    "workqueue_longest_running_processor_seconds",
    "workqueue_unfinished_work_seconds",
}
"""0 or not, depending on what runs in this very moment; `tests/unit` has both."""

JOINED_BY_ID = "l7lb_loadbalancer_info{"
"""One series for each load balancer in use: what the cloud's own metrics are joined by."""


def shop(world: World, name: str, **spec: Any) -> str:
    """An Ingress with one rule; its UID."""
    world.namespace("shop")
    if world.kube.find("Service", "web", "shop") is None:
        world.kube.create(service("web", "shop", 0))
    made = world.kube.create(ingress(name, "shop", rule(f"{name}.example.com", "web"), **spec))
    return str(made["metadata"]["uid"])


# metrics

SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "cert", "namespace": "shop"},
    "type": "Opaque",
    "stringData": {"qcloud_cert_id": "certrsa1"},
}


@pytest.fixture(scope="module")
def exposition() -> Iterator[str]:
    """After a run in which everything happened that is counted."""
    with World() as world:
        assert world.kube_emulator is not None
        one = Replica(world, "one", verify_interval="1")
        try:
            one.leads()
            world.fault(action="DescribeListeners", kind="error", code="RequestLimitExceeded")
            world.kube.create(CLASS)
            uids = [shop(world, f"web{number}") for number in range(12)]
            shop(world, "edge", ingressClassName="edge")
            for number in range(12):
                world.ready(f"web{number}", "shop")
            world.ready("edge", "shop")
            (load_balancer,) = world.of(uids[0])
            world.console(edit="delete_rule", load_balancer=load_balancer["id"], listener="HTTP:80",
                          rule="web0.example.com/")  # fmt: skip
            wait("drift is seen", lambda: one.metric("l7lb_drift_detected_total"), 30.0, one)
            world.kube.delete("IngressClass", "edge")
            wait("a class is missed", lambda: one.metric("l7lb_plan_blocked_total"), 30.0, one)
            world.kube_emulator.controls.order(Fault("http_500", "list", "nodes", 1))
            world.kube_emulator.controls.order(Fault("http_500", "watch", "nodes", 4))
            world.kube_emulator.controls.order(Fault("reset_watches"))
            wait("an informer stumbles", lambda: one.metric("l7lb_informer_failures_total"), 30.0, one)
            world.kube.create(SECRET)
            world.kube.patch("Ingress", "web1", "shop", {"spec": {"tls": [{"secretName": "cert"}]}})
            wait("a certificate is seen", lambda: one.metric("l7lb_certificate_expiry_timestamp_seconds"), 30.0, one)
            wait("its own budget is used up", lambda: one.metric("l7lb_rate_limiter_wait_seconds_count"), 30.0, one)
            world.join({"node-c": ("127.10.0.3", "ins-0000000c")})
            wait("endpoints arrive", lambda: one.metric("l7lb_endpoint_propagation_seconds_count"), 100.0, one)
            world.kube.create(ingress("odd", "shop", rule("odd.example.com", "nobody")))
            wait("one is not ready", lambda: one.metric("l7lb_ingress_not_ready_oldest_seconds"), 30.0, one)
            world.fault(action="DescribeTargets", kind="error", code="UnauthorizedOperation")
            wait("a right is missed", lambda: one.metric("l7lb_cloud_api_permission_denied_total"), 30.0, one)
            wait("a pass fails", lambda: one.metric("controller_runtime_terminal_reconcile_errors_total"), 30.0, one)
            yield one.ask("metrics", "/metrics")[1]
            assert one.terminate() == 0
        finally:
            one.stop()


def test_every_metric_of_the_table_is_filled_and_no_other_is_there(exposition: str) -> None:
    ours = {name for name in filled(exposition) if not name.startswith(FROM_PYTHON)}
    assert ours == {row.name for row in TABLE} - FILLED_ELSEWHERE


def test_every_metric_of_the_table_has_counted_something_or_it_is_said_why_not(exposition: str) -> None:
    still = {row.name for row in TABLE} - FILLED_ELSEWHERE - moved(exposition)
    assert still - MOMENTARY == set(STILL)


@needs("promtool")
def test_promtool_has_nothing_to_complain_about(exposition: str) -> None:
    """Names, help, units and types as the makers of Prometheus want them."""
    command = [str(tool("promtool")), "check", "metrics"]
    done = subprocess.run(command, input=exposition, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_strict_reader_has_nothing_to_complain_about(exposition: str) -> None:
    assert complaints(exposition) == []


@pytest.mark.parametrize("name", ["shop/", "web0", "lb-", "certificate"])
def test_no_label_holds_the_name_of_an_object(exposition: str, name: str) -> None:
    values = [line for line in exposition.splitlines() if not line.startswith("#") and f'"{name}' in line]
    assert [line for line in values if not line.startswith(JOINED_BY_ID)] == []


# verification


def test_verifying_costs_one_look_and_two_reads_for_each_load_balancer_and_writes_nothing() -> None:
    with World() as world:
        one = Replica(world, "one", verify_interval="3")
        try:
            one.leads()
            for number in range(4):
                shop(world, f"web{number}")
            for number in range(4):
                world.ready(f"web{number}", "shop")
            rounds = wait("two rounds", lambda: _rounds(one)[1:3] if len(_rounds(one)) > 3 else None, 90.0, one)
            assert rounds == [{"DescribeListeners": 4, "DescribeTargets": 4}] * 2
            assert one.metric("l7lb_drift_detected_total") == 0
            assert one.terminate() == 0
        finally:
            one.stop()


def _rounds(one: Replica) -> list[dict[str, int]]:
    """What was called between each look at all load balancers of the cluster and the next, since the last write."""
    calls = one.calls()
    last = max((place for place, call in enumerate(calls) if not call["action"].startswith("Describe")), default=0)
    rounds: list[dict[str, int]] = []
    for call in calls[last:]:
        if call["action"] == "DescribeLoadBalancers" and len(call["request"].get("Filters", ())) == 1:
            rounds.append({})
        elif rounds:
            rounds[-1][call["action"]] = rounds[-1].get(call["action"], 0) + 1
    return rounds


# plan


@pytest.fixture(scope="module", params=SERVERS)
def live(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world in which one Ingress is served, one is new and one asks for what is not there."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as world:
        one = Replica(world, "one")
        try:
            one.leads()
            shop(world, "served")
            world.ready("served", "shop")
            assert one.terminate() == 0
        finally:
            one.stop()
        yield world


@pytest.fixture(autouse=True)
def _only_the_served_one_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "live" in request.fixturenames:
        world: World = request.getfixturevalue("live")
        for name in ("new", "broken"):
            world.kube.delete("Ingress", name, "shop")


def plan(world: World, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `l7lb plan`."""
    flags = {
        "cluster-id": CLUSTER, "region": REGION, "vpc-id": VPC,
        "kubeconfig": str(world._folder / "kubeconfig"), "clb-endpoint": world._clb.url,
    }  # fmt: skip
    command = ["plan", *(f"--{name}={value}" for name, value in flags.items()), *arguments]
    done = launcher.run(command, env={**os.environ, **KEYS}, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_where_all_is_right_there_is_nothing_to_do_and_nothing_is_written(live: World) -> None:
    before, state, objects = live.calls(), live.load_balancers(), live.kube.all("Ingress", "shop")
    assert plan(live) == (0, "Plan: nothing to do.\n1 Ingress, 0 steps, 1 already right\n", "")
    new = {name for name, count in live.calls().items() if count > before.get(name, 0)}
    assert new
    assert all(name.startswith("Describe") for name in new)
    assert live.load_balancers() == state
    assert live.kube.all("Ingress", "shop") == objects


def test_a_new_ingress_is_planned_step_by_step_and_not_touched(live: World) -> None:
    uid = shop(live, "new")
    writes = cluster_writes(live) if live.kube_emulator is not None else []
    before = live.kube.all("Ingress", "shop")
    code, out, err = plan(live)
    assert (code, err) == (2, "")
    lines = out.splitlines()
    assert lines[0] == "new load balancer for Ingress shop/new"
    assert [line for line in lines if line.startswith(("  + create", "  + register"))] == [
        "  + create load balancer",
        "  + create 1 listener",
        "  + create 1 rule on HTTP:80",
        "  + register 2 targets",
    ]
    assert lines[-3:] == [
        "Plan: 5 to add, 0 to change, 0 to remove.",
        "  + 1 load balancer, 1 listener, 1 rule, 2 targets",
        "2 Ingresses, 4 steps, 1 already right",
    ]
    code, out, err = plan(live, "-o", "json")
    assert (code, err) == (2, "")
    found = {one["ingress"]: one for one in json.loads(out)}
    assert [step["step"] for step in found["shop/new"]["plan"]["steps"]] == [
        "CreateLoadBalancer", "CreateListeners", "CreateRules", "RegisterTargets",
    ]  # fmt: skip
    assert found["shop/served"]["plan"]["steps"] == []
    assert live.of(uid) == []
    assert live.kube.all("Ingress", "shop") == before
    assert live.kube.find("Lease", "nobody", "kube-system") is None
    if live.kube_emulator is not None:
        assert cluster_writes(live) == writes


def test_what_cannot_be_served_is_told_and_fails(live: World) -> None:
    live.kube.create(ingress("broken", "shop", rule("b.example.com", "nowhere")))
    code, out, _ = plan(live)
    assert code == 1
    assert "! E4041" in out
    assert out.endswith("2 Ingresses, 0 steps, 1 already right, 1 failed\n")


def test_a_closed_gate_is_told(live: World) -> None:
    config: Json = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "tke-service-controller-config", "namespace": "kube-system"},
        "data": {"EnableIngressController": "true"},
    }
    live.kube.create(config)
    try:
        code, out, _ = plan(live)
        assert code == 0
        assert "run would not write: " in out
        assert "EnableIngressController" in out
        code, out, err = plan(live, "-o", "json")
        assert (code, err.startswith("run would not write: "), len(json.loads(out))) == (0, True, 1)
    finally:
        live.kube.delete("ConfigMap", "tke-service-controller-config", "kube-system")


def test_a_used_up_budget_is_waited_for(live: World) -> None:
    live.seed({"rate_limits": {"DescribeListeners": 1.0}})
    live.fault(action="DescribeLoadBalancers", kind="error", code="RequestLimitExceeded", count=5)
    try:
        assert plan(live)[0] == 0
    finally:
        live.seed({"rate_limits": {"DescribeListeners": 20.0}})
        live.mend()


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"TENCENTCLOUD_SECRET_KEY": "wrong"}, 1, "AuthFailure"),
        ({"L7LB_KUBECONFIG": "/does/not/exist"}, 2, "--kubeconfig"),
    ],
)
def test_what_is_refused_is_one_line(live: World, environment: dict[str, str], code: int, said: str) -> None:
    flags = [f"--cluster-id={CLUSTER}", f"--region={REGION}", f"--clb-endpoint={live._clb.url}"]
    variables = {**os.environ, **KEYS, "L7LB_KUBECONFIG": str(live._folder / "kubeconfig"), **environment}
    done = launcher.run(["plan", *flags], env=variables, timeout=60)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
