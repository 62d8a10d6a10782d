"""`l7lb leave`: what has to happen to Ingresses and load balancers before l7lb is uninstalled, by the user's choice.

Passive: the worlds are arguments. What is taken off or torn down, and by which proofs, is decided by `releasing` and
`tearing`; here is only which of them, in what order with the end of the controller, and what is refused before.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, Protocol, TypeVar

from l7lb import translator
from l7lb.app.caches import record_of
from l7lb.app.ending import Case
from l7lb.app.ending_words import list_text, report_line
from l7lb.app.holding import Waiting, Waits
from l7lb.app.releasing import End, Release
from l7lb.app.takeover_words import release_line
from l7lb.app.tearing import End as TornDown
from l7lb.errors import ConfigurationError, LostLeadership, NotFound
from l7lb.model.cluster import Deployment, Ingress
from l7lb.model.identity import Cluster, ObjectKey
from l7lb.model.marks import FINALIZER
from l7lb.reconciler.passes import is_grouped
from l7lb.runtime.clock import Clock

T = TypeVar("T")

CHOICE: Final = "l7lb.dev/uninstall"
"""Annotation of the Deployment; goes before the flag: a release whose uninstall has failed takes no new values."""
STOP_S_MAX: Final = 180.0
"""A pass that runs is let end, the Lease of a pod that died runs out."""
LOOK_S: Final = 2.0
NAMED_MAX: Final = 10


class Policy(Enum):
    """What is done with Ingresses that bear our marks, and with their load balancers."""

    REFUSE = "refuse"
    KEEP = "keep"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class Wish:
    """`confirmed`: the id of the cluster whose load balancers may go."""

    policy: Policy
    confirmed: str = ""


class Workload(Protocol):
    """The Deployment of the controller: `adapters.kube.workload.KubeWorkload`."""

    @property
    def key(self) -> ObjectKey:
        """Its name."""
        ...

    def read(self) -> Deployment:
        """As it is now; raises NotFound."""
        ...

    def stop(self) -> None:
        """Scale it to 0; raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What is left, and with what."""

    cluster: str
    """The id."""
    workload: Workload
    marked: Callable[[], tuple[Ingress, ...]]
    """Ingresses with our finalizer or our record."""
    release: Callable[[Callable[[Release], None]], tuple[Release, ...]]
    """Take the marks off; raises LostLeadership while the controller runs."""
    case: Callable[[], AbstractContextManager[Case]]
    """What there is to be torn down."""
    stranded: Callable[[], str]
    """Which load balancers of the cluster no Ingress has, as the end of a sentence about Ingresses."""
    clock: Clock
    sleep: Callable[[float], None]
    told: Callable[[str], None] = field(default=lambda _: None)
    """Hears what is done, line by line."""
    namespace: str = ""
    """The only one that is watched; empty: all."""


def wished(text: str) -> Wish:
    """`refuse`, `keep`, or `drain:CLUSTER`; raises ConfigurationError."""
    name, _, confirmed = text.strip().partition(":")
    try:
        return Wish(Policy(name), confirmed)
    except ValueError:
        raise ConfigurationError(f"{CHOICE}: {text!r} is none of refuse, keep, drain:CLUSTER_ID") from None


def leave(given: Wish, scene: Scene) -> bool:
    """Whether l7lb may be uninstalled now. Raises ConfigurationError, and what the API server and the cloud raise."""
    deployment = _deployment(scene)
    if deployment is None:
        scene.told(f"there is no Deployment {scene.workload.key}: nothing to stop there, and no choice to read from it")
    said = deployment.annotations.get(CHOICE, "") if deployment is not None else ""
    wish = wished(said) if said else given
    if wish.policy is Policy.DRAIN:
        return _drain(wish, scene, deployment)
    marked = scene.marked()
    found = tuple(one for one in marked if _is_held(one, Cluster(scene.cluster)))
    if not found:
        scene.told(f"l7lb holds no Ingress{scene.stranded()}")
        return True
    outside = tuple(one for one in found if scene.namespace not in ("", one.key.namespace))
    if outside:
        scene.told(f"refused: {_named(outside)} would be left without a controller. It was taken before l7lb watched")
        scene.told(
            f"namespace {scene.namespace} alone. Let l7lb watch all namespaces again, then delete it or choose anew"
        )
        return False
    return _keep(found, scene, deployment) if wish.policy is Policy.KEEP else _refuse(found, scene)


def while_it_ends(waits: Waits) -> Waits:
    """As it is waited for here: again and again while the controller comes to its end; each holder is named once."""
    told = set[str]()

    def hear(waiting: Waiting) -> None:
        if waiting.holder not in told:
            told.add(waiting.holder)
            waits(replace(waiting, at_most_s=STOP_S_MAX + waiting.at_most_s))

    return hear


def _is_held(ingress: Ingress, cluster: Cluster) -> bool:
    """A record without a load balancer is a memory: it holds nothing."""
    record = record_of(ingress, cluster)
    return FINALIZER in ingress.finalizers or (record is not None and bool(record.lb))


def _refuse(found: tuple[Ingress, ...], scene: Scene) -> bool:
    key = scene.workload.key
    command = f"kubectl -n {key.namespace} annotate deployment {key.name} --overwrite {CHOICE}"
    scene.told(f"refused: {_named(found)} would be left without a controller: load balancers would serve on,")
    scene.told("nobody would keep them right, and no such Ingress could be deleted. Choose, then uninstall again:")
    scene.told("  delete these Ingresses first: what was made for them is deleted, what was lent is given back")
    scene.told(f"  {command}=keep")
    scene.told("    takes l7lb's marks off; load balancers serve on, for TKE's controller or for nobody")
    scene.told(f"  {command}=drain:{scene.cluster}")
    scene.told("    deletes the load balancers that l7lb made, and gives back what was lent; Ingresses stay")
    return False


def _keep(found: tuple[Ingress, ...], scene: Scene, deployment: Deployment | None) -> bool:
    going = [one for one in found if one.deleting and FINALIZER in one.finalizers]
    if going:
        scene.told(f"refused: {_named(going)} is being deleted: let l7lb come to the end of that first")
        return False
    stopped = _stop(scene, deployment)
    ends = _once_it_has_ended(lambda: scene.release(lambda one: scene.told(release_line(one))), scene)
    if any(one.end is End.LEFT for one in ends):
        scene.told(f"not done: see above{stopped}")
        return False
    scene.told("load balancers serve on; nobody keeps them right until a controller takes over")
    return True


def _drain(wish: Wish, scene: Scene, deployment: Deployment | None) -> bool:
    if wish.confirmed != scene.cluster:
        raise ConfigurationError(f"drain: wants the cluster id once more, {scene.cluster!r}; nothing is torn down")
    with scene.case() as case:
        order = case.ground.order
        scene.told(list_text(case.rows(), order.cluster, alive=False).rstrip("\n"))
        if case.forbidden:
            scene.told(f"refused: nothing is torn down: {case.forbidden}")
            return False
        shared = [one for one in scene.marked() if _is_shared(one, order.cluster)]
        if shared:
            scene.told(f"refused: {_named(shared)} shares a load balancer with others: delete it while l7lb runs")
            return False
        stopped = _stop(scene, deployment)
        reports = _once_it_has_ended(
            lambda: case.tear_down(wish.confirmed, lambda one: scene.told(report_line(one)), scene.told), scene
        )
    if any(one.end is TornDown.LEFT for one in reports):
        scene.told(f"not done: see above{stopped}")
        return False
    return True


def _is_shared(ingress: Ingress, cluster: Cluster) -> bool:
    return is_grouped(record_of(ingress, cluster), translator.options(ingress))


def _deployment(scene: Scene) -> Deployment | None:
    try:
        return scene.workload.read()
    except NotFound:
        return None


def _stop(scene: Scene, deployment: Deployment | None) -> str:
    """How it is started again, in words."""
    key, replicas = scene.workload.key, deployment.spec.replicas if deployment is not None else 0
    if not replicas:
        return ""
    scene.told(f"stopping the controller: Deployment {key} is scaled to 0")
    scene.workload.stop()
    return f"; l7lb is stopped, kubectl -n {key.namespace} scale deployment {key.name} --replicas={replicas} starts it"


def _once_it_has_ended(act: Callable[[], T], scene: Scene) -> T:
    """The controller gives the Lease back when its passes have ended; until then `act` is refused."""
    deadline = scene.clock.monotonic() + STOP_S_MAX
    while True:
        try:
            return act()
        except LostLeadership:
            if scene.clock.monotonic() >= deadline:
                raise
            scene.sleep(LOOK_S)


def _named(ingresses: Iterable[Ingress]) -> str:
    names = [str(one.key) for one in ingresses]
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return f"Ingress {', '.join(names[:NAMED_MAX])}{more}"
