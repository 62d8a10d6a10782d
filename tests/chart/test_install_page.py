"""The page on installing: each of its commands is run, in its order, with the real Helm and kubectl.

Nothing runs pods here, so what is asked of pods is asked of child processes with the environment and the account of the
Deployment, and the work of Kubernetes' own controllers is done by the test.
"""

import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import envtest
from tests.chart.cluster import NAMESPACE, Cluster
from tests.chart.rendering import RELEASE, ROOT, Json
from tests.system.world import CLUSTER, KEYS, VPC, World
from tests.tools import needs, tool

pytestmark = [pytest.mark.system, pytest.mark.envtest, needs("helm"), pytest.mark.timeout(300)]

PAGE = ROOT / "docs/install.md"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
IN_A_POD = f"kubectl -n {NAMESPACE} exec deployment/{RELEASE} -- l7lb "


def commands() -> list[str]:
    text = PAGE.read_text(encoding="utf-8").replace("cls-xxxxxxxx", CLUSTER).replace("vpc-xxxxxxxx", VPC)
    return [
        line.strip() for block in BLOCK.findall(text) for line in block.replace("\\\n", "").splitlines() if line.strip()
    ]


@dataclass
class Story:
    """What each command said, by its text."""

    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    gone: bool = False


@dataclass
class Reader:
    """Somebody who types what the page says."""

    cluster: Cluster
    place: Path

    def __post_init__(self) -> None:
        programs = self.place / "bin"
        programs.mkdir()
        assets, helm = envtest.assets(), tool("helm")
        assert assets is not None
        assert helm is not None
        (programs / "kubectl").symlink_to(assets / "kubectl")
        (programs / "helm").symlink_to(helm)
        (self.place / "charts").symlink_to(ROOT / "charts")
        (self.place / "secretId").write_text(KEYS["TENCENTCLOUD_SECRET_ID"] + "\n", encoding="utf-8")
        (self.place / "secretKey").write_text(KEYS["TENCENTCLOUD_SECRET_KEY"] + "\n", encoding="utf-8")

    def type(self, command: str) -> tuple[int, str]:
        """Exit code, and what was printed."""
        world = self.cluster.world
        if command.startswith(IN_A_POD):
            done = self.cluster.run(*shlex.split(command.removeprefix(IN_A_POD)))
            return done.returncode, done.stdout + done.stderr
        if "rollout status" in command:
            self._deployed()
            self.cluster.start()
            world.leads()
        if command.startswith("kubectl get ingress web"):
            world.ready("web", "default")
            command = command.removesuffix(" --watch")
        if command.startswith("helm uninstall"):
            ended = self.cluster.attended(lambda: self._shell(command))
            return ended.code, ended.helm + ended.job
        done = self._shell(command)
        return done.returncode, done.stdout + done.stderr

    def _shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}", "KUBECONFIG": str(self.cluster.admin),
            "HOME": str(self.place),
        }  # fmt: skip
        return subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            timeout=120.0,
            check=False,
            cwd=self.place,
            env=environment,
        )

    def _deployed(self) -> None:
        """As the controllers of Deployments, and kubelets, would have it."""
        kube, found = self.cluster.world.kube, self.cluster.deployment()
        count = found["spec"]["replicas"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
        status: Json = {"observedGeneration": found["metadata"]["generation"], **counts}
        kube.patch("Deployment", RELEASE, NAMESPACE, {"status": status}, part="status")
        ready = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
        for number in range(count):
            name = f"{RELEASE}-{number}"
            meta = {"name": name, "namespace": NAMESPACE, "labels": found["spec"]["template"]["metadata"]["labels"]}
            image = found["spec"]["template"]["spec"]["containers"][0]["image"]
            spec = {"nodeName": f"node-{'ab'[number]}", "containers": [{"name": "l7lb", "image": image}]}
            kube.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
            kube.patch("Pod", name, NAMESPACE, ready, part="status")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    if envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    seen = Story()
    with World(real=True) as world:
        reader = Reader(Cluster(world, tmp_path_factory.mktemp("chart")), tmp_path_factory.mktemp("reader"))
        for command in commands():
            seen.said[command] = reader.type(command)
            if command == "kubectl delete ingress web":
                seen.gone = not world.load_balancers()
    return seen


def test_each_command_of_the_page_does_what_it_is_for(story: Story) -> None:
    assert len(story.said) > 12
    assert {command: said for command, said in story.said.items() if said[0] != 0} == {}


def test_the_ingress_of_the_page_gets_an_address(story: Story) -> None:
    (said,) = [text for command, (_, text) in story.said.items() if command.startswith("kubectl get ingress web")]
    assert re.search(r"^web +qcloud +shop\.example\.com +127\.", said, re.MULTILINE)


def test_its_load_balancer_goes_with_it(story: Story) -> None:
    assert story.gone


def test_in_the_end_nothing_is_installed(story: Story) -> None:
    assert f'release "{RELEASE}" uninstalled' in story.said[f"helm uninstall {RELEASE} --namespace {NAMESPACE}"][1]
