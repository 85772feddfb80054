"""Which pages a site has, what they contain, and how few of them a new article changes."""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import msgspec
import pytest
from articles import noise, word
from sites import Site

from newsgen import urls
from newsgen.config import KINDS
from newsgen.pages import lists, planner
from newsgen.pages.cards import CANDIDATES, Cards
from newsgen.pages.kinds import ArticlePage, HomePage, ListPage, StoryPage
from newsgen.stories import members_of, rank, trending
from newsgen.urls import FEEDS

Make = Callable[..., Site]
BASE = 'base_url = "https://news.example/sub/"\n'


def many(s: Site, count: int, **more: str) -> Site:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(count):
        when = start + timedelta(hours=n)
        s.article(
            f"n{n:05}",
            publishedDateTime=f"{when:%Y-%m-%dT%H:%M:%SZ}",
            webUrl=f"https://p{n % 7}.example/{n}",
            topics=f"[T{n % 5}, All]",
            category="news",
            **more,
        )
    return s


def test_every_kind_of_page_is_built(site: Make) -> None:
    s = site(
        f"-- site.toml --\n{BASE}[feeds]\nmin_members = 1\n"
        "-- content/_pages/about.md --\n---\ntitle: About\naliases: [/imprint/]\n---\nUs.\n"
    )
    related = 'related:\n  - title: R\n    webUrl: "https://r.example/1"\n'
    s.article("a", topics="[AI]", category="news", more=related, aliases="[/old.html, /older]").article(
        "b", category="news", topics="[AI]"
    )
    s.good()
    tree = s.tree()
    for path in (
        "index.html", "2026/11/08/a/index.html", "2026/11/08/a/atom.xml", "2026/11/08/b/index.html", "topics/index.html", "topics/ai/index.html",
        "providers/r.example/index.html", "categories/news/index.html", "archive/index.html", "archive/2026/index.html",
        "archive/2026/11/index.html", "archive/2026/11/08/index.html", "sources/index.html", "about/index.html", "feed.xml", "atom.xml",
        "feed.json", "topics/ai/atom.xml", "providers/r.example/atom.xml", "categories/news/atom.xml", "sources.opml", "sitemap.xml",
        "sitemaps/lists.xml", "sitemaps/news.xml", "sitemaps/2026-11.xml", "manifest.webmanifest", "robots.txt", "404.html", "_headers", "_redirects", "old.html", "older/index.html",
        "imprint/index.html",
    ):  # fmt: skip
        assert path in tree, path


def test_early_pages_equal_the_pages_of_the_plan(site: Make) -> None:
    s = many(site(f"-- site.toml --\n{BASE}"), 40)
    s.article("one", story="x", webUrl="https://a.example/").article("two", story="x", webUrl="https://b.example/")
    loaded = s.load(whole=True)
    loaded.plan.save()
    early = {page.path: page for page in planner.early_pages(loaded.library, loaded.plan.refs)}
    assert {type(page) for page in early.values()} == {HomePage, ListPage, StoryPage, ArticlePage}
    assert sum(isinstance(page, ArticlePage) for page in early.values()) == 40, (
        "the members of a story have no pages of their own"
    )
    assert "topics/t1/index.html" in early
    for path, page in early.items():
        assert page == loaded.plan.page(path)
    assert [page.path for page in planner.early_pages(loaded.library, {"index.html", "nowhere/index.html"})] == [
        "index.html"
    ]


def test_each_kind_can_be_disabled_and_nothing_links_to_it_then(site: Make) -> None:
    files = {"home": "index.html", "topic": "topics/", "provider": "providers/", "category": "categories/",
             "archive": "archive/", "sources": "sources/", "page": "about/", "search": "search/", "following": "following/", "feed": "feed.xml", "rss": "feed.xml", "atom": "atom.xml", "jsonfeed": "feed.json", "opml": "sources.opml", "sitemap": "sitemap",
             "robots": "robots.txt", "manifest": "manifest.webmanifest", "404": "404.html", "headers": "_headers", "redirects": "_redirects"}  # fmt: skip
    assert set(files) == set(KINDS)
    for kind, start in files.items():
        s = site(
            f'-- site.toml --\n{BASE}disable_kinds = ["{kind}"]\n-- content/_pages/about.md --\n---\ntitle: About\n---\n',
            kind,
        )
        s.article(
            "a", topics="[AI]", category="news", more='related:\n  - title: R\n    webUrl: "https://r.example/1"\n'
        )
        s.good()
        assert not [p for p in s.tree() if p.startswith(start) or (kind in FEEDS and p.endswith(start))], kind
        assert kind != "search" or not re.search("<form|js/(search|focus)", s.read("index.html"))
        check = s.run("check")
        assert check.returncode == 0, check.stderr


def test_a_site_can_consist_of_topic_pages_only(site: Make) -> None:
    off = ", ".join(f'"{k}"' for k in KINDS if k != "topic")
    s = site(f'-- site.toml --\ndisable_kinds = [{off}]\n[pages]\narticles = "own"\n').article("a", topics="[AI]")
    s.good()
    assert {p for p in s.tree() if p.endswith(".html")} == {"topics/index.html", "topics/ai/index.html"}


def test_numbered_pages_count_from_the_oldest_and_contain_every_member_once(site: Make) -> None:
    s = many(site("-- site.toml --\npage_size = 10\n"), 35)
    s.good()
    found: list[str] = []
    for number in range(1, 5):
        found += re.findall(r"https://p\d\.example/(\d+)", s.read(f"topics/all/page/{number}/index.html"))
    numbers = list(dict.fromkeys(map(int, found)))
    assert sorted(numbers) == list(range(35))
    assert "https://p0.example/0" in s.read("topics/all/page/1/index.html")
    assert not (s.output / "topics/all/page/5").exists()
    before = s.tree()
    many(s, 36)
    s.good()
    changed = {p for p, text in s.tree().items() if before.get(p) != text and p.startswith("topics/all/page/")}
    assert changed == {"topics/all/page/4/index.html"}


@pytest.mark.parametrize("count", [60, 240])
def test_a_new_article_changes_few_pages_whatever_the_size_of_the_site(site: Make, count: int) -> None:
    s = many(site(f"-- site.toml --\n{BASE}page_size = 10\n"), count)
    s.good()
    s.article(
        "new",
        publishedDateTime="2026-01-11T12:00:00Z",
        webUrl="https://p1.example/new",
        topics="[T1, All]",
        category="news",
    )
    report = s.good()
    html = [p for p in report.rendered if p.endswith(".html")]
    assert len(html) <= 25, html
    assert len(report.written) <= 60, report.written


def test_a_body_edit_of_an_own_post_renders_its_page_and_the_feeds_that_carry_it(site: Make) -> None:
    s = many(site(f"-- site.toml --\n{BASE}"), 20)
    s.article("own", body="First words.", excerpt="Said.", webUrl=None)
    s.good()
    s.edit("content/own.md", "First words", "Other words")
    assert sorted(s.good().rendered) == ["2026/11/08/own/index.html", "atom.xml", "feed.json", "feed.xml"]


def test_a_template_edit_renders_exactly_the_pages_that_use_it(site: Make) -> None:
    s = many(site(), 5)
    s.write("templates/pages/404.html", '{% extends "newsgen/pages/404.html" %}')
    s.good()
    s.write("templates/pages/404.html", '{% extends "newsgen/pages/404.html" %}\n')
    assert s.good().rendered == ["404.html"]


def test_feeds_contain_the_newest_entries_with_stable_ids(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}feed_size = 3\n")
    many(s, 5)
    s.good()
    atom = {"a": "http://www.w3.org/2005/Atom"}
    root = ElementTree.fromstring(s.read("atom.xml"))
    assert [e.findtext("a:title", namespaces=atom) for e in root.findall("a:entry", atom)] == [
        "N00004",
        "N00003",
        "N00002",
    ]
    ids = [e.findtext("a:id", namespaces=atom) for e in root.findall("a:entry", atom)]
    assert ids[0] == "https://news.example/sub/2026/01/01/n00004/"
    feed = json.loads(s.read("feed.json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [i["id"] for i in feed["items"]] == ids
    rss = ElementTree.fromstring(s.read("feed.xml"))
    assert [i.findtext("guid") for i in rss.iter("item")] == ids
    # The id of an entry does not change when its story grows.
    s.article("late", webUrl="https://p4.example/4?utm_source=x", publishedDateTime="2026-01-02T00:00:00Z")
    s.good()
    grown = json.loads(s.read("feed.json"))["items"][0]
    assert grown["id"] == ids[0]
    assert grown["url"] == "https://news.example/sub/2026/01/01/n00004/"


def test_without_base_url_the_site_works_from_the_root_and_a_note_says_what_is_missing(site: Make) -> None:
    s = site().article("a", topics="[AI]")
    report = s.good()
    assert any("base_url" in note for note in report.notes)
    tree = s.tree()
    assert "feed.xml" not in tree
    assert "sitemap.xml" not in tree
    assert 'rel="canonical"' not in s.read("index.html")
    assert 'href="/topics/"' in s.read("index.html")


def test_every_address_begins_with_the_path_of_base_url(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}").article(
        "a", topics="[AI]", body="[b](/topics/)", webUrl=None, aliases="[/old/]"
    )
    s.good()
    for path, data in s.tree().items():
        if path.endswith(".html"):
            for link in re.findall(r'(?:href|src)="(/[^"]*)"', data.decode()):
                assert link.startswith("/sub/"), (path, link)
    assert '<link rel="canonical" href="https://news.example/sub/topics/ai/">' in s.read("topics/ai/index.html")
    assert "/sub/old/ /sub/2026/11/08/a/ 301" in s.read("_redirects")
    assert "https://news.example/sub/sitemap.xml" in s.read("robots.txt")


def test_a_story_is_reachable_under_the_name_of_every_member(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}")
    s.article("a", story="x", publishedDateTime="2026-11-07T00:00:00Z").article("b", story="x").article("c", story="x")
    s.good()
    stub = s.read("2026/11/08/b/index.html")
    assert 'content="0; url=/sub/2026/11/07/a/#b"' in stub
    assert 'href="https://news.example/sub/2026/11/07/a/"' in stub, "the canonical address has no fragment"
    assert 'content="noindex' in stub
    assert 'id="b"' in s.read("2026/11/07/a/index.html")
    assert "2026" not in s.read("_redirects"), "a host reads few lines, and there are stubs"


def test_a_post_that_began_a_story_is_read_at_the_top_of_its_page(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}")
    s.article("post", webUrl=None, story="x", body="Our *own* words.\n", publishedDateTime="2026-11-07T00:00:00Z")
    s.article("wire", story="x", quality=9).article("column", story="x", body="One.\n\nWith a text.\n")
    s.good()
    story = s.read("2026/11/07/post/index.html")
    places = [story.index(words) for words in ("<h1", "<em>own</em>", 'id="wire"', "Lead report")]
    assert places == sorted(places)
    assert "With a text" not in story
    assert "/sub/2026/11/08/column/" in story, "a member with a body keeps its page"
    column = s.read("2026/11/08/column/index.html")
    assert "With a text" in column
    assert "/sub/2026/11/07/post/" in column, "which names its story"
    titles = [re.findall("<title>(.*)</title>", page) for page in (story, column)]
    assert titles[0] != titles[1]


def test_the_navigation_has_twelve_sections_and_an_index_of_all(site: Make) -> None:
    s = site()
    for n in range(12):
        s.article(f"a{n:02}", category=f"Section {n:02}")
    s.good()
    links = re.findall(r'href="(/categories/[^"]*)"', s.read("index.html").split("</header>")[0])
    assert links == [f"/categories/section-{n:02}/" for n in range(12)]
    assert s.read("categories/section-00/index.html").count('href="/categories/"') == 1, "in the breadcrumbs"
    s.article("a12", category="Section 12").good()
    links = re.findall(r'href="(/categories/[^"]*)"', s.read("index.html").split("</header>")[0])
    assert links == [f"/categories/section-{n:02}/" for n in range(12)] + ["/categories/"]
    assert s.read("categories/index.html").count('href="/categories/section-') == 13 + 2 * 12


def test_sections_are_in_the_order_of_their_last_full_month(site: Make) -> None:
    s = site()

    def sections() -> list[str]:
        return [link.title for link in planner.site(s.load().library).navigation[:3]]

    for n, month in enumerate(("10", "10", "10", "11", "11", "11", "11")):
        s.article(f"a{n}", category="Bees" if n < 3 else "Ants", publishedDateTime=f"2026-{month}-0{n + 1}T10:00:00Z")
    s.article("a7", category="Cows", publishedDateTime="2026-10-31T10:00:00Z")
    assert sections() == ["Bees", "Cows", "Ants"]
    s.article("a8", category="Cows", publishedDateTime="2026-11-20T10:00:00Z")
    assert sections() == ["Bees", "Cows", "Ants"], "November is not over"
    s.article("a9", category="Dogs", publishedDateTime="2026-12-01T10:00:00Z")
    assert [
        link.title for link in planner.site(s.load(now=datetime(2026, 12, 2, tzinfo=UTC)).library).navigation[:3]
    ] == ["Ants", "Cows", "Bees"]


def test_the_front_page_says_its_day_and_ends_with_the_day_before(site: Make) -> None:
    s = site().article("a", publishedDateTime="2026-11-08T12:00:00Z")
    s.good()
    front = s.read("index.html")
    assert "Sunday 8 November 2026" in front
    assert "You are up to date." in front
    assert "The front page of" not in front
    s.article("b", publishedDateTime="2026-11-06T12:00:00Z").good()
    assert '<a href="/archive/2026/11/06/">The front page of 6 November 2026</a>' in s.read("index.html")
    assert "Sunday" not in s.read("archive/2026/11/08/index.html"), "it may change with every new article"


def test_a_cluster_shows_what_came_an_hour_after_its_lead_first(site: Make) -> None:
    s = site()
    for name, time, quality in (
        ("first", "08:00", 1),
        ("lead", "09:00", 9),
        ("good", "09:30", 8),
        ("late", "10:00", 1),
    ):
        s.article(name, publishedDateTime=f"2026-11-08T{time}:00Z", quality=quality, story="x")

    def shown() -> tuple[bool, list[str]]:
        (home,) = (p for p in s.load().plan.pages() if isinstance(p, HomePage))
        assert home.lead
        return home.lead.developing, [card.title for card in home.lead.coverage]

    assert shown() == (False, ["Good", "First"])
    s.edit("content/late.md", "10:00", "10:01")
    assert shown() == (True, ["Late", "Good"])


def test_a_story_leads_only_the_sections_that_it_is_about(site: Make) -> None:
    s = site()
    for n, topics in enumerate(("Health", "Games", "Games", "Games", "News")):
        s.article(f"a{n}", title=f"Report {n}", topics=f"[{topics}]", story="x", quality=n)
    for n in range(9):
        s.article(f"b{n}", title=f"Other {n}", topics="[Health, Games, News]")

    def leading() -> dict[str, bool]:
        pages = (
            p for p in s.load(whole=True).plan.pages() if isinstance(p, ListPage) and p.axis == "topic" and not p.number
        )
        return {page.key: "Report 4" in [c.lead.title for c in page.ranked] for page in pages}

    assert leading() == {"health": False, "games": True, "news": True}, "1 of 5, 3 of 5, the lead"
    s.good()
    s.edit("content/a1.md", "[Games]", "[Games, Health]").good()
    assert leading() == {"health": True, "games": True, "news": True}, "2 of 5"
    assert s.read("topics/health/index.html").index("Report 4") < s.read("topics/health/index.html").index("Report 1")


def test_stories_of_one_event_share_a_place_in_a_list(site: Make) -> None:
    def words(*numbers: int) -> str:
        return " ".join(word(26 * n + 7) for n in numbers)

    s = site()
    both = words(21, 22, 23, 24, 1, 2, 3)  # of the second story, which they fit better, and of the first one
    for n, title in enumerate([words(*range(1, 7))] * 3 + [words(*range(21, 27))] * 2 + [both] * 2):
        about = [words(*range(11, 17)), words(*range(31, 37))][n > 2] if n < 5 else words(31, 32, 33, 34)
        s.article(f"a{n}", title=title, excerpt=f"{about} {word(n)}", quality=9 if n < 3 else 1,
                  publishedDateTime=f"2026-11-08T0{n}:00:00Z")  # fmt: skip
    for made in noise(30):
        time = made.published.strftime("%Y-%m-%dT%H:%M:%SZ")
        s.article(made.slug, title=made.title, excerpt=made.excerpt, publishedDateTime=time)

    def shown() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        pages = list(s.load(whole=True).plan.pages())
        (day,) = (p for p in pages if isinstance(p, ListPage) and p.key == "2026-11-08" and not p.number)
        stories = {p.path: [c.url for c in p.siblings] for p in pages if isinstance(p, StoryPage)}
        return {c.url: [other.url for other in c.siblings] for c in day.ranked if c.url}, stories

    one, other = "/2026/11/08/a0/", "/2026/11/08/a3/"
    listed, stories = shown()
    assert listed in ({one: [other]}, {other: [one]})
    assert stories == {urls.path(one): [other], urls.path(other): [one]}
    s.good()
    assert "More on this" in s.read("2026/11/08/a0/index.html")
    assert "More on this" in s.read("archive/2026/11/08/index.html")
    s.edit("content/a5.md", both, words(21, 22, 23, 24)).edit("content/a6.md", both, words(21, 22, 23, 24)).good()
    listed, stories = shown()
    assert listed == {one: [], other: []}
    assert stories == {urls.path(one): [], urls.path(other): []}
    assert "More on this" not in s.read("2026/11/08/a0/index.html") + s.read("2026/11/08/a3/index.html")


def test_a_section_has_one_feed_if_it_has_enough_members(site: Make) -> None:
    s = many(site(f"-- site.toml --\n{BASE}"), 8)
    s.good()
    assert {p for p in s.tree() if p.startswith("topics/") and not p.endswith(".html")} == {"topics/all/atom.xml"}
    assert "topics/all/atom.xml" in s.read("topics/all/index.html")
    assert "topics/t1/atom.xml" not in s.read("topics/t1/index.html")
    s.write("site.toml", BASE + '[feeds]\nsections = ["rss", "jsonfeed"]\nmin_members = 2\n').good()
    assert {p for p in s.tree() if p.startswith("topics/t1/") and not p.endswith(".html")} == {
        "topics/t1/feed.xml",
        "topics/t1/feed.json",
    }
    assert 'xmlUrl="https://news.example/sub/providers/p0.example/feed.xml"' in s.read("sources.opml")
    assert {"feed.xml", "atom.xml", "feed.json"} <= s.tree().keys()


def test_a_day_page_does_not_show_later_members(site: Make) -> None:
    s = site()
    s.article("a", title="First report", story="x", publishedDateTime="2026-11-07T10:00:00Z", quality=1)
    s.article("b", title="Second report", story="x", publishedDateTime="2026-11-07T11:00:00Z", quality=2)
    s.good()
    day = s.read("archive/2026/11/07/index.html")
    s.article("c", title="Later report", story="x", publishedDateTime="2026-11-08T10:00:00Z", quality=99)
    s.good()
    later = s.read("archive/2026/11/07/index.html")
    assert "Later report" not in later
    assert later.replace("/archive/2026/11/08/", "") != day or "Second report" in later


def test_a_day_page_equals_the_front_page_at_the_end_of_the_day(site: Make) -> None:
    s = site()
    s.article("strong", title="Strong one", quality=500, publishedDateTime="2026-11-07T22:00:00Z")
    for n in range(5):
        s.article(f"weak{n}", title=f"Weak {n}", publishedDateTime=f"2026-11-08T1{n}:00:00Z", quality=1,
                  webUrl=f"https://loud.example/{n}")  # fmt: skip
    s.article("quiet", title="Quiet one", publishedDateTime="2026-11-08T01:00:00Z", quality=0)
    pages_at_end = s.load().plan.pages()
    s.article("later", title="Later one", quality=900, publishedDateTime="2026-11-09T08:00:00Z")
    (front,) = (p for p in pages_at_end if isinstance(p, HomePage))
    (day,) = (p for p in s.load().plan.pages() if isinstance(p, ListPage) and p.key == "2026-11-08")
    assert front.lead is not None
    titles = [c.lead.title for c in day.ranked]
    assert titles == [c.lead.title for c in (front.lead, *front.top)]
    assert titles[0] == "Strong one"
    assert titles.index("Quiet one") < titles.index("Weak 1"), (
        "a provider leads at most three stories while others are left"
    )


def test_the_items_of_a_day_rank_as_they_did_at_its_end(site: Make) -> None:
    """A story may have ranked higher then than without its later members: the first heat takes the place of quality."""
    chance, s = random.Random(3), site()
    for n in range(90):
        when = datetime(2026, 11, 3, tzinfo=UTC) + timedelta(hours=chance.randrange(110))
        heat = {"heat": chance.randrange(9)} if chance.random() < 0.3 else {}
        related = f"[{{title: C, webUrl: 'https://c.example/{n % 9}', publishedDateTime: '{when:%Y-%m-%dT%H:%M:%SZ}'}}]"
        s.article(f"n{n}", publishedDateTime=f"{when:%Y-%m-%dT%H:%M:%SZ}", webUrl=f"https://p{n % 7}.example/{n}",
                  story=f"s{chance.randrange(25)}", quality=chance.randrange(99), related=related, **heat)  # fmt: skip
    library = s.load().library
    cards = Cards(library)
    for day in ("2026-11-04", "2026-11-05", "2026-11-06"):
        section = library.sections["day"][day]
        shown = [key for key in sorted(library.index("day")) if lists.days_from(day, -1)[-1] <= key <= day]
        rows = [(row, key) for key in shown for row in library.section_rows("day", key).ascending()]
        last = {row.item or row.id: key for row, key in rows}
        ranks, grown = {}, 0
        for item, day_of in last.items():
            members = [m for m in members_of(library.item(item)) if library.day(m.published) <= day_of]
            ranks[item] = rank(members, library.config.ranking.half_life, library.config.platforms)
            grown += len(members) < len(members_of(library.item(item)))
        assert len(shown) > 1
        assert grown
        best = sorted(((score, item) for item, score in ranks.items()), reverse=True)
        assert lists.candidates(cards, section) == best[: lists.RANKED * CANDIDATES]


def test_coverage_in_two_stories_takes_neither_from_a_day(site: Make) -> None:
    s = site()
    related = "[{title: C, webUrl: 'https://c.example/1', publishedDateTime: '2026-11-05T08:00:00Z'}]"
    for name, day, story in (("a", "03", "one"), ("b", "03", "one"), ("c", "04", "two"), ("d", "04", "two")):
        s.article(name, publishedDateTime=f"2026-11-{day}T10:00:00Z", story=story, related=related)
    s.article("e", publishedDateTime="2026-11-05T10:00:00Z")
    library = s.load().library
    assert [len(story.members) for story in library.stories] == [3, 3]
    found = lists.candidates(Cards(library), library.sections["day"]["2026-11-05"])
    assert sorted(id for _, id in found) == ["a.md", "c.md", "e.md"]


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Kathmandu"])
def test_the_front_page_counts_the_last_week_to_the_minute(site: Make, timezone: str) -> None:
    chance, s = random.Random(5), site()
    s.write("site.toml", f'timezone = "{timezone}"\n')
    clock = datetime(2026, 11, 8, 13, 20, tzinfo=UTC)
    made = []
    for n in range(150):
        age = timedelta(minutes=chance.randrange(9 * 24 * 60) if n else 0)
        topics, provider = chance.sample("ABCDEFGH", 2), f"p{chance.randrange(15)}.example"
        made.append((age, topics, provider))
        s.article(f"n{n}", publishedDateTime=f"{clock - age:%Y-%m-%dT%H:%M:%SZ}", webUrl=f"https://{provider}/{n}",
                  topics=f"[{', '.join(topics)}]")  # fmt: skip
    week, two = timedelta(days=7), timedelta(days=2)
    now = Counter(topic for age, topics, _ in made for topic in topics if age < two)
    before = Counter(topic for age, topics, _ in made for topic in topics if two <= age < 2 * two)
    active = Counter(provider for age, _, provider in made if age < week)
    (front,) = (p for p in s.load().plan.pages() if isinstance(p, HomePage))
    assert front.trending
    assert [link.title for link in front.trending] == trending(now, before)
    best = sorted(active, key=lambda provider: (-active[provider], provider))
    assert [link.url for link in front.providers] == [f"/providers/{provider}/" for provider in best[:10]]


def test_a_cluster_without_lines_is_the_same_without_them(site: Make) -> None:
    chance, s = random.Random(7), site()
    s.write("site.toml", 'stories.folded = "member"\n')
    for n in range(60):
        when = datetime(2026, 11, 3, tzinfo=UTC) + timedelta(hours=chance.randrange(80))
        follows = n % 9 == 8
        related = f"[{{title: T, webUrl: 'https://p{(n - 1) % 7}.example/{n - 1}'}}, {{title: C, webUrl: 'https://c.example/{n}'}}]"
        s.article(f"n{n}", publishedDateTime=f"{when:%Y-%m-%dT%H:%M:%SZ}", webUrl=f"https://p{n % 7}.example/{n}",
                  quality=chance.randrange(9), related=related, body="Own words.\n" if n % 3 else "",
                  **({"heat": -1, "published": "false"} if follows else {"story": f"s{chance.randrange(12)}"}))  # fmt: skip
    library = s.load().library
    cards = Cards(library)
    records = [library.story_record(story.id) for story in library.stories]
    assert len(records) > 9
    assert any(record and record.followers for record in records)
    for story in library.stories:
        with_lines = cards.cluster(story.id)
        assert cards.cluster(story.id, 0) == msgspec.structs.replace(with_lines, coverage=(), developing=False)


def test_a_month_shows_the_headline_of_each_day(site: Make) -> None:
    s = site()
    for day, names in (("10-31", "a"), ("11-01", "bcd"), ("11-03", "e")):
        for n, name in enumerate(names):
            s.article(name, title=f"Report {name}", quality=n, publishedDateTime=f"2026-{day}T10:00:00Z")
    s.good()

    def shown(path: str) -> list[str]:
        main = s.read(path).split("<main")[1].split("</main>")[0]
        cells = re.findall(r'<li class="(none|busy-\d)">(.*?)</li>', main, re.DOTALL)
        return [f"{kind} {' '.join(re.sub('<[^>]+>', '', words).split())}" for kind, words in cells]

    november = ["busy-1 1 Sun Report d", "none 2", "busy-1 3 Tue Report e"]
    assert shown("archive/2026/11/index.html") == november
    assert shown("archive/index.html") == november, "the newest month"
    assert shown("archive/2026/10/index.html") == [*(f"none {n}" for n in range(1, 31)), "busy-1 31 Sat Report a"]
    assert len(shown("archive/2026/index.html")) == 31 + 3
    assert "from-6" in s.read("archive/2026/11/index.html"), "it began on a Sunday"
    before = s.tree()
    s.edit("content/b.md", "quality: 0", "quality: 9").edit("content/a.md", "Report a", "Report A").good()
    assert shown("archive/2026/11/index.html")[0] == "busy-1 1 Sun Report b"
    assert shown("archive/2026/10/index.html")[-1] == "busy-1 31 Sat Report A"
    assert s.read("archive/2026/index.html").encode() == before["archive/2026/index.html"], "it has no headlines"


def test_a_large_topic_shows_its_trend_and_a_line_for_each_day(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}page_size = 3\n[ranking]\nprovider_cap = 1\n")
    for day, count in ((1, 14), (30, 3), (31, 2)):
        for n in range(count):
            s.article(
                f"d{day}n{n}",
                title=f"Bee {day} {n}",
                topics="[Bees]",
                standalone="true",
                quality=n,
                publishedDateTime=f"2026-10-{day:02}T1{n % 10}:00:00Z",
            )

    def page() -> ListPage:
        (found,) = (
            p for p in s.load(whole=True).plan.pages() if isinstance(p, ListPage) and p.key == "bees" and not p.number
        )
        return found

    bees = page()
    assert bees.trend
    assert bees.trend.counts == (*[0] * 28, 3, 2), "thirty days, without the first one"
    assert (bees.trend.first, bees.trend.last) == ("2 October 2026", "31 October 2026")
    assert [line.day.title for line in bees.days] == [], "the top stories are of these days"
    s.article(
        "d31n9",
        title="Bee 31 9",
        topics="[Bees]",
        standalone="true",
        quality=0,
        publishedDateTime="2026-10-31T09:00:00Z",
    )
    for n in range(12):
        s.article(
            f"top{n}",
            title=f"Top {n}",
            topics="[Bees]",
            standalone="true",
            quality=90,
            publishedDateTime=f"2026-11-01T{n:02}:00:00Z",
        )
    s.good()
    bees = page()
    assert {c.lead.title[:3] for c in bees.ranked} == {"Top"}
    assert [(line.day.title, line.cluster.title) for line in bees.days] == [
        ("31 October 2026", "Bee 31 0"), ("30 October 2026", "Bee 30 2")
    ]  # fmt: skip
    text = s.read("topics/bees/index.html")
    assert re.findall(r'<rect x="(\d+)"', text) == [str(8 * day) for day in (27, 28, 29)]
    assert "All reports" in text
    s.edit("content/d30n2.md", "Bee 30 2", "Bee 30 two").edit("content/d31n9.md", "quality: 0", "quality: 5").good()
    text = s.read("topics/bees/index.html")
    assert "Bee 30 two" in text
    assert [line.cluster.title for line in page().days] == ["Bee 31 9", "Bee 30 two"]


def test_sources_are_described_in_sentences_the_strongest_first(site: Make) -> None:
    s = site()
    for n in range(40):
        s.article(f"a{n}", title=f"Report {n}", webUrl=f"https://p{n:02}.example/{n}", story=f"s{n % 2}" if n < 4 else "",
                  publishedDateTime=f"2026-11-08T1{n % 10}:00:00Z")  # fmt: skip
    s.article("b", webUrl="https://p00.example/b", story="s1", publishedDateTime="2026-11-08T18:00:00Z")
    s.article("c", webUrl="https://9.example/c", publishedDateTime="2026-11-08T09:00:00Z")
    s.write(
        "content/_providers/p00.example.md",
        "---\nname: Ärzteblatt\nkind: Weekly\nowner: A & B\nimages: [{url: /a.png}]\n---\n",
    )
    for domain in ("p38.example", "p39.example"):
        s.write(f"content/_providers/{domain}.md", "---\nname: Twin\n---\n")
    s.good()
    text = s.read("sources/index.html")
    words = " ".join(re.sub("<[^>]+>", " ", text.split("<main")[1]).split())
    assert "T Twin p38.example Twin p39.example How" in words
    assert "# A P T The strongest Ärzteblatt p00.example Weekly ; owned by A &amp; B" in words
    assert "Reported 1 of its 2 shared stories first; usually 7 h after the first report." in words
    assert "p01.example p01.example Reported its only shared story first. p02.example" in words
    assert 'href="/sources/#from_p"' in text
    assert text.count('class="tags shelf"') == 4
    provider = s.read("providers/p00.example/index.html")
    assert "Weekly" in provider
    assert "/a.png" in provider
    before = text
    s.article("d", webUrl="https://p01.example/d", publishedDateTime="2026-11-08T19:00:00Z").good()
    assert s.read("sources/index.html") == before, "an article by itself changes nothing"


def test_a_pinned_article_leads_the_front_page_until_its_time(site: Make) -> None:
    s = (
        site()
        .article("plain", quality=200, title="Strong one")
        .article("pinned", title="Pinned one", pin="2026-11-08T10:00:00Z")
    )
    s.good()
    first = s.read("index.html")
    assert first.index("Pinned one") < first.index("Strong one")
    s.article("newer", publishedDateTime="2026-11-08T10:00:01Z", title="Newer one")
    s.good()
    later = s.read("index.html")
    assert later.index("Strong one") < later.index("Pinned one")


def test_an_empty_site_is_valid_and_a_note_says_how_to_see_more(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}").article("a", published="false", heat=-1)
    report = s.good()
    assert report.notes[:2] == [
        "1 article is held (published: false), 1 folded into another story (heat below 0); show it with --unpublished",
        "nothing is published yet; to see all articles, build or serve with --unpublished",
    ]
    assert "Nothing published yet" in s.read("index.html")
    for path in ("feed.xml", "atom.xml", "sitemap.xml", "sources.opml"):
        ElementTree.fromstring(s.read(path))


def test_every_xml_and_json_file_parses_whatever_the_content(site: Make) -> None:
    s = site(f"-- site.toml --\ntitle = 'A & <B> ]]>'\n{BASE}")
    s.article(
        "a",
        title='<![CDATA[ ]]> & \\"quotes\\" </title>',
        topics="[']]>', '&lt;x&gt;']",
        category="<news>",
        provider='{name: "]]> & <Co>"}',
    )
    s.good()
    for path, text in s.tree().items():
        if path.endswith((".xml", ".opml")):
            ElementTree.fromstring(text.decode())
        if path.endswith(".json"):
            json.loads(text)
        for block in re.findall(rb'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL):
            json.loads(block)


def test_sitemaps_contain_every_indexable_page_once(site: Make) -> None:
    s = (
        site(f"-- site.toml --\n{BASE}")
        .article("a", story="x")
        .article("b", story="x")
        .article("alone", publishedDateTime="2025-01-01T00:00:00Z")
    )
    s.good()
    names = re.findall(
        r"<loc>https://news\.example/sub/(.*?)</loc>",
        "".join(s.read(p) for p in s.tree() if p.startswith("sitemaps/") and p != "sitemaps/news.xml"),
    )
    assert len(names) == len(set(names))
    assert "2026/11/08/a/" in names
    assert "2025/01/01/alone/" in names
    assert "2026/11/08/b/" not in names, "a member of a story is not indexed on its own"
    assert len(re.findall("<sitemap>", s.read("sitemap.xml"))) == 4


def test_no_two_pages_have_one_title(site: Make) -> None:
    s = site(f"-- site.toml --\n{BASE}page_size = 3\n").article("own", webUrl=None, title="Briefing")
    for n in range(8):
        same = {"title": "Briefing", "topics": "[Rail]", "category": "Rail", "story": f"s{n // 6}" if n > 3 else ""}
        s.article(
            f"b{n}",
            publishedDateTime=f"2026-11-0{n // 2 + 1}T1{n}:00:00Z",
            webUrl=f"https://p{n % 3}.example/{n}",
            **same,
        )
    s.article("again", publishedDateTime="2026-11-01T10:00:00Z", webUrl="https://p0.example/again", title="Briefing")
    s.good()
    titles = [
        match[1]
        for path, data in s.tree().items()
        if path.endswith(".html") and b'http-equiv="refresh"' not in data
        for match in [re.search("<title>(.*?)</title>", data.decode())]
        if match
    ]
    assert len(titles) > 20
    assert [title for title in titles if titles.count(title) > 1] == []
