"""Answers of the webhook as numbers: by how they ended, and how long they took."""

import pytest

from l7lb.telemetry.admitting import Answerer, counted
from l7lb.telemetry.metrics import WEBHOOK, Metrics


def _good(_body: bytes) -> bytes:
    return b"{}"


def _unreadable(_body: bytes) -> bytes:
    raise ValueError("no review")


def _bug(_body: bytes) -> bytes:
    raise KeyError("a bug")


@pytest.mark.parametrize(("answerer", "code"), [(_good, "200"), (_unreadable, "400"), (_bug, "500")])
def test_an_answer_is_counted_by_how_it_ended(answerer: Answerer, code: str) -> None:
    metrics, times = Metrics("test"), iter((10.0, 10.5))
    answer = counted(answerer, metrics, lambda: next(times))
    if code == "200":
        assert answer(b"") == b"{}"
    else:
        with pytest.raises((ValueError, KeyError)):
            answer(b"")
    value = metrics.registry.get_sample_value
    name = "controller_runtime_webhook_requests_total"
    found = {one: value(name, {"webhook": WEBHOOK, "code": one}) for one in ("200", "400", "500")}
    assert found == {one: float(one == code) for one in found}
    assert value("controller_runtime_webhook_latency_seconds_sum", {"webhook": WEBHOOK}) == 0.5
    assert value("controller_runtime_webhook_requests_in_flight", {"webhook": WEBHOOK}) == 0
