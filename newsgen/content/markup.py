"""Turns Markdown and foreign HTML into safe HTML. Only values from here may be printed unescaped by templates."""

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

from newsgen import urls
from newsgen.text import LANGUAGE

MAX_BYTES = 1024 * 1024
"""Maximum size of a body in UTF-8, in bytes."""
# Markdown's search for a closing bracket and the sanitiser's tree take quadratic time in the depth of nesting.
_MAX_BRACKET_DEPTH = 64
_BRACKETS = {"[": "]", "(": ")"}
_MAX_HTML_DEPTH = 256
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
# Elements that do not count as a level: void elements, elements whose end tag is optional, and b and i.
_NOT_NESTING = frozenset(
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
# The characters that trigger each Markdown processor. A processor is skipped if the text has none of its characters:
# most texts have few of them, and each processor costs time.
_TRIGGERS = {
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
_ALL_TRIGGERS = "".join(sorted(set("".join(_TRIGGERS.values()))))
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
# Browsers read a backslash as a slash and drop control characters, so such an address may not lead where it seems to.
_AMBIGUOUS = re.compile(r"[\\\x00-\x1f\x7f]")
# An http(s) URL or a relative reference. The first segment of a relative reference has no colon (RFC 3986, 4.2).
_REFERENCE = re.compile(r"https?://|[^:/?#]*(?:[/?#]|$)", re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,5}")
_DIRS = ("ltr", "rtl", "auto")


class TooDeepError(ValueError):
    """The text is nested more deeply than any real text. Parsing takes quadratic time in the depth."""


class Markup:
    """Turns the bodies of one site into safe HTML.

    `root` is the path of the site's base URL. Without `images`, pictures are removed. `blocked` tells whether a URL is
    on the blocklist; such a URL is removed from its link or picture.
    """

    def __init__(self, root: str = "/", *, images: bool = True, blocked: Callable[[str], bool] | None = None) -> None:
        self._root = root
        self._blocked = blocked
        # Given names, Markdown would search the entry points of every installed package.
        extensions = [TableExtension(), FencedCodeExtension(), SaneListExtension()]
        self._markdown = markdown.Markdown(extensions=extensions, output_format="html")
        registries = (
            (self._markdown, "preprocessors"),
            (self._markdown.parser, "blockprocessors"),
            (self._markdown.treeprocessors["inline"], "inlinePatterns"),
        )
        self._processors = [(owner, name, _with_triggers(getattr(owner, name))) for owner, name in registries]
        self._cached_selection = lru_cache(maxsize=256)(self._select)
        self._cleaner = nh3.Cleaner(
            tags=_TAGS if images else _TAGS - {"img"},
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            url_schemes={"http", "https"},
            link_rel="noopener",
        )

    def markdown(self, text: str) -> str:
        """Renders Markdown, which may contain HTML. Raises TooDeepError."""
        if not text.strip():
            return ""
        _check_bracket_depth(text)
        for owner, name, processors in self._cached_selection("".join([c for c in _ALL_TRIGGERS if c in text])):
            setattr(owner, name, processors)
        # A RecursionError in an earlier text may have left the parser inside a list.
        self._markdown.parser.state.clear()
        try:
            rendered = self._markdown.reset().convert(text)
        except RecursionError:
            raise TooDeepError from None
        return self.html(rendered)

    def _select(self, characters: str) -> list[tuple[Any, str, list[Any]]]:
        """The Markdown processors that a text with these trigger characters needs: owner, registry name, processors."""
        return [
            (owner, name, [p for p, triggers in processors if not triggers or not set(triggers).isdisjoint(characters)])
            for owner, name, processors in self._processors
        ]

    def html(self, text: str) -> str:
        """Sanitises HTML of unknown origin. Headings become h2 and below, without gaps. Raises TooDeepError."""
        if text.count("<") > _MAX_HTML_DEPTH:
            depth = 0
            for close, name in _TAG.findall(text):
                if name.lower() not in _NOT_NESTING:
                    depth = max(0, depth - 1) if close else depth + 1
                    if depth > _MAX_HTML_DEPTH:
                        raise TooDeepError
        return _outline(self._cleaner.clean(text)).strip()

    def _attribute(self, _tag: str, name: str, value: str) -> str | None:
        if name in ("href", "src", "cite"):
            if _AMBIGUOUS.search(value) or not _REFERENCE.match(value):
                return None
            if value.startswith("/") and not value.startswith(("//", "/\\")):
                return urls.href("/" + value.lstrip("/"), self._root)
            return None if self._blocked and self._blocked(value) else value
        if name in ("width", "height", "colspan", "rowspan", "start"):
            return value if _LENGTH.fullmatch(value) else None
        if name == "dir":
            return value if value in _DIRS else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch(LANGUAGE, value) else None
        return value


def _with_triggers(registry: Any) -> list[tuple[Any, str]]:
    """The processors of a registry in their order, each with its trigger characters; "" if it always runs."""
    triggers = {registry[name]: characters for name, characters in _TRIGGERS.items() if name in registry}
    return [(processor, triggers.get(processor, "")) for processor in registry]


def _check_bracket_depth(text: str) -> None:
    for begin, end in _BRACKETS.items():
        if text.count(begin) <= _MAX_BRACKET_DEPTH:
            continue
        depth = 0
        for token in re.findall(rf"[{re.escape(begin + end)}]|\n[ \t]*\n", text):
            depth = depth + 1 if token == begin else max(0, depth - 1) if token == end else 0
            if depth > _MAX_BRACKET_DEPTH:
                raise TooDeepError


def _outline(text: str) -> str:
    """Renumbers headings to h2 and below, because the page has its own h1. No heading skips a level."""
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
    """The https URL of the first iframe in foreign HTML; "" if there is none or its host is not allowed."""
    if len(text) > 16_384:
        return ""
    match = _SRC.search(_iframes.clean(text))
    src = html.unescape(match[1]).strip() if match else ""
    if src.startswith("//"):
        src = "https:" + src
    try:
        parts = urlsplit(src)
    except ValueError:
        return ""
    allowed = parts.scheme in ("http", "https") and parts.netloc.lower() in hosts and re.fullmatch(r"[!-~]+", src)
    return "https" + src[len(parts.scheme) :] if allowed and not re.search(r"[\"'<>\\]", src) else ""
