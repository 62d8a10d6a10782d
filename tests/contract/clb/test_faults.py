"""Faults that tests put in."""

import time
from typing import Any

import pytest

from tests.contract.clb.account import Account
from tests.contract.clb.conftest import Emulate


def fault(account: Account, **body: Any) -> None:
    account.control("POST", "/faults", body)


def test_an_error_hits_so_often_and_so_late_as_told(account: Account) -> None:
    fault(account, action="DescribeQuota", kind="error", code="InternalError", after=1, count=2)

    def outcome() -> str:
        return "ok" if "QuotaSet" in account.call("clb", "DescribeQuota") else "?"

    first = outcome()
    refused = [account.code("DescribeQuota") for _ in range(2)]

    assert (first, refused, outcome()) == ("ok", ["InternalError"] * 2, "ok")


def test_a_fault_for_every_action_ends_when_it_is_cleared(account: Account) -> None:
    fault(account, kind="error", code="ServiceUnavailable", count=0)

    refused = {account.code("DescribeQuota"), account.code("DescribeLoadBalancers")}
    account.control("DELETE", "/faults")
    account.clb("DescribeQuota")

    assert refused == {"ServiceUnavailable"}


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1)])
def test_a_lost_answer_may_hide_a_write_that_was_done_or_not(account: Account, kind: str, made: int) -> None:
    fault(account, action="CreateLoadBalancer", kind=kind)
    params = account.creation()

    code = account.code("CreateLoadBalancer", **params)

    assert code == "ClientNetworkError"
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == made
    account.write("CreateLoadBalancer", **params)
    assert account.clb("DescribeLoadBalancers")["TotalCount"] == 1


def test_a_fault_of_the_gateway_is_a_status_and_no_answer(account: Account) -> None:
    fault(account, action="DescribeQuota", kind="http_500")

    assert account.code("DescribeQuota") == "ServerNetworkError"


def test_a_slow_answer_comes_after_the_seconds_told(account: Account) -> None:
    fault(account, action="DescribeQuota", kind="slow", seconds=0.2)

    began = time.monotonic()
    account.clb("DescribeQuota")

    assert time.monotonic() - began >= 0.2


def test_a_partial_batch_names_the_listener_that_failed(account: Account) -> None:
    lb = account.create()
    first, second = account.listener(lb, 80), account.listener(lb, 81)
    (one,), (two,) = account.rules(lb, first, "a.example.com/"), account.rules(lb, second, "a.example.com/")
    fault(account, action="BatchRegisterTargets", kind="partial", message="timeout")
    targets = [
        {"ListenerId": listener, "LocationId": rule, "EniIp": "10.0.0.1", "Port": 80}
        for listener, rule in ((first, one), (second, two))
    ]

    answer = account.clb("BatchRegisterTargets", LoadBalancerId=lb, Targets=targets)

    assert (answer["FailListenerIdSet"], answer["Message"]) == ([first], "timeout")
    assert account.targets(lb) == {one: {}, two: {"10.0.0.1:80": 10}}


def test_a_stale_read_shows_the_world_of_the_moment_when_it_was_put_in(account: Account) -> None:
    lb = account.create()
    fault(account, action="DescribeListeners", kind="stale_read", count=1)
    account.listener(lb)

    stale, fresh = account.listeners(lb), account.listeners(lb)

    assert (len(stale), len(fresh)) == (0, 1)


def test_ids_of_a_creation_may_be_left_out_once(account: Account) -> None:
    fault(account, action="CreateLoadBalancer", kind="empty_ids")

    answers = [account.clb("CreateLoadBalancer", **account.creation())["LoadBalancerIds"] for _ in range(2)]

    assert [len(ids) for ids in answers] == [0, 1]


def test_a_rate_draws_from_the_seed(emulate: Emulate) -> None:
    def outcomes() -> list[bool]:
        account = emulate(seed=5, switches={"gzip_answers": False, "idle_connection_s": None})
        fault(account, action="DescribeQuota", kind="error", count=0, rate=0.5)
        seen = []
        for _ in range(20):
            try:
                account.clb("DescribeQuota")
                seen.append(True)
            except Exception:  # noqa: BLE001 - which error it is does not matter here
                seen.append(False)
        return seen

    first = outcomes()

    assert first == outcomes()
    assert len(set(first)) == 2


def test_an_unknown_fault_is_refused(account: Account) -> None:
    with pytest.raises(OSError, match="400"):
        fault(account, kind="mischief")
