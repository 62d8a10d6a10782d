"""The control endpoints under ``/_emulator``: plain JSON, unsigned, for tests and people, no part of the API."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

from tests.emulators.clb import console, faults
from tests.emulators.clb.gateway import Gateway
from tests.emulators.clb.nouns import Certificate, Listener, LoadBalancer, Rule, Target
from tests.emulators.clb.signature import Secret
from tests.emulators.clb.wire import Json, Request, Response, answer

Query = Mapping[str, list[str]]
Endpoint = Callable[[Gateway, Json, Query], Json]


def respond(gateway: Gateway, request: Request) -> Response:
    """Answer a control request: 400 with a reason for what cannot be done, 404 for an unknown endpoint."""
    parts = urlsplit(request.path)
    endpoint = _ENDPOINTS.get((request.method, parts.path.removeprefix("/_emulator").rstrip("/")))
    if endpoint is None:
        known = sorted(f"{method} /_emulator{path}" for method, path in _ENDPOINTS)
        return answer({"error": "no such endpoint", "endpoints": known}, 404)
    try:
        body = json.loads(request.body or b"{}")
        return answer(endpoint(gateway, body, parse_qs(parts.query)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return answer({"error": f"{type(error).__name__}: {error}"}, 400)


def state(gateway: Gateway) -> Json:
    """The whole world, with what tests must be able to assert on."""
    cloud, world, now = gateway.cloud, gateway.cloud.world, gateway.clock.now()
    return {
        "now": now,
        "seed": gateway.setup.seed,
        "switches": cloud.switches.as_dict(),
        "load_balancers": [_load_balancer(gateway, lb) for lb in world.load_balancers.values()],
        "tasks": [
            {
                "id": task.id, "action": task.action, "load_balancers": list(task.load_balancer_ids),
                "ends_at": task.ends_at, "status": task.status, "message": task.message,
            }
            for task in cloud.tasks.all()
        ],
        "certificates": [_certificate(item) for item in world.certificates.values()],
        "instances": [asdict(item) for item in world.instances.values()],
        "subnets": [asdict(item) for item in world.subnets.values()],
        "quotas": dict(world.quotas),
        "health": dict(world.health),
        "client_tokens": {token: asdict(order) | {"request": "..."} for token, order in world.orders.items()},
        "forbidden": list(gateway.forbidden),
        "faults": faults.as_json(gateway.faults.waiting()),
        "defects": list(gateway.defects),
        "data_plane": gateway.data_plane is not None,
        "data_plane_problems": _problems(gateway),
    }  # fmt: skip


def _problems(gateway: Gateway) -> dict[str, str]:
    """Why an address is not served, by ``address:port``."""
    if gateway.data_plane is None:
        return {}
    return {f"{address}:{port}": text for (address, port), text in gateway.data_plane.problems.items()}


def _certificate(item: Certificate) -> Json:
    return {**asdict(item), "key_pem": "***" if item.key_pem else ""}


def _load_balancer(gateway: Gateway, lb: LoadBalancer) -> Json:
    shown = asdict(lb)
    del shown["tags_seen"]
    return {
        **shown,
        "address": _address(gateway, lb),
        "busy": gateway.cloud.is_busy(lb, gateway.clock.now()),
        "listeners": [_listener(gateway, lb, item) for item in lb.listeners.values()],
    }


def _address(gateway: Gateway, lb: LoadBalancer) -> str | None:
    if gateway.data_plane is None or lb.status != 1:
        return None
    return gateway.data_plane.address_of(lb.id)


def _listener(gateway: Gateway, lb: LoadBalancer, listener: Listener) -> Json:
    shown = asdict(listener)
    rules = [_rule(gateway, lb, listener, rule) for rule in listener.rules.values()]
    return {**shown, "rules": rules, "targets": _targets(gateway, lb, listener, None, listener.targets)}


def _rule(gateway: Gateway, lb: LoadBalancer, listener: Listener, rule: Rule) -> Json:
    shown = asdict(rule)
    shown["default"] = listener.default_domain in rule.domains
    shown["targets"] = _targets(gateway, lb, listener, rule, rule.targets)
    return shown


def _targets(
    gateway: Gateway, lb: LoadBalancer, listener: Listener, rule: Rule | None, targets: list[Target]
) -> list[Json]:
    return [{**asdict(item), "health": gateway.cloud.health(lb, listener, rule, item)} for item in targets]


def _get_state(gateway: Gateway, _: Json, __: Query) -> Json:
    return state(gateway)


def _get_calls(gateway: Gateway, _: Json, query: Query) -> Json:
    return gateway.calls.as_json(with_log=query.get("log") == ["1"])


def _reset_calls(gateway: Gateway, _: Json, __: Query) -> Json:
    gateway.calls.reset()
    return {}


def _add_faults(gateway: Gateway, body: Json, _: Query) -> Json:
    """One fault, or ``{"faults": [...]}``."""
    for fault in [faults.parse(item) for item in body.get("faults", [body])]:
        gateway.add_fault(fault)
    return {"faults": faults.as_json(gateway.faults.waiting())}


def _clear_faults(gateway: Gateway, _: Json, __: Query) -> Json:
    gateway.faults.clear()
    return {}


def _advance_clock(gateway: Gateway, body: Json, _: Query) -> Json:
    gateway.clock.advance(float(body["advance"]))
    gateway.settle()
    return {"now": gateway.clock.now()}


def _get_clock(gateway: Gateway, _: Json, __: Query) -> Json:
    return {"now": gateway.clock.now()}


def _reset(gateway: Gateway, _: Json, __: Query) -> Json:
    gateway.reset()
    return {}


def _seed_world(gateway: Gateway, body: Json, _: Query) -> Json:
    """Besides things of the world: ``rate_limits`` by action, ``secrets`` by id."""
    made = console.seed_world(gateway.cloud, body)
    gateway.limits.overrides.update(body.get("rate_limits", {}))
    for secret_id, members in body.get("secrets", {}).items():
        sets = {name: frozenset(members[name]) for name in ("denied", "allowed") if name in members}
        gateway.secrets[secret_id] = Secret(**{**members, **sets})
    gateway.show()
    return made


def _console(gateway: Gateway, body: Json, _: Query) -> Json:
    made = console.edit(gateway.cloud, body)
    gateway.show()
    return made


def _set_switches(gateway: Gateway, body: Json, _: Query) -> Json:
    gateway.cloud.switches = gateway.cloud.switches.but(body)
    return gateway.cloud.switches.as_dict()


def _get_authority(gateway: Gateway, _: Json, __: Query) -> Json:
    """What signed every certificate that the data plane shows; clients trust it."""
    return {"pem": "" if gateway.data_plane is None else gateway.data_plane.ca_pem()}


_ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("GET", "/state"): _get_state,
    ("GET", "/authority"): _get_authority,
    ("GET", "/calls"): _get_calls,
    ("POST", "/calls/reset"): _reset_calls,
    ("POST", "/faults"): _add_faults,
    ("DELETE", "/faults"): _clear_faults,
    ("GET", "/clock"): _get_clock,
    ("POST", "/clock"): _advance_clock,
    ("POST", "/reset"): _reset,
    ("POST", "/seed-world"): _seed_world,
    ("POST", "/console"): _console,
    ("POST", "/switches"): _set_switches,
}
