"""What goes wrong, told to the product under watch, and which alerts have to come of it: these, and no other.

Each begins in health. A scenario says in which minute what happens; `quiet` is a minute before it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from l7lb.errors import UnauthorizedPlan
from tests.alerts.plant import Plant
from tests.simulation import manifests
from tests.simulation.cluster import NODES
from tests.simulation.staff import Rig

NEVER: Final = 1e9
CLASS: Final = "/apis/networking.k8s.io/v1/ingressclasses"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`play` moves the plant on; at its end, or in the minute `at`, exactly `fires` fire."""

    name: str
    play: Callable[[Plant], None]
    fires: frozenset[str]
    quiet: int = 4
    """A minute in which nothing fires."""
    at: int = 0
    rig: Callable[[], Rig] = Rig
    setup: dict[str, Any] = field(default_factory=dict)


def served(plant: Plant, *names: str, **spec: Any) -> None:
    """Ingresses that are served, and five quiet minutes."""
    for name in names:
        plant.users.create(manifests.ingress(name, manifests.rule(f"{name}.example.com"), **spec))
    plant.start()
    plant.run_minutes(5)


def _all_is_well(plant: Plant) -> None:
    """A day's work in an hour: edits, roll-outs, nodes, a deletion, an upgrade of l7lb itself."""
    served(plant, "shop", "blog", "wiki")
    for number in range(4):
        plant.users.rules(manifests.rule("shop.example.com", "/", f"/{number}"), name="shop")
        address, instance = f"10.0.1.{number}", f"ins-000001{number:02}"
        plant.account.seed(instances=[{"id": instance, "ip": address}])
        plant.users.create(manifests.node(f"node-{number}", address, instance))
        plant.run_minutes(7)
    plant.users.delete("wiki")
    plant.run_minutes(10)
    for one in tuple(plant.staff.alive()):
        one.leave()
        plant.run_minutes(3)
    plant.run_minutes(20)


def _nobody_is_left(plant: Plant) -> None:
    served(plant, "shop")
    plant.staff.kill()
    plant.run_minutes(20)


def _one_of_two_goes(plant: Plant) -> None:
    served(plant, "shop")
    plant.run_minutes(40)
    plant.staff.kill(next(one for one in plant.staff.alive() if not one.leads))
    plant.run_minutes(39)


def _the_leader_is_killed_again_and_again(plant: Plant) -> None:
    served(plant, "shop")
    for _ in range(6):
        plant.staff.kill(plant.live())
        plant.run_minutes(7)


def _nobody_may_hold_the_lease(plant: Plant) -> None:
    served(plant, "shop")
    plant.users.fault("http_403", "*", "leases", 100_000)
    plant.run_minutes(10)


def _services_are_missing(plant: Plant) -> None:
    served(plant, "shop", "blog")
    for number in range(6):
        plant.users.create(manifests.ingress(f"new{number}", manifests.rule("n.example.com", backend="nobody")))
    plant.run_minutes(40)


def _the_cloud_has_an_internal_error(plant: Plant) -> None:
    served(plant, *(f"web{number}" for number in range(6)))
    plant.account.fault("*", "error", code="InternalError", count=0)
    plant.run_minutes(30)


def _a_call_never_ends(plant: Plant) -> None:
    served(plant, "shop", "blog")
    plant.hang_at("clb", minutes=18)
    plant.users.rules(manifests.rule("shop.example.com", "/", "/new"), name="shop")
    plant.users.rules(manifests.rule("blog.example.com", "/", "/new"), name="blog")
    plant.run_minutes(1)


def _tasks_take_minutes(plant: Plant) -> None:
    served(plant, "shop")
    for number in range(9):
        plant.users.rules(manifests.rule("shop.example.com", "/", f"/{number}"), name="shop")
        plant.run_minutes(6)


def _targets_cannot_be_bound(plant: Plant) -> None:
    served(plant, "shop")
    for number in range(6):
        address, instance = f"10.0.1.{number}", f"ins-000001{number:02}"
        plant.account.fault("BatchRegisterTargets", "http_500", count=12)
        plant.account.seed(instances=[{"id": instance, "ip": address}])
        plant.users.create(manifests.node(f"node-{number}", address, instance))
        plant.run_minutes(9)


def _workers_are_too_few(plant: Plant) -> None:
    names = [f"web{number}" for number in range(10)]
    served(plant, *names)
    plant.rig.call_s = lambda: 3.0
    for turn in range(6):
        for name in names:
            plant.users.rules(manifests.rule(f"{name}.example.com", "/", f"/{turn}"), name=name)
        plant.run_minutes(4)


def _a_bug(plant: Plant) -> None:
    served(plant, "shop")

    def fail(_action: str, _params: object) -> None:
        raise AttributeError("a bug")

    plant.inspect = fail
    plant.users.rules(manifests.rule("shop.example.com", "/", "/new"), name="shop")
    plant.run_minutes(6)


def _a_plan_that_nobody_may_make(plant: Plant) -> None:
    served(plant, "shop")

    def refuse(_action: str, _params: object) -> None:
        raise UnauthorizedPlan("not ours")

    plant.inspect = refuse
    plant.users.rules(manifests.rule("shop.example.com", "/", "/new"), name="shop")
    plant.run_minutes(6)


def _a_class_is_deleted(plant: Plant) -> None:
    plant.users.create(manifests.ingress_class("edge"))
    served(plant, "shop", ingressClassName="edge")
    plant.users.remove(f"{CLASS}/edge")
    plant.run_minutes(30)


def _the_cluster_is_a_copy(plant: Plant) -> None:
    served(plant, "shop")
    plant.staff.kill()
    for name in ("node-a", "node-b"):
        plant.users.remove(f"{NODES}/{name}")
    plant.account.seed(instances=[{"id": "ins-0000000x", "ip": "10.7.0.1"}])
    plant.users.create(manifests.node("node-x", "10.7.0.1", "ins-0000000x"))
    plant.run_minutes(15)


def _tkes_controller_is_switched_on(plant: Plant) -> None:
    served(plant, "shop")
    labels, container = {"k8s-app": "l7-lb-controller"}, {"name": "controller", "image": "l7-lb-controller:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    plant.users.create({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "l7-lb-controller", "namespace": "kube-system", "labels": labels},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    })  # fmt: skip
    plant.run_minutes(65)


def _a_right_is_missing(plant: Plant) -> None:
    served(plant, "shop")
    plant.account.fault("CreateRule", "error", code="UnauthorizedOperation", count=0)
    plant.users.rules(manifests.rule("shop.example.com", "/", "/new"), name="shop")
    plant.run_minutes(28)


def _others_use_the_rate_up(plant: Plant) -> None:
    served(plant, *(f"web{number}" for number in range(2)))
    plant.account.fault("CreateRule", "error", code="RequestLimitExceeded", count=0)
    for number in range(2):
        plant.users.rules(manifests.rule(f"web{number}.example.com", "/", "/new"), name=f"web{number}")
    plant.run_minutes(28)


def _a_quota_is_full(plant: Plant) -> None:
    plant.account.seed(quotas={"TOTAL_LISTENER_RULE_QUOTA": 4})
    plant.users.create(manifests.ingress("shop", manifests.rule("shop.example.com", "/a", "/b", "/c", "/d")))
    plant.start()
    plant.run_minutes(20)
    plant.account.fault("CreateLoadBalancer", "error", code="LimitExceeded", count=0)
    plant.users.create(manifests.ingress("blog", manifests.rule("blog.example.com")))
    plant.run_minutes(18)


def _somebody_deletes_rules(plant: Plant) -> None:
    served(plant, "shop")
    for _ in range(5):
        plant.account.edit("delete_rule", plant.account.lb().id, listener="HTTP:80", rule="shop.example.com/")
        plant.run_minutes(12)
    plant.run_minutes(10)


def _a_target_is_refused(plant: Plant) -> None:
    served(plant, "shop")
    plant.account.seed(instances=[{"id": "ins-0000000z", "ip": "10.0.9.9"}], refused={"10.0.9.9": "call"})
    plant.users.create(manifests.node("node-z", "10.0.9.9", "ins-0000000z"))
    plant.run_minutes(42)


def _a_field_does_not_hold(plant: Plant) -> None:
    served(plant, "shop", annotations={"ingress.cloud.tencent.com/pass-to-target": "true"})
    for _ in range(4):
        plant.account.edit("update", plant.account.lb().id, fields={"pass_to_target": False})
        plant.run_minutes(10)
    plant.run_minutes(8)


def _a_pods_gate_cannot_be_opened(plant: Plant) -> None:
    served(plant, "shop")
    gate = {"conditionType": "cloud.tencent.com/load-balancer-backendgroup-ready"}
    container = {"name": "app", "image": "demo:1"}
    plant.users.create({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"containers": [container], "readinessGates": [gate], "nodeName": "node-a"},
    })  # fmt: skip
    status = {"podIP": "10.1.0.1", "conditions": [{"type": "ContainersReady", "status": "True"}]}
    plant.users.update("/api/v1/namespaces/shop/pods/web-0/status", {"status": status})
    plant.users.fault("http_500", "*", "pods/status", 100_000)
    plant.run_minutes(18)


def _nobody_verifies(plant: Plant) -> None:
    served(plant, "shop")
    plant.verifies = False
    plant.run_minutes(60)


def _a_kind_is_silent(plant: Plant) -> None:
    served(plant, "shop")
    plant.users.fault("http_500", "list", "endpointslices", 100_000)
    plant.users.fault("http_500", "watch", "endpointslices", 100_000)
    plant.users.fault("reset_watches", "*", "*", 1)
    plant.run_minutes(13)


def _a_kind_may_not_be_read(plant: Plant) -> None:
    plant.users.fault("http_403", "*", "deployments", 100_000)
    plant.users.create(manifests.ingress("shop"))
    plant.start()
    plant.run_minutes(13)


def _an_object_is_odd(plant: Plant) -> None:
    served(plant, "shop")
    plant.users.create(manifests.ingress_class("odd"))
    storage = plant.users.emulator.world.storage  # no API server takes it, but one may have kept it
    for bucket in (one for one in storage.buckets() if one.startswith("ingressclasses")):
        for key, record in storage.scan(bucket):
            storage.put(bucket, key, {**record.obj, "spec": {"controller": 5}})
    plant.run_minutes(5)


def _the_api_server_fails(plant: Plant) -> None:
    served(plant, "shop", "blog")
    plant.users.fault("http_503", "patch", "ingresses", 100_000)
    plant.users.fault("http_503", "watch", "*", 100_000)
    plant.users.fault("reset_watches", "*", "*", 1)
    plant.run_minutes(28)


def _much_is_left_behind(plant: Plant) -> None:
    for name, end in (("certrsa1", "2026-01-20 00:00:00"), ("certrsa2", "2026-01-04 00:00:00")):
        plant.account.seed(certificates=[{"id": name, "end_time": end}])
    plant.users.create(manifests.secret("soon", "certrsa2"))
    plant.users.create(manifests.ingress("soon", manifests.rule("soon.example.com"), tls="soon"))
    plant.users.create(manifests.ingress("later", manifests.rule("later.example.com"), tls="cert"))
    plant.account.fault("DeleteLoadBalancer", "error", code="FailedOperation", count=0)
    served(plant, "shop", "gone")
    plant.users.delete("shop")
    plant.staff.kill()
    plant.users.delete("gone")
    plant.users.patch({"metadata": {"finalizers": None}}, "gone")
    assert plant.users.find("gone") is None
    plant.run_minutes(80)


NOT_PLAYED: Final = {
    "L7lbLeaseRenewedLate": "an answer that takes seconds blocks the one thread of the simulation",
    "L7lbBudgetShort": "needs hundreds of Ingresses that change at once",
    "L7lbWebhookFailing": "no API server of the simulation calls webhooks",
    "L7lbEventsDropped": "the simulation takes Events before they are written",
}
"""Alert -> why no scenario ends in it; promtool's tests are all they have."""


def _case(play: Callable[[Plant], None], *alerts: str, **more: Any) -> Scenario:
    return Scenario(play.__name__.strip("_").replace("_", " "), play, frozenset(alerts), **more)


PAIR: Final = partial(Rig, replicas=2)
WITHOUT_RESTARTS: Final = partial(Rig, replicas=2, restart_s=lambda: NEVER)
SCENARIOS: Final = (
    _case(_all_is_well, rig=PAIR),
    _case(_nobody_is_left, "L7lbAbsent", rig=WITHOUT_RESTARTS),
    _case(_one_of_two_goes, "L7lbReplicaMissing", rig=WITHOUT_RESTARTS),
    _case(_the_leader_is_killed_again_and_again, "L7lbRestarting", "L7lbLeaderFlapping", rig=PAIR),
    _case(_nobody_may_hold_the_lease, "L7lbNoLeader"),
    _case(_services_are_missing, "L7lbIngressNotReady", "L7lbManyIngressesNotReady"),
    _case(_the_cloud_has_an_internal_error, "L7lbCloudFailing", "L7lbPassesFailing", "L7lbManyIngressesNotReady"),
    _case(_a_call_never_ends, "L7lbPassHangs", "L7lbQueueStuck", at=22),
    _case(_tasks_take_minutes, "L7lbCloudTasksSlow", setup={"latency": 150.0}),
    _case(_targets_cannot_be_bound, "L7lbEndpointsSlow"),
    _case(_workers_are_too_few, "L7lbQueueSlow"),
    _case(_a_bug, "L7lbInternalErrors"),
    _case(_a_plan_that_nobody_may_make, "L7lbUnauthorizedPlan"),
    _case(_a_class_is_deleted, "L7lbPlanBlocked"),
    _case(_the_cluster_is_a_copy, "L7lbDeletesHeld"),
    _case(_tkes_controller_is_switched_on, "L7lbGateClosed"),
    _case(_a_right_is_missing, "L7lbCloudDenied"),
    _case(_others_use_the_rate_up, "L7lbCloudThrottled"),
    _case(_a_quota_is_full, "L7lbQuotaNearlyFull", "L7lbQuotaExceeded"),
    _case(_a_field_does_not_hold, "L7lbUnstableFields"),
    _case(_a_pods_gate_cannot_be_opened, "L7lbReadinessGatesPending"),
    _case(_somebody_deletes_rules, "L7lbDriftContinues"),
    _case(_a_target_is_refused, "L7lbStepsRefused", "L7lbIngressNotReady"),
    _case(_nobody_verifies, "L7lbVerificationStale"),
    _case(_a_kind_is_silent, "L7lbInformerStale"),
    _case(_a_kind_may_not_be_read, "L7lbInformerNotSynced", "L7lbInformerStale"),
    _case(_an_object_is_odd, "L7lbObjectsUnreadable"),
    _case(_the_api_server_fails, "L7lbApiServerFailing", "L7lbInformerStale"),
    _case(
        _much_is_left_behind,
        "L7lbDeletionStuck",
        "L7lbOrphanedLoadBalancers",
        "L7lbCertificateExpiresInAMonth",
        "L7lbCertificateExpiresInAWeek",
    ),
)
