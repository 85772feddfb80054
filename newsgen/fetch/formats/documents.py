"""Parses XML and HTML of any origin. Repairs documents where feed readers do. Entities and DTDs are never read.

Only this module imports lxml, which parses XML and, as browsers do, HTML.

Why newsgen maps the elements itself, measured on a feed of 50 items with 280 kB, on 4,000 files of feedparser's and the
W3C's test suites, and on the 128 files of gofeed's for which it gives a title, link or time:

- feedparser 6.0.14 needs 100 ms and agrees on 121 files. It takes the zones CET, IST and AEDT for UTC.
- fastfeedparser 0.6.5 needs 0.5 ms and agrees on 85. It refuses 9 feeds, reads “2:30 PM” as 02:30, and keeps none of
  `feedburner:origLink`, `source`, `isPermaLink` and dates as they are written, so nothing can be built on it.
- lxml with the mapping of `xmlfeeds` needs 5 ms and agrees on all 128; no file crashes it.
"""

from __future__ import annotations

import re
from html.entities import html5
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from newsgen import text
from newsgen.errors import NewsgenError
from newsgen.fetch.formats import charsets

if TYPE_CHECKING:
    from lxml import etree

    Node: TypeAlias = etree._Element

MAX_HTML = 1 << 16
"""Maximum length of HTML from which words are taken, in characters. An excerpt and the first picture are before it."""

# Where the document begins if a server's warnings come before it.
_START = re.compile(r"<\?xml\s|<!DOCTYPE\s|<(?:\w+:)?(?:rss|rdf|feed|channel|opml|html)[\s>]", re.IGNORECASE)
_MAX_JUNK = 8192
_COMMENTS = re.compile(r"(?:<!--.*?-->\s*)++", re.DOTALL)
_PROLOG = re.compile(r"\s+|<!--.*?-->|<\?.*?\?*>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[<>]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_REFERENCE = re.compile(r"&(?:#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));|([A-Za-z][A-Za-z0-9]{0,31};)?)")
_NO_TAG = re.compile(r"<(?![A-Za-z_/!?])")
_UNCLOSED = re.compile(
    r"<((?:br|hr|img|wbr|input)\b(?:[^<>]*[^<>/])?)>(?!\s*</(?:br|hr|img|wbr|input)>)", re.IGNORECASE
)
# Texts that hold HTML as text. In Atom, `content` and `summary` may hold it as markup, which they must declare.
_TEXT = re.compile(
    r"<(/?)(title|description|content:encoded|itunes:summary|media:description)\b([^<>]*)>", re.IGNORECASE
)
# The lines of OPML on which outlines begin or end. Some programs put quotes, HTML and line breaks into their values.
_LINES = re.compile(r"^(?=[ \t]*</?(?:outline|body|opml)\b)", re.IGNORECASE | re.MULTILINE)
_OUTLINE = re.compile(r"[ \t]*<outline\b", re.IGNORECASE)
_OUTLINES = re.compile(r"</?outline\b", re.IGNORECASE)
_VALUES = re.compile(r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*+""")
_VALUE_START = re.compile(
    r"""\s(text|title|description|type|version|language|xmlUrl|htmlUrl|url|category|created)\s*=\s*\"""", re.IGNORECASE
)
_XML_ENTITIES = ("amp;", "lt;", "gt;", "quot;", "apos;")


class FeedError(ValueError):
    """The bytes are not what they should be. The message is a sentence for the user, such as “is empty”."""


def xml(data: bytes, content_type: str = "", *, doctype: bool = True) -> Node:
    """The root element of an XML document. `content_type` is the value of the HTTP header.

    A document that is not well-formed is repaired. A document type is removed, with the entities that it declares;
    without `doctype` it is refused. Raises FeedError.
    """
    source = _without_junk(charsets.decode(data, content_type))
    if not source:
        raise FeedError("is empty")
    if not source.startswith("<"):
        raise FeedError("is neither XML nor JSON")
    source, found = _without_prolog(source)
    if found and not doctype:
        raise FeedError("has a document type (DOCTYPE), which may pull in other files")
    root = _parsed(source, recover=False)
    if root is None:
        root = _parsed(_repaired(source), recover=True)
    if root is None or not isinstance(root.tag, str):
        raise FeedError("is not XML")
    if root.getroottree().docinfo.internalDTD is not None:
        raise FeedError("has a second document type (DOCTYPE)")
    return root


def html(source: str, limit: int = MAX_HTML) -> Node | None:
    """The root of HTML or a part of it, as browsers parse it; None if it is empty. What is over `limit` is left out."""
    etree = _etree()
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        root: Node | None = etree.fromstring(source[:limit].encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:  # nothing but white space and comments
        return None
    return root if root is not None and isinstance(root.tag, str) else None


def _etree() -> ModuleType:
    try:
        from lxml import etree
    except ImportError:
        raise NewsgenError('feeds need lxml; run pip install "newsgen[fetch]"') from None
    return etree


def _parsed(source: str, *, recover: bool) -> Node | None:
    etree = _etree()
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root: Node | None = etree.fromstring(source.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return None
    return root


def _without_junk(source: str) -> str:
    source = source.strip("\ufeff\0 \t\r\n")
    comments = _COMMENTS.match(source)
    source = source[comments.end() :] if comments else source
    start = _START.search(source, 0, _MAX_JUNK)
    return source[start.start() :] if start else source


def _without_prolog(source: str) -> tuple[str, bool]:
    """The document from its root element on, and whether it had a document type."""
    at, found = 0, False
    while True:
        doctype = _DOCTYPE.match(source, at)
        part = doctype or _PROLOG.match(source, at)
        if not part:
            return source[at:], found
        found = found or doctype is not None
        at = part.end()


def _repaired(source: str) -> str:
    """XML that is nearer to being well-formed: entities of HTML, stray `&` and `<`, and HTML that is not XML."""
    return "".join(
        part if part.startswith(_CDATA) else _repaired_markup(part) for part in _split_cdata(text.printable(source))
    )


def _repaired_markup(source: str) -> str:
    source = _REFERENCE.sub(_reference, source) if "&" in source else source
    if _OUTLINES.search(source):
        source = "".join(map(_outline, _LINES.split(source)))
    return _UNCLOSED.sub(r"<\1/>", _escaped(_NO_TAG.sub("&lt;", source)))


def _outline(lines: str) -> str:
    """An outline with its values escaped, if they are not. A value ends where the next known attribute begins."""
    start, inner = _OUTLINE.match(lines), lines.rstrip()
    if not start or not inner.endswith(">") or len(_OUTLINES.findall(lines)) > 1:
        return lines
    end = "/>" if inner.endswith("/>") else ">"
    inner = inner[start.end() : -len(end)]
    if _VALUES.fullmatch(inner.rstrip()):
        return lines
    _, *parts = _VALUE_START.split(inner)
    values = [value.rstrip().removesuffix('"').replace('"', "&quot;").replace("<", "&lt;") for value in parts[1::2]]
    return start[0] + "".join(f' {name}="{value}"' for name, value in zip(parts[::2], values, strict=True)) + end + "\n"


def _split_cdata(source: str) -> list[str]:
    """The parts of a document: CDATA sections and what is between them."""
    parts: list[str] = []
    at = 0
    while (start := source.find(_CDATA, at)) >= 0 and (end := source.find(_CDATA_END, start)) >= 0:
        parts += (source[at:start], source[start : end + len(_CDATA_END)])
        at = end + len(_CDATA_END)
    return [*parts, source[at:]]


def _escaped(source: str) -> str:
    """XML with the markup in the texts of RSS escaped. HTML with unclosed elements would enclose what follows it."""
    pieces: list[str] = []
    at = 0
    opened: re.Match[str] | None = None
    for tag in _TEXT.finditer(source):
        if not tag[1]:
            opened = None if tag[3].endswith("/") else tag
        elif opened and opened[2] == tag[2]:
            inner = source[opened.end() : tag.start()]
            if "<" in inner:
                pieces += (source[at : opened.end()], inner.replace("&", "&amp;").replace("<", "&lt;"))
                at = tag.start()
            opened = None
    return "".join([*pieces, source[at:]])


def _reference(found: re.Match[str]) -> str:
    hexadecimal, decimal, name = found.groups()
    if name:
        return found[0] if name in _XML_ENTITIES else html5.get(name) or f"&amp;{name}"
    if hexadecimal or decimal:
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        return found[0] if (code < 0x110000 and text.printable(chr(code))) or 0x80 <= code < 0xA0 else ""
    return "&amp;"
