"""The topics of articles: synonyms and keywords of topic files."""

from __future__ import annotations

import json
from collections.abc import Callable

from sites import Site

from newsgen.builder import Memory, loading, pipeline

Make = Callable[..., Site]

CYCLING = "---\nname: Cycling\nsynonyms: [Rad, Radverkehr]\nkeywords: [e-bike, cargo bike]\n---\n"


def topics(s: Site) -> dict[str, tuple[str, ...]]:
    return {a.id: a.topics for a in s.load().library.articles}


def test_a_synonym_counts_as_its_topic_everywhere(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", CYCLING).article("a", topics="[rad, Radverkehr, Ferries]")
    s.article("b", topics="[Cycling]").article(
        "c", topics="[RAD]", more="related: [{title: X, webUrl: https://x.example/1}]\n"
    )
    assert topics(s) == {"a.md": ("Cycling", "Ferries"), "b.md": ("Cycling",), "c.md": ("Cycling",)}
    library = s.load().library
    assert [m.id for m in library.sections["topic"]["cycling"].members if m.id[0] in "abc"] == ["c.md", "b.md", "a.md"]
    assert {m.topics for m in library.members if m.url == "https://x.example/1"} == {("Cycling",)}
    s.good()
    assert not (s.output / "topics/ferries/page").exists()
    assert 'url=/topics/cycling/"' in s.read("topics/rad/index.html")
    assert "/topics/radverkehr/ /topics/cycling/" in s.read("_redirects")


def test_a_topic_whose_name_has_another_slug_keeps_its_page(site: Make) -> None:
    s = site().write("content/_topics/ai.md", "---\nname: Machines\nsynonyms: KI\nkeywords: robot\n---\n")
    s.article("a", topics="[KI]").article("b", title="A robot!")
    assert topics(s) == {"a.md": ("ai",), "b.md": ("ai",)}
    assert s.load().library.sections["topic"]["ai"].title == "Machines"


def test_a_keyword_in_title_or_excerpt_puts_an_article_under_the_topic(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", CYCLING)
    s.article("a", title="E-BIKES and an e-bike", topics="[X]").article("b", excerpt="One cargo bike.")
    s.article("c", title="A cargo", excerpt="bike").article("d", title="Radio", body="An e-bike.\n", excerpt="None")
    assert topics(s) == {"a.md": ("X", "Cycling"), "b.md": ("Cycling",), "c.md": (), "d.md": ()}


def test_conflicting_synonyms_are_warnings_and_the_first_file_has_them(site: Make) -> None:
    s = site().write("content/_topics/a.md", "---\nname: A\nsynonyms: [X, b, A]\n---\n")
    s.write("content/_topics/b.md", "---\nname: B\nsynonyms: [x]\n---\n")
    s.article("one", topics="[x]").article("two", topics="[b]")
    assert topics(s) == {"one.md": ("A",), "two.md": ("b",)}
    assert list(map(str, s.load().report.warnings)) == [
        "content/_topics/a.md:3: synonyms: 'b' is the topic of _topics/b.md; keep it in one of the two files",
        "content/_topics/b.md:3: synonyms: 'x' is the topic of _topics/a.md; keep it in one of the two files",
    ]


def test_a_parent_may_be_a_synonym(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", CYCLING)
    s.write("content/_topics/lanes.md", "---\nname: Lanes\nparent: Rad\n---\n").article("a", topics="[Lanes]")
    loaded = s.load()
    assert [m.id for m in loaded.library.sections["topic"]["cycling"].members] == ["a.md"]
    assert not loaded.report.warnings


def test_a_keyword_without_letters_is_left_out_with_its_line(site: Make) -> None:
    s = (
        site()
        .write("content/_topics/x.md", "---\nname: X\nkeywords:\n  - '!!'\n  - fine\n---\n")
        .article("a", title="Fine")
    )
    (problem,) = s.load().report.problems
    assert str(problem) == "content/_topics/x.md:4: keywords[0]: '!!' has no letter or digit; write a word or a phrase"
    assert topics(s) == {"a.md": ("X",)}


def test_explain_says_why_an_article_has_its_topics(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", CYCLING)
    s.article("a", title="An e-bike", topics="[X]").article("b", topics="[Rad]")
    output = s.run("explain", "a").stdout
    assert (
        "  topic X: named in the file\n  topic Cycling: the title or excerpt contains its keyword 'e-bike'\n" in output
    )
    assert "  topic Cycling: the file names its synonym 'Rad'\n" in s.run("explain", "b").stdout
    assert json.loads(s.run("explain", "a", "--json").stdout)["topics"][1] == {
        "key": "cycling", "title": "Cycling", "kind": "keyword", "written": "e-bike",
    }  # fmt: skip


def test_an_edit_of_synonyms_or_keywords_gives_the_pages_of_a_clean_build(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", CYCLING)
    s.article("a", title="An e-bike", topics="[X]").article("b", topics="[Rad]").article("c", title="A tram")
    s.good()
    memory = Memory()
    pipeline.build(s.options(), memory=memory)
    for old, new in [
        ("e-bike", "tram"), ("Rad,", "X,"), ("name: Cycling", "name: Bikes"), ("tram", "e-bike"), ("keywords", "other"),
    ]:  # fmt: skip
        s.edit("content/_topics/cycling.md", old, new)
        s.good()
        clean = s.root / "clean"
        s.good(output=clean / new.replace(" ", ""))
        assert s.tree() == s.tree(clean / new.replace(" ", ""))
        pipeline.build(s.options(output=s.root / "kept"), memory=memory)
        assert s.tree(s.root / "kept") == s.tree()


def test_keywords_are_matched_once_for_each_version_of_a_file(site: Make, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from newsgen import topics as module

    s = site().write("content/_topics/cycling.md", CYCLING).article("a", title="An e-bike").article("b")
    s.good()
    matched: list[str] = []
    monkeypatch.setattr(module, "_text", lambda article: matched.append(article.id) or "")
    s.article("b", title="Another").good()
    assert matched == ["b.md"]


def test_feeds_make_no_pages(site: Make) -> None:
    s = site().article("a").write("content/_feeds/x.md", "---\nurl: https://x.example/feed\n---\nA note.\n")
    s.write("content/_feeds/x.gone", "https://x.example/1\n")
    with_feed = s.good()
    (s.root / "content/_feeds/x.md").unlink()
    assert with_feed.pages == s.good().pages
    assert isinstance(loading.load(s.options()).config.fetch.every, str)


def test_what_a_keyword_is_sought_in_may_change_without_the_files_bytes(site: Make) -> None:
    s = site().write("content/_topics/cycling.md", "---\nname: Cycling\nkeywords: [bikes]\n---\n")
    s.write("content/_topics/rail.md", "---\nname: Rail\nkeywords: [trains]\n---\n")
    s.article("a", more="summary: about bikes\nteaser: about trains\n")
    s.write("site.toml", '[fields]\nexcerpt = ["summary"]\n').good()
    assert "topics/cycling/index.html" in s.tree()
    s.write("site.toml", '[fields]\nexcerpt = ["teaser"]\n').good()
    assert {p for p in s.tree() if p.startswith("topics/") and p != "topics/index.html"} == {"topics/rail/index.html"}


def test_a_conflict_names_its_file_after_that_was_renamed(site: Make) -> None:
    s = site().write("content/_topics/a.md", "---\nname: A\nsynonyms: [Q]\n---\n")
    s.write("content/_topics/z z.md", "---\nname: Z\nsynonyms: [Q]\n---\n").article("one")
    memory = Memory()
    pipeline.build(s.options(), memory=memory)
    (s.root / "content/_topics/z z.md").rename(s.root / "content/_topics/z-z.md")
    report = pipeline.build(s.options(), memory=memory)
    assert any("_topics/z-z.md:3: synonyms" in str(warning) for warning in report.warnings)
