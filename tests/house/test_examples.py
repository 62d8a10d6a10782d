"""Every annotation and every field of a TkeServiceConfig has an example, and a golden case that names it."""

from l7lb.translator import annotation_rows
from l7lb.translator.annotations import When
from tests.fixtures.examples import EXPECTED, ROOT, SHOP, Json, example
from tests.golden.case_file import load, paths
from tests.house.examples import ANNOTATIONS, CONFIGS, CUSTOM_WEIGHT, config_fields, short, written_in

GIVEN = [row.name for row in annotation_rows() if row.when != When.WRITTEN.value]
WRITTEN = [row.name for row in annotation_rows() if row.when == When.WRITTEN.value]
FIELDS = {path for path, _, _ in config_fields()}


def test_an_example_has_an_expectation_and_an_expectation_its_example() -> None:
    files = {path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.yaml")}
    assert files - {SHOP.stem} == set(EXPECTED)


def test_the_example_of_an_annotation_bears_it() -> None:
    wrong = [name for name in GIVEN if name not in _annotations(example(ANNOTATIONS + short(name)).objects, "Ingress")]
    assert wrong == []
    assert CUSTOM_WEIGHT in _annotations(example(ANNOTATIONS + short(CUSTOM_WEIGHT)).objects, "Pod")


def test_what_the_controller_writes_is_looked_at_in_an_example() -> None:
    assert [name for name in WRITTEN if not written_in(name)] == []


def test_every_field_is_declared_in_an_example() -> None:
    shown = {path for name in EXPECTED if name.startswith(CONFIGS) for path in _declared(example(name).objects)}
    assert FIELDS - shown == set()


def test_every_annotation_that_is_read_is_in_a_golden_case() -> None:
    cases = [load(path).objects for path in paths()]
    named = {name for objects in cases for name in _annotations(objects, "Ingress")}
    assert [name for name in GIVEN if name not in named] == []


def test_every_field_is_in_a_golden_case() -> None:
    shown = {path for case in paths() for path in _declared(load(case).objects)}
    assert FIELDS - shown == set()


def _annotations(objects: list[Json] | tuple[Json, ...], kind: str) -> set[str]:
    of_kind = (document["metadata"] for document in objects if document["kind"] == kind)
    return {name for metadata in of_kind for name in metadata.get("annotations") or {}}


def _declared(objects: list[Json] | tuple[Json, ...]) -> set[str]:
    configs = (document["spec"] for document in objects if document["kind"] == "TkeServiceConfig")
    return {path for spec in configs for path in _paths(spec, "spec")}


def _paths(value: object, place: str) -> set[str]:
    if isinstance(value, dict):
        return {path for key, part in value.items() for path in _paths(part, f"{place}.{key}")}
    if isinstance(value, list):
        return {path for part in value for path in _paths(part, f"{place}[]")}
    return {place}
