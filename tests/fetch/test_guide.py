"""The guide to feeds: its commands, its examples and its workflows work."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
import pytest
import yaml
from feedserver import FeedServer, feed
from sites import Site

from newsgen.commands.cli import cli
from newsgen.config import Config
from newsgen.content import Reader, Source
from newsgen.content.fields import FeedFile
from newsgen.model import Subscription

GUIDE = (Path(__file__).parents[2] / "docs/feeds.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


def test_every_command_in_the_guide_exists_with_these_options() -> None:
    found = 0
    for written in re.findall(
        r"newsgen ((?:new|fetch|import|list|schema|build|check|serve|publish)\b[^`#|\n>&]*)", GUIDE
    ):
        words = [word for word in shlex.split(written) if word not in ("FILE", "NAME", "URL", "…")]
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        parser = command.make_parser(click.Context(command, resilient_parsing=True))
        parser.parse_args([word for word in words if word.startswith("--")] if "--outlines" not in words else words)
        found += 1
    assert found > 15


def test_the_example_of_a_feed_file_has_every_kind_of_field() -> None:
    example = f"---\n{blocks('yaml')[0]}---\n"
    found = Reader(Config()).parse(Source("_feeds/harbour-post.md", example.encode()))
    assert not found.problems
    assert isinstance(found.value, Subscription)
    assert (found.value.every, found.value.max_age) == (900, 7 * 86_400)
    for field in msgspec.structs.fields(FeedFile):
        assert f"`{field.encode_name}`" in GUIDE


def test_the_table_of_defaults_is_that_of_the_program() -> None:
    (example,) = blocks("toml")
    assert tomllib.loads(example)["fetch"] == msgspec.to_builtins(Config().fetch, str_keys=True) | {"allow": []}


def test_timers_are_valid() -> None:
    service, timer = (configparser.ConfigParser(strict=False) for _ in range(2))
    for parsed, written in zip((service, timer), blocks("ini"), strict=True):
        parsed.optionxform = str  # type: ignore[assignment,method-assign]
        parsed.read_string(written)
    assert service["Service"]["Type"] == "oneshot"
    assert timer["Timer"]["OnCalendar"] == "*:0/15"
    (line,) = blocks("cron")
    assert re.match(r"\*/15( \*){4}  cd ", line)
    assert "%" not in line
    assert subprocess.run(["sh", "-n", "-c", line.split("  ", 1)[1]], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("host", ["GitHub", "GitLab"])
def test_a_workflow_commits_what_is_new(
    host: str, site: Callable[..., Site], server: FeedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "editor")
        monkeypatch.setenv(f"{name}_EMAIL", "editor@news.example")
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "newsgen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m newsgen "$@"\n')
    (bin / "newsgen").chmod(0o755)
    origin = tmp_path / "origin.git"

    def sh(script: str, at: Path) -> str:
        env = os.environ | {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "CI_COMMIT_BRANCH": "main"}
        done = subprocess.run(["sh", "-ec", script], cwd=at, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    s = (
        site("", "editor")
        .write("site.toml", '[fetch]\nallow = ["127.0.0.1"]\n')
        .write(".gitignore", "/.newsgen/\n/public/\n")
    )
    s.write("content/_feeds/port.md", f'---\nurl: "{server.add("127.0.0.1/feed", feed("port", 3))}"\n---\n')
    sh(f"git init -q -b main --bare {origin}; git init -q -b main; git add .; git commit -qm Site", s.root)
    sh(f"git remote add origin {origin}; git push -q origin main", s.root)
    script = _script(host)
    checkout = f"git clone -q --depth 1 file://{origin} work" + (
        " && git -C work checkout -q --detach" if host == "GitLab" else ""
    )
    sh(checkout, tmp_path)
    # An editor pushes while the workflow runs.
    s.article("ours")
    sh("git add .; git commit -qm Ours; git push -q origin main", s.root)
    sh(script, tmp_path / "work")
    assert sh("git pull -q origin main; git log --format=%s", s.root).splitlines()[0].startswith("Fetch")
    assert len(list((s.root / "content").rglob("*port-article*.md"))) == 3
    assert (s.root / "content/ours.md").exists()
    # The editor deletes an article. A fresh checkout, without any cache, does not bring it back.
    deleted = next((s.root / "content").rglob("*article-number-1-*.md"))
    deleted.unlink()
    sh("git add .; git commit -qm Deleted; git push -q origin main", s.root)
    server.add("127.0.0.1/feed", feed("port", 4))
    for _ in range(2):  # the second run commits nothing
        shutil.rmtree(tmp_path / "work")
        sh(checkout, tmp_path)
        sh(script, tmp_path / "work")
    subjects = sh("git pull -q origin main; git log --format=%s", s.root).split("\n")
    assert [subject.partition(" ")[0] for subject in subjects[:2]] == ["Fetch", "Deleted"]
    assert len(list((s.root / "content").rglob("*port-article*.md"))) == 3
    assert not deleted.exists()


def _script(host: str) -> str:
    """The commands of a workflow up to the publish."""
    _, _, *workflows = map(yaml.safe_load, blocks("yaml"))
    workflow = workflows[0 if host == "GitHub" else 1]
    if host == "GitHub":
        assert set(workflow[True]) == {"schedule", "workflow_dispatch"}
        lines = [step["run"] for step in workflow["jobs"]["news"]["steps"] if "run" in step]
    else:
        lines = workflow["news"]["script"]
    assert lines[-1].startswith("newsgen publish")
    script = "\n".join(line for line in lines[:-1] if not line.startswith("pip"))
    return re.sub(r'"https://[^"]*"', "origin", script)
