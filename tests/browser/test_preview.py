"""`newsgen serve` as users run it: the command in its own process, files saved on disk, a real browser."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sites import NOW, Site

from newsgen.builder.output import STAGING
from newsgen.files import shipped_site


class Served:
    """A running preview."""

    def __init__(self, site: Site, *args: str) -> None:
        self.site = site
        self._args = args
        self.start("--port", "0")

    def start(self, *args: str) -> None:
        command = [sys.executable, "-m", "newsgen", "serve", "--now", NOW.isoformat(), *args, *self._args]
        self._process = subprocess.Popen(
            command, cwd=self.site.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self._process.stderr and self._process.stderr.read()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        _, output = self._process.communicate(timeout=20)
        assert self._process.returncode == 0, output
        assert "Traceback" not in output

    def restart(self) -> None:
        port = self.address.split(":")[2].split("/")[0]
        self.stop()
        self.start("--port", port)

    def tree(self) -> dict[str, bytes]:
        return self.site.tree(self.site.root / ".newsgen/preview")

    def idle(self) -> None:
        """Waits until no build runs. Browsers get pages and styles before a build ends."""
        since = time.monotonic()
        while time.monotonic() - since < 0.5:
            if (self.site.root / ".newsgen/preview" / STAGING).exists():
                since = time.monotonic()
            time.sleep(0.01)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()
        self._process.kill()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    s = Site(tmp_path / "site")
    s.write("site.toml", 'title = "The Paper"\n')
    for n in range(30):
        s.article(
            f"a{n:02}", title=f"Number {n}", excerpt=f"Words of article {n}.", topics=f"[T{n % 3}]", body="A body.\n"
        )
    s.article("kept", title="Kept back", published="false")
    s.article("sketch", title="A sketch", draft="true")
    return s


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1000, "height": 500})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def visit(page: Page, address: str) -> None:
    """Opens a page and waits until it is connected. Makes the shadow root of the preview's script open, for tests."""
    page.add_init_script(
        "const attach = Element.prototype.attachShadow;"
        "Element.prototype.attachShadow = function (how) { return attach.call(this, { ...how, mode: 'open' }); };"
        "window.navigationId = Math.random();"
    )
    page.goto(address)
    expect(page.locator("newsgen-preview .bar:not(.off)")).to_be_visible()


def navigation_id(page: Page) -> float:
    """A number that changes with each navigation."""
    return float(page.evaluate("window.navigationId"))


ARTICLE = "2026/11/08/a07/"


def test_an_edit_is_shown_and_the_state_of_the_page_kept(site: Site, page: Page) -> None:
    site.write("templates/pages/article.html", (shipped_site() / "templates/pages/article.html").read_text(encoding="utf-8").replace(
        "{% block main %}", '{% block main %}<input id="field"><details id="more"><summary>More</summary>It.</details>'
        + 200 * "<br>", 1))  # fmt: skip
    with Served(site) as served:
        visit(page, served.address + ARTICLE)
        first_id = navigation_id(page)
        page.locator("#more summary").click()
        page.locator("#field").fill("half a thought")
        page.evaluate("scrollTo(0, 700)")
        site.edit("content/a07.md", "Number 7", "Lucky number")
        expect(page.locator("h1")).to_have_text("Lucky number")
        expect(page).to_have_title(re.compile("Lucky number"))
        assert navigation_id(page) == first_id
        assert page.evaluate("scrollY") == 700
        assert page.evaluate("document.querySelector('#more').open")
        assert page.evaluate("document.activeElement.id") == "field"
        assert page.locator("#field").input_value() == "half a thought"


def test_a_style_sheet_is_swapped_without_a_navigation_and_without_rendering(site: Site, page: Page) -> None:
    site.write("static/css/site.css", "body { background: rgb(1, 2, 3) }")
    with Served(site) as served:
        before = served.tree()
        visit(page, served.address)
        first_id = navigation_id(page)
        site.write("static/css/site.css", "body { background: rgb(9, 8, 7) }")
        expect(page.locator("body")).to_have_css("background-color", "rgb(9, 8, 7)")
        assert navigation_id(page) == first_id
        served.idle()
        after = served.tree()
        assert {p for p in after if after[p] != before.get(p)} == {"css/site.css"}
        site.edit("content/a29.md", "Number 29", "Lucky number")
        expect(page.get_by_text("Lucky number").first).to_be_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(9, 8, 7)"


def test_template_edits_are_shown_and_template_errors_until_fixed(site: Site, page: Page) -> None:
    whole = (shipped_site() / "templates/pages/404.html").read_text(encoding="utf-8")
    with Served(site) as served:
        visit(page, served.address + "nowhere/")
        site.write("templates/pages/404.html", whole.replace("{% block main %}", "{% block main %}<p>Changed.</p>", 1))
        expect(page.get_by_text("Changed.")).to_be_visible()
        site.write("templates/pages/404.html", whole.replace("{% block main %}", "{% block main %}\n{{ nothing }}", 1))
        overlay = page.locator("newsgen-preview .overlay")
        expect(overlay).to_be_visible()
        expect(overlay).to_contain_text("templates/pages/404.html:")
        expect(overlay.locator("pre b")).to_contain_text("{{ nothing }}")
        site.write("templates/pages/404.html", whole)
        expect(overlay).to_be_hidden()
        expect(page.get_by_text("Changed.")).to_have_count(0)


def test_all_problems_are_shown_without_secrets_until_fixed(site: Site, page: Page) -> None:
    with Served(site) as served:
        visit(page, served.address)
        site.article("bad", quality="much", heat="hot", more="secured: hush\n")
        site.write("content/worse.md", "---\nsecured:\n  - hush\ntitle: [a\n---\n")
        overlay = page.locator("newsgen-preview .overlay")
        expect(overlay.locator("li")).to_have_count(3)
        expect(overlay).to_contain_text("content/bad.md:5")
        expect(overlay).to_contain_text("content/worse.md:")
        expect(overlay.locator("pre").first).to_contain_text("much")
        assert "hush" not in overlay.inner_text()
        page.keyboard.press("Escape")
        expect(overlay).to_be_hidden()
        (site.root / "content/worse.md").unlink()
        expect(overlay.locator("li")).to_have_count(2)
        (site.root / "content/bad.md").unlink()
        expect(overlay).to_be_hidden()
        site.write("site.toml", "title = [")
        expect(overlay).to_contain_text("site.toml")
        site.write("site.toml", 'title = "Another Paper"\n')
        expect(overlay).to_be_hidden()
        expect(page.locator("header .name")).to_have_text("Another Paper")


def test_a_site_that_starts_with_errors_is_served_once_they_are_fixed(site: Site, page: Page) -> None:
    site.write("site.toml", "title = [")
    with Served(site) as served:
        visit(page, served.address)
        expect(page.locator("newsgen-preview .overlay")).to_contain_text("site.toml")
        site.write("site.toml", 'title = "The Paper"\n')
        expect(page.locator("header .name")).to_have_text("The Paper")


def test_the_bar_switches_gates_and_describes_the_page(site: Site, page: Page) -> None:
    with Served(site) as served:
        visit(page, served.address + ARTICLE)
        page.locator("newsgen-preview summary").click()
        bar = page.locator("newsgen-preview .bar")
        expect(bar).to_contain_text("content/a07.md")
        expect(bar).to_contain_text("pages/article.html")
        expect(bar).to_contain_text("Held: 1")
        expect(bar).to_contain_text("draft: true")
        page.goto(served.address)
        expect(page.locator("main").get_by_text("Kept back").first).to_be_visible()
        expect(page.locator("main .badge.status").first).to_have_text("held")
        page.locator("newsgen-preview input[name=held]").uncheck()
        expect(page.locator("main").get_by_text("Kept back")).to_have_count(0)
        expect(bar).to_contain_text("Held: 1")
        page.locator("newsgen-preview input[name=held]").check()
        expect(page.locator("main").get_by_text("Kept back").first).to_be_visible()
        page.locator("newsgen-preview input[name=draft]").check()
        expect(page.locator("main").get_by_text("A sketch").first).to_be_visible()
        page.goto(served.address + ARTICLE)
        site.edit("content/a07.md", "Number 7", "Lucky number")
        expect(bar).to_contain_text("its content differs")


def test_the_bar_stays_open_or_closed_even_if_the_user_leaves_the_page_at_once(site: Site, page: Page) -> None:
    press = (
        "() => { document.querySelector('newsgen-preview').shadowRoot.querySelector('summary').click();"
        " return localStorage.getItem('newsgen-bar'); }"
    )
    with Served(site) as served:
        visit(page, served.address)
        for output in ("open", "closed", "open"):
            assert page.evaluate(press) == output
        page.goto(served.address + ARTICLE)
        expect(page.locator("newsgen-preview input[name=held]")).to_be_visible()


def test_many_tabs_are_updated_even_after_the_server_restarts(site: Site, context: BrowserContext) -> None:
    with Served(site) as served:
        tabs = [context.new_page() for _ in range(8)]
        for tab in tabs:
            visit(tab, served.address + ARTICLE)
        site.edit("content/a07.md", "Number 7", "Lucky number")
        for tab in tabs:
            expect(tab.locator("h1")).to_have_text("Lucky number")
        served.stop()
        expect(tabs[0].locator("newsgen-preview .bar.off")).to_be_visible()
        site.edit("content/a07.md", "Lucky number", "Unlucky number")
        served.start("--port", served.address.split(":")[2].split("/")[0])
        for tab in tabs[:2]:
            expect(tab.locator("h1")).to_have_text("Unlucky number", timeout=15_000)


def test_navigate_opens_the_page_of_the_edited_file(site: Site, page: Page) -> None:
    site.write("site.toml", 'title = "The Paper"\nbase_url = "https://paper.example/news/"\n')
    with Served(site, "--navigate") as served:
        assert served.address.endswith("/news/")
        visit(page, served.address)
        site.edit("content/a12.md", "Number 12", "A dozen")
        page.wait_for_url(served.address + "2026/11/08/a12/")
        expect(page.locator("h1")).to_have_text("A dozen")


@pytest.mark.parametrize("production", [False, True])
def test_a_preview_equals_a_clean_build(site: Site, page: Page, production: bool) -> None:
    with Served(site, *(["--production"] if production else [])) as served:
        if production:
            page.goto(served.address)
            assert page.locator("newsgen-preview").count() == 0
            site.edit("content/a29.md", "Number 29", "Lucky number")
            page.wait_for_timeout(1500)
        else:
            visit(page, served.address)
            site.edit("content/a29.md", "Number 29", "Lucky number")
            expect(page.get_by_text("Lucky number").first).to_be_visible()
            served.idle()
        tree = served.tree()
    shutil.rmtree(site.root / ".newsgen")
    site.good(fingerprints=production, show=frozenset() if production else frozenset({"held"}))
    assert site.tree() == tree
    assert any(b"Kept back" in data for data in tree.values()) != production
    assert not any(b"_newsgen" in data for data in tree.values())
