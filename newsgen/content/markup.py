"""Markdown and foreign HTML become safe HTML: the only place that makes a value templates may print unescaped."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import markdown
import nh3
from markdown.extensions.fenced_code import FencedCodeExtension
from markdown.extensions.sane_lists import SaneListExtension
from markdown.extensions.tables import TableExtension

from newsgen.text import LANGUAGE

MAX_BYTES = 1024 * 1024
"""Longest body in UTF-8."""
_MAX_DEPTH = 64
# Markdown's search for the partner of a bracket and the sanitiser's tree are quadratic in how deep things nest.
_OPEN = {"[": "]", "(": ")"}
_HTML_DEPTH = 256
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_NO_DEPTH = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dt",
        "dd",
        "option",
        "b",
        "i",
    ]
)
# Characters without one of which a part of Markdown has nothing to do: most texts have few of them, and each look costs.
_MARKS = {
    "html_block": "<&",
    "fenced_code_block": "`~",
    "table": "|",
    "hashheader": "#",
    "setextheader": "=-",
    "hr": "-_*",
    "quote": ">",
    "ulist": "*+-",
    "backtick": "`",
    "escape": "\\",
    "reference": "[",
    "link": "[",
    "image_link": "[",
    "image_reference": "[",
    "short_reference": "[",
    "short_image_ref": "[",
    "autolink": "<",
    "automail": "<",
    "html": "<",
    "entity": "&",
    "not_strong": "*_",
    "em_strong": "*_",
    "em_strong2": "*_",
}
_ANY = "".join(sorted(set("".join(_MARKS.values()))))
_HEADING = re.compile(r"<(/?)h([1-6])(?=[ >])")

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt",
    "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "time", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "hreflang"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "del": {"datetime"},
    "img": {"src", "alt", "width", "height"},
    "ins": {"datetime"},
    "ol": {"start", "reversed"},
    "q": {"cite"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# Browsers read a backslash as a slash and drop control characters: what then comes out is anyone's guess.
_ODD = re.compile(r"[\\\x00-\x1f\x7f]")
# What has a colon in its first part and is not a scheme we know is no reference at all (RFC 3986, 4.2).
_REFERENCE = re.compile(r"https?://|[^:/?#]*(?:[/?#]|$)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,5}")
_DIRS = ("ltr", "rtl", "auto")


class TooDeepError(ValueError):
    """The text nests deeper than any real one, at a price that grows with the square of the depth."""


class Markup:
    """Turns bodies into safe HTML, for one site.

    `root` begins the addresses of the site, `images` says whether pictures are wanted, `blocked` whether an address must
    appear nowhere.
    """

    def __init__(self, root: str = "/", *, images: bool = True, blocked: Callable[[str], bool] | None = None) -> None:
        self._root = root
        self._blocked = blocked
        # By name Markdown would look for them among all that is installed.
        extensions = [TableExtension(), FencedCodeExtension(), SaneListExtension()]
        self._markdown = markdown.Markdown(extensions=extensions, output_format="html")
        kinds = (
            (self._markdown, "preprocessors"),
            (self._markdown.parser, "blockprocessors"),
            (self._markdown.treeprocessors["inline"], "inlinePatterns"),
        )
        self._parts = [(holder, kind, _needs(getattr(holder, kind))) for holder, kind in kinds]
        self._chosen = lru_cache(maxsize=256)(self._choose)
        self._cleaner = nh3.Cleaner(
            tags=_TAGS if images else _TAGS - {"img"},
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            url_schemes={"http", "https"},
            link_rel="noopener",
        )

    def markdown(self, text: str) -> str:
        """Markdown with whatever HTML is in it. Raises TooDeepError."""
        if not text.strip():
            return ""
        _shallow(text)
        for holder, kind, parts in self._chosen("".join([mark for mark in _ANY if mark in text])):
            setattr(holder, kind, parts)
        # A text that nested too deeply has left it in the middle of a list.
        self._markdown.parser.state.clear()
        try:
            rendered = self._markdown.reset().convert(text)
        except RecursionError:
            raise TooDeepError from None
        return self.html(rendered)

    def _choose(self, marks: str) -> list[tuple[Any, str, list[Any]]]:
        """The parts of Markdown that may have something to do with a text in which these marks are, and where they belong."""
        return [
            (holder, kind, [part for part, needed in parts if not needed or not set(needed).isdisjoint(marks)])
            for holder, kind, parts in self._parts
        ]

    def html(self, text: str) -> str:
        """HTML of unknown origin. Raises TooDeepError. Headings come out as h2 and below, with no level left out."""
        if text.count("<") > _HTML_DEPTH:
            depth = 0
            for close, name in _TAG.findall(text):
                if name.lower() not in _NO_DEPTH:
                    depth = max(0, depth - 1) if close else depth + 1
                    if depth > _HTML_DEPTH:
                        raise TooDeepError
        return _outline(self._cleaner.clean(text)).strip()

    def _attribute(self, _tag: str, name: str, value: str) -> str | None:
        if name in ("href", "src", "cite"):
            if _ODD.search(value) or not _REFERENCE.match(value):
                return None
            if value.startswith("/") and not value.startswith(("//", "/\\")):
                return self._root + value.lstrip("/")
            return None if self._blocked and self._blocked(value) else value
        if name in ("width", "height", "colspan", "rowspan", "start"):
            return value if _LENGTH.fullmatch(value) else None
        if name == "dir":
            return value if value in _DIRS else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch(LANGUAGE, value) else None
        return value


def _needs(registry: Any) -> list[tuple[Any, str]]:
    """The parts of one kind in their order, each with its marks."""
    known = {registry[name]: marks for name, marks in _MARKS.items() if name in registry}
    return [(part, known.get(part, "")) for part in registry]


def _shallow(text: str) -> None:
    for begin, end in _OPEN.items():
        if text.count(begin) <= _MAX_DEPTH:
            continue
        depth = 0
        for part in re.findall(rf"[{re.escape(begin + end)}]|\n[ \t]*\n", text):
            depth = depth + 1 if part == begin else max(0, depth - 1) if part == end else 0
            if depth > _MAX_DEPTH:
                raise TooDeepError


def _outline(text: str) -> str:
    """Headings below the page's own h1, each at most one level deeper than the one it belongs to."""
    if "<h" not in text:
        return text
    path: list[int] = []

    def level(match: re.Match[str]) -> str:
        if not match[1]:
            while path and path[-1] >= int(match[2]):
                path.pop()
            path.append(int(match[2]))
        return f"<{match[1]}h{min(1 + len(path), 6)}"

    return _HEADING.sub(level, text)


_iframes = nh3.Cleaner(tags={"iframe"}, attributes={"iframe": {"src"}}, url_schemes={"http", "https"}, link_rel=None)
_SRC = re.compile(r'<iframe src="([^"]*)"')


def player(text: str, hosts: tuple[str, ...]) -> str:
    """The https address of the first iframe in foreign HTML, "" where there is none of an allowed host."""
    if len(text) > 16_384:
        return ""
    found = _SRC.search(_iframes.clean(text))
    src = html.unescape(found[1]).strip() if found else ""
    if src.startswith("//"):
        src = "https:" + src
    try:
        parts = urlsplit(src)
    except ValueError:
        return ""
    good = parts.scheme in ("http", "https") and parts.netloc.lower() in hosts and re.fullmatch(r"[!-~]+", src)
    return "https" + src[len(parts.scheme) :] if good and not re.search(r"[\"'<>\\]", src) else ""
