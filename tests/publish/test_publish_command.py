"""The commands `publish` and `diff` as users run them: refusals, output and exit codes."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
import yaml
from click.testing import CliRunner
from places import Pages, Place, edition, git, ports, served
from sites import NOW, Site, skip_or_fail
from test_places import publish

from newsgen import config
from newsgen.builder.output import Lock
from newsgen.commands.cli import cli
from newsgen.errors import PublishError
from newsgen.publish import address

Make = Callable[..., Site]
AT = ("--now", NOW.isoformat())


@pytest.fixture
def s(site: Make, tmp_path: Path) -> Site:
    return edition(site(), Place(f"dir:{tmp_path / 'www'}"), 0)


def current(s: Site) -> dict[str, bytes]:
    return s.tree(s.root.parent / "www/current")


def test_a_dry_run_lists_what_would_be_sent_and_changes_nothing(s: Site) -> None:
    done = s.run("publish", "--dry-run", *AT)
    assert done.returncode == 0, done.stderr
    assert "add     index.html: new" in done.stdout
    assert "nothing was sent (--dry-run)" in done.stdout
    assert not (s.root.parent / "www").exists()
    assert s.run("publish", *AT).returncode == 0
    before = current(s)
    edition(s, Place(f"dir:{s.root.parent / 'www'}"), 1)
    done = s.run("publish", "live", "--dry-run", "--json", *AT)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {"action": "replace", "path": "index.html", "reason": "its content differs"}.items() <= next(
        c for c in report["plan"] if c["path"] == "index.html"
    ).items()
    assert report["done"] is False
    assert "/2026/11/01/a000/" in report["lost"]
    assert any("a publish would refuse: addresses" in note for note in report["notes"])
    assert current(s) == before


def test_the_report_lists_changed_urls_for_cdns_and_search_engines(s: Site) -> None:
    s.run("publish", *AT)
    s.edit("content/a003.md", "Article 3 on day 0", "Updated")
    done = s.run("publish", "--changed", "changed.txt", "--json", *AT)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "https://news.example/2026/11/04/a003/" in report["changed"]
    assert "https://news.example/" in report["changed"]
    assert (s.root / "changed.txt").read_text().split() == report["changed"]
    assert 1 <= len(report["patterns"]) <= 8
    assert "nothing has changed" in s.run("publish", *AT).stdout


def test_the_addresses_of_a_dissolved_story_are_expected_to_be_lost(site: Make, tmp_path: Path) -> None:
    s = edition(site(), Place(f"dir:{tmp_path / 'www'}"), 0)
    s.write("site.toml", (s.root / "site.toml").read_text().replace('articles = "all"', 'articles = "own"'))
    s.article("one", story="x").article("two", story="x")
    assert s.run("publish", *AT).returncode == 0
    assert "2026/11/08/two/index.html" in current(s)
    s.edit("content/two.md", 'story: "x"', "draft: false")
    done = s.run("publish", *AT)
    assert done.returncode == 0, done.stderr
    assert not {"2026/11/08/one/index.html", "2026/11/08/two/index.html"} & current(s).keys()


def test_the_address_of_a_member_without_a_redirect_is_not_lost_in_silence(site: Make, tmp_path: Path) -> None:
    s = edition(site(), Place(f"dir:{tmp_path / 'www'}"), 0)
    settings = (s.root / "site.toml").read_text()
    s.write("site.toml", settings + "[redirects]\npages = false\nfile = false\n").article("one").article("two")
    assert s.run("publish", *AT).returncode == 0
    for name in ("one", "two"):
        s.edit(f"content/{name}.md", "title:", "story: x\ntitle:")
    done = s.run("publish", *AT)
    assert done.returncode == 3
    assert "addresses would stop answering: /2026/11/08/two/" in done.stderr


@pytest.mark.parametrize("pages", ["true", "false"])
def test_the_address_of_a_page_that_is_gone_on_purpose_may_stop_answering(
    site: Make, pages: str, tmp_path: Path
) -> None:
    s, target = site().article("a").article("b"), f"dir:{tmp_path / 'www'}"
    s.write("site.toml", f"[redirects]\npages = {pages}\n")
    publish(s, target=target)
    (s.root / "content/a.md").unlink()
    with pytest.raises(PublishError, match="addresses would stop answering: /2026/11/08/a/"):
        publish(s, target=target)
    s.write("site.toml", f'[redirects]\npages = {pages}\ngone = ["/2026/11/08/a/", "/providers/a.example/"]\n')
    assert not publish(s, target=target).lost
    assert ("2026/11/08/a/index.html" in current(s)) == (pages == "true")


def test_a_publish_that_would_break_addresses_is_refused(s: Site) -> None:
    s.run("publish", *AT)
    before = current(s)
    (s.root / "content/a000.md").unlink()
    refused = s.run("publish", *AT)
    assert refused.returncode == 3
    assert "/2026/11/01/a000/" in refused.stderr
    assert (
        "redirect them with `aliases` or [redirects], list them in `gone` there, or allow this with --allow-lost"
        in refused.stderr
    )
    assert current(s) == before
    old = "/2026/11/01/a000/ /providers/a000.example/ /archive/2026/11/01/"
    s.edit("content/a001.md", "topics:", f"aliases: [{', '.join(old.split())}]\ntopics:")
    accepted = s.run("publish", *AT)
    assert accepted.returncode == 0, accepted.stderr
    assert b"a001" in current(s)["2026/11/01/a000/index.html"], "a redirect"
    s.edit("content/a001.md", "aliases: [/2026/11/01/a000/, ", "aliases: [")
    assert s.run("publish", *AT).returncode == 3
    assert s.run("publish", "--allow-lost", *AT).returncode == 0
    assert "2026/11/01/a000/index.html" not in current(s)


def test_a_publish_that_would_delete_many_files_is_refused(s: Site) -> None:
    s.run("publish", *AT)
    before = current(s)
    for file in (s.root / "content").glob("a00[0-8].md"):
        file.unlink()
    refused = s.run("publish", "--allow-lost", "--max-delete", "20", *AT)
    assert refused.returncode == 3
    assert "and the limit is 20; raise it with --max-delete" in refused.stderr
    assert current(s) == before
    assert s.run("publish", "--allow-lost", *AT).returncode == 0
    assert len(current(s)) < len(before)


def test_a_site_with_errors_is_published_only_with_allow_errors(s: Site) -> None:
    s.write("content/bad.md", "---\ntitle: [\n---\n")
    refused = s.run("publish", *AT)
    assert refused.returncode == 1
    assert "content/bad.md" in refused.stderr
    assert "nothing was published: fix the files, or leave them out with --allow-errors" in refused.stderr
    assert not (s.root.parent / "www").exists()
    accepted = s.run("publish", "--allow-errors", *AT)
    assert accepted.returncode == 0
    assert "content/bad.md" in accepted.stderr
    assert "index.html" in current(s)


def test_drafts_and_altered_files_are_never_published(s: Site) -> None:
    s.article("secret", draft="true").article("later", publishedDateTime="2027-01-01T00:00:00Z")
    assert s.run("build", "--all", *AT).returncode == 0
    assert "2027/01/01/later/index.html" in s.tree()
    (s.output / "index.html").write_text("altered by hand")
    assert s.run("publish", *AT).returncode == 0
    clean = s.root.parent / "clean"
    s.good(output=clean)
    assert current(s) == s.tree(clean)
    # Files altered in the folder that publishes build into are not published either.
    place = s.root / ".newsgen/publish/site"
    found = (place / "index.html").stat()
    data = (place / "index.html").read_bytes().replace(b"a", b"b")
    (place / "index.html").write_bytes(data)
    os.utime(place / "index.html", ns=(found.st_atime_ns, found.st_mtime_ns))
    (place / "stray.html").write_text("not of the site")
    assert s.run("publish", *AT).returncode == 0
    assert current(s) == s.tree(clean)
    (place / ".newsgen-manifest.json").unlink()
    assert s.run("publish", *AT).returncode == 0
    assert current(s) == s.tree(clean)


def test_a_second_publish_of_a_site_on_the_same_machine_is_refused(s: Site) -> None:
    lock = Lock(s.root / ".newsgen/publish/lock")
    lock.take()
    try:
        refused = s.spawn("publish", *AT)
    finally:
        lock.release()
    assert refused.returncode == 3
    assert "another publish of this site is running; wait until it has finished" in refused.stderr


def test_a_refused_publish_creates_no_files(s: Site, tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    assert s.run("publish", "--dry-run", *AT).returncode == 0
    assert list((tmp_path / "www").iterdir()) == []
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "current").write_text("a file")
    assert s.run("publish", f"dir:{taken}", *AT).returncode == 3
    assert [p.name for p in taken.iterdir()] == ["current"]


def test_an_unreachable_server_is_reported(s: Site) -> None:
    if not shutil.which("ssh") or not shutil.which("rsync"):
        skip_or_fail("no ssh or no rsync")
    (port,) = ports(1)
    code = "import sys; from newsgen.publish import target; target._FIRST_PAUSE = 0.01; from newsgen.commands.cli import main; main()"
    command = [sys.executable, "-c", code, "publish", f"ssh://127.0.0.1:{port}/srv/www", *AT]
    for more in ([], ["--dry-run"]):
        done = subprocess.run([*command, *more], cwd=s.root, capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "Connection refused" in done.stderr
        assert "Traceback" not in done.stderr


def test_compressed_copies_are_published_beside_the_texts(s: Site) -> None:
    s.edit("site.toml", "[publish.live]", '[publish.live]\nprecompress = ["gzip", "br"]')
    assert s.run("publish", *AT).returncode == 0
    found = current(s)
    assert gzip.decompress(found["index.html.gz"]) == found["index.html"]
    assert found["index.html.gz"][4:8] == bytes(4), "the gzip header has no time"
    assert "feed.xml.br" in found
    assert "nothing has changed" in s.run("publish", *AT).stdout
    (s.root / ".newsgen/publish/squeezed/files/index.html.gz").write_bytes(b"altered")
    assert "nothing has changed" in s.run("publish", *AT).stdout
    s.edit("content/a001.md", "Article 1 on day 0", "Updated")
    report = json.loads(s.run("publish", "--json", *AT).stdout)
    assert gzip.decompress(current(s)["index.html.gz"]) == current(s)["index.html"] != found["index.html"]
    assert not [address for address in report["changed"] if address.endswith((".gz", ".br"))]


def test_invalid_settings_are_reported_with_their_line(s: Site) -> None:
    s.write(
        "site.toml",
        '[publish.live]\nto = "dir:www"\ngrace = "soon"\nkeeps = 3\n[publish."a b"]\nto = "x"\n[publish.c]\nto = "dir:x"\nwebsub = "hub"\n',
    )
    done = s.run("publish", "live")
    assert done.returncode == 2
    assert "site.toml:3: publish.live.grace" in done.stderr
    assert "publish.live.keeps: unknown setting; did you mean 'keep'?" in done.stderr
    s.write("site.toml", '[publish."a b"]\nto = "x"\n[publish.c]\nto = "dir:x"\nwebsub = "https://me:pw@hub"\n')
    done = s.run("publish", "live")
    assert done.returncode == 2
    assert "'a b' is not a valid target name" in done.stderr
    assert "pw@" not in done.stderr
    s.write("site.toml", '[publish.live]\nto = "dir:x"\n[[publish.live.headers]]\nmatch = "*"\nset = {"X-Odd" = "1"}\n')
    done = s.run("publish")
    assert (done.returncode, "X-Odd: unknown value 'X-Odd'" in done.stderr) == (2, True)
    s.write("site.toml", '[publish.live]\nto = "s3://me:hunter22@bucket"\n')
    done = s.run("publish")
    assert (done.returncode, "hunter22" in done.stderr) == (2, False)
    assert "publish.live.to: the address contains credentials; set them in the environment" in done.stderr


def test_the_sites_own_folders_cannot_be_targets(s: Site) -> None:
    for place in (".", "content", "content/www", ".newsgen/x"):
        done = s.run("publish", f"dir:{s.root / place}")
        assert done.returncode == 2, done.stdout
        assert "is part of the site's sources" in done.stderr or "names no folder" in done.stderr


@pytest.mark.parametrize(
    ("to", "tool"), [("git:repo#pages", "git"), ("ssh://host.example/srv/www", "ssh"), ("gh-pages:origin", "git")]
)
def test_a_missing_tool_is_named(s: Site, to: str, tool: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = s.run("publish", to, *AT, PATH=str(tmp_path / "empty"))
    assert done.returncode == 3
    assert f"there is no {tool} on PATH; install it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_extra_is_named(s: Site, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none/obstore.py").write_text("raise ImportError")
    (tmp_path / "none/brotli.py").write_text("raise ImportError")
    done = s.spawn("publish", "s3://bucket", *AT, PYTHONPATH=str(tmp_path / "none"))
    assert done.returncode == 3
    assert 'pip install "newsgen[publish]"' in done.stderr
    s.edit("site.toml", "[publish.live]", '[publish.live]\nprecompress = ["br"]')
    done = s.spawn("publish", "live", *AT, PYTHONPATH=str(tmp_path / "none"))
    assert done.returncode == 3
    assert 'pip install "newsgen[minify]"' in done.stderr


@pytest.mark.parametrize("fails", [False, True])
def test_a_hub_is_notified_of_changed_feeds(s: Site, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[tuple[str, str]] = []

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            received.extend(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(400 if fails else 204)
            self.end_headers()

    with served(Hub) as hub:
        s.edit("site.toml", "[publish.live]", f'[publish.live]\nwebsub = "{hub}/"')
        done = s.run("publish", *AT)
        assert done.returncode == 0, done.stderr
        assert ("hub.mode", "publish") in received
        assert ("hub.url", "https://news.example/feed.xml") in received
        assert ("cannot notify the WebSub hub" in done.stderr) is fails
        received.clear()
        s.run("publish", *AT)
        assert received == []


def test_diff_lists_what_would_change_for_readers(s: Site) -> None:
    assert s.run("publish", *AT).returncode == 0
    assert "nothing differs from" in s.run("diff", *AT).stdout
    s.article("fresh", publishedDateTime="2026-11-21T10:00:00Z", topics="[T1]", heat=900)
    s.edit("content/a004.md", "Article 4", "Number four")
    (s.root / "content/a009.md").unlink()
    done = s.run("diff", "--json", *AT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "/2026/11/21/fresh/" in found["added"]["article"]
    assert "/2026/11/05/a004/" in found["changed"]["article"]
    assert "/2026/11/10/a009/" in found["removed"]["article"]
    assert "/2026/11/10/a009/" in found["lost"]
    assert {"address": "/2026/11/21/fresh/", "before": 0, "now": 1} in found["moved"]
    output = s.run("diff", "live", *AT).stdout
    assert "new articles: 1\n  + /2026/11/21/fresh/" in output
    assert "/2026/11/21/fresh/: new at 1" in output
    assert not (s.root / "public").exists()


def test_diff_without_a_target_compares_with_the_output_folder(s: Site) -> None:
    s.write("site.toml", 'base_url = "https://news.example/"\n')
    assert s.run("build", *AT).returncode == 0
    before = s.tree()
    assert "nothing differs from public" in s.spawn("diff", *AT).stdout
    s.edit("content/a004.md", "Article 4", "Number four")
    found = json.loads(s.run("diff", "--json", *AT).stdout)
    assert found["changed"]["article"][0] == "/2026/11/05/a004/"
    assert s.tree() == before


def test_single_commit_keeps_no_history_and_keeps_foreign_files(site: Make, tmp_path: Path) -> None:
    place = Pages(tmp_path / "pages.git")
    place.put("CNAME", b"news.example")
    s = site()
    for number in range(3):
        edition(s, place, number, "single_commit = true\nallow_lost = true\n")
        publish(s)
        assert len(place.commits()) == 1
    assert place.files()["CNAME"] == b"news.example"
    publish(s, rollback=True)
    assert len(place.commits()) == 1
    assert b"on day 1" in place.files()["2026/11/04/a003/index.html"]
    assert place.files()["CNAME"] == b"news.example"


def test_a_branch_accepts_unusual_file_names(site: Make, tmp_path: Path) -> None:
    place = Pages(tmp_path / "pages.git")
    s = edition(site(), place, 0)
    unusual_names = ['"quoted".txt', "two  spaces .txt", "naïve 日本.txt", '"dir"/a.txt']
    for name in unusual_names:
        s.write(f"static/{name}", name)
    publish(s)
    assert {name: place.read(name) for name in unusual_names} == {name: name.encode() for name in unusual_names}
    for name in unusual_names:
        (s.root / "static" / name).unlink()
    publish(s)
    assert [name for name in unusual_names if place.read(name) is not None] == []
    publish(s, rollback=True)
    assert {name: place.read(name) for name in unusual_names} == {name: name.encode() for name in unusual_names}


def test_publishing_to_a_branch_of_the_sites_repository_changes_neither_work_tree_nor_index(
    site: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Pages(tmp_path / "pages.git")
    s = edition(site(), place, 0)
    s.edit("site.toml", f'to = "{place.to}"', 'to = "git:upstream#pages"')
    at = ("-C", str(s.root))
    git(*at, "init", "-q")
    git(*at, "remote", "add", "upstream", str(place.repository))
    git(*at, "add", "content")
    before = (
        git(*at, "status", "--porcelain", "--ignored"),
        git(*at, "for-each-ref"),
        (s.root / ".git/index").read_bytes(),
    )
    monkeypatch.setenv("GIT_DIR", str(s.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(s.root / ".git/index"))
    publish(s)
    monkeypatch.undo()
    after = (
        git(*at, "status", "--porcelain", "--ignored"),
        git(*at, "for-each-ref"),
        (s.root / ".git/index").read_bytes(),
    )
    assert after[1:] == before[1:]
    assert set(after[0].split(b"\n")) - set(before[0].split(b"\n")) <= {b"?? .newsgen/"}
    assert "index.html" in place.files()
    assert place.read(".nojekyll") == b""


def test_a_web_server_can_read_published_files_whatever_the_umask(site: Make, tmp_path: Path) -> None:
    s = edition(site(), Place(f"dir:{tmp_path / 'www'}"), 0)
    code = "import os, sys, runpy; os.umask(0o077); sys.argv = ['newsgen', 'publish']; runpy.run_module('newsgen', run_name='__main__')"
    assert subprocess.run([sys.executable, "-c", code], cwd=s.root, capture_output=True, check=False).returncode == 0
    for path in (tmp_path / "www").rglob("*"):
        mode = path.stat().st_mode
        if ".json.gz" not in path.name:
            assert mode & (stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)), path


def test_the_help_lists_every_kind_of_address() -> None:
    output = CliRunner().invoke(cli, ["publish", "--help"]).output
    for scheme in ("dir:", "git:", "gh-pages:", "ssh://", "s3://", "az://"):
        assert scheme in output
        assert scheme in address.ADDRESS_FORMS


def test_the_guide_lists_every_setting_of_a_target_with_its_default() -> None:
    guide = (Path(__file__).parents[2] / "docs/publishing.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```toml\n(\[publish\.live\]\n.*?)```", guide, re.DOTALL)
    settings = tomllib.loads(table)
    assert settings["publish"]["live"].keys() == set(config.Publish.__struct_fields__)
    assert set(settings["publish"]["live"]["headers"][0]) == set(config.HeaderRule.__struct_fields__)
    documented = config.Config(publish={"live": msgspec.convert(settings["publish"]["live"], config.Publish)}).publish[
        "live"
    ]
    defaults = config.Publish(to=documented.to, headers=documented.headers)
    assert documented == defaults, "the guide shows the defaults"


def test_the_workflows_in_the_guide_are_valid() -> None:
    guide = (Path(__file__).parents[2] / "docs/publishing.md").read_text(encoding="utf-8")
    workflows = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)]
    actions = workflows[0]
    assert actions["jobs"]["publish"]["steps"][-1]["run"] == "newsgen publish gh-pages:origin"
    assert set(actions[True]) == {"push", "schedule", "workflow_dispatch"}
    for command in re.findall(r"newsgen publish[^>|\n`]*", guide):
        words = command.split("  ")[0].split()[2:]
        cli.commands["publish"].make_context("publish", list(words))
