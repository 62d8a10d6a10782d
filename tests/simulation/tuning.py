"""TkeServiceConfigs in a simulated cluster, which serves the kind because its definition is applied."""

from pathlib import Path
from typing import Final

import yaml

from tests.emulators.kube.wire import Request
from tests.simulation.manifests import Json
from tests.simulation.world import World

DEFINITION: Final = Path(__file__).parents[2] / "charts/l7lb/crds/tkeserviceconfigs.yaml"
COLLECTION: Final = "/apis/cloud.tencent.com/v1alpha1/namespaces/shop/tkeserviceconfigs"
NAMED: Final = "ingress.cloud.tencent.com/tke-service-config"
AUTO: Final = "ingress.cloud.tencent.com/tke-service-config-auto"
KEPT: Final = "shop-auto-ingress-config"
HOST: Final = "a.example.com"


def define(world: World) -> None:
    """Apply the definition, as an installation would."""
    world.users.create(yaml.safe_load(DEFINITION.read_text(encoding="utf-8")))


def tuning(name: str, *listeners: Json) -> Json:
    """An object."""
    return {
        "apiVersion": "cloud.tencent.com/v1alpha1",
        "kind": "TkeServiceConfig",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"loadBalancer": {"l7Listeners": list(listeners)}},
    }


def listener(*domains: Json, port: int = 80, protocol: str = "HTTP", **said: object) -> Json:
    """One entry."""
    return {"protocol": protocol, "port": port, **said, **({"domains": list(domains)} if domains else {})}


def domain(name: str, url: str = "/", **said: object) -> Json:
    """A host with one rule of it."""
    return {"domain": name, "rules": [{"url": url, **said}]}


def edit(world: World, name: str, *listeners: Json) -> None:
    """As its author edits it."""
    world.users.update(f"{COLLECTION}/{name}", {"spec": {"loadBalancer": {"l7Listeners": list(listeners)}}})


def find(world: World, name: str = KEPT) -> Json | None:
    """The object as the API server has it."""
    response = world.users.emulator.handle(Request.of("GET", f"{COLLECTION}/{name}"))
    return response.json() if response.status == 200 else None


def shown(world: World, name: str = KEPT) -> list[Json]:
    """Its listeners; it must be there."""
    found = find(world, name)
    assert found is not None, f"{name} is not there"
    return list(found["spec"]["loadBalancer"]["l7Listeners"])


def entries(world: World, name: str = KEPT) -> set[str]:
    """`HTTP:80 a.example.com/x` for every rule that has an entry."""
    return {
        f"{one['protocol']}:{one['port']} {host['domain']}{rule['url']}"
        for one in shown(world, name)
        for host in one.get("domains") or ()
        for rule in host.get("rules") or ()
    }


def written(world: World) -> list[str]:
    """The verbs of all writes to objects of this kind so far, their authors' included."""
    lines = world.users.emulator.controls.log.lines
    return [
        line["verb"] for line in lines if line["resource"] == "tkeserviceconfigs" and line["verb"] not in _READS
    ]  # fmt: skip


_READS: Final = frozenset({"get", "list", "watch"})
