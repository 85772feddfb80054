"""Pages in a real browser: accessible, without layout shifts, whole without scripts, at any width, in both colour schemes."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

Demo = tuple[str, Path]

PATTERNS = {
    "home": "index.html",
    "story": "2026/*/*/velmora-swing-bridge-stuck-open/index.html",
    "article": "2026/*/*/weekend-briefing/index.html",
    "own post": "2026/*/*/corrections-and-clarifications/index.html",
    "video": "2026/*/*/route-7-drivers-eye-view/index.html",
    "right to left": "providers/almarfa.example/index.html",
    "topic": "topics/transport/index.html",
    "numbered": "categories/news/page/1/index.html",
    "provider": "providers/thevelmoran.example/index.html",
    "category": "categories/news/index.html",
    "day": "archive/2026/11/07/index.html",
    "month": "archive/2026/11/index.html",
    "year": "archive/2026/index.html",
    "archive": "archive/index.html",
    "topics": "topics/index.html",
    "sources": "sources/index.html",
    "plain page": "about/index.html",
    "search": "search/index.html",
    "not found": "404.html",
    "redirect": "2026/*/*/*/index.html",
}


def _paths(demo: Demo) -> dict[str, str]:
    """One page of each kind: the largest, or for redirects the smallest."""
    _, folder = demo
    out = {}
    for kind, pattern in PATTERNS.items():
        found = sorted(folder.glob(pattern), key=lambda p: (-p.stat().st_size, p))
        assert found, f"the demonstration site has no {kind} page: {pattern}"
        out[kind] = found[-1 if kind == "redirect" else 0].relative_to(folder).as_posix()
    return out


def _open(browser: Browser, demo: Demo, path: str, width: int, scheme: str) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    # The publishers in the demonstration site do not exist.
    context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    page = context.new_page()
    page.goto(demo[0] + path, wait_until="load")
    return page


# Opening a page takes longer than looking at it, so each is opened once for all widths and colour schemes.


@pytest.mark.parametrize("kind", [k for k in PATTERNS if k != "redirect"])
def test_axe_finds_no_violation(browser: Browser, demo: Demo, kind: str) -> None:
    page = _open(browser, demo, _paths(demo)[kind], 360, "light")
    axe, rules = Axe(), ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = []
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            violations = axe.run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response["violations"]
            found += [
                f"{width} {scheme}: {v['id']}: {v['help']}: {n['html'][:160]}" for v in violations for n in v["nodes"]
            ]
    page.context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("kind", [k for k in PATTERNS if k != "redirect"])
def test_nothing_is_wider_than_the_window_even_with_text_of_double_size(
    browser: Browser, demo: Demo, kind: str
) -> None:
    page = _open(browser, demo, _paths(demo)[kind], 1600, "light")
    over = {}
    for width in (1600, 768, 360, 320, "320 with text of double size"):
        if isinstance(width, int):
            page.set_viewport_size({"width": width, "height": 800})
        else:
            page.add_style_tag(content="html { font-size: 200% !important }")
        over[width] = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.context.close()
    assert max(over.values()) <= 0, over


def test_a_line_about_a_report_wraps_without_a_dot_at_either_end(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo, "index.html", 360, "light")
    page.add_style_tag(content=".source { padding-inline-end: 4rem !important }")
    for scale in ("100%", "200%"):
        page.add_style_tag(content=f"html {{ font-size: {scale} !important }}")
        lines = page.evaluate("""
            () => [...document.querySelectorAll("main .meta > .source")].filter(e => e.offsetParent).map(source => {
              const line = source.parentElement, start = line.getBoundingClientRect().left;
              const items = [source, ...line.querySelectorAll(":scope > .source ~ :is(a, time)")];
              const boxes = items.map(item => item.getBoundingClientRect());
              const first = boxes.filter((box, at) => at && box.top > boxes[at - 1].top + 5);
              const dot = getComputedStyle(items[1], "::before");
              return {
                wraps: first.length, indents: first.filter(box => Math.abs(box.left - start) > 1).length,
                over: Math.max(...boxes.map(box => box.right)) - line.getBoundingClientRect().right,
                shown: parseFloat(dot.left) + parseFloat(dot.width) + 5, clip: getComputedStyle(line).clipPath,
              };
            })
        """)
        assert sum(line["wraps"] for line in lines) >= 3
        assert not [line for line in lines if line["indents"] or line["over"] > 1 or line["shown"] > 0]
        assert {line["clip"] for line in lines} == {"inset(-5px)"}
    page.context.close()


def test_short_words_in_a_table_stay_whole_on_a_phone(browser: Browser, demo: Demo) -> None:
    for kind in ("article", "own post"):
        page = _open(browser, demo, _paths(demo)[kind], 360, "light")
        broken = page.evaluate("""
            () => [...document.querySelectorAll(".prose :is(td, th)")].flatMap(cell => {
              const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
              for (let text; (text = texts.nextNode()); ) {
                for (const word of text.data.matchAll(/\\S+/g)) {
                  const range = new Range();
                  range.setStart(text, word.index);
                  range.setEnd(text, word.index + word[0].length);
                  if (range.getClientRects().length > 1) found.push(word[0]);
                }
              }
              return found;
            })
        """)
        assert page.locator(".prose td").count() > 5
        assert not broken
        page.context.close()


def test_a_topic_with_one_long_word_breaks(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo, "topics/index.html", 320, "light")
    page.evaluate("document.querySelector('.tags a').textContent = 'Verkehrsinfrastrukturfinanzierungsgesellschaft'")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.context.close()


def test_top_stories_are_above_the_fold(browser: Browser, demo: Demo) -> None:
    for width, height, count in ((360, 740, 3), (768, 1024, 5), (1280, 800, 6), (1920, 1080, 9)):
        page = _open(browser, demo, "index.html", width, "light")
        page.set_viewport_size({"width": width, "height": height})
        headlines = (
            "[...document.querySelectorAll('[aria-labelledby=top] h3')].map(h => h.getBoundingClientRect().bottom)"
        )
        assert len([bottom for bottom in page.evaluate(headlines) if bottom <= height]) >= count
        page.context.close()


@pytest.mark.parametrize("kind", ["home", "story", "article", "topic"])
def test_images_never_shift_the_layout(browser: Browser, demo: Demo, kind: str) -> None:
    path = _paths(demo)[kind]
    if kind == "article":
        folder = demo[1]
        illustrated = (p for p in sorted(folder.glob("2026/*/*/*/index.html")) if b"/demo/" in p.read_bytes())
        path = next(illustrated).relative_to(folder).as_posix()
    context = browser.new_context(viewport={"width": 360, "height": 800})
    context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    context.route(re.compile(r"\.svg$"), lambda route: route.abort())
    page = context.new_page()
    page.goto(demo[0] + path, wait_until="load")
    without = page.evaluate("document.documentElement.scrollHeight")
    context.unroute(re.compile(r"\.svg$"))
    page.goto(demo[0] + path, wait_until="load")
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[...document.images].some(i => i.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollHeight") == without
    context.close()


def test_pages_work_without_scripts_and_have_deferred_ones_only(browser: Browser, demo: Demo) -> None:
    _, folder = demo
    for file in folder.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        own = r"type=\"application/ld\+json\"|(defer blocking=\"render\" )?src=\"/news/js/[\w.]+\" (defer|data-)"
        assert not re.search(rf"<script (?!({own}))", text), file
        assert not re.search(r"<[^>]*\s(?:on\w+|style)=", text), file
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(demo[0])
    assert page.locator("h1").count() == 1
    assert page.locator("main article").count() >= 10
    context.close()


def test_every_link_asset_and_feed_works_below_a_sub_path(browser: Browser, demo: Demo) -> None:
    address, folder = demo
    context = browser.new_context()
    page = context.new_page()
    failed: list[str] = []
    page.on(
        "response",
        lambda r: failed.append(f"{r.status} {r.url}") if r.status >= 400 and r.url.startswith(address) else None,
    )
    todo, seen = [address], set()
    while todo:
        url = todo.pop()
        if url in seen:
            continue
        seen.add(url)
        if url.endswith(("/", ".html")):
            page.goto(url, wait_until="domcontentloaded")
            if not page.url.startswith(address):
                failed.append(f"left the site: {url}")
            links = page.evaluate(
                "[...document.querySelectorAll('a[href], link[href], img[src]')].map(e => e.href || e.src)"
            )
            todo += [link.partition("#")[0] for link in links if link.startswith(address.rsplit("/news/", 1)[0])]
        else:
            response = context.request.get(url)
            if response.status != 200:
                failed.append(f"{response.status} {url}")
    context.close()
    assert not failed
    assert len(seen) > 150
    assert all(url.startswith(address) for url in seen)
    for name in ("feed.xml", "atom.xml", "feed.json", "topics/transport/atom.xml"):
        assert address + name in seen
        # HTML in a feed is escaped twice: once as HTML, and again as XML or JSON.
        text = html.unescape(html.unescape((folder / name).read_text(encoding="utf-8")))
        for link in re.findall(re.escape(address) + r"[^\s\"<>\\]*", text):
            path = unquote(urlsplit(urljoin(address, link)).path)[len("/news/") :]
            assert (folder / path).exists(), link


def test_the_first_tab_stop_leads_to_the_content(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo, "index.html", 1280, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    assert page.evaluate(
        "document.activeElement.getBoundingClientRect().top >= 0 && document.activeElement.getBoundingClientRect().height > 0"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    assert page.locator("#main").count() == 1
    page.context.close()


def test_headlines_in_other_scripts_keep_their_direction(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo, "providers/almarfa.example/index.html", 360, "light")
    assert page.evaluate(
        "[...document.querySelectorAll('main [lang=ar]')].every(e => getComputedStyle(e).direction === 'rtl')"
    )
    assert page.locator("main [lang=ar]").count() > 0
    page.context.close()


def test_navigation_is_not_printed(browser: Browser, demo: Demo) -> None:
    page = _open(browser, demo, "index.html", 800, "light")
    page.emulate_media(media="print")
    assert page.evaluate(
        "[...document.querySelectorAll('body > header nav, nav[aria-label]')].every(n => n.offsetHeight === 0)"
    )
    page.context.close()
