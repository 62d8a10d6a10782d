"""Forwarding rules: create, modify, delete. What concerns whole hosts is in ``domains``."""

from functools import partial

from tests.emulators.clb import certificates, domains
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, missing, quota
from tests.emulators.clb.nouns import CertificateSet, Listener, LoadBalancer, Rule
from tests.emulators.clb.syntax import check_choice, check_domain, check_session, check_url, merged_health
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import layer7_listener_of, rule_of

_SCHEDULERS = ("WRR", "LEAST_CONN", "IP_HASH")
_FORWARD_TYPES = ("HTTP", "HTTPS", "GRPC", "GRPCS", "TRPC")


def create_rule(cloud: Cloud, call: Call) -> Json:
    """All rules of the call or none; the first rule of a listener makes its host the default."""
    lb = cloud.writable(call)
    listener = layer7_listener_of(lb, call.params["ListenerId"])
    given: list[Json] = call.params["Rules"]
    bound = cloud.switches.create_rule_max
    if not given:
        raise missing("Rules")
    if bound is not None and len(given) > bound:
        raise ApiError("InvalidParameterValue.Length", f"Length of .Rules should be less than {bound + 1}")
    limit = cloud.world.quotas["TOTAL_LISTENER_RULE_QUOTA"]
    if len(listener.rules) + len(given) > limit:
        raise quota("TOTAL_LISTENER_RULE_QUOTA", limit)
    made: list[Rule] = []
    for item in given:
        made.append(_new(cloud, call, listener, item, made))
    wanted_default = [
        rule.domains[0] for rule, item in zip(made, given, strict=True) if item.get("DefaultServer", False)
    ]
    cloud.accept(call, [lb], partial(_insert, listener, made, wanted_default))
    return {"LocationIds": _in_some_order(cloud, [rule.id for rule in made])}


def _new(cloud: Cloud, call: Call, listener: Listener, item: Json, siblings: list[Rule]) -> Rule:
    hosts = _hosts(item)
    check_url(item["Url"], cloud.switches)
    for host in hosts:
        check_domain(host)
        twin = listener.rule_of(host, item["Url"])
        if twin or any(host in other.domains and other.url == item["Url"] for other in siblings):
            raise ApiError(cloud.switches.duplicate_rule_code, f"Domain {host} with url {item['Url']} already exists.")
    scheduler = item.get("Scheduler", "WRR")
    check_choice("Scheduler", scheduler, _SCHEDULERS)
    check_choice("ForwardType", item.get("ForwardType", "HTTP"), _FORWARD_TYPES)
    check_choice("TargetType", item.get("TargetType", "NODE"), ("NODE",))
    check_session(item.get("SessionExpireTime", 0), scheduler, cloud.switches)
    if listener.protocol == "HTTP" and (item.get("Http2", False) or item.get("Quic", False)):
        raise bad_value("Http2 and Quic are only supported by an HTTPS domain.")
    return Rule(
        id=cloud.world.new_id("loc"),
        domains=hosts,
        url=item["Url"],
        health=merged_health(item.get("HealthCheck", {}), None, cloud.switches, hosts[0]),
        scheduler=scheduler,
        session_s=item.get("SessionExpireTime", 0),
        forward_type=item.get("ForwardType", "HTTP"),
        http2=item.get("Http2", False),
        quic=item.get("Quic", False),
        certificate=_certificate(cloud, listener, item, hosts[0], siblings),
        cookie_name=item.get("CookieName", ""),
        created_at=call.now,
    )


def _hosts(item: Json) -> tuple[str, ...]:
    single, several = item.get("Domain"), item.get("Domains")
    if single is not None and several is not None:
        raise bad_value("Domain and Domains cannot be given together.")
    hosts = tuple(several) if several else (() if single is None else (single,))
    if not hosts:
        raise missing("Rules.Domain")
    return hosts


def _certificate(
    cloud: Cloud, listener: Listener, item: Json, host: str, siblings: list[Rule]
) -> CertificateSet | None:
    """With SNI on, each host has one set: the first rule of a host must bring it, later ones may leave it out."""
    wanted = certificates.requested(cloud, item)
    if not listener.sni:
        if wanted is not None:
            raise bad_value("A rule can have a certificate only when SniSwitch is on.")
        return None
    of_host = [rule.certificate for rule in (*listener.rules_of(host), *siblings) if host in rule.domains]
    if wanted is None and not of_host:
        raise missing("Rules.Certificate")
    return wanted or next(iter(of_host), None)


def _insert(listener: Listener, made: list[Rule], wanted_default: list[str]) -> None:
    for rule in made:
        if not listener.rules:
            listener.default_domain = rule.domains[0]
        listener.rules[rule.id] = rule
        for other in listener.rules_of(rule.domains[0]):
            other.certificate = rule.certificate
    if wanted_default:
        listener.default_domain = wanted_default[-1]


def _in_some_order(cloud: Cloud, ids: list[str]) -> list[str]:
    order = cloud.switches.location_ids_order
    if order == "reversed":
        return ids[::-1]
    if order == "shuffled":
        return cloud.dice.sample(ids, len(ids))
    return ids


def modify_rule(cloud: Cloud, call: Call) -> Json:
    """One rule a call; what is not given stays, inside HealthCheck too."""
    lb = cloud.writable(call)
    params = call.params
    listener = layer7_listener_of(lb, params["ListenerId"])
    rule = rule_of(listener, params["LocationId"])
    url = params.get("Url", rule.url)
    check_url(url, cloud.switches)
    twin = listener.rule_of(rule.domains[0], url)
    if twin is not None and twin is not rule:
        raise ApiError(cloud.switches.duplicate_rule_code, f"Domain {rule.domains[0]} with url {url} already exists.")
    scheduler = params.get("Scheduler", rule.scheduler)
    check_choice("Scheduler", scheduler, _SCHEDULERS)
    check_choice("ForwardType", params.get("ForwardType", rule.forward_type), _FORWARD_TYPES)
    check_session(params.get("SessionExpireTime", rule.session_s), scheduler, cloud.switches)
    health = merged_health(params.get("HealthCheck", {}), rule.health, cloud.switches, rule.domains[0])
    cloud.accept(call, [lb], partial(_apply, rule, {**params, "HealthCheck": health}))
    return {}


def _apply(rule: Rule, params: Json) -> None:
    rule.url = params.get("Url", rule.url)
    rule.scheduler = params.get("Scheduler", rule.scheduler)
    rule.session_s = params.get("SessionExpireTime", rule.session_s)
    rule.forward_type = params.get("ForwardType", rule.forward_type)
    rule.cookie_name = params.get("CookieName", rule.cookie_name)
    rule.oauth = params.get("OAuth", rule.oauth)
    rule.health = params["HealthCheck"]


def delete_rule(cloud: Cloud, call: Call) -> Json:
    """By location ids, by host and URL, or a whole host. A rule in a redirection stays until that is gone."""
    lb = cloud.writable(call)
    listener = layer7_listener_of(lb, call.params["ListenerId"])
    going = _named(cloud, call, listener)
    for rule in going:
        _check_no_redirect(lb, rule)
    heir = call.params.get("NewDefaultServerDomain", "")
    left = [rule for rule in listener.rules.values() if rule not in going]
    if heir and not any(heir in rule.domains for rule in left):
        raise bad_value(f"NewDefaultServerDomain '{heir}' is not a domain of this listener.")
    cloud.accept(call, [lb], partial(_delete, listener, [rule.id for rule in going], heir))
    return {}


def _named(cloud: Cloud, call: Call, listener: Listener) -> list[Rule]:
    params = call.params
    ids: list[str] = params.get("LocationIds", [])
    bound = cloud.switches.delete_rule_max
    if bound is not None and len(ids) > bound:
        raise ApiError("InvalidParameterValue.Length", f"Length of .LocationIds should be less than {bound + 1}")
    absent = [location_id for location_id in ids if location_id not in listener.rules]
    if absent:
        raise ApiError(cloud.switches.missing_location_code, f"some LocationId {' '.join(absent)} not found")
    if ids:
        return [listener.rules[location_id] for location_id in dict.fromkeys(ids)]
    if "Domain" not in params:
        raise missing("LocationIds")
    url = params.get("Url")
    found = [rule for rule in listener.rules_of(params["Domain"]) if url in (None, rule.url)]
    if not found:
        raise ApiError(cloud.switches.missing_location_code, f"Domain {params['Domain']} not found")
    return found


def _check_no_redirect(lb: LoadBalancer, rule: Rule) -> None:
    """TKE's E4006 says that a rule in a redirection cannot be deleted; the code is not published."""
    sources = (item for listener in lb.listeners.values() for item in listener.rules.values() if item.redirect)
    if rule.redirect or any(item.redirect and item.redirect.location_id == rule.id for item in sources):
        raise ApiError("FailedOperation", f"Redirection config on the location {rule.id}.")


def _delete(listener: Listener, ids: list[str], heir: str) -> None:
    for location_id in ids:
        listener.rules.pop(location_id, None)
    domains.settle_default(listener, heir)
