"""The cache saves time and never changes the output, whatever happens to it or to the site."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sites import Site

from newsgen import files
from newsgen.builder import cache, pipeline, render, snapshot
from newsgen.builder.cache import Cache, CachedFile, engine
from newsgen.content import reader as content
from newsgen.content.parsed import Parsed
from newsgen.content.source import Source
from newsgen.errors import TemplateError
from newsgen.files import Found, FoundFiles, Stamp

Make = Callable[..., Site]
BASE = 'base_url = "https://news.example/"\n'
SITE = f"-- site.toml --\n{BASE}"


def database(s: Site) -> Path:
    return s.root / ".newsgen/cache.db"


def settle(s: Site) -> None:
    """Sets all mtimes far back, as if nobody had edited the site for a while."""
    for file in s.root.rglob("*"):
        if file.is_file() and "public" not in file.parts:
            os.utime(file, ns=(10**18, 10**18))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stamp is racy: builds compare stamps only."""
    monkeypatch.setattr(Stamp, "is_settled", lambda *_: True)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of parsed files, in order. Tests may clear the list."""
    seen: list[str] = []
    real = content.Reader.parse

    def parse(self: content.Reader, source: Source, digest: bytes = b"") -> Parsed:
        seen.append(source.id)
        return real(self, source, digest)

    monkeypatch.setattr(content.Reader, "parse", parse)
    return seen


@pytest.mark.usefixtures("settled")
def test_only_changed_files_are_parsed(site: Make, parsed: list[str]) -> None:
    s = site(SITE).article("a").article("b").article("c", lang="what is this")
    assert len(s.build().problems) == 1
    assert parsed == ["a.md", "b.md", "c.md"]
    parsed.clear()
    s.article("b", title="Anew")
    os.utime(s.root / "content/a.md")
    report = s.build()
    assert parsed == ["b.md"], "a touched file keeps its digest; a broken file is not parsed again"
    assert len(report.problems) == 1
    parsed.clear()
    s.write("site.toml", BASE + '[images]\nshow = "none"\n')
    s.build()
    assert parsed == ["a.md", "b.md", "c.md"], "parsing depends on the settings"


def test_an_edit_within_one_tick_of_a_coarse_clock_is_detected(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_an_edit_that_keeps_size_and_mtime_is_detected(site: Make) -> None:
    s = site(SITE).article("a", title="One")
    s.good()
    stamp = (s.root / "content/a.md").stat()
    s.edit("content/a.md", "One", "Two")
    os.utime(s.root / "content/a.md", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    s.good()
    assert "Two" in s.read("2026/11/08/a/index.html")


def test_a_build_without_changes_imports_neither_yaml_nor_jinja(site: Make) -> None:
    s = site(SITE).article("a").article("b")
    settle(s)
    s.good(output=s.root / "elsewhere")
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from newsgen.builder import Options, build\n"
        "report = build(Options(site=Path('.'), now=datetime(2026, 11, 22, 12, tzinfo=UTC)))\n"
        "print(len(report.written), list(report.seconds), *sorted({m.partition('.')[0] for m in sys.modules}), report.articles)"
    )
    for expected in ("read", "check"):  # the first build reads the touched files
        done = subprocess.run([sys.executable, "-c", code], cwd=s.root, capture_output=True, text=True, check=True)
        assert f"['{expected}" in done.stdout
    assert not {"yaml", "jinja2", "markdown", "nh3", "frontmatter", "yaml_rs"} & set(done.stdout.split())
    assert done.stdout.split()[-1] == "2"


def test_an_edit_is_detected_when_mtimes_exceed_64_bits(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def scan_far_future(*args: Any) -> Found:
        late = FoundFiles()
        for found in scan(*args).content:
            assert isinstance(found.stamp, Stamp)
            late.add_odd(found._replace(stamp=found.stamp._replace(mtime=2**65)))
        return Found(late, FoundFiles(), [])

    scan = files.scan
    monkeypatch.setattr(files, "scan", scan_far_future)
    s = site(SITE).article("a", title="Before")
    s.good()
    s.edit("content/a.md", "Before", "Behind")
    s.good()
    assert "Behind" in s.read("index.html")


def test_a_racy_file_is_read_again_until_its_stamp_is_reliable(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    s = site(SITE).article("a").article("b")
    s.good()
    read: list[str] = []
    digest = snapshot._digest
    monkeypatch.setattr(snapshot, "_digest", lambda path: read.append(Path(path).name) or digest(path))
    assert "check" in s.good().seconds
    assert {"a.md", "b.md"} <= set(read), "an edit may have left the stamp as it was"
    monkeypatch.setattr(files, "TICK", -(10**12))
    assert "check" in s.good().seconds
    read.clear()
    assert "check" in s.good().seconds
    assert read == [], "by now any edit would change the stamp"
    s.article("a", title="Other")
    assert "check" not in s.good().seconds


CHANGES: dict[str, Callable[[Site], object]] = {
    "content": lambda s: s.article("a", title="Other"),
    "a new file": lambda s: s.article("new"),
    "a removed file": lambda s: (s.root / "content/b.md").unlink(),
    "a renamed file": lambda s: (s.root / "content/b.md").rename(s.root / "content/z.md"),
    "an about file": lambda s: s.write("content/_topics/t.md", "---\nname: T\n---\n"),
    "settings": lambda s: s.write("site.toml", BASE + 'title = "T"\n'),
    "no settings": lambda s: (s.root / "site.toml").unlink(),
    "a template": lambda s: s.write("templates/pages/404.html", "gone"),
    "a static file": lambda s: s.write("static/x.txt", "x"),
    "a missing output file": lambda s: (s.output / "index.html").unlink(),
    "a modified output file": lambda s: (s.output / "404.html").write_text("altered"),
    "the manifest": lambda s: (s.output / ".newsgen-manifest.json").unlink(),
    "a symbolic link as the templates folder": lambda s: (s.root / "templates").symlink_to(s.root / "content"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_causes_a_full_build(site: Make, change: str) -> None:
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
def test_different_options_cause_a_full_build(site: Make, more: dict[str, object]) -> None:
    s = site(SITE).article("a").article("b", draft="true")
    s.good()
    assert "check" not in s.good(**more).seconds


def test_an_opening_gate_or_an_earlier_clock_causes_a_full_build(site: Make) -> None:
    from datetime import timedelta

    from sites import NOW

    s = site(SITE).article("a").article("later", publishedDateTime="2026-11-22T13:00:00Z")
    assert s.good().published == 1
    assert "check" in s.good(now=NOW + timedelta(minutes=59)).seconds
    assert s.good(now=NOW + timedelta(hours=1)).published == 2
    assert s.good(now=NOW).published == 1


DAMAGE = ["cut", "bytes", "text", "nothing", "folder", "other engine", "rows"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_replaced_silently(site: Make, damage: str, parsed: list[str]) -> None:
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
                _update(file, "UPDATE kept SET value = ? WHERE name = 'made'", b"1 another")
            case "rows":
                _update(file, "UPDATE files SET data = ?", b"a\x90")
                _update(file, "UPDATE kept SET value = NULL WHERE name != 'made' AND name != ?", "turn")
        s.article("a7", title=f"Seven {chance.random()}")
        parsed.clear()
        report = s.build()
        assert not report.problems
        assert "a7.md" in parsed
        s.build(output=s.root.parent / "clean")
        assert s.tree() == s.tree(s.root.parent / "clean")
    assert file.is_file()
    assert "check" in s.good().seconds


def _update(file: Path, query: str, value: object) -> None:
    connection = sqlite3.connect(file)
    connection.execute(query, (value,))
    connection.commit()
    connection.close()


def test_one_build_writes_at_a_time_and_others_go_without_the_cache(tmp_path: Path) -> None:
    one, two = Cache(tmp_path, "e"), Cache(tmp_path, "e")
    one.begin()
    one.put("x", b"one")
    two.begin()
    assert two.get("x") is None
    two.put("x", b"two")
    assert two.get("x") == b"two"
    one.save()
    two.save()
    three = Cache(tmp_path, "e")
    assert three.get("x") == b"one"
    assert three.begin(), "what was saved can be used"
    three.close()


def test_a_state_is_not_used_if_another_build_has_saved_meanwhile(tmp_path: Path) -> None:
    for each in (Cache(tmp_path, "e"), Cache(tmp_path, "e")):
        each.begin()
        each.save()
    one, two = Cache(tmp_path, "e"), Cache(tmp_path, "e")
    assert one.begin()
    one.save()
    assert not two.begin()
    two.close()


def test_reading_changes_nothing(tmp_path: Path) -> None:
    entry = CachedFile("a.md", b"1 2 3 4", b"digest", b"data")
    one = Cache(tmp_path, "e")
    one.begin()
    one.put_file(entry)
    one.save()
    two = Cache(tmp_path, "e")
    assert two.begin_reading()
    assert list(two.files()) == [entry]
    two.put_file(entry._replace(data=b"other"))
    two.put("x", b"two")
    assert (two.file("a.md"), two.get("x")) == (entry._replace(data=b"other"), None)
    two.save()
    two.close()
    three = Cache(tmp_path, "e")
    assert three.file("a.md") == entry
    three.close()
    four = Cache(tmp_path, "another engine")
    assert not four.begin()
    assert list(four.files()) == []
    four.close()


def test_a_reader_with_different_settings_parses_files_again(site: Make, parsed: list[str]) -> None:
    s = site(SITE).article("a")
    s.good()
    before = len(parsed)
    s.write("site.toml", BASE + '[fields]\nexcerpt = ["teaser"]\n')
    s.good()
    assert len(parsed) > before


def test_a_failed_build_does_not_block_the_next_one(site: Make) -> None:
    s = site(SITE).article("a")
    s.good()
    s.write("templates/pages/404.html", "{{ page.nothing }}")
    failures = []
    for _ in range(2):
        with pytest.raises(TemplateError) as failed:
            s.build()
        failures.append(failed)  # the traceback keeps the locals of the failed build alive
    shutil.rmtree(s.root / "templates")
    s.article("b")
    assert s.good().seconds["remember"] < 1
    assert "check" in s.good().seconds


def test_the_engine_depends_on_library_versions_and_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {cache.engine()}
    site_packages = tmp_path / "packages"
    (site_packages / "markdown-99.1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(site_packages), *sys.path])
    cache.installed_versions.cache_clear()
    cache.engine.cache_clear()
    cache.installed_versions.cache_clear()
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
    cache.installed_versions.cache_clear()
    cache.engine.cache_clear()
    cache.installed_versions.cache_clear()
    assert len(names) == 4
    assert cache.engine() in names


@pytest.mark.usefixtures("each_compiled")
def test_templates_are_parsed_once_and_compiled_for_the_site_and_its_assets(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    import jinja2

    parser, parsed = jinja2.environment.Parser, list[str]()

    def parse(environment: jinja2.Environment, source: str, *rest: str) -> jinja2.parser.Parser:
        parsed.append(source)
        return parser(environment, source, *rest)

    monkeypatch.setattr(jinja2.environment, "Parser", parse)
    s = site(SITE).article("a")
    s.good()
    assert len(parsed) == len({*parsed}) > 30
    s.article("a", title="Anew")
    s.good()
    s.write("static/css/site.css", "body { color: red }")
    s.article("a", title="Anew again")
    s.good()
    s.good(output=s.root.parent / "clean")
    assert s.tree() == s.tree(s.root.parent / "clean")


@pytest.mark.usefixtures("each_compiled")
def test_faster_templates_render_the_same_as_jinja_s_own(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import jinja2

    s = site(SITE)
    s.write(
        "templates/pages/404.html",
        '{% macro m(a, b="<") %}{{ a }}{{ b }}{% endmacro %}{% macro n(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}'
        "{% macro c(a) %}{{ a }}{{ caller(1) }}{% endmacro %}"
        "{{ m('&') }}{{ m(1, 2) }}{{ m(1, b=2) }}{{ n(1, 2, c=3) }}{% call(d) c('&') %}{{ d }}{{ page.path }}{% endcall %}",
    )
    for n in range(6):
        s.article(f"a{n}", title=f"A <b>{n}</b> & \"more\" 'of' it", topics="[T, U & V]", story="s" if n < 3 else None)
    s.good()
    fast = s.tree()
    monkeypatch.setattr(render, "_Template", jinja2.Template)
    monkeypatch.setattr(render._Environment, "context_class", jinja2.runtime.Context)
    monkeypatch.setattr(render, "_TemplateCache", lambda *_: None)
    s.good(output=s.root.parent / "plain")
    assert s.tree(s.root.parent / "plain") == fast


def test_macro_results_are_cached_by_all_arguments(site: Make) -> None:
    s = site(SITE)
    s.write("templates/parts/x.html", "{% macro m(card, a, b=1) %}{{ card.title }} {{ a }} {{ b }}{% endmacro %}")
    s.write(
        "templates/pages/article.html",
        '{% from "parts/x.html" import m %}{{ m(page.content.card, 1) }}|{{ m(page.content.card, true) }}|{{ m(page.content.card, 1, b=2) }}|'
        "{{ m(page.content.card, [1]) }}|{{ m(page.content.card, 1) }}",
    )
    s.article("a", title="A&B").article("b", title="B")
    s.good()
    assert s.read("2026/11/08/a/index.html") == "A&amp;B 1 1|A&amp;B True 1|A&amp;B 1 2|A&amp;B [1] 1|A&amp;B 1 1"
    assert s.read("2026/11/08/b/index.html").startswith("B 1 1|")


def test_repeated_builds_in_one_process_equal_clean_builds(site: Make, parsed: list[str]) -> None:
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
        pipeline.build(s.options(), memory=memory)
        s.build(output=s.root.parent / f"clean{step}")
        assert s.tree() == s.tree(s.root.parent / f"clean{step}"), step
    assert memory.loaded
    assert memory.loaded.report.articles == 7
    assert len(parsed) > 8


def test_a_build_command_that_changes_nothing_imports_only_what_it_needs(site: Make) -> None:
    s = site(SITE).article("a")
    settle(s)
    args = ["build", "--now", "2026-11-22T12:00:00Z"]
    code = (
        f"import os, sys; sys.argv = ['newsgen', *{args}]; os._exit = lambda _: print(*sys.modules)\n"
        "from newsgen.commands import main; main()"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], cwd=s.root, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "newsgen.builder.pipeline" in modules
    heavy = {"yaml", "jinja2", "markdown", "nh3", "frontmatter", "yaml_rs", "newsgen.builder.loading"}
    assert not modules & (heavy | {"newsgen.content", "newsgen.pages", "newsgen.stories"})


def test_a_copied_site_keeps_what_its_cache_knows(site: Make, parsed: list[str], settled: None) -> None:
    s = site(SITE)
    for n in range(9):
        s.article(f"a{n}", topics="[T]" if n % 2 else "")
    settle(s)
    s.good()
    copy = Site(s.root.parent / "copy")
    shutil.rmtree(copy.root)
    shutil.copytree(s.root, copy.root)
    cache = Cache(copy.root, engine())
    assert cache.is_intact
    cache.close()
    with (copy.root / ".newsgen/cache.db").open("r+b") as file:
        connection = sqlite3.connect(file.name)
        connection.execute("DELETE FROM kept WHERE name LIKE '%members%'")
        connection.commit()
        connection.close()
    cache = Cache(copy.root, engine())
    assert not cache.is_intact
    cache.close()


@pytest.mark.usefixtures("settled")
def test_a_site_that_has_just_been_built_is_read_without_parsing(site: Make, parsed: list[str]) -> None:
    s = site(SITE).article("a").article("b")
    s.good()
    before = database(s).read_bytes()
    parsed.clear()
    assert [member.id for member in s.load().library.members] == ["b.md", "a.md"]
    assert parsed == []
    assert database(s).read_bytes() == before
