"""What the account may read is tried once each, and a write never."""

from collections.abc import Callable
from typing import cast

import pytest

from l7lb.adapters.clb.actions import TABLE
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.loadbalancers import TencentLoadBalancers
from l7lb.adapters.clb.probing import Finding, Probe, probe
from l7lb.errors import AccessDenied, L7lbError, NotFound, Unavailable
from tests.builders import head

WRITES = {f"{action.service}:{action.name}" for action in TABLE if action.write}
NAMED = {f"clb:{action.name}" for action in TABLE if not action.write and action.named}


class Account:
    """Answers every question the same way, and notes it."""

    def __init__(self, answer: L7lbError | None = None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        def ask(*_: object) -> object:
            self.asked.append(name)
            if self.answer is not None:
                raise self.answer
            return ()

        return ask


def probed(account: Account, *, empty: bool = False) -> dict[str, Probe]:
    """Of every action, by its name. `empty`: the cluster has no load balancer yet."""
    cloud, certificates = cast("TencentLoadBalancers", account), cast("TencentCertificates", account)
    found = probe(cloud, certificates, "ap-guangzhou", {"tag": "value"}, None if empty else head("lb-1", {}))
    assert len(found) == len(TABLE)
    return {one.action: one for one in found}


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (None, Finding.ALLOWED),
        (AccessDenied("no right", reason="AccessDenied"), Finding.DENIED),
        (NotFound("gone", what="load balancer"), Finding.ALLOWED),
        (Unavailable("slow"), Finding.UNKNOWN),
    ],
    ids=["an answer", "a refusal", "nothing there", "no answer"],
)
def test_an_answer_says_whether_a_read_is_allowed(answer: L7lbError | None, finding: Finding) -> None:
    account = Account(answer)
    found = probed(account)
    assert {name for name, one in found.items() if one.finding is Finding.UNPROVEN} == WRITES
    assert {one.finding for name, one in found.items() if name not in WRITES} == {finding}
    assert len(account.asked) == len(TABLE) - len(WRITES)
    assert "perform" not in account.asked


def test_where_there_is_no_load_balancer_what_names_one_stays_unproven() -> None:
    found = probed(Account(), empty=True)
    assert {name for name, one in found.items() if one.finding is Finding.UNPROVEN} == WRITES | NAMED
