"""Redirections between rules."""

from typing import Any

import pytest

from tests.contract.clb.account import Account, Json
from tests.contract.clb.conftest import Emulate


class Pair:
    """A load balancer with HTTPS:443 serving two hosts, and HTTP:80 serving the first of them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lb = account.create()
        self.secure = account.listener(self.lb, 443, "HTTPS")
        self.plain = account.listener(self.lb, 80)
        self.targets = account.rules(self.lb, self.secure, "a.example.com/", "b.example.com/")
        (self.source,) = account.rules(self.lb, self.plain, "a.example.com/")

    def manual(self, source: str, target: str, **changes: Any) -> Json:
        return {
            "LoadBalancerId": self.lb, "SourceListenerId": self.plain, "TargetListenerId": self.secure,
            "RewriteInfos": [{"SourceLocationId": source, "TargetLocationId": target, **changes}],
        }  # fmt: skip

    def redirected(self) -> dict[str, tuple[str, int, str]]:
        """Target, code and kind by the place of the redirecting rule."""
        shown = self.account.clb("DescribeRewrite", LoadBalancerId=self.lb)["RewriteSet"]
        return {
            rule["Domain"] + rule["Url"]: (
                rule["RewriteTarget"]["TargetLocationId"],
                rule["RewriteTarget"]["RewriteCode"],
                rule["RewriteTarget"]["RewriteType"],
            )
            for rule in shown
        }


@pytest.fixture
def pair(account: Account) -> Pair:
    return Pair(account)


def test_a_manual_redirect_is_seen_on_its_source_and_taken_off(pair: Pair) -> None:
    full = {"RewriteCode": 301, "TakeUrl": True, "SourceDomain": "a.example.com"}
    pair.account.write("ManualRewrite", **pair.manual(pair.source, pair.targets[0], **full))
    seen = pair.redirected()
    (rule,) = next(item for item in pair.account.listeners(pair.lb) if item["Port"] == 80)["Rules"]

    pair.account.write("DeleteRewrite", **pair.manual(pair.source, pair.targets[0]))

    assert seen == {"a.example.com/": (pair.targets[0], 301, "Manual")}
    assert rule["RewriteTarget"]["TargetListenerId"] == pair.secure
    assert pair.redirected() == {}


def test_automatic_redirects_mirror_the_named_hosts_on_port_80(pair: Pair) -> None:
    pair.account.write(
        "AutoRewrite", LoadBalancerId=pair.lb, ListenerId=pair.secure, Domains=["a.example.com", "b.example.com"]
    )

    plain = next(item for item in pair.account.listeners(pair.lb) if item["Port"] == 80)
    assert pair.redirected() == {
        "a.example.com/": (pair.targets[0], 302, "Auto"),
        "b.example.com/": (pair.targets[1], 302, "Auto"),
    }
    assert {rule["Domain"]: rule["BeAutoCreated"] for rule in plain["Rules"]} == {
        "a.example.com": False,
        "b.example.com": True,
    }


@pytest.mark.parametrize(("name", "shown"), [("empty", ""), ("generated", "auto-lbl-00000002"), ("copied", "l-443")])
def test_the_name_of_a_listener_made_for_redirects_is_a_switch(emulate: Emulate, name: str, shown: str) -> None:
    account = emulate(switches={"auto_rewrite_listener_name": name})
    lb = account.create()
    secure = account.listener(lb, 443, "HTTPS")
    account.rules(lb, secure, "a.example.com/")

    account.write("AutoRewrite", LoadBalancerId=lb, ListenerId=secure, Domains=["a.example.com"])

    assert {item["Port"]: item["ListenerName"] for item in account.listeners(lb)} == {443: "l-443", 80: shown}


def test_redirects_form_no_chain_and_no_fork(pair: Pair) -> None:
    account = pair.account
    (second,) = account.rules(pair.lb, pair.plain, "c.example.com/")
    account.write("ManualRewrite", **pair.manual(pair.source, pair.targets[0]))

    fork = account.code("ManualRewrite", **pair.manual(pair.source, pair.targets[1]))
    chain = account.code(
        "ManualRewrite",
        **{**pair.manual(second, pair.source), "TargetListenerId": pair.plain},
    )
    backwards = account.code(
        "ManualRewrite",
        **{
            **pair.manual(pair.targets[0], second),
            "SourceListenerId": pair.secure,
            "TargetListenerId": pair.plain,
        },
    )

    assert fork == "InvalidParameter.RewriteAlreadyExist"
    assert chain == backwards == "InvalidParameterValue"


def test_a_manual_redirect_stands_in_the_way_of_an_automatic_one(pair: Pair) -> None:
    pair.account.write("ManualRewrite", **pair.manual(pair.source, pair.targets[1]))

    code = pair.account.code("AutoRewrite", LoadBalancerId=pair.lb, ListenerId=pair.secure, Domains=["a.example.com"])

    assert code == "InvalidParameter.RewriteAlreadyExist"


def test_what_takes_part_in_a_redirect_cannot_be_deleted(pair: Pair) -> None:
    account = pair.account
    account.write("ManualRewrite", **pair.manual(pair.source, pair.targets[0]))

    def refused(listener: str, rule: str) -> list[str]:
        place = {"LoadBalancerId": pair.lb, "ListenerId": listener}
        by_listener = account.refusal("DeleteListener", **place)
        by_list = account.refusal("DeleteLoadBalancerListeners", LoadBalancerId=pair.lb, ListenerIds=[listener])
        by_rule = account.refusal("DeleteRule", LoadBalancerId=pair.lb, ListenerId=listener, LocationIds=[rule])
        return [error.message for error in (by_listener, by_list, by_rule)]

    assert all("Redirection config on the" in text for text in refused(pair.secure, pair.targets[0]))
    assert all("Redirection config on the" in text for text in refused(pair.plain, pair.source))


REFUSED: dict[str, tuple[Json, str]] = {
    "code without the rest": ({"RewriteCode": 301}, "MissingParameter"),
    "unknown code": ({"RewriteCode": 404, "TakeUrl": True, "SourceDomain": "a.example.com"}, "InvalidParameterValue"),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_redirect_that_cannot_be_is_refused(pair: Pair, changes: Json, code: str) -> None:
    assert pair.account.code("ManualRewrite", **pair.manual(pair.source, pair.targets[0], **changes)) == code


def test_taking_off_a_redirect_that_is_not_there_says_so(pair: Pair) -> None:
    code = pair.account.code("DeleteRewrite", **pair.manual(pair.source, pair.targets[0]))

    assert code == "InvalidParameter.SomeRewriteNotFound"


def test_automatic_redirects_start_at_https_443_only(pair: Pair) -> None:
    other = pair.account.listener(pair.lb, 8443, "HTTPS")

    for listener in (pair.plain, other):
        code = pair.account.code("AutoRewrite", LoadBalancerId=pair.lb, ListenerId=listener, Domains=["a.example.com"])
        assert code == "InvalidParameterValue"


def test_a_longest_list_of_redirects_may_exist(emulate: Emulate) -> None:
    pair = Pair(emulate(switches={"rewrite_infos_max": 1}))
    params = pair.manual(pair.source, pair.targets[0])
    params["RewriteInfos"] *= 2

    assert pair.account.code("ManualRewrite", **params) == "InvalidParameterValue.Length"


@pytest.mark.parametrize("shape", ["null", "empty_object"])
def test_a_rule_without_redirect_may_read_as_null_or_as_an_object_of_nulls(emulate: Emulate, shape: str) -> None:
    account = emulate(switches={"rewrite_target": shape})
    lb = account.create()
    account.rules(lb, account.listener(lb), "a.example.com/")

    target = account.listeners(lb)[0]["Rules"][0]["RewriteTarget"]

    assert target is None if shape == "null" else set(target.values()) == {None}
