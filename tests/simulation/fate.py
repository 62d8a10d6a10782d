"""What the cloud, the API server and the process do in a random walk; each deed says in a few words what it was."""

import random
from typing import Any, Final

from tests.simulation.toll import Death
from tests.simulation.world import World

WRITES: Final = (
    "CreateLoadBalancer", "CreateListener", "CreateRule", "BatchRegisterTargets", "BatchDeregisterTargets",
    "BatchModifyTargetWeight", "ModifyListener", "ModifyDomainAttributes", "DeleteRule", "ModifyResourceTags",
    "DeleteLoadBalancerListeners", "DeleteLoadBalancer", "*",
)  # fmt: skip
READS: Final = ("DescribeLoadBalancers", "DescribeListeners", "DescribeTargets", "DescribeTaskStatus")
SICKNESSES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "http_500"},
    {"kind": "task_fail"},
    {"kind": "partial"},
    {"kind": "empty_ids"},
    {"kind": "slow", "seconds": 3.0},
    {"kind": "error", "code": "InternalError"},
    {"kind": "error", "code": "RequestLimitExceeded"},
    {"kind": "error", "code": "FailedOperation.ResourceInOperating"},
)


class Fate:
    """The cloud, the API server and the process itself."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice

    def sicken(self) -> str:
        sickness = dict(self.dice.choice(SICKNESSES))
        reads = sickness["kind"] not in ("task_fail", "partial", "empty_ids") and self.dice.random() < 0.3
        action = self.dice.choice(READS if reads else WRITES)
        sickness["count"] = self.dice.choice((1, 1, 2, 5))
        kind = sickness.pop("kind")
        self.world.account.fault(action, kind, **sickness)
        return f"fault {action} {kind} {sickness}"

    def upset_kube(self) -> str:
        kind = self.dice.choice(("conflict", "drop", "lost", "http_500", "http_429"))
        resource = self.dice.choice(("ingresses", "ingresses/status"))
        count = self.dice.choice((1, 2, 4))
        self.world.users.fault(kind, "patch", resource, count)
        return f"fault {kind} {resource} {count}"

    def die(self) -> str:
        toll = self.world.live().toll
        at = len(toll.passed) + self.dice.randint(1, 8)
        death = self.dice.choice((Death.BEFORE, Death.AFTER, Death.FROZEN))
        toll.arm(at, death)
        return f"will die {death.value} call {at}"

    def edit_cloud(self) -> str:
        ours = [lb for lb in self.world.account.lbs() if lb.tags.get("tke-createdBy-flag") == "yes" and lb.listeners]
        if not ours:
            return "nothing of ours to spoil"
        lb = self.dice.choice(ours)
        if self.dice.random() < 0.2 and not self.world.account.emulator.cloud.tasks.running_on(lb.id):
            self.world.account.edit("delete_load_balancer", lb.id)
            return f"{lb.id} deleted by hand"
        listener = next(iter(lb.listeners.values()))
        rule = next(iter(listener.rules.values()), None)
        if rule is None or self.world.account.emulator.cloud.tasks.running_on(lb.id):
            return "nothing of ours to spoil now"
        targets = [{"ip": target.ip, "port": target.port, "weight": 0} for target in rule.targets[:1]]
        self.world.account.edit("set_targets", lb.id, listener=listener.id, rule=rule.id, targets=targets)
        return f"targets of {rule.domains[0]}{rule.url} on {lb.id} spoilt"

    def gate(self) -> str:
        self.world.gate_open = not self.world.gate_open
        return f"the gate is {'open' if self.world.gate_open else 'closed'}"

    def verify(self) -> str:
        self.world.live().verify()
        return "the verifier looks"
