"""What leads in a process: one leadership for all load balancers, or one for each shard of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from l7lb.adapters.kube.leases import KubeLeases
from l7lb.app.balance import Balance
from l7lb.app.campaign import Campaign, lease_key, shard_key, union_identity
from l7lb.app.config import Config
from l7lb.app.connections import Connections, identity
from l7lb.app.door import Doorman
from l7lb.app.leadership import Leadership
from l7lb.app.leading import QueueSink
from l7lb.app.seats import Fleet, Means, Seat
from l7lb.app.shards import Scope
from l7lb.runtime.clock import Clock
from l7lb.runtime.election import Lead


@dataclass(frozen=True, slots=True)
class Post:
    """What one shard leads with: its door, clients whose writes ask it, and where its keys go."""

    door: Doorman
    connections: Connections
    sink: QueueSink


@dataclass(frozen=True, slots=True)
class Orders:
    """How leading is done."""

    config: Config
    clock: Clock
    leading: Callable[[Post, Lead, Scope], Leadership]
    """A new leadership, for the time of one lease."""
    ready: Callable[[], bool]
    """Whether all caches are synced."""
    end: Callable[[str], None]
    """Ends the process and does not come back."""


@dataclass(frozen=True, slots=True)
class Command:
    """The parts that lead, and the Leases by name; whoever holds the first does what is done once in a cluster."""

    campaign: Campaign
    """For the plain Lease: the last to be let go."""
    leadership: Leadership | Fleet
    leases: Mapping[str, Lead]


def command(posts: tuple[Post, ...], orders: Orders) -> Command:
    """One post a shard."""
    return _alone(posts[0], orders) if len(posts) == 1 else _divided(posts, orders)


def _alone(post: Post, orders: Orders) -> Command:
    key = lease_key(orders.config.cluster_id)
    leases = KubeLeases(post.connections.lease, key)
    wait = orders.config.leader_elect
    campaign = Campaign(leases, identity(), orders.clock, wait=wait, on_lost=orders.end)
    post.door.guard = campaign.guard
    return Command(campaign, orders.leading(post, campaign.elector, Scope()), {key.name: campaign.elector})


def _divided(posts: tuple[Post, ...], orders: Orders) -> Command:
    """The plain Lease is held together with all who agree on the number, each shard's by one."""
    cluster, clock, me, shards = orders.config.cluster_id, orders.clock, identity(), len(posts)
    plain = KubeLeases(posts[0].connections.lease, lease_key(cluster))
    union = Campaign(plain, union_identity(shards), clock, wait=True, on_lost=orders.end)
    union.elector.is_shared = True
    balance = Balance(me, union.elector, clock.monotonic, orders.ready)
    seats: dict[str, Seat] = {}
    for shard, post in enumerate(posts):
        key = shard_key(cluster, shard)
        means = Means(
            leases=KubeLeases(post.connections.lease, key, marked=True),
            identity=me,
            union=union.elector,
            clock=clock,
            door=post.door,
            leading=partial(_leading, orders, post, Scope(shard, shards)),
            end=orders.end,
        )
        seats[key.name] = Seat(shard, means, balance)
    balance.places.extend(seats.values())
    return Command(union, Fleet(tuple(seats.values()), balance, orders.end), seats)


def _leading(orders: Orders, post: Post, scope: Scope, lead: Lead) -> Leadership:
    return orders.leading(post, lead, scope)
