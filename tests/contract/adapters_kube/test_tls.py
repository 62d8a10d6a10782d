"""The API server is spoken to with its certificate verified; what a kubeconfig gives up is done, and said."""

from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.transport import Request, Transport
from l7lb.errors import Unavailable
from tests.emulators.kube.emulator import KubeEmulator
from tests.emulators.kube.server import Tls

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

VERSION = Request("GET", "/version", timeout_s=5.0)


def serve(folder: Path, authority: trustme.CA, name: str) -> KubeEmulator:
    issued = authority.issue_cert(name)
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    emulator = KubeEmulator(tls=Tls(certificate, key))
    emulator.start()
    return emulator


def source(folder: Path, server: str, **cluster: Any) -> Source:
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
    }  # fmt: skip
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return Source(str(path))


def asked(made: Source) -> int:
    with Transport(made) as transport:
        return transport.request(VERSION).status


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    return made


@pytest.mark.parametrize(("certified", "extra"), [("127.0.0.1", {}), ("kubernetes", {"tls-server-name": "kubernetes"})])
def test_a_server_of_the_kubeconfigs_authority_is_believed(
    tmp_path: Path, authority: trustme.CA, certified: str, extra: dict[str, str]
) -> None:
    server = serve(tmp_path, authority, certified)
    try:
        assert (
            asked(source(tmp_path, server.url, **{"certificate-authority": str(tmp_path / "ca.crt")}, **extra)) == 200
        )
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("certified", "known", "said"),
    [
        ("127.0.0.1", False, "CERTIFICATE_VERIFY_FAILED"),
        ("elsewhere.example.com", True, "mismatch|doesn't match|IP address"),
    ],
    ids=["of an unknown authority", "for another name"],
)
def test_another_server_is_refused_and_never_sees_the_token(
    tmp_path: Path, authority: trustme.CA, certified: str, known: bool, said: str
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.crt"))
    server = serve(tmp_path, authority, certified)
    ca = tmp_path / ("ca.crt" if known else "other.crt")
    try:
        with pytest.raises(Unavailable, match=said):
            asked(source(tmp_path, server.url, **{"certificate-authority": str(ca)}))
        assert server.controls.log.lines == []
    finally:
        server.stop()


def test_verification_that_a_kubeconfig_switches_off_is_off_and_said(tmp_path: Path, authority: trustme.CA) -> None:
    server = serve(tmp_path, authority, "elsewhere.example.com")
    try:
        made = source(tmp_path, server.url, **{"insecure-skip-tls-verify": True})
        assert asked(made) == 200
        with Transport(made) as transport:
            assert "insecure-skip-tls-verify" in transport.weakness
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("server", "weak"),
    [("http://10.0.0.1:8080", True), ("http://127.0.0.1:8080", False), ("https://10.0.0.1", False)],
)
def test_a_token_without_tls_is_said_except_on_this_machine(tmp_path: Path, server: str, weak: bool) -> None:
    with Transport(source(tmp_path, server)) as transport:
        assert ("no TLS" in transport.weakness) == weak
