"""Faults to order: which requests go wrong, how, and how often. No kind of object is known here."""

import itertools
from dataclasses import dataclass, field, replace

from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.wire import ConnectionLost, Json

KINDS = {"conflict", "drop", "gone", "hang", "lost", "malformed_line", "reset_watches", "silence", "watch_error"}
"""Beside `http_<status>`. `lost`: carried out, and the answer lost. `silence`: open watches say nothing."""
ON_WATCHES = {"malformed_line", "reset_watches", "silence", "watch_error"}
"""These happen at once, to all open watches, and match no request."""


class Hang(TimeoutError):
    """No answer for so long; the server keeps the connection open, a simulation takes it as a time-out."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Fault:
    """One order, for the next `count` requests that match."""

    kind: str
    verb: str = "*"
    resource: str = "*"
    count: int = 1
    seconds: float = 0.0

    @classmethod
    def of(cls, wire: Json) -> "Fault":
        """Read an order; 400 for a kind that there is none of."""
        kind = str(wire.get("kind", ""))
        if kind not in KINDS and not (kind.startswith("http_") and kind[5:].isdigit()):
            raise ApiError(400, f"no such fault: {kind!r}; there are http_<status>, {', '.join(sorted(KINDS))}")
        return cls(
            kind,
            str(wire.get("verb") or "*"),
            str(wire.get("resource") or "*"),
            int(wire.get("count") or 1),
            float(wire.get("seconds") or 0.0),
        )

    def hits(self, verb: str, resource: str) -> bool:
        """Whether a request is meant."""
        return self.count > 0 and self.verb in {"*", verb} and self.resource in {"*", resource}

    def strike(self, resource: str, name: str) -> None:
        """Go wrong instead of answering."""
        match self.kind:
            case "drop":
                raise ConnectionLost
            case "hang":
                raise Hang(self.seconds)
            case "conflict":
                raise ApiError(
                    409,
                    f'Operation cannot be fulfilled on {resource} "{name}": the object has been modified; please '
                    "apply your changes to the latest version and try again",
                )
            case "gone":
                raise ApiError(410, "too old resource version: 1 (2)", "Expired")
            case "lost":
                return
            case _:
                raise self._http_error()

    def _http_error(self) -> ApiError:
        status = int(self.kind[5:])
        error = ApiError(status, f"ordered fault: {status}")
        if self.seconds:
            error.details = {"retryAfterSeconds": int(self.seconds)}
        return error


@dataclass
class Faults:
    """All orders that are not used up."""

    orders: list[Fault] = field(default_factory=list)

    def take(self, verb: str, resource: str) -> Fault | None:
        """The first order that a request matches, counted down."""
        place = next((index for index, fault in enumerate(self.orders) if fault.hits(verb, resource)), None)
        if place is None:
            return None
        fault = self.orders[place]
        left = replace(fault, count=fault.count - 1)
        self.orders[place : place + 1] = [left] if left.count else []
        return fault


@dataclass
class RequestLog:
    """Who asked for what: counts for ever, lines for the last so many."""

    lines: list[Json] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    lines_max: int = 50_000

    def note(self, line: Json) -> None:
        """One more request."""
        name = f"{line['verb']} {line['resource']}"
        self.counts[name] = self.counts.get(name, 0) + 1
        self.lines.append(line)
        if len(self.lines) > self.lines_max:
            del self.lines[: self.lines_max // 2]

    def wire(self, last: int) -> Json:
        """Counts, and the last lines."""
        start = max(len(self.lines) - last, 0)
        return {"counts": dict(sorted(self.counts.items())), "log": list(itertools.islice(self.lines, start, None))}

    def clear(self) -> None:
        """Begin to count anew."""
        self.lines.clear()
        self.counts.clear()
