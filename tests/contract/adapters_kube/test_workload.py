"""The Deployment that runs us, read and ended through the adapter, against the Kubernetes emulator over its socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from l7lb import errors
from l7lb.adapters.kube.credentials import Source
from l7lb.adapters.kube.transport import Transport
from l7lb.adapters.kube.workload import KubeWorkload
from l7lb.model.identity import ObjectKey
from tests.emulators.kube import KubeEmulator
from tests.system.kube import Kube

pytestmark = pytest.mark.system

NAME = ObjectKey("l7lb", "l7lb")


@pytest.fixture
def emulator() -> Iterator[KubeEmulator]:
    with KubeEmulator() as made:
        yield made


@pytest.fixture
def workload(emulator: KubeEmulator, tmp_path: Path) -> Iterator[KubeWorkload]:
    emulator.write_kubeconfig(tmp_path / "kubeconfig")
    with Transport(Source(kubeconfig=str(tmp_path / "kubeconfig"))) as transport:
        yield KubeWorkload(transport, NAME)


@pytest.fixture
def kube(emulator: KubeEmulator) -> Kube:
    """With a Deployment of two replicas that bears a choice."""
    made = Kube(emulator.url)
    made.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "l7lb"}})
    template = {"metadata": {"labels": {"app": "l7lb"}}, "spec": {"containers": [{"name": "l7lb", "image": "l7lb"}]}}
    made.create({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "l7lb", "namespace": "l7lb", "annotations": {"l7lb.dev/uninstall": "keep"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "l7lb"}}, "template": template},
    })  # fmt: skip
    return made


@pytest.mark.usefixtures("kube")
def test_its_annotations_and_replicas_are_read(workload: KubeWorkload) -> None:
    found = workload.read()
    assert (found.spec.replicas, found.annotations["l7lb.dev/uninstall"]) == (2, "keep")


def test_it_is_scaled_to_nothing_and_otherwise_left(workload: KubeWorkload, kube: Kube) -> None:
    before = kube.get("Deployment", "l7lb", "l7lb")["spec"]
    workload.stop()
    assert kube.get("Deployment", "l7lb", "l7lb")["spec"] == {**before, "replicas": 0}


def test_one_that_is_not_there_is_not_found(workload: KubeWorkload) -> None:
    with pytest.raises(errors.NotFound):
        workload.read()
    with pytest.raises(errors.NotFound):
        workload.stop()
