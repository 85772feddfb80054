"""Finds the links in HTML and resolves them as browsers do."""

from __future__ import annotations

import html
import re
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from newsgen import urls

# Attribute values may contain <, > and quotes of the other kind.
_LINK = re.compile(
    r"""<[a-z](?:[^<>"']|"[^"]*"|'[^']*')*?\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE
)
_ANCHOR = re.compile(r"""\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE)
# Comments, and elements whose content is not markup. Their start tags stay: a script may have an address.
_NOT_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|(<(script|style|textarea)\b[^<>]*>).*?(?:</\2\s*>|\Z)", re.IGNORECASE | re.DOTALL
)
_LEADS_AWAY = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|$", re.IGNORECASE)
_OTHER_SITE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_ORIGIN = "https://site.invalid"


class Target(NamedTuple):
    """Where a link leads on this site: the path of an output file, "" if none can be there, and the fragment."""

    path: str
    fragment: str


def find(page: str) -> list[str]:
    """The links and the addresses of pictures, scripts and style sheets in HTML, in order."""
    return _values(_LINK, _NOT_MARKUP.sub(r"\1", page))


def anchors(page: str) -> set[str]:
    """What fragments can lead to in an HTML page."""
    return set(_values(_ANCHOR, _NOT_MARKUP.sub(r"\1", page)))


def own(body: str, root: str) -> list[str]:
    """The links in a body that lead to other pages and files of this site, without `root`."""
    # Most bodies have none, and looking at the first characters of each address is fast.
    candidates = [rest for mark in (' href="', ' src="') for rest in body.split(mark)[1:]]
    if all(rest.startswith(("http:", "https:", "mailto:", "#")) for rest in candidates):
        return []
    return ["/" + link[len(root) :] if link.startswith(root) else link for link in find(body) if is_own(link)]


def is_own(link: str) -> bool:
    """Whether a link names a page or file of this site: it has neither a scheme nor a host, and is no fragment."""
    return not _LEADS_AWAY.match(link)


def resolve(link: str, address: str, root: str) -> Target | None:
    """Where a link on the page at this address leads (RFC 3986, 5.2). None if it leads to another site.

    `root` is the path of the site's base URL, with a closing slash.
    """
    if _OTHER_SITE.match(link):
        return None
    try:
        # Browsers read a backslash as a slash: https://url.spec.whatwg.org/#relative-slash-state
        parts = urlsplit(urljoin(_ORIGIN + urls.href(address, root), link.strip().replace("\\", "/")))
    except ValueError:
        return None
    if f"{parts.scheme}://{parts.netloc}" != _ORIGIN:
        return None
    path = unquote(parts.path) or "/"
    return Target(urls.path("/" + path[len(root) :]) if path.startswith(root) else "", parts.fragment)


def has_anchor(fragment: str, names: set[str]) -> bool:
    """Whether a fragment leads to one of these anchors (https://html.spec.whatwg.org/#scrolling-to-a-fragment)."""
    name = fragment.partition(":~:")[0]
    return name in names or unquote(name) in names or name.lower() in ("", "top")


def line(text: str, link: str) -> int:
    """The line of a file on which a link is written, in any of its spellings; 0 if it is not found."""
    for spelling in dict.fromkeys([link, unquote(link), html.escape(link)]):
        match = re.search(rf"(?<![\w/.%-]){re.escape(spelling)}(?![\w/.%-])", text)
        if match:
            return text.count("\n", 0, match.start()) + 1
    return 0


def _values(pattern: re.Pattern[str], text: str) -> list[str]:
    return [html.unescape(double or single or bare) for double, single, bare in pattern.findall(text)]
