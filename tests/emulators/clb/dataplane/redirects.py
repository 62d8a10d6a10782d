"""Where a redirect points. Pure: text in, text out."""

from tests.emulators.clb.dataplane.hosts import is_concrete
from tests.emulators.clb.dataplane.urls import split_modifier
from tests.emulators.clb.dataplane.views import RedirectView

_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirect_location(redirect: RedirectView, host: str, request_uri: str, port_offset: int) -> str:
    """The Location of a redirect rule (ManualRewrite page).

    ``host`` is the client's bare host: it stands in when the target domain is a wildcard or an expression.
    ``request_uri`` is the client's path and query. The port named is the one that the emulator really serves.
    """
    scheme = redirect.protocol.lower()
    domain = redirect.domain if is_concrete(redirect.domain) else host
    modifier, text = split_modifier(redirect.url)
    keeps_uri = redirect.take_url or modifier in ("~", "~*") or not text
    return origin(scheme, domain, redirect.port + port_offset) + (request_uri if keeps_uri else text)


def slash_location(scheme: str, host_header: str, request_uri: str) -> str:
    """The Location of the 301 that adds the missing final slash; the query is kept."""
    path, question, query = request_uri.partition("?")
    return f"{scheme}://{host_header}{path}/{question}{query}"


def origin(scheme: str, host: str, port: int) -> str:
    """``scheme://host``, with the port unless it is the scheme's own."""
    return f"{scheme}://{host}" + ("" if port == _DEFAULT_PORTS.get(scheme) else f":{port}")
