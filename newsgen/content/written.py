"""The values of a file as it spells them: the text of a scalar, its place and its line."""

from __future__ import annotations

import contextlib
import re
from functools import cached_property
from typing import Any

import msgspec

from newsgen.content import frontmatter
from newsgen.content.fields import AboutFile, ArticleFile, FeedFile, ImageFile, ProviderPart, RelatedFile
from newsgen.content.foreign import Translator
from newsgen.validation import Path as At
from newsgen.validation import nearest

_KNOWN_NAMES = frozenset(
    field.encode_name
    for kind in (ArticleFile, AboutFile, FeedFile, RelatedFile, ImageFile, ProviderPart)
    for field in msgspec.structs.fields(kind)
)


class Written:
    """A file's values as it spells them, to be used where a value has another type than expected.

    `foreign` maps our name of each renamed field to its place in the file.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.foreign: dict[str, At] = {}

    @cached_property
    def _values(self) -> Any:
        with contextlib.suppress(ValueError):
            return frontmatter.written(self._data)
        return {}

    def path(self, at: At) -> At:
        """The path of a field in the file."""
        return (*self.foreign.get(str(at[0]), at[:1]), *at[1:]) if at else at

    def line(self, at: At) -> int:
        """The line of a field."""
        return frontmatter.line(self._data, self.path(at)) if at else 1

    def _value(self, path: At) -> Any:
        value = self._values
        for step in path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def text(self, at: At, value: Any) -> str:
        """The text of the scalar `value` of a field."""
        text = self._value(self.path(at))
        if isinstance(text, str):
            return str(text)  # not Unquoted
        return str(value).lower() if isinstance(value, bool) else str(value)

    def split(self, value: tuple[str, ...] | str, at: At, separator: str = ",") -> tuple[str, ...]:
        """A field that may be a list or text. Text without quotes is split at commas."""
        if not isinstance(value, str):
            return value
        if "," in value and isinstance(self._value(self.path(at)), frontmatter.Unquoted):
            return tuple(filter(None, map(str.strip, re.split(separator, value))))
        return (value,)

    def misspelt(self, at: At, translator: Translator) -> str:
        """Asks whether another name in the file was meant as the missing field `at`; "" if none is similar."""
        around = self._value(self.path(at[:-1]))
        names = (
            [n for n in around if n not in _KNOWN_NAMES and not translator.knows(n)] if isinstance(around, dict) else ()
        )
        near = nearest(str(at[-1]), names)
        return f"did you mean {near!r} (line {self.line((*at[:-1], near))})?" if near else ""
