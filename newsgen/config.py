"""`site.toml` becomes a Config; what it does not say has a default, what it misspells is an error with a hint."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from newsgen import canonical
from newsgen.errors import ConfigError, Problem
from newsgen.text import LANGUAGE
from newsgen.validation import Fault, Faults, dotted, faults, near

Kind = Literal[
    "home", "story", "article", "topic", "provider", "category", "archive", "sources", "page",
    "feed", "rss", "atom", "jsonfeed", "opml", "sitemap", "robots", "404", "headers", "redirects",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
"""The kinds of page that `disable_kinds` can switch off."""

Count = Annotated[int, Meta(ge=1)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of site.toml."""


class NavigationItem(Table, frozen=True, kw_only=True):
    """An entry of the navigation: an address on this site ("/topics/rail/") or an http(s) URL."""

    title: str
    url: str


class Block(Table, frozen=True, kw_only=True):
    """What must appear nowhere, not even as coverage: domains (with their sub-domains) and single URLs."""

    providers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class Stories(Table, frozen=True, kw_only=True):
    """`folded`: whether a held follower (heat below 0) may show as a line of a published story.

    `similarity`: whether words alone may join articles.
    """

    folded: Literal["hold", "member"] = "hold"
    similarity: bool = True


class Ranking(Table, frozen=True, kw_only=True):
    """After `half_life` hours a story needs twice the strength to keep its place; caps hold for one ranked list."""

    half_life: Annotated[float, Meta(gt=0)] = 24.0
    provider_cap: Count = 3
    topic_cap: Count = 6


class Images(Table, frozen=True, kw_only=True):
    """`show`: the publishers' pictures from their own servers, or none at all."""

    show: Literal["remote", "none"] = "remote"


class Video(Table, frozen=True, kw_only=True):
    """`hosts` whose iframes are understood; `embed` puts their players into the page instead of a poster."""

    hosts: tuple[str, ...] = (
        "www.youtube-nocookie.com",
        "www.youtube.com",
        "youtube.com",
        "player.vimeo.com",
        "www.dailymotion.com",
    )
    embed: bool = False


class Redirects(Table, frozen=True, kw_only=True):
    """How an old address answers: `pages` writes a page that leads on, `file` a line in `_redirects`."""

    pages: bool = True
    file: bool = True


Header = Literal["Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type"]
"""What object stores keep with an object."""


class HeaderRule(Table, frozen=True, kw_only=True):
    """Headers for the objects whose path matches a shell pattern, as `feeds/*`; the last rule that names one holds."""

    match: str
    set: dict[Header, Annotated[str, Meta(pattern=r"^[\x20-\x7e]+$")]]


class Publish(Table, frozen=True, kw_only=True):
    """A place to publish to, `[publish.NAME]`. `to` is its address; docs/publishing.md says what each setting does."""

    to: str
    keep: Annotated[int, Meta(ge=0)] = 5
    grace: Annotated[str, Meta(pattern=r"^\d{1,6}[smhd]$")] = "0s"
    precompress: tuple[Literal["br", "gzip"], ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    single_commit: bool = False
    max_delete: Annotated[int, Meta(ge=0)] = 256
    allow_lost: bool = False
    websub: str = ""


class Fields(Table, frozen=True, kw_only=True, rename="camel"):
    """What other generators call our front matter fields; understood where ours is absent, the first found counts."""

    title: tuple[str, ...] = ()
    excerpt: tuple[str, ...] = ("description", "summary")
    published_date_time: tuple[str, ...] = ("date",)
    updated_date_time: tuple[str, ...] = ("lastmod",)
    expiry_date: tuple[str, ...] = ("expirydate",)
    web_url: tuple[str, ...] = ("link", "url")
    original_url: tuple[str, ...] = ()
    topics: tuple[str, ...] = ("tags",)
    category: tuple[str, ...] = ("categories",)
    images: tuple[str, ...] = ("image",)
    type: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    heat: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()

    def ours(self) -> dict[str, tuple[int, str]]:
        """For each foreign name its rank among the names of a field, and that field."""
        pairs = ((f.encode_name, names) for f in msgspec.structs.fields(self) for names in [getattr(self, f.name)])
        return {name: (rank, ours) for ours, names in pairs for rank, name in enumerate(names)}


class Config(Table, frozen=True, kw_only=True):
    """site.toml."""

    title: str = "News"
    description: str = ""
    language: Annotated[str, Meta(pattern=LANGUAGE)] = "en"
    dir: Literal["ltr", "rtl"] = "ltr"
    timezone: str = "UTC"
    base_url: str = ""
    permalink: str = "/:year/:month/:day/:slug/"
    page_size: Count = 30
    feed_size: Count = 30
    excerpt_length: Annotated[int, Meta(ge=20)] = 300
    disable_kinds: tuple[Kind, ...] = ()
    navigation: tuple[NavigationItem, ...] | None = None
    fields: Fields = Fields()
    block: Block = Block()
    stories: Stories = Stories()
    ranking: Ranking = Ranking()
    images: Images = Images()
    video: Video = Video()
    redirects: Redirects = Redirects()
    publish: dict[str, Publish] = {}

    def has(self, kind: str) -> bool:
        """Whether pages of this kind are wanted."""
        return kind not in self.disable_kinds

    @property
    def base(self) -> str:
        """The site's address without a closing slash, "" where unknown."""
        return self.base_url.rstrip("/")

    @property
    def root(self) -> str:
        """The path that begins every address of the site, with a closing slash."""
        return urlsplit(self.base_url).path.rstrip("/") + "/"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


_TOKEN = re.compile(r":([a-z]+)")
_TOKENS = ("year", "month", "day", "slug", "category", "provider")


def _sense(config: Config) -> Faults:
    """What the types cannot say."""
    wrong = Faults()
    if config.base_url and not _is_site(config.base_url):
        what = f"{config.base_url!r} is not the address of a site"
        wrong.add(("base_url",), what, 'write it as "https://example.org/news/"')
    try:
        ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.add(("timezone",), f"no time zone {config.timezone!r}", 'use a name such as "Europe/Berlin"')
    tokens = _TOKEN.findall(config.permalink)
    for token in tokens:
        if token not in _TOKENS:
            hint = near(token, _TOKENS) or "known: " + ", ".join(":" + t for t in _TOKENS)
            wrong.add(("permalink",), f"unknown part :{token}", hint)
    shape = _TOKEN.sub("x", config.permalink)
    if "slug" not in tokens or not re.fullmatch(r"(/[\w.~-]+)+/", shape) or re.search(r"/\.+/", shape):
        hint = 'begin and end it with a slash and use :slug, as in "/:year/:slug/"'
        wrong.add(("permalink",), f"{config.permalink!r} cannot be an address", hint)
    for index, item in enumerate(config.navigation or ()):
        if not re.match(r"/(?!/)|https?://", item.url):
            wrong.add(("navigation", index, "url"), f"{item.url!r} is no address", 'use "/path/" or an http(s) URL')
    for index, domain in enumerate(config.block.providers):
        if not canonical.host(domain):
            wrong.add(("block", "providers", index), f"{domain!r} is not a domain", 'write it as in "example.org"')
    for index, url in enumerate(config.block.urls):
        if not canonical.key(url):
            hint = "write it in full, beginning with https://"
            wrong.add(("block", "urls", index), f"{url!r} is not a web address", hint)
    for name, place in config.publish.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            wrong.add(("publish", name), f"{name!r} cannot be the name of a target", "use a-z, 0-9, - and _")
        if place.websub and not re.match(r"https?://[^/@]+(/|$)", place.websub):
            wrong.add(("publish", name, "websub"), "is not the address of a hub", 'write it as "https://hub.example/"')
    return wrong


def _is_site(url: str) -> bool:
    """Whether every address of a site can begin with this one."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    odd = re.search(r"[\s\"'<>\\]|/\.{1,2}(/|$)|//.*//", url)
    return named and url.isascii() and not (parts.query or parts.fragment or odd)


def load(path: Path, **overrides: Any) -> Config:
    """The configuration in a file (the defaults where there is none), with `overrides` that are not None.

    Raises ConfigError with every problem of the file.
    """
    name = path.name
    text = ""
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        values = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(Problem(path=name, what="is not UTF-8", hint="save it as UTF-8")) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"\(at line (\d+)", str(error))
        what = str(error).split(" (at ")[0] or "nests too deeply"
        raise ConfigError(
            Problem(path=name, line=int(found[1]) if found else 0, what=what[:200], hint="see https://toml.io")
        ) from None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None
    values |= {key: value for key, value in overrides.items() if value is not None}
    wrong: list[Fault] = list(faults(values, Config))
    if not wrong:
        config = msgspec.convert(values, Config)
        wrong = _sense(config)
        if not wrong:
            return config
    shown = [(dotted(at), what, hint) for at, what, hint in wrong]
    raise ConfigError(*sorted(Problem(path=name, line=_line(text, f), field=f, what=w, hint=h) for f, w, h in shown))


def _line(text: str, at: str) -> int:
    """The line of a setting in the file's text: a search for its table, then its key; 0 where neither is found."""
    *tables, key = re.sub(r"\[\d+\]", "", at).split(".")
    lines = text.splitlines()
    start = 0
    if tables:
        heading = re.compile(r"\s*\[+\s*" + re.escape(".".join(tables)) + r"\s*\]+")
        start = next((i for i, line in enumerate(lines) if heading.match(line)), 0)
    setting = re.compile(r"\s*(\[+\s*)?[\"']?" + re.escape(key) + r"\b")
    return next(
        (i + 1 for i, line in enumerate(lines) if i >= start and setting.match(line)),
        start + 1 if tables and start else 0,
    )
