"""What similar words join and what they must not join. Each known failure has a test of its own."""

from __future__ import annotations

import gzip
import json
import random
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from articles import START, article, noise, word
from sites import Site

from newsgen import config
from newsgen.model import Article
from newsgen.store import Store
from newsgen.stories import clusterer as stories
from newsgen.stories import grouping, similarity

Make = Callable[..., Site]


def groups(articles: Iterable[Article], **options: Any) -> list[set[str]]:
    """The ids of the members of each story, without stories of noise only."""
    found = stories.cluster(articles, clock=START + timedelta(days=400), **options).stories
    sets = [{m.id for m in s.members} for s in found]
    return sorted((s for s in sets if not all(id.startswith("noise") for id in s)), key=sorted)


def test_one_event_in_the_words_of_two_papers_is_one_story() -> None:
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


def test_the_most_typical_article_leads_its_story_and_of_equals_the_newest() -> None:
    texts = {
        "event": "Ferry Aurelia runs aground off Kestrel Point in thick fog",
        "rescue": "Lifeboats bring all passengers of ferry Aurelia ashore off Kestrel Point",
        "later": "Ferry Aurelia runs aground in thick fog off Kestrel Point, all safe",
        "angle": "Chef of ferry Aurelia served soup while it lay aground",
        "newest": "Kestrel Point inn gives passengers of Aurelia free beds",
    }
    members = [
        article(id, title, f"{title} on Saturday", hours=hours * 4) for hours, (id, title) in enumerate(texts.items())
    ]
    (story,) = stories.cluster([*members, *noise(60)], clock=START).stories
    assert {m.id for m in story.members} == texts.keys()
    assert story.lead.id == "later"
    assert story.typicality["later"] == story.typicality["event"] == 19 > story.typicality["newest"]
    pair = [members[0], msgspec.structs.replace(members[2], id="repeated", url="https://x.example/repeated")]
    (story,) = stories.cluster([*pair, *noise(60)], clock=START).stories
    assert (story.lead.id, set(story.typicality.values())) == ("repeated", {19})
    (story,) = stories.cluster(
        [msgspec.structs.replace(m, story="x") for m in pair], clock=START, similar=False
    ).stories
    assert (story.lead.id, story.typicality) == ("repeated", {})


def test_similarity_can_be_switched_off(site: Make) -> None:
    s = site()
    s.article("a", title="Harbour bridge stuck open after first ship")
    s.article("b", title="Harbour bridge stuck open since first ship")
    assert [len(x.members) for x in s.load().library.stories] == [2]
    s.write("site.toml", "[stories]\nsimilarity = false\n")
    assert not s.load().library.stories


def test_one_word_joins_nothing_in_a_small_folder(site: Make) -> None:
    s = site()
    for title in ("Code first", "A year first", "Reference first", "How the wire is made"):
        s.article(title.lower().replace(" ", "-"), title=title)
    assert not s.load().library.stories


def test_a_site_can_join_more_or_less(site: Make) -> None:
    articles = [
        article("a", "Swing bridge fails: Lisk asks for repairs", "A ship passed. Trains wait.", hours=3),
        article("b", "Lisk council argues about repairs and tolls", "The bridge is old.", hours=5),
        article("c", "Choir of Kestry wins the valley prize", "Forty singers and a tuba.", hours=30),
        article("d", "Judges praise young singers at the valley festival", "The jury sat late.", hours=34),
        *noise(60),
    ]
    found = {join: groups(articles, join=join) for join in grouping.ENOUGH}
    assert found == {"less": [], "normal": [{"a", "b"}], "more": [{"a", "b"}, {"c", "d"}]}
    s = site("-- site.toml --\n[stories]\njoin = 'most'\n")
    assert "join" in s.run("build").stderr
    assert set(get_args(get_type_hints(config.Stories)["join"])) == grouping.ENOUGH.keys()


def test_a_comparison_is_what_the_engine_found() -> None:
    """The explanation of a pair is computed anew; it must not say something else."""
    chance = random.Random(7)
    subjects = [[word(chance.randrange(400)) for _ in range(8)] for _ in range(6)]
    articles = []
    for n in range(60):
        title = [
            *chance.sample(chance.choice(subjects), 4),
            word(chance.randrange(400)),
            *chance.sample(["the", "der", "und", "of"], 2),
        ]
        chance.shuffle(title)
        if n in (7, 9):  # one shared word
            title = ["ferry", *(word(chance.randrange(26**5)) for _ in range(6))]
        excerpt = " ".join(chance.sample(chance.choice(subjects), 5)) if n % 3 and n not in (7, 9) else ""
        articles.append(article(f"{n:02}", " ".join(title), excerpt, hours=n * 2, provider=f"p{n % 5}.example"))
    articles[5] = msgspec.structs.replace(articles[5], standalone=True)
    by_id = {a.id: a for a in articles}
    for dense in (similarity.DENSE, 10):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(similarity, "DENSE", dense)
            clusterer = stories.Clusterer(Store(), by_id.__getitem__)
            clusterer.update([stories.Change(a.id, a) for a in articles], clock=START)
            near = clusterer._grouping.similarity.near
            obstacles = set()
            for one, two in combinations(sorted(by_id), 2):
                pair = clusterer.compare(one, two)
                assert pair is not None
                assert pair.comparison.similarity == near[one].get(two, 0) / similarity.UNIT, (one, two)
                assert bool(pair.comparison.obstacle) == (two not in near[one])
                obstacles.add(pair.comparison.obstacle)
        assert obstacles >= {"", "excluded", "time", "language", "publisher", "low"}
        assert ("one word" in obstacles) == (dense > 10)


def test_a_standalone_article_is_joined_by_what_is_declared_only(site: Make) -> None:
    s = site()
    for name in ("a", "b", "c"):
        s.article(name, title="Harbour bridge stuck open after first ship")
    assert [len(x.members) for x in s.load().library.stories] == [3]
    s.article("b", title="Harbour bridge stuck open after first ship", standalone="true")
    assert [[m.id for m in x.members] for x in s.load().library.stories] == [["a.md", "c.md"]]
    for name in ("b", "c"):
        s.article(name, title="Harbour bridge stuck open after first ship", standalone="true", story="bridge")
    assert [[m.id for m in x.members] for x in s.load().library.stories] == [["b.md", "c.md"]]
    s.article("b", title="Harbour bridge stuck open after first ship", standalone="maybe")
    assert "standalone" in str(s.build().problems)


def test_overlapping_events_of_a_dense_day_form_no_chain() -> None:
    # Each title shares two of its six words with the previous one and two with the next one.
    titles = [" ".join(word(n * 7919) for n in range(4 * at, 4 * at + 6)) for at in range(40)]
    chain = [article(f"c{at:02}", title, hours=at / 2) for at, title in enumerate(titles)]
    assert max((len(s) for s in groups([*chain, *noise(300, days=2)])), default=1) <= 4


def test_a_recurring_headline_is_never_a_story() -> None:
    briefings = [
        article(f"b{n}", f"Morning briefing: what to know on {n} November", "The day in five minutes.", hours=24 * n, provider="d.example")
        for n in range(1, 6)
    ]  # fmt: skip
    assert groups([*briefings, *noise(60, days=7)]) == []


def test_the_same_headline_from_two_publishers_on_one_day_is_a_story() -> None:
    pair = [article("a", "Ferry fares rise by a tenth"), article("b", "Ferry fares rise by a tenth", hours=3)]
    assert groups([*pair, *noise(60)]) == [{"a", "b"}]


def test_articles_with_a_placeholder_date_are_not_compared() -> None:
    twice = [
        article(f"m{2 * n + copy:04}", other.title)
        for n, other in enumerate(noise(similarity.PLACEHOLDER_COUNT // 2))
        for copy in (0, 1)
    ]
    assert len(groups(twice[:-1])) == similarity.PLACEHOLDER_COUNT // 2 - 1
    assert groups(twice) == []


def test_two_posts_of_one_publisher_on_one_subject_are_not_a_story() -> None:
    first = "Harbour bridge stuck open after first ship"
    second = "Timetable for trains across the harbour bridge in spring"
    excerpt = "Passengers wait for the gears on Saturday."
    one = article("a", first, "The gears of the bridge over the Lisk failed on Saturday.", provider="p.example")
    apart = [one, article("b", second, excerpt, hours=1, provider="p.example")]
    assert groups([*apart, *noise(60)]) == []
    assert groups([one, article("b", second, excerpt, hours=1), *noise(60)]) == [{"a", "b"}]
    update = article("b", f"{first}, now closed", hours=5, provider="p.example")
    assert groups([apart[0], update, *noise(60)]) == [{"a", "b"}]


def test_headlines_on_one_subject_are_not_a_story() -> None:
    pair = [
        article("a", "Harbour bridge stuck open after first ship"),
        article("b", "Harbour bridge: how the new timetable works", hours=5),
    ]
    assert groups([*pair, *noise(60)]) == []


def test_a_few_articles_need_better_evidence() -> None:
    pair = [
        article("a", "Buoy, a library of harbour icons", "Free to use, and it has a simple licence."),
        article("b", "Walrus, a library for tide gauges", "Simple wrapper, and free."),
    ]
    assert groups([*pair, *noise(8)]) == []


def test_one_agency_text_in_forty_papers_is_one_story() -> None:
    copies = [
        article(f"w{n:02}", "Comet found by night class confirmed", "Astronomers at Mount Orrin agree.", hours=n / 4)
        for n in range(40)
    ]
    assert groups([*copies, *noise(200)]) == [{f"w{n:02}" for n in range(40)}]


def test_a_word_in_every_article_joins_nothing() -> None:
    everyone = [article(f"e{n}", f"Velmora {a.title}", f"Velmora {a.excerpt}") for n, a in enumerate(noise(80))]
    assert groups(everyone) == []


def test_a_word_that_is_as_frequent_on_other_days_is_a_subject_not_an_event() -> None:
    def report(n: int, day: int) -> Article:
        other = noise(1, seed=1000 + n * 50 + day)[0]
        title = f"Vaccine trial {other.title.rpartition(' ')[0]}"
        return article(f"v{day:02}-{n}", title, other.excerpt, hours=24 * day + n)

    steady = [report(n, day) for day in range(30) for n in range(3)]
    assert max((len(s) for s in groups([*steady, *noise(900, days=30)])), default=1) <= 3


def test_a_publisher_s_name_at_the_end_of_headlines_joins_nothing() -> None:
    with_suffix = [
        article(f"t{n}", f"{a.title} - The Ostrane Daily Intelligencer", hours=n)
        for n, a in enumerate(noise(12, seed=3))
    ]
    assert groups([*with_suffix, *noise(60)]) == []
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
def test_every_script_is_compared(one: str, two: str, other: str) -> None:
    articles = [article("a", one), article("b", two, hours=2), article("c", other, hours=3)]
    assert groups([*articles, *noise(40)]) == [{"a", "b"}]


def test_story_names_overrule_similarity() -> None:
    same = "Comet found by night class confirmed by observatory"
    named = [
        article("a", same, story="first"),
        article("b", same, hours=1, story="second"),
        article("c", same, hours=2),
    ]
    clusters = groups([*named, *noise(60)])
    assert len([s for s in clusters if {"a", "b"} <= s]) == 0
    assert any("c" in s for s in clusters)
    apart = [article("a", "Comet found", story="one"), article("b", "Ferry fares rise", hours=900, story="one")]
    assert groups([*apart, *noise(60)]) == [{"a", "b"}]


def test_later_articles_do_not_change_old_stories() -> None:
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
def test_labelled_news_is_grouped_as_by_editors(data: Path, name: str, bcubed: float, pairs: float) -> None:
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
    story_of = {m.id: s.id for s in stories.cluster(articles, clock=START).stories for m in s.members}
    gold = {row["id"]: row["story"] for row in rows if row["story"]}
    result = score(gold, {id: story_of.get(id, id) for id in gold})
    assert result["bcubed_f1"] >= bcubed
    assert result["pair_f1"] >= pairs


FUNCTION_WORDS = [
    "a", "and", "as", "at", "be", "by", "for", "from", "has", "in", "is", "it", "of", "on", "over", "the", "to", "with",
]  # fmt: skip
NEWS_WORDS = [
    "bank", "beat", "bridge", "class", "closed", "coast", "contract", "court", "day", "every", "fares", "final", "fire",
    "follow", "goal", "ground", "hour", "last", "late", "latest", "league", "live", "match", "mayor", "medal", "minute",
    "morning", "named", "news", "night", "percent", "power", "railway", "rates", "rise", "scored", "season", "storm", "talks",
    "tax", "tenth", "thousands", "town", "trees", "updates", "week", "win", "winds", "without", "year",
]  # fmt: skip


def papers(count: int, *, days: int, seed: int = 5) -> list[Article]:
    """Unrelated articles that contain function words and common words of newspapers."""
    chance = random.Random(seed)

    def mixed(text: str, own: int, function: int, news: int) -> str:
        words = [*text.split()[:own], *chance.sample(FUNCTION_WORDS, function), *chance.sample(NEWS_WORDS, news)]
        return " ".join(chance.sample(words, len(words)))

    return [
        msgspec.structs.replace(a, title=mixed(a.title, 5, 2, 2), excerpt=mixed(a.excerpt, 10, 6, 4))
        for a in noise(count, days=days, seed=seed)
    ]


def name(number: int) -> str:
    return word(number * 7919 + 5).capitalize()


@pytest.mark.parametrize("count", [60, 300, 1000])
@pytest.mark.parametrize("days", [2, 5, 20])
def test_match_reports_of_different_days_are_separate_stories(days: int, count: int) -> None:
    reports = []
    for day in range(days):
        home, guests, player, ground = (name(4 * day + n) for n in range(4))
        reports += [
            article(
                f"{day:02}a",
                f"{home} beat {guests} 2-1 with late goal by {player}",
                f"{player} scored in the last minute of the league match.",
                hours=24 * day,
                provider="a.example",
            ),
            article(
                f"{day:02}b",
                f"Late {player} goal gives {home} 2-1 league win over {guests}",
                f"The match at {ground} was decided in the last minute.",
                hours=24 * day + 2,
                provider="b.example",
            ),
        ]
    expected = [{f"{day:02}a", f"{day:02}b"} for day in range(days)]
    assert groups([*reports, *papers(count, days=days)]) == expected


@pytest.mark.parametrize("count", [60, 300, 1000])
def test_two_storms_on_different_days_are_two_stories(count: int) -> None:
    reports = [
        ("a1", 0, "Storm Kelda batters Ostrane coast, thousands without power", "Trees and pylons fell in the harbour district."),
        ("a2", 3, "Thousands in Ostrane without power as Kelda comes ashore", "The storm felled pylons in the harbour district."),
        ("b1", 24, "Storm Marvin floods Lisk valley villages", "The river rose by four metres; winds closed the railway."),
        ("b2", 27, "Lisk valley under water after storm Marvin", "Villages are cut off, the river is still rising."),
    ]  # fmt: skip
    storms = [
        article(id, title, excerpt, hours=hours, provider=f"p{id[1]}.example") for id, hours, title, excerpt in reports
    ]
    assert groups([*storms, *papers(count, days=3)]) == [{"a1", "a2"}, {"b1", "b2"}]


HOURLY_EVENTS = [
    ("Mayor of Ostrane quits over bridge contract", "Ostrane mayor resigns after bridge contract row"),
    ("Comet found by night class named Orrin", "Night class comet gets a name: Orrin"),
    ("Ferry fares to rise by a tenth", "Ferry fares up a tenth from March"),
    ("Bank holds rates at four percent", "Rates held at four percent by central bank"),
    ("Gold medal for Velmora sprinter in final", "Velmora sprinter wins gold in final"),
    ("Factory fire in Dunmore injures nine", "Nine hurt in Dunmore factory fire"),
    ("Talks on grain treaty collapse in Halvar", "Grain treaty talks in Halvar collapse"),
    ("Court clears singer of tax fraud", "Singer cleared of tax fraud by court"),
]
"""The events of eight hours, each in the words of two papers."""


def _live_day() -> tuple[list[Article], list[Article]]:
    """Two papers' articles on all events, and two live pages that take over the headline of each hour."""
    events, pages = [], []
    for n, (one, other) in enumerate(HOURLY_EVENTS):
        events += [article(f"e{n}x", one, hours=n + 0.5, provider="c.example")]
        events += [article(f"e{n}y", other, hours=n + 0.7, provider="d.example")]
        excerpt = "Follow the latest news as it happens."
        pages += [article(f"live-p{n}", f"Live updates: {one}", excerpt, hours=n, provider="p.example")]
        excerpt = "Our reporters bring you every development of the day."
        pages += [article(f"live-q{n}", f"{other} - live", excerpt, hours=n + 0.2, provider="q.example")]
    return events, pages


def _merged(found: list[set[str]]) -> list[set[str]]:
    """The stories that contain several events."""
    return [s for s in found if len({id[:2] for id in s if id[0] == "e"}) > 1]


@pytest.mark.parametrize("count", [60, 300, 1000])
def test_live_pages_with_a_new_title_each_hour_merge_no_events(count: int) -> None:
    events, pages = _live_day()
    found = groups([*events, *pages, *papers(count, days=2)])
    assert len(found) == len(HOURLY_EVENTS)
    assert _merged(found) == []


@pytest.mark.parametrize("count", [60, 300])
def test_a_live_page_with_a_file_for_each_headline_merges_no_events(count: int) -> None:
    events, pages = _live_day()
    pages = [msgspec.structs.replace(a, keys=(f"{a.provider}/live",)) for a in pages]
    assert _merged(groups([*events, *pages, *papers(count, days=2)])) == []


@pytest.mark.parametrize("tail", [" ...", "...", " …", "…", " [...]"])
def test_a_truncated_headline_is_matched_by_the_rest(tail: str) -> None:
    pair = [
        article("a", f"Harbour bridge stuck open after first{tail}"),
        article("b", "Harbour bridge stuck open after first ship, says Lisk council", hours=2),
    ]
    cut = [article(f"c{n}", a.title + tail, hours=n) for n, a in enumerate(noise(12, seed=3))]
    assert groups([*pair, *cut, *noise(60)]) == [{"a", "b"}]


def one_day(count: int, seed: int = 7) -> list[Article]:
    """Articles of one day. Half of the events have one article, the others two to six. An id begins with its event."""
    chance = random.Random(seed)
    usual = [word(31 * n + 11) for n in range(2000)]
    weights = [1 / (n + 3) for n in range(2000)]
    rare = iter(range(10_000, 10**9))

    def words(number: int) -> list[str]:
        return [word(104_729 * next(rare) % 26**5) for _ in range(number)]

    out: list[Article] = []
    event = 0
    while len(out) < count:
        own, hours = words(12), chance.random() * 12
        for n in range(min(chance.choice([1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 6]), count - len(out))):
            title = chance.sample(own, 6) + chance.choices(usual, weights, k=3)
            excerpt = chance.sample(own, 9) + words(3) + chance.choices(usual, weights, k=10)
            out.append(
                article(f"{event:05}-{n}", " ".join(title), " ".join(excerpt), hours=hours + 3 * chance.random())
            )
        event += 1
    return chance.sample(out, len(out))


def _pairs(groups: Iterable[set[str]]) -> set[tuple[str, str]]:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def test_clustersare_found_among_five_thousand_articles_of_one_day() -> None:
    articles = one_day(5000)
    assert len({a.published.date() for a in articles}) == 1
    events: dict[str, set[str]] = {}
    for each in articles:
        events.setdefault(each.id[:5], set()).add(each.id)
    expected, actual = _pairs(events.values()), _pairs(groups(articles))
    assert len(expected) > 5000
    assert len(expected & actual) >= 0.95 * len(actual)
    assert len(expected & actual) >= 0.9 * len(expected)


def test_twice_as_many_articles_take_less_than_four_times_as_long() -> None:
    def seconds(articles: list[Article]) -> float:
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            stories.cluster(articles, clock=START)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(one_day(5000)) < 4 * seconds(one_day(2500))
