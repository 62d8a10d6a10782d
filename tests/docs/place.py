"""Where the commands of the pages are run: a cluster and an account with a running l7lb, and a folder like a checkout.

The API server, kubectl and Helm are real; the cloud is the emulator. No kubelet runs there, so `kubectl logs` and
`kubectl exec` are played: the first shows the log of the test's controller, the second runs the command here.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import yaml

from tests import envtest
from tests.docs.telling import commands
from tests.docs.ways import RELEASED, Phase, Way, way_of
from tests.house.source import ROOT
from tests.system.kube import Json
from tests.system.rights import CRD, WEBHOOK, documents
from tests.system.world import CLUSTER, KEYS, REGION, VPC, World, ingress, rule, service
from tests.tools import tool

DEFINITIONS = ROOT / "tests/chart/definitions"
LINKED = ("charts", "docs", "examples", "l7lb", "tests", "Makefile", "setup.cfg", "pyproject.toml", "README.md")
NAME = "front"
"""Of the Ingress, the Service and the pod that a reader asks about."""
TIMEOUT_S = 60.0
L7LB = """#!/bin/sh
exec {python} -m l7lb "$@"
"""
KUBECTL = """#!/bin/bash
words=" $* "
case "$words" in
*" logs "*) {kubectl} "$@" >/dev/null 2>&1; cat {log};;
*" exec "*" -- "*) while [ "$1" != -- ]; do shift; done; shift; exec "$@";;
*) exec {kubectl} "$@";;
esac
"""
POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"containers": [{"name": "web", "image": "registry.example.com/web"}]},
}


class Place:
    """While the context lasts. Without a kube-apiserver the emulator stands in, and kubectl is not run."""

    def __init__(self) -> None:
        self.real = envtest.assets() is not None
        self._stack = ExitStack()
        self._done: set[Phase] = set()
        self._run: set[str] = set()

    def __enter__(self) -> Self:
        try:
            self._raise()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._stack.close()

    def run(self, text: str, way: Way) -> tuple[int, str]:
        """How a command ended, and what it printed."""
        self._run.add(text)
        self._come_to(way.phase)
        command = self.filled(text)
        for pattern, replacement in way.instead:
            command = re.sub(pattern, replacement, command, count=1)
        if way.until:
            return self._watched(command, way.until)
        try:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=self.top, env=self._surroundings, input={"cluster": f"{CLUSTER}\n"}.get(way.answer, way.answer),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise AssertionError(f"$ {command}\nnot within {TIMEOUT_S:g} s\n{self.world.last_words()}") from None
        return done.returncode, f"$ {command}\n{done.stdout}"

    def filled(self, command: str) -> str:
        """What a reader has to fill in is filled in."""
        for pattern, value in self._values.items():
            command = re.sub(pattern, value, command)
        return command

    def _raise(self) -> None:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="l7lb-pages-")))
        flags = {"log-format": "json", "log-level": "debug"}
        self.world = self._stack.enter_context(World(real=self.real, flags=flags))
        self.kubeconfig = self.world._folder / "kubeconfig"
        self._furnish()
        self.world.start()
        self.world.ready(NAME, "shop")
        self.top = self._checkout()
        self._surroundings = self._environment()
        namespace = self.world.kube.get("Namespace", "kube-system")
        self._values: Mapping[str, str] = {
            r"--kubeconfig (\.\.\.|~/\.kube/config)": f"--kubeconfig {self.kubeconfig}",
            r"~/\.kube/config": str(self.kubeconfig),
            r"\bcls-(xxxxxxxx|\.\.\.)|\bCLUSTER_ID\b": CLUSTER,
            r"\bap-(guangzhou|\.\.\.)": REGION,
            r"vpc-xxxxxxxx": VPC,
            r"/path/to/folder": str(envtest.assets()),
            r"\b(NAME|POD)\b": NAME,
            r"\bshop/web\b": f"shop/{NAME}",
            r"\blb-0a1b2c3d\b": next(iter(self.world.load_balancers())),
            r"\$\{fpath\[1\]\}": "$HOME",
            r"\bNAMESPACE\b": "shop",
            r"\bDIGEST\b": "0123456789ab",
            r"\bUID\b|\b0f1e2d3c-\.\.\.": namespace["metadata"]["uid"],
            r" \.\.\.(?= |$)": "",
        }

    def _furnish(self) -> None:
        """What the commands of the pages ask about."""
        kube = self.world.kube
        if self.real:
            kube.create(CRD)
            for path in sorted(DEFINITIONS.glob("*.yaml")):
                kube.create(yaml.safe_load(path.read_text(encoding="utf-8")))
        self.world.namespace("shop")
        gate = {"kind": "ConfigMap", "apiVersion": "v1", "data": {"EnableIngressController": "false"}}
        kube.create({**gate, "metadata": {"name": "tke-service-controller-config", "namespace": "kube-system"}})
        for number, namespace in enumerate(("shop", "default")):
            kube.create(service(NAME, namespace, 31080 + number))
            kube.create(ingress(NAME, namespace, rule(f"{namespace}.example.com", NAME)))
            if self.real:
                kube.create({**POD, "metadata": {"name": NAME, "namespace": namespace}})

    def _come_to(self, phase: Phase) -> None:
        """What the commands of a phase find, also when a test runs alone: what those of the phase before have made."""
        if phase >= Phase.LOOKING and Phase.LOOKING not in self._done and self.real:
            for before in commands():
                way = way_of(before.text)
                if way.phase is Phase.MAKING and before.text not in self._run and can_run(before.text):
                    self.run(before.text, way)
            labels = {"app.kubernetes.io/name": "l7lb"}
            self.world.namespace("l7lb")
            self.world.kube.create({**POD, "metadata": {"name": NAME, "namespace": "l7lb", "labels": labels}})
            self.world.kube.create(_off("l7-lb-controller"))
            webhooks = [one for one in documents(WEBHOOK) if one["kind"] == "MutatingWebhookConfiguration"]
            self.world.kube.create_all(webhooks)
            self._done.add(Phase.LOOKING)
        if phase >= Phase.STOPPED and Phase.STOPPED not in self._done:
            assert self.world.controller is not None
            assert self.world.controller.terminate() == 0
            self._done.add(Phase.STOPPED)

    def _checkout(self) -> Path:
        top = self._folder / "top"
        top.mkdir()
        for name in LINKED:
            (top / name).symlink_to(ROOT / name)
        for name in ("secretId", "secretKey"):
            (top / name).write_text(KEYS["TENCENTCLOUD_SECRET_KEY"], encoding="utf-8")
        for folder in (".local/share/bash-completion/completions", ".config/fish/completions"):
            (self._folder / folder).mkdir(parents=True)
        programs = top / ".venv/bin"
        programs.mkdir(parents=True)
        assert self.world.controller is not None
        kubectl = (envtest.assets() or Path("/usr/bin")) / "kubectl"
        made = {
            "l7lb": L7LB.format(python=sys.executable),
            "kubectl": KUBECTL.format(kubectl=kubectl, log=self.world.controller.log),
            "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
        }
        for name, text in made.items():
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)
        if helm := tool("helm"):
            (programs / "helm").symlink_to(helm)
        return top

    def _environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("L7LB_", "MAKE"))},
            **KEYS,
            "PATH": f"{self.top / '.venv/bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self._folder),
            "KUBECONFIG": str(self.kubeconfig),
            "L7LB_CLUSTER_ID": CLUSTER,
            "L7LB_REGION": REGION,
            "L7LB_VPC_ID": VPC,
            "L7LB_KUBECONFIG": str(self.kubeconfig),
            "L7LB_CLB_ENDPOINT": self.world._clb.url,
            "L7LB_METRICS_BIND_ADDRESS": "127.0.0.1:0",
            "L7LB_HEALTH_PROBE_BIND_ADDRESS": "127.0.0.1:0",
        }

    def _watched(self, command: str, words: str) -> tuple[int, str]:
        """A command that goes on: until it has printed these words, then it is ended. 0: it has."""
        with subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.top, env={**self._surroundings, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as child:  # fmt: skip
            assert child.stdout is not None
            alarm = threading.Timer(TIMEOUT_S, child.kill)
            alarm.start()
            heard, found = f"$ {command}\n", False
            for line in child.stdout:
                heard += line
                if found := re.search(words, line) is not None:
                    break
            child.terminate()
            child.stdout.read()
            alarm.cancel()
        return (0 if found else 1), heard


def can_run(text: str) -> bool:
    """Whether Helm is here, or not needed."""
    return tool("helm") is not None or not RELEASED.search(text)


def _off(name: str) -> Json:
    """A Deployment without replicas: TKE's own controller, switched off."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": POD["spec"]}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": name, "namespace": "kube-system"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
