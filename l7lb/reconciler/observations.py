"""What we know of each load balancer: read once, then kept right by our own successful writes, dropped at any doubt."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from l7lb.model.identity import CloudRef, ListenerId, LocationId, RuleRef
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, ObservedLoadBalancer, Target
from l7lb.model.plan import Bindings
from l7lb.reconciler.ports import LoadBalancers


class Observations:
    """Verified observations by load balancer, for one term of leadership."""

    def __init__(self, trusted: Callable[[], bool] = lambda: True, wall: Callable[[], float] = lambda: 0.0) -> None:
        """Until `trusted` a write of the leader before us may still arrive: nothing is remembered from pass to pass.

        `wall`: the clock by which people are told how old something is; nothing is decided by it.
        """
        self._trusted = trusted
        self._wall = wall
        self._kept_at: dict[CloudRef, float] = {}
        self._lock = threading.Lock()
        self._known: dict[CloudRef, ObservedLoadBalancer] = {}

    def get(self, ref: CloudRef) -> ObservedLoadBalancer | None:
        """What is known without asking."""
        with self._lock:
            return self._known.get(ref)

    def keep(self, observed: ObservedLoadBalancer) -> None:
        """Enter what was read, or what a finished plan has made."""
        if not self._trusted():
            return
        with self._lock:
            self._known[observed.head.ref] = observed
            self._kept_at[observed.head.ref] = self._wall()

    def kept_at(self, ref: CloudRef) -> float | None:
        """When it was last read, or made so by us; None: it is not known."""
        with self._lock:
            return self._kept_at.get(ref)

    def drop(self, ref: CloudRef | None) -> None:
        """Distrust it: the next pass reads again."""
        if ref is not None:
            with self._lock:
                self._known.pop(ref, None)
                self._kept_at.pop(ref, None)

    def refs(self) -> tuple[CloudRef, ...]:
        """All that are known now."""
        with self._lock:
            return tuple(self._known)

    def clear(self) -> None:
        """A new term: nothing is verified."""
        with self._lock:
            self._known.clear()
            self._kept_at.clear()


def read(cloud: LoadBalancers, head: LoadBalancerHead) -> ObservedLoadBalancer:
    """Listeners, rules and targets of one load balancer: two calls. Raises NotFound when it is gone."""
    listeners = cloud.listeners(head)
    if not any(listener.locations for listener in listeners):
        return ObservedLoadBalancer(head, listeners)
    return ObservedLoadBalancer(head, _with_targets(listeners, cloud.targets(head.ref)))


def _with_targets(
    listeners: tuple[ObservedListener, ...],
    targets: Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]],
) -> tuple[ObservedListener, ...]:
    return tuple(
        replace(
            listener,
            spec=replace(
                listener.spec,
                rules=tuple(
                    replace(rule, targets=targets.get((listener.id, listener.locations[rule.key]), ()))
                    for rule in listener.spec.rules
                ),
            ),
        )
        for listener in listeners
    )


def bindings(observed: ObservedLoadBalancer) -> Bindings:
    """Key -> id, as far as ids were read back."""
    head = observed.head
    return Bindings(
        load_balancer=head.ref.id,
        default_host=head.vips[0] if head.vips and not head.hostname else head.hostname,
        listeners={listener.spec.key: listener.id for listener in observed.listeners},
        locations={
            RuleRef(listener.spec.key, rule): location
            for listener in observed.listeners
            for rule, location in listener.locations.items()
        },
    )
