"""What is bound to many load balancers, where one of them spoils the whole answer."""

from collections.abc import Callable
from itertools import count

import pytest

from l7lb.errors import AccessDenied, L7lbError, NotFound
from l7lb.model.identity import CloudRef, LoadBalancerId
from l7lb.reconciler.checkups import LISTED_PER_CALL, checkup, look
from tests.unit.app.account import Account
from tests.unit.app.room import REGION

REFS = tuple(CloudRef(REGION, LoadBalancerId(f"lb-{number:02}")) for number in range(30))


def _account(error: L7lbError) -> Account:
    """All but the last are there; the first question is refused."""
    asked = count(1)

    def trouble(call: str) -> None:
        if call == "health" and next(asked) == 1:
            raise error

    account = Account(trouble=trouble)
    account.own(*(ref.id for ref in REFS[:-1]))
    return account


@pytest.mark.parametrize("ask", [checkup, look])
def test_one_that_is_gone_costs_three_calls_more_and_not_one_for_each(
    ask: Callable[[Account, tuple[CloudRef, ...]], object],
) -> None:
    account = _account(NotFound("there is no lb-29", what="load balancer"))
    ask(account, REFS)
    assert {call: times for (call, _), times in account.calls.items()} == {
        "health": 1,  # the one that was refused is not counted
        "heads": -(-len(REFS) // LISTED_PER_CALL),
    }


def test_who_has_to_be_certain_hears_that_it_has_no_right() -> None:
    with pytest.raises(AccessDenied):
        look(_account(AccessDenied("no right", reason="Denied")), REFS)
