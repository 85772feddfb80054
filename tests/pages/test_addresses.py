"""Every address that a site ever had keeps working, whatever happens to its article or story."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from articles import START, article
from hypothesis import given, settings
from hypothesis import strategies as st

from newsgen import urls
from newsgen.config import Config, Kind, Redirects
from newsgen.library import Library
from newsgen.model import Article, Related, RelatedEntries
from newsgen.pages.kinds import ArticlePage, AtomFeed, Feed, RedirectPage, RedirectsPage, StoryPage
from newsgen.pages.planner import plan

NOW = START + timedelta(days=99)
COUNT = 40
TITLES = [
    "Harbour bridge stuck open after first ship",
    "Harbour bridge stuck open since first ship",
    "Comet found by night class",
    "Comet found by night school",
    "Ferry fares rise by a tenth",
]


def config(*, file: bool = False, without: tuple[Kind, ...] = ()) -> Config:
    """A site that redirects old addresses by stubs, or by the lines of `_redirects` only."""
    redirects = Redirects(pages=not file, file=file)
    return Config(base_url="https://news.example/sub", feed_size=99, redirects=redirects, disable_kinds=without)


def make_article(number: int, title: str = "", **fields: Any) -> Article:
    """An article at hour `number`. Without a title it is similar to no other."""
    title = title or " ".join(
        f"{chr(97 + number % 26)}{chr(97 + number // 26)}{w}" for w in ("orvik", "elmat", "unsol")
    )
    new = article(f"a{number:02}.md", title, hours=number)
    return msgspec.structs.replace(new, **({"slug": f"a{number:02}"} | fields))


def related(*others: Article) -> RelatedEntries:
    return RelatedEntries.of(
        Related(
            keys=a.keys, url=a.url, title=a.title, excerpt="", published=None, provider=a.provider, provider_name="",
            type="article", quality=None, image=None,
        )
        for a in others
    )  # fmt: skip


class State:
    """A planned site, and what its addresses lead to."""

    def __init__(self, articles: Iterable[Article], config: Config) -> None:
        self.library = Library.of(articles, (), config, now=NOW)
        planned = plan(self.library)
        pages, problems = list(planned.pages()), planned.problems
        assert problems == ()
        self.pages = {page.path: page for page in pages}
        file = self.pages.get("_redirects")
        self.lines = {line.title: line.url for line in file.redirects} if isinstance(file, RedirectsPage) else {}
        self.ids = {address: id for id, address in self.library.address.items()}

    def built(self) -> set[str]:
        """The addresses of articles and stories, and the old addresses that redirect to them."""
        addresses = {p.head.address for p in self.pages.values() if isinstance(p, ArticlePage | StoryPage)}
        addresses |= {
            "/" + p.path.removesuffix("index.html") for p in self.pages.values() if isinstance(p, RedirectPage)
        }
        return addresses | {line for line in self.lines if not line.endswith(".xml")}

    def answer(self, address: str) -> ArticlePage | StoryPage | None:
        """The page that an address leads to, by at most one redirect. Pages take precedence over lines of `_redirects`."""
        page = self.pages.get(urls.path(address))
        if isinstance(page, RedirectPage):
            page = self.pages.get(urls.path(page.target))
        elif page is None:
            page = self.pages.get(urls.path(self.line(address)))
        return page if isinstance(page, ArticlePage | StoryPage) else None

    def line(self, address: str) -> str:
        """The target of the first matching line of `_redirects`, or ""."""
        for old, new in self.lines.items():
            head, splat, _ = old.partition("*")
            if address == old or (splat and address.startswith(head)):
                return new.replace(":splat", address.removeprefix(head))
        return ""

    def files(self, page: ArticlePage | StoryPage | None) -> list[str]:
        """The ids of the articles that a page is about, the earliest first."""
        if page is None:
            return []
        if isinstance(page, ArticlePage):
            return [self.ids[page.head.address]]
        return self.story(self.ids[page.head.address.removeprefix("/story")])

    def story(self, id: str) -> list[str]:
        """The ids of the articles in an article's story, the earliest first, or its own id."""
        story = self.library.story_of.get(id)
        return [m.id for m in story.members if isinstance(m, Article)] if story else [id]

    def entry_ids(self) -> list[str]:
        """The ids of the entries in the site's feed, without the base URL."""
        feed = self.pages["atom.xml"]
        assert isinstance(feed, Feed)
        return [entry.id.removeprefix("https://news.example/sub") for entry in feed.entries]


class History:
    """A site that is edited, and every address that it ever had."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.live: dict[str, Article] = {}
        self.ever: set[str] = set()
        self.address: dict[str, str] = {}
        self.heir: dict[str, str] = {}

    def add(self, number: int, title: str = "", **fields: Any) -> None:
        new = make_article(number, title, **fields)
        self.live[new.id] = new

    def change(self, id: str, **fields: Any) -> None:
        self.live[id] = msgspec.structs.replace(self.live[id], **fields)

    def delete(self, id: str, heir: str) -> None:
        """Deletes a file. Its heir takes over its addresses and aliases."""
        old, address = self.live.pop(id), self.address[id]
        aliases = (*self.live[heir].aliases, address, urls.story(address), *old.aliases)
        self.change(heir, aliases=tuple(dict.fromkeys(aliases)))
        self.heir = {gone: heir if to == id else to for gone, to in self.heir.items()} | {id: heir}

    def plan(self) -> State:
        """Plans the site. Fails if an address changed or stopped working."""
        now = State(self.live.values(), self.config)
        for id in self.live:
            assert self.address.setdefault(id, now.library.address[id]) == now.library.address[id]
        self.ever |= now.built()
        for address in self.ever:
            assert now.answer(address), f"{address} does not work any more"
        for id, address in self.address.items():
            page = now.answer(urls.story(address))
            if id in self.live:
                assert now.files(now.answer(address)) == [id]
                if page or urls.story(address) in self.ever:
                    assert now.files(page) == now.story(id)
                    assert isinstance(page, StoryPage) == (id in now.library.story_of)
            else:
                assert now.files(now.answer(address)) == now.files(page) == [self.heir[id]]
        first = [self.address[id] for id in self.live if now.story(id)[0] == id]
        assert sorted(now.entry_ids()) == sorted(first), "the id of an entry is the address of the earliest article"
        return now


@settings(max_examples=150)
@given(st.data())
def test_every_address_ever_built_keeps_working(data: st.DataObject) -> None:
    draw = data.draw
    history = History(config(file=draw(st.booleans())))
    for _ in range(draw(st.integers(2, 10))):
        for _ in range(draw(st.integers(1, 3))):
            live = sorted(history.live)
            free = [n for n in range(COUNT) if f"a{n:02}.md" not in history.address.keys() | history.live.keys()]
            edits = [
                "add",
                "add",
                *(["title", "name", "declare", "coverage", "same", "delete"] if len(live) > 1 else ()),
            ]
            edit = draw(st.sampled_from(edits))
            if edit == "add":
                history.add(draw(st.sampled_from(free)), draw(st.sampled_from(["", *TITLES])))
                continue
            one, other = draw(st.permutations(live))[:2]
            if edit == "title":
                history.change(one, title=draw(st.sampled_from(TITLES)))
            elif edit == "name":
                history.change(one, story=draw(st.sampled_from(["", "storm", "flood"])))
            elif edit == "declare":
                history.change(one, related=related(history.live[other]))
                if draw(st.booleans()):
                    history.change(other, related=related(history.live[one]))
            elif edit == "coverage":
                history.change(
                    one, related=draw(st.sampled_from([RelatedEntries(), related(article("gone", "Elsewhere"))]))
                )
            elif edit == "same":
                keys = (f"x.example/{one}",), history.live[other].keys
                history.change(one, keys=draw(st.sampled_from(keys)))
            elif one in history.address:
                # The heir is another article of the story, if there is one.
                story = State(history.live.values(), history.config).story(one)
                history.delete(one, next((id for id in story if id != one), other))
        history.plan()


@pytest.fixture(params=["pages", "file"])
def history(request: pytest.FixtureRequest) -> History:
    return History(config(file=request.param == "file"))


def test_the_address_of_a_dissolved_story_redirects_to_its_article(history: History) -> None:
    history.add(1, story="storm")
    history.add(2, story="storm")
    assert isinstance(history.plan().answer("/story/2026/11/01/a01/"), StoryPage)
    history.change("a01.md", story="")
    after = history.plan()
    assert after.library.stories == ()
    assert after.files(after.answer("/story/2026/11/01/a01/")) == ["a01.md"]
    assert after.files(after.answer("/story/2026/11/01/a02/")) == ["a02.md"]


def test_the_address_of_a_story_that_lost_its_coverage_redirects_to_its_article(history: History) -> None:
    history.add(1, related=related(article("gone", "Elsewhere")))
    assert isinstance(history.plan().answer("/story/2026/11/01/a01/"), StoryPage)
    history.change("a01.md", related=RelatedEntries())
    assert isinstance(history.plan().answer("/story/2026/11/01/a01/"), ArticlePage)


def test_an_older_article_added_later_takes_over_the_story_address(history: History) -> None:
    history.add(5, story="storm")
    history.add(6, story="storm")
    before = history.plan()
    history.add(1, story="storm")
    after = history.plan()
    assert after.answer("/story/2026/11/01/a05/") is after.pages["story/2026/11/01/a01/index.html"]
    assert (before.entry_ids(), after.entry_ids()) == (["/2026/11/01/a05/"], ["/2026/11/01/a01/"])


def test_the_addresses_of_merged_and_split_stories_keep_working(history: History) -> None:
    for n, name in enumerate(["storm", "storm", "flood", "flood"]):
        history.add(n, story=name)
    ids = history.plan().entry_ids()
    for id in ("a02.md", "a03.md"):
        history.change(id, story="storm")
    assert history.plan().story("a03.md") == ["a00.md", "a01.md", "a02.md", "a03.md"]
    for id in ("a02.md", "a03.md"):
        history.change(id, story="flood")
    assert history.plan().entry_ids() == ids


def test_aliases_are_passed_on_when_files_are_deleted(history: History) -> None:
    for n in range(3):
        history.add(n, story="storm")
    history.plan()
    history.delete("a00.md", "a01.md")
    assert history.plan().story("a01.md") == ["a01.md", "a02.md"]
    history.delete("a01.md", "a02.md")
    after = history.plan()
    for old in ("/2026/11/01/a00/", "/story/2026/11/01/a00/", "/2026/11/01/a01/", "/story/2026/11/01/a01/"):
        assert after.files(after.answer(old)) == ["a02.md"]


def test_a_later_file_with_the_same_name_changes_no_address(history: History) -> None:
    history.add(1, slug="same")
    history.plan()
    history.add(2, slug="same")
    after = history.plan()
    assert len(set(after.library.address.values())) == 2


def test_the_feed_address_of_a_merged_story_keeps_working() -> None:
    history = History(config(file=True))
    history.add(5, story="storm")
    history.add(6, story="storm")
    feed = "/story/2026/11/01/a05/atom.xml"
    assert isinstance(history.plan().pages[urls.path(feed)], AtomFeed)
    history.add(1, story="storm")
    after = history.plan()
    assert urls.path(feed) in after.pages or urls.path(after.line(feed)) in after.pages


def test_no_line_of_redirects_matches_the_address_of_a_page() -> None:
    history = History(config(file=True))
    history.add(1, story="storm")
    history.add(2, story="storm")
    history.add(3)
    now = history.plan()
    for page in now.pages.values():
        if isinstance(page, ArticlePage | StoryPage):
            assert now.line(page.head.address) == ""


def test_the_address_of_a_dissolved_story_works_without_article_pages() -> None:
    history = History(config(without=("article",)))
    history.add(1, story="storm")
    history.add(2, story="storm")
    before = State(history.live.values(), history.config).built()
    history.change("a01.md", story="")
    after = State(history.live.values(), history.config)
    assert [a for a in before if urls.path(a) not in after.pages] == []
