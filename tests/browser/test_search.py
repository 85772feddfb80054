"""The search in Chromium: its words are those of the index, and readers can use it with a keyboard, below any path."""

from __future__ import annotations

import gzip
import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect

from newsgen.stories import search_words

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = ROOT / "static/js"
HEADLINES = (ROOT / "tests/stories/headlines.tsv").read_text("utf-8").split("\n")
EXAMPLES = [
    "Ministers’ U.S. trip—delayed…again", "Élodie's CAFÉ, naïve façade", "Straße STRAẞE ΟΔΥΣΣΕΥΣ ΐ İzmir ılık ﬁn Ǆ", "ﬀ ½ ² ① Ⅷ № ㎏",
    "東京タワー、〇三月々の㍻", "서울 시장 사임", "เปิดน้ำ ລາວ မြန်မာ ខ្មែរ", "مُدَرِّسة ـــ", "שָׁלוֹם", "हिन्दी में ख़बर", "Ёлка й Їжак", "5G, B-52 and C++ at 9.30",
    "x'S y's 'sz it's_ a_b", "a\u200db\u00adc\u00a0d", "\U00020000\U00020001 𝒳 Ａ", "e\u0301 \u0345 ᾳ",
]  # fmt: skip
LETTERS = "".join(f"{chr(c)}{chr(c)} " for c in range(0xA0, 0x3000) if chr(c).isalnum() and not 0x13A0 <= c < 0x1400)

SHIFTS = """new Promise(done => new PerformanceObserver(list =>
    done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({type: "layout-shift", buffered: true})
    || setTimeout(() => done(0), 300))"""
"""The layout shifts of a page so far."""

Demo = tuple[str, Path]


def _open(browser: Browser, address: str, width: int = 1280) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800})
    context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    page = context.new_page()
    page.errors = errors = []  # type: ignore[attr-defined]

    def note(error: Error) -> None:
        errors.append(error)

    page.on("pageerror", note)
    page.goto(address)
    return page


def test_the_words_of_the_script_are_those_of_the_index(browser: Browser) -> None:
    script = (SCRIPTS / "search.js").read_text("utf-8")
    start, end = (script.index(f"  // {heading}") for heading in ("Words:", "How well"))
    page = browser.new_page()
    texts = [*HEADLINES, *EXAMPLES, *LETTERS.split()]
    found = page.evaluate(f"texts => {{ {script[start:end]} return texts.map(words); }}", texts)
    page.close()
    wrong = {
        text: (own, search_words(text)) for text, own in zip(texts, found, strict=True) if own != search_words(text)
    }
    assert not wrong


def test_a_reader_finds_stories_topics_sources_and_days(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo[0])
    page.keyboard.press("/")
    expect(page.locator("header input[name=q]")).to_be_focused()
    page.keyboard.type("lisk bridg")
    page.keyboard.press("Enter")
    page.wait_for_url("**/news/search/?q=lisk+bridg")
    status = page.locator("[role=status]")
    expect(status).to_contain_text(re.compile(r"\d results?, .* 2026"))
    first = page.locator("#results li").first
    expect(first.locator("h3 mark").first).to_have_text(re.compile("Lisk|bridge", re.IGNORECASE))
    assert page.locator("#results h3 a").evaluate_all("links => links.every(a => /^http/.test(a.href))")
    assert page.title().startswith("lisk bridg · Search")
    field = page.get_by_label("Words to search for")
    for asked, name, address in (
        ("transport", "Transport", "/news/topics/transport/"),
        ("the velmoran", "The Velmoran", "/news/providers/thevelmoran.example/"),
        ("7 november", "7 November 2026", "/news/archive/2026/11/07/"),
    ):
        field.fill(asked)
        link = page.locator("#named").get_by_role("link", name=name, exact=True)
        expect(link).to_have_attribute("href", address)
    field.fill("夜")
    expect(page.locator("#results h3").first).to_contain_text("夜")
    field.fill("bridge")
    expect(page.locator("#results li").nth(1)).to_be_visible()
    page.get_by_text("Narrow the results").click()
    page.get_by_label("Source", exact=True).select_option("Ostrane Wire")
    page.wait_for_url("**source=Ostrane+Wire")
    expect(page.locator("#results li")).not_to_have_count(0)
    page.get_by_label("Time", exact=True).select_option("2026-11-02")
    expect(status).to_contain_text("2 November 2026")
    page.go_back()
    expect(status).not_to_contain_text("Searching")
    result = Axe().run(
        page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    )
    assert not result.response["violations"]
    field.fill("xyzzyx")
    expect(status).to_contain_text("Nothing found")
    assert not page.errors  # type: ignore[attr-defined]
    page.context.close()


def test_the_key_can_be_switched_off_and_a_phone_has_a_button(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo[0], 360)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/news/search/?q=")
    expect(page.locator("#q")).to_be_focused()
    page.get_by_label("The key /").uncheck()
    page.locator("h1").click()
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()
    page.context.close()


def test_results_that_arrive_late_move_nothing_in_sight(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    # Sleeping keeps the handler from being interrupted by the context's end, as a wait of the page would be.
    context.route("**/search/**/*.json", lambda route: (time.sleep(0.1), route.continue_()))
    page.goto(f"{demo[0]}search/?q=bridge")
    expect(page.locator("#results h3").first).to_be_visible()
    assert page.evaluate(SHIFTS) < 0.02
    context.unroute_all(behavior="ignoreErrors")
    context.close()


def test_what_the_index_says_is_text(browser: Browser, demo: Demo) -> None:
    context = browser.new_context()
    page = context.new_page()
    evil = "<img src=x onerror=document.title='evil'>"
    block = f'{{"id": "%s", "results": [["javascript:alert(1)", 1, [["{evil} bridge", "{evil}", "10:00", ""]]]]}}'
    terms = '{"version": "v", "shards": 1, "days": [["2026-11-08", "1", "abcd"]], "words": "0bridge 0"}'
    context.route(
        "**/search/index.json", lambda r: r.fulfill(body='{"periods": [["2026-11-08", 1, ["2026-11-08"]]], "names": 1}')
    )
    context.route("**/search/2026-11-08/w0.json", lambda r: r.fulfill(body=terms))
    context.route("**/search/2026-11-08/0.json", lambda r: r.fulfill(body=block % "abcd"))
    context.route(
        "**/search/names/0.json", lambda r: r.fulfill(body=f'[["Topic", "{evil} bridge", "//evil.example/"]]')
    )
    page.goto(f"{demo[0]}search/?q=bridge")
    expect(page.locator("#results h3")).to_have_text(f"{evil} bridge")
    expect(page.locator("#named li")).to_contain_text(f"{evil} bridge")
    assert page.locator(".found :is(img, a)").count() == 0
    context.unroute("**/search/2026-11-08/0.json")
    context.route("**/search/2026-11-08/0.json", lambda r: r.fulfill(body=block % "efgh"))
    page.goto(f"{demo[0]}search/?q=bridge")
    expect(page.locator("[role=status]")).to_contain_text("could not be loaded")
    context.close()


def test_without_javascript_the_page_offers_topics_sources_and_the_archive(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo[0]}search/")
    for name in ("Topics", "Sections", "Sources", "Archive"):
        expect(page.locator("main").get_by_role("link", name=name)).to_be_visible()
    assert '<noscript><p class="standfirst">The search needs JavaScript' in page.content()
    expect(page.locator("#slash")).not_to_be_visible()
    context.close()


@pytest.mark.parametrize(("name", "most"), [("*.js", 14), ("search.js", 8)])
def test_the_scripts_are_small(name: str, most: int) -> None:
    sizes = [len(gzip.compress(file.read_bytes(), 9)) for file in SCRIPTS.glob(name)]
    assert sum(sizes) <= most * 1000
