"""Edits of every kind cause few builds, and the preview then equals a clean build."""

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
from newsgen.preview.rebuilder import FOLDER, Preview, Update
from newsgen.preview.watch import Watch

IDLE = 0.25
"""Seconds without a build after which a preview counts as idle."""


class Previewed:
    """A preview with its watcher but without its server."""

    def __init__(self, site: Site, *, poll: bool = False, pages: Collection[str] = ()) -> None:
        self.site = site
        self.builds = 0
        self.on_update: Callable[[Update], object] = lambda _: None
        self._last = time.monotonic()
        options = Options(site=site.root, output=site.root / FOLDER, now=NOW, jobs=1, fingerprints=False)
        self.preview = Preview(options, self._count, lambda: pages)
        self.preview.build()
        self.watch = Watch(site.root, site.root / "content", poll=poll)
        self.watch.__enter__()
        self._thread = threading.Thread(target=self.preview.run, args=(self.watch,))
        self._thread.start()
        self.idle()
        self.builds = 0

    def _count(self, update: Update) -> None:
        self.builds += 1
        self._last = time.monotonic()
        self.on_update(update)

    def idle(self, least: int = 0, timeout: float = 20) -> None:
        """Waits until at least `least` builds have run and no more follow."""
        end = time.monotonic() + timeout
        since = time.monotonic()
        while time.monotonic() < end and (self.builds < least or time.monotonic() - since < IDLE):
            if not self.preview.idle.wait(0.01) or self._last > since:
                since = time.monotonic()
            time.sleep(0.01)
        assert self.builds >= least

    def stop(self) -> None:
        self.preview.stop()
        self.watch.trigger()
        self._thread.join()
        self.watch.__exit__()

    def clean(self) -> dict[str, bytes]:
        """The output of a clean build of a copy."""
        copy = self.site.root.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.site.root, copy, ignore=shutil.ignore_patterns(".newsgen", "public", ".git"))
        other = Site.__new__(Site)
        other.root, other.output = copy, copy / "public"
        other.build(fingerprints=False)
        return other.tree()

    def check(self) -> None:
        """On a busy machine, the system's events of the last edit may come after the preview seemed idle."""
        clean = self.clean()
        for _ in range(4):
            self.idle()
            if self.site.tree(self.site.root / FOLDER) == clean:
                return
            time.sleep(0.5)
        assert self.site.tree(self.site.root / FOLDER) == clean


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


def test_a_burst_of_files_causes_at_most_two_builds(previewed: Callable[..., Previewed]) -> None:
    p = previewed()
    for n in range(50):
        p.site.article(f"burst{n}")
    p.idle(least=1)
    assert p.builds <= 2
    p.check()


def test_a_save_by_an_editor_causes_at_most_two_builds(previewed: Callable[..., Previewed]) -> None:
    """As vim saves: a probe file, a backup, a new file, and a rename of that over the old one."""
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


def test_changes_outside_the_inputs_cause_no_build(previewed: Callable[..., Previewed]) -> None:
    p = previewed()
    p.site.write("public/x.html", "x").write("notes.txt", "x").write(".newsgen/y", "y")
    (p.site.root / "content/a1.md").read_text()
    p.idle()
    assert p.builds == 0


@pytest.mark.parametrize("poll", [False, True])
def test_folders_may_be_created_moved_and_removed(previewed: Callable[..., Previewed], poll: bool) -> None:
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


def test_checking_out_another_branch_updates_the_preview(previewed: Callable[..., Previewed]) -> None:
    p = previewed()

    def git(*args: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@x.example")
        subprocess.run(["git", *identity, *args], cwd=p.site.root, check=True, capture_output=True)

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


def test_a_save_cancels_the_running_build_and_pages_that_it_sent_are_sent_again(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed(pages=[PAGE, "index.html"])
    shown: list[bytes] = []
    updates: list[frozenset[str]] = []

    def on_update(update: Update) -> None:
        updates.append(update.changed)
        if PAGE in update.changed and not shown:
            shown.append(p.preview.unwritten[PAGE])
            assert PAGE in p.preview.unwritten, "the page is sent before the plan is made"
            p.site.edit("content/a1.md", "Second", "A1")
            p.watch.trigger()

    p.on_update = on_update
    p.site.edit("content/a1.md", "A1", "Second")
    p.idle(least=2)
    assert b"Second" in shown[0]
    assert PAGE not in p.preview.report.written, "the build that sent the page was cancelled"
    assert any(PAGE in changed for changed in updates[1:]), "browsers reload the page although its file did not change"
    assert p.preview.unwritten == {}
    p.check()


def test_a_page_sent_by_a_build_that_fails_goes_back_to_its_file(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed(pages=[PAGE])
    updates: list[tuple[frozenset[str], bool]] = []
    p.on_update = lambda update: updates.append((update.changed, PAGE in p.preview.unwritten))
    p.site.write("templates/feeds/robots.txt", "{{ nothing.at.all }}")
    p.site.write("site.toml", 'base_url = "https://x.example/"\n')
    p.site.edit("content/a1.md", "A1", "Second")
    p.idle(least=2)
    assert p.preview.problems
    assert (frozenset({PAGE}), True) in updates, "the page is sent ahead of the rest"
    assert PAGE in updates[-1][0]
    assert not updates[-1][1], "the server serves the last good page"


def test_a_plugin_is_loaded_again_whenever_it_is_saved(previewed: Callable[..., Previewed]) -> None:
    p = previewed()
    plugin = "from msgspec.structs import replace\nfrom newsgen import Plugin\nclass Own(Plugin):\n"
    plugin += "    def article(self, article):\n        return replace(article, title='One')\n"
    p.site.write("plugins/own.py", plugin).write("site.toml", 'plugins = ["own"]\n')
    p.idle(least=1)
    p.check()
    p.site.edit("plugins/own.py", "'One'", "'Two'")
    p.idle(least=2)
    p.check()
    assert b"Two" in p.site.tree(p.site.root / FOLDER)[PAGE]
    p.site.edit("plugins/own.py", "class Own", "oops\nclass Own")
    p.idle(least=3)
    (problem,) = p.preview.problems
    assert (problem.path, problem.line) == ("plugins/own.py", 3)
    assert (3, "oops") in problem.frame, "the preview shows the lines around it"
    assert b"Two" in p.site.tree(p.site.root / FOLDER)[PAGE]


def test_builds_are_not_cancelled_forever(previewed: Callable[..., Previewed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "CANCEL_SECONDS", 0.5)
    p = previewed(pages=[PAGE])
    finished = threading.Event()
    titles = [f"Title {n}" for n in range(40)]

    def on_update(update: Update) -> None:
        if PAGE in update.changed and not p.preview.unwritten:
            finished.set()
        elif titles and not finished.is_set():
            p.site.article("a1", title=titles.pop(), topics="[T1]")
            p.watch.trigger()

    p.on_update = on_update
    p.site.edit("content/a1.md", "A1", "Second")
    assert finished.wait(20)
    assert len(titles) > 10
    p.check()


def test_a_changed_style_sheet_is_sent_before_the_build_even_while_the_site_has_errors(
    previewed: Callable[..., Previewed],
) -> None:
    p = previewed()
    p.site.write("static/css/site.css", "/* one */")
    p.idle(least=1)
    updates: list[tuple[frozenset[str], bytes | None, bool]] = []
    written = p.site.root / FOLDER / "css/site.css"
    p.on_update = lambda update: updates.append(
        (update.changed, p.preview.unwritten.get("css/site.css"), written.read_bytes() == b"/* two */")
    )
    p.site.write("static/css/site.css", "/* two */")
    p.idle(least=p.builds + 1)
    assert updates[0] == ({"css/site.css"}, b"/* two */", False)
    assert all("css/site.css" not in changed for changed, _, _ in updates[1:]), "the style sheet is swapped only once"
    assert p.preview.unwritten == {}
    p.site.write("site.toml", "[")
    p.idle(least=p.builds + 1)
    p.site.write("static/css/site.css", "/* three */")
    p.idle(least=p.builds + 1)
    assert p.preview.problems
    assert p.preview.unwritten == {"css/site.css": b"/* three */"}
    p.site.write("site.toml", "")
    p.idle(least=p.builds + 1)
    p.check()


class Edits(RuleBasedStateMachine):
    """Random edits: an idle preview equals a clean build."""

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


def test_an_idle_preview_equals_a_clean_build(tmp_path: Path) -> None:
    Edits.folder = tmp_path
    hypothesis_settings = settings(
        max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Edits, settings=hypothesis_settings)
