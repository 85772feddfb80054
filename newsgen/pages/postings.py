"""Writes the words of the search index with the numbers of the documents that have them, and edits what is written.

A written text has a line for each word, sorted: how many letters the word shares with the one before, its other letters,
and for each level, after a space, the differences between the numbers of its documents, each less by one.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
"""A number is written in base 32. Its last digit is one of the first 32 of these, the others are of the last 32."""

LEVELS = 3
"""The levels of a word: how much it says of a document."""

_VALUES = {digit: value for value, digit in enumerate(DIGITS)}


class Edit(NamedTuple):
    """A document that has a word at a level, or (`added` is False) no longer has it there."""

    word: str
    level: int
    document: int
    added: bool


@lru_cache(1 << 16)
def number(value: int) -> str:
    """A number as it is written."""
    written = DIGITS[value % 32]
    while value := value // 32:
        written = DIGITS[32 + value % 32] + written
    return written


def documents(levels: Iterable[Sequence[int]]) -> str:
    """The documents of a word, ascending at each level, as they are written."""
    fields = []
    for level in levels:
        last, written = -1, []
        for document in level:
            written.append(number(document - last - 1))
            last = document
        fields.append("".join(written))
    return " ".join(fields).rstrip()


def write(words: Mapping[str, str]) -> str:
    """The text of words, each with its documents as `documents` writes them."""
    lines, before = [], ""
    for word in sorted(words):
        same, most = 0, min(len(before), len(word))
        while same < most and before[same] == word[same]:
            same += 1
        lines.append(f"{DIGITS[same]}{word[same:]} {words[word]}")
        before = word
    return "\n".join(lines)


def edit(text: str, edits: Iterable[Edit]) -> str:
    """The text as `write` would write it after these edits."""
    words = _read(text)
    edited: dict[str, list[list[int]]] = {}
    for word, level, document, added in edits:
        if word not in edited:
            edited[word] = _levels(words.get(word, ""))
        if added:
            insort(edited[word][level], document)
        else:
            edited[word][level].remove(document)
    for word, levels in edited.items():
        if any(levels):
            words[word] = documents(levels)
        else:
            words.pop(word, None)
    return write(words)


def _read(text: str) -> dict[str, str]:
    words, word = dict[str, str](), ""
    for line in text.split("\n") if text else ():
        end = line.index(" ")
        word = word[: _VALUES[line[0]]] + line[1:end]
        words[word] = line[end + 1 :]
    return words


def _levels(written: str) -> list[list[int]]:
    levels: list[list[int]] = [[] for _ in range(LEVELS)]
    for level, field in zip(levels, written.split(" "), strict=False):
        document, value = -1, 0
        for digit in field:
            value = value * 32 + _VALUES[digit] % 32
            if _VALUES[digit] < 32:
                document += value + 1
                level.append(document)
                value = 0
    return levels
