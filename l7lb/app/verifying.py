"""The verifier: reads every load balancer again from time to time, so that the cache never hides drift. It is gentle.

A round costs ceil(N/100) + 2N reads for N load balancers: one look by our cluster's tag for all heads, then listeners
and targets of each when its turn comes. Turns are spread over time in the lowest lane, so that nobody else waits.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from l7lb import ledger, planner, translator
from l7lb.adapters.clb.ratelimit import Pace
from l7lb.app.caches import Caches, Stores, key_of, record_of
from l7lb.app.regions import Look, look, regions
from l7lb.app.roll_call import RollCall, Wait
from l7lb.app.shards import ALL, Scope
from l7lb.app.sweep import Sweep
from l7lb.errors import L7lbError, NotFound, Throttled
from l7lb.model.cluster import Ingress
from l7lb.model.identity import BindingKey, CloudRef, Cluster, LoadBalancerId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.marks import FINALIZER, LOAD_BALANCER_ID
from l7lb.model.snapshot import Settings
from l7lb.reconciler.observations import Observations, read
from l7lb.reconciler.ports import LoadBalancers
from l7lb.runtime.clock import Clock

_logger = logging.getLogger(__name__)

QUOTAS_AGE_S_MAX: Final = 60.0
"""What is younger, as at the beginning of a term, is not read again."""
LATER_S: Final = 1.0
"""A turn that gave way to a better reason follows it after so long."""
LOOK_WAITS_S_MAX: Final = 60.0
"""So long a round waits for the budget of its look, which saves one read for each load balancer."""
LEAST_S: Final = 0.1
"""A wait that is shorter is none."""
TURNS_PART: Final = 0.9
"""Of what the budget of the lowest lane gives: a little less, so that it is not asked in vain."""
TURNS_PER_S: Final = TURNS_PART * Pace().verifying
"""As long as nobody says how much of the API quota is ours."""


class Queue(Protocol):
    """Where turns are queued: the work queue of the term."""

    def add(self, key: str, lane: Lane, now: float, urgent: bool = False) -> None:
        """Now."""
        ...

    def add_after(self, key: str, lane: Lane, delay_s: float, now: float) -> None:
        """After a while."""
        ...


@dataclass(frozen=True, slots=True)
class Beat:
    """What there is to verify, and with what."""

    cluster: Cluster
    settings: Settings
    stores: Stores
    caches: Caches
    cloud: LoadBalancers
    clock: Clock
    queue: Queue
    observations: Observations
    sweep: Sweep
    more_regions: tuple[str, ...] = ()
    """Where load balancers are looked for as well."""
    trusted_from: float = 0.0
    """Monotonic; what is read before may miss a write that the leader before us had on its way (promise 7)."""
    turns_per_s: float = TURNS_PER_S
    scope: Scope = ALL

    def ours(self) -> tuple[Ingress, ...]:
        """Those that this term is about."""
        if self.scope.whole:
            return self.ingresses()
        return tuple(one for one in self.ingresses() if self.scope.has(self.key(one)))

    def ingresses(self) -> tuple[Ingress, ...]:
        """All there are, ours or not."""
        return tuple(item.object for item in self.stores.ingresses.list())

    def key(self, ingress: Ingress) -> BindingKey:
        """In the queue."""
        return key_of(ingress, self.cluster, self.settings)

    def is_new(self, ingress: Ingress) -> bool:
        """Deleting, or not served yet: its author waits."""
        record = record_of(ingress, self.cluster)
        served = record is not None and record.lb and record.desired
        return ingress.deleting or FINALIZER not in ingress.finalizers or not served

    def departing(self) -> frozenset[BindingKey]:
        """Keys of which every Ingress is being deleted: there is nothing left to compare."""
        going = {self.key(one) for one in self.ingresses() if one.deleting}
        return frozenset(key for key in going if all(one.deleting for one in self.caches.members(key)))

    def is_edited(self, ingress: Ingress) -> bool:
        """Whether the shape that it asks for is not the one that was last reached."""
        record = record_of(ingress, self.cluster)
        shape = self.caches.snapshot(ingress, targets=False)
        desired = translator.translate(shape, self.settings).desired
        return record is None or desired is None or planner.shape_digest(desired) != record.desired

    def refs(self, ingress: Ingress) -> frozenset[CloudRef]:
        """Every load balancer that a pass over this Ingress may look at."""
        record = record_of(ingress, self.cluster)
        region = translator.region_of(ingress, record, self.settings.region)
        named = {translator.options(ingress).exist_lb_id, ingress.annotations.get(LOAD_BALANCER_ID, "")}
        refs = {CloudRef(region, LoadBalancerId(name)) for name in named if name}
        if record is not None and record.lb:
            refs.add(CloudRef(record.region or region, LoadBalancerId(record.lb)))
        return frozenset(refs)

    def roll_call(self) -> RollCall:
        """In the lane of targets: it is for them."""
        return RollCall(self.cluster, self.settings, self.caches, self.cloud.at(Lane.ENDPOINTS), self.key)

    def refs_of(self, key: BindingKey) -> frozenset[CloudRef]:
        """Of all members of a key, each once, however many lead to it."""
        return frozenset(ref for ingress in self.caches.members(key) for ref in self.refs(ingress))

    def knows(self, key: BindingKey) -> bool:
        """Whether there is an observation that a pass over this key would use."""
        return any(self.observations.get(ref) is not None for ref in self.refs_of(key))


class Verifier:
    """For one term. `turn` surrounds every pass; `run` is a thread's life, `enqueue` and `round` its parts."""

    def __init__(
        self,
        beat: Beat,
        *,
        interval_s: float,
        on_read: Callable[[], None] = lambda: None,
        on_look: Callable[[Look], None] = lambda _: None,
    ) -> None:
        """`interval_s` 0: only what the beginning of a term asks for. `on_look` hears of all load balancers."""
        self._beat = beat
        self._interval_s = interval_s
        self._on_read = on_read
        self._on_look = on_look
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._due: set[BindingKey] = set()
        self._began = beat.clock.time()
        self._verified: dict[BindingKey, float | None] = {}
        self._comparing: set[BindingKey] = set()

    def enqueue(self) -> None:
        """Every key once: who is deleting or new goes first; the rest is only compared, and no user waits for that."""
        now, ahead = self._beat.clock.monotonic(), []
        for ingress in self._beat.ours():
            key = self._beat.key(ingress)
            if self._beat.is_new(ingress):
                self._beat.queue.add(key, Lane.CHANGE, now)
            else:
                ahead.append(key)
        self._spread(ahead, now, max(0.0, self._beat.trusted_from - now))

    def run(self) -> None:
        """Until `stop`."""
        self.promote()
        if self._stopping.wait(max(0.0, self._beat.trusted_from - self._beat.clock.monotonic())):
            return
        if self._beat.trusted_from > 0:
            self._beat.observations.clear()
            self._look(self._stopping.wait)
        wait_s = self._pause(len(self._due))
        while not self._stopping.wait(wait_s if self._interval_s > 0 else None):
            wait_s = self._pause(self.round(self._stopping.wait))

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def promote(self, wait: Wait | None = None) -> None:
        """Who was edited while nobody led goes first as well, then whose targets are not as they ought to be.

        It is found out while the workers are at work already. `wait` waits so many seconds, and says whether to end.
        """
        for ingress in self._beat.ours():
            if self._stopping.is_set():
                return
            if not self._beat.is_new(ingress) and self._beat.is_edited(ingress):
                self._beat.queue.add(self._beat.key(ingress), Lane.CHANGE, self._beat.clock.monotonic())
        for key in self._beat.roll_call().absent(self._beat.ours(), wait or self._stopping.wait):
            self._beat.queue.add(key, Lane.ENDPOINTS, self._beat.clock.monotonic())

    def round(self, wait: Wait | None = None) -> int:
        """Give every key a turn; how many. `wait` as for `promote`; None: its look goes now or never."""
        self._look(wait)
        held = (one for one in self._beat.ours() if FINALIZER in one.finalizers or self._beat.refs(one))
        keys = tuple(dict.fromkeys(self._beat.key(one) for one in held))
        self._spread(keys, self._beat.clock.monotonic(), 0.0)
        self._forget(frozenset(keys))
        return len(keys)

    @contextmanager
    def turn(self, key: BindingKey, lane: Lane = Lane.VERIFY) -> Iterator[None]:
        """Around a pass: in its turn, what it will look at is read anew first. Raises what reading does.

        A pass for another reason never waits for that, and is no comparison: if the key is due, its turn follows. What
        nobody knows yet such a pass reads by itself, with the budget of its own lane; then there was a turn all the
        same.
        """
        if self._beat.clock.monotonic() < self._beat.trusted_from:
            self._beat.observations.clear()
        with self._lock:
            due, known = key in self._due, self._verified.get(key) is not None
        now_due = due and lane is Lane.VERIFY
        read_anew = now_due or not self._beat.knows(key)
        if now_due:
            differs = self._refresh(key)
            with self._lock:
                self._due.discard(key)
                if known and differs:
                    self._comparing.add(key)
        try:
            yield
            if read_anew or not (known or due):
                self._stamp(key)
        finally:
            with self._lock:
                self._comparing.discard(key)
                later = key in self._due and lane is not Lane.VERIFY
            if later:
                # A key that waits for its turn and for a better reason is handed out once, for the better one.
                self._beat.queue.add_after(key, Lane.VERIFY, LATER_S, self._beat.clock.monotonic())

    def comparing(self, key: BindingKey) -> bool:
        """Whether the running pass looks at a cloud that differs from what we left: what it puts right is drift."""
        with self._lock:
            return key in self._comparing

    def oldest(self) -> float:
        """When the load balancer that was verified longest ago was, by the wall clock; now: there is none.

        What was not verified yet counts as of the beginning of the term. What is only being deleted does not count.
        """
        keys = {BindingKey(str(value)) for value in self._beat.stores.ingresses.index_values("binding")}
        keys -= self._beat.departing()
        with self._lock:
            times = [self._began if at is None else at for key, at in self._verified.items() if key in keys]
        return min(times, default=self._beat.clock.time())

    def _look(self, wait: Wait | None = None) -> None:
        """Without its answer each load balancer costs one more read: no reason to fail."""
        found = _looked(self._beat, wait)
        if found is None:
            return
        self._beat.sweep.enter(found.heads)
        self._on_look(found)
        _read_quotas(self._beat)

    def _spread(self, keys: Sequence[BindingKey], now: float, start_s: float) -> None:
        with self._lock:
            self._due.update(keys)
            for key in keys:
                self._verified.setdefault(key, None)
        for number, key in enumerate(keys):
            self._beat.queue.add_after(key, Lane.VERIFY, start_s + number / self._beat.turns_per_s, now)

    def _pause(self, turns: int) -> float:
        return max(self._interval_s, turns / self._beat.turns_per_s)

    def _refresh(self, key: BindingKey) -> bool:
        """Read anew what the pass will look at; whether it differs, or may differ, from what was known of it."""
        cloud, differs = self._beat.cloud.at(Lane.VERIFY), False
        anew: dict[CloudRef, ObservedLoadBalancer | None] = {}
        for ref in self._beat.refs_of(key):
            known = self._beat.observations.get(ref)
            found = anew[ref] = _read(cloud, ref, self._beat.sweep.head(ref), self._on_read)
            # Nothing known: what is put right now may be our own work that was interrupted.
            differs = differs or (known is not None and found != known)
        # Only now: a read that fails, as when this lane has no budget, leaves the next try something to compare with.
        for ref, seen in anew.items():
            self._beat.observations.drop(ref)
            if seen is not None:
                self._beat.observations.keep(seen)
            self._beat.sweep.used(ref)
        return differs

    def _stamp(self, key: BindingKey) -> None:
        if self._beat.knows(key):
            with self._lock:
                self._due.discard(key)
                self._verified[key] = self._beat.clock.time()

    def _forget(self, keys: frozenset[BindingKey]) -> None:
        """What no Ingress leads to any more."""
        used = {ref for ingress in self._beat.ours() for ref in self._beat.refs(ingress)}
        for ref in self._beat.observations.refs():
            if ref not in used:
                self._beat.observations.drop(ref)
        with self._lock:
            self._due &= keys
            self._verified = {key: at for key, at in self._verified.items() if key in keys}


def _looked(beat: Beat, wait: Wait | None) -> Look | None:
    """All load balancers of the cluster. One token that a turn was quicker to take must not cost a whole round."""
    until = beat.clock.monotonic() + LOOK_WAITS_S_MAX

    def again(refusal: Throttled) -> bool:
        left = until - beat.clock.monotonic()
        return wait is not None and left >= LEAST_S and not wait(min(refusal.retry_after_s or LATER_S, left))

    beat.sweep.begin()
    try:
        places = regions(beat.ingresses(), beat.cluster, beat.settings.region, beat.more_regions)
        return look(beat.cloud.at(Lane.VERIFY), ledger.of_cluster(beat.cluster), places, again)
    except L7lbError as error:
        _logger.warning("verifier: each load balancer of this round costs one more read: %s", error)
        return None


def _read(
    cloud: LoadBalancers, ref: CloudRef, swept: LoadBalancerHead | None, on_read: Callable[[], None]
) -> ObservedLoadBalancer | None:
    """As it is now; None: gone, or not running, and what that means is for the pass to find out.

    `cloud`: one for all reads of a turn. Reads that knew nothing of each other would each wait for a token, and a turn
    that is refused in the middle begins anew: one with two load balancers would never come to its end.
    """
    head = swept or cloud.heads((ref,)).get(ref)
    if head is None or not head.running:
        return None
    try:
        found = read(cloud, head)
    except NotFound:
        _logger.info("verifier: %s is gone", ref)
        return None
    on_read()
    return found


def _read_quotas(beat: Beat) -> None:
    """They may have been raised; and only what is read now and then is true when a pass wants to know it."""
    try:
        beat.cloud.at(Lane.VERIFY).limits(beat.settings.region, QUOTAS_AGE_S_MAX)
    except L7lbError as error:
        _logger.warning("verifier: quotas: %s", error)
