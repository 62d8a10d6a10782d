"""The page of logs: its questions are answered by jq, and its fields are those that lines and spans have."""

import json
import subprocess
from pathlib import Path

import pytest

from l7lb.model.phases import Stage
from l7lb.telemetry.passfields import FIELDS
from tests.house.logs_page import ASKING, LOGS, asking, example, stages
from tests.tools import needs, tool

CALL = {"logger": "l7lb.pass", "phase": "call", "region": "ap-guangzhou", "action": "CreateRule", "code": "Busy"}
LINES = [
    json.loads(example()) | {"seconds": 9.0},
    CALL | {"request_id": "req-1"},
    {"logger": "l7lb.pass", "phase": "task", "step": "CreateRules", "status": "failed", "seconds": 2.5},
    {"logger": "l7lb.app", "message": "leading"},
]


@needs("jq")
@pytest.mark.parametrize("question", ASKING)
def test_each_question_finds_its_lines(question: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    program = [str(tool("jq")), "-c", ASKING[question], str(log)]
    found = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(found) == 1
    assert not [line for line in found if "leading" in line or line.count("null") > 1]


def test_what_is_shown_is_what_was_tried() -> None:
    assert [line for line in asking() if not line.startswith("#")] == [
        f"{LOGS} | jq -c '{one}'" for one in ASKING.values()
    ]


def test_every_phase_is_explained() -> None:
    assert set(stages()) == set(Stage)
    assert all(stages().values())


def test_the_example_has_fields_of_the_table_only() -> None:
    names = [field.name for field in FIELDS]
    assert len(names) == len(set(names))
    assert json.loads(example()).keys() <= set(names)
