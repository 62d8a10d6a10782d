"""Collects the facts that `l7lb doctor` and `l7lb status` look at: from a cluster and an account, reading only."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from l7lb import __version__, ledger
from l7lb.adapters.clb.probing import date_of, probe
from l7lb.adapters.clb.sdk import Endpoint
from l7lb.adapters.kube import kinds
from l7lb.adapters.kube.examining import KubeExaminer
from l7lb.adapters.kube.kinds import Kind
from l7lb.adapters.kube.leases import KubeLeases
from l7lb.adapters.kube.listwatch import KubeListWatch, KubeObjectListWatch
from l7lb.adapters.kube.rights import Uses, rights
from l7lb.adapters.kube.transport import Transport
from l7lb.app import gate
from l7lb.app.caches import stores
from l7lb.app.campaign import lease_key, shard_key, shards_of
from l7lb.app.config import Config
from l7lb.app.connections import Connections, connect
from l7lb.app.facts import CloudFacts, ClusterFacts, Facts, Granted, Known, Unread, ask
from l7lb.app.neighbours import Neighbours
from l7lb.app.planning import patiently
from l7lb.app.progress import Progress, silent
from l7lb.app.regions import find_all
from l7lb.app.releasing import listed
from l7lb.app.watching import settings_of
from l7lb.errors import ConfigurationError, GateClosed, L7lbError, NotFound, Unavailable
from l7lb.model.cluster import Object
from l7lb.model.identity import Cluster, ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.loadbalancer import LoadBalancerHead
from l7lb.model.watch import Change, ChangeType, Item
from l7lb.reconciler.confirming import Confirmation
from l7lb.runtime.clock import Clock, SystemClock
from l7lb.runtime.store import Store
from l7lb.telemetry.metrics import Metrics

GROUP = "cloud.tencent.com"
NO_KEYS: Final = {"TENCENTCLOUD_SECRET_ID": "none", "TENCENTCLOUD_SECRET_KEY": "none"}
"""Nothing is signed with them: the account is not asked."""
Kept = TypeVar("Kept", bound=Object)


def examined(config: Config, environ: Mapping[str, str], *, account: str = "", told: Progress = silent) -> Facts:
    """Everything. Raises ConfigurationError when no client can be built; what cannot be read is a fact.

    Keys that are not there are such a fact: the cluster is looked at all the same.
    """
    clock, keyless = SystemClock(), ""
    try:
        connections = connect(config, environ, Metrics(__version__), _never, clock)
    except ConfigurationError as error:
        # Raised again by the next line, unless it was about the keys.
        connections = connect(replace(config, credentials="env"), NO_KEYS, Metrics(__version__), _never, clock)
        keyless = f"the account was not asked: {error}"
    told("reading the cluster", 0, 4)
    cluster = cluster_facts(config, connections, clock)
    told("reading the account", 1, 4)
    cloud = _unasked(config, clock, keyless) if keyless else cloud_facts(config, connections, clock, cluster.identity)
    told("asking for rights", 2, 4)
    examiner = KubeExaminer(connections.kube, clock.time)
    granted = ask(lambda: _granted(config, examiner, account, len(cluster.shards)))
    told("comparing targets", 3, 4)
    return Facts(
        cluster_id=config.cluster_id,
        region=config.region,
        version=__version__,
        now=clock.time(),
        cluster=cluster,
        cloud=cloud,
        rights=granted,
        account=account,
        copy=Unread(keyless) if keyless else ask(lambda: _doubt(config, connections, clock, cluster)),
    )


def cluster_facts(config: Config, connections: Connections, clock: Clock) -> ClusterFacts:
    """What the API server says."""
    kube, examiner = connections.kube, KubeExaminer(connections.kube, clock.time)
    lease = ask(lambda: lease_of(KubeLeases(kube, lease_key(config.cluster_id))))
    return ClusterFacts(
        version=ask(connections.cluster.version),
        identity=ask(lambda: Cluster(config.cluster_id, connections.cluster.uid())),
        skew_s=ask(examiner.skew_s),
        definitions=ask(lambda: examiner.versions(GROUP)),
        classes=ask(lambda: _all(connections, kinds.INGRESS_CLASS)),
        ingresses=ask(lambda: _all(connections, kinds.INGRESS)),
        gate=_standing(config, connections),
        lease=lease,
        replicas=ask(examiner.replicas),
        shards=shard_leases(kube, config.cluster_id, lease),
    )


def cloud_facts(
    config: Config,
    connections: Connections,
    clock: Clock,
    identity: Known[Cluster] | Unread,
    *,
    probing: bool = True,
) -> CloudFacts:
    """What the cloud says, in the region of the cluster and those that flags name. `probing`: reads are tried."""
    cluster = identity.value if isinstance(identity, Known) else Cluster(config.cluster_id)
    tags, cloud = ledger.of_cluster(cluster), connections.cloud
    regions = (config.region, *config.other_regions)
    heads = ask(lambda: patiently(lambda: find_all(cloud, tags, regions)))
    home = _first(heads, config.region)
    if isinstance(heads, Unread) and not heads.reached:
        return CloudFacts(source=config.credentials, heads=heads, limits=heads, skew_s=None)
    return CloudFacts(
        source=config.credentials,
        heads=heads,
        limits=ask(lambda: patiently(lambda: cloud.limits(config.region))),
        skew_s=_skew_s(config, clock) if probing else None,
        probes=probe(cloud, connections.certificates, config.region, tags, home) if probing else (),
    )


def _unasked(config: Config, clock: Clock, why: str) -> CloudFacts:
    """Without keys: nothing but the time, which needs none."""
    nothing = Unread(why, reached=False)
    return CloudFacts(source=config.credentials, heads=nothing, limits=nothing, skew_s=_skew_s(config, clock))


def _skew_s(config: Config, clock: Clock) -> float | None:
    date = date_of(Endpoint.parse(config.clb_endpoint, config.api_root_domain))
    return None if date is None else _rounded(date - clock.time())


def _first(heads: Known[tuple[LoadBalancerHead, ...]] | Unread, region: str) -> LoadBalancerHead | None:
    found = heads.value if isinstance(heads, Known) else ()
    return next((head for head in found if head.ref.region == region), None)


def _rounded(ahead_s: float) -> float:
    """A `Date` header has whole seconds, and the answer was on its way."""
    return 0.0 if -2.0 < ahead_s < 1.0 else ahead_s


def _all(connections: Connections, kind: Kind[Kept]) -> tuple[Kept, ...]:
    return listed(KubeListWatch(connections.kube, kind)).items


def lease_of(leases: KubeLeases) -> LeaseRecord | None:
    """As it is; None: there is none. Raises what reading raises."""
    try:
        return leases.get()
    except NotFound:
        return None


def shard_leases(
    kube: Transport, cluster_id: str, lease: Known[LeaseRecord | None] | Unread
) -> tuple[Known[LeaseRecord | None] | Unread, ...]:
    """Those of all shards that the plain Lease speaks of; none when one leads for all."""
    if isinstance(lease, Unread) or lease.value is None or (shards := shards_of(lease.value.holder)) == 1:
        return ()
    clients = [KubeLeases(kube, shard_key(cluster_id, shard)) for shard in range(shards)]
    return tuple(ask(partial(lease_of, one)) for one in clients)


def _standing(config: Config, connections: Connections) -> gate.Standing:
    """As the process that runs would see it, from one look at each object."""
    if config.ignore_tke_controller:
        return gate.Standing(True, "--ignore-tke-controller")
    try:
        evidence = gate.Evidence(
            _one(connections, kinds.DEPLOYMENT, gate.CONTROLLER),
            _one(connections, kinds.CONFIG_MAP, gate.SERVICE_CONFIG),
            _one(connections, kinds.CONFIG_MAP, gate.INGRESS_CONFIG),
            readable=True,
        )
    except L7lbError as error:
        told = gate.decide(gate.Evidence(None, None, None, readable=False))
        return gate.Standing(False, f"{told.reason}: {error}")
    return gate.decide(evidence)


def _one(connections: Connections, kind: Kind[Kept], key: ObjectKey) -> Kept | None:
    item = KubeObjectListWatch(connections.kube, kind, key).look()
    return item.object if item is not None else None


def _granted(config: Config, examiner: KubeExaminer, account: str, shards: int) -> tuple[Granted, ...]:
    uses = Uses(
        lease=lease_key(config.cluster_id).name,
        all_secrets=config.secrets_from == "list",
        webhook=config.readiness_webhook,
        collecting=config.collect_orphans,
        shards=max(config.shards, shards),
    )
    return tuple(Granted(right, examiner.may(right, account)) for right in rights(uses))


def _doubt(config: Config, connections: Connections, clock: Clock, cluster: ClusterFacts) -> str:
    """What makes `run` hold all deletes; empty: nothing. Reads nodes and pods, and up to five pages of bindings."""
    if config.confirm_cluster:
        return ""
    identity, ingresses = cluster.identity, cluster.ingresses
    if isinstance(identity, Unread) or isinstance(ingresses, Unread):
        raise Unavailable("the cluster cannot be read")
    kept = stores(identity.value, settings_of(config))
    _put(kept.ingresses, ingresses.value)
    _put(kept.nodes, _all(connections, kinds.NODE))
    _put(kept.pods, _all(connections, kinds.POD))
    around = Neighbours(kept, identity.value, frozenset)
    confirmation = Confirmation(identity.value, around, clock.monotonic, home=config.region)
    return patiently(partial(confirmation.look, connections.cloud))


def _put(store: Store[Kept], objects: tuple[Kept, ...]) -> None:
    for one in objects:
        meta = one.metadata
        store.apply(Change(ChangeType.ADDED, Item(one.key, meta.uid, meta.resource_version, one)))


def _never() -> None:
    raise GateClosed("whoever looks writes nothing")
