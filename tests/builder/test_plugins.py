"""Plugins: what they may do, what is made of their results, and what happens when they fail.

tests/plugin is a plugin as others would write it: a package of its own, built with hatchling and installed here.
tests/test_incremental.py tests the law with a plugin whose code is edited.
"""

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling import build as hatchling
from sites import Site

from newsgen.builder import pipeline, pool
from newsgen.commands.check import check
from newsgen.errors import ConfigError, PluginError, TemplateError

Make = Callable[..., Site]

SETTINGS = 'base_url = "https://bikes.example/"\nplugins = ["bikes"]\n'
HEAD = "from msgspec.structs import replace\nfrom newsgen import Page, Plugin, Problem\n\nclass Bikes(Plugin):\n"
ARTICLE = "2026/11/08/a/index.html"


def bikes(site: Make, methods: str, *, settings: str = SETTINGS) -> Site:
    """A site with a plugin that has these methods."""
    return site().write("site.toml", settings).write("plugins/bikes.py", HEAD + methods)


def returning(site: Make, changes: str, **fields: object) -> Site:
    """A site whose plugin changes fields of its only article."""
    plugin = f"    def article(self, article):\n        return replace(article, {changes})\n"
    return bikes(site, plugin).article("a", body="Own words.", **fields)


# Articles and topics


def test_a_plugin_changes_articles_and_adds_topics(site: Make) -> None:
    plugin = """
    def article(self, article):
        return replace(article, title=article.title.replace("Bicycle", "Bike"), extra={"km": 40})
    def topics(self, article):
        return ["Touring", "touring"] if "tour" in article.title else []
"""
    s = bikes(site, plugin).article("a", title="Bicycle tour").article("b", title="Bicycle race")
    s.good()
    assert "<h1" in s.read(ARTICLE)
    assert "Bike tour" in s.read(ARTICLE)
    assert "Bike tour" in s.read("topics/touring/index.html")
    assert "Bike race" not in s.read("topics/touring/index.html")
    loaded = s.load()
    assert loaded.article("a.md").extra == (("km", 40),)
    assert (loaded.article("a.md").topics, loaded.named_topics("a.md")) == (("Touring",), ())
    loaded.release()


def test_an_update_calls_a_plugin_for_the_files_that_are_read_only(site: Make, tmp_path: Path) -> None:
    log = tmp_path / "log"
    plugin = f"""
    def article(self, article):
        with open({str(log)!r}, "a") as file:
            file.write(article.id + " ")
        return article
"""
    s = bikes(site, plugin).article("a").article("b").article("c")
    s.good()
    assert sorted(log.read_text().split()) == ["a.md", "b.md", "c.md"]
    s.good()
    s.article("b", title="Another")
    s.good()
    assert log.read_text().split()[3:] == ["b.md"]


def test_none_leaves_an_article_out(site: Make) -> None:
    plugin = "    def article(self, article):\n        return None if 'race' in article.title else article\n"
    s = bikes(site, plugin).article("a", title="A tour").article("b", title="A race")
    report = s.good(show=frozenset({"held"}))
    assert (report.published, report.skipped) == (1, {"blocked": 1})
    assert "or left out by a plugin" in report.notes[0]
    assert not any(b"A race" in data for data in s.tree().values())


def test_an_article_that_a_plugin_fails_on_stays_as_it_was(site: Make) -> None:
    plugin = "    def article(self, article):\n        return replace(article, title=article.title[20:].split()[0])\n"
    s = bikes(site, plugin).article("a", title="Short").article("b", title="A very long title indeed")
    (problem,) = s.build().problems
    assert str(problem) == (
        "content/a.md: plugin 'bikes' failed, so the article stays as it was: IndexError: list index out of range"
        " (plugins/bikes.py:6); correct the plugin"
    )
    assert "Short" in s.read(ARTICLE)
    assert s.build().problems == [problem], "a build without changes reports it again"
    s.edit("plugins/bikes.py", ".split()[0]", " or 'Mended'")
    assert s.good().written
    assert "Mended" in s.read(ARTICLE)


def test_what_a_plugin_returns_is_checked(site: Make) -> None:
    s = returning(site, "title='<script>', url='javascript:x', held=False", published="false").article("b")
    problems = sorted(str(problem) for problem in s.build(show=frozenset({"held"})).problems if "/a.md" in problem.path)
    assert problems == [
        "content/a.md: held: plugin 'bikes': a plugin cannot open a gate; publish the article in its file",
        "content/a.md: url: plugin 'bikes': 'javascript:x' is not a web address; write it in full, beginning with https://",
    ]
    assert "&lt;script&gt;" in s.read(ARTICLE)
    s.build()
    assert not (s.output / ARTICLE).exists()


# Pages


PAGES = """
    sections = ("topic touring",)
    def pages(self, library):
        section = library.section("topic", "touring")
        titles = [member.title for member in section.members] if section else []
        yield Page(path="tours/index.html", template="tours.html", title="Tours", data={"titles": titles})
        yield Page(path="tours.csv", template="tours.txt", data=titles)
"""
TEMPLATES = """-- templates/tours.html --
{% extends "base.html" %}{% block main %}{% for t in page.data.titles %}<p>{{ t | loud }}</p>{% endfor %}{% endblock %}
-- templates/tours.txt --
{% for title in page.data %}{{ title }}
{% endfor %}"""
LOUD = "    def filters(self):\n        return {'loud': lambda text: text.upper() + '!'}\n"


def tours(site: Make, more: str = LOUD) -> Site:
    s = bikes(site, PAGES + more).add(TEMPLATES)
    return s.article("a", title="A <tour>", topics="[Touring]").article("b", title="A race", topics="[Racing]")


def test_the_macros_take_cards_with_pictures_from_a_plugins_page(site: Make) -> None:
    s = site(
        """-- site.toml --
plugins = ["x"]
-- plugins/x.py --
from msgspec.structs import replace
from newsgen import Page, Plugin
class X(Plugin):
    def pages(self, library):
        (card,) = map(library.card, library.members)
        card = replace(card, image=replace(card.image, widths=(480,), formats=("webp",)))
        yield Page(path="x.html", template="x.html", title="X", data=[card])
-- templates/x.html --
{% import "parts/card.html" as cards %}{{ cards.item(page.data[0], 2, True) }}
"""
    )
    s.article("a", images="[/img/a.png]").good()
    assert 'srcset="/img/a-480.webp 480w"' in s.read("x.html")


def test_a_plugin_makes_pages_that_take_part_in_everything(site: Make) -> None:
    s = tours(site)
    s.good()
    assert "<p>A &lt;TOUR&gt;!</p>" in s.read("tours/index.html")
    assert s.read("tours.csv") == "A <tour>\n"
    assert "<loc>https://bikes.example/tours/</loc>" in s.read("sitemaps/lists.xml")
    s.article("c", title="Another race", topics="[Racing]")
    assert not {p for p in s.good().rendered if p.startswith("tours")}
    assert "plugin bikes" not in s.build(verify=True).seconds, (
        "a plugin runs only if a section that it declares differs"
    )
    s.article("d", title="Another tour", topics="[Touring]")
    report = s.good()
    assert {"tours/index.html", "tours.csv"} <= set(report.rendered)
    assert report.seconds["plugin bikes"] >= 0
    (s.output / "tours.csv").unlink()
    assert s.good().written == ["tours.csv"]
    s.write("site.toml", SETTINGS.replace('"bikes"', ""))
    assert {"tours/index.html", "tours.csv"} <= set(s.good().pruned)


def test_only_pages_whose_template_uses_a_filter_follow_its_code(site: Make) -> None:
    s = tours(site)
    s.good()
    s.edit("plugins/bikes.py", "+ '!'", "+ '?'")
    report = s.good()
    assert report.rendered == report.written == ["tours/index.html"]
    assert "TOUR&gt;?" in s.read("tours/index.html")


BAD_PAGES = {
    "path='../x.html', template='tours.html', title='T'": "page '../x.html' is left out: its path must be like tours/",
    "path='/etc/x.html', template='tours.html', title='T'": "its path must be like tours/",
    "path='a/.git/x.html', template='tours.html', title='T'": "its path must be like tours/",
    "path='a//x.html', template='tours.html', title='T'": "its path must be like tours/",
    "path='a\\\\x.html', template='tours.html', title='T'": "its path must be like tours/",
    "path='_headers.txt', template='tours.txt'": "its path must be like tours/",
    "path='x.svg', template='tours.html'": "its path must have one of the endings .html, ",
    "path='x1.html', template='tours.txt', title='T'": "its template must have the ending .html, not 'tours.txt'",
    "path='x2.html', template='other.html', title='T'": "there is no template 'other.html'",
    "path='x3.html', template='tours.html'": "it must have a title",
    "path='x4.html', template='tours.html', title='T', data=object()": "page 'x4.html' is left out: ",
    "path='x5.html', template='tours.html', title='T', data={'a': {1: 2, 'b': 3}}": "page 'x5.html' is left out: ",
    "path='x6.html', template='tours.html', title=3": "Expected `str`, got `int` - at `$.title`",
    "path=b'x7.html', template='tours.html', title='T'": "page \"b'x7.html'\" is left out: ",
    "path='index.html', template='tours.html', title='T', data={'titles': []}": "cannot be written to index.html, because",
    "path='Topics/index.html/x.csv', template='tours.txt', data=[]": "cannot be written to Topics/index.html/x.csv",
}


def test_a_page_that_cannot_be_is_left_out(site: Make) -> None:
    s = tours(site)
    bad = "".join(f"        yield Page({page})\n" for page in BAD_PAGES)
    s.edit("plugins/bikes.py", '        yield Page(path="tours.csv"', bad + '        yield Page(path="tours.csv"')
    problems = s.build().problems
    assert all(str(problem).startswith("plugin 'bikes': ") for problem in problems)
    for said in BAD_PAGES.values():
        assert any(said in str(problem) for problem in problems), said
    assert len(problems) == len(BAD_PAGES)
    assert (s.output / "tours.csv").exists()
    assert not (s.root / "x.html").exists()
    s.article("c", title="Another race")
    assert s.build().problems == problems, "an update that does not call the plugin reports it again"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("section = ", "raise ValueError('no')  #", "plugins/bikes.py:8: plugin 'bikes': pages: ValueError: no"),
        ('"topic", "touring"', '"topic", "racing"', 'reads "topic racing", which it does not declare'),
        (
            'library.section("topic", "touring")',
            "library.articles",
            "reads the whole library, which it does not declare",
        ),
        ('"topic touring",', '"subject touring",', "sections has 'subject touring'; write one of topic, "),
        ("class Bikes", "class Bikes(", "plugins/bikes.py:4: plugin 'bikes': cannot be loaded: SyntaxError: "),
        (
            "class Bikes",
            "import nothing.at_all\n\nclass Bikes",
            "plugins/bikes.py:4: plugin 'bikes': cannot be loaded: Mod",
        ),
        ("class Bikes(Plugin)", "class Bikes", "its module has no class derived from newsgen.Plugin"),
    ],
)
def test_a_plugin_that_fails_as_a_whole_is_an_error(site: Make, old: str, new: str, said: str) -> None:
    s = tours(site)
    s.edit("plugins/bikes.py", old, new)
    with pytest.raises(PluginError) as error:
        s.load()
    assert said in str(error.value)


def test_a_failure_leaves_the_site_as_it_was(site: Make) -> None:
    s = tours(site)
    s.good()
    before = s.tree()
    s.article("d", title="A new tour", topics="[Touring]")
    for old, new, said in (
        ("yield Page", "1 / 0; yield Page", "plugin 'bikes': pages: ZeroDivisionError"),
        ("upper()", "nothing()", "templates/tours.html:1: plugin 'bikes': filter 'loud': AttributeError"),
    ):
        s.edit("plugins/bikes.py", old, new)
        with pytest.raises((PluginError, TemplateError)) as error:
            s.build()
        assert said in str(error.value)
        assert s.tree() == before
        s.edit("plugins/bikes.py", new, old)
    s.good()
    assert "<p>A NEW TOUR!</p>" in s.read("tours/index.html")


def test_a_plugin_that_declares_no_sections_may_read_everything_and_runs_at_each_change(site: Make) -> None:
    plugin = """
    def pages(self, library):
        stories = [[library.card(m) for m in story.members] for story in library.stories]
        alone = [(a.title, library.address(a), library.story(a)) for a in library.articles]
        axes = {axis: [s.key for s in library.sections(axis)] for axis in ("topic", "provider", "category", "day")}
        yield Page(path="all.json", template="all.json", data=[stories, alone, axes, len(library.members)])
"""
    s = (
        bikes(site, plugin)
        .write("templates/all.json", "{{ page.data | tojson }}")
        .article("a")
        .article("b", topics="[X]")
    )
    s.good()
    assert '"topic":["x"]' in s.read("all.json")
    s.article("c")
    report = s.good()
    assert "all.json" in report.rendered
    assert "plugin bikes" in report.seconds


def test_templates_see_the_same_values_in_all_processes(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BATCH", 4)
    plugin = """
    def topics(self, article):
        return ["Touring"]
    def pages(self, library):
        from datetime import date
        for number, article in enumerate(library.articles):
            data = {"set": {"b", "a"}, "time": article.published, "day": date(2026, 11, 8), "article": article, "n": 1.5}
            yield Page(path=f"p/{number}.html", template="p.html", title="P", data=data)
    def filters(self):
        return {"loud": str.upper}
"""
    text = "{{ page.data }} {{ page.data.time | moment }} {{ page.data.article.title | loud }}"
    s = bikes(site, plugin).write("templates/p.html", text)
    for n in range(10):
        s.article(f"a{n}")
    s.good(jobs=1)
    one = s.tree()
    shutil.rmtree(s.root / ".newsgen")
    s.good(jobs=2, output=s.root / "other")
    assert s.tree(s.root / "other") == one
    assert b"&#39;set&#39;: [&#39;a&#39;, &#39;b&#39;]" in one["p/0.html"]


# Which code runs


def test_a_plugin_that_site_toml_does_not_name_is_not_run(site: Make) -> None:
    s = site().write("plugins/bikes.py", "raise SystemExit").article("a")
    s.good()
    with pytest.raises(PluginError, match="'bikes': cannot be loaded: SystemExit"):
        s.write("site.toml", SETTINGS).build()


def test_a_plugin_that_does_not_exist_is_an_error(site: Make) -> None:
    s = bikes(site, "    pass\n", settings='title = "B"\nplugins = ["bikes", "byke"]\n').article("a")
    with pytest.raises(ConfigError) as error:
        s.build()
    assert str(error.value) == "site.toml:2: plugins[1]: there is no plugin 'byke'; did you mean 'bikes'?"
    with pytest.raises(ConfigError, match="is there twice"):
        s.write("site.toml", 'plugins = ["bikes", "bikes"]\n').build()
    with pytest.raises(ConfigError, match=r"plugins\[0\]"):
        s.write("site.toml", 'plugins = ["../bikes"]\n').build()


def test_a_module_beside_a_plugin_and_a_file_of_data_belong_to_it(site: Make) -> None:
    s = bikes(
        site,
        "    def article(self, article):\n        from . import words\n"
        "        return replace(article, title=words.title + self.files['data/t.txt'].decode())\n",
    )
    s.write("plugins/words.py", "title = 'One'\n").write("plugins/data/t.txt", "!").article("a")
    for old, new, file in (("One", "Two", "words.py"), ("!", "?", "data/t.txt")):
        s.good()
        assert old in s.read(ARTICLE)
        s.edit(f"plugins/{file}", old, new)
    s.good()
    assert "Two?" in s.read(ARTICLE)
    assert not list((s.root / "plugins").rglob("__pycache__"))
    s.write("plugins/.hidden", "x").write("plugins/words.py~", "x")
    assert list(s.good().seconds) == ["check"], "hidden files and copies that editors keep are no part of it"


def test_two_output_folders_have_what_the_newest_code_makes(site: Make) -> None:
    s = returning(site, "title='One'")
    other = s.root / "other"
    s.good()
    s.edit("plugins/bikes.py", "One", "Two")
    s.good(output=other)
    s.good()
    assert "Two" in s.read(ARTICLE)
    s.write("site.toml", "")
    s.good(output=other)
    assert b"Two" not in s.tree(other)[ARTICLE]


def test_the_plugin_in_the_documentation_works(site: Make) -> None:
    page = (Path(__file__).parent.parent.parent / "docs/plugins.md").read_text(encoding="utf-8")
    (plugin, template) = (
        re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)[0] for language in ("python", "html")
    )
    s = site().write("site.toml", SETTINGS).write("plugins/bikes.py", plugin).write("templates/tours.html", template)
    s.article("a", title="A bicycle tour of the Alps").article("b", title="A tour of the town", excerpt="Words.")
    s.good()
    text = s.read("tours/index.html")
    assert text.index("<h2>Alps</h2>") < text.index("A bike tour of the Alps") < text.index("<h2>Elsewhere</h2>")
    assert "content/a.md: no excerpt" in check_problems(s, mend=False)


# An installed plugin


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin in tests/plugin, built and installed as a package. It is the folder of installed packages."""
    source, target = tmp_path / "source", tmp_path / "site-packages"
    shutil.copytree(Path(__file__).parent.parent / "plugin", source)
    before = Path.cwd()
    os.chdir(source)
    try:
        wheel = hatchling.build_wheel(str(tmp_path))
    finally:
        os.chdir(before)
    zipfile.ZipFile(tmp_path / wheel).extractall(target)
    monkeypatch.syspath_prepend(str(target))
    return target


def test_an_installed_plugin_does_all_of_it(site: Make, installed: Path) -> None:
    s = site().write("site.toml", SETTINGS).write("plugins/regions.txt", "Alps\nHarz\n")
    s.article("a", title="Over the Alps", more="distance: 120\n").article(
        "b", title="Round the Harz", more="distance: far\n"
    )
    s.article("c", title="A race")
    with pytest.raises(TemplateError, match=r"tours.html:\d+: plugin 'bikes': filter 'km': ValueError"):
        s.build()
    (problem,) = (p for p in check_problems(s, mend=True) if p.startswith("content/b.md"))
    assert problem == "content/b.md: distance: 'far' is not a number"
    s.edit("content/b.md", "distance: far", "distance: 40.5")
    s.good()
    page = s.read("tours/index.html")
    assert page.index("<h2>Alps</h2>") < page.index("120 km") < page.index("<h2>Harz</h2>") < page.index("40.5 km")
    assert s.read("tours.json") == '{"Alps":1,"Harz":1}\n'
    assert "A race" not in s.read("topics/touring/index.html")
    assert list(s.good().seconds) == ["check"]
    distances = installed / "newsgen_bikes/distances.py"
    distances.write_text(distances.read_text().replace(" km", " kilometres"))
    assert s.good().written == ["tours/index.html"]
    assert "120 kilometres" in s.read("tours/index.html")
    s.write("templates/bikes/tours.html", "The site's own template")
    assert s.good().written == ["tours/index.html"]
    shutil.rmtree(installed)
    with pytest.raises(ConfigError, match="there is no plugin 'bikes'"):
        s.build()


def check_problems(s: Site, *, mend: bool) -> list[str]:
    """What `newsgen check` finds; with `mend`, after a template of the site's own avoids the filter."""
    if mend:
        s.write("templates/bikes/tours.html", "x")
    problems = [str(problem) for problem in check(s.options()).problems]
    if mend:
        (s.root / "templates/bikes/tours.html").unlink()
    return problems


def test_a_check_that_fails_is_a_problem_itself(site: Make) -> None:
    plugin = (
        "    def check(self, site):\n        yield Problem(path='content/a.md', what='odd')\n        yield 1 // 0\n"
    )
    s = bikes(site, plugin).article("a")
    assert [p for p in check_problems(s, mend=False) if "odd" in p or "bikes" in p] == [
        "content/a.md: odd",
        "plugin 'bikes': check failed: ZeroDivisionError: integer division or modulo by zero (plugins/bikes.py:7)",
    ]


def test_a_build_without_plugins_loads_no_code_for_them(site: Make) -> None:
    s = site().article("a")
    s.good()
    done = s.run("build", PYTHONPROFILEIMPORTTIME="1")
    assert "newsgen.builder.plugin" not in done.stderr
    assert pipeline.build(s.options()).seconds
