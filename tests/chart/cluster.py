"""A cluster with a release of the chart, and what a kubelet and the controllers of Kubernetes would do there.

The API server and Helm are real. Nothing runs pods: a test starts the command of the Deployment as a child process,
with the environment and the account that the chart gives it, and so it is done with the Job of a hook.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.chart.rendering import CHART, RELEASE, Json, helm, render
from tests.system.kube import Refused
from tests.system.rights import kubeconfig_of_the_account, shortened
from tests.system.world import CLUSTER, KEYS, REGION, VPC, Controller, World

DEFINITIONS = Path(__file__).parent / "definitions"
NAMESPACE = RELEASE
VALUES: Json = {
    "clusterId": CLUSTER, "region": REGION, "vpcId": VPC, "image": {"repository": "registry.example.com/l7lb"},
    "credentialsSecret": "l7lb-credentials",
}  # fmt: skip
POLL_S = 0.2
HOOK_S = 120.0


@dataclass
class Uninstalled:
    """How `helm uninstall` ended, and what the Job of its hook said."""

    code: int
    helm: str
    job: str


@dataclass
class Cluster:
    """Release, product and cloud."""

    world: World
    folder: Path
    chart: Path = CHART
    package: Path = field(init=False)

    def __post_init__(self) -> None:
        self.package = shortened(self.folder / "product")
        keys = self.folder / "keys"
        keys.mkdir()
        (keys / "secretId").write_text(KEYS["TENCENTCLOUD_SECRET_ID"], encoding="utf-8")
        (keys / "secretKey").write_text(KEYS["TENCENTCLOUD_SECRET_KEY"], encoding="utf-8")

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig."""
        return self.world._folder / "kubeconfig"

    def helm(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command in the namespace of the release; must succeed."""
        done = self.try_helm(*arguments)
        assert done.returncode == 0, done.stderr
        return done

    def try_helm(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The same; may fail."""
        home = {"HOME": str(self.folder)}  # where what the API server says is kept between commands
        return helm(*arguments, f"--namespace={NAMESPACE}", f"--kubeconfig={self.admin}", environment=home)

    def install(self, verb: str = "install", **values: Any) -> str:
        """Install or upgrade with these values beside the least; what Helm prints."""
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump({**VALUES, **values}), encoding="utf-8")
        return self.helm(verb, RELEASE, str(self.chart), f"--values={file}").stdout

    def deployment(self) -> Json:
        """As it is in the cluster."""
        return self.world.kube.get("Deployment", RELEASE, NAMESPACE)

    def replicas(self) -> int:
        """As the Deployment asks for."""
        return int(self.deployment()["spec"]["replicas"])

    def start(self, *more: str) -> None:
        """The command of the Deployment, under the account of its pods."""
        (container,) = self.deployment()["spec"]["template"]["spec"]["containers"]
        environment, arguments = self._process(container)
        here = ["--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0", "--log-format=text"]
        log = self.world._folder / "controller.log"
        self.world.controller = Controller([*arguments[1:], *here, *more], environment, log, self.package)

    def _process(self, container: Json) -> tuple[dict[str, str], list[str]]:
        """Environment and arguments of a container, with the addresses of the tests."""
        account = kubeconfig_of_the_account(self.world, self.admin)
        given = {one["name"]: one["value"] for one in container["env"]}
        here = [f"--kubeconfig={account}", f"--clb-endpoint={self.world._clb.url}"]
        return given, [*container["args"], *here, f"--credentials=file:{self.folder / 'keys'}"]

    def uninstall(self) -> Uninstalled:
        """`helm uninstall`, with the Job of its hook."""
        return self.attended(lambda: self.try_helm("uninstall", RELEASE, "--timeout=2m"))

    def attended(self, command: "Callable[[], subprocess.CompletedProcess[str]]") -> Uninstalled:
        """A command that waits for the Job of a hook."""
        ended: list[subprocess.CompletedProcess[str]] = []
        thread = threading.Thread(target=lambda: ended.append(command()))
        thread.start()
        said = ""
        try:
            job = self.world.wait("the hook's Job is there", lambda: self._job() or not thread.is_alive(), HOOK_S)
            if isinstance(job, dict):
                said = self._play(job)
        finally:
            thread.join(HOOK_S)
        (done,) = ended
        return Uninstalled(done.returncode, done.stdout + done.stderr, said)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`l7lb ARGUMENTS` in a pod of the Deployment."""
        (container,) = self.deployment()["spec"]["template"]["spec"]["containers"]
        environment, (_, *given) = self._process(container)
        here = [one for one in given if not one.startswith("--readiness-webhook")]
        return subprocess.run(
            [sys.executable, "-m", "l7lb", *arguments, *here], capture_output=True, text=True, timeout=HOOK_S,
            env={**os.environ, **environment, "PYTHONPATH": str(self.package)}, cwd=self.package, check=False,
        )  # fmt: skip

    def _job(self) -> Json | None:
        path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
        jobs = [one for one in self.world.kube._send("GET", path)["items"] if not one["status"].get("conditions")]
        return jobs[0] if jobs else None

    def _play(self, job: Json) -> str:
        """Run its container, scale the controller when it is told to, and say how it ended."""
        (container,) = job["spec"]["template"]["spec"]["containers"]
        environment, arguments = self._process(container)
        log = self.folder / "leave.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "l7lb", *arguments], stdout=sink, stderr=sink,
                env={**os.environ, **environment, "PYTHONPATH": str(self.package)}, cwd=self.package,
            )  # fmt: skip
        try:
            self._attend(process)
        finally:
            process.kill()
            process.wait()
        kind = "Complete" if process.returncode == 0 else "Failed"
        status = {"conditions": [{"type": kind, "status": "True"}]}
        path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{job['metadata']['name']}/status"
        self.world.kube._send("PATCH", path, {"status": status}, "application/merge-patch+json")
        return log.read_text(encoding="utf-8")

    def _attend(self, process: "subprocess.Popen[bytes]") -> None:
        pause = threading.Event()
        for _ in range(int(HOOK_S / POLL_S)):
            if process.poll() is not None:
                return
            controller = self.world.controller
            if controller is not None and self.replicas() == 0:
                assert controller.terminate() == 0
                self.world.controller = None
            pause.wait(POLL_S)
        raise AssertionError("the hook does not come to its end")


def define(world: World) -> None:
    """The kinds of the Prometheus Operator."""
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        world.kube.create(yaml.safe_load(file.read_text(encoding="utf-8")))
    for kind in ("servicemonitors", "podmonitors", "prometheusrules"):
        world.wait(f"{kind} are served", partial(_answers, world, f"/apis/monitoring.coreos.com/v1/{kind}"))


def _answers(world: World, path: str) -> bool:
    try:
        world.kube._send("GET", path)
    except Refused:
        return False
    return True


def webhook_at(world: World, client: Json) -> Json:
    """How the API server reaches the webhook, changed: nothing routes to Services here. What it was before."""
    name = "l7lb-readiness-gate"
    (hook,) = world.kube.get("MutatingWebhookConfiguration", name)["webhooks"]
    before: Json = hook["clientConfig"]
    world.kube.patch("MutatingWebhookConfiguration", name, "", {"webhooks": [{**hook, "clientConfig": client}]})
    return before


def rendered(**values: Any) -> list[Json]:
    """What the release of these values is made of, hooks included."""
    return render("--values=-", values=(), stdin=yaml.safe_dump({**VALUES, **values}))
