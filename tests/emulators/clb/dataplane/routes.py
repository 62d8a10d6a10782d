"""From a listener and a request line to a decision: forward, or answer at once. Pure; one index per listener."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tests.emulators.clb.dataplane.hosts import HostIndex, bare_host, index_hosts, match_host
from tests.emulators.clb.dataplane.redirects import redirect_location, slash_location
from tests.emulators.clb.dataplane.urls import AddSlash, Matched, NoMatch, UrlIndex, index_urls, match_url, plain_path
from tests.emulators.clb.dataplane.views import LbView, ListenerView, RuleView


@dataclass(frozen=True, slots=True)
class Forward:
    """One target of this rule gets the request."""

    rule: RuleView


@dataclass(frozen=True, slots=True)
class Answer:
    """The load balancer answers by itself; ``location`` is empty unless it redirects."""

    status: int
    location: str = ""
    rule: RuleView | None = None


Decision: TypeAlias = Forward | Answer


@dataclass(frozen=True, slots=True)
class ListenerRoutes:
    """A listener made ready for matching. ``default_domain`` is None only when there is no rule."""

    lb: LbView
    listener: ListenerView
    hosts: HostIndex
    urls: Mapping[str, UrlIndex]
    rules: Mapping[tuple[str, str], RuleView]
    certificates: Mapping[str, str]
    default_domain: str | None


def compile_listener(lb: LbView, listener: ListenerView) -> ListenerRoutes:
    """Index a listener. Raises ``ValueError`` for an expression that does not compile."""
    urls: dict[str, list[str]] = {}
    rules: dict[tuple[str, str], RuleView] = {}
    certificates: dict[str, str] = {}
    for rule in listener.rules:
        urls.setdefault(rule.domain, []).append(rule.url)
        rules.setdefault((rule.domain, rule.url), rule)
        if rule.certificate_id is not None:
            certificates.setdefault(rule.domain, rule.certificate_id)
    marked = (rule.domain for rule in listener.rules if rule.default_server)
    # CreateRule page: a listener with rules always has a default domain; unless told, the oldest.
    default = next(marked, next(iter(urls), None))
    indexes = {domain: index_urls(paths) for domain, paths in urls.items()}
    return ListenerRoutes(lb, listener, index_hosts(urls), indexes, rules, certificates, default)


def route(routes: ListenerRoutes, host_header: str, request_uri: str, port_offset: int = 0) -> Decision:
    """What becomes of a request. ``request_uri`` is path and query as the client sent them."""
    host = bare_host(host_header)
    domain = match_host(host, routes.hosts) or routes.default_domain
    if domain is None:
        return Answer(404)
    try:
        path = plain_path(request_uri.partition("?")[0])
    except ValueError:
        return Answer(400)
    match match_url(path, routes.urls[domain]):
        case NoMatch():
            return Answer(404)
        case AddSlash(url):
            scheme = routes.listener.protocol.lower()
            location = slash_location(scheme, host_header, request_uri)
            return Answer(301, location, routes.rules[domain, url])
        case Matched(url):
            rule = routes.rules[domain, url]
            if rule.redirect is None:
                return Forward(rule)
            location = redirect_location(rule.redirect, host, request_uri, port_offset)
            return Answer(rule.redirect.code, location, rule)


def certificate_for(routes: ListenerRoutes, server_name: str | None) -> str | None:
    """The id of the certificate to show.

    With SNI on, each domain has its own and the default domain's is shown to everybody else (CreateListener page);
    without, the listener has one. None: there is nothing to show and the handshake fails.
    """
    if not routes.listener.sni:
        return routes.listener.certificate_id
    domain = match_host(bare_host(server_name), routes.hosts) if server_name else None
    chosen = routes.certificates.get(domain) if domain is not None else None
    if chosen is None and routes.default_domain is not None:
        chosen = routes.certificates.get(routes.default_domain)
    return chosen or routes.listener.certificate_id


def served_names(routes: ListenerRoutes) -> Mapping[str, set[str]]:
    """Certificate id -> domains that it is shown for, and the load balancer's address."""
    names: dict[str, set[str]] = {}
    for rule in routes.listener.rules:
        shown = (rule.certificate_id if routes.listener.sni else None) or routes.listener.certificate_id
        if shown is not None:
            names.setdefault(shown, {routes.lb.vip}).add(rule.domain)
    if routes.listener.certificate_id is not None:
        names.setdefault(routes.listener.certificate_id, {routes.lb.vip})
    return names
