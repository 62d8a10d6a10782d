"""Binding and unbinding of targets, one rule at a time and in batches, and their weights."""

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, location_not_found, missing, quota
from tests.emulators.clb.nouns import Listener, LoadBalancer, Target
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import listener_of, rule_of

BATCH_MAX = 500
BATCH_WEIGHT_RULES_MAX, BATCH_WEIGHT_TARGETS_MAX = 100, 50


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where targets are bound: a rule, or a listener on layer 4 (``location_id`` is then ``""``)."""

    listener: Listener
    location_id: str

    @property
    def key(self) -> tuple[str, str]:
        return (self.listener.id, self.location_id)

    @property
    def targets(self) -> list[Target]:
        """The live list; empty when the rule has gone meanwhile."""
        if not self.location_id:
            return self.listener.targets
        rule = self.listener.rules.get(self.location_id)
        return [] if rule is None else rule.targets


def register_targets(cloud: Cloud, call: Call) -> Json:
    """RegisterTargets: at most 20 of one rule, asynchronous."""
    lb = cloud.writable(call)
    place = _place(lb, call.params)
    wanted = [_target(cloud, call, item) for item in _bounded(call, "Targets", 20)]
    _check_once([(target.ip, target.port) for target in wanted])
    fresh = [target for target in wanted if _find(cloud, place, target) is None]
    if len(fresh) < len(wanted) and cloud.switches.register_duplicate == "error":
        raise ApiError("InvalidParameterValue.Duplicate", "A target is bound already.")
    _check_quota(cloud, len(place.targets) + len(fresh))
    cloud.accept(call, [lb], partial(_bind, cloud, [(place, target) for target in wanted]))
    return {}


def deregister_targets(cloud: Cloud, call: Call) -> Json:
    """DeregisterTargets: at most 20 of one rule, asynchronous."""
    lb = cloud.writable(call)
    place = _place(lb, call.params)
    named = [_target(cloud, call, item) for item in _bounded(call, "Targets", 20)]
    if cloud.switches.deregister_unbound == "error" and any(_find(cloud, place, target) is None for target in named):
        raise ApiError("InvalidParameter", "Some targets are not bound.")
    cloud.accept(call, [lb], partial(_unbind, cloud, [(place, target) for target in named]))
    return {}


def batch_register(cloud: Cloud, call: Call) -> Json:
    """BatchRegisterTargets: done when it returns. The quota counts targets that are bound already once more."""
    lb = cloud.writable(call)
    wanted = _batch(cloud, call, lb)
    _check_once([(place.key, target.ip, target.port) for place, target in wanted])
    asked = Counter(place.key for place, _ in wanted)
    for key, place in {place.key: place for place, _ in wanted}.items():
        _check_quota(cloud, len(place.targets) + asked[key])
    failed = _failed_listeners(cloud, call, wanted)
    _bind(cloud, [(place, target) for place, target in wanted if place.listener.id not in failed])
    cloud.done_at_once(call, lb)
    return _batch_answer(call, failed)


def batch_deregister(cloud: Cloud, call: Call) -> Json:
    """BatchDeregisterTargets: done when it returns."""
    lb = cloud.writable(call)
    named = _batch(cloud, call, lb)
    failed = _failed_listeners(cloud, call, named)
    if cloud.switches.deregister_unbound == "error":
        unbound = [place.listener.id for place, target in named if _find(cloud, place, target) is None]
        failed = list(dict.fromkeys([*failed, *unbound]))
    kept = [(place, target) for place, target in named if place.listener.id not in failed]
    _unbind(cloud, kept)
    cloud.done_at_once(call, lb)
    return _batch_answer(call, failed)


def modify_weight(cloud: Cloud, call: Call) -> Json:
    """ModifyTargetWeight: one rule, asynchronous. The top-level weight is for targets without one."""
    lb = cloud.writable(call)
    changes = _weights(cloud, call, lb, call.params)
    cloud.accept(call, [lb], partial(_weigh, cloud, changes))
    return {}


def batch_modify_weight(cloud: Cloud, call: Call) -> Json:
    """BatchModifyTargetWeight: at most 100 rules, 50 targets a rule, 500 in all, asynchronous."""
    lb = cloud.writable(call)
    entries = _bounded(call, "ModifyList", BATCH_WEIGHT_RULES_MAX)
    if any(len(entry["Targets"]) > BATCH_WEIGHT_TARGETS_MAX for entry in entries):
        raise ApiError("InvalidParameterValue.Length", "Length of .Targets should be less than 51")
    if sum(len(entry["Targets"]) for entry in entries) > BATCH_MAX:
        raise ApiError("InvalidParameterValue.Length", "At most 500 targets can be given in one request.")
    changes = [change for entry in entries for change in _weights(cloud, call, lb, entry)]
    _check_network(cloud, [target for _, target in changes])
    task = cloud.accept(call, [lb], partial(_weigh, cloud, changes), late=True)
    if any(cloud.world.refusal(target.ip, target.port) == "task" for _, target in changes):
        task.failure = "Some targets cannot be weighed."
    return {}


def _bounded(call: Call, name: str, at_most: int) -> list[Json]:
    found: list[Json] = call.params[name]
    if not found:
        raise missing(name)
    if len(found) > at_most:
        raise ApiError("InvalidParameterValue.Length", f"Length of .{name} should be less than {at_most + 1}")
    return found


def _batch(cloud: Cloud, call: Call, lb: LoadBalancer) -> list[tuple[Place, Target]]:
    entries = _bounded(call, "Targets", BATCH_MAX)
    found = [(_place(lb, entry), _target(cloud, call, entry)) for entry in entries]
    _check_network(cloud, [target for _, target in found])
    return found


def _place(lb: LoadBalancer, params: Json) -> Place:
    listener = listener_of(lb, params["ListenerId"])
    if not listener.layer7:
        return Place(listener, "")
    if location_id := params.get("LocationId", ""):
        return Place(listener, rule_of(listener, location_id).id)
    if "Domain" not in params or "Url" not in params:
        raise missing("LocationId")
    rule = listener.rule_of(params["Domain"], params["Url"])
    if rule is None:
        raise location_not_found(f"{params['Domain']}{params['Url']}")
    return Place(listener, rule.id)


def _target(cloud: Cloud, call: Call, item: Json) -> Target:
    weight = item.get("Weight", 10)
    if not 0 <= weight <= 100:
        raise ApiError("InvalidParameterValue.Range", "Weight should be between 0 and 100.")
    if not 1 <= item["Port"] <= 65535:
        raise ApiError("InvalidParameterValue.Range", "Port should be between 1 and 65535.")
    instance_id, eni_ip = item.get("InstanceId", ""), item.get("EniIp", "")
    if bool(instance_id) == bool(eni_ip):
        raise bad_value("One of InstanceId and EniIp is required, and not both.")
    target = Target(eni_ip, item["Port"], weight, tag=item.get("Tag", ""), registered_at=call.now)
    if instance_id:
        instance = cloud.world.instances.get(instance_id)
        if instance is None or instance.region != call.region:
            raise bad_value(f"Instance '{instance_id}' is not found.")
        target.ip, target.instance_id, target.name = instance.ip, instance_id, instance.name
    else:
        _check_address(eni_ip)
        target.eni_id = f"eni-{abs(hash_of(eni_ip)):08x}"[:12]
    return target


def hash_of(text: str) -> int:
    """A number that is the same in every run (``hash`` of a text is not)."""
    value = 2166136261
    for character in text:
        value = (value ^ ord(character)) * 16777619 % 2**32
    return value


def _check_network(cloud: Cloud, targets: Sequence[Target]) -> None:
    """Which of many is meant is not said (InvalidParameterValue of the BatchRegisterTargets page has no list)."""
    if any(cloud.world.refusal(target.ip, target.port) == "call" for target in targets):
        raise bad_value("Some targets are not in the network of the load balancer.")


def _check_address(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise bad_value(f"EniIp '{text}' is not an IP address.") from None


def _check_once(keys: Sequence[tuple[object, ...]]) -> None:
    if len(set(keys)) != len(keys):
        raise ApiError("InvalidParameterValue.Duplicate", "A target is given twice.")


def _check_quota(cloud: Cloud, number: int) -> None:
    limit = cloud.world.quotas["TOTAL_TARGET_BIND_QUOTA"]
    if number > limit:
        raise quota("TOTAL_TARGET_BIND_QUOTA", limit)


def _find(cloud: Cloud, place: Place, named: Target) -> Target | None:
    strict = cloud.switches.target_identity == "as_bound"
    for bound in place.targets:
        same_form = bool(bound.instance_id) == bool(named.instance_id)
        if (bound.ip, bound.port) == (named.ip, named.port) and (same_form or not strict):
            return bound
    return None


def _failed_listeners(cloud: Cloud, call: Call, entries: list[tuple[Place, Target]]) -> list[str]:
    """FailListenerIdSet is per listener (BatchRegisterTargets page): what else is on that one fails with it."""
    struck = [entries[0][0].listener.id] if "partial" in call.faults else []
    refused = [
        place.listener.id for place, target in entries if cloud.world.refusal(target.ip, target.port) == "listener"
    ]
    return list(dict.fromkeys([*struck, *refused]))


def _batch_answer(call: Call, failed: list[str]) -> Json:
    message = call.faults["partial"].message if "partial" in call.faults else "Some targets cannot be had."
    return {"FailListenerIdSet": failed, "Message": message if failed else ""}


def _bind(cloud: Cloud, entries: list[tuple[Place, Target]]) -> None:
    for place, target in entries:
        bound = next((item for item in place.targets if (item.ip, item.port) == (target.ip, target.port)), None)
        if bound is None:
            place.targets.append(target)
        elif cloud.switches.reregister_weight == "change":
            bound.weight = target.weight


def _unbind(cloud: Cloud, entries: list[tuple[Place, Target]]) -> None:
    for place, target in entries:
        bound = _find(cloud, place, target)
        if bound is not None:
            place.targets.remove(bound)


def _weights(cloud: Cloud, call: Call, lb: LoadBalancer, entry: Json) -> list[tuple[Place, Target]]:
    place = _place(lb, entry)
    default = {"Weight": entry["Weight"]} if "Weight" in entry else {}
    changes = [(place, _target(cloud, call, {**default, **item})) for item in entry["Targets"]]
    if any(_find(cloud, place, target) is None for _, target in changes):
        raise ApiError("InvalidParameter", "Some targets are not bound.")
    return changes


def _weigh(cloud: Cloud, changes: list[tuple[Place, Target]]) -> None:
    for place, target in changes:
        bound = _find(cloud, place, target)
        if bound is not None:
            bound.weight = target.weight
