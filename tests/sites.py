"""Sites for tests, written from one string: `site("-- content/a.md --\\n---\\ntitle: A\\n…").edit(…).build()`."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import CliRunner

from newsgen.builder import Options, Report, loading
from newsgen.builder import pipeline as build
from newsgen.builder.manifest import MANIFEST
from newsgen.commands.cli import cli

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def skip_or_fail(what: str) -> NoReturn:
    """Skips a test that needs a program or server which is not available; fails it if NEWSGEN_REQUIRE_PARTS is set."""
    if os.environ.get("NEWSGEN_REQUIRE_PARTS"):
        pytest.fail(what)
    pytest.skip(what)


ALL_PAGES = '[pages]\narticles = "all"\n'
"""Most tests look at the pages of single articles, so their sites have them unless their site.toml says otherwise."""


class Site:
    """A site in a folder on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.output = root / "public"
        (root / "content").mkdir(parents=True)
        self.write("site.toml", "")

    def add(self, text: str) -> Site:
        """Writes the files in a string. Each begins with a line `-- path --`."""
        parts = re.split(r"^-- (.+) --\n", text, flags=re.MULTILINE)
        for path, body in zip(parts[1::2], parts[2::2], strict=True):
            self.write(path, body)
        return self

    def write(self, path: str, data: str | bytes) -> Site:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path == "site.toml" and isinstance(data, str) and not re.search(r"^(\[pages\]|pages\.)", data, re.MULTILINE):
            data = data + ("" if data.endswith("\n") or not data else "\n") + ALL_PAGES
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return self

    def edit(self, path: str, old: str, new: str) -> Site:
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new), encoding="utf-8")
        return self

    def article(self, name: str, *, title: str = "", more: str = "", body: str = "", **fields: Any) -> Site:
        """Writes content/NAME.md with the given fields, and defaults for the required ones."""
        rows = {
            "title": title or name.rpartition("/")[2].replace("-", " ").capitalize(),
            "publishedDateTime": "2026-11-08T10:00:00Z",
            "webUrl": f"https://{name.replace('/', '-')}.example/{name}/",
        } | fields
        block = "".join(
            f"{k}: {v if isinstance(v, int | float) else _quoted(v)}\n" for k, v in rows.items() if v is not None
        )
        return self.write(f"content/{name}.md", f"---\n{block}{more}---\n{body}")

    def options(self, **chosen: Any) -> Options:
        return Options(**{"site": self.root, "now": NOW, **chosen})

    def load(self, *, whole: bool = False, **chosen: Any) -> loading.Loaded:
        return loading.load(self.options(**chosen), whole=whole)

    def build(self, **chosen: Any) -> Report:
        return build.build(self.options(**chosen))

    def good(self, **chosen: Any) -> Report:
        """Builds, and fails if the content has problems."""
        report = self.build(**chosen)
        assert not report.problems, "\n".join(map(str, report.problems))
        return report

    def read(self, path: str) -> str:
        return (self.output / path).read_text(encoding="utf-8")

    def tree(self, folder: Path | None = None) -> dict[str, bytes]:
        """Every file of the output except the manifest, by path."""
        root = str(folder or self.output)
        found = {}
        for place, _, names in os.walk(root):  # much faster than `rglob`
            for name in names:
                file = os.path.join(place, name)  # noqa: PTH118
                if name != MANIFEST and os.path.isfile(file):  # noqa: PTH113
                    with open(file, "rb") as opened:  # noqa: PTH123
                        found[os.path.relpath(file, root).replace(os.sep, "/")] = opened.read()
        return found

    def run(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the site's folder, in this process: starting another takes longer than most commands."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.root)
            done = CliRunner().invoke(cli, args, prog_name="newsgen", env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)

    def spawn(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the site's folder, in a process of its own."""
        command = [sys.executable, "-m", "newsgen", *args]
        return subprocess.run(
            command,
            cwd=self.root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, **env},
            check=False,
        )


def png(width: int = 4, height: int = 3, shade: int = 0) -> bytes:
    """A grey PNG, made without a library."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"".join(b"\0" + bytes([shade]) * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def related(*entries: str | tuple[str, dict[str, Any]]) -> str:
    """The lines of `related:`. An entry is a URL, or a URL with more fields."""
    rows = ["related:"]
    for entry in entries:
        url, more = (entry, {}) if isinstance(entry, str) else entry
        rows += [f'  - title: "On {url[8:40]}"', f'    webUrl: "{url}"', *(f"    {k}: {v}" for k, v in more.items())]
    return "\n".join(rows) + "\n"


def _quoted(value: str) -> str:
    if isinstance(value, str) and not re.fullmatch(
        r"\d{4}-\d\d-\d\d(T[\d:]+Z)?|true|false|\[.*\]|\{.*\}", value, re.DOTALL
    ):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value
