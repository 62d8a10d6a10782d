"""Which load balancer an Ingress is bound to, what it names, and what it says too late.

Pure functions of the object with its record; whether the load balancer exists is not asked here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, ObjectKey
from l7lb.model.options import References
from l7lb.model.ownership import Record
from l7lb.model.problems import Problem
from l7lb.model.snapshot import Settings
from l7lb.translator.annotations import TABLE, When
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import field_of, flag_of, text_of
from l7lb.translator.tuning import config_key

SHARED: Final = "shared"
OWN_CLAIMS: Final = frozenset({"created", "creating"})
TELLING: Final = frozenset(Name) - {Name.CONDITIONS, Name.LOAD_BALANCER_ID, Name.NAT_IPV6, Name.IPV6}
"""All but what we write for people: an Ingress is found under nothing else, whatever more it says."""
HOW_TO_APPLY: Final = "to apply it, delete the Ingress and create it anew"


def binding_key(ingress: Ingress, record: Record | None, settings: Settings) -> BindingKey:
    """A valid claim in the record decides, else the annotations; `new/<UID>` is for a load balancer of its own."""
    if record is not None and _is_of(record, ingress, settings):
        if record.claim in OWN_CLAIMS:
            return _own(ingress)
        if record.claim and record.lb:
            return BindingKey(f"lb/{record.region or settings.region}/{record.lb}")
    lent = text_of(ingress, Name.EXIST_LB_ID)
    if not lent:
        return _own(ingress)
    return BindingKey(f"lb/{region_of(ingress, None, settings.region)}/{lent}")


def region_of(ingress: Ingress, record: Record | None, home: str) -> str:
    """Where its load balancer is, or is to be: a claim in the record decides, else `cross-region-id`, else home."""
    if record is not None and record.claim and record.region:
        return record.region
    return text_of(ingress, Name.CROSS_REGION) or home


def services_of(ingress: Ingress) -> frozenset[ObjectKey]:
    """The Services that it names, in its own namespace."""
    space, default = ingress.metadata.namespace, ingress.spec.default_backend
    names = {default.service.name if default is not None and default.service is not None else ""}
    for rule in ingress.spec.rules or ():
        for path in (rule.http.paths if rule.http is not None else None) or ():
            if (service := path.backend.service) is not None:
                names.add(service.name)
    names.discard("")
    return frozenset([ObjectKey(space, name) for name in names])


def secrets_of(ingress: Ingress) -> frozenset[ObjectKey]:
    """The Secrets that it names, in its own namespace."""
    space = ingress.metadata.namespace
    return frozenset([ObjectKey(space, tls.secret_name) for tls in ingress.spec.tls or () if tls.secret_name])


def references(ingress: Ingress) -> References:
    """All objects that it names; they are in its own namespace."""
    config = config_key(ingress)
    return References(
        services=services_of(ingress),
        secrets=secrets_of(ingress),
        configs=frozenset({config} if config is not None else ()),
    )


def same_references(old: Ingress, new: Ingress) -> bool:
    """Whether two versions of one Ingress have the same binding, class and references: all that it is found under.

    Most of what a watch brings is a status or somebody else's note, and this costs a fraction of working them out.
    """
    before, after = old.annotations, new.annotations
    for name, text in after.items():
        if name in TELLING and before.get(name) != text:
            return False
    return TELLING.isdisjoint(before.keys() - after.keys()) and old.spec == new.spec


def creation_marks(ingress: Ingress) -> Mapping[str, str]:
    """Each annotation that counts only at creation, with a short digest of its value."""
    given = ingress.annotations
    return {
        row.name.value: hashlib.sha256(given[row.name].strip().encode(errors="backslashreplace")).hexdigest()[:12]
        for row in TABLE
        if row.when is When.CREATE and row.name in given
    }


def not_applied(
    ingress: Ingress, record: Record | None, settings: Settings, marks: Mapping[str, str] | None = None
) -> tuple[Problem, ...]:
    """Create-only annotations that say something else than when the load balancer was made or taken.

    `marks` is what `creation_marks` gave then. Without it (None) only what the record proves is reported.
    """
    if record is None or not record.lb or not _is_of(record, ingress, settings):
        return ()
    notebook = Notebook(ingress)
    for name, what in _contradictions(ingress, record, settings):
        _too_late(notebook, name, what)
    now = creation_marks(ingress)
    said = {problem.field for problem in notebook.findings().problems}
    for row in TABLE:
        name = row.name
        edited = marks is not None and marks.get(name.value) != now.get(name.value)
        if edited and row.when is When.CREATE and field_of(name) not in said:
            _too_late(notebook, name, f"the load balancer {record.lb} was made or taken with another value")
    return notebook.findings().problems


def _contradictions(ingress: Ingress, record: Record, settings: Settings) -> Iterator[tuple[Name, str]]:
    lent = text_of(ingress, Name.EXIST_LB_ID)
    if (lent and lent != record.lb) or (not lent and record.claim not in OWN_CLAIMS):
        yield Name.EXIST_LB_ID, f"the load balancer in use is {record.lb}"
    shares = flag_of(ingress, Name.GROUP)
    if record.claim == SHARED and not shares:
        yield Name.GROUP, f"the load balancer {record.lb} is shared with other Ingresses"
    if record.claim and record.claim != SHARED and shares:
        yield Name.GROUP, f"the load balancer {record.lb} is this Ingress's alone"
    region = region_of(ingress, None, settings.region)
    if record.region and region != record.region:
        yield Name.CROSS_REGION, f"the load balancer {record.lb} is in {record.region}"


def _too_late(notebook: Notebook, name: Name, what: str) -> None:
    notebook.warn(
        "",
        "NotApplied",
        f"Ingress {notebook.about}: a change of annotation {name.value} is not applied: {what}; {HOW_TO_APPLY}",
        field=field_of(name),
    )


def _own(ingress: Ingress) -> BindingKey:
    return BindingKey(f"new/{ingress.metadata.uid}")


def _is_of(record: Record, ingress: Ingress, settings: Settings) -> bool:
    return record.uid == ingress.metadata.uid and record.cluster == settings.cluster_id
