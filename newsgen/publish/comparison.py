"""Compares a fresh build with what readers see: pages that are new, changed, gone, or moved on the front page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from newsgen import config, urls
from newsgen.builder import Options, Output, Progress, folders
from newsgen.errors import Problem
from newsgen.publish.address import resolve_target
from newsgen.publish.connect import connect
from newsgen.publish.files import Kind, plain
from newsgen.publish.plan import Entry, lost
from newsgen.publish.site import build_site, front_links, publish_lock
from newsgen.publish.target import without_secrets

_KIND_NAMES: dict[Kind, str] = {
    "home": "the front page",
    "story": "stories",
    "article": "articles",
    "page": "other pages",
    "list": "lists",
    "redirect": "redirects",
    "feed": "feeds and other machine-readable files",
    "asset": "static files",
    "copy": "compressed copies",
    "fixed": "fingerprinted files",
}
_MAX_SHOWN = 20


class Move(msgspec.Struct, frozen=True):
    """A link that moved on the front page. Positions count from 1; 0 means that it was not there, or is not now."""

    address: str
    before: int
    now: int


class Difference(msgspec.Struct, kw_only=True):
    """What changes for readers: addresses by kind. `lost` are pages that would no longer answer."""

    against: str
    added: dict[Kind, list[str]] = {}
    changed: dict[Kind, list[str]] = {}
    removed: dict[Kind, list[str]] = {}
    moved: list[Move] = []
    lost: list[str] = []
    problems: list[Problem] = []


def diff(options: Options, name: str | None, progress: Progress | None = None) -> Difference:
    """Compares with the last release of a target, or with the output folder if there is no target.

    Publishes nothing and leaves the output folder as it is.
    """
    settings = config.load(options.site / "site.toml")
    with without_secrets(), publish_lock(options.site):
        site = build_site(options, progress)
        if name is None and not settings.publish:
            layout, target_settings = "plain", config.Publish(to="")
            output = Output(folders(options)[1])
            written, against = output.manifest().files, str(output.root)
            found = plain(output.root, written, site.fingerprinted, ())
            old_entries = {path: Entry.of(file) for path, file in found.items()}
            old_links = front_links(output.root, written, settings.root)
        else:
            _, target_settings, address = resolve_target(settings, name, options.site)
            target = connect(address, target_settings, options.site)
            layout, against, release = target.layout, address.label, target.inspect({}).release
            old_entries, old_links = (release.files, release.front) if release else ({}, ())
        files = site.files(layout, target_settings)
    difference = Difference(against=against, problems=site.report.problems)
    for path, file in sorted(files.items()):
        known = old_entries.get(path)
        if known is None:
            difference.added.setdefault(file.kind, []).append(urls.address(path))
        elif known.digest != file.digest:
            difference.changed.setdefault(file.kind, []).append(urls.address(path))
    for path in sorted(old_entries.keys() - files.keys()):
        difference.removed.setdefault(old_entries[path].kind, []).append(urls.address(path))
    difference.lost = site.lost(lost(old_entries, files))
    difference.moved = moves(old_links, site.front_links())
    return difference


def moves(before: Sequence[str], now: Sequence[str]) -> list[Move]:
    """Links that are new, gone, or in another position relative to the other links."""
    old = {address: position for position, address in enumerate(before, 1)}
    new = {address: position for position, address in enumerate(now, 1)}
    old_order = {a: n for n, a in enumerate((a for a in before if a in new), 1)}
    new_order = {a: n for n, a in enumerate((a for a in now if a in old), 1)}
    # A new link pushes all links below it down. That does not count as a move of these.
    every = [Move(a, old.get(a, 0), new.get(a, 0)) for a in dict.fromkeys([*now, *before])]
    return [m for m in every if not (m.before and m.now) or old_order[m.address] != new_order[m.address]]


def comparison_lines(found: Difference) -> Iterator[str]:
    """The difference as text."""
    for word, sign, group in (("new", "+", found.added), ("changed", "~", found.changed), ("gone", "-", found.removed)):
        for kind, name in _KIND_NAMES.items():
            addresses = group.get(kind, [])
            if addresses:
                yield f"{word} {name}: {len(addresses):,}"
                yield from (f"  {sign} {a}" for a in addresses[:_MAX_SHOWN])
                if len(addresses) > _MAX_SHOWN:
                    yield f"  and {len(addresses) - _MAX_SHOWN:,} more (--json lists all)"
    if found.moved:
        yield "on the front page:"
        for move in found.moved:
            how = (
                f"{move.before} → {move.now}"
                if move.before and move.now
                else f"new at {move.now}"
                if move.now
                else "gone"
            )
            yield f"  {move.address}: {how}"
    if found.lost:
        yield f"addresses that would no longer answer: {len(found.lost):,}"
        yield from (f"  ! {a}" for a in found.lost[:_MAX_SHOWN])
    if not (found.added or found.changed or found.removed):
        yield f"nothing differs from {found.against}"
