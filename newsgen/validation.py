"""Validates plain values against msgspec types. Reports every fault; msgspec itself stops at the first."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

import msgspec

Path: TypeAlias = tuple[str | int, ...]
"""The position of a value in a mapping: keys and list indexes, outermost first."""


class Fault(NamedTuple):
    """An invalid value: its position, what is wrong, and what to do."""

    at: Path
    what: str
    hint: str


class Faults(list[Fault]):
    """A list of faults in the order they were found."""

    def add(self, at: Path, what: str, hint: str = "") -> None:
        self.append(Fault(at, what, hint))


_WORDS = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list", "object": "a mapping",
    "null": "null", "datetime": "a date", "date": "a date", "bytes": "binary data",
}  # fmt: skip


def faults(value: Any, kind: Any, path: Path = ()) -> Iterator[Fault]:
    """All faults of a value of type `kind`; none if msgspec can convert it."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    choices = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    struct = next((c for c in choices if isinstance(c, type) and issubclass(c, msgspec.Struct)), None)
    sequence = next((c for c in choices if get_origin(c) is tuple), None)
    mapping = next((c for c in choices if get_origin(c) is dict), None)
    if struct is not None and isinstance(value, dict):
        fields = {f.encode_name: f for f in msgspec.structs.fields(struct)}
        for name, field in fields.items():
            if name in value:
                yield from faults(value[name], field.type, (*path, name))
            elif field.required:
                yield Fault((*path, name), "missing", "")
        if struct.__struct_config__.forbid_unknown_fields:
            for name in value.keys() - fields.keys():
                yield Fault((*path, name), "unknown setting", did_you_mean(name, fields))
    elif sequence is not None and isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, get_args(sequence)[0], (*path, index))
    elif mapping is not None and isinstance(value, dict):
        key_type, value_type = get_args(mapping)
        for name, item in value.items():
            yield from faults(name, key_type, (*path, name))
            yield from faults(item, value_type, (*path, name))
    else:
        try:
            msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError) as error:
            yield Fault(path, _plain_english(str(error)), _hint(value, choices))


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The hint “did you mean …?” with the most similar of `words`; "" if none is similar."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


def dotted(path: Path) -> str:
    """A path as text, for example `related[2].images[0].width`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _plain_english(message: str) -> str:
    """msgspec's message with the names of its types replaced by words, without the path."""
    message = message.partition(" - at `")[0].replace("Invalid enum value", "unknown value")
    message = re.sub(
        r"`([a-z| ]+)`", lambda m: " or ".join(_WORDS.get(w.strip(), w.strip()) for w in m[1].split("|")), message
    )
    return message[:1].lower() + message[1:]


def _hint(value: Any, choices: tuple[Any, ...]) -> str:
    if str in choices and not isinstance(value, str | dict | list):
        return "put it in quotes"
    allowed = [w for c in choices if get_origin(c) is Literal for w in get_args(c)]
    if allowed:
        return (did_you_mean(value, allowed) if isinstance(value, str) else "") or "use one of: " + ", ".join(
            filter(None, allowed)
        )
    return ""
