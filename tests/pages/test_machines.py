"""The files that only programs read, besides feeds: JSON of lists, the news sitemap, the manifest, llms.txt, microformats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from sites import Site, related

from newsgen.files import shipped_site
from newsgen.pages import ListJson

Make = Callable[..., Site]

BASE = 'base_url = "https://wire.example/sub/"\n'
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
HOSTILE = "AT&T <3 C++ & ]]> [x](javascript:y)"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with 20 articles of one topic, a story, and hostile words in titles."""
    s = Site(tmp_path_factory.mktemp("wire") / "site")
    kinds = 'enable_kinds = ["api", "llms"]\n[feeds]\nsections = ["rss", "atom"]\n'
    s.write("site.toml", f'title = "Wire [x]"\npage_size = 4\n{BASE}{kinds}')
    for n in range(18):
        when = f"2026-11-{n // 2 + 1:02}T{10 + n % 2}:00:00Z"
        s.article(f"n{n:02}", topics="[AI]", publishedDateTime=when, webUrl=f"https://p{n % 5}.example/{n}")
    s.article(
        "told",
        title=HOSTILE,
        topics="[AI]",
        publishedDateTime="2026-11-09",
        lang="de",
        quality=90,
        more=related("https://c.example/1"),
    )
    picture = '[{url: "https://i.example/a.JPG?w=1", width: 800, height: 450, title: "A <b> & c", attribution: "Me"}]'
    s.article("own", webUrl=None, topics="[AI]", publishedDateTime="2026-11-09T12:00:00Z", images=picture, body="Ours.")
    s.write("static/img/icon-192.png", b"png").write("static/img/icon-maskable-512.png", b"png")
    s.good()
    return s


def pages_of(s: Site, path: str) -> Iterator[dict[str, Any]]:
    """The pages of a list, following `nextPage`. Each is what the schema says."""
    while path:
        text = s.read(path)
        msgspec.json.decode(text, type=ListJson, strict=True)
        page = json.loads(text)
        yield page
        path = (page["nextPage"] or "").removeprefix("https://wire.example/sub/")


def test_following_the_pages_of_a_list_finds_each_member_once_newest_first(wire: Site) -> None:
    pages = list(pages_of(wire, "topics/ai/index.json"))
    assert [page["page"] for page in pages] == [0, 4, 3, 2, 1]
    assert [len(page["value"]) for page in pages] == [5, 4, 4, 4, 4]
    rows = [row for page in pages for row in page["value"]]
    times = [row["published"] for row in rows if len(row["published"]) > len("2026-11-09")]
    assert times == sorted(times, reverse=True)
    assert len({row["url"] for row in rows}) == 21
    own, told = rows[0], next(row for row in rows if row["title"] == HOSTILE)
    assert own["url"] == own["page"] == "https://wire.example/sub/2026/11/09/own/"
    assert (own["story"], own["image"], own["type"]) == (None, "https://i.example/a.JPG?w=1", "article")
    assert (told["published"], told["lang"], told["provider"]) == ("2026-11-09", "de", "told.example")
    assert told["story"] == "https://wire.example/sub/2026/11/09/told/"


def test_indexes_and_the_front_page_have_json_as_well(wire: Site) -> None:
    (front,) = pages_of(wire, "index.json")
    story = next(row for row in front["value"] if row["kind"] == "story")
    assert (story["reports"], story["sources"], len(story["coverage"])) == (2, 2, 1)
    (topics,) = pages_of(wire, "topics/index.json")
    address = "https://wire.example/sub/topics/ai/"
    assert topics["value"] == [
        {"kind": "list", "title": "AI", "url": address, "json": f"{address}index.json", "count": 21}
    ]
    for path in ("sources", "archive", "archive/2026", "archive/2026/11"):
        (page,) = pages_of(wire, f"{path}/index.json")
        assert page["value"][0]["json"]
    shown = {path for path in wire.tree() if path.endswith("index.json") and not path.startswith("search/")}
    lists = {
        path for path in wire.tree() if re.match(r"(topics|providers|categories|archive|sources)/.*index.html", path)
    }
    assert shown == {path.replace(".html", ".json") for path in lists | {"index.html"}}


def test_a_new_article_renders_few_pages_and_files_with_json_as_well(wire: Site) -> None:
    wire.article("new", topics="[AI]", webUrl="https://p1.example/new", publishedDateTime="2026-11-09T13:00:00Z")
    report = wire.good()
    (wire.root / "content/new.md").unlink()
    wire.good()
    written = [path for path in report.written if path.endswith(".json")]
    assert "topics/ai/page/5/index.json" not in written
    assert "topics/ai/page/6/index.json" in written
    assert len([path for path in report.rendered if path.endswith(".html")]) <= 25
    assert len(report.written) <= 60


def test_the_news_sitemap_has_the_pages_of_the_two_newest_days(wire: Site) -> None:
    urls = list(ElementTree.fromstring(wire.read("sitemaps/news.xml")))
    rows = [(url[0].text, url.findtext(f".//{NEWS}publication_date"), url.findtext(f".//{NEWS}title")) for url in urls]
    address = "https://wire.example/sub/2026/11/0"
    assert rows == [
        (f"{address}9/own/", "2026-11-09T12:00:00Z", "Own"),
        (f"{address}9/n17/", "2026-11-09T11:00:00Z", "N17"),
        (f"{address}9/n16/", "2026-11-09T10:00:00Z", "N16"),
        (f"{address}9/told/", "2026-11-09", HOSTILE),
        (f"{address}8/n15/", "2026-11-08T11:00:00Z", "N15"),
        (f"{address}8/n14/", "2026-11-08T10:00:00Z", "N14"),
    ]
    assert {url.findtext(f".//{NEWS}language") for url in urls} == {"en"}
    assert {url.findtext(f".//{NEWS}name") for url in urls} == {"Wire [x]"}
    assert "sub/sitemaps/news.xml</loc><lastmod>2026" in wire.read("sitemap.xml")


def test_the_manifest_has_the_colours_of_the_theme_and_the_icons_of_the_site(wire: Site, site: Make) -> None:
    manifest = json.loads(wire.read("manifest.webmanifest"))
    assert (manifest["start_url"], manifest["scope"], manifest["name"]) == ("/sub/", "/sub/", "Wire [x]")
    assert [(i["src"], i["sizes"], i["purpose"]) for i in manifest["icons"]] == [
        ("/sub/img/icon-192.png", "192x192", "any"),
        ("/sub/img/icon-maskable-512.png", "512x512", "maskable"),
    ]
    light, dark = re.findall(r"--paper: (#\w+);", (shipped_site() / "static/css/site.css").read_text())[:2]
    assert manifest["theme_color"] == manifest["background_color"] == light
    page = wire.read("404.html")
    assert re.findall(r'<meta name="theme-color" content="(#\w+)"', page) == [light, dark]
    assert '<link rel="manifest" href="/sub/manifest.webmanifest">' in page
    plain = site().article("a")
    plain.good()
    (icon,) = json.loads(plain.read("manifest.webmanifest"))["icons"]
    assert (icon["type"], icon["sizes"]) == ("image/svg+xml", "any")
    assert (plain.output / icon["src"][1:]).exists()
    assert {path for path in plain.tree() if path.endswith("index.json")} == {"search/index.json"}
    assert "llms.txt" not in plain.tree()


def test_llms_txt_names_what_stays(wire: Site) -> None:
    text = wire.read("llms.txt")
    assert text.startswith("# Wire \\[x\\]\n")
    assert "- [Topics, as JSON](https://wire.example/sub/topics/index.json)\n" in text
    for address in re.findall(r"\(https://wire\.example/sub/(.*?)\)", text):
        assert (wire.output / address / ("index.html" if not address or address.endswith("/") else "")).exists(), (
            address
        )


def test_pictures_are_in_rss_and_atom(wire: Site) -> None:
    media, atom = "{http://search.yahoo.com/mrss/}", "{http://www.w3.org/2005/Atom}"
    for folder in ("", "topics/ai/"):
        (content,) = ElementTree.fromstring(wire.read(f"{folder}feed.xml")).iter(f"{media}content")
        url = "https://i.example/a.JPG?w=1"
        assert content.attrib == {"url": url, "medium": "image", "width": "800", "height": "450"}
        assert [(e.tag, e.text) for e in content] == [(f"{media}description", "A <b> & c"), (f"{media}credit", "Me")]
        links = ElementTree.fromstring(wire.read(f"{folder}atom.xml")).iter(f"{atom}link")
        enclosures = [link.attrib for link in links if link.get("rel") == "enclosure"]
        assert enclosures == [{"rel": "enclosure", "type": "image/jpeg", "href": url, "title": "A <b> & c"}]


def test_lists_and_pages_are_marked_up_as_entries(wire: Site) -> None:
    entries = re.findall(r'<article class="[^"]*h-entry.*?</article>', wire.read("topics/ai/index.html"), re.DOTALL)
    assert len(entries) >= 4
    for entry in entries:
        for name in ("p-author h-card", "dt-published", "p-name"):
            assert entry.count(name) == 1, (name, entry)
        assert "u-url" in entry
    own = wire.read("2026/11/09/own/index.html")
    assert 'class="single h-entry"' in own
    assert re.search(r'<a class="when u-url" href="/sub/2026/11/09/own/">', own)
    assert "e-content" in own
    assert "h-feed" in wire.read("index.html")
    assert "h-feed" in wire.read("2026/11/09/told/index.html")


def test_every_page_of_the_archive_has_a_description(wire: Site) -> None:
    found = {}
    for path in wire.tree():
        if path.startswith(("archive/", "topics/index", "sources/")) and path.endswith(".html"):
            (found[path],) = re.findall(r'<meta name="description" content="(.*?)">', wire.read(path))
    assert len(set(found.values())) == len(found) > 10
    assert found["archive/2026/11/index.html"] == "Wire [x], day by day: November 2026"


def test_after_edits_the_files_are_those_of_a_clean_build(wire: Site, tmp_path: Path) -> None:
    """The last test of this module: it leaves the site as edited."""
    edits: list[Callable[[], object]] = [
        lambda: wire.edit("content/n02.md", "N02", "An older title"),
        lambda: wire.edit("content/n09.md", "2026-11-05", "2026-11-07"),
        (wire.root / "content/n05.md").unlink,
        lambda: wire.article("early", topics="[AI, Rail]", publishedDateTime="2026-11-02T09:00:00Z"),
        lambda: wire.article("late", topics="[AI]", category="News", publishedDateTime="2026-11-11T09:00:00Z"),
        lambda: wire.edit("content/own.md", "Ours.", "Ours now."),
    ]
    for edit in edits:
        edit()
        wire.good()
    clean = Site(tmp_path / "clean")
    for file in wire.root.rglob("*"):
        if file.is_file() and file.relative_to(wire.root).parts[0] in ("content", "static", "site.toml"):
            clean.write(file.relative_to(wire.root).as_posix(), file.read_bytes())
    clean.good()
    assert wire.tree() == clean.tree()
