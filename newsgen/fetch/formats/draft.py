"""Makes entries from what the formats have in common. Every value is checked and limited here."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec

from newsgen import canonical, text, times
from newsgen.fetch.entry import Entry
from newsgen.fetch.formats import dates, words
from newsgen.fetch.formats.words import Source
from newsgen.model import Image

Item = TypeVar("Item")

MAX_TITLE = 300
MAX_EXCERPT = 500
MAX_NAME = 200
MAX_TOPIC = 100
MAX_TOPICS = 50
MAX_GUID = 1000
MAX_URL = 2048
MAX_AUTHORS = 10
MAX_ENTRIES = 1000

# Mail addresses and their brackets, as RSS writes authors: editor@paper.example (Ann Lee).
_MAIL = re.compile(r"[<(\[]?\b[^\s@<>()\[\]]+@[^\s@<>()\[\]]+\.[^\s@<>()\[\]]+[>)\]]?|\bmailto:", re.IGNORECASE)
# The account that Discourse puts before a name: @ann Ann Lee
_ACCOUNT = re.compile(r"\A@\S+\s+(?=\S)")
_BRACKETS = re.compile(r"[(\[<](.*)[)\]>]")
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?=$|[?#&])", re.IGNORECASE)
_RECORDING_FILE = re.compile(r"\.(?:mp3|m4[abv]|mp4|og[agv]|opus|webm|mov)(?=$|[?#&])", re.IGNORECASE)
_WEB = re.compile(r"\s*https?:[/\\]", re.IGNORECASE)
_PICTURE_MEDIUM = "image"
# Redirects that name their target, as in alerts and search feeds.
_REDIRECT = re.compile(r"(?:www\.)?(?:google\.(?:com?\.)?[a-z]{2,3}/url|bing\.com/news/apiclick\.aspx)", re.IGNORECASE)
# Redirects of services that count readers. The guid often is the address behind them.
_FEED_REDIRECT = re.compile(
    r"https?://(?:feedproxy\.google\.com|feeds\d?\.feedburner\.com|(?:\w+\.)*feedsportal\.com|[^/]+/~r)/", re.IGNORECASE
)
_SAYS_NOTHING = frozenset(
    ["uncategorized", "uncategorised", "unkategorisiert", "allgemein", "non classé", "sin categoría"]
)
# What programs add to each excerpt: WordPress, in the languages that have most sites. The title stands between the two parts.
_FOOTERS = (
    ("The post ", " appeared first on "),
    ("The post ", " first appeared on "),
    ("Der Beitrag ", " erschien zuerst auf "),
    ("L’article ", " est apparu en premier sur "),
    ("L'article ", " est apparu en premier sur "),
    ("La entrada ", " se publicó primero en "),
    ("La entrada ", " apareció primero en "),
    ("L'articolo ", " proviene da "),
    ("L’articolo ", " proviene da "),
    ("O post ", " apareceu primeiro em "),
    ("Het bericht ", " verscheen eerst op "),
    ("Artykuł ", " pochodzi z serwisu "),
    ("Inlägget ", " dök först upp på "),
    ("Сообщение ", " появились сначала на "),
    # Reddit and Medium
    ("submitted by /u/", " [link] [comments]"),
    ("submitted by /u/", " [comments]"),
    ("Continue reading on ", "»"),
)
# Of Discourse, below the first post of a discussion.
_DISCUSSION = re.compile(r"\s*\b\d+ posts? - \d+ participants?(?: Read full topic)?\Z")
# As Drupal writes a time: Fri, 11/08/2024 - 07:30
_FIELD_TIME = re.compile(r"\A(?:\w{1,4}\.?, )?\d\d[/.-]\d\d[/.-]\d{4} - \d\d:\d\d(?:\s+|\Z)")
_CUT = re.compile(r"\s*(?:\[(?:…|\.{3})\]|\((?:…|\.{3})\))\Z")


class Media(msgspec.Struct, kw_only=True):
    """A picture, sound or film that a feed gives beside the text.

    `medium` and `type` are as in Media RSS, "" if the feed does not say.
    """

    url: str
    medium: str = ""
    type: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    title: str = ""
    attribution: str = ""

    @property
    def is_picture(self) -> bool:
        if self.medium or self.type:
            return self.medium.lower() == _PICTURE_MEDIUM or (
                not self.medium and self.type.lower().startswith("image/")
            )
        return _PICTURE_FILE.search(self.url) is not None

    @property
    def is_recording(self) -> bool:
        """Whether it is a sound or a film."""
        if self.medium or self.type:
            return (self.medium or self.type.partition("/")[0]).lower() in ("audio", "video")
        return _RECORDING_FILE.search(self.url) is not None


class Draft(msgspec.Struct, kw_only=True):
    """An entry as a format gives it. Of several values for one thing, the first that is usable counts.

    Addresses are relative to `base`, and those in `contents` to `content_base`. `title` is plain text already. `texts`
    are the texts for the excerpt, `contents` those with pictures. `media` holds the kinds of media in the order of
    their rank, each with its pictures and recordings.
    """

    base: str
    content_base: str
    guid: str = ""
    guid_is_url: bool = False
    links: list[str] = []
    title: str = ""
    texts: list[Source] = []
    contents: list[Source] = []
    published: list[str] = []
    updated: list[str] = []
    media: list[list[Media]] = []
    topics: list[str] = []
    authors: list[str] = []
    provider: str = ""
    provider_url: str = ""
    lang: str = ""


def newest(items: list[Item], times_of: Callable[[Item], Iterable[str]]) -> list[Item]:
    """The items, in their order; if there are too many, only the newest. Items without a readable time come last."""
    if len(items) <= MAX_ENTRIES:
        return items

    def rank(at: int) -> tuple[float, int]:
        when = first_time(times_of(items[at]))
        return times.start(when, UTC).timestamp() if when else float("-inf"), -at

    return [items[at] for at in sorted(heapq.nlargest(MAX_ENTRIES, range(len(items)), key=rank))]


def entry(draft: Draft, zone: tzinfo) -> Entry:
    """The entry of a draft. Times without a zone are in `zone`."""
    guid = " ".join(text.printable(draft.guid).split())
    guid_is_url = draft.guid_is_url and bool(web_address(guid))
    published, updated = first_time(draft.published), first_time(draft.updated)
    title, provider, provider_url = draft.title, "", ""
    if _letters(draft.provider) != _letters(title):  # forums name the discussion as the source
        provider = text.shorten(words.plain(draft.provider), MAX_NAME)
        provider_url = address(draft.provider_url, draft.base)
    if provider:
        title = text.headline(title, provider, canonical.domain(canonical.key(provider_url)))
    byline = _byline(draft.authors)
    excerpt = _excerpt(draft.texts, title, provider, byline)
    if not title:
        # A post without a title, as on social networks: its first words stand for one.
        title = text.shorten(excerpt, MAX_TITLE // 2)
        excerpt = "" if title == excerpt else excerpt
    when = published or updated
    return Entry(
        guid=guid if len(guid) <= MAX_GUID else text.digest(guid.encode()),
        guid_is_url=guid_is_url,
        url=_url(draft),
        title=text.shorten(title, MAX_TITLE),
        excerpt=excerpt,
        published=_moment(when, zone) if when else None,
        all_day=when is not None and not isinstance(when, datetime),
        updated=_moment(updated, zone) if updated else None,
        image=_image(draft),
        topics=_topics(draft.topics),
        author=byline,
        provider=provider,
        provider_url=provider_url,
        lang=language(draft.lang),
    )


def address(link: str, base: str) -> str:
    """The http(s) address of a link that may be relative; "" if it is none or too long."""
    link = link.strip()
    if not link or len(link) > MAX_URL:
        return ""
    if not _WEB.match(link):
        try:
            link = urljoin(base, link)
        except ValueError:
            return ""
    return web_address(link)


def web_address(link: str) -> str:
    """The address as browsers parse it; "" if it is none or too long."""
    if len(link) > MAX_URL or not _WEB.match(link):
        return ""
    found = canonical.web_address(link)
    return found if len(found) <= MAX_URL else ""


def first_time(written: Iterable[str]) -> date | None:
    """The first readable day or time, in the types of `times`."""
    return next((when for value in written if value and (when := dates.parse(value))), None)


def _moment(when: date, zone: tzinfo) -> datetime:
    """A time; of a day, midnight in UTC."""
    return times.start(when, zone if isinstance(when, datetime) else UTC)


@lru_cache(maxsize=256)
def language(tag: str) -> str:
    """A language tag (RFC 5646); "" if it is none. Some programs write en_GB."""
    tag = tag.strip().replace("_", "-")
    return tag if len(tag) <= 35 and re.fullmatch(text.LANGUAGE, tag) else ""


def _url(draft: Draft) -> str:
    """The first good address. A redirect of a service that counts readers counts only if there is no other.

    Without an address, that of a recording does: episodes of podcasts need no page.
    """
    redirect = ""
    for link in draft.links:
        if url := _target(address(link, draft.base)):
            if not _FEED_REDIRECT.match(url):
                return url
            redirect = redirect or url
    recordings = (address(media.url, draft.base) for kind in draft.media for media in kind if media.is_recording)
    return redirect or next(filter(None, recordings), "")


def _target(url: str) -> str:
    """The target of a redirect that names it; any other address as it is."""
    if url and _REDIRECT.match(url.partition("://")[2]):
        query = parse_qs(urlsplit(url).query, max_num_fields=100) if url.count("&") < 100 else {}
        return next(
            (found for name in ("url", "q") for value in query.get(name, ()) if (found := web_address(value))), url
        )
    return url


def _excerpt(texts: list[Source], title: str, provider: str, byline: str) -> str:
    """The first text that has words other than those of the title."""
    said = {"", _letters(title), _letters(title + provider)}
    listed = _letters(title + provider) if title and provider else ""
    for source in texts:
        seen = _without_footer(_without_fields(words.visible(source), title, byline))
        if seen.endswith(("]", ")")):
            seen = _CUT.sub("…", seen)
        if listed and _letters(seen).startswith(listed):
            continue  # a search feed lists the headlines of others here
        if len(seen) > MAX_EXCERPT or _letters(seen) not in said:
            return text.shorten(seen, MAX_EXCERPT)
    return ""


def _without_fields(seen: str, title: str, byline: str) -> str:
    """The text without the title, author and time that Drupal puts before it."""
    fields = f"{title} {byline} "
    return _FIELD_TIME.sub("", seen[len(fields) :]) if byline and seen.startswith(fields) else seen


def _without_footer(seen: str) -> str:
    seen = _DISCUSSION.sub("", seen)
    for begin, middle in _FOOTERS:
        at = seen.rfind(middle)
        if at >= 0 and len(seen) - at < 2 * MAX_NAME and (start := seen.rfind(begin, 0, at)) >= 0:
            return seen[:start].rstrip()
    return seen


def _letters(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _image(draft: Draft) -> Image | None:
    for kind in draft.media:
        found = [media for media in kind if media.is_picture and not media.url.startswith("data:")]
        found.sort(key=lambda media: (media.width * media.height, media.width, media.height, media.bytes), reverse=True)
        for media in found:
            if words.is_tiny(media.width, media.height) or words.is_no_picture(media.url):
                continue
            if url := address(media.url, draft.base):
                return Image(
                    url=url,
                    width=media.width,
                    height=media.height,
                    title=text.shorten(words.visible(media.title), MAX_NAME),
                    attribution=text.shorten(words.visible(media.attribution), MAX_NAME),
                )
    for source in draft.contents:
        for picture in words.pictures(source):
            if url := address(picture.url, draft.content_base):
                title = text.shorten(picture.title, MAX_NAME)
                return Image(url=url, width=picture.width, height=picture.height, title=title)
    return None


def _topics(given: list[str]) -> tuple[str, ...]:
    topics: dict[str, str] = {}
    for written in given:
        name = words.plain(written).strip("#,;")
        known = not name or len(name) > MAX_TOPIC or name.casefold() in _SAYS_NOTHING or _WEB.match(name)
        if not known:
            topics.setdefault(text.slug(name), name)
        if len(topics) == MAX_TOPICS:
            break
    return tuple(topics.values())


def _byline(given: list[str]) -> str:
    names = {}
    for written in given[:MAX_AUTHORS]:
        name = words.plain(written)
        if "@" in name:
            name = _MAIL.sub("", name).strip()
            whole = _BRACKETS.fullmatch(name)
            name = whole[1] if whole else name
        name = _ACCOUNT.sub("", name.strip(" ,;"))
        if name and not _WEB.match(name):
            names[name.casefold()] = name
    return text.shorten(", ".join(names.values()), MAX_NAME)
