"""The output folder: newsgen restores its own files and never touches foreign ones."""

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sites import Site

from newsgen.builder import output
from newsgen.builder.manifest import Manifest, Record
from newsgen.errors import NewsgenError, OutputError

Make = Callable[..., Site]


def test_a_build_without_changes_renders_and_writes_nothing(site: Make) -> None:
    s = site().article("a").article("b")
    assert s.good().rendered
    before = {p: (s.output / p).stat().st_mtime_ns for p in s.tree()}
    report = s.good()
    assert (report.rendered, report.written, report.pruned) == ([], [], [])
    assert {p: (s.output / p).stat().st_mtime_ns for p in s.tree()} == before


def test_an_unplanned_page_is_removed_with_its_empty_folders(site: Make) -> None:
    s = site().article("a").article("b", publishedDateTime="2025-01-01T00:00:00Z")
    s.good()
    (s.root / "content/b.md").unlink()
    report = s.good()
    assert "2025/01/01/b/index.html" in report.pruned
    assert not (s.output / "2025").exists()
    assert (s.output / "2026/11/08/a/index.html").exists()


def test_a_missing_or_modified_page_is_restored(site: Make) -> None:
    s = site().article("a")
    s.good()
    whole = s.tree()
    (s.output / "index.html").unlink()
    (s.output / "404.html").write_text("altered")
    report = s.good()
    assert sorted(report.written) == ["404.html", "index.html"]
    assert s.tree() == whole


def test_verify_detects_a_change_that_kept_size_and_mtime(site: Make) -> None:
    s = site().article("a")
    s.good()
    whole = s.tree()
    file = s.output / "index.html"
    stamp = file.stat()
    file.write_bytes(b"x" * stamp.st_size)
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert s.good().written == []
    assert s.good(verify=True).written == ["index.html"]
    assert s.tree() == whole


def test_a_foreign_file_is_never_touched(site: Make) -> None:
    s = site().article("a")
    s.good()
    (s.output / "CNAME").write_text("example.org")
    (s.output / "topics").mkdir(exist_ok=True)
    (s.output / "topics/mine.txt").write_text("mine")
    (s.root / "content/a.md").unlink()
    s.article("b")
    s.good()
    assert (s.output / "CNAME").read_text() == "example.org"
    assert (s.output / "topics/mine.txt").read_text() == "mine"


def test_a_foreign_file_at_the_path_of_a_page_is_reported_and_kept(site: Make) -> None:
    s = site().article("a")
    s.output.mkdir()
    (s.output / "index.html").write_text("by hand")
    report = s.build()
    assert [p.what for p in report.problems] == ["was not written by newsgen and was left unchanged"]
    assert (s.output / "index.html").read_text() == "by hand"
    assert (s.output / "2026/11/08/a/index.html").exists()
    s.build()
    assert (s.output / "index.html").read_text() == "by hand"


def test_a_foreign_file_at_the_path_of_a_folder_stops_the_build_before_any_move(site: Make) -> None:
    s = site().article("a")
    s.good()
    before = s.tree()
    listed = (s.output / output.MANIFEST).read_bytes()
    (s.output / "2027").write_text("by hand")
    s.article("b", publishedDateTime="2026-11-08T10:00:00Z").article("c", publishedDateTime="2027-01-01T00:00:00Z")
    with pytest.raises(OutputError, match=r"2027: cannot be written"):
        s.build(show=frozenset({"future"}))
    assert {p: d for p, d in s.tree().items() if p != "2027"} == before
    assert (s.output / output.MANIFEST).read_bytes() == listed
    assert (s.output / "2027").read_text() == "by hand"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"files": 3}', b"\xff\xfe", None])
def test_a_missing_or_damaged_manifest_is_rebuilt(site: Make, damage: bytes | None) -> None:
    s = site().article("a").article("b")
    s.good()
    whole = s.tree()
    manifest = s.output / output.MANIFEST
    if damage is None:
        manifest.unlink()
    else:
        manifest.write_bytes(damage)
    s.good()
    assert s.tree() == whole
    assert s.good().rendered == []


def test_a_manifest_with_outside_paths_removes_no_files(site: Make, tmp_path: Path) -> None:
    s = site().article("a")
    s.good()
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    manifest = s.output / output.MANIFEST
    listed = Manifest.read(manifest)
    paths = ("../../victim.txt", str(victim), "x/../../../victim.txt", "..\\victim.txt", "", ".")
    outside = {path: Record("", "", "", 0, 0) for path in paths}
    for victims in (outside, {**listed.files, **outside}):
        listed.updated(victims).write(manifest)  # type: ignore[arg-type]
        s.good()
    assert victim.read_text() == "precious"


def test_a_manifest_is_small_and_the_same_when_it_is_read_again(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsgen.builder.manifest.BLOCK", 128)
    s = site()
    for n in range(200):
        s.article(f"n{n:03}", publishedDateTime=f"2026-11-0{n % 7 + 1}T10:00:00Z")
    s.good()
    file = s.output / output.MANIFEST
    data = file.read_bytes()
    listed = Manifest.read(file)
    assert len(data) < 75 * len(listed.files)
    assert len(listed.blocks) > 1
    listed.write(file)
    assert file.read_bytes() == data
    late = {"a": Record("0" * 31 + "1", "t", "f" * 32, 7, 1 << 70), "\udc80": Record("", "", "", 1, 1)}
    Manifest().updated(late).write(file)
    assert Manifest.read(file).files["a"].mtime == -1
    assert [*Manifest.read(file).paths] == ["a", "\udc80"]


def test_a_damaged_line_of_the_manifest_makes_it_empty(site: Make) -> None:
    s = site().article("a")
    s.good()
    file = s.output / output.MANIFEST
    header, block, checksum = file.read_bytes().splitlines(keepends=True)
    columns = json.loads(block)
    lines = [
        (header, block),
        (header, block, b"7\n"),
        (header, checksum),
        (block, checksum),
        (header, header, checksum),
    ]
    for at in range(5):
        for damage in (None, 3, "", "eA==", columns[2][: len(columns[2]) // 2], columns[3]):
            if damage != columns[at]:
                damaged = json.dumps([*columns[:at], damage, *columns[at + 1 :]]).encode() + b"\n"
                lines.append((header, damaged, checksum))
                # Whoever writes a manifest by hand may correct the checksum.
                lines.append((header, damaged, b"%d\n" % zlib.crc32(header + damaged)))
    lines.append((b"{}\n", block, b"%d\n" % zlib.crc32(b"{}\n" + block)))
    for damaged_lines in lines:
        file.write_bytes(b"".join(damaged_lines))
        assert [*Manifest.read(file).paths] == [], damaged_lines


@pytest.mark.parametrize("how", ["records", "columns"])
def test_files_of_an_older_manifest_are_still_ours(site: Make, how: str) -> None:
    s = site().article("a")
    s.good()
    s.write("outside.txt", "precious")
    manifest = s.output / output.MANIFEST
    listed = Manifest.read(manifest)
    shared = {name: getattr(listed, name) for name in ("engine", "site", "flags", "templates")}
    paths = ["../outside.txt", *reversed([*listed.paths])]
    files = dict.fromkeys(paths, Record("", "", "", 0, 0)) | dict(listed.files)
    columns = {"paths": zlib.compress("\0".join(paths).encode()), "digests": b"", "names": [*listed.names]}
    manifest.write_bytes(msgspec.json.encode({**shared, **({"files": files} if how == "records" else columns)}))
    s.edit("content/a.md", "title:", "excerpt: New\ntitle:").good()
    assert "New" in s.read("2026/11/08/a/index.html")
    assert (s.root / "outside.txt").read_text() == "precious"


def test_an_older_manifest_may_have_more_paths_than_fit_into_a_block(tmp_path: Path) -> None:
    paths = [f"{'long/' * 200}{n:05}" for n in range(20_000)]
    packed = zlib.compress("\0".join(paths).encode())
    (tmp_path / "manifest").write_bytes(msgspec.json.encode({"paths": packed}))
    assert [*Manifest.read(tmp_path / "manifest").paths] == paths


def test_a_link_in_place_of_the_staging_folder_is_not_followed(site: Make, tmp_path: Path) -> None:
    s = site().article("a")
    s.good()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/precious.txt").write_text("precious")
    (s.output / output.STAGING).symlink_to(tmp_path / "outside")
    s.article("b")
    with pytest.raises(OutputError, match="is a symbolic link"):
        s.build()
    assert (tmp_path / "outside/precious.txt").read_text() == "precious"
    assert s.run("clean").returncode == 3
    assert (tmp_path / "outside/precious.txt").read_text() == "precious"


def test_newsgen_never_writes_or_removes_through_symbolic_links(site: Make, tmp_path: Path) -> None:
    s = site().article("a", topics="[AI]")
    s.good()
    outside = tmp_path / "outside"
    (s.output / "topics").rename(outside)
    (s.output / "topics").symlink_to(outside)
    (outside / "ai/index.html").write_text("altered")
    with pytest.raises(OutputError, match="is a symbolic link"):
        s.build()
    assert (outside / "ai/index.html").read_text() == "altered"
    s.write("site.toml", 'disable_kinds = ["topic"]')
    assert "topics/ai/index.html" in s.build().pruned
    assert (outside / "ai/index.html").read_text() == "altered"


def test_a_failing_template_leaves_the_old_site(site: Make) -> None:
    s = site().article("a").article("b")
    s.good()
    whole = s.tree()
    s.article("c").write("templates/pages/article.html", "{{ page.content.card.titel }}")
    with pytest.raises(NewsgenError, match=r"templates/pages/article\.html:1: .*titel"):
        s.build()
    assert s.tree() == whole
    (s.root / "templates/pages/article.html").unlink()
    s.good()


def test_the_next_build_completes_one_that_was_killed_while_moving_files(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, clean = (
        site().article("a").article("b", topics="[AI]"),
        site(name="clean").article("a").article("b", topics="[AI]"),
    )
    clean.good()
    real = os.replace
    for moves in (0, 1, 5, 11):
        left = moves

        def replace(source: object, target: object) -> None:
            nonlocal left
            if left == 0 and not str(target).endswith(output.MANIFEST):
                raise KeyboardInterrupt
            left -= not str(target).endswith(output.MANIFEST)
            real(source, target)  # type: ignore[arg-type]

        monkeypatch.setattr(output.os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            s.build()
        monkeypatch.setattr(output.os, "replace", real)
        assert len([p for p in s.tree() if not p.startswith(output.STAGING)]) == moves
        s.good()
        assert s.tree() == clean.tree()
        for path in s.tree():
            (s.output / path).unlink()


def test_a_file_as_output_folder_is_an_error(site: Make) -> None:
    s = site().article("a")
    s.output.write_text("a file")
    with pytest.raises(NewsgenError, match="is not a folder"):
        s.build()


@pytest.mark.parametrize("output_folder", ["content", "content/x", ".", "static"])
def test_the_output_folder_must_not_overlap_the_site_s_sources(site: Make, output_folder: str) -> None:
    s = site().article("a").write("static/x.txt", "x")
    with pytest.raises(NewsgenError, match="choose another --output"):
        s.build(output=s.root / output_folder)
    assert (s.root / "content/a.md").exists()


def test_pages_with_the_same_address_are_reported_before_anything_is_written(site: Make) -> None:
    s = site('-- site.toml --\npermalink = "/:slug/"\n-- content/_pages/about.md --\n---\ntitle: About\n---\n')
    s.article("about").article("topics", title="Topics of the day").article("new", aliases='["/about/", "/old/"]')
    s.write("static/ABOUT/index.html", "x").write("static/other", "x")
    report = s.build()
    assert sorted((p.path, p.what) for p in report.problems) == [
        ("content/_pages/about.md", "cannot be written to about/index.html, because content/about.md is there"),
        ("content/new.md", "'/about/' is the address of content/about.md"),
        ("content/topics.md", "cannot be written to topics/index.html, because the page 'Topics' is there"),
        ("static/ABOUT/index.html", "cannot be written to ABOUT/index.html, because content/about.md is there"),
    ]
    assert s.build(strict=True).written == []


def test_files_with_the_same_name_get_stable_addresses(site: Make) -> None:
    s = site().article("one/same", publishedDateTime="2026-11-08T09:00:00Z")
    s.good()
    s.article("a/same", publishedDateTime="2026-11-08T10:00:00Z", title="Second")
    s.good()
    library = s.load().library
    first = {article.id: library.address[article.id] for article in library.articles}
    assert first["one/same.md"] == "/2026/11/08/same/"
    assert first["a/same.md"].startswith("/2026/11/08/same-")
    s.article("b/same", publishedDateTime="2026-11-08T11:00:00Z", published="false")
    assert {id: s.load().library.address[id] for id in first} == first
