"""The law of incremental builds: after any edits the output equals a clean build byte for byte, with no unneeded work.

`Law` is a state machine that edits, damages and builds a site on disk in every way we know. NEWSGEN_LAW_EXAMPLES=10
runs ten times the examples. NEWSGEN_LAW_SHRINK=1 searches for the shortest history that breaks the law, which takes
minutes.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import timedelta
from functools import cache, partial
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest
from articles import noise, word
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sites import NOW, Site, png

from newsgen import files, store, text, times
from newsgen.builder import Memory, Options, Report, loading, pipeline, pool, renderqueue
from newsgen.builder.manifest import MANIFEST
from newsgen.builder.output import Output
from newsgen.builder.render import Renderer
from newsgen.builder.theme import Theme
from newsgen.errors import ConfigError, TemplateError
from newsgen.files import shipped_site
from newsgen.library import Arrangement
from newsgen.pages import kinds as pages
from newsgen.pages import lists, parts, reach
from newsgen.pages import planner as plan
from newsgen.stories import clusterer

Make = Callable[..., Site]
Patch = pytest.MonkeyPatch

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""The folder for clean builds, in memory if possible. Incremental builds stay on disk."""

TIMES = int(os.environ.get("NEWSGEN_LAW_EXAMPLES", "1"))
SHRINK = (Phase.shrink,) if "NEWSGEN_LAW_SHRINK" in os.environ else ()
EXAMPLES, PLANTED_EXAMPLES, STEPS, SOON = 16, 68, 45, 12
"""Examples per machine, at most for a planted bug, rules per example, and where a few rules show a planted bug.

The machine in two processes has half as many examples: what is built differs only in where. Together they run at least
900 rules.
"""

BACKGROUND = 22
EVENTS = [
    "swing bridge stuck open after first ship passes engineers blame sheared bolt while trains wait and ferries carry stranded commuters",
    "night school class finds green comet above observatory telescope astronomers confirm orbit amateur teacher names discovery after pupil",
    "museum theft empties royal jewel gallery police hunt masked thieves motorcycle window curator mourns crown emerald necklace stolen",
    "flood warning river breaks levee villages evacuated soldiers fill sandbags helicopters rescue farmers cattle mayor demands dykes",
]
SETTINGS: dict[str, list[str]] = {
    "title": ['"Other News"', '"Nouvelles"'],
    "description": ['"A line"'],
    "language": ['"de"', '"ar"'],
    "slugs.topics": ['"themen"'],
    "page_size": ["3", "4", "30"],
    "feed_size": ["2", "30"],
    "excerpt_length": ["40", "41"],
    "base_url": ['""', '"https://news.example/sub/"', '"https://other.example"'],
    "permalink": ['"/:year/:slug/"', '"/:category/:slug/"', '"/:provider/:month/:slug/"'],
    "timezone": ['"Asia/Tokyo"', '"America/New_York"'],
    "disable_kinds": [
        '["feed", "sitemap"]',
        '["atom"]',
        '["topic", "archive"]',
        '["home", "category"]',
        '["search"]',
    ],
    "enable_kinds": ['["api", "llms"]', '["api"]'],
    "navigation": ['[{title = "Bridges", url = "/topics/bridges/"}]', "[]"],
    "pages.articles": ['"own"', '"all"'],
    "feeds.sections": ['["rss", "atom"]', "[]"],
    "feeds.min_members": ["1", "9"],
    "host": ['"github-pages"', '"gitlab-pages"', '"cloudflare-pages"'],
    "stories.similarity": ["false"],
    "stories.join": ['"less"', '"more"'],
    "stories.folded": ['"member"'],
    "sources.platforms": ['["p1.example/:name"]', '["p1.example/:name", "a.example"]'],
    "block.providers": ['["p1.example"]', '["p2.example", "elsewhere.example"]'],
    "ranking.half_life": ["3.0", "240.0"],
    "ranking.provider_cap": ["1"],
    "images.show": ['"none"', '"cached"'],
    "video.embed": ["true"],
    "feeds.id": ['"https://old.example/"'],
    "redirects.pages": ["false"],
    "redirects.file": ["false"],
    "redirects.moved": [
        '{"/moved/" = "/m2/", "/m2/" = "/about/?x#y"}',
        '{"/old/1/" = "https://other.example/", "/themen/*" = "/topics/*", "/2025/*" = "/2026/*"}',
    ],
    "redirects.gone": ['["/gone/", "/topics/"]', '["/old/2/"]'],
    "fields.excerpt": ['["deck"]'],
}
TEMPLATES = {
    "base.html": '<p class="name">',
    "parts/card.html": '<p class="meta">',
    "parts/lists.html": "<ul",
    "pages/home.html": "<h1",
    "pages/article.html": "<article",
    "pages/story.html": "<header",
    "pages/404.html": "<h1>",
    "feeds/atom.xml": "<entry>",
    "feeds/feed.json": '"title"',
    "pages/search.html": "<h1>",
    "search/terms.json": '"version"',
}
STATIC = ["css/site.css", "js/search.js", "img/favicon.svg", "extra.txt", ".well-known/who.txt", "_redirects"]
PICTURES = ["photo.png", "deep/photo.png", "_topics/photo.png", files.image_id("https://p1.example/x.jpg") + ".png"]
FOREIGN = ["CNAME", "mine/notes.txt", "topics/own.txt", "2026/11/own.txt", "archive/2026/own.bin"]
FACTS = (
    "problems", "warnings", "notes", "skipped", "folded", "articles", "published", "stories", "coverage", "pages", "due"
)  # fmt: skip
"""The fields of a report that depend on the site only, not on how it was built."""

NUMBER = st.integers(0, 39)
FEW = st.integers(0, 3)
WORDS = st.sampled_from(["title", "excerpt", "body"])


def words_about(event: int, share: int, voice: int, other: int | None = None) -> dict[str, str]:
    """A title and excerpt with some of the words of an event, or of two, and some words of its own."""
    words = EVENTS[event].split()[: share * 3]
    if other is not None:
        words = [w for pair in zip(EVENTS[event].split(), EVENTS[other].split(), strict=False) for w in pair][
            : share * 4
        ]
    own = [word(7919 * voice + 104729 * n) for n in range(6)]
    title, excerpt = [*words[::3], *own[:2]], [*words[1::3], *words[2::3], *own[2:]]
    return {"title": " ".join(title).capitalize(), "excerpt": " ".join(excerpt).capitalize() + "."}


def at(hours: float) -> str:
    """A time for front matter: this many hours before `NOW`."""
    return f"{NOW - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


class CleanRenderer(Renderer):
    """Renders for clean builds, each of which shares most pages with the last: renders each page once.

    What a page looks like depends on `theme`, which is site.toml and the site's own templates and static files, on the
    site and on the page only. Nothing that an incremental build renders is remembered.
    """

    rendered: ClassVar[dict[str, bytes]] = {}

    def __init__(self, theme: bytes, *args: Any) -> None:
        super().__init__(*args)
        self._key = theme + msgspec.msgpack.encode(self._site)

    def __call__(self, page: pages.Page) -> bytes:
        if not page.template:  # the copy of a file
            return super().__call__(page)
        key = text.digest(self._key + page.encode())
        if key not in self.rendered:
            if len(self.rendered) > 5000:
                self.rendered.clear()
            self.rendered[key] = super().__call__(page)
        return self.rendered[key]


class Killed(BaseException):
    """Simulates a killed process within one process."""


class _Trap:
    """Calls a function at the nth following access to the disk below a folder."""

    def __init__(self) -> None:
        self._left = 0
        self._below = ""
        self._strike: Callable[[], None] = lambda: None
        self._set = False

    @contextlib.contextmanager
    def set(self, below: Path, after: int, strike: Callable[[], None]) -> Iterator[None]:
        if not self._set:
            sys.addaudithook(self._on_event)
            self._set = True
        self._below, self._left, self._strike = str(below), after, strike
        try:
            yield
        finally:
            self._left = 0

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        touches = event == "open" or event.startswith(("os.", "shutil.", "sqlite3."))
        if self._left and touches and args and str(args[0]).startswith(self._below):
            self._left -= 1
            if not self._left:
                self._strike()


_trap = _Trap()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise Killed


def edit(**given: Any) -> Callable[[Any], Any]:
    """A rule of the machine, unless `Law.only` leaves it out."""

    def made(method: Any) -> Any:
        chosen = precondition(lambda self: not self.only or method.__name__ in self.only)
        return chosen(rule(**given)(method))

    return made


def _field(name: str, *values: Any) -> Any:
    """A rule that sets one front matter field of an article, or removes it (None)."""

    def change(self: Law, n: int, value: Any) -> None:
        self.change(n, **{name: value})

    change.__name__ = f"set_{name}"
    return edit(n=NUMBER, value=st.sampled_from([None, *values]))(change)


class Law(RuleBasedStateMachine):
    """A site, the edits and accidents that happen to it, and the check of the law."""

    counts: ClassVar[Counter[str]]
    cleaned: ClassVar[dict[str, tuple[dict[str, Any], dict[str, bytes], dict[str, str]]]] = {}
    """What recent clean builds gave, by a digest of what they were built from."""
    executor: ClassVar[Executor | None] = None
    sizes: ClassVar[tuple[int, ...]] = (1, 2, 3, 3, 4)
    """The numbers of edits between builds to choose from."""
    only: ClassVar[tuple[str, ...]] = ()
    """The names of the enabled rules; empty for all."""
    ways: ClassVar[tuple[str, ...]] = ()
    """How a build runs: "here", with "memory", with an "executor", with "workers", or by the "command" line."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="newsgen-law-"))
        self.copy = Path(tempfile.mkdtemp(prefix="newsgen-clean-", dir=MEMORY))
        self.site = Site(self.folder / "site")
        self.patch = pytest.MonkeyPatch()
        self.articles: dict[str, dict[str, Any]] = {}
        self.config = {"base_url": '"https://news.example/"', "page_size": "5", "feed_size": "6"}
        self.now, self.clock, self.show = NOW, "content", frozenset[str]()
        self.engine = ""
        self.foreign: dict[str, dict[str, bytes]] = {"public": {}, "other": {}}
        self.saved: dict[str, Path] = {}
        self.pending = self.moves = self.turn = 0
        self.changed, self.failed = True, False
        self.grouped: dict[str, str] = {}
        self.swapped: set[int] = set()
        self.pace: list[tuple[int, str]] = []
        self.memory = Memory()

    # Setup and teardown

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        bundle = st.tuples(st.sampled_from(self.sizes), st.sampled_from(self.ways))
        self.start(data.draw(st.lists(bundle, min_size=6, max_size=6)))

    def start(self, pace: list[tuple[int, str]]) -> None:
        """Writes three articles on each of four events, and others. `pace` lists how many edits precede each build."""
        self.pace = pace
        self.counts["examples"] += 1
        for n, made in enumerate(noise(BACKGROUND, days=6)):
            self.put(f"b{n:02}", n, title=made.title, excerpt=made.excerpt)
        for n in range(12):
            self.put(f"e{n:02}", n, **words_about(n % 4, 5, n), publishedDateTime=at(30 + 3 * n))
        self.configure()
        self.law()

    def teardown(self) -> None:
        try:
            if self.pending and not self.failed:
                self.law()
        finally:
            self.patch.undo()
            shutil.rmtree(self.folder)
            shutil.rmtree(self.copy)

    # The law

    @invariant()
    def incremental_equals_clean(self) -> None:
        """Builds and checks when the pace's number of edits is pending."""
        self.counts["steps"] += 1
        if self.pending >= self.pace[0][0]:
            self.law()
            self.pace = [*self.pace[1:], self.pace[0]]

    def law(self) -> None:
        """Builds and compares with a clean build of a copy. Then builds again, which must do nothing."""
        self.failed = True
        self.counts["checks"] += 1
        report = self.build(self.pace[0][1])
        expected, tree = self.clean()
        foreign = self.foreign[self.output.name]
        built = self.site.tree(self.output)
        assert {p: built.pop(p, None) for p in foreign} == foreign, "a foreign file was touched"
        assert differences(built, tree) == []
        if report:
            assert facts(report) == expected
            assert self.changed or (report.rendered, report.written, report.pruned) == ([], [], [])
        again = self.build("here")
        assert again is not None
        assert (again.rendered, again.written, again.pruned) == ([], [], [])
        assert facts(again) == expected
        self.pending, self.changed, self.failed = 0, False, False

    def build(self, way: str = "here") -> Report | None:
        if way == "command" and not self.engine:
            flag_of = {"held": "--unpublished", "draft": "--drafts", "future": "--future", "expired": "--expired"}
            flags = [flag_of[gate] for gate in sorted(self.show)]
            arguments = [
                "--output",
                str(self.output),
                "--now",
                self.now.isoformat(),
                "--clock",
                self.clock if isinstance(self.clock, str) else self.clock.isoformat(),
            ]
            done = self.site.spawn("build", *arguments, *flags, PYTHONHASHSEED=str(self.counts["checks"] % 1000))
            assert done.returncode in (0, 1), done.stderr
            return None
        options = self.options(jobs=2 if way == "workers" else 1)
        executor = self.executor if way == "executor" else None
        return pipeline.build(options, executor=executor, memory=self.memory if way == "memory" else None)

    def clean(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Builds a copy of the sources from scratch, unless the same sources were. Returns the report's facts and the output."""
        folders = ("content", "templates", "static", "plugins")
        sources = {f"{name}/{p}": data for name in folders for p, data in self.site.tree(self.site.root / name).items()}
        sources["site.toml"] = (self.site.root / "site.toml").read_bytes()
        key = text.digest(repr((sorted(sources.items()), sorted(self.show), self.now, self.clock)).encode())
        if key not in self.cleaned:
            if len(self.cleaned) > 60:
                self.cleaned.clear()
            self.cleaned[key] = self.build_clean(sources)
        facts, tree, grouped = self.cleaned[key]
        self.count(grouped)
        return facts, tree

    def build_clean(self, sources: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes], dict[str, str]]:
        """Builds a copy of these files. Also returns the story of each file that is in one."""
        copy = Site(self.copy / "site")
        for path, data in sources.items():
            copy.write(path, data)
        memory = Memory()
        theme = repr(sorted((p, data) for p, data in sources.items() if not p.startswith("content/"))).encode()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(renderqueue, "Renderer", partial(CleanRenderer, theme))
            # The clean build takes the articles in several parts, which its own updates put together.
            patch.setattr(loading, "TOGETHER", 9)
            patch.setattr(clusterer, "_BATCH", 4)
            report = pipeline.build(self.options(site=copy.root, output=copy.output), memory=memory)
        assert memory.loaded
        stories = memory.loaded.library.stories
        grouped = {m.id: story.id for story in stories for m in story.members if m.id.endswith(".md")}
        tree = copy.tree()
        shutil.rmtree(copy.root)
        return facts(report), tree, grouped

    def count(self, new: dict[str, str]) -> None:
        """Counts stories that merged or split since the last check, and articles that joined or left a story."""
        old = self.grouped
        # A move counts when two or more members go together from one story to another.
        kept = Counter((old[id], new[id]) for id in old.keys() & new.keys())
        moves = [move for move, count in kept.items() if count > 1]
        self.counts["splits"] += sum(count > 1 for count in Counter(one for one, _ in moves).values())
        self.counts["merges"] += sum(count > 1 for count in Counter(other for _, other in moves).values())
        self.counts["joined"] += len(new.keys() - old.keys()) if old else 0
        self.counts["left"] += len([id for id in old.keys() - new.keys() if id[:-3] in self.articles])
        self.grouped = new

    def options(self, **chosen: Any) -> Options:
        settings = {"output": self.output, "show": self.show, "now": self.now, "clock": self.clock}
        return Options(**{"site": self.site.root, **settings, **chosen})

    @property
    def output(self) -> Path:
        return self.site.output

    # Helpers of the edits

    def edited(self, *, changed: bool = True) -> None:
        self.counts["edits"] += 1
        self.pending += 1
        self.changed |= changed

    def name(self, n: int) -> str | None:
        names = sorted(self.articles)
        return names[n % len(names)] if names else None

    def file(self, name: str) -> Path:
        return self.site.root / f"content/{name}.md"

    def put(self, name: str, n: int, **fields: Any) -> None:
        """Writes a new article. Its other fields depend on its number."""
        usual = {
            "publishedDateTime": at(7 * n % 150),
            "webUrl": f"https://p{n % 7}.example/{name}",
            "topics": [f"Topic {n % 4}", "Bridges"][: n % 3],
            "category": ["news", "sport", ""][n % 3],
            "quality": n * 7 % 100,
            "body": f"The *body* of {name}." if n % 2 else "",
        }
        self.articles[name] = usual | fields
        self.write(name)

    def write(self, name: str) -> None:
        values = {key: value for key, value in self.articles[name].items() if value is not None}
        body = values.pop("body", "")
        self.site.write(f"content/{name}.md", f"{json.dumps(values, indent=1)}\n\n{body}\n")

    def change(self, n: int, **fields: Any) -> None:
        name = self.name(n)
        if name:
            self.articles[name] |= fields
            self.write(name)
            self.edited()

    def configure(self) -> None:
        self.site.write("site.toml", "".join(f"{key} = {value}\n" for key, value in self.config.items()))

    def move(self, n: int, to: str) -> None:
        name = self.name(n)
        if name and to not in self.articles:
            self.file(to).parent.mkdir(exist_ok=True)
            self.file(name).rename(self.file(to))
            self.articles[to] = self.articles.pop(name)
            self.edited()

    # The names of rules decide the order in which Hypothesis draws them: a new name may change all examples.

    # Articles: words that make them join and leave stories

    @edit(n=NUMBER, event=FEW, share=st.integers(1, 6))
    def rewrite_about_an_event(self, n: int, event: int, share: int) -> None:
        self.change(n, **words_about(event, share, n), publishedDateTime=at(30 + n))

    @edit(n=NUMBER, event=FEW, share=st.integers(3, 6))
    def tell_about_two_events(self, n: int, event: int, share: int) -> None:
        self.change(n, **words_about(event, share, n, (event + 1) % 4), publishedDateTime=at(40 + n))

    @edit()
    def add_in_turn(self) -> None:
        """A rule that makes a different edit each time: Hypothesis tends to repeat a rule."""
        self.turn += 1
        n, event = self.turn // 3 % BACKGROUND, self.turn // 3 % 4
        if self.turn % 3 == 1:
            self.rewrite_about_an_event(n=n, event=event, share=5)
        elif self.turn % 3 == 2:
            self.rewrite_about_an_event(n=n, event=event, share=1)  # it leaves the story again
        else:
            self.merge_or_split_two_stories(event=self.turn // 6 % 4)

    @edit(event=FEW)
    def merge_or_split_two_stories(self, event: int) -> None:
        """Rewrites all articles on one event to be about another; the next time, back."""
        self.swapped ^= {event}
        for n, name in enumerate(sorted(self.articles)):
            if re.fullmatch(r"e\d\d", name) and int(name[1:]) % 4 == event:
                self.change(n, **words_about((event + (event in self.swapped)) % 4, 5, n), publishedDateTime=at(30 + n))

    @edit(n=NUMBER, event=FEW)
    def add(self, n: int, event: int) -> None:
        self.put(f"new{n:02}", n + 1, **words_about(event, 4, n + 50), publishedDateTime=at(20 + n))
        self.edited()

    @edit(n=NUMBER, m=NUMBER)
    def copy_the_title_of_another(self, n: int, m: int) -> None:
        other = self.name(m)
        self.change(n, title=self.articles[other]["title"] if other else "None")

    @edit(n=NUMBER, hours=st.sampled_from([-40, -3, -1, 0, 12, 36, 60, 90, 700]), length=st.sampled_from([10, 16, 20]))
    def redate(self, n: int, hours: int, length: int) -> None:
        """Dates an article to a time in UTC, or to one in the site's zone, or to a day."""
        self.change(n, publishedDateTime=at(hours)[:length])

    # Articles: fields

    title = _field("title", "Bridge", "Ünïcode & <b>tags</b>", "مرحبا")
    excerpt = _field("excerpt", "Short.", "A long one. " * 30)
    body = _field(
        "body",
        "Other *body*.",
        "Other *bodY*.",
        '<script>x</script>\n\n<a href="/about/">x</a>',
        "| a |\n|---|\n| b |",
        "![](photo.png) [p](deep/photo.png)",
    )
    topics = _field("topics", ["Bridges"], ["Topic 1", "Lisk"], ["bridges", "Comets"], ["Child"])
    category = _field("category", "news", "News", "culture")
    provider = _field(
        "provider", {"name": "Post", "domain": "p1.example"}, {"name": "Gazette"}, {"domain": "p9.example"}
    )
    quality = _field("quality", 1, 99, 55)
    heat = _field("heat", -1, 3.5, 900)
    published = _field("published", False, True, "perhaps")
    draft = _field("draft", True, "perhaps")
    expires = _field("expiryDate", at(-5), at(3), at(-300), "2026-11-23")
    updated = _field("updatedDateTime", at(1), at(2), at(-4), "2026-11-22")
    embargo = _field("publishDate", at(-2), "2026-11-21", "2026-11-22 23:00")
    pin = _field("pin", at(-100), at(200), "2026-11-22")
    images = _field(
        "images",
        [{"url": "https://p1.example/x.jpg", "width": 900, "height": 500}],
        "/img/favicon.svg",
        [{"url": "javascript:x"}, {"url": "https://p1.example/x.jpg", "width": -1}],
        ["photo.png", "deep/photo.png"],
    )
    story = _field("story", "storm", "flood", "Storm")
    lang = _field("lang", "ar", "de")
    author = _field("author", "Ann Lee", ["Ann Lee", {"name": "Bo", "url": "/about/"}], [{"x": 1}])
    aliases = _field("aliases", ["/old/1/"], ["/old/1/", "/old/2/"], ["/topics/"], ["/a b/", "a%20b/"])
    web_url = _field(
        "webUrl",
        "https://p1.example/same?utm_source=x",
        "https://p1.example/same",
        "https://p5.example/other",
        "https://medium.com/@ann/1",
        "https://medium.com/@ben/1",
        "https://p1.example/ann/1",
        "https://p1.example/#/1",
    )
    type = _field("type", "video", "podcast")
    unknown = _field("qualty", 5)
    deck = _field("deck", "A deck.")
    embed = _field("featuredContent", '<iframe src="https://player.vimeo.com/video/1"></iframe>')

    # Articles: related entries

    def entry(self, name: str, **more: Any) -> dict[str, Any]:
        return {key: self.articles[name].get(key) or "https://p1.example/none" for key in ("title", "webUrl")} | more

    @edit(n=NUMBER, m=NUMBER, mutual=st.booleans())
    def relate(self, n: int, m: int, mutual: bool) -> None:
        one, other = self.name(n), self.name(m)
        if one and other:
            self.change(n, related=[self.entry(other)])
            if mutual:
                self.change(m, related=[self.entry(one)])

    @edit(n=NUMBER, v=FEW)
    def declare_coverage(self, n: int, v: int) -> None:
        entry = {"title": f"Elsewhere {v}", "webUrl": f"https://elsewhere.example/{v // 2}", "quality": 10 * v}
        self.change(n, related=[entry, {**entry, "webUrl": f"https://p{v}.example/covered"}][: v % 2 + 1])

    remove_related = _field("related", [])

    @edit(n=NUMBER, m=NUMBER)
    def fold(self, n: int, m: int) -> None:
        other = self.name(m)
        if other:
            self.change(n, heat=-1, published=False, related=[self.entry(other)])

    # Files

    @edit(n=NUMBER)
    def delete(self, n: int) -> None:
        name = self.name(n)
        if name and len(self.articles) > 20:
            self.file(name).unlink()
            del self.articles[name]
            self.edited()

    @edit(n=NUMBER)
    def rename(self, n: int) -> None:
        self.moves += 1
        self.move(n, f"renamed-{self.moves}")

    @edit(n=NUMBER, folder=st.sampled_from(["deep", "other"]))
    def move_into_a_folder(self, n: int, folder: str) -> None:
        self.move(n, f"{folder}/moved{n % 3}")

    @edit()
    def rename_a_folder(self) -> None:
        old, new = (self.site.root / "content" / name for name in ("deep", "deeper"))
        if old.exists() and not new.exists():
            old.rename(new)
            self.articles = {name.replace("deep/", "deeper/"): fields for name, fields in self.articles.items()}
            self.edited()

    @edit(
        n=NUMBER,
        data=st.sampled_from(["", "No fence", "---\ntitle: [\n---\n", "{\n}\n", '{\n"title": 5\n}\n', "\udcff"]),
    )
    def make_front_matter_invalid(self, n: int, data: str) -> None:
        name = self.name(n)
        if name:
            self.file(name).write_bytes(data.encode(errors="surrogateescape"))
            self.edited()

    @edit(n=NUMBER)
    def mend_front_matter(self, n: int) -> None:
        self.change(n)

    @edit(n=NUMBER, hours=st.sampled_from([-1000, 0, 1]))
    def touch(self, n: int, hours: int) -> None:
        name = self.name(n)
        if name:
            stamp = self.file(name).stat().st_mtime + 3600 * hours + 1
            os.utime(self.file(name), (stamp, stamp))
            self.edited(changed=False)

    @edit(n=NUMBER)
    def write_the_same_bytes(self, n: int) -> None:
        name = self.name(n)
        if name:
            self.file(name).write_bytes(self.file(name).read_bytes())
            self.edited(changed=False)

    @edit(n=NUMBER, field=WORDS)
    def edit_at_the_same_size(self, n: int, field: str) -> None:
        name = self.name(n)
        value = self.articles[name].get(field) if name else ""
        self.change(n, **{field: value and value[1:] + value[:1]})

    @edit(n=NUMBER, field=WORDS, renamed=st.booleans())
    def edit_at_the_same_size_and_time(self, n: int, field: str, renamed: bool) -> None:
        """Edits in place, or replaces the file with a new one of the same name."""
        name = self.name(n)
        if name:
            before = self.file(name).stat()
            aside = self.file(name).rename(self.folder / "aside.md") if renamed else None
            self.edit_at_the_same_size(n=n, field=field)
            if aside:
                aside.unlink()
            os.utime(self.file(name), ns=(before.st_atime_ns, before.st_mtime_ns))

    @edit(n=NUMBER, m=NUMBER)
    def swap_two_files(self, n: int, m: int) -> None:
        one, other = self.name(n), self.name(m)
        if one and other and one != other:
            aside = self.file(one).rename(self.folder / "aside.md")
            self.file(other).rename(self.file(one))
            aside.rename(self.file(other))
            self.articles |= {one: self.articles[other], other: self.articles[one]}
            self.edited()

    @edit(v=FEW)
    def edit_what_a_link_leads_to(self, v: int) -> None:
        target, link = self.folder / "linked.md", self.site.root / "content/link.md"
        target.write_text(f'---\ntitle: Linked {v}\npublishedDateTime: "{at(9)}"\n---\nOwn post.\n')
        if not link.is_symlink():
            link.symlink_to(target)
        self.edited()

    @edit(path=st.sampled_from([*PICTURES]), v=FEW)
    def save_a_picture(self, path: str, v: int) -> None:
        """Writes a file that articles may name, damages it (3), or removes it."""
        data = [None, png(shade=1), png(shade=2), b"damaged"][v]
        self.write_or_remove(f"content/{path}", data)

    # About files and pages

    @edit(
        name=st.sampled_from(
            ["_topics/bridges", "_topics/child", "_topics/topic-1", "_providers/p1.example", "_stories/storm"]
        ),
        v=FEW,
    )
    def save_an_about_file(self, name: str, v: int) -> None:
        lead = self.name(v)
        parent = "Bridges" if v and "child" in name else ""
        text = f"---\ntitle: Said {v}\nparent: {parent}\nlead: {lead}.md\ndescription: D{v}\n"
        # Synonyms of a topic that articles have, and keywords that some articles contain.
        text += "images: photo.png\n" if v == 2 else ""
        text += f"synonyms: [Topic {v - 1}]\nkeywords: [{EVENTS[v].split()[v]}, new{v}]\n---\nIntro *{v}*.\n"
        self.write_or_remove(f"content/{name}.md", text if v else None)

    @edit(name=st.sampled_from(["about", "deep"]), v=FEW)
    def page(self, name: str, v: int) -> None:
        """Writes or removes a plain page."""
        text = f'---\ntitle: Page {v}\nnavigation: {str(v > 1).lower()}\naliases: ["/was/{v}/"]\n---\nText {v}.\n'
        self.write_or_remove(f"content/_pages/{name}.md", text if v else None)

    def write_or_remove(self, path: str, data: str | bytes | None) -> None:
        if data is not None:
            self.site.write(path, data)
        else:
            (self.site.root / path).unlink(missing_ok=True)
        self.edited()

    # Configuration, templates, static files

    @edit(key=st.sampled_from(sorted(SETTINGS)), v=FEW)
    def set(self, key: str, v: int) -> None:
        value = [None, *SETTINGS[key]][v % (len(SETTINGS[key]) + 1)]
        self.config.pop(key, None)
        self.config |= {key: value} if value else {}
        self.configure()
        self.edited()

    @edit()
    def set_back_to_defaults(self) -> None:
        self.config = {"base_url": '"https://news.example/"', "page_size": "5"}
        self.configure()
        self.edited()

    @edit(path=st.sampled_from(sorted(TEMPLATES)), v=FEW)
    def override(self, path: str, v: int) -> None:
        tag = TEMPLATES[path]
        shipped = (shipped_site() / "templates" / path).read_text(encoding="utf-8")
        mark = f"{{% include 'parts/mine.html' %}}{v}" if v == 3 else str(v)
        (self.site.root / "templates/parts").mkdir(parents=True, exist_ok=True)
        if not (self.site.root / "templates/parts/mine.html").exists():
            self.site.write("templates/parts/mine.html", "mine")
        new = f'"v": "{mark}", {tag}' if path.endswith(".json") else f"<!-- {mark} -->{tag}"
        self.write_or_remove(f"templates/{path}", shipped.replace(tag, new, 1) if v else None)

    @edit(v=FEW)
    def edit_an_included_template(self, v: int) -> None:
        self.write_or_remove("templates/parts/mine.html", f"mine {v}")

    @edit(path=st.sampled_from(STATIC), v=FEW)
    def static(self, path: str, v: int) -> None:
        self.write_or_remove(f"static/{path}", f"/* {v} */" if v else None)

    # Time and options

    @edit(hours=st.sampled_from([1, 4, 7, 60, -5]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.edited()

    @edit(clock=st.sampled_from(["content", "wall", at(50), "2026-11-20", "2026-11-20 23:00"]))
    def look_from(self, clock: str) -> None:
        """Changes the content clock."""
        self.clock = clock if clock in ("content", "wall") else times.parse(clock)
        self.edited()

    @edit(show=st.sets(st.sampled_from(["held", "draft", "future", "expired"])))
    def preview(self, show: set[str]) -> None:
        self.show = frozenset(show)
        self.edited()

    @edit(v=FEW)
    def upgrade(self, v: int) -> None:
        """Switches to another engine."""
        self.engine = str(v) if v else ""
        self.memory = Memory()
        self.patch.undo()
        for module in [m for name, m in sys.modules.items() if name.partition(".")[0] == "newsgen"]:
            if v and callable(getattr(module, "engine", None)):
                self.patch.setattr(module, "engine", lambda *_: f"engine {v}")
        self.edited()

    @edit()
    def build_elsewhere(self) -> None:
        """Switches to the other output folder."""
        self.site.output = self.site.root / {"public": "other", "other": "public"}[self.output.name]
        self.edited()

    @edit()
    def build_another_content(self) -> None:
        """Builds other content files with the same names in the same site."""
        for name in list(self.articles)[::9]:
            self.site.write(f"drafts/{name}.md", f'---\ntitle: Draft\npublishedDateTime: "{at(1)}"\n---\n')
        pipeline.build(self.options(content=self.site.root / "drafts", output=self.folder / "third"))
        self.edited(changed=False)

    @edit()
    def look_without_building(self) -> None:
        loading.load(self.options(show=frozenset({"held", "draft"})))
        self.edited(changed=False)

    @edit()
    def move_the_site(self) -> None:
        root = self.site.root
        self.site.root = root.rename(root.with_name("moved" if root.name == "site" else "site"))
        self.site.output = self.site.root / self.output.name
        self.edited(changed=False)

    # The cache

    def caches(self) -> list[Path]:
        return sorted(p for p in (self.site.root / ".newsgen").glob("*") if p.is_file())

    @edit()
    def delete_the_cache(self) -> None:
        shutil.rmtree(self.site.root / ".newsgen", ignore_errors=True)
        self.edited(changed=False)

    @edit(how=st.sampled_from(["spots", "cut", "empty", "text", "folder"]), seed=st.integers(0, 2**16))
    def damage_the_cache(self, how: str, seed: int) -> None:
        chance = random.Random(seed)
        for file in self.caches():
            data = bytearray(file.read_bytes())
            for _ in range(40 if how == "spots" and data else 0):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if how == "folder":
                file.unlink()
                self.site.write(f"{file.relative_to(self.site.root)}/in.txt", "x")
            else:
                cut = bytes(data[: chance.randrange(len(data) + 1)])
                file.write_bytes({"cut": cut, "empty": b"", "text": b"no cache", "spots": bytes(data)}[how])
        self.edited(changed=False)

    @edit()
    def take_the_cache_of_another_site(self) -> None:
        shutil.rmtree(self.site.root / ".newsgen", ignore_errors=True)
        shutil.copytree(another_site() / ".newsgen", self.site.root / ".newsgen")
        self.edited(changed=False)

    @edit(name=st.sampled_from([".newsgen", "public", "other"]))
    def save(self, name: str) -> None:
        """Backs up the cache or an output folder."""
        if (self.site.root / name).exists():
            self.saved[name] = self.folder / f"saved{name}"
            shutil.rmtree(self.saved[name], ignore_errors=True)
            shutil.copytree(self.site.root / name, self.saved[name])
            self.foreign[f"saved {name}"] = dict(self.foreign.get(name, {}))
            self.edited(changed=False)

    @edit(name=st.sampled_from([".newsgen", "public", "other"]))
    def restore(self, name: str) -> None:
        if name in self.saved:
            shutil.rmtree(self.site.root / name, ignore_errors=True)
            shutil.copytree(self.saved[name], self.site.root / name)
            self.foreign[name] = dict(self.foreign[f"saved {name}"])
            self.edited(changed=name != ".newsgen")

    # The output

    @edit(n=st.integers(0, 999), how=st.sampled_from(["delete", "alter", "same size", "folder"]))
    def meddle_with_the_output(self, n: int, how: str) -> None:
        ours = sorted(Output(self.output).manifest().files)
        if ours:
            file = self.output / ours[n % len(ours)]
            if how == "folder" and file.parent != self.output:
                shutil.rmtree(file.parent, ignore_errors=True)
                mine = self.foreign[self.output.name]
                self.foreign[self.output.name] = {p: data for p, data in mine.items() if (self.output / p).exists()}
            elif how == "delete":
                file.unlink(missing_ok=True)
            elif file.exists():
                file.write_bytes(b"x" * file.stat().st_size if how == "same size" else b"altered")
            self.edited()

    @edit(path=st.sampled_from(FOREIGN))
    def put_a_foreign_file(self, path: str) -> None:
        self.foreign[self.output.name][path] = b"mine"
        (self.output / path).parent.mkdir(parents=True, exist_ok=True)
        (self.output / path).write_bytes(b"mine")
        self.edited()

    @edit()
    def remove_the_output(self) -> None:
        shutil.rmtree(self.output, ignore_errors=True)
        self.foreign[self.output.name].clear()
        self.edited()

    @edit(how=st.sampled_from(["gone", "cut", "text", "spots"]), seed=st.integers(0, 2**16))
    def lose_the_manifest(self, how: str, seed: int) -> None:
        """Damages the manifest. Builds first: without it, newsgen treats outdated files as foreign and keeps them."""
        self.law()
        chance, file = random.Random(seed), self.output / MANIFEST
        data = bytearray(file.read_bytes())
        for _ in range(3):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes({"cut": bytes(data[: len(data) // 2]), "text": b"none", "spots": bytes(data)}[how])
        self.edited()
        self.law()

    # Builds that fail, and edits during a build

    @edit(after=st.integers(1, 400), process=st.booleans())
    def kill_a_build(self, after: int, process: bool) -> None:
        if process and self.executor is None and hasattr(os, "fork"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # the test runner may have threads
                child = os.fork()
            if not child:
                with _trap.set(self.folder, after, _die), contextlib.suppress(BaseException):
                    pipeline.build(self.options())
                os._exit(0)
            os.waitpid(child, 0)
        else:
            with _trap.set(self.folder, after, _raise), contextlib.suppress(Killed):
                pipeline.build(self.options())
        self.edited()

    @edit(
        path=st.sampled_from(["pages/404.html", "pages/article.html"]), text=st.sampled_from(["{{ nothing }}", "{% if"])
    )
    def fail_in_a_template(self, path: str, text: str) -> None:
        file = self.site.root / "templates" / path
        before = file.read_text(encoding="utf-8") if file.exists() else None
        self.site.write(f"templates/{path}", text)
        with contextlib.suppress(TemplateError):
            pipeline.build(self.options(), memory=self.memory)
        self.write_or_remove(f"templates/{path}", before)

    @edit()
    def fail_in_the_configuration(self) -> None:
        self.site.write("site.toml", "title = [")
        with pytest.raises(ConfigError):
            pipeline.build(self.options())
        self.configure()
        self.edited()

    @edit()
    def build_strictly(self) -> None:
        pipeline.build(self.options(strict=True))
        self.edited()

    @edit(n=NUMBER, m=NUMBER, event=FEW)
    def edit_while_a_build_runs(self, n: int, m: int, event: int) -> None:
        self.change(n, **words_about(event, 5, n + 70))

        def progress(what: str, *_: int) -> None:
            if what == "rendering" and not done:
                done.append(what)
                self.change(m, **words_about(event, 5, m + 80), body="While it ran.")

        done: list[str] = []
        pipeline.build(self.options(), progress, memory=self.memory)


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The first paths that differ between an incremental and a clean tree."""
    missing = [f"missing: {p}" for p in sorted(other.keys() - one.keys())]
    extra = [f"not pruned: {p}" for p in sorted(one.keys() - other.keys())]
    stale = [f"stale: {p}" for p in sorted(one.keys() & other.keys()) if one[p] != other[p]]
    return (missing + extra + stale)[:12]


def facts(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in FACTS}


@cache
def another_site() -> Path:
    """A built site whose files have the same names as those of `Law` but other words."""
    site = Site(Path(tempfile.mkdtemp(prefix="newsgen-law-other-")))
    for n in range(BACKGROUND):
        site.article(f"b{n:02}", title=f"Another {n}", publishedDateTime=at(n))
    site.build()
    return site.root


class InOneProcess(Law):
    counts: ClassVar[Counter[str]] = Counter()
    ways = (*["here"] * 10, *["memory"] * 10, "command")


class InTwoProcesses(Law):
    counts: ClassVar[Counter[str]] = Counter()
    ways = (*["executor"] * 19, "workers")


@pytest.fixture
def fast(monkeypatch: Patch) -> None:
    """Small batches, little memory, and a fast clock: edits come faster here than in practice, and file systems here are
    finer than FAT.
    """
    monkeypatch.setattr(pool, "BATCH", 40)
    monkeypatch.setattr(store, "LOADED", 40)
    monkeypatch.setattr(files, "TICK", 20_000_000)


def run_machine(machine: type[Law], examples: int, *phases: Phase, steps: int = STEPS) -> None:
    """Runs a machine; fails if the law does not hold."""
    machine.counts.clear()
    machine.cleaned.clear()
    CleanRenderer.rendered.clear()
    found = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, *phases),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(machine, settings=found)


@pytest.mark.usefixtures("fast")
class TestLaw:
    def test_it_holds_in_one_process(self, record_property: Callable[..., None]) -> None:
        run_machine(InOneProcess, EXAMPLES * TIMES, *SHRINK)
        self.check_counts(InOneProcess, TIMES, record_property)

    def test_it_holds_in_two_processes(self, record_property: Callable[..., None], monkeypatch: Patch) -> None:
        turns = cycle((False, True))  # this process renders every other batch itself
        monkeypatch.setattr(pool.Pool, "is_saturated", property(lambda _: next(turns)))
        with ProcessPoolExecutor(2) as InTwoProcesses.executor:
            run_machine(InTwoProcesses, EXAMPLES * TIMES // 2, *SHRINK)
        self.check_counts(InTwoProcesses, TIMES / 2, record_property)

    def check_counts(self, machine: type[Law], times: float, record: Callable[..., None]) -> None:
        counts = machine.counts
        record("law", dict(counts))
        print(machine.__name__, dict(counts))  # noqa: T201
        assert counts["steps"] >= 600 * times
        assert min(counts["joined"], counts["left"]) >= 20 * times
        assert min(counts["merges"], counts["splits"]) >= 8 * times


class ByHand(Law):
    """A machine whose rules a test calls directly."""

    counts: ClassVar[Counter[str]] = Counter()


def test_editing_words_merges_and_splits_stories() -> None:
    ByHand.counts.clear()
    site = ByHand()
    try:
        site.start([(99, "here")])
        assert sorted(Counter(site.grouped.values()).values()) == [3, 3, 3, 3]
        for event in (0, 1):
            names = [n for n, name in enumerate(sorted(site.articles)) if name in ("e01", "e05", "e09")]
            for n in names:
                site.rewrite_about_an_event(n=n, event=event, share=5)
            site.law()
        assert (site.counts["merges"], site.counts["splits"]) == (1, 1)
        assert (site.counts["joined"], site.counts["left"]) == (0, 0)
        site.change(names[0], title="Nothing of the sort", excerpt="At all.")
        site.law()
        site.rewrite_about_an_event(n=names[0], event=2, share=6)
        site.law()
        assert (site.counts["joined"], site.counts["left"]) == (1, 1)
        assert max(Counter(site.grouped.values()).values()) == 4
    finally:
        site.teardown()


# What the machine's few articles do not reach: lists with more than they show


@pytest.fixture
def crowd(monkeypatch: Patch) -> Iterator[ByHand]:
    """Thirty articles of 10 November and many providers, more than may be top stories."""
    monkeypatch.setattr(lists, "RANKED", 3)
    for module in (lists, parts):
        monkeypatch.setattr(module, "CANDIDATES", 2)
    site = ByHand()
    site.pace = [(1, "here")]
    site.config["feeds.sections"] = "[]"  # an edit reaches all lists that have feeds
    for n, made in enumerate(noise(30)):
        site.put(f"x{n:02}", n, **(in_a_crowd(n) | {"title": made.title, "excerpt": made.excerpt}))
    site.configure()
    yield site
    site.teardown()


def in_a_crowd(n: int, **more: Any) -> dict[str, Any]:
    """The fields of an article of 10 November, at another time for each number."""
    time, url = f"2026-11-10T{6 + n // 3:02}:{n % 3}0:00Z", f"https://q{n}.example/1"
    return {"publishedDateTime": time, "webUrl": url, "topics": None, "category": None, "quality": 50} | more


def test_lists_show_edits_of_the_newest_articles_below_the_top_stories(crowd: ByHand) -> None:
    for n in range(30):
        crowd.change(n, category="c")
    crowd.law()
    for n in range(20, 30):
        crowd.change(n, title=f"Edited {n}")
        crowd.law()


def test_a_day_shows_edits_of_a_story_that_ranks_lower_since(crowd: ByHand) -> None:
    early, late = "2026-11-10T01:00:00Z", "2026-11-11T01:00:00Z"
    crowd.put("one", 0, **in_a_crowd(50, title="One", publishedDateTime=early, story="storm", quality=99))
    crowd.put("two", 0, **in_a_crowd(51, title="Two", publishedDateTime=late, story="storm", quality=None, heat=0.1))
    crowd.law()
    crowd.change(0, title="Once")
    crowd.law()


def test_days_show_edits_of_what_they_rank_from_the_days_before(crowd: ByHand) -> None:
    for name, time, quality in (("one", "09T23", 9000), ("two", "08T23", 9999), ("old", "07T23", 9999)):
        when = f"2026-11-{time}:00:00Z"
        crowd.put(name, 0, **in_a_crowd(50, title=name, publishedDateTime=when, quality=quality, story=name))
    crowd.put("on", 0, **in_a_crowd(51, title="On", publishedDateTime="2026-11-11T01:00:00Z", quality=1, story="two"))
    crowd.law()
    for name, days in (("one", (9, 10, 11)), ("two", (8, 9, 10, 11)), ("old", (7, 8, 9))):
        change(crowd, name, title=f"Another {name}")
        report = crowd.build()
        assert report
        rendered = {day for day in range(7, 12) if f"archive/2026/11/{day:02}/index.html" in report.rendered}
        assert rendered == set(days)
        crowd.law()


def test_a_topic_shows_another_spelling_of_the_title_of_a_child(crowd: ByHand) -> None:
    for n in range(30):
        crowd.change(n, topics=["Bridges"])
    crowd.site.write("content/_topics/ferries.md", "---\nparent: Bridges\n---\n")
    old = "2026-10-10T01:00:00Z"
    crowd.put("one", 0, **in_a_crowd(50, title="One", publishedDateTime=old, topics=["ferries"], quality=1))
    crowd.law()
    crowd.change(0, topics=["FERRIES"])
    crowd.law()


def test_a_topic_on_more_than_half_of_all_articles_is_not_capped(crowd: ByHand) -> None:
    for n in range(30):
        crowd.change(n, category="c", topics=["Bridges"] if n % 2 else None)
    crowd.config["ranking.topic_cap"] = "1"
    crowd.configure()
    crowd.put("one", 0, **in_a_crowd(50, title="One", publishedDateTime="2026-10-10T01:00:00Z", topics=["Bridges"]))
    crowd.put("two", 0, **in_a_crowd(51, title="Two", publishedDateTime="2026-10-10T01:00:00Z"))
    crowd.law()
    crowd.delete(n=1)
    crowd.law()


def test_lists_show_edits_of_a_follower(crowd: ByHand) -> None:
    crowd.config["stories.folded"] = '"member"'
    crowd.configure()
    for n in range(2):
        crowd.change(n, story="storm")
    entry = crowd.entry("x00")
    crowd.put("one", 0, **in_a_crowd(50, title="One", heat=-1, published=False, related=[entry]))
    crowd.law()
    crowd.change(0, title="Once")
    crowd.law()


def change(site: Law, name: str, **fields: Any) -> None:
    site.change(sorted(site.articles).index(name), **fields)


def test_a_topic_shows_edits_of_the_lines_of_its_days(crowd: ByHand) -> None:
    for n in range(30):
        crowd.change(n, topics=["Bridges"])
    for n, day in enumerate((3, 3, 5, 7, 7)):
        fields = {"publishedDateTime": f"2026-11-{day:02}T01:00:00Z", "topics": ["Bridges"], "quality": 60 - n}
        crowd.put(f"l{n}", 0, **in_a_crowd(50 + n, title=f"Line {n}", **fields))
    for name in ("l0", "l2"):
        change(crowd, name, story="storm")
    crowd.law()
    page = "topics/bridges/index.html"
    for n, is_shown in enumerate((True, True, False, True, False)):
        change(crowd, f"l{n}", title=f"Another {n}")
        report = crowd.build()
        assert report
        assert (page in report.rendered) == is_shown
        crowd.law()
    change(crowd, "l4", quality=99)  # the best of its day now
    crowd.law()
    change(crowd, "l4", title="The best")
    crowd.law()


def test_feeds_show_edits_of_their_entries_only(crowd: ByHand) -> None:
    del crowd.config["feeds.sections"]
    crowd.config["feed_size"] = "50"
    crowd.configure()
    for n in range(30):
        crowd.change(n, topics=["Bridges"])
    for n, made in enumerate(noise(40, seed=9)):
        fields = {"publishedDateTime": f"2026-11-09T{n // 3:02}:{n % 3}0:00Z", "topics": ["Bridges"], "quality": 1}
        crowd.put(f"y{n:02}", n, **in_a_crowd(100 + n, title=made.title, excerpt=made.excerpt, **fields))
    crowd.law()
    for name, title, is_shown in (("x29", "Ferries", True), ("y30", "Lanterns", True), ("y10", "Orchards", False)):
        change(crowd, name, title=title)
        report = crowd.build()
        assert report
        assert ("topics/bridges/atom.xml" in report.rendered) == is_shown
        crowd.law()
    for name in ("y10", "x29"):  # an entry has the time of its first file
        change(crowd, name, story="storm")
    crowd.law()
    change(crowd, "x29", title="Harbours")
    crowd.law()
    for name in ("x28", "y20"):
        crowd.delete(n=sorted(crowd.articles).index(name))
        crowd.law()
    change(crowd, "y17", title="Viaducts")
    crowd.law()


# Planted bugs: the law must find each of them


class Found(BaseException):
    """The law does not hold. Hypothesis ends at once; it would run the same example again after an Exception."""


class Planted(Law):
    """A machine with fewer rules, all enabled at once. It finds sooner what `Law` finds within 500 builds."""

    counts: ClassVar[Counter[str]] = Counter()
    sizes = (1,)
    ways = ("here",)
    only = (
        "add_in_turn", "merge_or_split_two_stories", "add", "delete", "rename", "touch", "set", "static", "override",
        "save_an_about_file", "wait", "preview",
        "set_body", "set_excerpt", "set_provider", "set_category", "edit_at_the_same_size_and_time",
    )  # fmt: skip

    def law(self) -> None:
        try:
            super().law()
        except AssertionError as broken:
            raise Found from broken


ONLY = {
    "a digest without the body": ("set_body", "add", "delete"),
    "a digest without summaries": ("set_excerpt", "add", "delete"),
    "a card's digest without the excerpt": ("set_excerpt", "add", "delete"),
    "a stamp without ctime and inode": ("edit_at_the_same_size_and_time", "add"),
    "a snapshot without templates and static files": ("static", "override", "add"),
    "a new name does not reach cards": ("set_provider", "save_an_about_file", "add"),
    "a library outlives its configuration": ("set", "add", "save_an_about_file"),
    "a query without the sections above a topic": ("set_topics", "save_an_about_file", "add", "set_excerpt"),
}
"""The rules that show a bug soon: with all of `Planted`, those are rare."""


def _digest_without(field: str) -> Callable[[bytes], str]:
    def without(value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            return [without(getattr(value, f)) for f in value.__struct_fields__ if f != field]
        return [*map(without, value)] if isinstance(value, list | tuple) else value

    return lambda data: text.digest(repr(without(pages.decode(data))).encode())


def _no_prune_of(ending: str) -> Callable[[Output, str], None]:
    remove = Output._remove
    return lambda self, path: None if path.endswith(ending) else remove(self, path)


def _add_shorter() -> Callable[..., None]:
    add: Any = files.FoundFiles.add
    return lambda self, name, s: add(
        self, name, SimpleNamespace(st_size=s.st_size, st_mtime_ns=s.st_mtime_ns, st_ctime_ns=0, st_ino=0)
    )


def _edited(owner: Any, name: str, old: str, new: str) -> tuple[Any, str, Callable[[], Any]]:
    """A function with another source."""

    def edited() -> Any:
        function = getattr(owner, name)
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(old) == 1, old
        made: dict[str, Any] = {}
        exec(compile(source.replace(old, new), inspect.getfile(function), "exec"), function.__globals__, made)
        return made[name]

    return owner, name, edited


PLANTED: dict[str, tuple[Any, str, Callable[[], Any]]] = {
    "a digest without the body": (plan, "digest", lambda: _digest_without("body")),
    "a digest without summaries": (plan, "digest", lambda: _digest_without("summary")),
    "a feed is not pruned": (Output, "_remove", lambda: _no_prune_of("atom.xml")),
    "a page is not pruned": (Output, "_remove", lambda: _no_prune_of("index.html")),
    "a stamp without ctime and inode": (files.FoundFiles, "add", _add_shorter),
    "a snapshot without templates and static files": (files, "walk_files", lambda: lambda _: iter(())),
    "a story's change does not reach its page": _edited(
        Arrangement, "_find_reached", "reached.story_pages.update(before)", "pass"
    ),
    "a new name does not reach cards": _edited(Arrangement, "_find_reached", 'axis != "day" and', "False and"),
    "a library outlives its configuration": (loading._Loading, "_variant", lambda: lambda *_: b""),
    "a card's digest without the excerpt": _edited(Arrangement, "_row", "member.excerpt, ", ""),
    "a query without the sections above a topic": _edited(
        reach._Sections,
        "_keys",
        "for axis, key, _ in self._library.keys(row)",
        "for axis, key, spelling in self._library.keys(row) if spelling or axis != 'topic'",
    ),
}


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("bug", PLANTED)
def test_the_law_finds(bug: str, monkeypatch: Patch) -> None:
    owner, name, planted = PLANTED[bug]
    monkeypatch.setattr(owner, name, planted())
    if TIMES == 1:
        # Hypothesis turns some rules off in each example.
        flags = "hypothesis.strategies._internal.featureflags.FeatureFlags.is_enabled"
        monkeypatch.setattr(flags, lambda *_: True, raising=False)
    machine = type("Planted", (Planted,), {"only": ONLY.get(bug, Planted.only), "counts": Counter()})
    with pytest.raises(Found):
        run_machine(machine, PLANTED_EXAMPLES, steps=SOON if bug in ONLY else STEPS)
    print(bug, dict(machine.counts))  # noqa: T201


# Minimal work: only affected pages are rendered


def paper(site: Site, count: int) -> Site:
    """A site with a story every seven articles. Its newest articles are the same for any `count`."""
    site.write("site.toml", 'base_url = "https://news.example/"\n')
    made = noise(count)
    for n in range(count):
        event = n - 1 if n % 7 == 1 else n
        words = made[event].title.split()
        site.article(
            f"a{n:04}",
            title=" ".join([*words, word(n)]),
            excerpt=made[event].excerpt,
            publishedDateTime=at(50 + 3 * n),
            webUrl=f"https://p{n % 9}.example/{n}",
            topics=f"[T{n % 5}, U{n % 3}]",
            category=f"c{n % 3}",
            body="The body.\n",
        )
    return site


def add(site: Site) -> Report:
    """Adds the newest article, which joins no story, and builds."""
    more = {"topics": "[T1, U1]", "category": "c1", "webUrl": "https://p3.example/new"}
    site.article("new", title="Entirely other words", excerpt="And some.", publishedDateTime=at(49), **more)
    return site.good()


def linking(site: Site, part: str) -> set[str]:
    """The pages whose template uses this template or static file."""
    theme = Theme(site.root)
    found = Output(site.output).manifest().files
    return {p for p, r in found.items() if r.template and any(part in parts for parts in theme.closure(r.template))}


def test_editing_a_body_renders_one_page(site: Make) -> None:
    s = paper(site(), 60)
    assert s.good().stories >= 8
    s.edit("content/a0007.md", "The body.", "Another body.")
    report = s.good()
    assert len(report.rendered) == 1
    assert report.written == report.rendered
    assert report.rendered[0].endswith("/a0007/index.html")


def test_editing_a_static_file_or_template_renders_the_pages_that_use_it(site: Make) -> None:
    s = paper(site(), 60)
    s.good()
    s.write("static/css/site.css", "body { color: red }")
    report = s.good()
    # `_headers` names the file with its fingerprint.
    assert set(report.rendered) == linking(s, "css/site.css") | {"_headers"}
    written = {p for p in report.written if p not in report.rendered}
    assert written == {f"css/{file.name}" for file in (s.output / "css").glob("site.*")}
    for name in ("parts/card.html", "parts/entry.html", "pages/story.html"):
        s.write(f"templates/{name}", (shipped_site() / "templates" / name).read_text(encoding="utf-8") + "\n")
        rendered = s.good().rendered
        assert set(rendered) == linking(s, name)
        assert 5 < len(rendered) < report.pages - 5


def test_a_new_article_renders_only_the_pages_that_show_it(site: Make) -> None:
    s = paper(site(), 60)
    s.good()
    report = add(s)
    assert len([p for p in report.rendered if p.endswith(".html")]) <= 25
    assert len(report.written) <= 60


def test_a_new_article_writes_the_same_number_of_files_whatever_the_size_of_the_site(site: Make) -> None:
    written = []
    for count in (300, 1500):
        s = paper(site(name=f"of-{count}"), count)
        s.good()
        written.append(len(add(s).written))
    assert abs(written[0] - written[1]) <= 5, written


# A plugin

PLUGIN = """
from msgspec.structs import replace
from newsgen import Page, Plugin

class Own(Plugin):
    sections = ("topic bridges", "category *")
    def article(self, article):
        if article.title.startswith("Bad"):
            raise ValueError("bad")
        return None if "gone" in article.title else replace(article, title=article.title + " mark")
    def topics(self, article):
        return ["Bridges"] if "bridge" in article.title else []
    def pages(self, library):
        bridges = library.section("topic", "bridges")
        data = {s.key: [[library.address(m), m] for m in s.members] for s in library.sections("category")}
        data["bridges"] = [library.card(m) for m in bridges.members] if bridges else []
        data["stories"] = [library.story(m) for m in bridges.members] if bridges else []
        yield Page(path="own.json", template="own.json", data=data)
        for key in data:
            yield Page(path=f"own/{key}.html", template="own.html", title=key, data=len(data[key]))
    def filters(self):
        return {"twice": lambda number: 2 * number}
"""


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("way", ["here", "memory", "workers"])
def test_the_law_holds_with_a_plugin(way: str, monkeypatch: Patch) -> None:
    """Its code, its data and the articles that it reads are edited; each time, the output is that of a clean build."""
    monkeypatch.setattr(pool, "BATCH", 4)
    law = InOneProcess()
    law.pace = [(1, way)]
    law.config["plugins"] = '["own"]'
    law.config["base_url"] = '"https://bikes.example/"'
    law.site.write("plugins/own.py", PLUGIN).write("templates/own.json", "{{ page.data | tojson }}")
    # Without a filter, no template differs with the code.
    law.site.write(
        "templates/own.html", "{{ page.title }} {{ page.data | %s }}" % ("abs" if way == "memory" else "twice")
    )
    law.configure()
    for n in range(8):
        law.put(
            f"a{n}", n, excerpt="Short.", title=f"Bad {n}" if n == 5 else f"The bridge {n}" if n % 2 else f"Number {n}"
        )
    edits: list[Callable[[], object]] = [
        lambda: law.put("new", 3, title="Another bridge"),
        lambda: law.put("a1", 1, title="A tunnel", body="A text"),
        lambda: law.site.edit("plugins/own.py", '" mark"', '" sign"'),
        lambda: law.site.edit("plugins/own.py", "2 * number", "3 * number"),
        lambda: law.site.edit("plugins/own.py", '"Bridges"', '"Spans"'),
        lambda: law.put("a2", 2, title="It is gone"),
        lambda: law.site.edit("plugins/own.py", '"gone"', '"Number"'),
        lambda: law.put("a5", 5, title="A good bridge", body="Two"),
        lambda: law.change(3, body="Only the body differs"),  # neither its card nor its story does
        lambda: law.site.edit("plugins/own.py", "own/{key}", "mine/{key}"),
        lambda: law.site.edit("plugins/own.py", '("topic bridges", "category *")', "None"),
        lambda: law.site.write("plugins/more.txt", "data"),
    ]
    try:
        law.law()
        for number, edit in enumerate(edits):
            edit()
            if way != "workers" or number % 2:
                law.changed = True
                law.law()
        law.config.pop("plugins")
        law.configure()
        law.changed = True
        law.law()
        assert not (law.output / "own.json").exists()
    finally:
        law.teardown()


# Reproducible


def test_the_output_does_not_depend_on_file_order_umask_or_history(site: Make, tmp_path: Path) -> None:
    """One site is edited and built repeatedly; its copy is written in another order and umask, and built once."""
    one = paper(site(), 30)
    for n in range(4):
        one.edit(f"content/a000{n}.md", "The body.", f"Body {n}.")
        one.article(f"gone{n}", story=f"s{n % 2}", topics=f"[T{n}]")
        one.good()
    for n in range(4):
        (one.root / f"content/gone{n}.md").unlink()
    one.spawn("build", "--now", NOW.isoformat(), PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
    before = os.umask(0o077)
    try:
        other = Site(tmp_path / "a much longer name/of another folder")
        for file in sorted((one.root / "content").iterdir(), reverse=True):
            other.write(f"content/{file.name}", file.read_bytes())
        other.write("site.toml", (one.root / "site.toml").read_bytes())
        environment = {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8"}
        done = other.spawn("build", "--now", NOW.isoformat(), "--jobs", "2", **environment)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stderr
    assert differences(one.tree(), other.tree()) == []
    assert len(one.tree()) > 100
