"""The lease as a part of the process: when it is let go, and what its threads say when they end."""

import threading

import pytest

from l7lb.app.campaign import Campaign, lease_key
from l7lb.errors import ConfigurationError, LostLeadership
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.clock import SystemClock
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient

CLOCK = SystemClock()


class Scene:
    """One campaign for one lease, on its real threads."""

    def __init__(self, lease: FakeLease, *, wait: bool = True) -> None:
        self.lost: list[str] = []
        self.deaths: list[tuple[str, BaseException | None]] = []
        self.died = threading.Event()
        self.campaign = Campaign(FakeLeaseClient(lease, FakeClock()), "us", CLOCK, wait=wait, on_lost=self.lost.append)
        self.campaign.part.start(self._died)

    def _died(self, name: str, error: BaseException | None) -> None:
        self.deaths.append((name, error))
        self.died.set()


def held_by(holder: str) -> FakeLease:
    lease = FakeLease()
    lease.store(LeaseRecord(holder, 30))
    return lease


@pytest.mark.system
def test_it_leads_until_it_is_stopped_and_then_lets_the_lease_go() -> None:
    lease = FakeLease()
    scene = Scene(lease)
    assert scene.campaign.elector.decided.wait(30.0)
    scene.campaign.guard.check()
    assert scene.campaign.part.stop(30.0)
    assert lease.record is not None
    assert lease.record.holder == ""
    assert (scene.deaths, scene.lost) == ([], [])
    with pytest.raises(LostLeadership):
        scene.campaign.guard.check()


@pytest.mark.system
def test_a_lease_that_must_not_be_waited_for_is_one_death_with_its_reason() -> None:
    lease = held_by("them")
    scene = Scene(lease, wait=False)
    pause = threading.Event()
    for renewal in range(100):
        lease.store(LeaseRecord("them", 30, renew_time=str(renewal)))
        if scene.died.is_set():
            break
        pause.wait(0.1)
    assert scene.died.wait(30.0)
    assert scene.campaign.part.stop(30.0)
    ((name, error),) = scene.deaths
    assert name == "lease"
    assert isinstance(error, ConfigurationError)
    assert "--no-leader-elect" in str(error)


def test_it_is_let_go_only_after_everything_else_has_stopped() -> None:
    campaign = Campaign(
        FakeLeaseClient(FakeLease(), FakeClock()), "us", FakeClock(), wait=True, on_lost=lambda _reason: None
    )
    assert campaign.part.only_after_drain


@pytest.mark.parametrize(
    ("cluster", "name"), [("cls-9mfq2k1t", "l7lb-cls-9mfq2k1t"), ("CLS-1", "l7lb-cls-1")], ids=["usual", "upper case"]
)
def test_the_lease_is_called_by_the_cluster_wherever_l7lb_is_installed(cluster: str, name: str) -> None:
    assert lease_key(cluster) == ("kube-system", name)
