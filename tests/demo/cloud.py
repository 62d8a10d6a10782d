"""The cloud as its owner sees it: what the CLB emulator holds, read through its control endpoints.

Nothing here goes through the cloud's API: what the controller did is judged by a witness.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.demo.patience import Surprise
from tests.demo.wire import Json, ask

UID_TAG = "tke-lb-ingress-uuid"
CLUSTER_TAG = "tke-clusterId"
OUR_TAGS = frozenset({UID_TAG, CLUSTER_TAG, "tke-createdBy-flag", "tke-lifecycle-owner", "l7lb-cluster-uid"})


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A bound backend; health in the words of the API (Alive, Dead, Unknown, Close)."""

    ip: str
    port: int
    weight: int
    instance: str
    health: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One forwarding rule."""

    host: str
    path: str
    is_default: bool
    certificate: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener with its rules (layer 7) or its own targets (layer 4)."""

    id: str
    name: str
    protocol: str
    port: int
    certificate: tuple[str, ...]
    sni: bool
    rules: tuple[Rule, ...]
    targets: tuple[Target, ...]

    @property
    def key(self) -> str:
        """As people name it."""
        return f"{self.protocol}:{self.port}"


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """One load balancer; `address` is where the data plane serves it."""

    id: str
    name: str
    is_internal: bool
    is_running: bool
    address: str
    tags: dict[str, str]
    listeners: tuple[Listener, ...]

    def rules(self) -> frozenset[str]:
        """Every forwarding rule as `HTTP:80 shop.example.com/api`; the address itself is shown as `*`."""
        return frozenset(
            f"{listener.key} {'*' if rule.host == self.address else rule.host}{rule.path}"
            for listener in self.listeners
            for rule in listener.rules
        )

    def targets(self) -> list[Target]:
        """What is bound to forwarding rules, rule by rule."""
        return [target for listener in self.listeners for rule in listener.rules for target in rule.targets]

    def listener(self, key: str) -> Listener:
        """By `HTTP:80`; that there is none is a Surprise."""
        for listener in self.listeners:
            if listener.key == key:
                return listener
        raise Surprise(f"{self.id} has no listener {key}")


class Cloud:
    """The emulator's control endpoints."""

    def __init__(self, url: str) -> None:
        self.url = url

    def load_balancers(self) -> list[LoadBalancer]:
        """All, in the order of their creation."""
        return [_load_balancer(item) for item in self._state()["load_balancers"]]

    def find(self, lb_id: str) -> LoadBalancer | None:
        """By id."""
        return next((lb for lb in self.load_balancers() if lb.id == lb_id), None)

    def of(self, uid: str) -> list[LoadBalancer]:
        """Those that bear the UID of an Ingress."""
        return bearing(uid, self.load_balancers())

    def is_bound(self, address: str) -> bool:
        """Whether any rule sends new requests to this address."""
        return any(
            target.ip == address and target.weight > 0 for lb in self.load_balancers() for target in lb.targets()
        )

    def forbidden(self) -> list[str]:
        """Calls that nobody may ever make, and that were made."""
        return [f"{entry['action']}: {entry['reason']}" for entry in self._state()["forbidden"]]

    def authority(self) -> str:
        """What signed the certificates of the data plane, as PEM."""
        return str(self._ask("GET", "authority")["pem"])

    def calls(self) -> dict[str, int]:
        """How often each action was called."""
        return {str(action): int(count) for action, count in self._ask("GET", "calls")["counts"].items()}

    def writes(self) -> int:
        """How many calls were made that change something."""
        return sum(count for action, count in self.calls().items() if not action.startswith("Describe"))

    def last_calls(self, number: int) -> list[str]:
        """The last calls in short, for the report of a surprise."""
        log = self._ask("GET", "calls?log=1")["log"][-number:]
        return [f"{entry['time']:8.2f} {entry['action']} {entry['error'] or 'ok'} {entry['request']}" for entry in log]

    def seed(self, world: Json) -> None:
        """Add what was there before us."""
        self._ask("POST", "seed-world", world)

    def order_fault(self, fault: Json) -> None:
        """Let something go wrong at the next call that it is for."""
        self._ask("POST", "faults", fault)

    def _state(self) -> Json:
        return self._ask("GET", "state")

    def _ask(self, method: str, path: str, body: object = None) -> Json:
        status, answer = ask(self.url, method, f"/_emulator/{path}", body)
        if status != 200:
            raise Surprise(f"the CLB emulator answered {method} {path} with {status}: {answer}")
        return answer


def bearing(uid: str, lbs: Iterable[LoadBalancer]) -> list[LoadBalancer]:
    """Those that bear the UID of an Ingress."""
    return [lb for lb in lbs if lb.tags.get(UID_TAG) == uid]


def without_health(listeners: Iterable[Listener]) -> tuple[Listener, ...]:
    """The same without what changes by itself: what somebody has configured."""
    return tuple(replace(one, targets=tuple(replace(target, health="") for target in one.targets)) for one in listeners)


def _load_balancer(item: Json) -> LoadBalancer:
    return LoadBalancer(
        id=item["id"],
        name=item["name"],
        is_internal=item["kind"] == "INTERNAL",
        is_running=item["status"] == 1,
        address=item["address"] or "",
        tags=dict(item["tags"]),
        listeners=tuple(_listener(one) for one in item["listeners"]),
    )


def _listener(item: Json) -> Listener:
    return Listener(
        id=item["id"],
        name=item["name"],
        protocol=item["protocol"],
        port=item["port"],
        certificate=_certificate(item["certificate"]),
        sni=item["sni"],
        rules=tuple(
            Rule(host, rule["url"], rule["default"], _certificate(rule["certificate"]), _targets(rule["targets"]))
            for rule in item["rules"]
            for host in rule["domains"]
        ),
        targets=_targets(item["targets"]),
    )


def _certificate(item: Json | None) -> tuple[str, ...]:
    return () if item is None else tuple(item["server_ids"])


def _targets(items: list[Json]) -> tuple[Target, ...]:
    return tuple(
        sorted(Target(one["ip"], one["port"], one["weight"], one["instance_id"], one["health"]) for one in items)
    )
