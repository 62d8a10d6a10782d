"""Fixtures: a tenant on a fresh cloud, and a way to make one with other settings."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.adapters_clb.tenant import Tenant
from tests.emulators.clb.clock import VirtualClock
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

Rent = Callable[..., Tenant]


@pytest.fixture
def rent() -> Iterator[Rent]:
    """`rent(switches={...})`: a tenant on a cloud that forgets nothing but time."""
    tenants: list[Tenant] = []

    def make(**setup: Any) -> Tenant:
        setup.setdefault("clock", VirtualClock())
        setup.setdefault("rate_limits", {"*": 0})
        tenants.append(Tenant(ClbServer(ClbEmulator(**setup)).start()))
        return tenants[-1]

    yield make
    for tenant in tenants:
        forbidden = tenant.emulator.forbidden
        tenant.clients.close()
        tenant.server.stop()
        assert not forbidden


@pytest.fixture
def tenant(rent: Rent) -> Tenant:
    return rent()
