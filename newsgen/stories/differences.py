"""Finds what differs between the reports of a story: numbers that some have, and names that only one has.

Only the texts of the story count, so the result changes only with its own reports. Numbers are found in texts of all
scripts, names where capitals mark them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from newsgen.stories import words
from newsgen.stories.languages import languages

# "COVID-19" and "2.Bundesliga" have no number, "38M" has one.
_NUMBER = re.compile(
    r"(?<![\w.,:/#-])([$£€¥]?)(\d+(?:[.,]\d+)*)(%|[^\W\d_]{1,2}(?![\w-]))?(?![\w-]|[.,:/]\d)( [^\W\d_][\w-]*)?"
)
_SENTENCE = re.compile(r"[.!?:;]\s+|[\"“”«»‘]|(?<=\s)'|\n")
LONGEST_ACRONYM = 4
LONGEST_PARTICLE = 3
"""The most letters of a common word that says nothing about a number before it: "1,041 on Saturday", but "41 days"."""

_YEARS = range(1900, 2101)


def numbers(texts: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The numbers that some but not all of these texts have, as first written, with the positions of these texts.

    Each is written with the word that follows it most often, short common words aside. The numbers that most texts have
    come first. Years do not count.
    """
    found: dict[str, tuple[str, list[int]]] = {}
    following: dict[str, Counter[str]] = {}
    for at, text in enumerate(texts):
        for match in _NUMBER.finditer(words.normal(text)):
            sign, digits, unit, word = match.groups(default="")
            key = digits.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", digits) else digits
            if not sign and not unit and key.isdecimal() and len(key) == 4 and int(key) in _YEARS:
                continue
            _, places = found.setdefault(key, (sign + digits + unit, []))
            if at not in places[-1:]:
                places.append(at)
            counts = following.setdefault(key, Counter({"": 0}))
            if word and (len(word) > LONGEST_PARTICLE + 1 or not languages([words.lower(word[1:])], "")):
                counts[word] += 1
    some = [
        (number + following[key].most_common(1)[0][0], places)
        for key, (number, places) in found.items()
        if len(places) < len(texts)
    ]
    return sorted(some, key=lambda each: -len(each[1]))


def names(texts: Sequence[str], publishers: Sequence[str]) -> list[list[str]]:
    """For each of these texts, the names that no other one mentions, in their order. Names side by side are one.

    The text's publisher is left out, and so are words in capitals, which are shouts as often as names.
    """
    stem_of = words.Stems()
    stems: list[set[str]] = []
    for text in texts:
        pieces, split = words.split(words.normal(text))
        stems.append({stem_of[words.lower(word)] for word in (*pieces, *split)})
    counts = Counter(stem for own in stems for stem in own)
    out = []
    for at, text in enumerate(texts):
        publisher = {stem_of[words.lower(word)] for word in words.split(words.normal(publishers[at]))[1]}
        own: dict[str, None] = {}
        for sentence in _SENTENCE.split(words.normal(text)):
            _, split = words.split(sentence)
            known = words.names(split)
            run: list[str] = []
            for word in (*split, ""):
                stem = stem_of[words.lower(word)]
                if word in known and len(stem) > 2 and counts[stem] == 1 and not any(map(str.isdigit, word)):
                    run.append(word)
                elif run:
                    is_own = any(stem_of[words.lower(each)] in publisher for each in run)
                    if not is_own and not any(len(each) > LONGEST_ACRONYM and each.isupper() for each in run):
                        own[" ".join(run)] = None
                    run = []
        out.append(list(own))
    return out
