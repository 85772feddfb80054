"""A site's own look in a real browser, under the content security policy that the site asks for."""

from __future__ import annotations

import contextlib
from pathlib import Path

from playwright.sync_api import Browser
from sites import Site
from test_preview import Served

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><rect width="90" height="30" fill="#0a6b4a"/></svg>'


def test_the_look_is_shown_and_the_policy_allows_the_head_file_only(browser: Browser, tmp_path: Path) -> None:
    s = Site(tmp_path / "site")
    s.write(
        "site.toml",
        '[brand]\nlogo = "img/light.svg"\nlogo_dark = "img/dark.svg"\naccent = "#0a6b4a"\nface = "sans"\nhead = "head.html"\n',
    )
    s.write("static/img/light.svg", SVG).write("static/img/dark.svg", SVG.replace("90", "120"))
    s.write("templates/head.html", "<script>window.own = 'é'</script>\r\n<style>.box { inline-size: 77px }</style>\n")
    s.write(
        "templates/base.html",
        '{% extends "newsgen/base.html" %}{% block after_top %}<p class="box" style="inline-size: 1px">Box</p>'
        "<script>window.other = 1</script>{% endblock %}",
    )
    for number in range(3):
        s.article(f"a{number}", title=f"Thing {number}")
    with Served(s) as served, contextlib.closing(browser.new_context(color_scheme="dark")) as context:
        page = context.new_page()
        refused: list[str] = []
        page.on("console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(served.address)
        logo = page.get_by_role("link", name="News", exact=True).first.locator("img")
        assert logo.evaluate("img => [img.currentSrc.endsWith('/img/dark.svg'), img.complete, img.height]") == [
            True,
            True,
            36,
        ]
        assert page.evaluate("[window.own, window.other]") == ["é", None]
        assert page.locator(".box").evaluate("box => getComputedStyle(box).inlineSize") == "77px"
        assert page.locator("h3").first.evaluate("e => getComputedStyle(e).fontFamily").startswith("system-ui")
        assert len(refused) == 2
