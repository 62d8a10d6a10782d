"""A data plane for one test, which must end without a defect."""

from collections.abc import Iterator

import pytest

from tests.contract.dataplane.support import PORT_OFFSET, new_vip
from tests.emulators.clb.dataplane import DataPlane


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    with DataPlane(PORT_OFFSET, probe_scale=0.01) as running:
        yield running
        assert running.problems == {}
    assert running.defects == ()


@pytest.fixture
def vip() -> str:
    return new_vip()
