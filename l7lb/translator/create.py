"""Annotations -> the parameters of the create call. What is bad here stops a creation and nothing else.

The wire's field names appear because `extensiveParameters` speaks them (CreateLoadBalancer page); the adapter merges.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from l7lb.model.cluster import Ingress
from l7lb.model.loadbalancer import CreateSpec, LoadBalancerHead
from l7lb.model.maybe import Unset
from l7lb.model.problems import Problem
from l7lb.model.site import Family, Site
from l7lb.model.snapshot import Settings
from l7lb.translator.names import Name
from l7lb.translator.notebook import Notebook
from l7lb.translator.options import Reading, field_of

FORBIDDEN: Final = ("Number", "ClientToken", "Forward", "LoadBalancerType")
"""Identity and ownership rest on these, so nobody but us sets them."""
VPC: Final = "VpcId"
INTERNET: Final = "InternetAccessible"
CHARGE_TYPE: Final = "InternetChargeType"
BANDWIDTH: Final = "InternetMaxBandwidthOut"
PASS_TO_TARGET: Final = "LoadBalancerPassToTarget"  # noqa: S105 -- a field name
VERSION: Final = "AddressIPVersion"
NAME_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Creation:
    """The parameters, and the first reason why nothing may be created (none when a load balancer is lent)."""

    spec: CreateSpec
    refusal: Problem | None = None


class _Refused(Exception):
    """Why nothing can be created: which annotation, and what of it."""

    def __init__(self, what: str, name: Name = Name.EXTENSIVE) -> None:
        super().__init__(what)
        self.name = name


def creation(ingress: Ingress, reading: Reading, settings: Settings, notebook: Notebook) -> Creation:
    """Merge; against the two older annotations the JSON wins, field by field."""
    extensive = dict(reading.object(Name.EXTENSIVE))
    lent = reading.text(Name.EXIST_LB_ID)
    vpc = _vpc(reading, settings)
    try:
        _check(extensive, reading)
        if not lent:
            _check_place(extensive, reading, settings)
        tags = _tags(extensive.pop("Tags", None))
        internet = _internet(extensive.pop(INTERNET, None))
    except _Refused as refused:
        problem = _bad_parameter(refused, notebook)
        return Creation(CreateSpec(vpc_id=vpc), None if lent else reading.create_refusal or problem)
    subnet = reading.text(Name.SUBNET_ID) or None
    if subnet is not None:
        subnet = _text(extensive.pop("SubnetId", None)) or subnet
        _say_public_only(reading, notebook)
    internet = internet if subnet is not None else _older(reading) | internet
    if internet:
        extensive[INTERNET] = internet
    if not isinstance(reading.flag(Name.PASS_TO_TARGET), Unset):
        extensive.pop(PASS_TO_TARGET, None)
    spec = CreateSpec(
        internal_subnet=subnet,
        region=_elsewhere(reading, settings),
        vpc_id=vpc,
        name=f"{settings.cluster_id}_{ingress.metadata.namespace}_{ingress.metadata.name}"[:NAME_MAX],
        charge_type=_text(internet.get(CHARGE_TYPE)) or None,
        bandwidth_mbps=_whole(internet.get(BANDWIDTH)),
        extensive=tuple(sorted((field, json.dumps(value, sort_keys=True)) for field, value in extensive.items())),
        tags=tags,
        snat_ips=_snat_ips(reading),
    )
    refusal = reading.create_refusal or _snat_elsewhere(reading, settings, notebook)
    return Creation(spec, None if lent else refusal)


def _bad_parameter(refused: _Refused, notebook: Notebook) -> Problem:
    return notebook.problem(
        "E4024",
        "BadCreateParameter",
        f"Ingress {notebook.about}: annotation {refused.name.value}: {refused}; nothing is created",
        field=field_of(refused.name),
    )


def _vpc(reading: Reading, settings: Settings) -> str:
    """The cluster's VPC is in the cluster's region only."""
    return reading.text(Name.CROSS_VPC) or ("" if _elsewhere(reading, settings) else settings.vpc_id)


def _elsewhere(reading: Reading, settings: Settings) -> str:
    """Another region than the cluster's, or empty."""
    region = reading.text(Name.CROSS_REGION)
    return region if region != settings.region else ""


def asked_site(reading: Reading, settings: Settings) -> Site:
    """What a load balancer that is made by these annotations is like; of a lent one only the region is known."""
    elsewhere = bool(_elsewhere(reading, settings))
    if reading.text(Name.EXIST_LB_ID):
        return Site(remote=elsewhere)
    extensive = reading.object(Name.EXTENSIVE)
    vpc = reading.text(Name.CROSS_VPC) or settings.vpc_id
    if reading.text(Name.CROSS_REGION) or reading.text(Name.CROSS_VPC):
        vpc = _text(extensive.get(VPC)) or vpc
    version = _text(extensive.get(VERSION)).lower()
    family = Family(version) if version in list(Family) else Family.IPV4
    return Site(family, remote=elsewhere or vpc != settings.vpc_id)


def site_of(head: LoadBalancerHead, settings: Settings) -> Site:
    """What an existing load balancer is like. A VPC that is not known on either side is the cluster's."""
    elsewhere = bool(head.vpc_id and settings.vpc_id) and head.vpc_id != settings.vpc_id
    return Site(head.family, remote=head.ref.region != settings.region or elsewhere)


def without_ipv6(notebook: Notebook) -> Problem:
    """Targets must have IPv6 addresses, and no node has one (contract, section 8.7a)."""
    return notebook.problem(
        "E4032",
        "NoIpv6Targets",
        f"Ingress {notebook.about}: the load balancer forwards to IPv6 targets, and no node of the cluster has an IPv6"
        f" address; nothing is created: use AddressIPVersion IPV6 in {Name.EXTENSIVE.value}, or pods as targets",
        field=field_of(Name.EXTENSIVE),
    )


def _check(extensive: Mapping[str, object], reading: Reading) -> None:
    for field in FORBIDDEN:
        if field in extensive:
            raise _Refused(f"{field} must not be set")
    if VPC in extensive and not (reading.text(Name.CROSS_REGION) or reading.text(Name.CROSS_VPC)):
        raise _Refused(f"{VPC} must not be set; for another VPC than the cluster's use {Name.CROSS_VPC.value}")
    if _text(extensive.get("LBChargeType")).upper() == "PREPAID":
        raise _Refused("a prepaid load balancer cannot be created, only used through existLbId")


def _check_place(extensive: Mapping[str, object], reading: Reading, settings: Settings) -> None:
    """What another region needs, and what it rules out."""
    region = _elsewhere(reading, settings)
    if not region:
        return
    if not (reading.text(Name.CROSS_VPC) or extensive.get(VPC)):
        raise _Refused(f"a load balancer in {region} needs a VPC there: set {Name.CROSS_VPC.value}", Name.CROSS_REGION)


def _snat_elsewhere(reading: Reading, settings: Settings, notebook: Notebook) -> Problem | None:
    """SNAT Pro is for the cluster's own region (contract, section 8.7)."""
    if not _elsewhere(reading, settings) or reading.text(Name.EXIST_LB_ID) or not reading.values.get(Name.SNAT_PRO):
        return None
    return notebook.problem(
        "E4084",
        "SnatAcrossRegions",
        f"Ingress {notebook.about}: annotation {Name.SNAT_PRO.value} cannot be used together with"
        f" {Name.CROSS_REGION.value}: nothing is created; remove one of them",
        field=field_of(Name.SNAT_PRO),
    )


def _snat_ips(reading: Reading) -> tuple[tuple[str, str], ...]:
    """(subnet, address or empty) each."""
    said = reading.values.get(Name.SNAT_PRO)
    entries = said if isinstance(said, list) else []
    return tuple((_text(entry.get("subnetId")), _text(entry.get("ip"))) for entry in entries)


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
