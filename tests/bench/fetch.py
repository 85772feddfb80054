"""Measures `newsgen fetch` against a server that answers as many hosts, and simulates a week of an aggregator.

For a first fetch, one with nothing new, one that reads everything again, and one that has lost its state and its index,
prints seconds, CPU and the peak of memory, and the target of each. With NEWSGEN_DATA, then fetches a week of a real aggregator's feeds hour by hour, builds, and checks that no article is
lost or double. Exits with 1 if a target is missed.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "fetch")]

START = datetime(2026, 11, 29, tzinfo=UTC)
TARGETS = {
    "new": (10.0, 8.0, 200.0),
    "nothing new": (None, 1.5, 200.0),
    "read again": (None, None, 200.0),
    "state lost": (None, None, 200.0),
}


def fetch(site: Path, now: datetime, *more: str) -> tuple[dict[str, Any], tuple[float, float, float]]:
    """Runs the command. Returns its report, and the seconds, CPU and megabytes that it took."""
    command = [sys.executable, "-m", "newsgen", "fetch", "--json", "--now", now.isoformat(), *more]
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=site, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode:
            sys.exit(f"newsgen fetch: exit {process.returncode}\n{out.read().decode()[:2000]}")
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return json.load(out), (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def stamps(content: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (s.st_mtime_ns, s.st_ino) for p in content.rglob("*") for s in [p.stat()]}


def measure(site: Path, feeds: int, hosts: int, items: int) -> bool:
    """Prints what fetches of generated feeds cost. Returns whether the targets are met."""
    program = [sys.executable, str(TESTS / "fetch/feedserver.py")]
    sizes = ["--hosts", str(hosts), "--feeds", str(feeds), "--items", str(items)]
    (site / "content/_feeds").mkdir(parents=True)
    (site / "site.toml").write_text('[fetch]\nallow = ["127.0.0.0/8"]\n')
    with subprocess.Popen([*program, *sizes], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            for number in range(feeds):
                url = server.stdout.readline().strip()
                (site / f"content/_feeds/feed{number}.md").write_text(f"---\nurl: {url}\n---\n")
            good = True
            before: dict[str, tuple[int, int]] = {}
            for hour, (what, limits) in enumerate(TARGETS.items()):
                if what == "state lost":
                    shutil.rmtree(site / ".newsgen")
                more = ["--force"] if what == "read again" else []
                report, cost = fetch(site, START + timedelta(hours=hour), *more)
                good &= not report["failed"] and report["requests"] == feeds
                good &= report["added"] == (0 if before else feeds * items)
                good &= not before or before == stamps(site / "content")
                before = stamps(site / "content")
                print(f"{feeds} feeds of {items} items, {hosts} hosts, {what}: {report['added']} articles", end="")
                for value, limit, unit in zip(cost, limits, ("s", "s CPU", "MB"), strict=True):
                    print(f", {value:.2f} {unit}" + (f" (target {limit:g})" if limit else ""), end="")
                    good &= not limit or value <= limit
                print()
        finally:
            server.kill()
    return good


def week(top: Path, data: Path, hours: int) -> None:
    """Simulates a week and prints what was fetched."""
    import test_week
    from feedserver import FeedServer
    from sites import Site
    from stream import rows

    start = time.perf_counter()
    site = Site(top / "week")
    with FeedServer() as server:
        end = test_week.DAY + hours * test_week.HOUR
        articles = rows(data, datetime.min.replace(tzinfo=UTC), end)
        count, stream = test_week.simulate(site, server, articles, hours, fetch_every=1, build_every=6)
    test_week.check_cold(site, end)
    print(
        f"{hours} hours, {len(stream.urls)} feeds: {count} articles, none lost, none double, the site that of a cold build; {time.perf_counter() - start:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, default in (("--hosts", 100), ("--feeds", 500), ("--items", 50), ("--hours", 7 * 24)):
        parser.add_argument(option, type=int, default=default, help=f"default: {default}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = measure(Path(folder) / "site", options.feeds, options.hosts, options.items)
        data = os.environ.get("NEWSGEN_DATA")
        if data and options.hours:
            week(Path(folder), Path(data), options.hours)
    sys.exit(0 if good else "a target is missed")


if __name__ == "__main__":
    main()
