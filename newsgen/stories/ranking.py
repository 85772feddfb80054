"""What comes first: the lead of a story, the order of stories, what is trending; all against the content clock.

A story's strength counts for less as it ages: it halves every `half_life` hours. In logarithms its rank is
log2(1 + strength) + hours / half_life, which no later moment can reorder, so a page need not be rebuilt as time passes.
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
    """The member that stands for its story: the editor's choice by id, slug or URL, else the best.

    The best is the one of the highest quality, then heat, then the newest; one whose quality is unknown comes after all
    whose is known.
    """
    for member in members:
        if chosen and chosen in (member.id, member.url, getattr(member, "slug", None)):
            return member
    return max(members, key=_merit)


def lead_reason(story: Story, chosen: str = "") -> str:
    """What made a story's lead the lead: "editor", "quality", "heat" or "newest"."""
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
    """How many independent sources: by registrable domain, so that two sub-domains of a publisher are one."""
    return len({registrable_domain(domain) for domain in {m.provider for m in members}})


REGISTRABLE_DOMAINS: dict[str, str] = {"": ""}
"""What `registrable_domain` said: to read the list takes longer than a small build, so builds keep it."""


def registrable_domain(domain: str) -> str:
    """The registrable domain of a domain (https://publicsuffix.org/list/), itself where it has none."""
    found = REGISTRABLE_DOMAINS.get(domain)
    if found is None:
        found = REGISTRABLE_DOMAINS[domain] = _suffixes().privatesuffix(domain) or domain
    return found


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def strength(members: Sequence[Member]) -> float:
    """How much a story weighs, at least 0: its greatest heat, else quality, and ten for each e-fold of its sources.

    A heat below 0 is a mark, not a number, and is left out.
    """
    heats = [m.heat for m in members if m.heat is not None and m.heat >= 0]
    best = max(heats) if heats else max([m.quality or 0 for m in members])
    # Most items are one article, whose one source would add the logarithm of 1.
    return max(0.0, best) + (10 * math.log(count_sources(members)) if len(members) > 1 else 0.0)


def rank(members: Sequence[Member], half_life: float) -> float:
    """The rank of a story or of an article alone by its newest member; greater is higher. `half_life` in hours."""
    newest = max([m.published for m in members])
    return math.log2(1 + strength(members)) + newest.timestamp() / 3600 / half_life


def cap(items: Iterable[T], names: Callable[[T], Iterable[tuple[str, int]]], size: int) -> list[T]:
    """The first `size` items that leave no name more places than its cap; what a cap kept out fills what stays free.

    `names` gives the names an item counts for, each with its cap.
    """
    taken: list[T] = []
    spare: list[T] = []
    seen: Counter[str] = Counter()
    for item in items:
        if len(taken) == size:
            break
        if all(seen[name] < cap for name, cap in names(item)):
            taken.append(item)
            seen.update(name for name, _ in names(item))
        else:
            spare.append(item)
    return taken + spare[: size - len(taken)]


def trending(
    dated: Iterable[tuple[str, datetime]], clock: datetime, window: timedelta = timedelta(days=2)
) -> list[str]:
    """Names by how much more often they come in the window before the clock than in the one before; risers only."""
    now: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for name, moment in dated:
        age = clock - moment
        if timedelta(0) <= age < window:
            now[name] += 1
        elif window <= age < 2 * window:
            before[name] += 1
    rise = {name: (count - before[name]) / math.sqrt(before[name] + 1) for name, count in now.items() if count > 1}
    return sorted((n for n, r in rise.items() if r > 0), key=lambda n: (-rise[n], n))


def longest_pinned(stories: Iterable[Sequence[Member]], clock: datetime) -> Sequence[Member] | None:
    """The members whose pin still holds at the clock; of several the one that holds longest."""
    held = [
        (pin, members[0].id, members)
        for members in stories
        for m in members
        if (pin := getattr(m, "pin", None)) and pin >= clock
    ]
    return max(held, key=lambda h: h[:2])[2] if held else None


def members_of(item: Story | Member) -> tuple[Member, ...]:
    """The members of a story; an article alone is its own."""
    return item.members if isinstance(item, Story) else (item,)
