"""`l7lb explain INGRESS`: what was read, what was decided, and what is still to be done, for one Ingress from outside.

The chain of checks is that of the console; who leads and what is planned is read and planned here.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from l7lb import translator
from l7lb.app.caches import key_of
from l7lb.app.diagnosing import holder_of, lacking, leads, seconds
from l7lb.app.drawing import Asked
from l7lb.app.dry import Finding, ReadOnly
from l7lb.app.facts import Known, Unread
from l7lb.app.judging import member_of, troubles_of
from l7lb.app.planning import Hands, Worlds, plans
from l7lb.app.progress import Progress, silent
from l7lb.app.reasons import Case, checks
from l7lb.app.shards import shard_of
from l7lb.app.sketching import Users, asked, by_class, chosen, sketch, users_of
from l7lb.app.survey import Surveyed
from l7lb.errors import ConfigurationError
from l7lb.model.branches import Mark
from l7lb.model.cluster import Ingress, Service
from l7lb.model.identity import ObjectKey
from l7lb.model.lease import LeaseRecord
from l7lb.model.marks import CONDITIONS, FINALIZER
from l7lb.model.portrait import Check, Member, Standing, Tree, Trouble
from l7lb.model.snapshot import Snapshot
from l7lb.reconciler.conditions import ready_of

OWN: Final = ("Controller", "Work")
"""Links of the chain that are answered here: the console's are about the process that shows it."""


@dataclass(frozen=True, slots=True)
class Leases:
    """Who leads, as it was read."""

    plain: Known[LeaseRecord | None] | Unread
    shards: tuple[Known[LeaseRecord | None] | Unread, ...] = ()
    """The Lease of each; empty: one leads for all."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One Ingress."""

    member: Member
    checks: tuple[Check, ...]
    read: tuple[tuple[str, str], ...]
    """(object, what it says)."""
    troubles: tuple[Trouble, ...]
    tree: Tree | None
    """None: it has no load balancer, or none that could be read."""
    unread: str
    """Why its load balancer could not be read; empty: it could, or there is none."""
    finding: Finding | None
    """What would be done now; None: it is not ours."""

    @property
    def worst(self) -> Mark:
        """Of all links."""
        order = list(Mark)
        return min((one.mark for one in self.checks), key=order.index)

    @property
    def says(self) -> str:
        """The sentence that goes with `worst`: the condition's own where it says as much, else the worst link's."""
        if self.member.mark is self.worst:
            return self.member.says
        lead = next(one for one in self.checks if one.mark is self.worst)
        return f"{lead.name}: {lead.says}"


def one_of(found: Surveyed, word: str) -> Ingress:
    """The Ingress that a word means; raises ConfigurationError when it is none, or more than one."""
    worlds = found.worlds
    for item in worlds.stores.ingresses.list():
        if str(item.object.key) == word:
            return item.object
    many = chosen(users_of(worlds), word).everyone()
    if len(many) == 1:
        return many[0]
    names = " or ".join(str(one.key) for one in many[:3])
    raise ConfigurationError(f"{word!r} may be {len(many)} Ingresses: say {names}")


def explain(
    found: Surveyed,
    ingress: Ingress,
    leases: Leases,
    told: Progress = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> Explanation:
    """Reads its load balancer and plans what would be done, as `run` would."""
    worlds = found.worlds
    users = users_of(worlds)
    mine = {ref: many for ref, many in users.by_ref.items() if ingress.key in {one.key for one in many}}
    drawn = sketch(found, Users(mine, ()), told, sleep)
    tree = drawn.trees[0] if drawn.trees else None
    how = asked(worlds, ingress)
    member = member_of(ingress, how.record, worlds.settings.region)
    region = translator.region_of(ingress, how.record, worlds.settings.region)
    silence = found.unanswered.get(region, "")
    finding = None
    if not silence:
        told("planning")
        finding = _planned(worlds, ingress, users, sleep)
    work = _Work(finding, silence, "; ".join(drawn.unread.values()))
    return Explanation(
        member=member,
        checks=tuple(_chain(found, how, tree, work, _lead(worlds, ingress, leases))),
        read=tuple(_read(worlds, worlds.caches.snapshot(ingress), how)),
        troubles=troubles_of(ingress),
        tree=tree,
        unread=silence or work.unread,
        finding=finding,
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """What is left to be done, or why nobody can tell."""

    finding: Finding | None
    silence: str
    """Why its region did not answer; empty: it did."""
    unread: str
    """Why its load balancer could not be read; empty: it could, or there is none."""


def _planned(worlds: Worlds, ingress: Ingress, users: Users, sleep: Callable[[float], None]) -> Finding | None:
    key = key_of(ingress, worlds.cluster, worlds.settings)
    together = frozenset(one.key for one in users.everyone() if key_of(one, worlds.cluster, worlds.settings) == key)
    findings = plans(worlds, sleep, Hands(ReadOnly(worlds.live, worlds.stores), only=together | {ingress.key}))
    return next((one for one in findings if one.ingress == ingress.key), None)


@dataclass(frozen=True, slots=True)
class _Lead:
    """Who leads, as the Lease says."""

    lease: Known[LeaseRecord | None] | Unread
    now: float
    shard: int = 0
    shards: int = 1
    """More than one: the Lease is that of the shard."""

    @property
    def somebody(self) -> bool:
        return isinstance(self.lease, Known) and leads(self.lease.value, self.now)

    def check(self) -> Check:
        if self.shards > 1:
            return self._of_shard()
        if isinstance(self.lease, Unread):
            return Check("Controller", Mark.UNKNOWN, f"Who leads cannot be read: {self.lease.why}.")
        lease = self.lease.value
        if lease is None or not lease.holder:
            return Check("Controller", Mark.BAD, "Nobody leads, so nothing is done.", "Start l7lb run.")
        age_s = self.now - seconds(lease.renew_time, self.now)
        if not self.somebody:
            says = f"{lease.holder} has not renewed the Lease for {age_s:.0f} s: nothing is done."
            return Check("Controller", Mark.BAD, says, "Look at its pod and its log.")
        return Check("Controller", Mark.OK, f"{lease.holder} leads; it renewed the Lease {max(age_s, 0):.0f} s ago.")

    def _of_shard(self) -> Check:
        what = f"shard {self.shard} of {self.shards}"
        if why := lacking(self.lease, self.now):
            mark = Mark.UNKNOWN if isinstance(self.lease, Unread) else Mark.BAD
            says = f"Its load balancer belongs to {what}, which nobody is known to hold: {why}."
            return Check("Controller", mark, says, "Look at the logs of the replicas: l7lb doctor names them.")
        says = f"{holder_of(self.lease)} holds {what}, to which its load balancer belongs."
        return Check("Controller", Mark.OK, says)


def _lead(worlds: Worlds, ingress: Ingress, leases: Leases) -> _Lead:
    """By the Lease that counts for this Ingress. A shard is of no use where they who divide have all gone."""
    now, shards = worlds.clock.time(), len(leases.shards)
    if shards == 0 or lacking(leases.plain, now):
        return _Lead(leases.plain, now)
    shard = shard_of(key_of(ingress, worlds.cluster, worlds.settings), shards)
    return _Lead(leases.shards[shard], now, shard, shards)


def _chain(found: Surveyed, how: Asked, tree: Tree | None, work: _Work, lead: _Lead) -> Iterator[Check]:
    gate = found.standing
    standing = Standing(found.worlds.cluster.id, found.worlds.settings.region, "", leading=False,
                        gate_open=gate.open, gate=gate.reason)  # fmt: skip
    case = Case(standing, by_class(found.worlds, how.ingress), how, translator.options(how.ingress), tree)
    for one in checks(case):
        if one.name == "Controller":
            yield lead.check()
        elif one.name == "Work":
            yield _work(how.ingress, work, somebody=lead.somebody and gate.open)
        elif one.name == "Load balancer" and tree is None and how.record is not None and how.record.lb:
            where = f"{how.record.lb} in {how.record.region or found.worlds.settings.region}, as its record says"
            yield Check(one.name, Mark.UNKNOWN, f"{where}; it could not be read: {work.unread or work.silence}.")
        else:
            yield one


def _work(ingress: Ingress, work: _Work, *, somebody: bool) -> Check:
    """What is left to be done, and what it waits for."""
    said = ready_of(ingress.annotations.get(CONDITIONS))
    last = f"; the controller said last: {said.reason}: {said.message}" if said is not None else ""
    finding = work.finding
    if work.silence:
        return Check("Work", Mark.UNKNOWN, f"It cannot be planned, because the cloud did not answer{last}.")
    if finding is None:
        return Check("Work", Mark.UNKNOWN, "It is not planned, because it is not ours.")
    if finding.error:
        return Check("Work", Mark.BAD, f"It cannot be planned: {finding.error}.")
    if finding.plan:
        count = len(finding.plan.steps)
        whole = f"{count} step{'' if count == 1 else 's'} to be done{last}."
        if somebody:
            return Check("Work", Mark.WAITING, whole, "They are below; the leader does them one after the other.")
        return Check("Work", Mark.BAD, whole, "They are below; nobody does them now.")
    if finding.waits:
        return Check("Work", Mark.WAITING, f"It waits: {finding.waits}.")
    if finding.failed:
        return Check("Work", Mark.BAD, "Nothing can be done before the Ingress, or what it names, is mended.")
    return Check("Work", Mark.OK, "Nothing is left to be done.")


def _read(worlds: Worlds, snapshot: Snapshot, how: Asked) -> Iterator[tuple[str, str]]:
    """Every object that it names, and what of it counts."""
    ingress, record = how.ingress, how.record
    marks = "ours is on it" if FINALIZER in ingress.finalizers else "ours is not on it"
    yield "finalizer", marks
    if record is None:
        yield "record", "none"
    else:
        yield "record", f"{record.claim or 'no claim'}, load balancer {record.lb or 'none'}"
    named = translator.references(ingress)
    for key in sorted(named.services):
        yield f"Service {key}", _service(worlds, snapshot, key)
    for key in sorted(named.secrets):
        secret = snapshot.secrets.get(key)
        what = "not found" if secret is None else f"certificate {secret.qcloud_cert_id or 'none'}"
        yield f"Secret {key}", _unless_unread(snapshot, "Secret", what)
    for key in sorted(named.configs):
        what = "found" if key in snapshot.configs else "not found"
        yield f"TkeServiceConfig {key}", _unless_unread(snapshot, "TkeServiceConfig", what)
    ready = sum(translator.is_ready(node) for node in snapshot.nodes)
    yield "nodes", _unless_unread(snapshot, "Node", f"{ready} of {len(snapshot.nodes)} are ready")


def _service(worlds: Worlds, snapshot: Snapshot, key: ObjectKey) -> str:
    service = snapshot.services.get(key)
    if service is None:
        return _unless_unread(snapshot, "Service", "not found")
    slices = (item.object for item in worlds.stores.slices.by_index("service", key))
    endpoints = [one for each in slices for one in each.endpoints]
    ready = sum(one.conditions is None or one.conditions.ready is not False for one in endpoints)
    told = f"{service.spec.type or 'ClusterIP'}, ports {_ports(service) or 'none'}"
    return f"{told}, {ready} of {len(endpoints)} endpoints are ready"


def _ports(service: Service) -> str:
    return " ".join(f"{one.port}:{one.node_port}" if one.node_port else str(one.port) for one in service.ports)


def _unless_unread(snapshot: Snapshot, kind: str, what: str) -> str:
    return f"{kind}s cannot be read now" if kind in snapshot.unread else what
