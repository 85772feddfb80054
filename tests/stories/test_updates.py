"""After any changes, stories are the same as from nothing, also if each update is a new process with a store."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from articles import START, article, noise, word
from hypothesis import given, settings
from hypothesis import strategies as st

from newsgen.model import About, Article, Related, RelatedEntries, Story
from newsgen.store import LostError, Store
from newsgen.stories import clusterer as stories
from newsgen.stories import grouping, similarity, tables
from newsgen.stories.clusterer import Change, Changes, Clusterer, Clusters, Role

CLOCK = START + timedelta(days=400)
HOURS = [0, 3, 20, 30, 47, 50, 70, 99, 600]
KEYS = [f"{host}.example/{number}" for host in "abc" for number in range(4)]
OWN_KEYS = [f"own.example/a{number:02}" for number in range(15)]


class Archive:
    """A changing set of articles with their roles, whose stories are kept up to date.

    `live` are the articles now, and `saved` what the last clusterer saved.
    """

    def __init__(self, live: Iterable[Article] = ()) -> None:
        self.live: dict[str, tuple[Article, Role]] = {a.id: (a, "shown") for a in live}
        self.saved: dict[str, bytes] = {}
        self.fetched: set[str] = set()
        self._known: dict[str, tuple[Article, Role]] = {}
        self._found: tuple[dict[str, Any], ...] = ({}, {}, {}, {}, {})
        self.reopen()

    def _fetch(self, name: str) -> bytes | None:
        self.fetched.add(name)
        return self.saved.get(name)

    def reopen(self, **rules: Any) -> None:
        """Starts a new clusterer with what is saved, as another process would."""
        self.fetched = set()
        self._changes: dict[str, bytes | None] = {}
        self._store = Store(self._fetch, self._changes.__setitem__)
        self._clusterer = Clusterer(self._store, self._article, **rules)

    def _article(self, id: str) -> Article:
        return self.live[id][0]

    def save(self) -> dict[str, bytes | None]:
        """Saves, and returns what this changed."""
        self._clusterer.save()
        self._store.save()
        changes = dict(self._changes)
        self._changes.clear()
        self.saved |= {name: value for name, value in changes.items() if value is not None}
        for name in [name for name, value in changes.items() if value is None]:
            self.saved.pop(name, None)
        return changes

    def start_again(self) -> None:
        """Starts from nothing."""
        self.saved, self._known, self._found = {}, {}, ({}, {}, {}, {}, {})
        self.reopen()

    def update(self, *, clock: datetime = CLOCK, **options: Any) -> Changes:
        ids = sorted(self.live.keys() | self._known.keys())
        changed = [
            Change(id, *self.live.get(id, (None, "shown"))) for id in ids if self.live.get(id) != self._known.get(id)
        ]
        changes = self._clusterer.update(changed, clock=clock, **options)
        self._known = dict(self.live)
        for found, changed_values in zip(self._found, changes, strict=True):
            for id, value in changed_values.items():
                if value is None:
                    del found[id]
                else:
                    found[id] = value
        return changes

    @property
    def clusters(self) -> Clusters:
        found, coverage, targets, successors, origins = self._found
        by_time = sorted(found.values(), key=lambda s: (s.first.published, s.id))
        by_id = sorted(coverage.values(), key=lambda c: (c.published, c.id))
        return Clusters(tuple(by_time), tuple(by_id), targets, successors, origins)

    def from_nothing(self, *, clock: datetime = CLOCK, **options: Any) -> Clusters:
        of_role: dict[Role, list[Article]] = {"shown": [], "hidden": [], "follower": []}
        for made, role in self.live.values():
            of_role[role].append(made)
        return stories.cluster(
            of_role["shown"], hidden=of_role["hidden"], followers=of_role["follower"], clock=clock, **options
        )


@st.composite
def _articles(draw: st.DrawFn) -> Article:
    """One of fifteen articles, with few different words and addresses, so that much is similar, shared or listed."""
    number = draw(st.integers(0, 14))
    words = draw(st.lists(st.integers(0, 11), min_size=3, max_size=6))
    made = article(
        f"a{number:02}",
        " ".join(word(7919 * n) for n in words),
        draw(st.sampled_from(["", "", word(7919 * 3)])),
        hours=draw(st.sampled_from(HOURS)),
        provider=draw(st.sampled_from(["", "p.example"])),
        story=draw(st.sampled_from(["", "", "", "", "storm", "flood"])),
    )
    keys = draw(st.one_of(st.just([OWN_KEYS[number]]), st.lists(st.sampled_from(KEYS), max_size=2, unique=True)))
    return msgspec.structs.replace(
        made,
        url=f"https://{keys[0]}" if keys else "",
        keys=tuple(keys),
        related=RelatedEntries.of(draw(st.lists(_entries(), max_size=3))),
        quality=draw(st.sampled_from([None, 10, 20])),
        category=draw(st.sampled_from(["", "x"])),
        all_day=draw(st.booleans()),
        standalone=draw(st.integers(0, 7)) == 7,
    )


@st.composite
def _entries(draw: st.DrawFn) -> Related:
    """An entry that may lead to a file, to coverage that others list by another address, or to a front page."""
    keys = draw(st.lists(st.sampled_from([*OWN_KEYS, *KEYS, "front.example"]), min_size=1, max_size=2, unique=True))
    hours = draw(st.sampled_from([None, 10, 60, 700]))
    return Related(
        keys=tuple(keys), url=f"https://{keys[0]}", title=keys[0], excerpt=draw(st.sampled_from(["", "x"])),
        published=None if hours is None else START + timedelta(hours=hours), provider=keys[0].partition("/")[0],
        provider_name="", type="article", quality=draw(st.sampled_from([None, 50])), image=None,
    )  # fmt: skip


@settings(max_examples=150)
@given(st.data())
def test_any_history_gives_the_same_as_all_articles_at_once(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Lower limits, so that a few articles reach what otherwise takes many.
        patch.setattr(similarity, "DENSE", 30)
        patch.setattr(similarity, "PLACEHOLDER_COUNT", 4)
        patch.setattr(similarity, "DENSITY_DIGITS", data.draw(st.sampled_from([1, 2, 5])))
        patch.setattr(grouping, "CROWD", (5, 40))
        patch.setattr(tables, "PER_SHARD", data.draw(st.sampled_from([1, 64])))
        for module in (similarity, stories, tables):
            patch.setattr(module, "MANY", data.draw(st.sampled_from([1, 50_000])), raising=False)
        _edit(data)


def _edit(data: st.DataObject) -> None:
    archive = Archive(noise(data.draw(st.sampled_from([0, 40])), days=6))
    roles = st.sampled_from(["shown", "shown", "shown", "hidden", "follower"])
    clock, about = CLOCK, dict[str, About]()
    for _ in range(data.draw(st.integers(2, 8))):
        live = archive.live
        for made in data.draw(st.lists(_articles(), max_size=8, unique_by=lambda a: a.id)):
            live[made.id] = (made, data.draw(roles))
        for id in data.draw(st.lists(st.sampled_from(sorted(live)), max_size=4, unique=True)) if live else ():
            old, _ = live.pop(id)
            if data.draw(st.booleans()):
                live[id] = (old, data.draw(roles))
        if data.draw(st.booleans()):
            clock = START + timedelta(hours=data.draw(st.sampled_from([5, 50, 100, 800])))
            lead = data.draw(st.sampled_from([f"a{n:02}" for n in range(15)]))
            about = {"storm": About(id="storm.md", kind="story", key="storm", title="", lead=lead)}
        archive.update(clock=clock, about=about)
        assert archive.clusters == archive.from_nothing(clock=clock, about=about)
        if data.draw(st.booleans()):
            archive.save()
            archive.reopen()


@settings(max_examples=40)
@given(st.data())
def test_a_lost_value_raises_an_error_or_does_not_matter(data: st.DataObject) -> None:
    archive = Archive([*noise(40, days=6), *data.draw(st.lists(_articles(), max_size=10, unique_by=lambda a: a.id))])
    archive.update()
    archive.save()
    name = data.draw(st.sampled_from(sorted(archive.saved)))
    damaged = data.draw(st.booleans())
    if damaged:
        archive.saved[name] = archive.saved[name][:-1]
    elif name != "stories":
        del archive.saved[name]
    try:
        archive.reopen()
        for made in data.draw(st.lists(_articles(), max_size=4, unique_by=lambda a: a.id)):
            archive.live[made.id] = (made, "shown")
        archive.update()
    except LostError:
        archive.start_again()
        archive.update()
    assert archive.clusters == archive.from_nothing()


def test_a_history_of_real_news_gives_the_same_as_all_articles_at_once(data: Path) -> None:
    chance = random.Random(2020)
    articles = list(_stream(data, 5000, 6000))
    archive = Archive(chance.sample(articles, 600))
    live = archive.live
    joined = 0
    for step in range(12):
        for made in chance.sample(articles, chance.choice([1, 1, 5, 40])):
            live[made.id] = (made, "shown")
        for id in chance.sample(sorted(live), chance.choice([0, 1, 3])):
            live[id] = (msgspec.structs.replace(live[id][0], title=chance.choice(articles).title), "shown")
        for id in chance.sample(sorted(live), chance.choice([0, 1, 20])):
            del live[id]
        archive.update()
        joined += len(archive.clusters.stories)
        assert archive.clusters == archive.from_nothing()
        if step % 2:
            archive.save()
            archive.reopen()
    assert joined > 100


def _stream(data: Path, start: int, end: int) -> Iterator[Article]:
    with gzip.open(data / "data/stream2020_public.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in [json.loads(line) for line in file][start:end]:
            hours = (datetime.fromisoformat(row["published"]).astimezone(UTC) - START) / timedelta(hours=1)
            yield article(row["id"], row["title"], row["excerpt"], provider=row["domain"], hours=hours)


def pairs_of_stories() -> list[Article]:
    return [
        article("a", "Harbour bridge stuck open after first ship", hours=2),
        article("b", "Harbour bridge stuck open since first ship", hours=3),
        article("c", "Comet found by night class", hours=100),
        article("d", "Comet found by night school", hours=101),
    ]


def members(found: Mapping[str, Story | None]) -> dict[str, list[str] | None]:
    return {id: [m.id for m in story.members] if story else None for id, story in found.items()}


@pytest.mark.parametrize("reopen", [False, True])
def test_only_what_changed_is_named(reopen: bool) -> None:
    archive = Archive([*pairs_of_stories(), *noise(70)])
    changes = archive.update()
    assert members(changes.stories) == {"a": ["a", "b"], "c": ["c", "d"]}
    archive.save()
    if reopen:
        archive.reopen()
    assert archive.update() == Changes({}, {}, {}, {}, {})
    a, c = archive.live["a"][0], archive.live["c"][0]
    archive.live["c"] = (msgspec.structs.replace(c, body="More words."), "shown")
    assert members(archive.update().stories) == {"c": ["c", "d"]}
    archive.live["c"] = (msgspec.structs.replace(c, title="Ferry fares rise by a tenth"), "shown")
    assert members(archive.update().stories) == {"c": None}
    archive.live["a"] = (a, "hidden")
    changes = archive.update()
    assert changes.stories == {"a": None}
    assert (changes.successors, changes.origins) == ({"a": "b"}, {"b": "a"})
    del archive.live["a"]
    changes = archive.update()
    assert (changes.successors, changes.origins) == ({"a": None}, {"b": None})


def test_an_update_reads_and_writes_the_days_near_by_only() -> None:
    archive = Archive(noise(3000, days=300))
    archive.update()
    archive.save()
    archive.reopen()
    old = archive.live["noise7"][0]
    archive.live["noise7"] = (msgspec.structs.replace(old, title=f"{old.title} velmora"), "shown")
    archive.update()
    written = archive.save()
    day = similarity.day_number(old.published.timestamp())
    of_days = [name.split() for name in archive.fetched if name.split()[1:2] != ["stories"]]
    days = {int(number) for _, kind, number in (n for n in of_days if len(n) == 3) if kind in ("texts", "order")}
    assert days <= set(range(day - 3, day + 4))
    words = {int(number) for _, kind, number in (n for n in of_days if len(n) == 3) if kind == "words"}
    assert words <= set(range(day - 41, day + 42))
    assert len(archive.saved) > 500
    assert len(archive.fetched) < 150
    assert len(written) < 20
    assert sum(len(value or b"") for value in written.values()) < sum(map(len, archive.saved.values())) / 50


def test_other_rules_of_similarity_need_a_new_start() -> None:
    archive = Archive(pairs_of_stories())
    archive.update()
    archive.save()
    with pytest.raises(LostError):
        archive.reopen(similar=False)
    with pytest.raises(LostError):
        archive.reopen(join="more")


def test_near_misses_of_an_article_that_is_in_no_story() -> None:
    archive = Archive([*pairs_of_stories(), *noise(300)])
    archive.live["e"] = (article("e", "Comet class of night birds in Ostrane harbour ferry", hours=102), "shown")
    archive.update()
    assert archive._clusterer.near_misses("noise1") == ()
    assert {m.id for m in archive._clusterer.near_misses("e")} <= {"c", "d"}
