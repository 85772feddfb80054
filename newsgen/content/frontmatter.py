"""Splits the bytes of a content file into front matter and body. Malformed front matter is an error with a line."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Callable
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

import frontmatter
import yaml
from frontmatter.default_handlers import BaseHandler
from yaml import CSafeLoader, MappingNode, Node, ScalarNode

yaml_rs: ModuleType | None
try:
    import yaml_rs
except ImportError:  # no wheel for this platform: PyYAML gives the same values, more slowly
    yaml_rs = None

Format: TypeAlias = Literal["yaml", "toml", "json", "header"]
"""`header`: lines of `Name: value` (Pelican) or `.. name: value` (Nikola) without fences. Every value is text."""
Path: TypeAlias = tuple[str | int, ...]
_T = TypeVar("_T")

MAX_BYTES = 256 * 1024
"""Maximum size of the front matter. The body has no limit here."""
MAX_DEPTH = 50
MAX_NODES = 100_000
"""Maximum size of a document whose YAML aliases are expanded, counting each value and each 100 characters of text."""
MAX_DIGITS = 4300
"""Maximum digits of an integer: Python's own limit for conversion from and to text. A longer one cannot be printed."""


class FrontMatterError(ValueError):
    """The front matter is malformed. `line` counts from 1 in the file; `field` is a dotted path or ""."""

    def __init__(self, line: int, what: str, hint: str = "", field: str = "") -> None:
        self.line, self.what, self.hint, self.field = line, what, hint, field
        super().__init__(f"line {line}: {what}")

    def __reduce__(self) -> tuple[Any, ...]:
        # By default exceptions are pickled by their args, which hold the message only.
        return FrontMatterError, (self.line, self.what, self.hint, self.field)


class Document(NamedTuple):
    """A parsed file: its fields, and the body without blank lines around it.

    python-frontmatter would also strip the indentation of the first line, which makes it a code block in Markdown.
    """

    format: Format
    values: dict[str, Any]
    body: str


_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def parse(data: bytes) -> Document:
    """Parses a file. YAML values are those of PyYAML's safe loader; what it cannot read as a date or number is text.

    Raises FrontMatterError and nothing else, whatever the bytes.
    """
    block = _split(data)
    # Not frontmatter.load(): it fails on fields named `content` or `handler`.
    values, _ = frontmatter.parse(block.text, handler=_Handler(block))
    return Document(block.format, values, _BLANK_LINES.sub("", block.body).rstrip())


def line(data: bytes, path: Path) -> int:
    """The line in the file of the deepest node on `path`; without one, the line of the opening fence.

    Slow: use it for error messages only.
    """
    try:
        block = _split(data)
        if block.format == "yaml":
            offset = _compose(block, lambda _, root: _yaml_offset(root, path))
        else:
            offset = _search_offset(block, path)
    except FrontMatterError as error:
        return error.line
    return block.fence if offset is None else block.line_at(offset)


class Unquoted(str):
    """Text that stands in a YAML file without quotes."""

    __slots__ = ()


def written(data: bytes) -> Any:
    """The fields of a file that `parse` accepts, with every scalar as the text that the file has for it.

    A null is None. Slow: use it only for a value that does not have the expected type.
    """
    block = _split(data)
    if block.format == "yaml":
        return _compose(block, lambda loader, root: root and _texts(loader, root, {}))
    if block.format == "header":
        return _read_header(block)
    if block.format == "json":
        return json.loads(block.matter, parse_int=str, parse_float=str, parse_constant=str)
    return tomllib.loads(_TOML_SCALAR.sub(lambda m: f'"{m[1]}"' if m[1] else m[0], block.matter))


class _Block(NamedTuple):
    """A file split into parts. `matter` is the text between the fences.

    `fence` is the line of the opening fence, `first` the line on which `matter` begins.
    """

    format: Format
    text: str
    matter: str
    body: str
    fence: int
    first: int

    def line_at(self, offset: int) -> int:
        return self.first + self.matter.count("\n", 0, offset)


_OPENING = re.compile(
    r"(?:(---+)[ \t]*([A-Za-z]{1,20}[ \t]*)?|(\+\+\++)[ \t]*)(?:\n|\Z)|"
    r"""(\{)(?=[ \t]*(?:"|\}?[ \t]*(?:\n|\Z)))"""
)
_LANGUAGES: dict[str, Format] = {"yaml": "yaml", "yml": "yaml", "toml": "toml", "json": "json"}
"""The words after an opening `---`, as gray-matter and Eleventy write them."""
_HYPHENS = ("\n---", re.compile(r"\n---+[ \t]*(?:\n|\Z)"))
_DOTS = ("\n...", re.compile(r"\n\.\.\.[ \t]*(?:\n|\Z)"))  # the end of a document in YAML
_YAML_ENDS: tuple[tuple[str, re.Pattern[str]], ...] = (_HYPHENS, _DOTS)
_PLUSES = ("\n+++", re.compile(r"\n\+\+\++[ \t]*(?:\n|\Z)"))
_BRACE = ("\n}", re.compile(r"\n\}(?:\n|\Z)"))  # the end of JSON that has a mistake, so that its braces do not match


def _split(data: bytes) -> _Block:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        raise FrontMatterError(before.count(b"\n") + 1, "the file is not valid UTF-8", "save it as UTF-8") from None
    if text.startswith("\ufeff"):
        text = text.lstrip("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    blank = len(text) - len(text.lstrip())
    fence = text.count("\n", 0, blank) + 1
    opening = _OPENING.match(text, blank)
    if not opening:
        return _split_header(text, blank, fence)
    hyphens, language, pluses, brace = opening.groups()
    if hyphens:
        format = _LANGUAGES.get(language.rstrip().lower()) if language else "yaml"
        if not format:
            what = f"front matter in {language.rstrip()!r} is not supported"
            raise FrontMatterError(fence, what, "write it as YAML, TOML or JSON: begin it with ---, ---toml or ---json")
        marks = _YAML_ENDS if format == "yaml" else _YAML_ENDS[:1]
    else:
        format, marks = ("toml", (_PLUSES,)) if pluses else ("json", (_BRACE,))
    if brace and (end := _object_end(text, blank)):
        return _block(format, text, blank, end.start(), end.end(), fence, fence)
    closed = _find(text, opening.end() - (1 if brace else 2), *marks)
    if not closed:
        raise _unclosed(fence, marks[0][0].strip())
    if brace:
        return _block(format, text, blank, closed.start() + 2, closed.end(), fence, fence)
    return _block(format, text, opening.end(), closed.start() + 1, closed.end(), fence, fence + 1)


def _object_end(text: str, start: int) -> re.Match[str] | None:
    """The end of the line on which the JSON object at `start` is closed; None if it is not, or if more text follows there."""
    depth = 0
    for token in _NESTING["json"].finditer(text, start):
        depth += (token.lastindex == 1) - (token.lastindex == 2)
        if not depth:
            return _BLANK_LINE.match(text, token.end())
    return None


def _find(text: str, start: int, *marks: tuple[str, re.Pattern[str]]) -> re.Match[str] | None:
    """The first match of any pattern after `start`. Each comes with the text that its matches begin with."""
    first = None
    for mark, pattern in marks:
        at, end, match = start, first.start() if first else len(text), None
        while not match and (at := text.find(mark, at + 1, end)) >= 0:
            match = pattern.match(text, at)
        first = match or first
    return first


def _block(format: Format, text: str, start: int, end: int, body: int, fence: int, first: int) -> _Block:
    # A character has one to four bytes, so the bytes are counted only if the number of characters does not decide.
    if end - start > MAX_BYTES or (end - start) * 4 > MAX_BYTES < len(text[start:end].encode()):
        raise FrontMatterError(
            fence, f"the front matter is longer than {MAX_BYTES // 1024} KB", "move long text below the closing line"
        )
    return _Block(format, text, text[start:end], text[body:], fence, first)


def _unclosed(fence: int, mark: str) -> FrontMatterError:
    return FrontMatterError(fence, "the front matter is not closed", f"add a line with {mark} after the last field")


# Headers without an opening fence. Without a title, the text is not a header.
_TITLE = re.compile(r"^(?:\.\.[ \t]+| {0,3})title[ \t]*:[ \t]*\S", re.IGNORECASE | re.MULTILINE)
# Hexo: YAML that ends with ---. Every line is a field, an item, a comment, indented or blank.
_HEXO = re.compile(r"(?:(?:[A-Za-z_][^\n:]*+:(?:[ \t][^\n]*+)?|(?:-[ \t]|[ \t#])[^\n]*+|-)?\n)++")
# Pelican, Python-Markdown and MultiMarkdown: the first blank line ends the header; an indented line continues a value.
_PELICAN_FIELD = re.compile(
    r" {0,3}([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+|(?=\n))([^\n]*)\n((?:(?: {4}|\t)[ \t]*[^ \t\n][^\n]*\n)*)"
)
# Nikola: the lines may stand in an HTML comment.
_NIKOLA_FIELD = re.compile(r"\.\.[ \t]+([A-Za-z][\w-]*)[ \t]*:[ \t]*([^\n]*)\n()")
_COMMENT_START, _COMMENT_END = re.compile(r"<!--[ \t]*\n(?=\.\.[ \t])"), re.compile(r"\s*-->[ \t]*(?:\n|\Z)")
_BLANK_INSIDE = re.compile(r"\n[ \t]*\n")
_BLANK_LINE = re.compile(r"[ \t]*(?:\n|\Z)")


def _split_header(text: str, start: int, line: int) -> _Block:
    """Splits a file without an opening fence. Raises FrontMatterError if it has no header."""
    closed = _find(text, start, _HYPHENS)
    if closed and _is_hexo(text, start, closed.start() + 1):
        return _block("yaml", text, start, closed.start() + 1, closed.end(), line, line)
    comment = _COMMENT_START.match(text, start)
    first = end = comment.end() if comment else start
    padded = text if text.endswith("\n") else text + "\n"
    pattern = _NIKOLA_FIELD if text.startswith("..", first) else _PELICAN_FIELD
    while field := pattern.match(padded, end):
        end = field.end()
    after = (_COMMENT_END if comment else _BLANK_LINE).match(text, end)
    if end > first and _TITLE.search(text, first, end):
        if after:
            return _block("header", text, first, min(end, len(text)), after.end(), line, line + bool(comment))
        if comment:
            raise _unclosed(line, "-->")
    hint = "begin the file with a line ---, then the fields, then another line ---"
    if text.startswith(("{", ";;;"), start):
        hint = "begin JSON front matter with { and a name in double quotes, and end the line after its last }"
    raise FrontMatterError(line, "the file has no front matter", hint)


def _is_hexo(text: str, start: int, end: int) -> bool:
    title = _TITLE.search(text, start, end)
    if not title or not _HEXO.fullmatch(text, start, end):
        return False
    # Pelican's names begin with capitals, and its fields end at a blank line: a --- after that is a rule in the body.
    return title[0].startswith("title") or not _BLANK_INSIDE.search(text, start, end)


def _read_header(block: _Block) -> dict[str, str]:
    """The fields of a header; one without a value is absent."""
    values: dict[str, str] = {}
    matter = block.matter + "\n"
    if bad := _unreadable_character().search(matter):
        raise _unreadable(block, bad, "front matter")
    pattern = _NIKOLA_FIELD if matter.startswith("..") else _PELICAN_FIELD
    for field in pattern.finditer(matter):
        name, first, more = field.groups()
        if name in values:
            raise FrontMatterError(block.line_at(field.start()), "duplicate field", "keep one of the two", name)
        values[name] = "\n".join(line.strip() for line in (first, *more.splitlines()) if line.strip())
    return {name: value for name, value in values.items() if value}


class _Handler(BaseHandler):
    """Makes python-frontmatter use the parts from `_split`.

    Its own split silently treats a file without a closing fence as one without front matter, and it silently drops
    front matter that is not a mapping.
    """

    FM_BOUNDARY = re.compile("")

    def __init__(self, block: _Block) -> None:
        self._block = block

    def split(self, _text: str) -> tuple[str, str]:
        return self._block.matter, self._block.body

    def load(self, _matter: str) -> dict[str, Any]:
        block = self._block
        values: Any
        if block.format == "yaml":
            values = _read_yaml(block)
        elif block.format == "header":
            values = _read_header(block)
        else:
            values = _read_toml_or_json(block)
        if not isinstance(values, dict):
            kind = "a list" if isinstance(values, list) else "a single value"
            raise FrontMatterError(
                block.first, f"the front matter is {kind}, not fields", "write every field as name: value"
            )
        return values


# YAML. yaml-rs is fast but differs from PyYAML in places. It reads text on which both are known to agree; PyYAML reads
# the rest.

_BAD = r"\x00-\x1f\x7f-\x9f"
# Not in the pattern: a set with them takes milliseconds to compile.
_BAD_TOO = "\u2028\u2029\ufeff\ufffe\uffff"
_WORD = "[tTfFyYnNoO](?:rue|RUE|alse|ALSE|es|ES|o|O|n|N|ff|FF|ull|ULL)"
_DATE = (
    "[1-9][0-9]{3}-(?>(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[ ]?[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?"
)
_NUMBER = "-?(?:0|[1-9][0-9]{0,14})(?:[.][0-9]{1,15})?"
_TEXT = rf"[^:\#{_BAD}]*+(?>(?>(?<![ ])\#|:(?![ \n]))[^:\#{_BAD}]*+)*+"


@cache
def _common_subset(dates: bool) -> re.Pattern[str]:
    """Matches text for which yaml-rs and PyYAML are known to give the same values. An allowlist of line shapes.

    The line after a value must not be indented deeper than its key, so no scalar continues on another line. 24 columns
    of indentation cannot hold MAX_DEPTH levels. With `parse_datetime`, yaml-rs also converts quoted dates, so text may
    have unquoted dates (`dates`, read with `parse_datetime`) or quoted ones (read without it). Text with both goes to
    PyYAML.
    """
    words = r"(?![ +-]*+(?>[0-9]{2,}+[-:]|[0-9]*+\\u00[23]))" if dates else ""
    date = _DATE if dates else "(?!)"
    item = rf"""(?>"{words}[^"\\{_BAD}]*+"|'{words}[^'{_BAD}]*+'|(?!{_WORD}[ ]*[,\]])[A-Za-z][\w./&+()-]*+(?:[ ][\w./&+()-]++)*+)"""
    value = rf"""(?>
        "{words}[^"\\{_BAD}]*+(?>"|(?>\\(?>["\\/nrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{{4}})[^"\\{_BAD}]*+)++")
        |(?!{_WORD}[^\w\n]*+\n)[^\W\d_]{_TEXT}
        |(?=[0-9-])(?>(?>{date}|{_NUMBER})(?=[ ]*\n)|[1-9][0-9]{{0,3}}[ -]?(?![eE])[A-Za-z]{_TEXT})
        |'{words}(?>[^'{_BAD}]++|'')*+'
        |(?>true|false|null)(?=[ ]*\n)
        |/{_TEXT}
        |\[(?:{item}(?:,[ ]?{item})*+)?\]
        |\{{\}}
    )[ ]*+\n"""
    key = rf"(?!{_WORD}:)_?[A-Za-z][A-Za-z0-9_-]{{0,99}}+:"
    deeper = r"(?>[ ]*+\n)*+\1[ ]"
    return re.compile(
        rf"""(?>([ ]{{0,24}}+)(?>
            {key}(?>[ ]{value}(?!{deeper})|[ ]*+\n)
            |-[ ](?>{key}(?>[ ]{value}(?!{deeper}{{3}})|[ ]*+\n)|{value}(?!{deeper}))
            |\#[^{_BAD}]*+\n(?=\n|\Z|\1[^ ])
            |\n
        ))*+""",
        re.VERBOSE,
    )


@cache
def _unreadable_character() -> re.Pattern[str]:
    """Matches what PyYAML refuses. Few builds need it, and it takes milliseconds to compile."""
    return re.compile("[^\t\n -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


_TAG = "tag:yaml.org,2002:"
_STR, _MERGE = _TAG + "str", _TAG + "merge"
# A level needs one column, or half a column if a list is not indented below its key. Narrower text cannot be too deep.
_WIDE = re.compile(r"\n[ \t?:-]{15}")

_TAB = ("a tab is used for indentation", "indent with spaces")
_OPEN_QUOTE = ("a quoted value is not closed", "add the closing quote")
_MISPLACED = (
    "unexpected text or indentation",
    "indent the fields of a group alike; if a value contains quotes, put all of it in quotes",
)
# PyYAML detects these errors at a later line; the mistake is where the construct starts.
_REPORTED_LATE = re.compile("while (?:scanning a (?:quoted|simple)|parsing a flow)")
_PROBLEMS = {
    "tab character": _TAB,
    "mapping values are not allowed": ("a second `: ` on one line", "put the value in quotes"),
    "cannot start any token": ("a value cannot begin with this character", "put the value in quotes"),
    "expected ':'": (
        "this line is neither a field nor part of the value above",
        "write a field as name: value; indent the lines that continue a value",
    ),
    "end of stream": _OPEN_QUOTE,
    "document indicator": _OPEN_QUOTE,
    "escape": ("unknown escape sequence", r"write \\ for a backslash, or use single quotes"),
    "undefined alias": ("a value cannot begin with *", "put the value in quotes"),
    "duplicate anchor": ("an anchor is defined twice", "put a value that begins with & in quotes"),
    "document": ("the front matter has a second YAML document", "remove the line that begins with ---"),
    "expected ',' or": (
        "a bracket is not closed",
        "add the closing ] or }, and put values with special characters in quotes",
    ),
    "block end": _MISPLACED,
    "block mapping": _MISPLACED,
    "for merging": ("the value of << is not a mapping", "to use << as a field name, put it in quotes"),
    "node, but found": ("the value does not match its tag", "remove the tag that begins with !"),
}


class _Loader(CSafeLoader):
    """PyYAML's safe loader. Refuses integers that are too long to print."""


def _integer(loader: _Loader, node: ScalarNode) -> int:
    if len(node.value) > MAX_DIGITS:
        raise ValueError
    return int(loader.construct_yaml_int(node))


_Loader.add_constructor(_TAG + "int", _integer)


# Many files have the same `related` entries in the same words, so each entry is parsed on its own and cached. An entry
# consists of whole lines and has the same value on its own as in the list. yaml-rs refuses an entry if one of its lines
# is indented less than its first line.
_RELATED_LIST = "\nrelated:\n"
_ENTRY_START = re.compile("[ ]*- ")
_LIST_END = re.compile(r"\n(?=[^ \n])")
_UNINDENTED_LIST_END = re.compile(r"\n(?=[^ \n-])")
_COMMENT = re.compile(r"\n *#")
_MAX_CACHED = 4096
"""Maximum length of an entry that is cached, in characters."""


def _read_by_entry(text: str) -> dict[str, Any] | None:
    """The fields, with each entry of `related` parsed on its own; None if the text must be parsed as a whole."""
    start = text.find(_RELATED_LIST) + len(_RELATED_LIST)
    opening = _ENTRY_START.match(text, start) if start >= len(_RELATED_LIST) else None
    if not opening:
        return None
    after = (_LIST_END if opening[0][0] == " " else _UNINDENTED_LIST_END).search(text, start)
    end = after.end() if after else len(text)
    entries = []
    for lines in text[opening.end() : end].split("\n" + opening[0]):
        entry_text = opening[0] + lines.rstrip("\n") + "\n"
        entry = _entry(entry_text) if len(entry_text) <= _MAX_CACHED else _entry.__wrapped__(entry_text)
        if entry is None:
            return None
        entries.append(entry)
    values = _load_fast(f"{text[: start - 1]} []\n{text[end:]}", dict, dates=True)
    if values is None or values["related"]:
        return None
    values["related"] = entries
    return values


@lru_cache(maxsize=1 << 11)
def _entry(text: str) -> dict[str, Any] | None:
    """The entry in the text of a list; None if it is not one mapping or has a comment between its lines."""
    items = None if _COMMENT.search(text) else _load_fast(text, list, dates=True)
    return items[0] if items and len(items) == 1 and type(items[0]) is dict else None


def _load_fast(text: str, kind: type[_T], *, dates: bool) -> _T | None:
    """The value from yaml-rs; None if PyYAML might disagree or the value is not of this kind.

    `dates`: whether unquoted dates are allowed in the text (see `_common_subset`).
    """
    if yaml_rs is None or not _common_subset(dates).fullmatch(text):
        return None
    if not text.isascii() and any(character in text for character in _BAD_TOO):
        return None
    try:
        value = yaml_rs.loads(text, parse_datetime=dates)
    except yaml_rs.YAMLDecodeError:
        return None
    return value if type(value) is kind else None


def _read_yaml(block: _Block) -> Any:
    text = block.matter
    values: Any = _read_by_entry(text)
    if values is not None:
        return values
    values = _load_fast(text, dict, dates=True)
    if values is None:
        values = _load_fast(text, dict, dates=False)
    # PyYAML decides everything else: a list, comments only, an error.
    if values is not None:
        return values
    return _compose(block, lambda loader, root: _construct(block, loader, root))


def _construct(block: _Block, loader: _Loader, root: Node | None) -> Any:
    if root is None:
        return {}
    _Inspector(block, loader).size(root, ())
    try:
        return loader.construct_document(root)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        # PyYAML's constructors can raise any of these if a value does not match its tag.
        raise FrontMatterError(block.first, *_PROBLEMS["node, but found"]) from None


def _compose(block: _Block, use: Callable[[_Loader, Node | None], _T]) -> _T:
    """Composes the text with PyYAML and returns the result of `use` on the root node."""
    text = block.matter
    if bad := _unreadable_character().search(text):
        raise _unreadable(block, bad, "YAML")
    try:
        # PyYAML composes recursively in C: 100,000 brackets would crash the process. Its event parser does not recurse.
        if text.count("[") + text.count("{") >= 20 or _WIDE.search("\n" + text):
            depth = 0
            for event in yaml.parse(text, Loader=CSafeLoader):
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > MAX_DEPTH:
                    raise _too_deep(block.line_at(getattr(event.start_mark, "index", 0)))
        loader = _Loader(text)
        try:
            return use(loader, loader.get_single_node())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        # PyYAML's own message is not shown: it quotes values, and values may be secret.
        message = f"{error.problem} {error.context}"
        what, hint = next(
            (problem for sign, problem in _PROBLEMS.items() if sign in message),
            ("invalid YAML", "put the value in quotes"),
        )
        late = _REPORTED_LATE.match(error.context or "")
        mark = (late and error.context_mark) or error.problem_mark
        at = mark.index if mark else 0
        if "nesting depth" in message:
            raise _too_deep(block.line_at(at)) from None
        if text.startswith("\t", at):
            what, hint = _TAB
        raise FrontMatterError(block.line_at(at), what, hint) from None


def _unreadable(block: _Block, bad: re.Match[str], where: str) -> FrontMatterError:
    what = f"the character U+{ord(bad[0]):04X} is not allowed in {where}"
    return FrontMatterError(block.line_at(bad.start()), what, "remove it")


def _too_deep(line: int) -> FrontMatterError:
    return FrontMatterError(line, f"values are nested more than {MAX_DEPTH} levels deep", "use fewer levels")


def _dotted(path: Path) -> str:
    """The path as text, for example `a[1].b`. It ends at a `secured` field, because names inside may be secret too."""
    path = path[: next((i for i, step in enumerate(path, 1) if str(step).lower() == "secured"), len(path))]
    dotted = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
    return dotted if len(dotted) <= 200 else dotted[:199] + "…"


class _Inspector:
    """Finds errors in a composed tree that PyYAML would accept silently or report without a line."""

    def __init__(self, block: _Block, loader: _Loader) -> None:
        self._block, self._loader = block, loader
        self._sizes: dict[Node, tuple[int, int] | None] = {}
        self._aliased = False

    def size(self, node: Node, path: Path) -> tuple[int, int]:
        """The size of the node with its aliases expanded (see MAX_NODES), and its depth.

        Raises FrontMatterError for anything invalid in it.
        """
        if node in self._sizes:
            self._aliased = True
            if (known := self._sizes[node]) is None:
                raise self._error(node, path, "the alias refers to itself", "write the values out")
            return known
        construct = self._loader.yaml_constructors.get(node.tag)
        if construct is None and node.tag != _MERGE:
            hint = "put the value in quotes"
            raise self._error(
                node, path, "a value cannot be a lone =" if node.tag == _TAG + "value" else "unknown tag", hint
            )
        if isinstance(node, ScalarNode):
            weight = 1 + len(node.value) // 100, 0
            if node.tag != _STR and construct:
                try:
                    construct(self._loader, node)
                except Exception:  # see _construct
                    implied_tag = self._loader.resolve(ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
                    if node.style or implied_tag != node.tag:
                        kind = {"timestamp": "date or time", "int": "number", "float": "number"}.get(
                            name := node.tag.removeprefix(_TAG), name
                        )
                        raise self._error(node, path, f"invalid {kind}", "correct it, or put it in quotes") from None
                    node.tag = _STR  # it only looks like a date or number, such as 2026-02-30: the field decides
        else:
            self._sizes[node] = None
            sizes = [self.size(child, at) for child, at in self._children(node, path)]
            weight = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
            if weight[1] > MAX_DEPTH:
                raise _too_deep(self._block.line_at(node.start_mark.index))
            if self._aliased and weight[0] > MAX_NODES:
                raise self._error(
                    node, path, f"the aliases expand to more than {MAX_NODES:,} values", "write the values out"
                )
        self._sizes[node] = weight
        return weight

    def _children(self, node: Node, path: Path) -> list[tuple[Node, Path]]:
        if not isinstance(node, MappingNode):
            return [(child, (*path, index)) for index, child in enumerate(node.value)]
        children, names = [], set()
        for key, value in node.value:
            if isinstance(key, ScalarNode) and not key.style and key.tag not in (_MERGE, _TAG + "null"):
                key.tag = _STR if key.tag.startswith(_TAG) else key.tag  # a name is text, such as no, 2026 or a lone =
            if not isinstance(key, ScalarNode) or key.tag not in (_STR, _MERGE):
                raise self._error(key, path, "the field name is not text", "put the name in quotes")
            at = (*path, key.value)
            if key.value in names and key.tag == _STR:
                raise self._error(key, at, "duplicate field", "keep one of the two")
            names.add(key.value)
            children += [(key, at), (value, at)]
        return children

    def _error(self, node: Node, path: Path, what: str, hint: str) -> FrontMatterError:
        return FrontMatterError(self._block.line_at(node.start_mark.index), what, hint, _dotted(path))


def _yaml_offset(node: Node | None, path: Path) -> int | None:
    offset = None
    for step in path:
        if isinstance(node, MappingNode):
            found = next(((k, v) for k, v in node.value if isinstance(k, ScalarNode) and k.value == step), None)
            if not found:
                break
            offset, node = found[0].start_mark.index, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
            node = node.value[step]
            offset = node.start_mark.index
        else:
            break
    return offset


def _texts(loader: _Loader, node: Node, done: dict[Node, Any]) -> Any:
    """The composed node as a value whose scalars are text. `done` holds the values of nodes that aliases may repeat."""
    if isinstance(node, ScalarNode):
        if node.tag == _TAG + "null":
            return None
        return node.value if node.style in ("'", '"') else Unquoted(node.value)
    if node not in done:
        if isinstance(node, MappingNode):
            loader.flatten_mapping(node)
            done[node] = {key.value: _texts(loader, value, done) for key, value in node.value}
        else:
            done[node] = [_texts(loader, child, done) for child in node.value]
    return done[node]


# TOML and JSON


class _DuplicateName(dict[str, Any]):
    """A JSON object that contains `name` twice."""

    name: str


_STRINGS = {
    "json": r'"(?:[^"\\]|\\.)*+"?',
    "toml": r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5})?|'
    r"'''(?:[^']|'(?!''))*+(?:'{3,5})?|"
    r'"(?:[^"\\\n]|\\.)*+"?|'
    r"'[^'\n]*+'?|\#[^\n]*+",
}
_NESTING = {
    format: re.compile(rf"{strings}|([\[{{])|([\]}}])|(\.)|[=,\n]", re.DOTALL) for format, strings in _STRINGS.items()
}
# A number, time, true or false. A bare key that looks like one means the same in quotes.
_TOML_SCALAR = re.compile(
    _STRINGS["toml"] + r"|(?<![\w.+-])([+-]?(?:\d[\w.:+-]*(?: \d\d:[\w.:+-]*)?|inf|nan)|true|false)(?![\w.+-])",
    re.DOTALL,
)


def _read_toml_or_json(block: _Block) -> Any:
    text = block.matter
    # Check the depth first: both parsers recurse, and tomllib needs minutes for a key of 100,000 dotted parts.
    depth = dots = 0
    for token in _NESTING[block.format].finditer(text):
        kind = token.lastindex
        depth += (kind == 1) - (kind == 2)
        dots = dots + 1 if kind == 3 else 0 if token[0] in "[{=,\n" else dots
        if depth + dots > MAX_DEPTH:
            raise _too_deep(block.line_at(token.start()))
    try:
        values = tomllib.loads(text) if block.format == "toml" else json.loads(text, object_pairs_hook=_pairs)
    except tomllib.TOMLDecodeError as error:
        position = re.search(r"\(at line (\d+)", str(error))
        at = block.first + int(position[1]) - 1 if position else block.line_at(len(text) - 1)
        duplicate = re.search("overwrite|twice|mutate|redefine|[Dd]uplicate", str(error))
        problem = (
            ("duplicate field", "keep one of the two")
            if duplicate
            else ("invalid TOML", 'write a field as name = "value"')
        )
        raise FrontMatterError(at, *problem) from None
    except json.JSONDecodeError as error:
        reason = error.msg.partition(":")[0]
        hint = "put names and text in double quotes, and a comma between fields but not after the last one"
        raise FrontMatterError(block.line_at(error.pos), f"invalid JSON ({reason})", hint) from None
    except ValueError:
        long = re.search(rf"[0-9_]{{{MAX_DIGITS},}}", text)
        raise FrontMatterError(
            block.line_at(long.start() if long else 0), "invalid number", "put it in quotes"
        ) from None
    _inspect(block, values, ())
    return values


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        marked = _DuplicateName(values)
        unique = list(values)  # in the order of first occurrence
        marked.name = next(name for (name, _), first in zip(pairs, [*unique, None], strict=False) if name != first)
        return marked
    return values


def _inspect(block: _Block, value: Any, path: Path) -> None:
    if len(path) > MAX_DEPTH:
        raise _too_deep(block.line_at(_search_offset(block, path) or 0))
    problem = None
    if isinstance(value, _DuplicateName):
        path, problem = (*path, value.name), ("duplicate field", "keep one of the two")
    elif isinstance(value, str) and not value.isascii() and re.search("[\ud800-\udfff]", value):
        problem = ("unpaired surrogate in \\u escapes", "write the character itself")
    elif isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        problem = ("invalid number", "put it in quotes")
    if problem:
        # Search for a duplicate name twice, to find its second occurrence.
        target = (*path, path[-1]) if isinstance(value, _DuplicateName) else path
        raise FrontMatterError(block.line_at(_search_offset(block, target) or 0), *problem, _dotted(path))
    for step, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        _inspect(block, child, (*path, step))


def _search_offset(block: _Block, path: Path) -> int | None:
    """The probable offset of a path, by text search: each name after the one before it; for index n, its n-th match."""
    offset, skip = None, 0
    for step in path:
        if isinstance(step, int):
            skip = step
            continue
        if block.format == "json":
            name = re.escape(json.dumps(step, ensure_ascii=False)) + r"\s*:"
        elif block.format == "header":
            name = rf"^(?:\.\.[ \t]+| {{0,3}}){re.escape(step)}[ \t]*:"
        else:
            name = rf"""(?:^|[{{,])[ \t]*(?:\[+[^]\n]*)?(?<![\w-])["']?{re.escape(step)}["']?[ \t]*[=.\]]"""
        matches = itertools.islice(re.compile(name, re.MULTILINE).finditer(block.matter, offset or 0), skip + 1)
        for match in matches:
            offset = match.end()
        skip = 0
    return offset
