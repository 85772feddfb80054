"""What holds wherever a site goes, with real parts: servers, repositories, stores, and a reader who follows every link."""

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

import pytest
from places import KEY, SECRET, Folder, Pages, Place, Reader, edition
from sites import NOW, Site

from newsgen.builder.output import MANIFEST
from newsgen.errors import PublishError
from newsgen.publish import Orders
from newsgen.publish import publisher as work
from newsgen.publish.report import Published

Make = Callable[..., Site]
AT = ("--now", NOW.isoformat())
KILLS = 4
LOOSE = 'grace = "1h"\nallow_lost = true\n'


def publish(s: Site, **orders: object) -> Published:
    return work.publish(s.options(), Orders(**{"target": "live", **orders}))  # type: ignore[arg-type]


def healed(s: Site) -> Published:
    """The next publish after a kill. What a killed Python leaves running may hold its server's end for a moment."""
    until = time.monotonic() + 20
    while True:
        try:
            return publish(s)
        except PublishError as error:
            if "another publish is at work" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.2)


def built(s: Site) -> dict[str, bytes]:
    """What readers are to see, by another build."""
    folder = s.root.parent / "clean"
    s.good(output=folder)
    return s.tree(folder)


def test_a_site_arrives_whole_and_afterwards_only_what_changed_travels(site: Make, place: Place) -> None:
    s = edition(site(), place, 0, LOOSE)
    first = publish(s)
    assert place.files() == built(s)
    assert (first.added, first.sent, first.removed) == (first.files, first.files, 0)
    again = publish(s)
    assert again.done
    assert (again.added, again.replaced, again.removed, again.sent) == (0, 0, 0, 0)
    assert again.release == first.release
    s.edit("content/a001.md", "Article 1 on day 0", "Another headline")
    one = publish(s)
    assert place.files() == built(s)
    assert 0 < one.sent < first.files / 2
    assert (one.added, one.sent) == (0, one.replaced)
    assert one.before == first.release


def test_no_reader_meets_a_dead_link_while_editions_replace_each_other(site: Make, place: Place) -> None:
    s = site()
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Reader(place.read)) for _ in range(3)]
        for number in range(4):
            edition(s, place, number, LOOSE)
            publish(s)
            deadline, rounds = time.monotonic() + 60, [reader.rounds for reader in readers]
            while any(reader.rounds <= r and reader.is_alive() for reader, r in zip(readers, rounds, strict=True)):
                assert time.monotonic() < deadline
                time.sleep(0.01)
    for reader in readers:
        assert reader.dead == []
        assert reader.torn == []
        assert reader.pages > 100
    assert built(s).items() <= place.files().items(), "with what still answers until its grace has passed"


def test_killed_at_any_moment_the_site_stays_whole_and_the_next_publish_goes_on(site: Make, place: Place) -> None:
    s = edition(site(), place, 0, LOOSE)
    begun = time.monotonic()
    assert s.run("publish", "live", *AT).returncode == 0
    takes = time.monotonic() - begun
    chance = random.Random(f"{type(place).__name__}")
    killed = number = 0
    with Reader(place.read) as reader:
        while killed < KILLS:
            number += 1
            assert number < 30
            edition(s, place, number % 5, LOOSE)
            command = [sys.executable, "-m", "newsgen", "publish", "live", *AT]
            process = subprocess.Popen(
                command, cwd=s.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
            )
            time.sleep(chance.uniform(0.4, 0.9) * takes)
            # All of it, as a build server does, or Python alone, as the kernel does that runs out of memory.
            (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                killed += 1
            else:
                takes *= 0.8
        edition(s, place, 5, LOOSE)
        healed(s)
    assert reader.dead == []
    assert reader.torn == []
    found, wanted = place.files(), built(s)
    assert wanted.items() <= found.items()
    edition(s, place, 5, LOOSE.replace("1h", "0s"))
    publish(s, max_delete=10_000)
    assert {p for p in place.files() if not p.startswith("css/")} == {p for p in wanted if not p.startswith("css/")}


@pytest.mark.parametrize("place", ["folder", "ssh"], indirect=True)
def test_what_an_unfinished_release_has_is_not_sent_again(site: Make, place: Folder) -> None:
    s = edition(site(), place, 0, LOOSE)
    wanted = built(s)
    begun = place.root / "releases" / ("incoming-20261101-000000-000000" if place.env else "incoming")
    arrived = sorted(wanted)[::2]
    for path, data in [*((path, wanted[path]) for path in arrived), ("stray/page.html", b"of another day")]:
        (begun / path).parent.mkdir(parents=True, exist_ok=True)
        (begun / path).write_bytes(data)
    (begun / arrived[0]).write_bytes(b"?" * len(wanted[arrived[0]]))
    report = publish(s)
    assert place.files() == wanted
    assert report.sent == len(wanted) - len(arrived) + 1
    left = {path.name.removesuffix(".json.gz") for path in (place.root / "releases").iterdir()}
    assert left == {report.release}


def test_a_git_that_was_killed_is_no_trouble(site: Make, tmp_path: Path) -> None:
    place = Pages(tmp_path / "pages.git")
    s = edition(site(), place, 0, LOOSE)
    publish(s)
    (own,) = (s.root / ".newsgen/publish").glob("git-*")
    for name in ("shallow.lock", "HEAD.lock", "refs/newsgen/head.lock", "refs/newsgen/new.lock", "packed-refs.lock"):
        (own / name).touch()
    publish(edition(s, place, 1, LOOSE))
    assert built(s).items() <= place.files().items()


def test_rollback_shows_the_release_before_and_the_next_publish_the_newest(site: Make, place: Place) -> None:
    s = site()
    seen = []
    for number in range(3):
        edition(s, place, number, LOOSE)
        publish(s)
        seen.append(built(s))
    back = publish(s, rollback=True)
    assert back.done
    assert back.patterns == ["/*"]
    assert seen[1].items() <= place.files().items()
    publish(s, rollback=True)
    assert seen[0].items() <= place.files().items()
    with pytest.raises(PublishError, match="no way back"):
        publish(s, rollback=True)
    publish(s)
    assert seen[2].items() <= place.files().items()
    publish(s, rollback=True)
    assert seen[0].items() <= place.files().items()


@pytest.mark.parametrize("place", ["git", "s3", "azure"], indirect=True)
def test_what_others_brought_stays_and_what_they_took_comes_back(site: Make, place: Place) -> None:
    foreign = {"CNAME": b"news.example", "old/index.html": b"<p>from before", "a0": b"a"}
    for path, data in foreign.items():
        place.put(path, data)
    s = edition(site(), place, 0, 'allow_lost = true\ngrace = "0s"\n')
    publish(s)
    place.lose("sources/index.html")
    healed = publish(s)
    assert healed.replaced == 1
    edition(s, place, 1, 'allow_lost = true\ngrace = "0s"\n')
    late = "css/" + "x" * 40
    place.put(late, b"late")
    publish(s)
    found = place.files()
    assert foreign.items() <= found.items()
    assert found[late] == b"late"
    assert built(s).items() <= found.items()
    publish(s, rollback=True)
    assert foreign.items() <= place.files().items()


def test_a_foreign_file_in_the_way_is_never_replaced(site: Make, place: Place) -> None:
    s = edition(site(), place, 0)
    if isinstance(place, Folder):
        place.root.mkdir(parents=True)
        (place.root / "current").mkdir()
        (place.root / "current" / "index.html").write_text("by hand")
        with pytest.raises(PublishError, match="was not made by newsgen"):
            publish(s)
        assert (place.root / "current" / "index.html").read_text() == "by hand"
        return
    place.put("index.html", b"by hand")
    place.put("robots.txt", b"by hand")
    with pytest.raises(PublishError, match=r"stands in the way: index\.html, robots\.txt; move it away"):
        publish(s)
    assert place.files() == {"index.html": b"by hand", "robots.txt": b"by hand"}


@pytest.mark.parametrize("place", ["folder", "git", "s3"], indirect=True)
def test_a_page_that_is_dropped_answers_until_its_grace_has_passed(site: Make, place: Place) -> None:
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
        p for p in built(s) if not p.startswith("css/")
    }, "style sheets answer longer"


def test_a_second_publisher_is_kept_away_while_one_is_at_work(
    site: Make, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = edition(site("", "one"), place, 0, "allow_lost = true\nmax_delete = 9999\n")
    two = edition(site("", "two"), place, 1, "allow_lost = true\nmax_delete = 9999\n")
    publish(one)
    edition(one, place, 2, "allow_lost = true\nmax_delete = 9999\n")
    compare, others = work.compare, []

    def meanwhile(*args: object, **given: object) -> object:
        others.append(two.run("publish", "live", *AT))
        return compare(*args, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "compare", meanwhile)
    if isinstance(place, Pages):
        # Who pushes first wins; the other has not changed anything.
        with pytest.raises(PublishError, match="another publish is at work here"):
            publish(one)
        assert others[0].returncode == 0, others[0].stderr
        assert built(two).items() <= place.files().items()
        return
    publish(one)
    assert others[0].returncode == 3
    assert "another publish is at work here; wait until it is done" in others[0].stderr
    assert built(one).items() <= place.files().items()
    monkeypatch.undo()
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    assert two.run("publish", "live", *AT).returncode == 0, "the lock is free again"


@pytest.mark.parametrize("place", ["folder", "git", "s3"], indirect=True)
def test_notes_are_kept_apart_from_what_readers_see(site: Make, place: Place) -> None:
    s = edition(site(), place, 0)
    publish(s)
    assert not [name for name in place.files() if name.startswith(".") or name == MANIFEST]


def test_a_publish_that_fails_ends_with_3_says_why_and_holds_no_secret(
    site: Make, place: Place, tmp_path: Path
) -> None:
    s = edition(site(), place, 0)
    env = {"MY_TOKEN": "do-not-print-me"}
    if "AWS_REGION" in place.env:
        env |= {"AWS_SECRET_ACCESS_KEY": "not-the-secret-of-the-tests"}
        words = "403 SignatureDoesNotMatch"
    elif "AZURE_STORAGE_ACCOUNT_KEY" in place.env:
        env |= {"AZURE_STORAGE_ACCOUNT_KEY": "bm90IHRoZSBrZXkgb2YgdGhlIHRlc3RzIQ=="}
        words = "403 AuthorizationFailure"
    elif isinstance(place, Pages):
        edition(s, place, 0).edit("site.toml", "pages.git", "do-not-print-me.git")
        words = "git ls-remote failed"
    elif place.to.startswith("ssh:"):
        bad = tmp_path / "bin"
        bad.mkdir()
        ssh = Path(place.env["PATH"].partition(":")[0]) / "ssh"
        (bad / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -o IdentityFile=/dev/null -F /dev/null "$@"\n')
        (bad / "ssh").chmod(0o755)
        env |= {"PATH": f"{bad}:{place.env['PATH']}"}
        words = "the server says: "
    else:
        (tmp_path / "www").write_text("a file")
        words = "cannot be written"
    done = s.run("publish", "live", "--json", **env)
    assert done.returncode == 3
    assert words in done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    for secret in (*env.values(), SECRET, KEY):
        if secret != env.get("PATH"):
            assert secret not in done.stdout + done.stderr
