"""Worlds by kind of API server. One world serves a module: its tests use namespaces of their own."""

from collections.abc import Iterator

import pytest

from tests import envtest
from tests.system.world import World

SERVERS = [
    pytest.param(False, id="emulator", marks=pytest.mark.system),
    pytest.param(True, id="kube-apiserver", marks=[pytest.mark.system, pytest.mark.envtest]),
]


@pytest.fixture(scope="module", params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A cluster and an account with a running controller."""
    if request.param and envtest.assets() is None:
        pytest.skip("no etcd and kube-apiserver in KUBEBUILDER_ASSETS")
    with World(real=request.param) as made:
        made.start()
        yield made
