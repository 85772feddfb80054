"""A site with a generated corpus that can be edited and restored, and what a build of it costs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import gen_corpus
import msgspec

from newsgen.files import shipped_site

HERE = Path(__file__).parent
PROGRAM = str(Path(sysconfig.get_path("scripts"), "newsgen"))
TEMPLATE = "templates/base.html"
"""The template that every HTML page extends."""

FULL_SITE = 'title = "News"\nbase_url = "https://news.example/"\n'
DAY = 500
"""The number of articles that a day's fetch brings."""

RACY = 2.1
"""Seconds until a stamp proves that a file did not change; see docs/builds.md. Edits rest so long before a build."""


class Report(msgspec.Struct):
    """What `newsgen build --json` says that a measurement needs. The lists stay encoded: this process must stay small."""

    pages: int = 0
    rendered: msgspec.Raw = msgspec.Raw(b"[]")
    written: msgspec.Raw = msgspec.Raw(b"[]")
    seconds: dict[str, float] = {}


@dataclass
class Cost:
    """The cost of one command: seconds of all its processes, and megabytes.

    `peak` is that of the largest process, `together` that of all at one time, where memory that they share counts once.
    """

    cpu: float
    wall: float
    peak: float
    together: float
    pages: int = 0
    rendered: int = 0
    written: int = 0
    steps: dict[str, float] = field(default_factory=dict)


class Finished(NamedTuple):
    """A command that has ended well."""

    cost: Cost
    out: bytes


def run(command: list[str], folder: Path) -> Finished:
    """Runs a command. A child's peak memory is at least that of this process, which therefore stays small."""
    # Python caches its bytecode, as for users.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=err)
        with _Together(process.pid) as together:
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{err.read().decode()}")
        out.seek(0)
        peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        cost = Cost(usage.ru_utime + usage.ru_stime, wall, peak, max(peak, together.most))
        return Finished(cost, out.read())


class _Together:
    """Samples the memory of a process and its workers while it runs, where there is /proc. `most` is in megabytes."""

    INTERVAL = 0.2

    def __init__(self, pid: int) -> None:
        self.most = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> _Together:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(self.INTERVAL):
            pids = list(_tree(self._pid))
            if len(pids) > 1:  # the kernel measures a single process itself
                self.most = max(self.most, sum(map(_proportional, pids)))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = file.read_text().split()
        except OSError:  # the process has ended
            continue
        for child in children:
            yield from _tree(int(child))


def _proportional(pid: int) -> float:
    """The megabytes of a process, with its share of what several processes map."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 2**10


class Site:
    """A site's folder with its corpus, which can be edited and restored. `output_folders` are what builds create."""

    def __init__(self, folder: Path, flavour: str, command: list[str], output_folders: tuple[str, ...]) -> None:
        self.folder = folder
        self.content = folder / "content/articles"
        self._flavour = flavour
        self._command = command
        self._output_folders = output_folders
        self._before: dict[Path, bytes | None] = {}
        self._edited = 0.0

    def fill(self, n: int) -> None:
        """Writes the corpus."""
        gen_corpus.write(self.content, n, self._flavour)
        self._middle = next(self.content.glob(f"{n // 2:06}-*"))

    def cold(self, _: int) -> None:
        """Restores the initial state: no edits, no output, no caches."""
        for file, data in self._before.items():
            file.unlink() if data is None else file.write_bytes(data)
            self._edited = time.time()
        self._before.clear()
        # Move rather than delete: ext4 skips recently freed inodes one by one, which slows down every new file.
        for name in self._output_folders:
            if (self.folder / name).exists():
                old = self.folder.parent / "old"
                old.mkdir(exist_ok=True)
                (self.folder / name).rename(old / f"{self.folder.name}-{name}-{time.time_ns()}")

    def unchanged(self, _: int) -> None:
        """Changes nothing."""

    def title(self, round: int) -> None:
        """Edits the title of an article in the middle of the corpus."""
        self._edit(self._middle, self._middle.read_bytes().replace(b'title: "', b'title: "E%d ' % round, 1))

    def article(self, round: int) -> None:
        """Adds the newest article."""
        text = gen_corpus.render(gen_corpus.newest(round), [], self._flavour)
        self._edit(self.content / f"new-{round}.md", text.encode())

    def body(self, round: int) -> None:
        """Adds a paragraph to an article in the middle of the corpus."""
        self._edit(self._middle, self._middle.read_bytes() + b"\nOne *more* paragraph, number %d.\n" % round)

    def day(self, round: int) -> None:
        """Adds the articles of the next day."""
        for article, related in gen_corpus.next_day(DAY, round):
            self._edit(self.content / f"{article.stem}.md", gen_corpus.render(article, related, self._flavour).encode())

    def template(self, round: int) -> None:
        """Edits the template of every page."""
        shipped = (shipped_site() / TEMPLATE).read_bytes()
        self._edit(self.folder / TEMPLATE, shipped.replace(b"</body>", b"<!-- %d --></body>" % round))

    def _edit(self, file: Path, data: bytes) -> None:
        self._before.setdefault(file, file.read_bytes() if file.exists() else None)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        self._edited = time.time()

    def rest(self) -> None:
        """Waits until the last edit is old enough."""
        time.sleep(max(0.0, self._edited + RACY - time.time()))

    def build(self, *more: str) -> Cost:
        """Builds the site, once its edits have rested."""
        self.rest()
        command = [*self._command, *more]
        cost, out = run(command, self.folder)
        if "--json" in command:
            report = msgspec.json.decode(out, type=Report)
            cost.pages, cost.steps = report.pages, report.seconds
            cost.rendered, cost.written = map(_count, (report.rendered, report.written))
        return cost


def _count(strings: msgspec.Raw) -> int:
    """The length of an encoded list, without a copy of it."""
    return sum(1 for _ in re.finditer(b'"[^"]*"', memoryview(strings)))


def newsgen_site(folder: Path, template: Path | None = None, program: str = PROGRAM) -> Site:
    """An empty site. Without `template`, it has only a title and an address, and defaults for the rest."""
    _move_aside(folder)
    if template:
        shutil.copytree(template, folder)
    else:
        folder.mkdir(parents=True)
        (folder / "site.toml").write_text(FULL_SITE)
    flavour = "apart" if template else "newsgen"
    return Site(folder, flavour, [program, "build", "--site", ".", "--json"], ("public", ".newsgen"))


def inside(instrument: str, file: Path) -> list[str]:
    """The command of a build with an instrument of `inside.py`, which writes into a file."""
    return [sys.executable, str(HERE / "inside.py"), instrument, str(file), "build", "--site", "."]


def hugo_site(folder: Path, program: Path) -> Site:
    """An empty Hugo site."""
    _move_aside(folder)
    shutil.copytree(HERE / "hugo", folder)
    return Site(folder, "hugo", [str(program), "--quiet"], ("public", "resources"))


def _move_aside(folder: Path) -> None:
    if folder.exists():
        old = folder.parent / "old"
        old.mkdir(exist_ok=True)
        folder.rename(old / f"{folder.name}-{time.time_ns()}")
