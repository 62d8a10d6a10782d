"""The gravest faults, each put into a copy of the product: its test fails there, and passes on a copy without it."""

import pytest

from tests.mutants.promises import PROMISES, Broken, notices, passes

ALWAYS = tuple(broken for broken in PROMISES if broken.always)


def test_without_a_fault_all_pass() -> None:
    passed, words = passes(ALWAYS)
    assert passed, words


@pytest.mark.parametrize("broken", ALWAYS, ids=lambda one: one.name)
def test_a_broken_promise_is_noticed(broken: Broken) -> None:
    caught, words = notices(broken)
    assert caught, f"{broken.name}: {words}"
