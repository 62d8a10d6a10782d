"""Three replicas, and the leader is killed, frozen, cut off or rolled out: only who holds the lease writes.

All the while Ingresses come, change and go, and one that nobody edits is asked without end. Each ending takes the
length of a lease, so some are told at the same time.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests import envtest
from tests.system.fleet import Fleet, fleet, leave_nothing, load_on
from tests.system.replicas import wait
from tests.system.tenure import LEASE_S, Sight, Write, breaches, vacancies
from tests.system.world import World, ingress, rule

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

ROOM_S = 10.0
"""For a machine that is busy; the bounds themselves are those of the timers."""
AT_ONCE = 3
"""Stories that are told at the same time: each has three replicas and an API server, and most of it is waiting."""


@dataclass(frozen=True)
class Ending:
    """What came of one story."""

    codes: tuple[int, ...]
    """Of the leaders that went."""
    vacancies: list[float]
    late: list[Write]
    writers: int
    """How many replicas wrote to the cloud."""
    failures: list[str]
    answers: int
    deeds: int
    first_change_s: float


def killed(sea: Fleet) -> tuple[int, ...]:
    """Kill -9 in the middle of its work."""
    leader = sea.leader()
    leader.kill()
    sea.other_than(leader, LEASE_S + 2.0 + ROOM_S)
    return (leader.process.returncode,)


def frozen(sea: Fleet) -> tuple[int, ...]:
    """Frozen past its lease, and thawed while another leads."""
    leader = sea.leader()
    os.kill(leader.process.pid, signal.SIGSTOP)
    sea.other_than(leader, LEASE_S + 2.0 + ROOM_S)
    os.kill(leader.process.pid, signal.SIGCONT)
    return (leader.ends(60.0),)


def cut_off(sea: Fleet) -> tuple[int, ...]:
    """It reaches the cloud and not the API server."""
    leader = sea.leader()
    sea.doors[leader.name].shut()
    code = leader.ends(LEASE_S + ROOM_S)
    sea.other_than(leader, LEASE_S + ROOM_S)
    return (code,)


def rolled_out(sea: Fleet) -> tuple[int, ...]:
    """Each is replaced: a new one is ready before the old one is asked to go, the leader first."""
    leader = sea.leader()
    old = sorted(sea.replicas, key=lambda one: one is not leader)
    codes = []
    for one in old:
        sea.start()
        codes.append(one.terminate())
        sea.leader()
        enough = sea.churn.deeds + 4
        wait("four deeds under this leader", partial(_has_done, sea, enough), 60.0, *sea.replicas)
    return tuple(codes)


def _has_done(sea: Fleet, deeds: int) -> bool:
    return sea.churn.deeds >= deeds


STORIES: dict[str, Callable[[Fleet], tuple[int, ...]]] = {
    story.__name__: story for story in (killed, frozen, cut_off, rolled_out)
}


def tell(number: int, name: str, *, real: bool) -> Ending:
    """One story from its start to its end, when nothing is left in the cloud."""
    with fleet(number, real=real) as sea:
        with load_on(sea) as load:
            codes = STORIES[name](sea)
            sea.leader()
            first_change_s = _first_change(sea.world)
            wait(
                "enough is asked and done", lambda: _enough(load.answers.total(), sea.churn.deeds), 60.0, *sea.replicas
            )
        leave_nothing(sea)
        writes, sights = sea.cloud_writes(), sea.history.sights
        return Ending(
            codes=codes,
            vacancies=vacancies(sights),
            late=breaches([*writes, *sea.cluster_writes()], sights),
            writers=len({write.holder for write in writes}),
            failures=load.failures,
            answers=load.answers.total(),
            deeds=sea.churn.deeds,
            first_change_s=first_change_s,
        )


def _first_change(world: World) -> float:
    """Seconds from a user's wish to its fulfilment."""
    began = time.monotonic()
    world.kube.create(ingress("first", "steady", rule("first.example.com", "web")))
    world.ready("first", "steady")
    took = time.monotonic() - began
    world.kube.delete("Ingress", "first", "steady")
    return took


def _enough(answers: int, deeds: int) -> bool:
    return answers > 100 and deeds > 10


KINDS = (False, True) if envtest.assets() is not None else (False,)
Endings = dict[tuple[bool, str], Ending | Exception]


@pytest.fixture(scope="module")
def endings() -> Iterator[Endings]:
    """How each story ends, by whether the API server is a real one."""
    scenes = [(real, name) for real in KINDS for name in STORIES]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = {scene: pool.submit(tell, place, scene[1], real=scene[0]) for place, scene in enumerate(scenes)}
        yield {scene: _told(future) for scene, future in told.items()}


def _told(future: Future[Ending]) -> Ending | Exception:
    try:
        return future.result()
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - each test hears of its own story
        return error if isinstance(error, Exception) else AssertionError(str(error))


@pytest.fixture(
    params=[pytest.param(False, id="emulator"), pytest.param(True, id="kube-apiserver", marks=pytest.mark.envtest)]
)
def ending(request: pytest.FixtureRequest, endings: Endings) -> Callable[[str], Ending]:
    """The ending of a story."""
    if request.param not in KINDS:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")

    def of(name: str) -> Ending:
        found = endings[request.param, name]
        if isinstance(found, Exception):
            raise found
        return found

    return of


@pytest.mark.parametrize("name", STORIES)
def test_only_who_holds_the_lease_begins_a_write(ending: Callable[[str], Ending], name: str) -> None:
    end = ending(name)
    assert len(end.late) <= (1 if name == "frozen" else 0), end.late  # one may be on its way when a process freezes
    assert end.writers >= 2


@pytest.mark.parametrize("name", STORIES)
def test_no_request_is_lost_while_the_lead_changes(ending: Callable[[str], Ending], name: str) -> None:
    end = ending(name)
    assert end.failures == []
    assert _enough(end.answers, end.deeds)


@pytest.mark.parametrize(
    ("name", "code", "within_s"),
    [
        ("killed", -signal.SIGKILL, LEASE_S + 2.0),
        ("frozen", 1, LEASE_S + 2.0),
        ("cut_off", 1, LEASE_S + 2.0),
        ("rolled_out", 0, 3.0),
    ],
)
def test_another_leads_in_time(ending: Callable[[str], Ending], name: str, code: int, within_s: float) -> None:
    end = ending(name)
    assert set(end.codes) == {code}
    assert end.vacancies
    assert max(end.vacancies) <= within_s + (ROOM_S if within_s < LEASE_S else 1.0), end.vacancies
    assert end.first_change_s < 5.0 + ROOM_S


# the judge


A, B = "a", "b"
HISTORY = [Sight(0.1, A, 0.0), Sight(5.1, A, 5.0), Sight(10.1, A, 10.0), Sight(40.2, B, 40.1), Sight(50.1, "", 50.0)]
VERDICTS = [
    ("before anybody has it", Write(A, -0.5, "x"), False),
    ("by its holder", Write(A, 6.0, "x"), True),
    ("by its holder, whose renewals have stopped", Write(A, 24.0, "x"), True),
    ("by its holder, too late for a call to end in time", Write(A, 29.0, "x"), False),
    ("by its holder when it is over", Write(A, 40.05, "x"), False),
    ("by the former holder while another has it", Write(A, 41.0, "x"), False),
    ("by somebody who waits for it", Write(B, 12.0, "x"), False),
    ("by the next holder", Write(B, 40.3, "x"), True),
    ("by a holder who has let it go", Write(B, 50.1, "x"), False),
]


@pytest.mark.parametrize(("write", "lawful"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS])
def test_the_judge_knows_a_write_without_the_lease(write: Write, lawful: bool) -> None:
    assert (breaches([write], HISTORY) == []) == lawful


def test_the_judge_measures_from_the_last_word_of_one_holder_to_the_first_of_the_next() -> None:
    assert vacancies(HISTORY) == pytest.approx([30.1])
    assert vacancies([*HISTORY, Sight(50.6, A, 50.5)]) == pytest.approx([30.1, 0.5])
