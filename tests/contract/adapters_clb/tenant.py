"""Our adapter on an emulated cloud whose clock stands still until moved, with short ways to build things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from l7lb.adapters.clb import Endpoint, TencentLoadBalancers
from l7lb.adapters.clb.calls import Caller, CallRecord
from l7lb.adapters.clb.credentials import Environment
from l7lb.adapters.clb.ratelimit import Pace, RateLimits
from l7lb.adapters.clb.sdk import Clients
from l7lb.model.cloud import Accepted, TaskState, TaskStatus
from l7lb.model.identity import CloudRef, ListenerKey, LoadBalancerId, RuleKey, RuleRef
from l7lb.model.loadbalancer import CreateSpec, LoadBalancerHead, ObservedListener, RuleSpec, Target, TargetKey
from l7lb.model.plan import (
    Bindings,
    CreateListeners,
    CreateLoadBalancer,
    CreateRules,
    Placement,
    Step,
)
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

REGION = "ap-guangzhou"
TAGS = (
    ("l7lb-cluster-uid", "cluster-uid-1"),
    ("tke-clusterId", "cls-test"),
    ("tke-createdBy-flag", "yes"),
    ("tke-lb-ingress-uuid", "uid-1"),
)
HTTP = ListenerKey("HTTP", 80)
HTTPS = ListenerKey("HTTPS", 443)
KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDEMULATOR", "TENCENTCLOUD_SECRET_KEY": "emulator-secret-key"}


@dataclass
class Tenant:
    """`run` performs a step and lets its task end; the rest reads back."""

    server: ClbServer
    guard: Callable[[], None] = lambda: None
    records: list[CallRecord] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.clients = Clients(Endpoint.parse(self.server.url), Environment(KEYS))
        limits = RateLimits(self._clock, Pace(burst=1e9))
        caller = Caller(self.clients, limits, self._ask, self.records.append, self._sleep, self._clock)
        self.cloud = TencentLoadBalancers(caller, self._clock)

    def _clock(self) -> float:
        return self.now

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _ask(self) -> None:
        """Tests change `guard` later."""
        self.guard()

    @property
    def emulator(self) -> ClbEmulator:
        return self.server.emulator

    def run(self, step: Step, bindings: Bindings | None = None) -> Accepted:
        """Perform and wait for the end of the task, which must end well."""
        accepted = self.cloud.perform(REGION, step, bindings or Bindings())
        if accepted.task is not None:
            assert self.ended(accepted).status is TaskStatus.SUCCEEDED
        return accepted

    def ended(self, accepted: Accepted) -> TaskState:
        assert accepted.task is not None
        self.emulator.advance(60)
        return self.cloud.task(REGION, accepted.task)

    def create(self, step: CreateLoadBalancer | None = None) -> LoadBalancerHead:
        made = step or CreateLoadBalancer(CreateSpec(name="web"), TAGS, client_token="token-1")
        accepted = self.run(made)
        assert accepted.load_balancer is not None
        return self.head(accepted.load_balancer)

    def head(self, lb: LoadBalancerId) -> LoadBalancerHead:
        ref = CloudRef(REGION, lb)
        return self.cloud.heads((ref,))[ref]

    def bindings(self, head: LoadBalancerHead) -> Bindings:
        found = self.cloud.listeners(head)
        return Bindings(
            load_balancer=head.ref.id,
            default_host=head.hostname or head.vips[0],
            listeners={item.spec.key: item.id for item in found},
            locations={RuleRef(item.spec.key, key): id_ for item in found for key, id_ in item.locations.items()},
        )

    def listener(self, head: LoadBalancerHead, key: ListenerKey) -> ObservedListener:
        return next(item for item in self.cloud.listeners(head) if item.spec.key == key)

    def rule(self, head: LoadBalancerHead, ref: RuleRef) -> RuleSpec:
        return next(rule for rule in self.listener(head, ref.listener).spec.rules if rule.key == ref.rule)

    def targets(self, head: LoadBalancerHead, ref: RuleRef) -> tuple[Target, ...]:
        bound = self.cloud.targets(head.ref)
        listener = self.listener(head, ref.listener)
        return bound[listener.id, listener.locations[ref.rule]]

    def calls(self) -> Mapping[str, int]:
        """Calls by action on the emulator's own counters."""
        return dict(self.emulator.calls.counts)

    def shop(self, *keys: RuleKey) -> tuple[LoadBalancerHead, Bindings]:
        """A load balancer with HTTP:80 and these rules."""
        head = self.create()
        self.run(CreateListeners("HTTP", (80,), "TKE-DEDICATED-LISTENER"), self.bindings(head))
        self.run(CreateRules(HTTP, tuple(RuleSpec(key) for key in keys or (SHOP.rule,))), self.bindings(head))
        return head, self.bindings(head)


SHOP = RuleRef(HTTP, RuleKey("shop.example.com", "/"))


def placed(ref: RuleRef, address: str, port: int = 30080, weight: int | None = None) -> Placement:
    """A target by address on a rule."""
    key = TargetKey(address, port)
    return Placement(ref, Target(key) if weight is None else Target(key, weight=weight))
