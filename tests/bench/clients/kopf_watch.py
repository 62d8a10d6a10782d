"""kopf, up to the point where an operator's handlers begin: its list and its stream of events, into a dictionary."""

import asyncio
import logging
from typing import Any

from kopf._cogs.clients import auth, fetching, watching
from kopf._cogs.configs.configuration import OperatorSettings
from kopf._cogs.structs.credentials import ConnectionInfo, Vault, VaultKey
from kopf._cogs.structs.references import Resource

from tests.bench.clients.meter import Asked, Meter, asked

GROUPS = {"ingresses": "networking.k8s.io", "endpointslices": "discovery.k8s.io"}


async def measure(wanted: Asked) -> None:
    """List or watch, as somebody who may."""
    vault = Vault()
    await vault.populate({VaultKey("here"): ConnectionInfo(server=wanted.url)})
    auth.vault_var.set(vault)
    try:
        await read(wanted)
    finally:
        await vault.close()


async def read(wanted: Asked) -> None:
    """With the vault in place."""
    settings = OperatorSettings()
    resource = Resource(GROUPS[wanted.path], "v1", wanted.path, namespaced=True)
    cache: dict[tuple[str, str], Any] = {}

    def keep(one: Any) -> None:
        cache[one["metadata"]["namespace"], one["metadata"]["name"]] = one

    meter = Meter(wanted.ticking)
    if not wanted.watch:
        meter.start()
        logger = logging.getLogger(__name__)
        async for chunk, _version in fetching.fetch_objs(
            settings=settings, resource=resource, namespace=None, logger=logger
        ):
            for one in chunk:
                keep(one)
        meter.stop(len(cache))
        return
    handled = 0
    stream = watching.continuous_watch(
        settings=settings, resource=resource, namespace=None, operator_pause_waiter=asyncio.Future()
    )
    async for event in stream:
        if event is watching.Bookmark.LISTED:
            meter.start()
            continue
        keep(event["object"])
        handled += 1
        if handled == wanted.count:
            meter.stop(handled)
            return


if __name__ == "__main__":
    asyncio.run(measure(asked()))
