"""Tests for every kind of target, with real servers, repositories and stores, and a reader who follows every link."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from places import KEY, SECRET, Folder, Pages, Place, Reader, edition
from sites import NOW, Site

from newsgen.builder.manifest import MANIFEST
from newsgen.errors import PublishError
from newsgen.publish import PublishOptions, publisher
from newsgen.publish.report import Published

Make = Callable[..., Site]
AT = ("--now", NOW.isoformat())
KILLS = 3
LENIENT = 'grace = "1h"\nallow_lost = true\n'


def publish(s: Site, **chosen: object) -> Published:
    return publisher.publish(s.options(), PublishOptions(**{"target": "live", **chosen}))  # type: ignore[arg-type]


def publish_after_kill(s: Site) -> Published:
    """Publishes after a kill. Processes that a killed Python leaves behind may hold the server's lock for a moment."""
    until = time.monotonic() + 20
    while True:
        try:
            return publish(s)
        except PublishError as error:
            if "another publish to this target" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.2)


def clean_build(s: Site) -> dict[str, bytes]:
    """The files that readers should see, from a separate build."""
    folder = s.root.parent / "clean"
    s.good(output=folder)
    return s.tree(folder)


def test_a_first_publish_sends_everything_and_later_ones_only_changed_files(site: Make, place: Place) -> None:
    s = edition(site(), place, 0, LENIENT)
    first = publish(s)
    assert place.files() == clean_build(s)
    assert (first.added, first.sent, first.removed) == (first.files, first.files, 0)
    again = publish(s)
    assert again.done
    assert (again.added, again.replaced, again.removed, again.sent) == (0, 0, 0, 0)
    assert again.release == first.release
    s.edit("content/a001.md", "Article 1 on day 0", "Another headline")
    one = publish(s)
    assert place.files() == clean_build(s)
    assert 0 < one.sent < first.files / 2
    assert (one.added, one.sent) == (0, one.replaced)
    assert one.before == first.release


def test_readers_never_meet_a_broken_link_during_publishes(site: Make, place: Place) -> None:
    s = site()
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Reader(place.read)) for _ in range(3)]
        for number in range(4):
            edition(s, place, number, LENIENT)
            publish(s)
            deadline, rounds = time.monotonic() + 60, [reader.rounds for reader in readers]
            while any(reader.rounds <= r and reader.is_alive() for reader, r in zip(readers, rounds, strict=True)):
                assert time.monotonic() < deadline
                time.sleep(0.01)
    for reader in readers:
        assert reader.broken_links == []
        assert reader.truncated == []
        assert reader.pages > 100
    assert clean_build(s).items() <= place.files().items(), "files in their grace period may remain"


def test_a_kill_never_breaks_the_site_and_the_next_publish_continues(site: Make, place: Place) -> None:
    s = edition(site(), place, 0, LENIENT)
    start = time.monotonic()
    assert s.spawn("publish", "live", *AT).returncode == 0
    duration = time.monotonic() - start
    generator = random.Random(f"{type(place).__name__}")
    killed = number = 0
    with Reader(place.read) as reader:
        while killed < KILLS:
            number += 1
            assert number < 30
            edition(s, place, number % 5, LENIENT)
            command = [sys.executable, "-m", "newsgen", "publish", "live", *AT]
            process = subprocess.Popen(
                command, cwd=s.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
            time.sleep(generator.uniform(0.4, 0.9) * duration)
            # Kill the whole process group, as a build server does, or Python alone, as the kernel does when out of
            # memory.
            (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                killed += 1
            else:
                duration *= 0.8
        edition(s, place, 5, LENIENT)
        publish_after_kill(s)
    assert reader.broken_links == []
    assert reader.truncated == []
    found, wanted = place.files(), clean_build(s)
    assert wanted.items() <= found.items()
    edition(s, place, 5, LENIENT.replace("1h", "0s"))
    publish(s, max_delete=10_000)
    assert {p for p in place.files() if not p.startswith("css/")} == {p for p in wanted if not p.startswith("css/")}


@pytest.mark.parametrize("place", ["folder", "ssh"], indirect=True)
def test_files_of_an_unfinished_release_are_not_sent_again(site: Make, place: Folder) -> None:
    s = edition(site(), place, 0, LENIENT)
    wanted = clean_build(s)
    incoming = place.root / "releases" / ("incoming-20261101-000000-000000" if place.env else "incoming")
    arrived = sorted(wanted)[::2]
    for path, data in [*((path, wanted[path]) for path in arrived), ("stray/page.html", b"of another day")]:
        (incoming / path).parent.mkdir(parents=True, exist_ok=True)
        (incoming / path).write_bytes(data)
    (incoming / arrived[0]).write_bytes(b"?" * len(wanted[arrived[0]]))
    report = publish(s)
    assert place.files() == wanted
    assert report.sent == len(wanted) - len(arrived) + 1
    left = {path.name.removesuffix(".json.gz") for path in (place.root / "releases").iterdir()}
    assert left == {report.release}


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_pages_in_their_grace_period_are_not_those_of_an_unfinished_release(
    site: Make, place: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = edition(site(), place, 2, LENIENT)
    publish(s)
    path = "topics/day-1/index.html"
    page = place.files()[path]
    unfinished = place.root / "releases/incoming" / path
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"of another day")
    for number in (4, 0):
        publish(edition(s, place, number, LENIENT))
        assert place.files().get(path) == page
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError))  # as on file systems without hard links


def test_lock_files_of_a_killed_git_are_removed(site: Make, tmp_path: Path) -> None:
    place = Pages(tmp_path / "pages.git")
    s = edition(site(), place, 0, LENIENT)
    publish(s)
    (git_dir,) = (s.root / ".newsgen/publish").glob("git-*")
    for name in ("shallow.lock", "HEAD.lock", "refs/newsgen/head.lock", "refs/newsgen/new.lock", "packed-refs.lock"):
        (git_dir / name).touch()
    publish(edition(s, place, 1, LENIENT))
    assert clean_build(s).items() <= place.files().items()


def test_rollback_restores_the_previous_release_and_the_next_publish_the_newest(site: Make, place: Place) -> None:
    s = site()
    seen = []
    for number in range(3):
        edition(s, place, number, LENIENT)
        publish(s)
        seen.append(clean_build(s))
    back = publish(s, rollback=True)
    assert back.done
    assert back.patterns == ["/*"]
    assert seen[1].items() <= place.files().items()
    publish(s, rollback=True)
    assert seen[0].items() <= place.files().items()
    with pytest.raises(PublishError, match="cannot roll back"):
        publish(s, rollback=True)
    publish(s)
    assert seen[2].items() <= place.files().items()
    publish(s, rollback=True)
    assert seen[0].items() <= place.files().items()


@pytest.mark.parametrize("place", ["git", "s3", "azure"], indirect=True)
def test_foreign_files_stay_and_files_that_others_removed_are_restored(site: Make, place: Place) -> None:
    foreign = {"CNAME": b"news.example", "old/index.html": b"<p>from before", "a0": b"a"}
    for path, data in foreign.items():
        place.put(path, data)
    s = edition(site(), place, 0, 'allow_lost = true\ngrace = "0s"\n')
    publish(s)
    place.remove("sources/index.html")
    repaired = publish(s)
    assert repaired.replaced == 1
    edition(s, place, 1, 'allow_lost = true\ngrace = "0s"\n')
    late = "css/" + "x" * 40
    place.put(late, b"late")
    publish(s)
    found = place.files()
    assert foreign.items() <= found.items()
    assert found[late] == b"late"
    assert clean_build(s).items() <= found.items()
    publish(s, rollback=True)
    assert foreign.items() <= place.files().items()


def test_a_foreign_file_in_the_way_is_never_replaced(site: Make, place: Place) -> None:
    s = edition(site(), place, 0)
    if isinstance(place, Folder):
        place.root.mkdir(parents=True)
        (place.root / "current").mkdir()
        (place.root / "current" / "index.html").write_text("by hand")
        with pytest.raises(PublishError, match="was not created by newsgen"):
            publish(s)
        assert (place.root / "current" / "index.html").read_text() == "by hand"
        return
    place.put("index.html", b"by hand")
    place.put("robots.txt", b"by hand")
    with pytest.raises(PublishError, match=r"in the way: index\.html, robots\.txt; move them away"):
        publish(s)
    assert place.files() == {"index.html": b"by hand", "robots.txt": b"by hand"}


@pytest.mark.parametrize("place", ["folder", "git", "s3"], indirect=True)
def test_a_dropped_page_answers_until_its_grace_period_ends(site: Make, place: Place) -> None:
    s = edition(site(), place, 0, 'grace = "2s"\nallow_lost = true\n')
    publish(s)
    gone = "2026/11/01/a000/index.html"
    edition(s, place, 1, 'grace = "2s"\nallow_lost = true\n')
    first = publish(s)
    assert first.kept > 0
    assert first.removed == 0
    assert place.read(gone) is not None
    time.sleep(2)
    second = publish(s)
    assert second.removed >= 1
    assert place.read(gone) is None
    assert {p for p in place.files() if not p.startswith("css/")} == {
        p for p in clean_build(s) if not p.startswith("css/")
    }, "fingerprinted style sheets stay longer"


def test_a_second_publisher_is_locked_out_while_one_is_running(
    site: Make, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = edition(site("", "one"), place, 0, "allow_lost = true\nmax_delete = 9999\n")
    two = edition(site("", "two"), place, 1, "allow_lost = true\nmax_delete = 9999\n")
    publish(one)
    edition(one, place, 2, "allow_lost = true\nmax_delete = 9999\n")
    compare, others = publisher.compare, []

    def meanwhile(*args: object, **given: object) -> object:
        others.append(two.spawn("publish", "live", *AT))
        return compare(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(publisher, "compare", meanwhile)
    if isinstance(place, Pages):
        # The first push wins; the other publisher has changed nothing.
        with pytest.raises(PublishError, match="another publish to this target is running"):
            publish(one)
        assert others[0].returncode == 0, others[0].stderr
        assert clean_build(two).items() <= place.files().items()
        return
    publish(one)
    assert others[0].returncode == 3
    assert "another publish to this target is running; wait until it has finished" in others[0].stderr
    assert clean_build(one).items() <= place.files().items()
    monkeypatch.undo()
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    assert two.spawn("publish", "live", *AT).returncode == 0, "the lock is free again"


@pytest.mark.parametrize("place", ["folder", "git", "s3"], indirect=True)
def test_records_are_not_visible_to_readers(site: Make, place: Place) -> None:
    s = edition(site(), place, 0)
    publish(s)
    assert not [name for name in place.files() if name.startswith(".") or name == MANIFEST]


def test_a_failed_publish_exits_with_3_and_a_reason_without_secrets(site: Make, place: Place, tmp_path: Path) -> None:
    s = edition(site(), place, 0)
    env = {"MY_TOKEN": "do-not-print-me"}
    if "AWS_REGION" in place.env:
        env |= {"AWS_SECRET_ACCESS_KEY": "not-the-secret-of-the-tests"}
        reason = "403 SignatureDoesNotMatch"
    elif "AZURE_STORAGE_ACCOUNT_KEY" in place.env:
        env |= {"AZURE_STORAGE_ACCOUNT_KEY": "bm90IHRoZSBrZXkgb2YgdGhlIHRlc3RzIQ=="}
        reason = "403 AuthorizationFailure"
    elif isinstance(place, Pages):
        edition(s, place, 0).edit("site.toml", "pages.git", "do-not-print-me.git")
        reason = "git ls-remote failed"
    elif place.to.startswith("ssh:"):
        folder = tmp_path / "bin"
        folder.mkdir()
        ssh = Path(place.env["PATH"].partition(":")[0]) / "ssh"
        (folder / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -o IdentityFile=/dev/null -F /dev/null "$@"\n')
        (folder / "ssh").chmod(0o755)
        env |= {"PATH": f"{folder}:{place.env['PATH']}"}
        reason = "the server reports: "
    else:
        (tmp_path / "www").write_text("a file")
        reason = "cannot be written"
    done = s.run("publish", "live", "--json", **env)
    assert done.returncode == 3
    assert reason in done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (*env.values(), SECRET, KEY):
        if secret != env.get("PATH"):
            assert secret not in done.stdout + done.stderr
