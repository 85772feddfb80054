"""Related entries as they occur (outdated, wrong, one-way, duplicated), in a thousand articles with known stories."""

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
from newsgen.library import Library, library_of
from newsgen.model import Article, Coverage, Related, RelatedEntries
from newsgen.stories import clusterer as stories

Make = Callable[..., Site]
DAYS = 60
NOW = START + timedelta(days=DAYS)


def entry(url: str, title: str, published: datetime | None = None) -> Related:
    """A related entry for a URL in any form."""
    domain = canonical.host(url.split("/")[2])
    return Related(
        keys=(canonical.key(url),), url=url, title=title, excerpt=f"About {title}", published=published, provider=domain, provider_name="",
        type="article", quality=None, image=None,
    )  # fmt: skip


class Corpus:
    """Articles that share no words, with related entries of every kind, and the expected groups."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.files: dict[str, Article] = {}
        self.groups: list[set[str]] = []
        self._words = iter(self.chance.sample(range(26**4), 60_000))
        for generate in (
            self.mutual, self.rings, self.same, self.copies, self.doubled, self.stale, self.gone, self.wrong, self.circles, self.shared,
            self.vendors, self.selves, self.fronts, self.held, self.times, self.alone,
        ):  # fmt: skip
            generate()

    def words(self, count: int) -> str:
        return " ".join(word(26 * next(self._words) + 7) for _ in range(count))

    def file(
        self, url: str = "", *, days: float | None = None, held: bool = False, related: Iterable[Related] = ()
    ) -> Article:
        """Adds a file with its own URL or the given one, and a random time within two months."""
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
        """Adds related entries for other files or URLs to a file."""
        urls = [o if isinstance(o, str) else self.variant(o.url) for o in others]
        entries = [entry(url, self.words(4), published) for url in urls]
        self.files[one.id] = msgspec.structs.replace(
            self.files[one.id], related=RelatedEntries.of((*self.files[one.id].related, *entries))
        )

    def variant(self, url: str) -> str:
        """A URL with the same canonical key."""
        rest = url.removeprefix("https://")
        return self.chance.choice(
            [url, f"{url}?utm_source=feed&utm_medium=rss", f"{url}/amp/", f"http://www.{rest}", f"{url}?fbclid=x1#top", f"https://m.{rest}/"]
        )  # fmt: skip

    def mutual(self) -> None:
        """Pairs that list each other: stories."""
        for _ in range(60):
            one = self.file()
            other = self.file(days=min(DAYS, (one.published - START) / timedelta(days=1) + self.chance.random()))
            self.declare(one, other)
            self.declare(other, one)
            self.groups.append({one.id, other.id})

    def rings(self) -> None:
        """Three files that all list each other: stories."""
        for _ in range(20):
            three = [self.file() for _ in range(3)]
            for one in three:
                self.declare(one, *(o for o in three if o is not one))
            self.groups.append({a.id for a in three})

    def same(self) -> None:
        """Files whose URLs have one canonical key: stories."""
        for size in (2, 2, 2, 3, 4) * 12:
            first = self.file()
            files = [first, *(self.file(self.variant(first.url)) for _ in range(size - 1))]
            self.groups.append({a.id for a in files})

    def copies(self) -> None:
        """Files whose AMP address is the address of another file: stories."""
        for _ in range(20):
            one, other = self.file(), self.file()
            self.files[other.id] = msgspec.structs.replace(other, keys=other.keys + one.keys)
            self.groups.append({one.id, other.id})

    def doubled(self) -> None:
        """Pairs that list each other, where one has a second file with the same address: stories."""
        for _ in range(20):
            one, other = self.file(), self.file()
            second = self.file(self.variant(other.url))
            for each in (other, second):
                self.declare(one, each)
                self.declare(each, one)
            self.groups.append({one.id, other.id, second.id})

    def stale(self) -> None:
        """Entries for articles from years ago."""
        old = [self.file(days=-365 * n / 10 - 300) for n in range(40)]
        for _ in range(60):
            self.declare(self.file(), *self.chance.sample(old, 3))

    def gone(self) -> None:
        """Entries without a file, with an old date or none."""
        for n in range(60):
            published = self.chance.choice([None, START - timedelta(days=900 + n)])
            self.declare(self.file(), f"https://gone.example/{n}", f"https://gone.example/{n}/b", published=published)

    def wrong(self) -> None:
        """One-way entries for other events: in chains, and many for the same file."""
        files = [self.file() for _ in range(200)]
        for at, one in enumerate(files):
            self.declare(one, *self.chance.sample(files[at + 1 :], min(3, len(files) - at - 1)))
        for group in self.groups:
            if self.chance.random() < 0.5:
                self.declare(self.chance.choice(files), *(self.files[id] for id in sorted(group)))

    def circles(self) -> None:
        """Rings in which each file lists only the next one."""
        for size in (3, 4, 7) * 6:
            files = [self.file() for _ in range(size)]
            for at, one in enumerate(files):
                self.declare(one, files[(at + 1) % size])

    def shared(self) -> None:
        """Two files that list the same coverage."""
        for n in range(30):
            for one in (self.file(), self.file()):
                self.declare(one, self.variant(f"https://shared.example/{n}"))

    def vendors(self) -> None:
        """Five unrelated posts of one publisher in one file's entries, some of which have files."""
        for n in range(30):
            posts = [f"https://vendor.example/{n}/{post}" for post in range(5)]
            for url in posts[:3]:
                self.file(url)
            self.declare(self.file(), *posts)
            self.declare(self.file(f"https://vendor.example/{n}/more"), *posts)

    def selves(self) -> None:
        """Entries for the article itself."""
        for _ in range(30):
            one = self.file()
            self.declare(one, one, one)

    def fronts(self) -> None:
        """Files whose URL is a publisher's front page, and which list each other."""
        for n in range(10):
            one, other = self.file(f"https://front{n}.example/"), self.file(f"https://www.front{n}.example")
            self.declare(one, other.url)
            self.declare(other, one.url)

    def held(self) -> None:
        """Two files that list each other only through a held file between them."""
        for _ in range(40):
            one, other, held = self.file(), self.file(), self.file(held=True)
            self.declare(one, held)
            self.declare(other, held)
            self.declare(held, one, other)

    def times(self) -> None:
        """Entries dated in the future."""
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
def corpus() -> tuple[Corpus, Library]:
    made = Corpus(11)
    return made, library_of(made.files.values(), (), Config(), now=NOW)


def test_the_stories_are_the_expected_groups() -> None:
    made, library = corpus()
    assert len(made.published) > 1000
    assert len(made.groups) == 180
    files = [{m.id for m in s.members if isinstance(m, Article)} for s in library.stories]
    assert sorted(map(sorted, (f for f in files if len(f) > 1))) == sorted(map(sorted, made.groups))
    kinds = {e.kind for s in library.stories for e in s.evidence}
    assert kinds == {"same address", "mutual", "declared"}


def test_a_file_is_in_at_most_one_story() -> None:
    _, library = corpus()
    ids = [m.id for s in library.stories for m in s.members if isinstance(m, Article)]
    assert len(ids) == len(set(ids))
    for story in library.stories:
        assert len({m.id for m in story.members}) == len(story.members) > 1


def test_one_way_entries_are_targets_but_join_nothing() -> None:
    made, library = corpus()
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


def test_held_files_appear_only_as_coverage_in_the_words_of_others() -> None:
    made, library = corpus()
    held = {a.keys[0]: a for a in made.files.values() if a.held}
    assert len(held) == 40
    for key, file in held.items():
        containing = [s for s in library.stories if f"~//{key}" in {m.id for m in s.members}]
        assert len(containing) == 2, "one story for each file that lists it"
        coverage = library.by_id[f"~//{key}"]
        assert isinstance(coverage, Coverage)
        assert file.id not in library.by_id
        assert canonical.key(coverage.url) == key
    words = {w for a in held.values() for w in f"{a.title} {a.excerpt}".split()}
    own = {t for a in held.values() for t in a.topics if t.startswith("Own")}
    for member in (*library.members, *(m for s in library.stories for m in s.members)):
        assert words.isdisjoint(f"{member.title} {member.excerpt}".split())
        assert own.isdisjoint(member.topics)


def test_coverage_takes_its_facts_from_the_earliest_file_and_no_date_after_the_clock() -> None:
    made, library = corpus()
    keys_of_files = {key for a in made.published.values() for key in a.keys if canonical.identifies_text(key)}
    first: dict[str, tuple[Article, Related]] = {}
    for file in sorted(made.published.values(), key=lambda a: (a.published, a.id)):
        for each in file.related:
            if each.keys[0] not in keys_of_files:
                first.setdefault(f"~//{each.keys[0]}", (file, each))
    coverage = {m.id: m for m in library.members if isinstance(m, Coverage)}
    assert coverage.keys() == first.keys()
    assert len(coverage) > 250
    assert library.clock == max(a.published for a in made.published.values())
    for id, member in coverage.items():
        file, listed = first[id]
        assert (member.topics, member.category, member.title) == (file.topics, file.category, listed.title)
        assert member.published == min(listed.published or file.published, library.clock)
        assert id in {m.id for m in library.story_of[file.id].members}


def test_the_result_does_not_depend_on_the_order_of_a_thousand_files() -> None:
    made, library = corpus()
    files = list(made.published.values())
    random.Random(3).shuffle(files)
    assert stories.cluster(files, clock=library.clock).stories == tuple(library.stories)


@pytest.mark.parametrize(
    "names",
    [
        "abc",
        "acb",
    ],
)
def test_a_file_that_lists_one_of_two_files_at_an_address_lists_both(names: str) -> None:
    first, duplicate, lister = (f"{n}.md" for n in names)
    one = msgspec.structs.replace(
        article(first, "Orvik"), related=RelatedEntries.of([entry("https://x.example/two", "Two")])
    )
    two = [
        msgspec.structs.replace(article(id, w), keys=("x.example/two",))
        for id, w in ((duplicate, "Elm"), (lister, "Un"))
    ]
    two[1] = msgspec.structs.replace(two[1], related=RelatedEntries.of([entry(f"https://{one.keys[0]}", "One")]))
    found = stories.cluster([one, *two], clock=NOW).stories
    assert [{m.id for m in s.members} for s in found] == [{"a.md", "b.md", "c.md"}]


def test_a_held_file_leaves_no_trace_except_in_entries_of_others(site: Make) -> None:
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
    for text in ("Secret", "secret", "Named inside", "t.example", "/shut"):
        assert text not in everything
    assert "Seen from outside" in s.read("2026/11/08/open/index.html")
    s.edit("content/shut.md", "published: false", "published: true")
    s.good()
    assert [{m.id for m in x.members} for x in s.load().library.stories] == [{"open.md", "shut.md", "~//t.example/1"}]
