"""When the cloud or the API server is in trouble: it is told, nothing is lost or bought twice, and work goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.exceptions import HTTPError

from tests.system.kube import Json
from tests.system.world import KEYS, World, ingress, rule, service, tree

pytestmark = pytest.mark.system

HOST = "shop.example.com"
CREATE = "CreateLoadBalancer"
BUSY = "FailedOperation.ResourceInOperating"
WRONG_KEYS = KEYS | {"TENCENTCLOUD_SECRET_KEY": "not-the-key-of-this-account"}


@pytest.fixture(scope="module")
def cloudy() -> Iterator[World]:
    """A world whose cloud misbehaves now and then; each test puts right again what it has put wrong."""
    with World() as world:
        world.start()
        world.leads()
        yield world


@pytest.fixture(scope="module")
def watched() -> Iterator[World]:
    """A world in which every load balancer is compared with the cloud each second."""
    with World(flags={"verify-interval": "1"}) as world:
        world.start()
        world.leads()
        yield world


def shop(world: World, namespace: str) -> str:
    """An Ingress with one rule; its UID."""
    world.namespace(namespace)
    world.kube.create(service("web", namespace, 0))
    made = world.kube.create(ingress("web", namespace, rule(HOST, "web")))
    return str(made["metadata"]["uid"])


def edit(world: World, namespace: str) -> None:
    """The author edits the Ingress without a change that matters."""
    world.kube.annotate("web", namespace, **{"example.com/try": "again"})


def is_whole(world: World, uid: str) -> bool:
    """One load balancer with one rule, and a target on each node."""
    shapes = [
        {key: {name: len(targets) for name, targets in rules.items()} for key, rules in tree(lb).items()}
        for lb in world.of(uid)
    ]
    return shapes == [{"HTTP:80": {f"{HOST}/": len(world.nodes)}}]


def becomes_whole(world: World, uid: str, namespace: str) -> None:
    world.wait(f"the load balancer of {namespace} is whole", lambda: is_whole(world, uid))
    world.ready("web", namespace)
    assert len(bought(world, namespace)) == 1


def bought(world: World, namespace: str) -> list[str]:
    """Load balancers that were ever made for the Ingress of this namespace and are still there."""
    return [lb["id"] for lb in world.load_balancers().values() if lb["name"].endswith(f"_{namespace}_web")]


# one call goes wrong

BAD_CALLS: dict[str, tuple[str, Json]] = {
    "busy": ("CreateListener", {"kind": "error", "code": BUSY, "count": 2}),
    "throttled": ("CreateRule", {"kind": "error", "code": "RequestLimitExceeded", "count": 2}),
    "internal-error": ("CreateRule", {"kind": "error", "code": "InternalError"}),
    "listener-task-failed": ("CreateListener", {"kind": "task_fail", "message": "listener failed"}),
    "rule-task-failed": ("CreateRule", {"kind": "task_fail", "message": "rule failed"}),
    "listener-answer-lost": ("CreateListener", {"kind": "drop_after"}),
    "rule-answer-lost": ("CreateRule", {"kind": "drop_after"}),
    "rule-never-arrived": ("CreateRule", {"kind": "drop_before"}),
    "targets-answer-lost": ("BatchRegisterTargets", {"kind": "drop_after"}),
    "targets-in-part": ("BatchRegisterTargets", {"kind": "partial"}),
    "polls-fail": ("DescribeTaskStatus", {"kind": "http_500", "count": 3}),
    "reads-cut": ("DescribeListeners", {"kind": "drop_before", "count": 2}),
    "order-never-arrived": (CREATE, {"kind": "drop_before"}),
    "order-answer-lost": (CREATE, {"kind": "drop_after"}),
    "order-without-id": (CREATE, {"kind": "empty_ids"}),
    "order-500": (CREATE, {"kind": "http_500"}),
    "order-internal-error": (CREATE, {"kind": "error", "code": "InternalError"}),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_one_bad_call_costs_time_but_neither_a_part_nor_a_second_load_balancer(cloudy: World, name: str) -> None:
    action, fault = BAD_CALLS[name]
    cloudy.fault(action=action, **fault)
    uid = shop(cloudy, name)
    becomes_whole(cloudy, uid, name)
    assert cloudy.cloud.state["faults"] == []


def test_an_order_whose_task_failed_is_told_and_not_repeated_at_once(cloudy: World) -> None:
    cloudy.fault(action=CREATE, kind="task_fail", message="no room in the zone")
    before = cloudy.calls().get(CREATE, 0)
    shop(cloudy, "order-failed")
    assert "no room in the zone" in cloudy.not_ready("web", "order-failed", "E4024")
    cloudy.said("web", "order-failed", "E4024")
    edit(cloudy, "order-failed")
    other = shop(cloudy, "order-after-it")
    becomes_whole(cloudy, other, "order-after-it")
    assert cloudy.calls()[CREATE] == before + 2
    assert bought(cloudy, "order-failed") == []


# the cloud is away, or says no to everything


def test_a_cloud_that_cannot_be_reached_is_told_and_waited_for(cloudy: World) -> None:
    served = shop(cloudy, "before-the-storm")
    becomes_whole(cloudy, served, "before-the-storm")
    cloudy.fault(action="*", kind="http_500", count=0)
    uid = shop(cloudy, "in-the-storm")
    cloudy.said("web", "in-the-storm", "Unavailable: E6006")
    cloudy.not_ready("web", "in-the-storm", "E6006")
    assert is_whole(cloudy, served)
    cloudy.mend()
    becomes_whole(cloudy, uid, "in-the-storm")


def test_a_throttled_account_is_served_more_slowly(cloudy: World) -> None:
    cloudy.seed({"rate_limits": {"CreateRule": 1.0, "DescribeTaskStatus": 4.0}})
    uids = {f"slow-{number}": shop(cloudy, f"slow-{number}") for number in range(4)}
    for namespace, uid in uids.items():
        becomes_whole(cloudy, uid, namespace)
    cloudy.seed({"rate_limits": {"CreateRule": 20.0, "DescribeTaskStatus": 20.0}})


QUOTAS = {
    "E4003": "TOTAL_OPEN_CLB_QUOTA",
    "E4004": "TOTAL_LISTENER_QUOTA",
    "E4005": "TOTAL_LISTENER_RULE_QUOTA",
    "E4054": "TOTAL_TARGET_BIND_QUOTA",
}


@pytest.mark.parametrize("code", QUOTAS)
def test_a_quota_that_is_reached_is_told_by_its_code(cloudy: World, code: str) -> None:
    namespace, quota = f"quota-{code.lower()}", QUOTAS[code]
    granted = cloudy.cloud.state["quotas"][quota]
    cloudy.seed({"quotas": {quota: 0}})
    uid = shop(cloudy, namespace)
    cloudy.not_ready("web", namespace, code)
    cloudy.said("web", namespace, code)
    cloudy.seed({"quotas": {quota: granted}})
    edit(cloudy, namespace)
    becomes_whole(cloudy, uid, namespace)


def test_an_account_without_money_is_told(cloudy: World) -> None:
    cloudy.fault(action=CREATE, kind="error", code="FailedOperation.InsufficientBalance", count=0)
    uid = shop(cloudy, "no-money")
    cloudy.not_ready("web", "no-money", "E4027")
    cloudy.mend()
    edit(cloudy, "no-money")
    becomes_whole(cloudy, uid, "no-money")


def test_keys_that_are_revoked_are_told_and_work_again_when_they_are_restored(cloudy: World) -> None:
    served = shop(cloudy, "before-revocation")
    becomes_whole(cloudy, served, "before-revocation")
    cloudy.seed({"secrets": {"AKIDEMULATOR": {"key": "another-key-by-now"}}})
    uid = shop(cloudy, "revoked")
    cloudy.not_ready("web", "revoked", "AccessDenied")
    cloudy.said("web", "revoked", "AccessDenied")
    assert is_whole(cloudy, served)
    cloudy.seed({"secrets": {"AKIDEMULATOR": {"key": KEYS["TENCENTCLOUD_SECRET_KEY"]}}})
    edit(cloudy, "revoked")
    becomes_whole(cloudy, uid, "revoked")


def test_a_right_that_is_missing_is_named(cloudy: World) -> None:
    key = KEYS["TENCENTCLOUD_SECRET_KEY"]
    cloudy.seed({"secrets": {"AKIDEMULATOR": {"key": key, "denied": ["CreateRule"]}}})
    uid = shop(cloudy, "denied")
    assert "CreateRule" in cloudy.not_ready("web", "denied", "AccessDenied")
    cloudy.seed({"secrets": {"AKIDEMULATOR": {"key": key}}})
    edit(cloudy, "denied")
    becomes_whole(cloudy, uid, "denied")


def test_a_start_with_wrong_keys_is_cured_by_the_right_ones_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(profile(WRONG_KEYS), encoding="utf-8")
    with World(flags={"credentials": f"file:{file}"}) as world:
        uid = shop(world, "locked-out")
        log = world.start().log
        world.wait("the log says why", lambda: "AuthFailure" in log.read_text(encoding="utf-8"))
        assert set(world.calls()) == {"DescribeLoadBalancers"}
        file.write_text(profile(KEYS), encoding="utf-8")
        becomes_whole(world, uid, "locked-out")


def profile(keys: dict[str, str]) -> str:
    return f"[default]\nsecret_id = {keys['TENCENTCLOUD_SECRET_ID']}\nsecret_key = {keys['TENCENTCLOUD_SECRET_KEY']}\n"


# the API server is away


def test_an_api_server_that_is_gone_for_a_while_costs_neither_the_lead_nor_a_load_balancer() -> None:
    with World(setup={"latency": {CREATE: 1.0, "*": 0.0}}) as world:
        assert world.kube_emulator is not None
        world.start()
        served = shop(world, "served")
        becomes_whole(world, served, "served")
        uid = shop(world, "half-made")
        world.wait("the order is on its way", lambda: world.calls()[CREATE] == 2)
        before = world.load_balancers()
        world.kube_emulator.controls.outage(6.0)
        world.wait("the API server is gone", lambda: not answers(world))
        world.wait("the API server is back", lambda: answers(world))
        assert is_whole(world, served)
        assert world.load_balancers().keys() == before.keys()
        becomes_whole(world, uid, "half-made")
        later = shop(world, "later")
        becomes_whole(world, later, "later")
        for namespace in ("served", "half-made", "later"):
            world.gone("web", namespace)
        assert world.load_balancers() == {}
        assert world.controller is not None
        assert world.controller.process.poll() is None
        assert world.controller.log.read_text(encoding="utf-8").count("lease: taken") == 1


def answers(world: World) -> bool:
    try:
        return bool(world.kube.get("Namespace", "default"))
    except HTTPError:
        return False


# somebody changes things by hand


RULE = {"listener": "HTTP:80", "rule": f"{HOST}/"}
BY_HAND: dict[str, Json] = {
    "no-targets": {"edit": "set_targets", **RULE, "targets": []},
    "other-targets": {"edit": "set_targets", **RULE, "targets": [{"ip": "10.9.9.9", "port": 1}]},
    "rule-deleted": {"edit": "delete_rule", **RULE},
    "listener-deleted": {"edit": "delete_listener", "listener": "HTTP:80"},
    "rule-added": {"edit": "add_rule", "listener": "HTTP:80", "rule": {"domain": "by-hand.example.com", "url": "/"}},
}


def test_drift_by_hand_is_repaired_and_what_is_taken_away_is_said(watched: World) -> None:
    uids = {name: shop(watched, name) for name in BY_HAND}
    for name, uid in uids.items():
        becomes_whole(watched, uid, name)
    for name, uid in uids.items():
        (load_balancer,) = watched.of(uid)
        watched.console(load_balancer=load_balancer["id"], **BY_HAND[name])
    for name, uid in uids.items():
        becomes_whole(watched, uid, name)
    assert "by-hand.example.com" in watched.said("web", "rule-added", "Drift")


def test_tags_that_are_taken_off_by_hand_stop_us_until_they_are_back(watched: World) -> None:
    uid = shop(watched, "untagged")
    becomes_whole(watched, uid, "untagged")
    (load_balancer,) = watched.of(uid)
    watched.console(edit="set_tags", load_balancer=load_balancer["id"], remove=["tke-lb-ingress-uuid"])
    watched.not_ready("web", "untagged", "E4017")
    assert bought(watched, "untagged") == [load_balancer["id"]]
    watched.console(edit="set_tags", load_balancer=load_balancer["id"], set={"tke-lb-ingress-uuid": uid})
    watched.ready("web", "untagged")
    becomes_whole(watched, uid, "untagged")


def test_a_load_balancer_that_is_deleted_by_hand_is_made_anew_and_it_is_said(watched: World) -> None:
    uid = shop(watched, "deleted")
    becomes_whole(watched, uid, "deleted")
    (old,) = watched.of(uid)
    watched.console(edit="delete_load_balancer", load_balancer=old["id"])
    assert old["id"] in watched.said("web", "deleted", "LoadBalancerGone")
    becomes_whole(watched, uid, "deleted")
    (new,) = watched.of(uid)
    watched.wait("the new address is shown", lambda: address(watched, "deleted") == new["vip"])
    assert new["id"] != old["id"]


def address(world: World, namespace: str) -> str:
    shown = world.kube.get("Ingress", "web", namespace)["status"]["loadBalancer"].get("ingress") or [{"ip": ""}]
    return str(shown[0]["ip"])
