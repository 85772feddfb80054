"""Writes the site.toml of a new site: every setting with its default, commented out, and what it means.

The settings and their defaults are those of `newsgen.config`, their meanings those of docs/configuration.md.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from newsgen.config import Config
from newsgen.errors import OutputError, unreadable
from newsgen.files import shipped_site

_WIDTH = 110
_HEAD = """\
# The settings of this site. All of them are optional.
# A line that begins with a # and no space is a setting with its default. To change it, remove the #.
"""


def text(chosen: Mapping[str, Any]) -> str:
    """The text of a site.toml with these settings, by table and name, and all others commented out."""
    lines = [_HEAD, *_table(Config, chosen, "", _meanings())]
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(
    table: type[msgspec.Struct], chosen: Mapping[str, Any], prefix: str, meanings: dict[str, tuple[str, str]]
) -> Iterator[str]:
    told, tables = "", []
    for field in msgspec.structs.fields(table):
        name = prefix + field.encode_name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            tables.append((field.encode_name, field.type))
            continue
        meaning, usual = meanings.get(name, ("", ""))
        if meaning and meaning != told:
            if told:
                yield ""
            yield from _words(meaning)
        told = meaning
        default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        if field.encode_name in chosen:
            yield f"{field.encode_name} = {_toml(chosen[field.encode_name])}"
        elif default in (None, msgspec.NODEFAULT) or name == "publish":
            # No line can say it: there is no value, or the tables have names that the site chooses.
            yield from _words(f"`{name}` is not set{usual and f': {usual}'}")
        else:
            yield f"#{field.encode_name} = {_toml(default)}"
    for own_name, kind in tables:
        name = prefix + own_name
        yield f"\n[{name}]"
        if name in meanings:
            yield from _words(meanings[name][0])
        yield from _table(kind, chosen.get(own_name, {}), f"{name}.", meanings)


def _words(words: str) -> list[str]:
    """Words as comments."""
    words = words[:1].upper() + words[1:]
    return textwrap.wrap(words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _toml(value: Any) -> str:
    """A text, number, list of these, or an empty table, as TOML. The strings of JSON are strings of TOML too."""
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _meanings() -> dict[str, tuple[str, str]]:
    """The meaning of each setting, and its default in words, from the documentation: its tables with three columns.

    Without Markdown.
    """
    place = shipped_site() / "docs/configuration.md"
    try:
        page = place.read_text(encoding="utf-8")
    except OSError as error:
        raise OutputError(unreadable(str(place), error)) from None
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]*) \| (.+) \|$", page, re.MULTILINE)

    def plain(words: str) -> str:
        words = re.sub(r"\[([^]]+)\]\((\w+\.md)[^)]*\)", r"\1 (docs/\2)", words)
        return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", words)

    found: dict[str, tuple[str, str]] = {}
    for written, usual, meaning in rows:
        names = re.findall(r"`([\w.]+)`", written)
        in_words = "" if len(names) > 1 or usual in ("none", "`{}`") else plain(usual)
        found |= {name: (plain(meaning), in_words) for name in names}
    return found
