"""`make soak`: thousands of random edits of a site under `newsgen serve`, one after the other.

Each edit is waited for over HTTP, with a tab open at the page that it changes. The memory and the open files of the
server must not grow, and at the end its output must be that of a clean build, byte for byte. Exits with 1 otherwise.
Needs /proc.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import gen_corpus
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from newsgen.builder import Options, build
from newsgen.files import shipped_site

GROWTH = 6.0
"""Kilobytes of memory that an edit may add. A server that kept the smallest thing of each build, one parsed article with
its rendered page, would grow by more."""

NOISE = 6.0
"""Megabytes by which medians of the memory of a steady server differ."""

WARM_UP = 3
"""How often each kind of edit comes first. The memory of a process is that of its largest build, and stays so."""

SECONDS = 120
"""Within which an edit must be seen. The first build after every page changed takes longest."""

INPUTS = ("content", "templates", "static", "site.toml")
TOPIC = "Robotics"
ABOUT = ("content/_topics/robotics.md", "topics/robotics/")

Seen: TypeAlias = Callable[[], bool]


class Server:
    """A running `newsgen serve` with a tab open."""

    def __init__(self, site: Path) -> None:
        command = [sys.executable, "-m", "newsgen", "serve", "--site", str(site), "--port", "0"]
        self._errors = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed with the server
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors, text=True)
        assert self._process.stdout
        self.address = self._process.stdout.readline().strip()
        host = urlsplit(self.address).netloc
        self._tab = connect(f"ws://{host}/_newsgen/live", origin=Origin(f"http://{host}"), max_size=None)
        self.problems: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in self._tab:
                self.problems = json.loads(message)["state"]["problems"]

    def visit(self, path: str) -> None:
        """Takes the tab to a page."""
        self._tab.send(json.dumps({"page": f"/{path}"}))

    def get(self, path: str) -> tuple[int, str]:
        """Status and text at an address, which may redirect or have a stub."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=SECONDS) as answer:
                status, text = answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, ""
        stub = re.search(r'http-equiv="refresh" content="0; url=/([^"#]*)', text)
        return self.get(stub[1]) if stub else (status, text)

    def memory(self) -> float:
        """Megabytes in use."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def open_files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self._process.pid}/fd").iterdir())

    def wait_until_idle(self) -> None:
        """Waits for a second in which the server uses less than a twentieth of a processor."""
        while True:
            before = self._cpu()
            time.sleep(1)
            if self._cpu() - before < 0.05:
                return

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> str:
        """Ends the server as Ctrl+C does. Returns what is wrong with how it ended, or ""."""
        self._tab.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return "the server did not end within 30 seconds"
        self._errors.seek(0)
        errors = self._errors.read()
        if self._process.returncode or "Traceback" in errors:
            return f"the server ended with {self._process.returncode}\n{errors}"
        return ""


class Editor:
    """Makes random edits. Each returns what to visit, and a function that says whether the edit can be seen."""

    def __init__(self, site: Path, server: Server, seed: int) -> None:
        self._site = site
        self._server = server
        self._random = random.Random(seed)
        self._files = sorted((site / "content/articles").iterdir())
        self._with_body = [f for f in self._files if not f.read_text(encoding="utf-8").endswith("---\n\n\n")]
        self._removed: list[str] = []
        self._broken: tuple[Path, str] | None = None
        self._mark = ""
        self._kinds: dict[str, tuple[float, Callable[[], tuple[str, Seen]]]] = {
            "title": (30, self._title),
            "body": (20, self._body),
            "topics": (10, self._topics),
            "new": (8, self._new),
            "delete": (8, self._delete),
            "rename": (6, self._rename),
            "broken": (6, self._break),
            "about": (5, self._about),
            "static": (4, self._static),
            "template": (2, lambda: self._template("templates/pages/home.html", "<h1 ")),
            "layout": (0.5, lambda: self._template("templates/base.html", "</body>")),
            "config": (0.5, self._config),
        }
        self._first = list(self._kinds) * WARM_UP
        self._random.shuffle(self._first)

    def edit(self, number: int) -> tuple[str, str, Seen]:
        """Makes an edit: first each kind a few times, then at random. A broken file is mended by the next edit."""
        self._mark = f"Soak{number}x"
        if self._broken:
            return "mend", *self._mend()
        weights = [weight for weight, _ in self._kinds.values()]
        kind = self._first.pop() if self._first else self._random.choices(list(self._kinds), weights)[0]
        return kind, *self._kinds[kind][1]()

    def _shows(self, path: str) -> Seen:
        mark = self._mark
        return lambda: mark in self._server.get(path)[1]

    def _is_gone(self, path: str) -> Seen:
        return lambda: self._server.get(path)[0] == 404

    def _pick(self, files: list[Path]) -> tuple[Path, str]:
        file = self._random.choice(files)
        return file, file.read_text(encoding="utf-8")

    def _title(self) -> tuple[str, Seen]:
        file, text = self._pick(self._files)
        file.write_text(self._titled(text), encoding="utf-8")
        return _path(file, text), self._shows(_path(file, text))

    def _titled(self, text: str) -> str:
        return re.sub(r'^title: "(Soak\d+x )?', f'title: "{self._mark} ', text, count=1, flags=re.MULTILINE)

    def _body(self) -> tuple[str, Seen]:
        file, text = self._pick(self._with_body)
        file.write_text(re.sub(r"\n\*Soak\d+x\*\n$", "", text) + f"\n*{self._mark}*\n", encoding="utf-8")
        return _path(file, text), self._shows(_path(file, text))

    def _topics(self) -> tuple[str, Seen]:
        # Few articles, so that the number of topics does not grow.
        file, text = self._pick(self._files[:20])
        topic = self._mark.lower()
        file.write_text(re.sub(r"^topics:\n  - .*", f"topics:\n  - {topic}", text, count=1, flags=re.MULTILINE))
        return f"topics/{topic}/", self._shows_status(f"topics/{topic}/")

    def _shows_status(self, path: str) -> Seen:
        return lambda: self._server.get(path)[0] == 200

    def _new(self) -> tuple[str, Seen]:
        """Something removed comes back under another name, so that the site stays what it is."""
        number = int(self._mark[4:-1])
        text = self._removed.pop(0) if self._removed else gen_corpus.render(gen_corpus.newest(number), [], "newsgen")
        file = self._files[0].with_name(f"new-{number}.md")
        file.write_text(self._titled(text), encoding="utf-8")
        self._add(file, text)
        return _path(file, text), self._shows(_path(file, text))

    def _delete(self) -> tuple[str, Seen]:
        file, text = self._pick(self._files)
        file.unlink()
        self._forget(file)
        self._removed.append(text)
        return _path(file, text), self._is_gone(_path(file, text))

    def _rename(self) -> tuple[str, Seen]:
        file, text = self._pick(self._files)
        new = file.with_name(f"renamed-{self._mark}.md")
        file.rename(new)
        self._forget(file)
        self._add(new, text)
        gone, path = self._is_gone(_path(file, text)), _path(new, text)
        return path, lambda: gone() and self._server.get(path)[0] == 200

    def _add(self, file: Path, text: str) -> None:
        self._files.append(file)
        if not text.endswith("---\n\n\n"):
            self._with_body.append(file)

    def _forget(self, file: Path) -> None:
        self._files.remove(file)
        if file in self._with_body:
            self._with_body.remove(file)

    def _break(self) -> tuple[str, Seen]:
        file, text = self._pick(self._files)
        self._broken = file, text
        file.write_text(text.replace('title: "', "title: [", 1), encoding="utf-8")
        gone = self._is_gone(_path(file, text))
        name = f"content/articles/{file.name}"
        return _path(file, text), lambda: gone() and any(p["path"] == name for p in self._server.problems)

    def _mend(self) -> tuple[str, Seen]:
        assert self._broken
        file, text = self._broken
        self._broken = None
        file.write_text(self._titled(text), encoding="utf-8")
        shows = self._shows(_path(file, text))
        return _path(file, text), lambda: shows() and not self._server.problems

    def _about(self) -> tuple[str, Seen]:
        file, path = ABOUT
        self._write(file, f"---\nname: {TOPIC}\ndescription: {self._mark}\n---\n\n{self._mark}\n")
        return path, self._shows(path)

    def _static(self) -> tuple[str, Seen]:
        style = (shipped_site() / "static/css/site.css").read_text(encoding="utf-8")
        self._write("static/css/site.css", f"{style}\n/* {self._mark} */\n")
        return "", self._shows("css/site.css")

    def _template(self, name: str, at: str) -> tuple[str, Seen]:
        shipped = (shipped_site() / name).read_text(encoding="utf-8")
        self._write(name, shipped.replace(at, f"<!-- {self._mark} -->{at}", 1))
        return "", self._shows("")

    def _config(self) -> tuple[str, Seen]:
        self._write("site.toml", site_toml(self._mark))
        return "", self._shows("")

    def _write(self, name: str, text: str) -> None:
        file = self._site / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def site_toml(description: str) -> str:
    return (
        f'title = "News"\ndescription = "{description}"\nbase_url = "https://news.example/"\npages.articles = "all"\n'
    )


def _path(file: Path, text: str) -> str:
    """The path of an article's page."""
    found = re.search(r"^publishedDateTime: (\d+)-(\d+)-(\d+)", text, re.MULTILINE)
    assert found
    return "/".join([*found.groups(), file.stem.lower(), ""])


def soak(work: Path, articles: int, edits: int, seed: int) -> list[str]:
    """Runs the edits. Returns what is wrong."""
    site = work / "site"
    gen_corpus.write(site / "content/articles", articles, "newsgen")
    (site / "site.toml").write_text(site_toml("News"))
    (site / "static").mkdir()
    (site / "templates").mkdir()
    server = Server(site)
    try:
        server.wait_until_idle()
        wrong, memory, files = _edit(Editor(site, server, seed), server, edits)
        server.wait_until_idle()
    finally:
        ended = server.stop()
    if ended:
        wrong.append(ended)
    if len(memory) >= 5:
        wrong += _grown(memory, files)
    different = list(_different(site, work / "clean"))
    print(f"files that differ from a clean build: {len(different)}")
    if different:
        wrong.append(f"not as in a clean build: {', '.join(different[:10])}")
    return wrong


def _edit(editor: Editor, server: Server, edits: int) -> tuple[list[str], list[float], list[int]]:
    """Makes the edits. Returns what is wrong, the memory after each, and the open files after each tenth of them.

    Files are counted when the server is idle: a running build has its own, and most edits are seen before it ends.
    """
    memory: list[float] = []
    files: list[int] = []
    times: defaultdict[str, list[float]] = defaultdict(list)
    started = time.monotonic()
    for number in range(edits):
        start = time.monotonic()
        kind, path, is_seen = editor.edit(number)
        server.visit(path)
        while not is_seen():
            if time.monotonic() - start > SECONDS:
                return [f"edit {number} ({kind}, /{path}) was not seen within {SECONDS} seconds"], memory, files
            time.sleep(0.01)
        times[kind].append(time.monotonic() - start)
        memory.append(server.memory())
        if (number + 1) % max(1, edits // 10) == 0:
            passed = time.monotonic() - started
            server.wait_until_idle()
            files.append(server.open_files())
            print(f"{number + 1:6,} edits {passed:8.0f} s {memory[-1]:8.1f} MB {files[-1]:4} open", flush=True)
    print("milliseconds until an edit is seen, median and most:")
    for kind, seconds in sorted(times.items()):
        print(f"{kind:10}{len(seconds):6,}{median(seconds) * 1000:9.0f}{max(seconds) * 1000:9.0f}")
    return [], memory, files


def _grown(memory: list[float], files: list[int]) -> Iterator[str]:
    """What grew from the second fifth of the edits to the last. In the first, caches still fill."""
    fifth = len(memory) // 5
    edits = len(memory) - fifth // 2 - fifth * 3 // 2
    early, late = median(memory[fifth : 2 * fifth]), median(memory[-fifth:])
    bound = NOISE + edits * GROWTH / 1024
    before, after = files[len(files) * 2 // 5], files[-1]
    print(f"memory {early:.1f} to {late:.1f} MB (may grow by {bound:.1f}), open files {before} to {after}")
    if late - early > bound:
        yield f"memory grew by {late - early:.1f} MB within {edits} edits; {bound:.1f} may be noise"
    if after > before:
        yield f"open files grew from {before} to {after}"


def _different(site: Path, clean: Path) -> Iterator[str]:
    """The files in which the preview's output differs from a clean build of a copy."""
    clean.mkdir()
    for name in INPUTS:
        copy = shutil.copytree if (site / name).is_dir() else shutil.copy
        copy(site / name, clean / name)
    build(Options(site=clean, show=frozenset({"held"}), fingerprints=False))
    trees = _tree(site / ".newsgen/preview"), _tree(clean / "public")
    for path in sorted(trees[0] | trees[1]):
        files = [site / ".newsgen/preview" / path, clean / "public" / path]
        if not all(f.is_file() for f in files) or files[0].read_bytes() != files[1].read_bytes():
            yield path


def _tree(folder: Path) -> set[str]:
    """The paths of all files but newsgen's own records."""
    return {
        f.relative_to(folder).as_posix()
        for f in folder.rglob("*")
        if f.is_file() and not f.relative_to(folder).parts[0].startswith(".newsgen")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (("--articles", 10_000), ("--edits", 3_000), ("--seed", 1)):
        parser.add_argument(option, type=int, default=default, help=f"default: {default:,}")
    parser.add_argument("--work", type=Path, help="a new folder to keep the site in  [default: a temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsgen-soak-") as folder:
        wrong = soak(options.work or Path(folder), options.articles, options.edits, options.seed)
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
