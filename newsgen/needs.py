"""Finds what in HTML and CSS a content security policy forbids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

from newsgen.errors import Problem
from newsgen.policies import Policy


class Forbidden(NamedTuple):
    """Something that the policy forbids: the line, what it is and what to do."""

    line: int
    what: str
    hint: str

    def problem(self, path: str) -> Problem:
        """A warning about it in a file."""
        return Problem(path=path, line=self.line, what=self.what, hint=self.hint, scope="value")


def inline(text: str) -> tuple[Iterable[str], Iterable[str]]:
    """The texts of the inline scripts and of the inline styles in HTML, as a policy hashes them."""
    found = _scan(text)
    return found.scripts, found.styles


def in_head(text: str, policy: Policy, origin: str = "") -> Iterator[Forbidden]:
    """What the policy forbids in the head file of a site, and what does not belong into a head.

    `origin` is that of the site's own address.
    """
    found = _scan(text)
    yield from _not_allowed(found, policy, origin)
    for line, tag in found.misplaced[:1]:
        hint = "put it into a block of templates/base.html"
        yield Forbidden(line, f"<{tag}> does not belong into the head: browsers begin the body there", hint)
    if found.open:
        yield Forbidden(found.open[0], f"the element <{found.open[1]}> has no end", f"add </{found.open[1]}>")


def in_template(text: str, policy: Policy, origin: str = "", head: str = "") -> Iterator[Forbidden]:
    """What the policy forbids in a template. What expressions may become is not known, and not looked at."""
    found, allowed = _scan(_JINJA.sub(_without_jinja, text)), _scan(head)
    yield from _not_allowed(found, policy, origin)
    for kind, folder, seen, known in (
        ("script", "static/js/", found.scripts, allowed.scripts),
        ("style", "static/css/", found.styles, allowed.styles),
    ):
        for inline, line in seen.items():
            if inline not in known:
                hint = f"move it to a file in {folder}, or to the file of brand.head"
                yield Forbidden(line, f"the policy forbids this inline {kind}", hint)


def in_css(text: str, policy: Policy, origin: str = "") -> Iterator[Forbidden]:
    """What the policy forbids in a style sheet."""
    for need in _css_needs(text):
        if reason := _forbidden(need, policy, origin):
            yield reason


class _Need(NamedTuple):
    """An address that a page loads something from, or sends something to; `kind` is that of `Policy`."""

    line: int
    kind: str
    url: str


_WORDS = {
    "script": "scripts from", "style": "style sheets from", "image": "pictures from", "media": "audio and video from",
    "connect": "connections to", "form": "forms that are sent to", "frame": "frames from", "font": "fonts from",
}  # fmt: skip


def _forbidden(need: _Need, policy: Policy, origin: str) -> Forbidden | None:
    """Why the policy forbids what an address is needed for; None if it allows it, or the address is computed."""
    line, kind, url = need
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return None
    if url.startswith(_UNKNOWN) or _UNKNOWN in parts.scheme + parts.netloc:
        return None
    if (not parts.scheme and not host) or (origin and f"{parts.scheme}://{parts.netloc}" == origin):
        # Without `media`, not even the site itself may serve it.
        if kind == "media" and not policy.media and parts.path:
            hint = "name the host of audio and video in `media` of [policy], if need be the site's own"
            return Forbidden(line, "the policy forbids audio and video", hint)
        return None
    if kind == "image" and parts.scheme in ("http", "https", "data", ""):
        return None
    if parts.scheme not in ("http", "https", ""):
        return Forbidden(
            line, f"the policy forbids {_WORDS[kind]} {parts.scheme}: addresses", "save it as a file in static/"
        )
    if parts.scheme == "http":
        return Forbidden(line, f"the policy forbids {_WORDS[kind]} http://{host}", "use https")
    if any(_matches(pattern, host) for pattern in policy.hosts(kind)):
        return None
    return Forbidden(
        line, f"the policy forbids {_WORDS[kind]} {host}", f'add "{host}" to `{kind}` in [policy] of site.toml'
    )


def _matches(pattern: str, host: str) -> bool:
    """https://www.w3.org/TR/CSP3/#match-hosts"""
    pattern, host = pattern.removesuffix(":443"), host.lower().removesuffix(":443")
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _not_allowed(found: _Scanner, policy: Policy, origin: str) -> Iterator[Forbidden]:
    yield from found.forbidden
    for need in found.needs:
        if reason := _forbidden(need, policy, origin):
            yield reason


_DATA_SCRIPT = re.compile(r"\s*(?!(?:text|application)/(?:x-)?(?:java|ecma)script)[\w.+-]+/", re.I)
_IN_HEAD = frozenset({"base", "link", "meta", "noscript", "script", "style", "template", "title"})
_ADDRESSES = {
    ("script", "src"): "script", ("iframe", "src"): "frame", ("form", "action"): "form", ("button", "formaction"): "form",
    ("input", "formaction"): "form", ("video", "src"): "media", ("audio", "src"): "media", ("track", "src"): "media",
    ("source", "src"): "media", ("img", "src"): "image",
}  # fmt: skip
_PRELOADED = {
    "script": "script",
    "style": "style",
    "font": "font",
    "fetch": "connect",
    "video": "media",
    "audio": "media",
}


class _Scanner(HTMLParser):
    """Finds what HTML needs. `scripts` and `styles` are the inline ones, each with its line."""

    def __init__(self) -> None:
        super().__init__()
        self.needs: list[_Need] = []
        self.scripts: dict[str, int] = {}
        self.styles: dict[str, int] = {}
        self.forbidden: list[Forbidden] = []
        self.misplaced: list[tuple[int, str]] = []
        self.open: tuple[int, str] | None = None
        self._inline: list[str] | None = None
        self._in_noscript = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, values = self.getpos()[0], {name: value or "" for name, value in attrs}
        if tag not in _IN_HEAD and not self._in_noscript:
            self.misplaced.append((line, tag))
        self._in_noscript = self._in_noscript or tag == "noscript"
        for name, value in values.items():
            if kind := _ADDRESSES.get((tag, name)):
                self.needs.append(_Need(line, kind, value))
            if name.startswith("on"):
                hint = "add the listener in a script of static/js/"
                self.forbidden.append(Forbidden(line, f"the policy forbids the attribute {name}", hint))
            elif name == "style":
                hint = "use a class, and a rule in a style sheet"
                self.forbidden.append(Forbidden(line, "the policy forbids the attribute style", hint))
            elif value.lstrip().lower().startswith("javascript:"):
                hint = "use a button, and a script of static/js/"
                self.forbidden.append(Forbidden(line, "the policy forbids javascript: addresses", hint))
        if tag == "link":
            self._link(line, values)
        elif tag in ("object", "embed", "base"):
            hint = "write links in full" if tag == "base" else "link to it, or use <iframe>"
            self.forbidden.append(Forbidden(line, f"the policy forbids <{tag}>", hint))
        elif tag in ("script", "style"):
            self.open = line, tag
            is_inline = tag == "style" or not ("src" in values or _DATA_SCRIPT.match(values.get("type", "")))
            self._inline = [] if is_inline else None

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # in HTML, the slash at the end of a tag means nothing

    def _link(self, line: int, values: dict[str, str]) -> None:
        rels, url = values.get("rel", "").lower().split(), values.get("href", "")
        if "stylesheet" in rels:
            self.needs.append(_Need(line, "style", url))
        elif "modulepreload" in rels:
            self.needs.append(_Need(line, "script", url))
        elif "preload" in rels and (kind := _PRELOADED.get(values.get("as", "").lower())):
            self.needs.append(_Need(line, kind, url))

    def handle_data(self, data: str) -> None:
        if self._inline is not None:
            self._inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "noscript":
            self._in_noscript = False
        if self.open and self.open[1] == tag:
            if self._inline is not None and (text := "".join(self._inline)).strip():
                (self.scripts if tag == "script" else self.styles).setdefault(text, self.open[0])
                if tag == "style":
                    self.needs += (need._replace(line=need.line + self.open[0] - 1) for need in _css_needs(text))
            self.open = self._inline = None


def _scan(text: str) -> _Scanner:
    scanner = _Scanner()
    if text:
        scanner.feed(text)
        scanner.close()
    return scanner


_UNKNOWN = "\ufffd"
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


def _without_jinja(found: re.Match[str]) -> str:
    """What replaces Jinja's syntax: nothing, or a sign for an unknown value. The lines stay."""
    return (_UNKNOWN if found[0].startswith("{{") else "") + "\n" * found[0].count("\n")


_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_IMPORT = re.compile(r"@import\s+(?:url\(\s*)?[\"']?([^\"')\s;]+)", re.I)
_FONT_FACE = re.compile(r"@font-face\s*\{([^}]*)\}", re.I)
_URL = re.compile(r"url\(\s*[\"']?([^\"')\s]+)", re.I)


def _css_needs(text: str) -> Iterator[_Need]:
    css = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    found = [(match.start(), "style", match[1]) for match in _IMPORT.finditer(css)]
    for face in _FONT_FACE.finditer(css):
        found += [(face.start(1) + url.start(), "font", url[1]) for url in _URL.finditer(face[1])]
    for at, kind, url in sorted(found):
        yield _Need(css.count("\n", 0, at) + 1, kind, url)
