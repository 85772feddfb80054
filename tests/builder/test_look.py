"""Sites with a look of their own: what is built, what an edit rebuilds, and what is warned of."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sites import Site
from test_pictures import PNG

from newsgen import files

Make = Callable[..., Site]

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} 40"><script>alert(1)</script></svg>'
ICON = PNG[:16] + (512).to_bytes(4, "big") * 2 + PNG[24:]
BRAND = """title = "The <Post>"
base_url = "https://post.example/news/"
[brand]
logo = "img/logo.svg"
logo_dark = "img/dark.svg"
icon = "img/own.png"
accent = "#0a6b4a"
background = "#ffffff"
fonts = [{file = "fonts/own.woff2", face = "serif", weight = "400 700"}]
footer = "Ours & <b>yours</b>. [Write](mailto:a@post.example), [about](/about/)."
profiles = [{title = "Social", url = "https://social.example/@post?a=1&b=2"}]
head = "head.html"
[policy]
script = ["stats.example"]
"""


def branded(make: Make, name: str = "site") -> Site:
    s = make(name=name).write("site.toml", BRAND)
    s.write("static/img/logo.svg", LOGO.format(200)).write("static/img/dark.svg", LOGO.format(210))
    s.write("static/img/own.png", ICON).write("static/fonts/own.woff2", b"wOF2" + bytes(40))
    s.write("templates/head.html", '<script>let a = "{{ no }}{% jinja %}";\r\n</script>\n<meta name="x" content="{#">')
    return s.article("a").article("b", title="Another thing altogether")


def link(s: Site, pattern: str, page: str = "index.html") -> str:
    found = re.search(pattern, s.read(page))
    assert found, pattern
    return found[1]


def test_a_page_shows_the_look_of_the_site(site: Make) -> None:
    s = branded(site)
    assert not s.good().warnings
    home, tree = s.read("index.html"), s.tree()
    styles = s.read(link(s, r'href="/news/(css/brand-settings\.[0-9a-f]{8}\.css)"'))
    assert "--paper: #ffffff; --raised: #f1f1f1; --rule: #d6d6d5; --accent: #0a6b4a;" in styles
    font = re.search(r'@font-face { font-family: "brand-serif"; src: url\("/news/(fonts/own\.\w{8}\.woff2)"\)', styles)
    assert font
    assert font[1] in tree
    logo = link(s, r'<img src="/news/(img/logo\.\w{8}\.svg)" alt="The &lt;Post&gt;" width="200" height="40">')
    dark = link(s, r'<source srcset="/news/(img/dark\.\w{8}\.svg)" media="\(prefers-color-scheme: dark\)"')
    icon = link(s, r'<link rel="icon" href="/news/(img/own\.\w{8}\.png)" type="image/png" sizes="512x512">')
    assert {logo, dark, icon} <= tree.keys()
    assert f'<link rel="apple-touch-icon" href="/news/{icon}">' in home
    assert '<meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)">' in home
    assert "Ours &amp; &lt;b&gt;yours&lt;/b&gt;. " in home
    assert '<a href="mailto:a@post.example">Write</a>, <a href="/news/about/">about</a>.' in home
    assert '<a rel="me" href="https://social.example/@post?a=1&amp;b=2">Social</a>' in home
    assert '<script>let a = "{{ no }}{% jinja %}";\n</script>\n<meta name="x" content="{#">\n</head>' in home
    manifest = json.loads(s.read("manifest.webmanifest"))
    assert manifest["icons"] == [{"src": f"/news/{icon}", "sizes": "512x512", "type": "image/png", "purpose": "any"}]
    assert manifest["background_color"] == "#ffffff"
    headers = s.read("_headers")
    assert "script-src 'self' 'sha256-" in headers
    assert "https://stats.example;" in headers
    for path in (logo, dark, icon, font[1]):
        assert f"/news/{path}\n  Cache-Control: public, max-age=31536000, immutable" in headers


def test_a_site_without_settings_has_nothing_of_it(site: Make) -> None:
    s = site().article("a").write("site.toml", "[brand]\n[policy]\n")
    s.good()
    plain = site(name="plain").article("a")
    plain.good()
    assert s.tree() == plain.tree()
    assert not any("brand" in path for path in s.tree())


EDITS: tuple[Callable[[Site], object], ...] = (
    lambda s: s.edit("site.toml", "#0a6b4a", "#8c2a1c").write("static/fonts/own.woff2", b"wOF2" + bytes(41)),
    lambda s: s.write("static/img/logo.svg", LOGO.format(300)).write("templates/head.html", "<script>2</script>"),
    lambda s: s.edit("site.toml", "Ours &", "Mine &").edit("site.toml", "own.png", "dark.svg"),
    lambda s: s.write("site.toml", 'base_url = "https://post.example/news/"\n'),
)


def test_after_edits_the_site_equals_a_clean_build(site: Make, tmp_path: Path) -> None:
    s = branded(site).write("static/img/dark.svg", LOGO.format(40))
    s.good(jobs=1)
    for edit in EDITS:
        edit(s)
        assert s.good(jobs=1).written
        clean = tmp_path / "clean"
        s.good(jobs=1, output=clean)  # another folder: nothing of the last build can be used
        assert s.tree() == s.tree(clean)
        shutil.rmtree(clean)


def test_a_policy_edit_renders_no_page_and_a_colour_all(site: Make) -> None:
    s = branded(site)
    s.good()
    s.edit("site.toml", "stats.example", "count.example")
    assert s.good().written == ["_headers"]
    s.edit("site.toml", "#0a6b4a", "#8c2a1c")
    assert {"index.html", "2026/11/08/a/index.html"} <= {*s.good().written}


def test_without_fingerprints_a_colour_changes_one_file(site: Make) -> None:
    s = branded(site)
    s.good(fingerprints=False)
    s.edit("site.toml", "#0a6b4a", "#8c2a1c")
    assert s.good(fingerprints=False).written == ["css/brand-settings.css"]


def test_a_missing_file_ends_the_build_until_it_is_back(site: Make) -> None:
    from newsgen.errors import ConfigError

    s = branded(site)
    s.good()
    before = s.tree()
    (s.root / "static/img/logo.svg").unlink()
    with pytest.raises(ConfigError, match=r"site.toml:4: brand.logo: there is no file 'static/img/logo.svg'"):
        s.build()
    assert s.tree() == before
    s.write("static/img/logo.svg", LOGO.format(200))
    s.good()
    assert s.tree() == before


NEEDY = {
    "templates/base.html": '{% extends "newsgen/base.html" %}\n{% block head %}\n<script src="https://stats.example/x.js"></script>\n'
    "<script>x()</script>\n{% endblock %}\n",
    "templates/parts/own.html": '<p style="a:b"></p>\n',
    "static/css/own.css": '@import "https://css.example/x.css";\n',
    "templates/head.html": '<link rel="stylesheet" href="https://css.example/y.css">\n',
}


def test_the_build_warns_of_what_the_policy_forbids(site: Make) -> None:
    s = site().article("a").write("site.toml", '[brand]\nhead = "head.html"\n')
    for path, text in NEEDY.items():
        s.write(path, text)
    s.write("static/css/latin.css", "/* é */".encode("latin-1"))
    expected = [
        "static/css/own.css:1: the policy forbids style sheets from css.example",
        "templates/base.html:3: the policy forbids scripts from stats.example",
        "templates/base.html:4: the policy forbids this inline script",
        "templates/head.html:1: the policy forbids style sheets from css.example",
        "templates/parts/own.html:1: the policy forbids the attribute style",
    ]

    def warned() -> list[str]:
        return [str(w).split(";")[0] for w in s.good().warnings]

    assert warned() == expected
    assert warned() == expected  # nothing to do
    s.article("b")
    assert warned() == expected  # from the cache
    s.write("site.toml", '[brand]\nhead = "head.html"\n[policy]\nscript = ["stats.example"]\nstyle = ["css.example"]\n')
    assert warned() == [expected[2], expected[4]]
    s.write("site.toml", 'disable_kinds = ["headers"]\n[brand]\nhead = "head.html"\n')
    assert not warned()
    s.write("site.toml", 'host = "github-pages"\n[brand]\nhead = "head.html"\n')
    assert not warned()
    s.write("site.toml", '[brand]\nhead = "head.html"\n').write("templates/feeds/_headers.txt", "/*\n  X-Own: 1\n")
    assert not warned()


def test_not_every_one_of_many_warnings_is_told(site: Make) -> None:
    s = site().write("templates/parts/own.html", '<p style="a:b"></p>\n' * 30)
    warnings = list(map(str, s.good().warnings))
    assert len(warnings) == 21
    assert warnings[-1].startswith("templates: the policy forbids 10 more things")


def test_the_shipped_templates_need_nothing_that_the_policy_forbids() -> None:
    from newsgen import needs, policies

    home = files.shipped_site()
    for file in sorted((home / "templates").rglob("*.html")):
        if file.parent.name != "digest":
            found = [*needs.in_template(file.read_text(encoding="utf-8"), policies.Policy())]
            assert not found, file


SLOTS = ("after_lead", "after_top", "in_list", "side", "before_footer", "in_footer")


def test_slots_show_a_block_of_the_site(site: Make) -> None:
    blocks = "".join(f"{{% block {name} %}}<p>[{name}]</p>{{% endblock %}}" for name in SLOTS)
    s = site().write("templates/base.html", '{% extends "newsgen/base.html" %}' + blocks)
    for number in range(16):
        s.article(f"a{number}", title=f"Thing{number} happened in place{number}", topics="[x]", category="News")
    s.article("own", title="An essay of ours", webUrl=None, body="Words.")
    for name in ("s1", "s2"):
        s.article(name, title="The bridge is shut again tonight", more="story: bridge\n", topics="[x]")
    s.good()
    shown = {
        page: [name for name in SLOTS if f"[{name}]" in s.read(page)]
        for page in (
            "index.html",
            "topics/x/index.html",
            "2026/11/08/own/index.html",
            "2026/11/08/s1/index.html",
            "404.html",
        )
    }
    assert shown == {
        "index.html": ["after_lead", "after_top", "side", "before_footer", "in_footer"],
        "topics/x/index.html": list(SLOTS),
        "2026/11/08/own/index.html": ["after_lead", "side", "before_footer", "in_footer"],
        "2026/11/08/s1/index.html": ["after_lead", "after_top", "side", "before_footer", "in_footer"],
        "404.html": ["before_footer", "in_footer"],
    }
    assert all(text.count("[side]") <= 1 for text in map(s.read, shown))


def test_the_build_tells_of_local_pictures_that_are_missing(site: Make) -> None:
    s = site().article("a", more="images:\n  - url: /img/no.png\n")
    (warning,) = s.build().warnings
    assert str(warning).startswith("content/a.md:6: images: there is no page or file '/img/no.png'")


def test_the_build_warns_of_what_no_page_shows(site: Make) -> None:
    s = site().article("a")
    s.write(
        "templates/base.html",
        '{% extends "newsgen/base.html" %}\n{% import "parts/card.html" as cards %}\n{# a note #}\n{% set a = 1 %}\n'
        "{% block fotter %}{% block inner %}x{% endblock %}{% endblock %}\n\n\n<p>beside</p>\n"
        '{% block head %}<meta name="a" content="{{ self.mine() }}">{% endblock %}{% block mine %}m{% endblock %}',
    )
    s.write(
        "templates/pages/404.html",
        '{% extends "base.html" %}{% block main %}{% block own %}x{% endblock %}{% endblock %}',
    )
    s.write("templates/pages/gone.html", '{% extends "pages/404.html" %}{% block own %}y{% endblock %}{{ page.path }}')
    expected = [
        "templates/base.html:5: no page shows the block 'fotter': newsgen/base.html has none of that name; did you mean 'footer'?",
        "templates/base.html:8: no page shows what is written beside the blocks: the template extends newsgen/base.html"
        "; write it in a block",
        "templates/pages/gone.html:1: no page shows what is written beside the blocks: the template extends pages/404.html"
        "; write it in a block",
    ]
    assert sorted(map(str, s.good().warnings)) == expected
    assert sorted(map(str, s.good().warnings)) == expected
    s.write("templates/base.html", '{% extends "newsgen/base.html" %}{% block fotter %}{% endblock %}')
    assert sorted(map(str, s.good().warnings)) == [expected[0].replace(":5:", ":1:"), expected[2]]
