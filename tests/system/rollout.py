"""A rolling update as a Deployment, an endpoint controller and a kubelet make it: there is none of these here.

The arithmetic of a step is the Deployment controller's: never more than `replicas + surge` pods that do not terminate,
never fewer than `replicas - unavailable` that are available. A pod serves when it has started; it gets SIGTERM when its
endpoint turns terminating, serves on for a while, then closes its socket, and its address is another application's at
once.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.emulators.backends import Backend
from tests.system.kube import Json
from tests.system.pods import Pods

GATE = "cloud.tencent.com/load-balancer-backendgroup-ready"
TICK_S = 0.1
SERVES_ON_S = 3.0
"""After SIGTERM, as an application does that lets its clients go."""


class Phase(Enum):
    """Where a pod stands."""

    STARTING = "starting"
    RUNNING = "running"
    TERMINATING = "terminating"
    GONE = "gone"


@dataclass(frozen=True)
class Strategy:
    """Kubernetes' defaults are a surge and an unavailability of a quarter, and 0 s."""

    replicas: int = 20
    surge: int = 5
    unavailable: int = 5
    min_ready_s: float = 0.0
    start_s: float = 1.0
    gated: bool = False


@dataclass
class Replica:
    """One pod with its process."""

    name: str
    backend: Backend
    new: bool
    born: float
    phase: Phase = Phase.STARTING
    ready_since: float | None = None
    sigterm_at: float = 0.0
    is_serving: bool = False


@dataclass
class Rollout:
    """One Deployment. `step` is one turn of all three controllers; `run` turns until every old pod is replaced."""

    pods: Pods
    strangers: Pods
    strategy: Strategy
    address: Callable[[int], str]
    clock: Callable[[], float] = time.monotonic
    replicas: list[Replica] = field(default_factory=list)
    strangers_met: list[Backend] = field(default_factory=list)
    """Processes that have got an address of a pod that is gone."""
    _made: int = 0
    _slice: dict[str, tuple[str, str]] = field(default_factory=dict)

    def begin(self) -> None:
        """All replicas of the old version, serving."""
        for _ in range(self.strategy.replicas):
            self._create(new=False)

    def step(self, *, rolling: bool) -> None:
        """One turn."""
        now = self.clock()
        for replica in self.replicas:
            self._kubelet(replica, now)
        if rolling:
            self._deployment(now)
        self._endpoints()

    def run(self, until: Callable[[], bool], *, rolling: bool, limit_s: float) -> None:
        """Turn until it is so."""
        pause, deadline = threading.Event(), self.clock() + limit_s
        while not until():
            assert self.clock() < deadline, f"the rollout has not ended within {limit_s:g} s: {self.summary()}"
            self.step(rolling=rolling)
            pause.wait(TICK_S)

    def summary(self) -> str:
        """How many are where."""
        told = {(replica.new, replica.phase.value): 0 for replica in self.replicas}
        for replica in self.replicas:
            told[replica.new, replica.phase.value] += 1
        return str({f"{'new' if new else 'old'} {phase}": count for (new, phase), count in told.items()})

    @property
    def is_over(self) -> bool:
        """Every old pod is gone, every new one is ready."""
        old = [replica for replica in self.replicas if not replica.new and replica.phase is not Phase.GONE]
        fresh = [replica for replica in self.replicas if replica.new and replica.ready_since is not None]
        return not old and len(fresh) == self.strategy.replicas

    @property
    def is_up(self) -> bool:
        """Every pod is ready."""
        return all(replica.ready_since is not None for replica in self.replicas)

    def stop(self) -> None:
        """End all processes."""
        for backend in (*(replica.backend for replica in self.replicas), *self.strangers_met):
            backend.stop()

    def _create(self, *, new: bool) -> None:
        self._made += 1
        name = f"web-{'new' if new else 'old'}-{self._made}"
        backend = Backend(name, self.pods.port, self.address(self._made))
        self.replicas.append(Replica(name, backend, new, self.clock()))
        gate: dict[str, Any] = {"readinessGates": [{"conditionType": GATE}]} if self.strategy.gated else {}
        self.pods.run(name, backend.host, **gate)
        self._status(self.replicas[-1], started=False)

    def _kubelet(self, replica: Replica, now: float) -> None:
        if replica.phase is Phase.STARTING and now - replica.born >= (self.strategy.start_s if replica.new else 0.0):
            replica.backend.start()
            replica.phase, replica.is_serving = Phase.RUNNING, True
            self._status(replica, started=True)
        if replica.phase is Phase.RUNNING and replica.ready_since is None and self._gate_is_open(replica):
            replica.ready_since = now
            self._status(replica, started=True)
        if replica.phase is Phase.TERMINATING and now - replica.sigterm_at >= SERVES_ON_S:
            self._end(replica)

    def _gate_is_open(self, replica: Replica) -> bool:
        if not self.strategy.gated:
            return True
        pod = self.pods.kube.get("Pod", replica.name, self.pods.namespace)
        conditions = (pod.get("status") or {}).get("conditions") or []
        return any(one["type"] == GATE and one["status"] == "True" for one in conditions)

    def _status(self, replica: Replica, *, started: bool) -> None:
        """What a kubelet writes; the gate's condition is not its own and stays."""
        pod = self.pods.kube.get("Pod", replica.name, self.pods.namespace)
        others = [one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] == GATE]
        said = {"ContainersReady": started, "Ready": replica.ready_since is not None}
        conditions: list[Json] = [{"type": kind, "status": str(value)} for kind, value in said.items()]
        if started and not said["Ready"]:
            conditions[-1]["reason"] = "ReadinessGatesNotReady"
        status = {"phase": "Running" if started else "Pending", "conditions": [*conditions, *others]}
        self.pods.kube.patch("Pod", replica.name, self.pods.namespace, {"status": status}, part="status")

    def _deployment(self, now: float) -> None:
        """As the Deployment controller reckons a RollingUpdate."""
        plan = self.strategy
        alive = [one for one in self.replicas if one.phase in (Phase.STARTING, Phase.RUNNING)]
        fresh = [one for one in alive if one.new]
        for _ in range(min(plan.replicas + plan.surge - len(alive), plan.replicas - len(fresh))):
            self._create(new=True)
        waiting = sum(not self._is_available(one, now) for one in fresh)
        surplus = len(alive) - (plan.replicas - plan.unavailable) - waiting
        old = sorted((one for one in alive if not one.new), key=lambda one: self._is_available(one, now))
        for replica in old[: max(0, surplus)]:
            self.pods.terminate(replica.name)
            replica.phase, replica.sigterm_at = Phase.TERMINATING, self.clock()

    def _is_available(self, replica: Replica, now: float) -> bool:
        return replica.ready_since is not None and now - replica.ready_since >= self.strategy.min_ready_s

    def _endpoints(self) -> None:
        said: dict[str, tuple[str, str]] = {}
        for replica in self.replicas:
            if replica.phase is Phase.TERMINATING:
                said[replica.name] = (replica.backend.host, "terminating")
            elif replica.phase in (Phase.STARTING, Phase.RUNNING):
                state = "ready" if replica.ready_since is not None else "unready"
                said[replica.name] = (replica.backend.host, state)
        if said != self._slice:
            self._slice = said
            self.pods.endpoints(**said)

    def _end(self, replica: Replica) -> None:
        """The process closes its socket, and whoever comes next gets its address."""
        replica.backend.stop()
        stranger = Backend(f"stranger-{replica.name}", self.pods.port, replica.backend.host)
        stranger.start()
        self.strangers_met.append(stranger)
        replica.phase = Phase.GONE
        self.pods.gone(replica.name)
        self.strangers.run(f"stranger-{replica.name}", replica.backend.host)
