"""A default of ours that were enforced would be noticed by the take-over: each is tried in a copy of the product."""

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, tried
from tests.simulation.takeover import CAUGHT


def test_the_product_as_it_is_takes_over_what_the_mutants_are_tried_on() -> None:
    traits = {trait for mutation in MUTATIONS for trait in mutation.traits}
    code, words = tried(None, *sorted(traits))
    assert code == 0, words


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_default_that_is_enforced_is_noticed(mutation: Mutation) -> None:
    code, words = tried(mutation)
    assert code == CAUGHT, f"{mutation.name}: {words}"
