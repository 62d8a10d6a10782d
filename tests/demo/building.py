"""How far an Ingress has come: from the order of its load balancer to targets in use and an address in its status.

Judged from the cloud and from the Ingress, never from the controller.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.demo.cloud import LoadBalancer, bearing
from tests.demo.cluster import addresses
from tests.demo.manifests import LENT_ID, Wanted
from tests.demo.patience import expect
from tests.demo.screen import Note, tree_of
from tests.demo.stage import Stage

BUILD_S = 60.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps done, steps in all, and in words what is there."""

    done: int
    total: int
    words: str


def applied(stage: Stage, wanted: Wanted) -> None:
    """Apply the manifests, and open the NodePorts of the Services among them as kube-proxy would."""
    for manifest in wanted.manifests:
        stage.cluster.apply(manifest)
    for service in wanted.services:
        stage.fleet.serve(service)


def served(stage: Stage, all_wanted: Sequence[Wanted], seconds: float = BUILD_S) -> list[LoadBalancer]:
    """Wait until each has its load balancer with all rules and every node in use, with a bar for each."""
    uids = {wanted.ingress: stage.uid(wanted.ingress) for wanted in all_wanted}
    said: dict[str, str] = {}
    with ExitStack() as bars:
        notes: dict[str, Note] = {
            wanted.ingress.name: bars.enter_context(stage.screen.bar(wanted.ingress.name)) for wanted in all_wanted
        }

        def look() -> list[LoadBalancer] | None:
            lbs = stage.cloud.load_balancers()
            found = [_look(stage, wanted, bearing(uids[wanted.ingress], lbs)) for wanted in all_wanted]
            for wanted, (_, progress) in zip(all_wanted, found, strict=True):
                notes[wanted.ingress.name](progress.done, progress.total, progress.words)
                said[wanted.ingress.name] = progress.words
            ready = [lb for lb, progress in found if lb is not None and progress.done == progress.total]
            return ready if len(ready) == len(all_wanted) else None

        names = ", ".join(wanted.ingress.name for wanted in all_wanted)
        return stage.patience.until(
            f"the load balancers of {names}", look, seconds, lambda: "; ".join(f"{k}: {v}" for k, v in said.items())
        )


def shown(stage: Stage, all_wanted: Sequence[Wanted], lbs: Sequence[LoadBalancer]) -> None:
    """Print each load balancer as a tree."""
    for wanted, lb in zip(all_wanted, lbs, strict=True):
        stage.screen.show(tree_of(lb, f"← {wanted.ingress}"))


def _look(stage: Stage, wanted: Wanted, lbs: list[LoadBalancer]) -> tuple[LoadBalancer | None, Progress]:
    nodes = [node.address for node in stage.fleet.nodes.values()]
    total = 3 + len(wanted.rules) * (1 + len(nodes))
    expect(len(lbs) <= 1, f"{wanted.ingress} has {len(lbs)} load balancers: {', '.join(lb.id for lb in lbs)}")
    if not lbs:
        return None, Progress(0, total, "no load balancer yet")
    lb = lbs[0]
    expect((lb.id == LENT_ID) == wanted.is_lent, f"{wanted.ingress} uses {lb.id}")
    if not lb.is_running:
        return lb, Progress(1, total, f"{lb.id} is being created")
    rules = lb.rules() & wanted.rules
    surplus = lb.rules() - wanted.rules
    alive = [target for target in lb.targets() if target.health == "Alive" and target.ip in nodes]
    unwanted = [target for target in lb.targets() if target.ip not in nodes]
    reached = addresses(stage.cluster.get(wanted.ingress)) == [lb.address]
    done = 2 + len(rules) + len(alive) + reached - len(surplus) - len(unwanted)
    words = f"{lb.id}: {len(rules)} of {len(wanted.rules)} rules, {len(alive)} targets in use"
    return lb, Progress(max(2, done), total, words + (f", address {lb.address}" if reached else ""))
