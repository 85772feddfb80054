"""Builds one site cold with one process, with two, and with the workers of a scheduler on this machine.

Prints articles per second, the seconds of each step, and the CPU seconds of the build's own processes and of the workers.
Every build must give the same bytes.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).parent
sys.path.append(str(BENCH.parent / "builder"))

from dask_cluster import BLIND, Cluster  # noqa: E402


def cpu(pid: int) -> float:
    """The CPU seconds of a process, from Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(site: Path, name: str, options: list[str], workers: list[int]) -> None:
    """Builds once from nothing, prints a row, and compares with the output of the first build."""
    shutil.rmtree(site / ".newsgen", ignore_errors=True)
    output = site / name.replace(" ", "-")
    before, started = sum(map(cpu, workers)), time.perf_counter()
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "newsgen", "build", "--json", "--site", str(site), "--output", str(output)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(done.stdout)
    used = after.ru_utime + after.ru_stime - own.ru_utime - own.ru_stime
    steps = " ".join(f"{step} {seconds:.1f}" for step, seconds in report["seconds"].items() if seconds >= 0.05)
    rate = report["articles"] / wall
    print(f"{name:28}{wall:7.1f} s {rate:6.0f}/s  CPU {used:5.1f} + {sum(map(cpu, workers)) - before:5.1f}  {steps}")
    first = site / "one-process"
    same = [p.relative_to(first) for p in first.rglob("*") if p.is_file() and p.name != ".newsgen-manifest.json"]
    if any(filecmp.cmpfiles(first, output, same, shallow=False)[1:]):
        sys.exit(f"{name}: the output differs")
    if output != first:
        shutil.rmtree(output)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000, help="number of articles")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers of workers")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        site = Path(work) / "site"
        subprocess.run(
            [sys.executable, BENCH / "gen_corpus.py", "-n", str(chosen.size), "-o", site / "content"], check=True
        )
        (site / "site.toml").write_text('base_url = "https://example.org/"\n')
        measure(site, "one process", ["--jobs", "1"], [])
        measure(site, "two processes", ["--jobs", "2"], [])
        for count in chosen.workers:
            for kind, preamble in (("", ""), (" sent", BLIND.format(str(site)))):
                cluster = Cluster(Path(work) / f"cluster{count}{kind}")
                try:
                    processes = [cluster.start_worker(preamble) for _ in range(count)]
                    time.sleep(2 + count)  # until all have joined
                    options = ["--executor", cluster.address]
                    measure(site, f"{count} worker{'s' * (count > 1)}{kind}", options, [p.pid for p in processes])
                finally:
                    cluster.stop()


if __name__ == "__main__":
    main()
