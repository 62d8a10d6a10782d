"""A fleet of TKE's making put into a simulated world: objects first, since only the API server gives UIDs."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.emulators.clb.nouns import CertificateSet, Listener, LoadBalancer, Redirect, Rule
from tests.fixtures.tke_cluster import stamp
from tests.fixtures.tke_fleet import Fleet, Tenant, fleet
from tests.simulation.clock import SimClock
from tests.simulation.cluster import NODES, Seen
from tests.simulation.world import World

Facts = dict[tuple[str, ...], Any]
"""One load balancer, flat: what the cloud holds, by where it stands; times are left out."""

FEW = 4
MEMBERS = (
    "listeners",
    "rules",
    "targets",
    "health",
    "tags_seen",
    "created_at",
    "status_at",
    "registered_at",
    "free_at",
)


@dataclass
class Fleets:
    """A world with a fleet in it."""

    world: World
    fleet: Fleet
    uids: dict[str, str]

    def seen(self, namespace: str, name: str) -> Seen:
        """One of its Ingresses."""
        path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/{name}"
        return Seen(self.world.users.object(path))

    def ingresses(self) -> list[Seen]:
        """All of them."""
        return [Seen(item) for item in self.world.users.all("/apis/networking.k8s.io/v1/ingresses")]

    def restless(self) -> None:
        """Nodes that are NotReady have become so this moment: what follows after a minute is no taking over."""
        clock = self.world.clock
        for machine in self.fleet.ground.machines:
            if machine.sort == "not ready":
                condition = {"type": "Ready", "status": "False", "lastTransitionTime": stamp(clock.time())}
                self.world.users.update(f"{NODES}/{machine.name}/status", {"status": {"conditions": [condition]}})

    def facts(self) -> dict[str, Facts]:
        """All load balancers, by id."""
        return {lb.id: facts(lb) for lb in self.world.account.lbs()}


def settled_world(seed: int, size: int, traits: Collection[str] = (), **setup: Any) -> Fleets:
    """A new world with the fleet of that seed; with `traits` only a few load balancers of each."""
    whole = fleet(seed, size, SimClock().time())
    if traits:
        chosen = {one.id for trait in traits for one in [one for one in whole.tenants if trait in one.traits][:FEW]}
        whole = replace(whole, tenants=tuple(one for one in whole.tenants if one.id in chosen))
    assert whole.tenants, f"no load balancer of seed {seed} has any of {traits}"
    world = World(furnished=False, **setup)
    return Fleets(world, whole, _populate(world, whole))


def _populate(world: World, made: Fleet) -> dict[str, str]:
    users = world.users
    spaces = sorted({one["metadata"]["namespace"] for tenant in made.tenants for one in tenant.ingresses})
    for name in spaces:
        users.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for obj in made.ground.objects:
        users.create(obj)
    uids: dict[str, str] = {}
    for tenant in made.tenants:
        uids |= _settle(world, tenant)
    world.account.seed(**made.account(uids))
    return uids


def _settle(world: World, tenant: Tenant) -> dict[str, str]:
    for obj in tenant.objects:
        world.users.create(obj)
    uids = {}
    for ingress in tenant.ingresses:
        meta = ingress["metadata"]
        uids[f"{meta['namespace']}/{meta['name']}"] = world.users.create(ingress)
        path = f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}/status"
        world.users.update(path, {"status": ingress["status"]})
    return uids


def facts(lb: LoadBalancer) -> Facts:
    """Flat, without times."""
    found: Facts = {("lb", name): _plain(value) for name, value in _members(lb).items()}
    for listener in lb.listeners.values():
        found |= _of_listener(listener)
    return found


def _of_listener(listener: Listener) -> Facts:
    key = f"{listener.protocol}:{listener.port}"
    found: Facts = {("listener", key, name): _plain(value) for name, value in _members(listener).items()}
    for rule in listener.rules.values():
        found |= _of_rule(key, rule)
    return found


def _of_rule(listener: str, rule: Rule) -> Facts:
    place = (listener, rule.domains[0], rule.url)
    found: Facts = {("rule", *place, name): _plain(value) for name, value in _members(rule).items()}
    found |= {("rule", *place, f"health.{name}"): value for name, value in rule.health.items()}
    for target in rule.targets:
        at = (*place, f"{target.ip}:{target.port}")
        found |= {("target", *at, name): _plain(value) for name, value in _members(target).items()}
    return found


def _members(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__slots__ if name not in MEMBERS}


def _plain(value: Any) -> Any:
    if isinstance(value, Redirect):
        return asdict(value)  # it is changed in place
    if isinstance(value, CertificateSet):
        return replace(value, server_ids=tuple(sorted(value.server_ids)))  # of two key algorithms, in no order
    return tuple(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value
