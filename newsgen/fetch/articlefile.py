"""Writes entries as article files, and brings such files up to date without touching what an editor added.

The front matter is YAML as people write it: one field a line, text in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from newsgen import canonical, text
from newsgen.config import Config
from newsgen.content import MAX_AUTHOR, MAX_TOPICS, FrontMatterError, parse_front_matter
from newsgen.fetch.entry import Entry
from newsgen.model import Subscription

FIELDS = (
    "title", "excerpt", "publishedDateTime", "updatedDateTime", "webUrl", "category", "type", "lang", "quality", "provider",
    "author", "topics", "images",
)  # fmt: skip
"""The fields that a fetch writes, in the order of the file, before `fetched`."""

GIVEN = ("category", "type", "lang", "quality")
"""Fields that only a new file gets. From then on they belong to the editor, or to a program that ranks articles."""

_COMPARED = tuple(
    name for name in FIELDS if name not in ("author", "topics", "publishedDateTime", "updatedDateTime", *GIVEN)
)
HALF = 16
"""The characters of half a digest. The first half is that of the values that follow the publisher.

The second is that of topics and `publishedDateTime`, to notice edits. `updatedDateTime` is in neither.
"""

_MAX_AHEAD = timedelta(days=1)
_FIRST_DAY = datetime(1970, 1, 2, tzinfo=UTC)
_MAX_SIDE = 100_000
_LANGUAGE = re.compile(text.LANGUAGE)
# Marks that turn the direction of all that follows, until they are closed.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def usable_date(entry: Entry, now: datetime) -> datetime | None:
    """When the entry was published; None if its feed does not say, or says the beginning of time or the future."""
    when = entry.published
    return when if when is not None and _FIRST_DAY < when <= now + _MAX_AHEAD else None


def values(entry: Entry, subscription: Subscription, lang: str, config: Config, now: datetime) -> dict[str, Any]:
    """The fields of an entry's file. `lang` is the language of the feed.

    An entry without a usable time gets `now`. Text is escaped where the reader of content files would take it for
    markup or an entity.
    """
    when = usable_date(entry, now) or now.replace(microsecond=0)
    updated = entry.updated
    all_day = entry.all_day and when == entry.published
    url = canonical.web_address(entry.url)
    category = subscription.category or config.fetch.category
    language = subscription.lang or _differing(entry.lang or lang, config.language)
    image = entry.image
    image_url = canonical.web_address(image.url) if image else ""
    row: dict[str, Any] = {
        "title": escaped(entry.title),
        "excerpt": escaped(entry.excerpt),
        "publishedDateTime": when.date() if all_day else when.astimezone(UTC),
        "updatedDateTime": updated.astimezone(UTC) if updated and when < updated <= now else None,
        "webUrl": url,
        "category": escaped(category),
        "type": escaped(subscription.type),
        "lang": language,
        "quality": subscription.quality,
        "provider": _provider(entry, subscription, url, config),
        "author": escaped(_author(entry, subscription)),
        "topics": union(map(escaped, (*subscription.topics, *entry.topics))),
        "images": [
            {"url": image_url, "width": _size(image.width), "height": _size(image.height),
             "title": escaped(image.title), "attribution": escaped(image.attribution)}
        ] if image and image_url else [],
    }  # fmt: skip
    row["images"] = [{name: value for name, value in picture.items() if value} for picture in row["images"]]
    return {name: value for name, value in row.items() if value or value == 0}


def _differing(language: str, sites: str) -> str:
    """A feed's language if it differs from the site's by more than a country; "" if not, as for en-US on a site in en."""
    given, own = language.lower(), sites.lower()
    main = given.partition("-")[0]
    is_same = given == own or (main == own.partition("-")[0] and main != "zh")
    return language if _LANGUAGE.fullmatch(language) and not is_same else ""


def union(topics: Any) -> list[str]:
    """Topics without repeats, as many as a file can have."""
    by_slug: dict[str, str] = {}
    for topic in topics:
        if topic:
            by_slug.setdefault(text.slug(topic), topic)
    return list(by_slug.values())[:MAX_TOPICS]


def _provider(entry: Entry, subscription: Subscription, url: str, config: Config) -> dict[str, str]:
    platforms = config.platforms
    if entry.provider or entry.provider_url:
        name, domain = entry.provider, platforms.provider(canonical.key(entry.provider_url))
    else:
        name, domain = subscription.provider_name, subscription.provider
        domain = domain or platforms.provider(canonical.key(url or subscription.url))
    return {key: value for key, value in (("name", escaped(name)), ("domain", domain)) if value}


def _author(entry: Entry, subscription: Subscription) -> str:
    """The byline of an entry; "" if it only repeats the publisher, or is an account such as admin."""
    others = {entry.provider, subscription.provider_name, subscription.title, "admin", "administrator"}
    author = text.shorten(entry.author, MAX_AUTHOR)
    return "" if author.casefold() in map(str.casefold, others) else author


def _size(pixels: int) -> int:
    return pixels if 0 < pixels <= _MAX_SIDE else 0


def escaped(value: str) -> str:
    """The text as a file has to write it: escaped if it would be taken for markup or an entity."""
    value = " ".join(_DIRECTION.sub("", text.printable(value)).split())
    return value if text.plain(value) == value else value.replace("&", "&amp;").replace("<", "&lt;")


def digest(row: Mapping[str, Any]) -> str:
    """A digest of the publisher's values."""
    # Earlier versions wrote no author. The digest of a file without one is still the same.
    author = [row["author"]] if row.get("author") else []
    facts = [*(row.get(name) for name in _COMPARED), *author], [row.get("topics", []), row.get("publishedDateTime")]
    try:
        return "".join(text.digest(msgspec.json.encode(fact, enc_hook=str))[:HALF] for fact in facts)
    except (ValueError, OverflowError, TypeError, RecursionError):  # a value that no fetch wrote
        return ""


def fetched(feed: str, guid: str, row: Mapping[str, Any], *, undated: bool) -> dict[str, Any]:
    """The field that says where a file comes from."""
    note = {"feed": feed, "guid": guid, "digest": digest(row)}
    return note | ({"undated": True} if undated else {})


def render(row: Mapping[str, Any]) -> bytes:
    """The bytes of a new file."""
    return f"---\n{''.join(_field(name, value) for name, value in row.items())}---\n".encode()


def _field(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{name}:\n" + "".join(f"  {key}: {_scalar(item)}\n" for key, item in value.items())
    if isinstance(value, list):
        return f"{name}:\n" + "".join(map(_item, value))
    return f"{name}: {_scalar(value)}\n"


def _item(value: Any) -> str:
    if isinstance(value, dict):
        return "  - " + "    ".join(f"{key}: {_scalar(item)}\n" for key, item in value.items())
    return f"  - {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


_UNSAFE = re.compile('["\\\\]|[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]')


def _quoted(value: str) -> str:
    return f'"{_UNSAFE.sub(_escape, value)}"'


def _escape(found: re.Match[str]) -> str:
    return "\\" + found[0] if found[0] in '"\\' else f"\\u{ord(found[0]):04x}"


def parsed(data: bytes) -> dict[str, Any]:
    """The fields of a file; none if they cannot be read."""
    try:
        return parse_front_matter(data).values
    except FrontMatterError:
        return {}


def updated(data: bytes, row: Mapping[str, Any], *, adopt: bool) -> bytes | None:
    """The file `data` with these values in place of those it has; everything else stays as it is, byte for byte.

    None if the front matter is not plain YAML or, without `adopt`, if a field that changes is not spelt as `render`
    spells it: then somebody edited it.
    """
    if b"\r" in data and data.count(b"\r\n") == data.count(b"\n") == data.count(
        b"\r"
    ):  # as git may write it on Windows
        result = updated(data.replace(b"\r\n", b"\n"), row, adopt=adopt)
        return result and result.replace(b"\n", b"\r\n")
    try:
        before = parse_front_matter(data)
        source = data.decode()
    except (FrontMatterError, UnicodeDecodeError):
        return None
    if before.format != "yaml" or not source.startswith("---\n") or "\r" in source:
        return None
    closing = source.find("\n---", 3) + 1
    block, rest = source[4:closing], source[closing:]
    old = before.values
    for name in (*FIELDS, "fetched"):
        if old.get(name) == row.get(name):
            continue
        span = _span(block, name)
        if span is None and name in old:
            return None
        if span and not adopt and span[0] != _field(name, old[name]):
            return None
        new = _field(name, row[name]) if name in row else ""
        start, end = span.span() if span else (_place(block, name),) * 2
        block = block[:start] + new + block[end:]
    result = f"---\n{block}{rest}".encode()
    try:
        after = parse_front_matter(result)
    except FrontMatterError:
        return None
    ours = {*FIELDS, "fetched"}
    expected = {name: value for name, value in old.items() if name not in ours} | dict(row)
    return result if after.values == expected and after.body == before.body else None


def _span(block: str, name: str) -> re.Match[str] | None:
    """Where a field is in front matter: its line, and the lines after it that are indented or items of its list."""
    return re.search(rf"^{name}[ \t]*:.*\n(?:(?:[ \t]*\n)*(?:[ \t]|-[ \n]).*\n)*", block, re.MULTILINE)


def _place(block: str, name: str) -> int:
    """Where a new field belongs: after the last of the fields that come before it in a new file."""
    before = FIELDS[: FIELDS.index(name)] if name in FIELDS else FIELDS
    return next((span.end() for other in reversed(before) if (span := _span(block, other))), 0)
