"""Measures the updates of a full site against their targets, and shows where the time of one goes."""

# ruff: noqa: T201

from __future__ import annotations

import json
import pstats
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from measure import PROGRAM, Cost, Site, inside, newsgen_site, run
from targets import UPDATES, Table
from watchdog.events import FileOpenedEvent, FileSystemEventHandler
from watchdog.observers import Observer

import newsgen

FEEDS = 500
EDITS = dict(zip(UPDATES, (Site.title, Site.article, Site.body), strict=True))


def measure(site: Site, n: int, rounds: int, table: Table) -> None:
    """Prints the rows of small updates of a built site."""
    unchanged = []
    costs: dict[str, list[Cost]] = {what: [] for what in EDITS}
    site.build()  # so that none of the stamps is too young
    for round in range(rounds):
        unchanged.append(site.build())
        for what, edit in EDITS.items():
            edit(site, round)
            costs[what].append(site.build())
    table.row("nothing changed", n, unchanged)
    nothing = median(cost.cpu for cost in unchanged)
    for what, found in costs.items():
        table.row(what, n, found, nothing=nothing)


def measure_more(site: Site, n: int, cold: Cost, table: Table, before: str) -> None:
    """Prints the rows of large updates: a day's articles, another template, a fetch."""
    nothing = site.build()
    site.day(0)
    day = site.build()
    if before:
        old = newsgen_site(site.folder.parent / "before", program=before)
        old.fill(n)
        old.build()
        old.day(0)
        reference = old.build()
        shutil.rmtree(old.folder)
        table.row("500 new articles, before", n, [reference])
        table.row(
            "500 new articles", n, [day], nothing=nothing.cpu, more={"of the CPU before": day.cpu / reference.cpu}
        )
    else:
        table.row("500 new articles", n, [day], nothing=nothing.cpu)
    site.template(0)
    with opened(site.content) as files:
        template = site.build()
    more = {
        "of cold CPU": template.cpu / cold.cpu,
        "of cold wall": template.wall / cold.wall,
        "articles read": len(files),
    }
    table.row("another template", n, [template], nothing=nothing.cpu, more=more)
    _measure_fetch(site, n, table)


@contextmanager
def opened(folder: Path) -> Iterator[set[str]]:
    """Collects the names of the files in a folder that any process opens meanwhile, where the system reports that."""
    names: set[str] = set()

    class Collect(FileSystemEventHandler):
        def on_opened(self, event: FileOpenedEvent) -> None:
            names.add(str(event.src_path))

    observer = Observer()
    observer.schedule(Collect(), str(folder), event_filter=[FileOpenedEvent])
    observer.start()
    try:
        yield names
        time.sleep(1)  # watchdog keeps events back for half a second
    finally:
        observer.stop()
        observer.join()


def _measure_fetch(site: Site, n: int, table: Table) -> None:
    """A fetch of many feeds with one new item in all, and the build after it."""
    server = Path(__file__).parents[1] / "fetch/feedserver.py"
    command = [sys.executable, str(server), "--feeds", str(FEEDS), "--items", "2"]
    folder = site.folder / "content/_feeds"
    folder.mkdir()
    with (site.folder / "site.toml").open("a") as settings:
        settings.write('\n[fetch]\nallow = ["127.0.0.0/8"]\n')
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdin
            assert process.stdout
            for number in range(FEEDS):
                (folder / f"feed{number}.md").write_text(f"---\nurl: {process.stdout.readline().strip()}\n---\n")
            _fetch(site, 0, FEEDS * 2)
            site.build(*_now(0))
            unchanged = site.build(*_now(0))
            process.stdin.write("7\n")
            process.stdin.flush()
            process.stdout.readline()
            fetch = _fetch(site, 1, 1)
            build = site.build(*_now(1))
        finally:
            process.kill()
    both = Cost(
        fetch.cpu + build.cpu,
        fetch.wall + build.wall,
        max(fetch.peak, build.peak),
        max(fetch.together, build.together),
        build.pages,
        build.rendered,
        build.written,
    )
    table.row("fetch 500 feeds, build", n, [both], nothing=unchanged.cpu, more={"s of fetch": fetch.cpu})


def _now(hour: int) -> list[str]:
    """The hour of a fetch, later than all that the server has, and the build's."""
    return ["--now", (datetime(2026, 11, 29, tzinfo=UTC) + timedelta(hours=hour)).isoformat()]


def _fetch(site: Site, hour: int, expected: int) -> Cost:
    cost, out = run([PROGRAM, "fetch", "--json", *_now(hour)], site.folder)
    added = json.loads(out)["added"]
    if added != expected:
        sys.exit(f"newsgen fetch added {added} articles instead of {expected}")
    return cost


def profile(site: Site, n: int, round: int) -> None:
    """Prints where the time of a new title goes: the build's own steps, then Python's profile by module.

    The profile makes everything slower, and functions that call much the most: read it as shares.
    """
    site.title(round)
    cost = site.build()
    print(f"\n{n:,} articles, one title changed: {cost.wall:.3f} s wall, {cost.cpu:.3f} s CPU")
    for step, lap in {**cost.steps, "start and end": cost.wall - sum(cost.steps.values())}.items():
        print(f"{lap:9.3f}  {step}")
    site.title(round + 1)
    file = site.folder.parent / "profile"
    site.rest()
    run(inside("profile", file), site.folder)
    seconds: Counter[str] = Counter()
    stats = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    package = str(Path(newsgen.__file__).parent)
    for (path, _, function), (_, _, own, _, _) in stats.items():
        if path.startswith(package):
            seconds[f"newsgen{path.removeprefix(package)}"] += own
        elif "importlib" in path or "marshal" in function:
            seconds["imports"] += own
        elif path == "~":
            seconds[f"built in: {function[:60]}"] += own
        else:
            seconds[Path(path).parent.name + "/" + Path(path).name] += own
    print(f"\n{sum(seconds.values()):9.3f}  profiled, without subcalls:")
    for name, value in seconds.most_common(20):
        print(f"{value:9.3f}  {name}")
    sys.stdout.flush()
