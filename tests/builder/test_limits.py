"""A build says which limits of its host the site breaks or is near, by how much, and what helps."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from sites import Site

from newsgen import config
from newsgen.builder import SiteFile, SiteFiles, compare_with_limits
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.hosts import HOST_NAMES, HOSTS, MIB, HostName

Make = Callable[..., Site]
PAGE, STUB, ARTICLE, FEED, LIST = (
    "pages/text.html",
    "pages/redirect.html",
    "pages/article.html",
    "feeds/atom.xml",
    "pages/list.html",
)


def pages(count: int, template: str = PAGE, at: str = "", size: int = 10) -> list[SiteFile]:
    return [SiteFile(f"{at}{n}/index.html", template, size) for n in range(count)]


def said(problems: Iterable[Problem]) -> list[str]:
    assert all(p.scope == "host" for p in problems)
    return list(map(str, problems))


def compared(host: HostName, files: Iterable[SiteFile], *texts: str, **settings: Any) -> tuple[list[str], list[str]]:
    """What is said of the limits broken, and of those near."""
    found = compare_with_limits(Config(host=host, **settings), SiteFiles.of(files), *texts)
    return said(found.problems), said(found.warnings)


def test_without_a_host_nothing_is_said() -> None:
    found = compare_with_limits(Config(), SiteFiles.of(pages(300_000)), "/a /b\n" * 30_000, "/a\n" * 1_000)
    assert not found.problems
    assert not found.warnings


@pytest.mark.parametrize("name", HOST_NAMES)
def test_a_small_site_fits_every_host(name: HostName) -> None:
    assert compared(name, pages(100), "/a /b 301\n", "/*\n  X: y\n") == ([], [])


@pytest.mark.parametrize(
    ("count", "problems", "warnings"), [(15_999, 0, 0), (16_000, 0, 1), (20_000, 0, 1), (20_001, 1, 0)]
)
def test_a_site_is_near_a_limit_from_four_fifths_of_it_on(count: int, problems: int, warnings: int) -> None:
    over, near = compared("cloudflare-pages", pages(count))
    assert (len(over), len(near)) == (problems, warnings)


def test_a_broken_limit_names_the_settings_that_save_most() -> None:
    files = [
        *pages(9_000, ARTICLE),
        *pages(7_000, STUB, "old/"),
        *[SiteFile(f"topics/{n}/atom.xml", FEED, 5) for n in range(4_500)],
        *[SiteFile(f"topics/x/page/{n}/index.html", LIST, 5) for n in range(400)],
        SiteFile("atom.xml", FEED, 5),
        SiteFile("css/site.css", "", 5),
    ]
    over, _ = compared("cloudflare-pages", files, pages=config.Pages(articles="all"))
    assert over == [
        "site.toml: host: the site has 20,902 files, and Cloudflare Pages takes 20,000: 902 too many;"
        ' save up to 9,000 with pages.articles = "own", 4,900 with disable_kinds = ["topic"] or'
        " 4,500 with feeds.sections = []"
    ]
    over, _ = compared("cloudflare-pages-paid", files * 6, pages=config.Pages(articles="own"))
    assert "pages.articles" not in over[0]


def test_stubs_are_named_only_if_the_host_reads_a_line_for_each() -> None:
    files = [*pages(18_000), *pages(1_999, STUB, "old/")]
    (near,) = compared("cloudflare-pages", files)[1]
    assert near.endswith("Cloudflare Pages takes 20,000: 100% of that; save up to 1,999 with redirects.pages = false")
    (near,) = compared("cloudflare-pages", [*files, *pages(2, STUB, "older/")][2:])[1]
    assert near.endswith("publish fewer files, or choose another host or plan")
    (near,) = compared("azure-static-web-apps", [*pages(12_000), *pages(500, STUB, "old/")])[1]
    assert "redirects.pages" not in near


def test_large_files_are_named_largest_first() -> None:
    files = [
        SiteFile("near.mp4", "", 24 * MIB),
        SiteFile("big.mp4", "", 26 * MIB),
        SiteFile("sitemap.xml", "feeds/sitemap.xml", 27 * MIB),
        SiteFile("fits.mp4", "", 25 * MIB),
    ]
    over, near = compared("cloudflare-pages", files)
    assert over == [
        "sitemap.xml: the file has 27 MiB, and Cloudflare Pages takes files of up to 25 MiB: 2 MiB too much;"
        " make it smaller, or serve it from elsewhere, such as a bucket",
        "static/big.mp4: the file has 26 MiB, and Cloudflare Pages takes files of up to 25 MiB: 1 MiB too much;"
        " make it smaller, or serve it from elsewhere, such as a bucket",
    ]
    assert [n.partition(":")[0] for n in near] == ["static/fits.mp4", "static/near.mp4"]
    assert len(compared("cloudflare-pages", [SiteFile(f"{n}", "", 99 * MIB) for n in range(50)])[0]) == 5


def test_the_size_of_the_site_names_what_saves_most_bytes() -> None:
    files = [*pages(20, ARTICLE, size=MIB), *pages(10, STUB, "old/", 30 * MIB)]
    (over,) = compared("azure-static-web-apps", files, pages=config.Pages(articles="all"))[0]
    assert "the site has 320 MiB, and Azure Static Web Apps takes 250 MiB: 70 MiB too much;" in over
    assert over.endswith('; save up to 20 MiB with pages.articles = "own"')


def test_a_folder_may_have_a_limit_of_its_own() -> None:
    files = [SiteFile(f"img/{n}.png", "", 1) for n in range(54_001)]
    (over,) = compared("netlify", files)[0]
    assert "the folder 'img' has 54,001 files, and Netlify takes 54,000 in one folder: 1 too many" in over
    assert compared("netlify", pages(60_000)) == ([], [])


def test_folders_count_as_files_on_gitlab() -> None:
    assert compared("gitlab-pages", pages(79_999, at="a/")) == ([], [])
    (near,) = compared("gitlab-pages", pages(80_000, at="a/"))[1]
    assert "the site has 160,001 files and folders" in near


def test_lines_of_redirects_are_counted_without_comments() -> None:
    lines = "# a comment\n\n" + "/a /b 301\n" * 2_000
    assert compared("cloudflare-pages", [], lines) == ([], [])
    (over,) = compared("cloudflare-pages", [], lines + "/a /b\n")[0]
    assert "_redirects has 2,001 lines, and Cloudflare Pages takes 2,000: 1 too many" in over
    assert over.endswith("; shorten static/_redirects")


def test_without_stubs_the_lines_are_near_their_limit_too() -> None:
    (near,) = compared("cloudflare-pages", [], "/a /b\n" * 1_600, redirects=config.Redirects(pages=False))[1]
    assert near.endswith("80% of that; set redirects.pages = true: a stub needs no line")


def test_a_line_with_a_wildcard_makes_all_that_follow_dynamic_on_cloudflare() -> None:
    static = "/a /b\n" * 200
    assert compared("cloudflare-pages", [], static + "/x/* /y/:splat\n") == ([], [])
    (over,) = compared("cloudflare-pages", [], "/x/* /y/:splat\n" + static)[0]
    assert "_redirects has 201 lines from the first with a * or placeholder on" in over
    assert "takes 100 of these: 101 too many; put lines with a * or placeholder last" in over
    assert compared("netlify", [], "/x/* /y/:splat\n" + static) == ([], [])
    assert compared("cloudflare-pages", [], "https://a.example/x /y\n" * 200) == ([], [])


def test_a_limit_that_is_only_advised_is_a_warning() -> None:
    over, near = compared("netlify", [], "/a /b\n" * 10_001)
    assert not over
    assert len(near) == 1


def test_bytes_of_redirects_are_limited_on_gitlab() -> None:
    (over,) = compared("gitlab-pages", [], f"/{'a' * 99} /b\n" * 640)[0]
    assert "_redirects has 65 KiB, and GitLab Pages takes 64 KiB: 1 KiB too much" in over


def test_rules_of_headers_are_counted_and_long_lines_found() -> None:
    headers = "".join(f"/a{n}\n  X-A: 1\n  X-B: 2\n" for n in range(101)) + f"/b\n  X: {'é' * 2_000}\n"
    count, line = compared("cloudflare-pages", [], "", headers)[0]
    assert "_headers has 102 rules, and Cloudflare Pages takes 100: 2 too many" in count
    assert line.startswith("_headers: the line 'X: éé")
    assert "has 2,003 characters, and Cloudflare Pages leaves out lines of more than 2,000; shorten it" in line
    assert compared("github-pages", [], "", headers) == ([], [])


def test_a_long_redirect_is_found() -> None:
    (over,) = compared("cloudflare-workers", [], f"/a /{'b' * 1_000}\n")[0]
    assert over.startswith("_redirects: the line '/a /bbb")


def test_own_files_that_the_host_does_not_read_are_named() -> None:
    files = [SiteFile("_redirects", "", 5), SiteFile("_headers", "", 5)]
    assert compared("github-pages", files)[1] == [
        "static/_redirects: GitHub Pages does not read it; use `aliases` in articles, or remove it",
        "static/_headers: GitHub Pages does not read it; set headers where you host the site, or remove it",
    ]
    assert [w.partition(":")[0] for w in compared("gitlab-pages", files)[1]] == ["static/_headers"]
    assert compared("netlify", files) == ([], [])


@pytest.fixture
def s(site: Make, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site at a host that takes 60 files, of up to 300 KiB."""
    tiny = msgspec.structs.replace(HOSTS["cloudflare-pages"], files=60, file_size=300 * 1024)
    monkeypatch.setattr(config, "HOSTS", {**HOSTS, "cloudflare-pages": tiny})
    return site().write("site.toml", 'host = "cloudflare-pages"\n').article("a")


def test_a_build_counts_the_files_it_wrote(s: Site) -> None:
    report = s.build()
    written = s.tree()
    assert not report.problems
    for n in range(60 - len(written) + 1):
        s.write(f"static/x/{n}.txt", "x")
    report = s.build()
    assert len(s.tree()) == 61
    assert [p.what for p in report.problems] == ["the site has 61 files, and Cloudflare Pages takes 60: 1 too many"]
    assert s.build().problems == report.problems, "an unchanged build says the same"
    (s.root / "static/x/0.txt").unlink()
    report = s.build()
    assert not report.problems
    assert [w.what for w in report.warnings] == ["the site has 60 files, and Cloudflare Pages takes 60: 100% of that"]
    assert s.build().warnings == report.warnings


def test_a_strict_build_of_a_site_that_breaks_a_limit_writes_nothing(s: Site) -> None:
    s.write("static/big.bin", b"x" * 400_000)
    assert s.build(strict=True).problems
    assert not s.output.exists()


def test_a_preview_has_no_host(s: Site) -> None:
    s.write("static/big.bin", b"x" * 400_000)
    assert not s.build(fingerprints=False).problems


def test_redirects_and_headers_are_read_whether_they_changed_or_not(s: Site) -> None:
    s.write("static/_redirects", "/x/* /y\n" + "".join(f"/a{n} /\n" for n in range(120)))
    first = s.build()
    assert any("from the first with a *" in p.what for p in first.problems)
    s.article("b")
    assert [p.what for p in s.build().problems] == [p.what for p in first.problems]
    s.write("static/_redirects", "/x /y\n")
    assert not s.build().problems


def test_check_says_the_same_as_a_build(s: Site) -> None:
    from newsgen.commands.check import check

    for n in range(70):
        s.write(f"static/x/{n}.txt", "x")
    s.write("static/big.bin", b"x" * 400_000)
    before = check(s.options())
    assert [p for p in before.problems if p.scope == "host"] == s.build().problems
    assert [p for p in check(s.options()).problems if p.scope == "host"] == s.build().problems


def test_a_base_url_at_a_host_suggests_the_setting(site: Make) -> None:
    s = site().write("site.toml", 'base_url = "https://me.github.io/news/"\n').article("a")
    (note,) = [n for n in s.build().notes if "host" in n]
    assert 'set host = "github-pages" in site.toml' in note
    s.write("site.toml", 'base_url = "https://me.github.io/news/"\nhost = "netlify"\n')
    assert not [n for n in s.build().notes if "host" in n]
