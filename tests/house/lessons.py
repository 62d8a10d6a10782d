"""What has gone wrong elsewhere, as `tests/fixtures/lessons.yaml` has it, and the page that is made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import yaml

from tests.house.source import ROOT

TABLE: Final = ROOT / "tests/fixtures/lessons.yaml"
HEAD: Final = """# What has gone wrong elsewhere

{made}

Controllers of load balancers have failed their users in public, and have written it down. Each way to fail that we know
of has its row here: what stands against it, and tests that would fail if it did not. The evidence is an issue or a pull
request of that project. A test is a file below `tests/` and a function in it.

- LBC: kubernetes-sigs/aws-load-balancer-controller
- GCE: kubernetes/ingress-gce
- AGIC: Azure/application-gateway-kubernetes-ingress
- XDNS: kubernetes-sigs/external-dns
- OCI: oracle/oci-native-ingress-controller
- KIC: Kong/kubernetes-ingress-controller
- CR: kubernetes-sigs/controller-runtime
"""


@dataclass(frozen=True)
class Lesson:
    """One way to fail."""

    failure: str
    evidence: str
    measure: str
    tests: tuple[str, ...]


@cache
def lessons() -> Mapping[str, tuple[Lesson, ...]]:
    """By group."""
    groups = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        name: tuple(Lesson(row["failure"], row["evidence"], row["measure"], tuple(row["tests"])) for row in rows)
        for name, rows in groups.items()
    }


def lessons_page(made: str) -> str:
    """The whole page; `made` says that it is made."""
    return "\n".join([HEAD.format(made=made), *_groups()]).rstrip() + "\n"


def lacking() -> list[str]:
    """Tests that are named and do not exist."""
    found = []
    for test in (test for rows in lessons().values() for lesson in rows for test in lesson.tests):
        path, _, name = test.partition("::")
        place = ROOT / "tests" / path
        if not place.is_file() or f"def {name}(" not in place.read_text(encoding="utf-8"):
            found.append(test)
    return found


def _groups() -> Iterator[str]:
    number = 0
    for name, rows in lessons().items():
        yield f"## {name}\n"
        yield "| # | elsewhere | here | tests |"
        yield "| --- | --- | --- | --- |"
        for lesson in rows:
            number += 1
            tests = "<br>".join(f"`{test}`" for test in lesson.tests)
            yield f"| {number} | {lesson.failure} ({lesson.evidence}) | {lesson.measure} | {tests} |"
        yield ""
