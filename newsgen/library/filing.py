"""Keeps the files of articles: which are published, their addresses, and what they mention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from newsgen.library.library import Library
from newsgen.library.records import Filed, Mention, Moment, count
from newsgen.model import Article
from newsgen.store import Rows

_encode = msgspec.msgpack.Encoder().encode


class Filing:
    """The files of one library."""

    def __init__(self, library: Library) -> None:
        self._library, self._store, self._facts = library, library.store, library.facts
        self._moments = Rows(library.store, "moments", Moment)

    def due(self) -> Iterator[str]:
        """The files that appear, expire or count as updated between the last update and now, in either direction."""
        now, then = self._library.now, self._facts.now
        if then is not None and then != now:
            first, last = min(now, then), max(now, then)
            for moment in self._moments.ascending((first, "")):
                if moment.at > last:
                    return
                yield moment.id

    def future(self) -> Iterator[str]:
        """The files with a moment after now."""
        now = self._library.now
        return (moment.id for moment in self._moments.ascending((now, "")) if moment.at > now)

    @property
    def next_due(self) -> datetime | None:
        """The next time at which `due` has an article."""
        now = self._library.now
        return next((m.at for m in self._moments.ascending((now, "")) if m.at > now), None)

    def count(self, id: str, article: Article | None, old: Filed | None, new: Filed | None) -> None:
        """Replaces a file in what is counted of files. `article` is as it is shown."""
        facts = self._facts
        for filed, sign in ((old, -1), (new, 1)):
            if filed:
                count(facts.gates, filed.gate, sign)
                facts.folded += sign * filed.folded
                for provider in filed.providers:
                    count(facts.closed, provider, sign)
        if old and old.story:
            facts.named[old.story].pop(id)
            if not facts.named[old.story]:
                del facts.named[old.story]
        for kept in (facts.expired, facts.aliases, facts.links, facts.pins):
            kept.pop(id, None)
        if article and new:
            if new.story:
                facts.named.setdefault(new.story, {})[id] = new.role == "shown"
            if new.role == "hidden":
                facts.expired[id] = None
            if new.role in ("shown", "hidden") and article.aliases:
                facts.aliases[id] = None
            if new.role == "shown":
                if article.links:
                    facts.links[id] = None
                if article.pin:
                    facts.pins[id] = article.pin

    def give_addresses(self, before: Mapping[str, Filed], files: dict[str, Filed]) -> dict[str, Filed]:
        """Gives each changed file an address. Returns all files that got another one, or are new.

        The earliest article with a permalink keeps it, and each of the others gets digits; see `urls.candidates`.
        """
        library = self._library
        wanted: dict[str, dict[str, datetime]] = {}
        changed: set[str] = set()

        def takers(address: str) -> dict[str, datetime]:
            if address not in wanted:
                wanted[address] = library.get(f"address {address}", dict[str, datetime], {})
            return wanted[address]

        def take(id: str, filed: Filed, address: str) -> None:
            takers(address)[id] = filed.published
            changed.add(address)

        def leave(id: str, address: str) -> None:
            if takers(address).pop(id, None):
                changed.add(address)

        out: dict[str, Filed] = {}
        for id, old in before.items():
            new = files.get(id)
            if new and (new.base, new.spare, new.published) == (old.base, old.spare, old.published):
                out[id] = msgspec.structs.replace(new, address=old.address)
            else:
                leave(id, old.base)
                leave(id, old.address)
        for id, new in files.items():
            if id not in out:
                out[id] = new
                take(id, new, new.base)
        queue = sorted(changed)
        while queue:
            address = queue.pop()
            is_free = True
            by_age = sorted(takers(address).items(), key=lambda taker: (taker[1], taker[0]))
            for id, _ in by_age:
                filed = out.get(id) or library.filed(id)
                if filed is None or filed.base != address:
                    is_free = False  # with its digits, an article has what is the permalink of another
                    continue
                chosen = address if is_free else filed.spare
                is_free = False
                if filed.address == chosen:
                    continue
                changed.clear()
                if filed.address == filed.spare != filed.base:
                    leave(id, filed.spare)
                elif chosen == filed.spare:
                    take(id, filed, filed.spare)
                queue += changed - {address}
                out[id] = msgspec.structs.replace(filed, address=chosen)
        for address, ids in wanted.items():
            self._store.put(f"address {address}", _encode(ids) if ids else None)
        for id in files:
            files[id] = out.pop(id)
        return out

    def put(self, files: Mapping[str, Filed], gone: Iterable[str]) -> None:
        """Keeps files, with their moments and what they mention. `write` stores them."""
        filed_of = self._library.filed
        moments: tuple[list[Any], list[Moment]] = [], []
        mentions: tuple[list[Any], list[Mention]] = [], []
        for id in (*files, *gone):
            old, new = filed_of(id), files.get(id)
            if old:
                moments[0].extend((at, id) for at in old.moments)
                mentions[0].extend((*mention, id) for mention in old.mentions)
            if new:
                moments[1].extend({at: Moment(at=at, id=id) for at in new.moments}.values())
                mentions[1].extend(Mention(kind=k, name=n, id=id) for k, n in dict.fromkeys(new.mentions))
        self._moments.edit(*moments)
        self._library.mentioned.edit(*mentions)
        self._library.refiled.update(files)
        self._library.refiled.update(dict.fromkeys(gone))

    def write(self) -> None:
        """Stores the files that the update changed."""
        library = self._library
        for id, filed in library.refiled.items():
            self._store.put(f"file {id}", _encode(filed) if filed else None)
        library.refiled = {}
        library.stored_file.cache_clear()

    def save(self) -> None:
        """Puts everything that changed into the store."""
        self._moments.save()
        self._library.mentioned.save()
