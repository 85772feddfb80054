"""Turns Markdown and foreign HTML into safe HTML. Only values from here may be printed unescaped by templates."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable
from functools import cache, cached_property, lru_cache
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias
from unicodedata import category, normalize
from urllib.parse import unquote, urlsplit

import nh3

from newsgen import urls
from newsgen.text import LANGUAGE

if TYPE_CHECKING:
    import markdown

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
# In bodies with more marks `[^`, footnotes stay text: Markdown's search for one takes linear time in their number.
_MAX_FOOTNOTE_MARKS = 2000
# Markdown searches the rest of the body for the end of each tag and code span. The number of unclosed ones times the
# length of the body must stay below this, which takes about two seconds.
_MAX_SEARCHED = 50_000_000
# Markdown takes the inline elements of a paragraph out one by one, and copies the rest of it for each. Their number times
# the length of the paragraph must stay below this, which takes about two seconds.
_MAX_COPIED = 3_000_000_000
_INLINE_MARKS = ("`", "*", "_", "[", "<", "&", "\\", "~", "@", "://", "  \n")
_UNCLOSED_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*(?=<|\Z)")
_BACKTICKS = re.compile(r"(\\?)(`+)")
# Elements that a reader would miss, or that stand for something that a reader would miss.
_DROPPED = re.compile(r"<(iframe|embed|object|video|audio|form|svg|script)\b[^<>]*>?", re.IGNORECASE)
# Elements whose content browsers do not read as HTML, or leave out. One that is not closed takes all that follows with it.
_RAW_TEXT = re.compile(
    r"<(?=(/?)(iframe|noembed|noframes|noscript|plaintext|script|style|template|textarea|title|xmp)\b)", re.IGNORECASE
)
# Tags that other generators run (Liquid, Hugo's shortcodes, Nunjucks, Tera), up to their name. They stay text here.
_FOREIGN_TAG = re.compile(r"(?:\{\{(?:<|&lt;|%)?|\{%)-?[ \t]*(?!end)[A-Za-z][\w./-]+")
_CODE = re.compile(r"<(/?)(?:code|pre)\b", re.IGNORECASE)
_MAX_FOREIGN_TAGS = 50

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt",
    "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "time", "tr", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "hreflang", "id", "name", "title"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "code": {"class"},
    "del": {"datetime"},
    "div": {"class"},
    "h1": {"id"},
    "h2": {"id"},
    "h3": {"id"},
    "h4": {"id"},
    "h5": {"id"},
    "h6": {"id"},
    "img": {"src", "alt", "title", "width", "height"},
    "ins": {"datetime"},
    "li": {"id"},
    "ol": {"start", "reversed"},
    "q": {"cite"},
    "sup": {"id"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# Browsers read a backslash as a slash and drop control characters, so such an address may not lead where it seems to.
_AMBIGUOUS = re.compile(r"[\\\x00-\x1f\x7f]")
# An http(s) URL or a relative reference. The first segment of a relative reference has no colon (RFC 3986, 4.2).
_REFERENCE = re.compile(r"https?://|[^:/?#]*(?:[/?#]|$)", re.IGNORECASE)
# mailto: (RFC 6068) and tel: (RFC 3966). Only the text of a mail may have line breaks: elsewhere they would add fields.
_CONTACT = re.compile(r"(?:mailto|tel):[^\s:]", re.IGNORECASE)
_MAIL_TEXT = re.compile(r"[?&]body=[^&]*", re.IGNORECASE)
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
_CODE_CLASS = re.compile(r"language-[A-Za-z0-9][A-Za-z0-9_+#.-]{0,39}")
_FOOTNOTE = re.compile(r"fn(?:ref[0-9]*)?:.{1,100}", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,5}")
_DIRS = ("ltr", "rtl", "auto")
_ALIGNMENTS = ("left", "center", "right")


_Processors: TypeAlias = tuple[Any, str, list[tuple[Any, tuple[str, ...]]]]
"""A registry of Markdown's processors: its owner, its name, and each processor with its triggers."""


class TooDeepError(ValueError):
    """The text is nested more deeply than any real text, leaves too much unclosed, or has too much in one paragraph.

    Parsing takes quadratic time in all of these cases.
    """

    def __init__(
        self,
        what: str = "is nested too deeply",
        hint: str = "look for brackets, tags and backticks that are not closed",
    ) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


class Markup:
    """Turns the bodies of one site into safe HTML.

    `root` is the path of the site's base URL. Without `images`, pictures are removed. `blocked` tells whether a URL is
    on the blocklist; such a URL is removed from its link or picture.
    """

    def __init__(self, root: str = "/", *, images: bool = True, blocked: Callable[[str], bool] | None = None) -> None:
        self._root = root
        self._blocked = blocked
        self.dropped: list[str] = []
        self._parser = cache(self._make_parser)
        self._cached_selection = lru_cache(maxsize=256)(self._select)
        self._cleaner = nh3.Cleaner(
            tags=_TAGS if images else _TAGS - {"img"},
            attributes=_ATTRIBUTES,
            attribute_filter=self._attribute,
            url_schemes={"http", "https", "mailto", "tel"},
            link_rel="noopener",
        )

    @cached_property
    def _triggers(self) -> tuple[str, ...]:
        from newsgen.content.dialect import TRIGGERS  # imported here because many builds read no Markdown

        return tuple(sorted({trigger for triggers in TRIGGERS.values() for trigger in triggers}))

    def _make_parser(self, late: bool) -> tuple[markdown.Markdown, list[_Processors]]:
        """A Markdown parser, with or without the processors that are imported late, and all its processors."""
        from newsgen.content import dialect

        parser = dialect.parser(late=late, check=_check_marks)
        registries = (
            (parser, "preprocessors"),
            (parser.parser, "blockprocessors"),
            (parser.treeprocessors["inline"], "inlinePatterns"),
        )
        return parser, [(owner, name, _with_triggers(getattr(owner, name))) for owner, name in registries]

    def _select(self, found: tuple[str, ...]) -> tuple[markdown.Markdown, list[tuple[Any, str, list[Any]]]]:
        """The Markdown parser and its processors that a text with these triggers needs: owner, registry name, processors."""
        from newsgen.content.dialect import LATE, TRIGGERS

        parser, registries = self._parser(late=any(trigger in found for name in LATE for trigger in TRIGGERS[name]))
        return parser, [
            (owner, name, [p for p, triggers in processors if not triggers or not set(triggers).isdisjoint(found)])
            for owner, name, processors in registries
        ]

    def markdown(self, text: str) -> str:
        """Renders Markdown, which may contain HTML. Raises TooDeepError."""
        if not text.strip():
            return ""
        _check_bracket_depth(text)
        _check_unclosed(text)
        triggers = tuple([t for t in self._triggers if t in text])
        if text.count("[^") > _MAX_FOOTNOTE_MARKS:
            triggers = tuple([t for t in triggers if t != "[^"])
        parser, selected = self._cached_selection(triggers)
        for owner, name, processors in selected:
            setattr(owner, name, processors)
        # A RecursionError in an earlier text may have left the parser inside a list.
        parser.parser.state.clear()
        try:
            rendered = parser.reset().convert(text)
        except RecursionError:
            raise TooDeepError from None
        return self.html(rendered)

    def html(self, text: str) -> str:
        """Sanitises HTML of unknown origin. Headings become h2 and below, without gaps, and get ids.

        Raises TooDeepError.
        """
        if text.count("<") > _MAX_HTML_DEPTH:
            depth = 0
            for close, name in _TAG.findall(text):
                if name.lower() not in _NOT_NESTING:
                    depth = max(0, depth - 1) if close else depth + 1
                    if depth > _MAX_HTML_DEPTH:
                        raise TooDeepError
        if _RAW_TEXT.search(text):
            text = _with_unclosed(text)
        self.dropped = [match[0] for match in _DROPPED.finditer(text)]
        if "{{" in text or "{%" in text:
            found = dict.fromkeys(_FOREIGN_TAG.findall(_outside_code(text)))
            self.dropped += map(html.unescape, islice(found, _MAX_FOREIGN_TAGS))
        return _finish(self._cleaner.clean(text)).strip()

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if name == "href" and _CONTACT.match(value):
            hidden = _AMBIGUOUS.search(value) or _ENCODED_CONTROL.search(_MAIL_TEXT.sub("", value))
            return None if hidden else value
        if name in ("href", "src", "cite"):
            if _AMBIGUOUS.search(value) or not _REFERENCE.match(value):
                return None
            if value.startswith("/") and not value.startswith(("//", "/\\")):
                return urls.href("/" + value.lstrip("/"), self._root)
            if value.startswith("#") and _FOOTNOTE.fullmatch(value, 1):
                return "#" + _footnote(value[1:])
            if self._blocked and self._blocked(value):
                return None
            return value.strip().replace(" ", "%20") if " " in value and "://" in value else value
        if name in ("width", "height", "colspan", "rowspan", "start"):
            return value if _LENGTH.fullmatch(value) else None
        if name == "id":
            # The ids of headings and places are only wishes: see _headings and _place.
            return value if tag[0] in "ah" else _footnote(value) if _FOOTNOTE.fullmatch(value) else None
        if name == "class":
            if tag == "div":
                return value if value == "footnote" else None
            return next(filter(_CODE_CLASS.fullmatch, value.split()), None)
        if name == "align":
            return value if value in _ALIGNMENTS else None
        if name == "dir":
            return value if value in _DIRS else None
        if name in ("lang", "hreflang"):
            return value if re.fullmatch(LANGUAGE, value) else None
        return value


def _with_triggers(registry: Any) -> list[tuple[Any, tuple[str, ...]]]:
    """The processors of a registry in their order, each with its triggers; without any, it always runs."""
    from newsgen.content.dialect import TRIGGERS

    triggers = {registry[name]: texts for name, texts in TRIGGERS.items() if name in registry}
    return [(processor, triggers.get(processor, ())) for processor in registry]


def _check_bracket_depth(text: str) -> None:
    for begin, end in _BRACKETS.items():
        if text.count(begin) <= _MAX_BRACKET_DEPTH:
            continue
        depth = 0
        for token in re.findall(rf"[{re.escape(begin + end)}]|\n[ \t]*\n", text):
            depth = depth + 1 if token == begin else max(0, depth - 1) if token == end else 0
            if depth > _MAX_BRACKET_DEPTH:
                raise TooDeepError


def _check_unclosed(text: str) -> None:
    most = _MAX_SEARCHED // len(text)
    if text.count("<") > most and len(_UNCLOSED_TAG.findall(text)) > most:
        raise TooDeepError
    if text.count("`") > most:
        runs = _BACKTICKS.findall(text)
        lengths = Counter(len(marks) for _, marks in runs)
        if sum(count % 2 for count in lengths.values()) + sum(bool(escape) for escape, _ in runs) > most:
            raise TooDeepError


def _check_marks(text: str) -> None:
    if len(text) ** 2 > _MAX_COPIED and sum(map(text.count, _INLINE_MARKS)) * len(text) > _MAX_COPIED:
        raise TooDeepError(
            f"has a paragraph of {len(text):,} letters with too many marks", "divide it with blank lines"
        )


def _with_unclosed(text: str) -> str:
    """The HTML with the tags of `_RAW_TEXT` that are not closed as words, as on GitHub: people write “the <title> tag”."""
    closed = {tag[2].lower(): tag.start() for tag in _RAW_TEXT.finditer(text) if tag[1]}
    closed.pop("plaintext", None)  # nothing closes it

    def written(tag: re.Match[str]) -> str:
        return "<" if tag[1] or closed.get(tag[2].lower(), -1) > tag.start() else "&lt;"

    return _RAW_TEXT.sub(written, text)


# The functions below take sanitised HTML. It is well-formed, and its attributes are in double quotes.

_MARKUP = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')
_HEADING = re.compile(r"<(/?)h([1-6])( [^<>]*)?>")
# Title {#id .class}, Title {: #id}, Title {id="id"}
_HEADING_ATTRIBUTES = re.compile(r"\{(?::|(?=[.#]|(?:id|class)=))([^{}<>]*)\}\Z")
_WISH = re.compile(r"""(?:#|\bid=)(?:&quot;|["'])?([^\s.#"'&]+)""")
_ID = re.compile(r' id="([^"]*)"')
_FOOTNOTE_ID = re.compile(r' id="(h-fn[^"]*:[^"]*)"')
_LINK = re.compile(r'<a((?: [a-z]+="[^"]*")+)>')
_PLACE = re.compile(r' (?:id|name)="([^"]*)"')
_FRAGMENT = re.compile(r'href="#([^"]+)"')
_TASK = re.compile(r"<li>(?=\s*(?:<p>\s*)?[☐☑] )")
_PREFIX = "h-"
"""The beginning of every id in a body. No id in a template begins like this."""


def _outside_code(text: str) -> str:
    """The text outside of `code` and `pre` elements. One that is not closed lasts to the end."""
    out, start, depth = [], 0, 0
    for tag in _CODE.finditer(text):
        if not tag[1]:
            if not depth:
                out.append(text[start : tag.start()])
            depth += 1
        elif depth:
            depth -= 1
            start = tag.start()
    return "".join(out) + ("" if depth else text[start:])


def _finish(text: str) -> str:
    """Gives headings their level and ids, makes footnotes' ids unique, and lets links lead to ids in the same body."""
    ids: set[str] = set()
    if "<h" in text:
        text = _headings(text, ids)
    if "<a " in text and (' id="' in text or ' name="' in text):
        text = _LINK.sub(lambda link: _place(link, ids), text)
    if ' id="h-fn' in text:
        text = _FOOTNOTE_ID.sub(lambda match: _once(match, ids), text)
    if ids and 'href="#' in text:
        by_letters = {_letters(id.removeprefix(_PREFIX)): id for id in sorted(ids, reverse=True)}
        text = _FRAGMENT.sub(lambda link: _fragment(link, ids, by_letters), text)
    if "☐" in text or "☑" in text:
        text = _TASK.sub('<li class="task">', text)
    return text.replace("<p></p>\n", "").replace("<p></p>", "")


def _headings(text: str, ids: set[str]) -> str:
    """Renumbers headings to h2 and below, because the page has its own h1; none skips a level. Adds ids to `ids`.

    An id is made from the heading's text as GitHub makes it, or from the id that its author wrote.
    """
    pieces, at = [], 0
    path: list[int] = []
    counts: dict[str, int] = {}
    tags = list(_HEADING.finditer(text))
    for tag, following in zip_longest(tags, tags[1:]):
        if not tag[1]:
            while path and path[-1] >= int(tag[2]):
                path.pop()
            path.append(int(tag[2]))
        level = min(1 + len(path), 6)
        pieces.append(text[at : tag.start()])
        at = tag.end()
        if tag[1]:
            pieces.append(f"</h{level}>")
            continue
        end = following.start() if following else len(text)
        words, given = text[at:end], _ID.search(tag[3] or "")
        wish = html.unescape(given[1]) if given else ""
        stripped = words.rstrip()
        if attributes := _HEADING_ATTRIBUTES.match(stripped, max(stripped.rfind("{"), 0)):
            words = stripped[: attributes.start()].rstrip()
            wish = wish or "".join(_WISH.findall(attributes[1])[:1])
        name = _PREFIX + (_anchor(wish) or _anchor(html.unescape(_MARKUP.sub("", words))))
        id = name
        while id in ids:
            counts[name] = counts.get(name, 0) + 1
            id = f"{name}-{counts[name]}"
        if name != _PREFIX:
            ids.add(id)
            pieces.append(f'<h{level} id="{id}"{_ID.sub("", tag[3] or "")}>{words}')
        else:
            pieces.append(f"<h{level}{tag[3] or ''}>{words}")
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def _anchor(words: str) -> str:
    """The id that GitHub makes of a heading: lower case, letters, digits, hyphens and underscores, hyphens for spaces."""
    words = normalize("NFC", words.strip().lower()[:200])
    return "".join([c for c in words if c in "-_ " or category(c)[0] in "LMN"]).replace(" ", "-")


def _footnote(id: str) -> str:
    return _PREFIX + re.sub(r"[\s\"<>&]", "-", id)


def _place(link: re.Match[str], ids: set[str]) -> str:
    """An `a` element that may be a place to link to, as in `<a name="routes"></a>`. Adds its id to `ids`."""
    names = _PLACE.findall(link[1])
    if not names:
        return link[0]
    rest = _PLACE.sub("", link[1])
    id = _PREFIX + _anchor(html.unescape(names[0]))
    if id == _PREFIX or id in ids:
        return f"<a{rest}>"
    ids.add(id)
    return f'<a id="{id}"{rest}>'


def _once(id: re.Match[str], ids: set[str]) -> str:
    """An id, or nothing if it is in `ids` already."""
    if id[1] in ids:
        return ""
    ids.add(id[1])
    return id[0]


def _letters(id: str) -> str:
    """The letters and digits of an id. Generators differ in the rest: `what-s-new`, `whats-new` and `What's_new`."""
    words = normalize("NFKD", id.lower())
    return "".join([c for c in words if category(c)[0] in "LN"])


def _fragment(link: re.Match[str], ids: set[str], by_letters: dict[str, str]) -> str:
    """A link to an id in the same body with our prefix; any other as it is."""
    written = unquote(html.unescape(link[1]))
    for id in (_PREFIX + written, _PREFIX + _anchor(written)):
        if id in ids:
            return f'href="#{html.escape(id)}"'
    similar = by_letters.get(_letters(written) or " ")
    return f'href="#{html.escape(similar)}"' if similar else link[0]


# Blocks; those whose text is never a paragraph; and those whose paragraphs count only if there is no other.
_BLOCK = re.compile(r"<(/?)(p|h[1-6]|pre|table|figure|hr|div|blockquote|ul|ol|dl|li|dd|dt)\b([^<>]*)>")
_NO_TEXT = frozenset(["h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "figure"])
_INNER = frozenset(["blockquote", "ul", "ol", "dl"])
_NOTE_MARK = re.compile(r'<sup id="[^"]*">.*?</sup>')


def first_paragraph(text: str) -> str:
    """The words of the first paragraph of sanitised HTML; "" if it has no text.

    Without a paragraph they are those of the first other block, such as a quote or a list item. Headings, code, tables,
    pictures and footnotes are never a paragraph.
    """
    other = ""
    skipped = inner = 0
    at, block = 0, ""
    for tag in _BLOCK.finditer(text):
        close, name = tag[1] == "/", tag[2]
        if not skipped and (not other or (block == "p" and not inner)):
            words = _words(text[at : tag.start()])
            if words and block == "p" and not inner:
                return words
            other = other or words
        at, block = tag.end(), "" if close else name
        if name in _NO_TEXT:
            skipped += -1 if close else 1
        elif name in _INNER:
            inner += -1 if close else 1
        elif name == "div" and tag[3] == ' class="footnote"':
            break
    else:
        other = other or ("" if skipped else _words(text[at:]))
    return other


def _words(text: str) -> str:
    text = _MARKUP.sub("", _NOTE_MARK.sub("", text).replace("<br>", " "))
    return " ".join(html.unescape(text).split())


_iframes = nh3.Cleaner(tags={"iframe"}, attributes={"iframe": {"src"}}, url_schemes={"http", "https"}, link_rel=None)
_SRC = re.compile(r'<iframe src="([^"]*)"')


MAX_PLAYER = 16_384
"""Maximum length of a player's HTML, in characters."""


def player(text: str, hosts: tuple[str, ...]) -> str:
    """The https URL of the first iframe in foreign HTML; "" if there is none or its host is not allowed."""
    if len(text) > MAX_PLAYER:
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
