"""Parses content files: `Reader.parse` turns the bytes of a file into an Article, an About or problems."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec
import yaml

from newsgen import canonical, text, times
from newsgen.config import Config
from newsgen.content import fields, frontmatter
from newsgen.content.fields import AboutFile, ArticleFile, ImageFile, Images, RelatedFile
from newsgen.content.markup import MAX_BYTES, Markup, TooDeepError, player
from newsgen.errors import Problem
from newsgen.files import ABOUT_FOLDERS, FoundFile
from newsgen.model import About, Article, Image, Related, RelatedEntries, frozen
from newsgen.validation import Faults, dotted, faults
from newsgen.validation import Path as At

_DATED_NAME = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[-_ ]+(.+))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Source(NamedTuple):
    """The bytes of a content file, or a Problem if reading failed. `id` is its path below the content folder."""

    id: str
    data: bytes | Problem


def read(found: FoundFile, folder_name: str = "content") -> Source:
    """Reads a file that `files.scan` found. Messages call the content folder `folder_name`."""
    if isinstance(found.stamp, Problem):
        return Source(found.id, found.stamp)
    path = f"{folder_name}/{found.id}"
    limit = frontmatter.MAX_BYTES + MAX_BYTES
    try:
        file = os.open(found.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            # Ask for the expected size: allocating a buffer for the largest allowed file takes longer than most reads.
            data = os.read(file, min(found.stamp.size, limit) + 1)
            while len(data) <= limit and (more := os.read(file, limit + 1 - len(data))):
                data += more
        finally:
            os.close(file)
    except OSError as error:
        return Source(found.id, Problem(path=path, what=f"cannot be read: {error.strerror}"))
    if len(data) > limit:
        size = f"{max(len(data), found.stamp.size):,}"
        return Source(
            found.id, Problem(path=path, what=f"the file has {size} bytes", hint=f"the maximum is {limit:,}; split it")
        )
    return Source(found.id, data)


Parsed: TypeAlias = Article | About | tuple[Problem, ...]

_encode = msgspec.msgpack.Encoder().encode
_decoders = {
    kind: msgspec.msgpack.Decoder(type).decode
    for kind, type in ((b"a", Article), (b"f", About), (b"p", tuple[Problem, ...]))
}


def pack(parsed: Parsed) -> bytes:
    """Encodes the result of `Reader.parse`: one letter for its type, then msgpack."""
    return (b"a" if isinstance(parsed, Article) else b"f" if isinstance(parsed, About) else b"p") + _encode(parsed)


def unpack(data: bytes) -> Parsed:
    """Decodes the output of `pack`. Raises msgspec.DecodeError for anything else."""
    decoder = _decoders.get(data[:1])
    if decoder is None:
        raise msgspec.DecodeError("unknown type letter")
    decoded: Any = decoder(memoryview(data)[1:])  # a view, to avoid a copy of every file
    if type(decoded) is Article and decoded.extra:
        decoded = msgspec.structs.replace(decoded, extra=frozen(decoded.extra))
    parsed: Parsed = decoded
    return parsed


_ARTICLE_FIELDS = frozenset(fields.ARTICLE_FIELDS)
_MAX_CACHED = 1 << 11
"""Maximum number of related entries that a reader caches."""


class Reader:
    """Parses the content files of one site. Messages call the content folder `folder_name`."""

    def __init__(self, config: Config, folder_name: str = "content") -> None:
        self._folder_name = folder_name
        blocklist = canonical.Blocklist(config.block.providers, config.block.urls)
        self._blocked = blocklist.has if blocklist else None
        self._images = config.images.show != "none"
        self._markup = Markup(config.root, images=self._images, blocked=self._blocked)
        self._hosts = config.video.hosts
        self._zone = config.zone
        self._foreign_names = config.fields.by_foreign_name()
        self._related_cache: dict[RelatedFile, Related] = {}

    def parse(self, source: Source, digest: bytes = b"") -> Parsed:
        """The Article or About of one file, or all its problems. Pure; never raises.

        `digest` is the digest of the file's bytes.
        """
        if isinstance(source.data, Problem):
            return (source.data,)
        path = f"{self._folder_name}/{source.id}"
        try:
            document = frontmatter.parse(source.data)
        except frontmatter.FrontMatterError as error:
            return (Problem(path=path, line=error.line, field=error.field, what=error.what, hint=error.hint),)
        values = document.values
        values.pop("secured", None)
        kind = ABOUT_FOLDERS.get(source.id.partition("/")[0])
        if kind or not values.keys() <= _ARTICLE_FIELDS:
            values = _without_nulls(values)
        wrong = Faults()
        foreign: dict[str, str] = {}
        parsed: Article | About | None = None
        try:
            if kind:
                parsed = self._about(source.id, kind, msgspec.convert(values, AboutFile), document.body, wrong)
            else:
                extra = self._translate(values, foreign)
                try:
                    file = msgspec.convert(values, ArticleFile)
                except msgspec.ValidationError:
                    # Try first: most files have no null values, and searching for them takes longer than converting.
                    values = _without_nulls(values)
                    file = msgspec.convert(values, ArticleFile)
                parsed = self._article(source.id, digest, file, extra, document.body, wrong)
        except (msgspec.ValidationError, OverflowError):
            wrong += faults(values, AboutFile if kind else ArticleFile)
        if parsed is not None and not wrong:
            return parsed
        problems = []
        for at, what, hint in wrong:
            path_in_file = (foreign.get(str(at[0]), at[0]), *at[1:]) if at else at
            line = frontmatter.line(source.data, path_in_file) if path_in_file else 1
            problems.append(Problem(path=path, line=line, field=dotted(path_in_file), what=what, hint=hint))
        return tuple(sorted(problems))

    def place(self, source: Source, field: str) -> tuple[str, int]:
        """The name in a file of one of our fields, and its line. Slow: use it for messages only."""
        foreign: dict[str, str] = {}
        if isinstance(source.data, Problem):
            return field, 0
        with contextlib.suppress(frontmatter.FrontMatterError):
            self._translate(_without_nulls(frontmatter.parse(source.data).values), foreign)
        name = foreign.get(field, field)
        return name, frontmatter.line(source.data, (name,))

    def _translate(self, values: dict[str, Any], foreign: dict[str, str]) -> dict[str, Any]:
        """Renames other generators' fields to ours, in place. Removes and returns all remaining unknown fields.

        Adds the name in the file of each renamed field to `foreign`.
        """
        unknown = values.keys() - _ARTICLE_FIELDS
        if not unknown:
            return {}
        extra = {}
        for name in sorted(unknown, key=lambda n: (self._foreign_names.get(n, (0, "")), n)):
            _, ours = self._foreign_names.get(name, (0, None))
            value = values.pop(name)
            # In other generators `url` may be the page's own path.
            if ours is None or ours in values or (ours == "webUrl" and not fields.is_web(value)):
                extra[name] = value
            else:
                values[ours] = value
                foreign[ours] = name
        return extra

    def _article(
        self, id: str, digest: bytes, file: ArticleFile, extra: dict[str, Any], body: str, wrong: Faults
    ) -> Article:
        stem = id.rpartition("/")[2].rpartition(".")[0]
        if stem == "index" and "/" in id:
            stem = id.split("/")[-2]
        dated = _DATED_NAME.fullmatch(stem)
        title = text.plain(file.title)
        if not title:
            wrong.add(("title",), "must not be empty", "write a headline")
        published = fields.moment(file.published_date_time, ("publishedDateTime",), wrong)
        embargo = fields.moment(file.publish_date, ("publishDate",), wrong)
        updated = fields.moment(file.updated_date_time, ("updatedDateTime",), wrong)
        if file.published_date_time is None:
            published = _file_date(dated) or embargo
            if published is None:
                hint = "set it, or begin the file name with the date, as in 2026-11-08-name.md"
                wrong.add(("publishedDateTime",), "missing", hint)
        url = fields.reader_address(file, (), wrong)
        provider, provider_name = fields.provider(file.provider, url, (), wrong)
        categories = (file.category,) if isinstance(file.category, str) else file.category
        topics = (file.topics,) if isinstance(file.topics, str) else file.topics
        if len(topics) > fields.MAX_TOPICS:
            wrong.add(("topics",), f"too many entries: {len(topics):,}", f"the maximum is {fields.MAX_TOPICS}")
        keys = fields.keys(file)
        return Article(
            id=id,
            slug=text.slug((dated[4] or stem) if dated else stem),
            title=title,
            excerpt=text.plain(file.excerpt) or text.shorten(text.plain(_paragraph(body)), 300),
            published=self._start(published) or _EPOCH,
            all_day=_is_day(published),
            updated=self._start(updated),
            updated_all_day=_is_day(updated),
            embargo=self._start(embargo),
            expires=self._end(fields.moment(file.expiry_date, ("expiryDate",), wrong)),
            url=url,
            keys=keys,
            provider=provider,
            provider_name=provider_name,
            category=text.plain(categories[0]) if categories else "",
            topics=fields.names((*topics, *categories[1:])),
            type=text.plain(file.type) or "article",
            quality=file.quality,
            heat=file.heat,
            images=self._pictures(file.images, (), wrong),
            related=RelatedEntries.of(self._related(file.related, set(keys), wrong)),
            embed=player(file.featured_content, self._hosts) if file.featured_content else "",
            story=text.slug(file.story) if file.story.strip() else "",
            pin=self._end(fields.moment(file.pin, ("pin",), wrong)),
            lang=fields.language(file.lang, ("lang",), wrong),
            dir=file.dir,
            aliases=fields.aliases(file.aliases, wrong),
            body=self._body(id, body, wrong),
            extra=tuple((key, _frozen(extra[key])) for key in sorted(extra)),
            held=not file.published,
            draft=file.draft,
            blocked=self._is_blocked(provider, *keys),
            digest=digest,
        )

    def _start(self, when: date | None) -> datetime | None:
        return None if when is None else times.start(when, self._zone)

    def _end(self, when: date | None) -> datetime | None:
        return None if when is None else times.end(when, self._zone)

    def _is_blocked(self, *names: str) -> bool:
        return self._blocked is not None and any(map(self._blocked, names))

    def _related(self, entries: tuple[RelatedFile, ...], seen: set[str], wrong: Faults) -> list[Related]:
        """The related entries without repeats, blocked ones and the article itself.

        `seen` holds the canonical keys of the article and is extended in place.
        """
        out = []
        for index, entry in enumerate(entries):
            related = self._related_entry(entry, ("related", index), wrong)
            if not related.keys or not seen.isdisjoint(related.keys):
                continue
            seen.update(related.keys)
            if not self._is_blocked(related.provider, *related.keys):
                out.append(related)
        return out

    def _related_entry(self, entry: RelatedFile, at: At, wrong: Faults) -> Related:
        """Parses an entry. Valid ones are cached: many files have the same entry, and these are read close together."""
        cached, cacheable = None, True
        try:
            cached = self._related_cache.get(entry)
        except TypeError:  # unhashable, such as a list in place of a date
            cacheable = False
        if cached:
            return cached
        before = len(wrong)
        url = fields.reader_address(entry, at, wrong)
        title = text.plain(entry.title)
        if not url and not (entry.web_url or entry.original_url):
            wrong.add((*at, "webUrl"), "missing", "write the URL of the coverage")
        if not title:
            wrong.add((*at, "title"), "must not be empty", "write the headline of the coverage")
        provider, name = fields.provider(entry.provider, url, at, wrong)
        published = fields.moment(entry.published_date_time, (*at, "publishedDateTime"), wrong)
        pictures = self._pictures(entry.images, at, wrong) if entry.images else ()
        related = Related(
            keys=fields.keys(entry),
            url=url,
            title=title,
            excerpt=text.plain(entry.excerpt),
            published=self._start(published),
            all_day=_is_day(published),
            provider=provider,
            provider_name=name,
            type=text.plain(entry.type) or "article",
            quality=entry.quality,
            image=pictures[0] if pictures else None,
        )
        if cacheable and len(wrong) == before:
            if len(self._related_cache) >= _MAX_CACHED:
                self._related_cache.clear()
            self._related_cache[entry] = related
        return related

    def _pictures(self, images: Images, at: At, wrong: Faults) -> tuple[Image, ...]:
        rows = images if isinstance(images, tuple) else (images,) if images else ()
        out = []
        for index, row in enumerate(rows):
            file = ImageFile(url=row) if isinstance(row, str) else row
            url_at = (*at, "images", index, "url") if isinstance(images, tuple) else (*at, "images")
            url = file.url if fields.local_address(file.url) else fields.web_address(file.url, url_at, wrong)
            if not url or not self._images or self._is_blocked(url):
                continue
            title, attribution = text.plain(file.title), text.plain(file.attribution)
            out.append(Image(url=url, width=file.width, height=file.height, title=title, attribution=attribution))
        return tuple(out)

    def _about(self, id: str, kind: Any, file: AboutFile, body: str, wrong: Faults) -> About:
        stem = id.rpartition("/")[2].rpartition(".")[0]
        title = text.plain(file.name or file.title)
        key = text.slug(stem)
        if kind == "provider":
            key = canonical.host(stem)
            if not key:
                hint = "name the file after the provider's domain, for example example.org.md"
                wrong.add((), f"{stem!r} is not a domain", hint)
        if not title and kind == "page":
            wrong.add(("title",), "missing", "write the title of the page")
        images = self._pictures(file.images, (), wrong)
        return About(
            id=id,
            kind=kind,
            key=key,
            title=title,
            description=text.plain(file.description or file.summary),
            parent=text.plain(file.parent),
            home=fields.web_address(file.home, ("home",), wrong),
            lead=file.lead.strip(),
            image=images[0] if images else None,
            body=self._body(id, body, wrong),
            navigation=file.navigation,
            aliases=fields.aliases(file.aliases, wrong),
        )

    def _body(self, id: str, body: str, wrong: Faults) -> str:
        if not body or body.isspace():
            return ""
        if len(body.encode()) > MAX_BYTES:
            wrong.add((), f"the body has more than {MAX_BYTES:,} bytes", "split it into several files")
            return ""
        try:
            body = text.printable(body)
            return self._markup.html(body) if id.lower().endswith(".html") else self._markup.markdown(body)
        except TooDeepError:
            wrong.add((), "the body is nested too deeply", "look for brackets or tags that are not closed")
            return ""


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Removes null values at every level: a null field counts as absent."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        kind = type(value)
        if kind is dict:
            out[key] = _without_nulls(value)
        elif kind is list:
            out[key] = [_without_nulls(v) if type(v) is dict else v for v in value if v is not None]
        elif value is not None:
            out[key] = value
    return out


def _is_day(when: date | None) -> bool:
    """Whether a file gives a day without a time."""
    return when is not None and not isinstance(when, datetime)


def _file_date(dated: re.Match[str] | None) -> date | None:
    """The date in a file name; None if it has none or the date does not exist."""
    try:
        return date(int(dated[1]), int(dated[2]), int(dated[3])) if dated else None
    except ValueError:
        return None


def _frozen(value: Any) -> Any:
    """A front matter value made immutable, and limited to types and characters that every format can encode."""
    if isinstance(value, dict):
        return tuple((text.printable(str(k)), _frozen(value[k])) for k in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return text.printable(value if isinstance(value, str) else repr(value))


_MARKDOWN_SYNTAX = re.compile(r"^(?:[#>*+-]+|\d+\.)\s+|[*_`]{1,3}|!?\[([^\]\n]*)\]\([^)\n]*\)|^\|.*$", re.MULTILINE)


def _paragraph(body: str) -> str:
    """The first paragraph of a Markdown body, used if there is no excerpt."""
    for block in re.split(r"\n\s*\n", body.strip()[:4000]):
        words = _MARKDOWN_SYNTAX.sub(lambda m: m[1] or "", block).strip()
        if words and not block.lstrip().startswith(("#", "```", "|", "---", "<!--")):
            return words
    return ""


def dump(values: Mapping[str, Any], body: str = "") -> bytes:
    """The bytes of a content file with this body and these values, in this order, as YAML front matter."""
    block = yaml.dump(dict(values), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{block}---\n{body and chr(10) + body.rstrip() + chr(10)}".encode()
