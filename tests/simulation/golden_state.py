"""Both worlds as two runs are compared by: everything that lasts, without times, and new ids by what they stand for."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from tests.emulators.clb.nouns import Listener, LoadBalancer, Rule
from tests.simulation.cluster import RECORD
from tests.simulation.golden_world import GoldenWorld
from tests.simulation.manifests import Json

State = dict[str, Any]
"""Where it stands -> what is there: `lb-1/HTTP:80/a.example.com/x/targets`, `ingress shop/web/finalizers`."""

LEFT_OUT: Final = {"created_at", "status_at", "registered_at", "free_at", "tags_seen", "serial", "listeners", "rules"}
UID: Final = "tke-lb-ingress-uuid"
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
REQUEST: Final = re.compile(r"\(RequestId [^)]*\)")
LASTING: Final = ("finalizers", "labels", "deletionTimestamp")
KINDS: Final = ("cloud.tencent.com/v1alpha1/tkeserviceconfigs", "v1/pods")


def state(world: GoldenWorld, old: frozenset[str]) -> State:
    """`old`: the load balancers that were there before anything ran, which are compared by their own ids."""
    names: dict[str, str] = {}
    lbs = sorted(world.account.lbs(), key=lambda lb: (lb.id not in old, lb.tags.get(UID, ""), lb.created_at, lb.id))
    for number, lb in enumerate(lbs):
        names |= _names(lb, lb.id if lb.id in old else f"new {number} of {lb.tags.get(UID, 'nobody')}")
    found = {**dict(_cloud(lbs)), **dict(_cluster(world))}
    ids = re.compile("|".join(sorted((re.escape(one) for one in names), key=len, reverse=True)) or "$^")
    text = json.dumps(found, sort_keys=True, default=str)
    text = REQUEST.sub("(RequestId)", TIME.sub("then", text))
    read: State = json.loads(ids.sub(lambda met: names[met[0]], text))
    return read


def differences(wanted: State, found: State) -> list[str]:
    """Where the second differs from the first."""
    return [
        f"{key}: {_short(wanted, key)} is {_short(found, key)}"
        for key in sorted(wanted.keys() | found.keys())
        if wanted.get(key, _short) != found.get(key, _short)
    ]


def _short(there: State, key: str) -> str:
    return json.dumps(there[key])[:400] if key in there else "(nothing)"


def _names(lb: LoadBalancer, called: str) -> dict[str, str]:
    """Ids -> what they stand for. Names are marked, so that no id is taken for part of another word."""
    names = {lb.id: f"<{called}>"}
    if lb.id != called:
        names |= {text: f"<{sort} of {called}>" for sort in ("vip", "ipv6") if (text := getattr(lb, sort))}
    for listener in lb.listeners.values():
        at = f"{called} {listener.protocol}:{listener.port}"
        names[listener.id] = f"<{at}>"
        names |= {rule.id: f"<{at} {rule.domains[0]}{rule.url}>" for rule in listener.rules.values()}
    return names


def _cloud(lbs: list[LoadBalancer]) -> Iterator[tuple[str, Any]]:
    for lb in lbs:
        yield lb.id, _members(lb)
        for listener in lb.listeners.values():
            at = f"{lb.id}/{listener.protocol}:{listener.port}"
            yield at, {key: value for key, value in _members(listener).items() if key != "targets"}
            yield f"{at}/targets", _targets(listener)
            for rule in listener.rules.values():
                yield f"{at}/{rule.domains[0]}{rule.url}", _rule(rule)
                yield f"{at}/{rule.domains[0]}{rule.url}/targets", _targets(rule)


def _members(thing: LoadBalancer | Listener | Rule) -> Json:
    members = {name: getattr(thing, name) for name in thing.__slots__ if name not in LEFT_OUT}
    return {key: value for key, value in members.items() if key not in ("targets", "certificate", "redirect")} | {
        key: _certificate(members[key]) if key == "certificate" else asdict(members[key])
        for key in ("certificate", "redirect")
        if members.get(key)
    }


def _rule(rule: Rule) -> Json:
    return _members(rule) | {"domains": sorted(rule.domains)}


def _certificate(bound: Any) -> Json:
    return asdict(bound) | {"server_ids": sorted(bound.server_ids)}


def _targets(thing: Listener | Rule) -> list[Json]:
    found = [
        {key: value for key, value in asdict(item).items() if key not in LEFT_OUT and value not in ("", None)}
        for item in thing.targets
    ]
    return sorted(found, key=lambda item: (item["ip"], item["port"]))


def _cluster(world: GoldenWorld) -> Iterator[tuple[str, Any]]:
    for ingress in world.ingresses():
        meta = ingress["metadata"]
        at = f"ingress {meta['namespace']}/{meta['name']}"
        yield at, ingress["spec"]
        yield f"{at}/status", ingress.get("status") or {}
        annotations = dict(meta.get("annotations") or {})
        yield f"{at}/record", _json(annotations.pop(RECORD, "null"))
        yield f"{at}/annotations", {key: _json(value) for key, value in annotations.items()}
        for member in LASTING:
            yield f"{at}/{member}", meta.get(member)
    for kind in KINDS:
        root = "/api/" if kind.startswith("v1/") else "/apis/"
        for obj in world.users.all(root + kind):
            at = f"{kind} {obj['metadata']['namespace']}/{obj['metadata']['name']}"
            yield at, [obj.get("spec"), obj.get("status"), obj["metadata"].get("annotations")]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
