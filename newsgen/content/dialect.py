"""The Markdown that bodies are written in: what GitHub and Hugo read, on Python-Markdown.

Its own extensions and those of pymdown-extensions do the inline parts, tables, footnotes and headings. `Containers`
translates nested blocks: Python-Markdown wants four spaces a level, a blank line before every list, and fences at the
margin.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate, chain
from typing import NamedTuple
from xml.etree.ElementTree import Element

import markdown
from markdown.extensions import Extension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.extensions.sane_lists import SaneListExtension
from markdown.extensions.tables import TableExtension
from markdown.inlinepatterns import (
    IMAGE_LINK_RE,
    LINK_RE,
    HtmlInlineProcessor,
    ImageInlineProcessor,
    InlineProcessor,
    LinkInlineProcessor,
    SubstituteTagInlineProcessor,
)
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString
from pymdownx.saneheaders import SaneHeadersExtension

from newsgen.text import PICTURES

# The texts that trigger each processor. A processor is skipped if a body has none of them: most bodies have few, and
# each processor costs time.
TRIGGERS: dict[str, tuple[str, ...]] = {
    "html_block": ("<", "&"),
    "table": ("|",),
    "hashheader": ("#",),
    "setextheader": ("=", "-"),
    "hr": ("-", "_", "*"),
    "quote": (">", "::", "!!!", "???"),
    "ulist": ("*", "+", "-"),
    "footnote": ("[^",),
    "backtick": ("`",),
    "attributes": ("{:",),
    "attributes_behind": ("){", "`{"),
    "escape": ("\\",),
    "line_end": ("\\\n",),
    "comment": ("%%",),
    "mdx_comment": ("{/*",),
    "wiki_link": ("[[",),
    "reference": ("[",),
    "link": ("[",),
    "image_link": ("[",),
    "image_reference": ("[",),
    "short_reference": ("[",),
    "short_image_ref": ("[",),
    "autolink": ("<",),
    "automail": ("<",),
    "linked": ("<a", "<A"),
    "html": ("<",),
    "magic-link": ("://", "w.", "W."),
    "magic-mail": ("@",),
    "entity": ("&",),
    "delimiter": ("~",),
    "not_strong": ("*", "_"),
    "em_strong": ("*", "_"),
    "em_strong2": ("*", "_"),
}


LATE = ("magic-link", "magic-mail", "delimiter")
"""The processors whose modules take as long to import as all others together: they import Python's HTTP client."""


def parser(*, late: bool, check: Callable[[str], None]) -> markdown.Markdown:
    """A new Markdown parser. Without `late`, it lacks the processors in `LATE`.

    `check` is called with each text in which inline elements will be looked for, and may raise.
    """
    extensions: list[Extension | str] = [
        # Given names, Markdown would search the entry points of every installed package.
        TableExtension(use_align_attribute=True),
        SaneListExtension(),
        FootnoteExtension(USE_DEFINITION_ORDER=False),
        SaneHeadersExtension(),
        _Containers(check),
    ]
    if late:
        from pymdownx.magiclink import MagiclinkExtension
        from pymdownx.tilde import DeleteSubExtension

        extensions += [DeleteSubExtension(subscript=False), MagiclinkExtension()]
    return markdown.Markdown(extensions=extensions, output_format="html")


class _Containers(Extension):
    """Registers what this module adds."""

    def __init__(self, check: Callable[[str], None]) -> None:
        super().__init__()
        self._check = check

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802 (Markdown's name)
        md.preprocessors.register(Containers(md), "containers", 25)
        md.treeprocessors.register(_Checked(self._check, md), "checked", 25)  # before "inline"
        md.inlinePatterns.register(_Attributes(_SPAN_ATTRIBUTES), "attributes", 185)
        # After the escapes: of two backslashes, the second ends no line.
        md.inlinePatterns.register(SubstituteTagInlineProcessor(_LINE_END, "br"), "line_end", 179.5)
        # After the escapes: in tables the bar of a wiki link is written \|.
        md.inlinePatterns.register(_Dropped(_COMMENT), "comment", 179)
        md.inlinePatterns.register(_Dropped(_MDX_COMMENT), "mdx_comment", 185.5)
        md.inlinePatterns.register(_WikiLinks(_WIKI_LINK, md), "wiki_link", 178)
        md.inlinePatterns.register(_Attributes(_ATTRIBUTES_BEHIND), "attributes_behind", 145)
        # In place of those of Markdown with these names.
        md.inlinePatterns.register(_Link(LINK_RE, md), "link", 160)
        md.inlinePatterns.register(_Picture(IMAGE_LINK_RE, md), "image_link", 150)
        md.inlinePatterns.register(HtmlInlineProcessor(_LINKED, md), "linked", 95)


class _Checked(Treeprocessor):
    """Calls a function, which may raise, with each text in which inline elements will be looked for."""

    def __init__(self, check: Callable[[str], None], md: markdown.Markdown) -> None:
        super().__init__(md)
        self._check = check

    def run(self, root: Element) -> None:
        for text in chain.from_iterable((element.text, element.tail) for element in root.iter()):
            if text and not isinstance(text, AtomicString):
                self._check(text)


# An address that another generator's tag stands for: [Fares]({{< ref "fares.md" >}})
_TAG_ADDRESS = re.compile(r"\(\s*(\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\})([^\s()]*)(?:\s+\"([^\"\n]*)\")?\s*\)")


class _Link(LinkInlineProcessor):
    """Links whose titles end where they are closed. Markdown takes all up to the last quotation mark before a bracket."""

    def getLink(self, data: str, index: int) -> tuple[str, str | None, int, bool]:  # noqa: N802
        if tag := _TAG_ADDRESS.match(data, index):
            return tag[1] + tag[2], tag[3], tag.end(), True
        href, title, end, handled = super().getLink(data, index)
        if title and ")" in title and data[end - 1 : end] == ")" and data[: end - 1].rstrip()[-1:] in title:
            return "", None, index, False
        return href, title, end, handled


class _Picture(_Link, ImageInlineProcessor):
    """Pictures, likewise."""


# A link in HTML whose text is an address: that address is linked already.
_LINKED = r"(<a\s[^<>]*>(?=[^<>]*(?:://|www\.|@))[^<>]*</a\s*>)"
# A backslash breaks the line (CommonMark, 6.7).
_LINE_END = r"\\\n *"
# kramdown's attribute lists (https://kramdown.gettalong.org/syntax.html#attribute-list-definitions): {: .lead #id k="v"}
_SPAN_ATTRIBUTES = r"""\{:(?:\s*+(?:[.#][\w:-]++|[\w:-]++=(?:"[^"\n]*+"|'[^'\n]*+'|[^\s{}"']++)))++\s*+\}"""
# Behind a link, a picture or code, also without the colon (Pandoc, Quarto, Nuxt, markdown-it-attrs).
_ATTRIBUTES_BEHIND = (
    rf"""(?<={ETX})\{{(?:\s*+(?:[.#][^\s{{}}]++|[\w:-]++=(?:"[^"\n]*+"|'[^'\n]*+'|[^\s{{}}"']++)))++\s*+\}}"""
)
# On a line of their own, also as Hugo writes them: {.lead #id}
_LINE_ATTRIBUTES = re.compile(r"\{(?::[^{}]*|[.#][A-Za-z][\w-]*(?: [^{}]*)?)\}\s*")


class _Dropped(InlineProcessor):
    """Drops what its pattern matches."""

    def handleMatch(self, m: re.Match[str], data: str) -> tuple[Element | str, int, int]:  # type: ignore[override]  # noqa: ARG002, N802
        return "", m.start(0), m.end(0)


class _Attributes(_Dropped):
    """Drops attribute lists: none of their attributes is allowed. `markup` reads those of headings, for the id."""

    ANCESTOR_EXCLUDES = ("h1", "h2", "h3", "h4", "h5", "h6")


# Obsidian's comments (https://help.obsidian.md/syntax): %% not for readers %%. "100%% of %%i and %%j" has none.
_COMMENT = r"(?<![0-9%\\])%%(?!%)(?:[^%]|%(?!%))*+%%(?![A-Za-z0-9_%])"
# Those of MDX, which Docusaurus and React's documentation have in Markdown too: ## Title {/*id*/}
_MDX_COMMENT = r"\{/\*(?:[^*{]|\*(?!/)|\{(?!/\*))*+\*/\}"
# The first line of a comment of several lines.
_LONG_COMMENT = re.compile(r"%%(?!%)(?!.*%%)")
# Wiki links (https://help.obsidian.md/links): [[folder/Page#Heading|label]]. If ( or [ follows, it is a link's text.
_WIKI_LINK = r"\[\[([^\s\[\]^][^\[\]\n]*+)\]\](?!\(|\[(?!\[))"
_ESCAPED_BAR = f"{STX}{ord('|')}{ETX}"
_PICTURE_SIZE = re.compile(r"(?:\A|\|)[0-9]{1,5}(?:x[0-9]{1,5})?\Z")


class _WikiLinks(InlineProcessor):
    """Turns wiki links into their labels, and embeds such as `![[photo.jpg]]` into pictures."""

    def handleMatch(  # type: ignore[override]  # noqa: N802
        self, m: re.Match[str], data: str
    ) -> tuple[Element | str | None, int | None, int | None]:
        words = self.unescape(m[1]).replace(_ESCAPED_BAR, "|")
        target, _, label = words.partition("|")
        page, _, heading = target.partition("#")
        page, label = page.strip(), label.strip()
        if words.lower() in self.md.references or "://" in page:
            return None, None, None
        start = m.start(0) - (data[m.start(0) - 1 : m.start(0)] == "!")
        if start < m.start(0) and page.lower().endswith(PICTURES):
            return Element("img", src=page, alt=_PICTURE_SIZE.sub("", label)), start, m.end(0)
        name = page.rpartition("/")[2].removesuffix(".md") or heading.strip()
        return (label or name, start, m.end(0)) if label or name else (None, None, None)


_ANY_CONTAINER = re.compile(
    r"^[ >]*(?:[-*+] |[0-9]{1,9}[.)] |```|~~~|\{[:.#]|\[!|::|!!!|\?\?\?|%%|</?[A-Za-z])", re.MULTILINE
)
_MARKER = re.compile(r"([-*+]|([0-9]{1,9})[.)])( +)(\S.*)")
_RULE = re.compile(r"([-*_]) *(?:\1 *){2,}")
_HEADING = re.compile(r"#{1,6} ")
_FENCE = re.compile(r"(`{3,}(?!.*`)|~{3,}) *(.*)")
_LANGUAGE = re.compile(r"\{? *\.?([A-Za-z0-9][A-Za-z0-9_+#.-]{0,39})(?![^\s}])")
_RAW = re.compile(r"<(?:(!--)|(pre|script|style|textarea)\b)", re.IGNORECASE)
# Elements that hold blocks and have to be closed.
_HOLDERS = (
    "address|article|aside|blockquote|center|details|dialog|div|dl|fieldset|figcaption|figure|footer|form|header|main|menu|nav|ol"
    "|section|summary|table|ul"
)
_HOLDER_START = re.compile(rf"</?(?:{_HOLDERS})(?![\w-])", re.IGNORECASE)
_HOLDER = re.compile(rf"<(/?)(?:{_HOLDERS})(?![\w-])|<(/?)(?:pre|script|style|textarea)\b", re.IGNORECASE)
# kramdown: what follows in the element is Markdown.
_HOLDS_MARKDOWN = re.compile(r"\smarkdown\s*=\s*[\"']?(?:1|block)\b", re.IGNORECASE)
_TASK = re.compile(r"\A\[([ xX])\] +(?=\S)")
# Boxes. Of GitHub and Obsidian: a quote whose first line is [!note]- Title. Of Docusaurus, VitePress and Starlight:
# from :::note[Title] or ::: note Title to :::. Of Nuxt: from ::note or ::note{icon="x"} to ::, with :: around :::. Of
# MkDocs: !!! note "Title", and indented lines below.
_ALERT = re.compile(r"\[!([A-Za-z][\w-]*)\][+-]?(?: +(.*))?")
_BOX = re.compile(r"(:{2,}) *([A-Za-z][\w-]*)(.*)")
_BOX_END = re.compile(r" {0,3}(:{2,}) *")
_ADMONITION = re.compile(r"(?:!!!|\?\?\?\+?) +([A-Za-z][\w-]*)(.*)")
_CLASSES = re.compile(r"[\w -]*")
_MAX_QUOTES = 20
"""Quotes nested deeper than this are left as they are."""


class _Item(NamedTuple):
    """An open list item. Lines indented by `indent` or more belong to it."""

    indent: int
    ordered: bool


class Containers(Preprocessor):
    """Translates lists, tasks, fenced code and quotes from CommonMark (https://spec.commonmark.org, 4.5, 5.1 to 5.3).

    Translates boxes, too, and drops comments of several lines.
    """

    def run(self, lines: list[str]) -> list[str]:
        if not _ANY_CONTAINER.search("\n".join(lines)):
            return lines
        return [*_translate(lines, self.md.htmlStash.store), "", ""]


def _translate(lines: list[str], stash: Callable[[str], str], quotes: int = 0) -> Iterator[str]:
    """The lines as Python-Markdown reads them. `stash` takes finished HTML and returns a placeholder."""
    items: list[_Item] = []
    # Whether the previous line was blank, and whether it was text that the next line may continue.
    blank, text = True, False
    # The depth of the item with which the lines since the last blank one begin; None if they begin with something else.
    # Then an item begins a new block, and so does one that is less deep or of the other kind of list.
    first: int | None = None
    at = 0
    boxes = _Boxes(lines)
    # How many elements of HTML are open around this line.
    holders = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        rest = line.lstrip(" ")
        if not rest:
            yield ""
            blank, text = True, False
            continue
        indent = len(line) - len(rest)
        depth = len(items)
        while depth and indent < items[depth - 1].indent:
            depth -= 1
        base = items[depth - 1].indent if depth else 0
        margin = " " * (4 * depth)
        if holders and rest[0] == "<" and indent - base >= 4:  # HTML, not code
            line, indent = line[:base] + rest, base
        in_code = indent - base >= 4
        rule = not in_code and _RULE.fullmatch(rest)
        marker = None if in_code or rule else _MARKER.fullmatch(rest)
        if marker and text and depth == len(items) and marker[2] not in (None, "1"):
            marker = None  # only a list that starts with 1 may interrupt a paragraph
        if marker:
            before = items[depth] if depth < len(items) else None
            del items[depth:]
            ordered = marker[2] is not None
            if not blank and (first is None or first > depth or (before and before.ordered != ordered)):
                yield ""
                blank = True
            if blank:
                first = depth
            width = len(marker[1]) + (len(marker[3]) if len(marker[3]) < 5 else 1)
            items.append(_Item(indent + width, ordered))
            words = _TASK.sub(lambda task: "☐ " if task[1] == " " else "☑ ", marker[4], count=1)
            fence = _FENCE.fullmatch(words)
            if fence:
                code, at = _code(lines, at, fence, indent + width, indent + width)
                words = stash(code)
            yield f"{margin}{int(marker[2])}. {words}" if ordered else f"{margin}{marker[1]} {words}"
            blank, text = False, not fence
            continue
        if not in_code and rest.startswith(("{:", "{.", "{#")) and _LINE_ATTRIBUTES.fullmatch(rest):
            continue
        if not in_code and rest[0] == "%" and (after := _after_comment(lines, at - 1)):
            at = after
            continue
        fence = None if in_code else _FENCE.fullmatch(rest)
        box = None if in_code or rest[0] not in ":!?" or quotes >= _MAX_QUOTES else boxes.at(at - 1, indent)
        quote = not in_code and (rest[0] == ">" or box is not None)
        holder = not in_code and rest[0] == "<" and _HOLDER_START.match(rest)
        begins = fence or quote or rule or holder or (not in_code and _HEADING.match(rest))
        if depth < len(items):
            if text and not begins:
                yield " " * (4 * len(items)) + rest  # a lazy line, CommonMark 5.1
                continue
            del items[depth:]
            if not blank:
                yield ""
                blank = True
        if begins and not blank and (depth or fence):
            yield ""
            blank = True
        if blank:
            first = None
        if fence:
            code, at = _code(lines, at, fence, indent, base)
            yield margin + stash(code)
            yield ""
            blank, text = True, False
            continue
        if quote and quotes < _MAX_QUOTES:
            if box:
                kind, title, inner, at = box
            else:
                inner = [rest]
                while at < len(lines) and (more := lines[at].lstrip(" "))[:1] == ">":
                    if not base <= len(lines[at]) - len(more) < base + 4:
                        break
                    inner.append(more)
                    at += 1
                inner = [row[2:] if row[1:2] == " " else row[1:] for row in inner]
                alert = _ALERT.fullmatch(inner[0].strip())
                kind, title = alert.groups("") if alert else ("", "")
                inner = inner[1:] if alert else inner
            if kind:
                words = html.escape(title.strip() or kind.replace("-", " ").capitalize())
                inner = [stash(f"<p><strong>{words}</strong></p>"), "", *inner]
            inner = list(_translate(inner, stash, quotes + 1))
            yield from [f"{margin}> {row}" for row in inner]
            if box or not inner[-1]:
                yield ""
                blank, text = True, False
                continue
        elif holder:
            html_end, opened = _html_end(lines, at - 1, base)
            html_lines = [rest, *(line[base:] for line in lines[at:html_end])]
            at = html_end
            if opened == 0 and not html_lines[-1].rstrip().endswith(">"):
                yield from (margin + line for line in html_lines)  # Markdown follows on the same line
                blank, text = False, False
                continue
            holders = max(holders + opened, 0)
            if not blank:
                yield ""
            yield margin + stash("\n".join(html_lines))
            yield ""
            blank, text = True, False
            continue
        elif not in_code and (raw := _RAW.match(rest)):
            end = "-->" if raw[1] else f"</{raw[2].lower()}"
            yield margin + line[base:]
            while end not in line.lower() and at < len(lines):
                line = lines[at]
                yield line
                at += 1
        else:
            yield margin + line[base:]
        blank, text = False, not begins or bool(quote)


def _html_end(lines: list[str], start: int, base: int) -> tuple[int, int]:
    """Where the HTML that begins on this line ends, and how many elements it leaves open: -1 if it closes one.

    It ends when all are closed, or with a blank line (CommonMark, 4.6): what follows there is Markdown. A blank line in
    `pre` is none. `base` is the indentation of the list item that it is in.
    """
    opened = raw = 0
    for at in range(start, len(lines)):
        line = lines[at]
        if (not line.strip() and raw <= 0) or line[:base].strip():
            return at, opened
        for tag in _HOLDER.finditer(line):
            if tag[1] is not None:
                opened += -1 if tag[1] else 1
            else:
                raw += -1 if tag[2] else 1
        if (opened <= 0 and raw <= 0) or (
            at == start and _HOLDS_MARKDOWN.search(line) and line.find(">") == len(line.rstrip()) - 1
        ):
            return at + 1, opened
    return len(lines), opened


class _Box(NamedTuple):
    """A box: its kind, such as `note`, its title or "", the lines in it, and the number of the line after it."""

    kind: str
    title: str
    lines: list[str]
    end: int


class _Boxes:
    """Finds boxes among lines. Knows at once if a box has no end, because a body may have many openers without one."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    @cached_property
    def _longest_ends(self) -> list[int]:
        """The number of colons of the longest end at or below each line."""
        found = [len(end[1]) if (end := _BOX_END.fullmatch(line)) else 0 for line in self._lines]
        return list(accumulate(reversed(found), max))[::-1]

    @cached_property
    def _last_short_end(self) -> int:
        """The last line that ends a box of Nuxt; -1 if there is none."""
        ends = [at for at, line in enumerate(self._lines) if (end := _BOX_END.fullmatch(line)) and end[1] == "::"]
        return max(ends, default=-1)

    def at(self, start: int, indent: int) -> _Box | None:
        """The box that begins on line `start`, which is indented by `indent`; None if there is none."""
        lines = self._lines
        rest = lines[start][indent:]
        end = start + 1
        if box := _BOX.fullmatch(rest):
            title = _box_title(box[3])
            if title is None or end == len(lines) or self._longest_ends[end] < len(box[1]):
                return None
            is_short = len(box[1]) == 2
            if is_short and end > self._last_short_end:
                return None
            while not (found := _BOX_END.fullmatch(lines[end])) or (
                len(found[1]) != 2 if is_short else len(found[1]) < len(box[1])
            ):
                end += 1
            inner = [line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines[start + 1 : end]]
            inner = _without_blank_end(_without_settings(inner) if is_short else inner)
            return _Box(box[2], title, inner, end + 1) if inner or not is_short else None
        if box := _ADMONITION.fullmatch(rest):
            title = _admonition_title(box[2])
            if title is None:
                return None
            margin = " " * (indent + 4)
            while end < len(lines) and (lines[end].startswith(margin) or not lines[end].strip()):
                end += 1
            inner = _without_blank_end([line[indent + 4 :] for line in lines[start + 1 : end]])
            return _Box(box[1], title, inner, end) if inner else None
        return None


def _box_title(rest: str) -> str | None:
    """The title in `rest`, which follows the kind of a box that ends with colons; None if `rest` cannot follow it."""
    words = rest.rstrip()
    if words.endswith("}"):
        words = words[: max(words.rfind("{"), 0)].rstrip()
    if words.startswith("[") and words.endswith("]"):
        return words[1:-1]
    return words.strip() if words[:1] in ("", " ") and "{" not in words and "}" not in words else None


def _admonition_title(rest: str) -> str | None:
    """The title in `rest`, which follows the kind of an indented box; None if `rest` cannot follow it."""
    words = rest.strip()
    classes, _, title = words[:-1].partition('"') if words.endswith('"') else (words, "", "")
    return title if rest[:1] in ("", " ") and _CLASSES.fullmatch(classes) else None


def _after_comment(lines: list[str], start: int) -> int:
    """The number of the line after the comment of several lines that begins on this line; 0 if there is none."""
    if not _LONG_COMMENT.match(lines[start].lstrip(" ")):
        return 0
    end = next((at for at in range(start + 1, len(lines)) if "%%" in lines[at]), 0)
    last = lines[end].rstrip()
    return end + 1 if end and last.endswith("%%") and not last.endswith("%%%") else 0


def _without_settings(lines: list[str]) -> list[str]:
    """The lines of a box of Nuxt without the YAML between --- that it may begin with."""
    if lines and lines[0].strip() == "---":
        end = next((at for at, line in enumerate(lines) if at and line.strip() == "---"), 0)
        return lines[end + 1 :] if end else lines
    return lines


def _without_blank_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _code(lines: list[str], at: int, fence: re.Match[str], indent: int, base: int) -> tuple[str, int]:
    """The HTML of fenced code whose content begins at line `at`, and the number of the line after it.

    `indent` is the fence's, `base` that of the list item it is in. Code that is not closed ends with its item.
    """
    closing = re.compile(rf"{re.escape(fence[1])}{fence[1][0]}* *")
    code = []
    while at < len(lines):
        line = lines[at]
        rest = line.lstrip(" ")
        own = len(line) - len(rest)
        if rest and own < base:
            break
        at += 1
        if own < base + 4 and closing.fullmatch(rest):
            break
        code.append(line[min(own, indent) :] + "\n")
    else:
        while code and code[-1].isspace():
            code.pop()
    language = _LANGUAGE.match(fence[2])
    name = f' class="language-{language[1]}"' if language else ""
    return f"<pre><code{name}>{html.escape(''.join(code))}</code></pre>", at
