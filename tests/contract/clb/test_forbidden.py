"""The forms of call that this project never makes: HTTP 500, nothing changed, and remembered."""

from typing import Any

import pytest

from tests.contract.clb.account import OUR_TAGS, Account, as_tags
from tests.emulators.clb.forbidden import JUDGES

CREATION = {"LoadBalancerType": "OPEN", "ClientToken": "t", "Tags": as_tags(OUR_TAGS)}
GROUPS = {"LoadBalancerId": "lb-00000001"}


def without(params: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in params.items() if key != name}


FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "two at once": ("CreateLoadBalancer", {**CREATION, "Number": 2}),
    "no token": ("CreateLoadBalancer", without(CREATION, "ClientToken")),
    "no tags": ("CreateLoadBalancer", without(CREATION, "Tags")),
    "a tag of ours missing": ("CreateLoadBalancer", {**CREATION, "Tags": as_tags(OUR_TAGS)[1:]}),
    "no load balancer": ("DeleteLoadBalancer", {"LoadBalancerIds": []}),
    "two load balancers": ("DeleteLoadBalancer", {"LoadBalancerIds": ["lb-00000001", "lb-lender00"]}),
    "all listeners by omission": ("DeleteLoadBalancerListeners", {"LoadBalancerId": "lb-00000001"}),
    "all listeners by an empty list": (
        "DeleteLoadBalancerListeners",
        {"LoadBalancerId": "lb-00000001", "ListenerIds": []},
    ),
    "another's listener": (
        "DeleteLoadBalancerListeners",
        {"LoadBalancerId": "lb-00000001", "ListenerIds": ["lbl-lender00"]},
    ),
    "redirects without hosts": ("AutoRewrite", {"LoadBalancerId": "lb-00000001", "ListenerId": "lbl-1"}),
    "rules by host only": (
        "DeleteRule",
        {"LoadBalancerId": "lb-00000001", "ListenerId": "lbl-1", "Domain": "a.example.com"},
    ),
    "rules by nothing": ("DeleteRule", {"LoadBalancerId": "lb-00000001", "ListenerId": "lbl-1", "LocationIds": []}),
    "security groups by omission": ("SetLoadBalancerSecurityGroups", GROUPS),
    "certificates of all load balancers": (
        "ReplaceCertForLoadBalancers",
        {"OldCertificateId": "certrsa1", "Certificate": {"CertId": "certrsa2"}},
    ),
    "a clone": ("CloneLoadBalancer", {"LoadBalancerId": "lb-00000001"}),
    "stopping": ("SetLoadBalancerStartStatus", {"LoadBalancerId": "lb-00000001", "OperationType": "Stop"}),
}


@pytest.mark.parametrize(("action", "params"), FORMS.values(), ids=FORMS.keys())
def test_a_forbidden_form_is_a_server_fault_that_changes_nothing_and_is_remembered(
    account: Account, action: str, params: dict[str, Any]
) -> None:
    account.create()
    lender = {"id": "lb-lender00", "listeners": [{"id": "lbl-lender00", "protocol": "HTTP", "port": 80}]}
    account.world(load_balancers=[lender])
    before = account.control("GET", "/state")["load_balancers"]

    code = account.code(action, **params)

    state = account.control("GET", "/state")
    assert code == "ServerNetworkError"
    assert state["load_balancers"] == before
    assert [call["action"] for call in state["forbidden"]] == [action]
    assert state["forbidden"][0]["reason"]


def test_every_judge_has_a_form_that_it_forbids() -> None:
    assert {action for action, _ in FORMS.values()} == set(JUDGES)


def test_the_allowed_forms_are_not_remembered(account: Account) -> None:
    lb = account.create()
    listener = account.listener(lb)
    (rule,) = account.rules(lb, listener, "a.example.com/")
    account.write("SetLoadBalancerSecurityGroups", LoadBalancerId=lb, SecurityGroups=[])
    account.write("DeleteRule", LoadBalancerId=lb, ListenerId=listener, LocationIds=[rule])
    account.write("DeleteLoadBalancerListeners", LoadBalancerId=lb, ListenerIds=[listener])
    account.write("DeleteLoadBalancer", LoadBalancerIds=[lb])

    assert account.control("GET", "/state")["forbidden"] == []
