"""Chooses leads, ranks stories and finds trending names, all relative to the content clock.

The strength of a story decays: it halves every `half_life` hours. On a logarithmic scale its rank is
log2(1 + strength) + hours / half_life. This order does not change as time passes, so time alone makes no page stale.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from newsgen.model import Member, Story

T = TypeVar("T")


def choose_lead(members: Sequence[Member], chosen: str = "") -> Member:
    """The lead: the member `chosen` by an editor, by id, slug or URL, or else the best one.

    The best member has the highest quality, then the highest heat, then the latest time. Members of unknown quality
    come last.
    """
    for member in members:
        if chosen and chosen in (member.id, member.url, getattr(member, "slug", None)):
            return member
    return max(members, key=_merit)


def lead_reason(story: Story, chosen: str = "") -> str:
    """What decided a story's lead: "editor", "quality", "heat" or "newest"."""
    lead = story.lead
    if chosen and chosen in (lead.id, lead.url, getattr(lead, "slug", None)):
        return "editor"
    others = [m for m in story.members if m is not lead and not getattr(m, "folded", False)]
    for at, name in enumerate(("quality", "heat")):
        own = _merit(lead)[at]
        others = [m for m in others if _merit(m)[at] == own]
        if not others:
            return name
    return "newest"


def _merit(member: Member) -> tuple[float, float, datetime, str]:
    return (
        -1 if member.quality is None else member.quality,
        -1 if member.heat is None else max(member.heat, -1),
        member.published,
        member.id,
    )


def count_sources(members: Iterable[Member]) -> int:
    """The number of independent sources: providers are counted by registrable domain."""
    return len({registrable_domain(domain) for domain in {m.provider for m in members}})


REGISTRABLE_DOMAINS: dict[str, str] = {"": ""}
"""A cache of `registrable_domain`. Builds save it, because reading the suffix list takes longer than a small build."""


def registrable_domain(domain: str) -> str:
    """The registrable domain of a domain (https://publicsuffix.org/list/), or the domain itself if it has none."""
    registrable = REGISTRABLE_DOMAINS.get(domain)
    if registrable is None:
        registrable = REGISTRABLE_DOMAINS[domain] = _suffixes().privatesuffix(domain) or domain
    return registrable


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def strength(members: Sequence[Member]) -> float:
    """The strength of a story, at least 0: its highest heat, or else its highest quality, plus 10 · ln(sources).

    A negative heat is a mark for followers, not a number, and is ignored.
    """
    heats = [m.heat for m in members if m.heat is not None and m.heat >= 0]
    best = max(heats) if heats else max([m.quality or 0 for m in members])
    # Shortcut: most items are single articles, and ln(1) = 0.
    return max(0.0, best) + (10 * math.log(count_sources(members)) if len(members) > 1 else 0.0)


def rank(members: Sequence[Member], half_life: float) -> float:
    """The rank of a story or a single article, by its strength and its newest member. `half_life` is in hours."""
    newest = max([m.published for m in members])
    return math.log2(1 + strength(members)) + newest.timestamp() / 3600 / half_life


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


def trending(
    dated: Iterable[tuple[str, datetime]], clock: datetime, window: timedelta = timedelta(days=2)
) -> list[str]:
    """The names that occur more often in the window up to the clock than in the one before, fastest first."""
    now: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for name, moment in dated:
        age = clock - moment
        if timedelta(0) <= age < window:
            now[name] += 1
        elif window <= age < 2 * window:
            before[name] += 1
    rises = {name: (count - before[name]) / math.sqrt(before[name] + 1) for name, count in now.items() if count > 1}
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
