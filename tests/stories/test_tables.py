"""Tables keep the values of a dict, whatever is packed, flushed, saved or opened again in between."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from newsgen.store import LostError, Store
from newsgen.stories import tables
from newsgen.stories.tables import HashTable, Table

NOTHING: list[int] = []


def by_letter(store: Store) -> Table[list[int]]:
    return Table(store, "letters", list[int], lambda key: ord(key[0]), default=NOTHING)


def by_hash(store: Store) -> Table[list[int]]:
    return HashTable(store, "hashes", list[int], default=NOTHING)


@pytest.mark.parametrize("make", [by_letter, by_hash])
@pytest.mark.parametrize("seed", range(10))
def test_a_table_is_a_dict(
    make: Callable[[Store], Table[list[int]]], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "PER_SHARD", 2)
    monkeypatch.setattr(tables, "MANY", 8)
    rng, model, values = random.Random(seed), dict[str, list[int]](), dict[str, bytes]()

    def spill(name: str, value: bytes | None) -> None:
        values.pop(name, None)
        if value is not None:
            values[name] = value

    store = Store(values.get, spill)
    table = make(store)
    for _ in range(400):
        key = rng.choice("abcde") + rng.choice("uvwxyz")
        what = rng.randrange(12)
        if what < 4:
            table[key] = model[key] = [rng.randrange(9)]
        elif what < 6:
            table.discard(key)
            model.pop(key, None)
        elif what < 8 and key in model:
            table[key].append(1)
            table.touch(key)
            if table[key] is not model[key]:
                model[key] = [*model[key], 1]
        elif what == 8:
            table.pack()
        elif what == 9 and not isinstance(table, HashTable):
            table.flush(rng.sample(table.loaded_shards(), len(table.loaded_shards()) // 2))
        elif what == 10:
            table.save()
            state = table.state
            store.save()
            table = make(store)
            table.restore(state)
        assert (key in table) == (key in model)
        assert table.get(key) == model.get(key)
        assert table[key] == model.get(key, NOTHING)
        assert (key in table) == (key in model), "a default is no value"
        if isinstance(table, HashTable):
            assert table.count == len(model)
    assert {key: table[key] for key in model} == model
    assert set(table.holding(ord("a"), ["u"]) if make is by_letter else ()) <= model.keys()


def test_a_lost_shard_is_noticed() -> None:
    values: dict[str, bytes] = {}
    table: Table[list[int]] = Table(Store(values.get, values.__setitem__), "t", list[int], ord)
    for key in "ab":
        table[key] = [1]
    table.save()
    table._store.save()
    state = table.state
    del values["stories t 97"]
    again: Table[list[int]] = Table(Store(values.get), "t", list[int], ord)
    again.restore(state)
    assert again["b"] == [1]
    for key in ("a", "c"):
        with pytest.raises(LostError):
            again[key]
