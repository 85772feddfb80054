"""The bytes of a file in, its front matter and body out; every way it can be malformed is an error with a line."""

from __future__ import annotations

import codecs
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
except ImportError:  # no wheel for this machine: the same values from PyYAML, slower
    yaml_rs = None

Format: TypeAlias = Literal["yaml", "toml", "json"]
Path: TypeAlias = tuple[str | int, ...]
_T = TypeVar("_T")

MAX_BYTES = 256 * 1024
"""Of front matter; the body has no limit here."""
MAX_DEPTH = 50
MAX_NODES = 100_000
"""How many values, or hundreds of characters, aliases may stand for before they count as an attack."""
MAX_DIGITS = 4300
"""Python's own limit for text that becomes an int: a longer one (0xff…) could not be printed again."""


class Malformed(ValueError):  # noqa: N818 (an adjective is enough)
    """The front matter cannot be read. `line` is 1-based in the file, `field` a dotted path or empty."""

    def __init__(self, line: int, what: str, hint: str = "", field: str = "") -> None:
        self.line, self.what, self.hint, self.field = line, what, hint, field
        super().__init__(f"line {line}: {what}")

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions travel between processes by their args, which hold the message only.
        return Malformed, (self.line, self.what, self.hint, self.field)


class Matter(NamedTuple):
    """What a file says: its fields, and the text below them as python-frontmatter gives it (stripped)."""

    format: Format
    values: dict[str, Any]
    body: str


def parse(data: bytes) -> Matter:
    """Raises nothing but Malformed, whatever the bytes; YAML means what PyYAML's safe loader says it means."""
    block = _split(data)
    # parse(), not load(): load() breaks on a field named `content` or `handler`.
    values, body = frontmatter.parse(block.text, handler=_Handler(block))
    return Matter(block.format, values, body)


def line(data: bytes, path: Path) -> int:
    """The file line of the deepest node on `path`, the opening fence's where there is none. For errors only: slow."""
    try:
        block = _split(data)
        if block.format == "yaml":
            offset = _composed(block, lambda _, root: _yaml_offset(root, path))
        else:
            offset = _text_offset(block, path)
    except Malformed as error:
        return error.line
    return block.fence if offset is None else block.line_at(offset)


class _Block(NamedTuple):
    """A file taken apart: `fence` is the line of the opening fence, `first` the one on which `matter` begins."""

    format: Format
    text: str
    matter: str
    body: str
    fence: int

    @property
    def first(self) -> int:
        return self.fence + (self.format != "json")

    def line_at(self, offset: int) -> int:
        return self.first + self.matter.count("\n", 0, offset)


_OPENING = re.compile(r"(?:(---+)[ \t]*|(\+\+\++)[ \t]*|(\{))(?:\n|\Z)")
_CLOSING: tuple[tuple[Format, str, re.Pattern[str]], ...] = (
    ("yaml", "\n---", re.compile(r"\n---+[ \t]*(?:\n|\Z)")),
    ("toml", "\n+++", re.compile(r"\n\+\+\++[ \t]*(?:\n|\Z)")),
    # Alone on their lines and not indented: what python-frontmatter takes for the braces of the whole.
    ("json", "\n}", re.compile(r"\n\}(?:\n|\Z)")),
)


def _split(data: bytes) -> _Block:
    if data.startswith(codecs.BOM_UTF8):
        raise Malformed(1, "the file begins with a byte order mark", "save the file as UTF-8 without BOM")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        raise Malformed(before.count(b"\n") + 1, "this is not UTF-8 text", "save the file as UTF-8") from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    blank = len(text) - len(text.lstrip())
    fence = text.count("\n", 0, blank) + 1
    opening = _OPENING.match(text, blank)
    if not opening:
        hint = "begin the file with a line ---, then the fields, then a second line ---"
        if text.startswith(("{", ";;;"), blank):
            hint = "JSON front matter begins with a line that is { alone and ends with a line that is } alone"
        raise Malformed(fence, "there is no front matter", hint)
    format, mark, closing = _CLOSING[(opening.lastindex or 0) - 1]
    closed, at = None, opening.end() - 2
    while not closed and (at := text.find(mark, at + 1)) >= 0:
        closed = closing.match(text, at)
    if not closed:
        raise Malformed(fence, "the front matter has no end", f"add a line with {mark.strip()} after the last field")
    start, end = (opening.start(), at + 2) if format == "json" else (opening.end(), at + 1)
    # A character has one to four bytes: counting them is needed in between only.
    if end - start > MAX_BYTES or (end - start) * 4 > MAX_BYTES < len(text[start:end].encode()):
        raise Malformed(
            fence, f"the front matter is longer than {MAX_BYTES // 1024} KB", "move the text below the closing line"
        )
    return _Block(format, text, text[start:end], text[closed.end() :], fence)


class _Handler(BaseHandler):
    """Gives python-frontmatter the two parts that `_split` found.

    Its own split takes a file without a closing fence for one without front matter, and it drops what is not a
    mapping, both without a word.
    """

    FM_BOUNDARY = re.compile("")

    def __init__(self, block: _Block) -> None:
        self._block = block

    def split(self, _text: str) -> tuple[str, str]:
        return self._block.matter, self._block.body

    def load(self, _matter: str) -> dict[str, Any]:
        block = self._block
        values = _read_yaml(block) if block.format == "yaml" else _read_text(block)
        if not isinstance(values, dict):
            what = "a list" if isinstance(values, list) else "a single value"
            raise Malformed(block.first, f"the front matter is {what}, not fields", "write every field as name: value")
        return values


# YAML: the fast reader for text that both read alike, PyYAML for all else.

_BAD = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
_WORD = "[tTfFyYnNoO](?:rue|RUE|alse|ALSE|es|ES|o|O|n|N|ff|FF|ull|ULL)"
_DATE = (
    "[1-9][0-9]{3}-(?>(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[ ]?[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)?"
)
_NUMBER = "-?(?:0|[1-9][0-9]{0,14})(?:[.][0-9]{1,15})?"
_TEXT = rf"[^:\#{_BAD}]*+(?>(?>(?<![ ])\#|:(?![ \n]))[^:\#{_BAD}]*+)*+"


@cache
def _alike(dates: bool) -> re.Pattern[str]:
    """Whole lines in the shapes that yaml-rs and PyYAML are known to read alike: what is safe, not what is not.

    The line after a value may not be indented deeper than its key, so no scalar goes on over lines; 24 columns of
    indentation cannot hold MAX_DEPTH levels. yaml-rs takes dates in quotes for dates: text has either dates without
    quotes (and is read with `parse_datetime`), or dates in quotes, or goes to PyYAML.
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


_TAG = "tag:yaml.org,2002:"
_STR, _MERGE = _TAG + "str", _TAG + "merge"
_UNREADABLE = re.compile("[^\t\n -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A level takes a column, or half of one where a list is not indented below its key: narrower text cannot be too deep.
_WIDE = re.compile(r"\n[ \t?:-]{15}")

_TAB = ("a tab where spaces are needed", "indent with spaces, not tabs")
_OPEN_QUOTE = ("this quoted value has no end", "add the closing quote")
_MISPLACED = (
    "this does not go on what stands above it",
    "indent fields of one group alike, and put a value with quotes in it in quotes as a whole",
)
# PyYAML notices these where the text ends or goes on; what is wrong is where they begin.
_BEGUN = re.compile("while (?:scanning a (?:quoted|simple)|parsing a flow)")
_PROBLEMS = {
    "tab character": _TAB,
    "mapping values are not allowed": ("a second `: ` on one line", "put the value in quotes: it holds a colon"),
    "cannot start any token": ("a value cannot begin with this character", "put the value in quotes"),
    "expected ':'": (
        "this is neither a field nor part of the value above",
        "write a field as name: value; indent what goes on",
    ),
    "end of stream": _OPEN_QUOTE,
    "document indicator": _OPEN_QUOTE,
    "escape": (r"an unknown escape after \ ", r"write \\ for a backslash, or use single quotes"),
    "undefined alias": ("a value cannot begin with *", "put the value in quotes"),
    "duplicate anchor": ("an anchor is defined twice", "put a value that begins with & in quotes"),
    "document": ("a second YAML document", "take out the line that begins with --- or ..."),
    "expected ',' or": (
        "a list or group in brackets is not closed",
        "add the bracket, and put values with special characters in quotes",
    ),
    "block end": _MISPLACED,
    "block mapping": _MISPLACED,
    "for merging": ("<< needs a group of fields", "put the name << in quotes"),
    "node, but found": ("the value does not suit its tag", "take out the tag that begins with !"),
}


class _Loader(CSafeLoader):
    """PyYAML's meaning, without integers that are too long to be printed."""


def _integer(loader: _Loader, node: ScalarNode) -> int:
    if len(node.value) > MAX_DIGITS:
        raise ValueError
    return int(loader.construct_yaml_int(node))


_Loader.add_constructor(_TAG + "int", _integer)


# What a file names as related, other files name too, in the same words: such an entry is read once. It means alone what it
# means among others, as it is whole lines; with one that is indented less than its first yaml-rs refuses it.
_ENTRIES = "\nrelated:\n"
_ENTRY = re.compile("[ ]*- ")
_AFTER = re.compile(r"\n(?=[^ \n])")
_AFTER_FLUSH = re.compile(r"\n(?=[^ \n-])")
_COMMENT = re.compile(r"\n *#")
_KEPT = 4096
"""Characters of the longest entry that is remembered."""


def _read_in_pieces(text: str) -> dict[str, Any] | None:
    """The fields of text in which `related` is a list of entries; None where the whole has to be read at once."""
    start = text.find(_ENTRIES) + len(_ENTRIES)
    opening = _ENTRY.match(text, start) if start >= len(_ENTRIES) else None
    if not opening:
        return None
    after = (_AFTER if opening[0][0] == " " else _AFTER_FLUSH).search(text, start)
    end = after.end() if after else len(text)
    entries = []
    for piece in text[opening.end() : end].split("\n" + opening[0]):
        whole = opening[0] + piece.rstrip("\n") + "\n"
        entry = _entry(whole) if len(whole) <= _KEPT else _entry.__wrapped__(whole)
        if entry is None:
            return None
        entries.append(entry)
    values = _loaded(f"{text[: start - 1]} []\n{text[end:]}", dict, dates=True)
    if values is None or values["related"]:
        return None
    values["related"] = entries
    return values


@lru_cache(maxsize=1 << 11)
def _entry(text: str) -> dict[str, Any] | None:
    """The only entry of a list, if it is one of fields."""
    found = None if _COMMENT.search(text) else _loaded(text, list, dates=True)
    return found[0] if found and len(found) == 1 and type(found[0]) is dict else None


def _loaded(text: str, kind: type[_T], *, dates: bool) -> _T | None:
    """What yaml-rs makes of text, where that is safe and of a kind. `dates` is whether the text may have some (see `_alike`)."""
    if yaml_rs is None or not _alike(dates).fullmatch(text):
        return None
    try:
        found = yaml_rs.loads(text, parse_datetime=dates)
    except yaml_rs.YAMLDecodeError:
        return None
    return found if type(found) is kind else None


def _read_yaml(block: _Block) -> Any:
    text = block.matter
    values: Any = _read_in_pieces(text)
    if values is not None:
        return values
    values = _loaded(text, dict, dates=True)
    if values is None:
        values = _loaded(text, dict, dates=False)
    # Anything else is PyYAML's to judge: a list, nothing but comments, an error.
    if values is not None:
        return values
    return _composed(block, lambda loader, root: _constructed(block, loader, root))


def _constructed(block: _Block, loader: _Loader, root: Node | None) -> Any:
    if root is None:
        return {}
    _Inspection(block, loader).size(root, ())
    try:
        return loader.construct_document(root)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        # A tag on a value that does not suit it makes PyYAML's constructors raise whatever they stumble on.
        raise Malformed(block.first, *_PROBLEMS["node, but found"]) from None


def _composed(block: _Block, use: Callable[[_Loader, Node | None], _T]) -> _T:
    text = block.matter
    if bad := _UNREADABLE.search(text):
        raise Malformed(
            block.line_at(bad.start()), f"the character U+{ord(bad[0]):04X} may not be in YAML", "take it out"
        )
    try:
        # Composing is recursive C: 100,000 brackets would end the process, not raise. Events are not.
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
        # What PyYAML says is not passed on: it quotes values, and some of them are nobody's business.
        said = f"{error.problem} {error.context}"
        what, hint = next(
            (said_so for sign, said_so in _PROBLEMS.items() if sign in said),
            ("this is not YAML", "put the value in quotes"),
        )
        begun = _BEGUN.match(error.context or "")
        mark = (begun and error.context_mark) or error.problem_mark
        at = mark.index if mark else 0
        if "nesting depth" in said:
            raise _too_deep(block.line_at(at)) from None
        if text.startswith("\t", at):
            what, hint = _TAB
        raise Malformed(block.line_at(at), what, hint) from None


def _too_deep(line: int) -> Malformed:
    return Malformed(line, f"values are nested more than {MAX_DEPTH} levels deep", "nest them less deeply")


def _dotted(path: Path) -> str:
    """The path as people write it, without what lies inside a `secured` field: its names may be secret too."""
    if "secured" in path:
        path = path[: path.index("secured") + 1]
    dotted = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
    return dotted if len(dotted) <= 200 else dotted[:199] + "…"


class _Inspection:
    """Finds in a composed tree what PyYAML would read without a word, or without saying where."""

    def __init__(self, block: _Block, loader: _Loader) -> None:
        self._block, self._loader = block, loader
        self._sizes: dict[Node, tuple[int, int] | None] = {}
        self._aliased = False

    def size(self, node: Node, path: Path) -> tuple[int, int]:
        """How much the node stands for with its aliases written out, and how deep it is."""
        if node in self._sizes:
            self._aliased = True
            if (known := self._sizes[node]) is None:
                raise self._wrong(node, path, "an alias that holds itself", "write the values out")
            return known
        construct = self._loader.yaml_constructors.get(node.tag)
        if construct is None and node.tag != _MERGE:
            value = "put the value in quotes"
            raise self._wrong(
                node, path, "a value cannot be = alone" if node.tag == _TAG + "value" else "an unknown tag", value
            )
        if isinstance(node, ScalarNode):
            weight = 1 + len(node.value) // 100, 0
            if node.tag != _STR and construct:
                try:
                    construct(self._loader, node)
                except Exception:  # see _constructed
                    kind = {"timestamp": "date or time", "int": "number", "float": "number"}.get(
                        name := node.tag.removeprefix(_TAG), name
                    )
                    raise self._wrong(node, path, f"not a possible {kind}", "correct it, or put it in quotes") from None
        else:
            self._sizes[node] = None
            sizes = [self.size(child, at) for child, at in self._children(node, path)]
            weight = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
            if weight[1] > MAX_DEPTH:
                raise _too_deep(self._block.line_at(node.start_mark.index))
            if self._aliased and weight[0] > MAX_NODES:
                raise self._wrong(node, path, f"aliases stand for more than {MAX_NODES} values", "write the values out")
        self._sizes[node] = weight
        return weight

    def _children(self, node: Node, path: Path) -> list[tuple[Node, Path]]:
        if not isinstance(node, MappingNode):
            return [(child, (*path, index)) for index, child in enumerate(node.value)]
        children, names = [], set()
        for key, value in node.value:
            if key.tag == _TAG + "value":
                key.tag = _STR  # as PyYAML reads a lone = where a name stands
            if not isinstance(key, ScalarNode) or key.tag not in (_STR, _MERGE):
                raise self._wrong(key, path, "the name of a field is not text", "put the name in quotes")
            at = (*path, key.value)
            if key.value in names and key.tag == _STR:
                raise self._wrong(key, at, "the same name twice", "keep one of the two")
            names.add(key.value)
            children += [(key, at), (value, at)]
        return children

    def _wrong(self, node: Node, path: Path, what: str, hint: str) -> Malformed:
        return Malformed(self._block.line_at(node.start_mark.index), what, hint, _dotted(path))


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


# TOML and JSON


class _Doubled(dict[str, Any]):
    """An object of JSON in which `name` stands twice."""

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


def _read_text(block: _Block) -> Any:
    text = block.matter
    # Both parsers are recursive, and a key of 100,000 dotted parts takes tomllib minutes.
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
        place = re.search(r"\(at line (\d+)", str(error))
        at = block.first + int(place[1]) - 1 if place else block.line_at(len(text) - 1)
        twice = re.search("overwrite|twice|mutate|redefine|[Dd]uplicate", str(error))
        what = (
            ("the same name twice", "keep one of the two")
            if twice
            else ("this is not TOML", 'write a field as name = "value"')
        )
        raise Malformed(at, *what) from None
    except json.JSONDecodeError as error:
        said = error.msg.partition(":")[0]
        hint = "put names and texts in double quotes, and a comma between fields but not after the last"
        raise Malformed(block.line_at(error.pos), f"this is not JSON ({said})", hint) from None
    except ValueError:
        long = re.search(rf"[0-9_]{{{MAX_DIGITS},}}", text)
        raise Malformed(
            block.line_at(long.start() if long else 0), "not a possible number", "put it in quotes"
        ) from None
    _inspect(block, values, ())
    return values


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        doubled = _Doubled(values)
        left = list(values)  # in the order in which the names came first
        doubled.name = next(name for (name, _), first in zip(pairs, [*left, None], strict=False) if name != first)
        return doubled
    return values


def _inspect(block: _Block, value: Any, path: Path) -> None:
    if len(path) > MAX_DEPTH:
        raise _too_deep(block.line_at(_text_offset(block, path) or 0))
    wrong = None
    if isinstance(value, _Doubled):
        # The name stands twice in the path that is searched for, too: the second place is the one to look at.
        path, wrong = (*path, value.name), ("the same name twice", "keep one of the two")
    elif isinstance(value, str) and not value.isascii() and re.search("[\ud800-\udfff]", value):
        wrong = ("half of a character in \\u escapes", "write the character itself")
    elif isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        wrong = ("not a possible number", "put it in quotes")
    if wrong:
        place = (*path, path[-1]) if isinstance(value, _Doubled) else path
        raise Malformed(block.line_at(_text_offset(block, place) or 0), *wrong, _dotted(path))
    for step, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        _inspect(block, child, (*path, step))


def _text_offset(block: _Block, path: Path) -> int | None:
    """Where the path seems to lead, by search: each name after the one before, its n-th place for the index n."""
    offset, skip = None, 0
    for step in path:
        if isinstance(step, int):
            skip = step
            continue
        if block.format == "json":
            name = re.escape(json.dumps(step, ensure_ascii=False)) + r"\s*:"
        else:
            name = rf"""(?:^|[{{,])[ \t]*(?:\[+[^]\n]*)?(?<![\w-])["']?{re.escape(step)}["']?[ \t]*[=.\]]"""
        places = itertools.islice(re.compile(name, re.MULTILINE).finditer(block.matter, offset or 0), skip + 1)
        for place in places:
            offset = place.end()
        skip = 0
    return offset
