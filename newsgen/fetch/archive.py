"""The content folder as a fetch sees it: which entries have files, and what becomes of the others.

An entry is known by its id within its feed, and across feeds by the canonical key of its address. Without either, its
provider, headline and day identify it, unless the headline recurs. What an editor changed or deleted stays as it is.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from newsgen import canonical, files, text, times
from newsgen.config import Config
from newsgen.fetch import articlefile
from newsgen.fetch.entry import Entry, Feed
from newsgen.fetch.index import Index, Known, headline, known
from newsgen.fetch.ledger import Ledger, Lines
from newsgen.fetch.subscriptions import FOLDER, TitleFilter
from newsgen.model import Subscription, Value

_FOLDERS = ("%Y/%m", "%Y/%m/%d", "%Y", "")
_MANY = 20
"""If so many fetched files are missing and none is there, a folder is missing: nothing was deleted."""

_OWN_GUID = "newsgen:"

_NEW = ".fetch.new"
"""Where a file is until it is whole. Builds and previews ignore names that begin with a dot."""


class Taken(msgspec.Struct, kw_only=True):
    """What became of the entries of a feed: the paths of files, below the content folder, and counts.

    `changed` files were edited by hand, and the publisher has changed their entries since. `joined` files of another
    feed got more topics from this one. `left_out` counts entries that are too old, or unwanted by title or blocklist.
    `gone` counts those whose files were deleted.
    """

    added: list[str] = []
    updated: list[str] = []
    joined: list[str] = []
    adopted: list[str] = []
    changed: list[str] = []
    left_out: int = 0
    gone: int = 0


class _Identity(Value, frozen=True, kw_only=True):
    guid: str
    keys: tuple[str, ...]
    headline: tuple[str, str, str] | None


class Archive:
    """The files of a site's content folder. `feeds` are the names of its subscriptions.

    With `dry_run`, nothing is written.
    """

    def __init__(
        self, site: Path, content: Path, config: Config, feeds: Iterable[str], *, dry_run: bool = False
    ) -> None:
        self._content, self._config, self._dry_run = content, config, dry_run
        # A feed whose file cannot be read now still has its articles.
        self._feeds = frozenset(
            [*feeds, *(p.stem for p in (content / FOLDER).rglob("*") if p.suffix.lower() in files.SUFFIXES)]
        )
        self._zone = config.zone
        self._index = Index(site, content, config)
        self._index.open()
        self._files: dict[str, Known] = {}
        self._by_guid: dict[tuple[str, str], str] = {}
        self._by_key: dict[str, str] = {}
        self._days: dict[tuple[str, str], dict[str, str]] = {}
        self._names: set[str] = set()
        for id, each in self._index.items():
            self._add(id, each)
        self._pattern = _pattern(self._files)
        blocked = tuple(map(config.platforms.key, config.block.providers))
        self._blocklist = canonical.Blocklist(blocked, config.block.urls, config.platforms.provider)
        self._ledger = Ledger(content / FOLDER, self._write)
        self.missing = 0
        self.deleted = self._note_deleted()

    def _add(self, id: str, each: Known) -> None:
        self._files[id] = each
        self._names.add(id.casefold())
        if each.feed and each.guid:
            self._by_guid.setdefault((each.feed, each.guid), id)
        for key in each.keys:
            self._by_key.setdefault(key, id)
        if each.headline[1]:
            self._days.setdefault(each.headline[:2], {}).setdefault(each.headline[2], id)

    def counts(self) -> Counter[str]:
        """The number of files of each feed."""
        return Counter(each.feed for each in self._files.values() if each.feed)

    # What was deleted

    def _note_deleted(self) -> int:
        """Lists the entries whose files were deleted, so that they do not come back. Returns their number.

        From now on, entries that have files are also known by the ids and addresses with which they were taken.
        """
        others: dict[str, Lines] = {}
        of_renamed = self._files_of_renamed_feeds()
        for feed, lines in self._ledger.taken.items():
            for guid, url in lines.items():
                id = self._by_guid.get((feed, guid)) or (None if url else of_renamed.get(guid))
                if id is None and (url or feed in self._feeds):  # a renamed feed has its files under the new name
                    others.setdefault(feed, {})[guid] = url
                elif id and not url:
                    self._by_guid[feed, guid] = id
                elif id and url and url != self._files[id].url:  # the publisher moved it
                    self._by_key.setdefault(canonical.key(url), id)
        lost: dict[str, Lines] = {}
        for feed, lines in others.items():
            for guid, url in lines.items():
                id = self._by_key.get(canonical.key(url)) if url else None
                if id is None:
                    lost.setdefault(feed, {})[guid] = url
                else:  # the file notes another feed
                    self._by_guid[feed, guid] = id
        deleted = {
            canonical.key(url) or f"{feed}\t{guid}" for feed, lines in lost.items() for guid, url in lines.items()
        }
        all_missing = len(deleted) >= _MANY and not any(each.feed for each in self._files.values())
        if all_missing or not self._index.complete:
            self.missing = len(deleted) if all_missing else 0
            return 0
        for feed, lines in lost.items():
            self._ledger.delete(feed, lines)
        return len(deleted)

    def _files_of_renamed_feeds(self) -> dict[str, str]:
        """The files that name a feed that no longer exists, by guid, if only one file has that guid."""
        rows = [(guid, id) for (feed, guid), id in self._by_guid.items() if feed not in self._feeds]
        counts = Counter(guid for guid, _ in rows)
        return {guid: id for guid, id in rows if counts[guid] == 1}

    # Entries

    def take(
        self,
        subscription: Subscription,
        feed: Feed,
        *,
        now: datetime,
        since: datetime | None = None,
        adopt: bool = False,
    ) -> Taken:
        """Writes what is new in a feed. Entries from before `since` get no files.

        With `adopt`, files that were changed by hand get what the publisher changed since. Raises OutputError.
        """
        taken = Taken()
        accepted = TitleFilter(subscription)
        titles = Counter(entry.title for entry in feed.entries if not entry.url)
        # Some feeds give all their entries one id.
        repeated = Counter(guid for guid, _ in {(entry.guid, entry.url or entry.title) for entry in feed.entries})
        identities = [self._identity(entry, subscription, titles, repeated) for entry in feed.entries]
        guids = {identity.guid for identity in identities}
        keys = {key for identity in identities for key in identity.keys}
        seen: set[str] = set()
        with_files: Lines = {}
        for entry, identity in zip(feed.entries, identities, strict=True):
            id = self._find(subscription.name, identity, entry, now, keys, seen)
            if id is not None:
                each = self._files[id]
                # The files of a renamed feed belong to the first feed that has the same entries.
                is_own = (each.feed not in self._feeds and each.guid == identity.guid) or (
                    each.feed == subscription.name and (each.guid == identity.guid or each.guid not in guids)
                )
                if each.feed and id not in seen:
                    self._follow(id, entry, identity, subscription, feed, taken, now=now, is_own=is_own, adopt=adopt)
                if is_own:
                    seen.add(id)
                with_files[identity.guid] = entry.url
                continue
            when = articlefile.usable_date(entry, now)
            if self._ledger.is_gone(subscription.name, identity.guid, identity.keys):
                taken.gone += 1
            elif (
                (since and when and when < since)
                or not accepted.accepts(entry.title)
                or not self._is_wanted(entry, subscription)
            ):
                taken.left_out += 1
            else:
                id = self._create(entry, identity, subscription, feed, now)
                seen.add(id)
                taken.added.append(id)
                with_files[identity.guid] = entry.url
        self._ledger.take(subscription.name, with_files)
        return taken

    def _is_wanted(self, entry: Entry, subscription: Subscription) -> bool:
        """Whether an entry can be an article, and may appear on the site."""
        if not text.printable(entry.title).strip():
            return False
        names = filter(None, (entry.url, entry.provider_url, subscription.provider))
        return not (self._blocklist and any(map(self._blocklist.has, names)))

    def _identity(
        self, entry: Entry, subscription: Subscription, titles: Counter[str], guids: Counter[str]
    ) -> _Identity:
        """What identifies an entry.

        `titles` counts the titles of entries without an address, and `guids` the different entries with each id.
        """
        urls = (entry.url, entry.guid if entry.guid_is_url else "")
        keys = tuple(dict.fromkeys(k for url in urls if (k := canonical.key(url)) and canonical.identifies_text(k)))
        guid = " ".join(text.printable(entry.guid).split()) if guids[entry.guid] == 1 else ""
        guid = guid or entry.url
        head = None
        if not entry.url:
            recurs = titles[entry.title] > 1
            day = entry.published.date().isoformat() if entry.published else ""
            if not guid:
                facts = [entry.title, day, entry.excerpt if recurs else ""]
                guid = _OWN_GUID + text.digest("\0".join(facts).encode())
            provider = self._config.platforms.provider(canonical.key(entry.provider_url)) or subscription.provider
            if provider and entry.published and not recurs:
                head = headline(provider, entry.title, entry.published.date())
        return _Identity(guid=guid, keys=keys, headline=head)

    def _find(
        self, feed: str, identity: _Identity, entry: Entry, now: datetime, keys: Collection[str], seen: Collection[str]
    ) -> str | None:
        """The id of an entry's file; None if it has none.

        `keys` are those of all entries of the feed. `seen` are the files of the entries before this one.
        """
        # The address comes first: an entry that moved to the address of another file must not make the two alike.
        found = next((self._by_key[key] for key in identity.keys if key in self._by_key), None)
        if found is None and identity.guid:
            found = self._by_guid.get((feed, identity.guid))
            # Some feeds number their entries from the top, so the file with this id may be that of another entry.
            if found and not self._is_same(found, identity, entry, now, keys, seen):
                found = None
        if found is None and identity.headline:
            days = self._days.get(identity.headline[:2], {})
            found = days.get(identity.headline[2]) if len(days) == 1 else None
        return found

    def _is_same(
        self, id: str, identity: _Identity, entry: Entry, now: datetime, keys: Collection[str], seen: Collection[str]
    ) -> bool:
        """Whether an entry with the id of a file is the same text, though it may have another address.

        If in doubt it is not: a second file is better than a lost text.
        """
        each = self._files[id]
        if not each.keys or not identity.keys or not {*each.keys}.isdisjoint(identity.keys):
            return True
        if id in seen or any(key in keys for key in each.keys):
            return False
        when = articlefile.usable_date(entry, now)
        if when and each.published and not each.undated and not each.all_day and not entry.all_day:
            return when == each.published
        try:
            before = articlefile.parsed((self._content / id).read_bytes()).get("title")
        except OSError:
            return True
        one, other = _trigrams(str(before)), _trigrams(articlefile.escaped(entry.title))
        return 5 * len(one & other) >= 4 * max(len(one), len(other))

    def _create(self, entry: Entry, identity: _Identity, subscription: Subscription, feed: Feed, now: datetime) -> str:
        row = articlefile.values(entry, subscription, feed.lang, self._config, now)
        undated = articlefile.usable_date(entry, now) is None
        row["fetched"] = articlefile.fetched(subscription.name, identity.guid, row, undated=undated)
        published = row["publishedDateTime"]
        day = times.local(published, self._zone).date() if isinstance(published, datetime) else published
        folder = self._pattern.replace("%Y", f"{day.year:04}").replace("%m", f"{day:%m}").replace("%d", f"{day:%d}")
        stem = f"{day.year:04}-{day:%m-%d}-{text.slug(entry.title)}"
        unique = identity.keys[0] if identity.keys else identity.guid
        names = (f"{folder}/{stem}{ending}.md".lstrip("/") for ending in _endings(unique))
        id = next(name for name in names if not self._is_taken(name))
        self._save(id, articlefile.render(row), row, entry)
        return id

    def _is_taken(self, id: str) -> bool:
        return id.casefold() in self._names or os.path.lexists(self._content / id)

    def _follow(
        self,
        id: str,
        entry: Entry,
        identity: _Identity,
        subscription: Subscription,
        feed: Feed,
        taken: Taken,
        *,
        now: datetime,
        is_own: bool,
        adopt: bool,
    ) -> None:
        """Brings the file of an entry up to date. Another feed with the same text only adds topics."""
        each = self._files[id]
        row = articlefile.values(entry, subscription, feed.lang, self._config, now)
        if not is_own:
            topics = articlefile.union((*each.topics, *row.get("topics", ())))
            if topics != list(each.topics) and not each.edited and self._rewrite(id, {"topics": topics}):
                taken.joined.append(id)
            return
        if not each.digest:
            return  # its front matter cannot be read
        # Some feeds give the same address other parameters each time.
        if each.url and canonical.key(row.get("webUrl", "")) in each.keys:
            row["webUrl"] = each.url
        undated = articlefile.usable_date(entry, now) is None
        # The first date stays, and with it the article's address: some feeds date all entries anew at each request.
        if each.published and (undated or not each.undated):
            row["publishedDateTime"] = each.published.date() if each.all_day else each.published
            undated = each.undated
        if topics := articlefile.union((*each.topics, *row.get("topics", ()))):
            row["topics"] = topics
        digest = articlefile.digest(row)
        if digest == each.digest or (each.edited and digest[: articlefile.HALF] == each.digest[: articlefile.HALF]):
            return
        if each.edited and not adopt:
            taken.changed.append(id)
        elif self._rewrite(
            id,
            row | {"fetched": articlefile.fetched(subscription.name, identity.guid, row, undated=undated)},
            adopt=adopt,
            entry=entry,
        ):
            (taken.adopted if each.edited else taken.updated).append(id)
        else:
            taken.changed.append(id)

    def _rewrite(self, id: str, row: dict[str, Any], *, adopt: bool = False, entry: Entry | None = None) -> bool:
        """Changes values in a file: all that a fetch writes or, without an entry, only those given.

        Returns False, and writes nothing, if that would undo what an editor did.
        """
        try:
            data = (self._content / id).read_bytes()
        except OSError:
            return False
        old, note = articlefile.parsed(data), self._files[id]
        if articlefile.digest(old) != note.digest and not adopt:
            return False  # edited since the run began
        if entry is None:
            row = old | row
            row["fetched"] = articlefile.fetched(note.feed, note.guid, row, undated=note.undated)
        names = (*articlefile.FIELDS, "fetched")
        values = {name: (old if name in articlefile.GIVEN else row).get(name) for name in names}
        row = {name: value for name, value in values.items() if value is not None}
        new = articlefile.updated(data, row, adopt=adopt)
        if new is None:
            return False
        self._save(id, new, row, entry)
        return True

    def _save(self, id: str, data: bytes, row: dict[str, Any], entry: Entry | None) -> None:
        self._write(self._content / id, data)
        each = known(row, None)
        if entry is not None and not entry.url:
            published = row["publishedDateTime"]
            day = published.astimezone(UTC).date() if isinstance(published, datetime) else published
            each = msgspec.structs.replace(
                each, headline=headline(row.get("provider", {}).get("domain", ""), entry.title, day)
            )
        self._index.put(id, data, each)
        self._add(id, each)

    def _write(self, path: Path, data: bytes) -> None:
        if not self._dry_run:
            files.write(path, data, _NEW)

    def save(self) -> str:
        """Keeps the index for the next run. Returns why that is not possible, "" on success."""
        return "" if self._dry_run else self._index.save()


def _trigrams(title: str) -> set[str]:
    title = " ".join(title.casefold().split())
    return {title[at : at + 3] for at in range(max(1, len(title) - 2))}


def _endings(unique: str) -> Iterator[str]:
    """What may follow the slug in a file's name, until no other file has it. `unique` identifies the text."""
    yield ""
    yield f"-{text.digest6(unique)}"
    yield from (f"-{text.digest6(f'{unique} {number}')}" for number in itertools.count(2))


def _pattern(ids: Iterable[str]) -> str:
    """The pattern of the folders that most files named by their date are in."""
    counts: Counter[str] = Counter()
    for id in ids:
        folder, _, name = id.rpartition("/")
        year, month, day = name[:4], name[5:7], name[8:10]
        for pattern in _FOLDERS:
            if folder == pattern.replace("%Y", year).replace("%m", month).replace("%d", day):
                counts[pattern] += 1
    return max(_FOLDERS, key=lambda pattern: counts[pattern])
