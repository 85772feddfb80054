"""The command line as its users meet it: exit codes, streams, and nothing imported that is not needed."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sites import Site

from newsgen.commands.check import dead

Make = Callable[..., Site]


def test_build_needs_no_configuration_at_all(site: Make, tmp_path: Path) -> None:
    s = site().article("a")
    done = s.run("build", "--content", "content", "--output", str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere/index.html").exists()
    assert "1 article, 0 stories" in done.stdout
    assert "base_url" in done.stderr


def test_a_bad_file_is_named_left_out_and_told_by_the_exit_code(site: Make) -> None:
    s = site().article("good").write("content/bad.md", "---\ntitle: [\n---\n").write("content/worse.md", b"\xff\xfe")
    done = s.run("build")
    assert done.returncode == 1
    assert "content/bad.md:" in done.stderr
    assert "content/worse.md:" in done.stderr
    assert (s.output / "2026/11/08/good/index.html").exists()
    assert "error" not in done.stdout
    assert "\x1b" not in done.stderr, "colour is for terminals"


def test_strict_writes_nothing_when_a_file_is_bad(site: Make) -> None:
    s = site().article("good").write("content/bad.md", "---\n---\n")
    done = s.run("build", "--strict")
    assert done.returncode == 1
    assert not s.output.exists() or not s.tree()


def test_strict_leaves_no_folder_when_two_pages_would_have_one_address(site: Make) -> None:
    s = site().article("a").write("static/2026/11/08/a/index.html", "mine")
    assert s.run("build", "--strict").returncode == 1
    assert not s.output.exists()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["build", "--nonsense"], 2),
        (["build", "--content", "nowhere"], 2),
        (["build", "--now", "yesterday"], 2),
        (["build", "--clock", "sundial"], 2),
        (["build", "--jobs", "0"], 2),
        (["list", "everything"], 2),
        (["schema", "nothing"], 2),
        (["new", "provider", "no domain"], 2),
        (["new", "article", "T", "--url", "javascript:x"], 2),
    ],
)
def test_wrong_usage_ends_with_2(site: Make, args: list[str], code: int) -> None:
    done = site().article("a").run(*args)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_broken_site_toml_ends_with_2_and_a_broken_template_with_3(site: Make) -> None:
    s = site().article("a").write("site.toml", "titel = 1\n")
    done = s.run("build")
    assert (done.returncode, "did you mean 'title'?" in done.stderr) == (2, True)
    s.write("site.toml", "").write("templates/pages/home.html", "{% if %}")
    done = s.run("build")
    assert (done.returncode, "templates/pages/home.html:1:" in done.stderr) == (3, True)
    assert "Traceback" not in done.stderr


def test_build_json_is_one_document_on_stdout(site: Make) -> None:
    done = site().article("a").article("b", published="false").run("build", "--json")
    report = json.loads(done.stdout)
    assert report["published"] == 1
    assert report["skipped"] == {"held": 1}
    assert "index.html" in report["written"]


def test_flags_show_what_is_kept_back(site: Make) -> None:
    s = (
        site()
        .article("h", published="false")
        .article("d", draft="true")
        .article("f", publishedDateTime="2090-01-01T00:00:00Z")
        .article("e", expiryDate="2000-01-01")
    )
    assert "4 articles" in s.run("build", "--all").stdout
    assert "1 article," in s.run("build", "--drafts").stdout
    assert "2 articles" in s.run("build", "--future", "--expired").stdout
    done = s.run("build")
    for flag in ("--unpublished", "--drafts", "--future", "--expired"):
        assert flag in done.stderr
    assert "due at 2090-01-01" in done.stderr


def test_the_wall_clock_can_be_set(site: Make) -> None:
    s = site().article("f", publishedDateTime="2090-01-01T00:00:00Z")
    assert "1 article," in s.run("build", "--now", "2091-01-01").stdout
    assert s.run("build", "--clock", "2090-01-01T00:00:00Z").returncode == 0


def test_why_tells_what_makes_a_page_stale(site: Make) -> None:
    s = site().article("a")
    s.run("build")
    assert s.run("build", "--why", "index.html").stdout == "index.html: fresh\n"
    s.edit("content/a.md", "title:", "excerpt: new\ntitle:")
    assert "its content differs" in s.run("build", "--why", "/").stdout
    assert "is not planned" in s.run("build", "--why", "nowhere.html").stdout
    s.write("templates/pages/404.html", '{% extends "newsgen/pages/404.html" %}')
    assert "its template differs" in s.run("build", "--why", "404.html").stdout


@pytest.mark.parametrize("what", ["held", "drafts", "future", "expired", "stories", "topics", "providers"])
def test_lists_are_rows_or_json(site: Make, what: str) -> None:
    s = site()
    s.article("h", published="false").article("d", draft="true").article(
        "f", publishedDateTime="2090-01-01T00:00:00Z"
    ).article("e", expiryDate="2000-01-01")
    s.article("a", topics="[AI]", more='related:\n  - title: R\n    webUrl: "https://r.example/1"\n')
    done = s.run("list", what)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    rows = json.loads(s.run("list", what, "--json").stdout)
    assert len(rows) == len(done.stdout.splitlines())
    if what == "stories":
        assert rows[0]["address"] == "/story/2026/11/08/a/"
        assert [m["file"] for m in rows[0]["members"]] == ["a.md", None]


def test_check_finds_problems_and_dead_links_and_writes_nothing(site: Make) -> None:
    s = (
        site()
        .article("a", webUrl=None, body="[gone](/nowhere/) [there](/topics/) ![p](/no.png)")
        .write("content/bad.md", "---\n---\n")
    )
    done = s.run("check")
    assert done.returncode == 1
    assert "leads to '/nowhere/', where nothing is" in done.stderr
    assert "leads to '/no.png'" in done.stderr
    assert "/topics/" not in done.stderr
    assert "content/bad.md:" in done.stderr
    assert not s.output.exists()
    s.edit("content/a.md", "[gone](/nowhere/)", "").edit("content/a.md", "![p](/no.png)", "")
    (s.root / "content/bad.md").unlink()
    assert s.run("check").returncode == 0


def test_check_external_asks_each_publisher(site: Make) -> None:
    class Publisher(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response({"/good": 200, "/head": 405, "/moved": 302}.get(self.path, 404))
            if self.path == "/moved":
                self.send_header("Location", "/good")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200 if self.path in ("/head", "/good") else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Publisher)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    found = dead([(f"{base}/{name}", name) for name in ("good", "head", "gone", "moved")], timeout=5)
    server.shutdown()
    server.server_close()
    assert [(p.path, p.what.rpartition(": ")[2]) for p in found] == [("gone", "404")]
    refused = dead([(base + "/x", "x")], timeout=5)
    assert "does not answer" in refused[0].what


def test_new_site_builds_and_its_files_can_be_added_to(site: Make, tmp_path: Path) -> None:
    s = site()
    done = s.run("new", "site", str(tmp_path / "mine"))
    assert done.returncode == 0, done.stderr
    assert s.run("new", "site", str(tmp_path / "mine")).returncode == 2, "never into a folder that has something"
    mine = tmp_path / "mine"
    for args in (
        ["article", "Fish & chips", "--url", "https://www.a.example/1"],
        ["topic", "Deep Sea"],
        ["provider", "www.a.example"],
    ):
        done = s.run("new", *args, "--site", str(mine))
        assert done.returncode == 0, done.stderr
        assert Path(s.root, done.stdout.strip()).exists()
        assert s.run("new", *args, "--site", str(mine)).returncode == 2, "never over a file"
    done = s.run("build", "--site", str(mine), "--all")
    assert done.returncode == 0, done.stderr
    assert (mine / "public/index.html").exists()
    assert "Fish &amp; chips" in "".join(p.read_text(encoding="utf-8") for p in (mine / "public").rglob("index.html"))


def test_an_empty_new_site_builds_too(site: Make, tmp_path: Path) -> None:
    s = site()
    s.run("new", "site", str(tmp_path / "mine"), "--empty")
    done = s.run("build", "--site", str(tmp_path / "mine"))
    assert done.returncode == 0
    assert "there are no article files" in done.stderr


@pytest.mark.parametrize("what", ["article", "site", "topic", "provider"])
def test_schemas_are_json_schemas_of_the_files_fields(site: Make, what: str) -> None:
    schema = json.loads(site().run("schema", what).stdout)
    text = json.dumps(schema)
    assert schema["$schema"].startswith("https://json-schema.org/")
    for field in {"article": ("publishedDateTime", "webUrl", "related"), "site": ("base_url", "half_life")}.get(
        what, ("description",)
    ):
        assert f'"{field}"' in text


def test_clean_removes_what_newsgen_wrote_and_nothing_else(site: Make) -> None:
    s = site().article("a")
    s.run("build")
    (s.output / "mine.txt").write_text("mine")
    done = s.run("clean")
    assert done.returncode == 0
    assert list(s.tree()) == ["mine.txt"]


def test_help_imports_click_and_nothing_heavy() -> None:
    code = "import sys; sys.argv = ['newsgen', '--help']\ntry:\n    from newsgen.commands.cli import cli; cli()\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert not loaded & {
        "jinja2",
        "markdown",
        "msgspec",
        "nh3",
        "yaml",
        "frontmatter",
        "watchdog",
        "newsgen.builder",
        "newsgen.model",
    }


def test_an_interrupted_reader_is_no_crash(site: Make) -> None:
    s = site().article("a")
    done = subprocess.run(
        f"{sys.executable} -m newsgen schema article | head -c 1",
        shell=True,
        cwd=s.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
