"""The texts that mutations replace are there, and so are the tests that notice: who edits one writes its row anew."""

import ast

import pytest

from tests.mutants.defaults import DEFAULTS
from tests.mutants.mutation import ROOT, Mutation
from tests.mutants.promises import PROMISES, Broken


@pytest.mark.parametrize("mutation", [*DEFAULTS, *PROMISES], ids=lambda one: one.name)
def test_a_mutation_finds_its_place(mutation: Mutation) -> None:
    ast.parse(mutation.applied())


@pytest.mark.parametrize("broken", PROMISES, ids=lambda one: one.name)
def test_what_notices_a_breach_is_there(broken: Broken) -> None:
    path, _, name = broken.test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_promise_has_a_breach_that_is_tried() -> None:
    assert {broken.promise for broken in PROMISES} == set(range(1, 12))


def test_names_are_given_once() -> None:
    names = [mutation.name for mutation in (*DEFAULTS, *PROMISES)]
    assert len(names) == len(set(names))
