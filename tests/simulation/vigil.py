"""What clients notice: two looks at all load balancers are compared, and what went between them is judged by the truth.

The truth is what Ingresses ask for at this moment (`asking`). Shortly after somebody has changed something nobody can
know it yet, so that time is not judged.
"""

from dataclasses import dataclass
from typing import Final

from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule
from tests.simulation.asking import Address, Ask, Objects, Place, ask
from tests.simulation.belonging import bound_to, is_shared
from tests.simulation.world import World

GRACE_S: Final = 20.0
"""News is up to 3 s late, and a plan that has begun may wait for a slow call or two."""
Spot = tuple[str, Place]


@dataclass(frozen=True, slots=True)
class Sight:
    """One rule as clients see it."""

    serving: frozenset[Address]
    """Targets that get traffic."""
    certificate: tuple[str, ...] | None
    redirects: bool


class Vigil:
    """Looks again and again; `look` says what has gone that should have stayed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._objects = Objects(world)
        self._before = self._seen()
        self._stirred_at = 0.0
        self.grace_s = GRACE_S

    def stir(self) -> None:
        """Somebody else has changed something: what is there now is as it should be, and news of it is on its way."""
        self._stirred_at = self._world.clock.now()
        self.forgive()

    def forgive(self) -> None:
        """What is there now is as it should be."""
        self._before = self._seen()

    def look(self) -> list[str]:
        """Compare with the look before."""
        before, self._before = self._before, self._seen()
        if self._world.clock.now() - self._touched_at() <= self.grace_s:
            return []
        suspects = [spot for spot, was in before.items() if self._is_worse(was, self._before.get(spot))]
        if not suspects:
            return []
        asks = self._asks({lb_id for lb_id, _ in suspects})
        found = (self._judged(spot, before[spot], asks.get(spot[0], [])) for spot in suspects)
        return [words for words in found if words]

    def _touched_at(self) -> float:
        world = self._world
        return max(self._stirred_at, world.account.wrote_at, world.users.wrote_at - world.clock.origin)

    def _is_worse(self, was: Sight, now: Sight | None) -> bool:
        if now is None or now.certificate != was.certificate:
            return True
        return bool(was.serving) and not was.serving & now.serving

    def _judged(self, spot: Spot, was: Sight, asks: list[tuple[str, bool, Ask]]) -> str:
        lb_id, place = spot
        now = self._before.get(spot)
        for name, shared, asked in asks:
            if not asked.readable:
                if now is None:
                    return f"{place} of {lb_id} was taken off, while {name} cannot be read"
                continue
            about = f"{place} of {lb_id}, for which {name} asks,"
            if now is None:
                # In a group it may be another member's, who takes it with him.
                wanted = place in asked.rules or (place in asked.held and not shared)
                if was.serving and wanted and not was.redirects:
                    return f"{about} was taken off"
                continue
            if was.certificate and not now.certificate and place in asked.certificates:
                return f"{about} lost its certificate {was.certificate}"
            if was.certificate != now.certificate and was.certificate and place in asked.uncertified:
                return f"{about} is held, and its certificate was {was.certificate} and is {now.certificate}"
            live = (
                {at for at, weight in asked.rules[place].must.items() if weight != 0} if place in asked.rules else set()
            )
            if was.serving & live and not now.serving & live:
                return f"{about} lost its last live target: {sorted(was.serving)} became {sorted(now.serving)}"
        return ""

    def _asks(self, lb_ids: set[str]) -> dict[str, list[tuple[str, bool, Ask]]]:
        found: dict[str, list[tuple[str, bool, Ask]]] = {}
        for ingress in self._objects.all("ingresses.networking.k8s.io"):
            for lb_id in bound_to(self._world, ingress) & lb_ids:
                found.setdefault(lb_id, []).append(
                    (ingress["metadata"]["name"], is_shared(ingress), ask(self._objects, ingress))
                )
        return found

    def _seen(self) -> dict[Spot, Sight]:
        lbs = self._world.account.emulator.world.load_balancers.values()
        return {(lb.id, place): sight for lb in lbs for place, sight in _sights(lb).items()}


def _sights(lb: LoadBalancer) -> dict[Place, Sight]:
    return {
        ((listener.protocol, listener.port), rule.domains[0], rule.url): _sight(listener, rule)
        for listener in lb.listeners.values()
        for rule in listener.rules.values()
    }


def _sight(listener: Listener, rule: Rule) -> Sight:
    serving = frozenset((target.ip, target.port) for target in rule.targets if target.weight > 0)
    shown = rule.certificate or listener.certificate
    return Sight(serving, tuple(sorted(shown.server_ids)) if shown else None, rule.redirect is not None)
