"""Strings that have one home: tags in the ledger, the cloud's names in its adapter, marks of ours in the model."""

import json
import re
from collections.abc import Iterator
from typing import Any

from l7lb.ledger import tags
from l7lb.model import marks
from l7lb.telemetry.metrics import TABLE
from tests.house.source import PRODUCT, ROOT, modules

SCHEMA = ROOT / "tests/emulators/clb/schema.json"
TAG_STRINGS = (*sorted(tags.OURS), *tags.SERVICE_TAGS)
TAGS_HOME = "l7lb/ledger/tags.py"
CLOUD_HOME = "l7lb/adapters/clb/"
METRICS_HOME = "l7lb/telemetry/metrics.py"
MARKS_HOME = ("l7lb/model/marks.py", "l7lb/translator/names.py")

SPEAK_CLOUD = {
    "l7lb/translator/create.py": "the annotation extensiveParameters is written in the field names of the create call",
    "l7lb/model/identity.py": "types of ids are called as the cloud calls the ids",
}
"""Modules outside the adapter that may; the list only shrinks."""
KUBERNETES_SAYS_SO_TOO = {"LoadBalancer", "Service", "Status", "Type", "Name", "Namespace"}
NAME = re.compile(r"[A-Z][A-Za-z0-9]{3,}")


def names_in(schema: Any) -> Iterator[str]:
    """Every action and field of the API's own description."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key
            yield from names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from names_in(value)
    elif isinstance(schema, str):
        yield schema


def test_tag_strings_stand_in_the_ledger_only() -> None:
    found = [
        f"{module.place}: {text!r}"
        for module in modules(PRODUCT)
        for text in module.strings
        if module.place != TAGS_HOME and any(tag in text for tag in TAG_STRINGS)
    ]
    assert found == []


def test_names_of_the_cloud_api_stand_in_its_adapter_only() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    names = {name for name in names_in(schema) if NAME.fullmatch(name)} - KUBERNETES_SAYS_SO_TOO
    assert {"CreateLoadBalancer", "LoadBalancerId"} <= names
    speaking = {
        module.place
        for module in modules(PRODUCT)
        if not module.place.startswith(CLOUD_HOME) and names.intersection(module.strings)
    }
    assert speaking == set(SPEAK_CLOUD)


def test_what_is_written_on_an_ingress_has_its_name_in_one_place() -> None:
    ours = {marks.FINALIZER, marks.RECORD, marks.APPROVE, marks.LOAD_BALANCER_ID, marks.CONDITIONS}
    found = [
        f"{module.place}: {text!r}"
        for module in modules(PRODUCT)
        for text in module.strings
        if module.place not in MARKS_HOME and text in ours
    ]
    assert found == []


def test_every_metric_of_the_table_is_told_by_somebody() -> None:
    told = [text for module in modules(PRODUCT) for text in module.strings]
    # Once in the table, and at least once more.
    assert [row.name for row in TABLE if told.count(row.name) < 2] == []
