"""The `kubernetes` package as its own examples have it: typed lists in pages, and `watch.Watch`, into a dictionary."""

from collections.abc import Callable
from typing import Any

from kubernetes.client import ApiClient, Configuration, DiscoveryV1Api, NetworkingV1Api
from kubernetes.watch import Watch

from tests.bench.clients.meter import Asked, Meter, asked

PAGE = 500


def lister(wanted: Asked) -> Callable[..., Any]:
    """The generated method of the kind."""
    client = ApiClient(Configuration(host=wanted.url))
    if wanted.path == "ingresses":
        return NetworkingV1Api(client).list_ingress_for_all_namespaces  # type: ignore[no-any-return]  # untyped package
    return DiscoveryV1Api(client).list_endpoint_slice_for_all_namespaces  # type: ignore[no-any-return]  # likewise


def main() -> None:
    """List in pages, or watch."""
    wanted = asked()
    listed = lister(wanted)
    listed(limit=1)
    cache: dict[tuple[str, str], Any] = {}
    meter = Meter(wanted.ticking)
    meter.start()
    if wanted.watch:
        handled = 0
        for event in Watch().stream(listed, resource_version="50000"):
            one = event["object"]
            cache[one.metadata.namespace, one.metadata.name] = one
            handled += 1
            if handled == wanted.count:
                break
        meter.stop(handled)
        return
    following = ""
    while True:
        page = listed(limit=PAGE, **({"_continue": following} if following else {}))
        cache.update(((one.metadata.namespace, one.metadata.name), one) for one in page.items)
        following = page.metadata._continue
        if not following:
            break
    meter.stop(len(cache))


if __name__ == "__main__":
    main()
