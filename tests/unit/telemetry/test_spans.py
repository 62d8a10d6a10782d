"""Passes as spans: which there are, whose they are, what they say, and that nobody ever waits for them."""

import json
import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from l7lb.errors import Rejected
from l7lb.model.lane import Lane
from l7lb.model.outcome import Again, Done
from l7lb.model.phases import Call, Stage
from l7lb.runtime.workqueue import Taken
from l7lb.telemetry.passes import Passes
from l7lb.telemetry.passfields import FIELDS
from l7lb.telemetry.spans import PASSES_MAX, Spans, exporter
from tests.otlp import receiver
from tests.unit.runtime.fake_clock import FakeClock

WRITE: Final = Call("clb", "CreateListener", "OK", "ap-guangzhou", "req-1", write=True)
REFUSED: Final = Call("clb", "CreateRule", "InvalidParameter", "ap-guangzhou", "req-2", write=True)
PATCH: Final = Call("kubernetes", "PATCH", "200", write=True)


class Scene:
    """Passes whose spans end in memory."""

    def __init__(self, target: SpanExporter | None = None) -> None:
        self.clock = FakeClock()
        self.memory = InMemorySpanExporter()
        self.counts: Counter[str] = Counter()
        target = target if target is not None else self.memory
        self.sender = Spans(target, {"service.name": "l7lb"}, lambda result, spans: self.counts.update({result: spans}))
        numbers = iter(range(1, 10_000))
        self.passes = Passes(
            (self.sender,),
            monotonic=self.clock.monotonic,
            wall=lambda: self.clock.monotonic() + 1_700_000_000.0,
            ids=lambda: f"{next(numbers):016x}",
        )

    def order(self) -> None:
        """A pass that sends a step and leaves it to the cloud."""
        self.passes.began(Taken("new/1", Lane.CHANGE, 2.0))
        self.passes.about(("shop/web",))
        self.passes.enter(Stage.PLAN, "lb-1")
        self.clock.advance(0.5)
        self.passes.enter(Stage.APPLY)
        self.clock.advance(0.25)
        self.passes.called(WRITE, 0.25)
        self.passes.sent("create listeners HTTP:80", "req-1", "lb-1")
        self.passes.called(PATCH, 0.0)
        self.passes.ended("waiting", Again(1.0, "the cloud works on it"))

    def settle(self) -> None:
        """The pass that finds its task ended."""
        self.clock.advance(1.0)
        self.passes.began(Taken("new/1", Lane.CHANGE))
        self.passes.task_ended("req-1", "CreateListeners", "succeeded", 1.0)
        self.passes.performed("create listeners HTTP:80")
        self.passes.ended("success", Done())

    def spans(self) -> dict[str, ReadableSpan]:
        self.sender.step(0.0)
        found = {span.name: span for span in self.memory.get_finished_spans()}
        self.memory.clear()
        return found


def ids(span: ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def said(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_pass_is_a_trace_of_its_phases_and_calls() -> None:
    scene = Scene()
    scene.order()
    spans = scene.spans()
    parents = {name: span.parent.span_id if span.parent else None for name, span in spans.items()}
    root, apply = ids(spans["reconcile"])[1], ids(spans["apply"])[1]
    assert parents == {
        "reconcile": None, "queue": root, "plan": root, "apply": root,
        "clb CreateListener": apply, "kubernetes PATCH": apply,
    }  # fmt: skip
    assert {ids(span)[0] for span in spans.values()} == {1}
    assert said(spans["reconcile"])["l7lb.reconcile_id"] == f"{1:016x}"


def test_a_span_lasts_as_long_as_its_phase() -> None:
    scene = Scene()
    scene.order()
    start = 1_700_000_000.0 + scene.clock.monotonic() - 0.75
    times = {
        name: ((span.start_time or 0) / 1e9 - start, (span.end_time or 0) / 1e9 - start)
        for name, span in scene.spans().items()
    }
    expected = {
        "queue": (-2.0, 0.0), "reconcile": (-2.0, 0.75), "plan": (0.0, 0.5), "apply": (0.5, 0.75),
        "clb CreateListener": (0.5, 0.75), "kubernetes PATCH": (0.75, 0.75),
    }  # fmt: skip
    assert times == {name: pytest.approx(pair, abs=1e-6) for name, pair in expected.items()}


def test_a_task_is_linked_to_the_call_that_began_it_in_an_earlier_trace() -> None:
    scene = Scene()
    scene.order()
    call = scene.spans()["clb CreateListener"]
    scene.settle()
    spans = scene.spans()
    wait = spans["task CreateListeners"]
    (link,) = wait.links
    assert (link.context.trace_id, link.context.span_id) == ids(call)
    assert ids(wait)[0] != ids(call)[0]
    assert (wait.start_time, wait.end_time) == (call.end_time, spans["reconcile"].end_time)


def test_a_call_names_service_action_region_and_request() -> None:
    scene = Scene()
    scene.order()
    call = scene.spans()["clb CreateListener"]
    assert call.kind is SpanKind.CLIENT
    assert said(call) == {
        "l7lb.reconcile_id": f"{1:016x}", "l7lb.ingress": "shop/web", "l7lb.load_balancer": "lb-1",
        "l7lb.service": "clb", "l7lb.action": "CreateListener", "l7lb.code": "OK",
        "l7lb.region": "ap-guangzhou", "l7lb.request_id": "req-1",
    }  # fmt: skip


def test_what_fails_is_marked_and_says_why() -> None:
    scene = Scene()
    scene.passes.began(Taken("new/1", Lane.CHANGE))
    scene.passes.called(REFUSED, 0.1)
    scene.passes.ended("terminal", Rejected("no such path", reason="RequestRejected"))
    spans = scene.spans()
    assert spans["queue"].status.status_code is StatusCode.UNSET
    call, root = spans["clb CreateRule"].status, spans["reconcile"].status
    assert (call.status_code, call.description) == (StatusCode.ERROR, "InvalidParameter")
    assert (root.status_code, root.description) == (StatusCode.ERROR, "no such path")


def test_spans_have_no_other_attributes_than_the_page_lists() -> None:
    scene = Scene()
    scene.order()
    found = {name for span in scene.spans().values() for name in said(span)}
    scene.settle()
    found |= {name for span in scene.spans().values() for name in said(span)}
    assert found <= {f"l7lb.{field.name}" for field in FIELDS if field.span}


def test_what_the_sampler_leaves_out_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    scene = Scene()
    scene.order()
    assert (scene.spans(), scene.counts) == ({}, Counter())


class Broken(SpanExporter):
    """A receiver that takes nothing, or breaks."""

    def __init__(self) -> None:
        self.works = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if not self.works:
            raise RuntimeError("a bug in a library")
        return SpanExportResult.SUCCESS


def test_trouble_with_the_receiver_is_said_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    target = Broken()
    scene = Scene(target)
    for works in (False, False, True, True):
        target.works = works
        scene.order()
        scene.sender.step(0.0)
    assert scene.counts == {"failed": 12, "sent": 12}
    assert [one.getMessage() for one in caplog.records] == [
        "traces are not taken by their receiver, and are dropped", "traces are taken again",
    ]  # fmt: skip


def test_a_worker_never_waits_for_traces() -> None:
    scene = Scene()
    for _ in range(PASSES_MAX + 3):
        scene.order()
    assert scene.counts == {"dropped": 18}


def test_it_stops_although_the_receiver_hangs() -> None:
    reached, leave = threading.Event(), threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            reached.set()
            leave.wait(60)
            return SpanExportResult.FAILURE

    scene = Scene(Hanging())
    scene.sender.start(_nobody)
    scene.order()
    assert reached.wait(60)
    assert scene.sender.stop(0.0)
    leave.set()


def _nobody(_name: str, _error: BaseException | None) -> None:
    """Hears of a thread that has died."""


def test_a_header_that_cannot_be_read_is_not_said_since_it_may_be_a_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer hunter2")
    exporter("http://127.0.0.1:9").shutdown()
    assert "hunter2" not in caplog.text


def test_spans_arrive_at_a_receiver_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with receiver() as there:
        scene = Scene(exporter(there.url))
        scene.sender.start(_nobody)
        scene.order()
        assert scene.sender.stop(60.0)
        assert scene.sender._thread is not None
        scene.sender._thread.join(60.0)
    assert {"reconcile", "clb CreateListener"} <= {span.name for span in there.spans()}
    resource = there.requests[0].resource_spans[0].resource
    assert ("service.name", "l7lb") in {(one.key, one.value.string_value) for one in resource.attributes}
    assert scene.counts == {"sent": 6}


def test_nothing_of_opentelemetry_is_loaded_unless_it_is_asked_for() -> None:
    program = "import json, sys, l7lb.cli, l7lb.app.application; print(json.dumps([*sys.modules]))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not [name for name in json.loads(found.stdout) if name.startswith(("opentelemetry", "google.protobuf"))]
