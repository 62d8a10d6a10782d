"""The manifests for a real cluster give the rights that the command uses: no fewer, and no more.

On a kube-apiserver the command runs under exactly these rights, and the server's audit log says what it asked for.
"""

import base64
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import envtest, launcher
from tests.system.access import Access, Requests, Right, access_of, requests_of, rights_in, unused
from tests.system.conftest import SERVERS
from tests.system.kube import Json
from tests.system.rights import COMMANDS, WEBHOOK, documents, furnish, grant, kubeconfig_of_the_account, live, shortened
from tests.system.world import CLUSTER, KEYS, REGION, VPC, World, ingress, rule, service

ACCOUNTS = "system:serviceaccount:l7lb:"
WORN_OUT = base64.b64encode(b"no certificate").decode()
CONTENDED = Access("get", "networking.k8s.io", "ingresses")
"""Only when somebody edits the Ingress between a command's list and its patch."""


INSIDE = (["status"], ["tree"], ["explain", "shop/web"], ["plan"], ["audit"], ["adopt", "--dry-run"], ["doctor"])
"""What the docs run in the pod of l7lb, with its account and its flags."""


@dataclass
class Life:
    """What the command asked for while it did everything that it can do, and the rights that it is given."""

    requests: Requests
    rights: list[Right]


@pytest.fixture(scope="module", params=SERVERS)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Two replicas one after the other: the second finds certificate, records and Lease of the first."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    package = shortened(tmp_path_factory.mktemp("product"))
    return on_a_server(package) if request.param else on_the_emulator(package)


def on_a_server(package: Path) -> Life:
    with World(real=True, audited=True) as world:
        assert world.plane is not None
        given = [*documents(), *documents(WEBHOOK)]
        where = free_address()
        grant(world, [reached_at(document, f"https://{where}/") for document in given])
        furnish(world)
        account = kubeconfig_of_the_account(world, world._folder / "kubeconfig")
        webhook = {"readiness-webhook": "l7lb/l7lb-webhook", "readiness-webhook-bind-address": where}
        for number in range(2):
            _wear_out_the_certificate(world)
            controller = world.start(package=package, kubeconfig=str(account), **webhook)
            live(world, f"rights-{number}")
            world.wait("its certificate is good", lambda: _certificate(world) not in ("", WORN_OUT))
            assert controller.terminate() == 0
        return Life(requests_of(world.plane.audit(), f"{ACCOUNTS}l7lb"), rights_in(given))


def on_the_emulator(package: Path) -> Life:
    """It refuses nobody, and calls no webhooks."""
    with World() as world:
        assert world.kube_emulator is not None
        furnish(world)
        controller = world.start(package=package)
        live(world, "rights")
        assert controller.terminate() == 0
        lines = [line for line in world.kube_emulator.controls.log.lines if line["agent"].startswith("l7lb/")]
    return Life(Requests(frozenset(access_of(line) for line in lines)), rights_in(documents()))


def _certificate(world: World) -> str:
    """Of the webhook; empty: there is none."""
    found = world.kube.find("Secret", "l7lb-webhook", "l7lb")
    return str(found["data"]["tls.crt"]) if found else ""


def _wear_out_the_certificate(world: World) -> None:
    """If there is one: it is to be made anew."""
    if _certificate(world):
        world.kube.patch("Secret", "l7lb-webhook", "l7lb", {"data": {"tls.crt": WORN_OUT}})


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def reached_at(document: Json, url: str) -> Json:
    """A webhook's configuration with an address in place of the Service: nothing routes to Services here."""
    for hook in document.get("webhooks", ()):
        hook["clientConfig"] = {"url": url}
    return document


def test_nothing_is_refused(life: Life) -> None:
    assert life.requests.denied == ()


def test_everything_that_is_asked_for_is_allowed(life: Life) -> None:
    asked = sorted(life.requests.asked)
    assert len(asked) > 30
    assert [access for access in asked if not any(right.allows(access) for right in life.rights)] == []


def test_nothing_is_allowed_that_is_not_asked_for(life: Life) -> None:
    assert unused(life.rights, life.requests.asked) == []


@pytest.fixture(scope="module")
def commands() -> dict[str, Requests]:
    """What each account of the commands asked for, while a cluster was looked at, taken over and released."""
    if envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=True, audited=True) as world:
        assert world.plane is not None
        grant(world, [*documents(), *documents(COMMANDS)])
        furnish(world)
        world.namespace("shop")
        world.kube.create(service("web", "shop", 0))
        world.kube.create(ingress("web", "shop", rule("web.example.com", "web")))
        world.start()
        world.ready("web", "shop")
        assert world.controller is not None
        assert world.controller.terminate() == 0
        for account, arguments in (
            ("l7lb-look", ["plan"]),
            ("l7lb-look", ["status"]),
            ("l7lb-look", ["tree"]),
            ("l7lb-look", ["explain", "shop/web"]),
            ("l7lb-look", ["audit", "--collect-orphans"]),
            ("l7lb-look", ["adopt", "--dry-run"]),
            ("l7lb-release", ["release", "--all", "--yes"]),
            ("l7lb-adopt", ["adopt", "--apply"]),
        ):
            # Each writer finds no Lease first, and its own at the second time.
            world.kube.delete("Lease", f"l7lb-{CLUSTER}", "kube-system")
            _run(world, account, arguments)
            _run(world, account, arguments)
        for arguments in INSIDE:
            _run(world, "l7lb", arguments)
        lines = world.plane.audit()
        names = ("l7lb-look", "l7lb-adopt", "l7lb-release", "l7lb")
        return {name: requests_of(lines, f"{ACCOUNTS}{name}") for name in names}


def _run(world: World, account: str, arguments: list[str]) -> None:
    kubeconfig = kubeconfig_of_the_account(world, world._folder / "kubeconfig", account)
    flags = {"cluster-id": CLUSTER, "region": REGION, "vpc-id": VPC, "kubeconfig": str(kubeconfig)}
    given = [*arguments, f"--clb-endpoint={world._clb.url}", *(f"--{name}={value}" for name, value in flags.items())]
    done = launcher.run(given, env={**os.environ, **KEYS}, timeout=90)
    # Nobody leads: whoever asks how it stands is told so.
    expected = 2 if arguments[0] in ("status", "explain", "doctor") else 0
    assert done.returncode == expected, f"{arguments}: {done.stdout}{done.stderr}"


def rights_of(account: str) -> list[Right]:
    """By the bindings of the manifest."""
    made = documents(COMMANDS)
    bound = {
        (one["roleRef"]["kind"], one["roleRef"]["name"])
        for one in made
        if one["kind"].endswith("Binding") and account in {subject["name"] for subject in one["subjects"]}
    }
    return rights_in(one for one in made if (one["kind"], one["metadata"]["name"]) in bound)


@pytest.mark.system
@pytest.mark.envtest
@pytest.mark.parametrize("account", ["l7lb-look", "l7lb-adopt", "l7lb-release"])
def test_a_command_has_the_rights_that_it_uses_and_no_others(commands: dict[str, Requests], account: str) -> None:
    requests, rights = commands[account], rights_of(account)
    assert requests.denied == ()
    assert [one for one in sorted(requests.asked) if not any(right.allows(one) for right in rights)] == []
    assert unused(rights, requests.asked | {CONTENDED}) == []


@pytest.mark.system
@pytest.mark.envtest
def test_no_command_is_refused_anything_in_the_pod_of_the_controller(commands: dict[str, Requests]) -> None:
    assert len(commands["l7lb"].asked) > 10
    assert commands["l7lb"].denied == ()
