"""What words alone join, and what they must not; each way to fail that is known has a test of its name."""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sites import Site

from newsgen import similarity, stories
from newsgen.model import Article

Make = Callable[..., Site]
START = datetime(2026, 11, 1, 8, tzinfo=UTC)


def article(
    id: str, title: str, excerpt: str = "", *, hours: float = 0, provider: str = "", story: str = ""
) -> Article:
    return Article(
        id=id, slug=id, title=title, excerpt=excerpt, published=START + timedelta(hours=hours), updated=None, expires=None, url=f"https://x.example/{id}",
        keys=(f"x.example/{id}",), provider=provider or f"{id}.example", provider_name="", category="", topics=(), type="article", quality=None,
        heat=None, images=(), related=(), embed="", story=story, pin=None, lang="", dir="", aliases=(), body="", extra=(),
        held=False, draft=False, blocked=False,
    )  # fmt: skip


def word(number: int) -> str:
    """A word of seven letters for each number, that begins like no other."""
    letters = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        letters += chr(97 + rest)
    return letters + "ta"


def noise(count: int, *, days: int = 5, seed: int = 1) -> list[Article]:
    """Articles on nothing in particular, in words that hardly any two of them share."""
    chance = random.Random(seed)

    def words(n: int) -> str:
        return " ".join(word(chance.randrange(26**5)) for _ in range(n))

    return [article(f"noise{n}", words(7), words(15), hours=chance.random() * days * 24) for n in range(count)]


def groups(articles: Iterable[Article], **more: Any) -> list[set[str]]:
    """The stories that are not of noise alone, by the ids of their members."""
    found = stories.cluster(articles, clock=START + timedelta(days=400), **more).stories
    sets = [{m.id for m in s.members} for s in found]
    return sorted((s for s in sets if not all(id.startswith("noise") for id in s)), key=sorted)


def test_one_event_in_two_papers_words_is_one_story() -> None:
    pair = [
        article(
            "a", "Harbour bridge stuck open after first ship", "The Lisk swing bridge failed to close on Saturday."
        ),
        article(
            "b", "Swing bridge fails on opening day", "Ships pass, trains wait: the Lisk bridge is stuck.", hours=5
        ),
    ]
    assert groups([*pair, *noise(60)]) == [{"a", "b"}]
    evidence = stories.cluster([*pair, *noise(60)], clock=START).stories[0].evidence
    assert [(e.member, e.other, e.kind) for e in evidence if e.member == "b"] == [("b", "a", "similar")]
    assert 0.1 < evidence[0].score <= 1
    assert groups([*pair, *noise(60)], similar=False) == []


def test_a_switch_turns_it_off(site: Make) -> None:
    s = site()
    s.article("a", title="Harbour bridge stuck open after first ship")
    s.article("b", title="Harbour bridge stuck open since first ship")
    assert [len(x.members) for x in s.load().library.stories] == [2]
    s.write("site.toml", "[stories]\nsimilarity = false\n")
    assert s.load().library.stories == ()


def test_events_of_a_dense_day_that_overlap_do_not_chain() -> None:
    # Each shares two of its six words with the one before and two with the one after: one link after another.
    titles = [" ".join(word(n * 7919) for n in range(4 * at, 4 * at + 6)) for at in range(40)]
    chain = [article(f"c{at:02}", title, hours=at / 2) for at, title in enumerate(titles)]
    assert max((len(s) for s in groups([*chain, *noise(300, days=2)])), default=1) <= 4


def test_a_headline_that_recurs_is_never_a_story() -> None:
    briefings = [
        article(f"b{n}", f"Morning briefing: what to know on {n} November", "The day in five minutes.", hours=24 * n, provider="d.example")
        for n in range(1, 6)
    ]  # fmt: skip
    assert groups([*briefings, *noise(60, days=7)]) == []


def test_the_same_headline_from_another_publisher_the_same_day_is_one() -> None:
    pair = [article("a", "Ferry fares rise by a tenth"), article("b", "Ferry fares rise by a tenth", hours=3)]
    assert groups([*pair, *noise(60)]) == [{"a", "b"}]


def test_a_date_that_thousands_share_brings_nothing_together() -> None:
    twice = [
        article(f"m{2 * n + copy:04}", other.title)
        for n, other in enumerate(noise(similarity.MADE_UP // 2))
        for copy in (0, 1)
    ]
    assert len(groups(twice[:-1])) == similarity.MADE_UP // 2 - 1
    assert groups(twice) == []


def test_two_posts_of_one_publisher_on_its_subject_are_no_story() -> None:
    first = "Harbour bridge stuck open after first ship"
    second = "Harbour bridge: how the new timetable works"
    apart = [article("a", first, provider="p.example"), article("b", second, hours=5, provider="p.example")]
    assert groups([*apart, *noise(60)]) == []
    assert groups([apart[0], article("b", second, hours=5), *noise(60)]) == [{"a", "b"}]
    update = article("b", f"{first}, now closed", hours=5, provider="p.example")
    assert groups([apart[0], update, *noise(60)]) == [{"a", "b"}]


def test_one_wire_text_in_forty_papers_is_one_story() -> None:
    copies = [
        article(f"w{n:02}", "Comet found by night class confirmed", "Astronomers at Mount Orrin agree.", hours=n / 4)
        for n in range(40)
    ]
    assert groups([*copies, *noise(200)]) == [{f"w{n:02}" for n in range(40)}]


def test_a_word_that_every_article_has_joins_nothing() -> None:
    everyone = [article(f"e{n}", f"Velmora {a.title}", f"Velmora {a.excerpt}") for n, a in enumerate(noise(80))]
    assert groups(everyone) == []


def test_a_word_as_frequent_on_other_days_is_a_subject_and_no_event() -> None:
    def told(n: int, day: int) -> Article:
        other = noise(1, seed=1000 + n * 50 + day)[0]
        title = f"Vaccine trial {other.title.rpartition(' ')[0]}"
        return article(f"v{day:02}-{n}", title, other.excerpt, hours=24 * day + n)

    steady = [told(n, day) for day in range(30) for n in range(3)]
    assert max((len(s) for s in groups([*steady, *noise(900, days=30)])), default=1) <= 3


def test_a_publisher_s_name_behind_its_headlines_joins_nothing() -> None:
    tailed = [
        article(f"t{n}", f"{a.title} - The Ostrane Daily Intelligencer", hours=n)
        for n, a in enumerate(noise(12, seed=3))
    ]
    assert groups([*tailed, *noise(60)]) == []
    assert similarity.headline("Fares rise on the harbour ferry | Harbour Post") == "Fares rise on the harbour ferry"
    assert similarity.headline("Bridge - stuck") == "Bridge - stuck"


@pytest.mark.parametrize(
    ("one", "two", "other"),
    [
        ("首相が新しい経済対策を発表、減税は見送り", "新しい経済対策を首相が発表へ 減税見送り", "港の市場で夏祭り、七千人が来場"),
        ("中国宣布新的月球探测任务将于明年发射", "新的月球探测任务明年发射 中国宣布", "上海地铁新线路周末开通运营"),
        ("Премьер объявил о новом налоге на экспорт зерна", "Новый налог на экспорт зерна: премьер объявил детали", "В порту открылся летний рынок"),
        ("رئيس الوزراء يعلن ضريبة جديدة على صادرات القمح", "ضريبة جديدة على صادرات القمح يعلنها رئيس الوزراء", "افتتاح سوق الصيف في الميناء"),
    ],
)  # fmt: skip
def test_no_script_is_left_out(one: str, two: str, other: str) -> None:
    told = [article("a", one), article("b", two, hours=2), article("c", other, hours=3)]
    assert groups([*told, *noise(40)]) == [{"a", "b"}]


def test_an_editor_keeps_apart_and_puts_together() -> None:
    same = "Comet found by night class confirmed by observatory"
    named = [
        article("a", same, story="first"),
        article("b", same, hours=1, story="second"),
        article("c", same, hours=2),
    ]
    found = groups([*named, *noise(60)])
    assert len([s for s in found if {"a", "b"} <= s]) == 0
    assert any("c" in s for s in found)
    apart = [article("a", "Comet found", story="one"), article("b", "Ferry fares rise", hours=900, story="one")]
    assert groups([*apart, *noise(60)]) == [{"a", "b"}]


def test_what_a_later_year_brings_changes_nothing() -> None:
    articles = noise(150) + [
        article(f"s{n}", f"Comet {w} by night class confirmed", hours=n)
        for n, w in enumerate(["found", "seen", "named"])
    ]
    later = [
        article(f"noise{n + 5000}", a.title, a.excerpt, hours=24 * 365 + n)
        for n, a in enumerate([*noise(80, seed=9), *articles[-3:]])
    ]
    assert groups([*articles, *later])[-1:] == groups(articles)[-1:] == [{"s0", "s1", "s2"}]


@pytest.mark.parametrize(
    ("name", "bcubed", "pairs"), [("roundups", 0.91, 0.77), ("scale", 0.91, 0.77), ("uci2014", 0.80, 0.80)]
)
def test_labelled_news_of_other_years_is_grouped_as_editors_did(
    data: Path, name: str, bcubed: float, pairs: float
) -> None:
    sys.path.insert(0, str(data / "tools"))
    try:
        from score_clusters import score  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    with gzip.open(data / f"data/{name}_public.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    articles = []
    for row in rows:
        moment = datetime.fromisoformat((row["published"] or "2000-01-01T00:00:00Z").replace("Z", "+00:00"))
        hours = (moment.astimezone(UTC) - START) / timedelta(hours=1)
        articles.append(article(row["id"], row["title"], row["excerpt"], hours=hours, provider=row["domain"]))
    found = {m.id: s.id for s in stories.cluster(articles, clock=START).stories for m in s.members}
    gold = {row["id"]: row["story"] for row in rows if row["story"]}
    result = score(gold, {id: found.get(id, id) for id in gold})
    assert result["bcubed_f1"] >= bcubed
    assert result["pair_f1"] >= pairs
