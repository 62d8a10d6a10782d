"""Annotations of one Ingress, read through the table: values, findings, and what they say about the load balancer.

Only annotations are looked at; what they mean for rules and targets is decided by those who ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.options import Options
from l7lb.model.problems import Problem
from l7lb.translator.annotations import TABLE, Annotation, Fault, Support, When
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.parsers import TRUE

AUTO_SUFFIX: Final = "-auto-ingress-config"
RESERVED_SUFFIXES: Final = (AUTO_SUFFIX, "-auto-service-config")
KUBERNETES: Final = "kubernetes"
EXCLUDED: Final = {Name.RULE_MIX: "", Name.REWRITE_SUPPORT: "", Name.AUTO_REWRITE: "E4068"}
"""By `rule-mix-both`, with TKE's codes."""
ROWS: Final = {row.name: row for row in TABLE}


@dataclass(frozen=True, slots=True)
class Reading:
    """All known annotations of one Ingress; those that are absent or cannot be read are not in `values`."""

    values: Mapping[Name, object]
    problems: tuple[Problem, ...] = ()
    refusal: Problem | None = None
    create_refusal: Problem | None = None
    unreadable: frozenset[Name] = frozenset()
    """Annotations that are there and cannot be read."""

    def text(self, name: Name) -> str:
        """A text; empty when nothing is said."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: Name) -> int | None:
        """A number; None when nothing is said."""
        value = self.values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, name: Name) -> Maybe[bool]:
        """A boolean; UNSET when nothing is said."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else UNSET

    def object(self, name: Name) -> Mapping[str, object]:
        """A JSON object; empty when nothing is said."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}

    def names(self, name: Name) -> Maybe[frozenset[str]]:
        """A set of ids; UNSET when nothing is said, empty when emptiness is said."""
        value = self.values.get(name)
        return value if isinstance(value, frozenset) else UNSET


def read(ingress: Ingress) -> Reading:
    """Parse every known annotation; a bad one never keeps another from being read."""
    notebook = Notebook(ingress)
    values: dict[Name, object] = {}
    faults: dict[Fault, Problem] = {}
    unreadable: set[Name] = set()
    given = ingress.annotations
    for row in TABLE:
        text = given.get(row.name)
        if text is None or row.when is When.WRITTEN:
            continue
        try:
            values[row.name] = row.parse(text)
        except ValueError as error:
            unreadable.add(row.name)
            _unreadable(row, str(error), given, notebook, faults)
            continue
    _unsupported(values, notebook, faults)
    _unnoticed(values, given, notebook)
    _reserved_name(values, notebook)
    _exclusive(values, notebook, faults)
    _group(values, notebook, faults)
    return Reading(
        values,
        notebook.findings().problems,
        faults.get(Fault.REFUSES),
        faults.get(Fault.STOPS_CREATION),
        frozenset(unreadable),
    )


def options(ingress: Ingress) -> Options:
    """What the annotations say about the load balancer as a whole."""
    reading = read(ingress)
    return Options(
        exist_lb_id=reading.text(Name.EXIST_LB_ID),
        group=reading.flag(Name.GROUP) is True,
        skip=reading.text(Name.MODE) == "skip",
        retain=reading.flag(Name.RETAIN) is True or _cannot_be_read(Name.RETAIN, ingress, reading),
        approve=reading.text(Name.APPROVE),
        matching=reading.text(Name.MATCHING),
        cross_region=reading.text(Name.CROSS_REGION),
        cross_vpc=reading.text(Name.CROSS_VPC),
        direct=reading.flag(Name.DIRECT_ACCESS) is True,
        security_groups=reading.names(Name.SECURITY_GROUPS),
        pass_to_target=reading.flag(Name.PASS_TO_TARGET),
        delete_protection=reading.flag(Name.DELETION_PROTECTION),
        modification_protection=reading.flag(Name.MODIFICATION_PROTECTION),
        snat_pro=bool(reading.values.get(Name.SNAT_PRO)),
        problems=reading.problems,
        refusal=reading.refusal,
    )


def text_of(ingress: Ingress, name: Name) -> str:
    """One annotation by itself, for indexes that ask at every event; empty when absent or unreadable."""
    text = ingress.annotations.get(name)
    if text is None:
        return ""
    try:
        value = ROWS[name].parse(text)
    except ValueError:
        return ""
    return value if isinstance(value, str) else ""


def flag_of(ingress: Ingress, name: Name) -> bool:
    """One boolean by itself, likewise; False when absent or unreadable."""
    text = ingress.annotations.get(name)
    return text is not None and text.strip() in TRUE


def direct(ingress: Ingress) -> bool:
    """Whether its targets are pods, by the annotation alone; for indexes too."""
    return flag_of(ingress, Name.DIRECT_ACCESS)


def field_of(name: Name) -> str:
    """Where an annotation stands in its object."""
    return f"metadata.annotations[{name.value}]"


def _unreadable(
    row: Annotation, why: str, given: Mapping[str, str], notebook: Notebook, faults: dict[Fault, Problem]
) -> None:
    message = f"Ingress {notebook.about}: annotation {row.name.value} {why}"
    if not _has_effect(row, given):
        notebook.warn(row.code, "InvalidAnnotation", message, field=field_of(row.name))
        return
    problem = notebook.problem(
        row.code, "InvalidAnnotation", f"{message}; until then {row.fault.value}", field=field_of(row.name)
    )
    faults.setdefault(row.fault, problem)


def _unnoticed(values: Mapping[Name, object], given: Mapping[str, str], notebook: Notebook) -> None:
    """What TKE's controller does and we do not is said, where it is asked for."""
    for row in TABLE:
        if row.support is Support.NOTICE and values.get(row.name) is True and _has_effect(row, given):
            notebook.warn(
                "",
                "NotSupported",
                f"Ingress {notebook.about}: annotation {row.name.value} has no effect of its own. {row.doc}",
                field=field_of(row.name),
            )


def _unsupported(values: Mapping[Name, object], notebook: Notebook, faults: dict[Fault, Problem]) -> None:
    name = Name.MATCHING
    if values.get(name) != KUBERNETES:
        return
    problem = notebook.problem(
        "",
        "NotSupported",
        f"Ingress {notebook.about}: annotation {name.value}: {KUBERNETES} is not supported yet, and without it the"
        " routing would be wrong: nothing of this Ingress is changed; remove it",
        field=field_of(name),
    )
    faults.setdefault(Fault.REFUSES, problem)


def _reserved_name(values: Mapping[Name, object], notebook: Notebook) -> None:
    config = values.get(Name.CONFIG)
    if isinstance(config, str) and config.endswith(RESERVED_SUFFIXES):
        notebook.warn(
            "E4051",
            "ReservedName",
            f"Ingress {notebook.about}: annotation {Name.CONFIG.value} names an object whose name ends in a reserved"
            " suffix, so it is not applied; give the TkeServiceConfig another name",
            field=field_of(Name.CONFIG),
        )


def _exclusive(values: Mapping[Name, object], notebook: Notebook, faults: dict[Fault, Problem]) -> None:
    if values.get(Name.RULE_MIX_BOTH) is not True:
        return
    for name, code in EXCLUDED.items():
        if values.get(name) is True and not (name is Name.REWRITE_SUPPORT and values.get(Name.GROUP) is True):
            problem = notebook.problem(
                code,
                "ContradictingAnnotations",
                f"Ingress {notebook.about}: annotation {Name.RULE_MIX_BOTH.value} excludes {name.value}; remove one of"
                " them, until then the Ingress is held",
                field=field_of(name),
            )
            faults.setdefault(Fault.REFUSES, problem)


def _group(values: dict[Name, object], notebook: Notebook, faults: dict[Fault, Problem]) -> None:
    """What does not go together with a group is said, and not applied."""
    if values.get(Name.GROUP) is not True:
        return
    if Name.EXIST_LB_ID not in values:
        problem = notebook.problem(
            "",
            "GroupWithoutLoadBalancer",
            f"Ingress {notebook.about}: annotation {Name.GROUP.value} needs {Name.EXIST_LB_ID.value}, which names the"
            " load balancer that is shared; until then nothing is created",
            field=field_of(Name.GROUP),
        )
        faults.setdefault(Fault.STOPS_CREATION, problem)
    if values.pop(Name.MODE, None):
        notebook.warn(
            "",
            "NotSupported",
            f"Ingress {notebook.about}: annotation {Name.MODE.value} does not go together with {Name.GROUP.value}: it"
            " is not applied, the rest is",
            field=field_of(Name.MODE),
        )


def _has_effect(row: Annotation, given: Mapping[str, str]) -> bool:
    return row.needs is None or given.get(row.needs, "").strip() in TRUE


def _cannot_be_read(name: Name, ingress: Ingress, reading: Reading) -> bool:
    return name in ingress.annotations and name not in reading.values
