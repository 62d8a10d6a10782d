"""lightkube, as a user gets it without settings of his own: its list and its watch, into a dictionary."""

from typing import Any

from lightkube import Client, SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.resources.discovery_v1 import EndpointSlice
from lightkube.resources.networking_v1 import Ingress

from tests.bench.clients.meter import Meter, asked

KINDS = {"ingresses": Ingress, "endpointslices": EndpointSlice}
PAGE = 500


def main() -> None:
    """List or watch."""
    wanted = asked()
    here = SingleConfig("here", Context(cluster="here", user="me"), Cluster(server=wanted.url), User())
    client = Client(config=here, trust_env=False)
    kind = KINDS[wanted.path]
    cache: dict[tuple[str, str], Any] = {}
    meter = Meter(wanted.ticking)
    meter.start()
    handled = 0
    if wanted.watch:
        for _what, one in client.watch(kind, namespace="*", resource_version="50000"):
            cache[one.metadata.namespace, one.metadata.name] = one
            handled += 1
            if handled == wanted.count:
                break
    else:
        for one in client.list(kind, namespace="*", chunk_size=PAGE):
            cache[one.metadata.namespace, one.metadata.name] = one
        handled = len(cache)
    meter.stop(handled)


if __name__ == "__main__":
    main()
