"""Story pages, their feeds and `newsgen explain`."""

import json
import re
from collections.abc import Callable

import pytest
from articles import noise
from sites import Site, related

from newsgen import platforms
from newsgen.pages.kinds import AtomFeed, ListPage, SourcesPage, StoryPage

Make = Callable[..., Site]
TOLL = "No bridge, tram, train or harbour will cost more this winter, a spokesman told reporters in the chamber on Friday, while pensioners waved receipts from last spring."
STORM = "The harbour wall gave way at four in the morning, and nobody in Ostrane slept after that."


def storm(site: Make) -> Site:
    """A story of five: an agency text in three papers, two of them of one owner, and two reports by a fourth paper."""
    s = site('-- site.toml --\nbase_url = "https://site.example"\n')
    s.article("a", title="Wall gives way", webUrl="https://wire.example/1", excerpt=STORM, story="storm",
              publishedDateTime="2026-11-08T04:00:00Z")  # fmt: skip
    s.article("b", title="Harbour wall falls", webUrl="https://post.example/1", excerpt=STORM, story="storm",
              publishedDateTime="2026-11-08T04:25:00Z")  # fmt: skip
    s.article("c", title="Wall falls", webUrl="https://north.post.example/1", excerpt=STORM.upper(), story="storm",
              publishedDateTime="2026-11-08T06:05:00Z")  # fmt: skip
    s.article("d", title="A night on the quay", webUrl="https://ledger.example/1", story="storm", quality=9,
              publishedDateTime="2026-11-09T05:00:00Z", excerpt="What the harbour master saw.")  # fmt: skip
    s.article("e", title="A morning on the quay", webUrl="https://ledger.example/2", story="storm",
              publishedDateTime="2026-11-09T09:00:00Z", excerpt="What the baker saw.")  # fmt: skip
    return s


def page(s: Site) -> StoryPage:
    (found,) = (p for p in s.load().plan.pages() if isinstance(p, StoryPage))
    return found


def test_copies_of_a_text_are_shown_once_with_the_names_of_their_providers(site: Make) -> None:
    s = storm(site)
    copies = [(e.card.title, [c.card.provider.title for c in e.copies]) for e in page(s).reports]
    assert copies == [
        ("A morning on the quay", []),
        ("A night on the quay", []),
        ("Wall gives way", ["post.example", "north.post.example"]),
    ]
    s.good()
    words = " ".join(re.sub(r"<[^>]+>", "", s.read("2026/11/08/a/index.html")).split())
    assert "2 other outlets ran this text post.example 8 Nov 2026, 04:25 north.post.example 8 Nov 2026, 06:05" in words


def test_an_excerpt_that_its_headline_repeats_is_not_shown(site: Make) -> None:
    s = site("")
    s.article("a", title="Wall gives way - The Wire", excerpt="Wall gives way", story="storm")
    s.article("b", title="Harbour wall falls", excerpt="Harbour wall falls, and the quay with it", story="storm")
    s.article("c", title="Quay falls", excerpt="QUAY FALLS")
    s.good()
    story, news = s.read("2026/11/08/a/index.html"), s.read("index.html")
    assert story.count('class="summary') == story.count("and the quay with it</p>") == 1
    assert "QUAY FALLS" not in news
    assert news.count('class="summary') == news.count("and the quay with it</p>")


def test_a_story_page_shows_each_headline_once_and_what_came_after_the_lead_first(site: Make) -> None:
    s = storm(site)
    assert page(s).developing
    s.good()
    main = re.sub(r"<details.*?</details>|<script.*?</script>", "", s.read("2026/11/08/a/index.html"), flags=re.DOTALL)
    main = main[main.index("<main") :]
    titles = ("A night on the quay</h1>", "Where it stands", "A morning on the quay", "Lead report", "Wall gives way")
    assert sorted(titles, key=main.index) == list(titles)
    assert [main.count(title) for title in titles] == [1] * 5
    s.edit("content/e.md", "2026-11-09T09:00:00Z", "2026-11-09T05:59:00Z")
    assert not page(s).developing
    s.good()
    assert "Where it stands" not in s.read("2026/11/08/a/index.html")


def test_members_at_the_margin_come_last_and_are_never_the_first_report(site: Make) -> None:
    s = site()
    excerpt = "The harbour wall at Ostrane gave way in the storm at four in the morning, the harbour master said."
    titles = (
        "Harbour wall in Ostrane gives way in the night storm",
        "Storm breaks the harbour wall at Ostrane overnight",
        "Ostrane harbour wall collapses in overnight storm",
        "Harbour wall falls at Ostrane as storm hits the night",
        "Night storm brings down Ostrane harbour wall",
        "Ostrane wall gives way: storm floods the harbour at night",
    )
    for n, title in enumerate(titles):
        s.article(f"a{n}", title=title, excerpt=f"{excerpt} {n}", publishedDateTime=f"2026-11-08T1{n}:00:00Z")
    s.article("larder", title="Storm warning: what pensioners in Ostrane should keep in the larder this weekend",
              excerpt="Bread, candles and tins of turnips: a storm kitchen for the weekend, with a word from the harbour.",
              publishedDateTime="2026-11-08T07:00:00Z")  # fmt: skip
    for made in noise(30):
        s.article(
            made.slug, title=made.title, excerpt=made.excerpt, publishedDateTime=made.published.isoformat()[:19] + "Z"
        )
    pages = list(s.load().plan.pages())
    (found,) = (p for p in pages if isinstance(p, StoryPage))
    assert [e.card.title[:13] for e in found.marginal] == ["Storm warning"]
    assert len(found.reports) == 6
    assert found.first_report
    assert found.first_report.title == titles[0]
    stats = {
        source.domain: source.stats and source.stats.first
        for p in pages
        if isinstance(p, SourcesPage)
        for source in p.sources
    }
    assert (stats["a0.example"], stats["larder.example"]) == (1, None)
    s.good()
    text = s.read("2026/11/08/larder/index.html")
    assert text.index("1 more report, perhaps about something else") > text.index(titles[1])
    assert "first by <bdi>a0.example" in text
    assert "at the margin" in s.run("explain", "/2026/11/08/larder/").stdout


def test_a_story_page_says_what_differs(site: Make) -> None:
    s = site(
        '-- site.toml --\nbase_url = "https://site.example"\nshare = [{title = "Post", url = "https://post.example/?t={title}&u={url}"}]\n'
    )
    for n, (title, excerpt) in enumerate(
        (
            (
                "Harbour wall gives way",
                "The wall fell in 2026. The mayor, Ada Lindqvist, spoke of 1,200 families and 38 million crowns.",
            ),
            ("Wall falls - P1.example", "Some 1200 families lost 40 million crowns, said the mayor, of route 7."),
            ("A wall in Ostrane falls", "Some 1200 families; 38 million crowns. COVID-19 is no excuse, said Wiz."),
        )
    ):
        s.article(f"a{n}", title=title, excerpt=excerpt, story="x", publishedDateTime=f"2026-11-08T1{n}:00:00Z")
    found = page(s)
    assert [(d.words, len(d.cards)) for d in found.numbers] == [("38 million", 2), ("40 million", 1), ("7", 1)]
    assert [d.words for d in found.names] == ["Ostrane, Wiz", "Ada Lindqvist"]
    s.good()
    text = s.read("2026/11/08/a0/index.html")
    assert "What differs" in text
    assert (
        'href="mailto:?subject=A%20wall%20in%20Ostrane%20falls&amp;body=https%3A%2F%2Fsite.example%2F2026%2F11%2F08%2Fa0%2F"'
        in text
    )
    assert 'href="https://post.example/?t=A%20wall%20in%20Ostrane%20falls&amp;u=https%3A%2F%2Fsite.example' in text


def test_short_texts_are_not_treated_as_copies(site: Make) -> None:
    s = site()
    s.article("a", title="Wall falls", excerpt="More soon.", story="x")
    s.article("b", title="Harbour closed", excerpt="More soon.", story="x")
    assert [e.copies for e in page(s).reports] == [(), ()]


def test_sub_domains_of_one_owner_are_one_source(site: Make) -> None:
    assert page(storm(site)).sources == 3
    owner = platforms.of().owner
    assert owner("north.post.example") == owner("post.example") == "post.example"
    assert owner("a.co.uk") != owner("b.co.uk")
    assert owner("anna.github.io") != owner("ben.github.io")
    assert [owner(d) for d in ("", "localhost", "co.uk", "xn--.", "a..b")] == [
        "",
        "localhost",
        "co.uk",
        "xn--.",
        "a..b",
    ]


def test_the_timeline_shows_the_lag_of_each_member_and_dots_do_not_overlap(site: Make) -> None:
    found = page(storm(site))
    assert [(r.card.title, r.lag) for r in found.timeline] == [
        ("Wall gives way", 0), ("Harbour wall falls", 25), ("Wall falls", 125), ("A night on the quay", 1500), ("A morning on the quay", 1740),
    ]  # fmt: skip
    dots = [(r.x, r.y) for r in found.timeline]
    assert len(set(dots)) == len(dots)
    assert all(0 < x < found.axis[0] for x, _ in dots)
    assert dots[0][0] < dots[-1][0]


def test_a_story_whose_members_have_one_time_has_a_timeline(site: Make) -> None:
    s = site()
    s.article("a", story="x").article("b", story="x")
    assert [(r.lag, r.y) for r in page(s).timeline] == [(0, 0), (0, 1)]
    s.good()
    assert 'class="timeline"' not in s.read("2026/11/08/a/index.html")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [({"quality": 5}, {}, "quality"), ({"quality": 5, "heat": 3}, {"quality": 5}, "heat"), ({}, {}, "newest")],
)
def test_a_story_page_says_what_decided_the_lead(
    site: Make, one: dict[str, int], other: dict[str, int], why: str
) -> None:
    s = site()
    s.article("a", story="x", publishedDateTime="2026-11-08T12:00:00Z", **one)
    s.article("b", story="x", **other)
    assert (page(s).lead_reason, page(s).lead.title) == (why, "A")
    s.write("content/_stories/x.md", "---\ntitle: X\nlead: b\n---\n")
    assert (page(s).lead_reason, page(s).lead.title) == ("editor", "B")


def test_a_story_page_says_that_its_lead_is_the_most_typical(site: Make) -> None:
    s = site()
    titles = ("Ferry Aurelia aground at Kestrel Point", "Ferry Aurelia aground", "Storm at Kestrel Point")
    for hour, title in enumerate(titles):
        s.article(f"a{hour}", title=title, story="x", publishedDateTime=f"2026-11-08T1{hour}:00:00Z")
    assert (page(s).lead_reason, page(s).lead.title) == ("typical", titles[0])
    s.good()
    assert "its words are the most typical of the story" in s.read("2026/11/08/a0/index.html")


def test_a_one_way_entry_is_shown_as_related_and_as_a_near_miss(site: Make) -> None:
    s = storm(site)
    s.article("f", title="Flood elsewhere", webUrl="https://f.example/1", more=related("https://wire.example/1"))
    found = page(s)
    assert [c.title for c in found.related] == ["Flood elsewhere"]
    assert [(m.card.title, m.other.title, m.reason) for m in found.near_misses] == [
        ("Flood elsewhere", "Wall gives way", "one side")
    ]
    s.good()
    words = " ".join(re.sub(r"<[^>]+>", "", s.read("2026/11/08/a/index.html")).split())
    assert "Flood elsewhere f.example and Wall gives way wire.example: only one of them lists the other" in words


def test_near_misses_by_similarity_show_their_fit(site: Make) -> None:
    s = site()
    s.article("a", title="Swing bridge stuck open on its first day", excerpt=STORM, story="x")
    s.article("b", title="Swing bridge stuck open: the timetable", story="x")
    s.article("c", title="Toll for ferries at a crown, says council", excerpt=TOLL)
    s.article("d", title="Swing bridge stuck open again", story="y")
    for n in range(30):
        s.article(f"n{n}", title=f"Number{n} and its number{n + 100}")
    miss = next(m for m in page(s).near_misses if m.card.title.startswith("Toll"))
    assert miss.reason == "unlike"
    assert 0 < miss.fit < 100
    (apart,) = (m for m in page(s).near_misses if m.card.title.endswith("again"))
    # Its `story` keeps it apart, although no other file has that name.
    assert apart.reason == "editor"


def test_the_feed_of_a_story_lists_its_members_newest_first(site: Make) -> None:
    s = storm(site)
    s.article("a2", webUrl="https://z.example/1", more=related("https://q.example/9"))
    feeds = {p.path: p for p in s.load().plan.pages() if isinstance(p, AtomFeed)}
    feed = feeds["2026/11/08/a/atom.xml"]
    assert feed.entries[0].title == "A morning on the quay"
    assert feed.entries[-1].id == "https://site.example/2026/11/08/a/"
    assert feeds["2026/11/08/a2/atom.xml"].entries[0].id == "https://q.example/9"
    s.good()
    assert 'href="https://site.example/2026/11/08/a/atom.xml"' in s.read("2026/11/08/a/atom.xml")
    assert "/2026/11/08/a/atom.xml" in s.read("2026/11/08/a/index.html")


def test_provider_statistics(site: Make) -> None:
    s = storm(site)
    s.article("g", webUrl="https://ledger.example/3", story="y", publishedDateTime="2026-11-10T08:00:00Z")
    s.article("h", webUrl="https://wire.example/3", story="y", publishedDateTime="2026-11-10T09:00:00Z", quality=1)
    pages = list(s.load().plan.pages())
    (table,) = (p for p in pages if isinstance(p, SourcesPage))
    assert {r.domain: (r.stats.stories, r.stats.led, r.stats.first, r.stats.lag) for r in table.sources} == {
        "wire.example": (2, 1, 1, 60), "ledger.example": (2, 1, 1, 1500), "post.example": (1, 0, 0, 25),
        "north.post.example": (1, 0, 0, 125),
    }  # fmt: skip
    (ledger,) = (p for p in pages if isinstance(p, ListPage) and p.key == "ledger.example")
    assert ledger.stats == next(r.stats for r in table.sources if r.domain == "ledger.example")
    s.good()
    assert "; usually 1\u00a0d\u00a01\u00a0h after the first report" in s.read("providers/ledger.example/index.html")


def test_addresses_of_members_have_lines_only_without_stubs(site: Make) -> None:
    s = site().article("a").article("b", title="Something else", story="x").article("c", title="More", story="x")
    s.good()
    assert s.read("_redirects") == ""
    s.write("site.toml", "[redirects]\npages = false\n").good()
    assert s.read("_redirects").splitlines() == ["/2026/11/08/c/ /2026/11/08/b/#c 301"]
    assert "2026/11/08/c/index.html" not in s.tree()


def test_explain_lists_the_evidence_for_a_story(site: Make) -> None:
    s = storm(site)
    s.article("f", title="Flood elsewhere", webUrl="https://f.example/1", more=related("https://wire.example/1"))
    result = s.run("explain", "/2026/11/08/a/")
    assert result.returncode == 0, result.stderr
    assert "5 members, 3 independent sources" in result.stdout
    assert "lead: d.md (highest quality)" in result.stdout
    assert "names the same `story` as a.md" in result.stdout
    assert "f.md and a.md: only one lists the other in `related`" in result.stdout
    explanation = json.loads(s.run("explain", "storm", "--json").stdout)
    assert [m["file"] for m in explanation["members"]] == ["a.md", "b.md", "c.md", "d.md", "e.md"]
    assert explanation["members"][1]["evidence"] == [{"id": "b.md", "other": "a.md", "kind": "editor", "score": 0.0}]
    assert explanation["nearest"][0]["reason"] == "one side"


@pytest.mark.parametrize("name", ["b.md", "b", "/2026/11/08/b/", "https://www.post.example/1?utm_source=x"])
def test_explain_accepts_any_name_of_an_article(site: Make, name: str) -> None:
    s = storm(site)
    explanation = json.loads(s.run("explain", name, "--json").stdout)
    assert explanation["article"]["id"] == "b.md"
    assert explanation["story"]["address"] == "/2026/11/08/a/"


def test_explain_lists_the_nearest_articles_of_a_single_article(site: Make) -> None:
    s = site()
    s.article("a", title="Swing bridge stuck open on its first day", excerpt=STORM)
    s.article("b", title="Toll for ferries at a crown, says council", excerpt=TOLL)
    for n in range(30):
        s.article(f"n{n}", title=f"Number{n} and its number{n + 100}")
    output = s.run("explain", "a").stdout
    assert "not in a story" in output
    assert re.search(
        r"nearest articles:\n    b\.md is \d+% similar to a\.md, with \d+% of the score needed to join", output
    )


@pytest.mark.parametrize("name", ["nope", "", "../../etc/passwd", "http://[::1"])
def test_explain_of_an_unknown_target_is_an_error_with_a_hint(site: Make, name: str) -> None:
    result = storm(site).run("explain", name)
    assert result.returncode == 2
    assert "no published story or article matches" in result.stderr


def test_list_stories_prints_addresses_leads_and_members(site: Make) -> None:
    (row,) = json.loads(storm(site).run("list", "stories", "--json").stdout)["rows"]
    assert (row["id"], row["address"], row["lead"]) == ("a.md", "/2026/11/08/a/", "d.md")
    assert [m["file"] for m in row["members"]] == ["a.md", "b.md", "c.md", "d.md", "e.md"]
    assert all(m["url"] for m in row["members"])
