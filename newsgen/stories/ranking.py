"""Chooses leads, ranks stories and finds trending names, all relative to the content clock.

The strength of a story decays: it halves every `half_life` hours. On a logarithmic scale its rank is
log2(1 + strength) + hours / half_life. This order does not change as time passes, so time alone makes no page stale.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from unicodedata import normalize

from newsgen import canonical
from newsgen.model import Article, Member, Story
from newsgen.platforms import Platforms

T = TypeVar("T")


class Ranked(Protocol):
    """What the rank of a member, and of a story that it is in, depends on."""

    @property
    def id(self) -> str: ...
    @property
    def published(self) -> datetime: ...
    @property
    def provider(self) -> str: ...
    @property
    def quality(self) -> int | None: ...
    @property
    def heat(self) -> float | None: ...


R = TypeVar("R", bound=Ranked)


def best_lead(members: Iterable[R], typicality: Mapping[str, int]) -> R:
    """The member with the highest quality, then the highest heat; of these the most typical, then the latest.

    Members of unknown quality come last. `typicality` is by id, as in `Story`. Its steps are coarse: of reports that
    are nearly as typical, the latest leads.
    """
    return max(members, key=lambda member: _merit(member, typicality))


def choose_lead(members: Sequence[Member], chosen: str, typicality: Mapping[str, int]) -> Member:
    """The lead: the member `chosen` by an editor, or else the best one."""
    return find_member(members, chosen) or best_lead(members, typicality)


def find_member(members: Iterable[Member], chosen: str) -> Member | None:
    """The member that an editor names by its file's path or name, with or without date and extension, or by a URL.

    A path counts before a name. Names are compared in NFC, because some file systems return NFD.
    """
    if not chosen:
        return None
    wanted = normalize("NFC", chosen).removeprefix("./").removeprefix("content/")
    key = canonical.key(wanted)
    by_name = None
    for member in members:
        if wanted in (normalize("NFC", member.id), member.url):
            return member
        if key and key in (getattr(member, "keys", ()) or (canonical.key(member.url),)):
            return member
        if by_name is None and isinstance(member, Article):
            file = normalize("NFC", member.id).rpartition("/")[2]
            by_name = member if wanted in (file, file.rpartition(".")[0], member.slug) else None
    return by_name


def lead_reason(story: Story, chosen: str = "") -> str:
    """What decided a story's lead: "editor", "quality", "heat", "typical" or "newest"."""
    lead = story.lead
    candidates = [m for m in story.members if not getattr(m, "folded", False)]
    if find_member(candidates, chosen) is lead:
        return "editor"
    others = [m for m in candidates if m is not lead]
    for at, name in enumerate(("quality", "heat", "typical")):
        own = _merit(lead, story.typicality)[at]
        others = [m for m in others if _merit(m, story.typicality)[at] == own]
        if not others:
            return name
    return "newest"


def _merit(member: Ranked, typicality: Mapping[str, int]) -> tuple[float, float, int, datetime, str]:
    return (
        -1 if member.quality is None else member.quality,
        -1 if member.heat is None else max(member.heat, -1),
        typicality.get(member.id, 0),
        member.published,
        member.id,
    )


def count_sources(members: Iterable[Ranked], platforms: Platforms) -> int:
    """The number of independent sources: providers are counted by registrable domain, and on platforms by author."""
    return len({platforms.owner(domain) for domain in {m.provider for m in members}})


def strength(members: Sequence[Ranked], platforms: Platforms) -> float:
    """The strength of a story, at least 0: its highest heat, or else its highest quality, plus 10 · ln(sources).

    A negative heat is a mark for followers, not a number, and is ignored.
    """
    heats = [m.heat for m in members if m.heat is not None and m.heat >= 0]
    best = max(heats) if heats else max([m.quality or 0 for m in members])
    return max(0.0, best) + _breadth(members, platforms)


def _breadth(members: Sequence[Ranked], platforms: Platforms) -> float:
    # Shortcut: most items are single articles, and ln(1) = 0.
    return 10 * math.log(count_sources(members, platforms)) if len(members) > 1 else 0.0


def rank(members: Sequence[Ranked], half_life: float, platforms: Platforms) -> float:
    """The rank of a story or a single article, by its strength and its newest member. `half_life` is in hours."""
    newest = max([m.published for m in members])
    return math.log2(1 + strength(members, platforms)) + newest.timestamp() / 3600 / half_life


def cap(items: Iterable[T], names: Callable[[T], Iterable[tuple[str, int]]], size: int) -> list[T]:
    """The first `size` items such that no name occurs more often than its cap.

    `names` returns the names that an item counts towards, each with its cap. Items above a cap fill places that would
    otherwise stay empty.
    """
    chosen: list[T] = []
    over_cap: list[T] = []
    counts: Counter[str] = Counter()
    for item in items:
        if len(chosen) == size:
            break
        if all(counts[name] < cap for name, cap in names(item)):
            chosen.append(item)
            counts.update(name for name, _ in names(item))
        else:
            over_cap.append(item)
    return chosen + over_cap[: size - len(chosen)]


def trending(now: Mapping[str, int], before: Mapping[str, int]) -> list[str]:
    """The names that occur more often in a span of time than in the one before it, the fastest first.

    The arguments say how often each name occurs in either.
    """
    earlier = {name: before.get(name, 0) for name in now}
    rises = {name: (n - earlier[name]) / math.sqrt(earlier[name] + 1) for name, n in now.items() if n > 1}
    return sorted((n for n, rise in rises.items() if rise > 0), key=lambda n: (-rises[n], n))


def longest_pinned(stories: Iterable[Sequence[Member]], clock: datetime) -> Sequence[Member] | None:
    """The members of the story with the latest pin, or None if no pin lasts until the clock."""
    pinned = [
        (pin, members[0].id, members)
        for members in stories
        for m in members
        if (pin := getattr(m, "pin", None)) and pin >= clock
    ]
    return max(pinned, key=lambda p: p[:2])[2] if pinned else None


def members_of(item: Story | Member) -> tuple[Member, ...]:
    """The members of a story, or the member itself."""
    return item.members if isinstance(item, Story) else (item,)
