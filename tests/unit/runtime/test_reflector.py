"""What the reflector asks for after what it was told: the rules of listing, watching and waiting, one by one."""

import random

import pytest

from l7lb import errors
from l7lb.model.identity import ObjectKey
from l7lb.model.watch import Bookmark, Change, ChangeType, Item, Page, Quarantined, StreamError
from l7lb.runtime.reflector import List, Read, Reason, Reflector, Replacement, Request, Wait, Watch


class Talk:
    """A conversation with one reflector."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 1000.0
        self.reflector: Reflector[str] = Reflector(random.Random(seed))

    def ask(self) -> Request:
        request = self.reflector.next(self.now)
        assert self.reflector.reading is isinstance(request, Read)
        return request

    def ask_after_waiting(self) -> Request:
        request = self.ask()
        if isinstance(request, Wait):
            self.now += request.after_s
            request = self.ask()
        return request

    def page(self, version: str = "10", names: str = "", token: str = "") -> Replacement[str] | None:
        return self.reflector.on_page(Page(tuple(item(name, version) for name in names), version, token), self.now)

    def streaming(self, version: str = "10") -> "Talk":
        self.page(version)
        self.reflector.on_watching(self.now)
        return self

    def event(self, version: str, kind: ChangeType = ChangeType.MODIFIED) -> None:
        self.reflector.on_event(Change(kind, item("a", version)), self.now)

    def fail(self, error: errors.L7lbError) -> None:
        self.reflector.on_error(error, self.now)


def item(name: str, version: str) -> Item[str]:
    return Item(ObjectKey("shop", name), f"uid-{name}", version, name)


def watched_version(request: Request) -> str:
    assert isinstance(request, Watch), request
    return request.resource_version


def down(retry_after_s: float | None = None) -> errors.Unavailable:
    return errors.Unavailable("connection refused", retry_after_s=retry_after_s)


def test_the_first_list_takes_any_cached_version() -> None:
    assert Talk().ask() == List("0")


def test_pages_are_followed_by_token_without_a_version_even_when_one_is_empty() -> None:
    talk = Talk()
    assert talk.page("10", "a", token="t1") is None
    assert talk.ask() == List("", "t1")
    assert talk.page("10", "", token="t2") is None
    assert talk.ask() == List("", "t2")
    assert talk.page("10", "b") == Replacement((item("a", "10"), item("b", "10")), (), Reason.START)
    assert watched_version(talk.ask()) == "10"


def test_the_version_of_the_first_page_is_watched() -> None:
    talk = Talk()
    talk.page("10", token="t")
    talk.page("12")
    assert watched_version(talk.ask()) == "10"


def test_an_expired_continuation_starts_over_once_and_then_asks_for_the_newest() -> None:
    talk = Talk()
    talk.page("10", "a", token="t")
    talk.fail(errors.Expired("token"))
    assert talk.ask() == List("0")
    talk.page("11", "a", token="t")
    talk.fail(errors.Expired("token"))
    assert talk.ask() == List("")
    assert talk.page("12", "b") == Replacement((item("b", "12"),), (), Reason.EXPIRED)


def test_each_watch_has_its_own_time_limit_between_five_and_ten_minutes() -> None:
    talk = Talk().streaming()
    limits = set()
    for _ in range(100):
        talk.now += 300
        talk.reflector.on_end(talk.now)
        request = talk.ask()
        assert isinstance(request, Watch)
        limits.add(request.timeout_s)
        talk.reflector.on_watching(talk.now)
    assert min(limits) >= 300
    assert max(limits) <= 600
    assert len(limits) > 50


def test_a_thousand_clean_ends_need_no_list() -> None:
    talk = Talk().streaming()
    for _ in range(1000):
        talk.now += 300
        talk.reflector.on_end(talk.now)
        assert watched_version(talk.ask()) == "10"
        talk.reflector.on_watching(talk.now)


def test_bookmarks_move_the_version_from_which_the_watch_goes_on() -> None:
    talk = Talk().streaming()
    for version in range(11, 71):
        talk.now += 60
        assert talk.reflector.on_event(Bookmark(str(version)), talk.now) is None
    talk.fail(down())
    assert watched_version(talk.ask_after_waiting()) == "70"
    assert talk.reflector.heard_at == pytest.approx(1000 + 3600)


def test_an_older_version_in_the_stream_does_not_move_it_back() -> None:
    talk = Talk().streaming("10")
    talk.event("15")
    talk.event("12")
    talk.fail(down())
    assert watched_version(talk.ask_after_waiting()) == "15"


def test_unordered_first_events_of_a_watch_from_any_version_do_not_move_it() -> None:
    talk = Talk().streaming("0")
    talk.event("90", ChangeType.ADDED)
    talk.event("40", ChangeType.ADDED)
    talk.fail(down())
    assert watched_version(talk.ask_after_waiting()) == "0"
    talk.reflector.on_watching(talk.now)
    talk.event("91", ChangeType.MODIFIED)
    talk.event("92", ChangeType.ADDED)
    talk.fail(down())
    assert watched_version(talk.ask_after_waiting()) == "92"


@pytest.mark.parametrize(
    "event",
    [StreamError(410, "Expired", "x"), StreamError(410, "", ""), StreamError(0, "Gone", ""), None],
    ids=["410 Expired", "410", "Gone without code", "as HTTP status"],
)
def test_an_expired_watch_lists_the_newest_once(event: StreamError | None) -> None:
    talk = Talk().streaming()
    if event is None:
        talk.fail(errors.Expired("410"))
    else:
        talk.reflector.on_event(event, talk.now)
    assert talk.ask_after_waiting() == List("")
    replacement = talk.page("99")
    assert replacement is not None
    assert replacement.reason is Reason.EXPIRED
    assert watched_version(talk.ask()) == "99"


def test_a_server_that_is_behind_is_asked_at_once_for_what_it_has() -> None:
    talk = Talk().streaming("50")
    talk.fail(errors.AccessDenied("for a moment", reason="Forbidden"))
    assert talk.ask_after_waiting() == List("50")
    talk.fail(errors.VersionTooLarge("504"))
    assert talk.ask() == List("")
    assert talk.page("40", "a") is not None
    assert watched_version(talk.ask()) == "40"


def test_a_list_older_than_asked_for_is_not_believed_without_a_quorum_read() -> None:
    talk = Talk().streaming("50")
    talk.fail(errors.AccessDenied("for a moment", reason="Forbidden"))
    talk.ask_after_waiting()
    assert talk.page("49", "a") is None
    assert talk.ask() == List("")
    assert talk.page("49", "a") == Replacement((item("a", "49"),), (), Reason.WENT_BACK)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (StreamError(429, "TooManyRequests", "", retry_after_s=8.0), "watch"),
        (StreamError(500, "InternalError", "etcd"), "watch"),
        (StreamError(0, "", ""), "list"),
        (StreamError(403, "Forbidden", ""), "list"),
    ],
    ids=["429", "500", "nothing at all", "403"],
)
def test_other_errors_in_the_stream_wait_and_then(event: StreamError, expected: str) -> None:
    talk = Talk().streaming()
    talk.reflector.on_event(event, talk.now)
    pause = talk.ask()
    assert isinstance(pause, Wait)
    assert pause.after_s >= max(0.8, event.retry_after_s or 0)
    after = talk.ask_after_waiting()
    assert after == List("10") if expected == "list" else watched_version(after) == "10"


def test_internal_errors_that_do_not_end_lead_to_a_list() -> None:
    talk = Talk().streaming()
    for _ in range(4):
        talk.reflector.on_event(StreamError(500, "InternalError", ""), talk.now)
        request = talk.ask_after_waiting()
        talk.reflector.on_watching(talk.now)
    assert request == List("10")


def test_a_watch_that_ends_at_once_without_an_event_waits_and_lists() -> None:
    talk = Talk()
    requests = 0
    begun = talk.now
    while talk.now < begun + 10:
        request = talk.ask()
        if isinstance(request, Wait):
            talk.now += request.after_s
        elif isinstance(request, List):
            requests += 1
            talk.page()
        elif isinstance(request, Watch):
            requests += 1
            talk.reflector.on_watching(talk.now)
        else:
            talk.reflector.on_end(talk.now)
    assert requests <= 8


def test_a_watch_that_ends_at_once_with_an_event_goes_on_at_a_walking_pace() -> None:
    talk = Talk().streaming()
    talk.event("11")
    talk.reflector.on_end(talk.now)
    assert talk.ask() == Wait(1.0)
    assert watched_version(talk.ask_after_waiting()) == "11"


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_of_outage_cost_few_requests_and_no_list(seed: int) -> None:
    talk = Talk(seed).streaming()
    talk.fail(down())
    begun, requests = talk.now, 0
    while talk.now < begun + 600:
        assert watched_version(talk.ask_after_waiting()) == "10"
        requests += 1
        talk.fail(down())
    assert requests <= 25


def test_replicas_do_not_come_back_in_step() -> None:
    waits = set()
    for seed in range(20):
        talk = Talk(seed).streaming()
        talk.fail(down())
        waits.add(talk.ask())
    assert len(waits) == 20


def test_a_failure_after_two_quiet_minutes_is_a_first_one() -> None:
    talk = Talk()
    for _ in range(6):
        talk.fail(down())
    talk.now += 121
    talk.fail(down())
    pause = talk.ask()
    assert isinstance(pause, Wait)
    assert pause.after_s <= 1.6


@pytest.mark.parametrize("error", [down(12.0), errors.Throttled("429", retry_after_s=12.0)], ids=["503", "429"])
def test_a_told_delay_is_kept_and_the_version_too(error: errors.L7lbError) -> None:
    talk = Talk().streaming("10")
    talk.now += 300
    talk.reflector.on_end(talk.now)
    talk.fail(error)
    assert talk.ask() == Wait(12.0)
    assert watched_version(talk.ask_after_waiting()) == "10"


def test_a_failed_page_begins_the_list_again() -> None:
    talk = Talk()
    talk.page("10", "a", token="t")
    talk.fail(down())
    assert talk.ask_after_waiting() == List("0")
    assert talk.page("11", "b") == Replacement((item("b", "11"),), (), Reason.START)


def test_streams_that_keep_breaking_at_one_version_lead_to_a_list() -> None:
    talk = Talk().streaming()
    for _ in range(4):
        talk.fail(down())
        assert watched_version(talk.ask_after_waiting()) == "10"
        talk.reflector.on_watching(talk.now)
    talk.fail(down())
    assert talk.ask_after_waiting() == List("10")


def test_streams_that_break_but_get_on_are_never_listed() -> None:
    talk = Talk().streaming()
    for version in range(11, 61):
        talk.event(str(version))
        talk.fail(down())
        assert watched_version(talk.ask_after_waiting()) == str(version)
        talk.reflector.on_watching(talk.now)


def test_a_connection_that_lasted_and_then_broke_is_watched_again_without_growing_delays() -> None:
    talk = Talk().streaming()
    for version in range(11, 31):
        talk.event(str(version))
        talk.now += 80
        talk.fail(down())
        pause = talk.ask()
        assert isinstance(pause, Wait)
        assert pause.after_s <= 1.6
        talk.ask_after_waiting()
        talk.reflector.on_watching(talk.now)


def test_a_quiet_kind_is_watched_again_at_once_is_no_problem_and_does_not_get_stale() -> None:
    talk = Talk().streaming()
    for _ in range(4):
        talk.now += 80
        talk.fail(errors.Unavailable.silence("nothing"))
        assert talk.reflector.problem == ""
        assert watched_version(talk.ask()) == "10"
        talk.reflector.on_watching(talk.now)
        assert talk.reflector.heard_at == talk.now


def test_a_kind_that_stays_silent_is_listed_now_and_then_in_case_the_watch_is_deaf() -> None:
    talk = Talk().streaming()
    for _ in range(4):
        talk.fail(errors.Unavailable.silence("nothing"))
        talk.ask()
        talk.reflector.on_watching(talk.now)
    talk.fail(errors.Unavailable.silence("nothing"))
    assert talk.ask() == List("10")


def test_a_kind_that_does_not_exist_is_an_empty_list_and_is_looked_for_now_and_then() -> None:
    talk = Talk()
    assert talk.reflector.on_error(errors.NotFound("no such kind"), talk.now) == Replacement((), (), Reason.ABSENT)
    assert talk.reflector.absent
    assert talk.ask() == Wait(30.0)
    assert talk.ask_after_waiting() == List("0")
    assert talk.page("10", "a") == Replacement((item("a", "10"),), (), Reason.ABSENT)
    assert not talk.reflector.absent


def test_a_kind_that_vanishes_is_not_proof_that_its_objects_are_gone() -> None:
    talk = Talk().streaming()
    talk.fail(errors.NotFound("404"))
    assert talk.ask_after_waiting() == List("10")
    assert talk.reflector.on_error(errors.NotFound("404"), talk.now) is None
    assert talk.reflector.absent


def test_a_denied_list_is_tried_again_and_says_why() -> None:
    talk = Talk()
    assert talk.reflector.on_error(errors.AccessDenied("may not list", reason="Forbidden"), talk.now) is None
    assert talk.reflector.problem == "may not list"
    assert talk.ask_after_waiting() == List("0")
    talk.page()
    assert talk.reflector.problem == ""


def test_what_could_not_be_decoded_is_named_by_the_list_and_does_not_move_the_version() -> None:
    talk = Talk()
    bad = Quarantined(ObjectKey("shop", "bad"), "port: expected int")
    replacement = talk.reflector.on_page(Page((), "10", "", (bad,)), talk.now)
    assert replacement is not None
    assert replacement.undecoded == {bad.key}
    talk.reflector.on_watching(talk.now)
    assert talk.reflector.on_event(bad, talk.now) is None
    assert talk.ask() == Read()
    talk.fail(down())
    assert watched_version(talk.ask_after_waiting()) == "10"
