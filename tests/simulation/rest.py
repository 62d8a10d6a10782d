"""What must hold when everything has come to rest: each Ingress has what it asks for, and nothing is left behind."""

from collections.abc import Iterator
from typing import Final

from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule
from tests.simulation.asking import Ask, Backends, Objects, Place, ask
from tests.simulation.asking import Listener as At
from tests.simulation.belonging import (
    CLUSTER_ID,
    CREATED_BY,
    NAMED,
    OWNER,
    UID,
    annotations,
    bound_to,
    has_left,
    ingresses,
    is_going,
    is_held,
    is_shared,
    is_taken,
)
from tests.simulation.cluster import Seen
from tests.simulation.manifests import Json
from tests.simulation.world import CLUSTER, World

NAME: Final = "TKE-DEDICATED-LISTENER"


class Rest:
    """Looks once; `breaches` says what is not as it must be."""

    def __init__(self, world: World, lent: dict[str, LoadBalancer], spoilt: set[str]) -> None:
        self._world = world
        self._spoilt = spoilt
        self._lent = lent
        self._objects = Objects(world)
        self._ingresses = ingresses(world)
        self._lbs = {lb.id: lb for lb in world.account.lbs()}

    def breaches(self) -> list[str]:
        """All of them."""
        found = [words for one in self._ingresses.values() for words in self._of_one(one)]
        for lb in self._lbs.values():
            found += self._of_a_group(lb)
            found += self._left_behind(lb)
        return found

    def _of_one(self, ingress: Json) -> Iterator[str]:
        name = ingress["metadata"]["name"]
        if has_left(ingress):
            if is_held(ingress):
                yield f"{name} has left and is still held"
        elif is_going(ingress):
            yield f"{name} is still being deleted"
        elif is_shared(ingress):
            if annotations(ingress)[NAMED] not in self._lbs:
                yield from self._told(ingress, "names what is not there")
        elif is_taken(self._world, ingress):
            if not ask(self._objects, ingress).readable:
                yield from self._told(ingress, "cannot be read")
            elif not {"E4017", "E4020"} & set(Seen(ingress).why.replace(":", "").split()):
                yield f"{name} names what another has, and is not told: {Seen(ingress).why}"
        else:
            yield from self._of_an_owner(ingress)

    def _of_an_owner(self, ingress: Json) -> Iterator[str]:
        name, asked = ingress["metadata"]["name"], ask(self._objects, ingress)
        lbs = [self._lbs[lb_id] for lb_id in sorted(bound_to(self._world, ingress))]
        spoilt = Seen(ingress).record.get("lb") in self._spoilt
        if not lbs and (not asked.readable or not asked.rules or spoilt or self._is_refused(ingress)):
            yield from self._told(ingress, "has no load balancer")
            return
        if len(lbs) != 1:
            yield f"{name} has {len(lbs)} load balancers: {Seen(ingress).why}"
            return
        why = Seen(ingress).why
        yield from (f"{name} on {lbs[0].id}: {words} ({why})" for words in self._served(lbs[0], asked))
        if asked.readable and not asked.troubles:
            yield from self._surplus(lbs[0], name, asked.places, asked.listeners)
        yield from self._shown(ingress, asked)

    def _is_refused(self, ingress: Json) -> bool:
        """Whether the load balancer that it names is not there, or its owner has a listener in the way."""
        named = annotations(ingress).get(NAMED)
        if named is None:
            return False
        lb = self._lbs.get(named)
        wanted = {place[0][1] for place in ask(self._objects, ingress).places}
        return lb is None or bool(wanted & {item.port for item in lb.listeners.values() if item.name != NAME})

    def _served(self, lb: LoadBalancer, asked: Ask) -> Iterator[str]:
        if not asked.readable:
            return
        for place, backends in asked.rules.items():
            listener, rule = _find(lb, place)
            if rule is None or listener is None:
                yield f"{place} is not there"
                continue
            if rule.redirect is not None and not _is_held(lb.listeners.get(rule.redirect.listener_id), asked):
                yield f"{place} redirects"
            yield from (f"{place} {words}" for words in _bound(rule, backends))
            certificate = asked.certificates.get(place)
            shown = rule.certificate or listener.certificate
            if certificate is not None and (shown is None or set(shown.server_ids) != certificate):
                yield f"{place} shows {shown}, not {sorted(certificate)}"
        for place, (target, code) in asked.redirects.items():
            _, rule = _find(lb, place)
            _, goal = _find(lb, target)
            leads = rule is not None and goal is not None and rule.redirect is not None
            if not leads or rule.redirect.location_id != goal.id or code not in (None, rule.redirect.code):  # type: ignore[union-attr]  # asked in `leads`
                yield f"{place} should lead to {target} with {code or 'any code'}, and is {rule and rule.redirect}"

    def _surplus(self, lb: LoadBalancer, name: str, asked: set[Place], bare: set[At]) -> Iterator[str]:
        if lb.id in self._world.relics and lb.id in self._lent:
            return  # What no record tells of any more is nobody's: it is reported, and stays.
        kept = self._lent[lb.id].listeners if lb.id in self._lent else {}
        for listener in lb.listeners.values():
            if listener.id in kept:
                continue
            if not listener.rules and (listener.protocol, listener.port) not in bare:
                yield f"{name} on {lb.id}: {listener.protocol}:{listener.port} is there for nothing"
            for rule in listener.rules.values():
                place = ((listener.protocol, listener.port), rule.domains[0], rule.url)
                if place not in asked:
                    yield f"{name} on {lb.id}: nobody asks for {place}"

    def _shown(self, ingress: Json, asked: Ask) -> Iterator[str]:
        seen = Seen(ingress)
        if asked.troubles:
            yield from self._told(ingress, f"is broken: {asked.troubles}")
        elif not seen.is_ready and not asked.idle:
            yield f"{seen.name} is not ready: {seen.why}"
        if not seen.addresses and asked.rules:
            yield f"{seen.name} shows no address"

    def _told(self, ingress: Json, what: str) -> Iterator[str]:
        seen = Seen(ingress)
        if seen.is_ready or not seen.condition.get("message"):
            yield f"{seen.name} {what}, and nobody tells its author: {seen.condition}"

    def _of_a_group(self, lb: LoadBalancer) -> Iterator[str]:
        members = [one for one in self._ingresses.values() if is_shared(one) and bound_to(self._world, one) == {lb.id}]
        if not members:
            return
        asks = {one["metadata"]["name"]: ask(self._objects, one) for one in members}
        served = any(asked.rules for asked in asks.values())
        if (served and lb.tags.get(CLUSTER_ID) != CLUSTER) or UID in lb.tags:
            yield f"{lb.id} is shared, and its tags are {lb.tags}"
        places = {place for asked in asks.values() for place in asked.places}
        kept = {place for one in members if asks[one["metadata"]["name"]].troubles for place in _recorded(Seen(one))}
        contested = {place for place in places if sum(place in asked.places for asked in asks.values()) > 1}
        whole = {place for asked in asks.values() if not asked.troubles for place in asked.places}
        contested |= whole & kept
        for one in members:
            name = one["metadata"]["name"]
            asked = asks[name]
            if asked.readable:
                alone = Ask({place: b for place, b in asked.rules.items() if place not in contested},
                            {place: b for place, b in asked.redirects.items() if place not in contested})  # fmt: skip
                yield from (f"{name} on {lb.id}: {words}" for words in self._served(lb, alone))
            if not contested & asked.places:
                yield from self._shown(one, asked)
        yield from self._contested(lb, asks, contested - kept)
        # Who asks only for what is another's is stopped by the guard, and keeps what he has.
        if not contested and all(asked.readable and not asked.troubles for asked in asks.values()):
            yield from self._surplus(lb, "the group", places, set())

    def _contested(self, lb: LoadBalancer, asks: dict[str, Ask], contested: set[Place]) -> Iterator[str]:
        """Exactly one of those who ask for a rule has it, the others hear so."""
        for place in contested:
            wanting = {name: asked for name, asked in asks.items() if place in asked.places and asked.readable}
            if any(asked.troubles for asked in wanting.values()):
                continue
            served = [
                name for name, asked in wanting.items()
                if not list(self._served(lb, Ask({k: v for k, v in asked.rules.items() if k == place})))
            ]  # fmt: skip
            if not served:
                yield f"{place} on {lb.id} is as none of {sorted(wanting)} asks"
            ready = [name for name in wanting if Seen(self._by_name(name)).is_ready]
            if len(ready) > 1:
                yield f"{place} on {lb.id} can be one member's only, and {ready} are ready"

    def _by_name(self, name: str) -> Json:
        return next(one for one in self._ingresses.values() if one["metadata"]["name"] == name)

    def _is_kept(self, lb: LoadBalancer) -> bool:
        return lb.tags.get(OWNER) == "user" or lb.delete_protect or lb.id in self._spoilt

    def _left_behind(self, lb: LoadBalancer) -> Iterator[str]:
        used = any(lb.id in bound_to(self._world, one) for one in self._ingresses.values())
        if used or (lb.id in self._world.relics and lb.tags.get(UID, "") not in self._ingresses):
            return
        if lb.id in self._world.forgotten:
            return  # Its Ingress is of another class, and no record says that it was ever ours: no proof to delete it.
        if lb.id in self._lent:
            before = self._lent[lb.id]
            if set(lb.listeners) != set(before.listeners) or lb.tags != before.tags:
                yield f"{lb.id} was not given back as it was: {lb.tags}, {list(lb.listeners)}"
        elif lb.tags.get(CREATED_BY) == "yes" and not self._is_kept(lb):
            yield f"{lb.id} was left behind: {lb.tags}"


def _find(lb: LoadBalancer, place: Place) -> tuple[Listener | None, Rule | None]:
    (protocol, port), host, path = place
    for listener in lb.listeners.values():
        if (listener.protocol, listener.port) == (protocol, port):
            return listener, listener.rule_of(host, path)
    return None, None


def _is_held(listener: Listener | None, asked: Ask) -> bool:
    """Whether something there lacks what it needs: then redirects that lead there stay too."""
    return listener is not None and any(at == (listener.protocol, listener.port) for at, _, _ in asked.held)


def _recorded(seen: Seen) -> Iterator[Place]:
    """Rules of a member by its own record: one that is broken keeps them, also those that it does not ask for now."""
    for listener, hosts in seen.record.get("rules", {}).items():
        protocol, _, port = listener.partition(":")
        for host, paths in hosts.items():
            yield from (((protocol, int(port)), host, path) for path in paths)


def _bound(rule: Rule, backends: Backends) -> Iterator[str]:
    there = {(target.ip, target.port): target.weight for target in rule.targets}
    missing, astray = set(backends.must) - set(there), set(there) - set(backends.must) - backends.may
    if missing or astray:
        yield f"lacks {sorted(missing)} and has {sorted(astray)} too many"
    for at, weight in backends.must.items():
        if at in there and (there[at] != weight if weight is not None else there[at] == 0):
            yield f"has {at} with the weight {there[at]}, not {weight}"
