"""New Ingresses, a node, and a round of verification, each with ten times as many load balancers. Virtual time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.bench import bounds
from tests.bench.converging import Built, built, ratio
from tests.bench.figures import growth, rounded
from tests.bench.fleet import Fleet
from tests.bench.joining import Joined, joined, left
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.bench.verifying import Verified, verified

SIZES: Final = (10, 100, 1_000)
FIRST: Final = 3
WHOLE: Final = {"api_share": 0.95}
"""Nobody else calls: the budgets are about the whole quota."""


@dataclass(frozen=True, slots=True)
class Grown:
    """All of it, with so many load balancers."""

    built: Built
    joined: Joined
    left: Joined
    verified: Verified


def grown(count: int) -> Grown:
    """One fleet, one thing after the other."""
    with Fleet(config=WHOLE) as fleet:
        fleet.start()
        fleet.lead()
        return Grown(
            taught(fleet, count),
            joined(fleet, 1, count),
            left(fleet, 1, count),
            verified(fleet, within_s=60.0 + count),
        )


def taught(fleet: Fleet, count: int) -> Built:
    """By a few it knows how long tasks take, as a process does that has run for a while."""
    built(fleet, FIRST, "first")
    found = built(fleet, count)
    for number in range(FIRST):
        fleet.users.delete(f"first-{number:04}")
    fleet.quiet(60.0)
    return found


def growing(scale: Scale) -> tuple[Figure, ...]:
    """Each size in a world of its own."""
    found = {size: grown(size) for size in scale.pick(SIZES, (5, 15, 50))}
    most = max(found)
    return (
        *(ratio(one.built, f"converging/{size}") for one, size in zip(found.values(), SIZES, strict=True)),
        *_growth("converging", found, lambda one: one.built.cpu_s, lambda one: sum(one.built.calls.values())),
        *_nodes(found[most], most),
        *_growth("joining", found, lambda one: one.joined.cpu_s + one.left.cpu_s, lambda one: one.joined.calls),
        *_verification(found[most], most),
        *_growth("verifying", found, lambda one: one.verified.cpu_s, lambda one: one.verified.reads),
    )


def _growth(
    subject: str, found: Mapping[int, Grown], cpu_s: Callable[[Grown], float], calls: Callable[[Grown], float]
) -> tuple[Figure, ...]:
    return (
        growth(f"{subject}/growth-cpu", {size: cpu_s(one) for size, one in found.items()}, unit="CPU seconds"),
        growth(f"{subject}/growth-calls", {size: calls(one) for size, one in found.items()}, unit="calls"),
    )


def _nodes(one: Grown, count: int) -> tuple[Figure, ...]:
    least = bounds.node_s(count)
    worst = max(one.joined.seconds, one.left.seconds)
    note = f"{count:,} load balancers; the worse of coming and going"
    return (
        Figure("joining/rate", rounded(least / worst), "of the quota", Better.HIGHER,
               {"comes, s": rounded(one.joined.seconds), "goes, s": rounded(one.left.seconds), "bound, s": least},
               note=note),
        Figure("joining/calls", max(one.joined.calls, one.left.calls) / count, "calls a load balancer", Better.LOWER,
               note=note),
        Figure("joining/cpu", rounded(1000 * max(one.joined.cpu_s, one.left.cpu_s) / count), "ms a load balancer",
               Better.LOWER, note=note),
    )  # fmt: skip


def _verification(one: Grown, count: int) -> tuple[Figure, ...]:
    least = bounds.verification_reads(count)
    seen, note = one.verified, f"{count:,} load balancers"
    return (
        Figure("verifying/reads", rounded(seen.reads / least), "of ceil(N/100) + 2N", Better.LOWER,
               {"reads": float(seen.reads), "seconds": rounded(seen.seconds)}, note=note),
        Figure("verifying/part", rounded(seen.part), "of the quota", Better.LOWER,
               note=f"{note}; busiest action, busiest 10 s"),
        Figure("verifying/writes", float(seen.writes), "calls", Better.LOWER, note=note),
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "growing",
        "New Ingresses of one rule and two targets, all at once, after three; then a node comes to all and goes; "
        "then all are verified. Tasks of 3.5 s (a new load balancer) and 1.15 s, 0.08 s a call, the documented quotas "
        "with `--api-share=0.95`. The bound is the greater of one chain and the calls of any action at the quota, with "
        "what must come before its first and after its last one; without these it is what stands beside it. Virtual "
        "time.",
        growing,
        (
            *(f"converging/{size}" for size in SIZES),
            *("converging/growth-cpu", "converging/growth-calls"),
            *("joining/rate", "joining/calls", "joining/cpu", "joining/growth-cpu", "joining/growth-calls"),
            *("verifying/reads", "verifying/part", "verifying/writes"),
            *("verifying/growth-cpu", "verifying/growth-calls"),
        ),
        limit_s=300.0,
    ),
)
