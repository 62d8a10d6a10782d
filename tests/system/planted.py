"""Secrets that can be recognised, planted wherever the product is given one, and the search for them."""

import base64
import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import trustme
import urllib3
import yaml

from tests import launcher
from tests.emulators.clb.signature import Secret
from tests.fixtures.policy import allowed
from tests.otlp import Receiver, receiver
from tests.system.kube import Json
from tests.system.world import CLUSTER, KEYS, REGION, VPC, World, ingress, rule, service

DEBUG = {
    "log-level": "debug",
    "readiness-webhook": "l7lb/l7lb-webhook",
    "readiness-webhook-bind-address": "127.0.0.1:0",
}
WINDOW = 16
"""So many characters of a secret in a row are a leak."""
CLOUD_KEY, SESSION_TOKEN = "cLoUdKeY0nE2wO3tHrEe4fOuR5fIvE6s", "sEsSiOn7sEvEn8eIgHt9nInE0tEn1eLeVeN2tWeLvE"
BEARER, PASSWORD = "bEaReR3tHiRtEeN4fOuRtEeN5fIfTeEn", "pAsSwOrD6sIxTeEn7sEvEnTeEn8"
RECEIVER_TOKEN = "tRaCeS9eIgHtEeN0nInEtEeN1tWeNtYoNe"
KEY_ID = "-----BEGIN PRIVATE KEY----- cErTiDpLaCe9nInEtEeN0tWeNtY"


@dataclass
class Scene:
    """What was planted, and what was printed and written while it was handled."""

    planted: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    traces: Receiver = field(default_factory=Receiver)

    def found(self) -> list[str]:
        """Which secret shows in which output."""
        return [
            f"{secret} in {output}"
            for secret, value in self.planted.items()
            for output, text in self.outputs.items()
            if shows(text, value)
        ]


def shows(text: str, secret: str) -> bool:
    """Whether a good part of the secret is in the text, as it is or in an encoding that anybody can undo."""
    return any(
        form[start : start + WINDOW] in text for form in _forms(secret) for start in range(len(form) - WINDOW + 1)
    )


def _forms(secret: str) -> Iterator[str]:
    lines = [line for line in secret.splitlines() if not line.startswith("-----") or len(line) > 40]
    for part in (*lines, secret if len(lines) == 1 else ""):
        raw = part.encode()
        yield from (part, quote(part, safe=""), raw.hex())
        # The first characters of base64 depend on what stands before.
        yield from (base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3))


def keys() -> dict[str, str]:
    """The environment with planted keys."""
    return {
        "TENCENTCLOUD_SECRET_ID": KEYS["TENCENTCLOUD_SECRET_ID"],
        "TENCENTCLOUD_SECRET_KEY": CLOUD_KEY,
        "TENCENTCLOUD_TOKEN": SESSION_TOKEN,
    }


def secrets() -> dict[str, Secret]:
    """What the emulated cloud expects of them."""
    return {KEYS["TENCENTCLOUD_SECRET_ID"]: Secret(CLOUD_KEY, token=SESSION_TOKEN, allowed=allowed())}


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[tuple[World, Scene]]:
    """A world in which everything secret is planted; nothing is checked at its end but by the caller."""
    scene = Scene()
    issued = trustme.CA().issue_cert("client")
    client_key = issued.private_key_pem.bytes().decode()
    scene.planted = {
        "the cloud's key": CLOUD_KEY, "the session token": SESSION_TOKEN, "the bearer token": BEARER,
        "the receiver's token": RECEIVER_TOKEN,
        "the client's key": client_key, "a password in a Secret": PASSWORD, "a key in the place of an id": KEY_ID,
    }  # fmt: skip
    environment = {
        **keys(), "TMPDIR": str(folder), "NO_PROXY": "127.0.0.1",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{RECEIVER_TOKEN}",
    }  # fmt: skip
    with (
        receiver() as traces,
        World(setup={"secrets": secrets()}, keys=environment, flags={**DEBUG, "otlp-endpoint": traces.url}) as world,
    ):
        scene.traces = traces
        kubeconfig = world._folder / "kubeconfig"
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        document["users"][0]["user"] = {
            "token": BEARER,
            "client-certificate-data": base64.b64encode(chain).decode(),
            "client-key-data": base64.b64encode(client_key.encode()).decode(),
        }
        kubeconfig.write_text(yaml.safe_dump(document), encoding="utf-8")
        world.seed({"certificates": [{"id": "certrsa1", "names": ["a.example.com"]}]})
        _furnish(world, scene, client_key)
        yield world, scene
        world.controller = None  # what it said is the caller's business, also when it was made to crash


def _furnish(world: World, scene: Scene, key: str) -> None:
    world.namespace("shop")
    world.namespace("l7lb")
    world.kube.create(service("web", "shop", 0))
    scene.planted["a TLS key in a Secret"] = key
    for name, certificate in (("cert", "certrsa1"), ("misplaced", KEY_ID)):
        data = {"qcloud_cert_id": certificate, "tls.key": key, "password": PASSWORD}
        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}
        meta = {"name": name, "namespace": "shop"}
        world.kube.create({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": meta, "data": encoded})


def publish(world: World, name: str, secret: str) -> None:
    """An Ingress with a certificate."""
    entry = {"hosts": ["a.example.com"], "secretName": secret}
    world.kube.create(ingress(name, "shop", rule("a.example.com", "web"), tls=[entry]))


def run(world: World, *arguments: str) -> str:
    """Everything that a command prints."""
    flags: Mapping[str, str] = {
        "cluster-id": CLUSTER, "region": REGION, "vpc-id": VPC,
        "kubeconfig": str(world._folder / "kubeconfig"), "clb-endpoint": world._clb.url,
    }  # fmt: skip
    given = [*arguments, *(f"--{name}={value}" for name, value in flags.items())]
    done = launcher.run(given, env={**os.environ, **world.keys}, timeout=90)
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}"


def collect(world: World, scene: Scene, folder: Path) -> None:
    """Everything that the product has printed, served and written by now."""
    assert world.controller is not None
    log = world.controller.log.read_text(encoding="utf-8", errors="replace")
    scene.outputs["its log"] = log
    for what, path in (("metrics", "/metrics"), ("probes", "/healthz"), ("probes", "/readyz")):
        where = log.partition(f"serving {what} on ")[2].split("\n")[0].split('"')[0].split(" ")[0]
        if where:
            answer = urllib3.request("GET", f"http://{where}{path}", retries=False, timeout=30.0)
            scene.outputs[path] = answer.data.decode()
    where = log.partition("serving the console on ")[2].split("\n")[0].split('"')[0].split(" ")[0]
    for path in ("/", "/index.json", "/plans.json", *_pages(world)) if where else ():
        scene.outputs[f"console {path}"] = urllib3.request("GET", f"http://{where}{path}", retries=False).data.decode()
    for kind in ("Ingress", "Event", "Lease", "ConfigMap", "Pod", "Service"):
        scene.outputs[f"objects of kind {kind}"] = json.dumps(world.kube.all(kind))
    scene.outputs["the cloud"] = repr(world.cloud.state) + repr([entry["request"] for entry in world.cloud.calls.log])
    stop(world)
    scene.outputs["its log"] = world.controller.log.read_text(encoding="utf-8", errors="replace")
    scene.outputs["its traces"] = "\n".join(map(str, scene.traces.requests))
    left = [path for path in folder.rglob("*") if path.is_file()]
    scene.outputs["files left behind"] = "\n".join(path.read_text("utf-8", "replace") for path in left)


def _pages(world: World) -> list[str]:
    """Of every Ingress, and of every load balancer."""
    names = [one["metadata"] for one in world.kube.all("Ingress")]
    balancers = [f"/balancers/{one['region']}/{lb}.json" for lb, one in world.load_balancers().items()]
    return [f"/ingresses/{one['namespace']}/{one['name']}.json" for one in names] + balancers


def stop(world: World) -> None:
    """Whatever it ends with."""
    if world.controller is not None and world.controller.process.poll() is None:
        world.controller.terminate()


def webhook_key(world: World) -> str:
    """The private key that the product made for its webhook; empty: none yet."""
    found: Json | None = world.kube.find("Secret", "l7lb-webhook", "l7lb")
    return base64.b64decode(found["data"]["tls.key"]).decode() if found else ""
