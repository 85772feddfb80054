"""What was taken from each feed, `_feeds/NAME.taken`, and what editors deleted of it, `_feeds/NAME.gone`.

Both are kept with the content, so that every machine that fetches knows them. A line is one entry: its id, a tab, and
the address under which it was first taken. Lines are sorted, so that git can merge them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from newsgen import canonical

Lines = dict[str, str]
"""The address of each entry by its id; "" if it has none, or if an editor wrote the line."""

_MAX_TAKEN = 1_000
"""The most entries in a list of what was taken; more only if the feed has more now."""


# What git writes around two versions that it could not merge. Both count.
_CONFLICT = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


class Ledger:
    """The lists of all feeds in a folder, by the feed's name. `write` replaces a file."""

    def __init__(self, folder: Path, write: Callable[[Path, bytes], None]) -> None:
        self._folder, self._write = folder, write
        self.taken: dict[str, Lines] = {path.stem: _read(path) for path in sorted(folder.glob("*.taken"))}
        self._gone: dict[str, Lines] = {path.stem: _read(path) for path in sorted(folder.glob("*.gone"))}
        self._gone_keys: set[str] = set()
        for lines in self._gone.values():
            self._add_keys(lines)

    def _add_keys(self, lines: Lines) -> None:
        for written in (part for line in lines.items() for part in line):
            key = canonical.key(written)
            if key and canonical.identifies_text(key):
                self._gone_keys.add(key)

    def is_gone(self, feed: str, guid: str, keys: Iterable[str]) -> bool:
        """Whether the file of an entry was deleted."""
        return guid in self._gone.get(feed, ()) or not self._gone_keys.isdisjoint(keys)

    def delete(self, feed: str, lines: Lines) -> None:
        """Notes that the files of some entries were deleted. An editor who removes a line gets the entry back."""
        if not lines:
            return
        gone = self._gone.setdefault(feed, {})
        if not lines.keys() <= gone.keys():
            gone |= lines
            self._add_keys(lines)
            self._save(feed, "gone", gone)
        self.taken[feed] = {guid: url for guid, url in self.taken[feed].items() if guid not in lines}
        self._save(feed, "taken", self.taken[feed])

    def take(self, feed: str, entries: Mapping[str, str]) -> None:
        """Notes which entries that a feed has now have files: their addresses, by id."""
        before = self.taken.get(feed, {})
        others = sorted(guid for guid in before if guid not in entries)
        kept = others[max(0, len(others) + len(entries) - _MAX_TAKEN) :]
        after = {guid: before.get(guid, url) for guid, url in entries.items()} | {guid: before[guid] for guid in kept}
        if after != before:
            self.taken[feed] = after
            self._save(feed, "taken", after)

    def _save(self, feed: str, kind: str, lines: Lines) -> None:
        rows = sorted(f"{guid}\t{url}".rstrip() for guid, url in lines.items())
        self._write(self._folder / f"{feed}.{kind}", "".join(f"{row}\n" for row in rows).encode())


def _read(path: Path) -> Lines:
    """The lines of a list. Order does not matter, nor do empty lines."""
    try:
        rows = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return {}
    pairs = (row.partition("\t") for row in rows if not row.startswith(_CONFLICT))
    return {guid.strip(): url.strip() for guid, _, url in pairs if guid.strip()}
