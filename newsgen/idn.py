"""Shows internationalised domain names in their own script where that cannot deceive (https://www.unicode.org/reports/tr36/).

A label is shown in Unicode if it is written in one script and that script belongs to its top-level domain, by the IDN
tables of the registries (https://www.iana.org/domains/idn-tables), or to the language of the site, by the likely
subtags of CLDR (https://cldr.unicode.org). All others stay in Punycode. Latin letters with diacritics belong to every
top-level domain that is itself Latin.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category, name, normalize

# Scripts by the first word of the names that Unicode gives to their characters.
_SCRIPTS = {
    "IDEOGRAPHIC": "CJK",
    "KATAKANA-HIRAGANA": "KATAKANA",
}
_TOP_LEVEL = {
    "CYRILLIC": "ba bg by kg kz me mk mn rs ru su tj ua uz",
    "GREEK": "cy gr",
    "HEBREW": "il",
    "ARABIC": "ae af bh dz eg iq ir jo kw lb ly ma mr om pk ps qa sa sd sy tn ye",
    "CJK": "cn hk jp kr mo sg tw",
    "HIRAGANA": "jp",
    "KATAKANA": "jp",
    "HANGUL": "kr",
    "BOPOMOFO": "tw",
    "THAI": "th",
    "DEVANAGARI": "in np",
    "BENGALI": "bd in",
    "GUJARATI": "in",
    "GURMUKHI": "in",
    "KANNADA": "in",
    "MALAYALAM": "in",
    "ORIYA": "in",
    "TAMIL": "in lk sg",
    "TELUGU": "in",
    "SINHALA": "lk",
    "ARMENIAN": "am",
    "GEORGIAN": "ge",
    "ETHIOPIC": "et",
    "KHMER": "kh",
    "LAO": "la",
    "MYANMAR": "mm",
}
_LANGUAGES = {
    "CYRILLIC": "ab ba be bg ce cv kk ky mk mn os ru sah sr tg tt uk",
    "GREEK": "el",
    "HEBREW": "he yi",
    "ARABIC": "ar ckb fa ps sd ug ur",
    "CJK": "ja ko yue zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "BOPOMOFO": "zh",
    "THAI": "th",
    "DEVANAGARI": "bho hi mai mr ne sa",
    "BENGALI": "as bn",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "SINHALA": "si",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "ETHIOPIC": "am ti",
    "KHMER": "km",
    "LAO": "lo",
    "MYANMAR": "my",
}
# Scripts that one label may mix, with ASCII (UTS 39, section 5.2, "highly restrictive").
_MIXED = (
    frozenset(("CJK", "HIRAGANA", "KATAKANA", "ASCII")),
    frozenset(("CJK", "HANGUL", "ASCII")),
    frozenset(("CJK", "BOPOMOFO", "ASCII")),
    frozenset(("LATIN", "ASCII")),
)
# The Latin letters of the languages of Europe, of Romanian, and of Vietnamese. Phonetic letters look like others.
_LATIN = frozenset(map(chr, (*range(0xDF, 0x131), *range(0x132, 0x138), *range(0x139, 0x149), *range(0x14A, 0x17F),
                             0x1A1, 0x1B0, 0x219, 0x21B, *range(0x1EA0, 0x1EFA)))) - {"÷"}  # fmt: skip
_DOTLESS = frozenset(("az", "tr"))
# Letters that look like Latin ones. A label of only these is deceptive unless its top-level domain is in that script.
_LIKE_LATIN = frozenset("асԁеһіјӏорԛѕԝхуъьпгѵѡαικνρυωηοτ")


@lru_cache(maxsize=4096)
def shown(domain: str, language: str = "") -> str:
    """The domain as readers see it on a site in this language.

    >>> shown("xn--e1afmkfd.xn--p1ai"), shown("xn--pple-43d.com")
    ('пример.рф', 'xn--pple-43d.com')
    """
    if "xn--" not in domain:
        return domain
    labels = domain.split(".")
    decoded = [*map(_decoded, labels)]
    top = decoded[-1]
    tag = "" if "-latn" in language.lower() else language.lower().partition("-")[0]
    fitting = _scripts(top) | {s for s, names in _TOP_LEVEL.items() if top in names.split()}
    if fitting & {"HIRAGANA", "KATAKANA"}:
        fitting |= _MIXED[0]
    own = fitting.copy()
    fitting |= {"ASCII", "LATIN"} | {s for s, names in _LANGUAGES.items() if tag in names.split()}
    return ".".join(
        text if text and _is_clear(text, fitting, own, dotless=bool(_DOTLESS & {top, tag})) else label
        for label, text in zip(labels, decoded, strict=True)
    )


def _decoded(label: str) -> str:
    """A label in Unicode; "" if it is invalid."""
    try:
        return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label
    except ValueError:
        return ""


def _is_clear(label: str, fitting: set[str], own: set[str], *, dotless: bool) -> bool:
    """Whether a label can be shown. `own` are the scripts of the top-level domain, `fitting` also includes others."""
    if label.isascii():
        return True
    scripts = _scripts(label)
    if normalize("NFC", label) != label or not scripts <= fitting:
        return False
    if len(scripts) > 1 and not any(scripts <= mixed for mixed in _MIXED):
        return False
    if "LATIN" in scripts and not all(c.isascii() or c in _LATIN or (dotless and c == "ı") for c in label):
        return False
    return not (_LIKE_LATIN.issuperset(label.replace("-", "")) and scripts.isdisjoint(own))


def _scripts(label: str) -> set[str]:
    """The scripts of a label's letters; "ASCII" for Latin ones, "" for what belongs to no label."""
    scripts = set()
    for char in label:
        if char.isascii():
            scripts |= {"ASCII"} if char.isalpha() else set()
        elif category(char)[0] in "LM":
            word = name(char, "").partition(" ")[0]
            scripts.add(_SCRIPTS.get(word, word))
        else:
            scripts.add("")
    return scripts
