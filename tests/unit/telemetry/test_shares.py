"""Gauges of several shards in one process: the sum where parts add up, else the worst; and nothing of who has gone."""

import pytest
from prometheus_client import CollectorRegistry

from l7lb.app.neighbours import Doubt
from l7lb.app.quotas import Ratios, together
from l7lb.model.identity import BindingKey
from l7lb.model.lane import Lane
from l7lb.telemetry.counting import ControllerCounting, QueueCounting, ReconcileCounting
from l7lb.telemetry.metrics import CONTROLLER, Metrics
from l7lb.telemetry.shares import ALWAYS, SUMMED, Share, Shares


class Process:
    """One with so many shards led in it; their parts are 1, 2, 4, ..."""

    def __init__(self, shards: int) -> None:
        self.metrics = Metrics("test", CollectorRegistry())
        self.shares = Shares(self.metrics)
        self.terms = [self.shares.new() for _ in range(shards)]
        for number, term in enumerate(self.terms):
            self.tell(term, 2**number)

    def tell(self, term: Share, part: int) -> None:
        QueueCounting(term).depth(Lane.CHANGE, part)
        ControllerCounting(term, workers=8)
        ReconcileCounting(term, str).left_out(BindingKey(f"new/{part}"), part)
        Doubt(term).tell("a copy" if part == 1 else "")
        term.set("l7lb_orphan_oldest_seconds", float(part), CONTROLLER)
        term.only("l7lb_certificate_expiry_timestamp_seconds", {(f"cert-{part}",): 7.0, ("both",): float(part)})

    def __call__(self, name: str, *values: str) -> float | None:
        labels = dict(zip(self.metrics._gauges[name]._labelnames, values, strict=True))
        return self.metrics.registry.get_sample_value(name, labels)

    def told(self) -> tuple[float | None, ...]:
        return (
            self("workqueue_depth", CONTROLLER, "0"),
            self("controller_runtime_max_concurrent_reconciles", CONTROLLER),
            self("l7lb_unstable_fields", CONTROLLER),
            self("l7lb_deletes_held", CONTROLLER),
            self("l7lb_orphan_oldest_seconds", CONTROLLER),
        )


@pytest.mark.parametrize(
    ("shards", "told"),
    [
        pytest.param(1, (1, 8, 1, 1, 1), id="one tells what it would tell without shards"),
        pytest.param(2, (3, 16, 3, 1, 2), id="two"),
        pytest.param(3, (7, 24, 7, 1, 4), id="three"),
    ],
)
def test_a_gauge_says_what_it_means_however_many_shards_are_led(shards: int, told: tuple[float, ...]) -> None:
    assert Process(shards).told() == told


def test_what_a_shard_has_told_that_was_handed_over_does_not_count_any_more() -> None:
    process = Process(3)
    process.terms[2].leave()
    assert process.told() == (3, 16, 3, 1, 2)
    process.terms[0].leave()
    assert process.told() == (2, 8, 2, 0, 2)
    process.terms[1].leave()
    assert process.told() == (0, None, 0, 0, 0)


def test_a_series_goes_with_the_last_who_has_told_it() -> None:
    process, name = Process(2), "l7lb_certificate_expiry_timestamp_seconds"
    assert (process(name, "cert-1"), process(name, "both")) == (7.0, 2.0)
    process.terms[1].only(name, {("cert-2",): 8.0})
    assert (process(name, "cert-2"), process(name, "both")) == (8.0, 1.0)
    process.terms[0].leave()
    assert (process(name, "cert-1"), process(name, "both"), process(name, "cert-2")) == (None, None, 8.0)


def test_what_comes_late_from_a_term_that_is_over_changes_nothing() -> None:
    process = Process(2)
    process.terms[1].leave()
    process.tell(process.terms[1], 64)
    assert process.told() == (1, 8, 1, 1, 1)


def test_counters_and_moved_gauges_add_up_by_themselves() -> None:
    process = Process(2)
    for term in process.terms:
        term.count("l7lb_plans_total", CONTROLLER)
        term.add("controller_runtime_active_workers", 1, CONTROLLER)
    assert process.metrics.registry.get_sample_value("l7lb_plans_total", {"controller": CONTROLLER}) == 2
    assert process("controller_runtime_active_workers", CONTROLLER) == 2


def test_what_is_summed_is_a_gauge_that_there_is() -> None:
    metrics = Metrics("test", CollectorRegistry())
    assert set(metrics._gauges) >= SUMMED
    assert {name for name, _ in ALWAYS} & set(metrics._gauges)


def test_of_a_quota_the_largest_use_that_any_shard_knows_counts() -> None:
    one: Ratios = {("ap-guangzhou", "rules"): 0.2, ("ap-guangzhou", "public"): 0.5}
    other: Ratios = {("ap-guangzhou", "rules"): 0.9, ("ap-beijing", "rules"): 0.1}
    assert together([one, other]) == one | other
    assert together([other, one]) == one | other
