"""What was called: counters and an ordered log. Certificate keys never enter it."""

from collections import Counter, deque
from typing import Any

from tests.emulators.clb.wire import Json

LOG_LENGTH_MAX = 50_000
_SECRET = frozenset({"CertKey", "CertContent", "CertCaContent"})


class CallLog:
    """Counters by action and by error code, and the last :data:`LOG_LENGTH_MAX` calls in order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.log: deque[Json] = deque(maxlen=LOG_LENGTH_MAX)

    def note(self, entry: Json) -> None:
        """Remember one call. ``entry["request"]`` is redacted here; ``entry["error"]`` is a code or ``None``."""
        self.counts[entry["action"]] += 1
        if entry["error"]:
            self.errors[entry["error"]] += 1
        self.log.append({**entry, "request": redacted(entry["request"])})

    def reset(self) -> None:
        self.counts.clear()
        self.errors.clear()
        self.log.clear()

    def as_json(self, *, with_log: bool) -> Json:
        page: Json = {"total": self.counts.total(), "counts": dict(sorted(self.counts.items()))}
        page["errors"] = dict(sorted(self.errors.items()))
        if with_log:
            page["log"] = list(self.log)
        return page


def redacted(value: Any) -> Any:
    """The same JSON with key material blacked out."""
    if isinstance(value, dict):
        return {key: "***" if key in _SECRET else redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value
