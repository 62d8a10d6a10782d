"""When traces are sent: asked for by the flag, or in OpenTelemetry's own words."""

import itertools
import logging
import random
import re
import sys
from collections.abc import Mapping

import pytest

from l7lb.app.config import Config
from l7lb.app.connections import pass_ids
from l7lb.app.tracing import SPANS, is_asked, tracing
from l7lb.errors import ConfigurationError
from l7lb.telemetry.metrics import Metrics

SOMEWHERE = "http://127.0.0.1:4318"
BY_FLAG, BY_ENVIRONMENT = Config("cls-1", "ap-guangzhou", otlp_endpoint=SOMEWHERE), Config("cls-1", "ap-guangzhou")
ASKED: dict[str, tuple[Config, Mapping[str, str], bool]] = {
    "nobody asks": (BY_ENVIRONMENT, {}, False),
    "the flag": (BY_FLAG, {}, True),
    "the environment": (BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": SOMEWHERE}, True),
    "the environment, for traces": (BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": SOMEWHERE}, True),
    "an empty word": (BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    "the SDK is switched off": (
        BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": SOMEWHERE, "OTEL_SDK_DISABLED": "true"}, False
    ),
    "there is no exporter": (
        BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": SOMEWHERE, "OTEL_TRACES_EXPORTER": "none"}, False
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "environ", "asked"), ASKED.values(), ids=ASKED)
def test_traces_are_sent_when_somebody_asks(config: Config, environ: Mapping[str, str], asked: bool) -> None:
    assert is_asked(config, environ) is asked


def test_ids_of_passes_come_from_dice_that_are_given() -> None:
    first, second = (list(itertools.islice(iter(pass_ids(random.Random(7)), ""), 5)) for _ in range(2))
    assert first == second
    assert len(set(first)) == 5
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in first)


@pytest.fixture
def _without(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is not installed."""
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    monkeypatch.delitem(sys.modules, SPANS, raising=False)


@pytest.mark.usefixtures("_without")
def test_the_flag_without_the_extra_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match=r"--otlp-endpoint: .*l7lb\[otel\]"):
        tracing(BY_FLAG, {}, "test", Metrics("test"))


@pytest.mark.usefixtures("_without")
def test_the_environment_without_the_extra_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert tracing(BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": SOMEWHERE}, "test", Metrics("test")) == ()
    assert "no traces are sent: traces need the extra `otel`" in caplog.text


@pytest.fixture(params=["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT"])
def variable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of OpenTelemetry's own, with a value that it does not take."""
    monkeypatch.setenv(request.param, "many")
    return str(request.param)


def test_a_variable_that_cannot_be_read_is_a_mistake_where_the_flag_asks_for_traces(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"--otlp-endpoint: .*{variable} .* many"):
        tracing(BY_FLAG, {}, "test", Metrics("test"))


def test_a_variable_that_cannot_be_read_costs_the_traces_alone_where_only_the_environment_asks(
    variable: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert tracing(BY_ENVIRONMENT, {"OTEL_EXPORTER_OTLP_ENDPOINT": SOMEWHERE}, "test", Metrics("test")) == ()
    assert "no traces are sent" in caplog.text
    assert variable in caplog.text


def test_what_is_sent_is_counted() -> None:
    metrics = Metrics("test")
    (traces,) = tracing(BY_FLAG, {}, "test", metrics)
    assert traces.name == "traces"
    shown = metrics.registry.get_sample_value("l7lb_trace_spans_total", {"result": "sent"})
    assert shown == 0


def test_nobody_sends_anything_unasked() -> None:
    assert tracing(BY_ENVIRONMENT, {}, "test", Metrics("test")) == ()
