"""Loads `site.toml` into a Config. Absent settings have defaults; an unknown or invalid setting is an error."""

from __future__ import annotations

import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from newsgen import brands, canonical, platforms, policies, urls
from newsgen.brands import Brand
from newsgen.errors import ConfigError, Problem, unreadable
from newsgen.hosts import HOSTS, Host, HostName
from newsgen.platforms import Platforms
from newsgen.policies import Policy
from newsgen.text import LANGUAGE, slug
from newsgen.validation import Fault, Faults, did_you_mean, dotted, faults
from newsgen.validation import Path as At

Kind = Literal[
    "home", "topic", "provider", "category", "archive", "sources", "page", "search", "following",
    "feed", "rss", "atom", "jsonfeed", "opml", "sitemap", "robots", "manifest", "404", "headers", "redirects",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
"""The page kinds that `disable_kinds` accepts."""

ExtraKind = Literal["api", "llms"]
EXTRA_KINDS: tuple[str, ...] = get_args(ExtraKind)
"""The page kinds that a site has only if `enable_kinds` names them."""

FeedFormat = Literal["rss", "atom", "jsonfeed"]

DURATION = r"^\d{1,6}[smhd]$"
"""A pattern for durations: a number of seconds, minutes, hours or days, such as 30m."""

Duration = Annotated[str, Meta(pattern=DURATION, examples=["30m", "12h", "7d"])]

Count = Annotated[int, Meta(ge=1)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of site.toml."""


class NavigationItem(Table, frozen=True, kw_only=True):
    """A navigation entry. `url` is an address on this site ("/topics/rail/") or an http(s) URL."""

    title: str
    url: str


class ShareLink(Table, frozen=True, kw_only=True):
    """A link by which readers share a story. `url` is an http(s) URL with {url} and, if wanted, {title} in it."""

    title: str
    url: str


class Block(Table, frozen=True, kw_only=True):
    """The blocklist: domains (including their sub-domains) and URLs that must not appear anywhere, even as coverage."""

    providers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class Sources(Table, frozen=True, kw_only=True):
    """Sources. `platforms` are further hosts with many authors: `host` for sub-domains, or `host/prefix:name`."""

    platforms: tuple[str, ...] = ()


class Pages(Table, frozen=True, kw_only=True):
    """Which articles have a page.

    `articles`: "all", or "own" for own posts, articles with a body, and the members of stories.
    """

    articles: Literal["all", "own"] = "own"


class Stories(Table, frozen=True, kw_only=True):
    """Clustering.

    `folded`: "member" shows a follower (held, with heat below 0) as a line of its story; "hold" hides it.
    `similarity`: whether similar words alone can put articles into one story.
    `join`: whether they join more articles than normally, or fewer; see `grouping.ENOUGH`.
    """

    folded: Literal["hold", "member"] = "hold"
    similarity: bool = True
    join: Literal["less", "normal", "more"] = "normal"


class Ranking(Table, frozen=True, kw_only=True):
    """Ranking. After `half_life` hours a story needs twice the strength to keep its place.

    The caps limit how many places one provider and one topic can take in a ranked list.
    """

    half_life: Annotated[float, Meta(gt=0)] = 24.0
    provider_cap: Count = 3
    topic_cap: Count = 6


class Images(Table, frozen=True, kw_only=True):
    """Pictures. `show`: "remote" loads publishers' pictures from their servers, "cached" from this site if
    `newsgen images` has fetched them, and "none" shows no pictures at all.
    """

    show: Literal["remote", "cached", "none"] = "remote"


class Video(Table, frozen=True, kw_only=True):
    """Video players. Only iframes from `hosts` are accepted. `embed` puts the player in the page in place of a poster."""

    hosts: tuple[str, ...] = (
        "www.youtube-nocookie.com",
        "www.youtube.com",
        "youtube.com",
        "player.vimeo.com",
        "www.dailymotion.com",
    )
    embed: bool = False


class Feeds(Table, frozen=True, kw_only=True):
    """Feeds. `id` is the base URL that the ids in feeds begin with: an earlier `base_url`, kept when the site moves.

    `sections` are the formats of the feeds of topics, providers and categories with at least `min_members` members.
    """

    id: str = ""
    sections: tuple[FeedFormat, ...] = ("atom",)
    min_members: Count = 3


class Redirects(Table, frozen=True, kw_only=True):
    """Redirects of old addresses. `pages` writes a stub at each one, `file` writes a line in `_redirects`.

    `moved` are addresses that belong to no article, each with the address or http(s) URL that it leads to; one that ends
    in `/*` is a folder whose pages are now in another. `gone` are the addresses of pages that were removed on purpose.
    """

    pages: bool = True
    file: bool = True
    moved: dict[str, str] = {}
    gone: tuple[str, ...] = ()

    def resolved(self) -> dict[str, str]:
        """Where each address of `moved` leads in the end, as `urls` spells it."""
        leads = {urls.stub(urls.old(old)[0]): _target(new) for old, new in self.moved.items()}

        def end(target: str) -> str:
            onward = leads.get(_stub_of(target))
            return target if onward is None else end(onward)

        return {urls.old(old)[0]: end(_target(new)) for old, new in self.moved.items()}

    def folders(self) -> dict[str, str]:
        """The old folders of `moved`, and where their pages are now. All end in a slash."""
        return {old[:-1]: new[:-1] for old, new in self.resolved().items() if _is_folder(old)}


Header = Literal["Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type"]
"""The headers that object stores can save with an object."""


class HeaderRule(Table, frozen=True, kw_only=True):
    """Headers for objects whose path matches a shell pattern such as `feeds/*`. For each header the last match wins."""

    match: str
    set: dict[Header, Annotated[str, Meta(pattern=r"^[\x20-\x7e]+$")]]


class Publish(Table, frozen=True, kw_only=True):
    """A publishing target, `[publish.NAME]`. `to` is its address. docs/publishing.md describes each setting."""

    to: str
    keep: Annotated[int, Meta(ge=0)] = 5
    grace: Duration = "0s"
    precompress: tuple[Literal["br", "gzip"], ...] = ()
    headers: tuple[HeaderRule, ...] = ()
    single_commit: bool = False
    max_delete: Annotated[int, Meta(ge=0)] = 256
    allow_lost: bool = False
    websub: str = ""


class Hooks(Table, frozen=True, kw_only=True):
    """Programs to run, each as its name and arguments. `before_publish` may stop a publish."""

    before_publish: tuple[str, ...] = ()


class Slugs(Table, frozen=True, kw_only=True):
    """The words in addresses: /topics/rail/, /archive/2026/, /topics/rail/page/2/. No two may be alike."""

    topics: str = "topics"
    categories: str = "categories"
    providers: str = "providers"
    sources: str = "sources"
    archive: str = "archive"
    search: str = "search"
    following: str = "following"
    page: str = "page"


class Fetch(Table, frozen=True, kw_only=True):
    """Fetching feeds. docs/feeds.md describes each setting.

    `every`, `max_age` and `category` are for feeds whose files do not set them; a `max_age` of "0d" has no limit.
    `allow` names hosts and networks that feeds may come from although their addresses are not public.
    """

    every: Duration = "30m"
    max_age: Duration = "0d"
    category: str = ""
    allow: tuple[str, ...] = ()


class Fields(Table, frozen=True, kw_only=True, rename="camel"):
    """Other generators' names for our front matter fields. If our field is absent, the first of its names is used.

    Names are compared without case, hyphens and underscores.
    """

    title: tuple[str, ...] = ()
    excerpt: tuple[str, ...] = ("description", "summary", "custom_excerpt")
    published_date_time: tuple[str, ...] = (
        "date", "pubDate", "pubDatetime", "datePublished", "publishedAt", "publishedDate", "publishedOn", "created", "createdAt",
        "createdOn",
    )  # fmt: skip
    updated_date_time: tuple[str, ...] = (
        "lastmod", "updated", "modified", "last_modified_at", "updatedDate", "modDatetime", "dateModified", "dateUpdated", "updatedAt",
    )  # fmt: skip
    published: tuple[str, ...] = ("publish", "dg-publish")
    publish_date: tuple[str, ...] = ()
    expiry_date: tuple[str, ...] = ("unpublishDate",)
    web_url: tuple[str, ...] = ("link", "url", "external-url", "externalLink")
    original_url: tuple[str, ...] = ()
    topics: tuple[str, ...] = ("tags", "tag", "keywords")
    category: tuple[str, ...] = ("categories",)
    author: tuple[str, ...] = ("authors", "byline", "primary_author")
    images: tuple[str, ...] = (
        "image", "heroImage", "cover", "coverImage", "featuredImage", "featureImage", "thumbnail", "previewimage",
    )  # fmt: skip
    aliases: tuple[str, ...] = ("redirect_from", "alias")
    type: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    heat: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()

    def by_foreign_name(self) -> dict[str, tuple[int, str]]:
        """Maps each foreign name to its rank and to our field."""
        pairs = ((f.encode_name, names) for f in msgspec.structs.fields(self) for names in [getattr(self, f.name)])
        return {name: (rank, ours) for ours, names in pairs for rank, name in enumerate(names)}


class Config(Table, frozen=True, kw_only=True):
    """The settings of `site.toml`. docs/configuration.md describes them."""

    title: str = "News"
    description: str = ""
    language: Annotated[str, Meta(pattern=LANGUAGE, examples=["en", "pt-BR"])] = "en"
    dir: Literal["ltr", "rtl"] | None = None
    timezone: str = "UTC"
    base_url: str = ""
    host: HostName | None = None
    permalink: str = "/:year/:month/:day/:slug/"
    page_size: Count = 30
    feed_size: Count = 30
    excerpt_length: Annotated[int, Meta(ge=20)] = 300
    disable_kinds: tuple[Kind, ...] = ()
    enable_kinds: tuple[ExtraKind, ...] = ()
    navigation: tuple[NavigationItem, ...] | None = None
    share: tuple[ShareLink, ...] = ()
    brand: Brand = Brand()
    policy: Policy = Policy()
    slugs: Slugs = Slugs()
    fields: Fields = Fields()
    block: Block = Block()
    sources: Sources = Sources()
    pages: Pages = Pages()
    stories: Stories = Stories()
    ranking: Ranking = Ranking()
    images: Images = Images()
    video: Video = Video()
    feeds: Feeds = Feeds()
    redirects: Redirects = Redirects()
    publish: dict[str, Publish] = {}
    hooks: Hooks = Hooks()
    fetch: Fetch = Fetch()
    plugins: tuple[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*$")], ...] = ()

    def has(self, kind: str) -> bool:
        """Whether pages of this kind are enabled."""
        return kind in self.enable_kinds if kind in EXTRA_KINDS else kind not in self.disable_kinds

    @property
    def base(self) -> str:
        """The base URL without a closing slash; "" if not set."""
        return self.base_url.rstrip("/")

    @property
    def limits(self) -> Host | None:
        """The host of the site, with its limits; None if not set."""
        return HOSTS[self.host] if self.host else None

    @property
    def root(self) -> str:
        """The path of the base URL, with a closing slash. Every link to a page of the site begins with it."""
        return urlsplit(self.base_url).path.rstrip("/") + "/"

    @property
    def platforms(self) -> Platforms:
        """The platforms whose authors are providers of their own."""
        return platforms.of(self.sources.platforms)

    @property
    def players(self) -> tuple[str, ...]:
        """The hosts of the video players that pages embed."""
        return self.video.hosts if self.video.embed else ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


_TOKEN = re.compile(r":([a-z]+)")
_TOKENS = ("year", "month", "day", "slug", "category", "provider")


def _check(config: Config) -> Faults:
    """Checks that the types cannot express."""
    wrong = Faults()
    for at, url in ((("base_url",), config.base_url), (("feeds", "id"), config.feeds.id)):
        if url and not _is_base_url(url):
            wrong.add(at, f"{url!r} is not a valid base URL", "write it as https://example.org/news/")
    try:
        ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.add(("timezone",), f"unknown time zone {config.timezone!r}", "use a name such as Europe/Berlin")
    tokens = _TOKEN.findall(config.permalink)
    for token in tokens:
        if token not in _TOKENS:
            hint = did_you_mean(token, _TOKENS) or "use one of: " + ", ".join(":" + t for t in _TOKENS)
            wrong.add(("permalink",), f"unknown placeholder :{token}", hint)
    shape = _TOKEN.sub("x", config.permalink)
    if "slug" not in tokens or not re.fullmatch(r"(/[\w.~-]+)+/", shape) or re.search(r"/\.+/", shape):
        hint = "begin and end it with a slash and include :slug, as in /:year/:slug/"
        wrong.add(("permalink",), f"{config.permalink!r} is not a valid pattern", hint)
    slugs = msgspec.structs.asdict(config.slugs)
    for place, (name, word) in enumerate(slugs.items()):
        if word != slug(word):
            hint = f"write it as {slug(word)!r}" if word.strip() else "write a word, or remove the setting"
            wrong.add(("slugs", name), f"{word!r} cannot be part of an address", hint)
        elif other := next((other for other in [*slugs][:place] if slugs[other] == word), ""):
            wrong.add(("slugs", name), f"{word!r} is that of {other} too", "choose another word")
    for index, item in enumerate(config.navigation or ()):
        if not re.match(r"/(?![/\\])|https?://", item.url) or not item.url.isprintable():
            wrong.add(("navigation", index, "url"), f"{item.url!r} is not an address", "use /path/ or an http(s) URL")
    for index, link in enumerate(config.share):
        if not re.match(r"https?://[^{}]", link.url) or "{url}" not in link.url or not link.url.isprintable():
            what, hint = f"{link.url!r} cannot share a story", "use an http(s) URL with {url} in it"
            wrong.add(("share", index, "url"), what, hint)
    wrong += brands.check(config.brand)
    for name in Policy.__struct_fields__:
        for index, host in enumerate(getattr(config.policy, name)):
            if not policies.HOST.fullmatch(host):
                hint = "write it as stats.example, *.stats.example or stats.example:8443"
                if "unsafe" in host:
                    hint = "inline scripts and styles belong into the file of brand.head, where their hash allows them"
                wrong.add(("policy", name, index), f"{host!r} is not a host", hint)
    for index, domain in enumerate(config.block.providers):
        if not config.platforms.key(domain):
            wrong.add(("block", "providers", index), f"{domain!r} is not a domain", "write it as example.org")
    for index, pattern in enumerate(config.sources.platforms):
        if not platforms.is_pattern(pattern):
            what, hint = f"{pattern!r} is not a platform", "write it as host.example or host.example/:name"
            wrong.add(("sources", "platforms", index), what, hint)
    for index, url in enumerate(config.block.urls):
        if not canonical.key(url):
            hint = "write it in full, beginning with https://"
            wrong.add(("block", "urls", index), f"{url!r} is not a web address", hint)
    for index, name in enumerate(config.fetch.allow):
        if not _is_host_or_network(name):
            what, hint = f"{name!r} is not a host or network", "write it as feeds.example or 192.168.0.0/16"
            wrong.add(("fetch", "allow", index), what, hint)
    for index, plugin in enumerate(config.plugins):
        if plugin in config.plugins[:index]:
            wrong.add(("plugins", index), f"{plugin!r} is there twice", "remove one")
    _check_redirects(config.redirects, wrong)
    for name, target in config.publish.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            wrong.add(("publish", name), f"{name!r} is not a valid target name", "use only a-z, 0-9, - and _")
        if target.websub and not re.match(r"https?://[^/@]+(/|$)", target.websub):
            wrong.add(("publish", name, "websub"), "not the URL of a hub", "write it as https://hub.example/")
    return wrong


def _check_redirects(redirects: Redirects, wrong: Faults) -> None:
    """Checks that old addresses are such, none is there twice, and none leads in a circle or to one that is gone."""
    moved: dict[At, str] = {("redirects", "moved", old): old for old in redirects.moved}
    gone: dict[At, str] = {("redirects", "gone", index): old for index, old in enumerate(redirects.gone)}
    at_stub: dict[str, At] = {}
    for at, written in (moved | gone).items():
        address, what, hint = urls.old(written)
        if not what and at_stub.setdefault(urls.stub(address), at) != at:
            what, hint = "is there twice", "keep one of the two"
        if what:
            wrong.add(at, f"{written!r} {what}", hint)
    leads: dict[str, str] = {}
    for at, old in moved.items():
        new = _target(redirects.moved[old])
        if not new:
            wrong.add(at, f"{redirects.moved[old]!r} is not an address", "use /path/ or an http(s) URL")
        elif _is_folder(urls.old(old)[0]) and not (_is_folder(new) and len(old) > len("/*")):
            hint = 'write it as "/old/*" = "/new/*", or in static/_redirects if the new one is on another site'
            wrong.add(at, f"{old!r} leads to no folder of this site", hint)
        leads[urls.stub(urls.old(old)[0])] = new
    for at, old in moved.items() if not wrong else ():
        seen = [urls.stub(urls.old(old)[0])]
        while (target := leads.get(seen[-1])) and _stub_of(target) not in seen:
            seen.append(_stub_of(target))
        if target:
            wrong.add(at, f"{old!r} leads in a circle", "let it lead to a page")
        elif at_stub.get(seen[-1]) in gone:
            wrong.add(at, f"{old!r} leads to an address that is gone", "list it in `gone` too")


def _target(written: str) -> str:
    """Where a redirect leads, as `urls` spells it; "" if it is no address."""
    is_url = re.match("https?://", written, re.IGNORECASE)
    return canonical.web_address(written) if is_url else urls.spelled(written)


def _is_folder(address: str) -> bool:
    """Whether an address stands for all below a folder: `/topics/*`."""
    return address.startswith("/") and address.endswith("/*")


def _stub_of(target: str) -> str:
    """The stub that answers an address if it is an old one; a URL of another site has none."""
    return urls.stub(re.split("[?#]", target, maxsplit=1)[0]) if target.startswith("/") else target


def _explain_fixed_kinds(wrong: Faults, values: dict[str, Any]) -> Faults:
    """Faults in which the kinds that cannot be disabled have a hint of their own."""
    for number, fault in enumerate(wrong):
        kind = values["disable_kinds"][fault.at[1]] if fault.at[:1] == ("disable_kinds",) and fault.at[1:] else ""
        if kind in ("article", "story"):
            what = (
                f"pages of the kind {kind!r} cannot be disabled: a story lives at the address of its earliest article"
            )
            wrong[number] = Fault(
                fault.at, what, 'set `articles = "own"` in [pages] for a site without pages of single articles'
            )
    return wrong


def _is_host_or_network(name: str) -> bool:
    try:
        ip_network(name.strip(), strict=False)
    except ValueError:
        return bool(canonical.host(name)) and ":" not in name
    return True


def seconds(duration: str) -> int:
    """The seconds of a duration that `DURATION` matches."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[duration[-1]]


def _is_base_url(url: str) -> bool:
    """Whether a URL can be the beginning of every URL of a site."""
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    unsafe = re.search(r"[\s\"'<>\\]|/\.{1,2}(/|$)|//.*//", url)
    return has_host and url.isascii() and not (parts.query or parts.fragment or unsafe)


def load(path: Path, **overrides: Any) -> Config:
    """Loads a file; without the file, the defaults apply. `overrides` replace settings unless they are None.

    Raises ConfigError with all problems of the file.
    """
    name = path.name
    text = ""
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() or path.is_symlink() else ""
        values = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(Problem(path=name, what="the file is not valid UTF-8", hint="save it as UTF-8")) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        position = re.search(r"\(at line (\d+)", str(error))
        reason = str(error).split(" (at ")[0] or "nested too deeply"
        what, hint = f"invalid TOML ({reason[:200]})", "see https://toml.io"
        if twice := re.fullmatch(r"Cannot declare \((.*?),?\) twice", reason):
            table = twice[1].replace("'", "").replace(", ", ".")
            what, hint = f"the table [{table}] is in the file twice", "move these settings below the first one"
        elif reason == "Cannot overwrite a value":
            what, hint = "a setting is in the file twice", "keep one of the two"
        elif reason == "Invalid value":
            hint = 'write text in quotes, as in "text", and true and false in lower case'
        raise ConfigError(Problem(path=name, line=int(position[1]) if position else 0, what=what, hint=hint)) from None
    except OSError as error:
        raise ConfigError(unreadable(name, error)) from None
    values |= {key: value for key, value in overrides.items() if value is not None}
    wrong = _explain_fixed_kinds(faults(values, Config), values)
    if not wrong:
        config = msgspec.convert(values, Config)
        wrong = _check(config)
        wrong += brands.check_files(config.brand, path.parent)
        if not wrong:
            return config
    rows = [(_line(text, at), dotted(at), what, hint) for at, what, hint in wrong]
    raise ConfigError(*sorted(Problem(path=name, line=n, field=f, what=w, hint=h) for n, f, w, h in rows))


def line(path: Path, *at: str) -> int:
    """The line of a setting in a file, given its table and key; 0 if it is not found."""
    try:
        return _line(path.read_text(encoding="utf-8", errors="replace"), at)
    except OSError:
        return 0


def _line(text: str, at: At) -> int:
    """The line of a setting, found by searching the text for its table, then for its key; 0 if neither is found."""
    *tables, key = [step for step in at if isinstance(step, str)]
    lines = text.splitlines()
    start = 0
    if tables:
        heading = re.compile(r"\s*\[+\s*" + re.escape(".".join(tables)) + r"\s*\]+")
        start = next((i for i, line in enumerate(lines) if heading.match(line)), 0)
    assignment = re.compile(r"\s*(\[+\s*)?[\"']?" + re.escape(key) + r"(?![\w/-])")
    inline = re.compile(r"[\"']" + re.escape(key) + r"[\"']")
    found = (i for of in (assignment.match, inline.search) for i, line in enumerate(lines) if i >= start and of(line))
    place = next(found, start if tables and start else -1)
    # A table may also be written as the value of a key, and a key with the name of its table before it.
    return place + 1 or (_line(text, tuple(tables)) if tables else 0)
