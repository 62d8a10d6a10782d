"""What tests and people can see and do beside the API."""

import hashlib
import json
import time
import urllib.error
from datetime import UTC, datetime

import pytest
from tencentcloud.common.sign import Sign

from tests.contract.clb.account import OUR_TAGS, Account
from tests.contract.clb.conftest import Emulate
from tests.emulators.clb.clock import VirtualClock
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.switches import CHOICES, Switches
from tests.emulators.clb.wire import Request


def signed(action: str, params: dict[str, object]) -> Request:
    """A request as the SDK signs it, for an emulator without a socket."""
    body, now = json.dumps(params).encode(), int(time.time())
    date = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    body_hash = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n/\n\ncontent-type:application/json\nhost:clb\n\ncontent-type;host\n{body_hash}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{now}\n{date}/clb/tc3_request\n{hashed}"
    signature = Sign.sign_tc3("emulator-secret-key", date, "clb", to_sign)
    authorization = (
        f"TC3-HMAC-SHA256 Credential=AKIDEMULATOR/{date}/clb/tc3_request, SignedHeaders=content-type;host, "
        f"Signature={signature}"
    )
    headers = {
        "Content-Type": "application/json", "Host": "clb", "X-TC-Action": action, "X-TC-Version": "2018-03-17",
        "X-TC-Timestamp": str(now), "X-TC-Region": "ap-guangzhou", "Authorization": authorization,
    }  # fmt: skip
    return Request("POST", "/", headers, body)


def test_calls_are_counted_by_action_and_logged_in_order(account: Account) -> None:
    account.create()
    account.code("DescribeListeners", LoadBalancerId="lb-none0000")

    page = account.control("GET", "/calls?log=1")

    assert page["total"] == 3
    assert page["counts"] == {"CreateLoadBalancer": 1, "DescribeListeners": 1, "DescribeTaskStatus": 1}
    assert page["errors"] == {"InvalidParameter.LBIdNotFound": 1}
    assert [call["action"] for call in page["log"]] == ["CreateLoadBalancer", "DescribeTaskStatus", "DescribeListeners"]
    last = page["log"][-1]
    assert (last["error"], last["region"]) == ("InvalidParameter.LBIdNotFound", "ap-guangzhou")
    assert last["credential_id"] == "AKIDEMULATOR"
    assert last["client"].startswith("SDK_PYTHON")
    assert last["request"] == {"LoadBalancerId": "lb-none0000"}


def test_counters_start_again_after_a_reset_of_the_calls(account: Account) -> None:
    account.create()

    account.control("POST", "/calls/reset")

    assert account.control("GET", "/calls") == {"total": 0, "counts": {}, "errors": {}}


def test_private_keys_are_blacked_out_in_the_log_and_the_state(account: Account) -> None:
    lb = account.create()
    upload = {"CertName": "mine", "CertContent": "PUBLIC-PEM", "CertKey": "PRIVATE-PEM"}

    account.listener(lb, 443, "HTTPS", Certificate=upload)

    assert "PRIVATE-PEM" not in json.dumps(account.control("GET", "/calls?log=1"))
    assert "PRIVATE-PEM" not in json.dumps(account.control("GET", "/state"))


def test_the_state_shows_the_whole_world(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)
    (rule,) = account.rules(lb, listener, "a.example.com/")
    account.bind(lb, listener, rule, 8080)

    state = account.control("GET", "/state")

    (shown,) = state["load_balancers"]
    assert (shown["id"], shown["tags"], shown["busy"], shown["address"]) == (lb, OUR_TAGS, False, None)
    inner = shown["listeners"][0]["rules"][0]
    assert (inner["id"], inner["default"]) == (rule, True)
    assert inner["targets"][0] | {"registered_at": 0} == {
        "ip": "10.0.0.1", "port": 8080, "weight": 10, "instance_id": "", "eni_id": inner["targets"][0]["eni_id"],
        "name": "", "tag": "", "registered_at": 0, "health": "Alive",
    }  # fmt: skip
    assert [task["action"] for task in state["tasks"]][:3] == ["CreateLoadBalancer", "CreateListener", "CreateRule"]


def test_a_lenders_load_balancer_can_be_there_before_anybody_calls(account: Account) -> None:
    (made,) = account.world(
        load_balancers=[
            {
                "id": "lb-lender00",
                "name": "lent",
                "tags": {"owner": "somebody"},
                "listeners": [
                    {
                        "name": "theirs",
                        "protocol": "HTTPS",
                        "port": 443,
                        "certificate": "certrsa1",
                        "rules": [
                            {"domain": "old.example.com", "url": "/", "targets": [{"ip": "10.9.9.9", "port": 80}]}
                        ],
                    }
                ],
            }
        ],
        quotas={"TOTAL_LISTENER_QUOTA": 7},
    )

    (shown,) = account.listeners("lb-lender00")

    assert made["id"] == "lb-lender00"
    assert (shown["ListenerName"], shown["Rules"][0]["DefaultServer"]) == ("theirs", True)
    assert account.targets("lb-lender00") == {shown["Rules"][0]["LocationId"]: {"10.9.9.9:80": 10}}


def test_what_only_the_console_sets_can_be_there_and_is_shown(account: Account) -> None:
    hosts = ("a.example.com", "b.example.com")
    rules = [{"domain": host, "url": "/", "gzip": False, "waf_domain": "waf-1"} for host in hosts]
    listener = {"name": "web", "protocol": "HTTP", "port": 80, "rules": rules, "default_domain": "b.example.com"}
    lb = {"id": "lb-prepared", "log_set": "logs", "log_topic": "topic", "config_id": "pz-1", "listeners": [listener]}
    account.world(load_balancers=[lb])
    head = account.describe("lb-prepared")
    assert (head["LogSetId"], head["LogTopicId"], head["ConfigId"]) == ("logs", "topic", "pz-1")
    shown = account.listeners("lb-prepared")[0]["Rules"]
    assert [(one["HttpGzip"], one["WafDomainId"], one["DefaultServer"]) for one in shown] == [
        (False, "waf-1", False),
        (False, "waf-1", True),
    ]


def test_somebody_can_edit_by_hand_in_the_console(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)
    account.rules(lb, listener, "a.example.com/", "b.example.com/")
    account.listener(lb, 81)

    def edit(name: str, **body: object) -> None:
        account.control("POST", "/console", {"edit": name, "load_balancer": lb, **body})

    edit("set_tags", set={"tke-clusterId": "cls-thief"}, remove=["tke-createdBy-flag"])
    edit("delete_rule", listener="HTTP:80", rule="a.example.com/")
    edit("add_rule", listener="HTTP:80", rule={"domain": "foreign.example.com", "url": "/"})
    edit("set_targets", listener="HTTP:80", rule="b.example.com/", targets=[{"ip": "10.1.1.1", "port": 1}])
    edit("update_listener", listener="HTTP:80", fields={"name": "renamed"})
    edit("update_rule", listener="HTTP:80", rule="b.example.com/", fields={"scheduler": "IP_HASH"})
    edit("delete_listener", listener="HTTP:81")
    edit("add_listener", listener={"name": "foreign", "protocol": "TCP", "port": 9000})
    edit("update", fields={"delete_protect": True})

    shown = account.describe(lb)
    plain, foreign = account.listeners(lb)
    assert "tke-createdBy-flag" not in {tag["TagKey"] for tag in shown["Tags"]}
    assert "DeleteProtect" in shown["AttributeFlags"]
    assert (plain["ListenerName"], foreign["ListenerName"]) == ("renamed", "foreign")
    assert [(rule["Domain"], rule["Scheduler"], rule["DefaultServer"]) for rule in plain["Rules"]] == [
        ("b.example.com", "IP_HASH", True),
        ("foreign.example.com", "WRR", False),
    ]
    assert next(iter(account.targets(lb).values())) == {"10.1.1.1:1": 10}
    edit("delete_load_balancer")
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 0


def test_a_certificate_can_be_taken_out_of_the_store(account: Account) -> None:
    account.control("POST", "/console", {"edit": "remove_certificate", "id": "certrsa1"})

    assert account.code("DescribeCertificateDetail", "ssl", CertificateId="certrsa1").startswith("FailedOperation")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/console", {"edit": "nothing", "load_balancer": "lb-1"}),
        ("POST", "/seed-world", {"planets": []}),
        ("POST", "/clock", {}),
        ("POST", "/switches", {"nonsense": 1}),
        ("GET", "/nowhere", None),
    ],
)
def test_control_says_what_it_cannot_do(
    account: Account, method: str, path: str, body: dict[str, object] | None
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        account.control(method, path, body)

    assert refused.value.code in (400, 404)
    refused.value.close()


def test_a_reset_brings_back_the_first_day(account: Account) -> None:
    account.create()
    account.code("DeleteLoadBalancer", LoadBalancerIds=[])

    account.control("POST", "/reset")

    state = account.control("GET", "/state")
    assert (state["load_balancers"], state["tasks"], state["forbidden"]) == ([], [], [])
    assert account.create() == "lb-00000001"


def test_time_can_be_moved_and_ends_what_is_due(emulate: Emulate) -> None:
    account = emulate(latency=60.0)
    account.clb("CreateLoadBalancer", **account.creation())

    moved = account.control("POST", "/clock", {"advance": 60})

    assert moved == {"now": 60.0}
    assert account.control("GET", "/state")["load_balancers"][0]["status"] == 1


def test_switches_can_be_set_while_it_runs(account: Account) -> None:
    account.control("POST", "/switches", {"create_ids": "empty"})

    assert account.clb("CreateLoadBalancer", **account.creation())["LoadBalancerIds"] == []


def test_every_switch_has_choices_of_which_the_first_is_calm() -> None:
    assert {name: values[0] for name, values in CHOICES.items()} == Switches().as_dict()


def test_a_seed_draws_every_switch_and_always_the_same() -> None:
    draws = [Switches.drawn(seed).as_dict() for seed in range(40)]

    assert draws == [Switches.drawn(seed).as_dict() for seed in range(40)]
    for name, values in CHOICES.items():
        assert {draw[name] for draw in draws} == set(values), name


def test_a_run_can_be_repeated_from_its_seed(emulate: Emulate) -> None:
    def story() -> object:
        account = emulate(seed=11, latency="real", switches={"creating_code": "FailedOperation.InvalidLBStatus"})
        for _ in range(3):
            account.clb("CreateLoadBalancer", **account.creation())
        account.emulator.advance(4.0)
        return account.emulator.state

    assert story() == story()


def test_without_a_socket_a_signed_request_gets_the_same_answer() -> None:
    emulator = ClbEmulator(clock=VirtualClock())

    answer = emulator.handle(signed("DescribeLoadBalancers", {}))

    assert answer.status == 200
    assert answer.json()["Response"]["TotalCount"] == 0


def test_a_cut_connection_is_told_without_a_socket_too() -> None:
    emulator = ClbEmulator(clock=VirtualClock())
    emulator.gateway.add_fault(Fault("*", "drop_after"))

    assert emulator.handle(signed("DescribeLoadBalancers", {})).dropped
