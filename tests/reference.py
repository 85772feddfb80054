"""Prints docs/templates-reference.md: every template with its blocks and macros, as its file and comments say.

python tests/reference.py > docs/templates-reference.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

import jinja2
from jinja2 import nodes

from newsgen.builder import translation
from newsgen.pages import Page
from newsgen.pages.kinds import KINDS

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
PAGES: dict[str, type[Page]] = {page.template: page for page in KINDS if page.template}

INTRODUCTION = """# Reference of templates

Made from the shipped templates by `make reference`; a test compares the two. [Templates](templates.md) explains how to override a
template or a block, and which values it reads.

A block is part of a template that extends another: a template of your own replaces it. A macro is imported:
`{% from "parts/card.html" import headline %}`. The slots, blocks that are empty until a site fills them, are
[listed with their places](look.md#boxes-in-the-pages).
"""


class Part(NamedTuple):
    """A template, or a block or macro in one: what its tag says, and the comment before it."""

    tag: str
    comment: str


class Template(NamedTuple):
    name: str
    comment: str
    extends: str
    imports: list[str]
    blocks: list[str]
    slots: list[str]
    shows: list[str]
    macros: list[Part]


def templates() -> list[Template]:
    """All shipped templates, in the order of their names: the frame first, then each folder."""
    environment = translation.parser()
    environment.filters["asset"] = str
    paths = sorted(TEMPLATES.rglob("*.*"), key=lambda path: (path.parent != TEMPLATES, path))
    return [_read(environment, path) for path in paths]


def _read(environment: jinja2.Environment, path: Path) -> Template:
    name, source = path.relative_to(TEMPLATES).as_posix(), path.read_text(encoding="utf-8")
    tree = environment.parse(source, name)
    macros = list(_macros(environment, source))
    unused = [node for node in tree.find_all(nodes.If) if isinstance(node.test, nodes.Const) and not node.test.value]
    slots = [block.name for node in unused for block in node.find_all(nodes.Block)]
    return Template(
        name=name,
        comment=_first_comment(source),
        extends=next((_text(node.template) for node in tree.find_all(nodes.Extends)), ""),
        imports=sorted(
            {_text(node.template) for node in tree.find_all((nodes.FromImport, nodes.Import, nodes.Include))}
        ),
        blocks=[node.name for node in tree.find_all(nodes.Block) if node.name not in slots],
        slots=slots,
        shows=[call.node.attr for call in tree.find_all(nodes.Call) if _is_of_self(call.node)],
        macros=macros,
    )


def _is_of_self(node: nodes.Expr) -> TypeGuard[nodes.Getattr]:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "self"


def _text(node: nodes.Node) -> str:
    return str(node.value) if isinstance(node, nodes.Const) else ""


def _macros(environment: jinja2.Environment, source: str) -> Iterator[Part]:
    """The macros of a template, each with the comment that ends directly before it."""
    comment, tag, is_in_macro = "", "", False
    for _, kind, value in environment.lex(source):
        if kind == "comment":
            comment = " ".join(value.split())
        elif kind == "name" and value == "macro" and not is_in_macro:
            is_in_macro, tag = True, ""
        elif is_in_macro and kind == "block_end":
            yield Part(" ".join(tag.split()), comment)
            is_in_macro, comment = False, ""
        elif is_in_macro:
            tag += value
        elif (kind == "data" and value.strip()) or kind in ("variable_begin", "block_end"):
            comment = ""


def _first_comment(source: str) -> str:
    """The comment that a template begins with, unless that is about its first macro."""
    found = re.match(r"\s*(?:\{%[^%]*(?:extends|import)[^%]*%\}\s*)*\{#-?(.*?)-?#\}(\s*\{% macro)?", source, re.DOTALL)
    return " ".join(found[1].split()) if found and not found[2] else ""


def _first_paragraph(page: type[Page]) -> str:
    return " ".join((page.__doc__ or "").split("\n\n")[0].split())


def _row(name: str, comment: str) -> str:
    return f"| `{name.replace('|', chr(92) + '|')}` | {comment.replace('|', chr(92) + '|')} |"


def reference() -> str:
    """The text of the page."""
    parts = [INTRODUCTION]
    folder = None
    for each in templates():
        here = each.name.rpartition("/")[0]
        if here != folder:
            folder = here
            parts.append(f"## {here + '/' if here else 'The frame of every page'}\n")
        parts.append(f"### {each.name}\n")
        page = PAGES.get(each.name)
        if page:
            parts.append(f"For a `{page.__name__}`: {_first_paragraph(page)}\n")
        if each.comment:
            parts.append(f"{each.comment}\n")
        facts = [
            ("Extends", [each.extends] if each.extends else []),
            ("Uses", each.imports),
            ("Blocks", each.blocks),
            ("Slots" if each.slots else "Shows the slots", each.slots or list(dict.fromkeys(each.shows))),
        ]
        lines = [f"- {title}: {', '.join(f'`{name}`' for name in names)}" for title, names in facts if names]
        if lines:
            parts.append("\n".join(lines) + "\n")
        if each.macros:
            rows = [_row(macro.tag, macro.comment) for macro in each.macros]
            parts.append("\n".join(["| macro | what it prints |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201
