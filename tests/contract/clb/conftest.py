"""Fixtures: an account on a fresh cloud, and a way to make one with other settings."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.clb.account import Account
from tests.emulators.clb.clock import VirtualClock
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

Emulate = Callable[..., Account]


@pytest.fixture
def emulate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulate]:
    """``emulate(latency=1.0, switches={...})``: an account on a cloud with a clock that stands still until moved."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    accounts: list[Account] = []

    def make(**setup: Any) -> Account:
        setup.setdefault("clock", VirtualClock())
        setup.setdefault("rate_limits", {"*": 0})
        accounts.append(Account(ClbServer(ClbEmulator(**setup)).start()))
        return accounts[-1]

    yield make
    for account in accounts:
        account.close()
        account.server.stop()


@pytest.fixture
def account(emulate: Emulate) -> Account:
    return emulate()
