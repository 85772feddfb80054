"""`related` lists as they are: stale, wrong, one-way, doubled. A thousand articles with traps, and what must come of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

import msgspec
import pytest
from articles import START, article, word
from sites import Site

from newsgen import canonical
from newsgen.config import Config
from newsgen.library import Library
from newsgen.model import Article, Coverage, Related, RelatedEntries
from newsgen.stories import clusterer as stories

Make = Callable[..., Site]
DAYS = 60
NOW = START + timedelta(days=DAYS)


def entry(url: str, title: str, published: datetime | None = None) -> Related:
    """An entry as a file has it, by an address of any form."""
    domain = canonical.host(url.split("/")[2])
    return Related(
        keys=(canonical.key(url),), url=url, title=title, excerpt=f"About {title}", published=published, provider=domain, provider_name="",
        type="article", quality=None, image=None,
    )  # fmt: skip


class Planted:
    """Articles in words that no two of them share, with entries of every kind; and what they should make."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.files: dict[str, Article] = {}
        self.groups: list[set[str]] = []
        self._words = iter(self.chance.sample(range(26**4), 60_000))
        for plant in (
            self.mutual, self.rings, self.same, self.copies, self.doubled, self.stale, self.gone, self.wrong, self.circles, self.shared,
            self.vendors, self.selves, self.fronts, self.held, self.times, self.alone,
        ):  # fmt: skip
            plant()

    def words(self, count: int) -> str:
        return " ".join(word(26 * next(self._words) + 7) for _ in range(count))

    def file(
        self, url: str = "", *, days: float | None = None, held: bool = False, related: Iterable[Related] = ()
    ) -> Article:
        """One more file, at an address of its own or the one given, some time in the last two months."""
        number = len(self.files)
        url = url or f"https://p{number % 23}.example/{number}"
        days = self.chance.random() * DAYS if days is None else days
        made = msgspec.structs.replace(
            article(f"{number:04}.md", self.words(7), self.words(12), hours=24 * days),
            slug=f"{number:04}",
            url=url,
            keys=(canonical.key(url),),
            provider=canonical.host(url.split("/")[2]),
            topics=(f"Topic {number % 7}", f"Own {number}"),
            related=RelatedEntries.of(related),
            held=held,
        )
        self.files[made.id] = made
        return made

    def declare(self, one: Article, *others: Article | str, published: datetime | None = None) -> None:
        """Puts others into a file's list, files or addresses."""
        found = [o if isinstance(o, str) else self.spelled(o.url) for o in others]
        entries = [entry(url, self.words(4), published) for url in found]
        self.files[one.id] = msgspec.structs.replace(
            self.files[one.id], related=RelatedEntries.of((*self.files[one.id].related, *entries))
        )

    def spelled(self, url: str) -> str:
        """The same address in one of its many forms."""
        rest = url.removeprefix("https://")
        return self.chance.choice(
            [url, f"{url}?utm_source=feed&utm_medium=rss", f"{url}/amp/", f"http://www.{rest}", f"{url}?fbclid=x1#top", f"https://m.{rest}/"]
        )  # fmt: skip

    def mutual(self) -> None:
        """Pairs that declare each other: stories."""
        for _ in range(60):
            one = self.file()
            other = self.file(days=min(DAYS, (one.published - START) / timedelta(days=1) + self.chance.random()))
            self.declare(one, other)
            self.declare(other, one)
            self.groups.append({one.id, other.id})

    def rings(self) -> None:
        """Three that all declare each other: stories."""
        for _ in range(20):
            three = [self.file() for _ in range(3)]
            for one in three:
                self.declare(one, *(o for o in three if o is not one))
            self.groups.append({a.id for a in three})

    def same(self) -> None:
        """Files of one address in its many forms: stories."""
        for size in (2, 2, 2, 3, 4) * 12:
            first = self.file()
            found = [first, *(self.file(self.spelled(first.url)) for _ in range(size - 1))]
            self.groups.append({a.id for a in found})

    def copies(self) -> None:
        """Files that have another one's address as that of their AMP copy: stories."""
        for _ in range(20):
            one, other = self.file(), self.file()
            self.files[other.id] = msgspec.structs.replace(other, keys=other.keys + one.keys)
            self.groups.append({one.id, other.id})

    def doubled(self) -> None:
        """Pairs that declare each other, and one has a second file under another form of its address: stories."""
        for _ in range(20):
            one, other = self.file(), self.file()
            second = self.file(self.spelled(other.url))
            for each in (other, second):
                self.declare(one, each)
                self.declare(each, one)
            self.groups.append({one.id, other.id, second.id})

    def stale(self) -> None:
        """Lists that lead years back."""
        old = [self.file(days=-365 * n / 10 - 300) for n in range(40)]
        for _ in range(60):
            self.declare(self.file(), *self.chance.sample(old, 3))

    def gone(self) -> None:
        """Lists of what has no file, dated long ago or not at all."""
        for n in range(60):
            published = self.chance.choice([None, START - timedelta(days=900 + n)])
            self.declare(self.file(), f"https://gone.example/{n}", f"https://gone.example/{n}/b", published=published)

    def wrong(self) -> None:
        """Lists of other events, one way; many name the same, and what they name names others."""
        files = [self.file() for _ in range(200)]
        for at, one in enumerate(files):
            self.declare(one, *self.chance.sample(files[at + 1 :], min(3, len(files) - at - 1)))
        for group in self.groups:
            if self.chance.random() < 0.5:
                self.declare(self.chance.choice(files), *(self.files[id] for id in sorted(group)))

    def circles(self) -> None:
        """Each names the next and the last the first; but no two each other."""
        for size in (3, 4, 7) * 6:
            files = [self.file() for _ in range(size)]
            for at, one in enumerate(files):
                self.declare(one, files[(at + 1) % size])

    def shared(self) -> None:
        """Two that both name a third, which has no file."""
        for n in range(30):
            for one in (self.file(), self.file()):
                self.declare(one, self.spelled(f"https://shared.example/{n}"))

    def vendors(self) -> None:
        """One publisher's five unrelated posts in one list, some of which have files."""
        for n in range(30):
            posts = [f"https://vendor.example/{n}/{post}" for post in range(5)]
            for url in posts[:3]:
                self.file(url)
            self.declare(self.file(), *posts)
            self.declare(self.file(f"https://vendor.example/{n}/more"), *posts)

    def selves(self) -> None:
        """Lists of the article itself."""
        for _ in range(30):
            one = self.file()
            self.declare(one, one, one)

    def fronts(self) -> None:
        """Articles that give a publisher's front page as their address, and each other's."""
        for n in range(10):
            one, other = self.file(f"https://front{n}.example/"), self.file(f"https://www.front{n}.example")
            self.declare(one, other.url)
            self.declare(other, one.url)

    def held(self) -> None:
        """Pairs that declare each other, of which one is held; and two files that know each other by way of it."""
        for _ in range(40):
            one, other, held = self.file(), self.file(), self.file(held=True)
            self.declare(one, held)
            self.declare(other, held)
            self.declare(held, one, other)

    def times(self) -> None:
        """RelatedEntries dated in the future."""
        for n in range(30):
            url = f"https://later.example/{n}"
            self.declare(self.file(), url, published=NOW + timedelta(days=n * n))

    def alone(self) -> None:
        for _ in range(100):
            self.file()

    @property
    def published(self) -> dict[str, Article]:
        return {id: a for id, a in self.files.items() if not a.held}


@cache
def planted() -> tuple[Planted, Library]:
    made = Planted(11)
    return made, Library.of(made.files.values(), (), Config(), now=NOW)


def test_the_stories_of_files_are_those_that_were_planted() -> None:
    made, library = planted()
    assert len(made.published) > 1000
    assert len(made.groups) == 180
    files = [{m.id for m in s.members if isinstance(m, Article)} for s in library.stories]
    assert sorted(map(sorted, (f for f in files if len(f) > 1))) == sorted(map(sorted, made.groups))
    kinds = {e.kind for s in library.stories for e in s.evidence}
    assert kinds == {"same address", "mutual", "declared"}


def test_a_file_is_in_one_story_at_most() -> None:
    _, library = planted()
    ids = [m.id for s in library.stories for m in s.members if isinstance(m, Article)]
    assert len(ids) == len(set(ids))
    for story in library.stories:
        assert len({m.id for m in story.members}) == len(story.members) > 1


def test_what_one_side_declares_is_kept_in_mind_and_joins_nothing() -> None:
    made, library = planted()
    one_way = {
        (a.id, target)
        for a in made.published.values()
        for target in library.targets.get(a.id, ())
        if target in made.published and a.id not in library.targets.get(target, ())
    }
    assert len(one_way) > 500
    together = {frozenset(g) for g in made.groups}
    for id, target in sorted(one_way):
        joined = any({id, target} <= group for group in together)
        story = library.story_of.get(id)
        assert (story is not None and target in {m.id for m in story.members}) == joined


def test_held_files_are_coverage_elsewhere_and_none_of_their_words_is_told() -> None:
    made, library = planted()
    held = {a.keys[0]: a for a in made.files.values() if a.held}
    assert len(held) == 40
    for key, file in held.items():
        told = [s for s in library.stories if f"~//{key}" in {m.id for m in s.members}]
        assert len(told) == 2, "a story for each file that declares it"
        piece = library.by_id[f"~//{key}"]
        assert isinstance(piece, Coverage)
        assert file.id not in library.by_id
        assert canonical.key(piece.url) == key
    words = {w for a in held.values() for w in f"{a.title} {a.excerpt}".split()}
    own = {t for a in held.values() for t in a.topics if t.startswith("Own")}
    for member in (*library.members, *(m for s in library.stories for m in s.members)):
        assert words.isdisjoint(f"{member.title} {member.excerpt}".split())
        assert own.isdisjoint(member.topics)


def test_coverage_has_its_first_declarer_s_topics_and_no_date_after_the_clock() -> None:
    made, library = planted()
    owned = {key for a in made.published.values() for key in a.keys if canonical.joins(key)}
    first: dict[str, tuple[Article, Related]] = {}
    for file in sorted(made.published.values(), key=lambda a: (a.published, a.id)):
        for each in file.related:
            if each.keys[0] not in owned:
                first.setdefault(f"~//{each.keys[0]}", (file, each))
    pieces = {m.id: m for m in library.members if isinstance(m, Coverage)}
    assert pieces.keys() == first.keys()
    assert len(pieces) > 250
    assert library.clock == max(a.published for a in made.published.values())
    for id, piece in pieces.items():
        file, said = first[id]
        assert (piece.topics, piece.category, piece.title) == (file.topics, file.category, said.title)
        assert piece.published == min(said.published or file.published, library.clock)
        assert id in {m.id for m in library.story_of[file.id].members}


def test_the_order_of_a_thousand_files_changes_nothing() -> None:
    made, library = planted()
    files = list(made.published.values())
    random.Random(3).shuffle(files)
    assert stories.cluster(files, clock=library.clock).stories == library.stories


@pytest.mark.parametrize(
    "names",
    [
        "abc",
        "acb",
    ],
)
def test_a_file_that_declares_one_of_two_at_an_address_declares_both(names: str) -> None:
    first, silent, telling = (f"{n}.md" for n in names)
    one = msgspec.structs.replace(
        article(first, "Orvik"), related=RelatedEntries.of([entry("https://x.example/two", "Two")])
    )
    two = [
        msgspec.structs.replace(article(id, w), keys=("x.example/two",)) for id, w in ((silent, "Elm"), (telling, "Un"))
    ]
    two[1] = msgspec.structs.replace(two[1], related=RelatedEntries.of([entry(f"https://{one.keys[0]}", "One")]))
    found = stories.cluster([one, *two], clock=NOW).stories
    assert [{m.id for m in s.members} for s in found] == [{"a.md", "b.md", "c.md"}]


def test_a_held_file_leaves_no_trace_but_what_others_say_of_it(site: Make) -> None:
    s = site('-- site.toml --\nbase_url = "https://news.example/"\n')
    more = 'related:\n  - title: "Seen from outside"\n    webUrl: "https://h.example/1/amp/?utm_source=x"\n'
    s.article("open", webUrl="https://o.example/1", topics="[Rail]", more=more)
    more = 'related:\n  - title: "Named inside"\n    webUrl: "https://o.example/1"\n  - title: "Third"\n    webUrl: "https://t.example/1"\n'
    s.article(
        "shut", title="Secret headline", excerpt="Secret words", webUrl="https://h.example/1", topics="[Secret topic]",
        published="false", body="Secret body", more=more,
    )  # fmt: skip
    s.good()
    library = s.load().library
    assert [[m.id for m in x.members] for x in library.stories] == [["open.md", "~//h.example/1"]]
    assert library.by_id["~//h.example/1"].topics == ("Rail",)
    everything = b"".join(s.tree().values()).decode()
    for told in ("Secret", "secret", "Named inside", "t.example", "/shut"):
        assert told not in everything
    assert "Seen from outside" in s.read("story/2026/11/08/open/index.html")
    s.edit("content/shut.md", "published: false", "published: true")
    s.good()
    assert [{m.id for m in x.members} for x in s.load().library.stories] == [{"open.md", "shut.md", "~//t.example/1"}]
