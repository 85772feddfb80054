"""RSS, Atom and JSON Feed as their specifications ask for, and as readers show them."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from sites import Site, related

from newsgen.pages.feeds import absolute_links

Make = Callable[..., Site]

BASE = 'base_url = "https://wire.example/"\n'
ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
HEADLINE = "AT&T <3 C++ & <dialog>"


def rss(s: Site, path: str = "feed.xml") -> ElementTree.Element:
    (channel,) = ElementTree.fromstring(s.read(path))
    return channel


def atom(s: Site, path: str = "atom.xml") -> ElementTree.Element:
    return ElementTree.fromstring(s.read(path))


def feed_json(s: Site, path: str = "feed.json") -> dict[str, Any]:
    return dict(json.loads(s.read(path)))


def links(entry: ElementTree.Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in entry.iter(f"{ATOM}link")}


def test_descriptions_in_rss_are_html_and_titles_are_text_in_all_formats(site: Make) -> None:
    s = site(f'-- site.toml --\ndescription = "On <dialog> & AT&amp;T"\n{BASE}')
    s.article("a", title=html.escape(HEADLINE), excerpt="Use &lt;dialog&gt;; AT&amp;amp;T says 1 &lt; 2.", webUrl=None)
    s.good()
    text = "Use <dialog>; AT&amp;T says 1 < 2."
    assert html.unescape(rss(s).findtext("description", "")) == "On <dialog> & AT&amp;T"
    (item,) = rss(s).iter("item")
    assert item.findtext("title") == HEADLINE
    assert item.findtext("description") == html.escape(text)
    entry = atom(s).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == HEADLINE
    assert entry.findtext(f"{ATOM}summary") == text
    assert atom(s).findtext(f"{ATOM}subtitle") == "On <dialog> & AT&amp;T"
    (row,) = feed_json(s)["items"]
    assert (row["title"], row["summary"]) == (HEADLINE, text)
    s.write("site.toml", f'title = "A <b> & c"\n{BASE}')
    s.good()
    assert rss(s).findtext("description") == "A &lt;b&gt; &amp; c"


def test_own_posts_carry_their_whole_body_with_absolute_links(site: Make) -> None:
    body = "One [two](/topics/), [three](../b/), [four](https://x.example/?a=1&b=2).\n\n![p](/img/my%20photo.jpg)\n"
    s = site('-- site.toml --\nbase_url = "https://wire.example/sub/"\n').article(
        "a", webUrl=None, body=body, excerpt="E"
    )
    s.article("linked", body="Not ours to copy.", excerpt="F", publishedDateTime="2026-11-07T10:00:00Z")
    s.good()
    (item, linked), (row, other) = rss(s).iter("item"), feed_json(s)["items"]
    entry = atom(s).find(f"{ATOM}entry")
    assert entry is not None
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert content.attrib["type"] == "html"
    assert content.text == item.findtext(CONTENT) == row["content_html"]
    for link in ("/sub/topics/", "/sub/2026/11/08/b/"):
        assert f'href="https://wire.example{link}"' in row["content_html"]
    assert 'href="https://x.example/?a=1&amp;b=2"' in row["content_html"]
    assert 'src="https://wire.example/sub/img/my%20photo.jpg"' in row["content_html"]
    assert row["summary"] == item.findtext("description") == "E"
    assert "Not ours" not in other["content_html"] + str(linked.findtext(CONTENT))
    s.edit("content/a.md", "One", "Uno")
    s.good()
    assert "Uno" in s.read("feed.xml")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<a href="#h-x">', '<a href="https://w.example/p/#h-x">'),
        ('<img alt="a > b" src="/x">', '<img alt="a > b" src="https://w.example/x">'),
        ('<img alt=" href=" src="y?a&amp;b">', '<img alt=" href=" src="https://w.example/p/y?a&amp;b">'),
        ('<a href="mailto:x@y.example">', '<a href="mailto:x@y.example">'),
        ('<a href="//o.example/">', '<a href="https://o.example/">'),
        ('href="/x" &lt;a href="/x"&gt;', 'href="/x" &lt;a href="/x"&gt;'),
        ('<blockquote cite="/q">', '<blockquote cite="https://w.example/q">'),
    ],
)
def test_links_become_absolute_in_tags_only(body: str, expected: str) -> None:
    assert absolute_links(body, "https://w.example/p/") == expected


def test_each_format_leads_where_its_convention_for_link_blogs_says(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}").article("a", webUrl="https://pub.example/a")
    s.good()
    here = "https://wire.example/2026/11/08/a/"
    assert [item.findtext("link") for item in rss(s).iter("item")] == ["https://pub.example/a"]
    entry = atom(s).find(f"{ATOM}entry")
    assert entry is not None
    assert links(entry) == {"alternate": here, "related": "https://pub.example/a"}
    (row,) = feed_json(s)["items"]
    assert (row["url"], row["external_url"]) == (here, "https://pub.example/a")


def test_there_are_no_empty_links_without_article_pages(site: Make) -> None:
    s = site(f'-- site.toml --\n{BASE}[pages]\narticles = "own"\n').article("own", webUrl=None, topics="[T]")
    s.article("linked", webUrl="https://pub.example/a", publishedDateTime="2026-11-07T10:00:00Z")
    s.good()
    own, linked = rss(s).iter("item")
    assert own.findtext("link") == "https://wire.example/2026/11/08/own/"
    assert linked.findtext("link") == "https://pub.example/a"
    first, second = atom(s).findall(f"{ATOM}entry")
    assert links(first) == {"alternate": "https://wire.example/2026/11/08/own/"}
    assert links(second) == {"alternate": "https://pub.example/a"}
    one, two = feed_json(s)["items"]
    assert "external_url" not in one
    assert two["url"] == "https://pub.example/a"
    assert "external_url" not in two
    for path, data in s.tree().items():
        assert not any(empty in data for empty in (b'href=""', b'"url":""', b"<link></link>")), path


def test_ids_stay_when_the_site_moves(site: Make) -> None:
    def ids(s: Site) -> list[str]:
        s.good()
        found = []
        for path in sorted(s.tree()):
            if path.endswith("atom.xml"):
                found += [str(e.text) for e in atom(s, path).iter(f"{ATOM}id")]
            elif path.endswith("feed.xml"):
                found += [str(e.text) for e in rss(s, path).iter("guid")]
            elif path.endswith("feed.json"):
                found += [item["id"] for item in feed_json(s, path)["items"]]
        return found

    s = site('-- site.toml --\nbase_url = "https://old.example/news/"\n')
    s.article("a", topics="[T]", more=related("https://c.example/1")).article("b", webUrl=None)
    before = ids(s)
    assert len(before) > 9
    s.write("site.toml", 'base_url = "https://new.example/"\n[feeds]\nid = "https://old.example/news/"\n')
    assert ids(s) == before
    assert atom(s).find(f"{ATOM}link").attrib["href"] == "https://new.example/atom.xml"  # type: ignore[union-attr]
    s.write("site.toml", 'base_url = "https://new.example/"\n')
    assert not set(ids(s)) & {i for i in before if i.startswith("https://old")}
    s.write("site.toml", 'base_url = "https://new.example/"\n[feeds]\nid = "old"\n')
    with pytest.raises(Exception, match=r"site.toml:3: feeds.id: 'old' is not a valid base URL"):
        s.build()


def test_pictures_and_navigation_are_spelled_once_everywhere(site: Make) -> None:
    s = site(
        f"-- site.toml --\n{BASE}navigation = [{{title = 'P', url = '/p q/?a=b c#d'}}, {{title = 'E', url = '/%C3%BCber/'}}]\n"
    )
    s.write("content/_pages/über.md", "---\ntitle: E\n---\n")
    s.article("a", images='["/img/my photo.jpg"]').article("b", images='["/img/my%20photo.jpg?v=1"]')
    s.good()
    link = "/img/my%20photo.jpg"
    page = s.read("2026/11/08/a/index.html")
    assert f'<meta property="og:image" content="https://wire.example{link}">' in page
    assert f'<img src="{link}"' in page
    assert '<a href="/p%20q/?a=b%20c#d">P</a>' in page
    assert f'<img src="{link}?v=1"' in s.read("2026/11/08/b/index.html")
    assert {row.get("image") for row in feed_json(s)["items"]} == {
        f"https://wire.example{link}",
        f"https://wire.example{link}?v=1",
    }
    assert '<a href="/%C3%BCber/" aria-current="page">' in s.read("über/index.html")
    (problem,) = s.article("c", images='["cover.jpg"]').build().problems
    assert str(problem).endswith("correct the name, or begin it with / for a file in static/")


def test_a_picture_in_a_body_is_spelled_as_everywhere(site: Make) -> None:
    body = '![x](/img/my%20photo.jpg) ![y](</img/my photo.jpg>) <img src="/img/café.jpg?v=1">'
    s = site('-- site.toml --\nbase_url = "https://wire.example/sub/"\n').article("a", webUrl=None, body=body)
    s.good()
    page = s.read("2026/11/08/a/index.html")
    assert page.count('src="/sub/img/my%20photo.jpg"') == 2
    assert 'src="/sub/img/caf%C3%A9.jpg?v=1"' in page


def test_authors_are_named_in_feeds_on_pages_and_in_lists(site: Make) -> None:
    s = site(f'-- site.toml --\nenable_kinds = ["api"]\n{BASE}')
    s.article("post", webUrl=None, author='{name: "Ann </script>", url: "https://ann.example/"}', body="Text.")
    s.article("a", story="x", author="[Bo, Cem]", provider="{name: Post}").article("b", story="x")
    picture = '{url: "https://p.example/x.jpg", title: "The <port>", attribution: "Photo: Dee"}'
    s.article("a", story="x", author="[Bo, Cem]", provider="{name: Post}", quality=9, images=f"[{picture}]")
    s.good()
    entries = {e.findtext(f"{ATOM}title"): e for e in atom(s).iter(f"{ATOM}entry")}
    named = {t: [n.text for n in e.iter(f"{ATOM}name")] for t, e in entries.items()}
    assert named == {"Post": ["Ann </script>"], "A": ["Bo", "Cem", "Post"]}
    assert entries["Post"].findtext(f"{ATOM}author/{ATOM}uri") == "https://ann.example/"
    creators = [e.text for e in rss(s).iter("{http://purl.org/dc/elements/1.1/}creator")]
    assert sorted(map(str, creators)) == ["Ann </script>", "Bo", "Cem", "Post"]
    by_title = {item["title"]: item["authors"] for item in feed_json(s)["items"]}
    assert by_title["Post"] == [{"name": "Ann </script>", "url": "https://ann.example/"}]
    page, story = s.read("2026/11/08/post/index.html"), s.read("2026/11/08/a/index.html")
    assert '<a class="u-url" href="https://ann.example/">Ann &lt;/script&gt;</a>' in page
    assert '"author":[{"@type":"Person","name":"Ann \\u003c/script\\u003e"' in page.replace("<\\/", "\\u003c/")
    assert '>Bo</bdi>, <bdi class="p-author h-card">Cem</bdi>' in story
    assert '<figcaption>The &lt;port&gt; <span class="credit">Photo: Dee</span></figcaption>' in story
    rows = json.loads(s.read("index.json"))["value"]
    lead = next(row for row in rows if row["kind"] == "story")["lead"]
    assert (lead["authors"], lead["caption"], lead["credit"]) == (["Bo", "Cem"], "The <port>", "Photo: Dee")
    s.edit("content/a.md", "[Bo, Cem]", "[Bo]").edit("content/post.md", "https://ann.example/", "/about/")
    s.build()
    tree = s.tree()
    s.build(output=s.root / "clean")
    assert s.tree(s.root / "clean") == tree
    assert b"Cem" not in b"".join(tree.values())
