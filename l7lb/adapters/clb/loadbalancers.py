"""The load balancers of one account as the reconciler wants them: observe, perform one step, ask for a task.

Which call does it, and in what form, is in `steps`; what an answer means, in `codec` and `errors`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any, Self

from l7lb import errors
from l7lb.adapters.clb import certificates, codec, steps, wire, wire_targets
from l7lb.adapters.clb.calls import Caller, Request
from l7lb.adapters.clb.certificates import TencentCertificates
from l7lb.adapters.clb.errors import code_of
from l7lb.adapters.clb.quotas import Quotas
from l7lb.model.cloud import Accepted, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerId, LoadBalancerId, LocationId, TaskId
from l7lb.model.lane import Lane
from l7lb.model.loadbalancer import LoadBalancerHead, ObservedListener, Target
from l7lb.model.plan import (
    AddTags,
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    DeleteLoadBalancer,
    DeleteRules,
    DeregisterTargets,
    RegisterTargets,
    RemoveTags,
    Step,
)
from l7lb.model.redirecting import CreateRedirects, DeleteRedirects
from l7lb.model.snapshot import Limits

PAGE = 100
OVERLAP = 20
"""Pages shift while others create and delete: when the count says that one was missed, pages are read so far apart."""
PAGE_WAITS_MAX = 10
PAGE_WAIT_S_MAX = 1.0
HEADS_MAX = 20
HEALTH_MAX = 30
_TOO_LONG = "InvalidParameterValue.Length"
_SYNCHRONOUS = (RegisterTargets, DeregisterTargets, AddTags, RemoveTags)
_MAYBE_DOUBLE = ("InvalidParameter", "InvalidParameterValue")
_MAYBE_PROTECTED = ("FailedOperation", "OperationDenied", "UnsupportedOperation")
_UNKNOWN_TASK = ("InvalidParameter", "InvalidParameterValue", "FailedOperation", "ResourceNotFound")


@dataclass(frozen=True, slots=True)
class TencentLoadBalancers:
    """Implements the reconciler's port `LoadBalancers`. Safe to share by threads; `at` gives views of one thing."""

    caller: Caller
    clock: Callable[[], float]
    """Monotonic seconds; only the age of the quotas is measured with it."""
    lane: Lane = Lane.CHANGE
    quotas: Quotas = field(default_factory=Quotas)
    _asked: set[str] | None = None
    """Reads that this pass has made. Another of the same kind takes its token from the future: a pass that is refused
    in the middle begins anew, and would never come to its end where two tokens are not there at once."""

    def at(self, lane: Lane) -> Self:
        """The same for one pass, spending the API budget of this lane."""
        return replace(self, lane=lane, _asked=set())

    def find(self, region: str, tags: Mapping[str, str]) -> tuple[LoadBalancerHead, ...]:
        """All load balancers that bear all these tags, oldest first; without tags it would list strangers: refused."""
        if not 0 < len(tags) <= 10:
            raise errors.UnauthorizedPlan("DescribeLoadBalancers takes one to ten tags here")
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in sorted(tags.items())]
        found: dict[str, LoadBalancerHead] = {}
        for stride in (PAGE, PAGE - OVERLAP, PAGE - OVERLAP):
            total = 0
            for page in self._pages(region, filters, stride):
                total = page.total_count
                found |= {entry.load_balancer_id: codec.head(region, entry) for entry in page.load_balancer_set or ()}
            if len(found) >= total:
                break
        return tuple(sorted(found.values(), key=lambda head: (head.created, head.ref.id)))

    def heads(self, refs: tuple[CloudRef, ...], *, ahead: bool = False) -> Mapping[CloudRef, LoadBalancerHead]:
        """Those of `refs` (one region, at most 20) that were listed. Absence is not "gone".

        `ahead`: with a token of the future, if need be, as long as the quota of this second is not used up.
        """
        if not refs:
            return {}
        region = _one_region(refs, HEADS_MAX)
        params = {"LoadBalancerIds": [ref.id for ref in refs], "Limit": HEADS_MAX}
        answer = wire.read(self._read(region, "DescribeLoadBalancers", params, borrow=ahead), wire.LoadBalancers)
        heads = (codec.head(region, entry) for entry in answer.load_balancer_set or ())
        return {head.ref: head for head in heads if head.ref in refs}

    def listeners(self, head: LoadBalancerHead) -> tuple[ObservedListener, ...]:
        """Every listener and rule, without targets. Raises NotFound(what="load balancer") when it is gone."""
        answer = self._read(head.ref.region, "DescribeListeners", {"LoadBalancerId": head.ref.id})
        found = wire.read(answer, wire.Listeners).listeners or ()
        return tuple(sorted((codec.listener(head, entry) for entry in found), key=lambda item: item.spec.key))

    def targets(self, ref: CloudRef) -> Mapping[tuple[ListenerId, LocationId], tuple[Target, ...]]:
        """Every target bound to a rule."""
        answer = self._read(ref.region, "DescribeTargets", {"LoadBalancerId": ref.id})
        return codec.targets(wire.read(answer, wire_targets.Targets))

    def health(self, refs: tuple[CloudRef, ...]) -> codec.LocationHealth:
        """Bindings, weights and health of at most 30 load balancers of one region, in one call."""
        if not refs:
            return {}
        region = _one_region(refs, HEALTH_MAX)
        answer = self._read(region, "DescribeTargetHealth", {"LoadBalancerIds": [ref.id for ref in refs]})
        return codec.health(region, wire.read(answer, wire_targets.Health))

    def protected(self, refs: tuple[CloudRef, ...]) -> frozenset[CloudRef]:
        """Those of `refs` (one region, at most 20) whose modification protection is on (DescribeLBOperateProtect)."""
        if not refs:
            return frozenset()
        region = _one_region(refs, HEADS_MAX)
        answer = self._read(region, "DescribeLBOperateProtect", {"LoadBalancerIds": [ref.id for ref in refs]})
        states = wire.read(answer, wire.Protections).load_balancer_set or ()
        on = {state.load_balancer_id for state in states if state.protect_state}
        return frozenset(ref for ref in refs if ref.id in on)

    def limits(self, region: str, max_age_s: float = inf) -> Limits:
        """The quotas of the account, at most so old; older ones serve while they cannot be read."""
        read = partial(self._read, region, "DescribeQuota", {})
        return self.quotas.limits(region, lambda: codec.limits(wire.read(read(), wire.Quotas)), self.clock(), max_age_s)

    def foreseen(self, region: str, step: Step) -> errors.Rejected | None:
        """The refusal that is sure to meet a step, as far as it can be read; without the right to read: nothing is."""
        try:
            return certificates.foreseen(step, TencentCertificates(self.caller, region, self._asked))
        except errors.AccessDenied:
            return None

    def perform(self, region: str, step: Step, bindings: Bindings) -> Accepted:
        """Send one step, never twice. Raises Unavailable when it may or may not have happened."""
        request = steps.request(region, step, bindings)
        try:
            answer = self.caller.call(request, region=region, lane=self.lane)
        except errors.NotFound as error:
            if isinstance(step, DeleteLoadBalancer) and error.what == "load balancer":
                return Accepted(message="it was gone already")
            raise
        except errors.QuotaExceeded:
            self.quotas.doubt(region)
            raise
        except errors.L7lbError as error:
            self._explain(region, step, request, error)
            raise
        if isinstance(step, CreateLoadBalancer):
            self.quotas.ordered(region, public=step.create.internal_subnet is None)
        return _accepted(step, answer)

    def task(self, region: str, task: TaskId) -> TaskState:
        """What a task has come to; UNKNOWN when the cloud does not know the id."""
        try:
            answer = self._read(region, "DescribeTaskStatus", {"TaskId": task})
        except errors.L7lbError as error:
            if code_of(error) in _UNKNOWN_TASK:
                return TaskState(TaskStatus.UNKNOWN, str(error))
            raise
        return codec.task(wire.read(answer, wire.Task))

    def _read(
        self, region: str, action: str, params: Mapping[str, Any], *, borrow: bool = False, payer: Lane | None = None
    ) -> dict[str, Any]:
        borrow = borrow or (self._asked is not None and action in self._asked)
        answer = self.caller.call(
            Request("clb", action, params), region=region, lane=self.lane, borrow=borrow, payer=payer
        )
        if self._asked is not None:
            self._asked.add(action)
        return answer

    def _pages(self, region: str, filters: list[dict[str, Any]], stride: int) -> Iterator[wire.LoadBalancers]:
        offset, total = 0, 1
        while offset < total:
            params = {"Filters": filters, "Offset": offset, "Limit": PAGE, "OrderBy": "CreateTime", "OrderType": 0}
            # The more load balancers, the more pages: only the first is paid by those who wait for something.
            payer = Lane.VERIFY if offset > 0 else None
            read = partial(self._read, region, "DescribeLoadBalancers", params, borrow=offset > 0, payer=payer)
            page = wire.read(_patiently(read, self.caller.sleep) if offset > 0 else read(), wire.LoadBalancers)
            yield page
            offset, total = offset + stride, page.total_count

    def _explain(self, region: str, step: Step, request: Request, error: errors.L7lbError) -> None:
        """Raise a better error where the code alone says too little; costs a read, only after a refusal."""
        code = code_of(error)
        if isinstance(error, errors.Rejected) and certificates.is_about_one(error):
            raise certificates.explained(error, step, TencentCertificates(self.caller, region)) from error.__cause__
        length = _length(step)
        if code == _TOO_LONG and length > 1:
            # No page says how many rules one call takes: the next plan is made of smaller steps.
            self.quotas.shorten(region, length // 2)
            raise errors.Conflict(f"{error}: to be planned again with {length // 2} rules a call") from error
        if isinstance(step, CreateRules) and code in _MAYBE_DOUBLE:
            one: dict[str, Any] = {
                "LoadBalancerId": request.params["LoadBalancerId"],
                "ListenerIds": [request.params["ListenerId"]],
            }
            there = self._read(region, "DescribeListeners", one)
            if _has_one_of(there, request):
                raise errors.AlreadyExists(str(error)) from error
        elif code in _MAYBE_PROTECTED:
            named = request.params.get("LoadBalancerIds") or [request.params.get("LoadBalancerId")]
            if named[0]:
                ref = CloudRef(region, LoadBalancerId(named[0]))
                self._blame_protection(ref, error, deleting=isinstance(step, DeleteLoadBalancer))

    def _blame_protection(self, ref: CloudRef, error: errors.L7lbError, *, deleting: bool) -> None:
        """Raise Protected if that is why: no page names a code for a protected load balancer."""
        head = self.heads((ref,)).get(ref) if deleting else None
        if head is not None and head.delete_protection:
            raise errors.Protected(f"{error}: deletion protection is on", reason="Protected") from error
        if head is not None and head.private_link:
            raise errors.Protected(f"{error}: a PrivateLink endpoint uses it", reason="Protected") from error
        if self.protected((ref,)):
            text = f"{error}: modification protection is on; switch it off in the console of CLB"
            raise errors.Protected(text, reason="ModificationProtected") from error


def _patiently(read: Callable[[], dict[str, Any]], sleep: Callable[[float], None]) -> dict[str, Any]:
    """A later page waits for its token right here, since what was read before would be worth nothing.

    So many load balancers at once are asked for at the start and by the verifier only, never by a worker.
    """
    for _ in range(PAGE_WAITS_MAX):
        try:
            return read()
        except errors.Throttled as refusal:
            sleep(min(refusal.retry_after_s or PAGE_WAIT_S_MAX, PAGE_WAIT_S_MAX))
    return read()


def _has_one_of(answer: dict[str, Any], request: Request) -> bool:
    """Whether a rule to be created is there: a double has no code of its own."""
    wanted = {(rule["Domain"], rule["Url"]) for rule in request.params["Rules"]}
    return any(
        (host, rule.url) in wanted
        for listener in wire.read(answer, wire.Listeners).listeners or ()
        for rule in listener.rules or ()
        for host in (rule.domain, *(rule.domains or ()))
    )


def _length(step: Step) -> int:
    """Rules or redirects in a list of which no page gives the bound; else 0."""
    if isinstance(step, CreateRules | DeleteRules):
        return len(step.rules)
    return len(step.redirects) if isinstance(step, CreateRedirects | DeleteRedirects) else 0


def _accepted(step: Step, answer: Mapping[str, Any]) -> Accepted:
    if isinstance(step, _SYNCHRONOUS):
        failed = tuple(map(str, answer.get("FailListenerIdSet") or ()))
        named = f"failed on {', '.join(failed)}" if failed else ""
        return Accepted(complete=not failed, failed=failed, message=str(answer.get("Message") or named))
    task = TaskId(answer["RequestId"])
    if isinstance(step, CreateLoadBalancer):
        ids = list(answer.get("LoadBalancerIds") or ())
        return Accepted(task=task, load_balancer=LoadBalancerId(ids[0]) if len(ids) == 1 else None)
    if isinstance(step, CreateListeners):
        ids = list(answer.get("ListenerIds") or ())
        return Accepted(
            task=task, listeners=dict(zip(step.keys, ids, strict=True)) if len(ids) == len(step.keys) else {}
        )
    return Accepted(task=task)


def _one_region(refs: tuple[CloudRef, ...], limit: int) -> str:
    regions = {ref.region for ref in refs}
    if len(regions) != 1 or len(refs) > limit:
        raise errors.UnauthorizedPlan(f"one call takes at most {limit} load balancers of one region")
    return refs[0].region
