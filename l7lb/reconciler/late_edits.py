"""Edits of what only counts at creation: told, never applied."""

from collections.abc import Mapping

from l7lb import translator
from l7lb.model.problems import Problem
from l7lb.model.snapshot import Settings
from l7lb.reconciler.passes import Matter


class LateEdits:
    """Compares with how each Ingress was when this term first saw it served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._marks: dict[str, Mapping[str, str]] = {}

    def of(self, matter: Matter) -> tuple[Problem, ...]:
        """What the author of this Ingress is to hear."""
        uid = matter.owner.ingress_uid
        if matter.record is None or not matter.record.lb:
            self._marks.pop(uid, None)
            return ()
        marks = self._marks.setdefault(uid, translator.creation_marks(matter.ingress))
        return translator.not_applied(matter.ingress, matter.record, self._settings, marks)
