"""HTTPS listeners: which certificate is shown, and that clients can verify it."""

import http.client
import ssl

import pytest

from tests.contract.dataplane.support import (
    HTTPS_PORT,
    WAIT_S,
    Client,
    new_vip,
    rule,
    shown_certificate,
    targets,
)
from tests.emulators.backends import Backend
from tests.emulators.clb.dataplane import DataPlane
from tests.emulators.clb.dataplane.views import LbView, ListenerView


def _https(vip: str, *rules: object, **settings: object) -> LbView:
    listener = ListenerView("lbl-https", "HTTPS", 443, rules=rules, **settings)  # type: ignore[arg-type]  # at run time
    return LbView("lb-1", vip, (listener,))


def _fetch(plane: DataPlane, vip: str, host: str) -> bytes:
    """A request by a client that verifies name and chain, as curl with ``--resolve`` does."""
    context = ssl.create_default_context(cadata=plane.ca_pem())
    connection = http.client.HTTPSConnection(host, HTTPS_PORT, timeout=WAIT_S, context=context)
    create = connection._create_connection  # type: ignore[attr-defined]  # the only way to name the address
    connection._create_connection = lambda _, *rest: create((vip, HTTPS_PORT), *rest)  # type: ignore[attr-defined]
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_verifying_client_gets_its_answer_over_tls(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        plane.apply(
            [_https(vip, rule("r", "shop.example.com", "/", targets(backend.address)), certificate_id="cert-1")]
        )
        assert _fetch(plane, vip, "shop.example.com").startswith(b"name=web-1 ")
        assert _fetch(plane, vip, vip).startswith(b"name=web-1 ")
        assert backend.requests[-1].headers["x-forwarded-proto"] == "https"
    with pytest.raises(ssl.SSLCertVerificationError):
        _fetch(plane, vip, "other.example.com")


def test_sni_shows_each_domain_its_certificate_and_the_default_one_to_others(plane: DataPlane, vip: str) -> None:
    plane.apply(
        [
            _https(
                vip,
                rule("r1", "a.example.com", certificate_id="cert-a"),
                rule("r2", "*.example.org", certificate_id="cert-org"),
                rule("r3", "c.example.com", certificate_id="cert-c", default_server=True),
                sni=True,
            )
        ]
    )
    asked = ("a.example.com", "x.y.example.org", "c.example.com", "nobody.net", None)
    assert [shown_certificate(plane, vip, name) for name in asked] == [
        "cert-a",
        "cert-org",
        "cert-c",
        "cert-c",
        "cert-c",
    ]


def test_without_sni_the_listeners_certificate_is_shown_to_all(plane: DataPlane, vip: str) -> None:
    plane.apply([_https(vip, rule("r1", "a.example.com"), rule("r2", "b.example.com"), certificate_id="cert-1")])
    assert {shown_certificate(plane, vip, name) for name in ("a.example.com", "nobody.net", None)} == {"cert-1"}


def test_new_certificate_is_shown_to_new_connections_and_kept_ones_go_on(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        bound = targets(backend.address)
        plane.apply([_https(vip, rule("r", "shop.example.com", "/", bound), certificate_id="cert-old")])
        context = ssl.create_default_context(cadata=plane.ca_pem())
        with Client(vip) as client:
            client.connection = http.client.HTTPSConnection(vip, HTTPS_PORT, timeout=WAIT_S, context=context)
            assert client.get().name == "web-1"
            before = client.connection.sock
            plane.apply([_https(vip, rule("r", "shop.example.com", "/", bound), certificate_id="cert-new")])
            assert client.get().name == "web-1"
            assert client.connection.sock is before
        assert shown_certificate(plane, vip, "shop.example.com") == "cert-new"


def test_listener_without_any_certificate_fails_the_handshake_and_nothing_else(plane: DataPlane, vip: str) -> None:
    plane.apply([_https(vip, rule("r", "a.example.com"), sni=True)])
    with pytest.raises(ssl.SSLError):
        shown_certificate(plane, vip, "a.example.com")
    plane.apply([_https(vip, rule("r", "a.example.com", certificate_id="cert-a"), sni=True)])
    assert shown_certificate(plane, vip, "a.example.com") == "cert-a"


def test_one_certificate_may_serve_several_load_balancers(plane: DataPlane, vip: str) -> None:
    other = new_vip()
    first = _https(vip, rule("r", "a.example.com"), certificate_id="cert-1")
    second = LbView("lb-2", other, (ListenerView("l", "HTTPS", 443, "cert-1", rules=(rule("r", "~^b"),)),))
    plane.apply([first, second])
    assert shown_certificate(plane, vip, "a.example.com") == shown_certificate(plane, other, "b.x") == "cert-1"


def test_protocol_of_a_listener_may_change_at_its_address(plane: DataPlane, vip: str) -> None:
    with Backend("web-1") as backend:
        served = rule("r", "a", "/", targets(backend.address))
        plane.apply([_https(vip, served, certificate_id="cert-1")])
        assert shown_certificate(plane, vip, None) == "cert-1"
        plane.apply([LbView("lb-1", vip, (ListenerView("l2", "HTTP", 443, rules=(served,)),))])
        with Client(vip, HTTPS_PORT) as client:
            assert client.get().name == "web-1"
