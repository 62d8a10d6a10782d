"""What a list costs, how it grows, and how long it keeps other threads from running."""

from functools import partial
from statistics import median
from typing import Final

from tests.bench.clients.meter import Reading
from tests.bench.figures import alternate, figure, growth, rounded
from tests.bench.processes import reading, serving
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.bench.watching import CLIENTS, JUDGED, OURS, SHARED, TYPED

LISTERS: Final = {who: module for who, module in CLIENTS.items() if who != SHARED}
TYPED_LIST: Final = "kubernetes typed list"
NAMES: Final = {TYPED: TYPED_LIST}
KIB: Final = 1024


def _read(url: str, who: str, kind: str, count: int, *flags: str) -> Reading:
    found = reading(f"tests.bench.clients.{CLIENTS[who]}", "list", kind, url, str(count), *flags)
    assert found.handled == count, f"{who} has {found.handled} of {count}"
    return found


def contest(scale: Scale) -> tuple[Figure, ...]:
    """All who list, in turn, those that are judged again, and what each holds afterwards."""
    count = scale.pick(10_000, 1_000)
    readings: dict[str, list[Reading]] = {who: [] for who in LISTERS}
    with serving("tests.bench.apiserver", "--ingresses", str(count), "0", "0") as url:

        def one(who: str) -> float:
            readings[who].append(_read(url, who, "ingresses", count))
            return readings[who][-1].cpu

        costs = alternate(1, {who: partial(one, who) for who in LISTERS})
        for who, again in alternate(scale.pick(3, 1) - 1, {who: partial(one, who) for who in JUDGED}).items():
            costs[who] += again
    medians = {NAMES.get(who, who): median(found) for who, found in costs.items()}
    ratios = [theirs / ours for ours, theirs in zip(costs[OURS], costs[TYPED], strict=True)]
    kept = {NAMES.get(who, who): median(one.kept_mib for one in found) for who, found in readings.items()}
    others = {who: value for who, value in medians.items() if who != OURS}
    return (
        figure(
            "list/ratio",
            ratios,
            "times less CPU",
            Better.HIGHER,
            versus={who: value / medians[OURS] for who, value in others.items()},
            note=f"CPU of each over ours; {count:,} Ingresses; the others but the typed list once",
        ),
        figure("list/cpu", costs[OURS], "s", Better.LOWER, versus=others, note="into the store, with all its indexes"),
        figure(
            "list/kept",
            [one.kept_mib * KIB / count for one in readings[OURS]],
            "KiB/Ingress",
            Better.LOWER,
            versus={who: value * KIB / count for who, value in kept.items() if who != OURS},
            note="memory that the process holds more than before; ours with indexes, without what it has loaded once",
        ),
    )


def grown(scale: Scale) -> tuple[Figure, ...]:
    """Lists of three sizes, each by a process of its own."""
    costs: dict[float, float] = {}
    for count in scale.pick((100, 1_000, 10_000), (100, 1_000)):
        with serving("tests.bench.apiserver", "--ingresses", str(count), "0", "0") as url:
            costs[float(count)] = median(_read(url, OURS, "ingresses", count).cpu for _ in range(scale.pick(3, 1)))
    return (growth("list/growth", costs, unit="CPU seconds"),)


def stalls(scale: Scale) -> tuple[Figure, ...]:
    """A thread that wants a turn each millisecond, while the informer's thread lists."""
    ingresses, slices = scale.pick((10_000, 2_000), (1_000, 400))
    flags = ("--ingresses", str(ingresses), "0", "0", "--slices", str(slices), "0", "0")
    sizes = {"ingresses": ingresses, "endpointslices": slices}
    found: dict[str, list[Reading]] = {kind: [] for kind in sizes}
    with serving("tests.bench.apiserver", *flags) as url:
        for _ in range(scale.pick(5, 1)):
            for kind, count in sizes.items():
                found[kind].append(_read(url, OURS, kind, count, "--ticking"))
        typed = _read(url, TYPED, "ingresses", ingresses, "--ticking")
    note = "CPU that the process used between two turns of the other thread; the longest of all lists"
    return tuple(
        Figure(
            f"list/{name}/stall",
            rounded(max(one.stall_cpu_ms for one in found[kind])),
            "ms",
            Better.LOWER,
            {
                "the median of the longest of each": rounded(median(one.stall_cpu_ms for one in found[kind])),
                "by the wall clock": rounded(median(one.stall_ms for one in found[kind])),
                **versus,
            },
            len(found[kind]),
            note=f"{sizes[kind]:,} {words}; {note}",
        )
        for name, kind, words, versus in (
            ("ingresses", "ingresses", "Ingresses", {TYPED_LIST: rounded(typed.stall_cpu_ms)}),
            ("slices", "endpointslices", "slices of 100 endpoints", {}),
        )
    )


BENCHMARKS: Final = (
    Benchmark(
        "listing",
        "10,000 Ingresses are listed in pages: ours into the store with its indexes, the others into a dictionary.",
        contest,
        ("list/ratio", "list/cpu", "list/kept"),
        limit_s=600.0,
    ),
    Benchmark("listing-grown", "100, 1,000 and 10,000 Ingresses are listed.", grown, ("list/growth",)),
    Benchmark(
        "listing-stalls",
        "Ingresses and slices are listed while another thread of the process wants a turn each millisecond.",
        stalls,
        ("list/ingresses/stall", "list/slices/stall"),
    ),
)
