"""The same input gives the same bytes, however it is built."""

import filecmp
import gc
import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import NOW, Site

from newsgen import files
from newsgen.builder import loading, pipeline, pool
from newsgen.builder.render import Renderer
from newsgen.config import Config
from newsgen.content import Reader
from newsgen.library import Arrangement
from newsgen.pages import Page, decode

Make = Callable[..., Site]


@pytest.fixture
def demo(site: Make) -> Site:
    s = site()
    shutil.rmtree(s.root / "content")
    shutil.copytree(files.shipped_site() / "content", s.root / "content")
    shutil.copytree(files.shipped_site() / "static/demo", s.root / "static/demo")
    shutil.copyfile(files.shipped_site() / "site.toml", s.root / "site.toml")
    return s


def test_any_number_of_jobs_gives_the_same_bytes(demo: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BATCH", 20)
    demo.good()
    one = demo.tree()
    report = demo.good(jobs=2, output=demo.root / "other")
    assert len(report.rendered) > 100
    assert demo.tree(demo.root / "other") == one
    for saturated in ((True,), (False,), (False, True, True), (True, False)):
        turns = cycle(saturated)
        monkeypatch.setattr(pool.Pool, "is_saturated", property(lambda _, turns=turns: next(turns)))
        shutil.rmtree(demo.root / ".newsgen")
        place = demo.root / f"shared{len(saturated)}{saturated[0]}"
        demo.good(jobs=2, output=place)
        assert demo.tree(place) == one, "the output depends on which process renders a page"


def test_a_large_archive_is_arranged_in_parts_with_the_same_bytes(demo: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    demo.good()
    whole = demo.tree()
    taken: list[int] = []
    update = Arrangement.update

    def count(self: Arrangement, changed: list[str], *args: Any, **kwargs: Any) -> Any:
        taken.append(len(changed))
        return update(self, changed, *args, **kwargs)

    monkeypatch.setattr(Arrangement, "update", count)
    for size in (7, 20):
        monkeypatch.setattr(loading, "TOGETHER", size)
        shutil.rmtree(demo.root / ".newsgen")
        demo.good()
        assert max(taken) == size
        assert demo.tree() == whole
        taken.clear()
    demo.edit("site.toml", "title =", "excerpt_length = 20\ntitle =").good()  # a new library, from cached articles
    assert max(taken) == 20


def test_workers_render_what_an_update_makes_stale(demo: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BATCH", 20)
    demo.good(jobs=1)
    tasks: list[object] = []
    submit = pool.Pool.submit
    monkeypatch.setattr(pool.Pool, "submit", lambda self, *task: (tasks.append(task[0]), submit(self, *task))[1])
    demo.write("content/new.md", "---\ntitle: New\ndate: 2026-11-21\n---\nBody.\n")
    demo.good(jobs=2)
    assert not tasks, "one article is not worth starting them"
    demo.write("templates/base.html", (files.shipped_site() / "templates/base.html").read_text() + "<!-- another -->")
    report = demo.good(jobs=2)
    assert len(report.rendered) > 100
    assert len(tasks) > 2
    demo.good(jobs=1, output=demo.root / "clean")
    assert demo.tree() == demo.tree(demo.root / "clean")


def test_a_page_is_freed_when_it_is_rendered(demo: Site) -> None:
    """A build renders with the collector of cycles off, and a large site would fill the memory."""
    demo.write(
        "templates/pages/article.html",
        "{% extends 'base.html' %}{% macro own(page) %}{{ page.head.title }}{% endmacro %}"
        "{% block main %}{% macro inner(page) %}{{ own(page) }}{% endmacro %}{{ inner(page) }}{% endblock %}",
    )
    loaded = demo.load(whole=True)
    render = Renderer(loaded.theme, loaded.site)
    pages = [page for page in loaded.plan.pages() if page.template.startswith("pages/")]
    assert {"pages/story.html", "pages/article.html", "pages/list.html"} <= {page.template for page in pages}
    data = [page.encode() for page in pages]
    for each in data:  # fills the caches
        render(decode(each))
    gc.collect()
    with loading.collector_off():
        for each in data:
            render(decode(each))
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect()
            left = [each for each in gc.garbage if isinstance(each, Page)]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert not left


def test_spawned_processes_and_threads_give_the_same_bytes(demo: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS spawn workers, so everything passed to and from a worker must be picklable."""
    monkeypatch.setattr(pool, "BATCH", 20)
    demo.good(jobs=1)
    one = demo.tree()
    pools = (ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")), ThreadPoolExecutor(2))
    for number, executor in enumerate(pools):
        with executor:
            shutil.rmtree(demo.root / ".newsgen")
            report = pipeline.build(demo.options(output=demo.root / f"out{number}"), executor=executor)
            assert not report.problems
            assert demo.tree(demo.root / f"out{number}") == one
            demo.write("content/new.md", "---\ntitle: New\ndate: 2026-11-21\nextra: [1, {a: [b]}]\n---\nBody.\n")
            demo.write("templates/pages/404.html", f"Anew {number}")
            pipeline.build(demo.options(output=demo.root / f"out{number}"), executor=executor)
            demo.good(output=demo.root / f"clean{number}")
            assert demo.tree(demo.root / f"out{number}") == demo.tree(demo.root / f"clean{number}")
            (demo.root / "content/new.md").unlink()
            shutil.rmtree(demo.root / "templates")
            demo.good(jobs=1)
            one = demo.tree()


def test_each_thread_of_an_executor_has_a_reader_of_its_own() -> None:
    config, together = Config(), Barrier(2)

    def reader(_: int) -> Reader:
        together.wait(10)
        return loading._reader(config, "content")

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(reader, range(2))
    assert one is not two
    assert loading._reader(config, "content") is loading._reader(Config(), "content")


def test_the_output_does_not_depend_on_locale_time_zone_or_hash_seed(demo: Site) -> None:
    demo.spawn("build", "--now", NOW.isoformat(), PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C")
    one = demo.tree()
    other = demo.root / "elsewhere"
    shutil.copytree(demo.root / "content", other / "content", copy_function=shutil.copy)
    for name in ("static", "site.toml"):
        (shutil.copytree if name == "static" else shutil.copyfile)(demo.root / name, other / name)
    site = Site.__new__(Site)
    site.root, site.output = other, other / "public"
    done = site.spawn(
        "build",
        "--now",
        (NOW + timedelta(days=30)).isoformat(),
        PYTHONHASHSEED="2",
        TZ="America/New_York",
        LC_ALL="C.UTF-8",
    )
    assert done.returncode == 0, done.stderr
    assert site.tree() == one
    assert "Tideline" in one["index.html"].decode()


EDITS = st.sampled_from(
    [
        "add",
        "add held",
        "delete",
        "retitle",
        "retopic",
        "rename",
        "body",
        "join",
        "part",
        "relate",
        "template",
        "no template",
        "static",
        "config",
        "topic",
        "alter",
        "lose",
        "kill manifest",
    ]
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(EDITS, st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=10))
def test_after_any_edits_the_output_equals_a_clean_build(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, int, int]]
) -> None:
    s = Site(tmp_path_factory.mktemp("law"))
    s.write("site.toml", 'base_url = "https://news.example/"\npage_size = 3\n')
    for n in range(4):
        put(s, n, title=f"Article {n}")
    s.build()
    for number, (edit, n, value) in enumerate(edits):
        change(s, edit, n, value)
        s.build()
        clean = s.root.parent / f"{s.root.name}-clean-{number}"
        s.build(output=clean)
        assert s.tree() == s.tree(clean), edits[: number + 1]
        shutil.rmtree(clean)


def put(s: Site, n: int, **fields: str) -> None:
    s.article(
        f"n{n}", webUrl=f"https://p{n % 3}.example/{n}", publishedDateTime=f"2026-11-0{n % 5 + 1}T0{n}:00:00Z", **fields
    )


def change(s: Site, edit: str, n: int, value: int) -> None:
    """Makes one edit."""
    file = s.root / f"content/n{n}.md"
    related = f'related:\n  - title: R{value}\n    webUrl: "https://p{value % 3}.example/{value}"\n'
    match edit:
        case "add" | "retitle":
            put(s, n, title=f"Title {value}", topics=f"[T{value % 3}]")
        case "add held":
            put(s, n, title="Held", published="false")
        case "delete":
            file.unlink(missing_ok=True)
        case "retopic":
            put(s, n, topics=f"[T{value}, U{value % 2}]", category=f"c{value % 2}")
        case "rename" if file.exists():
            (s.root / "content/deep").mkdir(exist_ok=True)
            file.rename(s.root / f"content/deep/{value}.md")
        case "body":
            put(s, n, body=f"Body *{value}*.")
        case "join":
            put(s, n, story=f"s{value % 2}")
        case "part":
            put(s, n)
        case "relate":
            put(s, n, more=related)
        case "template":
            s.write(
                "templates/parts/card.html",
                (files.shipped_site() / "templates/parts/card.html").read_text() + "\n" * value,
            )
        case "no template":
            shutil.rmtree(s.root / "templates", ignore_errors=True)
        case "static":
            s.write("static/css/site.css", f"/* {value} */")
        case "config":
            s.write(
                "site.toml",
                f'base_url = "https://news.example/{"x/" * (value % 2)}"\npage_size = {value % 3 + 2}\ntitle = "T{value % 2}"\n',
            )
        case "topic":
            s.write("content/_topics/t1.md", f"---\nname: Topic {value}\nparent: T2\n---\n")
        case "alter":
            (s.output / "index.html").write_text("altered")
        case "lose":
            shutil.rmtree(s.output / "archive", ignore_errors=True)
        case "kill manifest":
            (s.output / ".newsgen-manifest.json").write_bytes(b"x" * value)


def test_removing_an_override_restores_the_shipped_template(site: Make) -> None:
    s = site().article("a")
    s.good()
    one = s.tree()
    s.write(
        "templates/base.html", "{% extends 'newsgen/base.html' %}{% block footer %}<footer>Mine</footer>{% endblock %}"
    )
    s.good()
    assert "<footer>Mine</footer>" in s.read("2026/11/08/a/index.html")
    assert "Skip to the content" in s.read("2026/11/08/a/index.html")
    (s.root / "templates/base.html").unlink()
    s.good()
    assert s.tree() == one


def test_a_static_file_overrides_the_shipped_one(site: Make) -> None:
    s = (
        site()
        .article("a")
        .write("static/css/site.css", "body { color: red }")
        .write("static/robots-extra.txt", "x")
        .write("static/.well-known/x.txt", "y")
    )
    s.good()
    (css,) = (s.output / "css").glob("site.*.css")
    assert css.read_text() == s.read("css/site.css")
    assert css.read_text() == "body { color: red }"
    assert f"/css/{css.name}" in s.read("index.html")
    assert s.read("robots-extra.txt") == "x"
    assert s.read(".well-known/x.txt") == "y"
    assert not (s.output / "demo").exists(), "other sites must not inherit the demonstration pictures"


def test_a_template_with_a_missing_asset_or_computed_name_is_reported(site: Make) -> None:
    from newsgen.errors import TemplateError

    s = site().article("a").write("templates/pages/404.html", "{{ 'js/nothing.js' | asset }}")
    with pytest.raises(TemplateError, match=r"static/js/nothing\.js"):
        s.build()
    s.write("templates/pages/404.html", "{% extends 'pages/' ~ page.path %}")
    with pytest.raises(TemplateError, match="name in quotes"):
        s.build()


def test_the_demonstration_site_builds_without_problems(tmp_path: Path) -> None:
    report = pipeline.build(pipeline.Options(site=files.shipped_site(), output=tmp_path / "public", now=NOW))
    assert not report.problems
    assert not report.warnings
    assert report.skipped == {"held": 2, "draft": 1, "future": 1, "expired": 1}
    assert report.stories >= 10
    again = pipeline.build(pipeline.Options(site=files.shipped_site(), output=tmp_path / "again", now=NOW))
    assert again.pages == report.pages
    assert not filecmp.dircmp(tmp_path / "public", tmp_path / "again", ignore=[".newsgen-manifest.json"]).diff_files
