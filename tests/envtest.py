"""A real control plane for contract tests: etcd and kube-apiserver from KUBEBUILDER_ASSETS, on loopback.

Nothing else of a cluster runs: no controllers, no nodes. The admission plugin that wants service account
tokens is off.
"""

import base64
import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import trustme
import urllib3
import yaml

DEFAULT_ASSETS = "/usr/local/kubebuilder/bin"
SERVICE_NETWORK = "10.96.0.0/16"
TOKEN = "envtest-admin"
START_S_MAX = 60.0
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
STOP_S_MAX = 10.0
ATTEMPTS_MAX = 3
GARBAGE = "400"
"""Percent of what is in use: memory for a fifth of the CPU of a start, of which the suite has dozens."""


def assets() -> Path | None:
    """The folder that holds both programs, if there is one."""
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS") or DEFAULT_ASSETS)
    found = all((folder / name).is_file() for name in ("etcd", "kube-apiserver"))
    return folder if found else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class ControlPlane:
    """etcd and kube-apiserver, while the context lasts. Everybody with the token is an administrator."""

    folder: Path
    token: str = TOKEN
    audited: bool = False
    """Whether `audit` will hold a line for each request."""
    url: str = ""
    ca: Path = Path()
    _work: tempfile.TemporaryDirectory[str] | None = None
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        for attempt in range(ATTEMPTS_MAX):
            self._work = tempfile.TemporaryDirectory(prefix="envtest-")
            try:
                self._start(Path(self._work.name))
            except RuntimeError:
                # Between choosing a free port and opening it somebody else may have taken it.
                self.__exit__()
                if attempt == ATTEMPTS_MAX - 1:
                    raise
            except BaseException:
                self.__exit__()
                raise
            else:
                break
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        if self._work:
            self._work.cleanup()

    def _start(self, work: Path) -> None:
        self.ca, certificate, key = _make_certificates(work)
        (work / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n", encoding="utf-8")
        etcd = f"http://127.0.0.1:{_free_port()}"
        peers = f"http://127.0.0.1:{_free_port()}"
        self._run(
            work,
            "etcd",
            f"--data-dir={work / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )
        port = _free_port()
        self.url = f"https://127.0.0.1:{port}"
        self._run(
            work,
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--cert-dir={work / 'certs'}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={work / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--allow-privileged",
            "--disable-admission-plugins=ServiceAccount",
            "--endpoint-reconciler-type=none",
            *self._audit_flags(work),
        )
        self._wait_until_ready(work)

    def _audit_flags(self, work: Path) -> list[str]:
        if not self.audited:
            return []
        policy = work / "audit-policy.yaml"
        policy.write_text(AUDIT_POLICY, encoding="utf-8")
        # The log is written before the answer leaves, so that a line is there when its request has been answered.
        return [
            f"--audit-policy-file={policy}", f"--audit-log-path={self._audit_log}", "--audit-log-mode=blocking-strict"
        ]  # fmt: skip

    def _run(self, work: Path, program: str, *arguments: str) -> None:
        log: IO[bytes]
        with (work / f"{program}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(self.folder / program), *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=work,
                env={**os.environ, "GOGC": GARBAGE},
            )  # fmt: skip
        self._processes.append(process)

    def _wait_until_ready(self, work: Path) -> None:
        deadline = time.monotonic() + START_S_MAX
        pool = urllib3.PoolManager(ca_certs=str(self.ca), retries=False, timeout=2.0)
        while time.monotonic() < deadline and all(process.poll() is None for process in self._processes):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                answer = pool.request("GET", f"{self.url}/readyz", headers=self.headers)
                if answer.status == 200 and self._has_namespaces(pool):
                    return
            time.sleep(0.1)
        tail = (work / "kube-apiserver.log").read_text(encoding="utf-8", errors="replace")[-3000:]
        raise RuntimeError(f"kube-apiserver did not become ready: {tail}")

    def _has_namespaces(self, pool: urllib3.PoolManager) -> bool:
        # `default` is made a moment after /readyz says yes.
        return pool.request("GET", f"{self.url}/api/v1/namespaces/default", headers=self.headers).status == 200

    def audit(self) -> list[dict[str, Any]]:
        """The requests so far, as audit.k8s.io/v1 Events: who, verb, object, and whether it was allowed."""
        lines = self._audit_log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @property
    def _audit_log(self) -> Path:
        assert self._work is not None
        return Path(self._work.name) / "audit.log"

    @property
    def headers(self) -> dict[str, str]:
        """What opens the door."""
        return {"Authorization": f"Bearer {self.token}"}

    def kubeconfig(self) -> str:
        """A kubeconfig that leads there, as YAML."""
        authority = base64.b64encode(self.ca.read_bytes()).decode()
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "envtest", "cluster": {"server": self.url, "certificate-authority-data": authority}}
                ],
                "users": [{"name": "envtest", "user": {"token": self.token}}],
                "contexts": [{"name": "envtest", "context": {"cluster": "envtest", "user": "envtest"}}],
                "current-context": "envtest",
            }
        )


def _make_certificates(work: Path) -> tuple[Path, Path, Path]:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    paths = work / "ca.crt", work / "server.crt", work / "server.key"
    authority.cert_pem.write_to_path(str(paths[0]))
    paths[1].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(paths[2]))
    return paths
