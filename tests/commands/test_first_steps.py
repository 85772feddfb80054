"""What a new user meets: any locale, any spelling of a path, links between files, and a new site in Git."""

import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sites import Site

from newsgen import config
from newsgen.commands import creating
from newsgen.commands.cli import cli
from newsgen.commands.explain import compare, pair_lines
from newsgen.errors import ConfigError

Make = Callable[..., Site]

LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
]


@pytest.mark.parametrize("env", LOCALES)
def test_commands_work_in_every_locale(site: Make, env: dict[str, str]) -> None:
    s = site()
    done = s.spawn("new", "article", "Zürich – größer ☃", "--date", "2026-11-08T10:00:00Z", **env)
    file = s.root / "content/2026/11/2026-11-08-zürich-grösser.md"
    assert done.returncode == 0, done.stderr
    assert "title: Zürich – größer ☃" in file.read_text(encoding="utf-8")
    assert s.spawn("new", "topic", "Straße", **env).returncode == 0
    for args in (["build", "--all"], ["check", "--all"], ["list", "drafts"], ["explain", "--all", "zürich-grösser"]):
        done = s.spawn(*args, **env)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert (s.output / "2026/11/08/zürich-grösser/index.html").exists()
    done = s.spawn("explain", "größe", **env)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)


@pytest.mark.parametrize("env", LOCALES)
def test_a_name_that_is_no_text_leaves_no_file(site: Make, env: dict[str, str]) -> None:
    s = site()
    bad = os.fsdecode(b"\xff\xfe")
    for what in ("article", "topic"):
        done = s.spawn("new", what, bad, **env)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert [p for p in s.root.rglob("*") if p.is_file()] == [s.root / "site.toml"]


def test_a_file_that_cannot_be_written_is_not_left_empty(site: Make) -> None:
    s = site().write("content/2026", "a file in place of the folder")
    done = s.run("new", "article", "T", "--date", "2026-11-08")
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    (s.root / "content/_topics").mkdir()
    (s.root / "content/_topics/t.md").symlink_to("nowhere.md")
    assert s.run("new", "topic", "T").returncode == 2, "the link stays"
    assert sorted(p.name for p in (s.root / "content/_topics").iterdir()) == ["t.md"]


def invoke(*args: str | Path, code: int = 0) -> str:
    """Runs a command in this process and returns what it prints."""
    done = CliRunner().invoke(cli, [*map(str, args)])
    assert done.exit_code == code, done.output
    return done.output


def test_a_new_site_tells_git_what_newsgen_makes(tmp_path: Path) -> None:
    (tmp_path / "mine/.git").mkdir(parents=True)
    invoke("new", "site", tmp_path / "mine")  # a new repository counts as empty
    lines = (tmp_path / "mine/.gitignore").read_text().splitlines()
    assert {"/public/", "/.newsgen/"} <= set(lines)
    settings = (tmp_path / "mine/site.toml").read_text(encoding="utf-8")
    assert settings.startswith("# The settings of this site.")
    invoke("new", "site", tmp_path / "other", "--empty")  # as in earlier versions
    assert sorted(p.name for p in (tmp_path / "other").iterdir()) == [".gitignore", "content", "site.toml"]
    assert "already exists and is not empty" in invoke("new", "site", tmp_path / "mine", code=2)


def test_a_new_site_has_the_settings_that_its_options_give(tmp_path: Path) -> None:
    given = {
        "title": 'Räder "und" mehr',
        "language": "de",
        "timezone": "Europe/Berlin",
        "base_url": "https://r.example/x/",
    }
    options = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", value)]
    output = invoke("new", "site", tmp_path / "a b", *options)
    assert f"next: newsgen serve --site '{tmp_path}/a b'\n" in output
    found = config.load(tmp_path / "a b/site.toml")
    assert {name: getattr(found, name) for name in given} == given
    for option, value, message in (
        (
            "--timezone",
            "Mars/Olympus",
            "--timezone: unknown time zone 'Mars/Olympus'; use a name such as Europe/Berlin",
        ),
        ("--language", "x_!", "--language: 'x_!' has another form; write it as en or pt-BR"),
        ("--base-url", "r.example", "--base-url: 'r.example' is not a valid base URL; write it as https://"),
        ("--title", " ", "is not a title; write at least one letter"),
    ):
        assert message in invoke("new", "site", tmp_path / "bad", option, value, code=2)
    assert not (tmp_path / "bad").exists()


def test_a_terminal_is_asked_until_the_answers_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_AT.UTF-8")
    monkeypatch.setenv("TZ", "Europe/Vienna")
    answers = "Räder\n\nMars/X\n\nrad.example\nhttps://rad.example/\n"
    with CliRunner().isolation(input=answers) as (out, *_):
        found = creating._asked(tmp_path / "x", ["title", "language", "timezone", "base_url"])
        said = out.getvalue().decode()
    assert found == {
        "title": "Räder",
        "language": "de",
        "timezone": "Europe/Vienna",
        "base_url": "https://rad.example/",
    }
    assert "Error: unknown time zone 'Mars/X'; use a name such as Europe/Berlin" in said
    assert "Error: 'rad.example' is not a valid base URL" in said


def test_the_demonstration_is_created_when_it_is_asked_for(tmp_path: Path) -> None:
    invoke("new", "site", tmp_path / "demo", "--demo", "--title", "Mine")
    found = config.load(tmp_path / "demo/site.toml")
    assert (found.title, found.base_url) == ("Mine", "https://tideline.example/")
    assert (tmp_path / "demo/content/_pages/about.md").exists()
    assert "exclude each other" in invoke("new", "site", tmp_path / "x", "--demo", "--empty", code=2)


def test_the_first_five_minutes_end_in_a_site_with_an_article_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    steps = readme.partition("## Your own site")[2].partition("\n## ")[0]
    commands = re.search(r"```console\n(.*?)```", steps, re.DOTALL)
    assert commands
    monkeypatch.chdir(tmp_path)
    for line in commands[1].splitlines():
        words = shlex.split(line)
        assert words.pop(0) == "newsgen"
        if words[0] != "serve":  # tests/test_docs.py runs it too
            invoke(*words)
    (article,) = (tmp_path / "mysite/content").rglob("*.md")
    assert str(article.relative_to(tmp_path / "mysite").parent.parent.parent) == "content"
    page = (tmp_path / "mysite/public/index.html").read_text(encoding="utf-8")
    assert "Harbour ferry fares to rise" in page
    assert (tmp_path / "mysite/www/current/index.html").exists() or (tmp_path / "www/current/index.html").exists()


def test_an_empty_site_is_a_valid_site(tmp_path: Path) -> None:
    invoke("new", "site", tmp_path / "s", "--base-url", "https://s.example/")
    output = invoke("build", "--site", tmp_path / "s")
    assert "there are no articles; create one with `newsgen new article`" in output
    page = (tmp_path / "s/public/index.html").read_text(encoding="utf-8")
    assert "Nothing published yet" in page
    assert "newsgen new" not in page
    assert "0 errors" in invoke("check", "--site", tmp_path / "s")
    for name in ("_drafts/b.txt", ".git/_x/a.md", "en/_posts/2026/2026-11-08-a.md", "_topics/_old/a.md"):
        file = tmp_path / "s/content" / name
        file.parent.mkdir(parents=True)
        file.write_text("---\ntitle: A\n---\n")
    assert "content/_drafts is not read, because names" in invoke("build", "--site", tmp_path / "s")
    (tmp_path / "s/content/_drafts/b.txt").unlink()
    assert "content/en/_posts/2026 is not read" in invoke("check", "--site", tmp_path / "s")


def test_pages_stories_and_articles_are_created(tmp_path: Path) -> None:
    site = tmp_path / "s"
    invoke("new", "site", site)
    made = [
        invoke("new", "page", "Über uns", "--navigation", "--site", site),
        invoke("new", "story", "Radweg am Hafen", "--site", site),
        invoke("new", "article", "Mein Rad", "--publish", "--date", "2026-11-08", "--site", site),
        invoke("new", "article", "Entwurf", "--date", "2026-11-08", "--site", site),
    ]
    assert [Path(path.splitlines()[0]).relative_to(site / "content").as_posix() for path in made] == [
        "_pages/über-uns.md",
        "_stories/radweg-am-hafen.md",
        "2026/11/2026-11-08-mein-rad.md",
        "2026/11/2026-11-08-entwurf.md",
    ]
    assert "already exists" in invoke("new", "page", "Über  uns", "--site", site, code=2)
    assert "write at least one letter" in invoke("new", "story", " ", "--site", site, code=2)
    (site / "content/2026/11/2026-11-08-mein-rad.md").write_text(
        "---\ntitle: Mein Rad\nstory: radweg-am-hafen\nauthor: Ann\n---\n"
    )
    output = invoke("build", "--site", site)
    assert "1 article, " in output
    assert "no article names this story" not in output
    assert "Über uns" in (site / "public/index.html").read_text(encoding="utf-8")


def test_articles_are_listed_by_what_people_know_of_them(site: Make) -> None:
    s = site().article("a", topics="[Bridges, Trams]", author="[Ann, Bo]", category="news", story="x")
    s.article("b", topics="[bridges]", provider="{name: Post}", publishedDateTime="2026-11-07", story="x")
    s.article("c", webUrl=None, title="Über den Hafen", publishedDateTime="2026-11-06").article("d", draft="true")
    s.write("content/_topics/bridges.md", "---\nname: Bridges\nsynonyms: [Brücke]\n---\n")

    def ids(*args: str) -> list[str]:
        output = invoke("list", "articles", "--site", s.root, "--now", "2026-11-22", "--json", *args)
        return [row["id"] for row in json.loads(output)["rows"]]

    assert ids() == ["a.md", "b.md", "c.md"]
    assert ids("--drafts") == ["d.md", "a.md", "b.md", "c.md"]
    assert ids("--topic", "brücke") == ["a.md", "b.md"]
    assert ids("--topic", "Bridges", "--category", "News") == ["a.md"]
    assert ids("--provider", "www.b.example") == ["b.md"]
    assert ids("--title", "über DEN") == ["c.md"]
    assert ids("--since", "2026-11-07", "--until", "2026-11-07") == ["b.md"]
    assert ids("--limit", "1") == ["a.md"]
    assert ids("--topic", "none") == ids("--provider", "://") == []
    row = invoke("list", "articles", "--site", s.root, "--now", "2026-11-22", "--limit", "1").strip().split("\t")
    assert row[0] == "a.md"
    assert row[5:8] == ["Bridges, Trams", "Ann, Bo", "/2026/11/07/b/#a"]
    assert "--topic is for `list articles`" in invoke("list", "topics", "--topic", "x", code=2)


def test_a_shipped_template_is_copied_to_be_changed(site: Make) -> None:
    s = site().article("a")
    listed = invoke("template", "--site", s.root).splitlines()
    assert {"templates/base.html", "templates/pages/article.html", "static/css/site.css"} <= set(listed)
    assert not [name for name in listed if "demo/" in name]
    assert "is not in the site" in invoke("template", "pages/404.html", "--diff", "--site", s.root)
    invoke("template", "pages/404.html", "--site", s.root)
    assert "is as shipped" in invoke("template", "pages/404.html", "--diff", "--site", s.root)
    invoke("template", "static/css/site.css", "--site", s.root)
    before = s.build() and s.tree()
    assert "templates/pages/404.html\tyour own, as shipped" in invoke("template", "--site", s.root).splitlines()
    s.edit("templates/pages/404.html", "404", "Nope")
    refused = invoke("template", "pages/404.html", "--site", s.root, code=2)
    assert "templates/pages/404.html: already exists and differs from the shipped file" in refused
    assert '+<p class="kicker">Nope</p>' in invoke("template", "pages/404.html", "--diff", "--site", s.root)
    s.good()
    assert "Nope" in s.read("404.html")
    invoke("template", "pages/404.html", "--force", "--site", s.root)
    s.good()
    assert s.tree() == before
    for name, hint in (("pages/artcle.html", "did you mean 'pages/article.html'?"), ("../site.toml", "lists all")):
        assert hint in invoke("template", name, "--site", s.root, code=2)


STORY = {"story": "Ferry", "excerpt": "The ferry Nordstern ran aground near Velmora with eighty passengers."}


def test_explain_takes_every_path_and_address_that_commands_print(site: Make) -> None:
    s = site().article("2026/a", **STORY).article("b", **STORY).article("naïve", webUrl=None, draft="true")
    s.write("site.toml", 'base_url = "https://paper.example/news/"\n')
    s.good()
    article = s.run("explain", "2026/a.md").stdout
    assert article.startswith("2026/a.md: A\n")
    for target in (
        "content/2026/a.md",
        "./content/2026/a.md",
        str(s.root / "content/2026/a.md"),
        "content/../content/2026/a.md",
        "https://2026-a.example/2026/a/",
        "a",
    ):
        assert s.run("explain", target).stdout == article, target
    story = s.run("explain", "/2026/11/08/a/").stdout
    assert "2 members" in story
    for target in (
        "ferry",
        "public/2026/11/08/a/index.html",
        str(s.output / "2026/11/08/a/index.html"),
        "2026/11/08/a/index.html",
        "/2026/11/08/a",
        "/news/2026/11/08/a/",
        "https://paper.example/news/2026/11/08/a/?x#y",
    ):
        assert s.run("explain", target).stdout == story, target
    assert s.run("explain", str(s.root.name + "/content/b.md"), "--site", str(s.root)).returncode == 2
    done = s.run("explain", "content/naïve.md")
    assert (done.returncode, "is not published: draft: true; add --all" in done.stderr) == (2, True)
    assert s.run("explain", "content/nai\u0308ve.md", "--all").returncode == 0, "decomposed, as macOS writes it"
    (s.root / "loop").symlink_to("loop")
    assert "no published story" in s.run("explain", "loop").stderr


def test_explain_says_that_an_editor_keeps_articles_apart(site: Make) -> None:
    s = site().article("a", **STORY).article("b", **{**STORY, "story": "Aground"})
    near = json.loads(s.run("explain", "a", "--json").stdout)["nearest"]
    assert [(n["id"], n["reason"]) for n in near] == [("b.md", "editor")]
    assert "b.md belongs to a different `story`" in s.run("explain", "a").stdout
    more = 'related:\n  - title: T\n    webUrl: "https://{0}.example/{0}/"\n'
    s.article("a", **STORY, more=more.format("b")).article("c", **STORY)
    s.article("b", **{**STORY, "story": "Aground"}, more=more.format("a"))
    story = s.run("explain", "/2026/11/08/a/").stdout
    assert "b.md belongs to a different `story`" in story
    assert "only one lists" not in story


def test_explain_says_why_two_articles_are_or_are_not_one_story(site: Make) -> None:
    s = site()
    times = {"publishedDateTime": "2026-11-08T04:00:00Z"}
    s.article("a", title="Harbour bridge stuck open after first ship", excerpt="", story="bridge", **times)
    s.article("b", title="Harbour bridge stuck open since first ship left", excerpt="", **times)
    s.article("c", title="Harbour bridge stuck open: the ship", excerpt="", story="ship", **times)
    s.article("d", title="Brücke im Hafen und das Schiff", excerpt="Nicht mit der Bahn", standalone="true", **times)
    s.article("e", title="Harbour bridge stuck open", excerpt="", publishedDateTime="2026-11-18T04:00:00Z")
    s.article("f", title="Ship", story="ship", **times)
    for n in range(30):
        s.article(f"n{n}", title=f"Number{n} and its number{n + 100}")
    for (one, two), lines in {
        ("a", "b"): (
            "They are one story, /2026/11/08/a/.\n  b.md is ",
            "\n  both have, counting fully: first\n  both have, counting three quarters: ",
            " similar, 0 hours apart; alone they would need ",
        ),
        ("a", "c"): (
            "not one story: a.md is in /2026/11/08/a/, c.md is in /2026/11/08/c/.",
            "similar to both: b.md, in /",
        ),
        ("b", "d"): ("  d.md is `standalone`: words join it to nothing\n  they share no word\n", "do not compare them"),
        ("a", "e"): ("  they are 240 hours apart; words join articles within 49 hours",),
        ("c", "f"): ("They are one story, /2026/11/08/c/.\n", "names the same `story` as"),
        ("n1", "n2"): ("  both have, counting nothing: and, its\n  they are less than 6% similar",),
    }.items():
        output = "\n".join(pair_lines(compare(one, two, s.options())))
        assert all(line in output for line in lines), output
    assert "They are one story" in s.run("explain", "a", "b").stdout
    found = json.loads(s.run("explain", "a", "2026/11/08/b/", "--json").stdout)
    assert found["one_story"]
    assert found["words"]["shared"][0]["quarters"] == 4
    for other in ("a.md", "nope"):
        with pytest.raises(ConfigError):
            compare("a", other, s.options())


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
@pytest.mark.parametrize("command", ["build", "check", "list", "explain"])
def test_a_link_that_leads_to_itself_is_an_error_with_its_name(site: Make, command: str) -> None:
    s = site().article("a")
    args = {"list": ["list", "stories"], "explain": ["explain", "a"]}.get(command, [command])
    loops = ["content/l.md", "content/sub", "content/x.jpg", "static/l.svg"]
    for name in loops:
        (s.root / name).parent.mkdir(parents=True, exist_ok=True)
        (s.root / name).symlink_to(Path(name).name)
    (s.root / "static/.#lock").symlink_to("me@host.123")
    (s.root / "static/away").symlink_to("../content")
    done = s.run(*args)
    assert "Traceback" not in done.stderr
    if command != "explain":
        assert done.returncode == 1
        told = [line for line in done.stderr.splitlines() if line.startswith("error")]
        assert [line.split(": ")[1] for line in told] == [*loops, "static/away"]
        assert sum("the symbolic link leads to itself; remove it" in line for line in told) == len(loops)
    (s.root / "templates").mkdir()
    (s.root / "templates/base.html").symlink_to("base.html")
    done = s.run(*args)
    assert done.returncode == 3
    assert "templates/base.html: the symbolic link leads to itself; remove it" in done.stderr


@pytest.mark.parametrize("name", ["content", "templates", "static", "site.toml", "public", ".newsgen", ""])
def test_a_folder_that_is_a_link_to_itself_is_an_error_with_its_name(site: Make, name: str, tmp_path: Path) -> None:
    s = site().article("a")
    s.good()
    place = s.root / name if name else tmp_path / "loop"
    if place.exists():
        place.rename(tmp_path / "away")
    place.symlink_to(place.name)
    options = [] if name else ["--site", str(place)]
    for command in ("build", "check"):
        done = s.run(command, *options)
        assert "Traceback" not in done.stderr
        if name != ".newsgen":
            assert done.returncode in (1, 2, 3)
            assert f"{place.name}: the symbolic link leads to itself" in done.stderr
    assert "Traceback" not in s.run("clean", *options).stderr
