"""Publishes a large site to every kind of target, then kills publishers at random moments while a reader crawls.

For each target, prints files sent, megabytes, requests and seconds of the first publish, of one after an edit of one
article, and of one without edits; for S3, also through a proxy that breaks 5 % of the requests. Then, with a small
site, prints kills, broken links that a reader found, and whether the site was complete afterwards. Exits with 1 if it
was not.
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
    """Creates a place of a kind and sets the environment that its tools need."""
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

    start = time.perf_counter()
    done = s.run("publish", "live", "--json", *more)
    if done.returncode:
        sys.exit(done.stderr)
    report: dict[str, Any] = msgspec.json.decode(done.stdout)
    report["took"] = time.perf_counter() - start
    return report


def measure(kind: str, content: Path, top: Path) -> None:
    """Prints measurements of a first publish, of one after an edit, and of one without edits."""
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
                newest.write_text(newest.read_text().replace('title: "', 'title: "Updated: ', 1))
            report = publish(s)
            seconds = report["seconds"]
            print(
                f"{kind:16} {step:12} {report['sent']:7,} files {report['bytes'] / 1e6:8.1f} MB {report['requests']:7,} requests "
                f"{report['took']:7.1f} s (build {seconds['build']:.1f}, compare {seconds['compare']:.1f}, send {seconds['send']:.1f})",
                flush=True,
            )


def kill_publishers(kind: str, kills: int, top: Path) -> bool:
    """Kills publishers at random. Returns whether no link was broken and the site was complete at the end."""
    lenient = 'grace = "1h"\nallow_lost = true\n'
    s = Site(top / "site")
    rng = random.Random(kind)
    with place(kind, top) as target:
        edition(s, target, 0, lenient)
        duration = publish(s)["took"]
        killed_count = number = 0
        with Reader(target.read) as reader:
            while killed_count < kills:
                number += 1
                edition(s, target, number % 8, lenient)
                command = [sys.executable, "-m", "newsgen", "publish", "live"]
                process = subprocess.Popen(
                    command, cwd=s.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                time.sleep(rng.uniform(0.4, 1) * duration)
                (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGKILL)
                if process.wait() == -signal.SIGKILL:
                    killed_count += 1
                else:
                    duration *= 0.9
            deadline = time.monotonic() + 180
            while (done := s.run("publish", "live")).returncode and time.monotonic() < deadline:
                time.sleep(1)
        clean = top / "clean"
        s.build(output=clean, now=None)
        complete = done.returncode == 0 and s.tree(clean).items() <= target.files().items()
    print(
        f"{kind:16} {killed_count} kills in {number} publishes: {reader.pages:,} files read, {len(reader.broken_links)} broken links, "
        f"{len(reader.truncated)} truncated pages, {'complete' if complete else 'NOT COMPLETE ' + done.stderr} afterwards",
        flush=True,
    )
    return complete and not reader.broken_links and not reader.truncated


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--content", type=Path, help="a folder of article files  [default: generate --size of them]")
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--targets", nargs="+", default=KINDS, choices=KINDS)
    args = parser.parse_args()
    all_complete = True
    with tempfile.TemporaryDirectory() as folder:
        content = args.content
        if content is None and args.size:
            content = Path(folder, "content")
            command = [
                sys.executable,
                str(Path(__file__).with_name("gen_corpus.py")),
                "-n",
                str(args.size),
                "-o",
                str(content),
            ]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for number, kind in enumerate(args.targets):
            try:
                if args.size:
                    measure(kind, content, Path(folder, f"{number}-large"))
                if args.kills:
                    all_complete &= kill_publishers(kind, args.kills, Path(folder, f"{number}-killed"))
            except pytest.skip.Exception as reason:
                print(f"{kind:16} skipped: {reason}")
            shutil.rmtree(Path(folder, f"{number}-large"), ignore_errors=True)
    return 0 if all_complete else 1


if __name__ == "__main__":
    sys.exit(main())
