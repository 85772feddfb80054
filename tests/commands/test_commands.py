"""The command line as a user sees it: exit codes, output streams, messages, and few imports."""

import json
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sites import Site

from newsgen.commands.check import dead_links

Make = Callable[..., Site]


def test_build_needs_no_configuration(site: Make, tmp_path: Path) -> None:
    s = site().article("a")
    done = s.run("build", "--content", "content", "--output", str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere/index.html").exists()
    assert "1 article, 0 stories" in done.stdout
    assert "base_url" in done.stderr


def test_a_bad_file_is_reported_and_left_out_and_sets_the_exit_code(site: Make) -> None:
    s = site().article("good").write("content/bad.md", "---\ntitle: [\n---\n").write("content/worse.md", b"\xff\xfe")
    done = s.run("build")
    assert done.returncode == 1
    assert "content/bad.md:" in done.stderr
    assert "content/worse.md:" in done.stderr
    assert (s.output / "2026/11/08/good/index.html").exists()
    assert "error" not in done.stdout
    assert "\x1b" not in done.stderr, "colours only on a terminal"


def test_strict_writes_nothing_if_a_file_has_an_error(site: Make) -> None:
    s = site().article("good").write("content/bad.md", "---\n---\n")
    done = s.run("build", "--strict")
    assert done.returncode == 1
    assert not s.output.exists() or not s.tree()


def test_strict_creates_no_output_folder_if_two_pages_have_the_same_address(site: Make) -> None:
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
def test_wrong_usage_exits_with_2(site: Make, args: list[str], code: int) -> None:
    done = site().article("a").run(*args)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_a_broken_site_toml_exits_with_2_and_a_broken_template_with_3(site: Make) -> None:
    s = site().article("a").write("site.toml", "titel = 1\n")
    done = s.run("build")
    assert (done.returncode, "did you mean 'title'?" in done.stderr) == (2, True)
    s.write("site.toml", "").write("templates/pages/home.html", "{% if %}")
    done = s.run("build")
    assert (done.returncode, "templates/pages/home.html:1:" in done.stderr) == (3, True)
    assert "Traceback" not in done.stderr


def test_build_json_prints_one_document_on_stdout(site: Make) -> None:
    done = site().article("a").article("b", published="false").run("build", "--json")
    report = json.loads(done.stdout)
    assert report["published"] == 1
    assert report["skipped"] == {"held": 1}
    assert "index.html" in report["written"]


def test_gate_flags_include_articles_and_notes_name_the_flags(site: Make) -> None:
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
    assert "build again after 2090-01-01" in done.stderr


def test_now_and_clock_accept_a_time(site: Make) -> None:
    s = site().article("f", publishedDateTime="2090-01-01T00:00:00Z")
    assert "1 article," in s.run("build", "--now", "2091-01-01").stdout
    assert s.run("build", "--clock", "2090-01-01T00:00:00Z").returncode == 0


def test_why_prints_why_a_page_is_stale(site: Make) -> None:
    s = site().article("a")
    s.run("build")
    assert s.run("build", "--why", "index.html").stdout == "index.html: fresh\n"
    s.edit("content/a.md", "title:", "excerpt: new\ntitle:")
    assert "its content differs" in s.run("build", "--why", "/").stdout
    assert "there is no page" in s.run("build", "--why", "nowhere.html").stdout
    s.write("templates/pages/404.html", '{% extends "newsgen/pages/404.html" %}')
    assert "its template differs" in s.run("build", "--why", "404.html").stdout


@pytest.mark.parametrize("what", ["articles", "held", "drafts", "future", "expired", "stories", "topics", "providers"])
def test_list_prints_rows_or_json(site: Make, what: str) -> None:
    s = site()
    s.article("h", published="false").article("d", draft="true").article(
        "f", publishedDateTime="2090-01-01T00:00:00Z"
    ).article("e", expiryDate="2000-01-01")
    s.article("a", topics="[AI]", more='related:\n  - title: R\n    webUrl: "https://r.example/1"\n')
    done = s.run("list", what)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    rows = json.loads(s.run("list", what, "--json").stdout)["rows"]
    assert len(rows) == len(done.stdout.splitlines())
    if what == "stories":
        assert rows[0]["address"] == "/2026/11/08/a/"
        assert [m["file"] for m in rows[0]["members"]] == ["a.md", None]


def test_check_reports_errors_and_broken_links_and_writes_nothing(site: Make) -> None:
    s = (
        site()
        .article("a", webUrl=None, body="[gone](/nowhere/) [there](/topics/) ![p](/no.png)")
        .write("content/bad.md", "---\n---\n")
    )
    done = s.run("check")
    assert done.returncode == 1
    assert "link: there is no page or file '/nowhere/'" in done.stderr
    assert "link: there is no page or file '/no.png'" in done.stderr
    assert "/topics/" not in done.stderr
    assert "content/bad.md:" in done.stderr
    assert not s.output.exists()
    s.edit("content/a.md", "[gone](/nowhere/)", "").edit("content/a.md", "![p](/no.png)", "")
    (s.root / "content/bad.md").unlink()
    assert s.run("check").returncode == 0


def test_check_external_requests_each_url(site: Make) -> None:
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
    found = dead_links([(f"{base}/{name}", name) for name in ("good", "head", "gone", "moved")], timeout=5)
    server.shutdown()
    server.server_close()
    assert [(p.path, p.what.rpartition(": ")[2]) for p in found] == [("gone", "404")]
    refused = dead_links([(base + "/x", "x")], timeout=5)
    assert "cannot fetch" in refused[0].what


def test_a_new_site_builds_and_new_files_can_be_added(site: Make, tmp_path: Path) -> None:
    s = site()
    done = s.run("new", "site", str(tmp_path / "mine"))
    assert done.returncode == 0, done.stderr
    assert s.run("new", "site", str(tmp_path / "mine")).returncode == 2, "the folder is not empty"
    mine = tmp_path / "mine"
    for args in (
        ["article", "Fish & chips", "--url", "https://www.a.example/1"],
        ["topic", "Deep Sea"],
        ["provider", "www.a.example"],
    ):
        done = s.run("new", *args, "--site", str(mine))
        assert done.returncode == 0, done.stderr
        assert Path(s.root, done.stdout.strip()).exists()
        assert s.run("new", *args, "--site", str(mine)).returncode == 2, "the file exists"
    done = s.run("build", "--site", str(mine), "--all")
    assert done.returncode == 0, done.stderr
    assert (mine / "public/index.html").exists()
    assert "Fish &amp; chips" in "".join(p.read_text(encoding="utf-8") for p in (mine / "public").rglob("index.html"))


def test_an_empty_new_site_builds(site: Make, tmp_path: Path) -> None:
    s = site()
    s.run("new", "site", str(tmp_path / "mine"), "--empty")
    done = s.run("build", "--site", str(tmp_path / "mine"))
    assert done.returncode == 0
    assert "there are no articles" in done.stderr


@pytest.mark.parametrize("what", ["article", "site", "topic", "provider", "api"])
def test_schema_prints_the_json_schema_of_a_file(site: Make, what: str) -> None:
    schema = json.loads(site().run("schema", what).stdout)
    text = json.dumps(schema)
    assert schema["$schema"].startswith("https://json-schema.org/")
    fields = {
        "article": ("publishedDateTime", "webUrl", "related"),
        "site": ("base_url", "half_life"),
        "api": ("nextPage", "kind"),
    }
    for field in fields.get(what, ("description",)):
        assert f'"{field}"' in text


def test_clean_deletes_only_files_that_newsgen_wrote(site: Make) -> None:
    s = site().article("a")
    s.run("build")
    (s.output / "mine.txt").write_text("mine")
    done = s.spawn("clean")
    assert done.returncode == 0
    assert list(s.tree()) == ["mine.txt"]


def test_help_imports_only_light_modules() -> None:
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


def test_a_closed_pipe_causes_no_traceback(site: Make) -> None:
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
