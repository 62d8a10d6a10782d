"""Clients as the configuration asks for them: one clock for all of them, and a lease that waits for nobody."""

from pathlib import Path
from typing import Any

import pytest

from l7lb.adapters.clb.calls import CallRecord
from l7lb.app.config import Config
from l7lb.app.connections import LEASE_CONNECT_S, Connections, connect, count_request, foresee, identity
from l7lb.model.lane import Lane
from l7lb.telemetry.metrics import OTHER, REGIONS_MAX, Metrics
from tests.unit.runtime.fake_clock import FakeClock

ROOT = Path(__file__).parents[3] / "l7lb"
KEYS = {"TENCENTCLOUD_SECRET_ID": "id", "TENCENTCLOUD_SECRET_KEY": "key"}


@pytest.fixture
def connections(tmp_path: Path) -> Connections:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "{apiVersion: v1, kind: Config, current-context: x, clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}],"
        " contexts: [{name: x, context: {cluster: c, user: u}}], users: [{name: u, user: {}}]}"
    )
    return connect(Config("cls-1", "ap-guangzhou", kubeconfig=str(file)), KEYS, Metrics("test"), lambda: None, CLOCK)


CLOCK = FakeClock(start=77.0)


def test_one_clock_goes_everywhere(connections: Connections) -> None:
    cloud: Any = connections.cloud
    readers = [
        connections.kube._clock,
        connections.lease._clock,
        connections.kube._credentials._clock,
        cloud.clock,
        cloud.caller.clock,
        cloud.caller.limits.clock,
        connections.events._clocks.monotonic,
    ]
    assert [reader() for reader in readers] == [77.0] * len(readers)


@pytest.mark.parametrize(
    ("code", "counted"),
    [
        ("OK", ""),
        ("NoAnswer", ""),
        ("InvalidParameter.LBIdNotFound", ""),
        ("RequestLimitExceeded.UinLimitExceeded", "throttled"),
        ("UnauthorizedOperation", "permission_denied"),
        ("AuthFailure.SignatureExpire", "permission_denied"),
        ("LimitExceeded", "quota_exceeded"),
        ("ResourceInsufficient", "quota_exceeded"),
    ],
)
def test_a_request_is_counted_by_what_its_answer_means(code: str, counted: str) -> None:
    metrics = Metrics("test")
    foresee(metrics)
    count_request(metrics, CallRecord("clb", "CreateRule", "ap-guangzhou", Lane.CHANGE, code, 0.1))
    value = metrics.registry.get_sample_value
    labels = {"service": "clb", "action": "CreateRule"}
    found = {
        what: value(f"l7lb_cloud_api_{what}_total", labels)
        for what in ("throttled", "permission_denied", "quota_exceeded")
    }
    assert found == {what: float(what == counted) for what in found}
    assert value("l7lb_cloud_api_attempts_total", {**labels, "region": "ap-guangzhou", "code": code}) == 1


def test_made_up_regions_do_not_become_labels_without_end() -> None:
    metrics = Metrics("test")
    for number in range(3 * REGIONS_MAX):
        count_request(metrics, CallRecord("clb", "CreateRule", f"ap-nowhere{number}", Lane.CHANGE, "OK", 0.1))
    (family,) = (one for one in metrics.registry.collect() if one.name == "l7lb_cloud_api_attempts")
    counts = {sample.labels["region"]: sample.value for sample in family.samples}
    assert (len(counts), counts[OTHER]) == (REGIONS_MAX + 1, 2 * REGIONS_MAX)


@pytest.mark.parametrize("package", ["app", "runtime", "reconciler", "telemetry"])
def test_nobody_asks_the_machine_for_the_time_but_the_clock(package: str) -> None:
    asking = {
        str(file.relative_to(ROOT))
        for file in (ROOT / package).rglob("*.py")
        for word in ("time.monotonic", "time.time()", "monotonic_ns", "perf_counter", "datetime.now")
        if word in file.read_text(encoding="utf-8")
    }
    assert asking <= {"runtime/clock.py"}


def test_the_lease_has_a_transport_of_its_own_that_gives_up_early(connections: Connections) -> None:
    assert connections.lease is not connections.kube
    assert connections.lease._connect_timeout_s == LEASE_CONNECT_S == 2.0


def test_no_two_processes_have_the_same_identity() -> None:
    assert len({identity() for _ in range(100)}) == 100
