"""A thousand load balancers, of which two hundred have pods as targets: a day of them in some minutes. Virtual time."""

from collections.abc import Callable
from typing import Final

from tests.bench.churning import OFF, Churned, churn
from tests.bench.failing_over import FailedOver, failed_over
from tests.bench.figures import rounded
from tests.bench.fleet import Fleet
from tests.bench.joining import come
from tests.bench.rollouts import Rollouts
from tests.bench.rows import Benchmark, Better, Figure, Scale

WITHIN_S: Final = 1_000.0
SCENES: Final = ("verifying", "building", "joining", "all")


def living(scale: Scale) -> tuple[Figure, ...]:
    """One fleet: pods are replaced while something else goes on, and the leader goes twice."""
    count, direct, new = scale.pick((1_000, 200, 500), (40, 10, 20))
    with Fleet() as fleet:
        fleet.start()
        fleet.lead()
        names = [f"shop-{number:04}" for number in range(count - direct)]
        for name in names:
            fleet.ingress(name)
        rollouts = Rollouts(fleet, [f"pods-{number:03}" for number in range(direct)])
        fleet.quiet(WITHIN_S)
        handed = failed_over(fleet, names[0], planned=True, within_s=WITHIN_S)
        fleet.quiet(WITHIN_S)
        crashed = failed_over(fleet, names[1], planned=False, within_s=WITHIN_S)
        fleet.quiet(WITHIN_S)

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
            for other in others:
                other()
            found[scene] = churn(fleet, rollouts)
            fleet.quiet(WITHIN_S)
        assert not fleet.account.emulator.calls.errors
    return (
        *(_waits(scene, found[scene]) for scene in SCENES[:-1]),
        _removals(found["all"]),
        _calls(found["verifying"]),
        *_takeover(handed, crashed, count),
    )


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


def _calls(one: Churned) -> Figure:
    return Figure(
        "churning/calls", rounded(one.calls / one.events), "of the least possible", Better.LOWER,
        {"calls": float(one.calls), "least": float(one.events)}, note="one for each change of the endpoints",
    )  # fmt: skip


def _takeover(handed: FailedOver, crashed: FailedOver, count: int) -> tuple[Figure, ...]:
    note = f"{count:,} load balancers"
    worst = max(handed.changed_s, crashed.changed_s)
    return (
        Figure("failover/planned", rounded(handed.led_s), "s", Better.LOWER, note=note),
        Figure("failover/crash", rounded(crashed.led_s), "s", Better.LOWER, note=note),
        Figure("failover/first-change", rounded(worst), "s", Better.LOWER,
               {"planned": rounded(handed.changed_s), "crash": rounded(crashed.changed_s)},
               note="from the new leader's start to the first write for a user who edits at that moment"),
        Figure("failover/part", rounded(max(handed.part, crashed.part)), "of the quota", Better.LOWER,
               {"reads": float(handed.reads), "verified, planned, s": rounded(handed.verified_s),
                "verified, crash, s": rounded(crashed.verified_s)},
               note=f"{note}; busiest action, busiest 10 s, until all are verified"),
        Figure("failover/writes", float(handed.writes + crashed.writes), "calls", Better.LOWER,
               note="beside those for the user"),
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "living",
        "1,000 load balancers, 200 of them with five pods each, all replaced in a minute, two at a time; meanwhile a "
        "verification, 500 new Ingresses, a node that joins; and the leader goes, in order and by a crash.",
        living,
        (
            *(f"churning/{scene}" for scene in SCENES[:-1]),
            *("churning/removals", "churning/calls"),
            *(f"failover/{what}" for what in ("planned", "crash", "first-change", "part", "writes")),
        ),
        limit_s=900.0,
    ),
)
