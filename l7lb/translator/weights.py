"""Declared weights of pods: the annotation `lb-rs-weight` of an Ingress, and `custom-weight` of a pod, which wins.

Draining is 0 above all of them and is decided elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from l7lb.model.identity import ListenerKey, ObjectKey
from l7lb.model.maybe import UNSET, Maybe
from l7lb.model.pods import CUSTOM_WEIGHT, Pod
from l7lb.translator.notebook import Notebook, shown
from l7lb.translator.parsers import json_object

MOST: Final = 100
PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP")
"""HTTP and HTTPS go with a listener's port, TCP with a Service's."""
MEMBER: Final = re.compile(r"(?P<set>.+)-(?P<ordinal>[0-9]{1,9})", re.ASCII)

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weights:
    """What `lb-rs-weight` declares."""

    default: Maybe[int] = UNSET
    groups: Mapping[Key, Mapping[tuple[str, int], int]] = field(default_factory=dict)
    """(protocol, port) -> (StatefulSet, ordinal of the pod) -> weight."""
    readable: bool = True
    """False: it says something that cannot be read, so weights stay as they are."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """What one pod is to weigh; `steady`: it cannot be told, so that what there is stays."""

    weight: Maybe[int] = UNSET
    steady: bool = False


def parse(text: str) -> Weights:
    """The annotation (contract, section 8.6); raises ValueError for what is not of its form."""
    said = json_object(text)
    default = said.get("defaultWeight")
    groups: dict[Key, dict[tuple[str, int], int]] = {}
    for group in _list(said, "groups"):
        members = groups.setdefault(_key(group), {})
        for one in _list(group, "statefulSets"):
            name = one.get("name")
            if not isinstance(name, str) or not name:
                raise ValueError("must name each of its statefulSets")
            members |= {(name, ordinal): weight for ordinal, weight in _weights(one)}
    return Weights(UNSET if default is None else _weight(default, "defaultWeight"), groups)


def weigh(weights: Weights, pod: Pod, on: ListenerKey, service_port: int, notebook: Notebook) -> Weighing:
    """What one pod is to weigh behind one listener."""
    own = pod.annotations.get(CUSTOM_WEIGHT, "").strip()
    if own:
        if own.isascii() and own.isdecimal() and len(own) <= len(str(MOST)) and int(own) <= MOST:
            return Weighing(int(own))
        _complain(pod.key, own, notebook)
        return Weighing(steady=True)
    if not weights.readable:
        return Weighing(steady=True)
    member = MEMBER.fullmatch(pod.metadata.name)
    if member is not None:
        named = (member["set"], int(member["ordinal"]))
        for key in ((on.protocol, on.port), ("TCP", service_port)):
            found = weights.groups.get(key, {}).get(named)
            if found is not None:
                return Weighing(found)
    return Weighing(weights.default)


def _complain(pod: ObjectKey, text: str, notebook: Notebook) -> None:
    notebook.warn(
        "",
        "BadPodWeight",
        f"Pod {pod}: annotation {CUSTOM_WEIGHT} is {shown(text)}; write a whole number from 0 to {MOST};"
        " until then its weight is left as it is",
    )


def _list(of: Mapping[str, object], name: str) -> list[dict[str, object]]:
    found = of.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"must have a JSON array of objects as {name}")
    return found


def _key(group: Mapping[str, object]) -> Key:
    key = group.get("key")
    proto, port = (key.get("proto"), key.get("port")) if isinstance(key, dict) else (None, None)
    if proto not in PROTOCOLS or type(port) is not int or not 0 < port < 65536:
        raise ValueError(
            'must have a key like {"proto":"HTTP","port":80} in each group: HTTP, HTTPS or TCP, and a port'
        )
    return str(proto), port


def _weights(of: Mapping[str, object]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for one in _list(of, "weights"):
        weight, ordinals = _weight(one.get("weight"), "weight"), one.get("podIndexes")
        if not isinstance(ordinals, list) or not all(type(ordinal) is int and ordinal >= 0 for ordinal in ordinals):
            raise ValueError("must have a JSON array of ordinals as podIndexes")
        pairs += [(ordinal, weight) for ordinal in ordinals]
    return pairs


def _weight(value: object, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
        return value
    raise ValueError(f"must have a whole number from 0 to {MOST} as {name}")
