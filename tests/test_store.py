"""Named values, and sorted rows that are kept in chunks."""

from __future__ import annotations

import random
from bisect import bisect_left

import pytest

from newsgen import store
from newsgen.store import LostError, Rows, Store, StoredRow


class Score(StoredRow, frozen=True):
    at: int
    name: str
    points: float = 0.0

    @property
    def key(self) -> tuple[int, str]:
        return self.at, self.name

    @property
    def score(self) -> float:
        return self.points


class Saved:
    """A store whose values outlive it. `asked` are the names that were fetched."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.asked: list[str] = []

    def fetch(self, name: str) -> bytes | None:
        self.asked.append(name)
        return self.values.get(name)

    def spill(self, name: str, value: bytes | None) -> None:
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value

    def open(self, *, is_new: bool = False) -> Store:
        return Store(self.fetch, self.spill, is_new=is_new)


def test_a_new_store_asks_only_for_values_that_it_has_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_BYTES", 20)
    saved = Saved()
    saved.values["row old"] = b"from an earlier build"
    new = saved.open(is_new=True)
    assert new.get("row old") is None
    assert saved.asked == []
    new.put("file a", b"A" * 30)
    new.put("file b", b"B")
    assert saved.values["file a"] == b"A" * 30, "it was spilled"
    assert (new.get("file a"), new.get("file b"), new.get("file c")) == (b"A" * 30, b"B", None)
    assert new.get("row old") is None
    new.put("file a", None)
    assert new.get("file a") is None
    with pytest.raises(LostError):
        new.need("file a")
    new.save()
    assert saved.values == {"row old": b"from an earlier build", "file b": b"B"}
    assert saved.open().get("row old") == b"from an earlier build"


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_those_of_a_sorted_list(seed: int) -> None:
    rng, saved, model = random.Random(seed), Saved(), dict[tuple[int, str], Score]()
    chunk = rng.choice((1, 3, 8))
    for _ in range(25):
        rows = Rows(saved.open(), "rows", Score, chunk)
        for _ in range(rng.randrange(3)):
            removed = rng.sample(sorted(model), min(len(model), rng.randrange(6)))
            added = [
                Score(at=rng.randrange(9), name=rng.choice("abcdef"), points=rng.choice((0.5, rng.random())))
                for _ in range(4)
            ]
            added = [row for row in {row.key: row for row in added}.values() if row.key not in model]
            rows.edit(removed, added)
            for key in removed:
                del model[key]
            model |= {row.key: row for row in added}
        expected = [model[key] for key in sorted(model)]
        keys = [row.key for row in expected]
        assert list(rows.ascending()) == expected
        assert list(rows.descending()) == expected[::-1]
        assert len(rows) == len(expected)
        for key in [(at, name) for at in range(10) for name in "adg"]:
            place = bisect_left(keys, key)
            assert rows.get(key) == model.get(key)
            assert rows.position(key) == place
            assert list(rows.ascending(key)) == expected[place:]
            assert list(rows.descending(key)) == expected[:place][::-1]
            assert rows.at(place, place + 3) == expected[place : place + 3]
        for span in ((0, None), (0, 0), (1, 2), (3, 9), (len(expected) - 2, len(expected)), (9, 5)):
            best = sorted(((row.points, repr(row.key)) for row in expected[slice(*span)]), reverse=True)
            assert [*rows.best(lambda row: repr(row.key), *span)] == best
        rows.save()
        rows._store.save()
        assert len(saved.values) <= 1 + len(model), "no chunk is left behind"


def test_the_best_rows_are_found_without_the_others() -> None:
    saved = Saved()
    rows = Rows(saved.open(), "rows", Score, 2)
    rows.edit((), [Score(at=n, name="a", points=n * 7 % 40) for n in range(40)])
    rows.save()
    rows._store.save()
    found = Rows(saved.open(), "rows", Score, 2).best(lambda row: str(row.at), 9, 31)
    saved.asked.clear()
    assert next(found) == (39.0, "17")
    assert len(saved.asked) == 1


def test_rows_that_have_not_changed_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOADED", 6)
    saved = Saved()
    one = saved.open()
    rows, others = Rows(one, "rows", Score, 2), Rows(one, "others", Score, 2)
    for each in (rows, others):
        each.edit((), [Score(at=n, name="a") for n in range(20)])
        each.save()
    one.save()
    rows.edit([(3, "a")], [Score(at=3, name="b")])
    for each in (rows, others):
        saved.asked.clear()
        assert [row.at for row in each.ascending()] == [*range(20)]
        assert len(saved.asked) >= 8
    assert len(rows._chunks) <= 2, "the one that has changed, and one more"
    assert len(others._chunks) <= 4
    rows.save()
    assert rows.get((3, "b")) == Score(at=3, name="b")
    assert rows.get((3, "a")) is None


def test_a_lost_or_damaged_chunk_is_noticed() -> None:
    saved = Saved()
    rows = Rows(saved.open(), "rows", Score, 2)
    rows.edit((), [Score(at=n, name="a") for n in range(9)])
    rows.save()
    rows._store.save()
    chunks = [name for name in saved.values if name != "rows"]
    for name, damaged in ((chunks[1], None), (chunks[1], b"\xc1"), (chunks[1], b"\x90"), ("rows", b"\xc1")):
        kept = dict(saved.values)
        saved.spill(name, damaged)
        with pytest.raises(LostError):
            list(Rows(saved.open(), "rows", Score, 2).ascending())
        saved.values = kept
    assert len(list(Rows(saved.open(), "rows", Score, 2).ascending())) == 9
