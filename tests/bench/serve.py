"""`make bench-serve`: how long after a save a real Chromium shows it, as the median of many edits.

A measurement starts before the file is written and ends in the browser, once its document has the new text or style. It
includes waiting for the end of the batch, the build, the message, the fetch and the patch.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import gen_corpus
from playwright.sync_api import Page, sync_playwright

from newsgen.files import shipped_site

STYLE = "static/css/site.css"
TEMPLATE = "templates/pages/article.html"


def measure(page: Page, edits: int, edit: Callable[[int], None], shown: Callable[[int], str]) -> float:
    """Median milliseconds from an edit until a JavaScript expression is true in the page."""
    times = []
    for n in range(edits):
        page.evaluate(
            f"""() => {{ window.seen = new Promise((done) => {{
              const look = () => {{ if ({shown(n)}) done(Date.now()); else setTimeout(look, 2); }}; look(); }}); }}"""
        )
        start = time.time() * 1000
        edit(n)
        times.append(page.evaluate("window.seen") - start)
        time.sleep(0.3)
    return median(times)


class Times(NamedTuple):
    """Milliseconds from a save to the update in a browser, and from a start to the first answer."""

    content: float
    style: float
    template: float
    warm: float
    cold: float


def bench(count: int, edits: int, chromium: str, work: Path) -> Times:
    """Measures one size of site: edits of content, style and template, a warm and a cold start."""
    site = work / str(count)
    gen_corpus.write(site / "content", count, "apart")
    (site / "site.toml").write_text('title = "News"\n[pages]\narticles = "all"\n')
    (site / "static/css").mkdir(parents=True)
    (site / "templates/pages").mkdir(parents=True)
    style, template = ((shipped_site() / name).read_text(encoding="utf-8") for name in (STYLE, TEMPLATE))
    (site / STYLE).write_text(style)
    (site / TEMPLATE).write_text(template)
    command = [sys.executable, "-m", "newsgen", "serve", "--site", str(site), "--port", "0"]

    def start() -> tuple[subprocess.Popen[str], str, float]:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        subprocess.run(["curl", "-sf", "-o", os.devnull, address], check=True)
        return process, address, time.perf_counter() - started

    process, _, cold = start()
    process.terminate()
    process.wait()
    process, address, warm = start()
    file = sorted((site / "content").iterdir())[count // 2]
    source = file.read_text(encoding="utf-8")
    title = source.partition('title: "')[2].partition('"')[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        time.sleep(3 + count / 2500)  # the server reads the site in the background
        folder = next(
            (site / ".newsgen/preview").glob(f"20*/**/{file.stem[11:] if file.stem[:2] == '20' else file.stem}/")
        )
        page.goto(address + folder.relative_to(site / ".newsgen/preview").as_posix() + "/")
        page.locator("newsgen-preview").wait_for(state="attached")
        page.wait_for_timeout(500)
        content = measure(
            page,
            edits,
            lambda n: _write(file, source.replace(f'title: "{title}', f'title: "E{n} {title}', 1)),
            lambda n: f"document.querySelector('h1').textContent.includes('E{n} ')",
        )
        css = measure(
            page,
            edits,
            lambda n: _write(site / STYLE, style + f"\nbody {{ outline: {n + 1}px solid red }}"),
            lambda n: f"getComputedStyle(document.body).outlineWidth === '{n + 1}px'",
        )
        layout = measure(
            page,
            max(3, edits // 4),
            lambda n: _write(
                site / TEMPLATE, template.replace("{% block main %}", f"{{% block main %}}<p id=n{n}>", 1)
            ),
            lambda n: f"document.getElementById('n{n}')",
        )
        browser.close()
    process.terminate()
    process.wait()
    return Times(content, css, layout, 1000 * warm, 1000 * cold)


def find_chromium() -> str:
    """The path of a Chromium, "" if there is none."""
    names = (os.environ.get("NEWSGEN_BROWSER"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), "")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Parses the options and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[200, 1000, 10_000])
    parser.add_argument("--edits", type=int, default=20)
    args = parser.parse_args()
    chromium = find_chromium()
    print("articles   content ms   style ms  template ms   start ms     cold ms", flush=True)
    with tempfile.TemporaryDirectory(prefix="newsgen-serve-") as work:
        for count in args.sizes:
            times = bench(count, args.edits, chromium, Path(work))
            print(f"{count:8,}" + "".join(f"{ms:12.0f}" for ms in times), flush=True)


if __name__ == "__main__":
    main()
