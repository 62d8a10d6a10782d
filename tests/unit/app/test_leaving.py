"""Before l7lb is uninstalled: what is refused, in what order things end, and that nothing begins before the word."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pytest

from l7lb.app.ending import Case
from l7lb.app.holding import Waiting
from l7lb.app.leaving import CHOICE, STOP_S_MAX, Policy, Scene, Wish, leave, while_it_ends, wished
from l7lb.app.releasing import End, Release
from l7lb.errors import ConfigurationError, LostLeadership, NotFound
from l7lb.model.cluster import Deployment, DeploymentSpec, Ingress, LabelledMeta, ObjectMeta
from l7lb.model.identity import ObjectKey
from l7lb.model.marks import FINALIZER, RECORD

CLUSTER = "cls-9mfq2k1t"
NAME = ObjectKey("l7lb", "l7lb")
KEEP, REFUSE = Wish(Policy.KEEP), Wish(Policy.REFUSE)


def held(
    name: str = "web",
    *,
    deleting: bool = False,
    record: str = "",
    finalizers: tuple[str, ...] = (FINALIZER,),
    namespace: str = "shop",
) -> Ingress:
    gone = "2026-01-01T00:00:00Z" if deleting else None
    annotations = {RECORD: record} if record else None
    return Ingress(
        metadata=ObjectMeta(
            name=name,
            namespace=namespace,
            uid="u",
            finalizers=finalizers,
            deletion_timestamp=gone,
            annotations=annotations,
        )
    )


@dataclass
class World:
    """A cluster whose controller runs for `runs_s` more seconds once it is told to stop."""

    ingresses: tuple[Ingress, ...] = (held(),)
    replicas: int | None = 2
    choice: str = ""
    namespace: str = ""
    runs_s: float = 0.0
    end: End = End.RELEASED
    now: float = 0.0
    stopped_at: float | None = None
    done: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    key: ObjectKey = NAME

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> Deployment:
        if self.replicas is None:
            raise NotFound("gone", what="Deployment")
        annotations = {CHOICE: self.choice} if self.choice else None
        return Deployment(
            metadata=LabelledMeta(name="l7lb", namespace="l7lb", annotations=annotations),
            spec=DeploymentSpec(replicas=self.replicas),
        )

    def stop(self) -> None:
        self.done.append("stop")
        self.stopped_at = self.now

    def release(self, told: Callable[[Release], None]) -> tuple[Release, ...]:
        runs = self.replicas and (self.stopped_at is None or self.now < self.stopped_at + self.runs_s)
        if runs:
            raise LostLeadership("l7lb run holds the Lease")
        self.done.append("release")
        ends = tuple(Release(one.key, self.end, "edited" if self.end is End.LEFT else "") for one in self.ingresses)
        for one in ends:
            told(one)
        return ends

    def case(self) -> AbstractContextManager[Case]:
        raise AssertionError("nothing is to be torn down")

    def leave(self, wish: Wish) -> bool:
        return leave(
            wish,
            Scene(
                cluster=CLUSTER, workload=self, marked=lambda: self.ingresses, release=self.release, case=self.case,
                stranded=lambda: ": nothing is left behind", clock=self, sleep=self.sleep, told=self.said.append,
                namespace=self.namespace,
            ),
        )  # fmt: skip


def test_refuse_names_what_is_held_and_every_way_out() -> None:
    world = World(ingresses=(held("web"), held("api")))
    assert not world.leave(REFUSE)
    assert world.done == []
    text = "\n".join(world.said)
    assert "Ingress shop/web, shop/api " in text
    assert f"kubectl -n l7lb annotate deployment l7lb --overwrite {CHOICE}=keep" in text
    assert f"{CHOICE}=drain:{CLUSTER}" in text


def test_many_are_counted_and_not_all_named() -> None:
    world = World(ingresses=tuple(held(f"web-{number:02}") for number in range(12)))
    world.leave(REFUSE)
    assert "shop/web-09 and 2 more" in world.said[0]


@pytest.mark.parametrize("policy", [REFUSE, KEEP])
def test_where_nothing_is_held_nothing_is_done(policy: Wish) -> None:
    world = World(ingresses=())
    assert world.leave(policy)
    assert world.done == []


def test_an_empty_record_holds_nothing() -> None:
    record = f'{{"v":1,"uid":"u","cluster":"{CLUSTER}","attempt":1}}'
    assert World(ingresses=(held(finalizers=(), record=record),)).leave(REFUSE)


def test_a_record_with_a_load_balancer_holds_it_without_a_finalizer_too() -> None:
    record = f'{{"v":1,"uid":"u","cluster":"{CLUSTER}","region":"ap-guangzhou","lb":"lb-00000001","claim":"created"}}'
    assert not World(ingresses=(held(finalizers=(), record=record),)).leave(REFUSE)


@pytest.mark.parametrize("policy", [REFUSE, KEEP])
def test_what_is_held_outside_of_the_watched_namespace_is_not_left_behind(policy: Wish) -> None:
    """It was taken before `watchNamespace` was narrowed: its deletion would wait for ever."""
    world = World(ingresses=(held("web"), held("old", namespace="blog")), namespace="shop")
    assert not world.leave(policy)
    assert world.done == []
    assert "Ingress blog/old " in world.said[0]
    assert "shop/web" not in world.said[0]


def test_keep_stops_the_controller_and_waits_for_its_end_first() -> None:
    world = World(runs_s=31.0)
    assert world.leave(KEEP)
    assert world.done == ["stop", "release"]
    assert world.now >= 31.0


def test_keep_does_not_wait_for_ever() -> None:
    world = World(runs_s=1e9)
    with pytest.raises(LostLeadership):
        world.leave(KEEP)
    assert STOP_S_MAX <= world.now < STOP_S_MAX + 10


@pytest.mark.parametrize("replicas", [0, None], ids=["scaled to 0", "deleted"])
def test_a_controller_that_does_not_run_is_not_stopped(replicas: int | None) -> None:
    world = World(replicas=replicas)
    assert world.leave(KEEP)
    assert world.done == ["release"]


@pytest.mark.parametrize("policy", [REFUSE, KEEP])
def test_a_deployment_that_is_not_there_is_named_before_anything_else(policy: Wish) -> None:
    world = World(replicas=None)
    world.leave(policy)
    assert world.said[0].startswith("there is no Deployment l7lb/l7lb:")


def test_keep_is_refused_while_an_ingress_is_being_deleted() -> None:
    """Its load balancer would be left behind: the controller is to go on."""
    world = World(ingresses=(held(), held("old", deleting=True)))
    assert not world.leave(KEEP)
    assert world.done == []
    assert "shop/old" in world.said[0]


def test_what_could_not_be_released_is_said_with_how_to_start_again() -> None:
    world = World(end=End.LEFT)
    assert not world.leave(KEEP)
    assert "scale deployment l7lb --replicas=2" in world.said[-1]


def test_the_annotation_goes_before_the_flag() -> None:
    assert World(choice="keep").leave(REFUSE)
    assert not World(choice="refuse").leave(KEEP)


@pytest.mark.parametrize("text", ["drop", "", "keep all", "drain-all"])
def test_a_choice_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        wished(text)


@pytest.mark.parametrize("choice", ["drain", "drain:", "drain:cls-other"])
def test_drain_wants_the_cluster_id_before_anything_else(choice: str) -> None:
    world = World(choice=choice)
    with pytest.raises(ConfigurationError, match="nothing is torn down"):
        world.leave(REFUSE)
    assert world.done == []


def test_drain_names_its_cluster() -> None:
    assert wished(f"drain:{CLUSTER}") == Wish(Policy.DRAIN, CLUSTER)


def test_each_holder_that_is_waited_for_is_named_once_with_the_longest_that_it_may_take() -> None:
    said: list[Waiting] = []
    hear = while_it_ends(said.append)
    for holder in ("one", "one", "two", "one"):
        hear(Waiting("kube-system/l7lb-cls-1", holder, 59.0))
    assert [(waiting.holder, waiting.at_most_s) for waiting in said] == [
        ("one", STOP_S_MAX + 59.0), ("two", STOP_S_MAX + 59.0)
    ]  # fmt: skip
