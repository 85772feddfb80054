"""Values by key, kept in a store in parts that are read only when they are needed.

A large archive has many articles, but an update concerns few of them. So the values are stored in shards: those of one
day together, or those of keys with one hash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar
from zlib import crc32

import msgspec

from newsgen.store import LostError, Store

V = TypeVar("V")

PER_SHARD = 64
"""The values per shard of a `HashTable` after distribution. With four times as many, they are distributed again."""

State = tuple[list[int], int, int]
"""The shards of a table, their number and the number of values; the last two for a `HashTable` only."""

MANY = 50_000
"""From this number of values on, those that are not needed at once are kept encoded, to limit memory."""

_encode = msgspec.msgpack.Encoder().encode
_decode_shard = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


class Table(dict[str, V], Generic[V]):
    """Values by key. As a dict it holds the values that have been used; others are decoded when they are asked for.

    `shard_of` returns the shard of a key. Call `touch` after changing a value in place. A missing value is `default`;
    without a default it raises LostError.
    """

    def __init__(
        self, store: Store, name: str, kind: Any, shard_of: Callable[[str], int], *, default: V | None = None
    ) -> None:
        super().__init__()
        self._default = default
        self._store, self._name, self._shard_of = store, f"stories {name}", shard_of
        self._decode: Callable[[msgspec.Raw], V] = msgspec.msgpack.Decoder(kind).decode
        self._encoded: dict[int, dict[str, msgspec.Raw]] = {}
        # By shard, the keys of the values that have changed since they were encoded.
        self._touched: defaultdict[int, set[str]] = defaultdict(set)
        self._unsaved: set[int] = set()
        self._saved: set[int] = set()

    def __missing__(self, key: str) -> V:
        value = self._decoded(key)
        if value is None:
            value = self._default
            if value is None:
                raise LostError(f"{self._name}: {key}")
            dict.__setitem__(self, key, value)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        value = dict.get(self, key)
        if value is None:
            value = self._decoded(key)
        return default if value is None or value is self._default else value

    def _decoded(self, key: str) -> V | None:
        if not (self._saved or self._encoded):
            return None
        shard = self._shard_of(key)
        values = self._encoded.get(shard)
        if values is None:
            values = self._shard(shard)
        encoded = values.get(key)
        if encoded is None:
            return None
        try:
            value = self._decode(encoded)
        except msgspec.DecodeError:
            raise LostError(f"{self._name}: {key}") from None
        dict.__setitem__(self, key, value)
        return value

    def encoded(self, shard: int) -> Mapping[str, msgspec.Raw]:
        """The values of a shard as they are stored, to decode parts of them; those that the dict holds may be newer."""
        return self._shard(shard)

    def __contains__(self, key: object) -> bool:
        value: V | None = dict.get(self, str(key))
        if value is not None:
            return value is not self._default
        return bool(self._saved or self._encoded) and key in self._shard(self._shard_of(str(key)))

    def __setitem__(self, key: str, value: V) -> None:
        dict.__setitem__(self, key, value)
        self._touched[self._shard_of(key)].add(key)

    def touch(self, key: str) -> None:
        """Says that a value has changed."""
        self._touched[self._shard_of(key)].add(key)

    def discard(self, key: str) -> None:
        """Removes a value, if there is one."""
        dict.pop(self, key, None)
        shard = self._shard_of(key)
        self._touched[shard].discard(key)
        if (self._saved or self._encoded) and self._shard(shard).pop(key, None) is not None:
            self._unsaved.add(shard)

    def pack(self) -> None:
        """Encodes the changed values and forgets all that are decoded, to free memory."""
        self._encode_all()
        self.clear()

    def flush(self, shards: Collection[int]) -> None:
        """Puts what changed in some shards into the store, and forgets these shards, to free memory."""
        for shard in shards:
            self._encode_touched(shard)
            self._put(shard)
            for key in self._encoded.pop(shard, ()):
                dict.pop(self, key, None)

    def save(self) -> None:
        """Puts what changed into the store, and forgets everything, to free memory."""
        self._encode_all()
        for shard in list(self._unsaved):
            self._put(shard)
        self._encoded = {}
        self.clear()

    @property
    def state(self) -> State:
        """What `restore` needs. The owner keeps it, so that a lost shard differs from an empty one."""
        return sorted(self._saved), 1, 0

    def restore(self, state: State) -> None:
        """Continues from the values that are in the store."""
        self._saved = set(state[0])

    def loaded_shards(self) -> list[int]:
        """The shards in memory."""
        return list(self._encoded.keys() | self._touched.keys())

    def holding(self, shard: int, texts: Iterable[str]) -> Iterator[str]:
        """The keys of the values in a shard that may hold one of these short texts. Decodes nothing."""
        parts = [_encode(text) for text in texts]
        for key, encoded in self._shard(shard).items():
            data = bytes(encoded)
            if any(part in data for part in parts):
                yield key
        yield from self._touched.get(shard, ())

    def _shard(self, shard: int) -> dict[str, msgspec.Raw]:
        encoded = self._encoded.get(shard)
        if encoded is None:
            encoded = {}
            if shard in self._saved:
                try:
                    encoded = _decode_shard(self._store.need(f"{self._name} {shard}"))
                except msgspec.DecodeError:
                    raise LostError(f"{self._name} {shard}") from None
            self._encoded[shard] = encoded
        return encoded

    def _encode_all(self) -> None:
        """Encodes the values that have changed."""
        for shard in list(self._touched):
            self._encode_touched(shard)

    def _encode_touched(self, shard: int) -> None:
        """Encodes the values of a shard that have changed."""
        if keys := self._touched.pop(shard, None):
            encoded, value_of = self._shard(shard), partial(dict.__getitem__, self)
            for key in keys:
                encoded[key] = msgspec.Raw(_encode(value_of(key)))
            self._unsaved.add(shard)

    def _put(self, shard: int) -> None:
        if shard in self._unsaved:
            self._unsaved.remove(shard)
            encoded = self._shard(shard)
            self._store.put(f"{self._name} {shard}", _encode(encoded) if encoded else None)
            (self._saved.add if encoded else self._saved.discard)(shard)


class HashTable(Table[V]):
    """Values in shards by the hash of their key. The number of shards grows with that of the values."""

    def __init__(self, store: Store, name: str, kind: Any, *, default: V | None = None) -> None:
        super().__init__(store, name, kind, self._hash, default=default)
        self.divisor = 1
        self.count = 0

    def _hash(self, key: str) -> int:
        return crc32(key.encode()) % self.divisor if self.divisor > 1 else 0

    @property
    def state(self) -> State:
        return sorted(self._saved), self.divisor, self.count

    def restore(self, state: State) -> None:
        shards, self.divisor, self.count = state
        self._saved = set(shards)

    def __setitem__(self, key: str, value: V) -> None:
        if key not in self:
            self.count += 1
        super().__setitem__(key, value)

    def discard(self, key: str) -> None:
        if key in self:
            self.count -= 1
            super().discard(key)

    def save(self) -> None:
        if self.count > 4 * PER_SHARD * self.divisor:
            self._distribute()
        super().save()

    def _distribute(self) -> None:
        """Distributes all values over more shards."""
        self._encode_all()
        for shard in list(self._saved):
            self._shard(shard)
            self._store.put(f"{self._name} {shard}", None)
        old, self._encoded = self._encoded, {}
        self._saved = set()
        while PER_SHARD * self.divisor < self.count:
            self.divisor *= 2
        for values in old.values():
            for key, value in values.items():
                self._encoded.setdefault(self._hash(key), {})[key] = value
        self._unsaved = set(self._encoded)
