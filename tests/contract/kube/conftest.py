"""The API servers under test, each behind the fixture `kube_api`; those of the emulator alone behind `emulator`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import urllib3

from tests import envtest
from tests.contract.kube.api import KubeApi, fresh_name
from tests.emulators.kube import KubeEmulator


@pytest.fixture(scope="package", params=["emulator", pytest.param("apiserver", marks=pytest.mark.envtest)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """One API server for the tests of this folder; an idle one costs too much to keep to the end of the run."""
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    if request.param == "emulator":
        with KubeEmulator(seed=1) as emulator:
            kubeconfig.write_text(emulator.kubeconfig(), encoding="utf-8")
            yield KubeApi(emulator.url, {}, None, kubeconfig, is_real=False)
        return
    folder = envtest.assets()
    if folder is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with envtest.ControlPlane(folder) as real:
        kubeconfig.write_text(real.kubeconfig(), encoding="utf-8")
        pool = urllib3.PoolManager(ca_certs=str(real.ca))
        yield KubeApi(real.url, real.headers, real.ca, kubeconfig, is_real=True, pool=pool)


@pytest.fixture
def kube_api(server: KubeApi) -> KubeApi:
    """An API server, and a new namespace in it."""
    namespace = fresh_name("ns")
    server.made("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return replace(server, namespace=namespace)


@pytest.fixture
def emulator() -> Iterator[KubeEmulator]:
    """An emulator of one's own, to look into and to disturb."""
    with KubeEmulator(seed=1) as started:
        yield started
