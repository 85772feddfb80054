"""Killed builds, concurrent builds and full disks: readers never see a broken site."""

import errno
import html
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from sites import Site

from newsgen.builder import output
from newsgen.builder.manifest import MANIFEST
from newsgen.builder.output import STAGING, Lock
from newsgen.errors import OutputError

Make = Callable[..., Site]
BASE = 'base_url = "https://news.example/"\npage_size = 3\n'
_LINK = re.compile(r"""<[a-z][^<>]*?\s(?:href|src)="(/[^"]*)\"""")

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def fill(s: Site, *, after: bool = False) -> Site:
    """Writes a site in one of two states: pages are added, changed and removed, stories form and split."""
    s.write("site.toml", BASE + ('title = "After"\n' if after else ""))
    for n in range(14):
        if n in (3, 4) and after:
            (s.root / f"content/a{n:02}.md").unlink()
            continue
        story = {0: "one", 1: "one", 5: "two" if after else "", 6: "two" if after else "one"}.get(n, "")
        s.article(
            f"a{n:02}",
            title=f"Article {n}{' anew' if after and n % 2 else ''}",
            publishedDateTime=f"2026-11-{n + 1:02}T10:00:00Z",
            topics=f"[T{n % 3}, {'New' if after else 'Old'}]",
            story=story or None,
        )
    if after:
        s.article("b", publishedDateTime="2026-11-20T10:00:00Z", topics="[Newest]")
        s.write("static/css/site.css", "body { color: black }")
        s.write("static/extra.txt", "extra")
    return s


def broken_links(tree: dict[str, bytes], start: Iterable[str]) -> set[tuple[str, str]]:
    """Broken links on all pages that are reachable from `start`, as (page, missing path)."""
    seen: set[str] = set()
    pending = sorted(tree.keys() & start)
    broken = set()
    while pending:
        page = pending.pop()
        if page in seen:
            continue
        seen.add(page)
        if not page.endswith(".html"):
            continue
        for link in _LINK.findall(tree[page].decode()):
            path = unquote(html.unescape(link)).partition("#")[0][1:]
            path = path + "index.html" if not path or path.endswith("/") else path
            if path not in tree:
                broken.add((page, path))
            else:
                pending.append(path)
    return broken


def readers_see(s: Site) -> dict[str, bytes]:
    """The output without the staging folder."""
    return {p: data for p, data in s.tree().items() if not p.startswith(STAGING)}


@pytest.fixture
def states(site: Make) -> tuple[Site, dict[str, bytes], dict[str, bytes]]:
    """A built and then edited site, and its output trees before and after the next build."""
    s = fill(site("", "work"))
    s.good()
    before = readers_see(s)
    fill(s, after=True)
    s.good(output=s.root.parent / "clean")
    after = s.tree(s.root.parent / "clean")
    assert {len(before.keys() - after.keys()) > 5, len(after.keys() - before.keys()) > 5} == {True}
    assert len([p for p in before.keys() & after.keys() if before[p] != after[p]]) > 20
    return s, before, after


CALLS = ("replace", "unlink", "rmdir", "mkdir", "write", "open")


def build_and_kill(s: Site, nth: int) -> bool:
    """Builds in a child process that is killed before its nth call of `CALLS`. Returns whether it was killed."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **given: Any) -> Any:
                nonlocal count
                count += 1
                if count == nth:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **given)

            return run

        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            s.build(jobs=1)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@needs_fork
def test_a_build_killed_at_any_moment_leaves_complete_files_and_no_broken_links(
    states: tuple[Site, dict[str, bytes], dict[str, bytes]],
) -> None:
    s, before, after = states
    shutil.copytree(s.root, s.root.parent / "kept", symlinks=True)
    chance = random.Random(4)
    # Most while files are moved.
    spans = (range(4, 270), 6), (range(270, 460), 24), (range(460, 900), 10)
    moments = [1, 2, 3, *sorted(moment for span, count in spans for moment in chance.sample(span, count))]
    done = mixed = 0
    # Pages to be removed may link to pages removed a moment earlier: with mutual links, no order avoids that.
    kept = before.keys() & after.keys()
    for at in moments:
        shutil.rmtree(s.root)
        shutil.copytree(s.root.parent / "kept", s.root, symlinks=True)
        if not build_and_kill(s, at):
            break
        done += 1
        found = readers_see(s)
        for path, data in found.items():
            assert data in (before.get(path), after.get(path)), (at, path)
        assert not broken_links(found, kept), at
        mixed += found not in (before, after)
        # The build that repairs the site is killed too; the one after it is not.
        build_and_kill(s, chance.randrange(1, 1200))
        found = readers_see(s)
        assert not broken_links(found, kept), at
        s.good()
        assert readers_see(s) == after, at
    assert done > 30
    assert mixed > 10, "most kills must happen between the first move and the last"


@needs_fork
def test_workers_do_not_outlive_a_killed_build(site: Make, tmp_path: Path) -> None:
    s = fill(site())
    code = (
        "import sys; from pathlib import Path; from newsgen.builder import Options, pipeline as build, pool; pool.BATCH = 5\n"
        "import newsgen.builder.render as r, time; old = r.Renderer.__call__\n"
        "r.Renderer.__call__ = lambda self, page: (Path(sys.argv[2]).touch(), time.sleep(60))\n"
        "build.build(Options(site=Path(sys.argv[1]), jobs=2))"
    )
    began = tmp_path / "began"
    process = subprocess.Popen([sys.executable, "-c", code, str(s.root), str(began)], start_new_session=True)
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    s.good()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    pytest.fail("a worker is still running")


def test_a_concurrent_build_is_refused_and_changes_nothing(site: Make) -> None:
    s = fill(site())
    s.good()
    before = readers_see(s)
    fill(s, after=True)
    code = (
        "import sys, time; from pathlib import Path; from newsgen.builder.output import Lock\n"
        "Lock(Path(sys.argv[1])).take(); print('taken', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(s.output / STAGING)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "taken\n"
        refused = s.spawn("build")
        holder.kill()
    assert refused.returncode == 3
    assert "another build is writing to" in refused.stderr
    assert readers_see(s) == before
    assert s.spawn("build").returncode == 0, "the lock of a dead process is released"
    assert not (s.output / STAGING).exists()


def leave_staged(s: Site) -> None:
    """Leaves in the output folder what a killed build leaves."""
    (s.output / STAGING / "run/topics").mkdir(parents=True)
    (s.output / STAGING / "run/topics/index.html").write_text("a draft")
    (s.output / STAGING / "before").write_bytes(b"{}")
    (s.output / STAGING / Lock.name).touch()


@pytest.mark.parametrize("command", ["build", "clean"])
def test_what_a_killed_build_staged_is_removed(site: Make, command: str) -> None:
    s = fill(site())
    s.good()
    built = s.tree()
    leave_staged(s)
    if command == "build":
        assert "check" in s.good().seconds, "the build has nothing to do"
        assert s.tree() == built
        assert not (s.output / STAGING).exists()
    else:
        assert s.run("clean").returncode == 0
        assert not s.output.exists()


@pytest.mark.parametrize(("command", "code"), [("build", 0), ("clean", 3)])
def test_what_a_running_build_staged_is_left_alone(site: Make, command: str, code: int) -> None:
    s = fill(site())
    s.good()
    leave_staged(s)
    before = s.tree()
    hold = (
        "import sys, time; from pathlib import Path; from newsgen.builder.output import Lock\n"
        "Lock(Path(sys.argv[1])).take(); print('taken', flush=True); time.sleep(60)"
    )
    arguments = [sys.executable, "-c", hold, str(s.output / STAGING)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "taken\n"
        done = s.run(command)
        holder.kill()
    assert done.returncode == code
    assert s.tree() == before


def test_only_one_process_holds_the_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from newsgen.builder.output import Lock; from newsgen.errors import OutputError\n"
        "folder, log = map(Path, sys.argv[1:]); end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n"
        "    lock = Lock(folder)\n"
        "    try: lock.take()\n"
        "    except OutputError: continue\n"
        "    mark = folder / 'mark'; mark.touch(exist_ok=False); log.open('a').write('x'); mark.unlink(); lock.release()\n"
    )
    log = tmp_path / "log"
    all = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out"), str(log)]) for _ in range(3)]
    assert [p.wait() for p in all] == [0, 0, 0]
    assert len(log.read_text()) > 20


@pytest.mark.parametrize("failing", ["write", "mkdir", "open"])
def test_a_build_without_disk_space_leaves_the_old_site(
    states: tuple[Site, dict[str, bytes], dict[str, bytes]], failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, before, after = states
    real = getattr(os, failing)
    messages = []
    for at in (1, 2, 5, 20, 40, 60, 100, 200, 400):
        count = 0

        def full(*args: Any, at: int = at, **given: Any) -> Any:
            nonlocal count
            count += str(args[0]).startswith(str(s.output)) or failing == "write"
            if count >= at:
                raise OSError(errno.ENOSPC, "No space left on device", str(args[0]))
            return real(*args, **given)

        with monkeypatch.context() as patch:
            patch.setattr(os, failing, full)
            try:
                s.build(jobs=1)
            except OutputError as error:
                messages.append(str(error))
            else:
                break
        assert readers_see(s) == before, at
    assert len(messages) >= 5
    assert all("No space left on device" in message for message in messages)
    s.good()
    assert readers_see(s) == after


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="needs root on Linux to mount a file system",
)
def test_a_full_disk_leaves_the_old_site(site: Make) -> None:
    s = fill(site())
    with tempfile.TemporaryDirectory() as disk:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "newsgen-test", disk], check=False)
        if done.returncode:
            pytest.skip("mounting is not permitted")
        try:
            place = Path(disk, "public")
            s.good(output=place)
            before = s.tree(place)
            for n in range(40):
                s.article(f"more{n}", publishedDateTime="2026-11-21T10:00:00Z", topics="[T1, T2]", body="Words. " * 900)
            refused = s.spawn("build", "--output", str(place))
            assert refused.returncode == 3
            assert "No space left" in refused.stderr
            assert s.tree(place) == before
        finally:
            subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("name", ["first", "second"])
def test_an_unwritable_output_raises_an_error_and_stays_unchanged(
    states: tuple[Site, dict[str, bytes], dict[str, bytes]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, before, _ = states

    def refuse(*args: Any, **given: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(args[0]))

    with monkeypatch.context() as patch:
        if name == "first":
            patch.setattr(Lock, "take", refuse)
        else:
            patch.setattr(output.os, "replace", refuse)
        with pytest.raises(OutputError, match="Read-only file system"):
            s.build(jobs=1)
    assert readers_see(s) == before


def test_a_locked_or_unwritable_cache_does_not_affect_the_output(site: Make) -> None:
    import sqlite3

    s = fill(site())
    s.good()
    fill(s, after=True)
    other = sqlite3.connect(s.root / ".newsgen/cache.db")
    other.execute("BEGIN EXCLUSIVE")
    s.good()
    other.rollback()
    other.close()
    first = readers_see(s)
    shutil.rmtree(s.root / ".newsgen")
    (s.root / ".newsgen").write_text("a file where the folder should be")
    s.article("c", publishedDateTime="2026-11-21T10:00:00Z")
    s.good()
    assert readers_see(s) != first
    (s.root / ".newsgen").unlink()
    s.good(output=s.root.parent / "clean")
    assert readers_see(s) == s.tree(s.root.parent / "clean")
    assert (s.output / MANIFEST).exists()
