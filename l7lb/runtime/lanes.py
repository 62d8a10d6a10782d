"""Which ready key is next: three lanes, the second one split by urgency. Knows nothing of workers, locks or delays.

A change goes before ENDPOINTS until the head of one has waited `TURN_S`; from then on they take turns: three for pods,
one for a change, and one each where a node came. Many new Ingresses would else hold up the pods of all others.
Inside ENDPOINTS, what takes targets off goes first, and what a node that came asks for last. VERIFY gets what the
others leave. A key may wait in both of the first two lanes and goes by whichever comes first; a better reason moves it
up, a worse one never down.
"""

from collections import OrderedDict
from enum import Enum

from l7lb.model.lane import Lane

TURN_S = 0.25
"""When a head has waited so long, lanes take turns."""
IN_A_ROW = 3
"""Turns of pods before one of a change."""


class Row(Enum):
    """Why a key is ready: the lanes, with the second one split; best first."""

    CHANGE = 0
    URGENT = 1
    ENDPOINTS = 2
    ARRIVALS = 3
    VERIFY = 4

    @property
    def lane(self) -> Lane:
        """The lane that this row belongs to."""
        return _LANE[self]


_LANE = {
    Row.CHANGE: Lane.CHANGE,
    Row.URGENT: Lane.ENDPOINTS,
    Row.ENDPOINTS: Lane.ENDPOINTS,
    Row.ARRIVALS: Lane.ENDPOINTS,
    Row.VERIFY: Lane.VERIFY,
}
_ROWS = {lane: tuple(row for row in Row if _LANE[row] is lane) for lane in Lane}
_ROW_OF = {
    Lane.CHANGE: Row.CHANGE,
    Lane.REMOVALS: Row.URGENT,
    Lane.ENDPOINTS: Row.ENDPOINTS,
    Lane.ARRIVALS: Row.ARRIVALS,
    Lane.VERIFY: Row.VERIFY,
}
_LANE_OF = {row: lane for lane, row in _ROW_OF.items()}
_BETTER = {
    Row.CHANGE: (),
    Row.URGENT: (),
    Row.ENDPOINTS: (Row.URGENT,),
    Row.ARRIVALS: (Row.URGENT, Row.ENDPOINTS),
    Row.VERIFY: (Row.CHANGE, Row.URGENT, Row.ENDPOINTS, Row.ARRIVALS),
}
"""A key in one of these rows gains nothing by waiting in the row itself."""

Reasons = dict[Row, float]
"""The rows that one key waits in, each with the time since when."""


def row_of(lane: Lane, urgent: bool) -> Row:
    """Urgency counts in ENDPOINTS only."""
    return Row.URGENT if urgent and lane is Lane.ENDPOINTS else _ROW_OF[lane]


def budget_of(row: Row) -> Lane:
    """The lane whose API budget a key of this row spends, and under which it comes back."""
    return _LANE_OF[row]


def merge(reasons: Reasons, row: Row, since: float) -> bool:
    """Add a reason to those of one key; False when it is there already, or a better one is."""
    if row in reasons or any(better in reasons for better in _BETTER[row]):
        return False
    for worse in [known for known in reasons if row in _BETTER[known]]:
        del reasons[worse]
    reasons[row] = since
    return True


class ReadyLanes:
    """The ready keys in order. Not for several threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._reasons: dict[str, Reasons] = {}
        # Keys go at the head: a plain dictionary would look for its new head behind all that have gone.
        self._rows: dict[Row, OrderedDict[str, float]] = {row: OrderedDict() for row in Row}
        self._in_a_row = IN_A_ROW
        """Turns of ENDPOINTS since the last change; one for a node that came counts as all of them."""

    def __len__(self) -> int:
        return len(self._reasons)

    def add(self, key: str, row: Row, since: float) -> tuple[Row, ...]:
        """The rows that have changed; none when the key waits there already, or better."""
        reasons = self._reasons.get(key)
        if reasons is None:
            self._reasons[key] = {row: since}
            self._rows[row][key] = since
            return (row,)
        if row in reasons:
            return ()
        before = tuple(reasons)
        if not merge(reasons, row, since):
            return ()
        left = tuple(each for each in before if each not in reasons)
        for each in left:
            del self._rows[each][key]
        self._rows[row][key] = since
        return (row, *left)

    def choose(self, now: float, *, may_verify: bool) -> Row | None:
        """The row whose head is next."""
        change = Row.CHANGE if self._rows[Row.CHANGE] else None
        endpoints = next((row for row in _ROWS[Lane.ENDPOINTS] if self._rows[row]), None)
        if change is not None and endpoints is not None:
            heads = [next(iter(rows.values())) for row, rows in self._rows.items() if rows and row is not Row.VERIFY]
            turns = 1 if endpoints is Row.ARRIVALS else IN_A_ROW
            if now - min(heads) >= TURN_S and self._in_a_row < turns:
                return endpoints
            return change
        if change is not None or endpoints is not None:
            return change or endpoints
        return Row.VERIFY if self._rows[Row.VERIFY] and may_verify else None

    def pop(self, row: Row) -> tuple[str, Reasons]:
        """Take the head of a row, out of all rows that it waits in."""
        key = next(iter(self._rows[row]))
        reasons = self._reasons.pop(key)
        for known in reasons:
            del self._rows[known][key]
        if row is Row.CHANGE:
            self._in_a_row = 0
        elif row is not Row.VERIFY:
            self._in_a_row += IN_A_ROW if row is Row.ARRIVALS else 1
        return key, reasons

    def depth(self, lane: Lane) -> int:
        """Keys that wait in this lane; one that waits in two counts in both."""
        return sum(len(self._rows[row]) for row in _ROWS[lane])

    def clear(self) -> None:
        """Forget all."""
        self._reasons.clear()
        for rows in self._rows.values():
            rows.clear()
