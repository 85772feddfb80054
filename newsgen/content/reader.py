"""Parses content files: `Reader.parse` turns a file's bytes into an Article, an About, a Subscription or problems."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from newsgen import canonical, links, text, times
from newsgen.config import Config
from newsgen.content import fields, frontmatter
from newsgen.content.fields import AboutFile, ArticleFile, FeedFile, ImageFile, Images, RelatedFile
from newsgen.content.foreign import Translator, is_known
from newsgen.content.markup import MAX_BYTES, MAX_PLAYER, Markup, TooDeepError, first_paragraph, player
from newsgen.content.parsed import Parsed
from newsgen.content.returned import ReturnedArticles, frozen_values
from newsgen.content.source import MAX_READ, Source
from newsgen.content.written import Written
from newsgen.errors import Problem, Scope
from newsgen.files import ABOUT_FOLDERS, image_id
from newsgen.model import About, Article, Image, Link, NamedFile, Related, RelatedEntries, Subscription
from newsgen.validation import Faults, Repair, did_you_mean, dotted
from newsgen.validation import Path as At

_DATED_NAME = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?:[-_ ]+(.+))?")
# As in 2026/11/08/name.md, 2026-11-08/name.md and, in Docusaurus, 2026/11-08-name.md.
_DATED_PATH = re.compile(r"(?:^|/)(\d{4})[-/](\d\d?)[-/](\d\d?)(?=[-_ /.])")
# A language before the extension, as in index.de.md and ferry.pt-br.md (Hugo, Zola, Nikola). Many other names have a
# dot, such as node.ts.md and socket.io.md, so only languages with many readers count.
_LANGUAGE = re.compile(
    r"(.+)\.((?:ar|bg|bn|ca|cs|da|de|el|en|es|et|eu|fa|fi|fr|he|hi|hr|hu|id|it|ja|ka|ko|lt|lv|nb|nl|pl|pt|ro|ru|sk|sl|sq|sr|sv|"
    r"ta|te|th|tr|uk|ur|vi|zh)(?:[-_][A-Za-z]{2,4})?)"
)
# The heading that Markdown begins with, and the blank lines below it.
_HEADLINE = re.compile(r" {0,3}(?:#[ \t]+[^\n]*|[^\s#>*+=-][^\n]*\n=+[ \t]*)(?:\n(?:[ \t]*\n)*|\Z)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_REMOTE_PICTURE = re.compile(r'<img(?: [a-z]+="[^"]*")*? src="(https?://[^"]*)"')
_TOO_LARGE = (f"the body has more than {MAX_BYTES:,} bytes", "split it into several files")


_ARTICLE_FIELDS = frozenset(fields.ARTICLE_FIELDS)
_MAX_CACHED = 1 << 11
"""Maximum number of related entries that a reader caches."""
_GATES: dict[str | int, Scope] = {"published": "gate", "draft": "gate", "publishDate": "gate", "expiryDate": "gate"}
"""The fields that keep an article back. If one cannot be read, the article is held."""


class Reader:
    """Parses the content files of one site. Messages call the content folder `folder_name`."""

    def __init__(self, config: Config, folder_name: str = "content") -> None:
        self._folder_name = folder_name
        self._platforms = config.platforms
        blocked = tuple(map(self._platforms.key, config.block.providers))
        blocklist = canonical.Blocklist(blocked, config.block.urls, self._platforms.provider)
        self._blocked = blocklist.has if blocklist else None
        self._root = config.root
        self._images = config.images.show != "none"
        self._cached = config.images.show == "cached"
        self._markup = Markup(config.root, images=self._images, blocked=self._blocked)
        self._hosts = config.video.hosts
        host = urlsplit(config.base_url).hostname or ""
        self._translators = {kind: Translator(config.fields, kind, host) for kind in (ArticleFile, AboutFile, FeedFile)}
        self._field_names = config.fields
        self._zone = config.zone
        self._related_cache: dict[RelatedFile, Related] = {}

    def parse(self, source: Source, digest: bytes = b"") -> Parsed:
        """Parses one file. Pure; never raises. What is wrong is left out by itself, where that is possible.

        A file is left out if its front matter cannot be read, or it has no usable title, date or address: an article
        whose address cannot be read must not become an own post. An article with a gate that cannot be read is held.
        `digest` is the digest of the file's bytes.
        """
        if isinstance(source.data, Problem):
            return Parsed(None, (source.data,))
        path = f"{self._folder_name}/{source.id}"
        try:
            document = frontmatter.parse(source.data)
        except frontmatter.FrontMatterError as error:
            problem = Problem(path=path, line=error.line, field=error.field, what=error.what, hint=error.hint)
            return Parsed(None, (problem,))
        self._markup.dropped = []
        values = document.values
        values.pop("secured", None)
        if not values.keys() <= _ARTICLE_FIELDS:
            values = {name: value for name, value in values.items() if value is not None}
        kind = ABOUT_FOLDERS.get(source.id.partition("/")[0])
        file_type = _file_type(source.id)
        written = Written(source.data)
        wrong = Faults()
        translator = self._translators[file_type]
        extra = translator.translate(values, written.foreign, wrong, header=document.format == "header")
        body = document.body
        if file_type is ArticleFile and values.get("title") is None:
            body = self._take_headline(source.id, values, body)
        repair = Repair(written.text)
        file = _converted(values, file_type, repair)
        costs: dict[str | int, Scope] = {}
        value: Article | About | Subscription | None
        if len(source.data) > MAX_READ - 4:  # cut by `read`
            wrong.add((), *_TOO_LARGE)
            body = ""
        if kind == "feed":
            value = self._subscription(source.id, file, extra, written, wrong, costs)
        elif kind:
            value = self._about(source.id, kind, file, body, written, wrong, costs)
        else:
            value = self._article(source.id, digest, file, extra, body, written, wrong, costs)
        if self._markup.dropped:
            dropped = _places(source.data, document.body, self._markup.dropped)
            value = msgspec.structs.replace(value, dropped=dropped)
        if not wrong and not repair.faults:
            return Parsed(value)
        if isinstance(value, Article):
            costs |= _GATES
            if not value.url:
                costs |= {"webUrl": "file", "originalUrl": "file"}
        if not repair.faults:
            repair.value(values, file_type)  # for the positions of list items: some before them may be null
        type_faults = {fault.at for fault in repair.faults}
        others = (fault._replace(at=repair.position(fault.at)) for fault in wrong)
        all_faults = [*repair.faults, *(fault for fault in others if fault.at not in type_faults)]
        problems = tuple(
            sorted(
                Problem(
                    path=path,
                    line=written.line(at),
                    field=dotted(written.path(at)),
                    what=what,
                    hint=(what == "missing" and written.misspelt(at, translator)) or hint,
                    scope=costs.get(at[0] if at else "", "value"),
                )
                for at, what, hint in all_faults
            )
        )
        scopes = {problem.scope for problem in problems}
        if "file" in scopes:
            return Parsed(None, problems)
        if isinstance(value, Article) and "gate" in scopes:
            value = _held(value, {fault.at[0] for fault in all_faults if fault.at})
        return Parsed(value, problems)

    def place(self, source: Source, field: str | At) -> tuple[str, int]:
        """The name in a file of one of our fields, and its line. Slow: use it for messages only."""
        at = (field,) if isinstance(field, str) else field
        if isinstance(source.data, Problem):
            return dotted(at), 0
        foreign: dict[str, At] = {}
        kind = _file_type(source.id)
        with contextlib.suppress(frontmatter.FrontMatterError):
            document = frontmatter.parse(source.data)
            self._translators[kind].translate(document.values, foreign, Faults(), header=document.format == "header")
        path = (*foreign.get(str(at[0]), at[:1]), *at[1:])
        return dotted(path), frontmatter.line(source.data, path)

    def accept(self, before: Article, after: object, plugin: str) -> tuple[Article, tuple[Problem, ...]]:
        """The article as a plugin returned it, without what is wrong in it, and the problems. None blocks it."""
        path = f"{self._folder_name}/{before.id}"
        if after is None:
            after = msgspec.structs.replace(before, blocked=True)
        if not isinstance(after, Article):
            what = f"plugin {plugin!r} returned {type(after).__name__}, so the article stays as it was"
            problem = Problem(path=path, what=what, hint="return an Article, or None to leave it out", scope="value")
            return before, (problem,)
        wrong = Faults()
        article = self._returned.checked(before, after, wrong)
        return article, tuple(
            Problem(path=path, field=dotted(at), what=f"plugin {plugin!r}: {what}", hint=hint, scope="value")
            for at, what, hint in wrong
        )

    @cached_property
    def _returned(self) -> ReturnedArticles:
        return ReturnedArticles(
            self._markup, self._platforms, self._hosts, self._root, self._is_blocked, self._own_links, self._files_of
        )

    def _article(
        self,
        id: str,
        digest: bytes,
        file: ArticleFile,
        extra: dict[str, Any],
        body: str,
        written: Written,
        wrong: Faults,
        costs: dict[str | int, Scope],
    ) -> Article:
        stem, lang = _name(id)
        dated = _DATED_NAME.fullmatch(stem)
        title = text.plain(file.title)
        if not title:
            wrong.add(("title",), "must not be empty", "write a headline")
            costs["title"] = "file"
        published = fields.moment(file.published_date_time, ("publishedDateTime",), wrong)
        embargo = fields.moment(file.publish_date, ("publishDate",), wrong)
        updated = fields.moment(file.updated_date_time, ("updatedDateTime",), wrong)
        in_name = dated or _DATED_PATH.search(id)
        if published is None:
            published = _file_date(in_name)
        if published is None and file.published_date_time is None:
            # Without any other date an embargo is the date, as in Hugo.
            published = embargo
        if published is None:
            costs["publishedDateTime"] = "file"
            if file.published_date_time is None:
                hint = "set it, or begin the file name with the date, as in 2026-11-08-name.md"
                if in_name:
                    hint = f"set it, or correct the day in the file's path: {'-'.join(in_name.groups()[:3])} does not exist"
                if name := self._date_name(extra):
                    hint = f"is it {name!r}? rename that field, or add its name to publishedDateTime in [fields] in site.toml"
                wrong.add(("publishedDateTime",), "missing", hint)
        url = fields.reader_address(file, (), wrong)
        provider, provider_name = fields.provider(file.provider, url, (), wrong, self._platforms)
        categories = written.split(file.category, ("category",))
        topics = written.split(file.topics, ("topics",))
        names = fields.names((*topics, *categories[1:]))
        if len(names) > fields.MAX_TOPICS:
            fields.too_many(topics, names, wrong)
        if len(file.featured_content) > MAX_PLAYER:
            hint = "write only the player's <iframe>"
            wrong.add(("featuredContent",), f"more than {MAX_PLAYER:,} characters", hint)
        keys = fields.keys(file, url)
        related = self._related(file.related, set(keys), wrong)
        safe_body = self._body(id, body, wrong)
        article = Article(
            id=id,
            slug=text.slug((dated[4] or stem) if dated else stem),
            title=text.headline(title, provider_name, provider),
            excerpt=text.plain(file.excerpt) or text.shorten(first_paragraph(safe_body), 300),
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
            topics=names[: fields.MAX_TOPICS],
            type=text.plain(file.type) or "article",
            quality=file.quality,
            heat=file.heat,
            authors=fields.authors(file.author, wrong) if file.author else (),
            images=self._pictures(file.images, (), wrong),
            related=RelatedEntries.of(related),
            embed=player(file.featured_content, self._hosts) if file.featured_content else "",
            story=text.slug(file.story) if file.story.strip() else "",
            standalone=file.standalone,
            pin=self._end(fields.moment(file.pin, ("pin",), wrong)),
            lang=fields.language(file.lang, ("lang",), wrong) or lang,
            dir=file.dir,
            aliases=fields.aliases(written.split(file.aliases, ("aliases",), _BETWEEN_ALIASES), wrong),
            body=safe_body,
            extra=tuple((key, frozen_values(extra[key])) for key in sorted(extra)),
            held=not file.published,
            draft=file.draft,
            blocked=self._is_blocked(provider, *keys),
            digest=digest,
            merged_topics=fields.merged((*topics, *categories[1:]), names),
        )
        own = self._own_links([*article.authors, *article.images, *(entry.image for entry in related)], article.body)
        article = msgspec.structs.replace(article, links=own) if own else article
        files = self._files_of(article, file.images)
        return msgspec.structs.replace(article, files=files) if files else article

    def _date_name(self, extra: Mapping[str, Any]) -> str:
        """The name of an unknown field that holds a day or time; "" if there is none."""
        for name in sorted(extra):
            value = extra[name]
            if isinstance(value, str) and value.strip():
                with contextlib.suppress(ValueError):
                    value = times.parse(value)
            if isinstance(value, date) and not is_known(name, self._field_names):
                return name[:60]
        return ""

    def _files_of(self, article: Article, images: Images = ()) -> tuple[NamedFile, ...]:
        """The files in the content folder that an article names. `images` are those of its file, if they are known."""
        found: tuple[NamedFile, ...] = ()
        if article.images or article.body:
            found = self._files(article.id, images, article.images, article.links, article.body)
        if article.related.keys:
            pictures = tuple([entry.image for entry in article.related if entry.image])
            if pictures and (self._cached or any(fields.is_name(picture.url) for picture in pictures)):
                found += self._named(article.id, pictures, dict.fromkeys([p.url for p in pictures], ("related",)))
        return found

    def _files(
        self, id: str, images: Images, pictures: tuple[Image, ...], own: tuple[str, ...], body: str
    ) -> tuple[NamedFile, ...]:
        """The files in the content folder that a file names: as `pictures`, which are its `images`, and in its body.

        `own` are the links of the body that lead to this site.
        """
        found: tuple[NamedFile, ...] = ()
        if pictures:
            rows = images if isinstance(images, tuple) else (images,)
            written = [row if isinstance(row, str) else row.url for row in rows]
            at = [("images", i, "url") for i in range(len(rows))] if isinstance(images, tuple) else [("images",)]
            found = self._named(id, pictures, dict(zip(map(str.strip, written), at, strict=True)))
        for link in dict.fromkeys(own):
            name = link.partition("#")[0]
            is_file = not link.startswith("/") and name.lower().endswith(text.ATTACHMENTS)
            if is_file and (beside := fields.file_id(name, id)):
                found += (NamedFile(id=beside, link=link),)
        if self._cached and "<img" in body:
            remote = dict.fromkeys(map(html.unescape, _REMOTE_PICTURE.findall(body)))
            found += tuple(NamedFile(id=image_id(link), link=link) for link in remote)
        return found

    def _named(self, id: str, pictures: tuple[Image, ...], places: Mapping[str, At]) -> tuple[NamedFile, ...]:
        """The files that stand for these pictures, which fields at these `places` name."""
        found = []
        for picture in pictures:
            if fields.is_name(picture.url):
                file = fields.file_id(picture.url, id)
                found.append(NamedFile(id=file, link=picture.url, place=places.get(picture.url, ("images",))))
            elif self._cached and not picture.url.startswith("/"):
                found.append(NamedFile(id=image_id(picture.url), link=picture.url))
        return tuple(found)

    def _own_links(self, fields: Iterable[Image | Link | None], body: str) -> tuple[str, ...]:
        """The addresses of this site that a file names."""
        own = [f.url for f in fields if f and f.url.startswith("/")]
        return tuple(own + links.own(body, self._root) if body else own)

    def _start(self, when: date | None) -> datetime | None:
        return None if when is None else times.start(when, self._zone)

    def _end(self, when: date | None) -> datetime | None:
        return None if when is None else times.end(when, self._zone)

    def _is_blocked(self, *names: str) -> bool:
        return self._blocked is not None and any(map(self._blocked, names))

    def _related(self, entries: tuple[RelatedFile, ...], seen: set[str], wrong: Faults) -> list[Related]:
        """The usable related entries without repeats, blocked ones and the article itself.

        `seen` holds the canonical keys of the article and is extended in place.
        """
        out = []
        for index, entry in enumerate(entries):
            related = self._related_entry(entry, ("related", index), wrong)
            if related is None or not related.keys or not seen.isdisjoint(related.keys):
                continue
            seen.update(related.keys)
            if not self._is_blocked(related.provider, *related.keys):
                out.append(related)
        return out

    def _related_entry(self, entry: RelatedFile, at: At, wrong: Faults) -> Related | None:
        """Parses an entry; None without a usable address or title.

        Valid ones are cached: many files have the same entry, and these are read close together.
        """
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
        provider, name = fields.provider(entry.provider, url, at, wrong, self._platforms)
        pictures = self._pictures(entry.images, at, wrong) if entry.images else ()
        published = fields.moment(entry.published_date_time, (*at, "publishedDateTime"), wrong)
        if not url or not title:
            return None
        related = Related(
            keys=fields.keys(entry, url),
            url=url,
            title=text.headline(title, name, provider),
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
            url = fields.picture_address(file.url, url_at, wrong)
            if not url or not self._images or (not fields.is_name(url) and self._is_blocked(url)):
                continue
            title, attribution = text.plain(file.title), text.plain(file.attribution)
            out.append(Image(url=url, width=file.width, height=file.height, title=title, attribution=attribution))
        return tuple(out)

    def _about(
        self,
        id: str,
        kind: Any,
        file: AboutFile,
        body: str,
        written: Written,
        wrong: Faults,
        costs: dict[str | int, Scope],
    ) -> About:
        stem = id.rpartition("/")[2].rpartition(".")[0]
        title = text.plain(file.name or file.title)
        key = text.slug(stem)
        if kind == "provider":
            key = self._platforms.key(stem)
            if not key:
                hint = "name the file after the provider's domain, for example example.org.md"
                wrong.add((), f"{stem!r} is not a domain", hint)
                costs[""] = "file"
        if not title and kind == "page":
            wrong.add(("title",), "missing", "write the title of the page")
            costs["title"] = "file"
        images = self._pictures(file.images, (), wrong)
        safe_body = self._body(id, body, wrong)
        own = self._own_links(images[:1], safe_body)
        return About(
            id=id,
            kind=kind,
            key=key,
            title=title,
            description=text.plain(file.description or file.summary),
            parent=text.plain(file.parent),
            home=fields.web_address(file.home, ("home",), wrong),
            type=fields.brief(file.kind, ("kind",), wrong),
            country=fields.brief(file.country, ("country",), wrong),
            owner=fields.brief(file.owner, ("owner",), wrong),
            lead=file.lead.strip(),
            image=images[0] if images else None,
            body=safe_body,
            links=own,
            files=self._files(id, file.images, images[:1], own, safe_body),
            navigation=file.navigation,
            aliases=fields.aliases(written.split(file.aliases, ("aliases",), _BETWEEN_ALIASES), wrong),
            synonyms=fields.names(written.split(file.synonyms, ("synonyms",))),
            keywords=fields.sought(written.split(file.keywords, ("keywords",)), ("keywords",), wrong),
        )

    def _subscription(
        self,
        id: str,
        file: FeedFile,
        extra: dict[str, Any],
        written: Written,
        wrong: Faults,
        costs: dict[str | int, Scope],
    ) -> Subscription:
        for name in sorted(extra):
            if not is_known(name, self._field_names):
                hint = did_you_mean(name, [f.encode_name for f in msgspec.structs.fields(FeedFile)])
                wrong.add((name,), "unknown field", hint)
        url = fields.web_address(file.url, ("url",), wrong)
        costs["url"] = "file"
        if not url and not file.url.strip():
            wrong.add(("url",), "missing", "write the address of the feed")
        provider, provider_name = fields.provider(file.provider, "", (), wrong, self._platforms)
        return Subscription(
            id=id,
            name=id.rpartition("/")[2].rpartition(".")[0],
            url=url,
            title=text.plain(file.title),
            provider=provider,
            provider_name=provider_name,
            category=text.plain(file.category),
            topics=fields.names(written.split(file.topics, ("topics",)))[: fields.MAX_TOPICS],
            lang=fields.language(file.lang, ("lang",), wrong),
            quality=file.quality,
            type=text.plain(file.type),
            include=fields.patterns(written.split(file.include, ("include",)), ("include",), wrong),
            exclude=fields.patterns(written.split(file.exclude, ("exclude",)), ("exclude",), wrong),
            max_age=fields.duration(file.max_age, ("max_age",), wrong),
            every=fields.duration(file.every, ("every",), wrong),
            enabled=file.enabled,
        )

    def _take_headline(self, id: str, values: dict[str, Any], body: str) -> str:
        """Gives a file without a title the heading that its body begins with. Returns the body without that heading."""
        found = None if id.lower().endswith(".html") else _HEADLINE.match(body)
        if found:
            with contextlib.suppress(TooDeepError):
                heading = self._markup.markdown(text.printable(found[0]))
                if heading.startswith("<h2") and (words := first_paragraph(f"<p>{_HEADING_TAG.sub('', heading)}</p>")):
                    values["title"] = html.escape(words, quote=False)
                    body = body[found.end() :]
            self._markup.dropped = []
        return body

    def _body(self, id: str, body: str, wrong: Faults) -> str:
        if not body or body.isspace():
            return ""
        if len(body.encode()) > MAX_BYTES:
            wrong.add((), *_TOO_LARGE)
            return ""
        try:
            body = text.printable(body)
            return self._markup.html(body) if id.lower().endswith(".html") else self._markup.markdown(body)
        except TooDeepError as error:
            wrong.add((), f"the body {error.what}", error.hint)
            return ""


_HEADING_TAG = re.compile(r"</?h2\b[^<>]*>")


def _name(id: str) -> tuple[str, str]:
    """The name of an article from its file or, of an `index` file, from its folder; and the language that it says."""
    folder, _, name = id.rpartition("/")
    stem = name.rpartition(".")[0]
    found = _LANGUAGE.fullmatch(stem) if "." in stem else None
    if (found[1] if found else stem) == "index" and folder:
        stem = folder.rpartition("/")[2] + stem.removeprefix("index")
    return stem, found[2].replace("_", "-") if found else ""


def _file_type(id: str) -> type[ArticleFile | AboutFile | FeedFile]:
    kind = ABOUT_FOLDERS.get(id.partition("/")[0])
    return FeedFile if kind == "feed" else AboutFile if kind else ArticleFile


def _converted(values: dict[str, Any], file_type: Any, repair: Repair) -> Any:
    """The values of a file as its type, without faults."""
    with contextlib.suppress(msgspec.ValidationError, OverflowError):
        return msgspec.convert(values, file_type)
    # Few files have nulls, and even fewer have faults. Searching for either takes longer than converting.
    with contextlib.suppress(msgspec.ValidationError, OverflowError):
        return msgspec.convert(_without_nulls(values), file_type)
    return msgspec.convert(repair.value(values, file_type), file_type)


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """Removes null values at every level."""
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


_BETWEEN_ALIASES = r",(?=[\s/])"
"""An address may hold a comma."""


def _held(article: Article, unreadable: set[str | int]) -> Article:
    """The article held, as with `published: false`; not as a follower, whose line in a story would be public."""
    is_follower = (article.heat or 0) < 0 and not unreadable.isdisjoint(_GATES.keys() - {"published"})
    return msgspec.structs.replace(article, held=True, heat=None if is_follower else article.heat)


def _is_day(when: date | None) -> bool:
    """Whether a file gives a day without a time."""
    return when is not None and not isinstance(when, datetime)


def _file_date(dated: re.Match[str] | None) -> date | None:
    """The date in a file name or its folders; None if it has none or the date does not exist."""
    try:
        return date(int(dated[1]), int(dated[2]), int(dated[3])) if dated else None
    except ValueError:
        return None


def _places(data: bytes, body: str, tags: list[str]) -> tuple[tuple[int, str], ...]:
    """The line and the name of the first tag of each kind. `tags` are as written in the file."""
    content = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    start = max(content.rfind(body), 0)
    places: dict[str, int] = {}
    for tag in tags:
        at = content.find(tag, start)
        places.setdefault(_tag_name(tag), content.count("\n", 0, max(at, start)) + 1)
    return tuple((line, name) for name, line in places.items())


_CLOSING = {"{{<": ">}}", "{{%": "%}}", "{{": "}}", "{%": "%}"}


def _tag_name(tag: str) -> str:
    """The name of an element, such as `iframe`; another generator's tag without its arguments, such as `{{< figure >}}`."""
    if tag[0] == "<":
        return re.split(r"[^a-z0-9]", tag[1:].lower(), maxsplit=1)[0]
    opening = tag[: len(tag) - len(tag.lstrip("{%<"))]
    name = tag[len(opening) :].strip(" \t-")
    return f"{opening} {name} {_CLOSING[opening]}"


def dump(values: Mapping[str, Any], body: str = "") -> bytes:
    """The bytes of a content file with this body and these values, in this order, as YAML front matter."""
    block = yaml.dump(dict(values), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{block}---\n{body and chr(10) + body.rstrip() + chr(10)}".encode()
