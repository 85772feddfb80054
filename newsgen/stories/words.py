"""The words by which articles are compared, in any language.

A word is cut to its first letters, its stem, so that its inflected forms are one. In scripts that are written without
spaces between words, neighbouring characters stand for a word. In Korean, whose words carry their particles, and in
Vietnamese, which is written in syllables, single syllables and pairs of them do. No list of words is used here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cache
from itertools import pairwise

STEM_LENGTH = 5
"""The letters that are kept of a word. A word that contains digits is kept whole."""

SEARCH_LENGTH = 10
"""The letters that are kept of a word for the search: more than of a stem, because readers look for one word."""

LETTERS = 4
"""The length of the pieces by which the letters of two headlines are compared."""

TITLE_CASE = 0.6
"""From this share of capitalised words on, capitals in a headline say nothing of names."""

HEAD_WORDS, TAIL_WORDS = 4, 5
"""The minimum length of a headline before its publisher's name, and the maximum length of the name, in words."""

_POSSESSIVE = re.compile(r"(?<=\w)'[sS]\b")
_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*")
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han; and Hangul.
_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_SOUTHEAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_HANGUL = "\uac00-\ud7a3"
_UNSPACED = f"[{_SOUTHEAST}]+|[\u3040-\u30ff{_HAN}]+|[{_HANGUL}]+"
_IS_UNSPACED = f"[{_SOUTHEAST}\u3040-\u30ff{_HAN}{_HANGUL}]"
_HAS_HANGUL = f"[{_HANGUL}]+"
_HAS_SOUTHEAST = f"[{_SOUTHEAST}]"
# Letters that hardly any language but Vietnamese has.
_VIETNAMESE = re.compile("[\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]")
_IS_HAN = f"[{_HAN}]"
# Signs that some publishers write and others do not: points of Arabic and Hebrew, joiners, soft hyphens.
_OPTIONAL = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0655\u0670\u200b-\u200f\u00ad\u2060]"
)
_SIGNS = tuple(zip("’‘“”–—…\u00a0", "''\"\"~~. ", strict=True))
# Turkish has an i with and one without a dot, and casefolding leaves the dot of the capital behind.
_DOTTED_I = str.maketrans({"\u0307": None, "ı": "i"})
# Accents of Latin, Greek and Cyrillic letters, hamza and madda of Arabic letters: readers who search leave them out.
_ACCENTS = re.compile("[\u0300-\u036f\u0653-\u0655]")
# What the stemmer light10 takes from both ends of an Arabic word: the article, with the particles before it, "and", and
# endings (Larkey, Ballesteros and Connell, "Light Stemming for Arabic Information Retrieval", 2007). It also unifies
# letters that are written in several ways. Hebrew has the same prefixes.
_ARABIC_PREFIX = r"\A(?:و?(?:[بفك]?ال|لل)(?=\w\w)|و(?=\w{4}))"
_ARABIC_ENDING = r"(?<=\w{3})(?:ها|ان|ات|ون|ين|يه|ه|ي)$"
_ARABIC_LETTERS = str.maketrans("أإآىة", "اااي\u0647")
_HEBREW_PREFIX = r"\A(?:ו?[בכלמש]?ה|ו)(?=\w{3})"
# The publisher's name that many publishers put at the end of a headline: " - The Daily News".
_TAIL = re.compile(r" [-|] [^-|]{2,60}$")
_UNSPACED_TAIL = re.compile(r"(?: [-|丨] ?|[|丨_])[^-|丨_]{2,30}$")


class Stems(dict[str, str]):
    """Caches the stem of each word in lower case: its first letters, or "" if it is too short to be a word."""

    def __missing__(self, word: str) -> str:
        stem = word.replace(".", "")
        if "\u05d0" <= stem[:1] <= "\u064a":
            stem = _bare(stem)
        if len(stem) < 2:
            stem = ""
        elif len(stem) > STEM_LENGTH and not any(map(str.isdigit, stem)):
            stem = stem[:STEM_LENGTH]
        self[word] = stem
        return stem


def _bare(word: str) -> str:
    """A word without what Arabic and Hebrew attach to it, such as the article."""
    if word[0] <= "\u05ea":
        return _pattern(_HEBREW_PREFIX).sub("", word)
    word = _pattern(_ARABIC_PREFIX).sub("", word.translate(_ARABIC_LETTERS))
    return _pattern(_ARABIC_ENDING).sub("", word)


def normal(text: str) -> str:
    """The text in one of the ways in which Unicode can write it, without compatibility characters and optional signs."""
    if text.isascii():
        return text
    for sign, plain in _SIGNS:  # much faster than translate
        text = text.replace(sign, plain)
    if text.isascii():
        return text
    return _OPTIONAL.sub("", unicodedata.normalize("NFKC", text))


def headline(title: str) -> str:
    """A title, in its normal form, without the publisher's name at its end."""
    tail = _TAIL.search(title)
    if tail and len(tail[0].split()) <= TAIL_WORDS + 1 and len(title[: tail.start()].split()) >= HEAD_WORDS:
        return title[: tail.start()]
    if not title.isascii() and (tail := _UNSPACED_TAIL.search(title)):
        head = title[: tail.start()]
        # Two characters count as a word.
        length = len(_pattern(_IS_UNSPACED).findall(head))
        if length >= 2 * HEAD_WORDS and length > 2 * len(tail[0]):
            return head.rstrip()
    return title


def split(text: str, *, in_pairs: bool = False) -> tuple[list[str], list[str]]:
    """The pieces and the words of a text in its normal form. Words keep their capitals.

    Pieces are groups of characters in scripts without spaces, and pairs of Korean or Vietnamese words. With `in_pairs`,
    all scripts without spaces are cut into pairs, because a reader may type any part, and no words are paired.
    """
    pieces: list[str] = []
    if "'s" in text or "'S" in text:
        text = _POSSESSIVE.sub("", text)
    # Combining marks begin here, and scripts without spaces come after them.
    if text.isascii() or max(text) < "\u0300":
        return pieces, _WORD.findall(text)
    for run in _pattern(_UNSPACED).findall(text):
        length = 3 if not in_pairs and _pattern(_HAS_SOUTHEAST).match(run) else 2
        pieces += [run[i : i + length] for i in range(max(1, len(run) - length + 1))]
        if len(run) > 1:
            pieces += run if not in_pairs and _pattern(_HAS_HANGUL).match(run) else _pattern(_IS_HAN).findall(run)
    if pieces:
        if not in_pairs and len(hangul := _pattern(_HAS_HANGUL).findall(text)) > 1:
            pieces += [f"{one[:2]} {two[:2]}" for one, two in pairwise(hangul)]
        text = _pattern(_UNSPACED).sub(" ", text)
    words = _words(text)
    if not in_pairs and len(_VIETNAMESE.findall(text)) * 3 > len(words) > 1:
        pieces += [f"{one} {two}" for one, two in pairwise(map(lower, words))]
    return pieces, words


def spelt(title: str, excerpt: str) -> dict[str, str]:
    """Maps each stem of a title and an excerpt to its first word, in lower case, and each piece to itself."""
    stem_of, found = Stems(), dict[str, str]()
    for text in (headline(normal(title)), normal(excerpt)):
        pieces, of_text = split(text)
        for word in [*pieces, *map(lower, of_text)]:
            found.setdefault(word if word in pieces else stem_of[word], word)
    return found


def lower(text: str) -> str:
    """A text in lower case."""
    return text.lower() if text.isascii() else text.casefold().translate(_DOTTED_I)


def search_words(text: str, *, short: bool = True) -> list[str]:
    """The words of a text by which it is found, in lower case and without accents; static/js/search.js finds the same.

    Without `short`, what says little about an excerpt is left out: words of at most four letters that belong to a
    language rather than to a subject, and single characters of scripts without spaces.
    """
    pieces, words = split(normal(text), in_pairs=True)
    if not short:
        pieces = [piece for piece in pieces if len(piece) > 1]
        words = [word for word in words if len(word) >= STEM_LENGTH or not _is_common(word)]
    folded = (_unaccented(lower(word)).replace(".", "")[:SEARCH_LENGTH] for word in words)
    return [*map(_unaccented, map(lower, pieces)), *(word for word in folded if len(word) > 1)]


def _is_common(word: str) -> bool:
    """Whether a word of at most four letters is probably no name: "with", "The", but not "Iran", "UK", "5g"."""
    return word.isalpha() and (word if len(word) == STEM_LENGTH - 1 else word[1:]).islower()


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def names(words: list[str]) -> set[str]:
    """The words of a headline that its capitals mark as names, if it has few capitals; never its first word.

    In German, whose nouns have capitals, these are the nouns.
    """
    capitalised = [word for word in words[1:] if word[0].isupper()]
    return set(capitalised) if len(capitalised) < TITLE_CASE * (len(words) - 1) else set()


def is_short(stem: str) -> bool:
    """Whether a stem is short, as most words are that belong to a language rather than to a subject.

    In Arabic and Hebrew, which are written without most vowels, only stems of up to two letters are short.
    """
    if not stem.isalpha() or len(stem) >= STEM_LENGTH:
        return False
    if stem.isascii():
        return True
    return len(stem) < 3 if "\u05d0" <= stem[0] <= "\u06d3" else not _pattern(_IS_UNSPACED).match(stem)


def letters(words: str) -> frozenset[str]:
    """The pieces of `LETTERS` letters in words that are separated by spaces. The ends of a word count as letters."""
    pieces = set()
    for word in words.split():
        padded = f" {word} "
        pieces.update([padded[i : i + LETTERS] for i in range(max(1, len(padded) - LETTERS + 1))])
    return frozenset(pieces)


def likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """How alike two sets of letters are: the cosine of their vectors."""
    return len(one & two) / math.sqrt(len(one) * len(two))


def _words(text: str) -> list[str]:
    """The words of a text. Combining marks, such as those of Devanagari, are letters of them."""
    marks = [ord(character) for character in set(text) if _is_mark(character)]
    if not marks:
        return _WORD.findall(text)
    letters = text.translate(dict.fromkeys(marks, "a"))
    return [text[match.start() : match.end()] for match in _WORD.finditer(letters)]


@cache
def _is_mark(character: str) -> bool:
    return "\u0300" <= character < "\U00020000" and unicodedata.category(character)[0] == "M"


@cache
def _pattern(expression: str) -> re.Pattern[str]:
    """A pattern that only texts in some scripts need: its large sets of characters take milliseconds to compile."""
    return re.compile(expression)
