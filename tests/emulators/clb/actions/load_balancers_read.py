"""Reads about load balancers: lists with filters and pages, quotas, protection, task status."""

from collections.abc import Callable, Iterable

from tests.emulators.clb import render
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, missing
from tests.emulators.clb.nouns import LoadBalancer
from tests.emulators.clb.tasks import RUNNING
from tests.emulators.clb.wire import Json

Keep = Callable[[LoadBalancer], bool]

_ORDERS: dict[str, Callable[[LoadBalancer], tuple[float | str, int]]] = {
    "CreateTime": lambda lb: (lb.created_at, lb.serial),
    "LoadBalancerName": lambda lb: (lb.name, lb.serial),
    "Domain": lambda lb: (lb.domain, lb.serial),
    "LoadBalancerType": lambda lb: (lb.kind, lb.serial),
}


def describe_load_balancers(cloud: Cloud, call: Call) -> Json:
    """DescribeLoadBalancers: an id that does not exist is simply absent."""
    conditions = _conditions(call)
    found = [lb for lb in cloud.world.in_region(call.region) if all(keep(lb) for keep in conditions)]
    order_by = call.params.get("OrderBy", "CreateTime")
    if order_by not in _ORDERS:
        raise bad_value(f"OrderBy '{order_by}' is not valid.")
    found.sort(key=_ORDERS[order_by], reverse=call.params.get("OrderType", 1) == 1)
    page = [render.load_balancer(cloud, lb, call.now) for lb in _page(cloud, call, found)]
    if "TargetCount" in call.params.get("AdditionalFields", []):
        for item in page:
            item["TargetCount"] = cloud.world.load_balancers[item["LoadBalancerId"]].bound()
    return {"TotalCount": len(found), "LoadBalancerSet": page}


def _page(cloud: Cloud, call: Call, found: list[LoadBalancer]) -> list[LoadBalancer]:
    offset, limit = call.params.get("Offset", 0), call.params.get("Limit", 20)
    if not 1 <= limit <= 100:
        raise ApiError("InvalidParameterValue.Range", "Limit should be between 1 and 100.")
    if offset < 0:
        raise ApiError("InvalidParameterValue.Range", "Offset should not be negative.")
    # Somebody else's creation or deletion between two pages moves the border: offsets give no snapshot.
    if offset > 0 and cloud.switches.paging != "stable" and cloud.dice.random() < 0.5:
        offset += 1 if cloud.switches.paging == "shift_left" else -1
    return found[offset : offset + limit]


def _conditions(call: Call) -> list[Keep]:
    params = call.params
    keeps: list[Keep] = []
    ids = set(call.ids("LoadBalancerIds", 20))
    if ids:
        keeps.append(lambda lb: lb.id in ids)
    exact: dict[str, Callable[[LoadBalancer], object]] = {
        "LoadBalancerType": lambda lb: lb.kind,
        "Forward": lambda lb: lb.forward,
        "VpcId": lambda lb: lb.vpc_id,
        "ProjectId": lambda lb: lb.project_id,
    }
    keeps += [_equal(get, params[name]) for name, get in exact.items() if name in params and params[name] != -1]
    fuzzy: dict[str, Callable[[LoadBalancer], str]] = {
        "LoadBalancerName": lambda lb: lb.name,
        "Domain": lambda lb: lb.domain,
        "SearchKey": lambda lb: f"{lb.id} {lb.name} {lb.domain} {lb.vip}",
    }
    keeps += [_within(get, params[name]) for name, get in fuzzy.items() if name in params]
    if "SecurityGroup" in params:
        keeps.append(lambda lb: params["SecurityGroup"] in lb.security_groups)
    if vips := set(params.get("LoadBalancerVips", [])):
        keeps.append(lambda lb: lb.vip in vips and not lb.domain)
    if private := set(params.get("BackendPrivateIps", [])):
        keeps.append(lambda lb: not private.isdisjoint(_addresses(lb)))
    if params.get("WithRs", -1) != -1:
        keeps.append(lambda lb: bool(lb.bound()) == bool(params["WithRs"]))
    return keeps + [_filter(item["Name"], set(item["Values"]), call.now) for item in _filters(call)]


def _filters(call: Call) -> list[Json]:
    found: list[Json] = call.params.get("Filters", [])
    if len(found) > 10 or any(len(item["Values"]) > 100 for item in found):
        raise ApiError("InvalidParameter.InvalidFilter", "At most 10 filters of 100 values can be given.")
    if any(not item["Values"] for item in found):
        raise ApiError("InvalidParameter.InvalidFilter", "A filter needs a value.")
    return found


def _equal(get: Callable[[LoadBalancer], object], wanted: object) -> Keep:
    return lambda lb: get(lb) == wanted


def _within(get: Callable[[LoadBalancer], str], wanted: str) -> Keep:
    return lambda lb: wanted in get(lb)


def _addresses(lb: LoadBalancer) -> Iterable[str]:
    return (target.ip for item in lb.listeners.values() for rule in item.rules.values() for target in rule.targets)


def _filter(name: str, values: set[str], now: float) -> Keep:
    """Several values mean any of them, several filters all of them."""
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda lb: lb.tags_at(now, for_filter=True).get(key) in values
    by_name: dict[str, Keep] = {
        "tag-key": lambda lb: not values.isdisjoint(lb.tags_at(now, for_filter=True)),
        "charge-type": lambda lb: lb.charge_type in values,
        "internet-charge-type": lambda lb: lb.internet.get("InternetChargeType", "TRAFFIC_POSTPAID_BY_HOUR") in values,
        "vip-isp": lambda lb: (lb.isp if lb.kind == "OPEN" else "INTERNAL") in values,
        "sla-type": lambda lb: lb.sla in values,
        "master-zone-id": lambda lb: lb.zone in values,
    }
    if name not in by_name:
        raise ApiError("InvalidParameter.InvalidFilter", f"Filter '{name}' is not valid.")
    return by_name[name]


def describe_quota(cloud: Cloud, call: Call) -> Json:
    """DescribeQuota: current figures only where they are for the region."""
    here = list(cloud.world.in_region(call.region))
    current = {
        "TOTAL_OPEN_CLB_QUOTA": sum(lb.kind == "OPEN" for lb in here),
        "TOTAL_INTERNAL_CLB_QUOTA": sum(lb.kind == "INTERNAL" for lb in here),
    }
    rows = [
        {"QuotaId": name, "QuotaCurrent": current.get(name), "QuotaLimit": limit}
        for name, limit in cloud.world.quotas.items()
    ]
    return {"QuotaSet": rows}


def describe_operate_protect(cloud: Cloud, call: Call) -> Json:
    """DescribeLBOperateProtect: modification protection, read only."""
    rows = []
    for lb_id in call.ids("LoadBalancerIds", 20):
        lb = cloud.load_balancer(call, lb_id)
        on = bool(lb.operate_protect)
        rows.append(
            {
                "LoadBalancerId": lb.id,
                "ProtectState": on,
                "OperatorUin": lb.operate_protect or None,
                "Description": "" if on else None,
                "ModifyTime": cloud.stamp(lb.status_at) if on else None,
            }
        )
    return {"LoadBalancerSet": rows}


def describe_task_status(cloud: Cloud, call: Call) -> Json:
    """DescribeTaskStatus, by the RequestId of the write or by the order."""
    task_id, deal_name = call.params.get("TaskId", ""), call.params.get("DealName", "")
    if not task_id and not deal_name:
        raise missing("TaskId")
    task = cloud.tasks.find(task_id, deal_name)
    if task is None or (task.status != RUNNING and task.ends_at < call.now - cloud.switches.task_retention_s):
        raise ApiError(cloud.switches.unknown_task_code, f"Task {task_id or deal_name} is not found.")
    ids = list(task.load_balancer_ids) if task.action == "CreateLoadBalancer" and task.status == 0 else None
    return {"Status": task.status, "LoadBalancerIds": ids, "Message": task.message or None}
