"""Says things in the language of a site: its phrases, dates, times, numbers and lists.

English is newsgen's own. For other languages, babel has the dates, numbers and lists of CLDR (https://cldr.unicode.org),
and is imported only then.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import c2py
from typing import TYPE_CHECKING

from newsgen.model import Phrase
from newsgen.text import MONTHS

if TYPE_CHECKING:
    from babel import Locale as CldrLocale

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

CONTEXT = "\x04"
"""Stands between the context of a message and its text in the id of a phrase, as in gettext's catalogues."""

_SAMPLES = (*range(201), 1_000_000)
"""Numbers of every category that a language tells apart."""

_OWN_LETTERS = {
    **dict.fromkeys(("da", "nb", "nn", "no"), "zæøå"),
    **dict.fromkeys(("fi", "sv"), "zåäö"),
    **dict.fromkeys(("bs", "hr", "sl"), "cčć dđ sš zž"),
    "cs": "cč rř sš zž",
    "es": "nñ",
    "et": "sšzž wõäöü",
    "hu": "oöő uüű",
    "pl": "aą cć eę lł nń oó sś zźż",
    "ro": "aăâ iî sș tț",
    "sk": "aä cč oô sš zž",
    "tr": "cç gğ hı oö sş uü",
}
"""The letters that have places of their own in the alphabet, each group after the letter that it begins with; as in CLDR.
In other languages a letter with an accent is at the place of the letter without it.
"""

_BASES = str.maketrans(
    {"æ": "ae", "đ": "d", "ı": "i", "ł": "l", "œ": "oe", "ø": "o", "ー": ""}
    | {chr(katakana): chr(katakana - 0x60) for katakana in range(0x30A1, 0x30F7)}
)
"""What letters that Unicode does not decompose are at the place of."""

_KANA_ROWS = "あかさたなはまやらわ"

PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|%)")


class Locale:
    """A language, here English. `phrases` replace the phrases of newsgen's code and templates, which are English."""

    first_weekday = 0
    """The day that weeks begin with: 0 is Monday."""

    def __init__(self, language: str = "en", phrases: Iterable[Phrase] = ()) -> None:
        self.language = language
        self.phrases = tuple(phrases)
        self._by_id = {phrase.id: phrase for phrase in self.phrases}
        # Й is и with a breve for Unicode only.
        own = ["ий", *_OWN_LETTERS.get(language.partition("-")[0].lower(), "").split()]
        self._own_letters: dict[str, str | int | None] = {
            c: f"{group[0]}\uffff{n}" for group in own for n, c in enumerate(group) if n
        }

    # Phrases

    def phrase(self, message: str, context: str = "") -> Phrase | None:
        """The phrase for a message, None if the catalogues have none."""
        return self._by_id.get(f"{context}{CONTEXT}{message}" if context else message)

    def text(self, context: str, message: str, plural: str = "", number: int = 1) -> str:
        """The phrase for a message, in the form for a number, with its placeholders."""
        phrase = self.phrase(message, context)
        if phrase:
            return phrase.forms[form_of(number, phrase.plural, len(phrase.forms))]
        return plural if plural and number != 1 else message

    def gettext(self, message: str, **values: object) -> str:
        """A phrase. `values` replace its placeholders, such as %(title)s."""
        return self.text("", message) % values

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """A phrase that has different translations in different contexts."""
        return self.text(context, message) % values

    def ngettext(self, message: str, plural: str, number: int, **values: object) -> str:
        """A phrase in the form for a number."""
        return self.text("", message, plural, number) % values

    def plural_forms(self, message: str, plural: str) -> dict[str, str]:
        """All forms of a phrase, with its placeholders, by the category of their numbers: "one", "few", "other".

        The categories are those of CLDR, which browsers know too.
        """
        forms: dict[str, str] = {}
        for number in _SAMPLES:
            forms.setdefault(self._category(number), self.text("", message, plural, number))
        return forms

    def _category(self, number: int) -> str:
        return "one" if number == 1 else "other"

    # Alphabetical order

    def sort_key(self, title: str) -> tuple[bool, str, str]:
        """The place of a title in an alphabetical list, after those that begin with no letter. Accents and case only
        decide between titles with the same letters.
        """
        letters = self._letters(title)
        return letters[:1].isalpha(), "".join(map(_jis, letters)) if self.language[:2] == "ja" else letters, title

    def initial(self, title: str) -> str:
        """The letter under which an alphabetical list has a title; "#" if it begins with none."""
        own = unicodedata.normalize("NFC", title[:2])[:1].casefold()
        letter = own if own in self._own_letters else self._letters(title)[:1]
        if "ぁ" <= letter <= "ん":
            return _KANA_ROWS[max(0, bisect(_KANA_ROWS, letter) - 1)]
        if self.language[:2] == "ja" and letter >= "一" and letter.isalpha():
            return "漢字"
        return letter.upper() if letter.isalpha() else "#"

    def _letters(self, title: str) -> str:
        """The letters of a title, without accents and in lower case."""
        if title.isascii():
            return title.casefold()
        whole = unicodedata.normalize("NFC", title).casefold().translate(str.maketrans(self._own_letters))
        parts = unicodedata.normalize("NFKD", whole)
        return "".join(c for c in parts if not unicodedata.combining(c)).translate(_BASES)

    # Dates and times

    def day(self, when: date) -> str:
        """A day: 8 November 2026."""
        return f"{when.day} {MONTHS[when.month - 1]} {when.year}"

    def day_of_week(self, when: date) -> str:
        """A day with its weekday, as the date line of a page: Sunday 8 November 2026."""
        return f"{WEEKDAYS[when.weekday()]} {self.day(when)}"

    def short_day(self, when: date) -> str:
        """A day: 8 Nov 2026."""
        return f"{when.day} {MONTHS[when.month - 1][:3]} {when.year}"

    def day_of_year(self, when: date) -> str:
        """A day of the current year: 8 Nov."""
        return f"{when.day} {MONTHS[when.month - 1][:3]}"

    def month(self, when: date) -> str:
        """A month, as a title: November 2026."""
        return f"{MONTHS[when.month - 1]} {when.year}"

    def month_of_year(self, when: date) -> str:
        """The name of a month, as a title: November."""
        return MONTHS[when.month - 1]

    def weekday(self, when: date) -> str:
        """The short name of a weekday: Sun."""
        return WEEKDAYS[when.weekday()][:3]

    def clock(self, when: datetime) -> str:
        """A time of day: 16:30."""
        return f"{when.hour:02}:{when.minute:02}"

    def moment(self, day: str, clock: str) -> str:
        """A day and a time of day: 8 Nov 2026, 16:30."""
        return f"{day}, {clock}"

    def duration(self, minutes: int) -> str:
        """A duration in its two largest units: 25 min, 2 h 5 min, 3 d 1 h."""
        return " ".join(f"{n} {unit}" for n, unit in _parts(minutes, ("d", "h", "min")))

    # Numbers and lists

    def number(self, number: int | float) -> str:
        """A number: 1234, 0.5."""
        return str(number) if isinstance(number, int) else f"{number:g}"

    def listed(self, items: Sequence[str]) -> str:
        """Items one after the other: Anna, Bea, Carl."""
        return ", ".join(items)


def _jis(letter: str) -> str:
    """A character whose code is that of JIS X 0208. This standard orders the frequent kanji by their readings."""
    code = letter.encode("shift_jis", "ignore")
    return chr(int.from_bytes(code)) if len(code) == 2 else letter


def _parts(minutes: int, units: Sequence[str]) -> list[tuple[int, str]]:
    """A duration as numbers of its two largest units, from days, hours and minutes."""
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, units[0]), (hours, units[1])] if days else [(hours, units[1]), (rest, units[2])]
    return [part for part in parts if part[0]] or [(0, units[2])]


class _Cldr(Locale):
    """A language with the dates, numbers and lists of CLDR. Each is made once."""

    def __init__(self, language: str, phrases: Iterable[Phrase], cldr: CldrLocale) -> None:
        from babel import dates, lists, numbers, units

        super().__init__(language, phrases)
        self.first_weekday = int(_with_territory(cldr).first_week_day)

        def skeleton(name: str, pattern: str) -> Callable[[date], str]:
            if name not in cldr.datetime_skeletons:
                return lambda when: dates.format_date(when, pattern, cldr)
            return lambda when: dates.format_skeleton(name, when, locale=cldr)

        def on_day(write: Callable[[date], str]) -> Callable[[date], str]:
            written = lru_cache(maxsize=1 << 14)(write)
            return lambda when: written(when.date() if isinstance(when, datetime) else when)

        self._day = on_day(lambda when: dates.format_date(when, "long", cldr))
        self._day_of_week = on_day(lambda when: _capital(dates.format_date(when, "full", cldr)))
        self._short_day = on_day(skeleton("yMMMd", "medium"))
        self._day_of_year = on_day(skeleton("MMMd", "medium"))
        self._month = on_day(lambda when: _capital(dates.format_skeleton("yMMMM", when, locale=cldr)))
        self._month_of_year = on_day(lambda when: _capital(dates.format_date(when, "LLLL", cldr)))
        self._weekday = on_day(lambda when: dates.format_date(when, "ccc", cldr))
        self._clock = lru_cache(maxsize=1440)(
            lambda hour, minute: dates.format_time(datetime(2000, 1, 1, hour, minute), "short", locale=cldr)  # noqa: DTZ001
        )
        self._moment = str(cldr.datetime_formats["medium"])
        self._number = lru_cache(maxsize=1 << 12)(lambda number: numbers.format_decimal(number, locale=cldr))
        self._plural = cldr.plural_form
        self._listed: Callable[[Sequence[str]], str] = lambda items: lists.format_list(items, locale=cldr)
        self._unit: Callable[[int, str], str] = lambda number, unit: units.format_unit(
            number, f"duration-{unit}", "short", locale=cldr
        )

    def _category(self, number: int) -> str:
        return self._plural(number)

    def day(self, when: date) -> str:
        return self._day(when)

    def day_of_week(self, when: date) -> str:
        return self._day_of_week(when)

    def short_day(self, when: date) -> str:
        return self._short_day(when)

    def day_of_year(self, when: date) -> str:
        return self._day_of_year(when)

    def month(self, when: date) -> str:
        return self._month(when)

    def month_of_year(self, when: date) -> str:
        return self._month_of_year(when)

    def weekday(self, when: date) -> str:
        return self._weekday(when)

    def clock(self, when: datetime) -> str:
        return self._clock(when.hour, when.minute)

    def moment(self, day: str, clock: str) -> str:
        return self._moment.replace("{1}", day).replace("{0}", clock)

    def duration(self, minutes: int) -> str:
        return " ".join(self._unit(n, unit) for n, unit in _parts(minutes, ("day", "hour", "minute")))

    def number(self, number: int | float) -> str:
        return self._number(number)

    def listed(self, items: Sequence[str]) -> str:
        return self._listed(items)


ENGLISH = Locale()


def locale(language: str, phrases: Iterable[Phrase] = ()) -> Locale:
    """The language with this tag. Of a language that CLDR does not have, the dates and numbers are English."""
    cldr = None if is_english(language) else known(language)
    return Locale(language, phrases) if cldr is None else _Cldr(language, phrases, cldr)


def is_english(language: str) -> bool:
    """Whether a language tag means English."""
    return language.partition("-")[0].lower() == "en"


@cache
def known(language: str) -> CldrLocale | None:
    """The locale that CLDR has for a language tag, or for the beginning of one; None if it has none."""
    from babel import Locale as CldrLocale
    from babel import UnknownLocaleError

    while language:
        try:
            return CldrLocale.parse(language, sep="-")
        except (UnknownLocaleError, ValueError):
            language = language.rpartition("-")[0]
    return None


def direction(language: str) -> str:
    """The direction of a language's script: "ltr" or "rtl"."""
    cldr = None if is_english(language) else known(language)
    return str(cldr.text_direction) if cldr else "ltr"


def _with_territory(cldr: CldrLocale) -> CldrLocale:
    """The locale with the territory where most of its readers are: it decides what day weeks begin with."""
    from babel import Locale as CldrLocale
    from babel import UnknownLocaleError
    from babel.core import get_global

    if cldr.territory:
        return cldr
    try:
        return CldrLocale.parse(str(get_global("likely_subtags").get(cldr.language)))
    except (UnknownLocaleError, ValueError):
        return cldr


def _capital(title: str) -> str:
    """A title with a capital: month and weekday names have none in many languages."""
    return title[:1].upper() + title[1:]


@lru_cache(maxsize=4096)
def pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """The parts of a phrase: the names of placeholders (True) and the words between them. `%%` is a percent sign."""
    found: list[tuple[bool, str]] = []
    start, words = 0, ""
    for match in PLACEHOLDER.finditer(text):
        words += text[start : match.start()]
        start = match.end()
        if match[1]:
            found += [(False, words)] * bool(words) + [(True, match[1])]
            words = ""
        else:
            words += "%"
    words += text[start:]
    return (*found, (False, words)) if words else tuple(found)


def form_of(number: int, plural: str, count: int) -> int:
    """The position of the form for a number, of `count` forms. `plural` is gettext's expression that computes it."""
    return _form(plural, count)(number) if count > 1 else 0


def is_plural(expression: str, count: int) -> bool:
    """Whether an expression computes the position of one of `count` forms, for all numbers that readers meet."""
    try:
        compute = _computing(expression)
        return all(0 <= int(compute(number)) < count for number in range(1001))
    except (ValueError, ArithmeticError):
        return False


@cache
def _form(plural: str, count: int) -> Callable[[int], int]:
    compute = _computing(plural)

    @lru_cache(maxsize=1024)
    def form(number: int) -> int:
        try:
            return min(max(int(compute(number)), 0), count - 1)
        except (ValueError, ArithmeticError):
            return count - 1

    return form


def _computing(expression: str) -> Callable[[int], int]:
    compute: Callable[[int], int] = c2py(expression)
    return compute
