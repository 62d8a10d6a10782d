"""Tables of the decisions: host, URL, redirect, target, health. No socket."""

import pytest

from tests.contract.dataplane.support import http_lb, rule, targets
from tests.emulators.clb.dataplane.balancing import BalanceState, choose_target, eligible_targets, key_of
from tests.emulators.clb.dataplane.health import Schedule, Verdict, judge, status_accepted, switched
from tests.emulators.clb.dataplane.hosts import bare_host, index_hosts, match_host
from tests.emulators.clb.dataplane.redirects import redirect_location, slash_location
from tests.emulators.clb.dataplane.routes import Answer, Forward, certificate_for, compile_listener, route
from tests.emulators.clb.dataplane.urls import AddSlash, Matched, NoMatch, UrlMatch, index_urls, match_url, plain_path
from tests.emulators.clb.dataplane.views import LbView, ListenerView, RedirectView, TargetView

DOMAINS = (
    "shop.example.com",
    "Upper.Example.com",
    "*.example.com",
    "*.eu.example.com",
    "www.example.*",
    "www.*",
    r"~^img\d+\.",
    "~img",
)


@pytest.mark.parametrize(
    ("header", "domain"),
    [
        ("shop.example.com", "shop.example.com"),
        ("SHOP.Example.COM:8080", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        ("upper.example.com", "Upper.Example.com"),
        ("a.example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("a.eu.example.com", "*.eu.example.com"),
        ("www.example.com", "*.example.com"),
        ("www.example.org", "www.example.*"),
        ("www.other.org", "www.*"),
        ("img12.other.org", r"~^img\d+\."),
        ("myimg.other.org", "~img"),
        ("IMG7.other.org", r"~^img\d+\."),
        ("example.com", None),
        (".example.com", None),
        ("", None),
        ("[::1]:80", None),
    ],
)
def test_host_goes_to_exact_then_longest_wildcard_then_first_expression(header: str, domain: str | None) -> None:
    assert match_host(bare_host(header), index_hosts(DOMAINS)) == domain


URLS = (
    "/",
    "= /exact",
    "=/both",
    "/both",
    "^~ /static/",
    "/api",
    "/api/v1/",
    "/slash/",
    "~ \\.php$",
    "~* .png$",
    "~ ^/api/v9",
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/exact", Matched("= /exact")),
        ("/exact/", Matched("/")),
        ("/both", Matched("=/both")),
        ("/both/x", Matched("/both")),
        ("/api", Matched("/api")),
        ("/apiary", Matched("/api")),
        ("/api/v1", AddSlash("/api/v1/")),
        ("/api/v1/x", Matched("/api/v1/")),
        ("/api/v9/x.php", Matched("~ \\.php$")),
        ("/api/v9/x", Matched("~ ^/api/v9")),
        ("/static/x.php", Matched("^~ /static/")),
        ("/static", AddSlash("^~ /static/")),
        ("/slash", AddSlash("/slash/")),
        ("/x.PHP", Matched("/")),
        ("/x.PNG", Matched("~* .png$")),
        ("/other", Matched("/")),
    ],
)
def test_url_goes_to_exact_then_firm_prefix_then_first_expression_then_longest_prefix(
    path: str, found: UrlMatch
) -> None:
    assert match_url(path, index_urls(URLS)) == found


@pytest.mark.parametrize(
    ("urls", "path", "found"),
    [
        (("/a",), "/b", NoMatch()),
        (("=/a",), "/a/", NoMatch()),
        (("/a/", "=/a"), "/a", Matched("=/a")),
        (("/a/", "/a"), "/a", Matched("/a")),
        (("/a/", "~ ^/a$"), "/a", AddSlash("/a/")),
        ((), "/", NoMatch()),
    ],
)
def test_url_without_rule_is_404_and_a_missing_slash_is_added_only_without_a_better_rule(
    urls: tuple[str, ...], path: str, found: UrlMatch
) -> None:
    assert match_url(path, index_urls(urls)) == found


@pytest.mark.parametrize(
    ("sent", "matched"),
    [("/", "/"), ("/a//b", "/a/b"), ("/a/./b/../c", "/a/c"), ("/%61pi", "/api"), ("/a/..", "/"), ("/a/b/", "/a/b/")],
)
def test_path_is_made_plain_before_it_is_matched(sent: str, matched: str) -> None:
    assert plain_path(sent) == matched


def test_path_above_the_root_is_refused() -> None:
    with pytest.raises(ValueError, match="above the root"):
        plain_path("/a/../../etc")


@pytest.mark.parametrize("bad", ["~(", "~ ["])
def test_expression_that_does_not_compile_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        index_hosts([bad])
    with pytest.raises(ValueError, match="not a regular expression"):
        index_urls([bad])


@pytest.mark.parametrize(
    ("redirect", "offset", "location"),
    [
        (RedirectView(301, "HTTPS", 443, "shop.example.com", "/", True), 0, "https://shop.example.com/cart?x=1"),
        (RedirectView(302, "HTTPS", 443, "shop.example.com", "/new", False), 0, "https://shop.example.com/new"),
        (RedirectView(302, "HTTPS", 8443, "shop.example.com", "= /n", False), 0, "https://shop.example.com:8443/n"),
        (RedirectView(302, "HTTPS", 443, "*.example.com", "/n", False), 0, "https://a.example.com/n"),
        (RedirectView(302, "HTTP", 80, "b.example.com", "~ ^/n", False), 0, "http://b.example.com/cart?x=1"),
        (
            RedirectView(301, "HTTPS", 443, "shop.example.com", "/", True),
            21000,
            "https://shop.example.com:21443/cart?x=1",
        ),
    ],
)
def test_redirect_names_the_target_rule_and_keeps_the_url_when_asked(
    redirect: RedirectView, offset: int, location: str
) -> None:
    assert redirect_location(redirect, "a.example.com", "/cart?x=1", offset) == location


def test_added_slash_keeps_port_and_query() -> None:
    assert slash_location("http", "a.example.com:81", "/api?x=1") == "http://a.example.com:81/api/?x=1"


def test_unknown_host_gets_the_marked_default_domain_else_the_oldest() -> None:
    old, marked = rule("r-old", "old.example.com"), rule("r-marked", "marked.example.com", default_server=True)
    with_mark = http_lb("127.0.0.1", old, marked)
    without = http_lb("127.0.0.1", old, rule("r-new", "new.example.com"))
    assert route(compile_listener(with_mark, with_mark.listeners[0]), "nobody.org", "/") == Forward(marked)
    assert route(compile_listener(without, without.listeners[0]), "nobody.org", "/") == Forward(old)


def test_url_that_the_default_domain_lacks_is_404_and_so_is_a_listener_without_rules() -> None:
    one = http_lb("127.0.0.1", rule("r", "a.example.com", "/api"))
    assert route(compile_listener(one, one.listeners[0]), "nobody.org", "/x") == Answer(404)
    empty = http_lb("127.0.0.1")
    assert route(compile_listener(empty, empty.listeners[0]), "nobody.org", "/") == Answer(404)


@pytest.mark.parametrize(
    ("server_name", "certificate"),
    [("a.example.com", "cert-a"), ("B.example.com", "cert-wild"), ("nobody.org", "cert-a"), (None, "cert-a")],
)
def test_sni_chooses_the_domains_certificate_else_the_default_domains(
    server_name: str | None, certificate: str
) -> None:
    listener = ListenerView(
        "l",
        "HTTPS",
        443,
        sni=True,
        rules=(
            rule("r1", "*.example.com", certificate_id="cert-wild"),
            rule("r2", "a.example.com", certificate_id="cert-a", default_server=True),
        ),
    )
    assert (
        certificate_for(compile_listener(LbView("lb", "127.0.0.1", (listener,)), listener), server_name) == certificate
    )


def _picks(scheduler: str, weights: tuple[int, ...], count: int, state: BalanceState | None = None) -> str:
    names = {("127.0.0.1", number): chr(ord("a") + number) for number in range(len(weights))}
    bound = tuple(TargetView("127.0.0.1", number, weight) for number, weight in enumerate(weights))
    now, picked = state or BalanceState(), ""
    for _ in range(count):
        target, now = choose_target(scheduler, bound, now, "10.0.0.1")
        picked += names[key_of(target)]
    return picked


def test_weighted_round_robin_is_smooth_and_exact() -> None:
    assert _picks("WRR", (5, 1, 1), 14) == "aabacaa" * 2
    assert _picks("WRR", (10, 10), 4) == "abab"
    many = _picks("WRR", (3, 2, 5), 1000)
    assert [many.count(name) for name in "abc"] == [300, 200, 500]


def test_least_connections_counts_by_weight_and_breaks_ties_in_turn() -> None:
    busy = BalanceState(active={("127.0.0.1", 0): 3, ("127.0.0.1", 1): 1})
    assert _picks("LEAST_CONN", (40, 10), 3, busy) == "aaa"
    assert _picks("LEAST_CONN", (10, 10), 3, busy) == "bbb"
    assert _picks("LEAST_CONN", (10, 10), 4) == "abab"


def test_address_hash_gives_a_client_the_same_target_whatever_the_order() -> None:
    bound = targets(("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.1", 3))
    seen = set()
    for number in range(60):
        client = f"10.0.0.{number}"
        chosen = {choose_target("IP_HASH", order, BalanceState(), client)[0] for order in (bound, bound[::-1])}
        assert len(chosen) == 1
        seen |= chosen
    assert seen == set(bound)


@pytest.mark.parametrize(
    ("weighted", "eligible"),
    [
        ({"a": ("Alive", 10), "b": ("Dead", 10)}, "a"),
        ({"a": ("Alive", 10), "b": ("Unknown", 10)}, "a"),
        ({"a": ("Alive", 10), "b": ("Close", 10)}, "ab"),
        ({"a": ("Dead", 10), "b": ("Dead", 10)}, "ab"),
        ({"a": ("Dead", 10), "b": ("Unknown", 10)}, "a"),
        ({"a": ("Alive", 0), "b": ("Dead", 10)}, "b"),
        ({"a": ("Alive", 0), "b": ("Unknown", 10)}, ""),
        ({"a": ("Unknown", 10)}, ""),
        ({}, ""),
    ],
)
def test_only_healthy_targets_get_requests_unless_all_judged_are_dead(
    weighted: dict[str, tuple[str, int]], eligible: str
) -> None:
    bound = [TargetView(name, 80, weight) for name, (_, weight) in weighted.items()]
    found = eligible_targets(bound, lambda target: weighted[target.ip][0])
    assert "".join(target.ip for target in found) == eligible


@pytest.mark.parametrize(
    ("results", "statuses"),
    [
        ("+++", ["Unknown", "Unknown", "Alive"]),
        ("++-+++", ["Unknown", "Unknown", "Unknown", "Unknown", "Unknown", "Alive"]),
        ("--", ["Unknown", "Dead"]),
        ("+++-+--", ["Unknown", "Unknown", "Alive", "Alive", "Alive", "Alive", "Dead"]),
        ("--++-+++", ["Unknown", "Dead", "Dead", "Dead", "Dead", "Dead", "Dead", "Alive"]),
    ],
)
def test_health_turns_after_a_whole_window_of_equal_results(results: str, statuses: list[str]) -> None:
    verdict, seen = Verdict(), []
    for result in results:
        verdict = judge(verdict, result == "+", healthy_num=3, unhealthy_num=2)
        seen.append(verdict.status)
    assert seen == statuses


def test_switching_the_check_on_does_not_take_a_served_target_off() -> None:
    assert switched(None, enabled=True).status == "Unknown"
    assert switched(None, enabled=False).status == "Close"
    assert switched(Verdict("Close"), enabled=True).status == "Alive"
    assert switched(Verdict("Dead", 0, 5), enabled=True).status == "Dead"


@pytest.mark.parametrize(
    ("status", "mask", "accepted"),
    [
        (200, 31, True),
        (200, 2, True),
        (404, 2, False),
        (404, 8, True),
        (503, 15, False),
        (302, 4, True),
        (600, 31, False),
    ],
)
def test_probe_status_counts_by_its_class(status: int, mask: int, accepted: bool) -> None:
    assert status_accepted(status, mask) is accepted


def test_schedule_hands_out_what_is_due_longest_and_only_once() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("late", 5)
    schedule.put("early", 9)
    schedule.put("early", 1)
    schedule.put("gone", 0)
    schedule.drop("gone")
    assert schedule.next_due() == 1
    assert schedule.take(0.5) is None
    assert [schedule.take(10), schedule.take(10), schedule.take(10)] == ["early", "late", None]
    assert schedule.next_due() is None
