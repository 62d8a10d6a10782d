"""What a decision costs: translate, plan from nothing, plan again when nothing differs, and a pass that finds nothing.

Each with 1, 50 and 2,500 rules. Only the product's CPU counts; the worlds around it are made before.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from l7lb import ledger, planner, translator
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import DesiredLoadBalancer, ObservedLoadBalancer
from l7lb.model.ownership import Ownership, Stamp
from l7lb.model.plan import Plan
from l7lb.model.problems import Held
from l7lb.model.snapshot import Limits, Snapshot
from tests import builders as of_planner
from tests.bench.figures import figure, growth
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.simulation import manifests
from tests.simulation.world import World
from tests.unit.translator import builders as of_translator

RULES: Final = (1, 50, 2_500)
FEW_RULES: Final = (1, 50, 500)
GROWN: Final = (25, 250, 2_500)
FEW_GROWN: Final = (5, 50, 500)
NODES: Final = 10
LIMITS: Final = Limits(rules_per_listener=max(RULES))
SETTINGS: Final = replace(of_translator.SETTINGS, limits=LIMITS)
STAMP: Final = Stamp(ledger.stamp(of_planner.OWNER), ledger.client_token(of_planner.OWNER, 0))
DECISIONS: Final = ("translate", "plan", "plan-again")
SAMPLE_S: Final = 0.2
"""A sample goes on until it has taken so long: one go with one rule is too short for a clock."""


def snapshot(rules: int) -> Snapshot:
    """An Ingress with a host a rule, on ten nodes."""
    hosts = (of_translator.rule(f"h{number:05}.example.com") for number in range(rules))
    nodes = tuple(of_translator.node(f"n{number}", f"10.0.0.{number + 1}") for number in range(NODES))
    return of_translator.snapshot(of_translator.ingress(*hosts), nodes=nodes)


@dataclass(frozen=True, slots=True)
class Case:
    """One load balancer, wanted and, once it is there, as it is."""

    of: Snapshot
    desired: DesiredLoadBalancer
    observed: ObservedLoadBalancer

    def translated(self) -> object:
        """From cluster objects to what is wanted."""
        return translator.translate(self.of, SETTINGS)

    def planned(self) -> Plan:
        """From nothing."""
        return from_nothing(self.desired)

    def planned_again(self) -> Plan:
        """When all is there."""
        claim = of_planner.claim(Ownership.CREATED, "HTTP:80")
        return planner.converge(self.desired, self.observed, claim, Held(), LIMITS, None)


def from_nothing(desired: DesiredLoadBalancer) -> Plan:
    """The plan that makes it."""
    return planner.converge(desired, None, ledger.to_create(of_planner.OWNER), Held(), LIMITS, STAMP)


def case(rules: int) -> Case:
    """With so many rules; for the cloud all is there."""
    of = snapshot(rules)
    desired = translator.translate(of, SETTINGS).desired
    assert desired is not None
    made = Case(of, desired, of_planner.observed(*map(of_planner.there, desired.listeners)))
    again = made.planned_again()
    assert not again.steps, again
    return made


def cost_ms(work: Callable[[], object], samples: int) -> list[float]:
    """CPU milliseconds of one go, a number for each sample."""
    found = []
    for _ in range(samples):
        goes, begun = 0, time.process_time()
        while (spent := time.process_time() - begun) < SAMPLE_S or not goes:
            work()
            goes += 1
        found.append(spent / goes * 1000)
    return found


def decisions(scale: Scale) -> tuple[Figure, ...]:
    """Pure functions on values."""
    works: dict[str, dict[int, Callable[[], object]]] = {name: {} for name in DECISIONS}
    for size in sizes_of(scale):
        one = case(size)
        works["translate"][size] = one.translated
        works["plan"][size] = one.planned
        works["plan-again"][size] = one.planned_again
    found: list[Figure] = []
    for name, by_size in works.items():
        found += figures(name, costs_of(by_size, scale), scale)
    return tuple(found)


def sizes_of(scale: Scale) -> list[int]:
    """Those that are shown, and those by which growth is judged."""
    return sorted({*scale.pick(RULES, FEW_RULES), *scale.pick(GROWN, FEW_GROWN)})


def costs_of(works: Mapping[int, Callable[[], object]], scale: Scale) -> dict[int, list[float]]:
    """Fewer samples of what is only there for growth."""
    few, many = scale.pick((3, 5), (1, 2))
    return {size: cost_ms(work, many if size in RULES else few) for size, work in works.items()}


def figures(name: str, costs: dict[int, list[float]], scale: Scale) -> list[Figure]:
    """The cost with the middle size, beside it those with the others, and the growth over two powers of ten.

    Not from one rule: what is done once for all rules outweighs it, which would flatter the exponent.
    """
    medians = {size: median(samples) for size, samples in costs.items()}
    least, middle, most = scale.pick(RULES, FEW_RULES)
    versus = {f"{size:,} rules": medians[size] for size in (least, most)}
    note = f"CPU with {middle:,} rules of {NODES} targets each"
    grown = {float(size): medians[size] for size in scale.pick(GROWN, FEW_GROWN)}
    return [
        figure(f"{name}/cpu", costs[middle], "ms", Better.LOWER, versus=versus, note=note),
        growth(f"{name}/growth", grown, unit="CPU milliseconds"),
    ]


def idle_pass(rules: int) -> Callable[[], None]:
    """A world at rest with one Ingress of so many rules; the call is one pass over it, with a verified observation."""
    world = World(quotas={"TOTAL_LISTENER_RULE_QUOTA": max(RULES)})
    hosts = (manifests.rule(f"h{number:05}.example.com") for number in range(rules))
    uid = world.users.create(manifests.ingress("shop", *hosts))
    process = world.start()
    world.settle()
    assert world.users.ingress().is_ready, world.users.ingress().why
    world.account.forget_calls()

    def once() -> None:
        assert process.term is not None
        process.term.queue.add(f"new/{uid}", Lane.CHANGE, world.clock.now())
        passes = len(world.passes)
        process.step()
        assert len(world.passes) == passes + 1
        assert not world.account.calls()

    return once


def passes(scale: Scale) -> tuple[Figure, ...]:
    """The whole reconciler between a cluster and an account that it does not have to ask."""
    works = {size: idle_pass(size) for size in sizes_of(scale)}
    return tuple(figures("idle-pass", costs_of(works, scale), scale))


BENCHMARKS: Final = (
    Benchmark(
        "planning",
        "An Ingress with 1, 50 and 2,500 rules on ten nodes is translated; a plan is made from nothing, and again when "
        "all is there.",
        decisions,
        tuple(f"{name}/{what}" for name in DECISIONS for what in ("cpu", "growth")),
    ),
    Benchmark(
        "idle-pass",
        "A pass over an Ingress to which nothing has happened: the whole reconciler, with a verified observation.",
        passes,
        ("idle-pass/cpu", "idle-pass/growth"),
        limit_s=240.0,
    ),
)
