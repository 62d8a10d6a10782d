"""The texts that mutations replace are there: who edits one of them writes its row anew."""

import ast

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_mutation_finds_its_place(mutation: Mutation) -> None:
    ast.parse(mutation.applied())
