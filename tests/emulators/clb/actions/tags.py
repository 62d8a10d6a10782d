"""The tag service (2018-08-13), for load balancers only. Changes may become visible late: see ``switches``."""

import re

from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, missing
from tests.emulators.clb.nouns import LoadBalancer
from tests.emulators.clb.tagging import check_key, check_tags
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import set_tags

PER_RESOURCE_MAX = 50
_RESOURCE = re.compile(r"qcs::clb:(?P<region>[a-z0-9-]+):uin/(?P<uin>\d*):clb/(?P<id>lb-[a-z0-9]+)")


def tag_resources(cloud: Cloud, call: Call) -> Json:
    """TagResources: sets, also over other values; failures are listed and the call itself succeeds."""
    resources, tags = call.ids("ResourceList", 10), call.params["Tags"]
    check_tags(tags, at_most=10)
    wanted = {tag["TagKey"]: tag["TagValue"] for tag in tags}
    failures = []
    for resource in resources:
        try:
            lb = _find(cloud, resource)
            _set(cloud, call, lb, {**lb.tags, **wanted})
        except ApiError as error:
            failures.append({"Resource": resource, "Code": error.code, "Message": error.message})
    return {"FailedResources": failures}


def untag_resources(cloud: Cloud, call: Call) -> Json:
    """UnTagResources: a key that is not attached is a failure of its resource."""
    resources, keys = call.ids("ResourceList", 10), call.ids("TagKeys", 10)
    failures = []
    for resource in resources:
        try:
            lb = _find(cloud, resource)
            _set(cloud, call, lb, _without(lb, keys))
        except ApiError as error:
            failures.append({"Resource": resource, "Code": error.code, "Message": error.message})
    return {"FailedResources": failures}


def modify_resource_tags(cloud: Cloud, call: Call) -> Json:
    """ModifyResourceTags: one resource; keys may not be both replaced and deleted, lists may not be empty."""
    params = call.params
    replaced, deleted = params.get("ReplaceTags"), params.get("DeleteTags")
    if replaced is None and deleted is None:
        raise missing("ReplaceTags")
    if replaced == [] or deleted == []:
        raise ApiError("InvalidParameterValue", "ReplaceTags and DeleteTags cannot be empty lists.")
    check_tags(replaced or [], at_most=10)
    keys = [tag["TagKey"] for tag in deleted or []]
    wanted = {tag["TagKey"]: tag["TagValue"] for tag in replaced or []}
    if len(keys) > 10 or set(keys) & set(wanted):
        raise ApiError("InvalidParameterValue", "A tag key is both replaced and deleted, or there are too many.")
    lb = _find(cloud, params["Resource"])
    _set(cloud, call, lb, {**_without(lb, keys), **wanted})
    return {}


def _without(lb: LoadBalancer, keys: list[str]) -> dict[str, str]:
    for key in keys:
        check_key(key)
        if key not in lb.tags:
            raise ApiError("ResourceNotFound.AttachedTagKeyNotFound", f"Tag key '{key}' is not attached.")
    return {key: value for key, value in lb.tags.items() if key not in keys}


def _find(cloud: Cloud, resource: str) -> LoadBalancer:
    form = _RESOURCE.fullmatch(resource)
    if form is None:
        raise ApiError("InvalidParameterValue.ResourceDescriptionError", f"Resource '{resource}' is not valid.")
    lb = cloud.world.find(form["region"], form["id"])
    if lb is None:
        raise ApiError("ResourceNotFound", f"Resource '{resource}' is not found.")
    return lb


def _set(cloud: Cloud, call: Call, lb: LoadBalancer, tags: dict[str, str]) -> None:
    if len(tags) > PER_RESOURCE_MAX:
        raise ApiError("LimitExceeded.ResourceAttachedTags", "A resource can have 50 tags.")
    set_tags(lb, tags, call.now + cloud.switches.tag_lag_s, call.now + cloud.switches.tag_filter_lag_s)


def tags_by_resource_ids(cloud: Cloud, call: Call) -> Json:
    """DescribeResourceTagsByResourceIds, one row per (resource, tag)."""
    params = call.params
    if (params["ServiceType"], params["ResourcePrefix"]) != ("clb", "clb"):
        raise ApiError("InvalidParameterValue", "Only resources of clb/clb are served.")
    rows = []
    for lb_id in call.ids("ResourceIds", 50):
        lb = cloud.world.find(params["ResourceRegion"], lb_id)
        tags = {} if lb is None else lb.tags_at(call.now, for_filter=False)
        rows += [
            {
                "TagKey": key, "TagValue": value, "ResourceId": lb_id, "TagKeyMd5": "", "TagValueMd5": "",
                "ServiceType": "clb", "Category": "Custom",
            }
            for key, value in sorted(tags.items())
        ]  # fmt: skip
    offset, limit = params.get("Offset", 0), params.get("Limit", 15)
    return {"TotalCount": len(rows), "Offset": offset, "Limit": limit, "Tags": rows[offset : offset + limit]}


def get_resources(cloud: Cloud, call: Call) -> Json:
    """GetResources: by resource or by tags; the page token is the next offset."""
    named = call.ids("ResourceList", 10)
    filters = call.params.get("TagFilters", [])
    if len(filters) > 6 or any(len(item.get("TagValue", [])) > 10 for item in filters):
        raise ApiError("InvalidParameterValue", "At most 6 tag filters of 10 values can be given.")
    found = [
        (lb, tags)
        for lb in cloud.world.load_balancers.values()
        if (tags := lb.tags_at(call.now, for_filter=True))
        and (not named or any(_is(lb, resource) for resource in named))
        and all(_matches(tags, item) for item in filters)
    ]
    size = call.params.get("MaxResults", 50)
    if not 1 <= size <= 200:
        raise ApiError("InvalidParameterValue", "MaxResults should be between 1 and 200.")
    start = int(call.params.get("PaginationToken") or 0)
    page = [{"Resource": _resource(call, lb), "Tags": _tags(tags)} for lb, tags in found[start : start + size]]
    token = str(start + size) if start + size < len(found) else ""
    return {"PaginationToken": token, "ResourceTagMappingList": page}


def _is(lb: LoadBalancer, resource: str) -> bool:
    form = _RESOURCE.fullmatch(resource)
    return form is not None and (form["region"], form["id"]) == (lb.region, lb.id)


def _matches(tags: dict[str, str], wanted: Json) -> bool:
    values = wanted.get("TagValue", [])
    return wanted["TagKey"] in tags and (not values or tags[wanted["TagKey"]] in values)


def _resource(call: Call, lb: LoadBalancer) -> str:
    return f"qcs::clb:{lb.region}:uin/{call.caller.account}:clb/{lb.id}"


def _tags(tags: dict[str, str]) -> list[Json]:
    return [{"TagKey": key, "TagValue": value, "Category": "Custom"} for key, value in sorted(tags.items())]
