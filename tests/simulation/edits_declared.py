"""More edits: of certificates, TkeServiceConfigs, redirects, ports and pods, and what each may change in the cloud."""

import base64
import copy
import json
from typing import Any

from tests.fixtures.tke_cluster import Json, endpoint, pod
from tests.fixtures.tke_fleet import TKE
from tests.fixtures.tke_plot import CERTIFICATES
from tests.simulation.edits import ABSENT, Draft, Edit, Place, Premises
from tests.simulation.fleets import Facts

CONFIGS = "/apis/cloud.tencent.com/v1alpha1"
CODE = f"{TKE}/auto-rewrite-code"
PORTS = f"{TKE}/listen-ports"
FIELDS: tuple[tuple[str, Any, str, Any], ...] = (
    ("intervalTime", 77, "health.IntervalTime", 77),
    ("timeout", 3, "health.TimeOut", 3),
    ("healthNum", 9, "health.HealthNum", 9),
    ("unHealthNum", 8, "health.UnHealthNum", 8),
    ("httpCode", 7, "health.HttpCode", 7),
    ("httpCheckPath", "/other", "health.HttpCheckPath", "/other"),
    ("httpCheckDomain", "other.example.com", "health.HttpCheckDomain", "other.example.com"),
)
"""Of a health check: name, value, and the fact that it becomes. None of these is ever drawn."""


def certificate_changed(on: Premises) -> Edit | None:
    """Another certificate in the only Secret, or in the annotation."""
    secrets, said = on.objects("Secret"), on.annotation(f"{TKE}/certificate")
    new = next(one for one in CERTIFICATES if one not in repr(on.tenant.cloud))
    if len(secrets) == 1:
        secret = secrets[0]
        old = secret["stringData"]["qcloud_cert_id"].split(",")
        ids = [new, *old[1:]]
        path = f"/api/v1/namespaces/{on.space}/secrets/{secret['metadata']['name']}"
        data = {"qcloud_cert_id": base64.b64encode(",".join(ids).encode()).decode()}
        edit = Edit("certificate changed", [(path, {"data": data})])
    elif said is not None and len(json.loads(said)) == 1:
        entries = json.loads(said)
        old, ids = entries[0]["qcloud_cert_id"], [new]
        entries[0]["qcloud_cert_id"] = ids
        edit = Edit("certificate changed", [on.annotated(f"{TKE}/certificate", json.dumps(entries))])
    else:
        return None
    edit.allows = lambda place, was, now: (
        place[-1] == "certificate" and _ids(now) == set(ids) and _ids(was) in (set(old), set())
    )
    # Also of a rule that somebody made in the console: its host shows what the listener shows.
    places = [at for at in on.rules() if at[0].startswith("HTTPS:")]
    edit.demands = lambda after: _shows(after, places, ids)
    return edit


def _ids(certificate: Any) -> set[str]:
    """Two ids are two key algorithms, in no order."""
    return set() if certificate in (None, ABSENT) else set(certificate.server_ids)


def _shows(after: Facts, places: list[Place], ids: list[str]) -> str:
    """By the rule, or where it has none by the listener."""
    for at in places:
        shown = after["rule", *at, "certificate"] or after["listener", at[0], "certificate"]
        if _ids(shown) != set(ids):
            return f"{at} shows {shown}, not {ids}"
    return ""


def check_declared(on: Premises) -> Edit | None:
    """One more field of a health check is declared, or another value."""
    name, value, fact, becomes = FIELDS[on.tenant.number % len(FIELDS)]
    rule = _checked_rule(on)
    if rule is None:
        return None
    interval = on.facts["rule", *rule, "health.IntervalTime"]
    if name == "timeout" and interval <= value:
        return None
    edit = _declare(on, rule, {"healthCheck": {"enable": True, name: value}})
    if edit is not None:
        edit.exact["rule", *rule, fact] = becomes
    return edit


def scheduler_declared(on: Premises) -> Edit | None:
    """Another scheduler."""
    rule = _checked_rule(on)
    if rule is None or on.facts["rule", *rule, "session_s"]:
        return None
    new = "IP_HASH" if on.facts["rule", *rule, "scheduler"] == "WRR" else "WRR"
    edit = _declare(on, rule, {"scheduler": new})
    if edit is not None:
        edit.exact["rule", *rule, "scheduler"] = new
    return edit


def session_declared(on: Premises) -> Edit | None:
    """Another session time."""
    rule = _checked_rule(on)
    if rule is None or on.facts["rule", *rule, "scheduler"] == "LEAST_CONN":
        return None
    edit = _declare(on, rule, {"session": {"enable": True, "sessionExpireTime": 777}})
    if edit is not None:
        edit.exact["rule", *rule, "session_s"] = 777
    return edit


def _checked_rule(on: Premises) -> Place | None:
    """A rule with a name, and with its check on."""
    named = [at for at in on.rules() if at[1].endswith("example.com") and "*" not in at[1]]
    return next((at for at in named if on.facts["rule", *at, "health.HealthSwitch"] == 1), None)


def _declare(on: Premises, rule: Place, said: Json) -> Edit | None:
    """The rule's entry in the TkeServiceConfig, which is made when there is none."""
    if on.has("origin: shared") or not on.layout:
        return None
    listener, domain, url = rule
    protocol, _, port = listener.partition(":")
    configs = on.objects("TkeServiceConfig")
    entries: list[Json] = copy.deepcopy(configs[0]["spec"]["loadBalancer"]["l7Listeners"]) if configs else []
    entry = _entry(entries, {"protocol": protocol, "port": int(port)})
    place = _entry(_entry(entry.setdefault("domains", []), {"domain": domain}).setdefault("rules", []), {"url": url})
    for name, value in said.items():
        check = place.setdefault(name, {})
        place[name] = (
            {**check, **{k: v for k, v in value.items() if k != "enable" or "enabled" not in check}}
            if (isinstance(value, dict))
            else value
        )
    kind = f"{next(iter(said))} declared"
    spec = {"loadBalancer": {"l7Listeners": entries}}
    if configs:
        path = f"{CONFIGS}/namespaces/{on.space}/tkeserviceconfigs/{configs[0]['metadata']['name']}"
        return Edit(kind, [(path, {"spec": spec})])
    meta = {"name": f"tuning-{on.tenant.number}", "namespace": on.space}
    made = {"apiVersion": "cloud.tencent.com/v1alpha1", "kind": "TkeServiceConfig", "metadata": meta, "spec": spec}
    return Edit(kind, [on.annotated(f"{TKE}/tke-service-config", meta["name"])], [made])


def _entry(entries: list[Json], anchor: Json) -> Json:
    for one in entries:
        if all(one.get(name) == value for name, value in anchor.items()):
            return one
    entries.append(dict(anchor))
    return entries[-1]


def redirect_code_changed(on: Premises) -> Edit | None:
    """Another code for all automatic redirects. Who made a redirect anew may be another API action."""
    if on.layout != "automatic":
        return None
    places = on.rules(redirecting=True)
    code = next(one for one in (301, 302, 307) if one != on.facts["rule", *places[0], "redirect"]["code"])
    edit = Edit("redirect code changed", [on.annotated(CODE, json.dumps({"defaultRewriteCode": code}))])
    edit.allows = lambda place, was, now: place[1:4] in places and _is_turned(place, was, now)
    edit.demands = lambda after: "".join(
        f"{at} has {after['rule', *at, 'redirect']}" for at in places if after["rule", *at, "redirect"]["code"] != code
    )
    return edit


def _is_turned(place: Place, was: Any, now: Any) -> bool:
    if place[4] == "auto_created":
        return True
    leads = ("listener_id", "location_id")
    return place[4] == "redirect" and bool(now) and all(was[name] == now[name] for name in leads)


def port_added(on: Premises) -> Edit | None:
    """One more listener with its protocol's rules."""
    if on.layout != "ports":
        return None
    said = json.loads(on.annotation(PORTS) or "[]")
    protocol = next(iter(said[0]))
    edit = Edit("port added", [on.annotated(PORTS, json.dumps([*said, {protocol: 18_080}]))])
    key = f"{protocol}:18080"
    edit.made = (("listener", key), ("rule", key), ("target", key))
    return edit


def port_removed(on: Premises) -> Edit | None:
    """One of two."""
    said = json.loads(on.annotation(PORTS) or "[]") if on.layout == "ports" else []
    if len(said) < 2:
        return None
    ((protocol, port),) = said[1].items()
    edit = Edit("port removed", [on.annotated(PORTS, json.dumps(said[:1]))])
    key = f"{protocol}:{port}"
    edit.gone = (("listener", key), ("rule", key), ("target", key))
    return edit


def pod_added(on: Premises) -> Edit | None:
    """One more endpoint."""
    if not on.has("direct access") or not on.layout:
        return None
    part = on.objects("EndpointSlice")[0]
    service = part["metadata"]["labels"]["kubernetes.io/service-name"]
    family = part["addressType"]
    address = f"10.30.1.{on.tenant.number + 1}" if family == "IPv4" else f"fd00:30::{on.tenant.number + 1:x}"
    name = f"{service}-9"
    node = on.ground.of("always")[0].name
    one = endpoint(on.space, name, address, node)
    path = f"/apis/discovery.k8s.io/v1/namespaces/{on.space}/endpointslices/{part['metadata']['name']}"
    edit = Edit("pod added", [(path, {"endpoints": [*part["endpoints"], one]})])
    edit.creates.append(pod(on.space, name, address, node, {}))
    places = [at for host, url in on.behind(service) for at in on.rules_of(host, url) if on.targets(at)]
    edit.made = tuple(("target", *at, f"{address}:9000") for at in places)
    return edit


def pod_weighted(on: Premises) -> Edit | None:
    """A weight on a pod."""
    if not on.has("direct access") or not on.layout:
        return None
    part = on.objects("EndpointSlice")[0]
    ready = [one for one in part["endpoints"] if one["conditions"]["ready"]]
    address, name = ready[0]["addresses"][0], ready[0]["targetRef"]["name"]
    path = f"/api/v1/namespaces/{on.space}/pods/{name}"
    edit = Edit("pod weighted", [(path, {"metadata": {"annotations": {f"{TKE}/custom-weight": "42"}}})])
    service = part["metadata"]["labels"]["kubernetes.io/service-name"]
    places = [at for host, url in on.behind(service) for at in on.rules_of(host, url) if on.targets(at)]
    edit.exact |= {("target", *at, f"{address}:9000", "weight"): 42 for at in places}
    return edit


KINDS: tuple[Draft, ...] = (
    certificate_changed,
    check_declared,
    scheduler_declared,
    session_declared,
    redirect_code_changed,
    port_added,
    port_removed,
    pod_added,
    pod_weighted,
)
