"""What a story's page, its feed and `explain` say, through real files."""

import json
import re
from collections.abc import Callable

import pytest
from sites import Site, related

from newsgen.pages.kinds import AtomFeed, ListPage, SourcesPage, StoryPage
from newsgen.stories import ranking

Make = Callable[..., Site]
TOLL = "No bridge, tram, train or harbour will cost more this winter, a spokesman told reporters in the chamber on Friday, while pensioners waved receipts from last spring."
STORM = "The harbour wall gave way at four in the morning, and nobody in Ostrane slept after that."


def storm(site: Make) -> Site:
    """A story of five: a wire text in three papers, two of one owner, and a report of its own."""
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


def test_one_text_in_several_papers_is_shown_once_with_their_names(site: Make) -> None:
    s = storm(site)
    told = {t.card.title: [c.provider.title for c in t.copies] for g in page(s).groups for t in g.entries}
    assert told == {
        "Wall gives way": ["post.example", "north.post.example"],
        "A night on the quay": [],
        "A morning on the quay": [],
    }
    s.good()
    words = re.sub(r"<[^>]+>", "", s.read("story/2026/11/08/a/index.html"))
    assert "3 outlets ran this text: post.example, north.post.example" in words


def test_texts_too_short_to_be_sure_of_are_no_copies(site: Make) -> None:
    s = site()
    s.article("a", title="Wall falls", excerpt="More soon.", story="x")
    s.article("b", title="Harbour closed", excerpt="More soon.", story="x")
    assert [len(g.entries) for g in page(s).groups] == [1, 1]


def test_sub_domains_of_one_owner_are_one_source(site: Make) -> None:
    assert page(storm(site)).sources == 3
    assert (
        ranking.registrable_domain("north.post.example") == ranking.registrable_domain("post.example") == "post.example"
    )
    assert ranking.registrable_domain("a.co.uk") != ranking.registrable_domain("b.co.uk")
    assert ranking.registrable_domain("anna.github.io") != ranking.registrable_domain("ben.github.io")
    assert [ranking.registrable_domain(d) for d in ("", "localhost", "co.uk", "xn--.", "a..b")] == ["", "localhost", "co.uk", "xn--.", "a..b"]  # fmt: skip


def test_the_timeline_has_each_report_s_lag_and_a_dot_of_its_own(site: Make) -> None:
    found = page(storm(site))
    assert [(r.card.title, r.lag) for r in found.timeline] == [
        ("Wall gives way", 0), ("Harbour wall falls", 25), ("Wall falls", 125), ("A night on the quay", 1500), ("A morning on the quay", 1740),
    ]  # fmt: skip
    dots = [(r.x, r.y) for r in found.timeline]
    assert len(set(dots)) == len(dots)
    assert all(0 < x < found.axis[0] for x, _ in dots)
    assert dots[0][0] < dots[-1][0]


def test_pieces_of_one_moment_have_a_timeline_too(site: Make) -> None:
    s = site()
    s.article("a", story="x").article("b", story="x")
    assert [(r.lag, r.y) for r in page(s).timeline] == [(0, 0), (0, 1)]
    s.good()
    assert "<svg" not in s.read("story/2026/11/08/a/index.html")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [({"quality": 5}, {}, "quality"), ({"quality": 5, "heat": 3}, {"quality": 5}, "heat"), ({}, {}, "newest")],
)
def test_a_page_says_what_made_the_lead_the_lead(
    site: Make, one: dict[str, int], other: dict[str, int], why: str
) -> None:
    s = site()
    s.article("a", story="x", publishedDateTime="2026-11-08T12:00:00Z", **one)
    s.article("b", story="x", **other)
    assert (page(s).lead_reason, page(s).lead.title) == (why, "A")
    s.write("content/_stories/x.md", "---\ntitle: X\nlead: b\n---\n")
    assert (page(s).lead_reason, page(s).lead.title) == ("editor", "B")


def test_what_one_side_alone_names_is_beside_the_story_and_says_so(site: Make) -> None:
    s = storm(site)
    s.article("f", title="Flood elsewhere", webUrl="https://f.example/1", more=related("https://wire.example/1"))
    found = page(s)
    assert [c.title for c in found.beside] == ["Flood elsewhere"]
    assert [(m.card.title, m.other.title, m.reason) for m in found.near_misses] == [
        ("Flood elsewhere", "Wall gives way", "one side")
    ]
    s.good()
    words = " ".join(re.sub(r"<[^>]+>", "", s.read("story/2026/11/08/a/index.html")).split())
    assert "Flood elsewhere f.example and Wall gives way wire.example: only one of them names the other" in words


def test_what_came_near_by_words_says_how_near(site: Make) -> None:
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
    # Alone under its name, so there is no second story to belong to; the name keeps it apart all the same.
    assert apart.reason == "editor"


def test_a_story_s_feed_has_its_reports_newest_first(site: Make) -> None:
    s = storm(site)
    s.article("a2", webUrl="https://z.example/1", more=related("https://q.example/9"))
    feeds = {p.path: p for p in s.load().plan.pages() if isinstance(p, AtomFeed)}
    feed = feeds["story/2026/11/08/a/atom.xml"]
    assert feed.entries[0].title == "A morning on the quay"
    assert feed.entries[-1].address == "/2026/11/08/a/"
    assert feeds["story/2026/11/08/a2/atom.xml"].entries[0].address == "https://q.example/9"
    s.good()
    assert 'href="https://site.example/story/2026/11/08/a/atom.xml"' in s.read("story/2026/11/08/a/atom.xml")
    assert "/story/2026/11/08/a/atom.xml" in s.read("story/2026/11/08/a/index.html")


def test_providers_have_their_figures(site: Make) -> None:
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
    assert "median lag 1 d 1 h" in s.read("providers/ledger.example/index.html")


def test_an_article_alone_answers_as_a_story_too(site: Make) -> None:
    s = site().article("a").article("b", title="Something else", story="x").article("c", title="More", story="x")
    s.good()
    assert 'url=/2026/11/08/a/"' in s.read("story/2026/11/08/a/index.html")
    lines = s.read("_redirects").splitlines()
    assert lines == ["/story/2026/11/08/c/ /story/2026/11/08/b/ 301"]
    s.write("site.toml", "[redirects]\npages = false\n").good()
    assert "/story/2026/11/08/a/ /2026/11/08/a/ 301" in s.read("_redirects").splitlines()


def test_explain_says_why_a_story_is_one(site: Make) -> None:
    s = storm(site)
    s.article("f", title="Flood elsewhere", webUrl="https://f.example/1", more=related("https://wire.example/1"))
    said = s.run("explain", "/story/2026/11/08/a/")
    assert said.returncode == 0, said.stderr
    assert "5 members, 3 independent sources" in said.stdout
    assert "lead: d.md, since its quality is the highest" in said.stdout
    assert "was put by an editor with a.md" in said.stdout
    assert "f.md only one of it and a.md names the other" in said.stdout
    found = json.loads(s.run("explain", "storm", "--json").stdout)
    assert [m["file"] for m in found["members"]] == ["a.md", "b.md", "c.md", "d.md", "e.md"]
    assert found["members"][1]["evidence"] == [{"id": "b.md", "other": "a.md", "kind": "editor", "score": 0.0}]
    assert found["nearest"][0]["reason"] == "one side"


@pytest.mark.parametrize("name", ["b.md", "b", "/2026/11/08/b/", "https://www.post.example/1?utm_source=x"])
def test_explain_knows_an_article_by_any_of_its_names(site: Make, name: str) -> None:
    s = storm(site)
    found = json.loads(s.run("explain", name, "--json").stdout)
    assert found["article"]["id"] == "b.md"
    assert found["story"]["address"] == "/story/2026/11/08/a/"


def test_explain_says_what_came_nearest_to_an_article_alone(site: Make) -> None:
    s = site()
    s.article("a", title="Swing bridge stuck open on its first day", excerpt=STORM)
    s.article("b", title="Toll for ferries at a crown, says council", excerpt=TOLL)
    for n in range(30):
        s.article(f"n{n}", title=f"Number{n} and its number{n + 100}")
    said = s.run("explain", "a").stdout
    assert "in no story" in said
    assert re.search(r"nearest:\n    b\.md is \d+% alike to a\.md, and has \d+% of what is enough", said)


@pytest.mark.parametrize("name", ["nope", "", "../../etc/passwd", "http://[::1"])
def test_explain_of_nothing_is_an_error_with_a_hint(site: Make, name: str) -> None:
    said = storm(site).run("explain", name)
    assert said.returncode == 2
    assert "is no story and no article that is published" in said.stderr


def test_list_stories_gives_addresses_leads_and_members(site: Make) -> None:
    (row,) = json.loads(storm(site).run("list", "stories", "--json").stdout)
    assert (row["id"], row["address"], row["lead"]) == ("a.md", "/story/2026/11/08/a/", "d.md")
    assert [m["file"] for m in row["members"]] == ["a.md", "b.md", "c.md", "d.md", "e.md"]
    assert all(m["url"] for m in row["members"])
