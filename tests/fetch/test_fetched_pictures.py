"""Publishers' pictures are fetched by a command of its own, and published with the site from then on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from feedserver import Answer, FeedServer
from sites import NOW, Site

from newsgen.builder import encoder
from newsgen.errors import ConfigError
from newsgen.fetch import ImageOptions, ImageReport, fetch_images
from newsgen.fetch.network.client import Limits

Make = Callable[..., Site]
CACHED = '[images]\nshow = "cached"\n'
GIF = b"GIF89a\x05\x00\x04\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00;"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


class Pictures:
    """A site with publishers' pictures, and the server that they are on."""

    def __init__(self, site: Site, server: FeedServer, client: Callable[..., Any]) -> None:
        self.site, self.server, self.client = site.write("site.toml", CACHED), server, client

    def fetch(self, *, limits: Limits | None = None, hours: float = 0, **chosen: Any) -> ImageReport:
        more = {"limits": limits} if limits else {}
        options = ImageOptions(site=self.site.root, now=NOW + timedelta(hours=hours), **chosen)
        return fetch_images(options, make_client=lambda **_: self.client(**more))

    def names(self) -> list[str]:
        folder = self.site.root / "content/_images"
        return sorted(p.suffix for p in folder.iterdir()) if folder.exists() else []

    def shown(self, path: str) -> list[str]:
        return re.findall(r'<img[^>]* src="([^"]*)"', self.site.read(path))


@pytest.fixture
def pictures(site: Make, server: FeedServer, client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Pictures:
    monkeypatch.setattr(encoder, "pillow", lambda: None)
    return Pictures(site(), server, client)


def test_fetched_pictures_take_the_place_of_remote_ones(pictures: Pictures) -> None:
    s, server = pictures.site, pictures.server
    one, two, three = (server.add(f"p{n}.example/x{n}.jpg", Answer(GIF + bytes(n))) for n in range(3))
    held = server.add("held.example/h.jpg", Answer(GIF))
    s.article(
        "a",
        webUrl=None,
        more=f"images: '{one}'\nrelated:\n- {{title: T, webUrl: 'https://o.example/', images: '{two}'}}\n",
    )
    s.article("b", webUrl=None, body=f"![x]({three})").article("h", more=f"image: {held}\npublished: false\n")
    s.good()
    assert one in pictures.shown("2026/11/08/a/index.html"), "a missing one stays remote"
    assert pictures.fetch(dry_run=True).requests == 3
    assert pictures.names() == []
    report = pictures.fetch()
    assert (report.added, report.failures) == (3, {})
    assert pictures.names() == [".gif"] * 3
    s.good()
    for page in ("2026/11/08/a/index.html", "2026/11/08/b/index.html"):
        assert all(src.startswith("/attachments/") for src in pictures.shown(page))
    assert len([path for path in s.tree() if path.startswith("attachments/")]) == 3
    assert pictures.fetch().requests == 0, "what is there is never requested again"
    next((s.root / "content/_images").iterdir()).write_bytes(b"damaged")
    assert "remove it; `newsgen images` fetches it again" in str(s.good().warnings[0])


def test_what_fails_stays_remote_and_is_asked_again_later(pictures: Pictures) -> None:
    s, server = pictures.site, pictures.server
    answers = {
        "svg": Answer(SVG),
        "text": Answer(b"<html>sorry</html>"),
        "big": Answer(GIF + bytes(9000)),
        "none": Answer(status=404),
        "busy": Answer(status=503, headers={"Retry-After": "7200"}),
        "good": Answer(GIF),
    }
    for name, answer in answers.items():
        s.article(name, more=f"image: {server.add(f'{name}.example/x.jpg', answer)}\n")
    s.article("private", more="image: http://10.0.0.1/x.jpg\n")
    report = pictures.fetch(limits=Limits(max_bytes=5000))
    reasons = {url.partition("://")[2].partition(".")[0]: reason for url, reason in report.failures.items()}
    assert reasons["svg"] == reasons["text"] == "the answer is not a picture, whatever its name says"
    assert "larger than" in reasons["big"]
    assert "404" in reasons["none"]
    assert "not a public address" in reasons["10"]
    assert report.added == 1
    again = pictures.fetch(hours=0.1)
    assert (again.requests, again.waiting) == (0, 6)
    later = pictures.fetch(hours=24 * 8, limits=Limits(max_bytes=5000))
    assert (later.requests, later.waiting) == (5, 1), "what is not found is not asked for again"
    assert pictures.fetch(force=True).requests == 6
    s.good()
    assert pictures.shown("2026/11/08/svg/index.html")[0].startswith("http://svg.example")


def test_the_site_must_want_them(site: Make) -> None:
    with pytest.raises(ConfigError, match='set `show = "cached"`'):
        fetch_images(ImageOptions(site=site().root))


def test_a_damaged_state_costs_requests_only(pictures: Pictures) -> None:
    pictures.site.article("x", more=f"image: {pictures.server.add('x.example/x.jpg', Answer(status=404))}\n")
    assert len(pictures.fetch().failures) == 1
    (pictures.site.root / ".newsgen/images.state").write_bytes(b"\xc1nonsense")
    assert pictures.fetch().requests == 1
