"""A random walk from one seed: users edit, nodes come and go, the cloud misbehaves, the process dies; then all is calm.

Phase 1: after every pass all promises hold. Phase 2: without faults everything converges, and stays as it is.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.cluster import NODES, SERVICES
from tests.simulation.toll import Death, Died
from tests.simulation.world import World, lag

NAMES: Final = ("shop", "blog", "wiki")
HOSTS: Final = ("a.example.com", "b.example.com")
PATHS: Final = ("/", "/x", "/y")
LENT: Final = ("lb-lent0001", "lb-lent0002")
CLASS: Final = "kubernetes.io/ingress.class"
NAMED: Final = "kubernetes.io/ingress.existLbId"
EXITS_MAX: Final = 4
"""More exits from the class than this would be stopped by the guard, as they should."""
CALM_S: Final = 4000.0
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


@dataclass
class Walk:
    """One seed. `log` is what happened, for the one who has to understand it."""

    seed: int
    steps: int = 20
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        latency = self.dice.choice(("fast", 0.3, "real", "real"))
        self.world = World(seed=self.seed, latency=latency, post=lag(random.Random(self.seed + 1)))
        for lb_id in LENT:
            self.world.account.lend(lb_id)
        self.watchman = Watchman(self.world)
        self._exits = 0
        self._nodes = 2

    def run(self) -> None:
        """Both phases; raises what is broken."""
        self.world.start_anyhow()
        for _ in range(self.steps):
            self._survive(self._act)
            seconds = self.dice.choice((0.0, 0.2, 1.0, 5.0, 40.0))
            self._survive(partial(self.world.run, seconds))
        self._calm_down()
        self.world.settle(CALM_S)
        self.world.live().verify()
        self.world.settle(CALM_S)
        self.watchman.check_rest()

    def _calm_down(self) -> None:
        self.log.append("calm")
        self.world.gate_open = True
        self.world.account.emulator.gateway.faults.clear()
        self.world.users.emulator.controls.faults.orders.clear()
        self.world.live().toll.arm(0, Death.BEFORE)

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Died as death:
            self.log.append(f"{self.world.clock.now():8.3f} {death}")
            self.watchman.check()
            if self.world.live().toll.late:
                self.world.succeed(self.dice.choice((0.1, 3.0, 12.0)))
                return
            self.world.clock.advance(self.dice.choice((0.0, 5.0, 30.0)))
            self.world.start_anyhow()

    def _act(self) -> None:
        choices: tuple[tuple[int, Callable[[], str]], ...] = (
            (5, self._create),
            (5, self._edit),
            (3, self._delete),
            (2, self._move_class),
            (2, self._change_nodes),
            (1, self._rotate),
            (1, self._service),
            (6, self._sicken),
            (2, self._upset_kube),
            (4, self._die),
            (2, self._edit_cloud),
            (1, self._verify),
            (1, self._gate),
        )
        action = self.dice.choices([act for _, act in choices], [weight for weight, _ in choices])[0]
        self.log.append(f"{self.world.clock.now():8.3f} {action()}")

    # Users.

    def _living(self) -> list[str]:
        found = (self.world.users.find(name) for name in NAMES)
        return [one["metadata"]["name"] for one in found if one and "deletionTimestamp" not in one["metadata"]]

    def _rules(self) -> list[manifests.Json]:
        hosts = self.dice.sample(HOSTS, self.dice.randint(1, 2))
        return [
            manifests.rule(
                host, *self.dice.sample(PATHS, self.dice.randint(1, 2)), backend=self.dice.choice(("web", "api"))
            )
            for host in hosts
        ]

    def _create(self) -> str:
        name = self.dice.choice(NAMES)
        if self.world.users.find(name) is not None:
            return self._edit()
        annotations = {NAMED: self.dice.choice(LENT)} if self.dice.random() < 0.4 else {}
        tls = "cert" if self.dice.random() < 0.3 else ""
        self.world.users.create(manifests.ingress(name, *self._rules(), annotations=annotations, tls=tls))
        return f"create {name} {annotations} {tls}"

    def _edit(self) -> str:
        names = self._living()
        if not names:
            return "nothing to edit"
        name = self.dice.choice(names)
        if self.dice.random() < 0.25:
            tls = [{"secretName": "cert"}] if self.dice.random() < 0.5 else None
            self.world.users.patch({"spec": {"tls": tls}}, name)
            return f"edit {name}: tls {tls}"
        rules = self._rules()
        self.world.users.rules(*rules, name=name)
        return f"edit {name}: {[(one['host'], [p['path'] for p in one['http']['paths']]) for one in rules]}"

    def _delete(self) -> str:
        names = self._living()
        if not names:
            return "nothing to delete"
        name = self.dice.choice(names)
        self.world.users.delete(name)
        return f"delete {name}"

    def _move_class(self) -> str:
        names = self._living()
        if not names:
            return "nobody to leave"
        name = self.dice.choice(names)
        if self.world.users.ingress(name).annotations.get(CLASS) == "nginx":
            self.world.users.annotate({CLASS: None}, name)
            return f"{name} comes back"
        if self._exits >= EXITS_MAX:
            return "nobody may leave any more"
        self._exits += 1
        self.world.users.annotate({CLASS: "nginx"}, name)
        return f"{name} leaves"

    def _change_nodes(self) -> str:
        if self._nodes > 2 and self.dice.random() < 0.5:
            self._nodes -= 1
            name = f"node-{self._nodes}"
            self.world.users.remove(f"{NODES}/{name}")
            return f"{name} goes"
        name, address, instance = f"node-{self._nodes}", f"10.0.1.{self._nodes}", f"ins-{self._nodes:08d}"
        self.world.account.seed(instances=[{"id": instance, "ip": address}])
        self.world.users.create(manifests.node(name, address, instance))
        self._nodes += 1
        return f"{name} comes"

    def _rotate(self) -> str:
        certificate = self.dice.choice(manifests.CERTIFICATES)
        self.world.users.update("/api/v1/namespaces/shop/secrets/cert", {"stringData": {"qcloud_cert_id": certificate}})
        return f"certificate {certificate}"

    def _service(self) -> str:
        port = self.dice.choice((30081, 30082, 30083))
        change = {"spec": {"ports": [{"port": 80, "nodePort": port}]}}
        self.world.users.update(f"{SERVICES}/api", change)
        return f"api moves to {port}"

    # Trouble.

    def _sicken(self) -> str:
        sickness = dict(self.dice.choice(SICKNESSES))
        reads = sickness["kind"] not in ("task_fail", "partial", "empty_ids") and self.dice.random() < 0.3
        action = self.dice.choice(READS if reads else WRITES)
        sickness["count"] = self.dice.choice((1, 1, 2, 5))
        kind = sickness.pop("kind")
        self.world.account.fault(action, kind, **sickness)
        return f"fault {action} {kind} {sickness}"

    def _upset_kube(self) -> str:
        kind = self.dice.choice(("conflict", "drop", "lost", "http_500", "http_429"))
        resource = self.dice.choice(("ingresses", "ingresses/status"))
        count = self.dice.choice((1, 2, 4))
        self.world.users.fault(kind, "patch", resource, count)
        return f"fault {kind} {resource} {count}"

    def _die(self) -> str:
        toll = self.world.live().toll
        at = len(toll.passed) + self.dice.randint(1, 8)
        death = self.dice.choice((Death.BEFORE, Death.AFTER, Death.FROZEN))
        toll.arm(at, death)
        return f"will die {death.value} call {at}"

    def _edit_cloud(self) -> str:
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

    def _gate(self) -> str:
        self.world.gate_open = not self.world.gate_open
        return f"the gate is {'open' if self.world.gate_open else 'closed'}"

    def _verify(self) -> str:
        self.world.live().verify()
        return "the verifier looks"
