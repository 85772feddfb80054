"""The targets of the benchmark, and the table that compares measurements with them."""

# ruff: noqa: T201

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypeAlias

from measure import Cost

Figures: TypeAlias = Mapping[str, float]
"""Figures of a row, or what they must not exceed, by their names."""

NONE: Figures = {}

UPDATES = ("one title changed", "one new article", "one body edited")
_NOTHING = {10_000: 0.15, 50_000: 0.45}
_BEYOND = {10_000: 0.30, 50_000: 0.35, 200_000: 0.45}
_EXACT: dict[tuple[str, int], Figures] = {
    ("cold", 1_000): {"of Hugo's wall": 1.0},
    ("cold", 10_000): {"of Hugo's CPU": 0.65, "of Hugo's wall": 0.65},
    ("cold", 100_000): {"MB": 600, "MB to cluster": 400},
    ("500 new articles", 50_000): {"of the CPU before": 1 / 8},
    ("fetch 500 feeds, build", 50_000): {"beyond": 2.5},
    ("another template", 50_000): {"of cold CPU": 0.8, "of cold wall": 0.8, "articles read": 0},
    ("serve: save to seen", 10_000): {"ms": 150},
}
MEMORY = 150
"""Megabytes that the largest process of an update may use, at every size."""

COLUMNS = ("CPU s", "beyond", "wall s", "MB", "MB in all", "rendered", "written")


def limits(what: str, n: int) -> Figures:
    """The targets of a row at a number of articles. An update has those of the next size that has some."""
    if what == "nothing changed":
        return _up_to("CPU s", _NOTHING, n)
    if what in UPDATES:
        return {**_up_to("beyond", _BEYOND, n), "MB": MEMORY}
    return _EXACT.get((what, n), {})


def _up_to(figure: str, bounds: Mapping[int, float], n: int) -> Figures:
    return next(({figure: bound} for size, bound in bounds.items() if n <= size), {})


class Table:
    """Prints rows, with the verdict on each target beside them. `missed` collects the targets that were not met."""

    def __init__(self) -> None:
        self.met = 0
        self.missed: list[str] = []
        self.rows: list[dict[str, object]] = []

    def head(self, n: int) -> None:
        print(
            f"\n{f'newsgen, {n:,} articles':26}" + "".join(f"{name:>11}" for name in COLUMNS) + "  targets", flush=True
        )

    def row(self, what: str, n: int, costs: Sequence[Cost], *, nothing: float = 0, more: Figures = NONE) -> None:
        """A row with medians. `nothing` is the CPU of a build without changes. `more` are figures without a column."""
        figures = {
            "CPU s": median(c.cpu for c in costs),
            "wall s": median(c.wall for c in costs),
            "MB": max(c.peak for c in costs),
            "MB in all": max(c.together for c in costs),
            "rendered": median(c.rendered for c in costs),
            "written": median(c.written for c in costs),
        }
        if nothing:
            figures["beyond"] = median(c.cpu - nothing for c in costs)
        cells = [f"{figures[c]:,.{2 if c in COLUMNS[:3] else 0}f}" if c in figures else "" for c in COLUMNS]
        self._print(what, n, cells, figures, more)

    def figures(self, what: str, n: int, more: Figures) -> None:
        """A row with only figures that have no column."""
        self._print(what, n, [""] * len(COLUMNS), {}, more)

    def _print(self, what: str, n: int, cells: list[str], figures: dict[str, float], more: Figures) -> None:
        known, verdicts = {**figures, **more}, []
        bounds = {name: bound for name, bound in limits(what, n).items() if name in known}
        for name, bound in bounds.items():
            good = known[name] <= bound
            self.met += good
            if not good:
                self.missed.append(f"{n:,} articles, {what}: {name} {known[name]:.3g}, target {bound:.3g}")
            shown = f" {more[name]:.3g}" if name in more else ""
            verdicts.append(f"{name}{shown} ≤ {bound:.3g} {'met' if good else 'MISSED'}")
        verdicts += [f"{name} {value:.3g}" for name, value in more.items() if name not in bounds]
        print(f"{what:26}" + "".join(f"{cell:>11}" for cell in cells) + "  " + "; ".join(verdicts), flush=True)
        self.rows.append({"articles": n, "row": what, **known})

    def end(self) -> None:
        """Prints how many targets are met, and which are not."""
        print(f"\n{self.met} of {self.met + len(self.missed)} targets met", *self.missed, sep="\n", flush=True)
