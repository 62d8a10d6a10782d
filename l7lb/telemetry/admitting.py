"""Answers of a webhook as metrics, with the names that other controllers have for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from l7lb.telemetry.metrics import WEBHOOK, Metrics

Answerer = Callable[[bytes], bytes]
"""From a request's body to the answer's; ValueError: it is not what was expected."""


def counted(answerer: Answerer, metrics: Metrics, monotonic: Callable[[], float]) -> Answerer:
    """The same, and what comes of each request is counted: 200, 400 for what cannot be read, 500 for a bug."""

    def answer(body: bytes) -> bytes:
        with _watched(metrics, monotonic):
            return answerer(body)

    return answer


@contextmanager
def _watched(metrics: Metrics, monotonic: Callable[[], float]) -> Iterator[None]:
    started, code = monotonic(), "500"
    metrics.add("controller_runtime_webhook_requests_in_flight", 1, WEBHOOK)
    try:
        yield
        code = "200"
    except ValueError:
        code = "400"
        raise
    finally:
        metrics.add("controller_runtime_webhook_requests_in_flight", -1, WEBHOOK)
        metrics.count("controller_runtime_webhook_requests_total", WEBHOOK, code)
        metrics.observe("controller_runtime_webhook_latency_seconds", monotonic() - started, WEBHOOK)
