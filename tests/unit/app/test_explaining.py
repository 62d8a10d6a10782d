"""`l7lb explain`: the sentence at the top says the same as the verdict before it."""

from dataclasses import replace

import click
import pytest

from l7lb.app.explain_words import explanation_document, explanation_text
from l7lb.model.branches import Mark
from l7lb.model.portrait import Check
from tests.unit.cli.screens import EXPLAINED, READY

WELL = Check("Class", Mark.OK, "It has class qcloud.")
SICK = Check("Target health", Mark.BAD, "2 of 2 bindings fail their check: 10.0.0.1:80.")
SILENT = Check("Load balancer", Mark.UNKNOWN, "lb-1; it could not be read: the cloud did not answer.")
CASES = [
    ((WELL,), Mark.OK, READY, f"ok: {READY}"),
    ((WELL, SICK), Mark.OK, READY, f"broken: Target health: {SICK.says}"),
    ((WELL, SILENT), Mark.OK, READY, f"unknown: Load balancer: {SILENT.says}"),
    ((WELL, SICK), Mark.BAD, "E4041: no such Service", "broken: E4041: no such Service"),
]


@pytest.mark.parametrize(("links", "mark", "condition", "told"), CASES)
def test_the_first_line_never_contradicts_itself(
    links: tuple[Check, ...], mark: Mark, condition: str, told: str
) -> None:
    one = replace(EXPLAINED, checks=links, member=replace(EXPLAINED.member, mark=mark, says=condition))
    assert click.unstyle(explanation_text(one)).split("\n")[0] == f"Ingress shop/web  {told}"
    assert f'"says": "{one.says}"' in explanation_document(one)
