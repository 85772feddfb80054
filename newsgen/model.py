"""The types that all rooms share: articles, stories, sections, cards and the site.

All are immutable. Times are aware and in UTC. A `Member` is an `Article` or a `Coverage`; what both have in common has
the same field names in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The base of all types here. A value is encoded as a list of its fields, in the order of their definition."""


class Image(Value, frozen=True, kw_only=True):
    """A picture. `width` and `height` are in pixels, 0 if unknown; they reserve space on the page.

    `url` is an http(s) URL or an address of this site; in an article as its file has it, also the name of a file beside
    it. `widths` are those of its smaller copies, each in all of the `formats`; see `urls.copy`.
    """

    url: str
    width: int = 0
    height: int = 0
    title: str = ""
    attribution: str = ""
    widths: tuple[int, ...] = ()
    formats: tuple[str, ...] = ()


class NamedFile(Value, frozen=True, kw_only=True):
    """A file in the content folder that a content file names; it need not be there.

    `id` is its path below the content folder, without an ending if it is in `_images`. `link` is the name or the URL of
    a picture, or the link in the body, that stands for it. `place` is where a field names it, () for the body.
    """

    id: str
    link: str
    place: tuple[str | int, ...] = ()


class Attachment(Value, frozen=True, kw_only=True):
    """A file in the content folder that the site publishes because a content file names it.

    `source` is its path below the content folder, `digest` that of its bytes, and `address` where it is published.
    `widths` and `formats` are as in `Image`. `encoder` names what makes the copies and, in place of the file's own
    bytes, the picture at `address`; "" if the file is copied as it is.
    """

    source: str
    digest: bytes
    address: str
    type: str
    width: int = 0
    height: int = 0
    widths: tuple[int, ...] = ()
    formats: tuple[str, ...] = ()
    encoder: str = ""


class Related(Value, frozen=True, kw_only=True):
    """An entry of an article's `related`. `keys` are its canonical keys; the first is the key of `url`.

    `all_day`: see `Article`.
    """

    keys: tuple[str, ...]
    url: str
    title: str
    excerpt: str
    published: datetime | None
    all_day: bool = False
    provider: str
    provider_name: str
    type: str
    quality: int | None
    image: Image | None


class RelatedEntries(Value, frozen=True, kw_only=True):
    """The related entries of an article, decoded on each iteration. Most uses need only `keys`, which are not encoded.

    `keys` holds the first canonical key of each entry, in order.
    """

    keys: tuple[str, ...] = ()
    packed: bytes = b"\x90"

    @classmethod
    def of(cls, entries: Iterable[Related]) -> RelatedEntries:
        rows = tuple(entries)
        return cls(keys=tuple(entry.keys[0] for entry in rows), packed=msgspec.msgpack.encode(rows))

    def __iter__(self) -> Iterator[Related]:
        return iter(_entries(self.packed))


_entries = msgspec.msgpack.Decoder(tuple[Related, ...]).decode


class Article(Value, frozen=True, kw_only=True):
    """One content file.

    `id` is its path below the content folder. `slug` is the file name without date and extension. `url` is where the
    headline leads, "" for an own post. `keys` are its canonical keys. `provider` is the provider's normalised domain,
    "" for the site itself. `embed` is the https URL of a video player. `body` is safe HTML. A negative `heat` marks a
    follower, which is folded into another story. No words join a `standalone` article to others. `status` is the gate
    that a preview opened for it, else "".
    `authors` are named in the file; each has a page or none.
    `merged_topics` are the spellings in the file that have the slug of another of its topics. `links` are the addresses
    of this site that the pictures, the related entries and the body name. `dropped` holds the line and name of the
    first element of each kind that was left out of the body, and of the first of each tag of another generator in it.
    `files` are the files in the content folder that it names; `attachments` are those that are there, and each has taken
    the place of its name.

    `all_day`: the file gives a day without a time, and `published` is its first moment in the site's zone. The same for
    `updated` is `updated_all_day`. `expires` and `pin` are the last moment of such a day. `embargo` keeps the article
    out until then.
    """

    id: str
    slug: str
    title: str
    excerpt: str
    published: datetime
    all_day: bool = False
    updated: datetime | None
    updated_all_day: bool = False
    embargo: datetime | None = None
    expires: datetime | None
    url: str
    keys: tuple[str, ...]
    provider: str
    provider_name: str
    category: str
    topics: tuple[str, ...]
    type: str
    quality: int | None
    heat: float | None
    images: tuple[Image, ...]
    related: RelatedEntries
    embed: str
    story: str
    pin: datetime | None
    lang: str
    dir: str
    aliases: tuple[str, ...]
    body: str
    extra: tuple[tuple[str, Any], ...]
    held: bool
    draft: bool
    blocked: bool
    standalone: bool = False
    status: str = ""
    digest: bytes = b""
    authors: tuple[Link, ...] = ()
    merged_topics: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    dropped: tuple[tuple[int, str], ...] = ()
    files: tuple[NamedFile, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def image(self) -> Image | None:
        return self.images[0] if self.images else None

    @property
    def has_content(self) -> bool:
        """Whether there is more to read here than a headline that leads elsewhere: an own post, or any body."""
        return bool(self.body) or not self.url


class Coverage(Value, frozen=True, kw_only=True):
    """A report elsewhere that has no file of its own, made from a related entry. Topics and category are the article's.

    `id` starts with a prefix that no path of a file can have (see `stories.COVERAGE_PREFIX`). `folded` marks a
    follower, which may appear as a line of its story and nowhere else. `all_day`: see `Article`.
    """

    id: str
    title: str
    excerpt: str
    published: datetime
    all_day: bool = False
    url: str
    provider: str
    provider_name: str
    category: str
    topics: tuple[str, ...]
    type: str
    quality: int | None
    image: Image | None
    lang: str
    dir: str
    folded: bool = False
    heat: float | None = None
    status: str = ""


Member: TypeAlias = Article | Coverage

by_time = attrgetter("published", "id")
"""The sort key of members: earliest first, then by id."""


class About(Value, frozen=True, kw_only=True):
    """A file in `_topics`, `_providers`, `_stories` or `_pages`.

    `key` is what the file is about: a provider's domain, or the slug of a topic, story or page. `dropped`, `files` and
    `attachments` are as in an article. `synonyms` are other names of a topic; `keywords` are words and phrases that put an article under it.
    `type`, `country` and `owner` are those of a provider, in the site's words.
    """

    id: str
    kind: Literal["topic", "provider", "story", "page"]
    key: str
    title: str
    description: str = ""
    parent: str = ""
    home: str = ""
    type: str = ""
    country: str = ""
    owner: str = ""
    lead: str = ""
    image: Image | None = None
    body: str = ""
    navigation: bool = False
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    dropped: tuple[tuple[int, str], ...] = ()
    synonyms: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    files: tuple[NamedFile, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class Subscription(Value, frozen=True, kw_only=True):
    """A file in `_feeds`: a feed to fetch, and what its articles get where the feed does not say.

    `name` is the file's name without extension, `url` the feed's address. `include` and `exclude` are phrases, or
    regular expressions between slashes, for titles. `every` and `max_age` are in seconds; None leaves them to
    site.toml, and a `max_age` of 0 has no limit.
    """

    id: str
    name: str
    url: str
    title: str = ""
    provider: str = ""
    provider_name: str = ""
    category: str = ""
    topics: tuple[str, ...] = ()
    lang: str = ""
    quality: int | None = None
    type: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_age: int | None = None
    every: int | None = None
    enabled: bool = True


class Provider(Value, frozen=True, kw_only=True):
    """A provider: its normalised domain, its preferred name and its home page."""

    domain: str
    title: str
    home: str


class Evidence(Value, frozen=True, kw_only=True):
    """Why `member` is in a story with `other`. Both are ids.

    `kind`: the two have the same address, both declare each other ("mutual"), one declares the other ("declared"), the
    editor put them together, their words are similar, or a file that joined them has expired. If similar, `other` is the
    most similar member and `score` (0 to 1) is the similarity to the story.
    """

    member: str
    other: str
    kind: Literal["same address", "mutual", "declared", "editor", "similar", "expired"]
    score: float = 0.0


class Rejected(Value, frozen=True, kw_only=True):
    """A near miss: an article (`id`) that is similar to a story but not in it. `other` is the id of the nearest member.

    `score` is the similarity of the two (0 to 1). `fit` is the article's score for the whole story, where 1 is enough
    to join. `reason`: only one of the two declares the other ("one side"), an editor keeps them apart ("editor"), the
    article fits another story better ("elsewhere"), or its score is too low ("unlike").
    """

    id: str
    other: str
    reason: Literal["one side", "editor", "elsewhere", "unlike"]
    score: float = 0.0
    fit: float = 0.0


class Story(Value, frozen=True, kw_only=True):
    """Two or more members about one event, oldest first. `id` is the id of its earliest file, even if that has expired.

    `providers` are the members' provider domains; `sources` counts the independent ones. `rejected` are the near
    misses, nearest first. `typicality` is that of members, by id, in steps of 5 % of that of the most typical one: 19 is
    95 % and more. Members that words do not compare have none. `marginal` are the ids of members at the margin: similar
    words joined them, but to the others they are much less similar than these are to each other. They may be about
    something else.
    """

    id: str
    name: str
    lead: Member
    members: tuple[Member, ...]
    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    typicality: dict[str, int]
    providers: tuple[str, ...]
    sources: int
    marginal: tuple[str, ...] = ()

    @property
    def core(self) -> tuple[Member, ...]:
        """The members that are not at the margin."""
        return tuple([m for m in self.members if m.id not in self.marginal]) if self.marginal else self.members

    @property
    def first(self) -> Member:
        return self.members[0]

    @property
    def last(self) -> Member:
        return self.members[-1]

    @property
    def files(self) -> Iterator[Article]:
        """The members with a file, oldest first."""
        return (m for m in self.members if isinstance(m, Article))


class Section(Value, frozen=True, kw_only=True):
    """All members with one key on one axis (topic, provider, category or day), newest first."""

    axis: str
    key: str
    title: str
    members: tuple[Member, ...]
    about: About | None = None
    parent: str = ""
    children: tuple[str, ...] = ()


class Link(Value, frozen=True, kw_only=True):
    """A title and the address it leads to; `url` is "" if there is no such page."""

    title: str
    url: str


class CountedLink(Value, frozen=True, kw_only=True):
    """A link to a page that lists `count` things."""

    title: str
    url: str
    count: int


class Card(Value, frozen=True, kw_only=True, cache_hash=True):
    """What a list shows of a member; never the body.

    `url` is where the headline leads: the publisher's page, or our page for an own post. `page` is our page about the
    member, "" if it has none. `story` is the page of its story, "" if it is in none. `all_day`: only the day of
    `published` is known. `authors` are those that its file names, each with a page or "".
    """

    url: str
    page: str
    story: str
    title: str
    summary: str
    provider: Link
    published: datetime
    all_day: bool = False
    image: Image | None
    type: str
    status: str
    lang: str
    dir: str
    topics: tuple[Link, ...]
    authors: tuple[Link, ...] = ()


class Cluster(Value, frozen=True, kw_only=True, cache_hash=True):
    """What a list shows of a story: its lead and a few other members. For an article alone, `url` is "".

    `count` is the number of members, `sources` the number of independent sources. If the story is `developing`, its
    newest report is more than an hour younger than its lead, and is the first of `coverage`. `siblings` are stories and
    articles on the same event that are not in it.
    """

    title: str
    url: str
    lead: Card
    coverage: tuple[Card, ...]
    count: int
    sources: int
    developing: bool = False
    siblings: tuple[Cluster, ...] = ()


class ProviderStats(Value, frozen=True, kw_only=True):
    """A provider's part in stories with two or more sources: how many it is in, how many it leads and reported first.

    `lag` is the median delay of its report after the first report, in minutes; None if it was always first or no times
    are known.
    """

    stories: int = 0
    led: int = 0
    first: int = 0
    lag: int | None = None


class Phrase(Value, frozen=True, kw_only=True):
    """What the catalogues say for a message of newsgen's code or templates.

    `id` is the message, after its context and an EOT if it has one. `forms` are the translations: one, or one for each
    plural form, of which `plural` computes the position, as in the header of a catalogue.
    """

    id: str
    forms: tuple[str, ...]
    plural: str = ""


class Brand(Value, frozen=True, kw_only=True, cache_hash=True):
    """What an editor's own look adds to every page; `colours` are the backgrounds in light and dark.

    `styles` is the address of its style sheet, "" if it needs none. `icon_type` is the media type of `icon`. `footer` is
    the text of the footer: links, and words with no `url`. `head` is trusted HTML for the end of <head>.
    """

    styles: str = ""
    logo: Image | None = None
    logo_dark: Image | None = None
    icon: Image | None = None
    icon_type: str = ""
    colours: tuple[str, str] = ("", "")
    footer: tuple[Link, ...] = ()
    profiles: tuple[Link, ...] = ()
    head: str = ""


class Site(Value, frozen=True, kw_only=True, cache_hash=True):
    """What every page shows. It has no counts and no times; otherwise one new article would make all pages stale.

    `base` is the base URL without a closing slash, "" if not set. `root` is the path of the base URL with a closing
    slash; every link on the site begins with it. `home`, `search`, `manifest` and `following` are the addresses of the
    front page, of the search, of the web app manifest, and of the page of what the reader follows; "" if there is none.
    `share` are the links by which readers share a story, with {url} and {title} in their URLs. `phrases` are the words of
    the interface that are not the English ones of code and templates. `brand` is None for a site that looks as newsgen
    ships it. `slots`: whether its own templates fill one of the blocks that are empty otherwise.
    """

    title: str
    description: str
    language: str
    dir: str
    timezone: str
    base: str
    root: str
    home: str
    search: str = ""
    navigation: tuple[Link, ...]
    footer: tuple[Link, ...]
    feeds: tuple[Link, ...]
    images: bool
    embeds: bool
    manifest: str = ""
    following: str = ""
    share: tuple[Link, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    brand: Brand | None = None
    slots: bool = False

    def current(self, address: str) -> str:
        """The address if the navigation links to it, else "". The masthead differs between pages only in this."""
        return address if any(link.url == address for link in self.navigation) else ""


def frozen(value: Any) -> Any:
    """Converts lists to tuples at every level. Decoding an encoded value yields lists in place of tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value
