"""The front matter fields of content files: their types, and the functions that validate and normalise their values."""

from __future__ import annotations

import re
from datetime import date, time
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta

from newsgen import canonical, phrases, text, times, urls
from newsgen.config import DURATION, seconds
from newsgen.model import Link
from newsgen.platforms import Platforms
from newsgen.validation import Faults, Path

MAX_TOPICS = 50

MAX_BRIEF = 80

MAX_AUTHORS, MAX_AUTHOR = 20, 200

_PLAIN_URL = re.compile(
    r"https?://(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*(?:/[\w\-.~!$&'()*+,;=:@%/]*)?(?:\?[\w\-.~!$&'()*+,;=:@%/?]*)?", re.ASCII
)

# The types of values in a file. YAML and TOML have dates and JSON has not, so a time is Any here; `moment` checks it.
When = Annotated[Any, Meta(extra_json_schema={"type": "string", "format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Size = Annotated[int, Meta(ge=0, le=100_000)]


class ImageFile(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A picture. `url` is an http(s) URL, a path on this site or the name of a file beside this one; sizes are in pixels."""

    url: str
    width: Size = 0
    height: Size = 0
    is_cached: bool = False
    title: str = ""
    attribution: str = ""


class ProviderPart(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """The provider. If `domain` is missing, the domain comes from the URL."""

    name: str = ""
    domain: str = ""
    images: tuple[ImageFile, ...] = ()


class AuthorPart(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """An author. `url` is the author's page: an http(s) URL or a path on this site."""

    name: str = ""
    url: str = ""


Provider: TypeAlias = ProviderPart | str
Authors: TypeAlias = tuple[AuthorPart | str, ...] | AuthorPart | str
Images: TypeAlias = tuple[ImageFile | str, ...] | ImageFile | str


class RelatedFile(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """An entry of `related`: a report elsewhere about the same or a similar event."""

    title: str
    excerpt: str = ""
    published_date_time: When = None
    updated_date_time: When = None
    original_url: Url = ""
    web_url: Url = ""
    amp_web_url: Url = ""
    cdn_amp_web_url: Url = ""
    type: str = "article"
    quality: Whole | None = None
    heat: Number | None = None
    provider: Provider = ProviderPart()
    images: Images = ()


class FetchedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What `newsgen fetch` notes in a file that it writes: the feed's name, the entry's id, and a digest of its values.

    `undated`: the feed gave no usable date, so `publishedDateTime` is when the entry was first seen.
    """

    feed: str = ""
    guid: str = ""
    digest: str = ""
    undated: bool = False


class ArticleFile(msgspec.Struct, rename="camel", kw_only=True):
    """The front matter of an article file."""

    title: str
    excerpt: str = ""
    published_date_time: When = None
    updated_date_time: When = None
    publish_date: When = None
    expiry_date: When = None
    original_url: Url = ""
    web_url: Url = ""
    amp_web_url: Url = ""
    cdn_amp_web_url: Url = ""
    published: bool = True
    draft: bool = False
    heat: Number | None = None
    quality: Whole | None = None
    provider: Provider = ProviderPart()
    author: Authors = ()
    topics: tuple[str, ...] | str = ()
    category: str | tuple[str, ...] = ""
    type: str = "article"
    images: Images = ()
    related: tuple[RelatedFile, ...] = ()
    featured_content: str = ""
    story: str = ""
    standalone: bool = False
    pin: When = None
    lang: Annotated[str, Meta(extra_json_schema={"pattern": text.LANGUAGE})] = ""
    dir: Literal["", "ltr", "rtl", "auto"] = ""
    aliases: tuple[str, ...] | str = ()
    fetched: FetchedPart | None = None


class AboutFile(msgspec.Struct, rename="camel", kw_only=True):
    """The front matter of a file about a topic, a provider or a story, or of a plain page."""

    name: str = ""
    title: str = ""
    description: str = ""
    summary: str = ""
    parent: str = ""
    domain: str = ""
    home: Url = ""
    kind: str = ""
    country: str = ""
    owner: str = ""
    lead: str = ""
    images: Images = ()
    navigation: bool = False
    aliases: tuple[str, ...] | str = ()
    synonyms: tuple[str, ...] | str = ()
    keywords: tuple[str, ...] | str = ()


Duration = Annotated[str, Meta(extra_json_schema={"pattern": DURATION})]


class FeedFile(msgspec.Struct, kw_only=True):
    """The front matter of a file about a feed to fetch. Its articles get what the feed does not say."""

    url: Url
    title: str = ""
    provider: Provider = ProviderPart()
    category: str = ""
    topics: tuple[str, ...] | str = ()
    lang: Annotated[str, Meta(extra_json_schema={"pattern": text.LANGUAGE})] = ""
    quality: Whole | None = None
    type: str = ""
    include: tuple[str, ...] | str = ()
    exclude: tuple[str, ...] | str = ()
    max_age: Duration = ""
    every: Duration = ""
    enabled: bool = True


ARTICLE_FIELDS = tuple(sorted(f.encode_name for f in msgspec.structs.fields(ArticleFile)))
"""The front matter fields of an article, as a file spells them."""


# The functions below take values of the right type. They add every invalid value to `wrong`.


def is_web(value: Any) -> bool:
    """Whether a value looks like an http(s) address."""
    return isinstance(value, str) and re.match(r"https?:[/\\]{2}", value.strip(), re.IGNORECASE) is not None


def web_address(value: str, at: Path, wrong: Faults) -> str:
    """The http(s) address, percent-encoded as needed; "" if it is empty or invalid."""
    if not value:
        return ""
    address = _web_address(value)
    if not address:
        wrong.add(at, f"{_quoted(value.strip(), 60)} is not a web address", "write it in full, beginning with https://")
    return address


# Cached: a URL appears in its own file and in all files that list it as related, and these are read close together.
@lru_cache(maxsize=1 << 14)
def _web_address(value: str) -> str:
    if _PLAIN_URL.fullmatch(value) and not ("/." in value or "/%2" in value or "xn--" in value):
        return value
    return canonical.web_address(value) if text.printable(value) == value else ""


def reader_address(file: ArticleFile | RelatedFile, at: Path, wrong: Faults) -> str:
    """The URL that readers are sent to: webUrl, else originalUrl."""
    web = file.web_url and web_address(file.web_url, (*at, "webUrl"), wrong)
    original = file.original_url and web_address(file.original_url, (*at, "originalUrl"), wrong)
    return web or original


def keys(file: ArticleFile | RelatedFile, url: str) -> tuple[str, ...]:
    """The canonical keys of a member, without repeats: first that of `url`, where readers are sent, then the others."""
    urls = (url, file.web_url, file.original_url, file.amp_web_url, file.cdn_amp_web_url)
    return tuple(dict.fromkeys([key for url in urls if url and (key := _key(url))]))


def _key(url: str) -> str:
    # A URL without a scheme has no key, but readers can be sent there.
    return canonical.key(url) or canonical.key(_web_address(url))


def provider(part: Provider, url: str, at: Path, wrong: Faults, platforms: Platforms) -> tuple[str, str]:
    """The provider's key and its name in the file. The domain in the file counts, or else the URL.

    A provider that is only text is a domain if it looks like one, such as paper.example, otherwise a name. If the
    domain is only that of the platform that the URL is on, the URL says more: it names the author.
    """
    if isinstance(part, str):
        is_domain = re.search(r"\.[a-z][a-z0-9-]+$", _domain(part.strip()))
        part = ProviderPart(domain=part) if is_domain else ProviderPart(name=part)
    given = part.domain.strip()
    domain = platforms.key(given) if given else ""
    if given and not domain:
        wrong.add((*at, "provider", "domain"), f"{_quoted(given, 60)} is not a domain", "write it as example.org")
    if url and (not domain or domain in platforms):
        author = platforms.provider(url)
        if not domain or author.endswith("." + domain):
            domain = author
    return domain, text.plain(part.name)


def authors(given: Authors, wrong: Faults) -> tuple[Link, ...]:
    """The authors of an article, without repeats, each with the address of their page or ""."""
    rows = given if isinstance(given, tuple) else (given,) if given else ()
    out: dict[str, Link] = {}
    for index, row in enumerate(rows):
        at: Path = ("author", index) if isinstance(given, tuple) else ("author",)
        part = AuthorPart(name=row) if isinstance(row, str) else row
        if name := brief(part.name, at, wrong, MAX_AUTHOR):
            address = urls.spelled(part.url) or web_address(part.url, (*at, "url"), wrong)
            out.setdefault(name.casefold(), Link(title=name, url=address))
        elif not part.name.strip():
            wrong.add(at, "has no name", "write it as text, or as {name: ..., url: ...}")
    if len(out) > MAX_AUTHORS:
        wrong.add(("author",), f"{len(out) - MAX_AUTHORS:,} are left out", f"an article can have {MAX_AUTHORS} authors")
    return tuple(out.values())[:MAX_AUTHORS]


def _domain(value: str) -> str:
    """The normalised domain of a domain or an address; "" if it is neither."""
    try:
        return canonical.host(urlsplit(value).netloc if "://" in value else value)
    except ValueError:
        return ""


def moment(value: Any, at: Path, wrong: Faults) -> date | None:
    """A value from YAML, TOML or JSON as a day or time, in the types of `times`."""
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, bool):
        wrong.add(at, "takes a time, not true or false", "write it as 2026-11-08 or 2026-11-08T16:30:00Z")
        return None
    reason = "is ambiguous" if type(value) in (int, float, time) else "is not a valid date"
    # A number of eight digits is a date in ISO 8601's basic form. Others may count seconds or milliseconds.
    given = str(value) if type(value) is int and 10**7 <= value < 10**8 else value
    if isinstance(given, str):
        try:
            return times.parse(given)
        except ValueError as error:
            reason = str(error)
    wrong.add(at, f"{_quoted(str(value), 40)} {reason}", "write it as 2026-11-08 or 2026-11-08T16:30:00Z")
    return None


def language(value: str, at: Path, wrong: Faults) -> str:
    """A language tag (RFC 5646). Only its form is checked; "" if that is invalid."""
    if value and not re.fullmatch(text.LANGUAGE, value):
        wrong.add(at, f"{_quoted(value, 40)} is not a language tag", "use a tag such as en or pt-BR")
        return ""
    return value


def names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Names as plain text. Of names with the same slug, the first spelling is kept."""
    out: dict[str, str] = {}
    for name in map(text.plain, given):
        if name:
            out.setdefault(text.slug(name), name)
    return tuple(out.values())


def too_many(given: tuple[str, ...], unique: tuple[str, ...], wrong: Faults) -> None:
    """Reports the topics that are over the limit. `given` are those in the file, `unique` as `names` gives them."""
    first, more = unique[MAX_TOPICS], len(unique) - MAX_TOPICS - 1
    index = next((i for i, name in enumerate(given) if text.plain(name) == first), None)
    others = f" and {more:,} more are" if more else " is"
    what = f"{_quoted(first, 40)}{others} left out"
    hint = f"an article can have {MAX_TOPICS} topics"
    wrong.add(("topics",) if index is None else ("topics", index), what, hint)


def merged(given: tuple[str, ...], kept: tuple[str, ...]) -> tuple[str, ...]:
    """The names that `names` left out of `given` because another has the same slug, without repeats of `kept`."""
    if len(given) == len(kept):
        return ()
    return tuple(dict.fromkeys(name for name in map(text.plain, given) if name and name not in kept))


def duration(value: str, at: Path, wrong: Faults) -> int | None:
    """A duration such as 30m in seconds; None if it is empty or invalid."""
    if not value:
        return None
    if not re.fullmatch(DURATION, value):
        wrong.add(at, f"{_quoted(value, 40)} is not a duration", "write it as 30m, 12h or 7d")
        return None
    return seconds(value)


def brief(value: str, at: Path, wrong: Faults, most: int = MAX_BRIEF) -> str:
    """A few words on one line; "" if there are more than `most` characters."""
    words = text.plain(value)
    if len(words) > most:
        wrong.add(at, f"{_quoted(words, 40)} is too long", f"write at most {most} characters")
        return ""
    return words


def sought(given: tuple[str, ...], at: Path, wrong: Faults) -> tuple[str, ...]:
    """Phrases to look for in texts, without repeats."""
    out: dict[str, None] = {}
    for index, row in enumerate(given):
        if phrase := _phrase(row, (*at, index), wrong):
            out[phrase] = None
    return tuple(out)


def _phrase(row: str, at: Path, wrong: Faults) -> str:
    phrase = text.plain(row)
    if any(map(str.isalnum, phrases.fold(phrase))):
        return phrase
    wrong.add(at, f"{_quoted(row, 40)} has no letter or digit", "write a word or a phrase")
    return ""


def patterns(given: tuple[str, ...], at: Path, wrong: Faults) -> tuple[str, ...]:
    """Phrases, or regular expressions between slashes, without repeats."""
    out: dict[str, None] = {}
    for index, row in enumerate(given):
        if is_expression(row):
            try:
                re.compile(row[1:-1], re.IGNORECASE)
            except (re.error, OverflowError, RecursionError) as error:
                reason = getattr(error, "msg", "is too large")
                hint = "see https://docs.python.org/3/library/re.html#regular-expression-syntax"
                wrong.add((*at, index), f"{_quoted(row, 40)} is not a regular expression: {reason}", hint)
            else:
                if _NESTED_REPEAT.search(row):
                    hint = "repeat either the group or what is in it"
                    wrong.add((*at, index), f"{_quoted(row, 40)} can take very long: it repeats a repetition", hint)
                else:
                    out[row] = None
        elif phrase := _phrase(row, (*at, index), wrong):
            out[phrase] = None
    return tuple(out)


# As in (a+)+: on some titles, such an expression takes exponential time.
_NESTED_REPEAT = re.compile(r"[+*}][)]+[+*{]")


def is_expression(pattern: str) -> bool:
    """Whether a pattern is a regular expression, not a phrase."""
    return len(pattern) > 2 and pattern[0] == pattern[-1] == "/"


def aliases(given: tuple[str, ...], wrong: Faults) -> tuple[str, ...]:
    """Old addresses on this site, without repeats. The slash at the beginning may be missing."""
    out = []
    for index, row in enumerate(given):
        address, what, hint = urls.old(row.strip())
        if what:
            wrong.add(("aliases", index), f"{_quoted(row, 60)} {what}", hint)
        else:
            out.append(address)
    return tuple(dict.fromkeys(out))


def picture_address(value: str, at: Path, wrong: Faults) -> str:
    """The http(s) address of a picture, its address on this site, or the name of a file; "" if it is none of these."""
    if address := urls.spelled(value):
        return address
    if not value or is_web(value) or value.startswith(("//", "/\\", "\\")):
        return web_address(value, at, wrong)
    name = value.strip()
    if name.lower().endswith(text.PICTURES) and not _NO_NAME.search(name):
        return name
    if re.search(r"\.(?:hei[cf]|tiff?|bmp|jxl|psd)$", name, re.IGNORECASE):
        what, hint = "is a format that browsers do not show", "save it as JPEG, PNG, WebP or AVIF"
    else:
        what = "is not the address of a picture"
        hint = "name a file beside this one, or begin it with / for a file in static/, or with https://"
    wrong.add(at, f"{_quoted(name, 60)} {what}", hint)
    return ""


# A scheme, or a character that no file may have in its name here.
_NO_NAME = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*:|[\\\x00-\x1f\x7f-\x9f]")


def is_name(url: str) -> bool:
    """Whether the address of a picture, as `picture_address` returns it, is the name of a file."""
    return not url.startswith(("/", "http:", "https:"))


def file_id(name: str, of: str) -> str:
    """The id of the file that the content file `of` means by a name relative to it; "" if that is not below the folder."""
    try:
        decoded = unquote(name, errors="strict")
    except UnicodeDecodeError:
        return ""
    if _NO_NAME.search(decoded) or decoded.startswith("/"):
        return ""
    parts = of.split("/")[:-1]
    for part in decoded.split("/"):
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _quoted(value: str, length: int) -> str:
    return repr(text.shorten(text.printable(value), length))
