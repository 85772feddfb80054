"""Every address that a site ever had keeps working, whatever happens to its article or story."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from articles import START, article
from hypothesis import given, settings
from hypothesis import strategies as st

from newsgen import urls
from newsgen.config import Config, Pages, Redirects
from newsgen.library import Arrangement, Reached, library_of
from newsgen.model import Article, Related, RelatedEntries
from newsgen.pages.kinds import ArticlePage, Feed, RedirectPage, RedirectsPage, StoryPage
from newsgen.pages.planner import Plan
from newsgen.store import Store

NOW = START + timedelta(days=99)
COUNT = 40
TITLES = [
    "Harbour bridge stuck open after first ship",
    "Harbour bridge stuck open since first ship",
    "Comet found by night class",
    "Comet found by night school",
    "Ferry fares rise by a tenth",
]


def config(*, file: bool = False, articles: Literal["all", "own"] = "all") -> Config:
    """A site that redirects old addresses by stubs, or by the lines of `_redirects` only."""
    redirects = Redirects(pages=not file, file=file)
    return Config(
        base_url="https://news.example/sub", feed_size=99, redirects=redirects, pages=Pages(articles=articles)
    )


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
        articles = [*articles]
        self.library = library_of(articles, (), config, now=NOW)
        planned = Plan(self.library, Reached(everything=True))
        pages, problems = list(planned.pages()), planned.problems
        assert problems == ()
        self.pages = {page.path: page for page in pages}
        file = self.pages.get("_redirects")
        self.lines = {line.old: line.new for line in file.redirects} if isinstance(file, RedirectsPage) else {}
        self.ids = {self.library.address[article.id]: article.id for article in articles}

    def target(self, address: str) -> str:
        """Where an address leads by at most one redirect: an address of a page, or a URL; "" if nowhere."""
        page = self.pages.get(urls.path(address))
        if isinstance(page, RedirectPage):
            return page.target
        return address if page else self.lines.get(address, "")

    def answer(self, address: str) -> ArticlePage | StoryPage | None:
        """The page that an address leads to. If it leads to a place on the page, the place exists."""
        path, _, place = self.target(address).partition("#")
        page = self.pages.get(urls.path(path)) if path.startswith("/") else None
        assert isinstance(page, ArticlePage | StoryPage | None)
        if place:
            assert isinstance(page, StoryPage)
            assert place in [e.anchor for entry in page.reports for e in (entry, *entry.copies)]
        return page

    def files(self, address: str) -> list[str]:
        """The ids of the articles that the page at an address is about, the earliest first."""
        page = self.answer(address)
        if page is None:
            return []
        id = self.ids[page.head.address]
        if isinstance(page, ArticlePage):
            return [id]
        story = next(story for story in self.library.stories if story.id == id)
        return [m.id for m in story.files]

    def story(self, id: str) -> list[str]:
        """The ids of the articles in an article's story, the earliest first, or its own id."""
        story = self.library.story_of.get(id)
        return [m.id for m in story.files] if story else [id]

    def expected(self, id: str) -> list[str]:
        """The ids of the articles that the page at an article's address has to be about."""
        if id in self.library.by_id:
            has_content = self.library.by_id[id].has_content
            is_first = self.library.address[id] in (
                page.head.address for page in self.pages.values() if isinstance(page, StoryPage)
            )
            if has_content and not is_first:
                return [id]
            if id in self.library.story_of or self.library.config.pages.articles == "all":
                return self.story(id)
            return []
        successor = self.library.successors.get(id, "")
        if successor in self.library.origins:
            return self.expected(successor)
        story = next((story for story in self.library.stories if story.id == successor), None)
        return [m.id for m in story.files] if story else []

    def entry_ids(self) -> list[str]:
        """The ids of the entries in the site's feed, without the base URL."""
        feed = self.pages["atom.xml"]
        assert isinstance(feed, Feed)
        return [entry.id.removeprefix("https://news.example/sub") for entry in feed.entries]


class History:
    """A site that is edited, and the address of every article that it ever had."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.live: dict[str, Article] = {}
        self.address: dict[str, str] = {}
        self.heir: dict[str, str] = {}

    def add(self, number: int, title: str = "", **fields: Any) -> None:
        new = make_article(number, title, **fields)
        self.live[new.id] = new

    def change(self, id: str, **fields: Any) -> None:
        self.live[id] = msgspec.structs.replace(self.live[id], **fields)

    def delete(self, id: str, heir: str) -> None:
        """Deletes a file. Its heir takes over its address and aliases."""
        old, address = self.live.pop(id), self.address[id]
        aliases = (*self.live[heir].aliases, address, *old.aliases)
        self.change(heir, aliases=tuple(dict.fromkeys(aliases)))
        self.heir = {gone: heir if to == id else to for gone, to in self.heir.items()} | {id: heir}

    def plan(self) -> State:
        """Plans the site. Fails if an address changed, or does not lead where it should."""
        now = State(self.live.values(), self.config)
        for id in self.live:
            assert self.address.setdefault(id, now.library.address[id]) == now.library.address[id]
        for id, address in self.address.items():
            assert now.files(address) == now.expected(self.heir.get(id, id)), address
        assert sorted(now.entry_ids()) == sorted(now.library.address[id] for id in self._first_files(now))
        return now

    def _first_files(self, now: State) -> set[str]:
        """The earliest file of each story, shown or expired, and the articles without a story."""
        everything = library_of(self.live.values(), (), self.config, now=NOW, show=frozenset({"expired"}))
        stories = {id: everything.story_of.get(id) for id in self.live}
        return {story.id if story else id for id, story in stories.items() if id in now.library.by_id}


@settings(max_examples=150)
@given(st.data())
def test_every_address_ever_built_keeps_working(data: st.DataObject) -> None:
    draw = data.draw
    history = History(config(file=draw(st.booleans()), articles=draw(st.sampled_from(["all", "own"]))))
    for _ in range(draw(st.integers(2, 10))):
        for _ in range(draw(st.integers(1, 3))):
            live = sorted(history.live)
            free = [n for n in range(COUNT) if f"a{n:02}.md" not in history.address.keys() | history.live.keys()]
            edits = [
                "add",
                "add",
                *(
                    ["title", "name", "declare", "coverage", "same", "expire", "body", "delete"]
                    if len(live) > 1
                    else ()
                ),
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
            elif edit == "expire":
                history.change(one, expires=draw(st.sampled_from([None, START])))
            elif edit == "body":
                history.change(one, body=draw(st.sampled_from(["", "<p>More.</p>"])))
            elif one in history.address:
                # The heir is another article of the story, if there is one.
                story = State(history.live.values(), history.config).story(one)
                history.delete(one, next((id for id in story if id != one), other))
        history.plan()


@pytest.fixture(params=["pages", "file"])
def history(request: pytest.FixtureRequest) -> History:
    return History(config(file=request.param == "file"))


def test_an_address_shows_the_story_of_its_article_and_the_article_again_when_it_dissolves(history: History) -> None:
    history.add(1, story="storm")
    history.add(2, story="storm")
    assert isinstance(history.plan().answer("/2026/11/01/a01/"), StoryPage)
    assert history.plan().target("/2026/11/01/a02/") == "/2026/11/01/a01/#a02"
    history.change("a01.md", story="")
    after = history.plan()
    assert after.library.stories[:] == []
    assert isinstance(after.answer("/2026/11/01/a01/"), ArticlePage)
    assert isinstance(after.answer("/2026/11/01/a02/"), ArticlePage)


def test_an_older_article_added_later_takes_over_the_story(history: History) -> None:
    history.add(5, story="storm")
    history.add(6, story="storm")
    before = history.plan()
    history.add(1, story="storm")
    after = history.plan()
    assert after.target("/2026/11/01/a05/") == "/2026/11/01/a01/#a05"
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
    for old in ("/2026/11/01/a00/", "/2026/11/01/a01/"):
        assert after.files(old) == ["a02.md"]


def test_a_later_file_with_the_same_name_changes_no_address(history: History) -> None:
    history.add(1, slug="same")
    history.plan()
    history.add(2, slug="same")
    after = history.plan()
    assert len(after.ids) == 2


@pytest.mark.parametrize("slug", ["main", "same"])
def test_places_in_a_story_have_names_of_their_own(history: History, slug: str) -> None:
    for n in range(3):
        history.add(n, story="storm", slug=slug)
    now = history.plan()
    targets = {now.target(now.library.address[f"a{n:02}.md"]) for n in range(3)}
    assert len(targets) == 3
    assert not any(target.endswith("#main") for target in targets)


def test_the_address_of_an_expired_file_stays_that_of_its_story(history: History) -> None:
    for n in range(3):
        history.add(n, story="storm")
    ids = history.plan().entry_ids()
    history.change("a00.md", expires=START)
    now = history.plan()
    assert isinstance(now.answer("/2026/11/01/a00/"), StoryPage)
    assert now.files("/2026/11/01/a00/") == ["a01.md", "a02.md"]
    history.change("a01.md", expires=START)
    now = history.plan()
    assert now.library.stories[:] == []
    assert now.target("/2026/11/01/a00/") == now.target("/2026/11/01/a01/") == "/2026/11/01/a02/"
    assert now.entry_ids() == ids == ["/2026/11/01/a00/"], "feed readers do not show the entry again"
    history.change("a02.md", expires=START)
    assert history.plan().target("/2026/11/01/a00/") == ""


def test_what_an_expired_file_declares_joins_others_but_shows_nothing() -> None:
    one, other, third = make_article(0), make_article(1), make_article(2)
    gone = article("gone", "Elsewhere")
    one = msgspec.structs.replace(one, related=related(other, gone), expires=START)
    other = msgspec.structs.replace(other, related=related(one, third))
    third = msgspec.structs.replace(third, related=related(other))
    now = State([one, other, third], config())
    assert [m.id for m in now.library.members] == ["a02.md", "a01.md"]
    [story] = now.library.stories
    assert story.id == "a00.md"
    assert [m.id for m in story.members] == ["a01.md", "a02.md"]
    assert {id for e in story.evidence for id in (e.member, e.other)} == {"a01.md", "a02.md"}


def test_without_pages_of_single_articles_only_what_has_more_to_read_has_an_address() -> None:
    history = History(config(articles="own"))
    history.add(1, aliases=("/old/",))
    history.add(2, body="<p>More.</p>")
    history.add(3, url="")
    now = history.plan()
    assert now.target("/2026/11/01/a01/") == ""
    assert now.target("/old/") == now.library.by_id["a01.md"].url, "an alias leads where the headline leads"
    assert now.files("/2026/11/01/a02/") == ["a02.md"]
    assert now.files("/2026/11/01/a03/") == ["a03.md"]
    history.change("a01.md", story="storm")
    history.change("a02.md", story="storm")
    now = history.plan()
    assert now.files("/2026/11/01/a01/") == now.files("/old/") == ["a01.md", "a02.md"]
    assert now.files("/2026/11/01/a02/") == ["a02.md"], "a member with a body keeps its page"


def test_no_line_of_redirects_matches_the_address_of_a_page() -> None:
    history = History(config(file=True))
    history.add(1, story="storm")
    history.add(2, story="storm")
    history.add(3)
    now = history.plan()
    pages = [page for page in now.pages.values() if isinstance(page, ArticlePage | StoryPage)]
    assert len(pages) == 2
    assert not now.lines.keys() & {page.head.address for page in pages}


def test_a_related_story_may_begin_with_an_expired_file() -> None:
    expired, one, two = (make_article(n, story="storm") for n in range(3))
    expired = msgspec.structs.replace(expired, expires=START)
    other, last = make_article(4, story="flood", related=related(one)), make_article(5, story="flood")
    now = State([expired, one, two, other, last], config())
    page = now.answer("/2026/11/01/a04/")
    assert isinstance(page, StoryPage)
    assert [item.url for item in page.related] == ["/2026/11/01/a00/"]


def test_the_id_of_a_lone_survivor_is_in_the_keys_of_its_feeds(history: History) -> None:
    gone = make_article(3, story="storm", slug="same", expires=START)
    survivor = make_article(4, story="storm", provider="b.example")
    sections = config()
    sections = msgspec.structs.replace(sections, feeds=msgspec.structs.replace(sections.feeds, min_members=1))
    store, files = Store(), {article.id: article for article in (gone, survivor)}
    before = Arrangement(store, files.__getitem__, sections, (), now=NOW)
    Plan(before.library, before.update(sorted(files))).save()
    before.save()
    earlier = make_article(1, slug="same")
    files[earlier.id] = earlier
    after = Arrangement(store, files.__getitem__, sections, (), now=NOW)
    changed = Plan(after.library, after.update([earlier.id]))
    assert not changed.is_whole
    whole = Plan(library_of(files.values(), (), sections, now=NOW), Reached(everything=True))
    assert changed.refs["providers/b.example/atom.xml"] == whole.refs["providers/b.example/atom.xml"]


def test_members_that_an_expired_file_joined_say_so() -> None:
    gone = make_article(0, expires=START)
    one, other = make_article(1), make_article(2)
    gone = msgspec.structs.replace(gone, related=related(one, other))
    one, other = (msgspec.structs.replace(a, related=related(gone)) for a in (one, other))
    [story] = State([gone, one, other], config()).library.stories
    assert [(e.member, e.other, e.kind) for e in story.evidence] == [("a02.md", "a01.md", "expired")]
    named = [make_article(n, story="storm", expires=START if n == 0 else None) for n in range(3)]
    [story] = State(named, config()).library.stories
    assert [(e.member, e.other, e.kind) for e in story.evidence] == [("a02.md", "a01.md", "editor")]
