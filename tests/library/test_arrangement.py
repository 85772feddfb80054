"""A library that is brought up to date, and the plan of its pages, are those of a library from nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from articles import START, article, word

from newsgen.config import Config, Feeds, Pages, Redirects
from newsgen.library import AXES, Arrangement, Library, Reached, library_of
from newsgen.model import About, Article, Related, RelatedEntries
from newsgen.pages import PageRef, Plan
from newsgen.store import LostError, Store

STEPS, EDITS = 14, 3
EVENTS = ["harbour bridge stuck open after first ship", "night class finds green comet above observatory"]


class History:
    """A site that is edited and updated. Between updates it is only what its store has saved."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.files: dict[str, Article] = {}
        self.saved: dict[str, bytes] = {}
        self.refs: dict[str, PageRef] = {}
        self.now = START + timedelta(days=30)
        self.config = Config(
            base_url="https://news.example",
            page_size=self.chance.choice([3, 5, 9]),
            feed_size=4,
            pages=Pages(articles=self.chance.choice(["own", "all"])),
            feeds=Feeds(sections=("atom",), min_members=2),
            redirects=Redirects(pages=seed % 2 == 0),
        )
        self.abouts = [
            About(id="_topics/a.md", kind="topic", key="a", title="A", parent="B"),
            About(id="_topics/c.md", kind="topic", key="c", title="", parent="A", synonyms=("Sea",)),
        ]
        self.count = 0

    def put(self, value: bytes | None, name: str) -> None:
        if value is None:
            self.saved.pop(name, None)
        else:
            self.saved[name] = value

    def add(self) -> str:
        self.count += 1
        chance, id = self.chance, f"a{self.count:03}.md"
        event = chance.choice([*EVENTS, f"{word(self.count)} {word(self.count + 999)}"])
        new = article(id, f"{event.capitalize()} {word(self.count * 7)}", hours=chance.randrange(240))
        self.files[id] = msgspec.structs.replace(
            new,
            slug=f"a{self.count % 30}",
            provider=f"p{chance.randrange(5)}.example",
            provider_name=chance.choice(["", "Post", "Gazette"]),
            topics=tuple(chance.sample(["A", "B", "C", "Sea", "a"], chance.randrange(3))),
            category=chance.choice(["", "news", "News", "sport"]),
            quality=chance.randrange(100),
            body=chance.choice(["", "", f"<p>Body {self.count}</p>"]),
            digest=id.encode(),
        )
        return id

    def edit(self) -> str:
        chance = self.chance
        if len(self.files) < 12 or chance.random() < 0.3:
            return self.add()
        id = chance.choice(sorted(self.files))
        if chance.random() < 0.15:
            del self.files[id]
            return id
        old, other = self.files[id], self.files[chance.choice(sorted(self.files))]
        entry = Related(
            keys=other.keys if chance.random() < 0.5 else (f"elsewhere.example/{chance.randrange(4)}",),
            url="https://elsewhere.example/1", title="Elsewhere", excerpt="", published=None, provider="e.example",
            provider_name="", type="article", quality=None, image=None,
        )  # fmt: skip
        changes: list[dict[str, Any]] = [
            {"title": f"{chance.choice(EVENTS)} {word(chance.randrange(99))}"},
            {"excerpt": f"Words {chance.randrange(9)}"},
            {"body": f"<p>{chance.randrange(9)}</p>"},
            {"topics": tuple(chance.sample(["A", "B", "C", "Sea"], chance.randrange(3)))},
            {"category": chance.choice(["", "news", "culture"])},
            {"provider": f"p{chance.randrange(6)}.example", "provider_name": chance.choice(["Times", "Post"])},
            {"quality": chance.randrange(100)},
            {"published": START + timedelta(hours=chance.randrange(240))},
            {"expires": chance.choice([None, START, self.now + timedelta(hours=5)])},
            {"updated": chance.choice([None, self.now - timedelta(hours=1), self.now + timedelta(hours=3)])},
            {"held": True},
            {"held": False},
            {"story": chance.choice(["", "storm", "flood"])},
            {"slug": f"a{chance.randrange(9)}"},
            {"related": RelatedEntries.of([entry])},
            {"aliases": chance.choice([(), (f"/old/{chance.randrange(60)}/",)])},
            {"pin": chance.choice([None, self.now + timedelta(days=1)])},
        ]
        change = chance.choice(changes)
        self.count += 1
        self.files[id] = msgspec.structs.replace(old, **change, digest=f"{id} {self.count}".encode())
        return id

    def update(self, edited: set[str]) -> tuple[Library, Plan]:
        store = Store(self.saved.get, lambda name, value: self.put(value, name))
        arrangement = Arrangement(store, self.files.__getitem__, self.config, self.abouts, now=self.now)
        changed = [id for id in edited if id in self.files]
        reached = arrangement.update(changed, [id for id in edited if id not in self.files])
        planned = Plan(arrangement.library, reached)
        arrangement.save()
        planned.save()
        store.save()
        if planned.is_whole:
            self.refs = {}
        for path in planned.removed:
            del self.refs[path]
        self.refs |= planned.refs
        return arrangement.library, planned


def facts(library: Library) -> dict[str, Any]:
    found: dict[str, Any] = {
        axis: {key: summary(library, axis, key) for key in library.sections[axis]} for axis in AXES
    }
    found["members"] = [(member, library.page(member)) for member in library.members]
    found["stories"] = list(library.stories)
    found["providers"] = dict(library.providers)
    found["stats"] = {domain: library.stats(domain) for domain in library.providers}
    site = library.facts
    found["site"] = (
        library.clock, site.gates, site.published, site.coverage, site.stories, site.closed, sorted(site.expired),
        sorted(site.aliases), sorted(site.pins), {name: dict(sorted(ids.items())) for name, ids in site.named.items()},
    )  # fmt: skip
    found["mentions"] = list(library.mentions("topic"))
    return found


def summary(library: Library, axis: str, key: str) -> Any:
    section = library.sections[axis][key]
    return section.title, section.count, section.newest, [m.id for m in section.members], section.facts


@pytest.mark.parametrize("seed", range(10))
def test_an_update_gives_what_a_library_from_nothing_gives(seed: int) -> None:
    history = History(seed)
    for step in range(STEPS):
        if history.chance.random() < 0.2:
            history.now += timedelta(hours=history.chance.choice([2, 4, -3]))
        edited = {history.edit() for _ in range(30 if step == 0 else history.chance.randrange(EDITS))}
        library, planned = history.update(edited)
        clean = library_of(history.files.values(), history.abouts, history.config, now=history.now)
        assert facts(library) == facts(clean)
        expected = Plan(clean, Reached(everything=True))
        assert history.refs == expected.refs
        assert planned.problems == expected.problems
        assert len(planned) == len(expected.refs)
        assert all(path in planned for path in expected.refs)


@pytest.mark.parametrize("seed", [2, 5])
def test_an_edit_plans_a_part_of_the_site(seed: int) -> None:
    history = History(seed)
    history.update({history.add() for _ in range(40)})
    _, planned = history.update({history.add()})
    assert not planned.is_whole
    assert len(planned.refs) < len(planned) / 2


def names(history: History) -> Iterator[str]:
    yield from sorted(history.saved)


def test_a_value_that_is_lost_is_noticed_or_not_needed() -> None:
    history = History(3)
    history.update({history.add() for _ in range(40)})
    history.update(set())
    saved, refs, files = dict(history.saved), dict(history.refs), dict(history.files)
    lost = 0
    for name in list(names(history))[::7]:
        for damaged in (b"\xc1", saved[name][:-1]):
            history.saved, history.refs, history.files = {**saved, name: damaged}, dict(refs), dict(files)
            try:
                history.update({history.edit()})
            except LostError:
                lost += 1
    assert lost > 20
