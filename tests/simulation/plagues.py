"""What goes wrong in the cloud for a while: refusals, lost answers, tasks that crawl, quotas, poisoned targets."""

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.emulators.clb.tasks import Latency
from tests.simulation.cluster import NODES
from tests.simulation.deployment import Deployment

CLOUDS: Final[tuple[Mapping[str, Any], ...]] = (
    {"action": "*", "kind": "error", "code": "RequestLimitExceeded", "count": 60},
    {"action": "*", "kind": "http_500", "count": 40},
    {"action": "*", "kind": "drop_before", "count": 40},
    {"action": "*", "kind": "drop_after", "count": 12},
    {"action": "*", "kind": "slow", "seconds": 11.0, "count": 3},
    {"action": "*", "kind": "slow", "seconds": 4.0, "count": 6},
    {"action": "CreateLoadBalancer", "kind": "error", "code": "FailedOperation.InsufficientBalance", "count": 1},
    {"action": "CreateLoadBalancer", "kind": "error", "code": "LimitExceeded", "count": 1},
    {"action": "CreateListener", "kind": "error", "code": "LimitExceeded", "count": 1},
    {"action": "CreateRule", "kind": "error", "code": "LimitExceeded", "count": 1},
    {"action": "BatchRegisterTargets", "kind": "error", "code": "LimitExceeded", "count": 1},
    {"action": "CreateListener", "kind": "error", "code": "InvalidParameter", "message": "certificate is out of date"},
    {"action": "ModifyListener", "kind": "error", "code": "InvalidParameter", "message": "certificate is out of date"},
    {"action": "DescribeLoadBalancers", "kind": "stale_read", "count": 2},
    {"action": "DescribeTargets", "kind": "stale_read", "count": 2},
    {"action": "*", "kind": "task_fail", "count": 4},
    {"action": "*", "kind": "partial", "count": 3},
    {"action": "*", "kind": "empty_ids", "count": 3},
)


class Plagues:
    """Deeds of a walk. `calm` ends all of it."""

    def __init__(self, world: Deployment, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self.task_s = 0.0
        """The longest that a task has taken so far, where it was more than usual."""
        self._latency = world.account.emulator.cloud.latency

    def table(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """Deeds and their shares."""
        return {"cloud": (4, self.cloud), "crawl": (1, self.crawl), "poison": (1, self.poison)}

    def cloud(self) -> str:
        """The cloud is ill."""
        sickness = dict(self.dice.choice(CLOUDS))
        told = str(sickness)
        self.world.account.fault(sickness.pop("action"), sickness.pop("kind"), **sickness)
        return f"cloud: {told}"

    def crawl(self) -> str:
        """Tasks take minutes, or longer than anybody waits."""
        seconds = self.dice.choice((45.0, 200.0, 700.0))
        self.world.account.emulator.cloud.latency = Latency(seconds, random.Random(0))
        self.task_s = max(self.task_s, seconds)
        return f"tasks take {seconds:g} s"

    def poison(self) -> str:
        """The cloud refuses one node as a target."""
        nodes = self.world.users.all(NODES)
        if not nodes:
            return "no node to poison"
        address = self.dice.choice(nodes)["status"]["addresses"][0]["address"]
        self.world.account.emulator.world.refused[address] = self.dice.choice(("call", "listener", "task"))
        return f"{address} is refused"

    def calm(self) -> None:
        """The cloud is well again; its faults are taken back by the walk."""
        self.world.account.emulator.cloud.latency = self._latency
        self.world.account.emulator.world.refused.clear()
