"""What differs from the last build."""

import dataclasses
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sites import NOW, Site

from newsgen import files
from newsgen.builder.cache import Cache, engine
from newsgen.builder.manifest import Manifest, Record
from newsgen.builder.snapshot import Differences, Snapshot, _differing, _without

Make = Callable[..., Site]


def differences(s: Site, now: datetime = NOW, **chosen: Any) -> Differences | None:
    with Cache(s.root, engine()) as cache:
        return Snapshot(s.options(now=now, **chosen), now).differences(cache)


def summary(found: Differences | None) -> tuple[list[str], ...]:
    assert found is not None
    return [f.id for f in found.added_or_changed], found.removed, found.others, found.altered


@pytest.fixture
def built(site: Make) -> Site:
    s = site().article("a").article("b").article("c").write("static/x.txt", "x")
    s.good()
    return s


def test_nothing_differs_after_a_build(built: Site) -> None:
    found = differences(built)
    assert found is not None
    assert found.is_empty
    assert summary(found) == ([], [], [], [])


def test_content_files_that_were_added_changed_or_removed_are_named(built: Site) -> None:
    built.article("aa").edit("content/c.md", "title:", "title: New\nx:")
    (built.root / "content/b.md").rename(built.root / "content/z.md")
    assert summary(differences(built)) == (["aa.md", "c.md", "z.md"], ["b.md"], [], [])


def test_templates_static_files_and_settings_are_named(built: Site) -> None:
    built.write("static/x.txt", "other").write("static/y.txt", "y").write("templates/pages/404.html", "gone")
    built.write("site.toml", 'title = "T"\n')
    names = ["/own static/x.txt", "/own static/y.txt", "/own templates/pages/404.html", "/site.toml"]
    assert summary(differences(built)) == ([], [], names, [])


def test_output_files_that_are_missing_or_altered_are_named(built: Site) -> None:
    (built.output / "index.html").write_text("by hand")
    (built.output / "404.html").unlink()
    assert summary(differences(built)) == ([], [], [], ["404.html", "index.html"])
    assert {"404.html", "index.html"} == set(built.good().written)
    assert summary(differences(built)) == ([], [], [], [])


def test_an_edit_that_leaves_a_young_stamp_as_it_was_is_found(built: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.FoundFiles, "stamps", property(lambda self: bytes(files.STAMP_BYTES * len(self))))
    built.article("d").good()
    built.edit("content/b.md", "title:", "title: New\nx:")
    assert summary(differences(built)) == (["b.md"], [], [], [])


def test_a_problem_that_goes_or_comes_is_a_change(built: Site) -> None:
    (built.root / "content/folder").mkdir()
    link = built.root / "content/link.md"
    link.symlink_to("folder")
    assert summary(differences(built)) == (["link.md"], [], [], [])
    built.build()
    assert summary(differences(built)) == ([], [], [], [])
    link.unlink()
    built.article("link")
    assert summary(differences(built)) == (["link.md"], [], [], [])


def test_the_report_follows_files_of_other_generators(built: Site) -> None:
    def warnings() -> list[str]:
        found = [str(warning) for warning in built.good(strict=True).warnings]
        assert differences(built, strict=True).is_empty  # type: ignore[union-attr]
        assert found == [str(warning) for warning in built.good(strict=True).warnings], "as kept"
        return found

    hint = "convert them to Markdown with front matter (pandoc can, for most kinds), or move them out of content/"
    assert warnings() == []
    built.write("content/guide/b.rst", "B").write("content/contents.lr", "title: L")
    lektor = f"content/contents.lr: newsgen does not read .lr files; {hint}"
    assert summary(differences(built, strict=True))[2] == ["/foreign contents.lr", "/foreign guide/b.rst"]
    assert warnings() == [lektor, f"content/guide/b.rst: newsgen does not read .rst files; {hint}"]
    built.write("content/guide/a.RST", "A").write("content/z.rst", "Z").write("content/contents.lr", "other")
    several = f"content/guide/a.RST: newsgen does not read .rst files, this one and 2 more; {hint}"
    assert warnings() == [lektor, several]
    for path in ("contents.lr", "guide/a.RST", "guide/b.rst"):
        (built.root / "content" / path).unlink()
    single = f"content/z.rst: newsgen does not read .rst files; {hint}"
    assert warnings() == [single]
    (built.root / "content/z.rst").unlink()
    assert warnings() == []
    built.write("content/z.rst", "Z")
    done = built.run("check")
    assert done.returncode == 0
    assert f"warning: {single}" in done.stderr


def test_a_gate_that_opens_makes_the_site_due(site: Make) -> None:
    s = site().article("a").article("later", publishedDateTime="2026-11-23T10:00:00Z")
    s.good()
    found = differences(s, NOW + timedelta(days=2))
    assert found is not None
    assert found.due
    assert not found.is_empty


def test_everything_is_new_with_other_options_or_another_manifest(built: Site) -> None:
    assert differences(built, show=frozenset({"draft"})) is None
    assert differences(built, NOW - timedelta(days=1)) is None
    os.utime(built.output / ".newsgen-manifest.json", (1, 1))
    assert differences(built) is None


def test_stamps_are_compared_at_every_position() -> None:
    stamps = [bytes([n]) * files.STAMP_BYTES for n in range(9)]
    for changed in ([], [0], [8], [3, 4], [0, 2, 8], [*range(9)]):
        now = [b"x" * files.STAMP_BYTES if at in changed else stamp for at, stamp in enumerate(stamps)]
        assert sorted(_differing(b"".join(stamps), b"".join(now))) == changed
        ids = [str(at) for at in range(9)]
        rest = b"".join(stamp for at, stamp in enumerate(stamps) if at not in changed)
        assert _without(b"".join(stamps), ids, {str(at) for at in changed}) == rest


def test_a_manifest_is_updated_as_a_dict_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsgen.builder.manifest.BLOCK", 2)

    def record(n: int) -> Record:
        return Record(f"{n:032x}" if n % 5 else "", f"t{n % 3}", f"{n + 7:032x}", n, -n)

    files: dict[str, Record] = {}
    manifest = Manifest(engine="e")
    for turn in range(20):
        paths = [f"{n * turn % 17}/{n}" for n in range(turn % 7)]
        changes = {path: None if (turn + n) % 3 == 0 else record(n + turn) for n, path in enumerate(paths)}
        manifest = manifest.updated(changes)
        files = {path: r for path, r in (files | changes).items() if r is not None}  # type: ignore[operator]
        assert dict(manifest.files) == dict(sorted(files.items()))
        assert manifest.used_templates() == {r.template for r in files.values()}
        manifest.write(tmp_path / "manifest")
        assert Manifest.read(tmp_path / "manifest") == manifest
        assert all(block.files <= 4 for block in manifest.blocks)
        assert len(manifest) == len(files)
        assert manifest.get("none") is None
        used = {name: [path for path, r in sorted(files.items()) if r.template == name] for name in ("t0", "t1")}
        assert all(manifest.using([name]) == paths for name, paths in used.items())
    assert len(manifest.blocks) > 2
    assert dataclasses.replace(manifest, engine="f") != manifest


@pytest.mark.parametrize("packed", [2, 3, 4, 5])
def test_found_files_are_made_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: int) -> None:
    monkeypatch.setattr(files, "_PACKED", packed)
    for name in ("b.md", "a/x.md", "a.md", "c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "c.md").unlink()
    (tmp_path / "c.md").symlink_to("nowhere")
    found = files.scan(tmp_path).content
    assert [f.id for f in found] == list(found.ids) == ["a/x.md", "a.md", "b.md", "c.md"]
    assert [found.ids[at] for at in range(-4, 4)] == 2 * list(found.ids)
    assert b"\0".join(found.ids.packs()) == b"a/x.md\0a.md\0b.md\0c.md"
    assert found[0].path == str(tmp_path / "a/x.md")
    assert found[2].stamp == files.stamp(tmp_path / "b.md")
    assert found[-1].id in found.odd
    assert found[1:3] == [found[1], found[2]]
    with pytest.raises(IndexError):
        found[4]
