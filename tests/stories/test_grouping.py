"""After any edits, incremental clustering gives the same stories as clustering from scratch."""

from __future__ import annotations

import gzip
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from articles import START, article, noise, word
from hypothesis import given, settings
from hypothesis import strategies as st

from newsgen.model import Article, Related, RelatedEntries
from newsgen.stories import clusterer as stories
from newsgen.stories import grouping, similarity
from newsgen.stories.clusterer import Clusterer

CLOCK = START + timedelta(days=400)


def related(*urls: str) -> RelatedEntries:
    return RelatedEntries.of(
        Related(keys=(u,), url=f"https://{u}", title=u, excerpt="", published=None, provider=u.partition("/")[0], provider_name="",
                type="article", quality=None, image=None)
        for u in urls
    )  # fmt: skip


@st.composite
def _articles(draw: st.DrawFn) -> Article:
    """One of fifteen articles, with few different words, so that many are similar, and up to two related entries."""
    number = draw(st.integers(0, 14))
    words = draw(st.lists(st.integers(0, 11), min_size=3, max_size=6))
    made = article(
        f"a{number:02}",
        " ".join(word(7919 * n) for n in words),
        hours=draw(st.sampled_from([0, 3, 20, 30, 47, 50, 70, 99, 600])),
        provider=draw(st.sampled_from(["", "p.example"])),
        story=draw(st.sampled_from(["", "", "", "", "storm", "flood"])),
    )
    others = draw(st.lists(st.integers(0, 14), max_size=2))
    return msgspec.structs.replace(made, related=related(*(f"x.example/a{n:02}" for n in others)))


@settings(max_examples=150)
@given(st.data())
def test_incremental_clustering_equals_clustering_from_scratch(data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # Lower limits, so that a few articles reach what otherwise takes many.
        patch.setattr(similarity, "DENSE", 30)
        patch.setattr(similarity, "PLACEHOLDER_COUNT", 4)
        patch.setattr(similarity, "DENSITY_DIGITS", data.draw(st.sampled_from([1, 2, 5])))
        patch.setattr(grouping, "CROWD", (5, 40))
        _edit(data)


def saved_and_loaded(clusterer: Clusterer, saved: dict[str, bytes], *, save: bool = True) -> Clusterer:
    """A new clusterer, loaded from what this one saves, as in another process."""
    if save:
        saved |= dict(clusterer.dump())
    other = Clusterer()
    other.load(saved.get)
    return other


def _edit(data: st.DataObject) -> None:
    live = {a.id: a for a in noise(40, days=6)}
    clusterer = Clusterer()
    saved: dict[str, bytes] = {}
    for _ in range(data.draw(st.integers(2, 8))):
        if data.draw(st.booleans()):
            clusterer = saved_and_loaded(clusterer, saved)
        if saved and data.draw(st.integers(0, 4)) == 0:
            del saved[data.draw(st.sampled_from(sorted(saved)))]
            clusterer = saved_and_loaded(Clusterer(), saved, save=False)
        for made in data.draw(st.lists(_articles(), max_size=8)):
            live[made.id] = made
        for id in data.draw(st.lists(st.sampled_from(sorted(live)), max_size=4)):
            live.pop(id, None)
        assert clusterer.cluster(live.values(), clock=CLOCK) == stories.cluster(live.values(), clock=CLOCK)


def test_incremental_clustering_of_real_news_equals_clustering_from_scratch(data: Path) -> None:
    chance = random.Random(2020)
    with gzip.open(data / "data/stream2020_public.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][5000:6000]
    articles = [
        article(r["id"], r["title"], r["excerpt"], provider=r["domain"],
                hours=(datetime.fromisoformat(r["published"]).astimezone(UTC) - START) / timedelta(hours=1))
        for r in rows
    ]  # fmt: skip
    live = {a.id: a for a in chance.sample(articles, 600)}
    clusterer = Clusterer()
    joined = 0
    saved: dict[str, bytes] = {}
    for step in range(12):
        if step % 2:
            clusterer = saved_and_loaded(clusterer, saved)
            # The texts of a day are loaded only when they are needed.
            assert not clusterer.grouping.similarity._texts
        for made in chance.sample(articles, chance.choice([1, 1, 5, 40])):
            live[made.id] = made
        for id in chance.sample(sorted(live), chance.choice([0, 1, 3])):
            live[id] = msgspec.structs.replace(live[id], title=chance.choice(articles).title)
        for id in chance.sample(sorted(live), chance.choice([0, 1, 20])):
            del live[id]
        found = clusterer.cluster(live.values(), clock=CLOCK)
        joined += len(found.stories)
        assert found == stories.cluster(live.values(), clock=CLOCK)
    assert joined > 100


@pytest.mark.parametrize("edit", ["title", "date", "gone"])
def test_an_edit_leaves_other_stories_as_the_same_objects(edit: str) -> None:
    pair = [article("a", "Harbour bridge stuck open after first ship", hours=2)]
    pair += [article("b", "Harbour bridge stuck open since first ship", hours=3)]
    other = [
        article("c", "Comet found by night class", hours=100),
        article("d", "Comet found by night school", hours=101),
    ]
    clusterer = Clusterer()
    before = clusterer.cluster([*pair, *other, *noise(70)], clock=CLOCK).stories
    assert [[m.id for m in s.members] for s in before] == [["a", "b"], ["c", "d"]]
    edited = {
        "title": [msgspec.structs.replace(other[0], title="Ferry fares rise by a tenth"), other[1]],
        "date": [msgspec.structs.replace(other[0], published=START), other[1]],
        "gone": other[1:],
    }[edit]
    after = clusterer.cluster([*pair, *edited, *noise(70)], clock=CLOCK).stories
    assert [[m.id for m in s.members] for s in after] == [["a", "b"]]
    assert after[0] is before[0]
