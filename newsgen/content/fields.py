"""The front matter fields of content files: their types, and the functions that validate and normalise their values."""

from __future__ import annotations

import re
from datetime import date, time
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta

from newsgen import canonical, text, times
from newsgen.validation import Faults, Path

MAX_TOPICS = 50

_PLAIN_URL = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w\-.~!$&'()*+,;=:@%/]*)?(?:\?[\w\-.~!$&'()*+,;=:@%/?]*)?", re.ASCII
)

# The types of values in a file. YAML and TOML have dates and JSON has not, so a time is Any here; `moment` checks it.
When = Annotated[Any, Meta(extra_json_schema={"type": "string", "format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Size = Annotated[int, Meta(ge=0, le=100_000)]


class ImageFile(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A picture. `url` is an http(s) URL or a path on this site; sizes are in pixels."""

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
    provider: ProviderPart = ProviderPart()
    images: Images = ()


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
    provider: ProviderPart = ProviderPart()
    topics: tuple[str, ...] | str = ()
    category: str | tuple[str, ...] = ""
    type: str = "article"
    images: Images = ()
    related: tuple[RelatedFile, ...] = ()
    featured_content: str = ""
    story: str = ""
    pin: When = None
    lang: Annotated[str, Meta(extra_json_schema={"pattern": text.LANGUAGE})] = ""
    dir: Literal["", "ltr", "rtl", "auto"] = ""
    aliases: tuple[str, ...] | str = ()


class AboutFile(msgspec.Struct, rename="camel", kw_only=True):
    """The front matter of a file about a topic, a provider or a story, or of a plain page."""

    name: str = ""
    title: str = ""
    description: str = ""
    summary: str = ""
    parent: str = ""
    domain: str = ""
    home: Url = ""
    lead: str = ""
    images: Images = ()
    navigation: bool = False
    aliases: tuple[str, ...] | str = ()


ARTICLE_FIELDS = tuple(sorted(f.encode_name for f in msgspec.structs.fields(ArticleFile)))
"""The front matter fields of an article, as a file spells them."""


# The functions below take values of the right type. They add every invalid value to `wrong`.


def is_web(value: Any) -> bool:
    """Whether a value looks like an http(s) address."""
    return isinstance(value, str) and value.strip().lower().startswith(("http://", "https://"))


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
    if _PLAIN_URL.fullmatch(value):
        return value
    value = value.strip()
    if value.startswith("//"):
        value = "https:" + value
    try:
        parts = urlsplit(value)
        valid = parts.scheme in ("http", "https") and bool(canonical.host(parts.hostname or ""))
        valid = valid and "@" not in parts.netloc and "\\" not in value and (parts.port or 80) > 0
    except ValueError:
        valid = False
    if not valid or text.printable(value) != value:
        return ""
    name = canonical.host(parts.hostname or "")
    name = ("www." if (parts.hostname or "").startswith("www.") else "") + name
    rest = value[value.index("//") + 2 + len(parts.netloc) :]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{name}{port}" + quote(rest, safe="/?#[]@!$&'()*+,;=:%~")


def reader_address(file: ArticleFile | RelatedFile, at: Path, wrong: Faults) -> str:
    """The URL that readers are sent to: webUrl, else originalUrl."""
    web = file.web_url and web_address(file.web_url, (*at, "webUrl"), wrong)
    original = file.original_url and web_address(file.original_url, (*at, "originalUrl"), wrong)
    return web or original


def keys(file: ArticleFile | RelatedFile) -> tuple[str, ...]:
    """The canonical keys of a member, without repeats: first that of the URL readers are sent to, then the others."""
    urls = (file.web_url, file.original_url, file.amp_web_url, file.cdn_amp_web_url)
    return tuple(dict.fromkeys([key for url in urls if url and (key := canonical.key(url))]))


def provider(part: ProviderPart, url: str, at: Path, wrong: Faults) -> tuple[str, str]:
    """The provider's normalised domain and its name in the file. Without a domain in the file, the URL gives it."""
    given = part.domain.strip()
    domain = canonical.host(urlsplit(given).netloc if "://" in given else given) if given else ""
    if given and not domain:
        wrong.add((*at, "provider", "domain"), f"{_quoted(given, 60)} is not a domain", "write it as example.org")
    if not domain and url:
        domain = canonical.host(urlsplit(url).netloc)
    return domain, text.plain(part.name)


def moment(value: Any, at: Path, wrong: Faults) -> date | None:
    """A value from YAML, TOML or JSON as a day or time, in the types of `times`."""
    if value is None or isinstance(value, date):
        return value
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
    """A language tag (RFC 5646). Only its form is checked."""
    if value and not re.fullmatch(text.LANGUAGE, value):
        wrong.add(at, f"{_quoted(value, 40)} is not a language tag", "use a tag such as en or pt-BR")
    return value


def names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Names as plain text. Of names with the same slug, the first spelling is kept."""
    out: dict[str, str] = {}
    for name in map(text.plain, given):
        if name:
            out.setdefault(text.slug(name), name)
    return tuple(out.values())


def aliases(given: tuple[str, ...] | str, wrong: Faults) -> tuple[str, ...]:
    """Old addresses on this site, without repeats."""
    out = []
    for index, row in enumerate((given,) if isinstance(given, str) else given):
        path = row.strip()
        valid = re.fullmatch(r"/(?!/)[^\x00-\x20\x7f\"'<>\\?#%*:|]*", path) and len(path) <= 500
        if not valid or any(p in (".", "..") for p in path.split("/")):
            what = f"{_quoted(row, 60)} is not an address on this site"
            wrong.add(("aliases", index), what, "write the old path, such as /2019/07/name/")
        elif path != "/":
            out.append(path)
    return tuple(dict.fromkeys(out))


def local_address(value: str) -> bool:
    """Whether a picture's address is a path on this site."""
    return value.startswith("/") and re.fullmatch(r"/(?![/\\])[^\x00-\x20\x7f\"'<>\\]*", value) is not None


def _quoted(value: str, length: int) -> str:
    return repr(text.shorten(text.printable(value), length))
