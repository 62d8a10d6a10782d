"""Certificates end to end: rotation to every Ingress that uses them, and clients that shake hands all the time."""

import json
import socket
import ssl
import threading
from functools import partial
from typing import Any

import pytest

from tests.emulators.clb.dataplane import DataPlane
from tests.system.kube import Json
from tests.system.replicas import Replica
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

A, B = "a.example.com", "b.example.com"
BY_ANNOTATION = "ingress.cloud.tencent.com/certificate"
OFFSET = 24_000


def secret(name: str, certificate: str) -> Json:
    data = {"qcloud_cert_id": certificate}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "stringData": data}


def shown(load_balancer: Json) -> dict[str, str]:
    """What each HTTPS host shows, as the cloud holds it."""
    found = {}
    for listener in load_balancer["listeners"]:
        if listener["protocol"] == "HTTPS":
            for one in listener["rules"]:
                bound = one["certificate"] or listener["certificate"]
                found[one["domains"][0]] = "+".join(sorted(bound["server_ids"]))
    return found


def put(world: World, namespace: str, name: str, certificate: str) -> None:
    """Create the Secret or give it another id."""
    made = secret(name, certificate)
    if world.kube.find("Secret", name, namespace) is None:
        world.kube.create({**made, "metadata": {"name": name, "namespace": namespace}})
    else:
        world.kube.patch("Secret", name, namespace, {"stringData": made["stringData"]})


def serve(world: World, namespace: str, name: str, *hosts: str, **spec: Any) -> str:
    made = world.kube.create(ingress(name, namespace, *(rule(host, "web") for host in hosts), **spec))
    return str(made["metadata"]["uid"])


def shows(world: World, uid: str, expected: dict[str, str]) -> None:
    world.wait(f"{uid} shows {expected}", lambda: [shown(lb) for lb in world.of(uid)] == [expected])


def test_a_rotated_secret_reaches_every_ingress_that_uses_it(world: World) -> None:
    space = world.namespace("rotation")
    world.kube.create(service("web", space, 0))
    put(world, space, "cert", "certrsa1")
    put(world, space, "other", "certrsa2")
    default = serve(world, space, "default", A, B, tls=[{"secretName": "cert"}])
    by_host = serve(world, space, "by-host", A, tls=[{"hosts": [A], "secretName": "cert"}])
    mixed = serve(world, space, "mixed", A, B, tls=[{"hosts": [A], "secretName": "cert"}, {"secretName": "other"}])
    for name in ("default", "by-host", "mixed"):
        world.ready(name, space)
    put(world, space, "cert", "certecc1")
    shows(world, default, {A: "certecc1", B: "certecc1"})
    shows(world, by_host, {A: "certecc1"})
    shows(world, mixed, {A: "certecc1", B: "certrsa2"})


def test_a_deleted_secret_is_told_at_once_to_all_and_holds_only_its_hosts(world: World) -> None:
    space = world.namespace("deleted")
    world.kube.create(service("web", space, 0))
    put(world, space, "cert", "certrsa1")
    put(world, space, "other", "certrsa2")
    entries = [{"hosts": [A], "secretName": "cert"}, {"hosts": [B], "secretName": "other"}]
    uids = {name: serve(world, space, name, A, B, tls=entries) for name in ("one", "two", "three")}
    for name in uids:
        world.ready(name, space)
    world.kube.delete("Secret", "cert", space)
    for name in uids:
        world.not_ready(name, space, "E4010")
    put(world, space, "other", "certecc1")
    for uid in uids.values():
        shows(world, uid, {A: "certrsa1", B: "certecc1"})
    put(world, space, "cert", "certrsa2")
    for name, uid in uids.items():
        shows(world, uid, {A: "certrsa2", B: "certecc1"})
        world.ready(name, space)


def test_a_certificate_that_the_cloud_refuses_is_told_with_its_code_and_the_old_one_serves(world: World) -> None:
    space = world.namespace("refused")
    world.kube.create(service("web", space, 0))
    put(world, space, "cert", "certrsa1")
    uid = serve(world, space, "web", A, tls=[{"secretName": "cert"}])
    world.ready("web", space)
    for bad, code in (("nosuch01", "E4036"), ("certca01", "E4038"), ("certexp1", "E4039")):
        put(world, space, "cert", bad)
        world.not_ready("web", space, code)
        shows(world, uid, {A: "certrsa1"})
    put(world, space, "cert", "certrsa2")
    shows(world, uid, {A: "certrsa2"})
    world.ready("web", space)


def test_certificates_by_annotation_are_served_and_rotated(world: World) -> None:
    space = world.namespace("annotated")
    world.kube.create(service("web", space, 0))

    def listed(first: str) -> dict[str, str]:
        entries = [{"hosts": [A], "qcloud_cert_id": [first]}, {"qcloud_cert_id": ["certrsa2", "certecc1"]}]
        return {BY_ANNOTATION: json.dumps(entries)}

    uid = serve(world, space, "web", A, B, annotations=listed("certrsa1"))
    world.ready("web", space)
    shows(world, uid, {A: "certrsa1", B: "certecc1+certrsa2"})
    world.kube.annotate("web", space, **listed("certecc1"))
    shows(world, uid, {A: "certecc1", B: "certecc1+certrsa2"})


class Hands:
    """Clients that shake hands for each host, one after the other, until told to stop."""

    def __init__(self, address: str, ca: str) -> None:
        self._context = ssl.create_default_context(cadata=ca)
        self._context.check_hostname = False
        self._address = address
        self.seen: dict[str, list[str]] = {A: [], B: []}
        self.failures: list[str] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(host,), name=f"hands-{host}") for host in self.seen]

    def __enter__(self) -> "Hands":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, host: str) -> None:
        while not self._stopping.is_set():
            try:
                self.seen[host].append(self.shake(host))
            except OSError as error:
                self.failures.append(f"{host}: {error!r}")
            self._stopping.wait(0.01)

    def last_was(self, host: str, certificate: str) -> bool:
        """Whether the newest client of this host was shown that one."""
        return self.seen[host][-1:] == [certificate]

    def shake(self, host: str) -> str:
        """The id of the certificate that is shown."""
        with (
            socket.create_connection((self._address, OFFSET + 443), timeout=30) as plain,
            self._context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            found: Any = secure.getpeercert()
        return str(dict(pair for part in found["subject"] for pair in part)["commonName"])


def test_no_handshake_fails_while_certificates_are_rotated() -> None:
    plane = DataPlane(OFFSET, probe_scale=0.01)
    try:
        with World(setup={"data_plane": plane, "latency": 0.05}) as world:
            world.start()
            space = world.namespace("shop")
            world.kube.create(service("web", space, 0))
            put(world, space, "cert", "certrsa1")
            put(world, space, "other", "certrsa1")
            entries = [{"hosts": [A], "secretName": "cert"}, {"hosts": [B], "secretName": "other"}]
            uid = serve(world, space, "web", A, B, tls=entries)
            world.ready("web", space)
            (lb,) = world.of(uid)
            with Hands(plane.address_of(lb["id"]), plane.ca_pem()) as hands:
                for certificates in (("certrsa2", "certrsa2"), ("certecc1", "certrsa2"), ("certrsa1", "certrsa1")):
                    for name, one in zip(("cert", "other"), certificates, strict=True):
                        put(world, space, name, one)
                    shows(world, uid, dict(zip((A, B), certificates, strict=True)))
                    for host, one in zip((A, B), certificates, strict=True):
                        world.wait(f"{host} shows {one}", partial(hands.last_was, host, one))
            assert hands.failures == []
            assert set(hands.seen[A]) == {"certrsa1", "certrsa2", "certecc1"}
            assert set(hands.seen[B]) == {"certrsa1", "certrsa2"}
            assert plane.problems == {}
    finally:
        plane.stop()


def test_the_end_of_a_certificate_is_a_metric_and_a_short_one_an_event() -> None:
    with World() as world:
        world.seed({"certificates": [{"id": "endsoon1", "end_time": "2020-01-01 08:00:00"}]})
        one = Replica(world, "one")
        try:
            one.leads()
            space = world.namespace("shop")
            world.kube.create(service("web", space, 0))
            put(world, space, "cert", "endsoon1")
            serve(world, space, "web", A, tls=[{"secretName": "cert"}])
            world.ready("web", space)
            world.said("web", space, "E4039: certificate endsoon1 has expired on 2020-01-01 00:00 UTC")
            assert one.metric("l7lb_certificate_expiry_timestamp_seconds") == 1_577_836_800
            assert world.calls()["DescribeCertificates"] == 1
            assert "DescribeCertificateDetail" not in world.calls()
            assert one.terminate() == 0
        finally:
            one.stop()


def test_without_the_right_to_read_certificates_everything_else_goes_on() -> None:
    with World() as world:
        world.fault(action="DescribeCertificates", kind="error", code="UnauthorizedOperation", count=0)
        controller = world.start()
        space = world.namespace("shop")
        world.kube.create(service("web", space, 0))
        put(world, space, "cert", "certrsa1")
        uid = serve(world, space, "web", A, tls=[{"secretName": "cert"}])
        world.ready("web", space)
        log = controller.log
        world.wait(
            "it is said", lambda: "DescribeCertificates of ssl is not allowed" in log.read_text(encoding="utf-8")
        )
        put(world, space, "cert", "certrsa2")
        shows(world, uid, {A: "certrsa2"})
