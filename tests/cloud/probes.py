"""Questions that no page of the cloud answers, each as a probe on a load balancer that was made for it.

A probe returns what it has found, as a short text; a refusal is a finding too. Each has parts of its own, so that none
rests on another.
"""

import time

from tests.cloud.account import TAG, Json, Refused, tags_of
from tests.cloud.bench import Bench


def rules_in_one_call(bench: Bench) -> str:
    """How many rules one CreateRule takes, up to 50."""
    for count in (50, 25, 20, 10):
        rules = [{"Domain": "many.example.com", "Url": f"/{count}-{number}"} for number in range(count)]
        code = bench.code("CreateRule", ListenerId=bench.listener(), Rules=rules)
        if code == "OK":
            return f"{count} and more" if count == 50 else f"{count}, not twice as many"
    return f"not even 10: {code}"


def order_of_location_ids(bench: Bench) -> str:
    """Whether the ids that CreateRule answers are in the order of the rules that it was sent."""
    listener = bench.listener()
    places = [(f"{name}.example.com", "/") for name in ("c", "a", "b", "d")]
    rules = [{"Domain": host, "Url": url} for host, url in places]
    answer, _ = bench.account.write("CreateRule", LoadBalancerId=bench.lb, ListenerId=listener, Rules=rules)
    there = {(rule["Domain"], rule["Url"]): rule["LocationId"] for rule in bench.shown(listener)}
    given = answer.get("LocationIds") or []
    return "as sent" if given == [there[place] for place in places] else "another"


def duplicate_rule(bench: Bench) -> str:
    """With which code a rule is refused that is there already."""
    listener = bench.listener()
    bench.rules(listener, ("twice.example.com", "/"))
    return bench.code("CreateRule", ListenerId=listener, Rules=[{"Domain": "twice.example.com", "Url": "/"}])


def missing_rule(bench: Bench) -> str:
    """With which code the deletion of a rule is refused that is not there."""
    listener = bench.listener()
    bench.rules(listener, ("one.example.com", "/"))
    return bench.code("DeleteRule", ListenerId=listener, LocationIds=["loc-00000000"])


def exact_path(bench: Bench) -> str:
    """How `=/x` comes back, and whether `= /x` is taken."""
    listener = bench.listener()
    plain = bench.code("CreateRule", ListenerId=listener, Rules=[{"Domain": "a.example.com", "Url": "=/x"}])
    spaced = bench.code("CreateRule", ListenerId=listener, Rules=[{"Domain": "b.example.com", "Url": "= /x"}])
    shown = sorted(repr(rule["Url"]) for rule in bench.shown(listener))
    return f"'=/x': {plain}; '= /x': {spaced}; shown as {', '.join(shown)}"


def percent_in_url(bench: Bench) -> str:
    """Whether a path may have `%`."""
    return bench.code("CreateRule", ListenerId=bench.listener(), Rules=[{"Domain": "a.example.com", "Url": "/a%20b"}])


def regular_expressions(bench: Bench) -> str:
    """Which characters a regular expression may have."""
    listener = bench.listener()
    found = []
    for number, text in enumerate(("~ /(a|b)", "~ /[ab]+", "~ /a\\.b", "~ ^/a.*$")):
        rule = {"Domain": f"r{number}.example.com", "Url": text}
        found.append(f"{text!r}: {bench.code('CreateRule', ListenerId=listener, Rules=[rule])}")
    return "; ".join(found)


def running_early(bench: Bench) -> str:
    """Whether a new load balancer is shown as running (Status 1) before the task of its creation has ended."""
    return f"for about {bench.account.early_s:.1f} s" if bench.account.early_s else "not seen"


def retention_of_tasks(bench: Bench) -> str:
    """Whether a task that ended long ago is still known; the oldest of this run."""
    task, ended = min(bench.tasks.items(), key=lambda pair: pair[1])
    return f"{bench.account.status(task)} after {time.monotonic() - ended:.0f} s"


def lag_of_the_tag_filter(bench: Bench) -> str:
    """How long after a change of tags the filter by tag finds it."""
    account, key = bench.account, f"{TAG}-{bench.account.run}"
    region = account.told.region
    found = account.call("DescribeLoadBalancers", LoadBalancerIds=[bench.lb])["LoadBalancerSet"][0]
    resource = f"qcs::clb:{region}:uin/{found.get('OwnerUin') or ''}:clb/{bench.lb}"
    account.call("ModifyResourceTags", "tag", Resource=resource, ReplaceTags=[{"TagKey": key, "TagValue": "1"}])
    inline = account.wait("the tag is shown", lambda: key in tags_of(_entry(bench)))
    by_filter = account.wait("the filter finds it", lambda: bench.lb in account.tagged(key, "1"))
    account.call("ModifyResourceTags", "tag", Resource=resource, DeleteTags=[{"TagKey": key}])
    return f"shown after {inline:.1f} s, found by the filter {by_filter:.1f} s later"


def deletion_protection(bench: Bench) -> str:
    """With which code the deletion of a protected load balancer is refused."""
    switched = bench.code("ModifyLoadBalancerAttributes", DeleteProtect=True)
    if switched != "OK":
        return f"cannot be switched on: {switched}"
    try:
        bench.account.call("DeleteLoadBalancer", LoadBalancerIds=[bench.lb])
    except Refused as refusal:
        return refusal.code
    finally:
        bench.code("ModifyLoadBalancerAttributes", DeleteProtect=False)
    return "OK: it is deleted all the same"


def busy_after_a_batch_call(bench: Bench) -> str:
    """Whether a load balancer is busy after BatchRegisterTargets has answered."""
    listener = bench.listener()
    (rule,) = bench.rules(listener, ("busy.example.com", "/"))
    bench.account.write("BatchRegisterTargets", LoadBalancerId=bench.lb, Targets=[_target(bench, listener, rule)])
    refused = _refusal_of(bench, listener)
    return "free at once" if not refused else f"busy: {refused}"


def registering_again(bench: Bench) -> str:
    """What RegisterTargets and BatchRegisterTargets do with a bound target and another weight."""
    listener = bench.listener()
    (rule,) = bench.rules(listener, ("again.example.com", "/"))
    target = _target(bench, listener, rule)
    bench.account.write("BatchRegisterTargets", LoadBalancerId=bench.lb, Targets=[target | {"Weight": 10}])
    batch = bench.code("BatchRegisterTargets", Targets=[target | {"Weight": 20}])
    after = _weight(bench, listener)
    plain = {name: value for name, value in target.items() if name not in ("ListenerId", "LocationId")}
    single = bench.code("RegisterTargets", ListenerId=listener, LocationId=rule, Targets=[plain | {"Weight": 30}])
    return f"batch: {batch}, weight {after}; single: {single}, weight {_weight(bench, listener)}"


def answer_without_targets(bench: Bench) -> str:
    """The status of an answer for a rule to which nothing is bound."""
    listener, port = bench.listeners()
    bench.rules(listener, ("empty.example.com", "/"))
    bench.account.wait("it answers", lambda: _status(bench, port, "empty.example.com") >= 400)
    return str(_status(bench, port, "empty.example.com"))


def compressed_answers(bench: Bench) -> str:
    """Whether the gateway compresses an answer by itself."""
    listener, port = bench.listeners()
    (rule,) = bench.rules(listener, ("gzip.example.com", "/"))
    bench.account.write("BatchRegisterTargets", LoadBalancerId=bench.lb, Targets=[_target(bench, listener, rule)])
    bench.account.wait("it serves", lambda: _status(bench, port, "gzip.example.com") == 200)
    _, headers = bench.get(port, "gzip.example.com", {"Accept-Encoding": "gzip"})
    return headers.get("content-encoding", "not compressed")


def _entry(bench: Bench) -> Json:
    entry: Json = bench.account.call("DescribeLoadBalancers", LoadBalancerIds=[bench.lb])["LoadBalancerSet"][0]
    return entry


def _target(bench: Bench, listener: str, rule: str) -> Json:
    target = bench.account.told.target
    assert target is not None
    instance, _, port = target
    return {"ListenerId": listener, "LocationId": rule, "InstanceId": instance, "Port": port}


def _weight(bench: Bench, listener: str) -> int:
    shown = bench.account.call("DescribeTargets", LoadBalancerId=bench.lb, ListenerIds=[listener])["Listeners"]
    return int(shown[0]["Rules"][0]["Targets"][0]["Weight"])


def _refusal_of(bench: Bench, listener: str) -> str:
    """The code with which the next write is refused if it comes at once."""
    try:
        rules = [{"Domain": "next.example.com", "Url": "/"}]
        bench.account.call("CreateRule", LoadBalancerId=bench.lb, ListenerId=listener, Rules=rules)
    except Refused as refusal:
        return refusal.code
    return ""


def _status(bench: Bench, port: int, host: str) -> int:
    try:
        return bench.get(port, host)[0]
    except OSError:
        return 0
