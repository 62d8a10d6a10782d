"""What a watch costs: our whole informer against everything else that Python has, and against the limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

from tests.bench.clients.meter import Reading
from tests.bench.figures import alternate, figure
from tests.bench.processes import reading, serving
from tests.bench.rows import Benchmark, Better, Figure, Scale

OURS: Final = "l7lb"
TYPED: Final = "kubernetes Watch, typed"
SHARED: Final = "kubernetes SharedInformer"
FLOOR: Final = "socket and typed parse"
CLIENTS: Final = {
    OURS: "ours",
    TYPED: "typed",
    SHARED: "shared_informer",
    "kopf": "kopf_watch",
    "lightkube": "lightkube_watch",
    FLOOR: "floor",
}
JUDGED: Final = (OURS, TYPED)
"""Between whom the budgets are. They run in every round; the others, who only stand beside them, in the first."""


AIMS: Final = {"ingresses": 30_000.0, "slices": 6_000.0}
"""Events a second on one core of our own: no budget, since it depends on the machine."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The same watch for all; who is slow gets fewer events."""

    kind: str
    flags: tuple[str, ...]
    events: int
    fewer: Mapping[str, int]
    rounds: int
    """Of those between whom a budget is."""

    def count(self, who: str) -> int:
        """Events for this one."""
        return self.fewer.get(who, self.events)


def contested(contest: Contest) -> dict[str, list[Reading]]:
    """All clients in turn, then again those that are judged."""
    with serving("tests.bench.apiserver", *contest.flags) as url:
        readings: dict[str, list[Reading]] = {who: [] for who in CLIENTS}

        def one(who: str) -> float:
            module = f"tests.bench.clients.{CLIENTS[who]}"
            readings[who].append(reading(module, "watch", contest.kind, url, str(contest.count(who))))
            return readings[who][-1].cpu

        alternate(1, {who: partial(one, who) for who in CLIENTS})
        alternate(contest.rounds - 1, {who: partial(one, who) for who in JUDGED})
    return readings


def cpu_us(readings: Sequence[Reading]) -> list[float]:
    """CPU microseconds an event, each time."""
    return [one.cpu / one.handled * 1e6 for one in readings]


def figures(name: str, contest: Contest, words: str) -> tuple[Figure, ...]:
    """The ratio that has a budget, the rate, and the cost of all."""
    readings = contested(contest)
    costs = {who: cpu_us(found) for who, found in readings.items()}
    medians = {who: median(found) for who, found in costs.items()}
    ratios = [theirs / ours for ours, theirs in zip(costs[OURS], costs[TYPED], strict=True)]
    rates = {who: median(one.handled / one.seconds for one in found) for who, found in readings.items()}
    fewer = "".join(f"; {who} {count:,}" for who, count in contest.fewer.items())
    note = f"CPU an event of each, over ours; {words}{fewer}; the others but the typed Watch once"
    others = {who: value for who, value in medians.items() if who != OURS}
    return (
        figure(
            f"watch/{name}/ratio",
            ratios,
            "times less CPU",
            Better.HIGHER,
            versus={who: value / medians[OURS] for who, value in others.items()},
            note=note,
        ),
        figure(
            f"watch/{name}/cpu", costs[OURS], "µs/event", Better.LOWER, versus=others, note="CPU of the whole process"
        ),
        figure(
            f"watch/{name}/rate",
            [one.handled / one.seconds for one in readings[OURS]],
            "events/s",
            Better.HIGHER,
            versus={who: value for who, value in rates.items() if who != OURS} | {"the aim": AIMS[name]},
            note="by the wall clock, on one core",
        ),
    )


def ingresses(scale: Scale) -> tuple[Figure, ...]:
    """All of them get the first pass, in which the cache grows, and then changes of what is there."""
    objects, events = scale.pick((10_000, 50_000), (500, 2_500))
    fewer = {SHARED: scale.pick(20_000, 1_000)}
    contest = Contest("ingresses", ("--ingresses", "0", str(objects), str(events)), events, fewer, scale.pick(3, 1))
    return figures("ingresses", contest, f"{events:,} events over {objects:,} Ingresses, the first pass counted")


def slices(scale: Scale) -> tuple[Figure, ...]:
    """Each slice belongs to a Service that an Ingress names, so that each change queues a key."""
    objects, events = scale.pick((1_000, 5_000), (50, 250))
    flags = ("--ingresses", str(objects), "0", "0", "--slices", "0", str(objects), str(events))
    slow = {TYPED: scale.pick(1_500, 100), SHARED: scale.pick(1_000, 100)}
    contest = Contest("endpointslices", flags, events, slow, scale.pick(3, 1))
    return figures("slices", contest, f"{events:,} events over {objects:,} slices of 100 endpoints")


def _rows(name: str) -> tuple[str, ...]:
    return (f"watch/{name}/ratio", f"watch/{name}/cpu", f"watch/{name}/rate")


BENCHMARKS: Final = (
    Benchmark(
        "watching-ingresses",
        "A watch brings 50,000 events over 10,000 Ingresses. Ours is the whole informer: decoded, stored, indexed, "
        "the key queued; the others put what they decode into a dictionary. After the first pass "
        "versions differ in an annotation that no index reads, and keys that are queued stay so.",
        ingresses,
        _rows("ingresses"),
        limit_s=900.0,
    ),
    Benchmark(
        "watching-slices",
        "The same with EndpointSlices of 100 endpoints each, of which one turns ready or not.",
        slices,
        _rows("slices"),
        limit_s=900.0,
    ),
)
