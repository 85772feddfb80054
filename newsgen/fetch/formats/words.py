"""Takes from HTML what a reader sees: the words and the first picture."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from newsgen import text
from newsgen.fetch.formats import charsets, documents

if TYPE_CHECKING:
    from newsgen.fetch.formats.documents import Node

Source: TypeAlias = "str | Node"
"""HTML as text, or an element whose content is HTML, as markup or as text."""

# Elements that stand in a line of text. All others are separated from their neighbours by white space.
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rb ruby s samp small span strike "  # noqa: SIM905
    "strong sub sup time tt u var wbr".split()
)
# Elements whose words a reader does not see, or that are no part of the text. Ruby is a reading of the words before it.
_HIDDEN = frozenset(
    "applet audio button canvas datalist form head iframe link map math menu meta nav noembed noframes noscript object "  # noqa: SIM905
    "option rp rt script select style svg template textarea title video".split()
)
_ENOUGH = 1024
# Markup that readers would see, because a program encoded it twice or declared it to be text. Text about markup, such
# as “the <b> tag”, rarely has closing tags.
_MARKUP = re.compile(
    r"</(?:p|div|a|b|i|em|strong|span|ul|ol|li|h[1-6]|table|blockquote|figure|font)>|<img\s[^<>]*src\s*=", re.IGNORECASE
)
# A character by its number, or a letter or quotation mark by its name: in a text that is not HTML, nobody means the code.
_ENTITY = re.compile(
    r"&(?:#(?:\d{2,6}|x[0-9a-fA-F]{2,5})|[lr][sd]quo|hellip|[mn]dash|szlig"
    r"|[A-Za-z](?:grave|acute|circ|tilde|uml|cedil|ring|slash|caron));"
)
_C1 = re.compile("[\x80-\x9f]")
# Addresses of images that are no pictures: pixels that count readers, emoji, buttons, and portraits of authors.
_NO_PICTURE = re.compile(
    r"//(?:(?:\w+\.)?gravatar\.com/avatar/|feeds\.feedburner\.com|feeds\.wordpress\.com|stats\.wordpress\.com|pixel\.|[^/]*\bdoubleclick\.net|s\.w\.org/images/core/emoji)"
    r"|/(?:pixel|spacer|blank|1x1|clear)\.(?:gif|png)|/wp-includes/images/smilies/",
    re.IGNORECASE,
)
_LAZY = ("data-src", "data-original", "data-lazy-src", "src")
_LARGE_ENOUGH = 33
_PIXELS = re.compile(r"\s*(\d{1,6})(?:\.\d*)?\s*(?:px)?\s*", re.ASCII)


class Literal(str):
    """Text that is not HTML, where HTML is usual."""

    __slots__ = ()


class Picture(NamedTuple):
    """An `img` element: its address as written, its size in pixels (0 if unknown) and its text."""

    url: str
    width: int
    height: int
    title: str


def plain(written: str) -> str:
    """Text as newsgen's files hold it: a headline's markup stripped, entities decoded once, white space normalised."""
    return text.plain(restored(written))


def restored(written: str) -> str:
    """The text with windows-1252 characters in place of the C1 controls that some programs write for them."""
    return written.translate(charsets.CP1252) if _C1.search(written) else written


def visible(source: Source) -> str:
    """The words that a reader sees, on one line. Long texts are cut."""
    written = _written(source)
    if written is None:
        seen = _seen(source)
        # Markup may have more HTML beside it as text. Deeper down, as in `code`, such text is about markup.
        beside = (
            "".join([source.text or "", *(child.tail or "" for child in source)]) if not isinstance(source, str) else ""
        )
        return _seen(documents.html(seen)) if is_html(beside) else seen
    if isinstance(written, Literal):
        return _one_line(written)
    if "<" not in written and "&" not in written:
        return _one_line(written)
    seen = _seen(documents.html(written))
    if "<" not in written and is_html(seen):
        seen = _seen(documents.html(seen))
    return seen


def literal(written: str) -> str:
    """A text that its format declares not to be HTML. If it looks like HTML, it is: some programs write it all the same."""
    return written if _ENTITY.search(written) or is_html(written) else Literal(written)


def is_html(written: str) -> bool:
    """Whether a text that should not be HTML is HTML."""
    return "<" in written and _MARKUP.search(written) is not None


def pictures(source: Source) -> Iterator[Picture]:
    """The pictures in HTML, in order, without those that no reader would call a picture."""
    written = _written(source)
    root = None if isinstance(source, str) else source
    if written is not None:
        if isinstance(written, Literal):
            return
        if "<" not in written and "&lt;" not in written:
            return
        # Without any tag, the HTML is encoded twice.
        root = documents.html(written if "<" in written else html.unescape(written))
    if root is None:
        return
    for image in root.iter("{*}img"):
        address = next((value for name in _LAZY if (value := (image.get(name) or "").strip())), "")
        if address.startswith("data:") and image.get("src"):
            address = (image.get("src") or "").strip()
        width, height = size(image.get("width")), size(image.get("height"))
        if not address or is_tiny(width, height) or address.startswith("data:") or is_no_picture(address):
            continue
        yield Picture(address, width, height, _one_line(image.get("alt") or image.get("title") or ""))


def is_tiny(width: int, height: int) -> bool:
    """Whether a picture of this size in pixels (0 if unknown) is an icon."""
    return 0 < width < _LARGE_ENOUGH or 0 < height < _LARGE_ENOUGH


def is_no_picture(address: str) -> bool:
    """Whether a reader would not call it a picture of the text."""
    return _NO_PICTURE.search(address) is not None


def _written(source: Source) -> str | None:
    """HTML as text; None for an element that holds markup."""
    if isinstance(source, str):
        return source
    return None if len(source) else source.text or ""


def size(written: str | int | None) -> int:
    """A width or height in pixels, such as 640 or 640px; 0 if it is none."""
    found = _PIXELS.fullmatch(str(written)) if written else None
    return int(found[1]) if found and int(found[1]) <= 100_000 else 0


def _seen(root: Source | None) -> str:
    pieces: list[str] = []
    if root is not None and not isinstance(root, str):
        _collect(root, pieces, [0])
    return _one_line("".join(pieces))


def _collect(node: Node, pieces: list[str], length: list[int]) -> None:
    """Adds the words of an element. Depth is limited: the parsers read at most 256 levels."""
    if node.text:
        pieces.append(node.text)
        length[0] += len(node.text)
    for child in node:
        if length[0] > _ENOUGH:
            return
        tag = child.tag
        if isinstance(tag, str):
            name = tag.rpartition("}")[2].lower()
            if child.get("class") == "invisible":  # Mastodon: what it leaves out of an address
                pass
            elif name in _INLINE:
                _collect(child, pieces, length)
            elif name == "img":
                if _is_emoji(child):
                    pieces.append(child.get("alt") or "")
            elif name not in _HIDDEN:
                pieces.append(" ")
                _collect(child, pieces, length)
                pieces.append(" ")
        if child.tail:
            pieces.append(child.tail)
            length[0] += len(child.tail)


def _is_emoji(image: Node) -> bool:
    return "smiley" in (image.get("class") or "") or "emoji" in (image.get("class") or "")


def _one_line(words: str) -> str:
    words = words[: 4 * _ENOUGH]
    if words.isprintable():
        return words.strip() if "  " not in words else " ".join(words.split())
    return " ".join(text.printable(restored(words)).split())
