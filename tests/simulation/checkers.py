"""What must hold after every step, and what must hold at rest. Each checker looks at the worlds, never at the product.

What clients notice is in `vigil`, what must be there at rest in `rest`, what an Ingress asks for in `asking`.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from l7lb import errors
from tests.emulators.clb.nouns import LoadBalancer
from tests.simulation.asking import Objects
from tests.simulation.belonging import CLUSTER_ID, CREATED_BY, OURS, OWNER, UID, has_left, ingresses, is_going, is_held
from tests.simulation.manifests import Json
from tests.simulation.rest import Rest
from tests.simulation.vigil import Vigil
from tests.simulation.world import CLUSTER, World

HARMLESS = (errors.RetryableError, errors.TerminalError, errors.AlreadyExists, errors.GateClosed, errors.LostLeadership)


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass
class Watchman:
    """Put in charge of a world by `Watchman(world)`; asks after every step."""

    world: World
    lent: dict[str, LoadBalancer] = field(default_factory=dict)
    """Load balancers of others, as their owners left them."""
    untouchable: set[str] = field(default_factory=set)
    """Those among them that no Ingress may get."""
    spoilt: set[str] = field(default_factory=set)
    """Load balancers of ours whose papers somebody has taken away."""
    broken: list[str] = field(default_factory=list)
    _heard: int = 0

    def __post_init__(self) -> None:
        self.vigil = Vigil(self.world)
        self.world.inspect = self.inspect
        self.world.after_step = self.check
        self.remember()

    def remember(self) -> None:
        """What is in the account now and is not ours, is as its owner wants it."""
        for lb in self.world.account.lbs():
            if CREATED_BY not in lb.tags and CLUSTER_ID not in lb.tags:
                self.lent[lb.id] = copy.deepcopy(lb)

    def excuse(self, *, stirred: bool = True) -> None:
        """Somebody else has done something: owners of what is lent as well, whose listeners are called `owner…`."""
        (self.vigil.stir if stirred else self.vigil.forgive)()
        for lb_id, before in self.lent.items():
            now = self.world.account.emulator.world.load_balancers.get(lb_id)
            if now is not None:
                theirs = {key: one for key, one in now.listeners.items() if one.name.startswith("owner")}
                if before.listeners != theirs:
                    before.listeners = copy.deepcopy(theirs)

    # While a write reaches the cloud.

    def inspect(self, action: str, params: Mapping[str, Any]) -> None:
        """One write, judged by the true state of both worlds at this moment."""
        self.broken += self.vigil.look()
        if not self.world.gate_open:
            self.broken.append(f"{action} while the gate was closed")
        if action == "CreateLoadBalancer":
            self._inspect_order(params)
            return
        named = params.get("LoadBalancerIds") or [params.get("LoadBalancerId") or _of_resource(params)]
        if named[0] in self.untouchable:
            self.broken.append(f"{action} on {named[0]}, which is nobody's business")
        if action == "DeleteLoadBalancer":
            self._inspect_deletion(named)

    def _inspect_order(self, params: Mapping[str, Any]) -> None:
        uid = next(tag["TagValue"] for tag in params["Tags"] if tag["TagKey"] == UID)
        ingress = ingresses(self.world).get(uid)
        if ingress is None:
            return  # gone since: its deletion needs the finalizer, which is checked below
        if not is_held(ingress) and self.world.clock.now() > self.world.unheard_until:
            self.broken.append(f"an order for {uid} without our finalizer on it")

    def _inspect_deletion(self, named: list[str]) -> None:
        if len(named) != 1:
            self.broken.append(f"deletion of {named}")
        lb = self.world.account.emulator.world.load_balancers.get(named[0])
        if lb is None:
            return
        if lb.tags.get(CREATED_BY) != "yes" or lb.tags.get(CLUSTER_ID) != CLUSTER or not lb.tags.get(UID):
            self.broken.append(f"deletion of {lb.id}, whose tags do not say that we made it: {lb.tags}")
        if lb.tags.get(OWNER) == "user" or lb.delete_protect:
            self.broken.append(f"deletion of {lb.id}, which is to be kept")
        ingress = ingresses(self.world).get(lb.tags.get(UID, ""))
        if ingress is not None and not is_going(ingress) and not has_left(ingress):
            self.broken.append(f"deletion of {lb.id}, whose Ingress lives")
        if ingress is None and lb.id in self.world.relics:
            self.broken.append(f"deletion of {lb.id}, whose Ingress was not restored")

    # After every step.

    def check(self) -> None:
        """Raise Broken when something is."""
        self.broken += self.vigil.look()
        self._no_bug_of_ours()
        self._no_forbidden_call()
        self._never_two()
        self._lenders_are_untouched()
        self.broken += self.world.breaches
        if self.broken:
            raise Broken("; ".join(self.broken))

    def _no_bug_of_ours(self) -> None:
        for one in self.world.passes[self._heard :]:
            if isinstance(one.outcome, Exception) and not isinstance(one.outcome, HARMLESS):
                self.broken.append(f"{one.key} at {one.at:.3f}: {one.outcome!r}")
        self._heard = len(self.world.passes)

    def _no_forbidden_call(self) -> None:
        self.broken += [f"forbidden: {entry['reason']}" for entry in self.world.account.emulator.forbidden]
        self.broken += self.world.account.emulator.gateway.defects

    def _never_two(self) -> None:
        living: Mapping[str, Json] = ingresses(self.world)
        made: dict[str, list[str]] = {}
        for lb in self.world.account.emulator.world.load_balancers.values():
            uid = lb.tags.get(UID, "")
            if lb.tags.get(CREATED_BY) == "yes" and uid and lb.id not in self.lent:
                made.setdefault(uid, []).append(lb.id)
                held = uid in living and is_held(living[uid])
                if self.world.clock.now() <= self.world.unheard_until:
                    self.world.relics.add(lb.id)
                    self.world.forgotten.add(lb.id)
                if held:
                    self.world.forgotten.discard(lb.id)
                if not held and lb.id not in self.world.relics:
                    self.broken.append(f"{lb.id} was made for {uid}, and no finalizer will ever lead to it")
        self.broken += [f"{ids} were made for {uid}" for uid, ids in made.items() if len(ids) > 1]

    def _lenders_are_untouched(self) -> None:
        for lb_id, before in self.lent.items():
            now = self.world.account.emulator.world.load_balancers.get(lb_id)
            if now is None:
                self.broken.append(f"{lb_id} was lent, and is gone")
                continue
            if {item.id: item for item in now.listeners.values() if item.id in before.listeners} != before.listeners:
                self.broken.append(f"a listener of the owner of {lb_id} has changed")
            if {k: v for k, v in now.tags.items() if k not in OURS} != {
                k: v for k, v in before.tags.items() if k not in OURS
            }:
                self.broken.append(f"a tag of the owner of {lb_id} has changed: {now.tags}")
            if lb_id in self.untouchable and (now.tags, now.listeners) != (before.tags, before.listeners):
                self.broken.append(f"{lb_id} is nobody's business, and has changed")

    # At rest.

    def check_rest(self) -> None:
        """Cloud equals desired, nothing of ours without an Ingress, a second look plans nothing."""
        self.check()
        self.broken += Rest(self.world, self.lent, self.spoilt).breaches()
        before = self._state()
        self.world.account.forget_calls()
        self.world.live().verify()
        self.world.settle()
        self._nothing_to_do("a second look", before)
        self.world.start()
        self.world.account.forget_calls()
        self.world.settle()
        self._nothing_to_do("a restart", before)
        self.broken += Rest(self.world, self.lent, self.spoilt).breaches()
        if self.broken:
            raise Broken("; ".join(self.broken))

    def _nothing_to_do(self, after: str, before: dict[str, LoadBalancer]) -> None:
        """Not even a try, but where the cloud has refused a certificate: those are tried again, and nobody notices."""
        writes = self.world.account.writes()
        if writes and not (self._names_bad_certificates() and _as_seen(self._state()) == _as_seen(before)):
            self.broken.append(f"{after} writes: {writes}")

    def _state(self) -> dict[str, LoadBalancer]:
        return copy.deepcopy({lb.id: replace(lb, tags_seen=[]) for lb in self.world.account.lbs()})

    def _names_bad_certificates(self) -> bool:
        objects = Objects(self.world)
        secrets = [one["metadata"]["name"] for one in objects.all("secrets")]
        return any(not objects.are_good(objects.certificate(name)) for name in secrets)


def _as_seen(state: dict[str, LoadBalancer]) -> dict[str, LoadBalancer]:
    """With the certificate that is shown at each rule: a try may have moved it there from the listener, for good."""
    seen = copy.deepcopy(state)
    for lb in seen.values():
        for listener in lb.listeners.values():
            for rule in listener.rules.values():
                rule.certificate = rule.certificate or listener.certificate
            listener.sni, listener.certificate = False, None
        lb.free_at = 0.0
    return seen


def _of_resource(params: Mapping[str, Any]) -> str:
    return str(params.get("Resource", "")).rpartition("/")[2]
