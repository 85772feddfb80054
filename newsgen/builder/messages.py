"""Finds all messages of newsgen's code and of a site's templates, and writes them into a catalogue to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import newsgen
from newsgen import locales
from newsgen.builder import catalogues
from newsgen.builder.theme import Theme
from newsgen.builder.translation import FORMS
from newsgen.errors import OutputError, Problem, unreadable
from newsgen.model import Phrase

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
"""The functions of messages in code, with the positions of their texts."""

PLURAL = ("ngettext", "npgettext", FORMS)
"""The functions of templates whose messages have a plural."""

_STARTS_WITH_HEADER = re.compile(r'\A(#.*\n)*msgid ""\nmsgstr ""\n')

_HEADER = """\
# The words of the interface in this language. Where a translation is empty, newsgen's own counts, if it has one.
# docs/languages.md describes this file.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"
"""


class Written(NamedTuple):
    """A catalogue that was written: the number of its messages, and of those that have no translation anywhere."""

    file: Path
    messages: int
    missing: int


def translate(site: Path, language: str, folder: Path | None = None) -> Written:
    """Writes all messages into the catalogue of a site for a language, and keeps the translations that it has.

    newsgen's own translation stands in a comment. The translation of a message that is gone stays as a comment.
    `folder` is that of the catalogues, by default the site's. Raises OutputError if the file has errors or cannot be
    written.
    """
    from babel.messages.pofile import write_po

    folder = folder or site / catalogues.FOLDER
    file, name = folder / f"{language}.po", f"{catalogues.FOLDER}/{language}.po"
    others = [(path, name) for path, name in catalogues.catalogue_files(site, language) if path.parent != folder]
    known = {phrase.id: phrase for path, name in others for phrase in catalogues.read(path, name)[0]}
    catalogue = _messages(Theme(site), language, known)
    header, ids = _HEADER.format(language=language, plural=catalogue.plural_forms), catalogues.ids(catalogue)
    if file.exists() or file.is_symlink():
        old, header = _old(file, name, header)
        old.update(catalogue, no_fuzzy_matching=True)
        catalogue = old
    written = BytesIO()
    write_po(written, catalogue, width=110, omit_header=True, include_lineno=False)
    try:
        folder.mkdir(exist_ok=True)
        file.write_text(f"{header}\n{written.getvalue().decode().strip()}\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(Problem(path=name, what=f"cannot be written: {error.strerror}")) from None
    translated = known.keys() | {phrase.id for phrase in catalogues.read(file, name)[0]}
    return Written(file, len(ids), sum(id not in translated for id in ids))


def _messages(theme: Theme, language: str, known: Mapping[str, Phrase]) -> Catalog:
    """A catalogue of all messages without translations. `known` translations stand in comments."""
    from babel.messages.catalog import Catalog

    catalogue = Catalog(locale=locales.known(language))
    for place, context, texts in found(theme):
        phrase = known.get(catalogues.id_of(context, texts[0]))
        comments = [f"newsgen: {' | '.join(phrase.forms)}"] if phrase else []
        id = texts[0] if len(texts) == 1 else texts
        catalogue.add(id, locations=[(place, 1)], auto_comments=comments, context=context or None)
    return catalogue


def found(theme: Theme) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The place, context and texts of each message: one text, or a singular and a plural."""
    from babel.messages.extract import extract

    for name, function, arguments in theme.messages():
        context = arguments[0] if "pgettext" in function else ""
        texts = arguments[1:] if context else arguments
        yield f"templates/{name}", context, texts[: 2 if function in PLURAL else 1]
    for file in sorted((Path(newsgen.__file__).parent / "pages").glob("*.py")):
        with file.open("rb") as source:
            for _, text, _, _ in extract("python", source, keywords=KEYWORDS):
                yield f"newsgen/pages/{file.name}", "", (text,) if isinstance(text, str) else tuple(text)


def _old(file: Path, name: str, header: str) -> tuple[Catalog, str]:
    """The catalogue in a file, and its header as it is, or else `header`."""
    problems: list[Problem] = []
    try:
        data = file.read_bytes()
    except OSError as error:
        raise OutputError(unreadable(name, error)) from None
    catalogue = catalogues.parse(data, name, problems)
    if problems:  # what cannot be read would be lost
        raise OutputError(*problems)
    start = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").partition("\n\n")[0]
    return catalogue, f"{start}\n" if _STARTS_WITH_HEADER.search(start) else header
