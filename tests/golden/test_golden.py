"""Every golden case leads to the plan and to the Events that are written in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.case_file import MANIFESTS, load, paths
from tests.golden.stage import Stage, stage


@pytest.fixture(scope="module")
def account() -> Iterator[Stage]:
    with stage() as made:
        yield made


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_a_case_leads_to_its_plan_and_its_events(account: Stage, path: Path) -> None:
    case = load(path)
    assert account.play(case) == case.expect


def test_every_manifest_of_the_contract_is_a_case_and_so_are_enough_hostile_ones() -> None:
    named = {f"manifest-{path.stem}" for path in MANIFESTS.glob("*.yaml")}
    cases = {path.stem for path in paths()}
    assert len(named) == 14
    assert named <= cases
    assert len(cases - named) >= 30
