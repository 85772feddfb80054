"""Buckets: faults of the store, rollbacks, headers and locks, with SeaweedFS behind a proxy that breaks requests."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import brotli
import msgspec
import pytest
from places import S3, Proxy, Reader, edition
from sites import Site
from test_places import LENIENT, clean_build, publish

from newsgen.errors import PublishError
from newsgen.publish import lease, target
from newsgen.publish.plan import Release

Make = Callable[..., Site]
Bucket = tuple[S3, Proxy]


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the pauses between retries."""
    monkeypatch.setattr(target, "_FIRST_PAUSE", 0.02)


def records(place: S3) -> set[str]:
    return {name for name in place.names() if name.startswith(".newsgen/")}


def test_a_publish_succeeds_although_a_fifth_of_the_requests_fail(site: Make, s3: Bucket, short_pauses: None) -> None:
    place, proxy = s3
    proxy.failing = 0.2
    s = site()
    with Reader(place.read) as reader:
        for number in range(3):
            edition(s, place, number, LENIENT)
            publish(s)
    proxy.failing = 0
    assert proxy.failures > 50
    assert clean_build(s).items() <= place.files().items()
    assert reader.broken_links == []
    assert records(place).isdisjoint({".newsgen/lock", ".newsgen/coming.json"})


def test_a_permanent_failure_ends_the_publish_and_the_next_one_sends_only_missing_files(
    site: Make, s3: Bucket, short_pauses: None
) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LENIENT)
    proxy.refuses = lambda method, path: method == "PUT" and "/sources/" in path
    with pytest.raises(PublishError, match="503 SlowDown: later"):
        publish(s)
    assert place.read("index.html") is None, "the front page is sent last"
    arrived = {name for name in place.names() if not name.startswith(".newsgen/")}
    assert len(arrived) > 10
    proxy.refuses = lambda *_: False
    proxy.seen.clear()
    report = publish(s)
    sent = {path.split("?")[0] for method, path in proxy.seen if method == "PUT"}
    assert not any(path.endswith("/" + name) for name in arrived for path in sent if ".newsgen" not in path)
    assert (report.arrived, report.sent) == (len(arrived), report.files - len(arrived))
    assert place.files() == clean_build(s)


def test_pages_of_an_unfinished_publish_get_a_grace_period(site: Make, s3: Bucket, short_pauses: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LENIENT)
    publish(s)
    proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
    with pytest.raises(PublishError, match="503"):
        publish(edition(s, place, 3, LENIENT))
    proxy.refuses = lambda *_: False
    shown = "2026/11/15/a014/index.html"
    assert shown.removesuffix("index.html").encode() in (place.read("index.html") or b"")
    publish(edition(s, place, 0, LENIENT))
    assert place.read(shown) is not None, "the front page linked to it a moment ago"
    publish(edition(s, place, 0, LENIENT.replace("1h", "0s")))
    assert place.read(shown) is None


def test_files_of_several_unfinished_publishes_are_not_foreign(site: Make, s3: Bucket, short_pauses: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LENIENT)
    publish(s)
    proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
    for number in (3, 6):
        with pytest.raises(PublishError, match="503"):
            publish(edition(s, place, number, LENIENT))
    with pytest.raises(PublishError, match="503"):
        publish(edition(s, place, 0, LENIENT))
    proxy.refuses = lambda *_: False
    publish(edition(s, place, 3, LENIENT))
    assert clean_build(s).items() <= place.files().items()
    publish(edition(s, place, 3, LENIENT.replace("1h", "0s")), max_delete=10_000)
    left = {path for path in place.files().keys() - clean_build(s).keys() if not path.startswith("css/")}
    assert left == set()


def test_an_unfinished_publish_is_undone_after_its_edits_were_reverted(
    site: Make, s3: Bucket, short_pauses: None
) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LENIENT)
    publish(s)
    before = place.files()
    edition(s, place, 3, LENIENT)
    proxy.refuses = lambda method, path: (
        method == "PUT" and path.endswith("/index.html") and "/topics/" not in path and path.count("/") < 5
    )
    with pytest.raises(PublishError, match="503"):
        publish(s)
    half = place.files()
    assert half != before
    assert before.keys() <= half.keys(), "an unfinished publish removes nothing"
    proxy.refuses = lambda *_: False
    edition(s, place, 0, LENIENT)
    publish(s)
    assert before.items() <= place.files().items()
    edition(s, place, 3, LENIENT)
    publish(s)
    publish(s, rollback=True)
    assert before.items() <= place.files().items()


def test_replaced_objects_are_kept_for_the_configured_number_of_releases(site: Make, s3: Bucket) -> None:
    place, _ = s3
    s = site()
    seen = []
    for number in range(5):
        edition(s, place, number, LENIENT + "keep = 2\n")
        publish(s)
        seen.append(clean_build(s))
    folders = {name.split("/")[2] for name in records(place) if name.startswith(".newsgen/kept/")}
    assert len(folders) == 2
    for number in (3, 2):
        publish(s, rollback=True)
        assert seen[number].items() <= place.files().items()
    with pytest.raises(PublishError, match="cannot roll back"):
        publish(s, rollback=True)


def test_a_rollback_never_replaces_foreign_files(site: Make, s3: Bucket) -> None:
    place, _ = s3
    gone = "2026/11/01/a000/index.html"
    s = edition(site(), place, 0, "allow_lost = true\n")
    publish(s)
    publish(edition(s, place, 1, "allow_lost = true\n"))
    place.put(gone, b"of others")
    with pytest.raises(PublishError, match=f"in the way: {gone}"):
        publish(s, rollback=True)
    assert place.read(gone) == b"of others"
    place.remove(gone)
    publish(s, rollback=True)
    assert b"</html>" in (place.read(gone) or b"")


def test_a_failed_rollback_can_be_repeated_or_followed_by_a_publish(site: Make, s3: Bucket, short_pauses: None) -> None:
    place, proxy = s3
    s = edition(site(), place, 0, LENIENT)
    publish(s)
    before = clean_build(s)
    publish(edition(s, place, 3, LENIENT))
    after = clean_build(s)
    for over in (False, True):
        proxy.refuses = lambda method, path: method == "PUT" and "release.json.gz" in path
        with pytest.raises(PublishError, match="503"):
            publish(s, rollback=True)
        proxy.refuses = lambda *_: False
        publish(s, rollback=not over)
        assert (after if over else before).items() <= place.files().items()
        if not over:
            publish(s)


def test_objects_have_the_headers_to_be_served_with(site: Make, s3: Bucket) -> None:
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
    css = next(name for name in place.names() if name.startswith("css/site.") and name != "css/site.css")
    expected["css/site.css"] = ("text/css; charset=utf-8", "public, max-age=3600")
    expected[css] = ("text/css; charset=utf-8", "public, max-age=31536000, immutable")
    for path, (kind, cached) in expected.items():
        _, headers, _ = place.web.response(path)
        assert (headers["content-type"], headers["cache-control"]) == (kind, cached), path
        assert "content-encoding" not in headers
    again = publish(edition(s, place, 0, rule.replace("no-store", "no-cache")))
    assert (again.sent, again.changed) == (1, ["https://news.example/robots.txt"])
    assert place.web.response("robots.txt")[1]["cache-control"] == "no-cache"


@pytest.mark.parametrize(("name", "unpack"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
def test_texts_are_stored_compressed_if_configured(
    site: Make, s3: Bucket, name: str, unpack: Callable[[bytes], bytes]
) -> None:
    place, _ = s3
    s = edition(site(), place, 0, f'precompress = ["{name}"]\n').write("static/picture.webp", b"RIFF")
    publish(s)
    wanted = clean_build(s)
    for path, data in wanted.items():
        _, headers, found = place.web.response(path)
        text = path.endswith((".html", ".css", ".xml", ".json", ".js", ".txt", ".opml", ".svg", ".webmanifest"))
        assert headers.get("content-encoding") == (name if text else None), path
        assert (unpack(found) if text else found) == data
    assert publish(s).sent == 0


def test_a_lock_that_is_not_renewed_expires(site: Make, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    place, _ = s3
    s = edition(site(), place, 0)
    held = {"who": "another machine", "until": time.time() + 1.5}
    place.put(".newsgen/lock", msgspec.json.encode(held))
    with pytest.raises(PublishError, match=r"another publish to this target .* its lock expires in [12] s"):
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
    with pytest.raises(PublishError, match="lost the lock to another publisher"):
        publish(s)
    assert place.read(".newsgen/release.json.gz") is None
    assert place.read(".newsgen/lock") == held, "the lock of the other publisher remains"


def test_a_damaged_record_is_reported_and_nothing_is_changed(site: Make, s3: Bucket) -> None:
    place, _ = s3
    s = edition(site(), place, 0)
    publish(s)
    before = place.files()
    for damage in (b"", b"\x1f\x8b garbage", gzip.compress(b'{"id": "../../x"}')):
        place.put(".newsgen/release.json.gz", damage)
        with pytest.raises(PublishError, match="is damaged or written by a newer newsgen"):
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
