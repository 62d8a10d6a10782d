"""The console's pages in a real browser: nothing breaks or comes from elsewhere, and no script of others runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from l7lb.app.visiting import ConsoleServer
from l7lb.console.site import HTML, Console, Page, Visit
from tests.browser import Browser
from tests.tools import needs
from tests.unit.console import portraits
from tests.unit.console.portraits import Gallery
from tests.unit.console.test_site import HOSTILE, spoilt

pytestmark = [pytest.mark.system, needs("chromium-headless-shell")]

PATHS = (
    "/", "/?view=ingresses", "/?q=nothing-like-it", "/plans", "/balancers/ap-guangzhou/lb-8f2kq1zd",
    "/ingresses/shop/web", "/nowhere",
)  # fmt: skip
LOADED = ["/static/console.css", "/static/console.js"]


@contextmanager
def served(answer: Callable[[Visit], Page]) -> Iterator[str]:
    server = ConsoleServer("127.0.0.1:0", answer)
    server.start(lambda *_: None)
    assert server.place is not None
    try:
        yield f"http://127.0.0.1:{server.place[1]}"
    finally:
        server.stop(1.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(Console(Gallery()).answer) as url:
        yield url


@pytest.mark.parametrize("path", PATHS)
def test_every_page_opens_without_a_complaint_and_fetches_nothing_from_elsewhere(
    browser: Browser, site: str, path: str
) -> None:
    browser.open(site + path)
    complaints = [one for one in browser.complaints if path != "/nowhere" or "404" not in one]
    assert complaints == []
    assert {url.removeprefix(site) for url in browser.requests} <= {path, *LOADED, "/static/icon.svg"}
    assert browser.text("h1")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_its_window(browser: Browser, site: str, path: str, width: int) -> None:
    browser.open(site + path, width=width)
    assert browser.value("document.documentElement.scrollWidth") <= width


CONTRAST = """
(() => {
  const parts = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".hidden, .skip, svg")) continue;
    const [a, b] = [light(parts(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName}: ${ratio.toFixed(2)} ${element.innerText}`);
  }
  return poor;
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_all_text_stands_out_from_its_ground(browser: Browser, site: str, path: str, dark: bool) -> None:
    browser.open(site + path, dark=dark)
    assert browser.value(CONTRAST) == []


def test_the_search_is_a_key_away_narrows_while_typing_and_asks_the_server_at_the_end(
    browser: Browser, site: str
) -> None:
    browser.open(site)
    before = browser.texts("[data-list] tbody tr")
    browser.press("/", 191)
    assert browser.value("document.activeElement.id") == "q"
    browser.type("portal")
    assert len(browser.texts("[data-list] tbody tr")) == 1 < len(before)
    browser.enter()
    assert browser.value("location.search") == "?q=portal"
    assert "lb-5m3v5x7q" in browser.text("[data-list]")


def test_a_load_balancer_is_searched_within(browser: Browser, site: str) -> None:
    browser.open(f"{site}/balancers/ap-guangzhou/lb-8f2kq1zd")
    browser.value("document.getElementById('within').focus()")
    browser.type("checkout")
    assert [one.split("\n")[-1] for one in browser.texts(".tree .rule")] == ["0 of 2 healthy"]


def test_everything_works_without_scripts(browser: Browser, site: str) -> None:
    browser.open(f"{site}/?q=portal", scripts=False)
    assert browser.complaints == []
    browser.open(f"{site}/balancers/ap-guangzhou/lb-8f2kq1zd?q=checkout", scripts=False)
    assert browser.complaints == []


def test_a_rule_opens_by_keyboard_and_shows_its_targets(browser: Browser, site: str) -> None:
    browser.open(f"{site}/balancers/ap-guangzhou/lb-8f2kq1zd?q=checkout")
    assert browser.texts(".targets") == []
    browser.value("document.querySelector('.rule summary').focus()")
    browser.press("Enter", 13)
    (shown,) = browser.texts(".targets")
    assert "failing its check" in shown
    assert "10.0.0.14:31080" in shown


def test_no_word_of_others_is_run(browser: Browser) -> None:
    word = HOSTILE + "<img src=x onerror=document.title='run'><svg/onload=document.title='run'>"
    gallery = Gallery(
        spoilt(portraits.fleet(), word),
        spoilt(portraits.tree(), word),
        spoilt(portraits.why(), word),
        spoilt(portraits.plans(), word),
    )
    with served(Console(gallery).answer) as url:
        for path in ("/", "/?view=ingresses", "/plans", f"/?q={'%3Cscript%3Edocument.title=1%3C/script%3E'}"):
            browser.open(url + path)
            assert browser.complaints == []
            assert "run" not in browser.value("document.title").split()
            assert browser.value("document.querySelectorAll('img, script:not([src]), svg[onload]').length") == 0


def careless(visit: Visit) -> Page:
    """A console that has let a script of others through."""
    body = f"<title>calm</title><script>document.title='run'</script><p style='color:red'>{visit.path}"
    return Page(200, HTML, f"<!doctype html>{body}<img src='http://127.0.0.1:9/away.png'>".encode())


def test_what_should_get_through_all_the_same_is_stopped_by_the_browser(browser: Browser) -> None:
    with served(careless) as url:
        browser.open(url)
        assert browser.value("document.title") == "calm"
        told = " ".join(browser.complaints)
        for part in ("script-src", "style-src", "img-src"):
            assert part in told, told
