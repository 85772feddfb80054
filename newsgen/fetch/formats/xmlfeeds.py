"""Reads RSS (0.90 to 2.0, also as RDF) and Atom (0.3 and 1.0), with the extensions that matter for news.

Sources: https://www.rssboard.org/rss-specification, https://web.resource.org/rss/1.0/spec, RFC 4287,
https://www.rssboard.org/media-rss, https://web.resource.org/rss/1.0/modules/syndication.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from datetime import tzinfo
from html import unescape
from typing import TYPE_CHECKING

from newsgen import text
from newsgen.fetch.entry import Feed, Hints
from newsgen.fetch.formats import draft, words
from newsgen.fetch.formats.documents import FeedError
from newsgen.fetch.formats.draft import Draft, Media
from newsgen.fetch.formats.words import Source

if TYPE_CHECKING:
    from newsgen.fetch.formats.documents import Node

# Namespaces by their addresses in lower case, without closing marks: feeds vary in both.
_PREFIXES = {
    "www.w3.org/2005/atom": "atom",
    "purl.org/atom/ns": "atom",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "search.yahoo.com/mrss": "media",
    "search.yahoo.com/mrss/extensions": "media",
    "www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "www.rssboard.org/media-rss": "media",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "www.w3.org/1999/02/22-rdf-syntax-ns": "rdf",
    "www.w3.org/1999/xhtml": "xhtml",
    "purl.org/rss/1.0": "",
    "purl.org/net/rss1.1": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "channel.netscape.com/rdf/simple/0.9": "",
    "backend.userland.com/rss": "",
    "backend.userland.com/rss2": "",
    "backend.userland.com/rss091": "",
    "backend.userland.com/rss2-0": "",
    "blogs.law.harvard.edu/tech/rss": "",
    "www.rssboard.org/rss-specification": "",
}
# The namespace of Bing's search feeds is the address of the search.
_BING = "www.bing.com/news/"
_SCHEME = re.compile(r"^\w+://")
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"
_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Some feeds count to 24, which is midnight (https://www.rssboard.org/skip-hours-days).
_HOURS = tuple(map(str, range(25)))
_YEAR = 31536000
_LINK_TEXT = 20
"""Longest text of a link to the comments, in characters."""
_MAX_PARTS = 100
_WEB = re.compile(r"\s*https?://", re.IGNORECASE)
_ABSOLUTE = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_TIME_ELEMENT = re.compile(r"""<time\s[^<>]*?datetime=["']([^"'<>]+)["']""", re.IGNORECASE)
_DIGITS = re.compile(r"\s*(\d{1,9})", re.ASCII)


class Children:
    """The child elements of an element by name: `title`, `dc:date`, `atom:link`. Case does not count."""

    def __init__(self, node: Node, names: Names) -> None:
        self.node = node
        self._names = names
        self._by_name: dict[str, list[Node]] = {}
        for child in node:
            if isinstance(child.tag, str):
                self._by_name.setdefault(names(child.tag), []).append(child)

    def all(self, *names: str) -> list[Node]:
        """The first elements with these names, at most a hundred of each."""
        found: list[Node] = []
        by_name = self._by_name
        for name in names:
            if name in by_name:
                found += by_name[name][:_MAX_PARTS]
        return found

    def every(self, name: str) -> list[Node]:
        return self._by_name.get(name, [])

    def below(self, name: str) -> list[Node]:
        """The elements with this name at any depth, as in a list of their own or in an element that is not closed."""
        return [node for node in self.node.iter() if isinstance(node.tag, str) and self._names(node.tag) == name]

    def first(self, *names: str) -> Node | None:
        return next(iter(self.all(*names)), None)

    def text(self, *names: str) -> str:
        """The first text that is not empty."""
        return next(iter(self.texts(*names)), "")

    def texts(self, *names: str) -> list[str]:
        return [found for node in self.all(*names) if (found := _text(node))]

    def times(self, *names: str) -> list[str]:
        """The days and times as they are written."""
        return [_time(node) for node in self.all(*names)]

    def of(self, *names: str) -> Children | None:
        """The children of the first element with one of these names."""
        node = self.first(*names)
        return None if node is None else Children(node, self._names)


class Names:
    """The names of elements, with the same prefix for a namespace in all feeds; "?" for one that does not matter here.

    `own` is the namespace of the feed itself, and `prefix` what it becomes.
    """

    def __init__(self, own: str, prefix: str) -> None:
        self._cached: dict[str, str] = {}
        self._own, self._prefix = own, prefix

    def __call__(self, tag: str) -> str:
        name = self._cached.get(tag)
        if name is None:
            name = self._cached[tag] = self._name(tag)
        return name

    def _name(self, tag: str) -> str:
        namespace, local = _split(tag)
        if namespace in (self._own, ""):
            # A prefix that is not declared stays in the name.
            return local if ":" in local or not self._prefix else f"{self._prefix}:{local}"
        prefix = "bing" if namespace.startswith(_BING) else _PREFIXES.get(namespace, "?")
        return f"{prefix}:{local}" if prefix else local


def _split(tag: str) -> tuple[str, str]:
    """The namespace and the local name of an element, both normalised."""
    namespace, _, local = tag.rpartition("}")
    return _SCHEME.sub("", namespace.strip("{} \t\n").lower()).rstrip("/#"), local.lower()


def parse(root: Node, url: str, zone: tzinfo) -> Feed:
    """The feed below a root element. `url` is its address. Times without a zone are in `zone`. Raises FeedError if it is no feed."""
    namespace, name = _split(str(root.tag))
    name = name.rpartition(":")[2]
    if name == "feed":
        return _atom(root, Names(namespace, "atom"), url, zone)
    if name in ("rss", "channel", "rdf") and (name != "rdf" or _PREFIXES.get(namespace, "rdf") == "rdf"):
        return _rss(root, Names(namespace if name != "rdf" else "", ""), url, zone)
    if name == "html":
        raise FeedError("is a web page, not a feed")
    if name == "opml":
        raise FeedError("is a list of feeds (OPML); use newsgen import opml")
    if name in ("urlset", "sitemapindex"):
        raise FeedError("is a sitemap, not a feed")
    if name == "entry" and _PREFIXES.get(namespace) == "atom":
        raise FeedError("is a single Atom entry, not a feed")
    raise FeedError(f"is XML, but not a feed: its root element is <{text.shorten(text.printable(name), 40)}>")


def _rss(root: Node, names: Names, url: str, zone: tzinfo) -> Feed:
    top = Children(root, names)
    channel = top if _split(str(root.tag))[1] == "channel" else top.of("channel") or top
    items = channel.every("item") + (top.every("item") if channel is not top else []) or channel.below("item")
    base = _base(channel.node, url)
    home = next(
        (
            found
            for link in [*_links(channel), *_alternates(channel), channel.node.get(_ABOUT) or ""]
            if (found := draft.address(link, base))
        ),
        "",
    )
    shared = _Shared(
        base=base if channel.node.get(_BASE) or root.get(_BASE) else home or url,
        lang=channel.text("language", "dc:language") or channel.node.get(_LANG) or root.get(_LANG) or "",
        has_base=_has_base(root),
    )
    newest = draft.newest(items, lambda node: Children(node, names).times(*_RSS_DATES))
    return Feed(
        title=_feed_title(words.plain(_text(channel.first("title", "dc:title")))),
        home=home,
        lang=draft.language(shared.lang),
        image=_feed_image(channel, top, base),
        format="rss",
        hints=_hints(channel),
        entries=tuple(draft.entry(_item(Children(node, names), shared), zone) for node in newest),
    )


class _Shared:
    """What a feed says for all of its entries. `has_base`: some element has an xml:base."""

    def __init__(self, *, base: str, lang: str, has_base: bool, authors: Iterable[str] = (), id: str = "") -> None:
        self.base, self.lang, self.has_base = base, lang, has_base
        self.authors, self.id = list(authors), id

    def base_of(self, node: Node) -> str:
        return _base(node, self.base) if self.has_base else self.base


_RSS_DATES = (
    "pubdate", "dc:date", "dcterms:issued", "dcterms:created", "dcterms:date", "atom:published", "atom:issued", "atom:created", "published",
    "date", "dc:pubdate",
)  # fmt: skip
_RSS_UPDATES = ("atom:updated", "atom:modified", "dcterms:modified", "lastmod", "updated", "modified", "lastbuilddate")


def _item(item: Children, shared: _Shared) -> Draft:
    guid_node = item.first("guid", "dc:identifier", "atom:id", "id")
    about = item.node.get(_ABOUT) or ""
    guid = (_text(guid_node) if guid_node is not None else "") or about
    denied = guid_node is not None and _attribute(guid_node, "ispermalink").strip().lower() in ("false", "no", "0")
    guid_link = guid if guid and not denied and _WEB.match(guid) else ""
    links = [*item.texts("feedburner:origlink"), *_links(item), *_alternates(item), guid_link]
    source = item.first("source")
    contents = item.all("content:encoded", "encoded", "content", "body", "xhtml:body", "xhtml:div", "atom:content")
    texts = item.all(
        "description", "dc:description", "abstract", "atom:summary", "itunes:summary", "itunes:subtitle", "summary"
    )
    group = item.of("media:group")
    described = item.texts("media:description") + (group.texts("media:description") if group else [])
    creators = [name for node in item.all("dc:creator", "author", "dc:author") if (name := _person(node))]
    return Draft(
        base=shared.base_of(item.node),
        content_base=shared.base_of((texts or contents or [item.node])[0]),
        guid=guid,
        guid_is_url=bool(guid_link),
        links=links,
        title=_rss_title(item),
        texts=[*_without_comments(texts, item.text("comments")), *described, *contents],
        contents=[*contents, *texts],
        published=item.times(*_RSS_DATES),
        updated=item.times(*_RSS_UPDATES),
        media=_media(item, group),
        topics=[
            *item.texts("category", "dc:subject", "atom:category"),
            *(node.get("label") or node.get("term") or "" for node in item.all("atom:category")),
            *_split_keywords(item.text("media:keywords", "itunes:keywords")),
            *(_split_keywords(group.text("media:keywords")) if group else []),
        ],
        authors=creators or [name for node in item.all("atom:author", "itunes:author") if (name := _person(node))],
        provider=_text(source) or item.text("bing:source"),
        provider_url=(source.get("url") or "") if source is not None else "",
        lang=item.node.get(_LANG) or item.text("dc:language", "language"),
    )


def _without_comments(texts: list[Node], comments: str) -> list[Node]:
    """The texts without those that are only a link to the comments, as on sites that list links."""
    if not _WEB.match(comments):
        return texts
    return [
        node for node in texts if len(words.visible(node)) > _LINK_TEXT or comments not in unescape(node.text or "")
    ]


def _links(children: Children) -> list[str]:
    """The links of an RSS element. Of several, the last counts, as in other readers."""
    nodes = [node for node in children.all("link") if _rel(node) == "alternate"]
    found = [_resolved(node, _text(node) or node.get("href") or node.get(_RESOURCE) or "") for node in nodes]
    return list(filter(None, reversed(found)))


def _rss_title(item: Children) -> str:
    for node in item.all("title", "dc:title", "atom:title", "media:title", "itunes:title"):
        if found := _plain_html(node):
            return found
    return ""


def _plain_html(node: Node) -> str:
    """The plain text of an element that holds a headline, as text or as markup."""
    return words.visible(node) if len(node) else words.plain(node.text or "")


def _atom(root: Node, names: Names, url: str, zone: tzinfo) -> Feed:
    feed = Children(root, names)
    base = _base(root, url)
    home = next((found for link in _alternates(feed) if (found := draft.address(link, base))), "")
    shared = _Shared(
        base=base,
        lang=root.get(_LANG) or "",
        has_base=_has_base(root),
        authors=[name for node in feed.all("atom:author") if (name := _person(node))],
        id=feed.text("atom:id"),
    )
    newest = draft.newest(
        feed.every("atom:entry") or feed.below("atom:entry"),
        lambda node: Children(node, names).times(*_ATOM_DATES, *_ATOM_UPDATES),
    )
    return Feed(
        title=_feed_title(_atom_title(feed.first("atom:title"))),
        home=home,
        lang=draft.language(shared.lang),
        image=next(
            (found for logo in feed.texts("atom:logo", "atom:icon") if (found := draft.address(logo, base))), ""
        ),
        format="atom",
        hints=_hints(feed),
        entries=tuple(draft.entry(_atom_entry(Children(node, names), shared), zone) for node in newest),
    )


_ATOM_DATES = ("atom:published", "atom:issued", "atom:created", "dc:date", "dcterms:issued", "published", "pubdate")
_ATOM_UPDATES = ("atom:updated", "atom:modified", "dcterms:modified", "updated")


def _atom_entry(entry: Children, shared: _Shared) -> Draft:
    guid = entry.text("atom:id", "dc:identifier")
    is_url = _WEB.match(guid) is not None
    contents, summaries = entry.all("atom:content"), entry.all("atom:summary")
    group = entry.of("media:group")
    described = entry.texts("media:description") + (group.texts("media:description") if group else [])
    sources: list[Source] = [source for node in contents if (source := _atom_text(node)) is not None]
    summary: list[Source] = [source for node in summaries if (source := _atom_text(node)) is not None]
    origin = entry.of("atom:source")
    if origin and shared.id and origin.text("atom:id") == shared.id:
        origin = None
    authors = [name for node in entry.all("atom:author", "dc:creator") if (name := _person(node))]
    if not authors and origin:
        authors = [name for node in origin.all("atom:author") if (name := _person(node))]
    elsewhere = [node.get("src") or "" for node in contents]
    linked = [node for node in entry.all("atom:link") if node.get("href") and _rel(node) == "enclosure"]
    return Draft(
        base=shared.base_of(entry.node),
        content_base=shared.base_of((contents or summaries or [entry.node])[0]),
        guid=guid,
        guid_is_url=is_url,
        links=[*entry.texts("feedburner:origlink"), *_alternates(entry), *elsewhere, guid if is_url else ""],
        title=_atom_title(entry.first("atom:title")) or words.plain(entry.text("media:title", "dc:title")),
        texts=[*summary, *described, *sources],
        contents=[*sources, *summary],
        published=entry.times(*_ATOM_DATES),
        updated=entry.times(*_ATOM_UPDATES),
        media=[*_media(entry, group), [_enclosure(node, "href") for node in linked]],
        topics=[
            *(
                node.get("label") or node.get("term") or _text(node)
                for node in entry.all("atom:category")
                if not (node.get("scheme") or "").endswith("#kind")  # Blogger: whether it is a post or a comment
            ),
            *entry.texts("dc:subject"),
            *_split_keywords(entry.text("media:keywords")),
        ],
        authors=authors or shared.authors,
        provider=_atom_title(origin.first("atom:title")) if origin else "",
        provider_url=next(iter(_alternates(origin)), "") if origin else "",
        lang=entry.node.get(_LANG) or entry.text("dc:language"),
    )


def _atom_title(node: Node | None) -> str:
    """A title as plain text."""
    source = None if node is None else _atom_text(node, any_type=True)
    return "" if source is None else words.visible(source)


def _is_literal(node: Node) -> bool:
    """Whether an Atom text is declared as something other than HTML (RFC 4287, 3.1.1.1; in Atom 0.3, `mode`)."""
    kind = (node.get("type") or "").strip().lower()
    return "html" not in kind and (node.get("mode") or "").strip().lower() != "escaped"


def _atom_text(node: Node, *, any_type: bool = False) -> Source | None:
    """The HTML or the literal text of an Atom text; None if it is elsewhere or neither. A headline has `any_type`."""
    kind, mode = (node.get("type") or "").strip().lower(), (node.get("mode") or "").strip().lower()
    encoded = mode == "base64" or kind == "application/octet-stream"
    readable = "/" not in kind or kind.startswith("text/") or "html" in kind or "xml" in kind
    if node.get("src") or not (readable or encoded or any_type):
        return None
    if len(node):
        return node
    given = node.text or ""
    if encoded:
        try:
            return b64decode(given, validate=False).decode("utf-8", "replace")
        except ValueError:
            return None
    return words.literal(given) if _is_literal(node) else given


def _rel(link: Node) -> str:
    return (link.get("rel") or "alternate").strip().lower().rpartition("/")[2]


def _alternates(children: Children) -> list[str]:
    """The links of an Atom element to its page: the alternates, web pages first."""
    links = [link for link in children.all("atom:link") if link.get("href") and _rel(link) == "alternate"]
    links.sort(key=lambda link: "html" not in (link.get("type") or "html"))
    return [_resolved(link, link.get("href") or "") for link in links] + [
        found for link in children.all("atom:link") if not link.get("href") and (found := _text(link))
    ]


def _resolved(node: Node, link: str) -> str:
    """The link, resolved by the xml:base of the element and of those around it, if there is any."""
    if _ABSOLUTE.match(link):
        return link
    base = _base(node, "")
    return (draft.address(link, base) or link) if base else link


def _person(node: Node) -> str:
    """The name of a person: that of an Atom person, or the text."""
    if not len(node):
        return _text(node)
    for child in node:
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2].lower().rpartition(":")[2] == "name":
            return _text(child)
    return ""


def _media(item: Children, group: Children | None) -> list[list[Media]]:
    """The pictures of an entry by kind, in the order of their rank."""
    groups = [item, *([group] if group else [])]
    contents = [node for part in groups for node in part.all("media:content")]
    inner = [
        child
        for node in contents
        for child in node
        if isinstance(child.tag, str) and _split(child.tag)[1] == "thumbnail"
    ]
    thumbnails = [node for part in groups for node in part.all("media:thumbnail")]
    attribution = next((found for part in groups if (found := part.text("media:credit", "media:copyright"))), "")
    pictures = [*item.all("itunes:image"), *((group.all("itunes:image")) if group else [])]
    others = [
        Media(url=found, medium="image")
        for node in item.all("image", "thumbnail", "bing:image")
        if (found := _image_url(node))
    ]
    return [
        [_content(node, attribution) for node in contents if node.get("url")],
        [_thumbnail(node, attribution) for node in (*thumbnails, *inner) if node.get("url")],
        [_enclosure(node, "url") for node in item.all("enclosure") if node.get("url")],
        [Media(url=node.get("href") or "", medium="image") for node in pictures if node.get("href")],
        others,
    ]


def _content(node: Node, attribution: str) -> Media:
    parts = {_split(child.tag)[1]: _text(child) for child in node if isinstance(child.tag, str)}
    return Media(
        url=node.get("url") or "",
        medium=node.get("medium") or "",
        type=node.get("type") or "",
        width=words.size(node.get("width")),
        height=words.size(node.get("height")),
        bytes=_number(node.get("fileSize")),
        title=parts.get("title") or parts.get("description") or "",
        attribution=parts.get("credit") or attribution,
    )


def _thumbnail(node: Node, attribution: str) -> Media:
    return Media(
        url=node.get("url") or "",
        medium="image",
        width=words.size(node.get("width")),
        height=words.size(node.get("height")),
        attribution=attribution,
    )


def _enclosure(node: Node, name: str) -> Media:
    return Media(url=node.get(name) or "", type=node.get("type") or "", bytes=_number(node.get("length")))


def _image_url(node: Node) -> str:
    inner = next((_text(child) for child in node if isinstance(child.tag, str) and _split(child.tag)[1] == "url"), "")
    return inner or node.get("href") or node.get("url") or node.get(_RESOURCE) or _text(node)


def _feed_image(channel: Children, top: Children, base: str) -> str:
    found = [_image_url(node) for node in (*channel.all("image"), *top.all("image"))]
    found += [node.get("href") or "" for node in channel.all("itunes:image")]
    found += channel.texts("atom:logo", "atom:icon")
    return next((url for link in found if (url := draft.address(link, base))), "")


def _feed_title(title: str) -> str:
    return text.shorten(title, draft.MAX_TITLE)


def _hints(channel: Children) -> Hints:
    every = _number(channel.text("ttl")) * 60
    period = _PERIODS.get(channel.text("sy:updateperiod").lower(), 0)
    if period:
        # Without a frequency it is once a period.
        every = max(every, period // max(1, _number(channel.text("sy:updatefrequency"))))
    hours = {_HOURS.index(found) % 24 for node in channel.all("skiphours") for found in _inner(node) if found in _HOURS}
    days = {
        _DAYS.index(found)
        for node in channel.all("skipdays")
        for found in map(str.lower, _inner(node))
        if found in _DAYS
    }
    return Hints(every=min(every, _YEAR), skip_hours=tuple(sorted(hours)), skip_days=tuple(sorted(days)))


def _inner(node: Node) -> list[str]:
    return [_text(child).lstrip("0") or "0" for child in node[:_MAX_PARTS] if isinstance(child.tag, str)]


def _text(node: Node | None) -> str:
    """The words of an element without markup around them."""
    if node is None:
        return ""
    return (words.visible(node) if len(node) else node.text or "").strip()


def _time(node: Node) -> str:
    """The text of a day or time. Drupal gives it as the `time` element of its pages."""
    given = next((found for child in node if (found := child.get("datetime"))), "") or _text(node)
    element = _TIME_ELEMENT.search(given) if "<" in given else None
    return element[1] if element else given


def _attribute(node: Node, name: str) -> str:
    """The value of an attribute; the case of its name does not count."""
    return next((value for key, value in node.items() if key.lower() == name), "")


def _number(written: str | None) -> int:
    found = _DIGITS.match(written or "")
    return int(found[1]) if found else 0


def _split_keywords(written: str) -> list[str]:
    return written.split(",") if written else []


def _has_base(root: Node) -> bool:
    return bool(root.xpath("boolean(//@xml:base)"))


def _base(node: Node, default: str) -> str:
    """The base of relative addresses in an element: the xml:base of it and of those around it."""
    bases: list[str] = []
    at: Node | None = node
    while at is not None:
        if found := at.get(_BASE):
            bases.append(found)
        at = at.getparent()
    base = default
    for found in reversed(bases):
        base = draft.address(found, base) or base
    return base
