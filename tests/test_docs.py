"""The README is true: its commands run, and every option, setting, field, kind and filter is in it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

from newsgen import config
from newsgen.builder import render
from newsgen.commands.cli import cli
from newsgen.content import fields
from newsgen.content import reader as content
from newsgen.model import Site

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readme_s_newsgen_commands_run(tmp_path: Path) -> None:
    commands = [line for block in blocks("console") for line in block.splitlines() if line.startswith("newsgen ")]
    assert len(commands) >= 4
    for command in commands:
        words = [sys.executable, "-m", "newsgen", *shlex.split(command)[1:]]
        if "serve" in words:
            with subprocess.Popen([*words, "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as preview:
                assert preview.stdout
                assert preview.stdout.readline().startswith("http://127.0.0.1:"), command
                preview.kill()
            continue
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (tmp_path / "mysite/public/index.html").exists()


def test_the_readme_s_article_is_one(tmp_path: Path) -> None:
    (example,) = blocks("markdown")
    found = content.Reader(config.Config()).parse(content.Source("a.md", example.encode()))
    assert not isinstance(found, tuple), found


def test_the_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^)make ([\w-]+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_command_and_option_is_in_the_readme() -> None:
    def walk(command: click.Command, name: str) -> list[str]:
        inner = [w for n, c in getattr(command, "commands", {}).items() for w in walk(c, n)]
        options = [
            o for p in command.params if isinstance(p, click.Option) for o in p.opts if o not in ("--version", "--help")
        ]
        return [name, *options, *inner]

    for word in walk(cli, "newsgen"):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", README), word


def settings(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    out = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) and field.name != "fields":
            out += settings(field.type, f"{prefix}{field.name}.")
        else:
            out.append(prefix + field.name)
    return out


@pytest.mark.parametrize("name", settings(config.Config))
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("name", [*fields.KNOWN, *(n for n in config.Fields().ours()), *config.KINDS])
def test_every_field_and_kind_is_in_the_readme(name: str) -> None:
    assert re.search(rf"[`\s]{re.escape(name)}[`\s]", README)


def test_every_filter_is_in_the_readme() -> None:
    site = Site(
        title="",
        description="",
        language="",
        dir="",
        timezone="UTC",
        base="",
        root="/",
        home="/",
        navigation=(),
        footer=(),
        feeds=(),
        images=True,
        embeds=False,
    )
    for name in render.filters(site, str):
        assert f"`{name}`" in README, name


def test_the_screenshot_is_there() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).exists(), path
