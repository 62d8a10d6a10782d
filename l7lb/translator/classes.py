"""Whether an Ingress is ours: by its class, and, once it was taken, only by a change of the Ingress itself.

Nothing but the class annotation, the class field, the IngressClass objects and the record is looked at.
"""

from collections.abc import Mapping
from typing import Final

from l7lb.model.cluster import Ingress, IngressClass
from l7lb.model.marks import CLASS_ANNOTATION, CLASS_CONTROLLER, CLASS_NAME, FINALIZER
from l7lb.model.options import Standing
from l7lb.model.ownership import Record
from l7lb.model.snapshot import Settings, Verdict

# TKE publishes neither whether it installs an IngressClass `qcloud` nor its controller's name: any of Tencent's counts.
TENCENT_SUFFIXES: Final = (".tencent.com", ".tencent", ".qcloud.com")
TENCENT_NAMES: Final = ("tencent.com", "qcloud", "qcloud.com")


def class_pair(ingress: Ingress) -> tuple[str | None, str | None]:
    """(annotation, field); an empty text counts as absent."""
    return ingress.annotations.get(CLASS_ANNOTATION) or None, ingress.spec.ingress_class_name or None


def verdict(ingress: Ingress, classes: Mapping[str, IngressClass], settings: Settings, synced: bool) -> Verdict:
    """Ours or not by class, as of now. `synced`: `classes` holds every IngressClass there is."""
    annotation, field = class_pair(ingress)
    if annotation is not None:
        return _by_annotation(annotation, classes, synced)
    if field is not None:
        return _by_field(field, classes, synced)
    return Verdict.OURS if settings.manage_classless else Verdict.NOT_OURS


def standing(
    ingress: Ingress,
    record: Record | None,
    classes: Mapping[str, IngressClass],
    settings: Settings,
    synced: bool,
) -> Standing:
    """What the class says in the light of the record. What is LEFT must still be seen by a live read."""
    now = verdict(ingress, classes, settings, synced)
    if now is Verdict.OURS:
        return Standing.OURS
    if record is None:
        # Our finalizer without a record: it was ours, and why it is not any more cannot be told.
        taken = FINALIZER in ingress.finalizers
        return Standing.UNCLEAR if taken or now is Verdict.UNKNOWN else Standing.NOT_OURS
    if not record.claim and not record.lb:
        return Standing.UNCLEAR if now is Verdict.UNKNOWN else Standing.NOT_OURS
    changed = _normal(record.ingress_class) != class_pair(ingress)
    return Standing.LEFT if changed and now is Verdict.NOT_OURS else Standing.UNCLEAR


def _by_annotation(annotation: str, classes: Mapping[str, IngressClass], synced: bool) -> Verdict:
    if annotation == CLASS_NAME:
        return Verdict.OURS
    named = classes.get(annotation)
    if named is not None and named.spec.controller == CLASS_CONTROLLER:
        return Verdict.OURS
    return Verdict.NOT_OURS if synced else Verdict.UNKNOWN


def _by_field(field: str, classes: Mapping[str, IngressClass], synced: bool) -> Verdict:
    named = classes.get(field)
    if named is None:
        return Verdict.OURS if field == CLASS_NAME and synced else Verdict.UNKNOWN
    if named.spec.controller == CLASS_CONTROLLER:
        return Verdict.OURS
    if field == CLASS_NAME:
        return Verdict.OURS if _is_tencents(named.spec.controller) else Verdict.UNKNOWN
    return Verdict.NOT_OURS


def _is_tencents(controller: str) -> bool:
    organisation = controller.partition("/")[0].lower()
    return not organisation or organisation in TENCENT_NAMES or organisation.endswith(TENCENT_SUFFIXES)


def _normal(pair: tuple[str | None, str | None]) -> tuple[str | None, str | None]:
    annotation, field = pair
    return annotation or None, field or None
