"""The queue: folding, exclusion, lanes, delays, shutting down; and against a model."""

import pytest

from l7lb.model.lane import Lane
from l7lb.runtime.ratelimit import ItemBackoff, RetryLimiter, TokenBucket
from l7lb.runtime.workqueue import Deadline, NoQueueMetrics, Taken, WorkQueue


def keys(queue: WorkQueue, now: float) -> list[str]:
    """Take and give back until nothing is ready."""
    taken = []
    while isinstance(item := queue.take(now), Taken):
        taken.append(item.key)
        queue.done(item.key, now)
    return taken


def test_adds_of_a_waiting_key_are_folded() -> None:
    queue = WorkQueue()
    for _ in range(3):
        queue.add("a", Lane.CHANGE, 0.0)
    queue.add("a", Lane.VERIFY, 0.0)
    assert keys(queue, 0.0) == ["a"]


def test_a_key_added_while_worked_on_runs_once_more_and_never_twice_at_once() -> None:
    queue = WorkQueue()
    queue.add("a", Lane.CHANGE, 0.0)
    assert queue.take(0.0) == Taken("a", Lane.CHANGE)
    queue.add("a", Lane.CHANGE, 1.0)
    queue.add("a", Lane.ENDPOINTS, 1.0)
    assert queue.take(1.0) is None
    queue.done("a", 2.0)
    assert keys(queue, 2.0) == ["a"]


def test_an_empty_queue_with_a_delayed_key_says_when_to_come_back() -> None:
    queue = WorkQueue()
    assert queue.take(0.0) is None
    queue.add_after("a", Lane.CHANGE, 5.0, 0.0)
    assert queue.take(2.0) == Deadline(3.0)
    assert queue.take(5.0) == Taken("a", Lane.CHANGE)


def test_a_turn_of_the_verifier_brings_no_better_reason_forward() -> None:
    queue = WorkQueue(workers=4)
    queue.add_after("a", Lane.CHANGE, 36.0, 0.0)
    queue.add_after("a", Lane.VERIFY, 1.0, 0.0)
    assert queue.take(1.0) == Taken("a", Lane.VERIFY)
    queue.done("a", 1.0)
    assert queue.take(1.0) == Deadline(35.0)
    assert queue.take(36.0) == Taken("a", Lane.CHANGE)


def test_a_turn_of_the_verifier_gives_way_to_a_better_reason_that_comes_soon() -> None:
    queue = WorkQueue(workers=4)
    queue.add_after("a", Lane.ENDPOINTS, 10.0, 0.0)
    queue.add_after("a", Lane.VERIFY, 1.0, 0.0)
    assert queue.take(1.0) == Deadline(9.0)
    assert queue.take(10.0) == Taken("a", Lane.ENDPOINTS)
    queue.done("a", 10.0)
    assert queue.take(11.0) == Taken("a", Lane.VERIFY)


def test_a_turn_of_the_verifier_does_not_give_way_for_ever() -> None:
    queue, taken = WorkQueue(workers=4), list[Lane]()
    queue.add_after("a", Lane.VERIFY, 1.0, 0.0)
    for second in range(120):
        if second % 10 == 0:
            queue.add_after("a", Lane.CHANGE, 10.0, float(second))
        while isinstance(found := queue.take(float(second)), Taken):
            taken.append(found.lane)
            queue.done("a", float(second))
    assert taken.count(Lane.VERIFY) == 1


@pytest.mark.parametrize(("first", "second"), [(5.0, 1.0), (1.0, 5.0)], ids=["earlier later", "later later"])
def test_the_earlier_of_two_delays_wins_and_the_key_runs_once(first: float, second: float) -> None:
    queue = WorkQueue()
    queue.add_after("a", Lane.CHANGE, first, 0.0)
    queue.add_after("a", Lane.CHANGE, second, 0.0)
    assert queue.take(0.5) == Deadline(0.5)
    assert keys(queue, 1.0) == ["a"]
    assert keys(queue, 10.0) == []


def test_a_change_overtakes_a_back_off() -> None:
    queue = WorkQueue()
    queue.add_after("a", Lane.CHANGE, 60.0, 0.0)
    queue.add("a", Lane.CHANGE, 1.0)
    assert keys(queue, 1.0) == ["a"]


def test_a_delay_without_length_is_no_delay() -> None:
    queue = WorkQueue()
    queue.add_after("a", Lane.CHANGE, 0.0, 0.0)
    assert keys(queue, 0.0) == ["a"]


def test_failures_back_off_until_forgotten() -> None:
    queue = WorkQueue(limiter=RetryLimiter(ItemBackoff(first_s=1.0), TokenBucket(100, 100)))
    assert [queue.add_rate_limited("a", Lane.CHANGE, 0.0) for _ in range(3)] == [1.0, 2.0, 4.0]
    queue.forget("a")
    assert queue.add_rate_limited("a", Lane.CHANGE, 0.0) == 1.0


def test_one_change_is_served_before_ten_thousand_verifications() -> None:
    queue = WorkQueue()
    for number in range(10_000):
        queue.add(f"first-list-{number}", Lane.VERIFY, 0.0)
    queue.add("user", Lane.CHANGE, 1.0)
    assert queue.take(1.0) == Taken("user", Lane.CHANGE)


def test_changes_go_before_endpoints_until_one_has_waited_a_quarter_second() -> None:
    queue = WorkQueue()
    for number in range(3):
        queue.add(f"e{number}", Lane.ENDPOINTS, 0.0)
        queue.add(f"c{number}", Lane.CHANGE, 0.0)
    assert keys(queue, 0.1) == ["c0", "c1", "c2", "e0", "e1", "e2"]


def test_a_change_takes_turns_with_three_pods_once_one_has_waited_a_quarter_second() -> None:
    queue = WorkQueue()
    for number in range(8):
        queue.add(f"c{number}", Lane.CHANGE, 0.0)
        queue.add(f"e{number}", Lane.ENDPOINTS, 0.0, urgent=number % 2 == 0)
    order = "".join(key[0] for key in keys(queue, 0.25))
    assert order == "ceeeceeeceeccccc"


def test_a_change_takes_turns_with_each_load_balancer_to_which_a_node_came() -> None:
    queue = WorkQueue()
    for number in range(3):
        queue.add(f"c{number}", Lane.CHANGE, 0.0)
        queue.add(f"n{number}", Lane.ARRIVALS, 0.0)
    assert keys(queue, 0.25) == ["c0", "n0", "c1", "n1", "c2", "n2"]


def test_what_takes_targets_off_goes_first_among_endpoints() -> None:
    queue = WorkQueue()
    queue.add("scale-out", Lane.ENDPOINTS, 0.0)
    queue.add("dead-pod", Lane.ENDPOINTS, 0.1, urgent=True)
    assert keys(queue, 0.1) == ["dead-pod", "scale-out"]


def test_a_node_that_came_goes_behind_the_pods_that_did_and_before_verification() -> None:
    queue = WorkQueue()
    queue.add("verify", Lane.VERIFY, 0.0)
    queue.add("node", Lane.ARRIVALS, 0.0)
    queue.add("pod", Lane.ENDPOINTS, 5.0)
    queue.add("both", Lane.ARRIVALS, 5.0)
    queue.add("both", Lane.ENDPOINTS, 5.0)
    assert queue.depth(Lane.ENDPOINTS) == 3
    assert [queue.take(9.0) for _ in range(4)] == [
        Taken("pod", Lane.ENDPOINTS),
        Taken("both", Lane.ENDPOINTS),
        Taken("node", Lane.ARRIVALS),
        Taken("verify", Lane.VERIFY),
    ]


def test_a_dead_pod_does_not_wait_behind_the_changes_that_its_key_also_waits_among() -> None:
    queue = WorkQueue()
    for number in range(500):
        queue.add(f"new-{number}", Lane.CHANGE, 0.0)
    queue.add("both", Lane.CHANGE, 0.0)
    queue.add("both", Lane.ENDPOINTS, 0.0, urgent=True)
    served = keys(queue, 1.0)
    assert served.index("both") == 1
    assert served.count("both") == 1


@pytest.mark.parametrize("better", [Lane.CHANGE, Lane.ENDPOINTS])
def test_a_better_reason_moves_a_key_up(better: Lane) -> None:
    queue = WorkQueue()
    queue.add("first", Lane.VERIFY, 0.0)
    queue.add("second", Lane.VERIFY, 0.0)
    queue.add("second", better, 0.0)
    assert keys(queue, 0.0) == ["second", "first"]
    assert queue.depth(Lane.VERIFY) == 0


@pytest.mark.parametrize(("workers", "allowed"), [(1, 1), (3, 1), (8, 2), (20, 5)], ids=str)
def test_verification_never_has_more_than_a_quarter_of_the_workers(workers: int, allowed: int) -> None:
    queue = WorkQueue(workers=workers)
    for number in range(workers):
        queue.add(str(number), Lane.VERIFY, 0.0)
    taken = [item for _ in range(workers) if isinstance(item := queue.take(0.0), Taken)]
    assert len(taken) == allowed
    queue.add("user", Lane.CHANGE, 0.0)
    assert queue.take(0.0) == Taken("user", Lane.CHANGE)


def test_a_verification_that_ends_lets_the_next_one_begin() -> None:
    queue = WorkQueue(workers=4)
    queue.add("a", Lane.VERIFY, 0.0)
    queue.add("b", Lane.VERIFY, 0.0)
    assert queue.take(0.0) == Taken("a", Lane.VERIFY)
    assert queue.take(0.0) is None
    queue.done("a", 1.0)
    assert queue.take(1.0) == Taken("b", Lane.VERIFY)


def test_after_shut_down_nothing_is_accepted_or_handed_out_but_running_work_ends() -> None:
    queue = WorkQueue()
    queue.add("running", Lane.CHANGE, 0.0)
    queue.take(0.0)
    queue.add("waiting", Lane.CHANGE, 0.0)
    queue.shut_down()
    queue.add("late", Lane.CHANGE, 0.0)
    queue.add_after("later", Lane.CHANGE, 1.0, 0.0)
    assert queue.take(10.0) is None
    assert not queue.drain(0.0)
    queue.done("running", 10.0)
    assert queue.drain(0.0)


def test_metrics_follow_a_key_through_the_queue() -> None:
    class Recorder(NoQueueMetrics):
        def __init__(self) -> None:
            self.seen: list[tuple[str, object]] = []

        def taken(self, lane: Lane, waited_s: float) -> None:
            self.seen.append((f"taken {lane}", waited_s))

        def added(self, lane: Lane) -> None:
            self.seen.append(("added", lane))

        def worked(self, seconds: float) -> None:
            self.seen.append(("worked", seconds))

        def retried(self) -> None:
            self.seen.append(("retried", None))

    metrics = Recorder()
    queue = WorkQueue(metrics=metrics)
    queue.add("a", Lane.CHANGE, 0.0)
    queue.add("a", Lane.CHANGE, 1.0)
    queue.take(2.0)
    assert queue.unfinished(5.0) == (3.0, 3.0)
    queue.done("a", 6.0)
    queue.add_rate_limited("a", Lane.CHANGE, 6.0)
    assert metrics.seen == [
        ("added", Lane.CHANGE),
        ("taken change", 2.0),
        ("worked", 4.0),
        ("retried", None),
        ("added", Lane.CHANGE),
    ]
    assert queue.unfinished(7.0) == (0, 0.0)


def test_a_wait_put_off_a_thousand_times_is_kept_once() -> None:
    queue = WorkQueue()
    for second in range(1000):
        queue.add_after("a", Lane.CHANGE, 100.0, float(second) / 100)
    assert len(queue._delays._heap) == 1


def test_what_takes_targets_off_goes_first_again_when_it_comes_back() -> None:
    queue = WorkQueue()
    queue.add("gone", Lane.ENDPOINTS, 0.0, urgent=True)
    taken = queue.take(0.0)
    assert taken == Taken("gone", Lane.REMOVALS)
    queue.add("more", Lane.ENDPOINTS, 0.0)
    queue.add_after("gone", Lane.REMOVALS, 1.0, 0.0)
    queue.done("gone", 0.0)
    assert queue.take(1.0) == Taken("gone", Lane.REMOVALS)
    assert queue.take(1.0) == Taken("more", Lane.ENDPOINTS)
