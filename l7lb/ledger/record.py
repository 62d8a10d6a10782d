"""The record in the annotation of the Ingress, to and from JSON. It says where to look, never what is allowed.

Reading is tolerant, because people copy manifests and tools rewrite annotations: what is not a record of this very
Ingress in this very cluster counts as absent, and a field that cannot be read counts as empty.
"""

import json
from collections.abc import Mapping
from typing import Any

from l7lb.model.identity import ListenerKey, Owner, RuleKey, RuleRef
from l7lb.model.ownership import Record
from l7lb.model.site import Family, Site

VERSION = 1


def parse_record(text: str | None, owner: Owner) -> Record | None:
    """The record, or None when absent, unreadable, of a later version, or of another UID or cluster."""
    if not text:
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        return None
    if fields.get("uid") != owner.ingress_uid or fields.get("cluster") != owner.cluster.id:
        return None
    return Record(
        uid=owner.ingress_uid,
        cluster=owner.cluster.id,
        ingress_class=_ingress_class(fields.get("class")),
        region=_text(fields.get("region")),
        lb=_text(fields.get("lb")),
        claim=_text(fields.get("claim")),
        attempt=_count(fields.get("attempt")),
        listeners=_listeners(fields.get("listeners")),
        desired=_text(fields.get("desired")),
        asked=_text(fields.get("asked")),
        site=_site(fields.get("site")),
        marks=_marks(fields.get("marks")),
        rules=_rules(fields.get("rules")),
        strangers=_rules(fields.get("strangers")),
        parts=frozenset(_texts(fields.get("parts"))),
    )


def recorded_cluster(text: str | None, ingress_uid: str) -> str:
    """The cluster id in an Ingress's own record, whichever it is; empty for a copied or unreadable one."""
    try:
        fields = json.loads(text or "")
    except (ValueError, RecursionError):
        return ""
    if not isinstance(fields, dict) or fields.get("uid") != ingress_uid:
        return ""
    return _text(fields.get("cluster"))


def recorded_name(text: str | None) -> str:
    """The load balancer in a record, whoever's it is: a copied one says that traffic may be led there as well."""
    try:
        fields = json.loads(text or "")
    except (ValueError, RecursionError):
        return ""
    return _text(fields.get("lb")) if isinstance(fields, dict) else ""


def format_record(record: Record) -> str:
    """Equal records give equal text, so that writing twice changes nothing."""
    fields: dict[str, object] = {
        "v": VERSION,
        "uid": record.uid,
        "cluster": record.cluster,
        "class": list(record.ingress_class),
        "region": record.region,
        "lb": record.lb,
        "claim": record.claim,
        "attempt": record.attempt,
        "listeners": {key: list(record.listeners[key]) for key in sorted(record.listeners)},
        "desired": record.desired,
    }
    if record.asked:
        fields["asked"] = record.asked
    if record.site is not None:
        fields["site"] = [record.site.family.value, record.site.remote]
    if record.marks is not None:
        fields["marks"] = dict(sorted(record.marks.items()))
    if record.rules:
        fields["rules"] = _grouped(record.rules)
    if record.strangers:
        fields["strangers"] = _grouped(record.strangers)
    if record.parts:
        fields["parts"] = sorted(record.parts)
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _ingress_class(value: Any) -> tuple[str | None, str | None]:
    if isinstance(value, list) and len(value) == 2 and all(part is None or isinstance(part, str) for part in value):
        return (value[0], value[1])
    return (None, None)


def _site(value: Any) -> Site | None:
    if isinstance(value, list) and len(value) == 2 and value[0] in list(Family) and isinstance(value[1], bool):
        return Site(Family(value[0]), value[1])
    return None


def _marks(value: Any) -> Mapping[str, str] | None:
    if not isinstance(value, dict):
        return None
    return {name: digest for name, digest in sorted(value.items()) if isinstance(digest, str)}


def _listeners(value: Any) -> Mapping[str, tuple[str, str]]:
    if not isinstance(value, dict):
        return {}
    return {
        key: (pair[0], pair[1])
        for key, pair in sorted(value.items())
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
    }


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _grouped(rules: frozenset[RuleRef]) -> dict[str, dict[str, list[str]]]:
    """By listener and host: a host may be empty or a pattern, so that no separator would be safe."""
    grouped: dict[str, dict[str, list[str]]] = {}
    for ref in sorted(rules):
        grouped.setdefault(str(ref.listener), {}).setdefault(ref.rule.host, []).append(ref.rule.path)
    return grouped


def _rules(value: Any) -> frozenset[RuleRef]:
    found: set[RuleRef] = set()
    for listener, hosts in value.items() if isinstance(value, dict) else ():
        try:
            key = ListenerKey.parse(listener)
        except ValueError:
            continue  # people edit annotations: what is no listener's key says nothing
        pairs = hosts.items() if isinstance(hosts, dict) else ()
        found |= {RuleRef(key, RuleKey(host, path)) for host, paths in pairs for path in _texts(paths)}
    return frozenset(found)
