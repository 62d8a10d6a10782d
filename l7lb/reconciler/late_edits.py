"""Edits of what only counts at creation: told, never applied."""

from collections.abc import Mapping

from l7lb import translator
from l7lb.model.loadbalancer import ObservedLoadBalancer
from l7lb.model.problems import Problem, Severity
from l7lb.model.snapshot import Settings
from l7lb.reconciler.passes import Matter, problem


class LateEdits:
    """Compares with what the record says, or with how each Ingress was when this term first saw it served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._marks: dict[str, Mapping[str, str]] = {}

    def of(self, matter: Matter) -> tuple[Problem, ...]:
        """What the author of this Ingress is to hear."""
        uid = matter.owner.ingress_uid
        if matter.record is None or not matter.record.lb:
            self._marks.pop(uid, None)
            return ()
        marks = matter.record.marks
        if marks is None:
            marks = self._marks.setdefault(uid, translator.creation_marks(matter.ingress))
        return translator.not_applied(matter.ingress, matter.record, self._settings, marks)


def never_given(matter: Matter, observed: ObservedLoadBalancer) -> tuple[Problem, ...]:
    """What only an order gives a load balancer, and this one does not have."""
    head = observed.head
    if not matter.options.snat_pro or head.snat_pro:
        return ()
    text = (
        f"the annotation ingress.cloud.tencent.com/snat-pro-info is not applied: {head.ref.id} was made without SNAT"
        " Pro; switch it on in the console of CLB, or delete the Ingress and create it anew"
    )
    return (problem("", "NotApplied", text, severity=Severity.WARNING),)
