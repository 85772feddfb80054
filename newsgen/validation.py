"""Plain values against types: every fault of a mapping, where msgspec would stop at the first."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""Where in a mapping: keys and positions, outermost first."""


class Fault(NamedTuple):
    """One value that cannot be, and what to do about it."""

    at: Path
    what: str
    hint: str


class Faults(list[Fault]):
    """Faults in the order they were met."""

    def add(self, at: Path, what: str, hint: str = "") -> None:
        """Notes one."""
        self.append(Fault(at, what, hint))


_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a mapping",
    "null": "nothing", "datetime": "a date", "date": "a date", "bytes": "binary data",
}  # fmt: skip


def faults(value: Any, kind: Any, path: Path = ()) -> Iterator[Fault]:
    """What keeps a value from being of a type, place by place; nothing where msgspec would convert it."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    choices = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    table = next((c for c in choices if isinstance(c, type) and issubclass(c, msgspec.Struct)), None)
    row = next((c for c in choices if get_origin(c) is tuple), None)
    named = next((c for c in choices if get_origin(c) is dict), None)
    if table is not None and isinstance(value, dict):
        fields = {f.encode_name: f for f in msgspec.structs.fields(table)}
        for name, each in fields.items():
            if name in value:
                yield from faults(value[name], each.type, (*path, name))
            elif each.required:
                yield Fault((*path, name), "is missing", "")
        if table.__struct_config__.forbid_unknown_fields:
            for name in value.keys() - fields.keys():
                yield Fault((*path, name), "is no setting", near(name, fields))
    elif row is not None and isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, get_args(row)[0], (*path, index))
    elif named is not None and isinstance(value, dict):
        names, each_of = get_args(named)
        for name, item in value.items():
            yield from faults(name, names, (*path, name))
            yield from faults(item, each_of, (*path, name))
    else:
        try:
            msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError) as error:
            yield Fault(path, _words(str(error)), _hint(value, choices))


def near(word: str, words: Iterable[str]) -> str:
    """A hint that names the word which was probably meant, "" where none comes near."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def dotted(path: Path) -> str:
    """A path as people write it: `related[2].images[0].width`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _words(message: str) -> str:
    message = message.partition(" - at `")[0]
    message = re.sub(
        r"`([a-z| ]+)`", lambda m: " or ".join(_WORDS.get(w.strip(), w.strip()) for w in m[1].split("|")), message
    )
    return message[:1].lower() + message[1:]


def _hint(value: Any, choices: tuple[Any, ...]) -> str:
    if str in choices and not isinstance(value, str | dict | list):
        return "put it in quotes"
    allowed = [w for c in choices if get_origin(c) is Literal for w in get_args(c)]
    if allowed:
        return (near(value, allowed) if isinstance(value, str) else "") or "one of: " + ", ".join(filter(None, allowed))
    return ""
