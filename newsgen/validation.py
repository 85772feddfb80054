"""Validates plain values against msgspec types. Reports every fault; msgspec itself stops at the first."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable
from datetime import date, time
from functools import cache
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


def faults(value: Any, kind: Any) -> Faults:
    """All faults of a value of type `kind`; none if msgspec can convert it."""
    repair = Repair()
    repair.value(value, kind)
    return repair.faults


class Repair:
    """Finds every fault of a value and removes what is wrong, so that msgspec can convert the rest.

    A null counts as absent. A required text that is missing is a fault and becomes empty. `text` gives the text of a
    scalar that stands where text belongs; without it, such a scalar is a fault.
    """

    def __init__(self, text: Callable[[Path, Any], str] | None = None) -> None:
        self.faults = Faults()
        self._text = text
        self._kept: dict[Path, list[int]] = {}

    def position(self, path: Path) -> Path:
        """The position in the given value of what is at `path` in the repaired one, where list items may be gone."""
        given: Path = ()
        for step in path:
            kept = self._kept.get(given, [])
            given = (*given, kept[step] if isinstance(step, int) and step < len(kept) else step)
        return given

    def value(self, value: Any, kind: Any, path: Path = ()) -> Any:
        """The repaired value; None if nothing of it is left."""
        if value is None or (kind is str and type(value) is str):
            return value
        bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        choices = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
        struct = next((c for c in choices if isinstance(c, type) and issubclass(c, msgspec.Struct)), None)
        sequence = next((c for c in choices if get_origin(c) is tuple), None)
        mapping = next((c for c in choices if get_origin(c) is dict), None)
        if struct is not None and isinstance(value, dict):
            return self._fields(value, struct, path)
        if sequence is not None and isinstance(value, list):
            item_type = get_args(sequence)[0]
            items = [(index, self.value(item, item_type, (*path, index))) for index, item in enumerate(value)]
            self._kept[path] = [index for index, item in items if item is not None]
            return [item for _, item in items if item is not None]
        if mapping is not None and isinstance(value, dict):
            key_type, value_type = get_args(mapping)
            for name, item in value.items():
                self.value(name, key_type, (*path, name))
                self.value(item, value_type, (*path, name))
            return value
        return self._scalar(value, kind, choices, path)

    def _fields(self, value: dict[str, Any], struct: type[msgspec.Struct], path: Path) -> dict[str, Any]:
        fields = _fields(struct)
        repaired = {}
        for name, field in fields.items():
            given = value.get(name)
            item = self.value(given, field.type, (*path, name))
            if item is not None:
                repaired[name] = item
            elif field.required:
                repaired[name] = ""
                if given is None:
                    self.faults.add((*path, name), "missing")
        if struct.__struct_config__.forbid_unknown_fields:
            for name in value.keys() - fields.keys():
                self.faults.add((*path, name), "unknown setting", did_you_mean(name, fields))
        return repaired

    def _scalar(self, value: Any, kind: Any, choices: tuple[Any, ...], path: Path) -> Any:
        if self._text and str in choices and isinstance(value, bool | int | float | date | time | bytes):
            value = self._text(path, value)
        try:
            msgspec.convert(value, kind)
        except (msgspec.ValidationError, OverflowError) as error:
            examples = _examples(kind) if isinstance(value, str) else []
            if examples:
                self.faults.add(path, f"{value!r} has another form", "write it as " + " or ".join(examples))
            else:
                self.faults.add(path, plain_english(str(error)), _hint(value, choices))
            return None
        return value


@cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The hint “did you mean …?” with the most similar of `words`; "" if none is similar."""
    near = nearest(word, words)
    return f"did you mean {near!r}?" if near else ""


def nearest(word: str, words: Iterable[str]) -> str:
    """The most similar of `words`, without regard to case; "" if none is similar."""
    by_lower = {w.lower(): w for w in words}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def dotted(path: Path) -> str:
    """A path as text, for example `related[2].images[0].width`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")


def _examples(kind: Any) -> list[str]:
    """Examples of a text that must match a pattern."""
    metas = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((list(meta.examples or ()) for meta in metas if isinstance(meta, msgspec.Meta) and meta.pattern), [])


def plain_english(message: str) -> str:
    """msgspec's message with the names of its types replaced by words, without the path."""
    message = message.partition(" - at `")[0].replace("Invalid enum value", "unknown value")
    message = re.sub(
        r"`([a-z| ]+)`", lambda m: " or ".join(_WORDS.get(w.strip(), w.strip()) for w in m[1].split("|")), message
    )
    return message[:1].lower() + message[1:]


def _hint(value: Any, choices: tuple[Any, ...]) -> str:
    struct = next((c for c in choices if isinstance(c, type) and issubclass(c, msgspec.Struct)), None)
    if struct is not None:
        return "write it as {" + ", ".join(f"{name}: ..." for name in struct.__struct_encode_fields__[:2]) + "}"
    if str in choices and not isinstance(value, str | dict | list):
        return "put it in quotes"
    if bool in choices:
        return "write true or false, without quotes"
    allowed = [w for c in choices if get_origin(c) is Literal for w in get_args(c)]
    if allowed:
        return (did_you_mean(value, allowed) if isinstance(value, str) else "") or "use one of: " + ", ".join(
            filter(None, allowed)
        )
    return ""
