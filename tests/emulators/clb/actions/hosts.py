"""Whole hosts of a listener (the API says domain): rename, certificate, HTTP/2, default."""

from functools import partial

from tests.emulators.clb import certificates
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value
from tests.emulators.clb.nouns import CertificateSet, Listener, Rule
from tests.emulators.clb.syntax import check_domain
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import layer7_listener_of


def modify_domain(cloud: Cloud, call: Call) -> Json:
    """ModifyDomain: rules and targets keep their ids."""
    lb = cloud.writable(call)
    listener = layer7_listener_of(lb, call.params["ListenerId"])
    rules = _rules(listener, call.params["Domain"])
    new = call.params["NewDomain"]
    _check_new(cloud, listener, rules, [new], length_max=120)
    cloud.accept(call, [lb], partial(_rename, listener, rules, (new,)))
    return {}


def modify_domain_attributes(cloud: Cloud, call: Call) -> Json:
    """ModifyDomainAttributes: one host a call; certificates only with SNI on."""
    lb = cloud.writable(call)
    params = call.params
    listener = layer7_listener_of(lb, params["ListenerId"])
    rules = _rules(listener, params["Domain"])
    if "NewDomain" in params and "NewDomains" in params:
        raise bad_value("NewDomain and NewDomains cannot be given together.")
    names = tuple(params.get("NewDomains", [params["NewDomain"]] if "NewDomain" in params else []))
    _check_new(cloud, listener, rules, list(names), length_max=80)
    certificate = certificates.requested(cloud, params)
    if certificate is not None and not listener.sni:
        raise bad_value("A domain can have a certificate only when SniSwitch is on.")
    if listener.protocol == "HTTP" and (params.get("Http2", False) or params.get("Quic", False)):
        raise bad_value("Http2 and Quic are only supported by an HTTPS domain.")
    _check_default(listener, params, rules)
    cloud.accept(call, [lb], partial(_apply, listener, rules, params, (names, certificate)))
    return {}


def _rules(listener: Listener, host: str) -> list[Rule]:
    rules = listener.rules_of(host)
    if not rules:
        raise ApiError("InvalidParameter.LocationNotFound", f"Domain {host} not found")
    return rules


def _check_new(cloud: Cloud, listener: Listener, rules: list[Rule], names: list[str], length_max: int) -> None:
    urls = {rule.url for rule in rules}
    for name in names:
        check_domain(name, length_max)
        if any(rule not in rules and rule.url in urls for rule in listener.rules_of(name)):
            raise ApiError(cloud.switches.duplicate_rule_code, f"Domain {name} already exists.")


def _check_default(listener: Listener, params: Json, rules: list[Rule]) -> None:
    heir = params.get("NewDefaultServerDomain", "")
    if heir and not listener.rules_of(heir):
        raise bad_value(f"NewDefaultServerDomain '{heir}' is not a domain of this listener.")
    is_default = any(listener.default_domain in rule.domains for rule in rules)
    if params.get("DefaultServer") is False and is_default and not heir:
        raise bad_value("NewDefaultServerDomain is required when the default domain gives up its place.")


def _rename(listener: Listener, rules: list[Rule], names: tuple[str, ...]) -> None:
    was_default = any(listener.default_domain in rule.domains for rule in rules)
    for rule in rules:
        rule.domains = names
    if was_default:
        listener.default_domain = names[0]


def _apply(
    listener: Listener, rules: list[Rule], params: Json, new: tuple[tuple[str, ...], CertificateSet | None]
) -> None:
    names, certificate = new
    for rule in rules:
        rule.certificate = certificate or rule.certificate
        rule.http2 = params.get("Http2", rule.http2)
        rule.quic = params.get("Quic", rule.quic)
    if names:
        _rename(listener, rules, names)
    if params.get("DefaultServer", False):
        listener.default_domain = rules[0].domains[0]
    elif "NewDefaultServerDomain" in params:
        listener.default_domain = params["NewDefaultServerDomain"]
