"""Who follows a holder that vanished, and is stopped soon after: when the Lease may be let go."""

import pytest

from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Elector
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient


@pytest.mark.parametrize(("after_s", "holder"), [(14.0, "us"), (16.0, "")])
def test_a_lease_is_let_go_only_when_nothing_of_a_holder_that_vanished_can_be_on_its_way(
    after_s: float, holder: str
) -> None:
    clock, lease = FakeClock(), FakeLease()
    lease.store(LeaseRecord("vanished", 30))
    elector = Elector(FakeLeaseClient(lease, clock), "us", clock, on_lost=pytest.fail)
    elector.step()
    clock.advance(30.0)
    while not elector.holds(clock.now):
        elector.step()
    clock.advance(after_s)
    elector.step()
    elector.release()
    assert lease.record is not None
    assert lease.record.holder == holder
    assert not elector.holds(clock.now)
