"""Edits of every kind become few builds, and the preview then is what a clean build makes."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sites import NOW, Site

from newsgen.builder import Options
from newsgen.preview import rebuilder as preview
from newsgen.preview.rebuilder import FOLDER, News, Preview
from newsgen.preview.watch import Watch

IDLE = 0.25
"""Seconds without a build after which a preview is idle."""


class Previewed:
    """A preview with its watcher, without its server."""

    def __init__(self, site: Site, *, poll: bool = False, pages: Collection[str] = ()) -> None:
        self.site = site
        self.builds = 0
        self.hears: Callable[[News], object] = lambda _: None
        self._last = time.monotonic()
        options = Options(site=site.root, output=site.root / FOLDER, now=NOW, jobs=1, fingerprints=False)
        self.preview = Preview(options, self._told, lambda: pages)
        self.preview.build()
        self.watch = Watch(site.root, site.root / "content", poll=poll)
        self.watch.__enter__()
        self._thread = threading.Thread(target=self.preview.run, args=(self.watch,))
        self._thread.start()
        self.idle()
        self.builds = 0

    def _told(self, news: News) -> None:
        self.builds += 1
        self._last = time.monotonic()
        self.hears(news)

    def idle(self, least: int = 0, patience: float = 20) -> None:
        """Waits for so many builds at least, and then until there are no more."""
        end = time.monotonic() + patience
        since = time.monotonic()
        while time.monotonic() < end and (self.builds < least or time.monotonic() - since < IDLE):
            if not self.preview.idle.wait(0.01) or self._last > since:
                since = time.monotonic()
            time.sleep(0.01)
        assert self.builds >= least

    def stop(self) -> None:
        self.preview.stop()
        self.watch.stir()
        self._thread.join()
        self.watch.__exit__()

    def clean(self) -> dict[str, bytes]:
        """A clean build of a copy."""
        copy = self.site.root.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.site.root, copy, ignore=shutil.ignore_patterns(".newsgen", "public", ".git"))
        other = Site.__new__(Site)
        other.root, other.output = copy, copy / "public"
        other.build(fingerprints=False)
        return other.tree()

    def check(self) -> None:
        self.idle()
        assert self.site.tree(self.site.root / FOLDER) == self.clean()


@pytest.fixture
def previewed(site: Callable[..., Site]) -> Iterator[Callable[..., Previewed]]:
    made: list[Previewed] = []

    def make(**chosen: Any) -> Previewed:
        s = site()
        for n in range(8):
            s.article(f"a{n}", topics=f"[T{n % 2}]")
        made.append(Previewed(s, **chosen))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_a_burst_of_files_is_one_build_or_two(previewed: Callable[..., Previewed]) -> None:
    p = previewed()
    for n in range(50):
        p.site.article(f"burst{n}")
    p.idle(least=1)
    assert p.builds <= 2
    p.check()


def test_an_editor_s_way_to_save_is_one_build(previewed: Callable[..., Previewed]) -> None:
    """A probe, a backup, a new file, and that in the old one's place."""
    p = previewed()
    file = p.site.root / "content/a1.md"
    (file.parent / "4913").touch()
    (file.parent / "4913").unlink()
    shutil.copy(file, file.parent / "a1.md~")
    (file.parent / ".a1.md.swp").write_text("x")
    (file.parent / ".a1.md.new").write_text(
        file.read_text().replace("title: ", "title: New ").replace('New "', '"New ')
    )
    (file.parent / ".a1.md.new").replace(file)
    p.idle(least=1)
    assert p.builds <= 2
    p.check()
    assert "New A1" in (p.site.root / FOLDER / "2026/11/08/a1/index.html").read_text()


def test_nothing_is_built_where_nothing_of_the_site_changes(previewed: Callable[..., Previewed]) -> None:
    p = previewed()
    p.site.write("public/x.html", "x").write("notes.txt", "x").write(".newsgen/y", "y")
    (p.site.root / "content/a1.md").read_text()
    p.idle()
    assert p.builds == 0


@pytest.mark.parametrize("poll", [False, True])
def test_folders_that_come_go_and_are_moved(previewed: Callable[..., Previewed], poll: bool) -> None:
    p = previewed(poll=poll)
    root = p.site.root
    p.site.write("templates/parts/x.html", "x")
    p.idle(least=1)
    done = p.builds
    p.site.write("static/deep/er/a.txt", "a")
    p.idle(least=done + 1)
    done = p.builds
    p.site.write("static/deep/er/b.txt", "b")
    p.idle(least=done + 1)
    p.check()
    done = p.builds
    (root / "content/sub").mkdir()
    (root / "content/a2.md").replace(root / "content/sub/a2.md")
    p.idle(least=done + 1)
    done = p.builds
    (root / "content/sub").replace(root / "content/sup")
    p.idle(least=done + 1)
    done = p.builds
    p.site.article("sup/a9")
    p.idle(least=done + 1)
    p.check()
    done = p.builds
    shutil.rmtree(root / "static")
    p.idle(least=done + 1)
    done = p.builds
    p.site.write("static/again.txt", "again")
    p.idle(least=done + 1)
    p.check()


def test_a_checkout_of_another_branch(previewed: Callable[..., Previewed]) -> None:
    p = previewed()

    def git(*args: str) -> None:
        said = ("-c", "user.name=n", "-c", "user.email=e@x.example")
        subprocess.run(["git", *said, *args], cwd=p.site.root, check=True, capture_output=True)

    git("init", "-q", "-b", "one")
    git("add", "content")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "two")
    git("rm", "-qr", "content")
    (p.site.root / "content").mkdir(exist_ok=True)
    for n in range(20):
        p.site.article(f"b{n}")
    git("add", "content")
    git("commit", "-qm", "two")
    p.check()
    done = p.builds
    git("checkout", "-q", "one")
    p.idle(least=done + 1)
    p.check()
    assert (p.site.root / FOLDER / "2026/11/08/a1/index.html").exists()


PAGE = "2026/11/08/a1/index.html"


def test_a_save_gives_up_the_build_before_and_what_that_showed_is_shown_anew(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed(pages=[PAGE, "index.html"])
    shown: list[bytes] = []
    news: list[frozenset[str]] = []

    def hear(told: News) -> None:
        news.append(told.changed)
        if PAGE in told.changed and not shown:
            shown.append(p.preview.early[PAGE])
            assert PAGE in p.preview.early, "shown before the plan is made"
            p.site.edit("content/a1.md", "Second", "A1")
            p.watch.stir()

    p.hears = hear
    p.site.edit("content/a1.md", "A1", "Second")
    p.idle(least=2)
    assert b"Second" in shown[0]
    assert PAGE not in p.preview.report.written, "the build that showed it was given up"
    assert any(PAGE in changed for changed in news[1:]), "so browsers are told of it, though its file is as it was"
    assert p.preview.early == {}
    p.check()


def test_a_page_that_was_shown_by_a_build_that_fails_is_shown_as_its_file_is(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed(pages=[PAGE])
    news: list[tuple[frozenset[str], bool]] = []
    p.hears = lambda told: news.append((told.changed, PAGE in p.preview.early))
    p.site.write("templates/feeds/robots.txt", "{{ nothing.at.all }}")
    p.site.write("site.toml", 'base_url = "https://x.example/"\n')
    p.site.edit("content/a1.md", "A1", "Second")
    p.idle(least=2)
    assert p.preview.problems
    assert (frozenset({PAGE}), True) in news, "shown ahead of the rest"
    assert PAGE in news[-1][0]
    assert not news[-1][1], "the last good page, below what is wrong"


def test_builds_are_not_given_up_for_ever(previewed: Callable[..., Previewed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "PATIENCE", 0.5)
    p = previewed(pages=[PAGE])
    went_on = threading.Event()
    titles = [f"Title {n}" for n in range(40)]

    def hear(told: News) -> None:
        if PAGE in told.changed and not p.preview.early:
            went_on.set()
        elif titles and not went_on.is_set():
            p.site.article("a1", title=titles.pop(), topics="[T1]")
            p.watch.stir()

    p.hears = hear
    p.site.edit("content/a1.md", "A1", "Second")
    assert went_on.wait(20)
    assert len(titles) > 10
    p.check()


def test_a_style_is_shown_before_anything_is_built_also_while_the_site_is_broken(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed()
    p.site.write("static/css/site.css", "/* one */")
    p.idle(least=1)
    told: list[tuple[frozenset[str], bytes | None, bool]] = []
    standing = p.site.root / FOLDER / "css/site.css"
    p.hears = lambda news: told.append(
        (news.changed, p.preview.early.get("css/site.css"), standing.read_bytes() == b"/* two */")
    )
    p.site.write("static/css/site.css", "/* two */")
    p.idle(least=p.builds + 1)
    assert told[0] == ({"css/site.css"}, b"/* two */", False)
    assert all("css/site.css" not in changed for changed, _, _ in told[1:]), "it is not swapped twice"
    assert p.preview.early == {}
    p.site.write("site.toml", "[")
    p.idle(least=p.builds + 1)
    p.site.write("static/css/site.css", "/* three */")
    p.idle(least=p.builds + 1)
    assert p.preview.problems
    assert p.preview.early == {"css/site.css": b"/* three */"}
    p.site.write("site.toml", "")
    p.idle(least=p.builds + 1)
    p.check()


class Edits(RuleBasedStateMachine):
    """Whatever is edited: once a preview is idle, it is what a clean build makes."""

    folder: Path
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Edits.count += 1
        site = Site(self.folder / f"n{Edits.count}" / "site")
        for n in range(6):
            site.article(f"a{n}", topics=f"[T{n % 2}]")
        self.p = Previewed(site)

    @rule(
        n=st.integers(0, 8), title=st.sampled_from(["One", "Two", "Three"]), topic=st.sampled_from(["T0", "T1", "T2"])
    )
    def write(self, n: int, title: str, topic: str) -> None:
        self.p.site.article(f"a{n}", title=title, topics=f"[{topic}]")

    @rule(n=st.integers(0, 8), m=st.integers(0, 8))
    def move(self, n: int, m: int) -> None:
        folder = self.p.site.root / "content"
        if (folder / f"a{n}.md").exists():
            (folder / f"a{n}.md").replace(folder / f"a{m}.md")

    @rule(n=st.integers(0, 8))
    def delete(self, n: int) -> None:
        (self.p.site.root / f"content/a{n}.md").unlink(missing_ok=True)

    @rule(v=st.integers(0, 3))
    def style(self, v: int) -> None:
        self.p.site.write("static/css/site.css", f"/* {v} */")

    @rule(v=st.sampled_from(["", "[", 'title = "Paper"\n', "page_size = 3\n"]))
    def configure(self, v: str) -> None:
        self.p.site.write("site.toml", v)

    @rule()
    def rest(self) -> None:
        self.p.idle()

    def teardown(self) -> None:
        self.p.site.write("site.toml", "page_size = 5\n")
        try:
            time.sleep(0.05)
            self.p.check()
        finally:
            self.p.stop()


def test_once_idle_the_preview_is_what_a_clean_build_makes(tmp_path: Path) -> None:
    Edits.folder = tmp_path
    given = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Edits, settings=given)
