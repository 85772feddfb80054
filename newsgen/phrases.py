"""Finds words and phrases in texts of any script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import category, normalize

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    "\u0e00\u0eff", "\u1000\u109f", "\u1780\u17ff", "\u3040\u30ff", "\u3400\u4dbf", "\u4e00\u9fff", "\uf900\ufaff",
)  # fmt: skip
# Particles follow a Korean word without a space.
_HANGUL = ("\uac00\ud7a3",)
# Hyphens and apostrophes are written in many ways; soft hyphens, joiners and marks of direction are not seen. The
# Turkish alphabet has two letters i, and other alphabets fold one into the other.
_ALIKE = (
    dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
    | dict.fromkeys((0x2018, 0x2019, 0x02BC), "'")
    | dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x0307), "")
    | {0x0131: "i", 0x05F3: "'", 0x05F4: '"'}
    # The Arabic stroke that stretches words, and the vowel points of Arabic and Hebrew, which most texts leave out.
    | dict.fromkeys((0x0640, *range(0x064B, 0x0653), 0x0670, *range(0x05B0, 0x05BE), 0x05BF, 0x05C1, 0x05C2), "")
)


def fold(text: str) -> str:
    """The text as phrases are compared: without differences in case, spacing, hyphens and composition of letters."""
    if text.isascii():
        return " ".join(text.lower().split())
    folded = normalize("NFKC", normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_ALIKE).split())


class _Phrase(NamedTuple):
    folded: str
    written: str
    begins_word: bool
    ends_word: bool


class Phrases:
    """Words and phrases to look for. In scripts that separate words, only whole words are found."""

    def __init__(self, phrases: Iterable[str]) -> None:
        rows = [(folded, written) for written in phrases if (folded := fold(written))]
        self._phrases = [
            _Phrase(folded, written, _joins(folded[0]), _joins(folded[-1]) and not _is_in(_HANGUL, folded[-1]))
            for folded, written in rows
        ]

    def __bool__(self) -> bool:
        return bool(self._phrases)

    def first(self, folded: str) -> str:
        """The first of the phrases that a text contains, as it was written; "" if there is none. `fold` the text first."""
        return next((p.written for p in self._phrases if p.folded in folded and _has(folded, p)), "")


def _has(text: str, phrase: _Phrase) -> bool:
    at = text.find(phrase.folded)
    while at >= 0:
        end = at + len(phrase.folded)
        begins = not phrase.begins_word or at == 0 or not _joins(text[at - 1])
        # A particle follows a word of any script in Korean.
        is_whole = end == len(text) or not _joins(text[end]) or _is_in(_HANGUL, text[end])
        if begins and (not phrase.ends_word or is_whole):
            return True
        at = text.find(phrase.folded, at + 1)
    return False


def _joins(character: str) -> bool:
    """Whether a character next to a letter is of the same word."""
    if character.isascii():
        return character.isalnum()
    return category(character)[0] in "LNM" and not _is_in(_UNSPACED, character)


def _is_in(ranges: Iterable[str], character: str) -> bool:
    """Whether a character is in one of some ranges, each given by its ends."""
    return not character.isascii() and any(ends[0] <= character <= ends[1] for ends in ranges)
