"""Checks what a plugin made of an article, as strictly as the reader checks what a file says."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from newsgen import canonical, text, times
from newsgen.content import fields
from newsgen.content.fields import ArticleFile, AuthorPart
from newsgen.content.markup import MAX_BYTES, Markup, TooDeepError, player
from newsgen.model import Article, Image, NamedFile, Related, RelatedEntries
from newsgen.platforms import Platforms
from newsgen.text import digest_bytes
from newsgen.validation import Faults, plain_english

_encode = msgspec.msgpack.Encoder().encode

FIXED = frozenset(["id", "keys", "status", "digest", "merged_topics", "links", "dropped", "files", "attachments"])
"""The fields that a plugin cannot set: they follow from the file and from other fields."""

_PLAIN = frozenset(["excerpt", "provider_name", "category", "type"])
_ID = re.compile(r'( id="|href="#)h-')


class ReturnedArticles:
    """Checks the articles that plugins return on one site."""

    def __init__(
        self,
        markup: Markup,
        platforms: Platforms,
        hosts: tuple[str, ...],
        root: str,
        is_blocked: Callable[..., bool],
        own_links: Callable[..., tuple[str, ...]],
        files_of: Callable[[Article], tuple[NamedFile, ...]],
    ) -> None:
        """`hosts` are those of video players, and `root` is the path of the site's base URL."""
        self._markup, self._platforms, self._hosts, self._root = markup, platforms, hosts, root
        self._is_blocked, self._own_links, self._files_of = is_blocked, own_links, files_of

    @cached_property
    def _types(self) -> Mapping[str, Any]:
        """The type of each field that a plugin can set."""
        types = {field.name: field.type for field in msgspec.structs.fields(Article) if field.name not in FIXED}
        written = {field.name: field.type for field in msgspec.structs.fields(ArticleFile)}
        types |= {name: written[name] for name in ("quality", "heat", "dir")}
        return types | {"related": tuple[Related, ...], "extra": dict[str, Any]}

    def checked(self, before: Article, after: Article, wrong: Faults) -> Article:
        """The article `before` with the changes in `after` that are valid. What is not is added to `wrong`.

        A gate that was closed stays closed.
        """
        changes: dict[str, Any] = {}
        for name, kind in self._types.items():
            old, new = getattr(before, name), getattr(after, name)
            if type(old) is type(new) and old == new:
                continue
            count = len(wrong)
            try:
                value = self._value(name, _typed(name, new, kind), wrong)
            except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
                wrong.add((name,), plain_english(str(error)))
                continue
            if len(wrong) == count:
                changes[name] = value
        self._keep_gates_closed(before, changes, wrong)
        changes = {name: value for name, value in changes.items() if value != getattr(before, name)}
        if not changes:
            return before
        if "url" in changes:
            old_key, keys = canonical.key(before.url), before.keys
            others = [key for key in keys if key != old_key]
            changes["keys"] = tuple(dict.fromkeys(filter(None, [canonical.key(changes["url"]), *others])))
        article = msgspec.structs.replace(before, **changes)
        article = msgspec.structs.replace(
            article,
            blocked=article.blocked or self._is_blocked(article.provider, *article.keys),
            links=self._own_links(
                [*article.authors, *article.images, *(entry.image for entry in article.related)], article.body
            ),
            digest=before.digest and digest_bytes(before.digest + _encode(changes)),
        )
        return msgspec.structs.replace(article, files=self._files_of(article))

    def _keep_gates_closed(self, before: Article, changes: dict[str, Any], wrong: Faults) -> None:
        for name in ("held", "draft", "blocked"):
            if getattr(before, name) and not changes.get(name, True):
                wrong.add((name,), "a plugin cannot open a gate", "publish the article in its file")
                del changes[name]
        # Whatever the plugin says of times, the article appears no earlier and expires no later.
        opens = max(filter(None, (before.published, before.embargo)))
        published, embargo = (changes.get(name, getattr(before, name)) for name in ("published", "embargo"))
        if max(filter(None, (published, embargo))) < opens:
            changes["embargo"] = opens
        if before.expires and (changes.get("expires", before.expires) or times.LAST) > before.expires:
            wrong.add(("expires",), "a plugin cannot open a gate", "write a later expiryDate in the file")
            del changes["expires"]
        # The line of a held follower in its story is public.
        was_follower = before.held and (before.heat or 0) < 0
        if changes.get("held", before.held) and (changes.get("heat", before.heat) or 0) < 0 and not was_follower:
            changes["heat"] = None

    def _value(self, name: str, value: Any, wrong: Faults) -> Any:
        """The value of a field, of the right type, as the reader would give it."""
        at = (name,)
        if name == "title":
            value = _one_line(value)
            if not value:
                wrong.add(at, "must not be empty")
        elif name in _PLAIN:
            value = _one_line(value) or ("article" if name == "type" else "")
        elif isinstance(value, datetime):
            if value.tzinfo is None:
                wrong.add(at, "a time without a zone", "give it one, such as datetime.UTC")
            else:
                value = value.astimezone(UTC)
        elif name == "url":
            if value.strip():
                value = fields.web_address(value, at, wrong)
            else:
                wrong.add(at, "must not be empty: the article would become the site's own post")
        elif name == "provider":
            domain = self._platforms.key(value) if value else ""
            if value and not domain:
                wrong.add(at, f"{value!r} is not a domain", "write it as example.org")
            value = domain
        elif name == "slug":
            value = text.slug(value)
        elif name == "story":
            value = text.slug(value) if value.strip() else ""
        elif name == "topics":
            names = fields.names(value)
            if len(names) > fields.MAX_TOPICS:
                fields.too_many(value, names, wrong)
            value = names[: fields.MAX_TOPICS]
        elif name == "authors":
            value = fields.authors(tuple(AuthorPart(name=a.title, url=a.url) for a in value), wrong)
        elif name == "images":
            pictures = [self._picture(image, (name, index, "url"), wrong) for index, image in enumerate(value)]
            value = tuple(filter(None, pictures))
        elif name == "related":
            value = RelatedEntries.of(filter(None, (self._entry(e, (name, n), wrong) for n, e in enumerate(value))))
        elif name == "embed" and value:
            if player(f'<iframe src="{html.escape(value)}"></iframe>', self._hosts) != value:
                wrong.add(at, f"{value!r} is not the https address of a player on one of the hosts in video.hosts")
        elif name == "lang":
            value = fields.language(value, at, wrong)
        elif name == "aliases":
            value = fields.aliases(value, wrong)
        elif name == "body":
            value = self._body(value, wrong)
        return value

    def _picture(self, image: Image, at: tuple[str | int, ...], wrong: Faults) -> Image | None:
        url = fields.picture_address(image.url, at, wrong)
        if not url or (not fields.is_name(url) and self._is_blocked(url)):
            return None
        title, attribution = _one_line(image.title), _one_line(image.attribution)
        width, height = max(0, image.width), max(0, image.height)
        return Image(url=url, width=width, height=height, title=title, attribution=attribution)

    def _entry(self, entry: Related, at: tuple[str | int, ...], wrong: Faults) -> Related | None:
        url, title = fields.web_address(entry.url, (*at, "url"), wrong), _one_line(entry.title)
        key = canonical.key(url)
        if not key or not title or self._is_blocked(entry.provider, key):
            return None
        return msgspec.structs.replace(
            entry,
            url=url,
            keys=tuple(dict.fromkeys([key, *entry.keys])),
            title=title,
            excerpt=_one_line(entry.excerpt),
            published=entry.published.astimezone(UTC) if entry.published and entry.published.tzinfo else None,
            provider=self._platforms.key(entry.provider) if entry.provider else "",
            provider_name=_one_line(entry.provider_name),
            type=_one_line(entry.type) or "article",
            image=self._picture(entry.image, (*at, "image", "url"), wrong) if entry.image else None,
        )

    def _body(self, body: str, wrong: Faults) -> str:
        if len(body.encode("utf-8", "replace")) > MAX_BYTES:
            wrong.add(("body",), f"has more than {MAX_BYTES:,} bytes")
            return ""
        # Except for what the plugin changed, the body is as the reader made it: its ids have their prefix, and its
        # links the path of the site.
        body = _ID.sub(r"\1", text.printable(body))
        if self._root != "/":
            body = re.sub(f'((?:href|src|cite)="){re.escape(self._root)}', r"\1/", body)
        try:
            return self._markup.html(body)
        except TooDeepError as error:
            wrong.add(("body",), error.what)
            return ""


def _typed(name: str, value: Any, kind: Any) -> Any:
    """A value as its type. Raises an error that says what is wrong with it."""
    if name == "related":
        value = tuple(value)
    if name == "extra":
        return frozen_values(dict(value))
    return msgspec.msgpack.decode(_encode(value), type=kind)


def frozen_values(value: Any) -> Any:
    """Plain values made immutable, without nulls, and limited to what every format can encode."""
    if isinstance(value, dict):
        return tuple(
            (text.printable(str(k)), frozen_values(value[k])) for k in sorted(value, key=str) if value[k] is not None
        )
    if isinstance(value, list | tuple):
        return tuple(frozen_values(item) for item in value if item is not None)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return text.printable(value if isinstance(value, str) else repr(value))


def _one_line(words: str) -> str:
    return " ".join(text.printable(words).split())
