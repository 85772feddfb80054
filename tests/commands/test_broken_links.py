"""Links of our own that lead nowhere: found by build and check, and told at the file that has them."""

import json
from collections.abc import Callable

import pytest
from sites import Site

from newsgen import links
from newsgen.commands.check import CheckReport, check

Make = Callable[..., Site]


def checked(s: Site) -> CheckReport:
    return check(s.options())


def told(s: Site) -> list[str]:
    """The errors of `check`, without their hints, after making sure that a build warns of the same."""
    problems = checked(s).problems
    warnings = s.build().warnings
    assert [w for w in warnings if w.field in ("link", "images", "related", "navigation")] == [
        p for p in problems if "anchor" not in p.what and p.path.startswith(("content/", "site.toml"))
    ]
    return [str(p).partition(";")[0] for p in problems]


def test_relative_links_are_resolved_as_browsers_do(site: Make) -> None:
    s = site().article("zwei", webUrl=None)
    s.article(
        "eins",
        webUrl=None,
        body="[a](../zwei/) [b](../zwei) [c](../zwei/index.html) [d](./) [e](?q=1) [f](/topics/) [g](/sitemap.xml)\n"
        "[h](../../../../index.html) [i](//elsewhere.example/x) [j](mailto:a@b.example) [k](../zwe%69/?x=1)",
    )
    s.write("site.toml", 'base_url = "https://paper.example/"\n')
    assert told(s) == []
    s.edit("content/eins.md", "[a](../zwei/)", "[a](../drei/) [b](zwei/) [c](/2026/11/08/zwei/nix.html)")
    assert told(s) == [
        f"content/eins.md:5: link: there is no page or file {link!r}"
        for link in ("../drei/", "zwei/", "/2026/11/08/zwei/nix.html")
    ]


def test_a_link_that_is_no_path_is_told_what_it_may_have_been_meant_for(site: Make) -> None:
    meant = {
        "www.paper.example": "did you mean 'https://www.paper.example'?",
        "docs.paper.example/a": "did you mean 'https://docs.paper.example/a'?",
        "paper.com": "did you mean 'https://paper.com'?",
        "desk@paper.example": "did you mean 'mailto:desk@paper.example'?",
        "{{ site.url }}/x": "write the address of the page: newsgen runs no tags",
        "notes.md": "correct the link, or add what is missing",
    }
    s = site().article("a", webUrl=None, body=" ".join(f"[x](<{link}>)" for link in meant))
    found = s.build().warnings
    assert [p.hint for p in found if "no page or file" in p.what] == list(meant.values()), found


def test_a_link_to_another_content_file_is_told_the_address_of_its_page(site: Make) -> None:
    pages = {
        "other.md": ("content/deep/other.md", "/2026/11/08/other/"),
        "./other.md#part": ("content/deep/other.md", "/2026/11/08/other/"),
        "../top.md": ("content/top.md", "/2026/11/08/top/"),
        "@/top.md": ("content/top.md", "/2026/11/08/top/"),
        "/deep/other": ("content/deep/other.md", "/2026/11/08/other/"),
        "../_pages/about%20us.md": ("content/_pages/about us.md", "/about-us/"),
    }
    s = site().article(
        "deep/a", webUrl=None, body=" ".join(f"[x](<{link}>)" for link in [*pages, "held.md", "../../x.md"])
    )
    s.article("deep/other", webUrl=None).article("top", webUrl=None).article("deep/held", webUrl=None, published=False)
    s.write("content/_pages/about us.md", "---\ntitle: About us\n---\nText.\n")
    hints = [p.hint for p in s.build().warnings if "no page or file" in p.what]
    assert hints == [
        *(f"{file} is a content file: link to its page, {address}" for file, address in pages.values()),
        *["correct the link, or add what is missing"] * 2,
    ]


@pytest.mark.parametrize("base", ["https://paper.example/", "https://paper.example/news/"])
def test_links_are_checked_below_the_path_of_the_base_url(site: Make, base: str) -> None:
    s = site().article("zwei", webUrl=None).write("static/img/x.png", "x")
    s.article("eins", webUrl=None, images="[/img/x.png]", body="[a](../zwei/) [b](/2026/11/08/zwei/) ![c](/img/x.png)")
    s.write("site.toml", f'base_url = "{base}"\n')
    assert told(s) == []
    s.edit("content/eins.md", "[/img/x.png]", "[/img/y.png]")
    assert told(s) == ["content/eins.md:4: images: there is no page or file '/img/y.png'"]


def test_a_picture_that_many_pages_show_is_told_once_at_its_file(site: Make) -> None:
    s = site().article("a", topics="[Rail]", images="[/no.jpg]")
    s.article("b", more='related:\n  - title: T\n    webUrl: "https://c.example/1"\n    images: [/none.jpg]\n')
    s.write("content/_topics/rail.md", "---\nname: Rail\nimages: [/topic.jpg]\n---\n[x](../nix/)\n")
    s.write("content/_pages/about.md", "---\ntitle: About\n---\n[x](../nowhere/)\n")
    assert sorted(told(s)) == [
        "content/_pages/about.md:4: link: there is no page or file '../nowhere/'",
        "content/_topics/rail.md:3: images: there is no page or file '/topic.jpg'",
        "content/_topics/rail.md:5: link: there is no page or file '../nix/'",
        "content/a.md:6: images: there is no page or file '/no.jpg'",
        "content/b.md:8: related: there is no page or file '/none.jpg'",
    ]


def test_a_wrong_navigation_link_is_told_once_at_its_line(site: Make) -> None:
    s = site().article("a").article("b")
    s.write(
        "site.toml",
        'navigation = [\n{title = "A", url = "/sources/"},\n{title = "B", url = "/about/"},\n'
        '{title = "C", url = "https://c.example/"},\n]\n',
    )
    assert told(s) == ["site.toml:3: navigation: there is no page or file '/about/'"]


def test_a_link_of_a_template_is_told_once_with_the_number_of_pages(site: Make) -> None:
    s = site().article("a").article("b")
    s.write(
        "templates/base.html", '{% extends "newsgen/base.html" %}{% block header %}<a href=/wrong/>x</a>{% endblock %}'
    )
    problems = checked(s).problems
    assert len(problems) == 1
    assert "'/wrong/', linked from " in problems[0].what
    assert problems[0].what.endswith(" more pages")


def test_fragments_lead_to_anchors(site: Make) -> None:
    s = site().article("zwei", webUrl=None).article("eins", webUrl=None)
    s.write(
        "templates/pages/article.html",
        '{% extends "newsgen/pages/article.html" %}{% block main %}<a name="old"></a><p id="über">{{ super() }}{% endblock %}',
    )
    good = "[a](#über) [b](#%C3%BCber) [c](../zwei/#old) [d](#top) [e](#) [f](#:~:text=x) [g](/css/site.css#x)"
    s.article("eins", webUrl=None, body=good)
    assert told(s) == []
    s.article("eins", webUrl=None, body=good + "\n\n[x](#nix) [y](../zwei/#nix) [z](../drei/#nix)")
    assert told(s) == [
        "content/eins.md:7: link: there is no page or file '../drei/#nix'",
        "content/eins.md:7: link: there is no anchor '#nix' on this page",
        "content/eins.md:7: link: there is no anchor '#nix' on 2026/11/08/zwei/index.html",
    ]


def test_a_link_to_an_article_that_is_not_published_says_so(site: Make) -> None:
    s = site().article("zwei", webUrl=None, draft="true").article("eins", webUrl=None, body="[a](../zwei/)")
    assert "'../zwei/': content/zwei.md is not published" in told(s)[0]
    assert not checked(s.edit("content/zwei.md", "draft: true", "draft: false")).problems


def test_code_that_shows_a_link_is_no_link(site: Make) -> None:
    s = site().article(
        "eins", webUrl=None, body='`<a href="/no/">` and\n\n    <img src="/no.png">\n\n![a > b](/css/site.css)'
    )
    s.write("templates/parts/x.html", "")
    assert told(s) == []


def test_old_addresses_without_stubs_are_no_broken_links(site: Make) -> None:
    s = site().article("zwei", aliases="[/old/]").article("eins", webUrl=None, body="[a](/old/) [b](/older/)")
    s.write("site.toml", "[redirects]\npages = false\n")
    assert told(s) == ["content/eins.md:5: link: there is no page or file '/older/'"]


def test_a_build_lists_a_few_broken_links_and_counts_the_others(site: Make) -> None:
    s = site()
    for n in range(20):
        s.article(f"a{n:02}", images=f"[/no{n}.jpg]")
    warnings = s.build().warnings
    assert len(warnings) == 11
    assert str(warnings[-1]) == "content: 10 more links lead nowhere; `newsgen check` lists all"
    assert len(checked(s).problems) == 20
    assert s.build().warnings == warnings, "also where nothing is to do"
    s.edit("content/a00.md", "/no0.jpg", "/css/site.css")
    assert "9 more" in str(s.build().warnings[-1])
    s.write("static/no1.jpg", "x")
    assert "8 more" in str(s.build().warnings[-1])


def test_check_counts_in_json(site: Make) -> None:
    s = site().article("a", webUrl=None, body="[x](/nix/)").article("b", colour="red")
    done = s.run("check", "--json")
    counts = json.loads(done.stdout)["counts"]
    assert done.returncode == 1
    assert counts["articles"] == 2
    assert (counts["errors"], counts["warnings"]) == (1, 1)
    assert counts["pages"] > 5
    assert counts["links"] > 50
    text = s.run("check").stdout
    assert text == f"2 articles, {counts['pages']} pages and {counts['links']} links checked: 1 error, 1 warning\n"


def test_a_static_file_that_a_template_links_keeps_its_own_name_too(site: Make) -> None:
    s = site().write("static/logo.svg", "<svg/>").article("a", images="[/logo.svg]")
    s.write(
        "templates/base.html",
        """{% extends "newsgen/base.html" %}{% block header %}<img src="{{ 'logo.svg' | asset }}">{% endblock %}""",
    )
    assert told(s) == []
    s.good()
    (fingerprinted,) = s.output.glob("logo.*.svg")
    assert s.read("logo.svg") == "<svg/>"
    assert f"/{fingerprinted.name}" in s.read("404.html")
    s.good(fingerprints=False)
    assert not fingerprinted.exists()
    assert s.read("logo.svg") == "<svg/>"


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("../b/", "2026/b/index.html"),
        ("c.html", "2026/a/c.html"),
        ("", "2026/a/index.html"),
        ("/x", ""),
        ("/n/x?y#z", "x"),
        ("../../../../x", ""),
        ("..\\b/", "2026/b/index.html"),
        ("b%20c", "2026/a/b c"),
        ("//h.example/", None),
        ("https://h.example/", None),
        ("mailto:a@b.example", None),
        ("http://[", None),
    ],
)
def test_resolve(link: str, path: str | None) -> None:
    target = links.resolve(link, "/2026/a/", "/n/")
    assert (target and target.path) == path


def test_links_are_found_in_tags_only() -> None:
    page = (
        """<a title="a > b" href='/1'>x</a><img alt='"' src=/2><!-- <a href="/3"> --><script src="/4">"<a href='/5'>"</script>"""
        """&lt;a href="/6"&gt; <A HREF = "/7?a&amp;b">x</A> <p data-href="/8">"""
    )
    assert links.find(page) == ["/1", "/2", "/4", "/7?a&b"]


@pytest.mark.parametrize(
    "page", ["<a " + 'x="' * 50_000, "<a" * 50_000, "<a " + " " * 100_000, "<!--" * 50_000, "<script" * 50_000]
)
def test_hostile_pages_take_no_long_time(page: str) -> None:
    assert links.find(page) == []


def test_a_link_to_an_article_without_a_page_says_so(site: Make) -> None:
    s = site('-- site.toml --\n[pages]\narticles = "own"\n').article("wire")
    s.article("post", webUrl=None, body="See [the wire](/2026/11/08/wire/).\n")
    assert "'/2026/11/08/wire/': content/wire.md has no page here" in told(s)[0]
