"""Files beside articles: which are published, where, and what the editor is told of the others."""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest
from sites import Site, png

from newsgen import files
from newsgen.builder import encoder

Make = Callable[..., Site]

SITE = '-- site.toml --\nbase_url = "https://news.example/sub/"\n'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"/>'
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n<<>>\nendobj\n"


def attachments(s: Site) -> list[str]:
    return sorted(path for path in s.tree() if path.startswith("attachments/"))


def pictures(page: str) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]*)"', page)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are copied as they are, as without Pillow. The tests of smaller copies undo this."""
    monkeypatch.setattr(encoder, "pillow", lambda: None)


def test_a_file_beside_an_article_is_published_at_an_address_of_its_bytes(site: Make) -> None:
    s = site(SITE).write("content/trip/photo.jpg", png(8, 6)).write("content/trip/Report 2026.pdf", PDF)
    body = "![The harbour](photo.jpg) and [the report](Report%202026.pdf#page=2)"
    s.article("trip/index", webUrl=None, more="image: photo.jpg\n", body=body)
    s.good()
    found = sorted(attachments(s), key=len)
    assert [re.sub("[0-9a-f]{20}", "#", path) for path in found] == [
        "attachments/#.png",
        "attachments/#/report-2026.pdf",
    ]
    page = s.read("2026/11/08/trip/index.html")
    assert pictures(page) == [f"/sub/{found[0]}"] * 2
    assert page.count(' width="8" height="6"') == 2
    assert f'href="/sub/{found[1]}#page=2"' in page
    assert f'<meta property="og:image" content="https://news.example/sub/{found[0]}">' in page
    for feed in ("feed.xml", "atom.xml", "feed.json"):
        assert f"https://news.example/sub/{found[0]}" in s.read(feed)
    assert f'src="/sub/{found[0]}"' in s.read("index.html"), "cards show it"
    assert "/sub/attachments/*\n  Cache-Control: public, max-age=31536000, immutable" in s.read("_headers")


def test_all_ways_to_name_a_picture(site: Make) -> None:
    s = (
        site(SITE)
        .write("content/a/one.png", png(2))
        .write("content/two.png", png(3))
        .write("content/ü 100%.png", png(5))
    )
    s.article("a/x", more="images:\n  - url: ./one.png\n    title: One\n    width: 9\n  - ../two.png\n", webUrl=None)
    s.article("y", more='image: "ü 100%.png"\n', webUrl=None, body="![](%C3%BC%20100%25.png)")
    s.write("content/_topics/rail.md", "---\nimages: rail.svg\n---\n").write("content/_topics/rail.svg", SVG)
    s.article("z", topics="[Rail]")
    s.write("content/_pages/about.md", "---\ntitle: About\n---\n![](team/us.png)\n").write(
        "content/_pages/team/us.png", png(7)
    )
    s.good()
    assert len(attachments(s)) == 5
    assert 'alt="One" width="2" height="3"' in s.read("2026/11/08/x/index.html"), "its own size counts"
    assert len(pictures(s.read("2026/11/08/x/index.html"))) == 2
    assert len(set(pictures(s.read("2026/11/08/y/index.html")))) == 1
    assert ".svg" in s.read("topics/rail/index.html")
    assert ' width="7"' in s.read("about/index.html")


def test_a_picture_may_be_embedded_as_in_obsidian(site: Make) -> None:
    s = site(SITE).write("content/a/my ü 100%.png", png(2)).write("content/a/files/two.png", png(3))
    s.article("a/x", webUrl=None, body="![[my ü 100%.png|300]]\n\n![[files/two.png|The port]]\n\n![[tow.png]]\n")
    report = s.good()
    page = s.read("2026/11/08/x/index.html")
    assert len(attachments(s)) == 2
    assert re.findall(r'<img alt="([^"]*)" src="/sub/attachments/[^"]*" width="([23])"', page) == [
        ("", "2"),
        ("The port", "3"),
    ]
    assert [str(w) for w in report.warnings if "png" in str(w)] == [
        "content/a/x.md:9: link: there is no page or file 'tow.png'; "
        "put it beside this file, correct the name, or begin it with / for a file in static/"
    ]


def test_identical_files_are_published_once_and_files_nobody_names_never(site: Make) -> None:
    s = site(SITE).write("content/a.png", png()).write("content/b/c.png", png()).write("content/unnamed.png", png(9))
    s.article("x", more="image: a.png\n").article("b/y", more="image: c.png\n")
    s.good()
    assert len(attachments(s)) == 1
    (s.root / "content/x.md").unlink()
    (s.root / "content/a.png").unlink()
    s.good()
    assert len(attachments(s)) == 1
    (s.root / "content/b/y.md").unlink()
    s.good()
    assert attachments(s) == []


@pytest.mark.parametrize(
    "gate", ["published: false", "draft: true", "expiryDate: 2026-11-01", "publishDate: 2027-01-01"]
)
def test_the_files_of_articles_that_are_kept_back_are_not_published(site: Make, gate: str) -> None:
    s = site(SITE).write("content/a.png", png()).write("content/r.png", png(5)).write("content/a.pdf", PDF)
    more = "image: a.png\nrelated:\n- {title: T, webUrl: 'https://o.example/', images: r.png}\n"
    s.article("x", more=more + gate + "\n", body="[p](a.pdf)").article("other")
    s.good()
    assert attachments(s) == []
    assert ".png" not in "".join(data.decode() for path, data in s.tree().items() if path.endswith((".html", ".xml")))
    s.write("content/x.md", (s.root / "content/x.md").read_bytes().replace(gate.encode(), b""))
    s.good()
    assert len(attachments(s)) == 3


def problems(s: Site) -> list[str]:
    return [str(problem) for problem in s.build().problems]


def test_a_missing_file_costs_only_its_value_and_the_nearest_name_is_told(site: Make) -> None:
    s = site(SITE).write("content/Photo.JPG", png()).write("content/foto.png", png())
    s.article("x", more="quality: 5\nimages:\n- foto.png\n- url: photo.jpg\n- fotos.png\n", body="Text ![](fot.png)")
    report = s.build()
    assert [str(problem) for problem in report.problems] == [
        "content/x.md:8: images[1].url: the file 'photo.jpg' does not exist; write it as 'Photo.JPG', in the same case",
        "content/x.md:9: images[2].url: the file 'fotos.png' does not exist; did you mean 'foto.png'?",
    ]
    assert {problem.scope for problem in report.problems} == {"value"}
    assert [str(w) for w in report.warnings if "fot.png" in str(w)] == [
        "content/x.md:11: link: there is no page or file 'fot.png'; did you mean 'foto.png'?"
    ]
    assert len(pictures(s.read("2026/11/08/x/index.html"))) == 2, (
        "the picture that is there, and the link that is broken"
    )
    s.write("content/photo.jpg", png(3)).write("content/fotos.png", png(2)).write("content/fot.png", png(1))
    s.good()
    assert len(attachments(s)) == 4
    (s.root / "content/fotos.png").unlink()
    assert len(problems(s)) == 1
    assert len(attachments(s)) == 3


def test_what_is_wrong_with_files_and_links_out_is_told_and_nothing_of_it_published(site: Make, tmp_path: Path) -> None:
    secret = tmp_path / "key.png"
    secret.write_bytes(png(6))
    s = site(SITE).write("content/real.png", png()).write("content/.hidden/h.png", png(7))
    content = s.root / "content"
    (content / "out.png").symlink_to(secret)
    (content / "in.png").symlink_to("real.png")
    (content / "hidden.png").symlink_to(".hidden/h.png")
    (content / "nowhere.png").symlink_to("none.png")
    (content / "folder.png").mkdir()
    os.mkfifo(content / "pipe.png")
    s.write("content/text.png", b"ssh-rsa AAAA").write("content/key.pdf", b"-----BEGIN OPENSSH PRIVATE KEY-----")
    s.write("content/cut.png", png()[:20]).write(
        "content/bomb.png", png().replace(struct.pack(">II", 4, 3), b"\0\0\xff\xff" * 2)
    )
    s.write("content/live.svg", SVG.replace(b"/>", b' onload="x()"/>')).write("content/empty.gif", b"")
    names = ["out", "in", "hidden", "nowhere", "folder", "pipe", "text", "cut", "bomb"]
    rows = [*(f"{name}.png" for name in names), "live.svg", "empty.gif", "../../key.png", "a.heic"]
    s.article("x", more="images:\n" + "".join(f"- {row}\n" for row in rows), body="[key](key.pdf) [up](../../key.png)")
    found = dict(re.findall(r"images?\[\d+\](?:\.url)?: (?:the file )?'([^']+)' (.*)", "\n".join(problems(s))))
    assert found.keys() == set(rows) - {"in.png"}
    assert found["out.png"] == "is a link to a file that is not published; put a copy of that file in its place"
    assert found["hidden.png"] == found["out.png"]
    assert found["pipe.png"].startswith("is not a regular file")
    assert found["text.png"].startswith("is not a picture, whatever its name says")
    assert found["cut.png"].startswith("has no usable size")
    assert found["bomb.png"].startswith("has 65,535 × 65,535 pixels; save it smaller")
    assert found["live.svg"].startswith("has the attribute 'onload'")
    assert found["../../key.png"] == "is not in the content folder; put a copy of it beside this file"
    assert found["a.heic"].startswith("is a format that browsers do not show")
    assert any("key.pdf' is not a PDF" in problem for problem in problems(s))
    assert len(attachments(s)) == 1
    assert s.tree()[attachments(s)[0]] == png()


def test_a_file_that_grows_too_large_is_not_published(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsgen.builder.attachments.MAX_BYTES", 100)
    s = site(SITE).write("content/a.png", png()).article("x", more="image: a.png\n")
    s.good()
    s.write("content/a.png", png() + bytes(100))
    assert "a.png' has 0 MB" in problems(s)[0]
    assert attachments(s) == []


def test_accents_may_be_composed_either_way(site: Make) -> None:
    s = site(SITE).write(f"content/{normalize('NFD', 'é')}.png", png())
    s.article("x", more=f"image: {normalize('NFC', 'é')}.png\n", webUrl=None, body=f"![]({normalize('NFD', 'é')}.png)")
    s.good()
    assert len(attachments(s)) == 1
    assert len(set(pictures(s.read("2026/11/08/x/index.html")))) == 1


def test_an_edited_file_makes_exactly_the_pages_that_show_it_stale(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TICK", -(10**12))
    s = site(SITE).write("content/a.png", png()).write("content/b.png", png(5))
    for n in range(6):
        s.article(f"n{n}", publishedDateTime=f"2026-11-{n + 1:02}", topics=f"[T{n}]")
    s.article("n0", publishedDateTime="2026-11-01", topics="[T0]", webUrl=None, body="![](a.png)")
    s.article("n1", publishedDateTime="2026-11-02", topics="[T1]", more="image: b.png\n")
    s.good()
    before = attachments(s)
    s.write("content/a.png", png(shade=9))
    report = s.good()
    assert [p for p in report.rendered if p.endswith(".html")] == ["2026/11/01/n0/index.html"]
    assert len(report.pruned) == 1
    assert len(attachments(s)) == len(before) == 2
    assert s.good().written == []
    clean = s.tree()
    s.good(output=s.root / "again")
    assert s.tree(s.root / "again") == clean
    s.write("content/other.png", png(9))
    assert s.good().written == [], "nobody names it"
    (s.root / "content/b.png").touch()
    assert s.good().written == [], "it has the same bytes"
    s.write("content/b.png", png(6))
    rendered = s.good().rendered
    assert "topics/t1/index.html" in rendered
    assert "topics/t3/index.html" not in rendered


def test_a_damaged_copy_comes_back(site: Make) -> None:
    s = site(SITE).write("content/a.png", png()).article("x", more="image: a.png\n")
    s.good()
    (copy,) = attachments(s)
    (s.output / copy).unlink()
    assert s.good().written == [copy]


def test_files_are_read_once(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsgen.builder import attachments as module

    monkeypatch.setattr(files, "TICK", -(10**12))
    s = site(SITE).write("content/a.png", png()).article("x", more="image: a.png\n").article("y")
    s.good()
    read: list[str] = []
    original = module.read
    monkeypatch.setattr(module, "read", lambda folder, name: read.append(name) or original(folder, name))
    s.article("x", title="Other", more="image: a.png\n")
    s.good()
    s.good(output=s.root / "again")
    assert read == ["a.png"], "copied to the other folder"


def test_a_file_that_changes_during_the_build_is_not_published(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsgen.builder import render
    from newsgen.errors import OutputError

    s = site(SITE).write("content/a.png", png()).article("x", more="image: a.png\n")
    original = render.copied

    def swapped(*args: object) -> bytes:
        s.write("content/a.png", b"secret")
        return original(*args)

    monkeypatch.setattr(render, "copied", swapped)
    with pytest.raises(OutputError, match=re.escape("content/a.png: changed while the site was built; build again")):
        s.build()


def test_preview_and_quiet_pictures(site: Make) -> None:
    s = site(SITE + '[images]\nshow = "none"\n').write("content/a.png", png()).write("content/a.pdf", PDF)
    s.article("x", more="image: a.png\n", body="![](a.png) [pdf](a.pdf)", webUrl=None)
    s.good()
    assert [Path(path).suffix for path in attachments(s)] == [".pdf"]


def test_related_entries_may_name_files(site: Make) -> None:
    s = site(SITE).write("content/a/r.png", png()).write("content/b/r.png", png(5))
    more = "related:\n- {title: 'On it', webUrl: 'https://o.example/1', images: r.png}\n"
    s.article("a/x", more=more).article("b/y", more=more.replace("/1", "/2"))
    s.good()
    assert len(attachments(s)) == 2
    s.write("content/a/x.md", (s.root / "content/a/x.md").read_bytes().replace(b"r.png", b"none.png"))
    assert problems(s)[0].startswith(
        "content/a/x.md:5: related: the file 'none.png' does not exist; did you mean 'r.png'?"
    )
    assert len(attachments(s)) == 1


def test_the_size_of_a_phone_photo_is_the_one_it_is_shown_in(site: Make) -> None:
    image = pytest.importorskip("PIL.Image")
    buffer = io.BytesIO()
    exif = image.Exif()
    exif[0x0112] = 6
    image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=exif)
    s = site(SITE).write("content/a.jpg", buffer.getvalue()).article("x", more="image: a.jpg\n", webUrl=None)
    s.good()
    assert 'width="30" height="40"' in s.read("2026/11/08/x/index.html")


def test_a_plugin_may_name_files(site: Make) -> None:
    plugin = """from msgspec.structs import replace
from newsgen import Plugin
from newsgen.model import Image

class Photos(Plugin):
    def article(self, article):
        return replace(article, images=(Image(url="a.png"), Image(url="none.png")), body='<img src="a.png">')
"""
    s = site(SITE + 'plugins = ["photos"]\n').write("plugins/photos.py", plugin).write("content/a.png", png(9))
    report = s.article("x", webUrl=None).build()
    assert [p.what for p in report.problems] == ["the file 'none.png' does not exist"]
    assert len(attachments(s)) == 1
    assert s.read("2026/11/08/x/index.html").count('width="9"') == 2
