"""Performs a plan, one step at a time per load balancer, and follows it and nothing else.

Before a step that takes something away its proof is read again; after a step whose task ended well the observation is
what the planner predicts. Ids of rules are bound by reading (host, path) back, never by the order of an answer. Any
error ends the flight and drops the observation: the next pass observes anew and plans anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from l7lb import planner
from l7lb.errors import Busy, Conflict, Throttled, TokenRefused, Unavailable
from l7lb.model.cloud import Accepted, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, RuleRef
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedLoadBalancer
from l7lb.model.maybe import UNSET
from l7lb.model.plan import (
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    DeleteListeners,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    ModifyHost,
    ModifyListener,
    ModifyRule,
    ModifyWeights,
    RegisterTargets,
    RemoveTags,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects
from l7lb.reconciler.arrivals import Arrivals, Later
from l7lb.reconciler.flights import (
    CREATION_S_MAX,
    PLAN_AGE_S_MAX,
    TASK_S_MAX,
    Delays,
    Flight,
    Flights,
    PendingTask,
)
from l7lb.reconciler.observations import Observations, bindings
from l7lb.reconciler.ports import LoadBalancers

CONFIRM_S_MAX: Final = 60.0
"""How long a new load balancer may take to show our tags before we stop (the tag service lags)."""
CONFIRM_EVERY_S: Final = 2.0
SHOWN_S_MAX: Final = 10.0
"""A head that was read longer ago is read again before a write."""
THROTTLED_S: Final = 1.0

_PROVEN = (DeleteLoadBalancer, DeleteListeners, DeleteRules, DeleteRedirects, RemoveTags)
"""Steps before which the proof is read again."""


class Witness(Protocol):
    """What a plan's owner is asked while it is performed."""

    def created(self, ref: CloudRef) -> None:
        """The order gave this id: write it down before the next write."""
        ...

    def confirmed(self, head: LoadBalancerHead) -> bool:
        """Whether the new load balancer shows our cluster and our Ingress."""
        ...

    def prove(self, step: Step, observed: ObservedLoadBalancer) -> None:
        """Read the proof for taking something away once more; raises when it does not hold."""
        ...

    def performed(self, step: Step) -> None:
        """One step has ended well."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task or a confirmation is due after so many seconds."""

    after_s: float
    reason: str
    code: str = ""
    """TKE's code where the author may want to know why it takes longer."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Every step has ended well; `observed` is what is there now (None: the load balancer is to be gone)."""

    observed: ObservedLoadBalancer | None


@dataclass(frozen=True, slots=True)
class CreationFailed:
    """The order of a new load balancer ended in failure: the token is used up."""

    message: str


Progress = Waiting | Finished | CreationFailed


class Executor:
    """Moves flights forward. Holds no worker: every wait is returned."""

    def __init__(
        self,
        flights: Flights,
        observations: Observations,
        monotonic: Callable[[], float],
        *,
        trusted_from: float = 0.0,
        arrivals: Arrivals | None = None,
    ) -> None:
        """`trusted_from`: what was read before may miss a write that the leader before us had on its way.

        `arrivals`: what wakes keys of a queue; None: there is none.
        """
        self._trusted_from = trusted_from
        self.flights = flights
        self.observations = observations
        self._monotonic = monotonic
        self._delays = Delays()
        self._arrivals = arrivals or Arrivals(flights, monotonic)

    def advance(self, flight: Flight, cloud: LoadBalancers, witness: Witness) -> Progress:
        """As far as it goes without waiting. Raises what the cloud raises; the flight is over then."""
        try:
            progress = self._advance(flight, cloud, witness)
        except Throttled as refusal:
            # Refused for rate means not executed: the flight stands where it stood, and needs no fresh observation.
            return Waiting(refusal.retry_after_s or THROTTLED_S, f"the API budget is used up: {refusal}", refusal.code)
        except TokenRefused as refusal:
            progress = CreationFailed(str(refusal))
        except BaseException:
            self.abandon(flight)
            raise
        match progress:
            case Finished(observed):
                self.flights.end(flight.key)
                if observed is not None and flight.started >= self._trusted_from:
                    self.observations.keep(observed)
                else:
                    self.observations.drop(flight.ref)
            case CreationFailed():
                self.abandon(flight)
            case Waiting():
                pass
        return progress

    def stale(self, flight: Flight) -> bool:
        """Whether the plan is too old to go on with."""
        return self._monotonic() - flight.started > PLAN_AGE_S_MAX

    def cut_short(self, flight: Flight) -> None:
        """What is asked has changed: the step on its way is seen to its end, the rest is left out."""
        underway = flight.done + (1 if flight.task is not None else 0)
        flight.plan = replace(flight.plan, steps=flight.plan.steps[:underway])

    def abandon(self, flight: Flight) -> None:
        """Give the plan up: what it has done is found by observing."""
        self.observations.drop(flight.ref)
        self.flights.end(flight.key)

    def _advance(self, flight: Flight, cloud: LoadBalancers, witness: Witness) -> Progress:
        while True:
            if flight.task is not None:
                halted = self._look(flight, flight.task, cloud, witness)
                if halted is not None:
                    return halted
            if flight.fresh is not None:
                if not flight.told:
                    witness.created(flight.fresh.head.ref)
                    flight.told = True
                waiting = self._confirm(flight, flight.fresh, cloud, witness)
                if waiting is not None:
                    return waiting
            step = flight.step
            if step is None:
                return Finished(self._complete(flight, cloud))
            self._send(flight, step, cloud, witness)

    def _send(self, flight: Flight, step: Step, cloud: LoadBalancers, witness: Witness) -> None:
        if flight.observed is not None:
            if isinstance(step, _PROVEN):
                witness.prove(step, flight.observed)
            flight.observed = _with_ids(flight.observed, step, cloud)
        now = self._monotonic()
        bound = bindings(flight.observed) if flight.observed is not None else Bindings()
        try:
            accepted = cloud.perform(flight.region, step, bound)
        except Busy:
            if flight.unasked:
                self._arrivals.doubt(flight)
            raise
        flight.unasked = False
        if not accepted.complete:
            text = f"{planner.describe(step)}: done in part only: {accepted.message}"
            raise _declined(text, accepted.failed)
        if accepted.task is None:
            self._settle(flight, step, accepted, witness)
            return
        flight.task = PendingTask(accepted.task, step, accepted, now, now + self._delays.first(step))
        self._arrivals.expect(flight, flight.task)

    def _look(
        self, flight: Flight, task: PendingTask, cloud: LoadBalancers, witness: Witness
    ) -> Waiting | CreationFailed | None:
        now, working = self._monotonic(), f"the cloud works on: {planner.describe(task.step)}"
        state = self._arrivals.state(flight, task, cloud)
        if isinstance(state, Later):
            return Waiting(state.after_s, working)
        if state is None and now < task.next_look:
            return Waiting(task.next_look - now, working)
        state = state or cloud.task(flight.region, task.id)
        match state.status:
            case TaskStatus.SUCCEEDED:
                seen = 0.0 if task.running_at is None else task.running_at - task.sent
                ended = (flight.shown.at if flight.shown is not None else now) - task.sent
                self._delays.learn(task.step, seen, ended, task.next_look - task.sent)
                flight.task = None
                self._settle(flight, task.step, _joined(task.accepted, state), witness)
                return None
            case TaskStatus.RUNNING:
                limit = CREATION_S_MAX if isinstance(task.step, CreateLoadBalancer) else TASK_S_MAX
                if now - task.sent > limit:
                    raise Unavailable(f"{planner.describe(task.step)}: no end after {limit:.0f} s (task {task.id})")
                task.looks, task.running_at = task.looks + 1, now
                delay = self._delays.following(task.step, task.looks)
                task.next_look = now + delay
                return Waiting(delay, working)
            case TaskStatus.FAILED:
                message = f"{planner.describe(task.step)}: the cloud's task failed: {state.message} (task {task.id})"
                if isinstance(task.step, CreateLoadBalancer):
                    return CreationFailed(message)
                raise _declined(message)
            case TaskStatus.UNKNOWN:
                raise Unavailable(f"{planner.describe(task.step)}: the cloud has forgotten the task {task.id}")

    def _settle(self, flight: Flight, step: Step, accepted: Accepted, witness: Witness) -> None:
        flight.done += 1
        match step:
            case CreateLoadBalancer():
                if accepted.load_balancer is None:
                    raise Unavailable("CreateLoadBalancer ended without naming an id: look by tag")
                ref = CloudRef(flight.region, accepted.load_balancer)
                if not self.flights.lock(ref, flight.key):
                    raise Busy(f"{ref} is being written on behalf of another Ingress")
                flight.fresh = ObservedLoadBalancer(LoadBalancerHead(ref, name="", running=False))
                flight.confirm_until = self._monotonic() + CONFIRM_S_MAX
            case DeleteLoadBalancer():
                pass
            case _ if flight.observed is None:
                raise AssertionError(f"{planner.describe(step)} was performed on nothing")
            case _:
                flight.observed = planner.predict(flight.observed, step, _listener_ids(step, accepted))
        witness.performed(step)

    def _confirm(
        self, flight: Flight, fresh: ObservedLoadBalancer, cloud: LoadBalancers, witness: Witness
    ) -> Waiting | None:
        ref = fresh.head.ref
        sight, flight.shown = flight.shown, None
        shown = sight is not None and self._monotonic() - sight.at <= SHOWN_S_MAX
        head = sight.head if sight is not None and shown else cloud.heads((ref,)).get(ref)
        if head is not None and head.running and witness.confirmed(head):
            flight.observed, flight.fresh = ObservedLoadBalancer(head), None
            return None
        if self._monotonic() > flight.confirm_until:
            raise Unavailable(f"{ref} does not show our tags {CONFIRM_S_MAX:.0f} s after its creation")
        return Waiting(CONFIRM_EVERY_S, f"{ref.id} does not show our tags yet")

    def _complete(self, flight: Flight, cloud: LoadBalancers) -> ObservedLoadBalancer | None:
        if flight.observed is None or any(isinstance(step, DeleteLoadBalancer) for step in flight.plan.steps):
            return None
        verify = _unbound(flight.observed) or any(_certifies(step) for step in flight.plan.steps)
        return _read_back(flight.observed, cloud) if verify else flight.observed


def _declined(message: str, failed: tuple[str, ...] = ()) -> Unavailable:
    error = Unavailable(message)
    error.declined, error.failed = True, failed
    return error


def _joined(accepted: Accepted, state: TaskState) -> Accepted:
    """The id that the task names wins over the one that the order named."""
    if len(state.load_balancers) == 1:
        return replace(accepted, load_balancer=LoadBalancerId(state.load_balancers[0]))
    return accepted


def _listener_ids(step: Step, accepted: Accepted) -> Mapping[ListenerKey, str]:
    if not isinstance(step, CreateListeners):
        return {}
    missing = [key for key in step.keys if key not in accepted.listeners]
    if missing:
        raise Unavailable(f"CreateListener named no id for {', '.join(map(str, missing))}: observe again")
    return accepted.listeners


def _certifies(step: Step) -> bool:
    """Whether it changes what clients are shown: that is believed when it is read back, not when it was written."""
    match step:
        case ModifyListener(after=after):
            return after.certificate is not UNSET or after.sni is True
        case ModifyHost(after=after):
            return after.certificate is not UNSET
        case _:
            return False


def _unbound(observed: ObservedLoadBalancer) -> bool:
    return any(rule.key not in listener.locations for listener in observed.listeners for rule in listener.spec.rules)


def _with_ids(observed: ObservedLoadBalancer, step: Step, cloud: LoadBalancers) -> ObservedLoadBalancer:
    """Read the listeners back when the step names a rule whose id is not known yet."""
    match step:
        case RegisterTargets(placements) | DeregisterTargets(placements) | ModifyWeights(placements):
            needed = {placement.rule for placement in placements}
        case DeleteRules(listener, rules):
            needed = {RuleRef(listener, rule) for rule in rules}
        case ModifyRule(listener, before):
            needed = {RuleRef(listener, before.key)}
        case CreateRedirects(source, target, pairs):
            needed = {RuleRef(source, pair.source) for pair in pairs} | {RuleRef(target, pair.target) for pair in pairs}
        case DeleteRedirects(source, _, former):
            needed = {RuleRef(source, one.source) for one in former}
        case _:
            needed = set()
    if needed <= bindings(observed).locations.keys():
        return observed
    fresh = _read_back(observed, cloud)
    lacking = sorted(needed - bindings(fresh).locations.keys())
    if lacking:
        raise Conflict(f"not there when read back: {', '.join(map(str, lacking))}")
    return fresh


def _read_back(observed: ObservedLoadBalancer, cloud: LoadBalancers) -> ObservedLoadBalancer:
    """Ids from the cloud under the targets that we know."""
    return planner.bind(observed, cloud.listeners(observed.head))
