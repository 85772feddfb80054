"""Reads the catalogues of phrases: newsgen's own, and those of a site, which replace single phrases of newsgen's.

A catalogue is a file of gettext, `locale/de.po`. A fault in one costs only the phrase that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from newsgen import locales
from newsgen.errors import Problem, unreadable
from newsgen.files import shipped_catalogues
from newsgen.locales import CONTEXT, Locale
from newsgen.model import Phrase
from newsgen.text import printable

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

FOLDER = "locale"
"""The folder of a site's catalogues."""

_LINE = re.compile(
    r"""(?: \#(?!-).* | (?:\#~\s*)? (?: (?:msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d\]) \s+)? "(?:[^"\\]|\\.)*" )?""",
    re.VERBOSE,
)
_MOST_ERRORS = 50
"""The most wrong entries, besides those with wrong lines. For each of them the file is read once more."""

_MARKUP = re.compile(r"</?[A-Za-z!]|&#?\w+;")
_FORMAT = re.compile(r"%(?:\(\w+\)s|%)?")


class Found(NamedTuple):
    """The language of a site, and what is wrong with its catalogues."""

    locale: Locale
    problems: list[Problem]
    warnings: list[Problem]


def load(site: Path, language: str) -> Found:
    """The language of a site, with the phrases of all catalogues for it: those for `de`, then those for `de-AT`."""
    phrases: dict[str, Phrase] = {}
    problems: list[Problem] = []
    files = catalogue_files(site, language)
    for file, name in files:
        found, wrong = read(file, name)
        phrases |= {phrase.id: phrase for phrase in found}
        problems += wrong
    warnings = []
    if not files and not locales.is_english(language):
        what = f"there is no catalogue for {language!r}, so the words on pages are English"
        if locales.known(language) is None:
            what += ", and so are dates and numbers, because CLDR does not know this language"
        hint = f"run `newsgen translate {language}` and fill in {FOLDER}/{language}.po"
        warnings.append(Problem(path="site.toml", field="language", what=what, hint=hint))
    return Found(locales.locale(language, phrases.values()), problems, warnings)


def catalogue_files(site: Path, language: str) -> list[tuple[Path, str]]:
    """The catalogues for a language that exist, each with its name in messages. Later ones replace earlier phrases."""
    parts = language.split("-")
    tags = ["-".join(parts[:count]) for count in range(1, len(parts) + 1)]
    places = [(shipped_catalogues() / f"{tag.lower()}.po", f"newsgen/{FOLDER}/{tag.lower()}.po") for tag in tags]
    places += [(site / FOLDER / f"{tag}.po", f"{FOLDER}/{tag}.po") for tag in tags]
    return [(file, name) for file, name in places if file.exists() or file.is_symlink()]


def read(file: Path, name: str) -> tuple[list[Phrase], list[Problem]]:
    """The phrases of a catalogue, and what is wrong with it. `name` is that of the file in messages."""
    if file.exists() and not file.is_file():
        return [], [Problem(path=name, what="is not a file", hint="remove it")]
    try:
        data = file.read_bytes()
    except OSError as error:
        return [], [unreadable(name, error)]
    problems: list[Problem] = []
    catalogue = parse(data, name, problems)
    plural = _plural(catalogue, name, problems)
    phrases = []
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        try:
            phrase = _phrase(message, plural)
        except ValueError as error:
            what, hint = error.args
            texts = message.id if isinstance(message.id, str) else message.id[0]
            problems.append(
                Problem(path=name, line=message.lineno or 0, field=_short(texts), what=what, hint=hint, scope="value")
            )
            continue
        if phrase:
            phrases.append(phrase)
    return phrases, sorted(problems)


def parse(data: bytes, name: str, problems: list[Problem]) -> Catalog:
    """A catalogue as babel reads it, without the entries that cannot be read. Adds a problem for each of these."""
    from babel.messages.pofile import PoFileError, read_po

    lines = data.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n").split("\n")
    for number, line in enumerate(lines):
        if not _LINE.fullmatch(line.strip()):
            what, hint = (
                "is not a line of a catalogue",
                "see docs/languages.md, or write the file with `newsgen translate`",
            )
            problems.append(Problem(path=name, line=number + 1, what=what, hint=hint, scope="value"))
            _leave_out(lines, number)
    for _ in range(_MOST_ERRORS):
        try:
            return read_po(lines, abort_invalid=True)
        except PoFileError as error:
            what = str(error).rpartition(" on ")[0] or "cannot be read"
            problems.append(Problem(path=name, line=error.lineno + 1, what=what[:200], scope="value"))
            number = error.lineno
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            number = next((at for at, line in enumerate(lines) if line.startswith('"')), -1)
            what = f"the header cannot be read: {error}"
            problems.append(Problem(path=name, line=number + 1, what=what[:200], scope="value"))
        if not _leave_out(lines, number):
            break
    problems.append(Problem(path=name, what="cannot be read; write the file with `newsgen translate`"))
    return read_po([])


def _leave_out(lines: list[str], number: int) -> bool:
    """Empties the entry that a line is in: all lines up to the next empty ones. Returns whether there was one."""
    if number < 0 or not lines[number].strip():
        return False
    first = last = number
    while first and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    lines[first : last + 1] = [""] * (last + 1 - first)
    return True


def _plural(catalogue: Catalog, name: str, problems: list[Problem]) -> tuple[str, int]:
    """The expression that computes a plural form, and the number of forms."""
    plural, count = catalogue.plural_expr, catalogue.num_plurals
    if not locales.is_plural(plural, count):
        what = f"Plural-Forms: {plural!r} does not compute one of {count} forms"
        hint = "take the header that `newsgen translate` writes"
        problems.append(Problem(path=name, line=1, what=what, hint=hint, scope="value"))
        return "", 0
    return plural, count


def _phrase(message: Message, plural: tuple[str, int]) -> Phrase | None:
    """The phrase of an entry, None if it is not translated. Raises ValueError with what is wrong and what to do."""
    texts = [message.id] if isinstance(message.id, str) else list(message.id)
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    if not any(forms):
        return None
    expression, count = ("", 1) if len(texts) == 1 else plural
    if len(forms) != count or not all(forms):
        raise ValueError(
            f"has {sum(map(bool, forms))} plural forms, and the language {count}", "fill in each msgstr[…]"
        )
    for text in (*texts, *forms):
        if printable(text) != text or any("\ud800" <= c <= "\udfff" for c in text):
            raise ValueError("has bytes that are not UTF-8, or invisible characters", "save the file as UTF-8")
    names = _names(texts)
    for form in forms:
        for part in _FORMAT.findall(form):
            if part == "%":
                raise ValueError("has a % that begins no placeholder", "write %% for a percent sign")
        if unknown := _names([form]) - names:
            raise ValueError(f"has the unknown placeholder %({min(unknown)})s", _known(names))
        if (lost := _names(texts[:1]) - _names([form])) and len(texts) == 1:
            raise ValueError(f"lacks the placeholder %({min(lost)})s", "put it where its value belongs")
        if _MARKUP.search(form) and not any(map(_MARKUP.search, texts)):
            raise ValueError("has HTML in it, which pages would show as text", "write text only")
    return Phrase(id=id_of(message.context, texts[0]), forms=tuple(forms), plural=expression)


def ids(catalogue: Catalog) -> list[str]:
    """The ids of the messages of a catalogue, as phrases have them."""
    texts = ((message.context, message.id) for message in catalogue if message.id)
    return [id_of(context, text if isinstance(text, str) else text[0]) for context, text in texts]


def id_of(context: str | None, message: str) -> str:
    """The id of the phrase for a message."""
    return f"{context}{CONTEXT}{message}" if context else message


def _names(texts: Iterable[str]) -> set[str]:
    """The names of the placeholders in texts."""
    return {part for text in texts for is_name, part in locales.pieces(text) if is_name}


def _known(names: Iterable[str]) -> str:
    known = ", ".join(f"%({name})s" for name in sorted(names))
    return f"use {known}" if known else "the phrase has none"


def _short(text: str) -> str:
    return repr(text if len(text) <= 50 else text[:49] + "…")
