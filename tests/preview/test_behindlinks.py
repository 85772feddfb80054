"""Edits behind symbolic links, and links that are switched, update the preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sites import Site
from test_watch import Previewed

from newsgen.preview import watch

ARTICLE = "---\ntitle: {}\npublishedDateTime: 2026-11-08T08:00:00Z\n---\nx\n"


def article(path: Path, title: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ARTICLE.format(title), encoding="utf-8")


def switch(link: Path, target: str) -> None:
    """As `ln -sfn` does."""
    new = link.with_name(".new")
    new.symlink_to(target)
    new.replace(link)


@pytest.fixture
def preview(site: Callable[..., Site]) -> Iterator[Callable[[Site], Previewed]]:
    made: list[Previewed] = []

    def make(s: Site) -> Previewed:
        made.append(Previewed(s))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def front_page(p: Previewed) -> str:
    return (p.site.root / ".newsgen/preview/index.html").read_text(encoding="utf-8")


def wait_for(p: Previewed, title: str) -> None:
    """Waits until the front page shows a title."""
    before = p.builds
    while title not in front_page(p):
        p.idle(least=before + 1, timeout=10)
        before = p.builds
    p.idle()


def test_an_edit_behind_a_link_is_seen(
    site: Callable[..., Site], preview: Callable[[Site], Previewed], tmp_path: Path
) -> None:
    article(tmp_path / "pool/a.md", "First")
    s = site().article("b")
    (s.root / "content/a.md").symlink_to("../../pool/a.md")
    p = preview(s)
    assert "First" in front_page(p)
    article(tmp_path / "pool/a.md", "Second")
    wait_for(p, "Second")
    article(tmp_path / "pool/new.md", "Third")
    (tmp_path / "pool/new.md").replace(tmp_path / "pool/a.md")
    wait_for(p, "Third")
    (s.root / "content/sub").mkdir()
    article(tmp_path / "pool/c.md", "Later")
    (s.root / "content/sub/c.md").symlink_to("../../../pool/c.md")
    wait_for(p, "Later")
    article(tmp_path / "pool/c.md", "Latest")
    wait_for(p, "Latest")
    p.idle()
    builds = p.builds
    article(tmp_path / "pool/other.md", "Nobody links this")
    p.idle()
    assert p.builds == builds


def test_a_content_folder_that_is_a_link_may_be_switched(
    site: Callable[..., Site], preview: Callable[[Site], Previewed], tmp_path: Path
) -> None:
    article(tmp_path / "v1/a.md", "Version one")
    article(tmp_path / "v2/a.md", "Version two")
    s = site()
    (s.root / "content").rmdir()
    (s.root / "content").symlink_to("../v1")
    p = preview(s)
    assert "Version one" in front_page(p)
    switch(s.root / "content", "../v2")
    wait_for(p, "Version two")
    article(tmp_path / "v2/b.md", "New in two")
    wait_for(p, "New in two")
    p.idle()  # a page is sent before its build has ended
    builds = p.builds
    article(tmp_path / "v1/c.md", "Left behind")
    p.idle()
    assert p.builds == builds, "the old folder is not watched any more"
    switch(s.root / "content", "../v1")
    wait_for(p, "Left behind")


def test_a_link_on_the_way_and_the_folder_at_its_end_may_be_switched(
    site: Callable[..., Site], preview: Callable[[Site], Previewed], tmp_path: Path
) -> None:
    article(tmp_path / "releases/1/articles/a.md", "Release one")
    article(tmp_path / "releases/2/articles/a.md", "Release two")
    (tmp_path / "current").symlink_to("releases/1")
    s = site()
    (s.root / "content").rmdir()
    (s.root / "content").symlink_to("../current/articles")
    p = preview(s)
    switch(tmp_path / "current", "releases/2")
    wait_for(p, "Release two")
    article(tmp_path / "next/a.md", "Release three")
    (tmp_path / "releases/2/articles").rename(tmp_path / "old")
    (tmp_path / "next").rename(tmp_path / "releases/2/articles")
    wait_for(p, "Release three")
    article(tmp_path / "releases/2/articles/b.md", "And an edit in it")
    wait_for(p, "And an edit in it")


def test_settings_templates_and_static_files_may_be_links(
    site: Callable[..., Site], preview: Callable[[Site], Previewed], tmp_path: Path
) -> None:
    s = site().article("a")
    (tmp_path / "shared.toml").write_text('title = "One"\n')
    (s.root / "site.toml").unlink()
    (s.root / "site.toml").symlink_to("../shared.toml")
    (tmp_path / "theme/parts").mkdir(parents=True)
    (tmp_path / "theme/parts/note.html").write_text("Note one")
    (s.root / "templates").mkdir()
    (s.root / "templates/mine").symlink_to("../../theme/parts")
    s.write(
        "templates/pages/home.html",
        '{% extends "newsgen/pages/home.html" %}{% block main %}{% include "mine/note.html" %}{{ super() }}{% endblock %}',
    )
    p = preview(s)
    assert "Note one" in front_page(p)
    (tmp_path / "shared.toml").write_text('title = "Two"\n')
    wait_for(p, "Two")
    (tmp_path / "theme/parts/note.html").write_text("Note two")
    wait_for(p, "Note two")


def test_only_folders_behind_links_in_templates_are_looked_through(
    site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(watch, "contents", looked.append)
    s = site().article("a")
    for name in ("templates", "templates-old", "static"):
        (s.root / name).mkdir()
        (s.root / name / "mine").symlink_to("../..")
    with watch.Watch(s.root, s.root / "content"):
        assert {Path(path).parent.name for path in looked} == {"templates"}


def test_a_link_that_leads_to_itself_is_shown_as_a_problem(
    site: Callable[..., Site], preview: Callable[[Site], Previewed]
) -> None:
    p = preview(site().article("a"))
    (p.site.root / "content/loop.md").symlink_to("loop.md")
    p.idle(least=1)
    assert [problem.path for problem in p.preview.problems] == ["content/loop.md"]
    builds = p.builds
    (p.site.root / "content/loop.md").unlink()
    p.idle(least=builds + 1)
    assert not p.preview.problems
    builds = p.builds
    switch(p.site.root / "site.toml", "site.toml")
    p.idle(least=builds + 1)
    assert "site.toml: the symbolic link leads to itself" in str(p.preview.problems[0])
    assert "A" in front_page(p)
    (p.site.root / "site.toml").unlink()
