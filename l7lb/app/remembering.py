"""What is known of orphans, as text for the next process and back. What cannot be read is as good as nothing."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from l7lb.app.campaign import lease_key
from l7lb.model.identity import CloudRef, LoadBalancerId, ObjectKey
from l7lb.model.inventory import Memory, Sighting

ENTRY: Final = "orphans.json"
VERSION: Final = 1


def memory_key(cluster_id: str) -> ObjectKey:
    """The ConfigMap; it is called as the Lease."""
    return lease_key(cluster_id)


def write_down(memory: Memory, cluster_id: str) -> str:
    """Equal memories give equal texts."""
    orphans = {
        str(ref): {
            "ingress": seen.ingress_uid,
            "first": _text(seen.first),
            "last": _text(seen.last),
            "seen": seen.count,
        }
        for ref, seen in sorted(memory.sightings.items())
    }
    collected = [_text(at) for at in sorted(memory.collected)]
    fields = {"v": VERSION, "cluster": cluster_id, "orphans": orphans, "collected": collected}
    return json.dumps(fields, indent=1)


def read_back(text: str, cluster_id: str) -> Memory:
    """Empty for another version or cluster, and for what is no memory; an entry that cannot be read is left out."""
    try:
        fields = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return Memory()
    if not isinstance(fields, dict) or (fields.get("v"), fields.get("cluster")) != (VERSION, cluster_id):
        return Memory()
    orphans, collected = fields.get("orphans"), fields.get("collected")
    sightings = {}
    for name, said in orphans.items() if isinstance(orphans, dict) else ():
        region, _, load_balancer = name.partition("/")
        seen = _sighting(said)
        if region and load_balancer and seen is not None:
            sightings[CloudRef(region, LoadBalancerId(load_balancer))] = seen
    times = (_time(at) for at in (collected if isinstance(collected, list) else ()))
    return Memory(sightings, tuple(at for at in times if at is not None))


def _sighting(said: Any) -> Sighting | None:
    if not isinstance(said, dict):
        return None
    uid, count = said.get("ingress"), said.get("seen")
    first, last = _time(said.get("first")), _time(said.get("last"))
    if first is None or last is None or not (uid and isinstance(uid, str)):
        return None
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        return None
    return Sighting(uid, first, last, count)


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _time(said: Any) -> float | None:
    """None when it is no time, or one without a zone."""
    if not isinstance(said, str):
        return None
    try:
        at = datetime.fromisoformat(said)
        return at.timestamp() if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
