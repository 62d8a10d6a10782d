"""Read-only neighbours: certificates (ssl), instances (cvm), subnets (vpc)."""

from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError
from tests.emulators.clb.nouns import Certificate, Instance, Subnet
from tests.emulators.clb.wire import Json

_STATUS_NAMES = {0: "Pending", 1: "Issued", 2: "Refused", 3: "Expired"}


def describe_certificate(cloud: Cloud, call: Call) -> Json:
    """Page ssl/DescribeCertificateDetail; private keys are never given out."""
    cert_id = call.params["CertificateId"]
    found = cloud.world.certificates.get(cert_id)
    if found is None:
        raise ApiError("FailedOperation.CertificateNotFound", f"Certificate '{cert_id}' is not found.")
    return {**_certificate(found), "CertificatePublicKey": found.pem, "CertFingerprint": ""}


def describe_certificates(cloud: Cloud, call: Call) -> Json:
    """Page ssl/DescribeCertificates, with Offset/Limit, ids and search key."""
    params = call.params
    offset, limit = params.get("Offset", 0), params.get("Limit", 10)
    if not 1 <= limit <= 1000:
        raise ApiError("InvalidParameter", "Limit should be between 1 and 1000.")
    ids, key, kind = params.get("CertIds"), params.get("SearchKey", ""), params.get("CertificateType")
    found = [
        item
        for item in cloud.world.certificates.values()
        if (ids is None or item.id in ids)
        and (not key or key in f"{item.id} {item.alias} {item.domain}")
        and (kind is None or item.kind == kind)
    ]
    page = [{**_certificate(item), "CertSANs": list(item.names)} for item in found[offset : offset + limit]]
    return {"TotalCount": len(found), "Certificates": page}


def _certificate(item: Certificate) -> Json:
    return {
        "CertificateId": item.id, "CertificateType": item.kind, "Alias": item.alias, "Domain": item.domain,
        "SubjectAltName": list(item.names), "Status": item.status, "StatusName": _STATUS_NAMES.get(item.status, ""),
        "CertBeginTime": "2019-01-01 00:00:00", "CertEndTime": item.end_time, "EncryptAlgorithm": item.algorithm,
        "ProjectId": "0", "From": "upload", "Deployable": item.status == 1,
    }  # fmt: skip


def describe_instances(cloud: Cloud, call: Call) -> Json:
    """Page cvm/DescribeInstances by ids or by filters (at most 5 values each), in the call's region."""
    ids, filters = call.params.get("InstanceIds"), call.params.get("Filters")
    if ids is not None and filters is not None:
        raise ApiError("InvalidParameterValue", "InstanceIds and Filters cannot be given together.")
    if ids is not None and len(ids) > 100:
        raise ApiError("InvalidParameterValue.LimitExceeded", "At most 100 InstanceIds can be given.")
    here = [item for item in cloud.world.instances.values() if item.region == call.region]
    if ids is not None:
        if absent := set(ids) - {item.id for item in here}:
            raise ApiError("InvalidInstanceId.NotFound", f"Instance '{min(absent)}' is not found.")
        here = [item for item in here if item.id in ids]
    for wanted in filters or []:
        here = [item for item in here if _instance_matches(item, wanted)]
    offset, limit = call.params.get("Offset", 0), call.params.get("Limit", 20)
    if not 1 <= limit <= 100:
        raise ApiError("InvalidParameterValue.Range", "Limit should be between 1 and 100.")
    return {"TotalCount": len(here), "InstanceSet": [_instance(item) for item in here[offset : offset + limit]]}


def _instance_matches(item: Instance, wanted: Json) -> bool:
    known = {
        "private-ip-address": item.ip, "instance-id": item.id, "vpc-id": item.vpc_id, "zone": item.zone,
        "instance-state": item.state,
    }  # fmt: skip
    if wanted["Name"] not in known:
        raise ApiError("InvalidFilter", f"Filter '{wanted['Name']}' is not valid.")
    if len(wanted["Values"]) > 5:
        raise ApiError("InvalidFilterValue.LimitExceeded", "At most 5 values can be given to a filter.")
    return known[wanted["Name"]] in wanted["Values"]


def _instance(item: Instance) -> Json:
    return {
        "InstanceId": item.id, "InstanceName": item.name, "InstanceState": item.state,
        "PrivateIpAddresses": [item.ip], "PublicIpAddresses": None, "Placement": {"Zone": item.zone, "ProjectId": 0},
        "VirtualPrivateCloud": {"VpcId": item.vpc_id, "SubnetId": "subnet-00000001"},
    }  # fmt: skip


def describe_subnets(cloud: Cloud, call: Call) -> Json:
    """Page vpc/DescribeSubnets: Offset and Limit are texts."""
    ids, filters = call.params.get("SubnetIds"), call.params.get("Filters", [])
    here = [item for item in cloud.world.subnets.values() if item.region == call.region]
    if ids is not None:
        if absent := set(ids) - {item.id for item in here}:
            raise ApiError("ResourceNotFound", f"Subnet '{min(absent)}' is not found.")
        here = [item for item in here if item.id in ids]
    for wanted in filters:
        here = [item for item in here if _subnet_matches(item, wanted)]
    offset, limit = int(call.params.get("Offset", "0")), int(call.params.get("Limit", "20"))
    if not 1 <= limit <= 100:
        raise ApiError("InvalidParameterValue.Range", "Limit should be between 1 and 100.")
    return {"TotalCount": len(here), "SubnetSet": [_subnet(item) for item in here[offset : offset + limit]]}


def _subnet_matches(item: Subnet, wanted: Json) -> bool:
    known = {"vpc-id": item.vpc_id, "subnet-id": item.id, "zone": item.zone, "cidr-block": item.cidr}
    if wanted["Name"] not in known:
        raise ApiError("InvalidFilter", f"Filter '{wanted['Name']}' is not valid.")
    return known[wanted["Name"]] in wanted["Values"]


def _subnet(item: Subnet) -> Json:
    return {
        "VpcId": item.vpc_id, "SubnetId": item.id, "SubnetName": item.id, "CidrBlock": item.cidr, "Zone": item.zone,
        "AvailableIpAddressCount": item.free_addresses, "IsDefault": False,
    }  # fmt: skip
