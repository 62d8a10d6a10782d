"""Every page of the console: what it shows, what it never lets through, and how large it gets."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l7lb.console.finding import Wanted
from l7lb.console.site import Console, Page, Visit
from l7lb.model.branches import Mark
from l7lb.model.identity import ObjectKey
from l7lb.model.portrait import Check, Fate, PlanView, StepView
from tests.unit.console import portraits
from tests.unit.console.portraits import STANDING, WEB, Gallery

PATHS = ("/", "/?view=ingresses", "/plans", "/balancers/ap-guangzhou/lb-8f2kq1zd", "/ingresses/shop/web", "/nowhere")
HOSTILE = "<script>alert(1)</script>'\"&{{7*7}}\u202e\n\x00"


def visited(path: str, gallery: Gallery | None = None, accept: str = "text/html") -> Page:
    place, _, query = path.partition("?")
    return Console(gallery or Gallery()).answer(Visit(place, query, accept))


def text(page: Page) -> str:
    return page.body.decode()


class Elements(HTMLParser):
    """Tags and attributes of a page, as a browser reads them."""

    VOID = frozenset({"meta", "link", "input", "rect", "path", "circle"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def named(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_whole_and_stands_on_its_own(path: str) -> None:
    page = visited(path)
    read = Elements(text(page))
    assert read.open == []
    assert page.status == (404 if path == "/nowhere" else 200)
    assert [one.get("src") for one in read.named("script")] == ["/static/console.js"]
    assert not list(read.named("style"))
    for tag, attributes in read.tags:
        assert not any(name == "style" or name.startswith("on") for name in attributes), (tag, attributes)
        for place in (attributes.get("src"), attributes.get("href"), attributes.get("action")):
            assert place is None or place.startswith(("/", "?", "#")), place
            assert place is None or not place.startswith("//"), place


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_landmarks_one_title_and_labels(path: str) -> None:
    read = Elements(text(visited(path)))
    for landmark in ("header", "main", "footer"):
        assert len(list(read.named(landmark))) == 1
    assert len(list(read.named("h1"))) == 1
    labels = {one.get("for") for one in read.named("label")}
    assert {one["id"] for one in read.named("input") if one.get("type") != "hidden"} <= labels
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    described = {one["aria-labelledby"] for one in read.named("section") if "aria-labelledby" in one}
    assert described <= set(ids)


def test_the_overview_puts_what_is_wrong_first() -> None:
    shown = text(visited("/"))
    assert shown.index("Service shop/payments not found") < shown.index(">Load balancers</h2>")
    assert "1 Ingress needs attention" in shown


@pytest.mark.parametrize(
    ("mark", "headline"),
    [
        (Mark.BAD, "1 Ingress needs attention"),
        (Mark.WAITING, "Work is under way"),
        (Mark.UNKNOWN, "As asked; not all of it is known to work"),
        (Mark.WARNING, "1 Ingress is worth a look"),
        (Mark.OK, "Everything works"),
    ],
)
def test_the_headline_says_no_more_than_is_known(mark: Mark, headline: str) -> None:
    fleet = portraits.fleet()
    members = (replace(fleet.members[0], mark=mark), replace(fleet.members[1], mark=Mark.OK))
    assert headline in text(visited("/", Gallery(the_fleet=replace(fleet, members=members))))


def test_a_plan_of_which_the_cloud_refused_a_step_says_so_before_it_is_opened() -> None:
    left_out = PlanView(1, WEB, 1.0, Fate.REPLACED, steps=(StepView("bind"),), reason="the cloud refused: bind")
    summary = re.search(r"<summary>(.*?)</summary>", text(visited("/plans", Gallery(the_plans=(left_out,)))), re.DOTALL)
    assert summary is not None
    assert "refused in part" in summary[1]
    assert "the cloud refused: bind" in summary[1]
    assert "planned anew" not in summary[1]


def test_the_search_of_the_overview_names_what_it_looked_for() -> None:
    shown = text(visited("/?q=portal"))
    assert "lb-5m3v5x7q" in shown
    assert "lb-8f2kq1zd" not in shown
    assert 'value="portal"' in shown
    assert "Nothing fits" in text(visited("/?q=nowhere"))


def test_a_load_balancer_shows_its_tree_its_plans_and_its_tags() -> None:
    words = " ".join(Elements(text(visited("/balancers/ap-guangzhou/lb-8f2kq1zd"))).words)
    for said in ("HTTPS", "443", "/checkout", "0 of 2 healthy", "node-12", "not ours", "held", "to be made",
                 "301 to HTTPS:443", "aZ4kQ9Tn + bY7mW2Lp", "Created: we made it", "6a1d9b52", "tke-lifecycle-owner",
                 "12 of 18 rules would be removed", "4c0f2b7d19aa83e1"):  # fmt: skip
        assert said in words, said


def test_an_ingress_leads_with_the_worst_link_of_its_chain() -> None:
    shown = text(visited("/ingresses/shop/web"))
    assert shown.index("It does not work as it asks") < shown.index("Link by link")
    fine = portraits.why(Check("Class", Mark.OK, "It has class qcloud."))
    assert "It works, as far as can be seen" in text(visited("/ingresses/shop/web", Gallery(the_why=fine)))


def test_of_what_is_under_way_the_page_leads_with_what_is_being_done() -> None:
    none = Check("Load balancer", Mark.WAITING, "It has none yet.")
    work = Check("Work", Mark.WAITING, "1 of 4 steps are done.")
    shown = text(visited("/ingresses/shop/web", Gallery(the_why=portraits.why(none, work))))
    assert shown.index("1 of 4 steps") < shown.index("It has none yet.")


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (replace(STANDING, leading=False, leader="l7lb-other"), "l7lb-other leads: open its console"),
        (replace(STANDING, leading=False, leader=""), "Nobody is known to lead."),
        (replace(STANDING, gate_open=False, gate="TKE's is running"), "The gate is closed"),
        (replace(STANDING, doubt="this may be a copy"), "Deletes are held."),
        (replace(STANDING, lacking="not synced: Pod"), "Not ready yet."),
    ],
)
def test_what_the_process_may_not_do_stands_above_everything(standing: Any, said: str) -> None:
    shown = text(visited("/", Gallery(replace(portraits.fleet(), standing=standing))))
    assert said in shown
    assert shown.index(said) < shown.index("<h1")


@pytest.mark.parametrize("path", ["/", "/plans", "/balancers/ap-guangzhou/lb-8f2kq1zd", "/ingresses/shop/web"])
def test_every_page_has_a_twin_in_json(path: str) -> None:
    twin = visited("/index.json" if path == "/" else f"{path}.json")
    assert (twin.status, twin.content_type) == (200, "application/json")
    assert json.loads(twin.body) == json.loads(visited(path, accept="application/json").body)


def test_json_has_keys_as_people_write_them() -> None:
    found = json.loads(visited("/balancers/ap-guangzhou/lb-8f2kq1zd.json").body)
    assert found["balancer"]["ref"] == "ap-guangzhou/lb-8f2kq1zd"
    assert found["balancer"]["owners"] == ["shop/web", "shop/checkout"]
    rule = found["listeners"][1]["hosts"][0]["rules"][1]
    assert (found["listeners"][1]["key"], rule["path"], rule["targets"][1]["health"]) == ("HTTPS:443", "/api", "Dead")


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/balancers/ap-guangzhou/lb-0", "/balancers/x", "/ingresses/shop/none", "/ingresses/a/b/c",
     "/static/../site.py", "/static/%2e%2e/site.py", "/static/", "/static/pages.py", "/" + "a" * 999, "/%ff%00"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(path: str) -> None:
    page = visited(path)
    assert (page.status, page.content_type) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in text(page)
    assert visited(path, accept="application/json").status == 404


@pytest.mark.parametrize("name", ["console.css", "console.js", "icon.svg"])
def test_assets_are_part_of_the_package(name: str) -> None:
    page = visited(f"/static/{name}")
    assert page.status == 200
    assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)", page.body)


def spoilt(value: Any, word: str) -> Any:
    """The same portrait with this word in every text that somebody else may have written."""
    if isinstance(value, ObjectKey):
        return ObjectKey(word + value.namespace, word + value.name)
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return word + value
    if isinstance(value, tuple):
        return tuple(spoilt(part, word) for part in value)
    if isinstance(value, dict):
        return {spoilt(key, word): spoilt(part, word) for key, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: spoilt(getattr(value, one.name), word) for one in fields(value)})
    return value


def hostile_pages(word: str) -> Iterator[Page]:
    gallery = Gallery(*(spoilt(one, word) for one in (portraits.fleet(), portraits.tree(), portraits.why())))
    gallery.the_plans = spoilt(portraits.plans(), word)
    console = Console(gallery)
    assert gallery.the_tree is not None
    assert gallery.the_why is not None
    yield console.answer(Visit("/"))
    yield console.answer(Visit("/", "view=ingresses"))
    yield console.answer(Visit("/plans"))
    # Past the addresses, which are too long for some words: what a page shows matters here.
    pages = console._pages
    asked = Wanted(text=word)
    yield Page(200, "", pages.balancer(gallery.the_tree, gallery.the_fleet.standing, asked))
    yield Page(200, "", pages.ingress(gallery.the_why, gallery.the_fleet.standing))
    yield Page(200, "", pages.missing(gallery.the_fleet.standing, portraits.NOW, word))


SHARP = st.sampled_from("<>&\"'`={}%/\\ a\n\u202e\u0000-!;")
PLAIN = {path: [tag for tag, _ in Elements(text(page)).tags] for path, page in enumerate(hostile_pages("x"))}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.just(HOSTILE), st.text(SHARP, min_size=1, max_size=12)))
def test_no_word_of_others_becomes_a_part_of_a_page(word: str) -> None:
    for number, page in enumerate(hostile_pages(word)):
        read = Elements(text(page))
        assert read.open == []
        allowed = set(PLAIN[number]) | set(PLAIN[0]) | {"details", "summary", "a", "span", "abbr", "p"}
        assert {tag for tag, _ in read.tags} <= allowed
        assert [one.get("src") for one in read.named("script")] == ["/static/console.js"]
        assert all("\u202e" not in word and "\x00" not in word for word in read.words)


@given(st.text(), st.text(), st.sampled_from(["", "text/html", "application/json", "*/*"]))
def test_every_visit_gets_a_page(path: str, query: str, accept: str) -> None:
    page = GALLERY.answer(Visit("/" + path, query, accept))
    assert page.status in (200, 404)
    assert page.body


GALLERY = Console(Gallery())


def test_hostile_text_is_shown_as_text() -> None:
    shown = next(iter(hostile_pages(HOSTILE)))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text(shown)
    assert "{{7*7}}" in text(shown)
    assert "<script>alert" not in text(shown)


def test_links_to_odd_names_stay_inside_the_console() -> None:
    fleet = portraits.fleet()
    odd = replace(fleet.members[0], key=ObjectKey("a/b?", 'c#d"><'))
    read = Elements(text(visited("/?view=ingresses", Gallery(replace(fleet, members=(odd,))))))
    assert "/ingresses/a%2Fb%3F/c%23d%22%3E%3C" in [one.get("href") for one in read.named("a")]


def test_a_thousand_load_balancers_make_no_large_page() -> None:
    gallery = Gallery(portraits.large(1000))
    for path in ("/", "/?view=ingresses", "/?page=20", "/?q=app-0"):
        assert len(visited(path, gallery).body) < 100_000, path
    assert "1,000" in text(visited("/", gallery))
    assert "Page 1 of 20" in text(visited("/", gallery))


def test_the_largest_load_balancer_makes_no_large_page() -> None:
    gallery = Gallery(the_tree=portraits.broad(50 * 50, 100))
    page = visited("/balancers/ap-guangzhou/lb-8f2kq1zd", gallery)
    assert len(page.body) < 1_500_000
    assert "Page 1 of 25" in text(page)
    assert "75 more targets" in text(page)


def test_an_ingress_that_nobody_has_read_yet_has_a_page() -> None:
    why = replace(portraits.why(), tree=None, plans=(), troubles=())
    why = replace(why, member=replace(why.member, ref=None, since=None, addresses=(), hosts=("",)))
    assert "none yet" in text(visited("/ingresses/shop/web", Gallery(the_why=why)))
    assert why.member.key == WEB


def test_an_empty_fleet_says_what_to_do() -> None:
    empty = replace(portraits.fleet(), balancers=(), members=(), troubles=())
    assert "Create an Ingress of the class" in text(visited("/", Gallery(empty)))
