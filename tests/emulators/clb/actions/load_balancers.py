"""Writes to load balancers: create, delete, attributes, security groups."""

import json
from functools import partial

from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, missing, quota
from tests.emulators.clb.nouns import LoadBalancer
from tests.emulators.clb.syntax import check_choice, check_name
from tests.emulators.clb.tagging import check_tags
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import DEFAULT_VPC, Order, set_tags

DELETIONS_MAX, DELETION_WINDOW_S = 30, 300.0
_CHARGE_TYPES = (
    "TRAFFIC_POSTPAID_BY_HOUR", "BANDWIDTH_POSTPAID_BY_HOUR", "BANDWIDTH_PACKAGE", "BANDWIDTH_PREPAID",
)  # fmt: skip


def create_load_balancer(cloud: Cloud, call: Call) -> Json:
    """Listed at once with Status 0; the address comes when the task has ended (CreateLoadBalancer page)."""
    token = call.params.get("ClientToken", "")
    if token and (len(token) > 64 or not token.isascii()):
        raise ApiError("InvalidParameterValue.Length", "Length of .ClientToken should be less than 65")
    if token in cloud.world.orders:
        return _repeat(cloud, call, cloud.world.orders[token])
    _check_creation(cloud, call)
    lb = _new(cloud, call)
    number = cloud.world.next("deal")
    order = Order(_fingerprint(call), lb.id, f"2026{number:018d}", call.request_id)
    cloud.world.load_balancers[lb.id] = lb
    if token:
        cloud.world.orders[token] = order
    task = cloud.accept(call, [lb], partial(_created, cloud, lb), partial(_not_created, cloud, lb, order), late=True)
    task.deal_name = order.deal_name
    if cloud.switches.create_tail_s > 0 and not task.failure:
        cloud.tasks.linger(task, cloud.switches.create_tail_s)
    return {"LoadBalancerIds": _shown_ids(cloud, call, lb.id), "DealName": order.deal_name}


def _repeat(cloud: Cloud, call: Call, order: Order) -> Json:
    refused = ApiError(
        "InvalidParameter.ClientTokenLimitExceeded", "The ClientToken is used by another or an ended order."
    )
    gone = order.load_balancer_id not in cloud.world.load_balancers
    if order.dead or (gone and cloud.switches.dead_token == "refused"):
        raise refused
    if order.request != _fingerprint(call) and cloud.switches.token_with_other_request == "refused":
        raise refused
    cloud.tasks.alias(call.request_id, order.task_id)
    return {"LoadBalancerIds": _shown_ids(cloud, call, order.load_balancer_id), "DealName": order.deal_name}


def _fingerprint(call: Call) -> str:
    return json.dumps(call.params, sort_keys=True)


def _shown_ids(cloud: Cloud, call: Call, lb_id: str) -> list[str] | None:
    if "empty_ids" in call.faults or cloud.switches.create_ids == "empty":
        return []
    return None if cloud.switches.create_ids == "null" else [lb_id]


def _check_creation(cloud: Cloud, call: Call) -> None:
    params = call.params
    check_choice("LoadBalancerType", params["LoadBalancerType"], ("OPEN", "INTERNAL"))
    if params.get("Forward", 1) != 1:
        raise bad_value("Forward should be 1.")
    if not 1 <= params.get("Number", 1) <= 20:
        raise ApiError("InvalidParameterValue.Range", "Number should be between 1 and 20.")
    if params.get("Number", 1) != 1:
        raise ApiError("UnsupportedOperation", "The emulator makes one load balancer a call.")
    if "LoadBalancerName" in params:
        check_name(params["LoadBalancerName"], "LoadBalancerName")
    check_tags(params.get("Tags", []), at_most=20)
    _check_internet(params.get("InternetAccessible", {}))
    _check_network(cloud, call)
    is_open = params["LoadBalancerType"] == "OPEN"
    name = "TOTAL_OPEN_CLB_QUOTA" if is_open else "TOTAL_INTERNAL_CLB_QUOTA"
    limit = cloud.world.quotas[name]
    held = sum(lb.kind == params["LoadBalancerType"] for lb in cloud.world.in_region(call.region))
    if held >= limit:
        raise quota(name, limit)


def _check_internet(internet: Json) -> None:
    if "InternetChargeType" in internet:
        check_choice("InternetChargeType", internet["InternetChargeType"], _CHARGE_TYPES)
    if not 1 <= internet.get("InternetMaxBandwidthOut", 10) <= 61440:
        raise ApiError("InvalidParameterValue.Range", "InternetMaxBandwidthOut should be between 1 and 61440.")


def _version(params: Json) -> str:
    return str(params.get("AddressIPVersion", "IPV4")).lower()


def _check_network(cloud: Cloud, call: Call) -> None:
    params = call.params
    internal = params["LoadBalancerType"] == "INTERNAL"
    version = _version(params)
    if version not in ("ipv4", "ipv6", "ipv6fullchain"):
        raise bad_value("AddressIPVersion is not valid.")
    if internal and not params.get("VpcId"):
        raise missing("VpcId")
    subnet_id = params.get("SubnetId", "")
    if (internal or version == "ipv6fullchain") and not subnet_id:
        raise missing("SubnetId")
    if not subnet_id:
        return
    if not internal and version == "ipv4":
        raise bad_value("SubnetId is not supported for a public IPv4 load balancer.")
    subnet = cloud.world.subnets.get(subnet_id)
    if subnet is None or subnet.region != call.region or subnet.vpc_id != params.get("VpcId", DEFAULT_VPC):
        raise bad_value(f"Subnet '{subnet_id}' is not found in the VPC.")
    if subnet.free_addresses < 1:
        raise ApiError("ResourceInsufficient", f"Subnet '{subnet_id}' has no available IP address.")


def _new(cloud: Cloud, call: Call) -> LoadBalancer:
    params, world = call.params, cloud.world
    lb_id = world.new_id("lb")
    version = _version(params)
    number = world.counters["lb"]
    by_domain = params.get("DynamicVip", False) or cloud.switches.public_address == "domain"
    is_open = params["LoadBalancerType"] == "OPEN"
    lb = LoadBalancer(
        id=lb_id,
        region=call.region,
        name=_name(cloud, call, lb_id),
        kind=params["LoadBalancerType"],
        created_at=call.now,
        status_at=call.now,
        vip=world.new_vip(),
        serial=number,
        domain=f"{lb_id}-emulator.clb.{call.region}.tencentclb.com"
        if is_open and by_domain and version == "ipv4"
        else "",
        ipv6="" if version == "ipv4" else f"2402:4e00:80::{number:x}",
        ipv6_mode={"ipv6": "IPv6Nat64", "ipv6fullchain": "IPv6FullChain"}.get(version, ""),
        vpc_id=params.get("VpcId", DEFAULT_VPC),
        subnet_id=params.get("SubnetId", ""),
        zone=str(params.get("MasterZoneId") or params.get("ZoneId") or ""),
        charge_type=params.get("LBChargeType", "POSTPAID_BY_HOUR"),
        internet=dict(params.get("InternetAccessible", {})),
        isp=params.get("VipIsp", "BGP"),
        sla=params.get("SlaType", ""),
        project_id=params.get("ProjectId", 0),
        pass_to_target=params.get("LoadBalancerPassToTarget", False),
        snat_pro=params.get("SnatPro", False),
    )
    tags = {tag["TagKey"]: tag["TagValue"] for tag in params.get("Tags", [])}
    set_tags(lb, tags, call.now + cloud.switches.create_tag_lag_s, call.now + cloud.switches.tag_filter_lag_s)
    if lb.subnet_id:
        world.subnets[lb.subnet_id].free_addresses -= 1
    return lb


def _name(cloud: Cloud, call: Call, lb_id: str) -> str:
    """A name that another load balancer has is replaced by a generated one (CreateLoadBalancer page)."""
    wanted = call.params.get("LoadBalancerName", "")
    taken = any(lb.name == wanted for lb in cloud.world.in_region(call.region))
    return f"clb-{lb_id.removeprefix('lb-')}" if taken or not wanted else str(wanted)


def _created(cloud: Cloud, lb: LoadBalancer) -> None:
    lb.status = 1
    lb.status_at = cloud.clock.now()


def _not_created(cloud: Cloud, lb: LoadBalancer, order: Order) -> None:
    order.dead = True
    _remove(cloud, lb)


def _remove(cloud: Cloud, lb: LoadBalancer) -> None:
    if cloud.world.load_balancers.pop(lb.id, None) is not None and lb.subnet_id in cloud.world.subnets:
        cloud.world.subnets[lb.subnet_id].free_addresses += 1


def delete_load_balancer(cloud: Cloud, call: Call) -> Json:
    """Everything on it goes too; one missing id fails the whole batch."""
    ids = call.ids("LoadBalancerIds", 20)
    if not ids:
        raise missing("LoadBalancerIds")
    for lb_id in ids:
        cloud.load_balancer(call, lb_id)
    doomed = [cloud.writable(call, lb_id) for lb_id in ids]
    for lb in doomed:
        _check_deletion(cloud, call, lb)
    recent = cloud.world.deletions.setdefault(call.region, [])
    recent[:] = [at for at in recent if at > call.now - DELETION_WINDOW_S]
    if len(recent) + len(doomed) > DELETIONS_MAX:
        raise ApiError(
            "FailedOperation.FrequencyCheckRisk",
            "More than 30 load balancers are deleted in this region within 5 minutes.",
        )
    recent.extend([call.now] * len(doomed))
    cloud.accept(call, doomed, partial(_remove_all, cloud, doomed), late=True)
    return {}


def _remove_all(cloud: Cloud, doomed: list[LoadBalancer]) -> None:
    for lb in doomed:
        _remove(cloud, lb)


def _check_deletion(cloud: Cloud, call: Call, lb: LoadBalancer) -> None:
    code = cloud.switches.protected_delete_code
    if lb.delete_protect:
        raise ApiError(code, f"Loadbalancer({lb.id}) has deletion protection switched on.")
    if lb.operate_protect:
        raise ApiError(code, f"Loadbalancer({lb.id}) has modification protection switched on.")
    if lb.endpoint:
        raise ApiError(code, f"Loadbalancer({lb.id}) is associated with endpoint {lb.endpoint}.")
    if call.params.get("ForceDelete", False):
        return
    bound = lb.bound()
    if bound >= 20:
        raise ApiError("FailedOperation.TargetNumCheckRisk", f"Loadbalancer({lb.id}) has {bound} targets bound.")
    if bound and lb.traffic_mbps > 10:
        raise ApiError("FailedOperation.TrafficCheckRisk", f"Loadbalancer({lb.id}) has traffic above 10 Mbps.")
    if lb.eip_traffic_mbps > 10:
        raise ApiError("FailedOperation.EipTrafficCheckRisk", f"Loadbalancer({lb.id}) has EIP traffic above 10 Mbps.")


def modify_attributes(cloud: Cloud, call: Call) -> Json:
    """ModifyLoadBalancerAttributes: only what is given changes."""
    lb = cloud.writable(call, attribute=True)
    if "LoadBalancerName" in call.params:
        check_name(call.params["LoadBalancerName"], "LoadBalancerName")
    _check_internet(call.params.get("InternetChargeInfo", {}))
    cloud.accept(call, [lb], partial(_apply_attributes, lb, call.params))
    return {"DealName": None}


def _apply_attributes(lb: LoadBalancer, params: Json) -> None:
    lb.name = params.get("LoadBalancerName", lb.name)
    lb.internet |= params.get("InternetChargeInfo", {})
    lb.pass_to_target = params.get("LoadBalancerPassToTarget", lb.pass_to_target)
    lb.snat_pro = params.get("SnatPro", lb.snat_pro)
    lb.delete_protect = params.get("DeleteProtect", lb.delete_protect)
    lb.endpoint = params.get("AssociateEndpoint", lb.endpoint)


def set_security_groups(cloud: Cloud, call: Call) -> Json:
    """SetLoadBalancerSecurityGroups: the whole set; absent or empty unbinds all."""
    lb = cloud.writable(call, attribute=True)
    groups = call.ids("SecurityGroups", 50)
    if strange := [group for group in groups if not group.startswith("sg-")]:
        raise bad_value(f"Security group '{strange[0]}' is not valid.")
    if cloud.switches.security_groups_task:
        cloud.accept(call, [lb], partial(_apply_groups, lb, groups))
    else:
        _apply_groups(lb, groups)
        cloud.done_at_once(call, lb)
    return {}


def _apply_groups(lb: LoadBalancer, groups: list[str]) -> None:
    lb.security_groups = list(groups)
