"""Edits of the world that do not go through the API: a prepared world, and what somebody does by hand in the console.

They ask for no task, no quota and no tag lag. Members of the bodies bear the names of ``nouns``.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from tests.emulators.clb import domains
from tests.emulators.clb.cloud import Cloud
from tests.emulators.clb.nouns import (
    Certificate,
    CertificateSet,
    Instance,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Subnet,
    Target,
)
from tests.emulators.clb.syntax import default_health
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import DEFAULT_VPC, set_tags


def seed_world(cloud: Cloud, body: Json) -> Json:
    """Add what the body names; gives the ids of the load balancers with those of their listeners and rules.

    ``load_balancers``, ``certificates``, ``instances``, ``subnets`` are lists; ``quotas``, ``health`` and
    ``refused`` are tables.
    """
    world = cloud.world
    known = {"load_balancers", "certificates", "instances", "subnets", "quotas", "health", "rate_limits", "secrets",
             "refused"}  # fmt: skip
    if unknown := set(body) - known:
        raise ValueError(f"unknown members of a world: {sorted(unknown)}")
    for item in body.get("certificates", []):
        world.certificates[item["id"]] = Certificate(**{**item, "names": tuple(item.get("names", ()))})
    for item in body.get("instances", []):
        world.instances[item["id"]] = Instance(**item)
    for item in body.get("subnets", []):
        world.subnets[item["id"]] = Subnet(**item)
    world.quotas.update(body.get("quotas", {}))
    world.health.update(body.get("health", {}))
    world.refused.update(body.get("refused", {}))
    return {"load_balancers": [_made(_add_load_balancer(cloud, item)) for item in body.get("load_balancers", [])]}


def _made(lb: LoadBalancer) -> Json:
    listeners = [{"id": item.id, "port": item.port, "rules": list(item.rules)} for item in lb.listeners.values()]
    return {"id": lb.id, "vip": lb.vip, "listeners": listeners}


def _add_load_balancer(cloud: Cloud, given: Json) -> LoadBalancer:
    world, now = cloud.world, cloud.clock.now()
    members = {key: value for key, value in given.items() if key not in ("listeners", "tags")}
    lb_id = members.pop("id", None) or world.new_id("lb")
    if lb_id in world.load_balancers:
        raise ValueError(f"{lb_id} exists")
    defaults = {
        "region": "ap-guangzhou", "name": lb_id, "kind": "OPEN", "vpc_id": DEFAULT_VPC, "status": 1,
        "vip": world.new_vip(), "created_at": now, "status_at": now, "serial": world.next("seeded"),
    }  # fmt: skip
    lb = LoadBalancer(id=lb_id, **{**defaults, **members})
    set_tags(lb, given.get("tags", {}), now, now)
    world.load_balancers[lb_id] = lb
    for item in given.get("listeners", []):
        _add_listener(cloud, lb, item)
    return lb


def _add_listener(cloud: Cloud, lb: LoadBalancer, given: Json) -> Listener:
    members = {key: value for key, value in given.items() if key not in ("rules", "targets", "certificate")}
    listener_id = members.pop("id", None) or cloud.world.new_id("lbl")
    listener = Listener(id=listener_id, **{"name": "", "created_at": cloud.clock.now(), **members})
    listener.certificate = _certificate(given.get("certificate"))
    listener.targets = [_target(cloud, item) for item in given.get("targets", [])]
    if not listener.layer7 and listener.health is None:
        listener.health = {**default_health(), "CheckType": "TCP"}
    lb.listeners[listener_id] = listener
    for item in given.get("rules", []):
        _add_rule(cloud, listener, item)
    # What is said beforehand counts, although the first rule became the default when it came.
    listener.default_domain = given.get("default_domain", listener.default_domain)
    return listener


def _add_rule(cloud: Cloud, listener: Listener, given: Json) -> Rule:
    special = ("domain", "domains", "targets", "certificate", "redirect", "health")
    members = {key: value for key, value in given.items() if key not in special}
    rule_id = members.pop("id", None) or cloud.world.new_id("loc")
    rule = Rule(
        id=rule_id,
        domains=tuple(given.get("domains") or (given["domain"],)),
        health={**default_health(), **given.get("health", {})},
        **{"created_at": cloud.clock.now(), **members},
    )
    rule.certificate = _certificate(given.get("certificate"))
    rule.redirect = Redirect(**given["redirect"]) if given.get("redirect") else None
    rule.targets = [_target(cloud, item) for item in given.get("targets", [])]
    listener.rules[rule_id] = rule
    domains.settle_default(listener)
    return rule


def _certificate(given: Any) -> CertificateSet | None:
    """``null``, one id, a list of ids, or the members of a ``CertificateSet``."""
    if given is None:
        return None
    if isinstance(given, str):
        return CertificateSet((given,))
    if isinstance(given, list):
        return CertificateSet(tuple(given))
    return CertificateSet(**{**given, "server_ids": tuple(given["server_ids"])})


def _target(cloud: Cloud, given: Json) -> Target:
    target = Target(**{"weight": 10, "registered_at": cloud.clock.now(), "ip": "", **given})
    if target.instance_id and not target.ip:
        target.ip = cloud.world.instances[target.instance_id].ip
    return target


def edit(cloud: Cloud, body: Json) -> Json:
    """One edit: ``{"edit": name, "load_balancer": id, ...}``; see the functions below for what each takes."""
    name = body["edit"]
    if name == "remove_certificate":
        return {"removed": cloud.world.certificates.pop(body["id"]).id}
    if name not in _EDITS:
        raise ValueError(f"edit must be one of {', '.join(sorted((*_EDITS, 'remove_certificate')))}")
    return _EDITS[name](cloud, cloud.world.load_balancers[body["load_balancer"]], body)


def _listener_of(lb: LoadBalancer, body: Json) -> Listener:
    """By id, or by ``"HTTPS:443"``."""
    wanted = body["listener"]
    return next(item for item in lb.listeners.values() if wanted in (item.id, f"{item.protocol}:{item.port}"))


def _rule_of(lb: LoadBalancer, body: Json) -> tuple[Listener, Rule]:
    """By id, or by ``"host/path"``."""
    listener, wanted = _listener_of(lb, body), body["rule"]
    for rule in listener.rules.values():
        if wanted == rule.id or any(wanted == f"{domain}{rule.url}" for domain in rule.domains):
            return listener, rule
    raise KeyError(wanted)


def _delete_load_balancer(cloud: Cloud, lb: LoadBalancer, _: Json) -> Json:
    del cloud.world.load_balancers[lb.id]
    return {}


def _set_tags(cloud: Cloud, lb: LoadBalancer, body: Json) -> Json:
    """``set``: a table; ``remove``: a list of keys."""
    removed = set(body.get("remove", []))
    tags = {key: value for key, value in lb.tags.items() if key not in removed} | body.get("set", {})
    now = cloud.clock.now()
    set_tags(lb, tags, now, now)
    return {"tags": tags}


def _update(_: Cloud, lb: LoadBalancer, body: Json) -> Json:
    """``fields``: members of the load balancer, such as ``delete_protect`` or ``traffic_mbps``."""
    return _assign(lb, body["fields"])


def _edit_add_listener(cloud: Cloud, lb: LoadBalancer, body: Json) -> Json:
    return {"id": _add_listener(cloud, lb, body["listener"]).id}


def _update_listener(_: Cloud, lb: LoadBalancer, body: Json) -> Json:
    members = dict(body["fields"])
    if "certificate" in members:
        members["certificate"] = _certificate(members["certificate"])
    return _assign(_listener_of(lb, body), members)


def _delete_listener(_: Cloud, lb: LoadBalancer, body: Json) -> Json:
    return {"removed": lb.listeners.pop(_listener_of(lb, body).id).id}


def _edit_add_rule(cloud: Cloud, lb: LoadBalancer, body: Json) -> Json:
    return {"id": _add_rule(cloud, _listener_of(lb, body), body["rule"]).id}


def _update_rule(_: Cloud, lb: LoadBalancer, body: Json) -> Json:
    members = dict(body["fields"])
    if "certificate" in members:
        members["certificate"] = _certificate(members["certificate"])
    if "domains" in members:
        members["domains"] = tuple(members["domains"])
    if members.get("redirect"):
        members["redirect"] = Redirect(**members["redirect"])
    return _assign(_rule_of(lb, body)[1], members)


def _delete_rule(_: Cloud, lb: LoadBalancer, body: Json) -> Json:
    listener, rule = _rule_of(lb, body)
    del listener.rules[rule.id]
    domains.settle_default(listener)
    return {"removed": rule.id}


def _set_targets(cloud: Cloud, lb: LoadBalancer, body: Json) -> Json:
    """``targets``: what is bound afterwards."""
    _, rule = _rule_of(lb, body)
    rule.targets = [_target(cloud, item) for item in body["targets"]]
    return {"targets": len(rule.targets)}


def _assign(thing: LoadBalancer | Listener | Rule, members: Json) -> Json:
    known = {item.name for item in fields(thing)}
    if unknown := set(members) - known:
        raise ValueError(f"unknown members: {sorted(unknown)}")
    for key, value in members.items():
        setattr(thing, key, value)
    return {}


Edit = Callable[[Cloud, LoadBalancer, Json], Json]

_EDITS: Mapping[str, Edit] = {
    "delete_load_balancer": _delete_load_balancer,
    "set_tags": _set_tags,
    "update": _update,
    "add_listener": _edit_add_listener,
    "update_listener": _update_listener,
    "delete_listener": _delete_listener,
    "add_rule": _edit_add_rule,
    "update_rule": _update_rule,
    "delete_rule": _delete_rule,
    "set_targets": _set_targets,
}
