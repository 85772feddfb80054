"""Publishes a large site to every kind of target, then kills publishers at random moments while a reader crawls.

For each target: files sent, megabytes, requests and seconds of the first publish, of one that changes one article, and of
one that changes nothing; through a proxy that spoils 5 % of the requests too, where there are requests. Then, with a small
site: kills, links that a reader found dead, and whether the site was whole afterwards. Ends with 1 where it was not.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "publish")]

import places  # noqa: E402
from places import Place, Reader, edition  # noqa: E402
from sites import Site  # noqa: E402

KINDS = ("folder", "git", "ssh", "s3", "s3, 5 % failing", "azure")


@contextlib.contextmanager
def place(kind: str, top: Path) -> Iterator[Place]:
    """A place of a kind, with the environment that its tools need."""
    with contextlib.ExitStack() as stack:
        found: Place
        if kind == "folder":
            found = stack.enter_context(places.folder(top / "www"))
        elif kind == "git":
            found = places.Pages(top / "pages.git")
        elif kind == "ssh":
            begin, env = stack.enter_context(places.sshd(top / "sshd"))
            found = stack.enter_context(places.folder(top / "www", f"{begin}{top / 'www'}", env))
        elif kind == "azure":
            store = stack.enter_context(places.azurite(top / "azurite"))
            found = places.Azure(store, "site", places.azure_env(store))
        else:
            store = stack.enter_context(places.seaweed(top / "seaweed"))
            endpoint = store
            if "failing" in kind:
                endpoint, proxy = stack.enter_context(places.proxied(store))
                proxy.failing = 0.05
            found = places.S3(store, "site", places.s3_env(endpoint))
        before = dict(os.environ)
        os.environ.update(found.env)
        try:
            yield found
        finally:
            os.environ.clear()
            os.environ.update(before)


def publish(s: Site, *more: str) -> dict[str, Any]:
    import msgspec

    begun = time.perf_counter()
    done = s.run("publish", "live", "--json", *more)
    if done.returncode:
        sys.exit(done.stderr)
    report: dict[str, Any] = msgspec.json.decode(done.stdout)
    report["took"] = time.perf_counter() - begun
    return report


def large(kind: str, content: Path, top: Path) -> None:
    """First publish, one article, nothing."""
    s = Site(top / "site")
    shutil.rmtree(s.root / "content")
    shutil.copytree(content, s.root / "content")
    with place(kind, top) as target:
        s.write(
            "site.toml", f'base_url = "https://news.example/"\n[publish.live]\nto = "{target.to}"\nallow_lost = true\n'
        )
        s.run("build", "--output", ".newsgen/publish/site")
        for step in ("first", "one article", "nothing"):
            if step == "one article":
                newest = max((s.root / "content").iterdir())
                newest.write_text(newest.read_text().replace('title: "', 'title: "Anew: ', 1))
            report = publish(s)
            seconds = report["seconds"]
            print(
                f"{kind:16} {step:12} {report['sent']:7,} files {report['bytes'] / 1e6:8.1f} MB {report['requests']:7,} requests "
                f"{report['took']:7.1f} s (build {seconds['build']:.1f}, compare {seconds['compare']:.1f}, send {seconds['send']:.1f})",
                flush=True,
            )


def killed(kind: str, kills: int, top: Path) -> bool:
    """Whether no link was dead, and the site whole at the end."""
    loose = 'grace = "1h"\nallow_lost = true\n'
    s = Site(top / "site")
    chance = random.Random(kind)
    with place(kind, top) as target:
        edition(s, target, 0, loose)
        takes = publish(s)["took"]
        hit = number = 0
        with Reader(target.read) as reader:
            while hit < kills:
                number += 1
                edition(s, target, number % 8, loose)
                command = [sys.executable, "-m", "newsgen", "publish", "live"]
                process = subprocess.Popen(
                    command, cwd=s.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                time.sleep(chance.uniform(0.4, 1) * takes)
                (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
                if process.wait() == -signal.SIGKILL:
                    hit += 1
                else:
                    takes *= 0.9
            deadline = time.monotonic() + 180
            while (done := s.run("publish", "live")).returncode and time.monotonic() < deadline:
                time.sleep(1)
        clean = top / "clean"
        s.build(output=clean, now=None)
        whole = done.returncode == 0 and s.tree(clean).items() <= target.files().items()
    print(
        f"{kind:16} {hit} kills in {number} publishes: {reader.pages:,} files read, {len(reader.dead)} dead links, "
        f"{len(reader.torn)} torn pages, {'whole' if whole else 'NOT WHOLE ' + done.stderr} afterwards",
        flush=True,
    )
    return whole and not reader.dead and not reader.torn


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--content", type=Path, help="a folder of article files; else --size of them are made")
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--targets", nargs="+", default=KINDS, choices=KINDS)
    given = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        content = given.content
        if content is None and given.size:
            content = Path(folder, "content")
            maker = [
                sys.executable,
                str(Path(__file__).with_name("gen_corpus.py")),
                "-n",
                str(given.size),
                "-o",
                str(content),
            ]
            subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
        for number, kind in enumerate(given.targets):
            try:
                if given.size:
                    large(kind, content, Path(folder, f"{number}-large"))
                if given.kills:
                    good &= killed(kind, given.kills, Path(folder, f"{number}-killed"))
            except pytest.skip.Exception as reason:
                print(f"{kind:16} left out: {reason}")
            shutil.rmtree(Path(folder, f"{number}-large"), ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
