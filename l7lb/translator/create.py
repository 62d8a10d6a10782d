"""Annotations -> the parameters of the create call. What is bad here stops a creation and nothing else.

The wire's field names appear because `extensiveParameters` speaks them (CreateLoadBalancer page); the adapter merges.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.loadbalancer import CreateSpec
from l7lb.model.maybe import Unset
from l7lb.model.problems import Problem
from l7lb.model.snapshot import Settings
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import Reading, field_of

FORBIDDEN: Final = ("Number", "ClientToken", "Forward", "LoadBalancerType", "VpcId")
"""Identity and ownership rest on these, so nobody but us sets them."""
INTERNET: Final = "InternetAccessible"
CHARGE_TYPE: Final = "InternetChargeType"
BANDWIDTH: Final = "InternetMaxBandwidthOut"
PASS_TO_TARGET: Final = "LoadBalancerPassToTarget"  # noqa: S105 -- a field name
VERSION: Final = "AddressIPVersion"
FULL_CHAIN: Final = "ipv6fullchain"
WITHOUT_ADDRESS: Final = ("ipv6", FULL_CHAIN)
"""No IPv4 address stands for a missing host."""
NAME_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Creation:
    """The parameters, and the first reason why nothing may be created (none when a load balancer is lent)."""

    spec: CreateSpec
    refusal: Problem | None = None


class _Refused(Exception):
    """Why `extensiveParameters` is refused."""


def creation(ingress: Ingress, reading: Reading, settings: Settings, notebook: Notebook) -> Creation:
    """Merge; against the two older annotations the JSON wins, field by field."""
    extensive = dict(reading.object(Name.EXTENSIVE))
    lent = reading.text(Name.EXIST_LB_ID)
    try:
        _check(extensive)
        tags = _tags(extensive.pop("Tags", None))
        internet = _internet(extensive.pop(INTERNET, None))
    except _Refused as refused:
        problem = notebook.problem(
            "E4024",
            "BadCreateParameter",
            f"Ingress {notebook.about}: annotation {Name.EXTENSIVE.value}: {refused}; nothing is created",
            field=field_of(Name.EXTENSIVE),
        )
        return Creation(CreateSpec(vpc_id=settings.vpc_id), None if lent else reading.create_refusal or problem)
    subnet = reading.text(Name.SUBNET_ID) or None
    if subnet is not None:
        subnet = _text(extensive.pop("SubnetId", None)) or subnet
        _say_public_only(reading, notebook)
    else:
        internet = _older(reading) | internet
    if internet:
        extensive[INTERNET] = internet
    if not isinstance(reading.flag(Name.PASS_TO_TARGET), Unset):
        extensive.pop(PASS_TO_TARGET, None)
    spec = CreateSpec(
        internal_subnet=subnet,
        vpc_id=settings.vpc_id,
        name=f"{settings.cluster_id}_{ingress.metadata.namespace}_{ingress.metadata.name}"[:NAME_MAX],
        charge_type=_text(internet.get(CHARGE_TYPE)) or None,
        bandwidth_mbps=_whole(internet.get(BANDWIDTH)),
        extensive=tuple(sorted((field, json.dumps(value, sort_keys=True)) for field, value in extensive.items())),
        tags=tags,
    )
    return Creation(spec, None if lent else reading.create_refusal)


def address_version(reading: Reading) -> str:
    """The address family by `extensiveParameters`, in lower case: `ipv4`, `ipv6` (NAT64), `ipv6fullchain`."""
    return _text(reading.object(Name.EXTENSIVE).get(VERSION)).lower() or "ipv4"


def _check(extensive: Mapping[str, object]) -> None:
    for field in FORBIDDEN:
        if field in extensive:
            raise _Refused(f"{field} must not be set")
    if _text(extensive.get("LBChargeType")).upper() == "PREPAID":
        raise _Refused("a prepaid load balancer cannot be created, only used through existLbId")


def _tags(value: object) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Refused("Tags must be an array")
    return tuple(sorted({_tag(entry) for entry in value}))


def _tag(entry: object) -> tuple[str, str]:
    if isinstance(entry, dict):
        key, value = entry.get("TagKey"), entry.get("TagValue")
        if isinstance(key, str) and isinstance(value, str) and key:
            return key, value
    raise _Refused('Tags must hold objects like {"TagKey":"team","TagValue":"shop"}')


def _internet(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Refused(f"{INTERNET} must be an object")
    bandwidth = value.get(BANDWIDTH)
    if bandwidth is not None and _whole(bandwidth) is None:
        raise _Refused(f"{BANDWIDTH} must be a whole number")
    return {str(field): part for field, part in value.items()}


def _older(reading: Reading) -> dict[str, object]:
    said: dict[str, object] = {}
    if charge_type := reading.text(Name.CHARGE_TYPE):
        said[CHARGE_TYPE] = charge_type
    if (bandwidth := reading.number(Name.BANDWIDTH)) is not None:
        said[BANDWIDTH] = bandwidth
    return said


def _say_public_only(reading: Reading, notebook: Notebook) -> None:
    for name in (Name.CHARGE_TYPE, Name.BANDWIDTH):
        if name in reading.values:
            notebook.warn(
                "",
                "NotApplied",
                f"Ingress {notebook.about}: annotation {name.value} has no effect on an internal load balancer",
                field=field_of(name),
            )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
