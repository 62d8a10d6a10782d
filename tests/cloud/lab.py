"""One run: the shipped command against the account, with a small API server beside it, and the bench for questions.

Whatever happens in between, what the run has made is deleted at its end.
"""

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

from tests.cloud.account import PUBLIC, TAG, Account, Json, tags_of
from tests.cloud.bench import Bench, Reach
from tests.emulators.kube.emulator import KubeEmulator
from tests.system.kube import Kube
from tests.system.world import CONDITIONS, Controller, ingress, node, service

T = TypeVar("T")

WAIT_S: Final = 600.0
NAMESPACE: Final = "shop"
HOST: Final = "e2e.example.com"
LOAD_BALANCER_ID: Final = "kubernetes.io/ingress.qcloud-loadbalance-id"


def directly(address: str, port: int) -> tuple[str, int]:
    """In the real cloud things are where they say."""
    return address, port


class Lab:
    """While the context lasts."""

    def __init__(
        self, account: Account, *, reach: Reach = directly, poll_s: float = 1.0, limit_s: float = WAIT_S
    ) -> None:
        self.account = account
        self.reach = reach
        self.cluster = account.cluster
        self._poll_s = poll_s
        self._limit_s = limit_s
        self._pause = threading.Event()
        self.controller: Controller | None = None

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._stack.callback(self.account.clean)
        try:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="l7lb-e2e-")))
            server = KubeEmulator()
            server.start()
            self._stack.callback(server.stop)
            (self._folder / "kubeconfig").write_text(server.kubeconfig(), encoding="utf-8")
            self.kube = Kube(server.url)
            self._stack.callback(self._stop)
            self._furnish()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _furnish(self) -> None:
        target = self.account.told.target
        if target is None:
            return
        instance, address, port = target
        self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.kube.create(node("node-a", address, instance))
        self.kube.create(service("web", NAMESPACE, port))

    def flags(self) -> list[str]:
        """For any command of l7lb."""
        told = self.account.told
        values = {"cluster-id": self.cluster, "region": told.region, "vpc-id": told.vpc,
                  "kubeconfig": str(self._folder / "kubeconfig"), "clb-endpoint": told.endpoint}  # fmt: skip
        return [f"--{name}={value}" for name, value in values.items() if value]

    def run(self) -> None:
        """Start `l7lb run`."""
        more = ["--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=127.0.0.1:0", "--log-format=text",
                "--class-exit-grace=0.2", "--ignore-tke-controller", f"--confirm-cluster={self.cluster}"]  # fmt: skip
        told = self.account.told
        self.controller = Controller([*self.flags(), *more], told.environment(), self._folder / "log")

    def publish(self, name: str, *paths: str) -> str:
        """An Ingress whose load balancer bears the tag of the run; its UID."""
        self.account.afford()
        told = self.account.told
        more: Json = {"Tags": [{"TagKey": TAG, "TagValue": self.account.run}]}
        if not told.subnet:
            more |= {"InternetAccessible": PUBLIC["InternetAccessible"]}
        marks = {"kubernetes.io/ingress.extensiveParameters": json.dumps(more)}
        if told.subnet:
            marks["kubernetes.io/ingress.subnetId"] = told.subnet
        made = self.kube.create(ingress(name, NAMESPACE, *_rules(paths), annotations=marks))
        return str(made["metadata"]["uid"])

    def ready(self, name: str) -> str:
        """Wait until it is; the id of its load balancer."""

        def shown() -> str:
            found = self.kube.get("Ingress", name, NAMESPACE)
            marks = found["metadata"].get("annotations") or {}
            conditions = json.loads(marks.get(CONDITIONS) or "[]")
            good = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
            return str(marks.get(LOAD_BALANCER_ID, "")) if good else ""

        return self.wait(f"Ingress {name} is ready", shown)

    def places(self, lb: str) -> set[str]:
        """`port host/path` of each rule, as the cloud shows them."""
        listeners = self.account.call("DescribeListeners", LoadBalancerId=lb)["Listeners"]
        return {f"{one['Port']} {rule['Domain']}{rule['Url']}" for one in listeners for rule in one.get("Rules") or []}

    def entry(self, lb: str) -> Json | None:
        """The load balancer as the list shows it; None when it is not listed."""
        found = self.account.call("DescribeLoadBalancers", LoadBalancerIds=[lb])["LoadBalancerSet"]
        return next(iter(found), None)

    def bench(self, *, serves: bool) -> Bench:
        """A load balancer for questions. `serves`: whether this machine reaches what load balancers serve."""
        lb = self.account.create("bench")
        entry = self.entry(lb) or {}
        address = str((entry.get("LoadBalancerVips") or [""])[0] or entry.get("LoadBalancerDomain") or "")
        return Bench(self.account, lb, self.reach, address, serves)

    def status(self, entry: Json, port: int = 80) -> int:
        """Of an answer through a load balancer; 0: there is none."""
        address = str((entry.get("LoadBalancerVips") or [""])[0] or entry.get("LoadBalancerDomain") or "")
        connection = http.client.HTTPConnection(*self.reach(address, port), timeout=10.0)
        try:
            connection.request("GET", "/", headers={"Host": HOST})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def _stop(self) -> None:
        if self.controller is not None and self.controller.process.poll() is None:
            self.controller.terminate()

    def wait(self, what: str, question: Callable[[], T]) -> T:
        """Ask until the answer is true."""
        until = time.monotonic() + self._limit_s
        while not (answer := question()):
            if time.monotonic() > until or (self.controller and self.controller.process.poll() is not None):
                words = self.controller.tail() if self.controller else ""
                raise AssertionError(f"not so: {what}\n{words}")
            self._pause.wait(self._poll_s)
        return answer


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that was seen, and how long it took."""

    id: str
    finding: str
    seconds: float

    def row(self) -> Json:
        """For the report."""
        return {"id": self.id, "question": "the life of an Ingress", "finding": self.finding, "seconds": self.seconds}


def life(lab: Lab) -> list[Stage]:
    """Built, serves, is changed, and goes, as the witness sees it. Raises AssertionError."""
    seen: list[Stage] = []
    clock = time.monotonic()

    def note(name: str, finding: str) -> None:
        nonlocal clock
        seen.append(Stage(name, finding, round(time.monotonic() - clock, 1)))
        clock = time.monotonic()

    lab.run()
    uid = lab.publish("web", "/")
    lb = lab.ready("web")
    entry = lab.entry(lb)
    assert entry is not None
    note("built", f"{lb} is ready")
    wanted = {
        "tke-createdBy-flag": "yes",
        "tke-clusterId": lab.cluster,
        "tke-lb-ingress-uuid": uid,
        TAG: lab.account.run,
    }
    tags = tags_of(entry)
    assert wanted.items() <= tags.items(), tags
    assert lab.places(lb) == {f"80 {HOST}/"}
    note("tagged", "as TKE tags them, and with the tag of the run")
    served = lab.status(entry)
    if served:
        lab.wait("it serves", lambda: lab.status(entry) == 200)
    note("serves", "200" if served else "cannot be reached from here")
    lab.kube.patch("Ingress", "web", NAMESPACE, {"spec": {"rules": list(_rules(("/", "/api")))}})
    lab.wait("the new rule is there", lambda: lab.places(lb) == {f"80 {HOST}/", f"80 {HOST}/api"})
    note("changed", "a rule more")
    lab.kube.delete("Ingress", "web", NAMESPACE)
    lab.wait("the Ingress is gone", lambda: lab.kube.find("Ingress", "web", NAMESPACE) is None)
    assert lab.entry(lb) is None
    note("gone", "the load balancer before its Ingress")
    return seen


def _rules(paths: tuple[str, ...]) -> tuple[Json, ...]:
    backends = [{"path": path, "pathType": "Prefix", "backend": BACKEND} for path in paths]
    return ({"host": HOST, "http": {"paths": backends}},)


BACKEND: Final = {"service": {"name": "web", "port": {"number": 80}}}
