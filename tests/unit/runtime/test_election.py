"""Who leads, from when, until when: taking, renewing, losing and releasing one Lease."""

from dataclasses import replace

import pytest

from l7lb.errors import ConfigurationError, LostLeadership
from l7lb.model.lease import LeaseRecord
from l7lb.runtime.election import Action, Elector, State, WriteGuard
from tests.unit.runtime.fake_clock import FakeClock
from tests.unit.runtime.fake_lease import FakeLease, FakeLeaseClient


class Process:
    """One replica."""

    def __init__(self, name: str, lease: FakeLease, clock: FakeClock, wait: bool = True) -> None:
        self.clock = clock
        self.client = FakeLeaseClient(lease, clock)
        self.lost: list[str] = []
        self.elector = Elector(self.client, name, clock, wait=wait, on_lost=self.lost.append)
        self.guard = WriteGuard(self.elector, clock)

    @property
    def holds(self) -> bool:
        return self.elector.holds(self.clock.now)

    def may_write(self) -> bool:
        try:
            self.guard.check()
        except LostLeadership:
            return False
        return True

    def live(self, seconds: float) -> None:
        """Step whenever it is time, for so long."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            action = self.elector.step()
            self.clock.advance(min(max(action.wait_s, 0.01), end - self.clock.now))


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lease = FakeLease()
        self.a = Process("a", self.lease, self.clock)
        self.b = Process("b", self.lease, self.clock)

    def record(self) -> LeaseRecord:
        assert self.lease.record is not None
        return self.lease.record


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_candidate_creates_the_lease_and_leads(world: World) -> None:
    assert world.a.elector.step() == Action(State.HOLDER, 5.0)
    assert world.a.may_write()
    record = world.record()
    assert (record.holder, record.duration_s, record.transitions) == ("a", 30, 0)
    assert record.acquire_time == record.renew_time == "2023-11-14T22:13:20.000000Z"


def test_a_renewal_moves_only_the_renew_time(world: World) -> None:
    world.a.elector.step()
    before = world.record()
    world.clock.advance(5.0)
    assert world.a.elector.step() == Action(State.HOLDER, 5.0)
    after = world.record()
    assert after == replace(before, renew_time=after.renew_time, resource_version=after.resource_version)
    assert after.renew_time > before.renew_time


def test_one_renewal_is_one_request(world: World) -> None:
    world.a.elector.step()
    before = world.a.client.calls
    world.a.live(50.0)
    assert world.a.client.calls - before == 10


def test_a_standby_looks_every_two_seconds_and_does_not_take_a_lease_that_is_renewed(world: World) -> None:
    world.a.elector.step()
    for _ in range(60):
        assert world.b.elector.step() == Action(State.CANDIDATE, 2.0)
        world.clock.advance(2.0)
        if world.clock.now % 4 == 0:
            world.a.elector.step()
    assert world.a.holds


def test_a_crashed_holder_is_followed_at_the_expiry_that_was_observed(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    seen_at = world.clock.now
    held = []
    for seconds in (29.9, 0.2):
        world.b.live(seconds)
        held.append(world.b.holds)
    assert held == [False, True]
    term = world.b.elector.term
    assert term is not None
    assert term.previous_expiry == pytest.approx(seen_at + 30)
    assert term.taken_over_at == pytest.approx(seen_at + 30, abs=0.1)
    assert (world.record().holder, world.record().transitions) == ("b", 1)


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0], ids=["back", "forward"])
def test_a_step_of_the_wall_clock_changes_nothing(world: World, step_s: float) -> None:
    world.a.elector.step()
    world.b.elector.step()
    world.clock.wall += step_s
    world.clock.advance(5.0)
    assert world.a.elector.step() == Action(State.HOLDER, 5.0)
    assert world.b.elector.step() == Action(State.CANDIDATE, 2.0)
    assert world.a.may_write()


def test_a_longer_lease_of_another_holder_is_waited_for(world: World) -> None:
    world.lease.store(LeaseRecord("other", 60))
    world.a.live(59.0)
    assert not world.a.holds
    world.a.live(1.5)
    assert world.a.holds


def test_an_edit_of_metadata_does_not_prolong_a_dead_lease(world: World) -> None:
    world.a.elector.step()
    for _ in range(16):
        world.b.elector.step()
        world.lease.store(world.record())
        world.clock.advance(2.0)
    world.b.live(2.0)
    assert world.b.holds


def test_the_released_lease_is_taken_at_the_next_look_and_no_old_write_is_feared(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    world.a.elector.release()
    assert not world.a.holds
    assert (world.record().holder, world.record().duration_s) == ("", 1)
    world.b.live(2.0)
    assert world.b.elector.step().state is State.HOLDER
    assert world.b.elector.term is not None
    assert world.b.elector.term.previous_expiry is None
    assert world.record().transitions == 1


def test_a_candidate_that_is_told_of_the_release_takes_the_lease_without_another_look(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    world.a.elector.release()
    calls = world.b.client.calls
    world.b.elector.observe(world.record())
    assert world.b.elector.step().state is State.HOLDER
    assert world.b.client.calls == calls + 1


def test_a_release_that_meets_an_edit_is_tried_again(world: World) -> None:
    world.a.elector.step()
    world.lease.store(world.record())
    world.a.elector.release()
    assert world.record().holder == ""


def test_a_release_does_not_free_the_lease_of_somebody_else(world: World) -> None:
    world.a.elector.step()
    world.lease.store(replace(world.record(), holder="thief"))
    world.a.elector.release()
    assert world.record().holder == "thief"


def test_a_release_that_is_not_answered_is_left_to_expire(world: World) -> None:
    world.a.elector.step()
    world.a.client.faults.append("refused")
    world.a.elector.release()
    assert world.a.elector.step().state is State.RELEASED
    assert not world.a.holds


def test_refused_renewals_lead_to_loss_20_seconds_after_the_last_success(world: World) -> None:
    world.a.elector.step()
    world.a.client.faults.extend(["refused"] * 100)
    held = []
    for _ in range(2):
        world.a.live(19.9)
        held.append((world.a.holds, len(world.a.lost)))
    assert held == [(True, 0), (False, 1)]
    assert world.a.elector.step().state is State.LOST


def test_writes_end_when_less_than_15_seconds_are_left_even_before_the_loss(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(15.0)
    assert world.a.may_write()
    world.clock.advance(0.1)
    assert not world.a.may_write()
    assert world.a.holds


def test_a_renewal_that_comes_late_ends_a_pause_and_no_leadership(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(16.0)
    with pytest.raises(LostLeadership) as refusal:
        world.a.guard.check()
    assert refusal.value.for_now
    assert world.a.elector.step().state is State.HOLDER
    assert world.a.may_write()
    world.clock.advance(20.0)
    with pytest.raises(LostLeadership) as lost:
        world.a.guard.check()
    assert not lost.value.for_now


def test_a_refused_renewal_is_repeated_after_a_second_and_a_later_success_counts(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(5.0)
    world.a.client.faults.append("refused")
    assert world.a.elector.step() == Action(State.HOLDER, 1.0)
    world.clock.advance(1.0)
    assert world.a.elector.step() == Action(State.HOLDER, 5.0)
    assert world.a.elector.remaining(world.clock.now) == 30.0


def test_the_lease_counts_from_the_start_of_the_renewal(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(5.0)
    world.a.client.faults.append(-8.0)
    world.a.elector.step()
    assert world.a.elector.remaining(world.clock.now) == 22.0


def test_while_a_request_hangs_the_watchdog_gives_up_in_time_and_the_late_answer_changes_nothing(world: World) -> None:
    world.a.elector.step()
    begun = world.clock.now
    lost_at: list[float] = []

    def hang(seconds: float) -> None:
        for _ in range(int(seconds)):
            world.clock.advance(1.0)
            world.a.elector.watch_over()
            if world.a.lost and not lost_at:
                lost_at.append(world.clock.now - begun)

    world.a.client._sleep = hang
    world.clock.advance(5.0)
    world.a.client.faults.append(40.0)
    assert world.a.elector.step().state is State.LOST
    assert lost_at == [20.0]
    assert len(world.a.lost) == 1
    assert not world.a.may_write()


def test_a_late_answer_does_not_bring_leadership_back_without_a_watchdog_either(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(5.0)
    world.a.client.faults.append(-25.0)
    assert world.a.elector.step().state is State.LOST
    assert len(world.a.lost) == 1


def test_a_process_that_was_frozen_writes_nothing_when_it_wakes(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(60.0)
    assert not world.a.holds
    assert not world.a.may_write()
    assert world.a.elector.remaining(world.clock.now) == 0.0
    assert world.a.elector.step().state is State.LOST


def test_a_renewal_whose_answer_was_lost_is_found_to_be_ours(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(5.0)
    world.a.client.faults.append("unanswered")
    world.a.live(2.0)
    assert world.a.holds
    assert world.a.elector.remaining(world.clock.now) > 28


def test_a_takeover_whose_answer_was_lost_is_found_to_be_ours_and_still_knows_the_old_expiry(world: World) -> None:
    world.a.elector.step()
    world.b.elector.step()
    seen_at = world.clock.now
    world.b.live(29.0)
    world.b.client.faults.extend([0.0, "unanswered"])
    world.b.live(6.0)
    assert world.b.holds
    assert world.b.elector.term is not None
    assert world.b.elector.term.previous_expiry == pytest.approx(seen_at + 30)
    assert world.record().transitions == 1


def test_a_takeover_that_took_too_long_is_not_leadership(world: World) -> None:
    world.a.client.faults.extend([0.0, -25.0])
    assert world.a.elector.step().state is State.CANDIDATE
    assert world.a.elector.step().state is State.HOLDER
    assert world.a.elector.remaining(world.clock.now) == 30.0


def test_a_holder_that_finds_another_in_the_lease_is_lost_at_once(world: World) -> None:
    world.a.elector.step()
    world.lease.store(replace(world.record(), holder="thief"))
    world.clock.advance(5.0)
    assert world.a.elector.step().state is State.LOST
    assert world.a.lost == ["the lease was taken by thief"]


def test_a_holder_whose_lease_was_deleted_makes_it_again_unless_another_was_faster(world: World) -> None:
    world.a.elector.step()
    world.lease.record = None
    world.clock.advance(5.0)
    assert world.a.elector.step().state is State.HOLDER
    world.lease.record = None
    world.b.elector.step()
    world.a.live(7.0)
    assert not world.a.holds
    assert world.b.holds


def test_of_two_candidates_at_one_expired_lease_one_wins(world: World) -> None:
    world.lease.store(LeaseRecord("dead", 30))
    world.a.elector.step()
    world.b.elector.step()
    world.clock.advance(30.0)
    world.a.elector.step()
    world.b.elector.step()
    world.b.elector.step()
    assert [world.a.holds, world.b.holds] == [True, False]


def test_without_waiting_a_free_lease_is_taken_and_one_that_is_renewed_is_an_error(world: World) -> None:
    first = Process("first", world.lease, world.clock, wait=False)
    assert first.elector.step().state is State.HOLDER
    second = Process("second", world.lease, world.clock, wait=False)
    assert second.elector.step() == Action(State.CANDIDATE, 2.0)
    world.clock.advance(5.0)
    first.elector.step()
    with pytest.raises(ConfigurationError, match="held by first"):
        second.elector.step()
    first.elector.release()
    assert second.elector.step().state is State.HOLDER


def test_without_waiting_the_lease_of_a_process_that_was_killed_is_taken_when_it_was_seen_to_expire(
    world: World,
) -> None:
    world.a.elector.step()
    follower = Process("follower", world.lease, world.clock, wait=False)
    seen_at = world.clock.now
    held = []
    for seconds in (29.9, 0.2):
        follower.live(seconds)
        held.append(follower.holds)
    assert held == [False, True]
    assert follower.elector.term is not None
    assert follower.elector.term.previous_expiry == pytest.approx(seen_at + 30)


def test_without_waiting_a_lease_that_another_takes_meanwhile_is_an_error(world: World) -> None:
    world.lease.store(LeaseRecord("dead", 30))
    follower = Process("follower", world.lease, world.clock, wait=False)
    follower.live(20.0)
    world.lease.store(LeaseRecord("other", 30))
    with pytest.raises(ConfigurationError, match="held by other"):
        follower.live(3.0)


def test_run_releases_at_its_end_and_says_that_all_is_decided(world: World) -> None:
    world.a.elector.step()
    world.a.elector.stop()
    world.a.elector.run()
    assert world.a.elector.decided.is_set()
    assert not world.a.holds


def test_run_ends_when_leadership_is_lost(world: World) -> None:
    world.a.elector.step()
    world.clock.advance(60.0)
    world.a.elector.run()
    assert len(world.a.lost) == 1
    world.a.elector.run_watchdog()


def test_an_elector_that_dies_of_a_bug_gives_leadership_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(record: LeaseRecord) -> LeaseRecord:
        raise ZeroDivisionError("bug")

    world.a.elector.step()
    monkeypatch.setattr(world.a.client, "update", broken)
    with pytest.raises(ZeroDivisionError):
        world.a.elector.run()
    assert world.a.lost == ["the elector has died"]
    assert not world.a.may_write()
