"""Bindings: one rule at a time, in batches, weights, health."""

from typing import Any

import pytest

from tests.contract.clb.account import Account, Json
from tests.contract.clb.conftest import Emulate


class Place:
    """A load balancer with one rule, and short ways to its targets."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lb = account.create()
        self.listener = account.listener(self.lb)
        (self.rule,) = account.rules(self.lb, self.listener, "a.example.com/")

    def entry(self, port: int, **changes: Any) -> Json:
        return {"ListenerId": self.listener, "LocationId": self.rule, "EniIp": "10.0.0.1", "Port": port, **changes}

    def one(self, *targets: Json) -> Json:
        """Parameters of the actions on one rule."""
        return {
            "LoadBalancerId": self.lb, "ListenerId": self.listener, "LocationId": self.rule, "Targets": list(targets),
        }  # fmt: skip

    def batch(self, *entries: Json) -> Json:
        return {"LoadBalancerId": self.lb, "Targets": list(entries)}

    def bound(self) -> dict[str, int]:
        return self.account.targets(self.lb)[self.rule]


@pytest.fixture
def place(account: Account) -> Place:
    return Place(account)


def test_targets_of_one_rule_are_bound_and_unbound_by_tasks(place: Place) -> None:
    account = place.account
    account.write("RegisterTargets", **place.one({"EniIp": "10.0.0.1", "Port": 80}, {"EniIp": "10.0.0.2", "Port": 80}))
    account.write("DeregisterTargets", **place.one({"EniIp": "10.0.0.1", "Port": 80}))

    assert place.bound() == {"10.0.0.2:80": 10}


def test_a_rule_can_be_named_by_host_and_url(place: Place) -> None:
    params = place.one({"EniIp": "10.0.0.1", "Port": 80})
    del params["LocationId"]

    assert place.account.code("RegisterTargets", **params) == "MissingParameter"
    place.account.write("RegisterTargets", **params, Domain="a.example.com", Url="/")

    assert place.bound() == {"10.0.0.1:80": 10}


def test_a_batch_is_done_when_it_returns(place: Place) -> None:
    answer = place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80), place.entry(81)))

    assert (answer["FailListenerIdSet"], answer["Message"]) == ([], "")
    assert place.bound() == {"10.0.0.1:80": 10, "10.0.0.1:81": 10}
    place.account.clb("BatchDeregisterTargets", **place.batch(place.entry(80)))
    assert place.bound() == {"10.0.0.1:81": 10}


def test_five_hundred_fit_in_a_batch_and_no_more(emulate: Emulate) -> None:
    place = Place(emulate(quotas={"TOTAL_TARGET_BIND_QUOTA": 1000}))

    place.account.clb("BatchRegisterTargets", **place.batch(*(place.entry(port) for port in range(1, 501))))
    code = place.account.code("BatchRegisterTargets", **place.batch(*(place.entry(port) for port in range(501, 1002))))

    assert len(place.bound()) == 500
    assert code == "InvalidParameterValue.Length"


def test_a_batch_counts_what_is_bound_already_against_the_quota(emulate: Emulate) -> None:
    place = Place(emulate(quotas={"TOTAL_TARGET_BIND_QUOTA": 3}))
    same = place.batch(place.entry(80), place.entry(81))
    place.account.clb("BatchRegisterTargets", **same)

    assert place.account.code("BatchRegisterTargets", **same) == "LimitExceeded"
    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80)))


@pytest.mark.parametrize(("switch", "weight"), [("keep", 10), ("change", 30)])
def test_whether_registering_again_changes_the_weight_is_a_switch(emulate: Emulate, switch: str, weight: int) -> None:
    place = Place(emulate(switches={"reregister_weight": switch}))
    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80, Weight=10)))

    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80, Weight=30)))

    assert place.bound() == {"10.0.0.1:80": weight}


@pytest.mark.parametrize("known", ["error", "ignore"])
def test_registering_one_rules_target_again_is_a_switch(emulate: Emulate, known: str) -> None:
    place = Place(emulate(switches={"register_duplicate": known}))
    params = place.one({"EniIp": "10.0.0.1", "Port": 80})
    place.account.write("RegisterTargets", **params)

    if known == "error":
        assert place.account.code("RegisterTargets", **params) == "InvalidParameterValue.Duplicate"
    else:
        place.account.write("RegisterTargets", **params)
    assert place.bound() == {"10.0.0.1:80": 10}


@pytest.mark.parametrize(("known", "failed"), [("error", 1), ("ignore", 0)])
def test_unbinding_what_is_not_bound_is_a_switch(emulate: Emulate, known: str, failed: int) -> None:
    place = Place(emulate(switches={"deregister_unbound": known}))

    answer = place.account.clb("BatchDeregisterTargets", **place.batch(place.entry(80)))

    assert len(answer["FailListenerIdSet"]) == failed
    params = place.one({"EniIp": "10.0.0.1", "Port": 80})
    if failed:
        assert place.account.code("DeregisterTargets", **params) == "InvalidParameter"
    else:
        place.account.write("DeregisterTargets", **params)


def test_weights_change_for_one_rule_and_in_batches(place: Place) -> None:
    account = place.account
    account.clb("BatchRegisterTargets", **place.batch(place.entry(80), place.entry(81)))

    account.write("ModifyTargetWeight", **place.one({"EniIp": "10.0.0.1", "Port": 80}), Weight=70)
    account.write(
        "BatchModifyTargetWeight",
        LoadBalancerId=place.lb,
        ModifyList=[
            {
                "ListenerId": place.listener,
                "LocationId": place.rule,
                "Targets": [{"EniIp": "10.0.0.1", "Port": 81, "Weight": 0}],
            }
        ],
    )

    assert place.bound() == {"10.0.0.1:80": 70, "10.0.0.1:81": 0}


def test_a_batch_of_weights_is_bounded_in_each_direction(place: Place) -> None:
    entry = {"ListenerId": place.listener, "LocationId": place.rule}
    targets = [{"EniIp": "10.0.0.1", "Port": port, "Weight": 1} for port in range(1, 52)]

    def code(entries: list[Json]) -> str:
        return place.account.code("BatchModifyTargetWeight", LoadBalancerId=place.lb, ModifyList=entries)

    assert code([{**entry, "Targets": targets[:1]}] * 101) == "InvalidParameterValue.Length"
    assert code([{**entry, "Targets": targets}]) == "InvalidParameterValue.Length"
    assert code([{**entry, "Targets": targets[:50]}] * 11) == "InvalidParameterValue.Length"
    assert code([{**entry, "Targets": targets[:1]}]) == "InvalidParameter"


BAD_TARGETS: dict[str, tuple[Json, str]] = {
    "weight 101": ({"Weight": 101}, "InvalidParameterValue.Range"),
    "port 0": ({"Port": 0}, "InvalidParameterValue.Range"),
    "both identities": ({"InstanceId": "ins-1"}, "InvalidParameterValue"),
    "no address": ({"EniIp": "node-1"}, "InvalidParameterValue"),
    "unknown rule": ({"LocationId": "loc-none0000"}, "InvalidParameter.LocationNotFound"),
    "unknown listener": ({"ListenerId": "lbl-none0000"}, "InvalidParameter.ListenerIdNotFound"),
}


@pytest.mark.parametrize(("changes", "code"), BAD_TARGETS.values(), ids=BAD_TARGETS.keys())
def test_a_target_that_cannot_be_is_refused(place: Place, changes: Json, code: str) -> None:
    batch = place.batch(place.entry(81), place.entry(80, **changes))

    assert place.account.code("BatchRegisterTargets", **batch) == code
    assert place.bound() == {}


def test_a_target_that_is_given_twice_is_refused(place: Place) -> None:
    batch = place.batch(place.entry(80), place.entry(80))

    assert place.account.code("BatchRegisterTargets", **batch) == "InvalidParameterValue.Duplicate"


def test_an_instance_is_bound_by_its_primary_address(place: Place) -> None:
    place.account.world(instances=[{"id": "ins-1", "ip": "10.0.1.7"}])
    by_instance = {"ListenerId": place.listener, "LocationId": place.rule, "InstanceId": "ins-1", "Port": 80}

    place.account.clb("BatchRegisterTargets", **place.batch(by_instance))

    (shown,) = place.account.clb("DescribeTargets", LoadBalancerId=place.lb)["Listeners"][0]["Rules"][0]["Targets"]
    assert (shown["Type"], shown["InstanceId"], shown["PrivateIpAddresses"]) == ("CVM", "ins-1", ["10.0.1.7"])
    assert (
        place.account.code("BatchRegisterTargets", **place.batch({**by_instance, "InstanceId": "ins-none"}))
        == "InvalidParameterValue"
    )


@pytest.mark.parametrize(("identity", "left"), [("either", 0), ("as_bound", 1)])
def test_whether_the_address_unbinds_an_instance_is_a_switch(emulate: Emulate, identity: str, left: int) -> None:
    place = Place(emulate(switches={"target_identity": identity, "deregister_unbound": "ignore"}))
    place.account.world(instances=[{"id": "ins-1", "ip": "10.0.0.1"}])
    by_instance = {"ListenerId": place.listener, "LocationId": place.rule, "InstanceId": "ins-1", "Port": 80}
    place.account.clb("BatchRegisterTargets", **place.batch(by_instance))

    place.account.clb("BatchDeregisterTargets", **place.batch(place.entry(80)))

    assert len(place.bound()) == left
    place.account.clb("BatchDeregisterTargets", **place.batch(by_instance))
    assert place.bound() == {}


def test_a_batch_may_leave_the_load_balancer_busy_for_a_while(emulate: Emulate) -> None:
    place = Place(emulate(switches={"batch_busy_s_max": 2.0}))
    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80)))

    refused = place.account.code("BatchRegisterTargets", **place.batch(place.entry(81)))
    place.account.emulator.advance(2.0)
    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(81)))

    assert refused == "FailedOperation.ResourceInOperating"
    assert len(place.bound()) == 2


def test_health_shows_every_binding_of_several_load_balancers(account: Account) -> None:
    places = [Place(account), Place(account)]
    account.clb("BatchRegisterTargets", **places[0].batch(places[0].entry(80), places[0].entry(81, Weight=0)))
    account.world(health={"10.0.0.1:81": "Dead"})

    answer = account.clb("DescribeTargetHealth", LoadBalancerIds=[place.lb for place in places])

    first, second = answer["LoadBalancers"]
    shown = first["Listeners"][0]["Rules"][0]["Targets"]
    assert [(item["Port"], item["HealthStatusDetail"], item["HealthStatus"], item["Weight"]) for item in shown] == [
        (80, "Alive", True, 10),
        (81, "Dead", False, 0),
    ]
    assert second["Listeners"][0]["Rules"][0]["Targets"] == []


def test_a_rule_without_health_check_is_closed_to_judgement(place: Place) -> None:
    place.account.clb("BatchRegisterTargets", **place.batch(place.entry(80)))

    place.account.write(
        "ModifyRule", LoadBalancerId=place.lb, ListenerId=place.listener, LocationId=place.rule,
        HealthCheck={"HealthSwitch": 0},
    )  # fmt: skip

    health = place.account.clb("DescribeTargetHealth", LoadBalancerIds=[place.lb])["LoadBalancers"][0]
    assert health["Listeners"][0]["Rules"][0]["Targets"][0]["HealthStatusDetail"] == "Close"


def test_targets_can_be_asked_for_by_rule_and_address(place: Place) -> None:
    account = place.account
    (other,) = account.rules(place.lb, place.listener, "b.example.com/")
    account.clb("BatchRegisterTargets", **place.batch(place.entry(80), place.entry(80, EniIp="10.0.0.2")))

    def shown(**values: Any) -> dict[str, list[str]]:
        filters = [{"Name": name.replace("_", "-"), "Values": wanted} for name, wanted in values.items()]
        answer = account.clb("DescribeTargets", LoadBalancerId=place.lb, Filters=filters)
        return {
            rule["LocationId"]: [item["PrivateIpAddresses"][0] for item in rule["Targets"]]
            for rule in answer["Listeners"][0]["Rules"]
        }

    assert shown(location_id=[other]) == {other: []}
    assert shown(private_ip_address=["10.0.0.2"]) == {place.rule: ["10.0.0.2"], other: []}
    assert account.code("DescribeTargetHealth", LoadBalancerIds=[]) == "MissingParameter"
