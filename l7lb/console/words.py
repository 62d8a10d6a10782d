"""Words and marks of the pages: how long ago, how it stands, and text of others made harmless to the eye."""

import unicodedata
from datetime import UTC, datetime
from typing import Final

from l7lb.model.branches import Mark, Part
from l7lb.model.cloud import Health
from l7lb.model.portrait import Fate

MARKS: Final = {
    Mark.BAD: "Broken",
    Mark.WAITING: "Under way",
    Mark.WARNING: "Worth a look",
    Mark.UNKNOWN: "Unknown",
    Mark.OK: "Works",
}
PARTS: Final = {
    Part.THERE: "",
    Part.MISSING: "to be made",
    Part.SURPLUS: "to be removed",
    Part.OTHERS: "not ours",
    Part.UNSEEN: "not seen yet",
}
HEALTHS: Final = {
    Health.ALIVE: "healthy",
    Health.DEAD: "failing its check",
    Health.UNKNOWN: "being probed",
    Health.UNCHECKED: "not checked",
}
FATES: Final = {
    Fate.RUNNING: (Mark.WAITING, "under way"),
    Fate.DONE: (Mark.OK, "done"),
    Fate.FAILED: (Mark.BAD, "failed"),
    Fate.REPLACED: (Mark.UNKNOWN, "planned anew"),
    Fate.REFUSED: (Mark.BAD, "refused"),
}
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""What shows as nothing, or turns the text around it: control and format characters, private ones, lone halves."""
_UNITS: Final = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def harmless(text: str) -> str:
    r"""Every character as itself, or as its escape where it could not be seen: `\u202e`."""
    if text.isprintable():
        return text
    return "".join(_escaped(one) if unicodedata.category(one) in _HIDDEN else one for one in text)


def ago(then: float, now: float) -> str:
    """`3 minutes ago`; what is to come counts as now, since clocks differ."""
    passed = now - then
    for size, unit in _UNITS:
        if passed >= size:
            count = int(passed // size)
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def lasted(begun: float, ended: float) -> str:
    """`0.4 s`, `12 s`, `3 min`, `2 h`."""
    seconds = max(0.0, ended - begun)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def moment(then: float) -> str:
    """`2026-11-23 00:02:10 UTC`; what no calendar has is told as the number it is."""
    try:
        return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{then:g}"


def stamp(then: float) -> str:
    """The same for machines."""
    return moment(then).replace(" UTC", "Z").replace(" ", "T")


def counted(number: int, noun: str) -> str:
    """`1 rule`, `2,000 rules`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _escaped(one: str) -> str:
    return one.encode("unicode_escape", "surrogatepass").decode("ascii")
