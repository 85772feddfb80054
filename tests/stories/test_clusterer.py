"""What joins articles and what does not, with content files as an editor would write them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sites import Site, related

from newsgen.model import Article
from newsgen.stories import clusterer as stories

Make = Callable[..., Site]


def groups(site: Site, **options: Any) -> list[set[str]]:
    """The members of each story, by id."""
    return [{m.id for m in s.members} for s in site.load(**options).library.stories]


def test_two_files_at_one_address_are_one_story(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/x/?utm_source=feed")
    s.article("b", webUrl="https://www.a.example/x/amp/")
    assert groups(s) == [{"a.md", "b.md"}]


def test_a_publisher_s_front_page_address_joins_nothing(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/")
    s.article("b", webUrl="https://www.a.example")
    assert groups(s) == []


def test_files_that_list_each_other_are_one_story(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://b.example/1"))
    s.article("b", webUrl="https://b.example/1", more=related("https://a.example/1"))
    assert groups(s) == [{"a.md", "b.md"}]
    evidence = s.load().library.stories[0].evidence
    assert [(e.member, e.other, e.kind) for e in evidence] == [("b.md", "a.md", "mutual")]


def test_a_one_way_entry_never_joins_two_files(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://b.example/1", "https://c.example/1"))
    s.article("b", webUrl="https://b.example/1")
    s.article("c", webUrl="https://c.example/1")
    assert groups(s) == []


def test_coverage_belongs_to_the_story_of_the_file_that_lists_it(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://b.example/1", "https://c.example/1"))
    assert groups(s) == [{"a.md", "~//b.example/1", "~//c.example/1"}]
    library = s.load().library
    assert {m.provider for m in library.members} == {"a.example", "b.example", "c.example"}
    assert library.stories[0].providers == ("a.example", "b.example", "c.example")


def test_coverage_that_two_files_list_does_not_join_them(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://x.example/1"))
    s.article("b", webUrl="https://b.example/1", more=related("https://x.example/1"))
    assert sorted(groups(s), key=sorted) == [{"a.md", "~//x.example/1"}, {"b.md", "~//x.example/1"}]
    assert [m.id for m in s.load().library.members].count("~//x.example/1") == 1


def test_a_file_replaces_coverage_with_its_address(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://b.example/1"))
    s.article("b", webUrl="https://b.example/1/amp/", title="The file's own title")
    members = s.load().library.members
    assert [m.title for m in members if m.provider == "b.example"] == ["The file's own title"]


def test_a_moldovan_domain_is_not_confused_with_a_markdown_file(site: Make) -> None:
    s = site()
    s.article("news", title="A file of ours", webUrl="https://a.example/1")
    s.article("b", title="Seen elsewhere", webUrl="https://b.example/1", more=related("https://news.md/"))
    s.good()
    assert groups(s) == [{"b.md", "~//news.md"}]
    assert [m.title for m in s.load().library.members if m.id == "news.md"] == ["A file of ours"]


def test_entries_for_the_article_itself_and_duplicates_are_ignored(site: Make) -> None:
    s = site()
    s.article(
        "a",
        webUrl="https://a.example/1",
        more=related("https://a.example/1?utm_source=x", "https://b.example/1", "http://www.b.example/1/"),
    )
    assert groups(s) == [{"a.md", "~//b.example/1"}]


def test_an_entry_for_a_held_file_becomes_coverage(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", more=related("https://b.example/1"))
    s.article("b", webUrl="https://b.example/1", title="Held words", published="false")
    assert groups(s) == [{"a.md", "~//b.example/1"}]
    s.good()
    assert "Held words" not in b"".join(s.tree().values()).decode()


def test_story_names_join_and_separate_files(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", story="Storm")
    s.article("b", webUrl="https://b.example/1", story="storm")
    s.article("c", webUrl="https://a.example/1", story="flood")
    assert groups(s) == [{"a.md", "b.md"}]


def test_a_file_without_a_story_name_joins_only_one_of_two_named_stories(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", story="storm")
    s.article("b", webUrl="https://a.example/1?utm_source=x")
    s.article("c", webUrl="https://a.example/1?utm_source=y", story="flood")
    assert groups(s) == [{"a.md", "b.md"}]


def test_a_story_file_sets_title_summary_and_lead(site: Make) -> None:
    s = site(
        "-- content/_stories/storm.md --\n---\ntitle: The great storm\nsummary: What it did.\nlead: a\n---\nA *paragraph*.\n"
    )
    s.article("a", webUrl="https://a.example/1", story="storm", quality=1)
    s.article("b", webUrl="https://b.example/1", story="storm", quality=100)
    s.good()
    page = s.read("2026/11/08/a/index.html")
    assert "The great storm" in page
    assert "What it did." in page
    assert "<em>paragraph</em>" in page
    assert s.load().library.stories[0].lead.id == "a.md"


def test_the_lead_has_the_highest_quality_and_unknown_quality_comes_last(site: Make) -> None:
    s = site()
    s.article("a", webUrl="https://a.example/1", story="x")
    s.article("b", webUrl="https://b.example/1", story="x", quality=0)
    s.article("c", webUrl="https://c.example/1", story="x", quality=50, heat=-1)
    assert s.load().library.stories[0].lead.id == "c.md"


def test_coverage_is_never_dated_after_the_content_clock(site: Make) -> None:
    s = site()
    s.article(
        "a",
        webUrl="https://a.example/1",
        more=related(("https://b.example/1", {"publishedDateTime": "2031-01-01T00:00:00Z"})),
    )
    library = s.load().library
    assert max(m.published for m in library.members) == library.clock


def test_a_follower_is_hidden_by_default_and_a_member_of_its_story_if_configured(site: Make) -> None:
    s = site()
    s.article("lead", webUrl="https://a.example/1", topics="[Rail]")
    more = related("https://a.example/1", "https://z.example/1")
    s.article(
        "follower",
        webUrl="https://f.example/1",
        title="Folded words",
        heat=-1,
        published="false",
        more=more,
        topics="[Secret subject]",
    )
    s.good()
    assert "Folded words" not in b"".join(s.tree().values()).decode()
    s.write("site.toml", '[stories]\nfolded = "member"\n')
    s.good()
    shown = [path for path, text in s.tree().items() if b"Folded words" in text]
    assert "2026/11/08/lead/index.html" in shown
    assert not [p for p in shown if p.startswith(("providers/f.example", "2026/11/08/follower", "2026/11/08/follower"))]
    everything = b"".join(s.tree().values()).decode()
    assert "Secret subject" not in everything
    assert "z.example" not in everything


def test_a_follower_and_coverage_with_its_address_are_different_members(site: Make) -> None:
    s = site('-- site.toml --\nbase_url = "https://news.example/"\n\n[stories]\nfolded = "member"\n')
    s.article("lead", webUrl="https://a.example/1")
    s.article(
        "follower", webUrl="https://f.example/1", title="Folded words", heat=-1, published="false",
        more=related("https://a.example/1"),
    )  # fmt: skip
    more = 'related:\n  - title: "Declared words"\n    webUrl: "https://f.example/1"\n'
    s.article("other", webUrl="https://o.example/1", more=more)
    s.good()
    lead, other = (f"2026/11/08/{name}/index.html" for name in ("lead", "other"))
    assert ("Folded words" in s.read(lead), "Declared words" in s.read(lead)) == (True, False)
    assert ("Folded words" in s.read(other), "Declared words" in s.read(other)) == (False, True)
    for file, old in (("other", "Declared words"), ("follower", "Folded words")):
        s.edit(f"content/{file}.md", old, "New words")
        s.good()
        s.good(output=s.root / file)
        assert s.tree() == s.tree(s.root / file)


@pytest.mark.parametrize("url", ["https://f.example/1", "https://x.cdn.ampproject.org/1"])
@pytest.mark.parametrize("declared", [False, True])
def test_a_follower_is_one_member_of_its_story_even_if_declared_as_coverage(
    site: Make, url: str, declared: bool
) -> None:
    s = site('-- site.toml --\nbase_url = "https://news.example/"\n\n[stories]\nfolded = "member"\n')
    more = f'related:\n  - title: "Declared words"\n    webUrl: "{url}"\n' if declared else ""
    s.article("lead", webUrl="https://a.example/1", more=more)
    s.article(
        "follower", webUrl=url, title="Folded words", heat=-1, published="false", more=related("https://a.example/1")
    )
    s.good()
    library = s.load().library
    (story,) = library.stories
    # An invalid address makes no coverage.
    is_follower = not declared or "ampproject" in url
    assert [m.title for m in story.members] == ["Lead", "Folded words" if is_follower else "Declared words"]
    assert [(e.member, e.kind) for e in story.evidence] == [(story.members[1].id, "declared")]
    assert all(m.id in library.story_of for m in library.members)


def test_a_story_page_shows_the_evidence_for_its_members(site: Make) -> None:
    s = site()
    s.article(
        "a", title="Comet found by night class", webUrl="https://a.example/1", more=related("https://x.example/1")
    )
    s.article("b", title="Comet found by night school", webUrl="https://b.example/1")
    s.article(
        "c", title="Elsewhere", webUrl="https://a.example/1?utm_source=x", publishedDateTime="2026-11-08T09:00:00Z"
    )
    s.good()
    page = " ".join(re.sub(r"<[^>]+>", "", s.read("2026/11/08/c/index.html")).split())
    why = page.partition("How this story was grouped")[2]
    assert "Elsewhere a.example has the same address as Comet found by night class a.example" in why
    assert "On x.example/1 x.example is listed by Comet found by night class a.example" in why
    assert "school b.example is about three quarters similar to Comet found by night class" in why


@given(st.data())
def test_the_result_does_not_depend_on_the_order_of_files(data: st.DataObject) -> None:
    articles = data.draw(st.lists(_articles(), max_size=8, unique_by=lambda a: a.id))
    clock = max((a.published for a in articles), default=None)
    if clock is None:
        return
    one = stories.cluster(articles, clock=clock)
    other = stories.cluster(data.draw(st.permutations(articles)), clock=clock)
    assert one == other
    ids = [m.id for s in one.stories for m in s.members if isinstance(m, Article)]
    assert len(ids) == len(set(ids)), "a file is in at most one story"
    for story in one.stories:
        assert len({f.story for f in story.members if isinstance(f, Article)} - {""}) <= 1


def _articles() -> st.SearchStrategy[Article]:
    from datetime import UTC, datetime, timedelta

    from newsgen.model import Related, RelatedEntries

    keys = st.sampled_from([f"{h}.example/{n}" for h in "ab" for n in range(3)])
    entry = st.builds(
        lambda key: Related(
            keys=(key,), url=f"https://{key}", title=key, excerpt="", published=None, provider=key[:9], provider_name="",
            type="article", quality=None, image=None,
        ),
        keys,
    )  # fmt: skip
    start = datetime(2026, 11, 1, tzinfo=UTC)
    return st.builds(
        lambda number, key, rel, hour, name: Article(
            id=f"{number}.md", slug=str(number), title=str(number), excerpt="", published=start + timedelta(hours=hour), updated=None, expires=None,
            url=f"https://{key}", keys=(key,), provider=key[:9], provider_name="", category="", topics=(), type="article", quality=None,
            heat=None, images=(), related=RelatedEntries.of(rel), embed="", story=name, pin=None, lang="", dir="", aliases=(), body="", extra=(),
            held=False, draft=False, blocked=False,
        ),
        st.integers(0, 9), keys, st.lists(entry, max_size=3), st.integers(0, 5), st.sampled_from(["", "", "storm", "flood"]),
    )  # fmt: skip


@pytest.mark.parametrize("flag", [frozenset(), frozenset({"held"})])
def test_the_sample_is_one_story_of_seven_sources_with_held_articles_shown(
    site: Make, data: Any, flag: frozenset[str]
) -> None:
    s = site()
    library = s.load(content=data / "sample", show=flag).library
    if flag:
        assert [len(x.providers) for x in library.stories] == [7]
        assert library.stories[0].lead.provider == "techcrunch.com"
        assert len(library.sections["provider"]) == 7
        # "tech" is only a fragment of techstory.in, so it is ignored.
        assert library.providers["techstory.in"].title == "techstory.in"
        assert library.providers["techcrunch.com"].title == "TechCrunch"
    else:
        assert not library.members


def test_switching_similarity_off_leaves_no_near_misses(site: Callable[..., Site]) -> None:
    s = site()
    for n in range(4):
        words = (
            "Harbour bridge stuck open after first ship of the winter" if n < 2 else "Harbour bridge opens after ship"
        )
        s.article(
            f"a{n}",
            title=f"{words} {n}",
            excerpt=words,
            story=f"s{n // 2}",
            publishedDateTime=f"2026-11-08T1{n}:00:00Z",
        )
    s.good()
    s.write("site.toml", "[stories]\nsimilarity = false\n").good()
    assert all(story.rejected == () for story in s.load().library.stories)
    assert "Similar, but not in this story" not in s.read("2026/11/08/a0/index.html")
    (s.root / "content/a3.md").unlink()
    s.good()
