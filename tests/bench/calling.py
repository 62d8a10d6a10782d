"""What a call to the cloud costs us beside what the SDK takes, and how that grows with the answer."""

import json
from functools import partial
from statistics import median
from typing import Final
from urllib.request import Request, urlopen

from tests.bench.clients.meter import Reading
from tests.bench.figures import alternate, figure, growth
from tests.bench.processes import reading, serving
from tests.bench.rows import Benchmark, Better, Figure, Scale

RULES: Final = (1, 10, 100)
OURS: Final = "l7lb"
WAYS: Final = {OURS: "ours", "SDK, call_json": "json", "SDK with its models": "models"}


def seed(url: str) -> None:
    """A load balancer with one listener for each number of rules; it is named for that number."""
    balancers = [
        {
            "id": f"lb-{rules:08}",
            "listeners": [
                {
                    "protocol": "HTTP",
                    "port": 80,
                    "rules": [{"domain": f"h{number:05}.example.com", "url": "/"} for number in range(rules)],
                }
            ],
        }
        for rules in RULES
    ]
    body = json.dumps({"load_balancers": balancers}).encode()
    with urlopen(Request(f"{url}/_emulator/seed-world", body, method="POST")) as answer:
        assert answer.status == 200, answer.read()


def calls(scale: Scale) -> tuple[Figure, ...]:
    """All ways in turn with ten rules, then ours with one and with a hundred."""
    count, rounds = scale.pick((300, 3), (40, 1))
    readings: dict[str, list[Reading]] = {who: [] for who in WAYS}
    with serving("tests.emulators.clb", "--no-data-plane", "--rate-limit", "0") as url:
        seed(url)

        def read(way: str, rules: int) -> Reading:
            words = (way, url, f"lb-{rules:08}", str(rules), str(count))
            return reading("tests.bench.clients.cloud_calls", *words)

        def one(who: str) -> float:
            readings[who].append(read(WAYS[who], RULES[1]))
            return readings[who][-1].cpu / count * 1e6

        costs = alternate(rounds, {who: partial(one, who) for who in WAYS})
        medians = {who: median(found) for who, found in costs.items()}
        grown = {RULES[1]: medians[OURS] / 1e6}
        for rules in (RULES[0], RULES[2]):
            grown[rules] = median(read("ours", rules).cpu for _ in range(rounds)) / count
    rates = {who: [one.handled / one.cpu for one in found] for who, found in readings.items()}
    others = {who: value for who, value in medians.items() if who != OURS}
    note = f"CPU of the client; DescribeListeners with {RULES[1]} rules"
    return (
        figure("call/cpu", costs[OURS], "µs", Better.LOWER, versus=others, note=note),
        figure(
            "call/rate",
            rates[OURS],
            "calls/s",
            Better.HIGHER,
            versus={who: median(found) for who, found in rates.items() if who != OURS},
            note="that one core could make",
        ),
        growth(
            "call/growth",
            {float(rules): grown[rules] for rules in RULES},
            unit="CPU seconds a call, by rules in the answer",
        ),
    )


BENCHMARKS: Final = (
    Benchmark(
        "calling",
        "The listeners of a load balancer are asked for again and again, over loopback: through our adapter with "
        "budget, guard and metrics, and through the SDK alone.",
        calls,
        ("call/cpu", "call/rate", "call/growth"),
    ),
)
