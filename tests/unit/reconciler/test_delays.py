"""When a task is looked at: most are to cost one look, and none is to be found much later than it ended."""

from hypothesis import given
from hypothesis import strategies as st

from l7lb.model.identity import LoadBalancerId
from l7lb.model.loadbalancer import CreateSpec
from l7lb.model.plan import CreateLoadBalancer, DeleteLoadBalancer, Step
from l7lb.reconciler.flights import LATE_S, Delays

STEP: Step = DeleteLoadBalancer(LoadBalancerId("lb-1"), "its Ingress goes")


def follow(delays: Delays, task_s: float, late_s: float = 0.0) -> tuple[int, float]:
    """Look at one task until it is over: how often, and how long after its end. Each look comes a little late."""
    running, looks, meant = 0.0, 0, delays.first(STEP)
    while True:
        now = meant + late_s
        looks += 1
        if now >= task_s:
            delays.learn(STEP, running, now, meant)
            return looks, now - task_s
        running, meant = now, now + delays.following(STEP, looks)


def test_the_first_task_of_a_kind_is_looked_at_soon() -> None:
    assert Delays().first(STEP) == 0.3


@given(st.floats(0.3, 4.0))
def test_tasks_that_take_equally_long_cost_one_look_each_once_that_is_known(task_s: float) -> None:
    delays = Delays()
    for _ in range(100):
        follow(delays, task_s)
    told = [follow(delays, task_s) for _ in range(200)]
    assert sum(looks for looks, _ in told) <= 1.25 * len(told)
    assert max(after for _, after in told) <= 0.45 + 0.2 * task_s


@given(st.floats(0.3, 4.0))
def test_a_look_that_came_late_for_want_of_a_token_teaches_nothing_longer(task_s: float) -> None:
    delays = Delays()
    for _ in range(50):
        follow(delays, task_s)
    known = delays.first(STEP)
    for _ in range(50):
        follow(delays, task_s, late_s=20.0)
    assert delays.first(STEP) <= known


def test_a_creation_that_takes_longer_than_usual_is_looked_at_sooner_again_than_other_tasks() -> None:
    order, delays = CreateLoadBalancer(CreateSpec(), (), "token"), Delays()
    for step in (order, STEP):
        delays.learn(step, 0.0, 3.5, 3.5)
    gaps = [[delays.following(step, looks) for looks in range(1, 30)] for step in (order, STEP)]
    assert all(one < other for one, other in zip(*gaps, strict=True) if other < delays.cap_s)
    assert gaps[0] == sorted(gaps[0])
    assert gaps[0][0] < 0.25
    assert max(gaps[0]) <= delays.cap_s


def test_what_becomes_slower_or_faster_is_learned() -> None:
    delays = Delays()
    for _ in range(50):
        follow(delays, 1.0)
    for _ in range(20):
        follow(delays, 3.0)
    assert 2.9 <= delays.first(STEP) <= 3.5
    for _ in range(60):
        follow(delays, 1.0)
    assert delays.first(STEP) <= 1.3


@given(st.lists(st.tuples(st.floats(0.0, 30.0), st.sampled_from([0.0, 0.5 * LATE_S, 20.0])), max_size=40))
def test_nobody_waits_longer_than_the_cap_between_two_looks(tasks: list[tuple[float, float]]) -> None:
    delays = Delays()
    for task_s, late_s in tasks:
        follow(delays, task_s, late_s)
        assert delays.first_s <= delays.first(STEP) <= delays.cap_s
        assert all(delays.first_s <= delays.following(STEP, looks) <= delays.cap_s for looks in range(1, 60))
