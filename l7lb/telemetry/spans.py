"""Passes as OpenTelemetry spans, sent by a thread of its own. Imported only where traces are asked for.

A worker only puts the value of a finished pass into a queue; when that is full, or nobody takes the spans, they are
dropped and counted, and nothing else suffers. The id of a trace is that of its pass, and span ids follow from it: so a
task's span can point at the call that began it, in the trace of an earlier pass, although nothing of that is kept.
"""

import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from l7lb.model.phases import Call, Pass, Phase, TaskEnd
from l7lb.telemetry.passfields import about, of_pass, of_phase, words

_logger = logging.getLogger(__name__)

PASSES_MAX: Final = 1000
"""Passes that wait to be sent; of some 20 spans each."""
BATCH_MAX: Final = 100
"""Passes that are sent with one request."""
LOOK_S: Final = 1.0
"""So often it looks whether it is to stop."""
STOP_S: Final = 3.0
"""What is left at the end is sent within this time, or not at all."""
_NS: Final = 1_000_000_000

OnSpans = Callable[[str, int], None]
"""`sent`, `failed` or `dropped`, and how many."""


def exporter(endpoint: str) -> SpanExporter:
    """To an OTLP receiver over HTTP. `endpoint` is its address without a path; empty: as `OTEL_EXPORTER_OTLP_*` say."""
    # What goes wrong is said once by us; its own lines repeat what a server answers, and headers that it cannot read.
    for name in ("opentelemetry", "opentelemetry.exporter", "opentelemetry.sdk"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)


def sender(endpoint: str, resource: Mapping[str, str], on_spans: OnSpans) -> "Spans":
    """What `l7lb run` uses; `resource` says whose spans they are."""
    return Spans(exporter(endpoint), resource, on_spans)


class Spans:
    """Observes passes, and is a part of the lifecycle. Neither blocks a worker nor ends the process."""

    name = "traces"
    only_after_drain = False

    def __init__(self, target: SpanExporter, resource: Mapping[str, str], on_spans: OnSpans) -> None:
        self._target = target
        self._on_spans = on_spans
        self._waiting: queue.Queue[Pass] = queue.Queue(PASSES_MAX)
        self._made = _Made()
        self._ids = _Ids()
        provider = TracerProvider(
            resource=Resource.create(dict(resource)), id_generator=self._ids, shutdown_on_exit=False
        )
        provider.add_span_processor(self._made)
        self._tracer = provider.get_tracer("l7lb")
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failing = False

    def phase(self, phase: Phase, pass_id: str) -> None:
        """Told with its pass."""

    def passed(self, done: Pass) -> None:
        """Queue it, or drop it."""
        try:
            self._waiting.put_nowait(done)
        except queue.Full:
            self._on_spans("dropped", 1 + len(done.phases))

    def start(self, died: Callable[[str, BaseException | None], None]) -> None:  # noqa: ARG002 - see `run`
        """Returns at once."""
        self._thread = threading.Thread(target=self.run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Send what is left if that is quick. Whatever becomes of it, nobody waits for traces."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(min(timeout_s, STOP_S))
        return True

    def run(self) -> None:
        """Until it is stopped and nothing waits, or cannot be sent."""
        while not (self._stopping.is_set() and (self._waiting.empty() or self._failing)):
            self.step(LOOK_S)
        self._target.shutdown()

    def step(self, wait_s: float) -> None:
        """Send what has come up to now, or comes within `wait_s`."""
        spans = [span for done in self._gathered(wait_s) for span in self.spans_of(done)]
        if not spans:
            return
        try:
            sent = self._target.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001 - whatever a library of traces does must not end a process that serves
            sent = False
        self._on_spans("sent" if sent else "failed", len(spans))
        if sent is self._failing:
            self._failing = not sent
            _logger.log(
                logging.INFO if sent else logging.WARNING,
                "traces %s", "are taken again" if sent else "are not taken by their receiver, and are dropped",
            )  # fmt: skip

    def spans_of(self, done: Pass) -> list[ReadableSpan]:
        """The spans of one pass, its own last; none when the sampler leaves it out."""
        self._ids.pass_id = done.id
        self._ids.number = 0
        root = self._tracer.start_span(
            "reconcile",
            Context(),
            attributes=_attributes(of_pass(done) | {"queue_s": done.queued_s}),
            start_time=_ns(done.at - done.queued_s),
        )
        if root.is_recording():
            opened = {0: root}
            for phase in sorted(done.phases, key=lambda one: one.number):
                self._child(done, phase, opened)
        if done.error:
            root.set_status(Status(StatusCode.ERROR, done.reason))
        root.end(_ns(done.at + done.seconds))
        return self._made.take()

    def _child(self, done: Pass, phase: Phase, opened: dict[int, Span]) -> None:
        """Its parent comes before it: numbers are given at the beginning of a phase."""
        self._ids.number = phase.number
        parent = opened.get(phase.within, opened[0])
        start = done.at + phase.started - done.started
        span = self._tracer.start_span(
            words(phase),
            set_span_in_context(parent, Context()),
            kind=SpanKind.CLIENT if isinstance(phase.detail, Call) else SpanKind.INTERNAL,
            attributes=_attributes({"reconcile_id": done.id} | about(phase) | of_phase(phase)),
            links=list(_links(phase)),
            start_time=_ns(start),
        )
        opened[phase.number] = span
        if bad := _failure(phase):
            span.set_status(Status(StatusCode.ERROR, bad))
        span.end(_ns(start + phase.seconds))

    def _gathered(self, wait_s: float) -> Iterator[Pass]:
        try:
            yield self._waiting.get(timeout=wait_s) if wait_s > 0 else self._waiting.get_nowait()
            for _ in range(BATCH_MAX - 1):
                yield self._waiting.get_nowait()
        except queue.Empty:
            return


class _Made(SpanProcessor):
    """Keeps spans until they are asked for; used by one thread."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self._spans.append(span)

    def take(self) -> list[ReadableSpan]:
        spans, self._spans = self._spans, []
        return spans


class _Ids(IdGenerator):
    """Ids that follow from the pass; used by one thread."""

    pass_id = ""
    number = 0

    def generate_trace_id(self) -> int:
        return _trace_id(self.pass_id)

    def generate_span_id(self) -> int:
        return _span_id(self.pass_id, self.number)


def _trace_id(pass_id: str) -> int:
    """The pass's id with zeros before it: whoever has one can look for the other."""
    return int(pass_id, 16)


def _span_id(pass_id: str, number: int) -> int:
    digest = hashlib.blake2b(f"{pass_id}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


def _links(phase: Phase) -> Iterator[Link]:
    """From a task to the call that began it."""
    match phase.detail:
        case TaskEnd(pass_id=pass_id, number=number) if pass_id:
            flags = TraceFlags(TraceFlags.SAMPLED)
            yield Link(SpanContext(_trace_id(pass_id), _span_id(pass_id, number), is_remote=False, trace_flags=flags))
        case _:
            return


def _failure(phase: Phase) -> str:
    match phase.detail:
        case Call(code=code) if code != "OK" and not code.startswith("2"):
            return code
        case TaskEnd(status=status) if status != "succeeded":
            return status
        case _:
            return ""


def _attributes(fields: Mapping[str, str | int | float | list[str]]) -> dict[str, str | int | float | list[str]]:
    return {f"l7lb.{name}": value for name, value in fields.items()}


def _ns(seconds: float) -> int:
    return round(seconds * _NS)
