"""Gates, the content clock, sections, providers and blocking."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sites import Site

from newsgen import library

Make = Callable[..., Site]


@pytest.mark.parametrize(
    ("fields", "gate"),
    [
        ({}, ""),
        ({"published": "false"}, "held"),
        ({"draft": "true"}, "draft"),
        ({"publishedDateTime": "2031-01-01T00:00:00Z"}, "future"),
        ({"expiryDate": "2026-11-22T12:00:00Z"}, "expired"),
        ({"expiryDate": "2026-11-22T12:00:01Z"}, ""),
        ({"published": "false", "draft": "true"}, "held"),
        ({"heat": -1}, ""),
    ],
)
def test_a_closed_gate_keeps_an_article_off_every_page_until_its_flag_is_given(
    site: Make, fields: dict[str, str], gate: str
) -> None:
    s = site()
    s.article(
        "kept",
        title="Zanzibar",
        webUrl="https://zz.example/1",
        topics="[Zulu]",
        category="zoo",
        aliases="[/zebra/]",
        **fields,
    )
    s.article("other")
    report = s.good()
    paths = " ".join(s.tree())
    text = b"".join(s.tree().values()).decode()
    if not gate:
        assert "Zanzibar" in text
        return
    assert report.skipped == {gate: 1}
    assert not any(word in text or word.lower() in paths for word in ("Zanzibar", "Zulu", "zz.example", "zebra", "zoo"))
    s.good(show=frozenset({gate}))
    page = s.read(next(p for p in s.tree() if re.fullmatch(r"\d+/.*/kept/index.html", p)))
    assert "Zanzibar" in page
    assert "noindex" in page


def test_the_wall_clock_decides_gates_and_the_next_change_is_reported(site: Make) -> None:
    s = site().article("soon", publishedDateTime="2026-11-23T00:00:00Z").article("old")
    report = s.good()
    assert report.due == datetime(2026, 11, 23, tzinfo=UTC)
    later = s.good(now=datetime(2026, 11, 24, tzinfo=UTC))
    assert later.published == 2
    assert later.due is None


def test_the_content_clock_is_the_newest_published_article_and_can_be_set(site: Make) -> None:
    s = (
        site()
        .article("a", publishedDateTime="2021-01-02T00:00:00Z")
        .article("b", publishedDateTime="2031-01-01T00:00:00Z")
    )
    s.article("c", publishedDateTime="2026-01-01T00:00:00Z", published="false")
    assert s.load().library.clock == datetime(2021, 1, 2, tzinfo=UTC)
    assert s.load(clock="wall").library.clock.year == 2026
    assert s.load(clock=datetime(2021, 5, 1, tzinfo=UTC)).library.clock.month == 5


def test_topics_with_one_slug_are_one_and_take_the_most_common_spelling(site: Make) -> None:
    s = site().article("a", topics="[AI, Rail]").article("b", topics="[AI, C++]").article("c", topics="[ai, C#]")
    sections = s.load().library.sections["topic"]
    assert {k: (v.title, len(v.members)) for k, v in sections.items()} == {
        "ai": ("AI", 3), "rail": ("Rail", 1), "c-plus-plus": ("C++", 1), "c-sharp": ("C#", 1),
    }  # fmt: skip


def test_a_topic_file_sets_the_title_and_the_parent(site: Make) -> None:
    s = site("-- content/_topics/rail.md --\n---\nname: Railways\nparent: Transport\n---\nAbout *trains*.\n")
    s.article("a", topics="[rail]").article("b", topics="[Transport]")
    sections = s.load().library.sections["topic"]
    assert sections["rail"].title == "Railways"
    assert {m.id for m in sections["transport"].members} == {"a.md", "b.md"}
    assert sections["transport"].children == ("rail",)
    s.good()
    assert "<em>trains</em>" in s.read("topics/rail/index.html")


def test_a_cycle_of_topic_parents_is_harmless(site: Make) -> None:
    s = site(
        "-- content/_topics/a.md --\n---\nname: A\nparent: B\n---\n-- content/_topics/b.md --\n---\nname: B\nparent: A\n---\n"
    )
    s.article("x", topics="[A]")
    assert s.good().published == 1


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (["tech"], "techstory.example"),
        (["techstory.example"], "techstory.example"),
        (["TechStory"], "TechStory"),
        (["tech", "tech", "TechStory"], "TechStory"),
        (["Tech Story", "TechStory", "Tech Story"], "Tech Story"),
        (["www.techstory.example"], "techstory.example"),
    ],
)
def test_a_provider_takes_its_most_frequent_real_name(site: Make, names: list[str], title: str) -> None:
    s = site()
    for n, name in enumerate(names):
        s.article(f"a{n}", webUrl=f"https://www.techstory.example/{n}", provider=f'{{name: "{name}"}}')
    assert s.load().library.providers["techstory.example"].title == title


def test_a_provider_file_sets_its_name_and_home(site: Make) -> None:
    s = site(
        "-- content/_providers/techstory.example.md --\n---\nname: The Tech Story\nhome: https://home.techstory.example/\n---\n"
    )
    s.article("a", webUrl="https://www.techstory.example/1", provider='{name: "TechStory"}')
    provider = s.load().library.providers["techstory.example"]
    assert (provider.title, provider.home) == ("The Tech Story", "https://home.techstory.example/")


def test_blocked_providers_and_urls_appear_nowhere(site: Make) -> None:
    s = site('-- site.toml --\n[block]\nproviders = ["bad.example"]\nurls = ["https://good.example/gone"]\n')
    entry = 'related:\n  - title: Badness\n    webUrl: "https://m.news.bad.example/1"\n'
    s.article("kept", webUrl="https://good.example/1", more=entry, body="See [this](https://bad.example/x) too.")
    s.article("gone", title="Vanished", webUrl="http://www.good.example/gone?utm_source=x")
    s.article("bad", title="Vanished", webUrl="https://bad.example/2")
    report = s.good()
    assert report.skipped == {"blocked": 2}
    text = b"".join(s.tree().values()).decode()
    assert "bad.example" not in text
    assert "Badness" not in text
    assert "Vanished" not in text


def test_days_are_in_the_time_zone_of_the_site(site: Make) -> None:
    s = site('-- site.toml --\ntimezone = "Asia/Tokyo"\n').article("late", publishedDateTime="2026-11-08T20:00:00Z")
    assert list(s.load().library.sections["day"]) == ["2026-11-09"]
    s.good()
    assert (s.output / "2026/11/09/late/index.html").exists()


def test_the_first_and_last_days_of_the_calendar_are_valid(site: Make) -> None:
    s = site('-- site.toml --\ntimezone = "America/New_York"\n')
    s.article("first", publishedDateTime="0001-01-01T00:00:00Z").article(
        "last", publishedDateTime="9999-12-31T23:59:59Z"
    )
    assert s.build(show=frozenset(library.GATES)).published == 2
