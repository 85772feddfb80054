"""What a build keeps for the next one: named values, and sorted rows of which only the part that is used is loaded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

Fetch = Callable[[str], bytes | None]
"""Returns the value with a name, or None if it is missing or damaged."""


class LostError(Exception):
    """A value that must be there is missing or damaged: what depends on it has to be made again from nothing."""


MAX_BYTES = 24 << 20
"""The bytes of changed values that a store keeps in memory."""

LOADED = 1 << 17
"""The rows of a store that stay decoded without having changed: enough for a chunk of each section."""


class Store:
    """Named values: those that an earlier build saved, and over them those that this one puts or removes.

    With `spill`, the function that saves a value, changes are saved in between when they take much memory, so that
    `fetch` must find them; the rest when the owner of the store calls `save`. Without, nothing is saved. A store that
    `is_new` has no values of an earlier build.
    """

    def __init__(
        self,
        fetch: Fetch = lambda _: None,
        spill: Callable[[str, bytes | None], None] | None = None,
        *,
        is_new: bool = False,
    ) -> None:
        self._fetch, self._spill, self._is_new = fetch, spill, is_new
        self._changed: dict[str, bytes | None] = {}
        self._spilled: set[str] = set()  # the first words of names
        self._size = self._loaded = 0
        self._loaders: set[Rows[Any]] = set()

    def get(self, name: str) -> bytes | None:
        """The value with a name, or None."""
        if name in self._changed:
            return self._changed[name]
        # Most of what a first build asks for does not exist yet.
        return None if self._is_new and name.partition(" ")[0] not in self._spilled else self._fetch(name)

    def need(self, name: str) -> bytes:
        """The value with a name. Raises LostError if there is none."""
        value = self.get(name)
        if value is None:
            raise LostError(name)
        return value

    def put(self, name: str, value: bytes | None) -> None:
        """Sets a value, or removes it (None)."""
        self._changed[name] = value
        self._size += len(name) + len(value or b"")
        if self._size > MAX_BYTES and self._spill:
            self.save()

    def note_loaded(self, rows: Rows[Any], count: int) -> None:
        """Notes that rows stay decoded. If there are too many, all that have not changed are forgotten."""
        self._loaded += count
        if self._loaded > LOADED:
            loaders, self._loaders, self._loaded = list(self._loaders), set(), count
            for each in loaders:
                each.forget()
        self._loaders.add(rows)

    def save(self) -> None:
        """Saves what was put."""
        if self._spill:
            for name in sorted(self._changed):
                self._spill(name, self._changed[name])
                self._spilled.add(name.partition(" ")[0])
            self._changed, self._size = {}, 0


class StoredRow(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """The base of rows. They are sorted by their `key`, and `Rows.best` ranks them by their `score`."""

    @property
    def key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    @property
    def score(self) -> float:
        return 0.0


R = TypeVar("R", bound=StoredRow)

CHUNK = 256
"""The rows of a chunk, if the owner of the rows names no other number; a chunk of more than twice as many is split."""


class _Head(msgspec.Struct, array_like=True):
    """A chunk of rows: the number under which it is stored, its first key, its length and its highest score."""

    number: int
    first: Any
    count: int
    best: float


class _Heads(msgspec.Struct, array_like=True):
    next: int = 0
    heads: list[_Head] = []


_encode = msgspec.msgpack.Encoder().encode


class Rows(Generic[R]):
    """Rows of a store, sorted by their `key`. They are kept in chunks; `save` puts those that changed.

    All methods raise LostError if a chunk is missing.
    """

    def __init__(self, store: Store, name: str, row: type[R], chunk: int = CHUNK) -> None:
        self._store, self._name, self._size = store, name, chunk
        self._decode = _decoder(list[row])  # type: ignore[valid-type]
        saved = store.get(name)
        self._numbers, self._heads = 0, list[_Head]()
        if saved:
            try:
                heads = _decoder(_Heads)(saved)
                self._numbers, self._heads = heads.next, heads.heads
                for head in self._heads:
                    head.first = tuple(head.first)
            except (msgspec.MsgspecError, TypeError):
                raise LostError(name) from None
        self._chunks: dict[int, list[R]] = {}
        self._keys: dict[int, list[Any]] = {}
        self._changed: set[int] = set()
        self._is_changed = False
        self._index()

    def _index(self) -> None:
        self._firsts = [head.first for head in self._heads]
        self._starts = []
        total = 0
        for head in self._heads:
            self._starts.append(total)
            total += head.count
        self._count = total

    def __len__(self) -> int:
        return self._count

    def _chunk(self, at: int) -> list[R]:
        head = self._heads[at]
        chunk = self._chunks.get(head.number)
        if chunk is None:
            try:
                chunk = self._decode(self._store.need(f"{self._name} {head.number}"))
            except msgspec.MsgspecError:
                raise LostError(self._name) from None
            if len(chunk) != head.count:
                raise LostError(self._name)
            self._store.note_loaded(self, len(chunk))
            self._chunks[head.number] = chunk
        return chunk

    def forget(self) -> None:
        """Forgets the rows that have not changed, to free memory."""
        self._chunks = {number: self._chunks[number] for number in self._changed}
        self._keys = {}

    def _chunk_keys(self, at: int) -> list[Any]:
        number = self._heads[at].number
        keys = self._keys.get(number)
        if keys is None:
            keys = self._keys[number] = [row.key for row in self._chunk(at)]
        return keys

    def get(self, key: Any) -> R | None:
        """The row with a key."""
        at = bisect_right(self._firsts, key) - 1
        if at < 0:
            return None
        keys = self._chunk_keys(at)
        place = bisect_left(keys, key)
        return self._chunk(at)[place] if place < len(keys) and keys[place] == key else None

    def position(self, key: Any) -> int:
        """The number of rows whose key is lower."""
        at = bisect_right(self._firsts, key) - 1
        return self._starts[at] + bisect_left(self._chunk_keys(at), key) if at >= 0 else 0

    def at(self, start: int, stop: int) -> list[R]:
        """The rows at these positions, by ascending key."""
        found: list[R] = []
        first = max(0, bisect_right(self._starts, start) - 1)
        for at in range(first, len(self._heads)):
            if self._starts[at] >= stop:
                break
            found += self._chunk(at)[max(0, start - self._starts[at]) : stop - self._starts[at]]
        return found

    def ascending(self, key: Any = None) -> Iterator[R]:
        """The rows from a key on, or all."""
        first = max(0, bisect_right(self._firsts, key) - 1) if key is not None else 0
        for at, chunk in self._scan(range(first, len(self._heads))):
            yield from chunk[bisect_left(self._chunk_keys(at), key) :] if key is not None and at == first else chunk

    def descending(self, key: Any = None) -> Iterator[R]:
        """The rows below a key, or all, the highest key first."""
        last = bisect_right(self._firsts, key) - 1 if key is not None else len(self._heads) - 1
        for at, chunk in self._scan(range(last, -1, -1)):
            is_cut = key is not None and at == last
            yield from reversed(chunk[: bisect_left(self._chunk_keys(at), key)] if is_cut else chunk)

    def _scan(self, places: Iterable[int]) -> Iterator[tuple[int, list[R]]]:
        """Chunks, one after the other. Those that are loaded for it are forgotten when the next one is asked for."""
        for at in places:
            number = self._heads[at].number
            was_loaded = number in self._chunks
            yield at, self._chunk(at)
            if not was_loaded and number not in self._changed:
                self._chunks.pop(number, None)
                self._keys.pop(number, None)

    def best(self, item: Callable[[R], str], start: int = 0, stop: int | None = None) -> Iterator[tuple[float, str]]:
        """The items of the rows at these positions, or of all, each with its score: the highest score first, and of
        equal ones the highest name. A chunk is loaded when it may have the next one.

        `item` names what a row belongs to. All rows of an item have the same score.
        """
        stop = self._count if stop is None else stop
        first, last = max(0, bisect_right(self._starts, start) - 1), bisect_left(self._starts, stop)
        order = sorted(range(first, last), key=lambda at: self._heads[at].best)
        seen: set[str] = set()
        waiting: list[tuple[float, str]] = []
        while order:
            at = order.pop()
            own = self._starts[at]
            for row in self._chunk(at)[max(0, start - own) : stop - own]:
                if (name := item(row)) not in seen:
                    seen.add(name)
                    waiting.append((row.score, name))
            waiting.sort()
            others = self._heads[order[-1]].best if order else -float("inf")
            while waiting and (not order or waiting[-1][0] > others):
                yield waiting.pop()

    def edit(self, removed: Collection[Any], added: Iterable[R]) -> None:
        """Removes rows by their keys, then adds others."""
        touched: dict[int, tuple[set[Any], list[R]]] = {}
        for key in removed:
            touched.setdefault(max(0, bisect_right(self._firsts, key) - 1), (set(), []))[0].add(key)
        for row in added:
            touched.setdefault(max(0, bisect_right(self._firsts, row.key) - 1), (set(), []))[1].append(row)
        if not touched:
            return
        self._is_changed = True
        heads: list[_Head] = []
        done = 0
        for at, (gone, new) in sorted(touched.items()):
            heads += self._heads[done:at]
            done = at + 1
            old = self._chunk(at) if at < len(self._heads) else []
            rows = sorted([row for row in old if row.key not in gone] + new, key=_key)
            if at < len(self._heads):
                self._drop(self._heads[at].number)
            size = self._size if len(rows) > 2 * self._size else max(len(rows), 1)
            for start in range(0, len(rows), size):
                heads.append(self._new_chunk(rows[start : start + size]))
        self._heads = heads + self._heads[done:]
        self._index()

    def _new_chunk(self, rows: list[R]) -> _Head:
        number, self._numbers = self._numbers, self._numbers + 1
        self._chunks[number] = rows
        self._changed.add(number)
        return _Head(number, rows[0].key, len(rows), max(row.score for row in rows))

    def _drop(self, number: int) -> None:
        self._chunks.pop(number, None)
        self._keys.pop(number, None)
        if number in self._changed:
            self._changed.discard(number)
        else:
            self._store.put(f"{self._name} {number}", None)

    def save(self) -> None:
        """Puts what changed into the store."""
        if not self._is_changed:
            return
        count = 0
        for number in self._changed:
            self._store.put(f"{self._name} {number}", _encode(self._chunks[number]))
            count += len(self._chunks[number])
        self._store.put(self._name, _encode(_Heads(self._numbers, self._heads)) if self._heads else None)
        self._changed, self._is_changed = set(), False
        self._store.note_loaded(self, count)


def _key(row: Any) -> Any:
    return row.key


_decoders: dict[Any, Callable[[bytes], Any]] = {}


def _decoder(type: Any) -> Callable[[bytes], Any]:
    if type not in _decoders:
        _decoders[type] = msgspec.msgpack.Decoder(type).decode
    return _decoders[type]
