"""`l7lb doctor`: from facts to findings, each with what to do. Pure; reads nothing."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from l7lb import ledger
from l7lb.adapters.clb.probing import Finding
from l7lb.app.facts import Facts, Known, Unread
from l7lb.model.cluster import Ingress
from l7lb.model.lease import LeaseRecord
from l7lb.model.marks import CLASS_ANNOTATION, CLASS_CONTROLLER, CLASS_NAME, FINALIZER
from l7lb.model.snapshot import Limits

MINOR_MIN: Final = 21
"""Kubernetes 1.21 is the first with EndpointSlices of discovery.k8s.io/v1."""
DEFINITION: Final = "v1alpha1"
SIGNATURE_S: Final = 300.0
"""So old a signature may be (the API's page on signature v3)."""
SKEW_S: Final = 30.0
FULL: Final = 0.9
GOING_S: Final = 300.0
"""So long a deletion may take before it is worth a word."""
NAMED: Final = 5


class Level(StrEnum):
    """How a finding stands."""

    OK = "ok"
    WARN = "warn"
    """It works, or cannot be told; somebody should look."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding."""

    area: str
    name: str
    level: Level
    says: str
    cure: str = ""
    """What to do; empty: nothing."""


def diagnose(facts: Facts) -> tuple[Diagnosis, ...]:
    """Every check, in the order in which an installation can break."""
    return (
        _version(facts),
        _clock("cluster", "clock", facts.cluster.skew_s, SIGNATURE_S),
        *_identity(facts),
        _rights(facts),
        _definition(facts),
        _classes(facts),
        *diagnose_control(facts),
        _credentials(facts),
        _cloud_rights(facts),
        _clock("account", "clock", facts.cloud.skew_s, SIGNATURE_S),
        *diagnose_quotas(facts),
    )


def diagnose_control(facts: Facts) -> tuple[Diagnosis, ...]:
    """Who is in charge: the gate, the leader, replicas, finalizers."""
    return (_gate(facts), *_leader(facts), *_shards(facts), _replicas(facts), _finalizers(facts))


def _version(facts: Facts) -> Diagnosis:
    found = facts.cluster.version
    if isinstance(found, Unread):
        return Diagnosis("cluster", "API server", Level.FAIL, found.why, "check --kubeconfig and the network")
    said = found.value
    if (said.major, said.minor) < (1, MINOR_MIN):
        cure = f"use Kubernetes 1.{MINOR_MIN} or newer"
        return Diagnosis("cluster", "API server", Level.FAIL, f"Kubernetes {said.text} is too old", cure)
    return Diagnosis("cluster", "API server", Level.OK, f"Kubernetes {said.text}")


def _clock(area: str, name: str, found: object, most_s: float) -> Diagnosis:
    if isinstance(found, Unread):
        return Diagnosis(area, name, Level.WARN, f"cannot be compared: {found.why}")
    skew = getattr(found, "value", found)
    if not isinstance(skew, float):
        return Diagnosis(area, name, Level.WARN, "the other side does not tell its time")
    told = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the clock here"
    if abs(skew) > most_s:
        return Diagnosis(area, name, Level.FAIL, told, "set the clocks: signatures and certificates go by them")
    if abs(skew) > SKEW_S:
        return Diagnosis(area, name, Level.WARN, told, "let both follow a time server")
    return Diagnosis(area, name, Level.OK, told if abs(skew) >= 1 else "as here")


def _identity(facts: Facts) -> Iterator[Diagnosis]:
    found, heads = facts.cluster.identity, facts.cloud.heads
    if isinstance(found, Unread):
        is_answered = not isinstance(facts.cluster.version, Unread)
        cure = "give the right to get Namespace kube-system" if is_answered else ""
        yield Diagnosis("cluster", "identity", Level.FAIL, found.why, cure)
        return
    if isinstance(heads, Unread):
        yield Diagnosis("cluster", "identity", Level.WARN, f"{found.value.uid}; load balancers cannot be read")
        return
    strangers = [str(head.ref) for head in heads.value if ledger.another_identity(head.tags, found.value)]
    if strangers:
        says = f"load balancers were made for another cluster with the id {facts.cluster_id}: {_some(strangers)}"
        yield Diagnosis("cluster", "identity", Level.FAIL, says, "give the id of this cluster as --cluster-id")
        return
    copy = facts.copy
    if isinstance(copy, Unread):
        yield Diagnosis("cluster", "identity", Level.WARN, f"whether it is a copy cannot be told: {copy.why}")
    elif copy.value:
        cure = 'see "Restoring a backup" in docs/operations.md, then --confirm-cluster if this is the original'
        yield Diagnosis("cluster", "identity", Level.WARN, copy.value, cure)
    else:
        yield Diagnosis("cluster", "identity", Level.OK, f"{found.value.id} ({found.value.uid})")


def _rights(facts: Facts) -> Diagnosis:
    found = facts.rights
    whose = facts.account or "the account that asks; --as names another"
    if isinstance(found, Unread):
        return Diagnosis("cluster", "rights", Level.WARN, f"cannot be told: {found.why}")
    lacking = [str(one.right) for one in found.value if not one.allowed]
    if lacking:
        says = f"{len(lacking)} of {len(found.value)} are missing ({whose}): {_some(lacking)}"
        return Diagnosis("cluster", "rights", Level.FAIL, says, "apply the roles of the chart or of examples/deploy")
    return Diagnosis("cluster", "rights", Level.OK, f"all {len(found.value)} that run uses ({whose})")


def _definition(facts: Facts) -> Diagnosis:
    found = facts.cluster.definitions
    if isinstance(found, Unread):
        return Diagnosis("cluster", "TkeServiceConfig", Level.WARN, found.why)
    if DEFINITION in found.value:
        return Diagnosis("cluster", "TkeServiceConfig", Level.OK, f"served as {', '.join(found.value)}")
    served = f"only {', '.join(found.value)} is served" if found.value else "is not served"
    cure = "apply charts/l7lb/crds/tkeserviceconfigs.yaml, if Ingresses name one"
    return Diagnosis("cluster", "TkeServiceConfig", Level.WARN, served, cure)


def _classes(facts: Facts) -> Diagnosis:
    found = facts.cluster.classes
    if isinstance(found, Unread):
        return Diagnosis("cluster", "IngressClass", Level.WARN, found.why)
    ours = [one.metadata.name for one in found.value if one.spec.controller == CLASS_CONTROLLER]
    for one in found.value:
        if one.metadata.name == CLASS_NAME and one.spec.controller != CLASS_CONTROLLER:
            says = f"{CLASS_NAME} names {one.spec.controller or 'no controller'}: its Ingresses are held"
            return Diagnosis(
                "cluster", "IngressClass", Level.WARN, says, f"let it name {CLASS_CONTROLLER}, or delete it"
            )
    told = f"ours: {_some(ours)}" if ours else f"no object is ours; the name {CLASS_NAME} works without one"
    return Diagnosis("cluster", "IngressClass", Level.OK, told)


def _gate(facts: Facts) -> Diagnosis:
    gate = facts.cluster.gate
    if gate.open:
        return Diagnosis("control", "TKE's controller", Level.OK, f"off: {gate.reason}")
    waiting = _waiting(facts)
    says = f"may be running, so l7lb writes nothing: {gate.reason}"
    cure = "switch it off as docs/migrating.md says; until then l7lb only looks"
    if not waiting:
        return Diagnosis("control", "TKE's controller", Level.WARN, says, cure)
    return Diagnosis("control", "TKE's controller", Level.FAIL, f"{says}; waiting: {_some(waiting)}", cure)


def _waiting(facts: Facts) -> list[str]:
    """Ingresses that l7lb holds, or that name a class which is ours and have no address: nobody does anything."""
    found, classes = facts.cluster.ingresses, facts.cluster.classes
    if isinstance(found, Unread):
        return []
    known = classes.value if isinstance(classes, Known) else ()
    ours = {CLASS_NAME, *(one.metadata.name for one in known if one.spec.controller == CLASS_CONTROLLER)}
    return [
        str(one.key)
        for one in found.value
        if FINALIZER in one.finalizers or (not one.deleting and not one.addresses and _class_of(one) in ours)
    ]


def _class_of(ingress: Ingress) -> str:
    return ingress.annotations.get(CLASS_ANNOTATION) or ingress.spec.ingress_class_name or ""


def _leader(facts: Facts) -> Iterator[Diagnosis]:
    found = facts.cluster.lease
    if isinstance(found, Unread):
        yield Diagnosis("control", "leader", Level.WARN, found.why)
        return
    lease = found.value
    if lease is None or not lease.holder:
        says = "nobody has ever led here" if lease is None else "nobody leads: the Lease was given back"
        yield Diagnosis("control", "leader", Level.WARN, says, "start l7lb run, or look at its log if it should lead")
        return
    age_s = facts.now - seconds(lease.renew_time, facts.now)
    if age_s > lease.duration_s:
        says = f"{lease.holder} has not renewed the Lease for {age_s:.0f} s"
        if facts.cluster.shards:
            says = f"no replica with --shards={len(facts.cluster.shards)} has renewed the Lease for {age_s:.0f} s"
        yield Diagnosis("control", "leader", Level.FAIL, says, "look at its pod: nothing is done for any Ingress")
        return
    if facts.cluster.shards:
        return
    since = f", since {lease.acquire_time.partition('.')[0].rstrip('Z')}Z" if lease.acquire_time else ""
    yield Diagnosis("control", "leader", Level.OK, f"{lease.holder}{since}")


def _shards(facts: Facts) -> Iterator[Diagnosis]:
    """Who holds which, where replicas divide the load balancers among them; and whether all agree on their number."""
    found = () if lacking(facts.cluster.lease, facts.now) else facts.cluster.shards
    told = {shard: lacking(one, facts.now) for shard, one in enumerate(found)}
    if without := {shard: why for shard, why in told.items() if why}:
        says = f"{len(without)} of {len(found)} are not known to have a holder: "
        says += "; ".join(f"{shard} ({why})" for shard, why in without.items())
        cure = "look at the logs of replicas: nothing is done for the load balancers of such a shard"
        expired = any(holder_of(found[shard]) for shard in without)
        yield Diagnosis("control", "shards", Level.FAIL if expired else Level.WARN, says, cure)
    elif found:
        yield Diagnosis("control", "shards", Level.OK, f"{len(found)}: {_holders(found)}")
    replicas = facts.cluster.replicas.value if isinstance(facts.cluster.replicas, Known) else ()
    numbers = sorted({one.shards for one in replicas})
    if len(numbers) > 1:
        by = [f"{number} ({_some([one.name for one in replicas if one.shards == number])})" for number in numbers]
        cure = "finish the rolling update, or give all the same: those of one number wait until all others have ended"
        yield Diagnosis("control", "--shards", Level.WARN, f"replicas differ: {', '.join(by)}", cure)


def _holders(found: tuple[Known[LeaseRecord | None] | Unread, ...]) -> str:
    """`a (0, 2), b (1)`."""
    by: defaultdict[str, list[str]] = defaultdict(list)
    for shard, one in enumerate(found):
        by[holder_of(one)].append(str(shard))
    return ", ".join(f"{holder} ({', '.join(shards)})" for holder, shards in sorted(by.items()))


def _replicas(facts: Facts) -> Diagnosis:
    found = facts.cluster.replicas
    if isinstance(found, Unread):
        return Diagnosis("control", "replicas", Level.WARN, found.why)
    if not found.value:
        says = "no pod bears the label app.kubernetes.io/name=l7lb"
        return Diagnosis("control", "replicas", Level.WARN, says, "install l7lb, or give its pods that label")
    unready = [f"{one.namespace}/{one.name}" for one in found.value if not one.ready]
    images = sorted({image for one in found.value for image in one.images})
    if unready:
        return Diagnosis(
            "control", "replicas", Level.WARN, f"not ready: {_some(unready)}", "look at their logs and events"
        )
    if not all(one.has_tag(facts.version) for one in found.value):
        says = f"{len(found.value)} ready with {_some(images)}; this command is {facts.version}"
        return Diagnosis("control", "replicas", Level.WARN, says, "use the command of the same version")
    return Diagnosis("control", "replicas", Level.OK, f"{len(found.value)} ready, version {facts.version}")


def _finalizers(facts: Facts) -> Diagnosis:
    found = facts.cluster.ingresses
    if isinstance(found, Unread):
        return Diagnosis("control", "finalizers", Level.WARN, found.why)
    held = [one for one in found.value if FINALIZER in one.finalizers]
    stuck = [str(one.key) for one in held if _is_stuck(one, facts.now)]
    if stuck:
        cure = "l7lb explain INGRESS says what each waits for"
        return Diagnosis(
            "control", "finalizers", Level.WARN, f"waiting to be deleted for more than 5 min: {_some(stuck)}", cure
        )
    return Diagnosis(
        "control", "finalizers", Level.OK, f"on {len(held)} of {len(found.value)} Ingresses, none is stuck"
    )


def _is_stuck(ingress: Ingress, now: float) -> bool:
    return ingress.deleting and now - seconds(ingress.metadata.deletion_timestamp or "", now) > GOING_S


def _credentials(facts: Facts) -> Diagnosis:
    found = facts.cloud.heads
    if isinstance(found, Unread):
        cure = "check --credentials, --region and the rights of docs/cloud-rights.md"
        return Diagnosis("account", "credentials", Level.FAIL, f"from {facts.cloud.source}: {found.why}", cure)
    says = f"from {facts.cloud.source}; load balancers that bear {facts.cluster_id}: {len(found.value)}"
    return Diagnosis("account", "credentials", Level.OK, says)


def _cloud_rights(facts: Facts) -> Diagnosis:
    by = {finding: [one for one in facts.cloud.probes if one.finding is finding] for finding in Finding}
    denied, failed = by[Finding.DENIED], by[Finding.UNKNOWN]
    if denied:
        says = f"refused: {_some([one.action for one in denied])}"
        return Diagnosis("account", "rights", Level.FAIL, says, "allow them: docs/cloud-rights.md has the policy")
    if failed:
        return Diagnosis("account", "rights", Level.WARN, f"{failed[0].action} failed: {failed[0].why}")
    if not facts.cloud.probes:
        return Diagnosis("account", "rights", Level.WARN, "not tried")
    says = f"{len(by[Finding.ALLOWED])} reads work; {len(by[Finding.UNPROVEN])} actions are not proven"
    return Diagnosis("account", "rights", Level.OK, says)


def diagnose_quotas(facts: Facts) -> Iterator[Diagnosis]:
    """How much of the account's quotas is used."""
    found = facts.cloud.limits
    if isinstance(found, Unread):
        yield Diagnosis("account", "quota", Level.WARN, found.why)
        return
    for name, used, limit in usage(found.value):
        says = f"{used} of {limit} in {facts.region}"
        level = Level.FAIL if used >= limit else Level.WARN if used >= FULL * limit else Level.OK
        cure = "ask Tencent Cloud for a higher quota" if level is not Level.OK else ""
        yield Diagnosis("account", f"quota of {name} load balancers", level, says, cure)


def usage(limits: Limits) -> Iterator[tuple[str, int, int]]:
    """(sort, used, limit) of load balancers of the region, where the cloud says how many there are."""
    if limits.public_used is not None:
        yield "public", limits.public_used, limits.public_load_balancers
    if limits.internal_used is not None:
        yield "internal", limits.internal_used, limits.internal_load_balancers


def seconds(text: str, otherwise: float) -> float:
    """Seconds since 1970 of what Kubernetes writes; `otherwise` for what is no time."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return otherwise


def holder_of(found: Known[LeaseRecord | None] | Unread) -> str:
    """Who is named; empty: nobody, or it could not be read."""
    return found.value.holder if isinstance(found, Known) and found.value is not None else ""


def lacking(found: Known[LeaseRecord | None] | Unread, now: float) -> str:
    """Why nobody can be said to lead by this Lease; empty: somebody does."""
    if isinstance(found, Unread):
        return f"its Lease cannot be read: {found.why}"
    lease = found.value
    if lease is None or not lease.holder:
        return "nobody has ever held it" if lease is None else "it was given back"
    age_s = now - seconds(lease.renew_time, now)
    return "" if age_s <= lease.duration_s else f"{lease.holder} has not renewed it for {age_s:.0f} s"


def leads(lease: LeaseRecord | None, now: float) -> bool:
    """Whether somebody has renewed it within its time."""
    return lease is not None and bool(lease.holder) and now - seconds(lease.renew_time, 0.0) <= lease.duration_s


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
