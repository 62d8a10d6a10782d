"""A default of ours that were enforced would be noticed by the take-over: each is tried in a copy of the product."""

import pytest

from tests.mutants.defaults import DEFAULTS, Enforced, notices, tried


def test_the_product_as_it_is_takes_over_what_the_mutants_are_tried_on() -> None:
    traits = {trait for mutation in DEFAULTS for trait in mutation.traits}
    code, words = tried(None, *sorted(traits))
    assert code == 0, words


@pytest.mark.parametrize("mutation", DEFAULTS, ids=lambda one: one.name)
def test_a_default_that_is_enforced_is_noticed(mutation: Enforced) -> None:
    caught, words = notices(mutation)
    assert caught, f"{mutation.name}: {words}"
