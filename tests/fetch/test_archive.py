"""What becomes of entries: new files, files that follow their publisher, and files that editors changed, moved or deleted."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sites import Site

from newsgen import config
from newsgen.fetch.archive import Archive, Taken
from newsgen.fetch.entry import Entry, Feed
from newsgen.model import Subscription

Make = Callable[..., Site]
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def subscription(name: str = "a", **chosen: Any) -> Subscription:
    return Subscription(id=f"_feeds/{name}.md", name=name, url=f"https://{name}.example/feed", **chosen)


def entry(number: int = 1, **chosen: Any) -> Entry:
    usual = {
        "guid": f"id-{number}", "url": f"https://post.example/{number}", "title": f"Article number {number}",
        "published": NOW - timedelta(hours=number),
    }  # fmt: skip
    return Entry(**{**usual, **chosen})


def take(s: Site, *entries: Entry, feed: Subscription | None = None, dry_run: bool = False, **chosen: Any) -> Taken:
    """Takes the entries of a feed, as one fetch does."""
    feeds = chosen.pop("feeds", ["a", "b", "c", "d", "f0", "f1"])
    archive = Archive(s.root, s.root / "content", config.load(s.root / "site.toml"), feeds, dry_run=dry_run)
    taken = archive.take(feed or subscription(), Feed(entries=entries), **{"now": NOW, **chosen})
    assert archive.save() == ""
    return taken


def names(s: Site) -> list[str]:
    content = s.root / "content"
    return sorted(
        p.relative_to(content).as_posix() for p in content.rglob("*") if p.is_file() and "_feeds" not in p.parts
    )


def text(s: Site, id: str) -> str:
    return (s.root / "content" / id).read_text(encoding="utf-8")


FIRST = "2026/11/2026-11-28-article-number-1.md"


def test_a_new_entry_becomes_a_file_that_builds(site: Make) -> None:
    s = site()
    assert take(s, entry(1), entry(2)).added == [FIRST, "2026/11/2026-11-28-article-number-2.md"]
    again = take(s, entry(1), entry(2))
    assert again == Taken()
    assert names(s) == [FIRST, "2026/11/2026-11-28-article-number-2.md"]
    report = s.good()
    assert (report.articles, report.warnings) == (2, [])


def test_a_dry_run_writes_nothing(site: Make) -> None:
    s = site()
    assert take(s, entry(1), dry_run=True).added == [FIRST]
    assert names(s) == []
    assert not (s.root / ".newsgen").exists()


def test_files_are_put_where_the_sites_files_are(site: Make) -> None:
    s = site().article("2026/11/07/2026-11-07-x").article("2026/11/08/2026-11-08-y").article("2026/11/2026-11-08-z")
    assert take(s, entry(1)).added == ["2026/11/28/2026-11-28-article-number-1.md"]


def test_the_day_in_a_name_is_that_of_the_site(site: Make) -> None:
    s = site().write("site.toml", 'timezone = "Asia/Tokyo"\n')
    assert take(s, entry(1, published=datetime(2026, 11, 27, 20, tzinfo=UTC))).added == [FIRST]


def test_names_that_would_be_the_same_end_in_digits_that_depend_on_the_text_only(site: Make) -> None:
    s = site()
    found = take(s, *(entry(n, title="Same!") for n in (1, 2, 3))).added
    assert len({*found}) == 3
    assert found[0] == "2026/11/2026-11-28-same.md"
    t = site(name="other").write("content/2026/11/2026-11-28-same.md", "mine")
    assert take(t, *(entry(n, title="Same!") for n in (2, 3))).added == found[1:]
    assert text(t, "2026/11/2026-11-28-same.md") == "mine"


# Which entries are one


def test_one_text_in_several_feeds_is_one_file_with_the_topics_of_all(site: Make) -> None:
    s = site()
    take(s, entry(1, topics=("Harbour",)))
    taken = take(s, entry(1, guid="other", url="http://www.post.example/1/?utm_source=b", title="Other title", topics=("harbour", "Sea")),
                 feed=subscription("b", topics=("Boats",)))  # fmt: skip
    assert taken.joined == [FIRST]
    assert names(s) == [FIRST]
    assert '  - "Harbour"\n  - "Boats"\n  - "Sea"\n' in text(s, FIRST)
    assert 'title: "Article number 1"' in text(s, FIRST)
    assert take(s, entry(1, topics=("Harbour",))) == Taken()
    assert take(s, entry(1, guid="other", topics=("Sea",)), feed=subscription("b")) == Taken()
    s.good()


def test_an_id_counts_within_its_feed_and_across_feeds_only_as_an_address(site: Make) -> None:
    s = site()
    take(s, entry(1, url="https://post.example/a"))
    assert take(s, entry(1, url="https://post.example/b")).added == []
    assert len(take(s, entry(1, url="https://post.example/c"), feed=subscription("b")).added) == 1
    url = "https://post.example/?p=9"
    take(s, entry(2, guid=url, guid_is_url=True, url=""), feed=subscription("c"))
    assert take(s, entry(2, guid="x", url=url), feed=subscription("d")).added == []


def test_an_address_that_an_editors_own_file_has_is_taken(site: Make) -> None:
    s = site().article("mine", webUrl="https://www.post.example/1?utm_source=x")
    before = text(s, "mine.md")
    assert take(s, entry(1, topics=("X",))) == Taken()
    assert text(s, "mine.md") == before
    t = site(name="hugo").write(
        "content/mine.md", "---\ntitle: x\ndate: 2026-11-08\nlink: https://post.example/1\n---\n"
    )
    assert take(t, entry(1)) == Taken()


def test_a_front_page_is_no_text(site: Make) -> None:
    found = take(site(), *(entry(n, url="https://post.example/") for n in (1, 2)))
    assert len(found.added) == 2


def test_feeds_that_give_all_entries_one_id_lose_none(site: Make) -> None:
    s = site()
    entries = [entry(n, guid="1") for n in (1, 2, 3)]
    assert len(take(s, *entries).added) == 3
    assert take(s, *entries) == Taken()


def test_feeds_that_number_their_entries_from_the_top_lose_none(site: Make) -> None:
    s = site()
    titles = ["Ferry fares rise", "A new bridge", "Storm warning", "Council votes", "Bakery closed", "Fish are back"]
    for top in range(2, 6):
        take(s, *(entry(at, url=f"https://post.example/{top - at}", title=titles[top - at]) for at in range(3)))
    assert {a.title: a.url for a in s.load().articles()} == {
        title: f"https://post.example/{at}" for at, title in enumerate(titles)
    }


@pytest.mark.parametrize(
    ("old", "new"), [("Fish are back", "Fish are back in the harbour"), ("港口票价上涨", "港口票价上涨十分之一")]
)
def test_a_text_may_get_another_address_and_a_title_that_is_alike(site: Make, old: str, new: str) -> None:
    s = site()
    take(s, entry(1, title=old))
    assert len(take(s, entry(1, title=new, url="https://post.example/better")).updated) == 1
    assert len(names(s)) == 1


def test_entries_without_address_and_id_are_known_by_headline_and_day(site: Make) -> None:
    s = site()
    feed = subscription(provider="post.example")
    one = entry(1, guid="", url="")
    assert len(take(s, one, feed=feed).added) == 1
    assert take(s, one, feed=feed) == Taken()
    other = subscription("b", provider="post.example")
    assert take(s, one, feed=other).added == []
    assert len(take(s, replace(one, published=NOW - timedelta(days=3)), feed=feed).added) == 1
    # Now the headline recurs.
    assert len(take(s, replace(one, excerpt="New."), feed=subscription("c", provider="post.example")).added) == 1


def test_recurring_headlines_in_one_feed_are_told_apart(site: Make) -> None:
    s = site()
    rows = [entry(1, guid="", url="", title="Weather", excerpt=words) for words in ("Rain", "Sun", "Rain")]
    assert len(take(s, *rows).added) == 2
    assert take(s, *rows) == Taken()


# Changes


def test_an_untouched_file_follows_the_publisher_and_keeps_what_was_added(site: Make) -> None:
    s = site()
    take(s, entry(1, topics=("X",)))
    s.edit(f"content/{FIRST}", "webUrl:", "heat: 5 # hot\nwebUrl:")
    taken = take(s, entry(1, title="New title", topics=("Y",), updated=NOW))
    assert taken.updated == [FIRST]
    assert 'title: "New title"\n' in text(s, FIRST)
    assert "heat: 5 # hot\n" in text(s, FIRST)
    assert '  - "X"\n  - "Y"\n' in text(s, FIRST)
    assert take(s, entry(1, title="New title", topics=("Y",), updated=NOW)) == Taken()
    s.good()


def test_a_new_time_of_update_alone_changes_nothing(site: Make) -> None:
    s = site()
    take(s, entry(1))
    assert take(s, entry(1, updated=NOW)) == Taken()


@pytest.mark.parametrize(
    ("old", "new"),
    [('title: "Article number 1"', "title: Mine"), ("topics:", "topics: []\nx_topics:"), ('  domain: "post.example"', '  domain: "a.example"'),
     ("publishedDateTime: 2026-11-28T11", "publishedDateTime: 2026-11-28T10")],
)  # fmt: skip
def test_a_file_that_was_changed_by_hand_is_listed_and_adopted_on_demand(site: Make, old: str, new: str) -> None:
    s = site()
    take(s, entry(1, topics=("X",)))
    s.edit(f"content/{FIRST}", old, new)
    before = text(s, FIRST)
    assert take(s, entry(1, topics=("X", "Z"))) == Taken()  # the publisher changed nothing that is listed
    assert take(s, entry(1, topics=("Y",)), feed=subscription("b")) == Taken()
    changed = entry(1, topics=("X",), excerpt="New.")
    assert take(s, changed).changed == [FIRST]
    assert take(s, changed).changed == [FIRST]
    assert text(s, FIRST) == before
    assert take(s, changed, adopt=True).adopted == [FIRST]
    assert 'title: "Article number 1"\nexcerpt: "New."\n' in text(s, FIRST)
    assert take(s, changed) == Taken()
    assert take(s, entry(1, topics=("X",), excerpt="Newer.")).updated == [FIRST]
    assert not s.load().report.problems


def test_what_ranks_and_sorts_a_file_is_the_editors_from_the_start(site: Make) -> None:
    s = site()
    take(s, entry(1), feed=subscription(category="news", lang="de"))
    s.edit(f"content/{FIRST}", 'category: "news"\nlang: "de"\n', "category: sport\nquality: 80\n")
    taken = take(s, entry(1, title="New"), feed=subscription(category="world", lang="fr", quality=5))
    assert taken.updated == [FIRST]
    assert "category: sport\nquality: 80\n" in text(s, FIRST)
    assert 'title: "New"\n' in text(s, FIRST)
    assert "lang" not in text(s, FIRST)


def test_another_spelling_of_the_same_values_is_an_edit_too(site: Make) -> None:
    s = site()
    take(s, entry(1))
    s.edit(f"content/{FIRST}", 'title: "Article number 1"', "title: Article number 1   # fine")
    assert take(s, entry(1, title="New")).changed == [FIRST]
    assert "title: Article number 1   # fine" in text(s, FIRST)


def test_a_file_with_a_slip_of_the_pen_is_neither_lost_nor_written_again(site: Make) -> None:
    s = site()
    take(s, entry(1))
    s.edit(f"content/{FIRST}", "publishedDateTime:", "heat: [\npublishedDateTime:")
    before = text(s, FIRST)
    for _ in range(2):
        assert take(s, entry(1, title="New")) in (Taken(), Taken(changed=[FIRST]))
        (s.root / ".newsgen/archive.db").unlink()  # not even without the index
    assert take(s, entry(1, title="New"), adopt=True).added == []
    assert names(s) == [FIRST]
    assert text(s, FIRST) == before
    s.edit(f"content/{FIRST}", "heat: [\n", "")
    assert take(s, entry(1, title="New")).updated == [FIRST]


def test_an_entry_without_a_date_keeps_the_time_of_first_sight(site: Make) -> None:
    s = site()
    (id,) = take(s, entry(1, published=None)).added
    assert "publishedDateTime: 2026-11-28T12:00:00Z\n" in text(s, id)
    assert "  undated: true\n" in text(s, id)
    later = NOW + timedelta(days=2)
    assert take(s, entry(1, published=None), now=later) == Taken()
    assert take(s, entry(1, published=later + timedelta(days=5)), now=later) == Taken()
    assert take(s, entry(1, published=None, title="New"), now=later).updated == [id]
    assert "publishedDateTime: 2026-11-28T12:00:00Z\n" in text(s, id)
    assert take(s, entry(1, title="New"), now=later).updated == [id]
    assert "publishedDateTime: 2026-11-28T11:00:00Z\n" in text(s, id)
    assert "undated" not in text(s, id)
    # A date that is gone again stays.
    assert take(s, entry(1, title="New", published=None), now=later) == Taken()
    assert s.good().articles == 1


def test_a_day_without_a_time_stays_a_day(site: Make) -> None:
    s = site()
    day = entry(1, published=datetime(2026, 11, 27, tzinfo=UTC), all_day=True)
    (id,) = take(s, day).added
    assert "publishedDateTime: 2026-11-27\n" in text(s, id)
    assert take(s, day) == Taken()
    assert take(s, entry(1, published=None)) == Taken()


# Deleted and moved files


def test_a_deleted_file_does_not_come_back(site: Make) -> None:
    s = site().write("content/_feeds/a.md", "---\nurl: https://a.example/feed\n---\n")
    take(s, entry(1), entry(2))
    (s.root / "content" / FIRST).unlink()
    taken = take(s, entry(1), entry(2))
    assert (taken.added, taken.gone) == ([], 1)
    gone = s.root / "content/_feeds/a.gone"
    assert gone.read_text() == "id-1\thttps://post.example/1\n"
    assert (s.root / "content/_feeds/a.taken").read_text() == "id-2\thttps://post.example/2\n"
    # Not through another feed, not with another id, not without the index.
    assert take(s, entry(1), feed=subscription("b")).gone == 1
    (s.root / ".newsgen/archive.db").unlink()
    assert take(s, entry(1, guid="x")).gone == 1
    assert take(s, entry(1, url="https://post.example/moved")).gone == 1
    gone.unlink()
    assert take(s, entry(1)).added == [FIRST]


def test_deleted_files_are_added_to_the_list_and_it_stays_sorted(site: Make) -> None:
    s = site().write("content/_feeds/a.gone", "zzz\n\nhttps://post.example/0\n")
    take(s, entry(1), entry(2))
    for path in (s.root / "content/2026").rglob("*.md"):
        path.unlink()
    take(s)
    lines = (s.root / "content/_feeds/a.gone").read_text().splitlines()
    assert lines == ["https://post.example/0", "id-1\thttps://post.example/1", "id-2\thttps://post.example/2", "zzz"]
    assert (s.root / "content/_feeds/a.taken").read_text() == ""


def test_a_deleted_file_is_known_from_the_content_folder_alone(site: Make) -> None:
    """A build server has a fresh checkout and no cache."""
    s = site()
    take(s, entry(1), entry(2))
    take(s, entry(1, guid="other"), feed=subscription("b"))
    shutil.rmtree(s.root / ".newsgen")
    (s.root / "content" / FIRST).unlink()
    assert take(s, entry(1, guid="other"), feed=subscription("b")).gone == 1
    assert [(s.root / f"content/_feeds/{feed}.gone").exists() for feed in "ab"] == [True, True]
    shutil.rmtree(s.root / ".newsgen")
    assert (take(s, entry(1), entry(2)).gone, len(names(s))) == (1, 1)
    # Without its line, the entry comes back.
    (s.root / "content/_feeds/a.gone").unlink()
    (s.root / "content/_feeds/b.gone").unlink()
    assert take(s, entry(1), entry(2)).added == [FIRST]
    assert take(s, entry(1), entry(2)) == Taken()


def test_lists_that_git_merged_by_union_mean_the_same(site: Make) -> None:
    s = site()
    take(s, entry(1), entry(2))
    (s.root / "content" / FIRST).unlink()
    assert take(s, entry(1), entry(2)).gone == 1
    lists = {kind: s.root / f"content/_feeds/a.{kind}" for kind in ("taken", "gone")}
    before = {kind: path.read_text() for kind, path in lists.items()}
    lists["taken"].write_text(before["taken"] + before["gone"])  # another branch had the file
    lists["gone"].write_text(before["gone"] * 2)
    assert take(s, entry(1), entry(2)).gone == 1
    assert lists["taken"].read_text() == before["taken"]


def test_what_was_taken_is_written_only_if_it_changed_and_is_bounded(site: Make) -> None:
    s = site()
    take(s, *(entry(n) for n in range(20)))
    path = s.root / "content/_feeds/a.taken"
    before = path.stat()
    take(s, *(entry(n) for n in range(5, 20)))
    assert path.stat() == before
    assert len(path.read_text().splitlines()) == 20
    take(s, *(entry(n) for n in range(100, 1095)))
    lines = path.read_text().splitlines()
    assert len(lines) == 1000
    assert lines == sorted(lines)


@pytest.mark.parametrize("moved", ["a", "b"])
@pytest.mark.parametrize("lost", [False, True])
def test_one_text_in_two_feeds_stays_one_when_either_moves_it(site: Make, moved: str, lost: bool) -> None:
    s = site()
    urls = dict.fromkeys("ab", "https://post.example/1")
    for _ in range(3):
        for feed in "ab":
            taken = take(s, entry(1, guid=f"{feed}-1", url=urls[feed]), feed=subscription(feed))
            assert not taken.gone
        assert names(s) == [FIRST]
        assert not list((s.root / "content/_feeds").glob("*.gone"))
        urls[moved] += "-better"
        if lost:
            shutil.rmtree(s.root / ".newsgen")
    url = "https://post.example/1-better-better" if moved == "a" else "https://post.example/1"
    assert f'webUrl: "{url}"' in text(s, FIRST)


def test_a_feed_that_dates_its_entries_anew_at_each_request_changes_nothing(site: Make) -> None:
    s = site()
    take(s, entry(1))
    later = entry(1, published=NOW + timedelta(hours=1), updated=NOW + timedelta(hours=1))
    assert take(s, later, now=NOW + timedelta(hours=2)) == Taken()
    assert take(s, replace(later, title="New"), now=NOW + timedelta(hours=2)).updated == [FIRST]
    assert "publishedDateTime: 2026-11-28T11:00:00Z\n" in text(s, FIRST)


def test_a_moved_file_is_still_known_with_and_without_the_index(site: Make) -> None:
    s = site()
    take(s, entry(1))
    moved = s.root / "content/best/of.md"
    moved.parent.mkdir()
    (s.root / "content" / FIRST).rename(moved)
    assert take(s, entry(1, title="New")).updated == ["best/of.md"]
    assert not (s.root / "content/_feeds/a.gone").exists()
    (s.root / ".newsgen/archive.db").unlink()
    assert take(s, entry(1, title="New")) == Taken()


def test_the_files_of_a_renamed_feed_follow_under_the_new_name(site: Make) -> None:
    s = site()
    take(s, entry(1, topics=("X",)), entry(2, url=""))
    renamed = {"feed": subscription("new"), "feeds": ["new", "b"]}
    assert take(s, entry(1, topics=("X",)), **renamed) == Taken()
    assert take(s, entry(1, title="New", topics=("X",)), **renamed).updated == [FIRST]
    assert '  feed: "new"\n' in text(s, FIRST)
    assert not list((s.root / "content/_feeds").glob("*.gone"))
    assert (
        take(s, entry(1, title="Newer", guid="x", topics=("X",)), feed=subscription("b"), feeds=["new", "b"]) == Taken()
    )


def test_an_entry_that_left_its_feed_changes_nothing(site: Make) -> None:
    s = site()
    take(s, entry(1), entry(2))
    assert take(s, entry(2)) == Taken()
    assert len(names(s)) == 2


def test_files_that_cannot_be_read_are_not_deleted(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    s = site()
    take(s, entry(1))
    from newsgen import files
    from newsgen.errors import Problem

    found = files.FoundFiles()
    unreadable = Problem(path="content/2026", what="cannot be read")
    found.add_odd(files.FoundFile("2026", str(s.root / "content/2026"), unreadable))
    monkeypatch.setattr(files, "scan", lambda *_: files.Found(found, files.FoundFiles(), []))
    assert take(s, entry(1)) == Taken()
    assert not (s.root / "content/_feeds/a.gone").exists()


@pytest.mark.parametrize("folder", ["content", "content/2026"])
def test_a_folder_that_is_missing_deletes_nothing(site: Make, folder: str) -> None:
    s = site()
    take(s, *(entry(n) for n in range(30)))
    (s.root / folder).rename(s.root / "old")
    (s.root / "content").mkdir(exist_ok=True)
    assert len(take(s, *(entry(n) for n in range(30))).added) == 30


# What is taken


def test_titles_ages_and_blocks_leave_entries_out(site: Make) -> None:
    s = site().write("site.toml", '[block]\nproviders = ["bad.example"]\nurls = ["https://post.example/4"]\n')
    feed = subscription(include=("article", "/^x/"), exclude=("number 2",))
    taken = take(
        s, entry(1), entry(2), entry(3, published=NOW - timedelta(days=9)), entry(4), entry(5, url="https://www.bad.example/5"),
        entry(6, title="Another one"), entry(7, title="XX"), entry(8, title=""), feed=feed, since=NOW - timedelta(days=7),
    )  # fmt: skip
    assert taken.added == [FIRST, "2026/11/2026-11-28-xx.md"]
    assert taken.left_out == 6


def test_a_file_stays_when_its_entry_is_no_longer_wanted(site: Make) -> None:
    s = site()
    take(s, entry(1))
    assert take(s, entry(1), since=NOW, feed=subscription(exclude=("article",))) == Taken()


def test_what_the_feeds_file_says_its_articles_get(site: Make) -> None:
    s = site().write("site.toml", 'language = "en"\n[fetch]\ncategory = "world"\n')
    feed = subscription(
        category="news", topics=("Boats",), lang="de", quality=7, type="video", provider_name="The Post"
    )
    take(s, entry(1, topics=("Sea",)), feed=feed)
    take(s, entry(2), feed=subscription("b"))
    one, two = sorted(s.load().articles(), key=lambda a: a.id)
    assert (one.category, one.topics, one.lang, one.quality, one.type, one.provider_name, one.provider) == (
        "news", ("Boats", "Sea"), "de", 7, "video", "The Post", "post.example",
    )  # fmt: skip
    assert two.category == "world"


# Robustness


@pytest.mark.parametrize("damage", ["delete", "garbage", "folder", "rows", "truncate"])
def test_a_lost_or_damaged_index_costs_time_only(site: Make, damage: str) -> None:
    s = site()
    entries = [entry(n) for n in range(5)]
    take(s, *entries)
    path = s.root / ".newsgen/archive.db"
    if damage == "rows":
        import sqlite3

        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE files SET data = x'c1' WHERE id < '2026/11/2026-11-28-article-number-2'")
            connection.execute("UPDATE files SET data = 5 WHERE id > '2026/11/2026-11-28-article-number-2'")
        connection.close()
    elif damage == "truncate":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        path.unlink()
        if damage == "garbage":
            path.write_bytes(b"x" * 9999)
        elif damage == "folder":
            path.mkdir()
    assert take(s, *entries) == Taken()
    assert take(s, *entries) == Taken()
    assert path.is_file()
    assert not (s.root / "content/_feeds/a.gone").exists()


def test_files_whose_stamps_prove_all_are_not_read_again(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsgen.fetch import index

    s = site()
    take(s, *(entry(n) for n in range(5)))
    take(s)
    real, read = index.read, []
    monkeypatch.setattr(index, "read", lambda file, name: read.append(file.id) or real(file, name))
    monkeypatch.setattr("newsgen.files.TICK", -(10**12))  # as if two seconds had passed
    take(s)
    read.clear()
    take(s)
    assert read == []
    s.edit(f"content/{FIRST}", "Article number 1", "Mine")
    assert take(s, entry(1, title="New")).changed == [FIRST]
    assert read == [FIRST]


def test_names_of_feeds_in_files_never_leave_the_folder(site: Make) -> None:
    s = site().article("x", more="fetched: {feed: ../../evil, guid: '1', digest: x}\n")
    take(s)
    (s.root / "content/x.md").unlink()
    take(s)
    assert not list(s.root.parent.rglob("evil*"))


def test_the_order_of_entries_and_feeds_gives_the_same_texts_once(site: Make) -> None:
    rng = random.Random(3)
    for number in range(12):
        s = site(name=str(number))
        rows = [entry(n % 7, guid=f"{n % 5}", topics=(f"T{n}",)) for n in range(20)]
        rng.shuffle(rows)
        for at in range(0, 20, 5):
            take(s, *rows[at : at + 5], feed=subscription(f"f{at % 2}"))
        urls = [a.url for a in s.load().articles()]
        assert len(urls) == len({*urls})
        assert not s.load().report.problems


def test_a_folder_that_cannot_be_written_is_an_error(site: Make, tmp_path: Path) -> None:
    from newsgen.errors import OutputError

    s = site().write("content/2026", "a file")
    with pytest.raises(OutputError, match="cannot be written"):
        take(s, entry(1))


@pytest.mark.parametrize("numbered", [True, False])
def test_feeds_that_number_their_entries_from_the_top_lose_no_serial_headline(site: Make, *, numbered: bool) -> None:
    s = site()
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    for newest in range(3, 7):
        shown = range(newest - 1, newest - 4, -1)
        rows = [
            entry(n, guid=str(at) if numbered else "briefing", title=f"Weather forecast for {days[n]}",
                  published=NOW - timedelta(days=9 - n))
            for at, n in enumerate(shown)
        ]  # fmt: skip
        take(s, *rows)
        assert take(s, *rows) == Taken()
    titles = sorted(re.findall('title: "(.*)"', "".join(text(s, id) for id in names(s))))
    assert titles == sorted(f"Weather forecast for {day}" for day in days)


def test_an_edited_file_is_not_taken_for_another_text_with_its_id(site: Make) -> None:
    s = site()
    (id,) = take(s, entry(1)).added
    s.edit(f"content/{id}", "Article number 1", "My own title")
    other = entry(2, guid="id-1", title="Kitchen fire put out", published=NOW)
    assert len(take(s, other).added) == 1
    assert take(s, other, adopt=True).adopted == []
    assert "My own title" in text(s, id)


def test_the_articles_of_a_feed_whose_file_cannot_be_read_stay_its_own(site: Make) -> None:
    s = site().write("content/_feeds/paper.md", "---\nurl: [\n---\n")
    (id,) = take(s, entry(1), feed=subscription("paper"), feeds=["paper", "b"]).added
    before = text(s, id)
    assert take(s, entry(1, guid="x", title="Evil"), feed=subscription("b"), feeds=["b"]) == Taken()
    assert text(s, id) == before


def test_entries_without_an_address_survive_that_their_feed_is_renamed(site: Make) -> None:
    s = site()
    rows = [entry(n, url="") for n in range(3)]
    take(s, *rows)
    (s.root / "content/_feeds/a.taken").rename(s.root / "content/_feeds/new.taken")
    renamed = {"feed": subscription("new"), "feeds": ["new"]}
    taken = take(s, *rows, **renamed)
    assert (taken.added, taken.gone) == ([], 0)
    assert not list((s.root / "content/_feeds").glob("*.gone"))
    assert len(take(s, entry(1, url="", title="New"), **renamed).updated) == 1


def test_other_parameters_of_one_address_change_nothing(site: Make) -> None:
    s = site()
    (id,) = take(s, entry(1, url="https://post.example/1?utm_source=rss1")).added
    before = text(s, id)
    assert take(s, entry(1, url="https://post.example/1?utm_source=rss2")) == Taken()
    assert text(s, id) == before


def test_marks_of_git_in_the_lists_are_no_entries(site: Make) -> None:
    s = site()
    take(s, entry(1), entry(2))
    taken = s.root / "content/_feeds/a.taken"
    taken.write_text("<<<<<<< ours\n" + taken.read_text() + "=======\n>>>>>>> theirs\n")
    assert take(s, entry(1), entry(2)) == Taken()
    assert not (s.root / "content/_feeds/a.gone").exists()
