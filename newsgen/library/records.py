"""What the library keeps of members, files, stories and sections, in the store that it lives in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from unicodedata import normalize

import msgspec

from newsgen.model import Attachment, Coverage, Evidence, Member, Provider, Rejected
from newsgen.platforms import Platforms
from newsgen.store import StoredRow
from newsgen.stories import COVERAGE_PREFIX
from newsgen.text import IMAGES_FOLDER

Role = Literal["shown", "hidden", "follower", ""]


class Row(StoredRow, frozen=True):
    """A member, as lists, ranking and planning need it.

    `item` is the id of its story, or its own if it is not `in_story`. `score` is the rank of that, and `day_score` the
    rank that it had at the end of the member's day. `topics` are names, of which the first is the main one. `page` is
    `Library.page`. `own` is a digest of all that lists and feeds show of the member itself, or rank it by; `card` is
    one of that and of the names and addresses that its card links to. `updated` is when the article says that it
    changed. `coverage` is the member itself if it has no file.
    """

    published: datetime
    id: str
    item: str
    in_story: bool
    score: float
    day_score: float
    provider: str
    provider_name: str
    author_page: str
    topics: tuple[str, ...]
    category: str
    quality: int | None
    heat: float | None
    has_content: bool
    own: bytes
    page: str = ""
    card: bytes = b""
    all_day: bool = False
    updated: datetime | None = None
    coverage: Coverage | None = None

    @property
    def key(self) -> tuple[datetime, str]:
        return self.published, self.id


class SectionRow(StoredRow, frozen=True):
    """A member in a section; see `Row`. `item` is "" if it is the member itself. In a day, `score` is the `day_score`."""

    published: datetime
    id: str
    score: float
    item: str = ""

    @property
    def key(self) -> tuple[datetime, str]:
        return self.published, self.id


class StoryRow(StoredRow, frozen=True):
    """A story in the order of all: the times of its first and last member, and its id."""

    first: datetime
    id: str
    last: datetime

    @property
    def key(self) -> tuple[datetime, str]:
        return self.first, self.id


class Moment(StoredRow, frozen=True):
    """A time at which the file `id` appears, expires, or has been updated."""

    at: datetime
    id: str

    @property
    def key(self) -> tuple[datetime, str]:
        return self.at, self.id


class Mention(StoredRow, frozen=True):
    """A file (`id`) that has an unknown field ("field"), writes a topic in this way ("topic"), names a file ("file", by
    its `file_key`), or, if it is shown, has an attachment ("attachment", with its address and source; see `attached`).
    """

    kind: str
    name: str
    id: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.name, self.id


def file_key(id: str) -> str:
    """What stands for a file that others name by its id: the same for both forms of a letter with an accent.

    Pictures in `IMAGES_FOLDER` are named without their ending.
    """
    return normalize("NFC", id.rpartition(".")[0] if id.startswith(f"{IMAGES_FOLDER}/") and "." in id else id)


def attached(attachment: Attachment) -> str:
    """The name of an attachment among the mentions."""
    return f"{attachment.address}\0{attachment.source}"


class Filed(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """An article's file, published or not.

    `digest` is that of the article with all its topics, and `topics` are these if they differ from those in the file.
    `gate` is what keeps it out, opened or not, and `role` how it takes part: "shown", "hidden" (expired), "follower" or
    "" if not at all. `base` is the address that its permalink gives it, `address` the one that it has, and `spare` the
    one with digits that it gets if `base` is in use. `targets`, `successor` and `origin` are as in `Library`.
    """

    digest: bytes
    topics: tuple[str, ...]
    published: datetime
    gate: str
    role: Role
    base: str
    spare: str
    address: str = ""
    targets: tuple[str, ...] = ()
    successor: str = ""
    origin: str = ""
    story: str = ""
    folded: bool = False
    moments: tuple[datetime, ...] = ()
    mentions: tuple[tuple[str, str], ...] = ()
    providers: tuple[str, ...] = ()


class StoryRecord(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """A story without its members' values.

    `members` are their times and ids, oldest first; `followers` are no members of the library. `typicality` and
    `marginal` are as in `Story`. `updated` is the latest time at which a member was published or updated. `days` are
    those of the library's members, oldest first, each with the rank that the story had at its end. `stats` says of each
    provider whether it leads the story, whether it was first, and its lag, without members at the margin; see
    `ProviderStats`.
    """

    id: str
    name: str
    lead: str
    members: tuple[tuple[datetime, str], ...]
    followers: dict[str, Coverage]
    evidence: tuple[Evidence, ...]
    rejected: tuple[Rejected, ...]
    typicality: dict[str, int]
    providers: tuple[str, ...]
    sources: int
    updated: datetime
    score: float
    days: tuple[tuple[str, float], ...]
    stats: tuple[tuple[str, bool, bool, int | None], ...] = ()
    marginal: tuple[str, ...] = ()

    @property
    def adjacent(self) -> tuple[str, ...]:
        """The ids of the near misses that would be members if they did not fit another story better."""
        return tuple([r.id for r in self.rejected if r.fit > 1 and r.reason != "editor"])

    @property
    def lead_key(self) -> tuple[datetime, str]:
        """The time and id of the lead."""
        return next(key for key in self.members if key[1] == self.lead)

    @property
    def first_file(self) -> tuple[datetime, str]:
        """The time and id of the earliest member with a file."""
        return next(key for key in self.members if not key[1].startswith(COVERAGE_PREFIX))


class IndexRow(msgspec.Struct, array_like=True):
    """A section in the index of its axis: its title, the number of its members and the time of the newest."""

    title: str
    count: int
    newest: datetime


class SectionFacts(msgspec.Struct, array_like=True):
    """What is counted in a section: the spellings of its name, and the topics and providers of its members."""

    spellings: dict[str, int] = {}
    topics: dict[str, int] = {}
    providers: dict[str, int] = {}


class ProviderFacts(msgspec.Struct, array_like=True):
    """A provider, and how often its members and followers have each name and each page of an author.

    `members` is the number of its members, `followed` that of its followers by story.
    """

    provider: Provider
    names: dict[str, int] = {}
    pages: dict[str, int] = {}
    members: int = 0
    followed: dict[str, int] = {}


class Tally(msgspec.Struct, array_like=True):
    """A provider's part in stories of several sources, as in `ProviderStats`. Its lags are stored apart, as they are many."""

    stories: int = 0
    led: int = 0
    first: int = 0


class Facts(msgspec.Struct, kw_only=True):
    """What the library knows of the site as a whole.

    `now` and `clock` are those of the last update. `gates` counts the files behind each gate ("" if none is closed),
    `folded` those that are held because they follow another; `published` and `coverage` count members, and `stories`
    stories. `closed` counts the providers that files name which are not shown. `expired` are the files that have
    expired. Of these and of files that are shown, `aliases` has those with aliases; of files that are shown, `links`
    has those that name addresses of this site, and `pins` the ends of pins. `named` has the files with each `story`
    name, and whether they are shown. `ubiquitous` are the topics on more than half of all members.
    """

    now: datetime | None = None
    clock: datetime | None = None
    gates: dict[str, int] = {}
    folded: int = 0
    published: int = 0
    coverage: int = 0
    stories: int = 0
    closed: dict[str, int] = {}
    expired: dict[str, None] = {}
    aliases: dict[str, None] = {}
    links: dict[str, None] = {}
    pins: dict[str, datetime] = {}
    named: dict[str, dict[str, bool]] = {}
    ubiquitous: list[str] = []


def count(counts: Any, name: Any, sign: int) -> None:
    """Counts one more or one less, and leaves out what is there no more."""
    count = counts.get(name, 0) + sign
    if count:
        counts[name] = count
    else:
        counts.pop(name, None)


def author_page(member: Member, platforms: Platforms) -> str:
    """The page of the author on a platform who published a member, "" if there is none."""
    if not platforms.platform(member.provider):
        return ""
    page = platforms.author_page(member.url)
    return page if page and platforms.provider(member.url) == member.provider else ""
