"""What all actions share: the world, time, dice, switches, and the gate that every write passes.

A write goes ``writable`` (does it exist, is it protected, is it busy), then its own checks, then ``accept`` (a task
that applies the effect when it ends). No action and no wire shape belongs here.
"""

import random
from dataclasses import dataclass, field
from typing import Protocol

from tests.emulators.clb.clock import Clock, stamp
from tests.emulators.clb.errors import ApiError, busy, lb_not_found
from tests.emulators.clb.faults import Fault
from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule, Target
from tests.emulators.clb.signature import Caller
from tests.emulators.clb.switches import Switches
from tests.emulators.clb.tasks import Effect, Latency, Task, TaskTable
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action that passed signature, schema and rate limit."""

    service: str
    action: str
    region: str
    params: Json
    request_id: str
    caller: Caller
    now: float
    faults: dict[str, Fault] = field(default_factory=dict)

    def ids(self, name: str, at_most: int) -> list[str]:
        """A list parameter with its documented bound; absent is empty."""
        found: list[str] = self.params.get(name) or []
        if len(found) > at_most:
            raise ApiError("InvalidParameterValue.Length", f"Length of .{name} should be less than {at_most + 1}")
        return found


class HealthProbe(Protocol):
    """Whoever knows the health of targets: the data plane, or a table."""

    def health(self, lb_id: str, listener_id: str, location_id: str, ip: str, port: int) -> str: ...


class HealthTable:
    """Health without a data plane: what the tests say, ``Alive`` otherwise."""

    def __init__(self, world: World) -> None:
        self._world = world

    def health(self, lb_id: str, listener_id: str, location_id: str, ip: str, port: int) -> str:
        """By ``ip:port``, by ``ip``, or the table's default."""
        del lb_id, listener_id, location_id
        table = self._world.health
        return table.get(f"{ip}:{port}", table.get(ip, table.get("*", "Alive")))


@dataclass(slots=True)
class Cloud:
    """The emulated cloud: a world and the machinery that changes it."""

    world: World
    clock: Clock
    dice: random.Random
    switches: Switches
    latency: Latency
    tasks: TaskTable = field(default_factory=TaskTable)
    health_probe: HealthProbe | None = None

    def stamp(self, at: float) -> str:
        return stamp(self.clock, at, self.switches.stamp_hours_east)

    def health(self, lb: LoadBalancer, listener: Listener, rule: Rule | None, target: Target) -> str:
        """``Alive``, ``Dead``, ``Unknown`` or ``Close`` (health check off)."""
        settings = listener.health if rule is None else rule.health
        if settings is not None and settings.get("HealthSwitch") == 0:
            return "Close"
        location_id = "" if rule is None else rule.id
        probe: HealthProbe = self.health_probe or HealthTable(self.world)
        return probe.health(lb.id, listener.id, location_id, target.ip, target.port)

    def load_balancer(self, call: Call, lb_id: str | None = None) -> LoadBalancer:
        """The one that the call names, in the call's region; ``InvalidParameter.LBIdNotFound``."""
        wanted = call.params["LoadBalancerId"] if lb_id is None else lb_id
        lb = self.world.find(call.region, wanted)
        if lb is None:
            raise lb_not_found(wanted)
        return lb

    def writable(self, call: Call, lb_id: str | None = None, *, attribute: bool = False) -> LoadBalancer:
        """The same, for a write: refused while another task runs and where modification protection forbids it."""
        lb = self.load_balancer(call, lb_id)
        if lb.operate_protect and (attribute or self.switches.protection_scope == "all_writes"):
            raise ApiError("OperationDenied", f"Loadbalancer({lb.id}) is protected against modification.")
        if lb.status == 0:
            if self.switches.creating_code == "FailedOperation.InvalidLBStatus":
                raise ApiError(self.switches.creating_code, f"Loadbalancer({lb.id}) is being created.")
            raise busy(lb.id)
        if self.is_busy(lb, call.now):
            if self.switches.busy_code == "InternalError" and self.dice.random() < 0.25:
                raise ApiError("InternalError", "An internal error has occurred. Retry your request.")
            raise busy(lb.id)
        return lb

    def is_busy(self, lb: LoadBalancer, now: float) -> bool:
        return self.tasks.running_on(lb.id) is not None or now < lb.free_at

    def accept(
        self, call: Call, lbs: list[LoadBalancer], effect: Effect, undo: Effect | None = None, *, late: bool = False
    ) -> Task:
        """Start the task of a write. Its id is the call's RequestId (DescribeTaskStatus page).

        ``late``: the effect comes with the end of the task whatever the switch ``parts_visible`` says.
        """
        failing = call.faults.get("task_fail")
        task = Task(
            id=call.request_id,
            action=call.action,
            load_balancer_ids=tuple(lb.id for lb in lbs),
            ends_at=call.now + self.latency.draw(call.action),
            effect=effect,
            undo=undo,
            failure="" if failing is None else failing.message,
        )
        if failing is None and not late and self.switches.parts_visible == "before_task":
            effect()
            task.effect = _nothing
        self.tasks.start(task)
        return task

    def done_at_once(self, call: Call, lb: LoadBalancer) -> None:
        """A synchronous write: a task that has ended (some callers poll it), and perhaps a busy while."""
        self.tasks.start(Task(call.request_id, call.action, (), call.now, _nothing))
        self.tasks.settle(call.now)
        if self.switches.batch_busy_s_max > 0:
            lb.free_at = call.now + self.dice.uniform(0.0, self.switches.batch_busy_s_max)


def _nothing() -> None:
    """The effect of a task whose work is done."""
