"""Aliases, stubs and `_redirects`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from sites import Site

from newsgen import config, hosts

Make = Callable[..., Site]

LINES_ONLY = "[redirects]\npages = false\n"


def lines(s: Site) -> dict[str, str]:
    """The old and new addresses in `_redirects`."""
    rows = [line.split() for line in s.read("_redirects").splitlines()]
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("more", ["", LINES_ONLY])
def test_an_alias_at_the_address_of_a_page_costs_the_alias_only(site: Make, more: str) -> None:
    s = site(f"-- site.toml --\n{more}").article("port").article("tram").article("self", aliases="[/2026/11/08/self/]")
    s.article("tolls", aliases='["/2026/11/08/port", "/topics/", "/2026/11/08/Tram/", "/2026/11/08/p%6Frt/", "/old"]')
    s.article("files", aliases='["/robots.txt", "/robots.txt/x/", "/_redirects", "/2026/11/08", "/", "/img/x.svg"]')
    s.write("static/img/x.svg", "<svg/>")
    report = s.build()
    assert sorted(str(p) for p in report.problems) == [
        "content/files.md:5: aliases: '/' is the address of the page 'News'; remove this alias",
        "content/files.md:5: aliases: '/_redirects' is the address of _redirects; remove this alias",
        "content/files.md:5: aliases: '/img/x.svg' is the address of static/img/x.svg; remove this alias",
        "content/files.md:5: aliases: '/robots.txt' is the address of robots.txt; remove this alias",
        "content/files.md:5: aliases: '/robots.txt/x/' is the address of robots.txt; remove this alias",
        "content/self.md:5: aliases: '/2026/11/08/self/' is the page's own address; remove this alias",
        "content/tolls.md:5: aliases: '/2026/11/08/Tram/' is the address of content/tram.md; remove this alias",
        "content/tolls.md:5: aliases: '/2026/11/08/p%6Frt/' is the address of content/port.md; remove this alias",
        "content/tolls.md:5: aliases: '/2026/11/08/port' is the address of content/port.md; remove this alias",
        "content/tolls.md:5: aliases: '/topics/' is the address of the page 'Topics'; remove this alias",
    ]
    assert lines(s) == {"/2026/11/08": "/2026/11/08/files/", "/old": "/2026/11/08/tolls/"}
    assert (s.output / "old/index.html").exists() == (not more)
    for name in ("port", "tram", "self", "tolls", "files"):
        assert (s.output / f"2026/11/08/{name}/index.html").exists()
    assert [str(p) for p in s.build(verify=True).problems] == [str(p) for p in report.problems]


def test_an_alias_cannot_take_the_name_of_the_redirects_file(site: Make) -> None:
    s = site().article("a", aliases="[/_redirects/, /old/]")
    (problem,) = s.build().problems
    assert str(problem) == "content/a.md:5: aliases: '/_redirects/' is the address of _redirects; remove this alias"
    assert lines(s) == {"/old/": "/2026/11/08/a/"}


def test_one_alias_in_two_files_stays_with_one_of_them(site: Make) -> None:
    s = site().article("a", aliases="[/old/]").article("b", aliases="[/old, /OLD/page/]")
    s.write("content/_pages/about.md", "---\ntitle: About\naliases: [/old/, /was]\n---\n")
    report = s.build()
    in_use = "aliases: '/old/' is in use by the alias '/old' of content/b.md; remove this alias"
    assert sorted(map(str, report.problems)) == [
        f"content/_pages/about.md:3: {in_use}",
        f"content/a.md:5: {in_use}",
    ]
    b = "/2026/11/08/b/"
    assert lines(s) == {"/old": b, "/OLD/page/": b, "/was": "/about/"}


def test_two_spellings_of_an_alias_share_a_stub(site: Make) -> None:
    s = site().article("a", aliases='["/old", "/old/", "/caf%C3%A9/", "/café/"]')
    s.good()
    assert lines(s) == dict.fromkeys(["/old", "/old/", "/caf%C3%A9/"], "/2026/11/08/a/")
    assert "café/index.html" in s.tree()


def test_aliases_are_accepted_as_people_write_them(site: Make) -> None:
    s = site('-- site.toml --\nbase_url = "https://news.example/sub/"\n').article(
        "a",
        aliases='["2019/07/rel.html", "/a b/é/", "/a%20c/", "feed.xml2", "/100%/", "/it\'s/", "/wiki/Talk:Port*/", "/x//y/"]',
    )
    s.good()
    old = [
        "/2019/07/rel.html",
        "/a%20b/%C3%A9/",
        "/a%20c/",
        "/feed.xml2",
        "/100%25/",
        "/it's/",
        "/wiki/Talk%3APort%2A/",
        "/x/y/",
    ]
    assert lines(s) == dict.fromkeys(["/sub" + path for path in old], "/sub/2026/11/08/a/")
    tree = s.tree()
    for path in (
        "2019/07/rel.html",
        "a b/é/index.html",
        "a c/index.html",
        "100%/index.html",
        "wiki/Talk:Port*/index.html",
    ):
        assert path in tree
    assert s.good().written == []


@pytest.mark.parametrize(
    ("alias", "message"),
    [
        ("/?p=123", "has a query, which no file can answer"),
        ("/a/#top", "has a fragment, which no file can answer"),
        ("/caf%E9/", "has escapes that are not UTF-8"),
        ("/" + "x" * 256, "is too long"),
        ("/" + "x/" * 300, "is too long"),
        ("Another name", "is a title, not an address"),
        ("/..%2Fx/", "is not an address on this site"),
    ],
)
def test_an_alias_that_no_file_can_answer_is_an_error(site: Make, alias: str, message: str) -> None:
    (problem,) = site().article("a", more=f'aliases: ["/fine/", "{alias}"]\n').build().problems
    assert (problem.line, problem.field) == (5, "aliases[1]")
    assert message in problem.what


def test_the_lines_of_an_own_redirects_file_come_first(site: Make) -> None:
    s = site().write("static/_redirects", "# ours\n/a /b 301").article("x", aliases="[/old/]")
    s.good()
    assert s.read("_redirects").splitlines() == ["# ours", "/a /b 301", "/old/ /2026/11/08/x/ 301"]
    s.edit("static/_redirects", "/a /b", "/c /d")
    assert s.good().written == ["_redirects"]
    s.write("site.toml", "[redirects]\nfile = false\n")
    s.good()
    assert s.read("_redirects") == "# ours\n/c /d 301"
    s.write("site.toml", "").write("static/_redirects", b"\xff")
    with pytest.raises(Exception, match="static/_redirects: cannot be read as UTF-8"):
        s.build()


def test_dot_files_and_names_that_hosts_need_are_copied(site: Make) -> None:
    s = site().article("a").write("static/.nojekyll", "").write("static/CNAME", "wire.example\n")
    s.write("static/.well-known/security.txt", "hi")
    s.good()
    assert {".nojekyll", "CNAME", ".well-known/security.txt"} <= set(s.tree())


def test_a_static_file_in_place_of_a_generated_one_says_which_setting_allows_it(site: Make) -> None:
    s = site().article("a").write("static/robots.txt", "User-agent: *\nDisallow: /\n")
    (problem,) = s.build().problems
    assert problem.path == "static/robots.txt"
    assert 'disable_kinds = ["robots"]' in problem.hint
    s.write("site.toml", 'disable_kinds = ["robots"]\n')
    s.good()
    assert "Disallow" in s.read("robots.txt")
    s.write("static/_headers", "/*\n  X-Own: 1\n")
    assert 'disable_kinds = ["headers"]' in s.build().problems[0].hint


def headers(s: Site) -> dict[str, list[str]]:
    """The header lines of each rule in `_headers`."""
    rules: dict[str, list[str]] = {}
    for line in s.read("_headers").splitlines():
        if line.startswith("/"):
            assert line not in rules
            rules[line] = []
        else:
            list(rules.values())[-1].append(line.strip())
    return rules


def test_no_header_is_set_by_two_rules_that_match_one_path(site: Make) -> None:
    s = site('-- site.toml --\nbase_url = "https://news.example/sub/"\n').article("a").write("static/css/plain.css", "")
    s.good()
    rules = headers(s)
    everywhere, feeds = rules.pop("/sub/*"), [rules.pop(f"/sub/*{n}") for n in ("feed.xml", "atom.xml", "feed.json")]
    assert [rule[0].partition(";")[0] for rule in feeds] == [
        "Content-Type: application/rss+xml",
        "Content-Type: application/atom+xml",
        "Content-Type: application/feed+json",
    ]
    assert not any(line.startswith(("Cache-Control", "Content-Type")) for line in everywhere)
    assert "frame-src" not in everywhere[0]
    # All others are the exact addresses of files with a fingerprint.
    assert set(map(tuple, rules.values())) == {("Cache-Control: public, max-age=31536000, immutable",)}
    for address in rules:
        assert address.removeprefix("/sub/") in s.tree()
    assert "/sub/css/plain.css" not in rules
    s.write("site.toml", "[video]\nembed = true\nhosts = ['v.example', 'w.example']\n")
    s.good()
    assert "; frame-src https://v.example https://w.example; form-action" in headers(s)["/*"][0]
    assert not [rule for rule in headers(s) if "feed" in rule]


def aliased(s: Site, count: int) -> Site:
    """A site with an alias for each of some articles, the newest last, and a story of two."""
    for n in range(count):
        s.article(f"a{n}", publishedDateTime=f"2026-11-0{n + 1}T10:00:00Z", aliases=f"[/old-{n}/]")
    return s.article("b", story="x").article("c", story="x")


def test_lines_are_the_newest_as_many_as_the_host_reads_and_stubs_answer_the_rest(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = msgspec.structs.replace(hosts.HOSTS["cloudflare-pages"], redirect_lines=3)
    monkeypatch.setattr(config, "HOSTS", {**hosts.HOSTS, "cloudflare-pages": small})
    s = aliased(site('-- site.toml --\nhost = "cloudflare-pages"\n'), 4)
    s.write("static/_redirects", "# my own\n/mine /elsewhere 302\n").good()
    lines = s.read("_redirects").splitlines()
    assert lines == ["# my own", "/mine /elsewhere 302", "/old-3/ /2026/11/04/a3/ 301", "/old-2/ /2026/11/03/a2/ 301"]
    assert {f"old-{n}/index.html" for n in range(4)} <= s.tree().keys()
    s.write("site.toml", 'host = "cloudflare-pages"\n[redirects]\npages = false\n')
    report = s.build()
    assert [str(p) for p in report.problems] == [
        "content/a0.md:5: aliases: '/old-0/' would not answer: there are no stubs, and `_redirects` holds as much as "
        "Cloudflare Pages reads; set `pages = true` in [redirects]",
        "content/a1.md:5: aliases: '/old-1/' would not answer: there are no stubs, and `_redirects` holds as much as "
        "Cloudflare Pages reads; set `pages = true` in [redirects]",
        "site.toml:3: redirects.pages: 1 address of articles would not answer: there are no stubs, and `_redirects` holds "
        "as much as Cloudflare Pages reads; set `pages = true` in [redirects]",
    ]
    assert {p.scope for p in report.problems} == {"value"}


def test_lines_after_one_with_a_wildcard_count_as_dynamic(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    small = msgspec.structs.replace(hosts.HOSTS["cloudflare-pages"], dynamic_redirects=3)
    monkeypatch.setattr(config, "HOSTS", {**hosts.HOSTS, "cloudflare-pages": small})
    s = aliased(site('-- site.toml --\nhost = "cloudflare-pages"\n'), 5)
    s.write("static/_redirects", "/one /two\n/blog/* /:splat\n").good()
    assert [line.split()[0] for line in s.read("_redirects").splitlines()] == ["/one", "/blog/*", "/old-4/", "/old-3/"]


def test_lines_stay_within_the_bytes_that_the_host_reads(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    small = msgspec.structs.replace(hosts.HOSTS["gitlab-pages"], redirect_bytes=150)
    monkeypatch.setattr(config, "HOSTS", {**hosts.HOSTS, "gitlab-pages": small})
    s = aliased(site('-- site.toml --\nhost = "gitlab-pages"\n'), 6)
    s.article("long", aliases=f"[/{'x' * 200}/, /short/]").good()
    assert len(s.read("_redirects")) <= 150
    assert "/short/" in s.read("_redirects")


def test_files_that_the_host_does_not_read_are_not_written(site: Make) -> None:
    s = aliased(site('-- site.toml --\nhost = "github-pages"\n'), 1)
    s.good()
    assert not {"_redirects", "_headers"} & s.tree().keys()
    assert "old-0/index.html" in s.tree()
    s.write("site.toml", 'host = "gitlab-pages"\n').good()
    assert {"_redirects", "_headers"} & s.tree().keys() == {"_redirects"}
    s.write("site.toml", 'host = "github-pages"\n[redirects]\npages = false\n')
    assert "GitHub Pages does not read `_redirects`" in str(s.build().problems[0])


def test_a_line_of_the_sites_own_answers_an_alias(site: Make) -> None:
    s = site('-- site.toml --\nhost = "netlify"\n[redirects]\npages = false\nfile = false\n')
    s.write("static/_redirects", "/al/ /there/ 301\n").article("a", aliases="[/al/, /other/]")
    [problem] = s.build().problems
    assert "'/other/' would not answer: there are no stubs, and `_redirects` is left out too" in str(problem)


MOVED = """
[redirects]
gone = ["/fares/", "/2019/x.php"]

[redirects.moved]
"/old" = "/older/"
"/older/" = "/2026/11/08/a/?x#h"
"blog/feed.html" = "https://elsewhere.example/feed one"
"""


def test_addresses_that_belong_to_no_article_redirect_or_are_gone(site: Make) -> None:
    s = site().write("site.toml", MOVED).article("a").article("b", aliases="[/alias/]")
    s.good()
    assert lines(s) == {
        "/alias/": "/2026/11/08/b/",
        "/blog/feed.html": "https://elsewhere.example/feed%20one",
        "/old": "/2026/11/08/a/?x#h",
        "/older/": "/2026/11/08/a/?x#h",
    }
    assert {line.split()[2] for line in s.read("_redirects").splitlines()} == {"301"}
    assert 'url=/2026/11/08/a/?x#h"' in s.read("old/index.html")
    for path in ("fares/index.html", "2019/x.php/index.html"):
        assert "This page was removed" in s.read(path)
        assert 'content="noindex' in s.read(path)
    s.edit("site.toml", '"/fares/", ', "").edit("site.toml", "?x#h", "")
    report = s.good()
    assert not (s.output / "fares").exists()
    assert set(report.written) == {"_redirects", "old/index.html", "older/index.html"}
    before = s.tree()
    s.build(output=s.root / "clean")
    assert s.tree(s.root / "clean") == before


def test_the_pages_of_a_folder_that_moved_redirect(site: Make) -> None:
    words = 'topics = "themen"\npage = "seite"\n'
    moved = '"/topics/*" = "/subjects/*"\n"/subjects/*" = "/themen/*"\n"/2025/*" = "/2026/*"\n'
    settings = f"page_size = 1\n[slugs]\n{words}[redirects.moved]\n{moved}"
    s = site().write("site.toml", settings).article("a", topics="[Rail]").article("b", topics="[Rail]")
    s.write("content/_pages/topics.md", "---\ntitle: Own\n---\n")
    s.good()
    assert 'url=/themen/rail/"' in s.read("topics/rail/index.html")
    assert 'url=/themen/rail/seite/1/"' in s.read("subjects/rail/seite/1/index.html")
    assert 'url=/2026/11/08/a/"' in s.read("2025/11/08/a/index.html")
    assert "Own</h1>" in s.read("topics/index.html")
    assert lines(s) == {}, "they would fill the file"
    s.article("c", topics="[Tram]").good()
    assert 'url=/themen/tram/"' in s.read("topics/tram/index.html")
    s.edit("site.toml", "[redirects.moved]", "[redirects]\npages = false\n[redirects.moved]").good()
    assert "topics/rail/index.html" not in s.tree()
    assert lines(s)["/topics/rail/"] == "/themen/rail/"
    (s.root / "content/c.md").unlink()
    s.good()
    before = s.tree()
    s.build(output=s.root / "clean")
    assert s.tree(s.root / "clean") == before


def test_a_page_that_is_gone_answers_410_where_the_host_can(site: Make) -> None:
    s = site().write("site.toml", 'host = "netlify"\n' + MOVED).article("a")
    s.good()
    assert "/fares/ /fares/ 410!" in s.read("_redirects").splitlines()
    assert "This page was removed" in s.read("fares/index.html")
    s.write("site.toml", 'host = "netlify"\n' + MOVED.replace("[redirects]", "[redirects]\npages = false"))
    s.good()
    assert "/fares/ /404.html 410!" in s.read("_redirects").splitlines()
    assert not (s.output / "fares").exists()
    s.write("site.toml", MOVED.replace("[redirects]", "[redirects]\npages = false"))
    s.good()
    assert "410" not in s.read("_redirects")


@pytest.mark.parametrize("more", ["", "pages = false\n"])
def test_a_redirect_of_the_site_takes_no_address_of_a_page(site: Make, more: str) -> None:
    s = site().article("a").article("b", aliases="[/alias/]")
    rows = '"/topics/" = "/sources/"\n"/alias" = "/sources/"\n"/nowhere/" = "/none/"\n'
    s.write("site.toml", f'[redirects]\n{more}gone = ["/2026/11/08/a/"]\n[redirects.moved]\n{rows}')
    report = s.build()
    at = len(more.splitlines()) + 2
    assert sorted(map(str, report.problems)) == [
        "content/b.md:5: aliases: '/alias/' is in use by '/alias' of site.toml; remove this alias",
        f"site.toml:{at}: redirects.gone[0]: '/2026/11/08/a/' is the address of content/a.md; remove it",
        f"site.toml:{at + 2}: redirects.moved./topics/: '/topics/' is the address of the page 'Topics'; remove it",
    ]
    assert "<h1" in s.read("2026/11/08/a/index.html")
    assert "removed" not in s.read("2026/11/08/a/index.html")
    [broken] = [str(w) for w in report.warnings if "none" in str(w)]
    assert broken == (
        f"site.toml:{at + 4}: redirects.moved./nowhere/: there is no page or file '/none/'; "
        "correct the link, or add what is missing"
    )
    assert lines(s) == {"/alias": "/sources/", "/nowhere/": "/none/"}
