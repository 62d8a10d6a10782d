"""What tells this cluster from a copy of it: who lives here, and which load balancers are in use on its behalf."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from l7lb import translator
from l7lb.app.caches import Stores, record_of
from l7lb.model.identity import CloudRef, Cluster, ListenerId, LoadBalancerId
from l7lb.telemetry.metrics import CONTROLLER, Metrics

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Implements `Neighbourhood` over the stores."""

    stores: Stores
    cluster: Cluster
    unread: Callable[[], frozenset[str]]
    """Kinds that are not synced."""

    def inhabited(self, addresses: frozenset[str]) -> frozenset[str] | None:
        """Of these those where a node that is Ready, or a pod on one, is; None while that is unknown.

        A copy of the API server's data has the nodes and pods of its original, which will not be Ready for long.
        """
        if self.unread() & {"Pod", "Node"}:
            return None
        nodes = [item.object for item in self.stores.nodes.list() if translator.is_ready(item.object)]
        here = {entry.address for node in nodes for entry in node.status.addresses or ()} & addresses
        names = {node.metadata.name for node in nodes}
        pods = {
            address
            for address in addresses - here
            for item in self.stores.pods.by_index("address", address)
            if item.object.spec.node_name in names and not item.object.over
        }
        return frozenset(here | pods)

    def in_use(self) -> Mapping[CloudRef, frozenset[ListenerId]]:
        """Every load balancer that a record names, with our listeners on it."""
        found: dict[CloudRef, frozenset[ListenerId]] = {}
        for item in self.stores.ingresses.list():
            record = record_of(item.object, self.cluster)
            if record is not None and record.lb and record.region:
                ref = CloudRef(record.region, LoadBalancerId(record.lb))
                ids = frozenset(ListenerId(listener) for listener, _ in record.listeners.values() if listener)
                found[ref] = found.get(ref, frozenset()) | ids
        return found


@dataclass(slots=True)
class Doubt:
    """Why nothing is taken away; empty: nothing is held."""

    metrics: Metrics
    words: str = ""

    def tell(self, words: str) -> None:
        """It is news."""
        self.words = words
        self.metrics.set("l7lb_deletes_held", float(bool(words)), CONTROLLER)
        text = words or "deletes are not held: this cluster is no copy"
        _logger.log(logging.WARNING if words else logging.INFO, text)
