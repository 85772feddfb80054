"""A bucket with faults, and what its objects say of themselves: a SeaweedFS behind a proxy that spoils requests."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import brotli
import msgspec
import pytest
from places import S3, Proxy, Reader, edition
from sites import Site
from test_places import LOOSE, built, publish

from newsgen.errors import PublishError
from newsgen.publish import lease, target
from newsgen.publish.plan import Release

Make = Callable[..., Site]
Bucket = tuple[S3, Proxy]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries that a test has the time for."""
    monkeypatch.setattr(target, "_BASE", 0.02)


def notes(place: S3) -> set[str]:
    return {name for name in place.names() if name.startswith(".newsgen/")}


def test_a_fifth_of_the_requests_fails_and_the_site_arrives_all_the_same(site: Make, s3: Bucket, hasty: None) -> None:
    place, proxy = s3
    proxy.failing = 0.2
    s = site()
    with Reader(place.read) as reader:
        for number in range(3):
            edition(s, place, number, LOOSE)
            publish(s)
    proxy.failing = 0
    assert proxy.spoiled > 50
    assert built(s).items() <= place.files().items()
    assert reader.dead == []
    assert notes(place).isdisjoint({".newsgen/lock", ".newsgen/coming.json"})


def test_a_store_that_fails_for_good_ends_the_publish_and_the_next_one_sends_only_what_is_missing(
    site: Make, s3: Bucket, hasty: None
) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LOOSE)
    proxy.refuses = lambda method, path: method == "PUT" and "/sources/" in path
    with pytest.raises(PublishError, match="503 SlowDown: later"):
        publish(s)
    assert place.read("index.html") is None, "the front page comes last"
    arrived = {name for name in place.names() if not name.startswith(".newsgen/")}
    assert len(arrived) > 10
    proxy.refuses = lambda *_: False
    proxy.seen.clear()
    report = publish(s)
    sent = {path.split("?")[0] for method, path in proxy.seen if method == "PUT"}
    assert not any(path.endswith("/" + name) for name in arrived for path in sent if ".newsgen" not in path)
    assert (report.arrived, report.sent) == (len(arrived), report.files - len(arrived))
    assert place.files() == built(s)


def test_what_an_unfinished_publish_showed_has_its_grace_too(site: Make, s3: Bucket, hasty: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LOOSE)
    publish(s)
    proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
    with pytest.raises(PublishError, match="503"):
        publish(edition(s, place, 3, LOOSE))
    proxy.refuses = lambda *_: False
    shown = "2026/11/15/a014/index.html"
    assert shown.removesuffix("index.html").encode() in (place.read("index.html") or b"")
    publish(edition(s, place, 0, LOOSE))
    assert place.read(shown) is not None, "the front page led there a moment ago"
    publish(edition(s, place, 0, LOOSE.replace("1h", "0s")))
    assert place.read(shown) is None


def test_what_several_unfinished_publishes_brought_is_still_known_to_be_ours(
    site: Make, s3: Bucket, hasty: None
) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LOOSE)
    publish(s)
    proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
    for number in (3, 6):
        with pytest.raises(PublishError, match="503"):
            publish(edition(s, place, number, LOOSE))
    with pytest.raises(PublishError, match="503"):
        publish(edition(s, place, 0, LOOSE))
    proxy.refuses = lambda *_: False
    publish(edition(s, place, 3, LOOSE))
    assert built(s).items() <= place.files().items()
    publish(edition(s, place, 3, LOOSE.replace("1h", "0s")), max_delete=10_000)
    left = {path for path in place.files().keys() - built(s).keys() if not path.startswith("css/")}
    assert left == set()


def test_an_unfinished_publish_whose_edits_were_taken_back_is_undone(site: Make, s3: Bucket, hasty: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LOOSE)
    publish(s)
    before = place.files()
    edition(s, place, 3, LOOSE)
    proxy.refuses = lambda method, path: (
        method == "PUT" and path.endswith("/index.html") and "/topics/" not in path and path.count("/") < 5
    )
    with pytest.raises(PublishError, match="503"):
        publish(s)
    half = place.files()
    assert half != before
    assert before.keys() <= half.keys(), "a publish that did not finish removes nothing"
    proxy.refuses = lambda *_: False
    edition(s, place, 0, LOOSE)
    publish(s)
    assert before.items() <= place.files().items()
    edition(s, place, 3, LOOSE)
    publish(s)
    publish(s, rollback=True)
    assert before.items() <= place.files().items()


def test_what_was_replaced_is_kept_for_as_many_releases_as_asked(site: Make, s3: Bucket) -> None:
    place, _ = s3
    s = site()
    seen = []
    for number in range(5):
        edition(s, place, number, LOOSE + "keep = 2\n")
        publish(s)
        seen.append(built(s))
    folders = {name.split("/")[2] for name in notes(place) if name.startswith(".newsgen/kept/")}
    assert len(folders) == 2
    for number in (3, 2):
        publish(s, rollback=True)
        assert seen[number].items() <= place.files().items()
    with pytest.raises(PublishError, match="no way back"):
        publish(s, rollback=True)


def test_a_rollback_replaces_nothing_of_others(site: Make, s3: Bucket) -> None:
    place, _ = s3
    gone = "2026/11/01/a000/index.html"
    s = edition(site(), place, 0, "allow_lost = true\n")
    publish(s)
    publish(edition(s, place, 1, "allow_lost = true\n"))
    place.put(gone, b"of others")
    with pytest.raises(PublishError, match=f"stands in the way: {gone}"):
        publish(s, rollback=True)
    assert place.read(gone) == b"of others"
    place.lose(gone)
    publish(s, rollback=True)
    assert b"</html>" in (place.read(gone) or b"")


def test_a_rollback_that_fails_is_gone_on_with_or_published_over(site: Make, s3: Bucket, hasty: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LOOSE)
    publish(s)
    before = built(s)
    publish(edition(s, place, 3, LOOSE))
    after = built(s)
    for over in (False, True):
        proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
        with pytest.raises(PublishError, match="503"):
            publish(s, rollback=True)
        proxy.refuses = lambda *_: False
        publish(s, rollback=not over)
        assert (after if over else before).items() <= place.files().items()
        if not over:
            publish(s)


def test_objects_say_how_they_are_to_be_served(site: Make, s3: Bucket) -> None:
    place, _ = s3
    rule = '[[publish.live.headers]]\nmatch = "robots.txt"\nset = {"Cache-Control" = "no-store"}\n'
    s = edition(site(), place, 0, rule).write("static/picture.webp", b"RIFF")
    publish(s)
    expected = {
        "index.html": ("text/html; charset=utf-8", "public, max-age=60"),
        "feed.xml": ("application/rss+xml; charset=utf-8", "public, max-age=60"),
        "feed.json": ("application/feed+json; charset=utf-8", "public, max-age=60"),
        "picture.webp": ("image/webp", "public, max-age=3600"),
        "robots.txt": ("text/plain; charset=utf-8", "no-store"),
    }
    css = next(name for name in place.names() if name.startswith("css/site."))
    expected[css] = ("text/css; charset=utf-8", "public, max-age=31536000, immutable")
    for path, (kind, cached) in expected.items():
        _, headers, _ = place.web.response(path)
        assert (headers["content-type"], headers["cache-control"]) == (kind, cached), path
        assert "content-encoding" not in headers
    again = publish(edition(s, place, 0, rule.replace("no-store", "no-cache")))
    assert (again.sent, again.changed) == (1, ["https://news.example/robots.txt"])
    assert place.web.response("robots.txt")[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize(("name", "unpack"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
def test_texts_travel_compressed_where_asked(
    site: Make, s3: Bucket, name: str, unpack: Callable[[bytes], bytes]
) -> None:
    place, _ = s3
    s = edition(site(), place, 0, f'precompress = ["{name}"]\n').write("static/picture.webp", b"RIFF")
    publish(s)
    wanted = built(s)
    for path, data in wanted.items():
        _, headers, found = place.web.response(path)
        text = path.endswith((".html", ".css", ".xml", ".json", ".txt", ".opml", ".svg"))
        assert headers.get("content-encoding") == (name if text else None), path
        assert (unpack(found) if text else found) == data
    assert publish(s).sent == 0


def test_a_lock_that_nobody_renews_is_free_after_its_time(
    site: Make, s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = s3
    s = edition(site(), place, 0)
    held = {"who": "another machine", "until": time.time() + 1.5}
    place.put(".newsgen/lock", msgspec.json.encode(held))
    with pytest.raises(PublishError, match=r"another publish is at work .* its lock is free in [12] s"):
        publish(s)
    assert place.files() == {}
    time.sleep(1.6)
    assert publish(s).done
    assert ".newsgen/lock" not in place.names()


def test_a_publisher_that_lost_its_lock_stops(site: Make, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    place, proxy = s3
    s = edition(site(), place, 0)
    monkeypatch.setattr(lease, "LEASE", 0.2)
    proxy.delay = 0.05
    held = msgspec.json.encode({"who": "another machine", "until": time.time() + 60})

    def steal(method: str, path: str) -> bool:
        if method == "PUT" and path.endswith("coming.json"):
            place.put(".newsgen/lock", held)
            time.sleep(0.3)
        return False

    proxy.refuses = steal
    with pytest.raises(PublishError, match="another publisher took the lock"):
        publish(s)
    assert place.read(".newsgen/release.json.gz") is None
    assert place.read(".newsgen/lock") == held, "the other's lock stays"


def test_a_damaged_list_of_what_was_published_is_said_and_nothing_is_touched(site: Make, s3: Bucket) -> None:
    place, _ = s3
    s = edition(site(), place, 0)
    publish(s)
    before = place.files()
    for damage in (b"", b"\x1f\x8b garbage", gzip.compress(b'{"id": "../../x"}')):
        place.put(".newsgen/release.json.gz", damage)
        with pytest.raises(PublishError, match="is damaged or of a newer newsgen"):
            publish(edition(s, place, 1))
        assert place.files() == before


def test_a_release_lists_every_object_with_its_mark(site: Make, s3: Bucket) -> None:
    place, _ = s3
    s = edition(site(), place, 0)
    report = publish(s)
    data = place.read(".newsgen/release.json.gz")
    assert data
    release = Release.unpacked(data, "")
    assert release.id == report.release
    assert release.files.keys() == place.files().keys()
    assert release.front
    path, entry = next(iter(release.files.items()))
    assert place.web.response(path)[1]["x-amz-meta-newsgen"] == entry.mark
