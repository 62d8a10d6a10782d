"""Redirections between rules: automatic (HTTP:80 mirrors HTTPS:443), manual, read, delete."""

from dataclasses import replace
from functools import partial

from tests.emulators.clb import domains, render
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, missing, quota
from tests.emulators.clb.nouns import Listener, LoadBalancer, Redirect, Rule
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import layer7_listener_of, rule_of

CODES = (301, 302, 307)


def auto_rewrite(cloud: Cloud, call: Call) -> Json:
    """AutoRewrite: makes HTTP:80 when absent and mirrors every URL of the hosts there."""
    lb = cloud.writable(call)
    source = layer7_listener_of(lb, call.params["ListenerId"])
    if source.protocol != "HTTPS" or source.port != 443:
        raise bad_value("AutoRewrite is only supported by an HTTPS listener on port 443.")
    hosts = call.params.get("Domains") or list(dict.fromkeys(rule.domains[0] for rule in source.rules.values()))
    settings = _settings(call, source, hosts)
    plain = next((item for item in lb.listeners.values() if item.port == 80 and item.protocol != "UDP"), None)
    if plain is not None and plain.protocol != "HTTP":
        raise ApiError("InvalidParameter.PortCheckFailed", "Port 80 is used by another listener.")
    new = [rule for host in hosts for rule in source.rules_of(host) if not _mirror(plain, rule)]
    limit = cloud.world.quotas["TOTAL_LISTENER_RULE_QUOTA"]
    if len(new) + (len(plain.rules) if plain else 0) > limit:
        raise quota("TOTAL_LISTENER_RULE_QUOTA", limit)
    for host in hosts:
        for rule in source.rules_of(host):
            existing = _mirror(plain, rule)
            if existing is not None and existing.redirect is not None and existing.redirect.kind == "Manual":
                raise ApiError("InvalidParameter.RewriteAlreadyExist", f"Location {existing.id} is redirected already.")
    cloud.accept(call, [lb], partial(_mirror_all, cloud, lb, source, settings))
    return {}


def _settings(call: Call, source: Listener, hosts: list[str]) -> dict[str, tuple[int, bool]]:
    codes, takes = call.params.get("RewriteCodes", []), call.params.get("TakeUrls", [])
    if (codes and len(codes) != len(hosts)) or (takes and len(takes) != len(hosts)):
        raise bad_value("RewriteCodes and TakeUrls should have the length of Domains.")
    for code in codes:
        _check_code(code)
    for host in hosts:
        if not source.rules_of(host):
            raise bad_value(f"Domain '{host}' is not found on the listener.")
    pairs = zip(codes or [302] * len(hosts), takes or [True] * len(hosts), strict=True)
    return dict(zip(hosts, pairs, strict=True))


def _check_code(code: int) -> None:
    if code not in CODES:
        raise bad_value(f"RewriteCode {code} is not one of 301, 302, 307.")


def _mirror(plain: Listener | None, rule: Rule) -> Rule | None:
    return None if plain is None else plain.rule_of(rule.domains[0], rule.url)


def _mirror_all(cloud: Cloud, lb: LoadBalancer, source: Listener, settings: dict[str, tuple[int, bool]]) -> None:
    plain = next((item for item in lb.listeners.values() if item.port == 80 and item.protocol == "HTTP"), None)
    if plain is None:
        listener_id = cloud.world.new_id("lbl")
        names = {"empty": "", "generated": f"auto-{listener_id}", "copied": source.name}
        name = names[cloud.switches.auto_rewrite_listener_name]
        plain = Listener(listener_id, name, "HTTP", 80, created_at=cloud.clock.now())
        lb.listeners[listener_id] = plain
    for host, (code, take_url) in settings.items():
        for rule in source.rules_of(host):
            twin = _mirror(plain, rule) or _add_mirror(cloud, plain, rule)
            twin.redirect = Redirect(source.id, rule.id, code, take_url, "Auto")
    domains.settle_default(plain)


def _add_mirror(cloud: Cloud, plain: Listener, rule: Rule) -> Rule:
    twin = replace(
        rule, id=cloud.world.new_id("loc"), auto_created=True, http2=False, quic=False, certificate=None,
        targets=[], redirect=None, created_at=cloud.clock.now(), health=dict(rule.health),
    )  # fmt: skip
    plain.rules[twin.id] = twin
    return twin


def manual_rewrite(cloud: Cloud, call: Call) -> Json:
    """ManualRewrite: a redirected rule may not be redirected again, and what is redirected to may not redirect."""
    lb = cloud.writable(call)
    source, target, infos = _pair(cloud, call, lb)
    made: list[tuple[Rule, Redirect]] = []
    for info in infos:
        start, end = rule_of(source, info["SourceLocationId"]), rule_of(target, info["TargetLocationId"])
        code = info.get("RewriteCode", 302)
        _check_code(code)
        if "RewriteCode" in info and ("TakeUrl" not in info or "SourceDomain" not in info):
            raise missing("RewriteInfos.TakeUrl")
        _check_chain(lb, source, start, end)
        made.append((start, Redirect(target.id, end.id, code, info.get("TakeUrl", True), "Manual")))
    sources, ends = {start.id for start, _ in made}, {redirect.location_id for _, redirect in made}
    if len(sources) != len(made) or sources & ends:
        raise bad_value("RewriteInfos redirects a rule twice or in a chain.")
    cloud.accept(call, [lb], partial(_connect, made))
    return {}


def _pair(cloud: Cloud, call: Call, lb: LoadBalancer) -> tuple[Listener, Listener, list[Json]]:
    source = layer7_listener_of(lb, call.params["SourceListenerId"])
    target = layer7_listener_of(lb, call.params["TargetListenerId"])
    infos: list[Json] = call.params["RewriteInfos"]
    bound = cloud.switches.rewrite_infos_max
    if not infos:
        raise missing("RewriteInfos")
    if bound is not None and len(infos) > bound:
        raise ApiError("InvalidParameterValue.Length", f"Length of .RewriteInfos should be less than {bound + 1}")
    return source, target, infos


def _check_chain(lb: LoadBalancer, source: Listener, start: Rule, end: Rule) -> None:
    if start.redirect is not None:
        raise ApiError("InvalidParameter.RewriteAlreadyExist", f"Location {start.id} is redirected already.")
    if end.redirect is not None:
        raise bad_value(f"Location {end.id} is itself redirected.")
    everything = [rule for listener in lb.listeners.values() for rule in listener.rules.values()]
    if any(rule.redirect and rule.redirect.location_id == start.id for rule in everything):
        raise bad_value(f"Location {start.id} is the target of a redirection.")
    if any(rule.redirect and rule.redirect.kind == "Auto" for rule in source.rules_of(start.domains[0])):
        raise bad_value(f"Domain {start.domains[0]} is redirected automatically.")


def _connect(made: list[tuple[Rule, Redirect]]) -> None:
    for rule, redirect in made:
        rule.redirect = redirect


def describe_rewrite(cloud: Cloud, call: Call) -> Json:
    """DescribeRewrite: the rules that redirect."""
    lb = cloud.load_balancer(call)
    listener_ids, location_ids = call.params.get("SourceListenerIds", []), call.params.get("SourceLocationIds", [])
    shown = [
        render.rule(cloud, listener, rule)
        for listener in lb.listeners.values()
        for rule in listener.rules.values()
        if rule.redirect is not None
        and (not listener_ids or listener.id in listener_ids)
        and (not location_ids or rule.id in location_ids)
    ]
    return {"RewriteSet": shown}


def delete_rewrite(cloud: Cloud, call: Call) -> Json:
    """DeleteRewrite: every pair must exist."""
    lb = cloud.writable(call)
    source, target, infos = _pair(cloud, call, lb)
    going = []
    for info in infos:
        rule = rule_of(source, info["SourceLocationId"])
        redirect = rule.redirect
        if redirect is None or (redirect.listener_id, redirect.location_id) != (target.id, info["TargetLocationId"]):
            raise ApiError("InvalidParameter.SomeRewriteNotFound", f"Rewrite of location {rule.id} not found.")
        going.append(rule)
    cloud.accept(call, [lb], partial(_disconnect, going))
    return {}


def _disconnect(going: list[Rule]) -> None:
    for rule in going:
        rule.redirect = None
