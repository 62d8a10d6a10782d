"""`python -m tests.soak --minutes 10 --seed 1`: churn and faults on both emulators, then one table.

In the first third the leader is replaced twice; the processes that are there then are measured to the end. Exit codes:
0 all flat and the cloud as the Ingresses say, 1 something grows, 2 the cloud is not as they say.
"""

import argparse
import sys
import threading
import time
from contextlib import ExitStack
from typing import Final

from tests.soak.gauges import Gauge, lines
from tests.soak.weather import Weather
from tests.system.churn import Churn
from tests.system.replicas import Replica
from tests.system.world import World

SAMPLE_S: Final = 3.0
REST_S: Final = 120.0
DELETE_S: Final = 15.0
"""Between two deletions, so that none of them has to wait for the cloud's budget."""
LATENCY: Final = {"CreateLoadBalancer": 0.5, "*": 0.2}


def main() -> int:
    """Play, look, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    _say(f"soak: seed {given.seed}, {given.minutes:g} minutes")
    with ExitStack() as stack:
        world = stack.enter_context(World(setup={"latency": LATENCY, "seed": given.seed}))
        return _soak(world, stack, given.seed, given.minutes * 60.0)


def _soak(world: World, stack: ExitStack, seed: int, length_s: float) -> int:
    pause, began = threading.Event(), time.monotonic()
    leader, standby = _start(world, stack, 1), _start(world, stack, 2)
    churn, weather = Churn(world, seed, DELETE_S), Weather(world, seed)
    with weather, churn:
        for number in (3, 4):
            pause.wait(length_s / 9)
            fresh = _start(world, stack, number)
            _say(f"the leader goes: exit code {leader.terminate()}")
            leader, standby = standby, fresh
            leader.leads()
        gauges = {"leader": Gauge(leader), "standby": Gauge(standby)}
        while time.monotonic() - began < length_s:
            for gauge in gauges.values():
                gauge.look()
            pause.wait(SAMPLE_S)
    world.mend()
    differences = _differences(churn)
    _say(f"deeds: {churn.deeds} on Ingresses, {dict(sorted(weather.deeds.items()))}")
    _say(f"calls to the cloud: {sum(world.calls().values())}; internal errors: {_internal_errors(leader, standby)}")
    return _verdict(gauges, differences)


def _start(world: World, stack: ExitStack, number: int) -> Replica:
    one = Replica(world, f"replica{number}")
    stack.callback(one.stop)
    one.wait(f"{one.name} is ready", lambda: one.is_ready, 60.0)
    return one


def _differences(churn: Churn) -> list[str]:
    pause, deadline = threading.Event(), time.monotonic() + REST_S
    while (left := churn.differences()) and time.monotonic() < deadline:
        pause.wait(0.5)
    return left


def _internal_errors(*replicas: Replica) -> int:
    return sum(len(one.lines(": internal error: |Traceback")) for one in replicas)


def _verdict(gauges: dict[str, Gauge], differences: list[str]) -> int:
    flat = True
    for name, gauge in gauges.items():
        _say(f"\n{name}, {len(gauge.samples)} samples{'first':>24}{'middle':>10}{'last':>10}   third of the time")
        for line in lines(gauge.samples):
            flat = flat and line.flat
            _say(str(line))
    if differences:
        _say(f"\nsoak: the cloud is not as the Ingresses say: {differences}")
        return 2
    _say("\nsoak: all flat" if flat else "\nsoak: something grows")
    return 0 if flat else 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
