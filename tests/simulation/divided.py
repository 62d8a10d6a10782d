"""A Deployment whose replicas divide the load balancers among them, into a number of shards that may change."""

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.simulation.clock import MachineClock
from tests.simulation.deployment import READS, UNGUARDED, Deployment
from tests.simulation.division import Division
from tests.simulation.machines import Machine
from tests.simulation.registers import Desk, Registers
from tests.simulation.replica import Replica
from tests.simulation.schedule import Schedule
from tests.simulation.staff import Rig, Staff
from tests.simulation.world import CLUSTER


class Crew(Staff):
    """Somebody leads only when every shard is led."""

    def leader(self) -> Any:
        """One of those who lead, when nothing is left unled."""
        able: list[Any] = [one for one in self.alive() if one.leads and not one.frozen]
        led: set[tuple[int, int]] = set()
        for one in able:
            led |= {(shard, one.shards) for shard in one.led} if isinstance(one, Division) else {(0, 1)}
        whole = {shards for _, shards in led if all((shard, shards) in led for shard in range(shards))}
        return able[0] if whole else None


class Divided(Deployment):
    """`Divided(shards=3, rig=Rig(replicas=3), seed=7)`."""

    def __init__(self, *, shards: int, rig: Rig | None = None, **setup: Any) -> None:
        super().__init__(rig=rig, **setup)
        self.shards = shards
        """Of replicas that are started from now on."""
        self.registers = Registers(CLUSTER, self.clock.time)
        self.register = Desk(self.registers, "")
        self.staff = Crew(self.clock, self.rig, self._new)
        self._schedule = Schedule(self.clock, self.staff, self)
        self._writers: dict[str, tuple[int, int, str]] = {}

    def _new(self, name: str) -> Any:
        rig, dice = self.rig, Random(f"{self.rig.dice.random()}")
        clock = MachineClock(self.clock, dice.uniform(0.0, 1e6), rig.rate(), rig.wall_off_s())
        machine = Machine(
            name, clock, dice, Desk(self.registers, name), self._schedule.elapse, self._judge, rig.workers, rig.page_max
        )
        made: Any
        if self.shards == 1:
            made = Replica(self.around, machine, self.notes, self.passes)
        else:
            made = Division(self.around, machine, self.notes, self.passes, self.shards, self._wrote)
            made.peers = self.staff.alive
        made.toll.on_frozen = lambda call_name, call: self._freeze_at(made, call_name, call)
        return made

    def rescale(self, shards: int) -> None:
        """Another number: those who are there are stopped, in no order, and others are started."""
        self.shards = shards
        for one in self.outdated():
            one.leave()

    def outdated(self) -> list[Any]:
        """Replicas of another number of shards."""
        return [one for one in self.staff.alive() if getattr(one, "shards", 1) != self.shards]

    def replicas(self) -> list[Any]:
        """Those that live."""
        return list(self.staff.alive())

    def held(self) -> dict[str, int]:
        """How many shards each replica works on."""
        return {one.name: len(getattr(one, "led", ())) for one in self.staff.alive()}

    def _judge(self, who: str, name: str) -> None:
        if not name.startswith(READS) and not any(part in name for part in UNGUARDED):
            one = next((one for one in self.staff.replicas if one.name == who), None)
            shard, shards = (one.calling, one.shards) if isinstance(one, Division) else (0, 1)
            if why := self.registers.breach(who, shard, shards, self.clock.now()):
                self.breaches.append(f"{name} of shard {shard} begun at {self.clock.now():.3f} by {who}: {why}")
        self.on_call(who, name)
        self._schedule.elapse(self.rig.call_s())

    def _wrote(self, who: str, shard: int, action: str, params: Mapping[str, Any]) -> None:
        """A write arrives: the cloud must not be at work on a write of another shard to the same load balancer."""
        named = params.get("LoadBalancerIds") or [params.get("LoadBalancerId")]
        found = self.account.emulator.world.load_balancers.get(str(named[0]))
        if found is None:
            return
        now, before = self.clock.now(), self._writers.get(found.id)
        shards = next((one.shards for one in self.staff.replicas if one.name == who), 0)  # type: ignore[attr-defined]  # a Division
        if before is not None and before[:2] != (shard, shards) and before[1] == shards and found.free_at > now:
            self.breaches.append(f"{action} on {found.id} by shard {shard}, {who}, while {before} is at work on it")
        self._writers[found.id] = (shard, shards, who)
