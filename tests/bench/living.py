"""Fleets of which a fifth has pods as targets: a day of each in some minutes. Virtual time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench import bounds
from tests.bench.churning import OFF, Churned, churn
from tests.bench.failing_over import FailedOver, Way, failed_over
from tests.bench.figures import growth, rounded
from tests.bench.fleet import Fleet
from tests.bench.joining import come
from tests.bench.rollouts import Rollouts
from tests.bench.rows import Benchmark, Better, Figure, Scale

WITHIN_S: Final = 1_000.0
SIZES: Final = (10, 100, 1_000)
SCENES: Final = ("verifying", "building", "joining", "all")
PLAIN: Final = SCENES[0]
"""By which cost and growth are told: a verification is always going on."""
QUIET_S: Final = 60.0
"""A process that runs is past what it does once a term."""


@dataclass(frozen=True, slots=True)
class Lived:
    """One fleet."""

    takeovers: Mapping[Way, FailedOver]
    scenes: Mapping[str, Churned]

    @property
    def verified_cpu_s(self) -> float:
        """Of all takeovers."""
        return sum(one.cpu_s for one in self.takeovers.values())

    @property
    def reads(self) -> int:
        """The most that one takeover took."""
        return max(one.reads for one in self.takeovers.values())


def lived(count: int, scenes: Sequence[str] = SCENES) -> Lived:
    """Pods are replaced while something else goes on, and the leader goes three times. A fifth has pods."""
    direct, new = count // 5, count // 2
    with Fleet() as fleet:
        fleet.start()
        fleet.lead()
        names = [f"shop-{number:04}" for number in range(count - direct)]
        for name in names:
            fleet.ingress(name)
        rollouts = Rollouts(fleet, [f"pods-{number:03}" for number in range(direct)])
        fleet.quiet(WITHIN_S)
        takeovers = {}
        for name, way in zip(names, Way, strict=False):
            takeovers[way] = failed_over(fleet, name, way, within_s=WITHIN_S)
            fleet.quiet(WITHIN_S)
        fleet.crew.pass_time(QUIET_S)

        def build(prefix: str) -> None:
            for number in range(new):
                fleet.ingress(f"{prefix}-{number:04}")

        meanwhile: dict[str, tuple[Callable[[], object], ...]] = {
            "verifying": (fleet.verify,),
            "joining": (lambda: come(fleet, 1),),
            "building": (lambda: build("new"),),
            "all": (fleet.verify, lambda: come(fleet, 2), lambda: build("more")),
        }
        found: dict[str, Churned] = {}
        for scene, others in meanwhile.items():
            if scene not in scenes:
                continue
            for other in others:
                other()
            found[scene] = churn(fleet, rollouts)
            fleet.quiet(WITHIN_S)
        assert not fleet.account.emulator.calls.errors
    return Lived(takeovers, found)


def living(scale: Scale) -> tuple[Figure, ...]:
    """Each size in a world of its own."""
    sizes = scale.pick(SIZES, (5, 15))
    most = max(sizes)
    largest_first = {size: lived(size, SCENES if size == most else (PLAIN,)) for size in reversed(sizes)}
    by_size = dict(sorted(largest_first.items()))  # what ran beside it has made the large dear, and not the small
    scenes = by_size[most].scenes
    plain = {size: one.scenes[PLAIN] for size, one in by_size.items()}
    return (
        *(_waits(scene, scenes[scene]) for scene in SCENES[:-1]),
        _removals(scenes["all"]),
        _calls(by_size),
        Figure("churning/cpu", rounded(plain[most].cpu_s / plain[most].events * 1000), "ms a change", Better.LOWER,
               note=f"CPU of the product for one of {plain[most].events:,} changes in a fleet of {most:,} load "
               "balancers; that of the verification meanwhile is in it"),
        growth("churning/growth-cpu", {size: one.cpu_s for size, one in plain.items()}, unit="CPU seconds"),
        growth("churning/growth-calls", {size: one.calls for size, one in plain.items()}, unit="calls"),
        *_takeover({size: one.takeovers for size, one in by_size.items()}),
        growth("failover/growth-cpu", {size: one.verified_cpu_s for size, one in by_size.items()}, unit="CPU seconds"),
        growth("failover/growth-calls", {size: one.reads for size, one in by_size.items()}, unit="calls"),
    )  # fmt: skip


def _waits(scene: str, one: Churned) -> Figure:
    by_kind = {
        f"{what}, {share:.0%}": rounded(one.quantile(share, what)) for what in one.waits for share in (0.5, 0.99)
    }
    return Figure(
        f"churning/{scene}", rounded(one.quantile(0.99)), "s, 99 %", Better.LOWER,
        {"50 %": rounded(one.quantile(0.5)), **by_kind}, len(one.waits["add"]) * len(one.waits),
        note=f"{one.replaced:,} pods replaced in a minute",
    )  # fmt: skip


def _removals(one: Churned) -> Figure:
    return Figure(
        "churning/removals", rounded(one.quantile(0.99, *OFF)), "s, 99 %", Better.LOWER,
        {"50 %": rounded(one.quantile(0.5, *OFF)), "adds, 99 %": rounded(one.quantile(0.99, "add"))},
        len(one.waits["add"]) * len(OFF), note="draining and taking off, while all three others go on",
    )  # fmt: skip


def _calls(by_size: Mapping[int, Lived]) -> Figure:
    """The worst of all scenes of all fleets, so that nothing hides behind a mean."""
    parts = {
        (size, scene): churned.calls / churned.events
        for size, one in by_size.items()
        for scene, churned in one.scenes.items()
    }
    most = by_size[max(by_size)].scenes
    return Figure(
        "churning/calls", rounded(max(parts.values())), "of the least possible", Better.LOWER,
        {f"{scene}, calls": float(one.calls) for scene, one in most.items()}
        | {
            "least": float(most[PLAIN].events),
            f"{PLAIN}, changes of weights": float(len(most[PLAIN].waits["drain"])),
            f"{PLAIN}, polls of these": float(most[PLAIN].polls),
        },
        note="one for each change of the endpoints; the worst scene of all fleets, beside it those of the largest; the "
        "smaller have only a verification going on; polls are not counted in it, and stand beside it",
    )  # fmt: skip


def _takeover(by_size: Mapping[int, Mapping[Way, FailedOver]]) -> tuple[Figure, ...]:
    """Of the whole quota, of the clock, and of the promises "whatever N is" the worst of all sizes."""
    every = [one for takeovers in by_size.values() for one in takeovers.values()]
    most = max(by_size)
    largest, sizes = by_size[most], ", ".join(f"{size:,}" for size in by_size)
    least = bounds.verification_reads(most)

    def led(way: Way) -> Figure:
        found = {size: takeovers[way].led_s for size, takeovers in by_size.items()}
        return Figure(f"failover/{way}", rounded(max(found.values())), "s", Better.LOWER,
                      {f"{size:,}": rounded(led_s) for size, led_s in found.items()},
                      note=f"until somebody leads again; the worst of {sizes} load balancers")  # fmt: skip

    def beside(measure: Callable[[FailedOver], float]) -> dict[str, float]:
        return {str(way): rounded(measure(one)) for way, one in largest.items()}

    return (
        *(led(way) for way in Way),
        Figure("failover/first-change", rounded(max(one.changed_s for one in every)), "s", Better.LOWER,
               beside(lambda one: one.changed_s),
               note="from the new leader's start to the first write for a user who edits at that moment; the worst of "
               f"{sizes} load balancers, beside it {most:,}"),
        Figure("failover/verified", rounded(max(one.verified_s for one in largest.values())), "s", Better.LOWER,
               beside(lambda one: one.verified_s),
               note=f"from the new leader's start until all of {most:,} load balancers are verified"),
        Figure("failover/reads", rounded(max(one.reads for one in largest.values()) / least), "of ceil(N/100) + 2N",
               Better.LOWER, beside(lambda one: one.reads),
               note=f"{most:,} load balancers; two reads are those for the user"),
        Figure("failover/part", rounded(max(one.part for one in every)), "of the quota", Better.LOWER,
               beside(lambda one: one.part),
               note=f"busiest action, busiest 10 s, until all are verified; the worst of {sizes} load balancers, "
               f"beside it {most:,}"),
        Figure("failover/writes", float(sum(one.writes for one in every)), "calls", Better.LOWER,
               note="beside those for the user"),
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "living",
        "10, 100 and 1,000 load balancers, a fifth of them with five pods each, all replaced in a minute, two at a "
        "time, while a verification runs; of the largest also while half as many new Ingresses come, and while a node "
        "joins. And the leader goes: in order and by a crash, with another that stands by, and by a restart, with none "
        "(what a process takes to start, `start/synced`, comes on top).",
        living,
        (
            *(f"churning/{scene}" for scene in SCENES[:-1]),
            *("churning/removals", "churning/calls", "churning/cpu", "churning/growth-cpu", "churning/growth-calls"),
            *(f"failover/{way}" for way in Way),
            *(f"failover/{what}" for what in ("first-change", "verified", "reads", "part", "writes")),
            *("failover/growth-cpu", "failover/growth-calls"),
        ),
        limit_s=900.0,
        virtual=True,
    ),
)
