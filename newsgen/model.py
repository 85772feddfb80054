"""The nouns: what an article, a story, a section and a card are.

All are frozen and complete from birth. Times are aware and in UTC. An `Article` and a `Coverage` answer to the same
names wherever a list or a story needs only what both have; together they are a `Member`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A value. Encoded as a list of its fields in their order."""


class Image(Value, frozen=True, kw_only=True):
    """A picture by address. `width` and `height` in pixels reserve its space, 0 where unknown."""

    url: str
    width: int = 0
    height: int = 0
    title: str = ""
    attribution: str = ""


class Related(Value, frozen=True, kw_only=True):
    """What a file declares about coverage elsewhere. `keys` are its canonical keys, the first its own."""

    keys: tuple[str, ...]
    url: str
    title: str
    excerpt: str
    published: datetime | None
    provider: str
    provider_name: str
    type: str
    quality: int | None
    image: Image | None


class RelatedEntries(Value, frozen=True, kw_only=True):
    """The related entries of a file, decoded whenever they are asked for: of most only the first canonical key is.

    `keys` are these, in the order of the entries.
    """

    keys: tuple[str, ...] = ()
    packed: bytes = b"\x90"

    @classmethod
    def of(cls, entries: Iterable[Related]) -> RelatedEntries:
        held = tuple(entries)
        return cls(keys=tuple(entry.keys[0] for entry in held), packed=msgspec.msgpack.encode(held))

    def __iter__(self) -> Iterator[Related]:
        return iter(_entries(self.packed))


_entries = msgspec.msgpack.Decoder(tuple[Related, ...]).decode


class Article(Value, frozen=True, kw_only=True):
    """One article file.

    `id` is its path below the content folder, `slug` the file's name without date and ending, `url` where the reader
    goes ("" for the site's own post), `keys` its canonical keys, `provider` the provider's normalised domain ("" for
    the site's own), `embed` the https address of a video player, `body` safe HTML. `heat` below 0 is the source's mark
    for a follower folded into another story. `status` names the gate that a preview build opened for it: "" in public.
    """

    id: str
    slug: str
    title: str
    excerpt: str
    published: datetime
    updated: datetime | None
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
    status: str = ""
    digest: bytes = b""

    @property
    def image(self) -> Image | None:
        return self.images[0] if self.images else None


class Coverage(Value, frozen=True, kw_only=True):
    """A piece that has no file here: a related entry in its own right, with its declarer's topics and category.

    `id` begins so that it is never a file's (see `declared.COVERAGE_PREFIX`). `folded` marks a held follower, which may show as
    a line of its story and nowhere else.
    """

    id: str
    title: str
    excerpt: str
    published: datetime
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
"""The order of members: the earliest first, of those of one time by id."""


class About(Value, frozen=True, kw_only=True):
    """What a file in `_topics`, `_providers`, `_stories` or `_pages` says. `key` is the slug, domain or name it is about."""

    id: str
    kind: Literal["topic", "provider", "story", "page"]
    key: str
    title: str
    description: str = ""
    parent: str = ""
    home: str = ""
    lead: str = ""
    image: Image | None = None
    body: str = ""
    navigation: bool = False
    aliases: tuple[str, ...] = ()


class Provider(Value, frozen=True, kw_only=True):
    """Who publishes: the normalised domain, the best of its names, and its own front page."""

    domain: str
    title: str
    home: str


class Evidence(Value, frozen=True, kw_only=True):
    """Why `member` is in a story with `other`, both ids: the same address, both declare it, one does, or the editor.

    Where their words did it, `other` is the member it is most like and `score` (0 to 1) how like the story it is.
    """

    member: str
    other: str
    kind: Literal["same address", "mutual", "declared", "editor", "similar"]
    score: float = 0.0


class Rejected(Value, frozen=True, kw_only=True):
    """A file that came near a story and is not in it, `other` the member it is nearest to, both by id.

    `score` is how alike their words are (0 to 1), `fit` how well it fits the whole story (1 would be enough). The reason:
    only one side declares it, an editor keeps it apart, it fits another story (`elsewhere`) or too little (`unlike`).
    """

    id: str
    other: str
    reason: Literal["one side", "editor", "elsewhere", "unlike"]
    score: float = 0.0
    fit: float = 0.0


class Story(Value, frozen=True, kw_only=True):
    """Two or more members that tell of one event, oldest first. `id` is the id of the earliest member with a file.

    `providers` are their domains, `sources` how many of these are independent.

    `rejected` are the files that came nearest and are in no story or in another, the nearest first.
    """

    id: str
    name: str
    lead: Member
    members: tuple[Member, ...]
    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    providers: tuple[str, ...]
    sources: int

    @property
    def first(self) -> Member:
        return self.members[0]

    @property
    def last(self) -> Member:
        return self.members[-1]


class Section(Value, frozen=True, kw_only=True):
    """Everything with one key on one axis (topic, provider, category, day), newest first."""

    axis: str
    key: str
    title: str
    members: tuple[Member, ...]
    about: About | None = None
    parent: str = ""
    children: tuple[str, ...] = ()


class Link(Value, frozen=True, kw_only=True):
    """A title and where it leads; `url` is "" where there is no page for it."""

    title: str
    url: str


class CountedLink(Value, frozen=True, kw_only=True):
    """A link and how many it stands for."""

    title: str
    url: str
    count: int


class Card(Value, frozen=True, kw_only=True, cache_hash=True):
    """What a listing may show of a member; never the body.

    `url` is where the headline leads: the publisher's page, or ours for the site's own post. `page` is our page about it,
    "" where it has none; `story` the page of its story, "" where it is alone.
    """

    url: str
    page: str
    story: str
    title: str
    summary: str
    provider: Link
    published: datetime
    image: Image | None
    type: str
    status: str
    lang: str
    dir: str
    topics: tuple[Link, ...]


class Cluster(Value, frozen=True, kw_only=True, cache_hash=True):
    """A story as a listing shows it, or an article alone (`url` is then ""): its lead and the first few of the others.

    `count` is the number of members, `sources` of independent ones among their providers.
    """

    title: str
    url: str
    lead: Card
    coverage: tuple[Card, ...]
    count: int
    sources: int


class ProviderStats(Value, frozen=True, kw_only=True):
    """What a provider is to stories of several sources: how many it is in, leads and was first to report.

    `lag` is the median of the minutes that its report came after the first one, None where it always was the first.
    """

    stories: int = 0
    led: int = 0
    first: int = 0
    lag: int | None = None


class Site(Value, frozen=True, kw_only=True, cache_hash=True):
    """What every page shows. No counts and no clock: otherwise one new article would change all pages.

    `base` is the site's address without a closing slash ("" where it is not known), `root` the path of it that begins
    every address on the site and ends in a slash, `home` the front page's address ("" where there is none).
    """

    title: str
    description: str
    language: str
    dir: str
    timezone: str
    base: str
    root: str
    home: str
    navigation: tuple[Link, ...]
    footer: tuple[Link, ...]
    feeds: tuple[Link, ...]
    images: bool
    embeds: bool

    def current(self, address: str) -> str:
        """The address again where the navigation leads to it, else "": what tells two pages' navigations apart."""
        return address if any(link.url == address for link in self.navigation) else ""


def frozen(value: Any) -> Any:
    """A value in which lists are tuples, at every level, as they were before it was encoded."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value
