"""The parts of pages that are made from the examples and from the form of the TkeServiceConfig."""

from collections.abc import Iterator
from typing import Final

from msgspec import inspect

from l7lb.translator import annotation_rows
from l7lb.translator import serviceconfig_form as form
from l7lb.translator.annotations import When
from l7lb.translator.serviceconfig_reading import fields_of
from tests.fixtures.examples import EXPECTED, SHOP, Example, example
from tests.house.source import ROOT

BEGIN: Final = "<!-- Made by `make docs` from here on; an edit by hand is undone. -->"
ANNOTATIONS, CONFIGS = "annotations/", "service-config/"
CUSTOM_WEIGHT: Final = "ingress.cloud.tencent.com/custom-weight"
"""Stands on pods, so that it has no row among those of Ingresses."""
HEAD: Final = """
## Examples

Each is a file in `docs/examples/annotations/`, and a test applies it to an API server and looks what becomes of it in
the cloud. They stand on these objects:

"""
CONFIG_HEAD: Final = """
## Fields

| field | value | meaning |
| --- | --- | --- |
"""


def of_annotations() -> str:
    """One section for each annotation."""
    names = [row.name for row in annotation_rows() if row.when != When.WRITTEN.value]
    parts = [HEAD.lstrip("\n"), _fenced(SHOP.read_text(encoding="utf-8"))]
    parts += [_section(name, example(ANNOTATIONS + short(name))) for name in (*names, CUSTOM_WEIGHT)]
    parts.append("### What the controller writes\n\n")
    for row in annotation_rows():
        if row.when == When.WRITTEN.value:
            found = written_in(row.name)
            link = f"examples/{found}.yaml"
            parts.append(f"- `{row.name}`: as the example [{found.rpartition('/')[2]}]({link}) has it afterwards.\n")
    return "".join(parts)


def short(name: str) -> str:
    """The name of an annotation's example: without the prefixes that all have."""
    return name.rpartition("/")[2].removeprefix("ingress.")


def written_in(name: str) -> str:
    """The example whose Ingress bears this annotation of the controller's afterwards; empty: none."""
    for found, expected in EXPECTED.items():
        if name in expected.get("object", {}).get("metadata", {}).get("annotations", {}):
            return found
    return ""


def service_config_page() -> str:
    """docs/service-config.md: written by hand up to the mark, made from there on."""
    written = (ROOT / "docs/service-config.md").read_text(encoding="utf-8").partition(BEGIN)[0]
    rows = "".join(f"| `{path}` | {values} | {about} |\n" for path, values, about in config_fields())
    parts = [f"{written}{BEGIN}\n{CONFIG_HEAD}{rows}\n## Examples\n\n"]
    parts.append("On the objects that stand in [annotations.md](annotations.md#examples). A test applies each.\n\n")
    parts += [_section(name.removeprefix(CONFIGS), example(name)) for name in EXPECTED if name.startswith(CONFIGS)]
    return "".join(parts).rstrip("\n") + "\n"


def config_fields(kind: type[form.Part] = form.Spec, place: str = "spec") -> Iterator[tuple[str, str, str]]:
    """Path, values and meaning of every field, in the order of the form."""
    for one, plain, description in fields_of(kind):
        path = f"{place}.{one.encode_name}"
        inner = plain
        while isinstance(inner, inspect.VarTupleType):
            path, inner = f"{path}[]", inner.item_type
        if isinstance(inner, inspect.StructType) and issubclass(inner.cls, form.Part):
            yield from config_fields(inner.cls, path)
        else:
            yield path, _values(inner), description


def _values(plain: inspect.Type) -> str:
    match plain:
        case inspect.BoolType():
            return "`true` or `false`"
        case inspect.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case inspect.IntType(ge=least, le=most):
            return f"{least} to {most}"
        case inspect.StrType(max_length=most):
            return f"text, at most {most}"
        case _:
            raise TypeError(f"no words for {plain}")


def _section(title: str, shown: Example) -> str:
    about, objects = _split(shown.text)
    return f"### `{title}`\n\n{about}\n\n{_fenced(objects)}"


def _split(text: str) -> tuple[str, str]:
    """The comment at the head of an example as prose, and its objects."""
    lines = text.splitlines(keepends=True)
    count = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    prose = " ".join(line.lstrip("# ").strip() for line in lines[:count])
    return prose, "".join(lines[count:])


def _fenced(text: str) -> str:
    return f"```yaml\n{text}```\n\n"
