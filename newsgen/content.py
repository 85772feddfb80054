"""Files become articles: `scan` finds them, `Reader.parse` turns the bytes of one into an Article, an About or Problems."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

import msgspec
import yaml
from msgspec import Meta

from newsgen import canonical, frontmatter, text
from newsgen.config import Config
from newsgen.errors import OutputError, Problem
from newsgen.markup import MAX_BYTES, Markup, TooDeep, player
from newsgen.model import About, Article, Image, Related
from newsgen.typed import dotted, faults

SUFFIXES = (".md", ".markdown", ".txt", ".html")
ABOUT = {"_topics": "topic", "_providers": "provider", "_stories": "story", "_pages": "page"}
"""The folders that hold facts about a topic, a provider, a story, and the site's own plain pages."""

MAX_TOPICS = 50

_DATED = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[-_ ]+(.+))?")
# What YAML 1.1 and other generators take for a time, and ISO 8601 does not: one digit for the hour, a space before the zone.
_SHORT_HOUR = re.compile(r"(?<=^\d{4}-\d\d-\d\d)(?:[Tt]|[ \t]+)(?=\d:\d\d)")
_SPACED_ZONE = re.compile(r"(?<=[0-9]) +(?=[+-]\d{2}:?\d{2}$|Z$)")
_PLAIN_URL = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w\-.~!$&'()*+,;=:@%/]*)?(?:\?[\w\-.~!$&'()*+,;=:@%/?]*)?", re.ASCII)
_LANG = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")

# What one of our fields may hold in a file. YAML and TOML read dates, JSON cannot: hence Any.
When = Annotated[Any, Meta(extra_json_schema={"type": "string", "format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
Whole = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Size = Annotated[int, Meta(ge=0, le=100_000)]


class ImageFile(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """A picture: http(s) or a path on this site; sizes in pixels."""

    url: str
    width: Size = 0
    height: Size = 0
    is_cached: bool = False
    title: str = ""
    attribution: str = ""


class ProviderPart(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """Who published it; the domain is taken from the URL where it is missing."""

    name: str = ""
    domain: str = ""
    images: tuple[ImageFile, ...] = ()


Images: TypeAlias = tuple[ImageFile | str, ...] | ImageFile | str


class RelatedFile(msgspec.Struct, rename="camel", kw_only=True):
    """Coverage elsewhere, of the same event or near it."""

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
    lang: Annotated[str, Meta(extra_json_schema={"pattern": _LANG.pattern})] = ""
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


_ARTICLE = frozenset(f.encode_name for f in msgspec.structs.fields(ArticleFile))
_RELATED = frozenset(f.encode_name for f in msgspec.structs.fields(RelatedFile))
_ABOUT = frozenset(f.encode_name for f in msgspec.structs.fields(AboutFile))
KNOWN = tuple(sorted(_ARTICLE))
"""Our front matter fields, as a file spells them."""


class Source(NamedTuple):
    """A file as it was found: `id` is its path below the content folder, `data` its bytes or what is wrong with it."""

    id: str
    data: bytes | Problem


class Wrong(Exception):  # noqa: N818  it is carried, not shown
    """One value that makes no sense: field path, what, hint."""


def scan(root: Path, shown: str = "") -> Iterator[Source]:
    """All content files below a folder, in the order of their paths. `shown` is how messages call that folder.

    Raises OutputError where the folder itself cannot be read.
    """
    shown = shown or root.name
    yield from _walk(str(root), "", shown)


def _walk(folder: str, below: str, shown: str) -> Iterator[Source]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError as error:
        if not below:
            raise OutputError(f"{shown}: cannot be read: {error.strerror}") from None
        yield Source(below, Problem(path=f"{shown}/{below}", what=f"cannot be read: {error.strerror}"))
        return
    for entry in entries:
        name = f"{below}{entry.name}"
        if entry.name[0] == "." or (entry.name[0] == "_" and (below or entry.name not in ABOUT)):
            continue
        fits = entry.name.lower().endswith(SUFFIXES)
        if not name.isprintable() or name.encode("utf-8", "replace").decode() != name:
            path = f"{shown}/{name.encode('unicode_escape').decode()}"
            yield Source(path, Problem(path=path, what="has a name that cannot be printed", hint="rename it"))
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, name + "/", shown)
        elif entry.is_symlink() and entry.is_dir():
            yield Source(name, Problem(path=f"{shown}/{name}", what="is a link to a folder", hint="links to folders are not followed: move it here"))
        elif fits:
            yield Source(name, _bytes(entry, f"{shown}/{name}"))


def _bytes(entry: os.DirEntry[str], path: str) -> bytes | Problem:
    limit = frontmatter.MAX_BYTES + MAX_BYTES
    try:
        found = entry.stat()
        if not stat.S_ISREG(found.st_mode):
            return Problem(path=path, what="is not a file")
        if found.st_size > limit:
            return Problem(path=path, what=f"has {found.st_size:,} bytes", hint=f"an article has at most {limit:,}")
        with open(entry.path, "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        return Problem(path=path, what=f"cannot be read: {error.strerror}")


Parsed: TypeAlias = Article | About | tuple[Problem, ...]


class Reader:
    """Turns the bytes of files into articles, for one site. `shown` is how messages call the content folder."""

    def __init__(self, config: Config, shown: str = "content") -> None:
        self._shown = shown
        self._blocklist = canonical.Blocklist(config.block.providers, config.block.urls)
        self._markup = Markup(config.root, images=config.images.show != "none", blocked=self._blocklist.has if self._blocklist else None)
        self._images = config.images.show != "none"
        self._hosts = config.video.hosts
        self._foreign = config.fields.ours()

    def parse(self, source: Source) -> Parsed:
        """The article or facts in one file, or everything that is wrong with it. Pure, and raises nothing."""
        if isinstance(source.data, Problem):
            return (source.data,)
        path = f"{self._shown}/{source.id}"
        try:
            matter = frontmatter.parse(source.data)
        except frontmatter.Malformed as error:
            return (Problem(path=path, line=error.line, field=error.field, what=error.what, hint=error.hint),)
        values = _without_nothing(matter.values)
        values.pop("secured", None)
        folder = source.id.partition("/")[0]
        kind = ABOUT.get(folder)
        wrong: list[tuple[tuple[str | int, ...], str, str]] = []
        parsed: Article | About | None = None
        try:
            if kind:
                parsed = self._about(source.id, kind, msgspec.convert(values, AboutFile), matter.body, wrong)
            else:
                extra = self._translate(values)
                parsed = self._article(source.id, msgspec.convert(values, ArticleFile), extra, matter.body, wrong)
        except (msgspec.ValidationError, OverflowError):
            wrong += faults(values, AboutFile if kind else ArticleFile)
        if parsed is not None and not wrong:
            return parsed
        problems = (
            Problem(path=path, line=frontmatter.line(source.data, at) if at else 1, field=dotted(at), what=what, hint=hint)
            for at, what, hint in wrong
        )
        return tuple(sorted(problems))

    def _translate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Gives other generators' fields our names, in place; takes out and returns what is neither theirs nor ours."""
        strange = values.keys() - _ARTICLE
        if not strange:
            return {}
        extra = {}
        for name in sorted(strange, key=lambda n: (self._foreign.get(n, (0, "")), n)):
            _, ours = self._foreign.get(name, (0, None))
            value = values.pop(name)
            # Elsewhere `url` may be the page's own path.
            if ours is None or ours in values or (ours == "webUrl" and not _is_web(value)):
                extra[name] = value
            else:
                values[ours] = value
        return extra

    def _article(self, id: str, file: ArticleFile, extra: dict[str, Any], body: str, wrong: list[Any]) -> Article:
        stem = id.rpartition("/")[2].rpartition(".")[0]
        if stem == "index" and "/" in id:
            stem = id.split("/")[-2]
        dated = _DATED.fullmatch(stem)
        title = text.plain(file.title)
        if not title:
            wrong.append((("title",), "is empty", "say what the article is about"))
        published = _when(file.published_date_time, "publishedDateTime", wrong)
        if file.published_date_time is None:
            published = _file_date(dated)
            if published is None:
                wrong.append((("publishedDateTime",), "is missing", "write it, or begin the file's name with the date, as in 2026-11-08-name.md"))
        web = _web(file.web_url, ("webUrl",), wrong)
        original = _web(file.original_url, ("originalUrl",), wrong)
        url = web or original
        provider, provider_name = _provider(file.provider, url, (), wrong)
        if len(file.topics) > MAX_TOPICS and not isinstance(file.topics, str):
            wrong.append((("topics",), f"has {len(file.topics):,} entries", f"an article has at most {MAX_TOPICS}"))
        categories = (file.category,) if isinstance(file.category, str) else file.category
        topics = (file.topics,) if isinstance(file.topics, str) else file.topics
        if file.lang and not _LANG.match(file.lang):
            wrong.append((("lang",), f"{text.shorten(file.lang, 40)!r} is not a language", 'write its tag, as in "en" or "pt-BR"'))
        keys = _keys(file)
        return Article(
            id=id,
            slug=text.slug((dated[4] or stem) if dated else stem),
            title=title,
            excerpt=text.plain(file.excerpt) or text.shorten(text.plain(_paragraph(body)), 300),
            published=published or datetime.min,
            updated=_when(file.updated_date_time, "updatedDateTime", wrong),
            expires=_when(file.expiry_date, "expiryDate", wrong),
            url=url,
            keys=keys,
            provider=provider,
            provider_name=provider_name,
            category=text.plain(categories[0]) if categories else "",
            topics=_names((*topics, *categories[1:])),
            type=text.plain(file.type) or "article",
            quality=file.quality,
            heat=file.heat,
            images=self._pictures(file.images, (), wrong),
            related=self._related(file.related, set(keys), wrong),
            embed=player(file.featured_content, self._hosts) if file.featured_content else "",
            story=text.slug(file.story) if file.story.strip() else "",
            pin=_when(file.pin, "pin", wrong),
            lang=file.lang,
            dir=file.dir,
            aliases=_aliases(file.aliases, wrong),
            body=self._body(id, body, wrong),
            extra=tuple((key, _frozen(extra[key])) for key in sorted(extra)),
            held=not file.published,
            draft=file.draft,
            blocked=bool(self._blocklist) and (self._blocklist.has(provider) or any(map(self._blocklist.has, keys))),
        )

    def _related(self, entries: tuple[RelatedFile, ...], seen: set[str], wrong: list[Any]) -> tuple[Related, ...]:
        """The declared entries, less the article itself, repeats and what is blocked."""
        out = []
        for index, entry in enumerate(entries):
            at = ("related", index)
            web = _web(entry.web_url, (*at, "webUrl"), wrong)
            original = _web(entry.original_url, (*at, "originalUrl"), wrong)
            url = web or original
            title = text.plain(entry.title)
            if not url and not (entry.web_url or entry.original_url):
                wrong.append(((*at, "webUrl"), "is missing", "say where the coverage is"))
            if not title:
                wrong.append(((*at, "title"), "is empty", "say what the coverage is about"))
            provider, name = _provider(entry.provider, url, at, wrong)
            published = _when(entry.published_date_time, (*at, "publishedDateTime"), wrong)
            pictures = self._pictures(entry.images, at, wrong)
            keys = _keys(entry)
            if not keys or not seen.isdisjoint(keys):
                continue
            seen.update(keys)
            if self._blocklist and (self._blocklist.has(provider) or any(map(self._blocklist.has, keys))):
                continue
            out.append(
                Related(
                    keys=keys, url=url, title=title, excerpt=text.plain(entry.excerpt), published=published, provider=provider,
                    provider_name=name, type=text.plain(entry.type) or "article", quality=entry.quality,
                    image=pictures[0] if pictures else None,
                )  # fmt: skip
            )
        return tuple(out)

    def _pictures(self, images: Images, at: tuple[str | int, ...], wrong: list[Any]) -> tuple[Image, ...]:
        rows = images if isinstance(images, tuple) else (images,) if images else ()
        out = []
        for index, row in enumerate(rows):
            file = ImageFile(url=row) if isinstance(row, str) else row
            here = (*at, "images", index, "url") if isinstance(images, tuple) else (*at, "images")
            local = re.fullmatch(r"/(?![/\\])[^\x00-\x20\x7f\"'<>\\]*", file.url)
            url = file.url if local else _web(file.url, here, wrong)
            if url and self._images and not (self._blocklist and self._blocklist.has(url)):
                out.append(
                    Image(url=url, width=file.width, height=file.height, title=text.plain(file.title), attribution=text.plain(file.attribution))
                )
        return tuple(out)

    def _about(self, id: str, kind: Any, file: AboutFile, body: str, wrong: list[Any]) -> About:
        stem = id.rpartition("/")[2].rpartition(".")[0]
        title = text.plain(file.name or file.title)
        key = text.slug(stem)
        if kind == "provider":
            key = canonical.host(stem)
            if not key:
                wrong.append(((), f"{stem!r} is not a domain", "name the file after the provider's domain, as in example.org.md"))
        if not title and kind == "page":
            wrong.append((("title",), "is missing", "say what the page is about"))
        images = self._pictures(file.images, (), wrong)
        return About(
            id=id,
            kind=kind,
            key=key,
            title=title,
            description=text.plain(file.description or file.summary),
            parent=text.plain(file.parent),
            home=_web(file.home, ("home",), wrong),
            lead=file.lead.strip(),
            image=images[0] if images else None,
            body=self._body(id, body, wrong),
            navigation=file.navigation,
            aliases=_aliases(file.aliases, wrong),
        )

    def _body(self, id: str, body: str, wrong: list[Any]) -> str:
        if not body or body.isspace():
            return ""
        if len(body.encode()) > MAX_BYTES:
            wrong.append(((), f"has a body of more than {MAX_BYTES:,} bytes", "split it"))
            return ""
        try:
            body = text.printable(body)
            return self._markup.html(body) if id.lower().endswith(".html") else self._markup.markdown(body)
        except TooDeep:
            wrong.append(((), "has a body that nests too deeply", "look for brackets or tags that are never closed"))
            return ""


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    """A field that says nothing is absent, at every level."""
    out = {}
    for key, value in values.items():
        if isinstance(value, dict):
            value = _without_nothing(value)
        elif isinstance(value, list):
            value = [_without_nothing(v) if isinstance(v, dict) else v for v in value if v is not None]
        if value is not None:
            out[key] = value
    return out


def _is_web(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower().startswith(("http://", "https://"))


def _web(value: str, at: tuple[str | int, ...], wrong: list[Any]) -> str:
    """An http(s) address, percent-encoded where it must be; "" for none, and for a bad one, which is noted."""
    if not value or _PLAIN_URL.fullmatch(value):
        return value
    value = value.strip()
    if value.startswith("//"):
        value = "https:" + value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(canonical.host(parts.hostname or ""))
        good = good and "@" not in parts.netloc and "\\" not in value and (parts.port or 80) > 0
    except ValueError:
        good = False
    if not good or text.printable(value) != value:
        wrong.append((at, f"{text.shorten(text.printable(value), 60)!r} is not a web address", "write it in full, beginning with https://"))
        return ""
    name = canonical.host(parts.hostname or "")
    name = ("www." if (parts.hostname or "").startswith("www.") else "") + name
    rest = value[value.index("//") + 2 + len(parts.netloc) :]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{name}{port}" + quote(rest, safe="/?#[]@!$&'()*+,;=:%~")


def _keys(file: ArticleFile | RelatedFile) -> tuple[str, ...]:
    """The canonical keys of a piece: of the address readers are sent to first, then of its other names."""
    names = (file.web_url, file.original_url, file.amp_web_url, file.cdn_amp_web_url)
    return tuple(dict.fromkeys(key for name in names if name and (key := canonical.key(name))))


def _provider(part: ProviderPart, url: str, at: tuple[str | int, ...], wrong: list[Any]) -> tuple[str, str]:
    """The provider's normalised domain, from the URL where none is given, and the name the file gives it."""
    given = part.domain.strip()
    domain = canonical.host(urlsplit(given).netloc if "://" in given else given) if given else ""
    if given and not domain:
        wrong.append(((*at, "provider", "domain"), f"{text.shorten(given, 60)!r} is not a domain", 'write it as in "example.org"'))
    if not domain and url:
        domain = canonical.host(urlsplit(url).netloc)
    return domain, text.plain(part.name)


def _when(value: Any, at: Any, wrong: list[Any]) -> datetime | None:
    """A time in UTC from what YAML, TOML or JSON made of it: ISO 8601, midnight where only a day is given."""
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if value is None:
        return None
    moment = value
    try:
        if isinstance(moment, str):
            moment = datetime.fromisoformat(_SHORT_HOUR.sub("T0", _SPACED_ZONE.sub("", moment.strip())))
        elif isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        if isinstance(moment, datetime):
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    shown = text.shorten(text.printable(str(value)), 40)
    wrong.append((at if isinstance(at, tuple) else (at,), f"{shown!r} is not a date and time", "write it as 2026-11-08T16:30:00Z"))
    return None


def _file_date(dated: re.Match[str] | None) -> datetime | None:
    if not dated:
        return None
    try:
        return datetime(int(dated[1]), int(dated[2]), int(dated[3]), tzinfo=UTC)
    except ValueError:
        return None


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as plain text, each once whatever its spelling."""
    out: dict[str, str] = {}
    for name in map(text.plain, names):
        if name:
            out.setdefault(text.slug(name), name)
    return tuple(out.values())


def _aliases(aliases: tuple[str, ...] | str, wrong: list[Any]) -> tuple[str, ...]:
    rows = (aliases,) if isinstance(aliases, str) else aliases
    out = []
    for index, row in enumerate(rows):
        path = row.strip()
        if not re.fullmatch(r"/(?!/)[^\x00-\x20\x7f\"'<>\\?#%*:|]*", path) or any(p in (".", "..") for p in path.split("/")) or len(path) > 500:
            wrong.append((("aliases", index), f"{text.shorten(row, 60)!r} is not an address on this site", "write the old path, as in /2019/07/name/"))
        elif path != "/":
            out.append(path)
    return tuple(dict.fromkeys(out))


def _frozen(value: Any) -> Any:
    """Any front matter value as one that never changes and that every format can hold."""
    if isinstance(value, dict):
        return tuple((text.printable(str(k)), _frozen(value[k])) for k in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    return text.printable(value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else repr(value))


_MARKS = re.compile(r"^(?:[#>*+-]+|\d+\.)\s+|[*_`]{1,3}|!?\[([^\]\n]*)\]\([^)\n]*\)|^\|.*$", re.MULTILINE)


def _paragraph(body: str) -> str:
    """The first paragraph of a Markdown body as a substitute for an excerpt."""
    for part in re.split(r"\n\s*\n", body.strip()[:4000]):
        words = _MARKS.sub(lambda m: m[1] or "", part).strip()
        if words and not part.lstrip().startswith(("#", "```", "|", "---", "<!--")):
            return words
    return ""


def dump(values: Mapping[str, Any], body: str = "") -> bytes:
    """The bytes of a file with these front matter values, in their order, as YAML."""
    block = yaml.dump(dict(values), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{block}---\n{body and chr(10) + body.rstrip() + chr(10)}".encode()
