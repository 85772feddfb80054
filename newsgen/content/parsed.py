"""What a content file became, as a value and as bytes for the cache."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from newsgen.errors import Problem
from newsgen.model import About, Article, Subscription, frozen


class Parsed(NamedTuple):
    """What a content file is (None if it has to be left out), and everything that is wrong in it."""

    value: Article | About | Subscription | None
    problems: tuple[Problem, ...] = ()


_LETTERS: dict[type, bytes] = {Article: b"a", About: b"f", Subscription: b"s", type(None): b"n"}
_CHANGED = b"+"
_encode = msgspec.msgpack.Encoder().encode
_decode_value = {
    kind: msgspec.msgpack.Decoder(type).decode
    for kind, type in ((b"a", Article), (b"f", About), (b"s", Subscription), (b"n", None))
}
_decode_with_problems = {
    kind: msgspec.msgpack.Decoder(tuple[type, tuple[Problem, ...]]).decode  # type: ignore[valid-type]
    for kind, type in ((b"A", Article), (b"F", About), (b"S", Subscription), (b"N", None))
}


def pack(parsed: Parsed) -> bytes:
    """Encodes the result of `Reader.parse`: one letter for its type, a capital if there are problems, then msgpack."""
    value, problems = parsed
    letter = _LETTERS[type(value)]
    return letter.upper() + _encode(parsed) if problems else letter + _encode(value)


def pack_changed(parsed: Parsed, original: bytes) -> bytes:
    """Encodes what plugins made of a file, with the `original`: the packed result of `Reader.parse`."""
    return _CHANGED + len(original).to_bytes(4) + original + pack(parsed)


def original(data: bytes) -> bytes:
    """The packed result of `Reader.parse`, from before plugins changed it."""
    return data[5 : _after_original(data)] if data[:1] == _CHANGED else data


def _after_original(data: bytes) -> int:
    return 5 + int.from_bytes(data[1:5])


def unpack(data: bytes) -> Parsed:
    """Decodes the output of `pack` or `pack_changed`. Raises msgspec.DecodeError for anything else."""
    start = _after_original(data) if data[:1] == _CHANGED else 0
    letter, rest = data[start : start + 1], memoryview(data)[start + 1 :]  # a view, to avoid a copy of every file
    value: Any
    problems: tuple[Problem, ...] = ()
    if decode := _decode_value.get(letter):
        value = decode(rest)
    elif decode := _decode_with_problems.get(letter):
        value, problems = decode(rest)
    else:
        raise msgspec.DecodeError("unknown type letter")
    if type(value) is Article and value.extra:
        value = msgspec.structs.replace(value, extra=frozen(value.extra))
    return Parsed(value, problems)
