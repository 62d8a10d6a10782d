"""How long it takes until many load balancers are deleted and their Ingresses gone. Virtual time."""

from typing import Final

from tests.bench import bounds
from tests.bench.converging import built
from tests.bench.figures import rounded
from tests.bench.fleet import CALL_S, REAL, Fleet
from tests.bench.rows import Benchmark, Better, Figure, Scale
from tests.simulation.cluster import Seen
from tests.simulation.manifests import Json

INGRESSES: Final = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"


def removing(scale: Scale) -> tuple[Figure, ...]:
    """All Ingresses are deleted at once; looked at every second."""
    count = scale.pick(100, 30)
    with Fleet(config={"verify_interval": 0.0}) as fleet:
        fleet.start()
        fleet.lead()
        built(fleet, count)
        there = {one["metadata"]["name"]: Seen(one).record["lb"] for one in fleet.users.all(INGRESSES)}
        fleet.account.forget_calls()
        begun, gone = fleet.clock.now(), dict[str, float]()
        for name in there:
            fleet.users.delete(name)
        while len(gone) < count and fleet.clock.now() - begun < 2 * bounds.deleted_s(count):
            fleet.crew.pass_time(1.0)
            left = {one["metadata"]["name"] for one in fleet.users.all(INGRESSES)}
            gone |= {there[name]: fleet.clock.now() for name in there if name not in left and there[name] not in gone}
        ended = _ended(fleet.issued("DeleteLoadBalancer"))
        seconds = max(gone.values()) - begun
    assert gone.keys() == ended.keys() == set(there.values()), f"{len(gone)} of {count} are gone"
    return (
        Figure("removing/time", rounded(seconds / bounds.deleted_s(count)), "of N/25 x 300 s + 30 s", Better.LOWER,
               {"seconds": seconds}, note=f"{count:,} load balancers"),
        Figure("removing/finalizer", rounded(max(gone[lb] - ended[lb] for lb in gone)), "s", Better.LOWER,
               samples=count, note="the longest from the end of a load balancer to that of its Ingress"),
        Figure("removing/calls", rounded(sum(fleet.account.calls().values()) / count), "calls a load balancer",
               Better.LOWER, {action: float(made) for action, made in sorted(fleet.account.calls().items())}),
    )  # fmt: skip


def _ended(calls: list[tuple[float, Json]]) -> dict[str, float]:
    """By load balancer, when its task was over."""
    return {lb: at + CALL_S + REAL["*"] for at, params in calls for lb in params["LoadBalancerIds"]}


BENCHMARKS = (
    Benchmark(
        "removing",
        "All Ingresses of a fleet are deleted at once; the cloud takes 25 deletions in five minutes. Virtual time.",
        removing,
        ("removing/time", "removing/finalizer", "removing/calls"),
        limit_s=120.0,
    ),
)
