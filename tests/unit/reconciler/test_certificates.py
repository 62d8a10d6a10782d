"""Certificates through whole passes: rotation, broken Secrets, refused certificates, what the console does to them."""

import json
from dataclasses import replace

import pytest

from l7lb.reconciler.refusals import AGAIN_S
from tests.emulators.clb.nouns import Certificate as Stored
from tests.simulation import manifests
from tests.simulation.checkers import Watchman
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("watchman")

SECRETS = "/api/v1/namespaces/shop/secrets/"
BY_ANNOTATION = "ingress.cloud.tencent.com/certificate"
A, B = "a.example.com", "b.example.com"


def serve(world: World, *rules: manifests.Json, **spec: object) -> None:
    world.users.create(manifests.ingress("shop", *rules, **spec))  # type: ignore[arg-type]  # passed on as they are
    world.start()
    world.settle()
    world.account.forget_calls()


def tls(**secrets: str) -> list[manifests.Json]:
    """`tls(cert="a")`: the Secret is for a.example.com; an empty text: for all others."""
    return [
        {"secretName": name, **({"hosts": [f"{host}.example.com"]} if host else {})} for name, host in secrets.items()
    ]


def rotate(world: World, certificate: str, name: str = "cert") -> None:
    world.users.update(SECRETS + name, {"stringData": {"qcloud_cert_id": certificate}})
    world.settle()


def shown(world: World) -> dict[str, str]:
    """What each host shows to a client."""
    listener = world.account.listener(443)
    return {
        rule.domains[0]: "+".join(sorted((rule.certificate or listener.certificate).server_ids))  # type: ignore[union-attr]  # one of them is there
        for rule in listener.rules.values()
    }


def writes(world: World) -> dict[str, int]:
    return dict(world.account.writes())


def test_rotation_of_a_default_certificate_is_one_write(world: World, watchman: Watchman) -> None:
    serve(world, manifests.rule(A), manifests.rule(B), tls="cert")
    rotate(world, "certrsa2")
    assert shown(world) == {A: "certrsa2", B: "certrsa2"}
    assert writes(world) == {"ModifyListener": 1}
    watchman.check_rest()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("nosuch01", "E4036"),
        ("certexp1", "E4039"),
        ("certca01", "E4038"),
        ("revoked1", "E4012"),
        ("short", "E4035"),
        ("", "E4011"),
    ],
    ids=["unknown", "expired", "wrong type", "not usable", "malformed", "none"],
)
def test_a_certificate_that_cannot_be_used_leaves_the_old_one_serving_and_the_rest_is_done(
    world: World, bad: str, code: str
) -> None:
    world.account.emulator.world.certificates["revoked1"] = Stored("revoked1", status=10)
    serve(world, manifests.rule(A), tls="cert")
    world.users.update(SECRETS + "cert", {"stringData": {"qcloud_cert_id": bad}})
    world.users.rules(manifests.rule(A, "/", "/more"))
    world.settle()
    assert shown(world) == {A: "certrsa1"}
    assert world.account.paths(443) == {f"{A}/", f"{A}/more"}
    assert code in world.users.ingress().why
    rotate(world, "certrsa2")
    assert shown(world) == {A: "certrsa2"}
    assert world.users.ingress().is_ready


def test_a_refused_certificate_is_not_asked_for_again_by_every_pass(world: World) -> None:
    serve(world, manifests.rule(A), tls="cert")
    rotate(world, "nosuch01")
    assert writes(world) == {"ModifyListener": 1}
    world.users.patch({"metadata": {"labels": {"seen": "again"}, "annotations": {"note": "edited"}}})
    world.settle()
    assert writes(world) == {"ModifyListener": 1}
    world.run_for(301.0)
    world.live().verify()
    world.settle()
    assert writes(world) == {"ModifyListener": 2}
    assert shown(world) == {A: "certrsa1"}


def test_a_refused_certificate_of_one_host_holds_no_other_host(world: World) -> None:
    world.users.create(manifests.secret("other", "certrsa1"))
    world.users.create(manifests.ingress("shop", manifests.rule(A), manifests.rule(B)))
    world.users.patch({"spec": {"tls": tls(cert="a", other="b")}})
    world.start()
    world.settle()
    world.users.update(SECRETS + "cert", {"stringData": {"qcloud_cert_id": "nosuch01"}})
    world.users.update(SECRETS + "other", {"stringData": {"qcloud_cert_id": "certrsa2"}})
    world.settle()
    assert shown(world) == {A: "certrsa1", B: "certrsa2"}
    assert "nosuch01" in world.users.ingress().why
    assert A in world.users.ingress().why


def test_a_certificate_that_expires_while_it_is_shown_keeps_its_host_and_a_new_path_does_not_loop(world: World) -> None:
    world.users.create(manifests.secret("other", "certrsa2"))
    world.users.create(manifests.ingress("shop", manifests.rule(A), manifests.rule(B)))
    world.users.patch({"spec": {"tls": tls(cert="a", other="b")}})
    world.start()
    world.settle()
    shelf = world.account.emulator.world.certificates
    shelf["certrsa1"] = replace(shelf["certrsa1"], status=3)
    world.account.forget_calls()
    world.users.rules(manifests.rule(A, "/", "/more"), manifests.rule(B, "/", "/more"))
    world.settle()
    assert shown(world) == {A: "certrsa1", B: "certrsa2"}
    assert world.account.paths(443) == {f"{A}/", f"{B}/", f"{B}/more"}
    assert "E4039" in world.users.ingress().why
    assert writes(world)["CreateRule"] < 6


def test_a_new_host_never_shows_the_certificate_that_its_own_was_to_replace(world: World) -> None:
    serve(world, manifests.rule(A), tls="cert")
    world.users.update(SECRETS + "cert", {"stringData": {"qcloud_cert_id": "nosuch01"}})
    world.users.rules(manifests.rule(A), manifests.rule(B))
    world.settle()
    assert shown(world) == {A: "certrsa1"}
    rotate(world, "certrsa2")
    assert shown(world) == {A: "certrsa2", B: "certrsa2"}


def test_a_host_goes_on_while_the_one_that_is_to_replace_it_has_a_refused_certificate(world: World) -> None:
    world.users.create(manifests.secret("bad", "nosuch01"))
    serve(world, manifests.rule(A), tls="cert")
    world.users.patch({"spec": {"tls": tls(cert="a", bad="b"), "rules": [manifests.rule(B)]}})
    world.settle()
    assert shown(world) == {A: "certrsa1"}
    assert "E4036" in world.users.ingress().why


@pytest.mark.parametrize("how", ["deleted", "broken"])
def test_a_secret_that_goes_is_noticed_at_once_and_holds_only_its_hosts(world: World, how: str) -> None:
    world.users.create(manifests.secret("other", "certrsa2"))
    world.users.create(manifests.ingress("shop", manifests.rule(A), manifests.rule(B)))
    world.users.patch({"spec": {"tls": tls(cert="a", other="b")}})
    world.start()
    world.settle()
    if how == "deleted":
        world.users.remove(SECRETS + "cert")
    else:
        world.users.update(SECRETS + "cert", {"stringData": {"qcloud_cert_id": "no id at all"}})
    world.settle()
    assert ("E4010" if how == "deleted" else "E4035") in world.users.ingress().why
    rotate(world, "certecc1", "other")
    assert shown(world) == {A: "certrsa1", B: "certecc1"}


def test_what_the_console_did_to_a_certificate_is_put_back(world: World, watchman: Watchman) -> None:
    serve(world, manifests.rule(A), tls="cert")
    lb = world.account.lb()
    world.account.edit("update_listener", lb.id, listener="HTTPS:443", fields={"certificate": "certrsa2"})
    world.live().verify()
    world.settle()
    assert shown(world) == {A: "certrsa1"}
    watchman.check_rest()


def test_the_annotation_serves_rotates_and_goes(world: World, watchman: Watchman) -> None:
    def listed(*entries: tuple[str, str]) -> str:
        return json.dumps([{"hosts": [host], "qcloud_cert_id": [one]} for host, one in entries])

    rules = (manifests.rule(A), manifests.rule(B))
    serve(world, *rules, annotations={BY_ANNOTATION: listed((A, "certrsa1"), (B, "certrsa1"))})
    assert shown(world) == {A: "certrsa1", B: "certrsa1"}
    world.users.patch({"metadata": {"annotations": {BY_ANNOTATION: listed((A, "certrsa2"), (B, "certrsa1"))}}})
    world.settle()
    assert shown(world) == {A: "certrsa2", B: "certrsa1"}
    assert writes(world) == {"ModifyDomainAttributes": 1}
    watchman.check_rest()


def test_the_annotation_beside_spec_tls_leaves_https_as_it_is(world: World) -> None:
    serve(world, manifests.rule(A), tls="cert")
    text = json.dumps([{"qcloud_cert_id": ["certrsa2"]}])
    world.users.patch({"metadata": {"annotations": {BY_ANNOTATION: text}}})
    world.settle()
    assert shown(world) == {A: "certrsa1"}
    assert writes(world) == {}
    assert "TwoSourcesOfCertificates" in world.users.ingress().why
    world.users.patch({"spec": {"tls": None}})
    world.settle()
    assert shown(world) == {A: "certrsa2"}


def test_an_edit_that_waits_for_a_refused_certificate_needs_nobodys_approval_when_it_is_tried_again(
    world: World, watchman: Watchman
) -> None:
    serve(world, manifests.rule(A, *(f"/{number}" for number in range(8))))
    world.account.seed(certificates=[{"id": "inreview", "status": 0}])
    world.users.create(manifests.secret("cert2", "inreview"))
    world.users.patch({"spec": {"tls": [{"secretName": "cert2"}]}})
    world.settle()
    said = world.users.ingress().why
    world.clock.advance(AGAIN_S + 1.0)
    world.users.remove("/api/v1/nodes/node-b")
    world.settle()
    assert world.users.ingress().why.partition("RequestId")[0] == said.partition("RequestId")[0]
    world.start()
    world.settle()
    assert len(world.account.paths(80)) == 8
    world.account.seed(certificates=[{"id": "inreview", "status": 1}])
    world.clock.advance(AGAIN_S + 1.0)
    world.live().verify()
    world.settle()
    assert shown(world) == {A: "inreview"}
    assert [item.port for item in world.account.lb().listeners.values()] == [443]
    watchman.check_rest()


@pytest.mark.parametrize("bad", ["nowhere1", "expired1"])
def test_a_port_does_not_change_its_protocol_for_a_certificate_that_cannot_be_used(world: World, bad: str) -> None:
    world.account.seed(certificates=[{"id": "expired1", "status": 3}])
    world.users.create(manifests.secret("bad", bad))
    listen = "ingress.cloud.tencent.com/listen-ports"
    serve(world, manifests.rule(A), annotations={listen: '[{"HTTP": 8443}]'})
    world.users.patch(
        {
            "metadata": {"annotations": {listen: '[{"HTTPS": 8443}]'}},
            "spec": {"tls": [{"secretName": "bad"}]},
        }
    )
    world.run(60.0)
    assert [(item.protocol, item.port) for item in world.account.lb().listeners.values()] == [("HTTP", 8443)]
    assert "DeleteLoadBalancerListeners" not in world.account.calls()
    assert len(world.account.targets(8443)) == 2
    rotate(world, "certrsa1", "bad")
    assert [(item.protocol, item.port) for item in world.account.lb().listeners.values()] == [("HTTPS", 8443)]
    assert len(world.account.targets(8443)) == 2
