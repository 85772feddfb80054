"""What is new, followed and hidden, in a real browser, under the content security policy that the site asks for."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route

from newsgen.files import shipped_site

Demo = tuple[str, Path]

MOST_BYTES = 6 * 1024
SHIFTS = """new Promise(done => new PerformanceObserver(list =>
    done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({type: "layout-shift", buffered: true})
    || setTimeout(() => done(0), 300))"""
"""The layout shifts of a page so far."""


class Reader:
    """A reader with a browser of their own. `asked` are the URLs that were requested, `errors` what went wrong."""

    def __init__(self, context: BrowserContext, demo: Demo) -> None:
        self.address, folder = demo
        rule = re.search(r"Content-Security-Policy: (.*)", (folder / "_headers").read_text(encoding="utf-8"))
        assert rule
        self._policy = rule[1]
        self.asked: list[str] = []
        self.errors: list[str] = []
        self.page = context.new_page()
        context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        context.route(re.compile(r"127\.0\.0\.1.*/$"), self._answer)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if "Content Security Policy" in m.text else None)

    def _answer(self, route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": self._policy})

    def open(self, path: str, time: str = "2026-11-08T21:20:00Z") -> Page:
        self.page.clock.set_fixed_time(time)
        self.page.goto(self.address + path, wait_until="load")
        return self.page

    def kept(self, name: str) -> Any:
        return json.loads(self.page.evaluate("name => localStorage.getItem(`newsgen /news/ ${name}`)", name) or "{}")


@pytest.fixture
def reader(browser: Browser, demo: Demo) -> Iterator[Reader]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, timezone_id="UTC", color_scheme="dark")
    made = Reader(context, demo)
    yield made
    context.unroute_all(behavior="ignoreErrors")
    context.close()
    outside = [url for url in made.asked if not url.startswith(demo[0]) and "/demo/" not in url]
    pictures = ("jpg", "jpeg", "png", "webp", "avif", "svg")
    assert not [url for url in outside if not url.startswith("blob:") and not url.endswith(pictures)]
    assert not made.errors


def smallest(page: Page, selector: str) -> float:
    """The smallest width or height of the elements that are shown."""
    boxes = page.evaluate(
        "s => [...document.querySelectorAll(s)].filter(e => e.offsetParent || e.matches('.news')).map(e => e.getBoundingClientRect())"
        ".map(r => Math.min(r.width, r.height))",
        selector,
    )
    return float(min(boxes))


def test_a_reader_sees_what_is_new_follows_and_hides(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("", "2026-11-08T09:10:00Z")
    assert page.locator(".fresh, .news").count() == 0
    # Five of the entries come up later.
    page.evaluate(
        """() => {
            const seen = JSON.parse(localStorage.getItem("newsgen /news/ seen"));
            const rest = Object.entries(seen).slice(5);
            localStorage.setItem("newsgen /news/ seen", JSON.stringify(Object.fromEntries(rest)));
        }"""
    )
    page = reader.open("")
    button = page.locator("button.news")
    count = int(button.inner_text().split()[0])
    assert button.inner_text() == f"{count} new since 09:10"
    assert 3 <= count <= 5
    assert page.evaluate(SHIFTS) == 0
    assert smallest(page, "button.news") >= 24
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    button.press("Enter")
    assert page.evaluate("document.activeElement.closest('.fresh').querySelector('.unseen').textContent") == "New: "
    texts = page.locator(".h-entry .meta time").all_inner_texts()
    assert "3h ago" in texts
    assert "5 Nov" in texts
    assert "2026-11-08T17:55:00Z" in page.locator("time").evaluate_all("found => found.map(t => t.dateTime)")

    page = reader.open("topics/transport/")
    follow = page.get_by_role("button", name="Follow Transport")
    assert follow.get_attribute("aria-pressed") == "false"
    follow.focus()
    page.keyboard.press("Enter")
    assert follow.get_attribute("aria-pressed") == "true"
    assert smallest(page, ".mine button, .mine a") >= 24
    assert page.evaluate(SHIFTS) == 0

    page = reader.open("providers/thevelmoran.example/")
    page.get_by_role("button", name="Hide The Velmoran").click()
    assert page.locator(".row:visible").count() > 3, "its own page shows it"
    page = reader.open("")
    shown = page.locator(".h-feed .source:visible, .h-feed .by:visible, .river .by:visible").all_inner_texts()
    assert len(shown) > 8
    assert "The Velmoran" not in shown
    assert page.locator(".left-out").inner_text().endswith("of sources that you hide. Change")
    assert page.evaluate(SHIFTS) == 0

    page = reader.open("following/")
    page.locator("#following .h-entry").first.wait_for()
    assert page.locator("#following .h-entry").count() >= 5
    assert page.evaluate(SHIFTS) == 0
    assert page.get_by_role("heading", level=1).inner_text() == "Following"
    assert smallest(page, "#following button, #following label, #following li a") >= 24
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert not [v["id"] for v in result.response["violations"]]
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    file = tmp_path / "following.json"
    download.value.save_as(file)
    assert json.loads(file.read_text(encoding="utf-8")) == {
        "follow": {"/news/topics/transport/": "Transport"},
        "hidden": {"/news/providers/thevelmoran.example/": "The Velmoran"},
    }
    page.get_by_role("button", name="Forget all").click()
    assert (reader.kept("follow"), reader.kept("hidden"), reader.kept("seen")) == ({}, {}, {})
    page.locator("#following .h-entry").first.wait_for(state="detached")
    page.get_by_label("Add from a file").set_input_files(file)
    page.get_by_role("button", name="Unfollow Transport").wait_for()
    assert page.get_by_role("status").inner_text() == "2 imported"
    page.get_by_role("button", name="Show again The Velmoran").click()
    assert reader.kept("hidden") == {}
    (tmp_path / "other.json").write_text('{"follow": {"https://x.example/": "x", "/news/../": "y"}, "hidden": [3]}')
    page.get_by_label("Add from a file").set_input_files(tmp_path / "other.json")
    page.get_by_text("This file has nothing to import.").wait_for()


def test_hostile_values_are_ignored_and_titles_are_text(reader: Reader) -> None:
    hostile = {
        "follow": {"javascript:alert(1)": "x", "//x.example/": "x", "/other/": "x", "/news/../other/": "x", "/news/gone/": "<img src=x onerror=alert(1)>", "/news/topics/": 7},
        "hidden": ["x", {"y": 1}],
        "seen": {"a": "b", "__proto__": 3, "c": 1e99},
        "lists": "no object",
        "visit": {"start": "x", "last": {}, "before": -1},
    }  # fmt: skip
    values = {f"newsgen /news/ {name}": json.dumps(value) for name, value in hostile.items()} | {
        "newsgen /news/ seen": "{"
    }
    reader.page.add_init_script(f"Object.entries({json.dumps(values)}).forEach(pair => localStorage.setItem(...pair))")
    page = reader.open("following/")
    (item,) = page.locator("[data-list=follow] li").all()
    assert item.inner_text().startswith("<img src=x onerror=alert(1)>")
    assert page.locator("main img").count() == 0
    page.get_by_text("Nothing yet.").wait_for()  # the page that is gone has been asked for
    assert [url for url in reader.asked if url.endswith("/gone/")]
    assert not [url for url in reader.asked if "other" in url or url.endswith("/topics/")]
    page = reader.open("")
    assert page.locator("main article").count() >= 10
    assert page.locator(".news").count() == 0


def test_a_browser_that_keeps_nothing_does_no_harm(reader: Reader) -> None:
    reader.page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('private') }})")
    page = reader.open("topics/transport/")
    page.get_by_role("button", name="Follow Transport").click()
    assert page.get_by_role("alert").inner_text() == "This browser keeps nothing for this site."
    assert page.get_by_role("button", name="Follow Transport").get_attribute("aria-pressed") == "false"
    assert page.locator(".row:visible").count() > 5


def test_the_script_is_small_and_pages_are_whole_without_it(browser: Browser, demo: Demo) -> None:
    assert len(gzip.compress((shipped_site() / "static/js/reader.js").read_bytes(), 9, mtime=0)) <= MOST_BYTES
    context = browser.new_context(viewport={"width": 320, "height": 740})
    page = context.new_page()
    page.goto(f"{demo[0]}following/")
    page.add_style_tag(content="html { font-size: 200% !important }")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    context.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo[0]}following/")
    assert page.get_by_text("This page needs JavaScript").is_visible()
    assert not page.locator("#following").is_visible()
    page.goto(f"{demo[0]}topics/transport/")
    assert not page.locator(".mine").is_visible()
    context.close()
