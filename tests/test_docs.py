"""The documentation is true: its commands run, and it contains every option, setting, field, kind, filter and page field."""

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
from newsgen.content.source import Source
from newsgen.locales import ENGLISH
from newsgen.model import Site
from newsgen.pages import kinds

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)


def test_the_newsgen_commands_in_the_docs_run(tmp_path: Path) -> None:
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


def test_the_example_articles_in_the_docs_are_valid() -> None:
    examples = blocks("markdown")
    assert examples
    for example in examples:
        found = content.Reader(config.Config()).parse(Source("a.md", example.encode()))
        assert not found.problems, found


def test_the_make_targets_in_the_docs_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^)make ([\w-]+)", DOCS, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_command_and_option_is_documented() -> None:
    def walk(command: click.Command, name: str) -> list[str]:
        inner = [w for n, c in getattr(command, "commands", {}).items() for w in walk(c, n)]
        options = [
            o
            for p in command.params
            if isinstance(p, click.Option) and not p.hidden
            for o in p.opts
            if o not in ("--version", "--help")
        ]
        return [name, *options, *inner]

    for word in walk(cli, "newsgen"):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", DOCS), word


def settings(kind: type[msgspec.Struct], prefix: str = "") -> list[str]:
    out = []
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct) and field.name != "fields":
            out += settings(field.type, f"{prefix}{field.name}.")
        else:
            out.append(prefix + field.name)
    return out


@pytest.mark.parametrize("name", settings(config.Config))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize(
    "name",
    [*fields.ARTICLE_FIELDS, *(n for n in config.Fields().by_foreign_name()), *config.KINDS, *config.EXTRA_KINDS],
)
def test_every_field_and_kind_is_documented(name: str) -> None:
    assert re.search(rf"[`\s]{re.escape(name)}[`\s]", DOCS)


def test_every_filter_is_documented() -> None:
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
    for name in render.filters(site, str, ENGLISH):
        assert f"`{name}`" in DOCS, name


@pytest.mark.parametrize("page", kinds.KINDS)
def test_every_page_type_and_its_fields_are_documented(page: type[kinds.Page]) -> None:
    text = (ROOT / "docs/templates.md").read_text(encoding="utf-8")
    if page in (kinds.FilePage, kinds.AttachmentPage):  # a copied file has no template
        return
    assert f"`{page.__name__}`" in text
    (row,) = re.findall(rf"^\| [^|]*`{page.__name__}`.*$", text, re.MULTILINE)
    for field in page.__struct_fields__:
        assert field == "path" or f"`{field}`" in row, field


def test_the_links_between_the_docs_lead_somewhere() -> None:
    def anchors(page: Path) -> set[str]:
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

    for page in PAGES:
        text = re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8"))  # links in code are examples
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if not link.startswith("https://"):
                path, _, anchor = link.partition("#")
                target = (page.parent / path) if path else page
                assert target.exists(), f"{page.name}: {link}"
                assert not anchor or anchor in anchors(target), f"{page.name}: {link}"
