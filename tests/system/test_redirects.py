"""Redirects as a client meets them: the command, both emulators, and requests over real sockets."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.emulators.clb.dataplane import DataPlane
from tests.system.world import World, ingress, rule, service

pytestmark = pytest.mark.system

NAMESPACE = "moved"
ON = {
    "ingress.cloud.tencent.com/listen-ports": '[{"HTTP":80},{"HTTPS":443}]',
    "ingress.cloud.tencent.com/auto-rewrite": "true",
}
CODES = "ingress.cloud.tencent.com/auto-rewrite-code"
MOVED = {
    "kubernetes.io/ingress.rule-mix": "true",
    "ingress.cloud.tencent.com/rewrite-support": "true",
    "kubernetes.io/ingress.http-rules": (
        '[{"host":"c.example.com","path":"/new","backend":{"serviceName":"web","servicePort":"80"}},'
        '{"host":"c.example.com","path":"/old","rewrite":{"port":80,"host":"c.example.com","path":"/new"}}]'
    ),
    "kubernetes.io/ingress.https-rules": "null",
}


def free_offset() -> int:
    """So that 80 and 443 of this test meet nobody."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port % 20000 + 20000


@pytest.fixture(scope="module")
def plane() -> Iterator[DataPlane]:
    with DataPlane(free_offset(), probe_scale=0.01) as running:
        yield running


@pytest.fixture(scope="module")
def world(plane: DataPlane) -> Iterator[World]:
    with World(setup={"data_plane": plane}) as running:
        running.start()
        running.leads()
        running.namespace(NAMESPACE)
        running.kube.create(service("web", NAMESPACE, 31080))
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cert", "namespace": NAMESPACE}}
        running.kube.create({**secret, "type": "Opaque", "stringData": {"qcloud_cert_id": "certrsa1"}})
        yield running


def answer(world: World, plane: DataPlane, name: str, host: str, path: str) -> tuple[int, str]:
    """Status and Location that a client of HTTP:80 gets."""
    seen = world.kube.get("Ingress", name, NAMESPACE)
    (lb,) = world.of(seen["metadata"]["uid"])
    connection = http.client.HTTPConnection(plane.address_of(lb["id"]), plane.port_of(80), timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host})
        got = connection.getresponse()
        return got.status, got.getheader("Location", "")
    finally:
        connection.close()


def test_clients_of_http_are_sent_to_https_with_the_declared_code(world: World, plane: DataPlane) -> None:
    both = [rule("a.example.com", "web"), rule("b.example.com", "web", "/v1")]
    codes = {CODES: '{"defaultRewriteCode":301,"rewriteCodeInfos":[{"host":"b.example.com","rewriteCode":307}]}'}
    made = ingress("auto", NAMESPACE, *both, annotations={**ON, **codes}, tls=[{"secretName": "cert"}])
    world.kube.create(made)
    world.ready("auto", NAMESPACE)
    secure = plane.port_of(443)
    assert answer(world, plane, "auto", "a.example.com", "/x?q=1") == (301, f"https://a.example.com:{secure}/x?q=1")
    assert answer(world, plane, "auto", "b.example.com", "/v1/y") == (307, f"https://b.example.com:{secure}/v1/y")

    world.kube.annotate("auto", NAMESPACE, **{CODES: '{"defaultRewriteCode":302}'})

    expected = (302, f"https://a.example.com:{secure}/")
    world.wait("the code is another", lambda: answer(world, plane, "auto", "a.example.com", "/") == expected)


def test_clients_of_a_moved_path_are_sent_to_the_new_one(world: World, plane: DataPlane) -> None:
    world.kube.create(ingress("manual", NAMESPACE, rule("c.example.com", "web", "/new"), annotations=MOVED))
    world.ready("manual", NAMESPACE)
    expected = (302, f"http://c.example.com:{plane.port_of(80)}/new")
    assert answer(world, plane, "manual", "c.example.com", "/old/page") == expected
