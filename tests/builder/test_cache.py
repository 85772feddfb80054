"""What is kept between builds saves time, and is never wrong: whatever happens to it, or beside it."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sites import Site

from newsgen import files
from newsgen.builder import cache, render
from newsgen.builder import pipeline as build
from newsgen.builder import snapshot as fresh
from newsgen.builder.cache import Cache, CachedFile, FileState
from newsgen.content import reader as content
from newsgen.errors import TemplateError
from newsgen.files import FoundFile, Stamp

Make = Callable[..., Site]
BASE = 'base_url = "https://news.example/"\n'
SITE = f"-- site.toml --\n{BASE}"


def database(s: Site) -> Path:
    return s.root / ".newsgen/cache.db"


def settle(s: Site) -> None:
    """Makes all stamps as old as if the site had been left alone for a while."""
    for file in s.root.rglob("*"):
        if file.is_file() and "public" not in file.parts:
            os.utime(file, ns=(10**18, 10**18))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps count as settled at once: what is left to find out is whether they differ."""
    monkeypatch.setattr(Stamp, "is_settled", lambda *_: True)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed, as they are."""
    seen: list[str] = []
    real = content.Reader.parse

    def parse(self: content.Reader, source: content.Source, digest: bytes = b"") -> content.Parsed:
        seen.append(source.id)
        return real(self, source, digest)

    monkeypatch.setattr(content.Reader, "parse", parse)
    return seen


@pytest.mark.usefixtures("settled")
def test_only_what_differs_is_parsed(site: Make, parsed: list[str]) -> None:
    s = site(SITE).article("a").article("b").article("c", lang="what is this")
    assert len(s.build().problems) == 1
    assert parsed == ["a.md", "b.md", "c.md"]
    parsed.clear()
    s.article("b", title="Anew")
    os.utime(s.root / "content/a.md")
    report = s.build()
    assert parsed == ["b.md"], "a file that was but touched is known by its bytes, a broken one stays as broken"
    assert len(report.problems) == 1
    parsed.clear()
    s.write("site.toml", BASE + '[images]\nshow = "none"\n')
    s.build()
    assert parsed == ["a.md", "b.md", "c.md"], "what a file becomes depends on the settings"


def test_an_edit_within_a_tick_of_a_coarse_clock_is_seen(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "Stamp", lambda size, mtime, _, inode: Stamp(size, mtime, 0, inode))
    s = site(SITE).article("a", title="One").article("b")
    s.good()
    for title in ("Two", "Six"):
        stamp = (s.root / "content/a.md").stat()
        s.article("a", title=title)
        os.utime(s.root / "content/a.md", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        s.good()
        assert title in s.read("2026/11/08/a/index.html")
    assert "check" in s.good().seconds


@pytest.mark.usefixtures("settled")
def test_an_edit_that_keeps_size_and_time_is_seen(site: Make) -> None:
    s = site(SITE).article("a", title="One")
    s.good()
    stamp = (s.root / "content/a.md").stat()
    s.edit("content/a.md", "One", "Two")
    os.utime(s.root / "content/a.md", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    s.good()
    assert "Two" in s.read("2026/11/08/a/index.html")


def test_a_build_that_changes_nothing_reads_nothing_and_imports_neither_yaml_nor_jinja(site: Make) -> None:
    s = site(SITE).article("a").article("b")
    settle(s)
    s.good(output=s.root / "elsewhere")
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from newsgen.builder import Options, build\n"
        "report = build(Options(site=Path('.'), now=datetime(2026, 11, 22, 12, tzinfo=UTC)))\n"
        "print(len(report.written), list(report.seconds), *sorted({m.partition('.')[0] for m in sys.modules}), report.articles)"
    )
    for expected in ("read", "check"):  # the first reads what was touched
        done = subprocess.run([sys.executable, "-c", code], cwd=s.root, capture_output=True, text=True, check=True)
        assert f"['{expected}" in done.stdout
    assert not {"yaml", "jinja2", "markdown", "nh3", "frontmatter", "yaml_rs"} & set(done.stdout.split())
    assert done.stdout.split()[-1] == "2"


def test_times_that_64_bits_do_not_hold_prove_nothing_and_stop_nothing(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far(*where: Any) -> Iterator[FoundFile]:
        for found in scan(*where):
            assert isinstance(found.stamp, Stamp)
            yield found._replace(stamp=found.stamp._replace(mtime=2**65))

    scan = files.scan
    monkeypatch.setattr(files, "scan", far)
    s = site(SITE).article("a", title="Before")
    s.good()
    s.edit("content/a.md", "Before", "Behind")
    s.good()
    assert "Behind" in s.read("index.html")


def test_a_file_as_young_as_the_clock_s_tick_is_read_again_once_not_always(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    s = site(SITE).article("a").article("b")
    s.good()
    read: list[str] = []
    digest = fresh._digest
    monkeypatch.setattr(fresh, "_digest", lambda path: read.append(Path(path).name) or digest(path))
    assert "check" in s.good().seconds
    assert {"a.md", "b.md"} <= set(read), "an edit might have left no trace"
    monkeypatch.setattr(files, "TICK", -(10**12))
    assert "check" in s.good().seconds
    read.clear()
    assert "check" in s.good().seconds
    assert read == [], "by now any edit would have"
    s.article("a", title="Other")
    assert "check" not in s.good().seconds


CHANGES: dict[str, Callable[[Site], object]] = {
    "content": lambda s: s.article("a", title="Other"),
    "a new file": lambda s: s.article("new"),
    "a file that goes": lambda s: (s.root / "content/b.md").unlink(),
    "a new name": lambda s: (s.root / "content/b.md").rename(s.root / "content/z.md"),
    "facts": lambda s: s.write("content/_topics/t.md", "---\nname: T\n---\n"),
    "settings": lambda s: s.write("site.toml", BASE + 'title = "T"\n'),
    "no settings": lambda s: (s.root / "site.toml").unlink(),
    "a template": lambda s: s.write("templates/pages/404.html", "gone"),
    "a static file": lambda s: s.write("static/x.txt", "x"),
    "an output file that is gone": lambda s: (s.output / "index.html").unlink(),
    "an output file that was altered": lambda s: (s.output / "404.html").write_text("altered"),
    "the manifest": lambda s: (s.output / ".newsgen-manifest.json").unlink(),
    "a link in a folder of templates": lambda s: (s.root / "templates").symlink_to(s.root / "content"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_ends_the_rest(site: Make, change: str) -> None:
    s = site(SITE).article("a").article("b")
    s.good()
    assert "check" in s.good().seconds
    CHANGES[change](s)
    assert "check" not in s.build().seconds
    s.build(output=s.root.parent / "clean")
    assert s.tree() == s.tree(s.root.parent / "clean")


@pytest.mark.parametrize(
    "more", [{"show": frozenset({"draft"})}, {"clock": "wall"}, {"strict": True}, {"verify": True}], ids=str
)
def test_other_options_are_another_build(site: Make, more: dict[str, object]) -> None:
    s = site(SITE).article("a").article("b", draft="true")
    s.good()
    assert "check" not in s.good(**more).seconds


def test_time_alone_ends_the_rest_when_a_gate_opens_or_the_clock_goes_back(site: Make) -> None:
    from datetime import timedelta

    from sites import NOW

    s = site(SITE).article("a").article("later", publishedDateTime="2026-11-22T13:00:00Z")
    assert s.good().published == 1
    assert "check" in s.good(now=NOW + timedelta(minutes=59)).seconds
    assert s.good(now=NOW + timedelta(hours=1)).published == 2
    assert s.good(now=NOW).published == 1


DAMAGE = ["cut", "bytes", "text", "nothing", "folder", "other engine", "rows"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_begun_anew_without_a_word(site: Make, damage: str, parsed: list[str]) -> None:
    s = site(SITE)
    for n in range(30):
        s.article(f"a{n}", title=f"Article number {n} on the harbour", topics="[T]", body=f"Body {n}. " * 20)
    s.good()
    file = database(s)
    whole = file.read_bytes()
    chance = random.Random(8)
    for _ in range(12 if damage in ("bytes", "cut") else 1):
        match damage:
            case "cut":
                file.write_bytes(whole[: chance.randrange(len(whole))])
            case "bytes":
                data = bytearray(whole)
                for _ in range(200):
                    data[chance.randrange(100, len(data))] = chance.randrange(256)
                file.write_bytes(data)
            case "text":
                file.write_text("not a database")
            case "nothing":
                file.write_bytes(b"")
            case "folder":
                file.unlink()
                file.mkdir()
            case "other engine":
                _write(file, "UPDATE kept SET value = ? WHERE name = 'made'", b"1 another")
            case "rows":
                _write(file, "UPDATE files SET data = ?", b"a\x90")
                _write(file, "UPDATE kept SET value = NULL WHERE name != 'made' AND name != ?", "turn")
        s.article("a7", title=f"Seven {chance.random()}")
        parsed.clear()
        report = s.build()
        assert not report.problems
        assert "a7.md" in parsed
        s.build(output=s.root.parent / "clean")
        assert s.tree() == s.tree(s.root.parent / "clean")
    assert file.is_file()
    assert "check" in s.good().seconds


def _write(file: Path, query: str, value: object) -> None:
    connection = sqlite3.connect(file)
    connection.execute(query, (value,))
    connection.commit()
    connection.close()


def test_of_two_that_write_at_once_the_first_is_kept_whole(tmp_path: Path) -> None:
    one, two = Cache(tmp_path, "e"), Cache(tmp_path, "e")
    one.put("x", b"one")
    one.put("y", b"one")
    two.put("x", b"two")
    one.save()
    two.save()
    third = Cache(tmp_path, "e")
    assert (third.get("x"), third.get("y")) == (b"one", b"one")
    fourth = Cache(tmp_path, "e")
    fourth.put("x", b"four")
    fourth.save()
    assert third.get("x") == b"one", "what one build reads is one state"
    third.put("y", b"three")
    third.save()
    last = Cache(tmp_path, "e")
    assert (last.get("x"), last.get("y")) in [(b"one", b"three"), (b"four", b"one")]
    last.close()


def test_a_reader_with_other_settings_forgets_what_another_understood(tmp_path: Path) -> None:
    entry = CachedFile("a.md", b"1 2 3 4", b"digest", b"data")
    one = Cache(tmp_path, "e")
    assert list(one.files(b"r")) == []
    one.keep([FileState("a.md", b"1 2 3 4", b"digest")], {"a.md": b"data"}.__getitem__, [])
    one.save()
    two = Cache(tmp_path, "e")
    assert list(two.files(b"r")) == [entry]
    assert list(two.files(b"other")) == []
    two.keep([FileState("b.md", b"", b"d")], {"b.md": b"x"}.__getitem__, [])
    two.save()
    three = Cache(tmp_path, "e")
    assert [e.id for e in three.files(b"other")] == ["b.md"]
    three.close()
    four = Cache(tmp_path, "another engine")
    assert list(four.files(b"other")) == []
    four.close()


def test_a_build_that_fails_keeps_no_other_waiting(site: Make) -> None:
    s = site(SITE).article("a")
    s.good()
    s.write("templates/pages/404.html", "{{ page.nothing }}")
    failures = []
    for _ in range(2):
        with pytest.raises(TemplateError) as failed:
            s.build()
        failures.append(failed)  # a trace holds all that the failed build had
    shutil.rmtree(s.root / "templates")
    s.article("b")
    assert s.good().seconds["remember"] < 1
    assert "check" in s.good().seconds


def test_the_engine_is_another_with_every_library_version_and_every_line_of_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {cache.engine()}
    site_packages = tmp_path / "packages"
    (site_packages / "markdown-99.1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(site_packages), *sys.path])
    cache.engine.cache_clear()
    names.add(cache.engine())
    (tmp_path / "newsgen/pages").mkdir(parents=True)
    (tmp_path / "newsgen/pages/x.py").write_text("x = 1")
    monkeypatch.setattr(cache.newsgen, "__file__", str(tmp_path / "newsgen/__init__.py"))
    cache.engine.cache_clear()
    names.add(cache.engine())
    (tmp_path / "newsgen/pages/x.py").write_text("x = 2")
    cache.engine.cache_clear()
    names.add(cache.engine())
    monkeypatch.undo()
    cache.engine.cache_clear()
    assert len(names) == 4
    assert cache.engine() in names


def test_compiled_templates_are_those_of_the_site_and_its_assets(site: Make) -> None:
    s = site(SITE).article("a")
    s.good()
    s.article("a", title="Anew")
    s.good()
    s.write("static/css/site.css", "body { color: red }")
    s.article("a", title="Anew again")
    s.good()
    s.good(output=s.root.parent / "clean")
    assert s.tree() == s.tree(s.root.parent / "clean")


def test_templates_render_the_same_with_jinja_s_own_means(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import jinja2

    s = site(SITE)
    for n in range(6):
        s.article(f"a{n}", title=f"A <b>{n}</b> & \"more\" 'of' it", topics="[T, U & V]", story="s" if n < 3 else None)
    s.good()
    fast = s.tree()
    monkeypatch.setattr(render, "_Template", jinja2.Template)
    monkeypatch.setattr(render, "_Compiled", lambda *_: None)
    s.good(output=s.root.parent / "plain")
    assert s.tree(s.root.parent / "plain") == fast


def test_a_macro_s_result_is_remembered_by_all_of_its_arguments(site: Make) -> None:
    s = site(SITE)
    s.write("templates/parts/x.html", "{% macro m(card, a, b=1) %}{{ card.title }} {{ a }} {{ b }}{% endmacro %}")
    s.write(
        "templates/pages/article.html",
        '{% from "parts/x.html" import m %}{{ m(page.card, 1) }}|{{ m(page.card, true) }}|{{ m(page.card, 1, b=2) }}|'
        "{{ m(page.card, [1]) }}|{{ m(page.card, 1) }}",
    )
    s.article("a", title="A&B").article("b", title="B")
    s.good()
    assert s.read("2026/11/08/a/index.html") == "A&amp;B 1 1|A&amp;B True 1|A&amp;B 1 2|A&amp;B [1] 1|A&amp;B 1 1"
    assert s.read("2026/11/08/b/index.html").startswith("B 1 1|")


def test_a_process_that_builds_again_remembers_and_is_never_wrong(site: Make, parsed: list[str]) -> None:
    from newsgen.builder import Memory

    s = site(SITE)
    for n in range(8):
        s.article(f"a{n}", title=f"Ferry fares rise by a tenth in the harbour {n // 4}", excerpt="Words " * 5)
    settle(s)
    memory = Memory()
    for step in range(6):
        match step:
            case 1 | 2:
                s.article("a1", title=f"Another matter {step}")
            case 3:
                (s.root / "content/a2.md").unlink()
            case 4:
                s.write("site.toml", BASE + '[block]\nproviders = ["a3.example"]\n')
            case 5:
                s.build()  # by another process
                s.article("a5", title="Ferry fares rise by a tenth in the harbour 0")
        build.build(s.options(), memory=memory)
        s.build(output=s.root.parent / f"clean{step}")
        assert s.tree() == s.tree(s.root.parent / f"clean{step}"), step
    assert memory.loaded
    assert memory.loaded.report.articles == 7
    assert len(parsed) > 8
