"""The site in a real browser: what is searched is found, drawings follow the colours, and nobody else is asked."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser import PROGRAM, Browser
from tests.tools import needs

pytestmark = [pytest.mark.system, needs(PROGRAM)]
GROUND = "getComputedStyle(document.querySelector('svg.l7 .ground')).fill"
WIDE = "document.querySelector('svg.l7').getBoundingClientRect().width / document.querySelector('article').clientWidth"
LIGHT, DARK = "rgb(251, 252, 254)", "rgb(27, 30, 41)"
FOUND = """
new Promise(resolve => {
  const look = () => {
    const found = [...document.querySelectorAll('.md-search-result__item a')].map(one => one.pathname);
    found.length ? resolve(found) : setTimeout(look, 50);
  };
  look();
})
"""
"""The pages that are found, once there are some."""


class Quiet(SimpleHTTPRequestHandler):
    """Writes no log."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


@pytest.mark.parametrize(("dark", "ground"), [(False, LIGHT), (True, DARK)], ids=["light", "dark"])
def test_a_drawing_has_the_colours_that_the_system_says(
    browser: Browser, address: str, dark: bool, ground: str
) -> None:
    browser.open(f"{address}/concepts/", dark=dark)
    assert browser.value(GROUND) == ground
    assert browser.value(WIDE) > 0.9


def test_a_drawing_follows_the_switch_of_the_page(browser: Browser, address: str) -> None:
    browser.open(f"{address}/concepts/", dark=False)
    browser.value("document.body.setAttribute('data-md-color-scheme', 'slate')")
    assert browser.value(GROUND) == DARK


@pytest.mark.parametrize(
    ("words", "page"),
    [("L7lbCloudThrottled", "/runbook/L7lbCloudThrottled/"), ("existLbId", "/annotations/"), ("E4041", "/errors/")],
)
def test_what_is_searched_is_found(browser: Browser, address: str, words: str, page: str) -> None:
    browser.open(f"{address}/")
    browser.value("document.querySelector('input.md-search__input').focus()")
    browser.type(words)
    assert page in browser.value(FOUND)


@pytest.mark.parametrize("page", ["", "concepts/", "annotations/", "command-line/", "runbook/"])
def test_nobody_else_is_asked_and_nothing_is_complained_about(browser: Browser, address: str, page: str) -> None:
    browser.open(f"{address}/{page}")
    assert browser.value("document.readyState") == "complete"
    assert [url for url in browser.requests if not url.startswith((f"{address}/", "data:", "blob:"))] == []
    assert browser.complaints == []
