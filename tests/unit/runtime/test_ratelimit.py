"""Delays per key, buckets, and the bucket that learns from throttles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l7lb.runtime.ratelimit import ItemBackoff, RetryLimiter, TokenBucket


def test_delay_of_a_key_doubles_from_5_ms_up_to_the_cap() -> None:
    backoff = ItemBackoff()
    delays = [backoff.when("a") for _ in range(16)]
    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[-1] == 60.0
    assert backoff.failures("a") == 16


def test_keys_fail_apart_and_success_starts_over() -> None:
    backoff = ItemBackoff()
    backoff.when("a")
    assert backoff.when("b") == 0.005
    backoff.forget("a")
    assert backoff.when("a") == 0.005


def test_a_key_that_has_failed_ten_thousand_times_still_waits_the_cap() -> None:
    backoff = ItemBackoff()
    for _ in range(10_000):
        delay = backoff.when("a")
    assert delay == 60.0


def test_reserved_tokens_beyond_the_burst_come_at_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.reserve(0.0) for _ in range(5)] == [0.0, 0.0, 0.0, pytest.approx(0.1), pytest.approx(0.2)]
    assert bucket.reserve(10.0) == 0.0


def test_a_refused_take_spends_nothing_and_says_when_the_next_token_comes() -> None:
    bucket = TokenBucket(rate=2, burst=1)
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) == pytest.approx(0.5)
    assert bucket.take(0.0) == pytest.approx(0.5)
    assert bucket.take(0.5) == 0.0


def test_a_clock_that_stands_still_or_goes_back_gives_no_tokens() -> None:
    bucket = TokenBucket(rate=10, burst=1)
    bucket.take(100.0)
    assert bucket.take(50.0) > 0
    assert bucket.take(100.0) > 0


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)], ids=["no rate", "negative rate", "no burst"])
def test_a_bucket_that_could_never_give_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="a bucket needs"):
        TokenBucket(rate=rate, burst=burst)


@given(
    steps=st.lists(st.floats(min_value=0, max_value=2), max_size=60), rate=st.integers(1, 50), burst=st.integers(1, 9)
)
def test_never_more_tokens_than_burst_plus_rate_times_time(steps: list[float], rate: int, burst: int) -> None:
    bucket, now, taken = TokenBucket(rate, burst), 0.0, 0
    for step in steps:
        now += step
        taken += bucket.take(now) == 0.0
        assert taken <= burst + rate * now + 1e-6


def test_a_retry_waits_the_longer_of_its_own_delay_and_the_common_bucket() -> None:
    limiter = RetryLimiter(ItemBackoff(first_s=1.0), TokenBucket(rate=0.1, burst=1))
    assert limiter.when("a", 0.0) == 1.0
    assert limiter.when("b", 0.0) == pytest.approx(10.0)
