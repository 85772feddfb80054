"""Front matter has the values that PyYAML gives, with yaml-rs and without. Malformed files give errors with a line."""

from __future__ import annotations

import gzip
import json
import pickle
import re
import tarfile
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
import yaml_rs
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from newsgen.content import frontmatter as fm

STANDARD = "tag:yaml.org,2002:"
MERGE = STANDARD + "merge"


class Reference(yaml.CSafeLoader):
    """The reference for front matter: PyYAML's safe loader, which here also refuses duplicate names.

    What only looks like a date or number, such as 2026-02-30, is text, and so are all names without quotes.
    """

    def get_single_node(self) -> Any:
        root = super().get_single_node()
        nodes, seen = [root], set()
        while nodes:
            node = nodes.pop()
            if isinstance(node, yaml.CollectionNode) and node not in seen:
                seen.add(node)
                if isinstance(node, yaml.MappingNode):
                    for key, value in node.value:
                        nodes += key, value
                        is_plain = isinstance(key, yaml.ScalarNode) and not key.style and key.tag.startswith(STANDARD)
                        if is_plain and key.tag not in (MERGE, STANDARD + "null"):
                            key.tag = STANDARD + "str"
                else:
                    nodes += node.value
        return root

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            if not isinstance(node, yaml.ScalarNode) or node.style:
                raise
            if self.resolve(yaml.ScalarNode, node.value, (True, False)) != node.tag:  # type: ignore[no-untyped-call]
                raise
            self.recursive_objects.pop(node)
            return node.value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            own = [k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode) and k.tag != MERGE]
            if len(own) > len(set(own)):
                raise yaml.constructor.ConstructorError(None, None, "twice", node.start_mark)
        return super().construct_mapping(node, deep)

    def construct_day_or_time(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value


Reference.add_constructor("tag:yaml.org,2002:timestamp", Reference.construct_day_or_time)

REFUSED = object()


def reference(text: str) -> Any:
    try:
        values = yaml.load(text, Reference)
        if values is None and yaml.compose(text, yaml.CSafeLoader) is None:
            return {}
        return values if isinstance(values, dict) and names_are_text(values) else REFUSED
    # Constructors raise any of these if a tag does not match its value. An alias that contains itself: RecursionError.
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        return REFUSED


def names_are_text(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and names_are_text(v) for k, v in value.items())
    if isinstance(value, set):
        return all(isinstance(k, str) for k in value)
    if isinstance(value, tuple):  # from !!omap or !!pairs
        return isinstance(value[0], str) and names_are_text(value[1])
    return all(map(names_are_text, value)) if isinstance(value, list) else True


def parsed(data: bytes) -> Any:
    try:
        return fm.parse(data).values
    except fm.FrontMatterError as caught:
        error = caught
    assert error.line >= 1
    assert error.what
    assert isinstance(fm.line(data, ("a", 0)), int)
    return REFUSED


def agree(text: str) -> Any:
    """Asserts that front matter and the reference give the same values for a text, and returns them."""
    values, expected = parsed(f"---\n{text}\n---\n".encode()), reference(text + "\n")
    # Compare repr(): it distinguishes 1, True and 1.0, and a NaN equals itself.
    assert repr(values) == repr(expected), text
    return values


def closes(text: str) -> bool:
    return re.search(r"^(---+|\.\.\.)[ \t]*$", text.replace("\r\n", "\n").replace("\r", "\n"), re.MULTILINE) is not None


def malformed(data: bytes | str) -> fm.FrontMatterError:
    with pytest.raises(fm.FrontMatterError) as caught:
        fm.parse(data.encode() if isinstance(data, str) else data)
    return caught.value


def in_yaml(*lines: str) -> str:
    return "\n".join(("---", *lines, "---", "body"))


class FastPath:
    """Counts the texts that were read without PyYAML (`count`) and the calls of yaml-rs (`loads`)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = self.loads = self._slow = 0
        self._read_yaml, self._compose = fm._read_yaml, fm._compose
        patch.setattr(fm, "yaml_rs", SimpleNamespace(loads=self._loads, YAMLDecodeError=yaml_rs.YAMLDecodeError))
        patch.setattr(fm, "_read_yaml", self._counting_read_yaml)
        patch.setattr(fm, "_compose", self._counting_compose)

    def _loads(self, text: str, *, parse_datetime: bool) -> Any:
        values = yaml_rs.loads(text, parse_datetime=parse_datetime)
        self.loads += 1
        return values

    def _counting_read_yaml(self, block: Any) -> Any:
        before = self._slow
        values = self._read_yaml(block)
        self.count += self._slow == before
        return values

    def _counting_compose(self, *arguments: Any) -> Any:
        self._slow += 1
        return self._compose(*arguments)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> FastPath:
    return FastPath(monkeypatch)


def members(archive: Path, *suffixes: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(suffixes):
                file = tar.extractfile(member)
                assert file
                yield member.name, file.read()


# Values


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("---\ntitle: A\ntags: [x, y]\n---\n\nbody\n\n---\nmore\n", "yaml"),
        ('+++\ntitle = "A"\ntags = ["x", "y"]\n+++\n\nbody\n\n---\nmore\n', "toml"),
        ('{\n"title": "A",\n"tags": ["x", "y"]\n}\n\nbody\n\n---\nmore\n', "json"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_formats_give_the_same_values_with_any_line_ending(text: str, format: str, newline: str) -> None:
    expected = fm.Document(format, {"title": "A", "tags": ["x", "y"]}, "body\n\n---\nmore")  # type: ignore[arg-type]
    assert fm.parse(text.replace("\n", newline).encode()) == expected


def test_blank_lines_longer_fences_and_a_missing_last_newline_are_accepted() -> None:
    assert fm.parse(b"\n \n----  \na: 1\n-----") == fm.Document("yaml", {"a": 1}, "")


@pytest.mark.parametrize(
    "text", ["---\n---", "---\n---\n", "---\n\n---\n", "---\n# only a comment\n---\n", "+++\n+++\n", "{\n}\n"]
)
def test_an_empty_block_has_no_fields(text: str) -> None:
    assert fm.parse(text.encode()).values == {}


def test_field_names_that_break_the_librarys_load_are_accepted() -> None:
    assert fm.parse(b"---\ncontent: a\nhandler: b\nmetadata: c\n---\n").values == {
        "content": "a",
        "handler": "b",
        "metadata": "c",
    }


def test_json_ends_where_its_outer_brace_closes() -> None:
    assert fm.parse(b'{\n"a": {\n"b": 1\n}\n}\nbody') == fm.Document("json", {"a": {"b": 1}}, "body")
    assert fm.parse(b'{\n"a": {\n"b": 1\n },"n": NaN\n}\nbody').values["a"] == {"b": 1}
    # Hugo reads an object that is indented, or on one line.
    text = b'\n  {\n    "a": "}{\\"",\n    "b": ["c"]\n  }  \n\nif (x) {\n}\n'
    assert fm.parse(text) == fm.Document("json", {"a": '}{"', "b": ["c"]}, "if (x) {\n}")
    assert fm.parse(b'{"a": 1}\nbody') == fm.Document("json", {"a": 1}, "body")
    assert fm.parse(b"{ }\nbody") == fm.Document("json", {}, "body")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2021-10-07T16:32:00Z", datetime(2021, 10, 7, 16, 32, tzinfo=UTC)),
        ("2021-10-07T16:32:00.25+02:00", datetime(2021, 10, 7, 16, 32, 0, 250000, tzinfo=timezone(timedelta(hours=2)))),
        ("2021-10-07 16:32:00", datetime(2021, 10, 7, 16, 32)),  # noqa: DTZ001 (as written)
        ("2021-10-07", date(2021, 10, 7)),
        ('"2021-10-07"', "2021-10-07"),
        ("'2021-10-07 16:32'", "2021-10-07 16:32"),
        ('"12:30:45"', "12:30:45"),
        ('"\\u0031999-12-31"', "1999-12-31"),
        ("2021-10-07 16:32:00 -0500", "2021-10-07 16:32:00 -0500"),
        ("2021-10-07T16:32Z", "2021-10-07T16:32Z"),
        ("12:30:45", 45045),
        ("yes", True),
        ("[on, Off]", [True, False]),
        ("y", "y"),
        ("012", 10),
        ("0x1F", 31),
        ("0o17", "0o17"),
        ("1_000", 1000),
        ("1e3", "1e3"),
        ("1.5", 1.5),
        ("~", None),
        ("", None),
        ('"a\\u00e9\\n\\"b\\""', 'aé\n"b"'),
        ("'it''s'", "it's"),
        ("a # b", "a"),
        ("C# and F#: x".replace(": ", ":"), "C# and F#:x"),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_a_yaml_value_is_the_one_that_pyyaml_gives(text: str, value: object) -> None:
    assert repr(fm.parse(f"---\nk: {text}\n---\n".encode()).values) == repr({"k": value})
    agree(f"k: {text}")


def test_a_name_that_yaml_rs_reads_as_a_number_stays_text() -> None:
    assert agree("_1: a") == {"_1": "a"}


def test_merge_keys_and_aliases_work() -> None:
    assert agree("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2},
    }


def test_quoted_and_unquoted_dates_take_the_fast_path_unless_a_file_has_both(fast: FastPath) -> None:
    agree("a: 2021-10-07T16:32:00Z\nb: x")
    agree('a: "2021-10-07T16:32:00Z"\nb: x')
    assert fast.count == 2
    agree('a: "2021-10-07T16:32:00Z"\nb: 2021-10-07')
    assert fast.count == 2


def test_without_yaml_rs_the_values_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"---\na: 2021-10-07\nb:\n  - c: 'x'\n    d: 1.5\n---\n"
    expected = fm.parse(text)
    monkeypatch.setattr(fm, "yaml_rs", None)
    assert fm.parse(text) == expected


# Malformed


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        (b"---\na: 1\r\nb: \xff\n---\n", 3, "not valid UTF-8", "UTF-8"),
        ("---\na: 1\n---\n".encode("utf-16"), 1, "not valid UTF-8", "UTF-8"),
        (b"---\na: 1\n---\n1\r2\r3 \xe9", 6, "not valid UTF-8", "UTF-8"),
        (b"", 1, "no front matter", "begin the file with a line ---"),
        (b"\n\nhello\n---\n", 3, "no front matter", "begin the file with a line ---"),
        (b"--- # x\na: 1\n---\n", 1, "no front matter", "begin the file with a line ---"),
        (b"{a: 1}\n", 1, "no front matter", "begin JSON front matter with {"),
        (b'{"a": 1} Text\n', 1, "is not closed", "add a line with }"),
        (b';;;\n{"a": 1}\n;;;\n', 1, "no front matter", "begin JSON front matter with {"),
        (b"---\na: 1\n", 1, "is not closed", "add a line with --- after the last field"),
        (b"\n---\na: 1\n --- \n", 2, "is not closed", "add a line with --- after the last field"),
        (b"---", 1, "is not closed", "add a line with --- after the last field"),
        (b"+++\na = 1\n---\n", 1, "is not closed", "add a line with +++ after the last field"),
        (b'{\n"a": 1\n', 1, "is not closed", "add a line with } after the last field"),
        (in_yaml("- a", "- b"), 2, "a list, not fields", "name: value"),
        (in_yaml("hello"), 2, "a single value, not fields", "name: value"),
        (in_yaml("a: 1", "~: x"), 3, "not text", "put the name in quotes"),
        (in_yaml("a: 1", "? [b]", ": x"), 3, "not text", "put the name in quotes"),
        (in_yaml("a: !!set {x, ~}"), 2, "not text", "put the name in quotes"),
        (in_yaml("a: 1", "b: 2", "a: 3"), 4, "duplicate field", "keep one"),
        (in_yaml("a:", "  - b: 1", "    'b': 2"), 4, "duplicate field", "keep one"),
        (in_yaml("a: {b: 1, b: 2}"), 2, "duplicate field", "keep one"),
        ("+++\na = 1\nb = 2\na = 3\n+++\n", 4, "duplicate field", "keep one"),
        ("+++\n[a]\nb = 2\n[a]\nc = 1\n+++\n", 4, "duplicate field", "keep one"),
        ('{\n"a": 1,\n"b": {"c": 1,\n"c": 2}\n}\n', 4, "duplicate field", "keep one"),
        (in_yaml("a: 1", "--- b"), 3, "second YAML document", "remove"),
        (in_yaml("a: 1", "b: !foo x"), 3, "unknown tag", "quotes"),
        (in_yaml("a: !!python/object/apply:os.system [x]"), 2, "unknown tag", "quotes"),
        (in_yaml("a: 1", "b: !!str [x]"), 3, "does not match its tag", "remove the tag"),
        (in_yaml("a: 1", "b: !!int x"), 3, "invalid number", "quotes"),
        (in_yaml("a: 1", "b: !!timestamp x"), 3, "invalid date or time", "quotes"),
        (in_yaml("a: ="), 2, "a lone =", "quotes"),
        (in_yaml("a: 1", "title: War: the end"), 3, "a second `: `", "put the value in quotes"),
        (in_yaml("a:", "\tb: 1"), 3, "a tab", "indent with spaces"),
        (in_yaml("a: @b"), 2, "cannot begin with", "quotes"),
        (in_yaml("a: *b"), 2, "cannot begin with *", "quotes"),
        (in_yaml('a: "b', "c: 1", "d: 1"), 2, "not closed", "closing quote"),
        (in_yaml("a: 1", 'b: "x" y'), 3, "unexpected text", "quotes"),
        (in_yaml("a: 1", r'b: "\q"'), 3, "unknown escape", r"\\"),
        (in_yaml("a: 1", "b"), 3, "neither a field", "name: value"),
        (in_yaml("a: [x, y", "b: 1"), 2, "a bracket is not closed", "closing ]"),
        (in_yaml("a: 1", "b: \x07"), 3, "U+0007", "remove it"),
        (in_yaml("a: 1", "b: x\u2028y", "c: z: 1"), 3, "field", ""),
        ("+++\na = 1\nb = x\n+++\n", 3, "invalid TOML", '"value"'),
        ('+++\na = "1\n+++\n', 2, "invalid TOML", '"value"'),
        ('{\n"a": 1,\n"b": x\n}\n', 3, "invalid JSON", "double quotes"),
        ('{\n"a": 1,\n}\n', 3, "invalid JSON", "after the last"),
        ('{\n"b": 1,\n"a": ["\\ud800"]\n}\n', 3, "unpaired surrogate", "the character itself"),
    ],
)
def test_malformed_front_matter_is_an_error_with_line_and_hint(
    text: bytes | str, line: int, what: str, hint: str
) -> None:
    error = malformed(text)
    assert (error.line, error.what, error.hint) == (line, error.what, error.hint)
    assert what in error.what
    assert hint in error.hint


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_lines_are_right_with_any_line_ending(newline: str) -> None:
    assert malformed(newline.join(("", "---", "a: 1", "", "b: c: d", "---"))).line == 5
    assert fm.line(newline.join(("---", "a: 1", "b:", "  c: 1", "---")).encode(), ("b", "c")) == 4


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (in_yaml("a:", "  - x", "  - b: {c: 1, c: 2}"), "a[1].b.c"),
        (in_yaml("a:", "  - when: !!timestamp 2021"), "a[0].when"),
        ('{\n"a": [0, {"c": 1, "c": 2}]\n}\n', "a[1].c"),
        (in_yaml("- a"), ""),
    ],
)
def test_an_error_names_the_field(text: str, field: str) -> None:
    assert malformed(text).field == field


def test_an_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(malformed(in_yaml("a: {b: 1, b: 2}"))))
    assert (error.line, error.what, error.field) == (2, "duplicate field", "a.b")
    assert error.hint


SECRET = "c2VjcmV0Zm9ydHk0dHdv"


@pytest.mark.parametrize(
    "text",
    [
        in_yaml(f"secured: {SECRET}: x"),
        in_yaml(f"secured: !{SECRET} x"),
        in_yaml(f"secured: !!binary é{SECRET}"),
        in_yaml(f"secured: !!int {SECRET}"),
        in_yaml(f"secured: {{{SECRET}: 1, {SECRET}: 2}}"),
        in_yaml(f"secured: {{{SECRET}: {{x: !!int y}}}}"),
        in_yaml(f'secured: "{SECRET}'),
        in_yaml(f"secured: &{SECRET} [*{SECRET}]"),
        in_yaml(f"secured: *{SECRET}"),
        in_yaml(f"secured: %{SECRET}"),
        f"+++\nsecured = {SECRET}\n+++\n",
        f"+++\n[secured]\n{SECRET}.a = 1\n{SECRET} = 2\n+++\n",
        f"+++\n[secured.{SECRET}]\n[secured.{SECRET}]\n+++\n",
        f'+++\nsecured = "{SECRET}\\q"\n+++\n',
        f'{{\n"secured": {{"{SECRET}": 1, "{SECRET}": 2}}\n}}\n',
        f'{{\n"secured": {{"{SECRET}": "\\ud800"}}\n}}\n',
        f'{{\n"secured": "{SECRET}\\q"\n}}\n',
    ],
)
def test_errors_never_quote_a_secured_field(text: str) -> None:
    error = malformed(text)
    assert SECRET[:6] not in repr((str(error), error.what, error.hint, error.field, error.args))


def test_errors_never_quote_a_long_value() -> None:
    for text in (in_yaml(f"a: {'x' * 500}: y"), in_yaml(f"a: !{'x' * 500} y"), in_yaml(f"a: !!int {'x' * 500}")):
        error = malformed(text)
        assert "x" * 61 not in str(error) + error.hint + error.field


# Hostile


def test_front_matter_beyond_the_limit_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fm, "_read_yaml", None)
    assert "longer than 256 KB" in malformed(in_yaml("a: " + "x" * fm.MAX_BYTES)).what
    assert "longer than 256 KB" in malformed(in_yaml("a: " + "é" * (fm.MAX_BYTES // 2))).what


def test_front_matter_just_below_the_limit_is_read() -> None:
    text = in_yaml("a: " + "é" * (fm.MAX_BYTES // 2 - 10))
    assert len(fm.parse(text.encode()).values["a"]) == fm.MAX_BYTES // 2 - 10


@pytest.mark.parametrize("end", ["---\n", ""])
def test_splitting_a_huge_body_takes_linear_time(end: str) -> None:
    data = ("---\na: 1\n" + end + "---x\n- \n" * 500_000).encode()
    start = time.perf_counter()
    parsed(data)
    assert time.perf_counter() - start < 10


N = 80_000


@pytest.mark.parametrize(
    "text",
    [
        in_yaml("a: " + "[" * N),
        in_yaml("a: " + "[" * N + "]" * N),
        in_yaml("a: " + "{b: " * (N // 2)),
        in_yaml("- " * N + "a"),
        in_yaml("? " * N + "a"),
        in_yaml("\n".join(" " * i + "a:" for i in range(600))),
        in_yaml("\n".join(" " * i + "- a:\n" + " " * (i + 2) + "- b:" for i in range(0, 120, 4))),
        in_yaml("a: " + "[" * 60 + "]" * 60),
        in_yaml("\n".join(f"a{i}: &a{i} [{f'*a{i - 1}' if i else ''}]" for i in range(3000))),
        "+++\na = " + "[" * N + "]" * N + "\n+++\n",
        "+++\na = " + "{a=" * (N // 2) + "1" + "}" * (N // 2) + "\n+++\n",
        "+++\n" + ".".join("a" * N) + " = 1\n+++\n",
        "+++\n[" + ".".join("a" * N) + "]\n+++\n",
        "+++\na = " + "{a.b.c.d.e.f = " * 40 + "1" + "}" * 40 + "\n+++\n",
        '{\n"a": ' + "[" * N + "]" * N + "\n}\n",
        '{\n"a": ' + '{"a":' * (N // 4) + "1" + "}" * (N // 4) + "\n}\n",
        '{\n"a": ' + "[" * 60 + "]" * 60 + "\n}\n",
    ],
    ids=range(17),
)
def test_deep_nesting_is_refused(text: str) -> None:
    error = malformed(text)
    assert "nested more than 50 levels deep" in error.what
    assert fm.line(text.encode(), ("a", 0, 0)) >= 1


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 40 + "]" * 40, "\n".join(" " * i + "a:" for i in range(45)), 'a: "' + "[{" * 500 + '"\nb: !!str 1'],
)
def test_nesting_below_the_limit_is_read(text: str) -> None:
    assert agree(text) is not REFUSED


@pytest.mark.parametrize(
    "text",
    [
        '+++\na = "' + "[{" * 99 + "\"\nb = '" + "[{" * 99 + "'\nc = [" + "1.5," * 99 + "]\n# " + "[" * 99 + "\n+++\n",
        '{\n"a": "\\"' + "[{" * 99 + '"\n}\n',
    ],
)
def test_brackets_inside_strings_do_not_count_as_nesting(text: str) -> None:
    assert parsed(text.encode()) is not REFUSED


@pytest.mark.parametrize(
    "text",
    [
        in_yaml("a: " + "1" * 100_000),
        in_yaml("a: 0x" + "f" * 100_000),
        in_yaml("a: 1" + ":59" * 50_000),
        in_yaml("a: 1" + ":59" * 50_000 + ".5"),
        in_yaml("a: 1" + "_1" * 50_000),
    ],
    ids=range(5),
)
def test_a_yaml_number_too_long_to_print_is_text(text: str) -> None:
    assert text == in_yaml(f"a: {fm.parse(text.encode()).values['a']}")


@pytest.mark.parametrize(
    "text",
    [
        "+++\na = " + "1" * 100_000 + "\n+++\n",
        "+++\na = 0x" + "f" * 100_000 + "\n+++\n",
        '{\n"a": ' + "1" * 100_000 + "\n}\n",
    ],
    ids=range(3),
)
def test_a_number_too_long_to_print_is_refused(text: str) -> None:
    error = malformed(text)
    assert (error.line, error.what) == (2, "invalid number")


BOMB = [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]


@pytest.mark.parametrize(
    "lines",
    [
        ("a: &a [x, x, x, x, x, x, x, x, x]", *BOMB),
        ("a: &a {x: 1}", *(line.replace("[", "{<<: [").replace("]", "]}") for line in BOMB)),
        ("a: &a " + "x" * 100_000, "b: [" + ",".join(["*a"] * 30_000) + "]"),
        ("a: &a [*a]",),
        ("a: &a {b: {<<: *a}}",),
    ],
    ids=["values", "merges", "a long text", "itself", "merged into itself"],
)
def test_an_alias_bomb_is_refused(lines: tuple[str, ...]) -> None:
    assert "alias" in malformed(in_yaml(*lines)).what


def test_many_values_without_aliases_are_read() -> None:
    assert len(parsed(in_yaml("a: [" + "b," * 120_000 + "]").encode())["a"]) == 120_000


# Lines of fields


def test_line_finds_the_deepest_node_on_the_path() -> None:
    text = b"\n---\na: 1\nb:\n  - c: x\n  -\n    c: y\n    d:\n      - 1\n---\n"
    for path, expected in [
        ((), 2),
        (("a",), 3),
        (("z", 1), 2),
        (("b", 1, "c"), 7),
        (("b", 1, "d", 0), 9),
        (("b", 0, "e"), 5),
        (("b", 9), 4),
        (("a", "b"), 3),
    ]:
        assert fm.line(text, path) == expected, path


def test_line_finds_names_in_toml_and_json() -> None:
    toml = b'+++\ntitle = "a = 1"\n[[b]]\nc = 1\n[[b]]\nc = 2\n[b.d]\n"e" = 1\n[f]\na = {g = 1}\n+++\n'
    for path, expected in [
        (("title",), 2),
        (("b", 1, "c"), 6),
        (("b", 0, "d", "e"), 8),
        (("f", "a", "g"), 10),
        (("z",), 1),
    ]:
        assert fm.line(toml, path) == expected, path
    json_ = b'{\n"a": 1,\n"b": [\n {"c": 1},\n {"c": 2}]\n}\n'
    for path, expected in [(("a",), 2), (("b", 1, "c"), 5), (("z",), 1), ((), 1)]:
        assert fm.line(json_, path) == expected, path


def test_line_accepts_malformed_files() -> None:
    for text in (b"", b"\xff", b"---\na: [\n---\n", b'{\n"a": x\n}\n', b"---\n- a\n---\n", b"---\n---\n"):
        assert fm.line(text, ("a", 0, "b")) >= 1


# Against the reference

SMALL = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), database=None)
NASTY_WORDS = (
    "abc yes No on OFF y n true False null Null ~ 0 -0 12 012 1.5 .5 1. 1e3 1E5 0x1f 0o7 0b1 1_0 _1 1:30 12:30:45 18F 5-tips nan .inf "
    "2021-10-07 2021-02-30 2021-10-07T16:32:00Z 2021-10-07T16:32 é 中文 😀 a:b a#c it's , [ ] { } &a *a !a | > % @ ` ? - -- --- ... = << "
    "http://x.y/z?a=1#b /a/b \\n \\u00e9 \\ud800 \\u0032 \\ \x85 \u2028 \ufeff \x07 \t \x7f \xa0 # : : \" '"
)
NASTY = st.sampled_from(NASTY_WORDS.split(" "))
WORDS = st.one_of(
    NASTY,
    st.from_regex(r"[0-9.:eE_+xT -]{1,8}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.just(""),
)
TEXTS = st.builds(
    "{}{}{}".format, WORDS, st.sampled_from(["", "", " ", ": ", " #", ", "]), st.one_of(st.just(""), WORDS)
)
SCALARS = st.one_of(
    TEXTS,
    TEXTS.map(lambda t: f'"{t}"'),
    TEXTS.map(lambda t: f"'{t}'"),
    TEXTS.map(json.dumps),
    st.lists(TEXTS, max_size=3).map(lambda ts: f"[{', '.join(ts)}]"),
    st.sampled_from(
        ["abc", '"abc"', "12", "true", "2021-10-07", "2021-10-07T16:32:00Z", "", "{}", "[a, b]", "|", ">-", "{a: b}"]
    ),
)
NAMES = st.one_of(
    st.sampled_from(["a", "b", "c", "d-e", "F_g", "title", "_x"]),
    st.sampled_from(["yes", "n", "On", "true", "1", "_1", "é", "<<", '"q"', "a b", "? a"]),
)
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "", "", "  ", "  ", "    ", " ", "\t"]),
    st.sampled_from(["", "", "", "- ", "-   ", "# "]),
    st.one_of(NAMES.map(lambda n: n + ": "), NAMES.map(lambda n: n + ":"), st.just("")),
    st.one_of(SCALARS, st.just("")),
)
DOCUMENTS = st.one_of(
    st.lists(LINES, min_size=1, max_size=6).map("\n".join),
    # Mostly well-formed, so that much of it takes the fast path.
    st.lists(
        st.builds("{}: {}".format, st.from_regex(r"[A-Za-z_][a-z0-9_-]{0,4}", fullmatch=True), SCALARS),
        min_size=1,
        max_size=3,
    ).map("\n".join),
    st.lists(SCALARS, min_size=1, max_size=3).map(lambda items: "k:\n" + "\n".join(f"  - {item}" for item in items)),
)


def test_text_near_the_limits_of_the_fast_path_has_the_values_of_pyyaml() -> None:
    total = 0
    with pytest.MonkeyPatch.context() as patch:
        fast = FastPath(patch)

        @SMALL
        @given(DOCUMENTS)
        def check(text: str) -> None:
            nonlocal total
            assume(not closes(text))
            total += 1
            agree(text)

        check()
    assert fast.count > total / 10, "too few texts took the fast path for the test to be meaningful"
    assert fast.count < total * 9 / 10, "too few texts took the slow path for the test to be meaningful"


PLAIN = st.sampled_from(
    [
        "title: A title",
        "excerpt: 'It''s one'",
        'webUrl: "https://x.example/a"',
        "quality: 12",
        "publishedDateTime: 2021-10-07T16:32:00Z",
        "provider:\n  name: X",
    ]
)
NASTY_FIELDS = st.builds("{}: {}".format, st.from_regex(r"[A-Za-z_][a-z0-9_-]{0,4}", fullmatch=True), SCALARS)
FIELDS = st.one_of(PLAIN, PLAIN, PLAIN, PLAIN, NASTY_FIELDS)


@st.composite
def with_entries(draw: st.DrawFn) -> str:
    """Mostly well-formed text with a list of entries in `related`."""
    indent = draw(st.sampled_from(["", "  ", "    "]))
    inserted = st.one_of(
        LINES, st.sampled_from(["", " ", "# x", "  # x", "- x", "-", "related:", "related: []", f"{indent}- a: b"])
    )
    lines = ["type: a", *draw(st.lists(FIELDS, max_size=1)), "related:"]
    for entry in draw(st.lists(st.lists(FIELDS, min_size=1, max_size=2), min_size=1, max_size=3)):
        for at, field in enumerate(entry):
            first, *rest = field.split("\n")
            lines += [f"{indent}{'  ' if at else '- '}{first}", *(f"{indent}  {more}" for more in rest)]
    lines += draw(st.lists(FIELDS, max_size=1))
    for line in draw(st.one_of(st.just([]), st.lists(inserted, min_size=1, max_size=2))):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "\n".join(lines)


def test_entries_parsed_on_their_own_have_the_values_that_pyyaml_gives_for_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    total = by_entry = 0
    read_by_entry = fm._read_by_entry

    def counting_read_by_entry(text: str) -> Any:
        nonlocal by_entry
        values = read_by_entry(text)
        by_entry += values is not None
        return values

    monkeypatch.setattr(fm, "_read_by_entry", counting_read_by_entry)

    @settings(SMALL)
    @given(with_entries())
    @example("a: b\nrelated:\n  - t: x\n  # c\n  - t: y")
    @example("a: b\nrelated:\n    - t: x\n  c: d")
    @example("a: b\nrelated:\n- t: x\n  i:\n  - u: y\n- t: z")
    @example("a: b\nrelated:\n  - t: x\nrelated:\n  - t: y")
    @example("related: []\nrelated:\n  - t: x")
    def check(text: str) -> None:
        nonlocal total
        assume(not closes(text))
        total += 1
        agree(text)

    check()
    assert total / 5 < by_entry < total * 9 / 10


def test_a_long_entry_is_read_but_not_cached() -> None:
    before = fm._entry.cache_info().currsize
    for words in ("long " * 1000, "longer " * 20_000):
        text = f"---\ntitle: T\nrelated:\n  - title: {words.strip()}\n---\n"
        assert fm.parse(text.encode()).values["related"] == [{"title": words.strip()}]
    assert fm._entry.cache_info().currsize == before


def test_an_entry_in_many_files_is_read_once(fast: FastPath) -> None:
    entry = "  - title: Read only once\n    webUrl: https://x.example/once\n"
    texts = [f"---\ntitle: T{n}\nrelated:\n{entry}{other}---\n" for n in range(9) for other in ("", "lang: en\n")]
    read = [fm.parse(text.encode()).values["related"] for text in texts]
    assert read == [[{"title": "Read only once", "webUrl": "https://x.example/once"}]] * 18
    assert (fast.count, fast.loads) == (18, 18 + 1)


@SMALL
@given(
    st.text(st.characters(codec="utf-8"), max_size=40)
    | st.text(st.sampled_from("ab1: -#'\"\n\r\t[]{},&*!|>%@`?\\=<~.é\u2028"), max_size=25)
)
@example("=: 1")
@example("a: =")
def test_any_text_has_the_values_of_pyyaml_or_is_refused(text: str) -> None:
    assume(not closes(text))
    agree(text)


@SMALL
@given(
    st.sampled_from([b"---\n", b"+++\n", b"{\n", b""]),
    st.binary(max_size=30) | st.text(st.sampled_from("ab1=\"\n[]{}.:,\\u#'-+"), max_size=30).map(str.encode),
    st.sampled_from([b"\n---\n", b"\n+++\n", b"\n}\n"]),
)
def test_only_front_matter_errors_are_raised(opening: bytes, text: bytes, closing: bytes) -> None:
    parsed(opening + text + closing)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.dates(min_value=date(1000, 1, 1))
    | st.datetimes(min_value=datetime(1000, 1, 1)),  # noqa: DTZ001
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.from_regex("[a-z]{3,6}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(SMALL, max_examples=400)
@given(
    st.dictionaries(st.from_regex("[a-z]{3,6}", fullmatch=True), VALUES, max_size=5),
    st.booleans(),
    st.sampled_from([80, 10**9]),
)
def test_yaml_dumped_by_pyyaml_is_read_back(values: dict[str, Any], unicode: bool, width: int) -> None:
    text = yaml.safe_dump(values, allow_unicode=unicode, sort_keys=False, width=width)
    assume(not closes(text))
    agree(text)


@settings(SMALL, max_examples=300)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.text(st.characters(codec="utf-8")) | st.integers() | st.floats() | st.booleans() | st.none(),
        max_size=5,
    ),
    st.booleans(),
)
def test_json_is_read_back(values: dict[str, Any], ascii: bool) -> None:
    data = json.dumps(values, indent=1, ensure_ascii=ascii)
    assert repr(parsed((data if values else "{\n}").encode())) == repr(values)


# Test suites and real files


def decoded(encoded: str) -> str:
    """Replaces the visible characters that yaml-test-suite uses for white space."""
    for sign, meaning in (("␣", " "), ("↵", ""), ("←", "\r"), ("⇔", "\ufeff"), ("∎\n", ""), ("∎", "")):
        encoded = encoded.replace(sign, meaning)
    return re.sub("—*»", "\t", encoded)


def test_the_yaml_test_suite_has_the_values_of_pyyaml(data: Path) -> None:
    files = cases = 0
    for name, raw in members(data / "data/suites/yaml-test-suite.tar.gz", ".yaml"):
        files += 1
        for case in yaml.load(raw, yaml.CSafeLoader):
            if "yaml" not in case:
                continue
            cases += 1
            text = decoded(case["yaml"])
            values = parsed(f"---\n{text}\n---\n".encode())
            if not closes(text):
                assert repr(values) == repr(reference(text + "\n")), name
            agree("\n".join(("a:", *("  " + line for line in text.split("\n")))))
    assert (files, cases >= files) == (351, True)


def test_naughty_strings_survive_every_format_and_quoting(data: Path) -> None:
    strings = json.loads(gzip.decompress((data / "data/suites/blns.json.gz").read_bytes()))
    assert len(strings) > 400
    for naughty in strings:
        agree(f"title: {naughty}")
        agree("title: '{}'".format(naughty.replace("'", "''")))
        agree("title: |-\n" + "\n".join("  " + line for line in naughty.split("\n")))
        assert agree(f"title: {json.dumps(naughty)}") in (REFUSED, {"title": naughty})
        agree(f"title: {json.dumps(naughty, ensure_ascii=False)}")
        assert parsed(f'{{\n"title": {json.dumps(naughty)}\n}}\n'.encode()) == {"title": naughty}
        toml = f"title = {json.dumps(naughty, ensure_ascii=False)}"
        try:
            expected: Any = tomllib.loads(toml)
        except tomllib.TOMLDecodeError:
            expected = REFUSED
        assert parsed(f"+++\n{toml}\n+++\n".encode()) == expected


@pytest.mark.parametrize(
    ("archive", "files", "duplicates", "share"),
    [
        ("data/everyday_public.tar.gz", 400, 0, 0.95),
        ("data/suites/digitalgov-news.tar.gz", 2083, 13, 0.7),
    ],
)
def test_real_files_have_the_values_of_pyyaml_and_most_take_the_fast_path(
    data: Path, fast: FastPath, archive: str, files: int, duplicates: int, share: float
) -> None:
    total = refused = 0
    for name, raw in members(data / archive, ".md"):
        text = raw.decode().replace("\r\n", "\n").lstrip()
        match = re.match(r"---+[ \t]*\n(.*?^)---+[ \t]*$(.*)", text, re.DOTALL | re.MULTILINE)
        assert match, name
        total += 1
        expected = reference(match[1])
        assert repr(parsed(raw)) == repr(expected), name
        refused += expected is REFUSED
        assert expected is REFUSED or fm.parse(raw).body.strip() == match[2].strip(), name
    assert refused == duplicates
    assert total == files
    assert fast.count >= total * share


def test_the_sample_takes_the_fast_path_and_the_lines_of_its_fields_are_found(data: Path, fast: FastPath) -> None:
    (sample,) = (data / "sample").glob("*.md")
    raw = sample.read_bytes()
    values = fm.parse(raw).values
    assert fast.count == 1
    assert repr(values) == repr(reference(raw.decode().split("---\n")[1]))
    line = raw.decode().split("\n")[fm.line(raw, ("related", 2, "images", 0, "width")) - 1]
    assert line.strip() == f"width: {values['related'][2]['images'][0]['width']}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    pip install wire\n\nText.\n", "    pip install wire\n\nText."),
        ("\n \t\n\tcode\n", "\tcode"),
        ("\n\nText.  \n\n", "Text."),
        (" \n", ""),
        ("", ""),
    ],
)
def test_the_body_keeps_the_indentation_of_its_first_line(body: str, expected: str) -> None:
    assert fm.parse(f"---\ntitle: A\n---\n{body}".encode()).body == expected
