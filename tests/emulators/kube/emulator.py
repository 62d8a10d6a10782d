"""An API server in one object: `handle(request)` answers, `start()` puts a socket in front of it.

Authentication, the request log and faults are here; what a request does is in `dispatch`.
"""

import random
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import yaml

from tests.emulators.kube import control, dispatch, targets
from tests.emulators.kube.faults import Hang
from tests.emulators.kube.refusals import ApiError
from tests.emulators.kube.server import KubeServer, Tls
from tests.emulators.kube.storage import Storage
from tests.emulators.kube.targets import Target
from tests.emulators.kube.wire import ConnectionLost, Json, Request, Response, answer, copied
from tests.emulators.kube.world import World

BOOTSTRAP = (
    *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
      for name in ("default", "kube-system", "kube-public", "kube-node-lease")),
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
     "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443}]}},
)  # fmt: skip
HEALTH = ("/healthz", "/livez", "/readyz")


class KubeEmulator:
    """The whole emulator. The same seed, clock and requests give the same answers, byte for byte."""

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        compact_after: int = 10_000,
        token: str = "",
        tls: Tls | None = None,
    ) -> None:
        self.world = World(clock, random.Random(seed), Storage(compact_after))
        self.controls = control.Controls(self.world)
        self._token = token
        self._server = KubeServer(self.handle, tls)
        for obj in BOOTSTRAP:
            self.create(copied(obj))
        self.controls.log.clear()

    def create(self, obj: Json) -> Json:
        """Create an object from its manifest, as kubectl would; the stored object comes back."""
        request = Request.of("POST", self._place_of(obj), obj, {"User-Agent": "kube-apiserver", **self._credentials()})
        response = self.handle(request)
        if response.status != 201:
            raise AssertionError(response.body.decode())
        return response.json()

    def _place_of(self, obj: Json) -> str:
        group, _, version = obj["apiVersion"].rpartition("/")
        kind = next(k for k in self.world.catalog if (k.group, k.version, k.name) == (group, version, obj["kind"]))
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        space = f"/namespaces/{obj['metadata'].get('namespace', 'default')}" if kind.namespaced else ""
        return f"{root}{space}/{kind.plural}"

    def _credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def handle(self, request: Request) -> Response:
        """Answer one request.

        Raises `ConnectionLost`, `Hang` or `ConnectionRefusedError` where a fault wants no answer.
        """
        if request.path.startswith(control.PREFIX):
            return self._guarded(self.controls.respond, request)
        with self.world.storage.changed:
            return self._answered(request)

    def _answered(self, request: Request) -> Response:
        if self.world.time() < self.controls.out_until:
            raise ConnectionRefusedError
        target = targets.parse(self.world.catalog, request.path)
        verb = dispatch.verb_of(request, target)
        resource = dispatch.resource_of(target) if target else request.path
        line: Json = {"at": self.world.stamp(), "verb": verb, "resource": resource, "path": request.path,
                      "query": dict(request.query), "agent": request.headers.get("user-agent", ""),
                      "time": self.world.time(), "peer": request.peer}  # fmt: skip
        self.controls.log.note(line)
        fault = self.controls.faults.take(verb, resource) if target else None
        name = target.name if target else ""

        def respond(asked: Request) -> Response:
            if fault:
                fault.strike(resource, name)
            return self._let_in(asked, target, verb)

        response = self._guarded(respond, request)
        line["status"] = response.status
        if fault and fault.kind == "lost":
            raise ConnectionLost
        return response

    def _guarded(self, respond: Callable[[Request], Response], request: Request) -> Response:
        try:
            with self.world.storage.changed:
                return respond(request)
        except ApiError as error:
            response = answer(error.status(), error.code)
            if seconds := (error.details or {}).get("retryAfterSeconds"):
                response.headers["Retry-After"] = str(seconds)
            return response
        except (ConnectionError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001  (a bug of ours must reach the one who asks, and be seen)
            traceback.print_exc()
            told = f"bug in the emulator: {traceback.format_exc(limit=-1)}"
            return answer(ApiError(500, told, "InternalError").status(), 500)

    def _let_in(self, request: Request, target: Target | None, verb: str) -> Response:
        if request.path.startswith(HEALTH):
            return Response(200, b"ok", {"Content-Type": "text/plain; charset=utf-8"})
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            raise ApiError(401, "Unauthorized")
        return dispatch.routed(self.world, request, target, verb)

    def start(self, port: int = 0, host: str = "127.0.0.1") -> Self:
        """Listen on a loopback port, 0 for any; returns when connections are taken."""
        self.controls.on_outage = self._server.outage
        self._server.start(host, port)
        return self

    def stop(self) -> None:
        """Stop listening, end all watches and connections."""
        self._server.stop()
        self.world.storage.end_watches()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def kubeconfig(self) -> str:
        """A kubeconfig that leads here, as YAML."""
        cluster: Json = {"server": self.url}
        if self._server.tls:
            cluster["certificate-authority-data"] = self._server.tls.authority_data()
        user: Json = {"token": self._token} if self._token else {}
        return yaml.safe_dump({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "emulator", "cluster": cluster}],
            "users": [{"name": "emulator", "user": user}],
            "contexts": [{"name": "emulator", "context": {"cluster": "emulator", "user": "emulator"}}],
            "current-context": "emulator",
        })  # fmt: skip

    def write_kubeconfig(self, path: Path) -> None:
        """The kubeconfig as a file."""
        path.write_text(self.kubeconfig(), encoding="utf-8")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


__all__ = ["ConnectionLost", "Hang", "KubeEmulator", "Request", "Response"]
