"""A cluster, an account and the controller between them: what every end-to-end test stands on.

The cloud emulator runs in this process, so that tests can look at its state and counters directly. The controller is
always the shipped command in a process of its own.
"""

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from tests import envtest
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer
from tests.emulators.kube.emulator import KubeEmulator
from tests.fixtures.policy import limited
from tests.launcher import Launched
from tests.system.kube import Json, Kube

T = TypeVar("T")

CLUSTER = "cls-9mfq2k1t"
REGION = "ap-guangzhou"
VPC = "vpc-4hd8w0pn"
WAIT_S = 60.0
LOOK_EVERY_S = 0.1
"""Between two looks of a test that waits: each costs milliseconds of a machine that others wait for too."""
NODES = {"node-a": ("127.10.0.1", "ins-0000000a"), "node-b": ("127.10.0.2", "ins-0000000b")}
KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDEMULATOR", "TENCENTCLOUD_SECRET_KEY": "emulator-secret-key"}
CONDITIONS = "ingress.cloud.tencent.com/status.conditions"
LOAD_BALANCER_ID = "kubernetes.io/ingress.qcloud-loadbalance-id"
FINALIZER = "l7lb.dev/load-balancer"


class Controller:
    """`l7lb run` as a child process; its log is kept for the message of a failing test."""

    def __init__(
        self, arguments: list[str], environment: Mapping[str, str], log: Path, package: Path | None = None
    ) -> None:
        self.log = log
        with log.open("ab") as sink:
            self.process = Launched(
                ["run", *arguments],
                stdout=sink,
                stderr=sink,
                env={**os.environ, **environment, **({"PYTHONPATH": str(package)} if package else {})},
                cwd=package,
            )

    def terminate(self, timeout_s: float = 30.0) -> int:
        """SIGTERM; the exit code. One that does not end is killed."""
        self.process.terminate()
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL: dies in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()

    def tail(self, lines: int = int(os.environ.get("L7LB_TEST_TAIL", "40"))) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@dataclass
class World:
    """While the context lasts. `real`: a kube-apiserver instead of the emulator."""

    real: bool = False
    audited: bool = False
    """With `real`: the API server keeps an audit log (`plane.audit`)."""
    flags: Mapping[str, str] = field(default_factory=dict)
    setup: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, tuple[str, str]] = field(default_factory=lambda: NODES)
    """Name -> address and instance id."""
    keys: Mapping[str, str] = field(default_factory=lambda: KEYS)
    """The environment of the controller."""
    kube_emulator: KubeEmulator | None = None
    plane: envtest.ControlPlane | None = None
    controller: Controller | None = None
    pace_s: float = 0.0
    """So many seconds the cloud's clock is moved on at each look of a waiting test."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        try:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="l7lb-")))
            # Whatever the product calls beyond the documented policy is refused.
            self.cloud = ClbEmulator(**{"latency": "fast", "secrets": limited(KEYS), **self.setup})
            self._clb = self._stack.enter_context(ClbServer(self.cloud))
            self.kube = self._cluster()
            self._furnish()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            code = 0
            if self.controller is not None and self.controller.process.poll() is None:
                code = self.controller.terminate()
            if kind is None:
                self._check_promises(code)
        finally:
            self._stack.close()

    def _check_promises(self, code: int) -> None:
        """What holds in every world, whatever its tests were about."""
        assert code == 0, self.last_words()
        state = self.cloud.state
        assert state["forbidden"] == []
        assert state["defects"] == []
        log = self.controller.log.read_text(encoding="utf-8") if self.controller is not None else ""
        assert ": internal error: " not in log, self.last_words()
        assert "Traceback" not in log, self.last_words()
        assert KEYS["TENCENTCLOUD_SECRET_KEY"] not in log

    def start(self, *, package: Path | None = None, **flags: str) -> Controller:
        """Start the controller; `flags` by field name. `package`: the folder of a changed copy of the product."""
        values = {
            "cluster-id": CLUSTER,
            "region": REGION,
            "vpc-id": VPC,
            "kubeconfig": str(self._folder / "kubeconfig"),
            "clb-endpoint": self._clb.url,
            "metrics-bind-address": "127.0.0.1:0",
            "health-probe-bind-address": "127.0.0.1:0",
            "class-exit-grace": "0.2",
            "log-format": "text",
            **self.flags,
            **{name.replace("_", "-"): value for name, value in flags.items()},
        }
        arguments = [f"--{name}={value}" if value else f"--{name}" for name, value in values.items()]
        self.controller = Controller(arguments, self.keys, self._folder / "controller.log", package)
        return self.controller

    def leads(self, count: int = 1) -> None:
        """Wait until a controller has taken the lead for the `count`th time, with caches and quotas read."""
        assert self.controller is not None
        log = self.controller.log
        self.wait("a controller leads", lambda: log.read_text(encoding="utf-8").count(": leading cluster=") >= count)

    def crash(self) -> None:
        """Kill the controller where it stands; as an operator would, set its Lease aside."""
        assert self.controller is not None
        self.controller.kill()
        self.kube.delete("Lease", f"l7lb-{CLUSTER}", "kube-system")

    def wait(self, what: str, question: Callable[[], T], timeout_s: float = WAIT_S) -> T:
        """Ask until the answer is true; fails with the controller's last words."""
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while not (answer := question()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s:g} s: {what}\n{self.last_words()}")
            if self.controller is not None and (code := self.controller.process.poll()) is not None:
                ended = f"the controller has ended with {code} while waiting for: {what}"
                raise AssertionError(f"{ended}\n{self.last_words()}")
            if self.pace_s:
                self.cloud.advance(self.pace_s)
            pause.wait(0.05 if self.pace_s else LOOK_EVERY_S)
        return answer

    def last_words(self) -> str:
        """The end of the controller's log."""
        return self.controller.tail() if self.controller is not None else "(no controller)"

    def namespace(self, name: str) -> str:
        """Made if it is not there."""
        if self.kube.find("Namespace", name) is None:
            self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def condition(self, name: str, namespace: str) -> Json | None:
        """The Ready condition of an Ingress, once it has one."""
        return _ready_condition(self.kube.find("Ingress", name, namespace) or {})

    def ready(self, name: str, namespace: str) -> Json:
        """Wait until it is ready and shows an address; the object."""

        def shown() -> Json | None:
            found = self.kube.get("Ingress", name, namespace)
            address = ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress")
            return found if address and (_ready_condition(found) or {}).get("status") == "True" else None

        found = self.wait(f"Ingress {namespace}/{name} is ready", shown)
        assert found is not None
        return found

    def not_ready(self, name: str, namespace: str, code: str) -> str:
        """Wait until its condition says why not, with this code or reason; `Reason: message`."""

        def said() -> str:
            condition = self.condition(name, namespace) or {}
            message = f"{condition.get('reason', '')}: {condition.get('message', '')}"
            return message if condition.get("status") == "False" and code in message else ""

        return self.wait(f"Ingress {namespace}/{name} says {code}", said)

    def said(self, name: str, namespace: str, words: str) -> str:
        """Wait for an Event about an object that has these words; the whole Event."""

        def heard() -> str:
            return next((event for event in self.kube.events(name, namespace) if words in event), "")

        return self.wait(f"an Event about {namespace}/{name} says {words}", heard)

    def gone(self, name: str, namespace: str, timeout_s: float = WAIT_S) -> None:
        """Delete it and wait until it is gone."""
        self.kube.delete("Ingress", name, namespace)
        self.wait(
            f"Ingress {namespace}/{name} is gone", lambda: not self.kube.find("Ingress", name, namespace), timeout_s
        )

    def load_balancers(self) -> dict[str, Json]:
        """By id, as the cloud has them."""
        return {one["id"]: one for one in self.cloud.state["load_balancers"]}

    def of(self, uid: str) -> list[Json]:
        """Load balancers that bear this Ingress's tag."""
        return [one for one in self.load_balancers().values() if one["tags"].get("tke-lb-ingress-uuid") == uid]

    def calls(self) -> dict[str, int]:
        """Calls by action since the last reset."""
        return dict(self.cloud.calls.counts)

    def _cluster(self) -> Kube:
        kubeconfig = self._folder / "kubeconfig"
        if self.real:
            folder = envtest.assets()
            assert folder is not None
            plane = self.plane = self._stack.enter_context(envtest.ControlPlane(folder, audited=self.audited))
            kubeconfig.write_text(plane.kubeconfig(), encoding="utf-8")
            kube = Kube(plane.url, plane.headers, plane.ca)
            self.namespaces_of(kube)
            return kube
        self.kube_emulator = KubeEmulator()
        self.kube_emulator.start()
        self._stack.callback(self.kube_emulator.stop)
        kubeconfig.write_text(self.kube_emulator.kubeconfig(), encoding="utf-8")
        return Kube(self.kube_emulator.url)

    def namespaces_of(self, kube: Kube) -> None:
        """kube-system comes a moment after readiness on a real server."""
        self.wait("kube-system is there", lambda: kube.find("Namespace", "kube-system"))

    def _furnish(self) -> None:
        """Nodes, and the instances behind them."""
        self.join(self.nodes)

    def join(self, nodes: Mapping[str, tuple[str, str]]) -> None:
        """Nodes come, each on an instance of the account."""
        self.seed({"instances": [{"id": instance, "ip": address} for address, instance in nodes.values()]})
        for name, (address, instance) in nodes.items():
            self.kube.create(node(name, address, instance))

    def seed(self, world: Json) -> Json:
        """Prepare the account without calls: load balancers of others, certificates, quotas."""
        return self._control("POST", "seed-world", world)

    def console(self, **edit: Any) -> Json:
        """An edit by hand in the cloud's console."""
        return self._control("POST", "console", edit)

    def fault(self, **fault: Any) -> Json:
        """Make the cloud misbehave."""
        return self._control("POST", "faults", fault)

    def mend(self) -> None:
        """The cloud behaves again."""
        self._control("DELETE", "faults", {})

    def _control(self, method: str, endpoint: str, body: Json) -> Json:
        answer = self.kube._pool.request(method, f"{self._clb.url}/_emulator/{endpoint}", body=json.dumps(body))
        assert answer.status == 200, answer.data
        found: Json = json.loads(answer.data)
        return found


def _ready_condition(found: Json) -> Json | None:
    """Of this very version of an Ingress: another read may show a later one."""
    text = (found.get("metadata", {}).get("annotations") or {}).get(CONDITIONS)
    conditions: list[Json] = json.loads(text) if text else []
    return next((one for one in conditions if one["type"] == "Ready"), None)


def node(name: str, address: str, instance: str) -> Json:
    """A node that is ready."""
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"providerID": f"tencentcloud://{instance}"},
        "status": {"addresses": [{"type": "InternalIP", "address": address}], "conditions": [ready]},
    }


def tree(load_balancer: Json) -> dict[str, dict[str, list[int]]]:
    """`{"HTTP:80": {"host/path": [ports of targets]}}`; a rule of the load balancer's own address has no host."""
    own = (load_balancer["vip"], load_balancer["domain"])
    return {
        f"{listener['protocol']}:{listener['port']}": {
            ("" if rule["domains"][0] in own else rule["domains"][0]) + rule["url"]: sorted(
                target["port"] for target in rule["targets"]
            )
            for rule in listener["rules"]
        }
        for listener in load_balancer["listeners"]
    }


def service(name: str, namespace: str, node_port: int, **spec: Any) -> Json:
    """A Service behind a NodePort."""
    port = {"port": 80, "targetPort": 8080, **({"nodePort": node_port} if node_port else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "NodePort", "selector": {"app": name}, "ports": [port], **spec},
    }


def rule(host: str | None, backend: str, path: str = "/", path_type: str = "Prefix") -> Json:
    """One rule with one path."""
    target = {"service": {"name": backend, "port": {"number": 80}}}
    made: Json = {"http": {"paths": [{"path": path, "pathType": path_type, "backend": target}]}}
    return {"host": host, **made} if host else made


def ingress(name: str, namespace: str, *rules: Json, annotations: Mapping[str, str] | None = None, **spec: Any) -> Json:
    """An Ingress; without annotations it has no class, which is ours."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(annotations or {})},
        "spec": {"rules": list(rules), **spec},
    }
