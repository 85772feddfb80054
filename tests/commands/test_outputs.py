"""What commands print with `--json` is a contract: each output is one object of a type in `outputs`, with a version."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from sites import NOW, Site, related

from newsgen.commands import cli as command_line
from newsgen.commands.cli import cli
from newsgen.commands.outputs import OUTPUTS, schema

Make = Callable[..., Site]

AT = ("--now", NOW.isoformat())


def run(s: Site, *words: str, code: int = 0, at: tuple[str, ...] = AT) -> dict[str, Any]:
    """The output of a command in the site's folder."""
    done = CliRunner().invoke(cli, [*words, "--site", str(s.root), *at, "--json"])
    assert done.exit_code == code, done.stderr
    output = json.loads(done.stdout)
    assert output["version"] == 1
    assert next(iter(output)) == "version"
    return {name: value for name, value in output.items() if name != "version"}


def assert_is(output: Any, name: str) -> None:
    """Checks that an output has the fields of its type, all of them, and no others."""
    value = msgspec.convert(output, OUTPUTS[name])
    assert msgspec.to_builtins(value) == output, name


@pytest.fixture
def paper(site: Make) -> Site:
    s = (
        site()
        .write("site.toml", '[publish.live]\nto = "www"\n')
        .write("content/_topics/t.md", "---\nkeywords: [storm]\n---\n")
    )
    s.article("a", title="Storm hits coast", topics="[T]", more=related("https://b.example/b/"))
    s.article("b", title="Coast hit by storm", more=related("https://a.example/a/"))
    s.article("c", title="Coast is quiet").article("bad", title="Bad", lang="?")
    s.article("future", publishedDateTime="2027-01-01").article("expired", expiryDate="2026-11-09")
    return s.article("held", published="false")


def test_each_output_has_its_type(paper: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(paper.root)
    assert_is(run(paper, "build", code=1), "build")
    assert_is(run(paper, "check", code=1), "check")
    rows = "list drafts", "list stories", "list topics", "list feeds"
    lists = {
        "articles": "list articles",
        "held": rows[0], "future": rows[0], "expired": rows[0], "stories": rows[1], "topics": rows[2],
        "providers": rows[2],
    }  # fmt: skip
    for what, kind in lists.items():
        output = run(paper, "list", what, code=1)
        assert_is(output, "list")
        assert output["rows"], what
        for row in output["rows"]:
            assert_is(row, kind)
    assert_is(run(paper, "explain", "2026/11/08/a/"), "explain story")
    assert_is(run(paper, "explain", "b"), "explain article")
    assert_is(run(paper, "explain", "c"), "explain article")
    assert_is(run(paper, "explain", "a", "b"), "explain articles")
    assert_is(run(paper, "explain", "a", "c"), "explain articles")
    assert_is(run(paper, "publish", "--dry-run"), "publish")
    assert_is(run(paper, "diff", code=1), "diff")
    assert_is(run(paper, "fetch"), "fetch")
    paper.write("site.toml", '[images]\nshow = "cached"\n')
    assert_is(run(paper, "images"), "images")
    paper.write("content/_feeds/f.md", "---\nurl: https://f.example/feed.xml\n---\n")
    output = run(paper, "list", "feeds")
    assert_is(output["rows"][0], "list feeds")


def test_every_option_json_has_a_type() -> None:
    with_json = {
        name
        for name, command in cli.commands.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json == {name.partition(" ")[0] for name in OUTPUTS} - {"error"}


@pytest.mark.parametrize(
    ("words", "code", "kind", "problem"),
    [
        (("explain", "nothing"), 2, "ConfigError", {"what": "no published story or article matches 'nothing'; "}),
        (("build",), 2, "ConfigError", {"path": "site.toml", "line": 1, "field": "titel"}),
        (("build", "--jobs", "2", "--executor", "tcp://localhost:1"), 2, "usage", {}),
        (("publish", "nowhere"), 2, "ConfigError", {}),
    ],
)
def test_a_command_that_cannot_finish_prints_an_error_object(
    site: Make, words: tuple[str, ...], code: int, kind: str, problem: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    s = site().article("a")
    if problem.get("path"):
        s.write("site.toml", 'titel = "x"\n')
    codes: list[int] = []
    monkeypatch.setattr(command_line.os, "_exit", codes.append)
    monkeypatch.setattr(sys, "argv", ["newsgen", *words, "--site", str(s.root), "--json"])
    with CliRunner().isolation() as (out, _, _):
        command_line.main()
        output = json.loads(out.getvalue())
    assert codes == [code]
    assert output.pop("version") == 1
    assert_is(output, "error")
    error = output["error"]
    assert (error["kind"], error["exit_code"]) == (kind, code)
    for name, value in problem.items():
        found = error["problems"][0][name]
        assert found.startswith(value) if isinstance(value, str) else found == value


def test_the_schema_describes_all_outputs() -> None:
    found = schema()
    for name in OUTPUTS:
        part = found["$defs"][found["$defs"][name]["$ref"].rpartition("/")[2]]
        assert part["properties"]
        if not name.startswith("list "):
            assert part["properties"]["version"] == {"const": 1}
            assert "version" in part["required"]
    done = CliRunner().invoke(cli, ["schema", "output"])
    assert json.loads(done.stdout) == json.loads(msgspec.json.encode(found))
