"""The site.toml of a new site: every setting, as the configuration knows it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from newsgen import config
from newsgen.commands import settings

CHOSEN = {"title": 'Räder "x" \x7f\\', "base_url": "https://rad.example/", "video": {"embed": True}}


def load(tmp_path: Path, text: str) -> config.Config:
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    return config.load(tmp_path / "site.toml")


def names(kind: Any, prefix: str = "") -> list[str]:
    return [
        name
        for field in msgspec.structs.fields(kind)
        for name in (
            names(field.type, f"{prefix}{field.encode_name}.")
            if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
            else [prefix + field.encode_name]
        )
    ]


def test_chosen_settings_are_set_and_all_others_are_comments_with_words(tmp_path: Path) -> None:
    text = settings.text(CHOSEN)
    assert load(tmp_path, text) == msgspec.convert(CHOSEN, config.Config)
    table, told, found = "", False, []
    documented = settings._meanings()
    for line in text.splitlines()[3:]:
        if heading := re.fullmatch(r"\[(.+)\]", line):
            table = f"{heading[1]}."
        elif line.startswith("# "):
            told = True
            if unset := re.match(r"# `([\w.]+)` is not set", line):
                found.append(unset[1])
        elif setting := re.match(r"#?(\w+) = ", line):
            # tests/test_docs.py finds settings that are not documented.
            is_documented = table + setting[1] in documented and table[:-1] not in documented
            assert told or not is_documented, f"{line}: without words"
            found.append(table + setting[1])
        elif not line:
            told = False
    assert sorted(found) == sorted(names(config.Config)), "every setting, once"


def test_each_commented_setting_is_valid_and_says_the_default(tmp_path: Path) -> None:
    text = settings.text({})
    lines = text.splitlines()
    commented = [at for at, line in enumerate(lines) if line.startswith("#") and not line.startswith("# ")]
    assert len(commented) > 50
    for at in commented:
        changed = [*lines[:at], lines[at][1:], *lines[at + 1 :]]
        assert load(tmp_path, "\n".join(changed)) == config.Config(), lines[at]
    everything = "\n".join(line[1:] if at in commented else line for at, line in enumerate(lines))
    assert load(tmp_path, everything) == config.Config()
    assert tomllib.loads(everything)["page_size"] == 30


@pytest.mark.parametrize("line", settings.text({}).splitlines())
def test_no_line_is_too_long_for_an_editor_or_has_markdown_links(line: str) -> None:
    assert len(line) <= 160
    assert "](" not in line
