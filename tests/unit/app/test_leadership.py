"""From the lease to a term: what it waits for, how it ends, and since when it believes what it reads."""

import json
import random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.transport import Transport
from l7lb.app.config import Config
from l7lb.app.health import PASS_S_MAX, Health
from l7lb.app.identifying import confirm_identity, confirm_records
from l7lb.app.informing import Informers
from l7lb.app.leadership import Leadership, Office, trusted_from
from l7lb.app.leading import QueueSink
from l7lb.app.patience import START_S_MAX
from l7lb.app.secrets import Means
from l7lb.errors import ConfigurationError, Unavailable
from l7lb.model.cluster import Ingress, ObjectMeta
from l7lb.model.identity import BindingKey, Cluster
from l7lb.model.lane import Lane
from l7lb.model.marks import RECORD
from l7lb.runtime.election import Elector
from l7lb.runtime.election import Term as LeaseTerm
from l7lb.runtime.informer import NoInformerMetrics
from l7lb.runtime.workqueue import Taken, WorkQueue
from tests.builders import OUR_TAGS, head
from tests.unit.app.account import Account
from tests.unit.app.room import REGION
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient


class Silent:
    """An informer of which nothing was heard."""

    name = "Ingress"
    synced = False
    problem = "ingresses is forbidden"

    def staleness_s(self, now: float) -> float:
        return now

    def run(self) -> None:
        """Never."""

    def stop(self) -> None:
        """Never ran."""


class Scene:
    """A leadership whose waits pass on the test's clock, over informers of the test's making."""

    def __init__(self, *watchers: Silent, tmp_kubeconfig: str) -> None:
        self.clock = FakeClock()
        transport = Transport(Source(tmp_kubeconfig))
        self.informers = Informers(Means(transport, self.clock, random.Random(1), NoInformerMetrics()))
        self.informers.all.extend(watchers)
        self.elector = Elector(FakeLeaseClient(FakeLease(), self.clock), "us", self.clock, on_lost=pytest.fail)
        office: Any = SimpleNamespace(
            config=Config("cls-1", REGION),
            watching=SimpleNamespace(informers=self.informers),
            elector=self.elector,
            clock=self.clock,
        )
        self.leadership = Leadership(cast(Office, office))
        self.leadership._stopping = cast(Any, self)
        self.waits = 0
        self.stop_after = 100_000

    def wait(self, seconds: float) -> bool:
        """Stands for the event that ends it."""
        self.clock.advance(seconds)
        self.waits += 1
        return self.waits >= self.stop_after


@pytest.fixture
def kubeconfig(tmp_path: Any) -> str:
    file = tmp_path / "kubeconfig"
    file.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    return str(file)


def test_it_waits_for_the_lease_as_long_as_it_takes(kubeconfig: str) -> None:
    scene = Scene(tmp_kubeconfig=kubeconfig)
    scene.stop_after = 5000
    assert scene.leadership._await() is False
    assert scene.clock.now > 1000 + START_S_MAX


def test_it_begins_when_all_is_synced_and_the_lease_is_ours(kubeconfig: str) -> None:
    scene = Scene(tmp_kubeconfig=kubeconfig)
    scene.elector.step()
    assert scene.leadership._await() is True
    assert scene.waits == 0


def test_a_cluster_that_cannot_be_read_is_given_up_with_what_is_lacking_and_why(kubeconfig: str) -> None:
    scene = Scene(Silent(), tmp_kubeconfig=kubeconfig)
    with pytest.raises(Unavailable, match=r"within 120 s: Ingress \(ingresses is forbidden\)"):
        scene.leadership._await()


def test_what_is_read_is_believed_at_once_after_a_leader_that_let_go() -> None:
    assert trusted_from(None) == 0.0
    assert trusted_from(LeaseTerm(1030.0, None)) == 0.0


def test_what_is_read_is_believed_late_after_a_leader_that_vanished() -> None:
    assert trusted_from(LeaseTerm(1030.5, 1030.0)) == 1045.0


class TestIdentity:
    """No load balancer with our cluster id may have been made for another cluster."""

    CLUSTER = Cluster("cls-1", "kube-system-uid")

    def test_load_balancers_of_ours_are_handed_on(self) -> None:
        account = Account({"lb-1": head("lb-1", OUR_TAGS), "lb-2": head("lb-2", {"tke-clusterId": "cls-1"})})
        assert [one.ref.id for one in confirm_identity(account, self.CLUSTER, (REGION,))] == ["lb-1", "lb-2"]

    def test_one_of_another_cluster_with_the_same_id_ends_the_process(self) -> None:
        account = Account({"lb-1": head("lb-1", {**OUR_TAGS, "l7lb-cluster-uid": "another"})})
        with pytest.raises(ConfigurationError, match="--cluster-id: load balancers lb-1 bear cls-1"):
            confirm_identity(account, self.CLUSTER, (REGION,))


def ingress_with_record(name: str, cluster: str, *, uid: str = "") -> Ingress:
    record = json.dumps({"v": 1, "uid": uid or name, "cluster": cluster, "lb": "lb-1"})
    return Ingress(metadata=ObjectMeta(name=name, namespace="shop", uid=name, annotations={RECORD: record}))


class TestRecords:
    """A changed --cluster-id shows in the Ingresses' own records."""

    CLUSTER = Cluster("cls-1", "kube-system-uid")

    def test_records_of_another_cluster_id_end_the_process(self) -> None:
        with pytest.raises(ConfigurationError, match=r"--cluster-id: 2 Ingresses .* \(cls-2\), 1 of cls-1"):
            confirm_records(
                [ingress_with_record(*one) for one in (("a", "cls-2"), ("b", "cls-2"), ("c", "cls-1"))], self.CLUSTER
            )

    @pytest.mark.parametrize(
        "ingresses",
        [
            pytest.param([], id="none"),
            pytest.param(
                [ingress_with_record("a", "cls-1"), ingress_with_record("b", "cls-2")], id="one edited by hand"
            ),
            pytest.param([ingress_with_record("a", "cls-2", uid="another")], id="copied from another cluster"),
            pytest.param([Ingress(metadata=ObjectMeta(name="a", annotations={RECORD: "{"}))], id="unreadable"),
        ],
    )
    def test_single_and_copied_records_do_not(self, ingresses: list[Ingress]) -> None:
        confirm_records(ingresses, self.CLUSTER)


class TestSink:
    """Where triggers put keys."""

    def test_a_standby_drops_them(self) -> None:
        QueueSink(FakeClock()).add(BindingKey("new/1"), Lane.CHANGE)

    def test_a_leader_queues_them_now_or_later(self) -> None:
        clock, queue = FakeClock(), WorkQueue()
        heard: list[str] = []
        endpoints = SimpleNamespace(seen=heard.append)
        sink = QueueSink(clock, cast(Any, SimpleNamespace(queue=queue, endpoints=endpoints)))
        sink.add(BindingKey("new/later"), Lane.CHANGE, after_s=5.0)
        sink.add(BindingKey("new/now"), Lane.ENDPOINTS, urgent=True)
        assert queue.take(clock.monotonic()) == Taken("new/now", Lane.REMOVALS)
        assert heard == ["new/now"]
        clock.advance(5.0)
        assert queue.take(clock.monotonic()) == Taken("new/later", Lane.CHANGE)


class TestHealth:
    """What the probes are told."""

    def test_before_there_is_anything_it_is_alive_and_not_ready(self) -> None:
        health = Health(FakeClock())
        assert (health.live(), health.ready()) == ("", "starting")

    def test_what_is_not_synced_is_named_with_its_reason(self, kubeconfig: str) -> None:
        scene = Scene(Silent(), tmp_kubeconfig=kubeconfig)
        health = Health(scene.clock)
        health.informers, health.leadership = scene.informers, scene.leadership
        assert health.ready() == "not synced: Ingress (ingresses is forbidden)"

    def test_a_standby_with_warm_caches_is_ready(self, kubeconfig: str) -> None:
        scene = Scene(tmp_kubeconfig=kubeconfig)
        health = Health(scene.clock)
        health.informers, health.leadership = scene.informers, scene.leadership
        assert health.ready() == ""

    def test_a_leader_that_the_cloud_refuses_is_not_ready(self, kubeconfig: str) -> None:
        scene = Scene(tmp_kubeconfig=kubeconfig)
        health = Health(scene.clock)
        health.informers, health.leadership = scene.informers, scene.leadership
        scene.leadership._cloud.problem = "the cloud: AuthFailure"
        assert health.ready() == "the cloud: AuthFailure"

    def test_a_pass_that_never_ends_makes_it_unhealthy(self, kubeconfig: str) -> None:
        scene = Scene(tmp_kubeconfig=kubeconfig)
        health, queue = Health(scene.clock), WorkQueue()
        health.leadership = scene.leadership
        scene.leadership.term = cast(Any, SimpleNamespace(queue=queue))
        queue.add("new/1", Lane.CHANGE, scene.clock.monotonic())
        queue.take(scene.clock.monotonic())
        scene.clock.advance(PASS_S_MAX)
        assert health.live() == ""
        scene.clock.advance(1)
        assert health.live() == "a pass has been running for 601 s"
