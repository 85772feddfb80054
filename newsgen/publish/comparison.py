"""A fresh build against what readers see: pages and stories that come, change, go, or move on the front page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from newsgen import config, urls
from newsgen.builder import Options, Output, Progress, folders
from newsgen.errors import Problem
from newsgen.publish.address import choose
from newsgen.publish.connect import connect
from newsgen.publish.files import Kind, plain
from newsgen.publish.plan import Entry, lost
from newsgen.publish.site import alone, built, front
from newsgen.publish.target import discreet

_WORDS: dict[Kind, str] = {
    "home": "the front page",
    "story": "stories",
    "article": "articles",
    "page": "plain pages",
    "list": "lists",
    "redirect": "redirects",
    "feed": "feeds and files for machines",
    "asset": "static files",
    "copy": "compressed copies",
    "fixed": "style sheets and pictures",
}
_SHOWN = 20


class Move(msgspec.Struct, frozen=True):
    """A page that the front page leads to from another place than before; places count from 1, 0 is none."""

    address: str
    before: int
    now: int


class Difference(msgspec.Struct, kw_only=True):
    """What changes for readers: addresses by their kind; `lost` are pages that would answer no more."""

    against: str
    added: dict[Kind, list[str]] = {}
    changed: dict[Kind, list[str]] = {}
    removed: dict[Kind, list[str]] = {}
    moved: list[Move] = []
    lost: list[str] = []
    problems: list[Problem] = []


def diff(options: Options, name: str | None, progress: Progress | None = None) -> Difference:
    """Compares with the last publish to a target; without one, and where site.toml names none, with the output folder.

    Publishes nothing and leaves the output folder as it is.
    """
    settings = config.load(options.site / "site.toml")
    with discreet(), alone(options.site):
        site = built(options, progress, strict=False)
        if name is None and not settings.publish:
            form, place = "plain", config.Publish(to="")
            output = Output(folders(options)[1])
            written, against = output.manifest().files, str(output.root)
            found = plain(output.root, written, site.fixed, ())
            was = {path: Entry.of(file) for path, file in found.items()}
            ranks = front(output.root, written, settings.root)
        else:
            _, place, at = choose(settings, name, options.site)
            target = connect(at, place, options.site)
            form, against, release = target.form, at.shown, target.look({}).release
            was, ranks = (release.files, release.front) if release else ({}, ())
        files = site.files(form, place)
    difference = Difference(against=against, problems=site.report.problems)
    for path, file in sorted(files.items()):
        known = was.get(path)
        if known is None:
            difference.added.setdefault(file.kind, []).append(urls.address(path))
        elif known.digest != file.digest:
            difference.changed.setdefault(file.kind, []).append(urls.address(path))
    for path in sorted(was.keys() - files.keys()):
        difference.removed.setdefault(was[path].kind, []).append(urls.address(path))
    difference.lost = site.unanswered(lost(was, files))
    difference.moved = moves(ranks, site.front())
    return difference


def moves(before: Sequence[str], now: Sequence[str]) -> list[Move]:
    """Who stands elsewhere among those that were there before and still are; and who came or left."""
    old = {address: place for place, address in enumerate(before, 1)}
    new = {address: place for place, address in enumerate(now, 1)}
    stay = {a: n for n, a in enumerate((a for a in before if a in new), 1)}
    still = {a: n for n, a in enumerate((a for a in now if a in old), 1)}
    # What comes pushes all below it down: that is no move of theirs.
    every = [Move(a, old.get(a, 0), new.get(a, 0)) for a in dict.fromkeys([*now, *before])]
    return [m for m in every if not (m.before and m.now) or stay[m.address] != still[m.address]]


def comparison_lines(found: Difference) -> Iterator[str]:
    """The difference for people."""
    for word, sign, group in (("new", "+", found.added), ("changed", "~", found.changed), ("gone", "-", found.removed)):
        for kind, name in _WORDS.items():
            addresses = group.get(kind, [])
            if addresses:
                yield f"{word} {name}: {len(addresses):,}"
                yield from (f"  {sign} {a}" for a in addresses[:_SHOWN])
                if len(addresses) > _SHOWN:
                    yield f"  and {len(addresses) - _SHOWN:,} more (--json has all)"
    if found.moved:
        yield "on the front page:"
        for move in found.moved:
            how = (
                f"{move.before} → {move.now}"
                if move.before and move.now
                else f"in at {move.now}"
                if move.now
                else "out"
            )
            yield f"  {move.address}: {how}"
    if found.lost:
        yield f"addresses that would answer no more: {len(found.lost):,}"
        yield from (f"  ! {a}" for a in found.lost[:_SHOWN])
    if not (found.added or found.changed or found.removed):
        yield f"nothing differs from {found.against}"
