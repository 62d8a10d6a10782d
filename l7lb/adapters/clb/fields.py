"""Small parts of requests that several calls share: certificates, health checks, targets. Only fields that are set."""

from collections.abc import Mapping
from typing import Any

from l7lb.errors import UnauthorizedPlan
from l7lb.model.loadbalancer import Certificate, HealthCheck, Target
from l7lb.model.maybe import UNSET, given

WEIGHT = 10
"""Ours at creation, and the cloud's own (Target.Weight)."""
_HEALTH_NAMES: Mapping[str, str] = {
    "timeout_s": "TimeOut",
    "interval_s": "IntervalTime",
    "healthy_num": "HealthNum",
    "unhealthy_num": "UnHealthNum",
    "http_code": "HttpCode",
    "path": "HttpCheckPath",
    "host": "HttpCheckDomain",
    "method": "HttpCheckMethod",
    "check_type": "CheckType",
    "source_ip_type": "SourceIpType",
    "port": "CheckPort",
}


def given_fields(fields: Mapping[str, Any], *, number: bool = False) -> dict[str, Any]:
    """Those that are neither UNSET nor None; `number`: booleans become 0 and 1."""
    return {
        name: int(value) if number else value
        for name, value in fields.items()
        if value is not UNSET and value is not None
    }


def certificate_fields(certificate: Certificate | None) -> dict[str, Any]:
    """`Certificate` for one server id, `MultiCertInfo` for several (CreateListener page); nothing for None."""
    if certificate is None:
        return {}
    ids = sorted(certificate.ids)
    if not ids:
        raise UnauthorizedPlan("a certificate without an id")
    mode = "MUTUAL" if certificate.mutual else "UNIDIRECTIONAL"
    if len(ids) == 1:
        single = {"SSLMode": mode, "CertId": ids[0]}
        return {"Certificate": single | given_fields({"CertCaId": certificate.ca_id})}
    listed = [*ids, certificate.ca_id] if certificate.ca_id else ids
    return {"MultiCertInfo": {"SSLMode": mode, "CertList": [{"CertId": item} for item in listed]}}


def health_fields(check: HealthCheck) -> dict[str, Any]:
    """`HealthCheck` with the fields that are set; an empty host means the rule's own and is left out."""
    params = given_fields({wire: getattr(check, ours) for ours, wire in _HEALTH_NAMES.items()})
    if not params.get("HttpCheckDomain", "-"):
        del params["HttpCheckDomain"]
    return params | given_fields({"HealthSwitch": check.enabled}, number=True)


def target_fields(target: Target, *, weighted: bool) -> dict[str, Any]:
    """By instance id where there is one, else by address."""
    who = {"InstanceId": target.instance_id} if target.instance_id else {"EniIp": target.key.address}
    params: dict[str, Any] = who | {"Port": target.key.port}
    return params | ({"Weight": given(target.weight, WEIGHT)} if weighted else {})
